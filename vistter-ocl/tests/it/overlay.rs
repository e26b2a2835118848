//! `OclOverlay` as the program uses it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use vistter_core::ErrorKind;
use vistter_core::clock::WallTime;
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

use crate::picture::background;

pub(crate) const CANVAS: Canvas = Canvas { width: 320, height: 180, fps: FrameRate::FPS_30 };

const DOCUMENT: &str = r##"{
  "ocl": "1.0",
  "canvas": { "width": 640, "height": 360 },
  "tokens": { "name": { "default": "Ada", "maxLength": 12 }, "news": { "default": "one two three" },
              "start": { "type": "date", "default": "2023-11-14T22:14:30" }, "goals": { "type": "integer", "default": 7 } },
  "scenes": [
    { "id": "still", "layers": [ { "id": "r", "type": "rect", "width": 90, "height": 50, "color": "#FF0000", "position": { "x": 31, "y": 17 } } ] },
    { "id": "busy",
      "in": { "type": "fade", "duration": 0.5, "easing": "easeOutSine" }, "out": { "type": "wipe", "side": "right", "duration": 0.2 },
      "layers": [
        { "id": "panel", "type": "rect", "width": 300, "height": 80, "radius": 10, "color": "#101828D0", "position": { "anchor": "bottom-left", "x": 20, "y": -60 },
          "automation": { "position": [ { "at": 0.5, "value": [-200, -60], "easing": "easeOut" }, { "at": 1, "value": [20, -60] },
                                        { "at": 3, "value": [20, -60], "easing": "hold" }, { "at": 4, "value": [21, -60] } ] } },
        { "id": "name", "type": "text", "text": "{{name}} {{clock|%S}}", "size": 40, "position": { "anchor": "bottom-left", "x": 33, "y": -61 } },
        { "id": "left", "type": "text", "text": "{{start|countdown|pad:5:0}}", "size": 30, "width": 120, "outline": { "width": 2, "color": "#000000" }, "position": { "anchor": "top" } },
        { "id": "bar", "type": "progress", "value": "{{goals}}", "maximum": 9, "width": 200, "height": 10, "color": "#FFFFFF", "track": "#00000080", "position": { "anchor": "top-right" },
          "automation": { "opacity": { "repeat": "pingPong", "times": 3, "keyframes": [ { "at": 1, "value": 1, "easing": { "steps": 3 } }, { "at": "1s800ms", "value": 0.2 } ] } } },
        { "id": "run", "type": "ticker", "text": "{{news}}", "size": 30, "width": 501, "speed": 90, "position": { "anchor": "bottom" } }
      ] }
  ]
}"##;

fn overlay(scene: &str) -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", DOCUMENT, &none, Some(scene), &BTreeMap::new()).unwrap();
    o.prepare(CANVAS).unwrap();
    o
}

/// Frame `frame` of a show that starts at a time which is no whole second.
pub(crate) fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::from_unix_nanos(1_700_000_000_300_000_000).plus(FrameRate::FPS_30.time_of(frame)) }
}

pub(crate) fn draw(o: &mut OclOverlay, frame: u64) -> Vec<u8> {
    let mut buf = background(CANVAS.width, CANVAS.height);
    o.compose(tick(frame), &mut buf).unwrap();
    pixels(&buf)
}

pub(crate) fn pixels(buf: &FrameBuf) -> Vec<u8> {
    (0..3).flat_map(|i| buf.plane(i).data.to_vec()).collect()
}

fn set(name: &str, value: &str) -> OverlayAction {
    OverlayAction::SetTokens(BTreeMap::from([(name.to_owned(), value.to_owned())]))
}

#[test]
fn nothing_shows_until_it_is_shown_nor_after_it_is_hidden() {
    let mut o = overlay("busy");
    let empty = pixels(&background(CANVAS.width, CANVAS.height));
    assert_eq!(draw(&mut o, 0), empty);
    assert_eq!(o.is_static_until(tick(0)), None);
    o.apply(tick(10), &OverlayAction::Show).unwrap();
    assert_ne!(draw(&mut o, 10), empty, "the first frame of a fade already shows something");
    o.apply(tick(60), &OverlayAction::Hide).unwrap();
    assert_ne!(draw(&mut o, 65), empty);
    assert_eq!(draw(&mut o, 66), empty, "a way out of 0.2 s is over after six frames");
    assert_eq!(o.is_static_until(tick(66)), None);
}

