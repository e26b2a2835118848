//! `vistter ocl`: what is wrong with an overlay document, what a code means, and how a scene looks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use vistter::ocl::codes::{CODES, Code};
use vistter::ocl::{OclOverlay, check_file, explain, model::Color, schema};
use vistter_core::clock::{Clock, SystemClock, WallTime};
use vistter_core::diagnose::{Severity, nearest};
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::{Canvas, Overlay, OverlayAction, Tick};
use vistter_core::{Error, ErrorKind, Result};

use crate::cli::ocl::{OclArgs, OclCheckArgs, OclCommand, OclExplainArgs, OclRenderArgs, OclSchemaArgs};
use crate::exit::Exit;
use crate::ui::{fail, human, json, picture};

pub(crate) fn ocl(args: &OclArgs) -> Exit {
    match &args.command {
        OclCommand::Check(a) => check(a),
        OclCommand::Render(a) => render(a),
        OclCommand::Schema(a) => print_schema(a),
        OclCommand::Explain(a) => said(a),
    }
}

fn check(args: &OclCheckArgs) -> Exit {
    let file = args.file.display().to_string();
    let findings = check_file(&args.file);
    let count = |s| findings.iter().filter(|d| d.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if args.json {
        json::document(&json!({
            "ok": errors == 0, "file": file, "errors": errors, "warnings": warnings, "findings": findings,
        }));
    } else {
        for d in &findings {
            println!("{file}:{d}");
        }
        println!("{file}: {}", human::verdict(errors, warnings));
        if let Some(d) = findings.first() {
            println!("More about a code: vistter ocl explain {}", d.code);
        }
    }
    if errors == 0 { Exit::Ok } else { Exit::Invalid }
}

fn said(args: &OclExplainArgs) -> Exit {
    let entry = |c: &Code| {
        let example = c.example.map(|e| json!({ "at": e.at, "wrong": e.wrong, "right": e.right }));
        json!({ "code": c.code, "title": c.title, "about": c.about, "example": example })
    };
    let Some(name) = &args.code else {
        if args.json {
            json::document(&json!({ "codes": CODES.iter().map(entry).collect::<Vec<_>>() }));
        } else {
            CODES.iter().for_each(|c| println!("{:<20} {}", c.code, c.title));
        }
        return Exit::Ok;
    };
    let Some(code) = explain(name) else {
        let near = nearest(name, CODES.iter().map(|c| c.code));
        let next = near.map_or("`vistter ocl explain` lists them all".to_owned(), |n| format!("did you mean {n}?"));
        fail(&format!("no code \"{name}\"; {next}"));
        return Exit::Usage;
    };
    if args.json {
        json::document(&entry(code));
        return Exit::Ok;
    }
    println!("{}: {}\n\n{}", code.code, code.title, code.about);
    if let Some(e) = code.example {
        println!("\nwrong:  {}\nright:  {}", e.wrong, e.right);
    }
    Exit::Ok
}

fn print_schema(args: &OclSchemaArgs) -> Exit {
    let schema = match &args.file {
        None => schema(),
        Some(file) => match OclOverlay::from_file("", file, None, &BTreeMap::new()) {
            Ok(o) => o.document().data_schema(),
            Err(faults) => {
                eprintln!("{faults}");
                return Exit::Invalid;
            }
        },
    };
    if json::document(&schema) { Exit::Ok } else { Exit::Failed }
}

fn render(args: &OclRenderArgs) -> Exit {
    let tokens: BTreeMap<String, String> = args.token.iter().cloned().collect();
    let name = args.file.display().to_string();
    let overlay = match OclOverlay::from_file(&name, &args.file, args.scene.as_deref(), &tokens) {
        Ok(o) => o,
        Err(faults) => {
            if args.json {
                json::document(&json!({ "ok": false, "file": name, "findings": faults.diagnostics() }));
            }
            eprintln!("{faults}");
            return Exit::Invalid;
        }
    };
    match draw(overlay, args) {
        Ok(written) => {
            let files: Vec<String> = written.iter().map(|p| p.display().to_string()).collect();
            if args.json {
                json::document(&json!({ "ok": true, "file": name, "written": files }));
            } else {
                match (files.first(), files.len()) {
                    (Some(first), 1) => println!("{first}"),
                    (_, n) => println!("{n} pictures in {}", args.out.display()),
                }
            }
            Exit::Ok
        }
        Err(e) => {
            if args.json {
                json::document(&json!({ "ok": false, "file": name, "error": e.to_string() }));
            }
            fail(&e.to_string());
            Exit::Failed
        }
    }
}

fn draw(mut overlay: OclOverlay, args: &OclRenderArgs) -> Result<Vec<PathBuf>> {
    let (width, height) = args.size.unwrap_or(overlay.document().base);
    let background = Color::parse(&args.background).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("\"{}\" is not a colour", args.background)).next("write #RRGGBB")
    })?;
    for w in overlay.warnings() {
        eprintln!("{}:{w}", args.file.display());
    }
    overlay.prepare(Canvas { width, height, fps: args.fps })?;
    let start = args
        .wall
        .map_or_else(|| SystemClock::new().wall(), |s| WallTime::from_unix_nanos(s.saturating_mul(1_000_000_000)));
    let tick = |frame| Tick { frame, wall: start.plus(args.fps.time_of(frame)) };
    overlay.apply(tick(0), &OverlayAction::Show)?;
    let first = args.at.frames(args.fps);
    let last = args.to.map_or(first, |s| s.frames(args.fps));
    if last < first {
        return Err(Error::new(ErrorKind::Config, "--to is before --at"));
    }
    let file = |frame: u64| match args.to {
        None => args.out.clone(),
        Some(_) => args.out.join(format!("frame-{frame:06}.png")),
    };
    if args.to.is_some() {
        std::fs::create_dir_all(&args.out).map_err(|e| write_error(&args.out, &e))?;
    }
    let pool = FramePool::new(width, height, 2)?;
    let mut written = Vec::new();
    for frame in first..=last {
        let mut buf = pool.take();
        buf.fill(yuv(background));
        overlay.compose(tick(frame), &mut buf)?;
        if args.safe_areas {
            // EBU R 95: 3.5 % of the picture from each edge for what happens, 5 % for what is written.
            guide(&mut buf, 35);
            guide(&mut buf, 50);
        }
        let path = file(frame);
        picture::write_png(&buf.freeze(), &path).map_err(|e| write_error(&path, &e))?;
        written.push(path);
    }
    Ok(written)
}

