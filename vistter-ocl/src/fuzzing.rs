//! What the fuzz targets call (`fuzz/fuzz_targets/ocl_*.rs`), as plain functions, so that a test on a stable compiler
//! runs them over the seeds and over mutations of them too. Not part of the public interface.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use vistter_core::clock::WallTime;
use vistter_core::diagnose::Severity;
use vistter_core::media::FramePool;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::{FrameRate, MediaTime};

use crate::limits::{MAX_EXPANDED_CHARS, MAX_IMAGE_PIXELS};
use crate::media::Media;
use crate::model::{Align, Breaks, Fit};
use crate::raster::text::{Decor, FontFile, FontSet, RunSpec, TextEngine, TextSpec, family};
use crate::raster::{Raster, picture};
use crate::said::Said;
use crate::token::{Token, TokenKind};
use crate::{Document, Now, OclOverlay, Template};

/// Pixels of the pictures of one file.
const FUZZ_PIXELS: u64 = 1 << 20;

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

/// Any text as a template (what stands before the first line feed) and as the value of its tokens (the rest).
pub fn text(data: &[u8]) {
    let all = String::from_utf8_lossy(data);
    let (template, value) = all.split_once('\n').unwrap_or((&all, ""));
    let Ok(t) = Template::parse(template) else { return };
    let tokens: BTreeMap<String, String> = t.tokens().map(|n| (n.to_owned(), value.to_owned())).collect();
    let (mut once, mut again) = (String::new(), "left over".to_owned());
    let wall = WallTime::from_unix_nanos(data.len() as i64 * 987_654_321);
    let now = Now { wall, elapsed: MediaTime::from_millis(data.len() as i64), value: Some(data.len() as f64 / 3.0) };
    t.expand(&tokens, now, &mut once);
    t.expand(&tokens, now, &mut again);
    assert_eq!(once, again, "filling in is a pure function");
    assert!(once.chars().count() <= MAX_EXPANDED_CHARS);
    for kind in [TokenKind::Date, TokenKind::Number { min: -1.0, max: 1.0, whole: false }] {
        let token = Token { kind, ..Token::text(0) };
        if token.check(value).is_ok() {
            assert!(value.is_ascii());
        }
    }
}

/// Any bytes as the file of a picture: what is accepted is drawn, small.
pub fn picture(data: &[u8]) {
    let Ok(media) = Media::read(data, FUZZ_PIXELS) else { return };
    assert!(media.pixels() <= MAX_IMAGE_PIXELS.max(FUZZ_PIXELS));
    let mut r = Raster::default();
    match media {
        Media::Still(p) => picture::draw(&mut r, &p, 37, 21),
        Media::Video(v) => assert!(v.pictures() > 0),
        Media::Vector(v) => v.draw(&mut r, 37, 21, Fit::Stretch),
        Media::Film(f) => {
            assert!(f.pixels() <= FUZZ_PIXELS);
            for p in f.pictures().flatten().take(8) {
                picture::draw(&mut r, p, 37, 21);
            }
            let mut t = MediaTime::ZERO;
            for _ in 0..8 {
                assert!(f.at(t, f.plays()) < f.len());
                match f.next(t, f.plays()) {
                    Some(next) => {
                        assert!(next > t);
                        t = next;
                    }
                    None => break,
                }
            }
        }
    }
    assert_eq!(r.rgba.len(), r.width * r.height * 4);
}

/// Any bytes as a font: what is accepted draws a text in several scripts.
pub fn font(data: &[u8]) {
    if !FontFile::is_one(data) {
        return;
    }
    let Ok(font) = FontFile::read(data.to_vec()) else { return };
    let set = FontSet::from([("font".to_owned(), Arc::new(font))]);
    let run = RunSpec { rgba: [255; 4], bold: true, italic: true, scale: 1.0, font: family(&set, "font") };
    let spec = TextSpec {
        size: 24.0,
        runs: vec![run],
        tracking: 10.0,
        tabular: true,
        align: Align::Start,
        width: None,
        max_width: Some(200.0),
        wrap: Breaks::Word,
        max_lines: 3,
        min_size: None,
        decor: Decor::default(),
        limit: 400,
    };
    let mut said = Said::default();
    let text = Template::literal("Ag 09 e\u{301} שָׁל سلام क्षे ที่ 世界 \u{1F469}\u{200D}\u{1F680}\u{2764}\u{FE0F}");
    said.fill(std::iter::once(&text), &BTreeMap::new(), Now::default());
    let mut r = Raster::default();
    TextEngine::new(&set).draw(&mut r, &said, &spec, 1 << 20);
    assert_eq!(r.rgba.len(), r.width * r.height * 4);
}

/// Any text as a time, at rates with and without drop-frame; what is one is a frame, the same at each reading.
pub fn time(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for rate in [None, Some(FrameRate::FPS_30), FrameRate::new(30_000, 1001), FrameRate::new(60_000, 1001)] {
        let Ok(span) = crate::read::time::parse(&text, rate) else { continue };
        let at = rate.unwrap_or(FrameRate::FPS_30);
        assert_eq!(crate::read::time::parse(&text, rate).map(|s| s.frames(at)), Ok(span.frames(at)));
    }
}
