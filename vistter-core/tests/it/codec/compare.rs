//! The figures behind `docs/decisions/0001-h264-decoder.md`, as a Markdown table. Not part of the normal run:
//! `cargo test --release -p vistter-core --features codecs --test it codec::compare -- --ignored --nocapture`

use std::fmt::Write;

use super::damage::{Damage, cut, damage, drop_it, flip, outcome, streams};
use super::decode::{decode_all, decoders};
use super::peer::{psnr, tight};
use super::vectors::{self, Vector};
use vistter_core::media::Frame;
use vistter_core::ports::VideoDecoder;

/// CPU time of this process so far, in clock ticks of 10 ms.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn verdict(v: &Vector, got: &[Frame]) -> String {
    if got.len() != v.times.len() {
        return format!("{} of {} pictures", got.len(), v.times.len());
    }
    let order = got.iter().map(Frame::pts).eq(v.times.iter().copied());
    let off: Vec<f64> = got
        .iter()
        .enumerate()
        .filter(|(i, f)| tight(f) != v.picture(*i))
        .map(|(i, f)| psnr(&tight(f), v.picture(i)))
        .collect();
    let worst = off.iter().copied().fold(f64::INFINITY, f64::min);
    match (order, off.is_empty()) {
        (true, true) => "exact".to_owned(),
        (false, _) => format!("wrong order, {} differ", off.len()),
        (true, false) => format!("{} of {} differ, worst {worst:.1} dB", off.len(), got.len()),
    }
}

fn row(d: &mut dyn VideoDecoder, v: &Vector) -> String {
    match decode_all(d, v) {
        Ok(got) => verdict(v, &got),
        Err(e) => e.what().to_owned(),
    }
}

#[test]
#[ignore = "prints figures, checks nothing"]
fn table() {
    let mut out = String::from("| stream | rusty_h264 | openh264 |\n|---|---|---|\n");
    for recipe in vectors::H264.iter().chain([&vectors::UNALIGNED_SLICES]) {
        let v = vectors::make(recipe);
        let cells: Vec<String> = decoders().iter_mut().map(|d| row(d.as_mut(), &v)).collect();
        writeln!(out, "| {} | {} |", v.name, cells.join(" | ")).unwrap();
    }
    for (name, how) in [("units dropped", drop_it as Damage), ("units cut", cut), ("bits flipped", flip)] {
        let vectors = streams();
        let mut cells = Vec::new();
        for mut d in decoders() {
            let (mut errors, mut right, mut wrong) = (0, 0, 0);
            for v in &vectors {
                for seed in 100..130 {
                    let o = outcome(d.as_mut(), v, &damage(v, seed, 8, how));
                    (errors, right, wrong) = (errors + o.errors, right + o.right, wrong + o.wrong);
                }
            }
            cells.push(format!("{right} right, {wrong} damaged, {errors} errors"));
        }
        writeln!(out, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
    for recipe in [&vectors::CAMERA_1080P, &vectors::CAMERA_1080P_B] {
        let v = vectors::make(recipe);
        let mut cells = Vec::new();
        for mut d in decoders() {
            let start = ticks();
            let mut n = 0u64;
            for _ in 0..2 {
                d.configure(&v.params).unwrap();
                for p in &v.packets {
                    let _ = d.decode(p, &mut |_| n += 1);
                }
                let _ = d.flush(&mut |_| n += 1);
            }
            let spent = ticks() - start;
            cells.push(format!("{:.1} ms a picture", spent as f64 * 10.0 / n.max(1) as f64));
        }
        writeln!(out, "| CPU, {} | {} |", v.name, cells.join(" | ")).unwrap();
    }
    println!("{out}");
}