#[test]
fn a_cut_is_there_at_once_and_then_static() {
    let mut o = overlay("still");
    o.apply(tick(5), &OverlayAction::Show).unwrap();
    let first = draw(&mut o, 5);
    assert_ne!(first, pixels(&background(CANVAS.width, CANVAS.height)));
    assert_eq!(o.is_static_until(tick(5)), None);
    assert_eq!(draw(&mut o, 5000), first);
    o.apply(tick(6000), &OverlayAction::Hide).unwrap();
    assert_eq!(draw(&mut o, 6000), pixels(&background(CANVAS.width, CANVAS.height)));
}

/// A frame that is jumped to is the one that is played; every `step`th of the first `frames` is jumped to.
pub(crate) fn assert_seek_is_play(mut played: OclOverlay, mut sought: OclOverlay, frames: u64, step: u64) {
    for o in [&mut played, &mut sought] {
        o.apply(tick(0), &OverlayAction::Show).unwrap();
    }
    for f in 0..frames {
        let p = draw(&mut played, f);
        if f % step == 7 {
            assert_eq!(draw(&mut sought, f), p, "frame {f}");
        }
    }
    let there = draw(&mut played, 40);
    assert_eq!(there, draw(&mut sought, 40), "and back");
}

/// What an overlay says will stay the same for a while does, over 200 frames.
pub(crate) fn assert_static_is_kept(mut o: OclOverlay, name: &str) {
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let mut f = 0;
    while f < 200 {
        let now = draw(&mut o, f);
        let until = o.is_static_until(tick(f)).unwrap_or(f + 40);
        assert!(until > f);
        for g in f..until {
            assert_eq!(draw(&mut o, g), now, "{name}: {f} said static until {until}, but {g} differs");
        }
        f = until;
    }
}

#[test]
fn seek_equals_play() {
    assert_seek_is_play(overlay("busy"), overlay("busy"), 200, 33);
}

#[test]
fn is_static_until_is_kept() {
    for scene in ["busy", "still"] {
        assert_static_is_kept(overlay(scene), scene);
    }
}

#[test]
fn a_token_changes_the_next_frame_and_a_bad_one_changes_nothing() {
    let mut o = overlay("busy");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let before = draw(&mut o, 50);
    o.apply(tick(50), &set("name", "Grace")).unwrap();
    let after = draw(&mut o, 50);
    assert_ne!(before, after);
    o.apply(tick(50), &set("goals", "9")).unwrap();
    let full = draw(&mut o, 50);
    assert_ne!(full, after, "the bar");
    assert!(o.apply(tick(50), &set("goals", "nine")).is_err());
    assert_eq!(draw(&mut o, 50), full);
    o.apply(tick(50), &set("goals", "")).unwrap();
    assert_eq!(draw(&mut o, 50), after, "an empty number is the default");

    let mut both = BTreeMap::from([("name".to_owned(), "Linus".to_owned())]);
    both.insert("nmae".to_owned(), "x".to_owned());
    let e = o.apply(tick(50), &OverlayAction::SetTokens(both)).unwrap_err();
    assert_eq!((e.kind(), e.next_step()), (ErrorKind::Config, Some("did you mean \"name\"?")));
    assert!(o.apply(tick(50), &set("name", "thirteen char")).is_err());
    assert_eq!(draw(&mut o, 50), after, "all or none");
    o.apply(tick(50), &set("name", "Ada")).unwrap();
    assert_eq!(draw(&mut o, 50), before);
}

#[test]
fn the_ticker_moves_by_the_same_step_every_frame() {
    // 90 base pixels a second on half the base size at 30 frames a second: 1.5 pixels, made 2 each frame
    let mut o = overlay("busy");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let rows = |f: u64, o: &mut OclOverlay| {
        let mut buf = FramePool::new(CANVAS.width, CANVAS.height, 1).unwrap().take();
        buf.fill([16, 128, 128]);
        o.compose(tick(f), &mut buf).unwrap();
        let p = buf.plane(0);
        (162..178).map(|y| p.row(y)[60..250].to_vec()).collect::<Vec<_>>()
    };
    let mut last = rows(100, &mut o);
    for f in 101..130 {
        let now = rows(f, &mut o);
        for (a, b) in last.iter().zip(&now) {
            assert_eq!(a[2..], b[..b.len() - 2], "frame {f}");
        }
        last = now;
    }
}

