//! Assets that cannot be shown, at once or from some moment on, and what is shown in their place.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use vistter_core::clock::WallTime;
use vistter_core::diagnose::Diagnostic;
use vistter_core::media::FrameBuf;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, OverlayEvent, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::{AssetCache, AssetSource, Assets, Digest, Document, OclOverlay, Opening, STORE};

use crate::picture::background;

const CANVAS: Canvas = Canvas { width: 320, height: 180, fps: FrameRate::FPS_30 };
/// 2026-11-21 20:00 UTC.
const START: i64 = 1_795_291_200;

fn mark() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image-scaled/mark.png")).unwrap()
}

fn files() -> HashMap<String, Vec<u8>> {
    HashMap::from([("mark.png".to_owned(), mark())])
}

fn wall(secs: i64) -> WallTime {
    WallTime::from_unix_nanos(secs * 1_000_000_000)
}

/// A frame, and the wall-clock of a show that began at `START`.
fn tick(frame: u64) -> Tick {
    Tick { frame, wall: wall(START).plus(FrameRate::FPS_30.time_of(frame)) }
}

fn document(assets: &str, more: &str, layers: &str) -> String {
    format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 320, "height": 180 }}, "assets": {{ {assets} }}, {more}
            "scenes": [ {{ "id": "main", "layers": [ {layers} ] }} ] }}"##
    )
}

fn open(text: &str, at: Option<i64>) -> OclOverlay {
    let opening = Opening { wall: at.map(wall), ..Opening::default() };
    let mut o = OclOverlay::open("t", text, &files(), &opening).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o
}

fn draw(o: &mut OclOverlay, at: Tick) -> FrameBuf {
    let mut buf = background(320, 180);
    o.compose(at, &mut buf).unwrap();
    buf
}

/// The luma in the middle of a 60 pixels wide column.
fn luma(buf: &FrameBuf, column: usize) -> u8 {
    buf.plane(0).row(30)[column * 60 + 30]
}

fn codes(list: &[Diagnostic]) -> Vec<(&str, &str)> {
    list.iter().map(|d| (d.code, d.pointer.as_str())).collect()
}

const TWO: &str = r##"{ "id": "a", "type": "image", "asset": "first", "width": 60, "height": 60 },
    { "id": "b", "type": "rect", "width": 60, "height": 60, "color": "#FFFFFF", "position": { "x": 60 } }"##;