fn write_error(path: &Path, e: &std::io::Error) -> Error {
    Error::io("write the picture", e).at(path.display().to_string())
}

/// BT.709 limited range; a background has no alpha.
fn yuv(c: Color) -> [u8; 3] {
    let [r, g, b] = [0, 1, 2].map(|i| f64::from(c.rgba[i]) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let part = |v: f64, steps: f64, zero: f64| (zero + steps * v).round() as u8;
    [part(y, 219.0, 16.0), part((b - y) / 1.8556, 224.0, 128.0), part((r - y) / 1.5748, 224.0, 128.0)]
}

/// A frame of dashes `permille` thousandths of the picture from its edges.
fn guide(buf: &mut FrameBuf, permille: usize) {
    let [mut luma, _, _] = buf.planes_mut();
    let (w, h) = (luma.width, luma.height);
    let (x, y) = (w * permille / 1000, h * permille / 1000);
    for row in y..h - y {
        let whole = row == y || row == h - y - 1;
        let line = luma.row_mut(row);
        for col in if whole { x..w - x } else { 0..0 } {
            line[col] = if col / 8 % 2 == 0 { 235 } else { 16 };
        }
        for col in [x, w - x - 1] {
            line[col] = if row / 8 % 2 == 0 { 235 } else { 16 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_colours() {
        assert_eq!(yuv(Color { rgba: [255, 0, 0, 255] }), [63, 102, 240]);
        assert_eq!(yuv(Color::WHITE), [235, 128, 128]);
    }
    #[test]
    fn guides_stay_inside_the_smallest_picture() {
        let mut buf = FramePool::new(16, 16, 1).unwrap().take();
        guide(&mut buf, 35);
        guide(&mut buf, 50);
    }
}
