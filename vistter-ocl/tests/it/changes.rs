//! Properties of layers that are changed while a scene plays.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use vistter_core::clock::WallTime;
use vistter_core::media::FrameBuf;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_ocl::OclOverlay;

use crate::picture::background;

/// Half the base resolution: lengths are halved.
const CANVAS: Canvas = Canvas { width: 160, height: 90, fps: FrameRate::FPS_30 };

const DOCUMENT: &str = r##"{
  "ocl": "1.1", "strict": true, "canvas": { "width": 320, "height": 180 },
  "scenes": [ { "id": "main", "layers": [
      { "id": "dot", "type": "rect", "width": 20, "height": 20, "color": "#FFFFFF", "position": { "x": 0, "y": 0 } },
      { "id": "runner", "type": "rect", "width": 20, "height": 20, "color": "#00FF00", "position": { "x": 0, "y": 60 },
        "automation": { "position": [ { "at": 0, "value": [0, 60] }, { "at": 4, "value": [240, 60] } ] } },
      { "id": "box", "type": "group", "width": 60, "height": 60, "position": { "x": 240, "y": 100 }, "layers": [
        { "id": "inner", "type": "rect", "width": 20, "height": 20, "color": "#FF0000", "position": { "x": 0, "y": 0 } } ] } ],
    "tracks": [ { "id": "t", "cues": [ { "id": "late", "start": 2, "content":
        { "type": "rect", "width": 20, "height": 20, "color": "#0000FF", "position": { "x": 0, "y": 140 } } } ] } ] } ]
}"##;

fn overlay() -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", DOCUMENT, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    o
}

fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::from_unix_nanos(0) }
}

fn set(layer: &str, properties: &Value, seconds: i64, easing: Option<&str>) -> OverlayAction {
    OverlayAction::Set {
        layer: (!layer.is_empty()).then(|| layer.to_owned()),
        properties: properties.as_object().unwrap().clone().into_iter().collect(),
        over: MediaTime::from_nanos(seconds * 1_000_000_000),
        easing: easing.map(|e| json!(e)),
    }
}

fn draw(o: &mut OclOverlay, frame: u64) -> FrameBuf {
    let mut buf = background(CANVAS.width, CANVAS.height);
    o.compose(tick(frame), &mut buf).unwrap();
    buf
}

/// Where a row of luma differs from an empty picture: its first and one past its last place.
fn extent(o: &mut OclOverlay, frame: u64, row: u32) -> Option<(usize, usize)> {
    let (got, empty) = (draw(o, frame), background(CANVAS.width, CANVAS.height));
    let (got, empty) = (got.plane(0), empty.plane(0));
    let differ: Vec<usize> = (0..160).filter(|x| got.row(row as usize)[*x] != empty.row(row as usize)[*x]).collect();
    Some((*differ.first()?, differ.last()? + 1))
}

#[test]
fn a_layer_goes_evenly_to_where_it_is_sent_and_stays() {
    let mut o = overlay();
    o.apply(tick(30), &set("dot", &json!({ "position": [120, 0] }), 1, None)).unwrap();
    // 30 frames for 60 pixels; the frame of the change has the first step
    assert_eq!(extent(&mut o, 30, 2), Some((2, 12)));
    assert_eq!(extent(&mut o, 44, 2), Some((30, 40)));
    assert_eq!(extent(&mut o, 59, 2), Some((60, 70)));
    assert_eq!(extent(&mut o, 5000, 2), Some((60, 70)));
}

#[test]
fn a_change_on_the_way_begins_at_the_present_value() {
    let mut o = overlay();
    o.apply(tick(0), &set("dot", &json!({ "position": [120, 0] }), 1, None)).unwrap();
    assert_eq!(extent(&mut o, 14, 2), Some((30, 40)));
    o.apply(tick(15), &set("dot", &json!({ "position": [0, 0] }), 1, None)).unwrap();
    let way: Vec<usize> = (15..45).map(|f| extent(&mut o, f, 2).unwrap().0).collect();
    assert!(way[0] <= 32 && way[0] >= 28, "no jump: {way:?}");
    assert!(way.windows(2).all(|w| w[1] <= w[0]) && way[29] == 0, "{way:?}");
    // other properties of the same layer go their own way
    o.apply(tick(50), &set("dot", &json!({ "size": [40, 20] }), 0, None)).unwrap();
    o.apply(tick(60), &set("dot", &json!({ "position": [40, 0] }), 0, None)).unwrap();
    assert_eq!(extent(&mut o, 60, 2), Some((20, 40)));
}

