//! Every example of the specification is a document that plays.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vistter_core::clock::WallTime;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

use crate::insets::Painter;
use crate::picture::background;

/// All pages of the specification, one after the other.
pub(crate) fn pages() -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ocl");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    pages.retain(|p| p.extension().is_some_and(|e| e == "md"));
    pages.sort();
    pages.iter().map(|p| std::fs::read_to_string(p).unwrap()).collect()
}

#[test]
fn every_example_plays() {
    let text = pages();
    let examples: Vec<&str> =
        text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 8, "found {}", examples.len());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files: HashMap<String, Vec<u8>> = [
        ("pictures/logo.png", "image-scaled/mark.png"),
        ("fonts/japanese.ttf", "text-japanese/japanese.ttf"),
        ("fonts/emoji.ttf", "text-emoji/emoji.ttf"),
        ("pictures/badge.svg", "image-svg/badge.svg"),
        ("pictures/spin.gif", "image-moving/spin.gif"),
        ("pictures/step-01.png", "image-moving/step-01.png"),
        ("pictures/step-02.png", "image-moving/step-02.png"),
        ("clips/disc.mp4", "../../../tests/clips/disc.mp4"),
    ]
    .map(|(name, from)| (name.to_owned(), std::fs::read(golden.join(from)).unwrap()))
    .into();
    for (i, example) in examples.iter().enumerate() {
        // what an example shows can be read, too
        let found = vistter_ocl::check(example, &files);
        assert!(found.is_empty(), "example {}: {found:#?}", i + 1);
        let o = OclOverlay::from_str("example", example, &files, None, &BTreeMap::new())
            .unwrap_or_else(|e| panic!("example {}:\n{example}\n{e}", i + 1));
        assert!(o.warnings().is_empty(), "example {}: {:?}", i + 1, o.warnings());
        let mut o = o.with_pictures(Arc::new(Painter::default()));
        o.prepare(Canvas { width: 640, height: 360, fps: FrameRate::FPS_30 }).unwrap();
        // 2026-11-21 20:00 UTC: what may be shown depends on it
        let tick = |frame| Tick { frame, wall: WallTime::from_unix_nanos(1_795_291_200_000_000_000) };
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        let mut buf = background(640, 360);
        let before: Vec<u8> = buf.plane(0).data.to_vec();
        o.compose(tick(90), &mut buf).unwrap();
        assert!(buf.plane(0).data != before, "example {} draws nothing:\n{example}", i + 1);
    }
}
