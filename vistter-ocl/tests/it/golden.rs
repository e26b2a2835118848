//! Golden cases: each folder under `tests/golden/` holds `overlay.ocl.json`, `case.toml` and `expected.png`.
//!
//! `OCL_BLESS=1 cargo test -p vistter-ocl golden` writes the expected pictures anew: look at every one that changed;
//! `OCL_GOLDEN=name` runs the folders alone whose names contain it. A failure writes what was drawn and the differences
//! under the target folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vistter_core::clock::WallTime;
use vistter_core::config::Span;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, OverlayEvent, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::{OclOverlay, Opening};

use crate::picture::{background, difference, rgb};

/// One `case.toml`: `key = value` lines (a subset of TOML, so that no parser is needed for it).
struct Case(BTreeMap<String, String>);

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let pair =
            |l: &str| l.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().trim_matches('"').to_owned()));
        Self(text.lines().filter(|l| !l.starts_with('#')).filter_map(pair).collect())
    }
    fn number(&self, key: &str) -> Option<u64> {
        self.0.get(key).map(|v| v.parse().unwrap_or_else(|_| panic!("{key} = {v}")))
    }
    /// `actions = "20 marker half-time; 40 next; 60 go 3.5"`, in the order of their frames.
    fn actions(&self) -> Vec<(u64, OverlayAction)> {
        let list = self.0.get("actions").map_or("", String::as_str);
        let read = |a: &str| {
            let mut words = a.trim().splitn(3, ' ');
            let (frame, what, of) = (words.next()?, words.next()?, words.next().unwrap_or_default());
            let action = match what {
                "next" => OverlayAction::Next,
                "step" => OverlayAction::Step { id: of.into(), at_once: true },
                "go" => OverlayAction::GoTo(Span::parse(of).and_then(|s| match s {
                    Span::Time(t) => Some(t),
                    Span::Frames(_) => None,
                })?),
                "marker" => OverlayAction::Event(OverlayEvent::marker(of)),
                "preset" => OverlayAction::Event(OverlayEvent::preset(of)),
                other => panic!("{other}"),
            };
            Some((frame.parse().unwrap(), action))
        };
        list.split(';').filter_map(read).collect()
    }
    fn tokens(&self, prefix: &str) -> BTreeMap<String, String> {
        self.0.iter().filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone()))).collect()
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn run(name: &str) {
    let dir = folder(name);
    let case = Case::read(&dir.join("case.toml"));
    let fps = FrameRate::parse(case.0.get("fps").map_or("30", String::as_str)).unwrap();
    let (width, height) = (case.number("width").unwrap() as u32, case.number("height").unwrap() as u32);
    let mut overlay = match case.0.get("message") {
        Some(text) => OclOverlay::message(text),
        None => {
            let scene = case.0.get("scene").map(String::as_str);
            let tokens = case.tokens("token.");
            let wall = Some(WallTime::from_unix_nanos(case.number("wall").unwrap_or(0) as i64 * 1_000_000_000));
            let opening = Opening { scene, tokens: Some(&tokens), wall, cache: None };
            OclOverlay::open_file(name, &dir.join("overlay.ocl.json"), &opening).unwrap_or_else(|e| panic!("{e}"))
        }
    };
    overlay.prepare(Canvas { width, height, fps }).unwrap();
    let wall = WallTime::from_unix_nanos(case.number("wall").unwrap_or(0) as i64 * 1_000_000_000);
    let tick = |frame| Tick { frame, wall };
    overlay.apply(tick(0), &OverlayAction::Show).unwrap();
    let at = case.number("frame").unwrap();
    for (frame, action) in case.actions() {
        overlay.apply(tick(frame), &action).unwrap();
    }
    let live = case.tokens("live.");
    if !live.is_empty() {
        // draw once before, so that the change has to replace what was drawn
        let changed = case.number("live_at").unwrap_or(at);
        (0..changed).for_each(|f| overlay.compose(tick(f), &mut background(width, height)).unwrap());
        overlay.apply(tick(changed), &OverlayAction::SetTokens(live)).unwrap();
        (changed..at).for_each(|f| overlay.compose(tick(f), &mut background(width, height)).unwrap());
    }
    if let Some(hide) = case.number("hide") {
        overlay.apply(tick(hide), &OverlayAction::Hide).unwrap();
    }
    let mut buf = background(width, height);
    overlay.compose(tick(at), &mut buf).unwrap();
    let got = rgb(&buf);

    let expected = dir.join("expected.png");
    if std::env::var_os("OCL_BLESS").is_some() {
        // what has not changed is not written, so that a list of changed files is a list of changed pictures
        if image::open(&expected).ok().map(image::DynamicImage::into_rgb8).as_ref() != Some(&got) {
            got.save(&expected).unwrap();
        }
        return;
    }
    let want = image::open(&expected).unwrap().into_rgb8();
    assert_eq!(got.dimensions(), want.dimensions(), "{name}");
    let (worst, diff) = difference(&got, &want);
    let tolerance = case.number("tolerance").expect("a tolerance") as u8;
    assert!(case.0.contains_key("reason"), "{name}: a tolerance needs a reason");
    if worst > tolerance {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (a, b) = (out.join(format!("{name}.got.png")), out.join(format!("{name}.diff.png")));
        got.save(&a).unwrap();
        diff.save(&b).unwrap();
        panic!("{name}: differs by {worst}, allowed {tolerance}; see {} and {}", a.display(), b.display());
    }
}

#[test]
fn every_folder() {
    let only = std::env::var("OCL_GOLDEN").unwrap_or_default();
    let mut names: Vec<String> =
        std::fs::read_dir(folder("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.retain(|n| n.contains(&only));
    assert!(!names.is_empty());
    let failed: Vec<&String> = names.iter().filter(|n| std::panic::catch_unwind(|| run(n)).is_err()).collect();
    assert!(failed.is_empty(), "{} of {} folders failed: {failed:?}", failed.len(), names.len());
}