/// What is told to a layer that is left out changes nothing, wherever it stands; the rest of a commit is done.
#[test]
fn a_change_of_a_layer_that_is_left_out_is_no_reason_to_refuse_the_others() {
    let gone = r##"{ "id": "gone", "type": "image", "asset": "no", "width": 60, "height": 60 }"##;
    let there = r##"{ "id": "b", "type": "rect", "width": 60, "height": 60, "color": "#FFFFFF" }"##;
    let row = format!(
        r##"{{ "id": "row", "type": "group", "layout": {{ "type": "row", "gap": 60 }}, "layers": [ {gone}, {there} ] }},
            {{ "id": "masked", "type": "group", "width": 60, "height": 60, "masks": [ {{ "shape": "image", "asset": "no" }} ],
               "layers": [ {{ "id": "inner", "type": "rect", "width": 60, "height": 60, "color": "#FFFFFF" }} ] }}"##
    );
    let set = |layer: &str, property: &str, value: serde_json::Value| OverlayAction::Set {
        layer: Some(layer.to_owned()),
        properties: BTreeMap::from([(property.to_owned(), value)]),
        over: Default::default(),
        easing: None,
    };
    for layers in [row, format!("{gone}, {there}")] {
        let mut o = open(&document(r##""no": { "path": "none.png" }"##, "", &layers), Some(START));
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        let before = draw(&mut o, tick(0));
        assert!(luma(&before, 0) > 200, "what is left out has no room in a row");
        let mut list = vec![set("gone", "color", "#FF0000".into()), set("gone", "opacity", 1.into())];
        list.push(set("gone", "text", "words".into()));
        list.push(set("b", "opacity", 0.into()));
        if layers.contains("masked") {
            list.push(set("inner", "opacity", 1.into()));
        }
        o.apply(tick(1), &OverlayAction::Batch(list)).unwrap();
        assert!(draw(&mut o, tick(1)).plane(0).data == background(320, 180).plane(0).data, "{layers}");
        let e = o.apply(tick(2), &set("gone", "opaque", 1.into())).unwrap_err().to_string();
        assert!(e.contains("OCL-UNKNOWN-FIELD"), "{e}");
    }
}

#[test]
fn rights_that_end_on_air_end_on_their_very_frame_and_are_told_once() {
    let assets = r##""first": { "path": "mark.png", "fallback": { "color": "#000000" },
        "rights": [ { "tag": "web", "until": "2026-11-21T20:00:02Z" } ] }"##;
    let mut o = open(&document(assets, "", TWO), Some(START));
    assert!(o.warnings().is_empty() && o.findings().is_empty());
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let with = draw(&mut o, tick(0));
    // static until then and no longer, and not looked at more often than that
    assert_eq!(o.is_static_until(tick(0)), Some(60));
    assert_eq!(o.is_static_until(tick(59)), Some(60));
    assert!(o.attend(tick(59)).is_empty());
    assert_eq!(luma(&draw(&mut o, tick(59)), 0), luma(&with, 0));
    let after = draw(&mut o, tick(60));
    assert_eq!((luma(&after, 0), luma(&after, 1)), (16, luma(&with, 1)), "a black box, and the rest stays");
    let told = o.attend(tick(60));
    assert_eq!(codes(&told), [("OCL-RIGHTS", "/assets/first/rights")]);
    assert!(told[0].message.contains("2026-11-21T20:00:02Z"), "{}", told[0].message);
    assert!(o.attend(tick(61)).is_empty());
    assert_eq!(o.is_static_until(tick(61)), None);
    // a clock that is set back brings nothing back
    assert_eq!(luma(&draw(&mut o, Tick { frame: 62, wall: wall(START - 3600) }), 0), 16);
}

#[test]
fn rights_that_ended_before_are_told_when_the_document_is_opened() {
    let assets = r#""first": { "path": "mark.png", "rights": [ { "tag": "web", "until": "2026-11-21T19:00:00Z" } ] }"#;
    let text = document(assets, "", TWO);
    let mut o = open(&text, Some(START));
    assert_eq!(codes(o.warnings()), [("OCL-RIGHTS", "/assets/first/rights")]);
    assert!(o.warnings()[0].place.is_some());
    assert_eq!(
        codes(&o.attend(tick(0))),
        [("OCL-RIGHTS", "/assets/first/rights"), ("OCL-FALLBACK", "/scenes/0/layers/0/asset")]
    );
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let empty = background(320, 180).plane(0).row(30)[30];
    assert_eq!(luma(&draw(&mut o, tick(0)), 0), empty);
}

/// Several moments, one after the other: each is made ready off the thread that composes, and until it is nothing shows.
#[test]
fn every_moment_comes_and_nothing_shows_that_may_not() {
    let assets = r##""first": { "path": "mark.png", "fallback": { "asset": "second" }, "rights": [ { "tag": "a", "until": "2026-11-21T20:00:01Z" } ] },
        "second": { "path": "mark.png", "fallback": { "asset": "third" }, "rights": [ { "tag": "b", "until": "2026-11-21T20:00:02Z" } ] },
        "third": { "path": "none.png", "fallback": { "color": "#000000" }, "rights": [ { "tag": "c", "until": "2026-11-21T20:00:03Z" } ] },
        "unused": { "path": "mark.png", "rights": [ { "tag": "d", "until": "2026-11-21T20:00:01Z" } ] }"##;
    let mut o = open(&document(assets, "", TWO), Some(START));
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let mut told = Vec::new();
    let mut frame = 0;
    while told.len() < 3 {
        told.extend(o.attend(tick(frame)));
        let buf = draw(&mut o, tick(frame));
        let shown = luma(&buf, 0);
        if (60..90).contains(&frame) {
            // from the second moment on neither picture
            assert!(shown == 16 || shown == background(320, 180).plane(0).row(30)[30], "{frame}: {shown}");
        }
        frame += 1;
        if frame > 90 {
            // the clock stands: what is made on another thread may take as long as it likes
            frame = 90;
            std::thread::yield_now();
        }
    }
    let pointers: Vec<&str> = told.iter().map(|d| d.pointer.as_str()).collect();
    assert!(!pointers.iter().any(|p| p.contains("unused")), "{pointers:?}");
    assert!(pointers.contains(&"/assets/first/rights") && pointers.contains(&"/assets/second/rights"), "{pointers:?}");
}

/// The time was not known when the overlay was opened.
#[test]
fn what_has_ended_is_never_shown_even_when_the_time_comes_late() {
    let assets = r##""first": { "path": "mark.png", "fallback": { "color": "#000000" }, "rights": [ { "tag": "a", "until": "2026-11-21T19:00:00Z" } ] }"##;
    let mut o = open(&document(assets, "", TWO), None);
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let empty = background(320, 180).plane(0).row(30)[30];
    loop {
        match luma(&draw(&mut o, tick(0)), 0) {
            16 => break,
            shown => assert_eq!(shown, empty),
        }
        std::thread::yield_now();
    }
    assert_eq!(codes(&o.attend(tick(0))), [("OCL-RIGHTS", "/assets/first/rights")]);
}

/// A ticker runs on, texts keep what they were given, and cues have heard what they heard.
#[test]
fn the_scene_goes_on_where_it_was() {
    let assets = r##""first": { "path": "mark.png", "fallback": "hide", "rights": [ { "tag": "a", "until": "2026-11-21T20:00:02Z" } ] }"##;
    let body = |assets: &str| {
        format!(
            r##"{{ "ocl": "1.1", "canvas": {{ "width": 320, "height": 180 }}, "assets": {{ {assets} }}, "tokens": {{ "t": {{ "default": "One" }} }},
            "sync": {{ "go": {{ "await": "awaitMarker('go')", "timeout": 60, "then": "skip" }} }},
            "scenes": [ {{ "id": "main", "layers": [
                {{ "id": "a", "type": "image", "asset": "first", "width": 60, "position": {{ "anchor": "top-right" }} }},
                {{ "id": "n", "type": "ticker", "text": "{{{{t}}}} and the other news", "size": 20, "width": 200, "speed": 60, "gap": 30 }} ],
              "tracks": [ {{ "id": "k", "cues": [ {{ "id": "c", "start": 0, "sync": "go",
                "content": {{ "type": "rect", "width": 50, "height": 50, "color": "#FFFFFF", "position": {{ "anchor": "bottom" }} }} }} ] }} ] }} ] }}"##
        )
    };
    let mut ending = open(&body(assets), Some(START));
    let mut lasting = open(&body(&assets.replace("20:00:02", "23:00:02")), Some(START));
    for o in [&mut ending, &mut lasting] {
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        (0..20).for_each(|f| drop(draw(o, tick(f))));
        o.apply(tick(20), &OverlayAction::SetTokens(BTreeMap::from([("t".into(), "Two".into())]))).unwrap();
        o.apply(tick(20), &OverlayAction::Event(OverlayEvent::marker("go"))).unwrap();
        (20..90).for_each(|f| drop(draw(o, tick(f))));
    }
    let (a, b) = (draw(&mut ending, tick(90)), draw(&mut lasting, tick(90)));
    // all but the picture, which is at the right
    for y in 0..180 {
        assert!(a.plane(0).row(y)[..250] == b.plane(0).row(y)[..250], "row {y}");
    }
    assert!((0..60).any(|y| a.plane(0).row(y)[260..] != b.plane(0).row(y)[260..]), "the picture is gone");
    assert!(a.plane(0).row(170)[160] > 200, "the cue that heard its marker is on");
}

