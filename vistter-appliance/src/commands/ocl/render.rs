//! `vistter ocl render`: a scene as PNG files or as MP4.

use std::path::{Path, PathBuf};

use serde_json::json;
use vistter::ocl::OclOverlay;
use vistter_core::picture;
use vistter_core::{Error, ErrorKind, Result};

use super::movie;
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
        return movie::write(&mut scene, first..=last, args).map(|()| vec![args.out.clone()]);
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

pub(super) fn write_error(path: &Path, e: &std::io::Error) -> Error {
    Error::io("write the picture", e).at(path.display().to_string())
}
