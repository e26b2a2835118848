//! `vistter ocl render`: a scene as PNG files or as MP4.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use vistter::ocl::OclOverlay;
use vistter_core::codec::Openh264Backend;
use vistter_core::media::{Bitrate, StreamParams};
use vistter_core::output::mp4::Mp4Muxer;
use vistter_core::picture;
use vistter_core::ports::{Effort, EncoderBackend, EncoderConfig};
use vistter_core::{Error, ErrorKind, Result};

use super::scene::{Shown, open};
use crate::cli::ocl::OclRenderArgs;
use crate::exit::Exit;
use crate::ui::{fail, json};

pub(super) fn render(args: &OclRenderArgs) -> Exit {
    let name = args.scene.file.display().to_string();
    let overlay = match open(&args.scene) {
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

fn draw(overlay: OclOverlay, args: &OclRenderArgs) -> Result<Vec<PathBuf>> {
    for w in overlay.warnings() {
        eprintln!("{}:{w}", args.scene.file.display());
    }
    let mut scene = Shown::new(overlay, &args.scene)?;
    for note in scene.notes() {
        eprintln!("{}: {note}", args.scene.file.display());
    }
    let fps = args.scene.fps;
    let first = args.scene.at.frames(fps);
    let last = args.to.map_or(first, |s| s.frames(fps));
    if last < first {
        return Err(Error::new(ErrorKind::Config, "--to is before --at"));
    }
    if args.out.extension().is_some_and(|e| e.eq_ignore_ascii_case("mp4")) {
        return video(&mut scene, first..=last, args).map(|()| vec![args.out.clone()]);
    }
    let file = |frame: u64| match args.to {
        None => args.out.clone(),
        Some(_) => args.out.join(format!("frame-{frame:06}.png")),
    };
    if args.to.is_some() {
        std::fs::create_dir_all(&args.out).map_err(|e| write_error(&args.out, &e))?;
    }
    let mut written = Vec::new();
    for frame in first..=last {
        let path = file(frame);
        picture::write_png(&scene.draw(frame)?.freeze(), &path).map_err(|e| write_error(&path, &e))?;
        written.push(path);
    }
    Ok(written)
}

/// H.264 in fragmented MP4, without sound. The file is written as it is encoded.
fn video(scene: &mut Shown, frames: std::ops::RangeInclusive<u64>, args: &OclRenderArgs) -> Result<()> {
    let (width, height) = scene.size;
    if width % 2 + height % 2 > 0 {
        let what = format!("a video of {width}x{height}: its sides must be even");
        return Err(Error::new(ErrorKind::Config, what).next("choose another --size"));
    }
    let fps = args.scene.fps;
    let config = EncoderConfig {
        width,
        height,
        fps,
        bitrate: Bitrate::from_kbps(args.bitrate),
        gop_frames: (fps.as_f64() * 2.0).round() as u32,
        threads: 0,
        effort: Effort::High,
    };
    let mut encoder = Openh264Backend.create(&config)?;
    let mut muxer = Mp4Muxer::new(&StreamParams { video: Some(encoder.params().clone()), audio: None })?;
    let failed = |e: std::io::Error| write_error(&args.out, &e);
    let mut file = std::io::BufWriter::new(std::fs::File::create(&args.out).map_err(failed)?);
    file.write_all(muxer.init()).map_err(failed)?;
    let first = *frames.start();
    for frame in frames {
        let mut picture = scene.draw(frame)?;
        picture.set_pts(fps.time_of(frame - first));
        let packet = encoder.encode(&picture.freeze(), frame == first)?;
        if let Some(fragment) = muxer.push(&packet)? {
            file.write_all(&fragment).map_err(failed)?;
        }
    }
    if let Some(fragment) = muxer.finish()? {
        file.write_all(&fragment).map_err(failed)?;
    }
    file.flush().map_err(failed)
}

fn write_error(path: &Path, e: &std::io::Error) -> Error {
    Error::io("write the picture", e).at(path.display().to_string())
}