#[test]
fn a_scene_gives_way_on_air_and_its_steps_are_the_other_ones() {
    let text = r##"{ "ocl": "1.1", "canvas": { "width": 320, "height": 180 },
        "assets": { "first": { "path": "mark.png", "rights": [ { "tag": "a", "until": "2026-11-21T20:00:02Z" } ] } },
        "scenes": [
            { "id": "main", "fallback": { "scene": "safe" }, "layers": [ { "id": "a", "type": "image", "asset": "first" } ] },
            { "id": "safe", "steps": [ { "id": "one", "at": 1 } ], "layers": [ { "id": "w", "type": "rect", "width": 320, "height": 180, "color": "#FFFFFF" } ] } ] }"##;
    let mut o = open(text, Some(START));
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    assert!(o.apply(tick(1), &OverlayAction::Next).is_err(), "no steps yet");
    drop(draw(&mut o, tick(59)));
    assert_eq!(o.scene(), "main");
    let after = draw(&mut o, tick(60));
    assert_eq!((o.scene(), after.plane(0).row(100)[200]), ("safe", 235));
    assert_eq!(o.step(), Some("one"));
    let told = o.attend(tick(60));
    assert_eq!(codes(&told), [("OCL-RIGHTS", "/assets/first/rights"), ("OCL-FALLBACK", "/scenes/0")]);
}