#[test]
fn what_moves_by_itself_is_taken_over_and_given_back() {
    let mut o = overlay();
    // at frame 60 it is half-way, at 60 pixels
    o.apply(tick(60), &set("runner", &json!({ "position": [120, 60] }), 0, None)).unwrap();
    assert_eq!(extent(&mut o, 90, 32), Some((60, 70)), "it stands though its keyframes go on");
    o.apply(tick(90), &set("runner", &json!({ "position": null }), 1, None)).unwrap();
    let way: Vec<usize> = (90..130).map(|f| extent(&mut o, f, 32).unwrap().0).collect();
    assert!(way[0] >= 60 && way[0] <= 64 && way.windows(2).all(|w| w[1] >= w[0]), "no jump: {way:?}");
    assert_eq!(way[39], 120, "and it is where the document has it: {way:?}");
    let none = o.is_static_until(tick(1000));
    assert_eq!(none, None, "nothing moves any more");
}

#[test]
fn layers_in_groups_cues_and_the_whole_scene() {
    let mut o = overlay();
    let list = vec![
        set("inner", &json!({ "position": [40, 0], "opacity": 1 }), 0, None),
        set("late", &json!({ "position": [40, 140] }), 1, None),
    ];
    o.apply(tick(0), &OverlayAction::Batch(list)).unwrap();
    assert_eq!(extent(&mut o, 0, 52), Some((140, 150)));
    assert_eq!(extent(&mut o, 59, 72), None);
    assert_eq!(extent(&mut o, 60, 72), Some((20, 30)), "a cue that was not on is there at once");
    o.apply(tick(70), &set("", &json!({ "position": [20, 0], "opacity": 0 }), 0, None)).unwrap();
    assert_eq!(extent(&mut o, 70, 52), None);
    o.apply(tick(80), &set("", &json!({ "opacity": null }), 0, None)).unwrap();
    assert_eq!(extent(&mut o, 80, 52), Some((150, 160)));
}

#[test]
fn a_scene_that_is_shown_anew_has_its_changes() {
    let mut o = overlay();
    o.apply(tick(0), &set("dot", &json!({ "position": [120, 0], "color": "#FF0000" }), 10, None)).unwrap();
    o.apply(tick(10), &OverlayAction::Hide).unwrap();
    o.apply(tick(20), &OverlayAction::Show).unwrap();
    assert_eq!(extent(&mut o, 20, 2), Some((60, 70)));
}

#[test]
fn seeking_gives_what_playing_gives_and_a_picture_said_to_stand_stands() {
    let actions = [
        (10, set("dot", &json!({ "position": [200, 100], "rotation": 90, "scale": 2 }), 1, Some("easeOutBounce"))),
        (25, set("dot", &json!({ "position": [0, 20], "color": "#0000FF80" }), 2, Some("easeInOutSine"))),
        (40, set("inner", &json!({ "size": [30, 10], "radius": 4, "crop": [0, 2, 0, 0] }), 1, None)),
        (70, set("dot", &json!({ "position": null, "rotation": null, "scale": null, "color": null }), 1, None)),
    ];
    let mut played = overlay();
    let mut next = 0;
    let mut still: Option<(u64, Vec<u8>)> = None;
    for frame in 0..160 {
        while let Some((at, action)) = actions.get(next).filter(|(at, _)| *at == frame) {
            played.apply(tick(*at), action).unwrap();
            (next, still) = (next + 1, None);
        }
        let got = draw(&mut played, frame).plane(0).data.to_vec();
        let mut sought = overlay();
        for (at, action) in actions.iter().filter(|(at, _)| *at <= frame) {
            sought.apply(tick(*at), action).unwrap();
        }
        assert!(draw(&mut sought, frame).plane(0).data == got.as_slice(), "frame {frame}");
        if let Some((until, before)) = &still
            && frame < *until
        {
            assert!(*before == got, "frame {frame} was said to be as before");
            continue;
        }
        still = Some((played.is_static_until(tick(frame)).unwrap_or(u64::MAX), got));
    }
}

