//! Draws overlays at one moment over a test picture: a way to look at a document.
//!
//! ```text
//! cargo run -p vistter-ocl --example render -- OUT.png SECONDS 1920x1080 FILE.ocl.json [FILE.ocl.json …]
//! ```

#[path = "../tests/it/picture.rs"]
#[allow(dead_code)]
mod picture;

use std::collections::BTreeMap;
use std::error::Error;

use vistter_core::clock::WallTime;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [out, seconds, size, files @ ..] = args.as_slice() else {
        return Err("usage: render OUT.png SECONDS 1920x1080 FILE.ocl.json [FILE.ocl.json …]".into());
    };
    let (w, h) = size.split_once('x').ok_or("the size is WIDTHxHEIGHT")?;
    let canvas = Canvas { width: w.parse()?, height: h.parse()?, fps: FrameRate::FPS_30 };
    let frame = (seconds.parse::<f64>()? * 30.0) as u64;
    let mut buf = picture::background(canvas.width, canvas.height);
    let tick = |frame| Tick { frame, wall: WallTime::from_unix_nanos(1_795_266_245_000_000_000) };
    for file in files {
        let mut overlay = OclOverlay::from_file(file, file.as_ref(), None, &BTreeMap::new())?;
        overlay.prepare(canvas)?;
        overlay.apply(tick(0), &OverlayAction::Show)?;
        overlay.compose(tick(frame), &mut buf)?;
    }
    picture::rgb(&buf).save(out)?;
    Ok(())
}
