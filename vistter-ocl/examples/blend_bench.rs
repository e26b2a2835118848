//! What overlays cost: milliseconds per 1080p frame to draw what changed and blend all of them.
//!
//! `blend_bench FRAMES OVERLAY.ocl.json...` prints one number. `benches/` runs it.

use std::collections::BTreeMap;
use std::path::Path;

use vistter_core::clock::{Clock, SystemClock};
use vistter_core::media::FramePool;
use vistter_core::ports::{Canvas, Overlay, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, frames, files @ ..] = args.as_slice() else {
        return Err("usage: blend_bench FRAMES OVERLAY.ocl.json...".into());
    };
    let frames: u64 = frames.parse()?;
    let fps = FrameRate::FPS_30;
    let mut overlays = Vec::new();
    for file in files {
        let mut overlay = OclOverlay::from_file(file.as_str(), Path::new(file), None, &BTreeMap::new())?;
        overlay.prepare(Canvas { width: 1920, height: 1080, fps })?;
        overlays.push(overlay);
    }
    let clock = SystemClock::new();
    let mut picture = FramePool::new(1920, 1080, 1)?.take();
    picture.fill([100, 120, 140]);
    let wall = clock.wall();
    let mut spent = 0;
    for frame in 0..frames {
        let at = Tick { frame, wall };
        let from = clock.now();
        for overlay in &mut overlays {
            if frame == 0 {
                overlay.apply(at, &OverlayAction::Show)?;
            }
            overlay.compose(at, &mut picture)?;
        }
        spent += (clock.now() - from).nanos();
    }
    println!("{:.4}", spent as f64 / frames as f64 / 1e6);
    Ok(())
}