#[test]
fn what_cannot_be_changed_is_said_and_nothing_is() {
    let mut o = overlay();
    let bad = [
        (set("dott", &json!({ "opacity": 0 }), 0, None), "dot"),
        (set("dot", &json!({ "opacity": 2 }), 0, None), "OCL-RANGE"),
        (set("box", &json!({ "color": "#FFFFFF" }), 0, None), "OCL-CONFLICT"),
        (set("dot", &json!({ "colour": "#FFFFFF" }), 0, None), "OCL-UNKNOWN-FIELD"),
        (set("", &json!({ "scale": 2 }), 0, None), "OCL-CONFLICT"),
        (set("dot", &json!({ "opacity": 0 }), -1, None), "hour"),
        (set("dot", &json!({ "opacity": 0 }), 1, Some("slowly")), "easing"),
    ];
    for (action, what) in bad {
        let first = set("dot", &json!({ "position": [100, 0] }), 0, None);
        let e = o.apply(tick(0), &OverlayAction::Batch(vec![first, action])).unwrap_err().to_string();
        assert!(e.contains(what), "{e}");
        assert_eq!(extent(&mut o, 0, 2), Some((0, 10)));
    }
    o.apply(tick(10), &OverlayAction::Hide).unwrap();
    assert!(o.apply(tick(20), &set("dot", &json!({ "opacity": 0 }), 0, None)).is_err());
}

const WORDS: &str = r##"{
  "ocl": "1.1", "strict": true, "canvas": { "width": 320, "height": 180 }, "locale": "de",
  "tokens": { "guest": { "default": "Ada" } },
  "scenes": [ { "id": "main", "steps": [ { "id": "wait", "at": 3 } ], "layers": [
      { "id": "line", "type": "text", "text": "own", "size": 30, "position": { "x": 4, "y": 4 },
        "automation": { "text": { "repeat": "loop", "keyframes": [
          { "at": 0, "value": "one" }, { "at": 1, "value": "{{guest}}" }, { "at": 2, "value": "three" }, { "at": "70f", "value": "one" } ] } } },
      { "id": "faded", "type": "text", "text": "own", "size": 30, "position": { "x": 4, "y": 94 }, "change": { "duration": 0.5 },
        "automation": { "text": [ { "at": 0, "value": "first" }, { "at": 1, "value": "second" } ] } },
      { "id": "sum", "type": "text", "text": "{{value|number}}", "value": 0, "size": 30, "position": { "x": 4, "y": 44 } },
      { "id": "bar", "type": "progress", "value": "20", "width": 200, "height": 20, "color": "#FFFFFF", "position": { "x": 100, "y": 140 } } ] } ]
}"##;

fn words() -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", WORDS, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    o
}

/// Some rows of a picture, as a document with other words draws them.
fn rows(o: &mut OclOverlay, frame: u64, from: usize, to: usize) -> Vec<u8> {
    let buf = draw(o, frame);
    let luma = buf.plane(0);
    (from..to).flat_map(|y| luma.row(y)[..160].to_vec()).collect()
}

/// What a text that never changes looks like there.
fn still(id: &str, text: &str, y: u32) -> Vec<u8> {
    let layer = json!({ "id": id, "type": "text", "text": text, "size": 30, "position": { "x": 4, "y": y } });
    let document = json!({ "ocl": "1.1", "locale": "de", "canvas": { "width": 320, "height": 180 },
        "scenes": [ { "id": "main", "layers": [layer] } ] });
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("still", &document.to_string(), &none, None, &BTreeMap::new()).unwrap();
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    rows(&mut o, 0, y as usize / 2, y as usize / 2 + 20)
}

#[test]
fn texts_follow_each_other_and_one_that_was_set_lies_over_them() {
    let mut o = words();
    let at = |o: &mut OclOverlay, frame| rows(o, frame, 2, 22);
    for (frame, text) in [(0, "one"), (29, "one"), (30, "Ada"), (59, "Ada"), (60, "three"), (70, "one"), (100, "Ada")] {
        assert!(at(&mut o, frame) == still("a", text, 4), "{text} at {frame}");
    }
    let tokens = BTreeMap::from([("guest".to_owned(), "Bob".to_owned())]);
    o.apply(tick(101), &OverlayAction::SetTokens(tokens)).unwrap();
    assert!(at(&mut o, 101) == still("a", "Bob", 4));
    o.apply(tick(102), &set("line", &json!({ "text": "now {{guest|upper}}" }), 5, Some("easeOutBack"))).unwrap();
    assert!(at(&mut o, 102) == still("a", "now BOB", 4), "at once, whatever the others take");
    assert!(at(&mut o, 140) == still("a", "now BOB", 4), "it stays");
    o.apply(tick(141), &OverlayAction::SetTokens([("guest".to_owned(), "Eve".to_owned())].into())).unwrap();
    assert!(at(&mut o, 141) == still("a", "now EVE", 4), "and follows its tokens");
    // it stands at its step, where a repetition without an end goes on
    o.apply(tick(142), &set("line", &json!({ "text": null }), 0, None)).unwrap();
    assert!(at(&mut o, 142) == still("a", "one", 4));
    // a clock in it moves the picture on
    o.apply(tick(142), &set("line", &json!({ "text": "{{clock}}" }), 0, None)).unwrap();
    assert!(o.is_static_until(tick(143)).is_some_and(|f| f <= 173));
}

