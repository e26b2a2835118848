//! The demo's overlays: the first thing a new user sees. They must be free of faults and draw something everywhere.

use std::collections::BTreeMap;
use std::path::Path;

use vistter_core::clock::WallTime;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

use crate::picture::{background, difference, rgb};

#[test]
fn the_demo_overlays_play() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vistter-appliance/assets/demo");
    for name in ["brand", "lower-third", "ticker"] {
        let path = dir.join(format!("{name}.ocl.json"));
        let mut o = OclOverlay::from_file(name, &path, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
        assert!(o.warnings().is_empty());
        let found = vistter_ocl::check_file(&path);
        assert!(found.is_empty(), "{name}: {found:#?}");
        for (width, height) in [(1280, 720), (1920, 1080)] {
            o.prepare(Canvas { width, height, fps: FrameRate::FPS_30 }).unwrap();
            let tick = |frame| Tick { frame, wall: WallTime::from_unix_nanos(0) };
            o.apply(tick(0), &OverlayAction::Show).unwrap();
            let mut buf = background(width, height);
            let empty = rgb(&buf);
            o.compose(tick(120), &mut buf).unwrap();
            assert!(difference(&empty, &rgb(&buf)).0 > 50, "{name}");
        }
    }
}
