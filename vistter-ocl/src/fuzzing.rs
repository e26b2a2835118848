//! What the fuzz targets call (`fuzz/fuzz_targets/ocl_*.rs`), as plain functions, so that a test on a stable compiler
//! runs them over the seeds and over mutations of them too. Not part of the public interface.

use std::collections::{BTreeMap, HashMap};

use vistter_core::clock::WallTime;
use vistter_core::diagnose::Severity;
use vistter_core::media::FramePool;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;

use crate::{Document, OclOverlay};

/// Any bytes as a document: it reads, or every reason not to is given.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Document::parse(&text) {
        Ok((d, warnings)) => {
            assert!(!d.scenes.is_empty());
            assert!(warnings.iter().all(|w| w.severity == Severity::Warning));
        }
        Err(list) => assert!(list.iter().any(|d| d.severity == Severity::Error)),
    }
}

/// Any bytes as a document; what is accepted is compiled, played and drawn on a small picture.
pub fn compile(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let picture = include_bytes!("../tests/golden/image-scaled/mark.png").to_vec();
    let files: HashMap<String, Vec<u8>> = HashMap::from([("logo.png".to_owned(), picture)]);
    let Ok(mut o) = OclOverlay::from_str("fuzz", &text, &files, None, &BTreeMap::new()) else { return };
    let canvas = Canvas { width: 65, height: 33, fps: FrameRate::FPS_30 };
    if o.prepare(canvas).is_err() {
        return;
    }
    let Ok(pool) = FramePool::new(canvas.width, canvas.height, 1) else { return };
    let mut buf = pool.take();
    let mut at = Tick { frame: 0, wall: WallTime::from_unix_nanos(data.len() as i64 * 987_654_321) };
    let _ = o.apply(at, &OverlayAction::Show);
    for _ in 0..4 {
        // FrameBuf's planes panic on any access outside of them
        let _ = o.compose(at, &mut buf);
        match o.is_static_until(at) {
            Some(next) => {
                assert!(next > at.frame);
                at.frame = next;
            }
            None => break,
        }
    }
    let _ = o.apply(at, &OverlayAction::Hide);
    let _ = o.compose(at, &mut buf);
}
