//! Tracks, cues, what they wait for, steps and actions, as the program plays them.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use vistter_core::clock::WallTime;
use vistter_core::media::FrameBuf;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, OverlayEvent, Tick};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_ocl::{Assets, Document, OclOverlay, compile};

use crate::picture::background;

const CANVAS: Canvas = Canvas { width: 160, height: 90, fps: FrameRate::FPS_30 };

/// Boxes of different colours, so that each moment has its own picture.
const DOCUMENT: &str = r##"{
  "ocl": "1.1", "strict": true,
  "timeline": { "baseResolution": { "width": 160, "height": 90 } },
  "tokens": { "home": { "type": "integer", "default": 0 } },
  "sync": { "framed": { "await": "awaitPreset('Front')", "timeout": 2, "then": "skip" } },
  "styles": { "small": { "width": 20, "height": 20 } },
  "scenes": [ { "id": "main", "steps": [ { "id": "one", "at": 3 }, { "id": "two", "at": 5 } ],
    "in": { "type": "fade", "duration": "4f" },
    "layers": [ { "id": "score", "type": "progress", "value": "{{home}}", "maximum": 9, "width": 100, "height": 6, "color": "#FFFFFF" } ],
    "tracks": [
      { "id": "a", "type": "lower-third", "cues": [
        { "id": "a1", "start": 0, "duration": 1, "content": { "type": "rect", "style": "small", "color": "#FF0000", "position": { "x": 0, "y": 20 } },
          "transition": { "in": { "type": "fade", "duration": "5f" }, "out": { "type": "slide", "side": "left", "duration": "5f" } } },
        { "id": "a2", "start": 1, "duration": 1, "sync": "framed", "content": { "type": "rect", "style": "small", "color": "#00FF00", "position": { "x": 30, "y": 20 } },
          "automation": { "position": [ { "at": 0, "value": [30, 20] }, { "at": 1, "value": [60, 20] } ] } },
        { "id": "a3", "start": 2, "duration": 2, "content": { "type": "rect", "style": "small", "color": "#0000FF", "position": { "x": 60, "y": 20 } } } ] },
      { "id": "b", "cues": [
        { "id": "b1", "start": "10f", "sync": "awaitMarker(\"go\")", "content": { "type": "rect", "style": "small", "color": "#FFFF00", "position": { "x": 100, "y": 50 } } },
        { "id": "b2", "start": 4, "duration": 3, "content": { "type": "rect", "style": "small", "color": "#00FFFF", "position": { "x": 110, "y": 60 } },
          "automation": { "opacity": { "repeat": "loop", "keyframes": [ { "at": 0, "value": 0 }, { "at": 1, "value": 1 } ] } } } ] }
    ] },
  { "id": "alone", "layers": [], "tracks": [ { "id": "t", "type": "lower-third", "cues": [
      { "id": "open", "start": 0, "content": { "type": "rect", "style": "small", "color": "#FF0000" } },
      { "id": "next", "start": 1, "sync": "awaitMarker('go')", "content": { "type": "rect", "style": "small", "color": "#00FF00" } } ] } ] } ]
}"##;

fn overlay(scene: &str) -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o =
        OclOverlay::from_str("test", DOCUMENT, &none, Some(scene), &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o
}

fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::from_unix_nanos(0) }
}

fn draw(o: &mut OclOverlay, frame: u64) -> Vec<u8> {
    let mut buf: FrameBuf = background(CANVAS.width, CANVAS.height);
    o.compose(tick(frame), &mut buf).unwrap();
    (0..3).flat_map(|i| buf.plane(i).data.to_vec()).collect()
}

fn marker() -> OverlayAction {
    OverlayAction::Event(OverlayEvent::marker("go"))
}

#[test]
fn a_scene_stands_at_its_steps_and_goes_off_after_the_last() {
    let mut o = overlay("main");
    assert!(o.apply(tick(0), &OverlayAction::Next).is_err(), "it is not on");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    assert_eq!((o.step(), o.stands(89), o.stands(90)), (Some("one"), false, true));
    let stood = draw(&mut o, 90);
    assert_eq!(draw(&mut o, 400), stood);
    assert_eq!(o.is_static_until(tick(400)), None);
    o.apply(tick(400), &OverlayAction::Next).unwrap();
    assert_eq!(o.step(), Some("two"));
    o.apply(tick(500), &OverlayAction::Step { id: "one".into(), at_once: true }).unwrap();
    assert_eq!(draw(&mut o, 500), stood);
    o.apply(tick(500), &OverlayAction::Next).unwrap();
    o.apply(tick(600), &OverlayAction::Next).unwrap();
    assert_eq!(draw(&mut o, 600), draw(&mut overlay("main"), 0), "off after the last step");
}

#[test]
fn what_a_cue_waits_for_counts_on_its_frame() {
    let mut o = overlay("alone");
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let (red, _) = (draw(&mut o, 29), ());
    assert_eq!(draw(&mut o, 300), red, "a cue without an end stays until the next one comes");
    assert_eq!(o.is_static_until(tick(300)), None);
    o.apply(tick(310), &marker()).unwrap();
    let green = draw(&mut o, 310);
    assert_ne!(green, red);
    assert_eq!(draw(&mut o, 9000), green);
    // shown anew, it waits anew
    o.apply(tick(9001), &OverlayAction::Hide).unwrap();
    o.apply(tick(9002), &OverlayAction::Show).unwrap();
    assert_eq!(draw(&mut o, 9100), red);
}