#[test]
fn faults_of_use_are_errors() {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let tokens = BTreeMap::from([("nam".to_owned(), "x".to_owned())]);
    let e = OclOverlay::from_str("t", DOCUMENT, &none, Some("busi"), &tokens).unwrap_err();
    let text = e.to_string();
    assert!(text.contains("did you mean \"busy\"?") && text.contains("did you mean \"name\"?"), "{text}");
    let e = vistter_core::Error::from(e);
    assert!(e.to_string().contains("and 1 more"), "{e}");
    assert!(!e.is_transient());

    let e = OclOverlay::from_file("t", "does/not/exist.ocl.json".as_ref(), None, &BTreeMap::new()).unwrap_err();
    assert_eq!(e.diagnostics()[0].code, "OCL-FILE");

    let mut o = OclOverlay::from_str("t", DOCUMENT, &none, None, &BTreeMap::new()).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let mut buf = background(64, 64);
    assert_eq!(o.compose(tick(0), &mut buf).unwrap_err().kind(), ErrorKind::Internal, "not prepared");
    o.prepare(CANVAS).unwrap();
    assert_eq!(o.compose(tick(0), &mut buf).unwrap_err().kind(), ErrorKind::Internal, "another size");
}

#[test]
fn a_later_minor_version_plays_without_its_news() {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let text = r##"{ "ocl": "1.7", "canvas": { "width": 64, "height": 64 }, "strict": false, "scenes": [ { "id": "m", "layers": [
        { "id": "a", "type": "hologram", "depth": 3 },
        { "id": "b", "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF", "glow": 2 } ] } ] }"##;
    let o = OclOverlay::from_str("t", text, &none, None, &BTreeMap::new()).unwrap();
    let codes: Vec<_> = o.warnings().iter().map(|w| w.code).collect();
    assert_eq!(codes, ["OCL-VERSION", "OCL-UNKNOWN-LAYER", "OCL-UNKNOWN-FIELD"]);
    assert_eq!(o.document().scenes[0].layers.len(), 1);
    // slips in a document of this version too; unless it says that nothing may be left out
    assert!(OclOverlay::from_str("t", &text.replace("1.7", "1.0"), &none, None, &BTreeMap::new()).is_ok());
    for version in ["1.0", "1.7"] {
        let strict = text.replace("1.7", version).replace("\"strict\": false", "\"strict\": true");
        assert!(OclOverlay::from_str("t", &strict, &none, None, &BTreeMap::new()).is_err());
    }
}

#[test]
fn a_message_shows_itself() {
    let mut o = OclOverlay::message("{{not a token}} and more than can ever stand in one line of a box on a slate");
    o.prepare(CANVAS).unwrap();
    let empty = pixels(&background(CANVAS.width, CANVAS.height));
    assert_ne!(draw(&mut o, 0), empty);
    assert_eq!(o.is_static_until(tick(0)), None);
    o.apply(tick(1), &OverlayAction::Hide).unwrap();
    assert_eq!(draw(&mut o, 1), empty);
}

struct Counting;

thread_local! { static COUNT: Cell<Option<u64>> = const { Cell::new(None) }; }

// SAFETY: every call goes to the system's allocator unchanged; the counter is a plain thread-local cell.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, l: Layout) -> *mut u8 {
        COUNT.with(|c| c.set(c.get().map(|n| n + 1)));
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(l) }
    }
    unsafe fn dealloc(&self, p: *mut u8, l: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(p, l) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread asks for memory while it does something.
pub(crate) fn count_allocations(f: impl FnOnce()) -> u64 {
    COUNT.with(|c| c.set(Some(0)));
    f();
    COUNT.with(|c| c.replace(None)).unwrap_or(u64::MAX)
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut o = overlay("busy");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let mut buf = background(CANVAS.width, CANVAS.height);
    // the ticker and the panel meet each parity of their positions; wall-clock stands still, so no text changes
    let still = |frame| Tick { frame, wall: WallTime::from_unix_nanos(0) };
    (0..200).for_each(|f| o.compose(still(f), &mut buf).unwrap());
    let n = count_allocations(|| {
        (200..600).for_each(|f| o.compose(still(f), &mut buf).unwrap());
        o.is_static_until(still(600));
    });
    assert_eq!(n, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any text in any token: drawn or left out, never a panic, and nothing outside the layer's rows.
    #[test]
    fn any_token_value_draws(s in "\\PC{0,12}", news in any::<String>()) {
        let mut o = overlay("busy");
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        if o.apply(tick(0), &set("name", &s)).is_ok() && o.apply(tick(0), &set("news", &news)).is_ok() {
            draw(&mut o, 33);
        }
    }
}