#[test]
fn a_scene_beyond_the_limits_gives_way_too() {
    let text = r##"{ "ocl": "1.1", "canvas": { "width": 320, "height": 180 }, "fallbacks": { "scene": { "scene": "safe" } },
        "scenes": [
            { "id": "main", "layers": [ { "id": "a", "type": "rect", "width": 8000, "height": 8000, "color": "#000000" } ] },
            { "id": "safe", "layers": [ { "id": "w", "type": "rect", "width": 320, "height": 180, "color": "#FFFFFF" } ] } ] }"##;
    let mut o = open(text, None);
    assert_eq!((o.scene(), codes(o.findings())), ("safe", vec![("OCL-FALLBACK", "/scenes")]));
    let strict = text.replace("\"canvas\"", "\"strict\": true, \"canvas\"");
    let refused = OclOverlay::open("t", &strict, &files(), &Opening::default()).unwrap_err();
    assert_eq!(refused.diagnostics()[0].code, "OCL-LIMIT");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    assert_eq!(draw(&mut o, tick(0)).plane(0).row(90)[90], 235);
}

#[test]
fn a_strict_document_refuses_what_nothing_stands_in_for() {
    let strict = |asset: &str, more: &str| {
        let text = document(asset, &format!("\"strict\": true, {more}"), TWO);
        OclOverlay::open("t", &text, &files(), &Opening::default()).map(|o| o.warnings().len()).map_err(|f| {
            let codes: Vec<&str> = f.diagnostics().iter().map(|d| d.code).collect();
            codes.join(" ")
        })
    };
    assert_eq!(strict(r#""first": { "path": "gone.png" }"#, ""), Err("OCL-ASSET-MISSING OCL-FALLBACK".into()));
    assert_eq!(strict(r#""first": { "path": "gone.png", "fallback": "hide" }"#, ""), Ok(1));
    assert_eq!(strict(r#""first": { "path": "gone.png" }"#, r#""fallbacks": { "picture": "placeholder" },"#), Ok(1));
    assert_eq!(strict(r#""first": { "path": "mark.png" }, "unused": { "path": "gone.png" }"#, ""), Ok(1));
}

/// Counts what is read.
struct Counting(Mutex<Vec<String>>);

impl AssetSource for Counting {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.lock().unwrap().push(path.to_owned());
        files().read(path)
    }
}

#[test]
fn the_same_content_is_decoded_once_for_all_documents() {
    let cache = AssetCache::default();
    let text = document(r#""first": { "path": "mark.png" }, "again": { "path": "./mark.png" }"#, "", TWO);
    let copies: HashMap<String, Vec<u8>> = HashMap::from([("mark.png".into(), mark()), ("./mark.png".into(), mark())]);
    let (d, _) = Document::parse(&text).unwrap();
    let first = Assets::load_with(&d, &copies, &cache);
    assert_eq!((cache.len(), cache.found(), cache.bytes()), (1, 1, 120 * 120 * 4));
    let other = Assets::load_with(&d, &copies, &cache.clone());
    assert_eq!((cache.len(), cache.found()), (1, 3));
    assert!(first.findings().chain(other.findings()).next().is_none());
    drop((first, other));
    assert_eq!(cache.len(), 1, "kept for the next one");
    let small = AssetCache::new(10);
    let held = Assets::load_with(&d, &copies, &small);
    assert_eq!(small.len(), 1, "in use");
    drop(held);
    drop(Assets::load_with(&Document::parse(&text.replace("mark.png", "logo.png")).unwrap().0, &copies, &small));
    assert_eq!(small.found(), 1, "another document finds nothing, and nothing is there to be found");
}

#[test]
fn the_content_of_a_url_is_read_from_the_store_by_its_checksum() {
    let digest = Digest::of(&mark());
    let text = document(
        &format!(r#""first": {{ "url": "HTTPS://x.example/a.png?sig=secret", "sha256": "{digest}" }}"#),
        "",
        TWO,
    );
    let (d, _) = Document::parse(&text).unwrap();
    let source = Counting(Mutex::default());
    let lost = Assets::load(&d, &source);
    let said: Vec<String> = lost.findings().map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].contains("OCL-ASSET-FETCH") && !said[0].contains("secret"), "{said:?}");
    assert_eq!(*source.0.lock().unwrap(), [format!("{STORE}/{digest}")], "nothing else is tried");
    let store: HashMap<String, Vec<u8>> = HashMap::from([(format!("{STORE}/{digest}"), mark())]);
    assert!(Assets::load(&d, &store).findings().next().is_none());
    let forged: HashMap<String, Vec<u8>> = HashMap::from([(format!("{STORE}/{digest}"), b"GIF89a".to_vec())]);
    let said: Vec<String> = Assets::load(&d, &forged).findings().map(ToString::to_string).collect();
    assert!(said[0].contains("OCL-ASSET-CHECKSUM") && !said[0].contains("secret"), "{said:?}");
}

/// A file that is not read before it is let go.
struct Slow(Arc<(Mutex<bool>, Condvar)>);

impl AssetSource for Slow {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let (open, bell) = &*self.0;
        drop(bell.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
        files().read(path)
    }
}

/// Loading belongs to whoever opens a document: another overlay, of the same cache, plays on meanwhile.
#[test]
fn a_slow_file_holds_up_nobody_who_plays() {
    let cache = AssetCache::default();
    let text = document(r#""first": { "path": "mark.png" }"#, "", TWO);
    let opening = Opening { cache: Some(&cache), ..Opening::default() };
    let mut playing = OclOverlay::open("playing", &text, &files(), &opening).unwrap();
    playing.prepare(CANVAS).unwrap();
    playing.apply(tick(0), &OverlayAction::Show).unwrap();
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let (slow, shared, body) = (Slow(gate.clone()), cache.clone(), text.clone());
    let loading = std::thread::spawn(move || {
        let opening = Opening { cache: Some(&shared), ..Opening::default() };
        OclOverlay::open("slow", &body, &slow, &opening).map(|o| o.warnings().len())
    });
    for frame in 0..300 {
        assert!(playing.attend(tick(frame)).is_empty());
        drop(draw(&mut playing, tick(frame)));
    }
    drop(OclOverlay::open("quick", &text, &files(), &opening).unwrap());
    assert!(!loading.is_finished(), "it waits for its file");
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    assert_eq!(loading.join().unwrap(), Ok(0));
    assert_eq!(cache.len(), 1);
}