#[test]
fn numbers_count_from_what_is_shown() {
    let mut o = words();
    let at = |o: &mut OclOverlay, frame| rows(o, frame, 22, 42);
    assert!(at(&mut o, 0) == still("a", "0", 44));
    o.apply(tick(10), &set("sum", &json!({ "value": 3000 }), 1, None)).unwrap();
    assert!(at(&mut o, 10) == still("a", "100", 44), "the frame of the action has the first step");
    assert!(at(&mut o, 24) == still("a", "1.500", 44), "as the document's language writes it");
    o.apply(tick(25), &set("sum", &json!({ "value": 0 }), 1, None)).unwrap();
    assert!(at(&mut o, 25) == still("a", "1.547", 44) || at(&mut o, 25) == still("a", "1.546", 44));
    assert!(at(&mut o, 54) == still("a", "0", 44));
    o.apply(tick(60), &set("sum", &json!({ "value": null }), 0, None)).unwrap();
    assert!(at(&mut o, 60) == still("a", "0", 44));
    // a bar counts from what its text says
    assert_eq!(extent(&mut o, 60, 75), Some((50, 70)));
    o.apply(tick(70), &set("bar", &json!({ "value": 80 }), 1, None)).unwrap();
    assert_eq!(extent(&mut o, 84, 75), Some((50, 100)));
    assert_eq!(extent(&mut o, 200, 75), Some((50, 130)));
    assert!(o.is_static_until(tick(200)).is_some(), "the loop of the other text goes on");
}

#[test]
fn texts_and_numbers_are_the_same_however_their_frame_is_reached() {
    let actions = [
        (12, set("sum", &json!({ "value": 3000 }), 1, Some("easeOutCubic"))),
        (25, set("bar", &json!({ "value": 90, "size": [180, 10] }), 1, None)),
        (40, set("line", &json!({ "text": "set {{guest}}" }), 1, None)),
        (66, set("line", &json!({ "text": null }), 0, None)),
        (70, set("sum", &json!({ "value": null }), 1, None)),
    ];
    let mut played = words();
    let mut said: Option<(u64, Vec<u8>)> = None;
    for frame in 0..150 {
        for (_, action) in actions.iter().filter(|(at, _)| *at == frame) {
            played.apply(tick(frame), action).unwrap();
            said = None;
        }
        let got = draw(&mut played, frame).plane(0).data.to_vec();
        let mut sought = words();
        for (at, action) in actions.iter().filter(|(at, _)| *at <= frame) {
            sought.apply(tick(*at), action).unwrap();
        }
        assert!(draw(&mut sought, frame).plane(0).data == got.as_slice(), "frame {frame}");
        match &said {
            Some((until, before)) if frame < *until => assert!(*before == got, "frame {frame} was said to stand"),
            _ => said = Some((played.is_static_until(tick(frame)).unwrap_or(u64::MAX), got)),
        }
    }
    let stands = |f: u64| played.is_static_until(tick(f)).unwrap();
    assert!((150..220).map(stands).any(|f| f >= 152), "a loop of texts stands between them");
}

#[test]
fn a_text_that_cannot_be_set_is_refused_with_its_place() {
    let mut o = words();
    let bad = [
        (set("line", &json!({ "text": "{{gest}}" }), 0, None), "OCL-UNKNOWN-TOKEN"),
        (set("line", &json!({ "text": "{{value}}" }), 0, None), "OCL-UNKNOWN-TOKEN"),
        (set("line", &json!({ "text": "{{guest|uper}}" }), 0, None), "OCL-UNKNOWN-FILTER"),
        (set("line", &json!({ "text": 3 }), 0, None), "OCL-TYPE"),
        (set("line", &json!({ "value": 3 }), 0, None), "OCL-CONFLICT"),
        (set("bar", &json!({ "text": "x" }), 0, None), "OCL-CONFLICT"),
        (set("", &json!({ "text": "x" }), 0, None), "OCL-CONFLICT"),
    ];
    for (action, code) in bad {
        let e = o.apply(tick(0), &action).unwrap_err().to_string();
        assert!(e.contains(code), "{e}");
    }
    o.apply(tick(0), &set("sum", &json!({ "text": "{{value}} of {{guest}}", "value": 7 }), 0, None)).unwrap();
    assert!(rows(&mut o, 0, 22, 42) == still("a", "7 of Ada", 44));
}