#[test]
fn a_batch_happens_as_a_whole_or_not_at_all() {
    let mut o = overlay("main");
    let set = |v: &str| OverlayAction::SetTokens(BTreeMap::from([("home".to_owned(), v.to_owned())]));
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let before = draw(&mut o, 90);
    let bad = OverlayAction::Batch(vec![set("9"), OverlayAction::Next, set("nine")]);
    assert!(o.check(tick(90), &bad).is_err());
    assert!(o.apply(tick(90), &bad).is_err());
    assert_eq!(draw(&mut o, 90), before);
    assert_eq!(draw(&mut o, 120), before, "it still stands");
    o.apply(tick(120), &OverlayAction::Batch(vec![set("9"), OverlayAction::Next])).unwrap();
    assert_ne!(draw(&mut o, 120), before);
    let mut fresh = overlay("main");
    fresh.apply(tick(7), &OverlayAction::Batch(vec![OverlayAction::Show, OverlayAction::Next])).unwrap();
    assert_eq!(fresh.step(), Some("two"), "what it can do follows from what it has just done");
    let e = fresh.apply(tick(7), &OverlayAction::Step { id: "onw".into(), at_once: false }).unwrap_err();
    assert_eq!(e.next_step(), Some("did you mean \"one\"?"));
    let deep = (0..20).fold(OverlayAction::Hide, |a, _| OverlayAction::Batch(vec![a]));
    assert!(fresh.apply(tick(7), &deep).is_err());
}

#[test]
fn what_is_known_before_it_is_prepared_counts() {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("t", DOCUMENT, &none, Some("main"), &BTreeMap::new()).unwrap();
    o.apply(tick(0), &OverlayAction::Event(OverlayEvent::preset("Front"))).unwrap();
    o.prepare(CANVAS).unwrap();
    let mut late = overlay("main");
    for o in [&mut o, &mut late] {
        o.apply(tick(0), &OverlayAction::Show).unwrap();
    }
    assert_ne!(draw(&mut o, 31), draw(&mut late, 31));
}

#[test]
fn a_thousand_cues_are_found_by_an_index() {
    let cue = |i: usize| {
        format!(
            r##"{{ "id": "c{i}", "start": "{}f", "duration": "20f", "content": {{ "type": "rect", "width": 9, "height": 9, "color": "#FFFFFF" }} }}"##,
            i * 10
        )
    };
    let cues: Vec<String> = (0..1000).map(cue).collect();
    let text = format!(
        r#"{{ "ocl": "1.1", "canvas": {{ "width": 64, "height": 64 }}, "scenes": [ {{ "id": "m", "tracks": [ {{ "id": "t", "cues": [ {} ] }} ] }} ] }}"#,
        cues.join(",\n")
    );
    let (d, warnings) = Document::parse(&text).unwrap();
    assert!(warnings.is_empty());
    let program = compile(&d, None, &Assets::default(), CANVAS).unwrap();
    let mut out = Vec::new();
    program.state_at(5005, &mut out);
    assert_eq!(out.iter().map(|s| s.layer).collect::<Vec<_>>(), [499, 500]);
    assert_eq!((program.next_change(5005), program.next_change(10_020)), (Some(5010), None));
    // more than may be together is refused, in bounded time
    let together = text.replace("\"duration\": \"20f\", ", "");
    let (d, _) = Document::parse(&together).unwrap();
    let faults = compile(&d, None, &Assets::default(), CANVAS).unwrap_err();
    assert_eq!(faults[0].code, "OCL-LIMIT");
}

/// Something done to an overlay at a frame.
fn actions() -> impl Strategy<Value = Vec<(u64, OverlayAction)>> {
    let one = prop_oneof![
        Just(OverlayAction::Show),
        Just(OverlayAction::Next),
        Just(marker()),
        Just(OverlayAction::Event(OverlayEvent::preset("Front"))),
        Just(OverlayAction::Event(OverlayEvent::preset_left("Front"))),
        Just(OverlayAction::Event(OverlayEvent::milestone("nobody waits for this"))),
        (0i64..8000).prop_map(|ms| OverlayAction::GoTo(MediaTime::from_millis(ms))),
        any::<bool>().prop_map(|at_once| OverlayAction::Step { id: "two".into(), at_once }),
        Just(OverlayAction::Hide),
    ];
    proptest::collection::vec((0u64..240, one), 0..7).prop_map(|mut list| {
        list.insert(0, (0, OverlayAction::Show));
        list.sort_by_key(|(f, _)| *f);
        list
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// The picture of a frame follows from what was done up to it, and not from which frames were drawn before; and until
    /// the frame that is promised nothing changes.
    #[test]
    fn seek_equals_play(actions in actions(), probe in 0u64..240) {
        let (mut played, mut sought) = (overlay("main"), overlay("main"));
        let mut still: Option<(u64, Option<u64>, Vec<u8>)> = None;
        for f in 0..=probe {
            let now: Vec<_> = actions.iter().filter(|(at, _)| *at == f).collect();
            for (_, a) in &now {
                let done = played.apply(tick(f), a).is_ok();
                prop_assert_eq!(sought.apply(tick(f), a).is_ok(), done);
                still = None;
            }
            let picture = draw(&mut played, f);
            if let Some((since, until, before)) = &still
                && until.is_none_or(|u| f < u)
            {
                prop_assert!(*before == picture, "static from {since} until {until:?}, but {f} differs");
            } else {
                still = Some((f, played.is_static_until(tick(f)), picture));
            }
        }
        prop_assert!(draw(&mut sought, probe) == draw(&mut played, probe));
    }
}
