//! The figures behind `docs/decisions/0001-h264-decoder.md`, as a Markdown table. Not part of the normal run:
//! `cargo test --release -p vistter-core --features codecs,session --test it codec::compare -- --ignored --nocapture`

use std::fmt::Write;

use super::damage::{Damage, cut, damage, drop_it, flip, outcome, streams};
use super::decode::{decode_all, decoders};
use super::peer::{psnr, tight};
use super::vectors::{self, Vector};
use crate::peers::ffmpeg_tool;
use vistter_core::codec::{Openh264Decoder, Openh264Encoder};
use vistter_core::media::{Bitrate, Frame, FramePool};
use vistter_core::ports::{Effort, EncoderConfig, VideoDecoder, VideoEncoder};
use vistter_core::time::FrameRate;

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

/// Encoder figures on a clip named by `VISTTER_CLIP` (any file FFmpeg reads), 1080p30 at 4.5 Mbit/s.
#[test]
#[ignore = "prints figures, checks nothing"]
fn encoder() {
    let clip = std::env::var("VISTTER_CLIP").expect("set VISTTER_CLIP to the path of a video to encode");
    let filter = "scale=1920:1080:flags=lanczos,noise=alls=4:allf=t:all_seed=7,format=yuv420p";
    let args =
        ["-v", "error", "-stream_loop", "3", "-i", &clip, "-frames:v", "240", "-vf", filter, "-f", "rawvideo", "-"];
    let raw = ffmpeg_tool("ffmpeg", &args);
    let (w, h) = (1920u32, 1080u32);
    let size = (w * h * 3 / 2) as usize;
    let pool = FramePool::new(w, h, 4).unwrap();
    println!("| effort | threads | CPU ms | PSNR-Y dB | kbit/s | largest second | first, second keyframe |");
    for (effort, threads) in [(Effort::Low, 1), (Effort::Low, 2), (Effort::High, 1)] {
        let fps = FrameRate::FPS_30;
        let bitrate = Bitrate::from_kbps(4500);
        let c = EncoderConfig { width: w, height: h, fps, bitrate, gop_frames: 60, threads, effort };
        let mut e = Openh264Encoder::new(&c).unwrap();
        let mut packets = Vec::new();
        let mut spent = 0;
        for (n, picture) in raw.chunks_exact(size).enumerate() {
            let mut f = pool.take();
            let mut at = 0;
            for mut p in f.planes_mut() {
                for y in 0..p.height {
                    let row = p.row_mut(y);
                    row.copy_from_slice(&picture[at..at + row.len()]);
                    at += row.len();
                }
            }
            f.set_pts(fps.time_of(n as u64));
            let f = f.freeze();
            let start = ticks();
            packets.push(e.encode(&f, false).unwrap());
            spent += ticks() - start;
        }
        let mut d = Openh264Decoder::new().unwrap();
        d.configure(e.params()).unwrap();
        let (mut sum, mut n) = (0u64, 0usize);
        let mut count = |f: Frame| {
            let y = &raw[n * size..][..(w * h) as usize];
            let p = f.plane(0);
            for (row, want) in y.chunks_exact(w as usize).enumerate() {
                sum += p.row(row).iter().zip(want).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>();
            }
            n += 1;
        };
        packets.iter().for_each(|p| d.decode(p, &mut count).unwrap());
        d.flush(&mut count).unwrap();
        let db = 10.0 * (255.0 * 255.0 * f64::from(w * h) * n as f64 / sum as f64).log10();
        let bytes: usize = packets.iter().map(|p| p.data.len()).sum();
        let largest = packets.windows(30).map(|s| s.iter().map(|p| p.data.len()).sum::<usize>()).max().unwrap();
        println!(
            "| {effort:?} | {threads} | {:.1} | {db:.2} | {:.0} | {:.0} | {}, {} |",
            spent as f64 * 10.0 / packets.len() as f64,
            bytes as f64 * 8.0 * 30.0 / packets.len() as f64 / 1000.0,
            largest as f64 * 8.0 / 1000.0,
            packets[0].data.len(),
            packets[60].data.len(),
        );
    }
}
