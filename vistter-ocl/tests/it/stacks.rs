//! Layers that stand on one another, and stand still, are blended as one: nobody sees it.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::json;
use vistter_core::clock::WallTime;
use vistter_core::media::FrameBuf;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_ocl::OclOverlay;

use crate::picture::background;

/// Lengths are three quarters of those of the document.
const CANVAS: Canvas = Canvas { width: 240, height: 136, fps: FrameRate::FPS_30 };

/// A panel with texts and shapes on it. With an opacity that has keyframes, layers count as changing, and are blended one by
/// one.
fn document(panel: &str, ink: &str, at: (i32, i32), apart: bool) -> String {
    let still = r#", "automation": { "opacity": [ { "at": 0, "value": 1 }, { "at": 1, "value": 1 } ] }"#;
    let more = if apart { still } else { "" };
    let (x, y) = at;
    format!(
        r##"{{ "ocl": "1.1", "strict": true, "canvas": {{ "width": 320, "height": 180 }}, "tokens": {{ "name": {{ "default": "Harbour" }}, "role": {{ "default": "North" }} }},
        "scenes": [ {{ "id": "main", "in": {{ "type": "fade", "duration": 0.2 }}, "layers": [
            {{ "id": "panel", "type": "rect", "width": 230, "height": 110, "radius": 14, "color": "#20386A{panel}", "position": {{ "x": {x}, "y": {y} }} {more} }},
            {{ "id": "name", "type": "text", "text": "{{{{name}}}}", "size": 30, "color": "#F0D030{ink}", "position": {{ "x": {}, "y": {} }} {more} }},
            {{ "id": "dot", "type": "ellipse", "width": 21, "height": 21, "color": "#E02040{ink}", "position": {{ "x": {}, "y": {} }} {more} }},
            {{ "id": "beyond", "type": "text", "text": "out of the box", "size": 24, "color": "#FFFFFF{ink}", "position": {{ "x": {}, "y": {} }} {more} }},
            {{ "id": "card", "type": "group", "width": 140, "height": 60, "position": {{ "x": 150, "y": 105 }}, "layers": [
                {{ "id": "back", "type": "rect", "width": 140, "height": 60, "color": "#108040{panel}" {more} }},
                {{ "id": "role", "type": "text", "text": "{{{{role}}}} {{{{clock|%S}}}}", "size": 20, "color": "#FFFFFF{ink}", "position": {{ "x": 9, "y": 11 }} {more} }} ] }} ] }} ] }}"##,
        x + 17,
        y + 9,
        x + 150,
        y + 60,
        x + 120,
        y + 70,
    )
}

fn overlay(text: &str) -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", text, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    o
}

fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::default().plus(CANVAS.fps.time_of(frame)) }
}

fn draw(o: &mut OclOverlay, frame: u64) -> FrameBuf {
    let mut buf = background(CANVAS.width, CANVAS.height);
    o.compose(tick(frame), &mut buf).unwrap();
    buf
}

/// The greatest difference of a sample, and how many differ.
fn apart(a: &FrameBuf, b: &FrameBuf) -> (u8, usize) {
    let rows =
        |f: &FrameBuf, i: usize| (0..f.plane(i).height).flat_map(|y| f.plane(i).row(y).to_vec()).collect::<Vec<_>>();
    let differences: Vec<u8> = (0..3)
        .flat_map(|i| rows(a, i).into_iter().zip(rows(b, i)).map(|(a, b)| a.abs_diff(b)).collect::<Vec<_>>())
        .collect();
    (differences.iter().copied().max().unwrap_or(0), differences.iter().filter(|d| **d > 0).count())
}

fn tokens(name: &str, value: &str) -> OverlayAction {
    OverlayAction::SetTokens(BTreeMap::from([(name.to_owned(), value.to_owned())]))
}

fn set(layer: &str, properties: &serde_json::Value, over: i64) -> OverlayAction {
    OverlayAction::Set {
        layer: (!layer.is_empty()).then(|| layer.to_owned()),
        properties: properties.as_object().unwrap().clone().into_iter().collect(),
        over: MediaTime::from_millis(over),
        easing: None,
    }
}

/// What happens, and at which frame: text, movement, hiding, a scene that goes and comes.
fn story() -> Vec<(u64, OverlayAction)> {
    vec![
        (8, tokens("name", "Ferry to the island")),
        (12, set("dot", &json!({ "position": [60, 40] }), 200)),
        (22, set("name", &json!({ "opacity": 0 }), 100)),
        (26, tokens("role", "West")),
        (28, set("card", &json!({ "position": [151, 104] }), 0)),
        (30, set("name", &json!({ "opacity": 1 }), 0)),
        (34, set("", &json!({ "position": [3, 1] }), 100)),
        (40, set("panel", &json!({ "size": [200, 100] }), 100)),
        (46, OverlayAction::Hide),
        (52, OverlayAction::Show),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Up to what is rounded: a level, or two where three of them lie over one another.
    #[test]
    fn one_by_one_gives_the_same(panel in any::<u8>(), ink in any::<u8>(), at in (-9..40i32, -9..30i32)) {
        let of = |apart| overlay(&document(&format!("{panel:02X}"), &format!("{ink:02X}"), at, apart));
        let (mut together, mut single) = (of(false), of(true));
        let mut story = story().into_iter().peekable();
        for frame in 0..64 {
            while let Some((_, action)) = story.next_if(|(at, _)| *at == frame) {
                together.apply(tick(frame), &action).unwrap();
                single.apply(tick(frame), &action).unwrap();
            }
            let (most, _) = apart(&draw(&mut together, frame), &draw(&mut single, frame));
            prop_assert!(most <= 2, "frame {frame}: {most} levels");
        }
    }
    /// A frame that is sought is that which was played to, bit for bit.
    #[test]
    fn seek_equals_play(panel in any::<u8>(), frame in 0..64u64) {
        let of = || overlay(&document(&format!("{panel:02X}"), "C0", (5, 4), false));
        let (mut played, mut sought) = (of(), of());
        let mut told = story().into_iter().peekable();
        for f in 0..=frame {
            while let Some((_, action)) = told.next_if(|(at, _)| *at == f) {
                played.apply(tick(f), &action).unwrap();
                sought.apply(tick(f), &action).unwrap();
            }
            draw(&mut played, f);
        }
        let (a, b) = (draw(&mut played, frame), draw(&mut sought, frame));
        prop_assert_eq!(apart(&a, &b), (0, 0));
    }
}

#[test]
fn opaque_texts_on_opaque_panels_are_exact() {
    let (mut together, mut single) =
        (overlay(&document("FF", "FF", (12, 11), false)), overlay(&document("FF", "FF", (12, 11), true)));
    for frame in [0, 3, 10, 40] {
        assert_eq!(apart(&draw(&mut together, frame), &draw(&mut single, frame)).0, 0, "frame {frame}");
    }
}
