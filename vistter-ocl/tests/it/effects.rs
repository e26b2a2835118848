//! Groups, scale, rotation, crops, masks, blend modes, transitions: what holds whatever they look like.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use vistter_core::clock::WallTime;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

use crate::overlay::{CANVAS, assert_seek_is_play, assert_static_is_kept, count_allocations, draw, tick};
use crate::picture::background;

const BUSY: &str = r##"{
  "ocl": "1.0",
  "canvas": { "width": 640, "height": 360 },
  "tokens": { "name": { "default": "Ada" } },
  "scenes": [
    { "id": "main",
      "in": { "type": "fade", "duration": 0.3 },
      "layers": [
        { "id": "card", "type": "group", "width": 300, "height": 160, "position": { "anchor": "center" }, "masks": [ { "shape": "rect", "radius": 30, "feather": 8 } ],
          "automation": { "opacity": [ { "at": 0, "value": 0 }, { "at": 1, "value": 1 } ], "rotation": [ { "at": 1, "value": 0 }, { "at": 3, "value": 33, "easing": "hold" }, { "at": 4, "value": 0 } ] },
          "layers": [
            { "id": "back", "type": "rect", "width": 300, "height": 160, "color": "#0B1220E0",
              "automation": { "color": [ { "at": 2, "value": "#0B1220E0" }, { "at": 3, "value": "#FF5A5F" } ] } },
            { "id": "name", "type": "text", "text": "{{name}} {{clock|%S}}", "size": 40, "position": { "anchor": "center" } },
            { "id": "shine", "type": "ellipse", "width": 90, "height": 90, "color": "#FFFFFF60", "blend": "overlay",
              "automation": { "position": [ { "at": 0, "value": [-90, 10] }, { "at": 2, "value": [300, 10] } ] } }
          ] },
        { "id": "loose", "type": "group", "width": 100, "height": 40, "position": { "x": 11, "y": 7 }, "layers": [
            { "id": "run", "type": "ticker", "text": "one two three", "size": 20, "width": 101, "speed": 90, "position": { "anchor": "bottom" } } ] },
        { "id": "turned", "type": "ticker", "text": "four five six", "size": 24, "width": 200, "speed": 60, "rotation": 90, "position": { "anchor": "right" } },
        { "id": "logo", "type": "rect", "width": 60, "height": 60, "radius": 9, "color": "#FFD23F", "pivot": "center", "position": { "anchor": "bottom-right", "x": -30, "y": -30 },
          "automation": { "scale": { "repeat": "pingPong", "times": 4, "keyframes": [ { "at": 0, "value": 1, "easing": ["easeInOut", "linear"] }, { "at": 1, "value": [1.5, 0.2] } ] },
                          "size": [ { "at": 1, "value": [60, 60] }, { "at": 2, "value": [80, 30] } ], "radius": [ { "at": 1, "value": 9 }, { "at": 2, "value": 15 } ] } },
        { "id": "shade", "type": "rect", "width": 640, "height": 60, "color": "#404040", "blend": "multiply", "position": { "anchor": "bottom" },
          "automation": { "crop": [ { "at": 0, "value": [0, 0, 640, 0] }, { "at": 2, "value": [0, 0, 0, 0] } ] } }
      ] }
  ]
}"##;

fn overlay(text: &str) -> OclOverlay {
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", text, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    o.prepare(CANVAS).unwrap();
    o
}

#[test]
fn seek_equals_play() {
    assert_seek_is_play(overlay(BUSY), overlay(BUSY), 120, 19);
}

#[test]
fn is_static_until_is_kept() {
    // without the tickers, which move at every frame
    let still = BUSY.replace("\"speed\": 90", "\"speed\": 1").replace("\"speed\": 60", "\"speed\": 1");
    assert_static_is_kept(overlay(&still), "effects");
}

/// Two threads that render the same scene, each other frame, and one that renders all: the same pictures.
#[test]
fn the_same_on_any_number_of_threads() {
    let all = |first: u64, step: usize| {
        let mut o = overlay(BUSY);
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        (first..40).step_by(step).map(|f| (f, draw(&mut o, f))).collect::<BTreeMap<_, _>>()
    };
    let one = all(0, 1);
    let mut many = BTreeMap::new();
    std::thread::scope(|s| {
        let threads: Vec<_> = (0..4).map(|i| s.spawn(move || all(i, 4))).collect();
        threads.into_iter().for_each(|t| many.extend(t.join().unwrap()));
    });
    assert!(one == many);
}

#[test]
fn what_moves_allocates_nothing_once_it_has_all_been_seen() {
    let mut o = overlay(BUSY);
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let mut buf = background(CANVAS.width, CANVAS.height);
    let still = |frame| Tick { frame, wall: WallTime::from_unix_nanos(0) };
    (0..200).for_each(|f| o.compose(still(f), &mut buf).unwrap());
    let n = count_allocations(|| (60..260).for_each(|f| o.compose(still(f), &mut buf).unwrap()));
    assert_eq!(n, 0);
}

/// A change that is asked for while another runs makes no jump, and ends where it should.
#[test]
fn a_live_change_goes_over_and_ends() {
    let text = r##"{ "ocl": "1.0", "canvas": { "width": 320, "height": 180 }, "tokens": { "n": { "type": "number", "default": 0 }, "t": { "default": "one" } }, "scenes": [ { "id": "m", "layers": [
        { "id": "b", "type": "progress", "value": "{{n}}", "width": 200, "height": 20, "color": "#FFFFFF", "change": { "duration": "9f" } },
        { "id": "t", "type": "text", "text": "{{t}}", "size": 40, "change": { "duration": "9f" }, "position": { "anchor": "bottom" } } ] } ] }"##;
    let set = |n: &str, t: &str| {
        OverlayAction::SetTokens(BTreeMap::from([("n".to_owned(), n.to_owned()), ("t".to_owned(), t.to_owned())]))
    };
    let mut o = overlay(text);
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let bar = |p: &[u8]| p[10 * CANVAS.width as usize..][..200].iter().filter(|y| **y > 200).count();
    assert_eq!(bar(&draw(&mut o, 0)), 0);
    o.apply(tick(1), &set("100", "two")).unwrap();
    let mut last = 0;
    let mut shown = Vec::new();
    for f in 1..30 {
        if f == 5 {
            o.apply(tick(f), &set("50", "three")).unwrap();
        }
        let p = draw(&mut o, f);
        let now = bar(&p);
        assert!(now.abs_diff(last) <= 21, "frame {f}: from {last} to {now}");
        let until = o.is_static_until(tick(f));
        assert_eq!(until, (f < 14).then_some(f + 1), "frame {f}");
        last = now;
        shown.push(p);
    }
    assert_eq!((last, shown[13] == shown[28]), (100, true));
    // a picture that stays is not composed again: a change after frames that were left out goes over all the same
    o.apply(tick(90), &set("0", "four")).unwrap();
    assert!(bar(&draw(&mut o, 90)) > 60);
    // set while it is off, it is there at once when it is on again
    o.apply(tick(120), &OverlayAction::Hide).unwrap();
    o.apply(tick(121), &set("50", "three")).unwrap();
    o.apply(tick(130), &OverlayAction::Show).unwrap();
    assert!(draw(&mut o, 130) == shown[28]);
    let mut fresh = overlay(text);
    fresh.apply(tick(0), &set("50", "three")).unwrap();
    fresh.apply(tick(0), &OverlayAction::Show).unwrap();
    assert!(draw(&mut fresh, 0) == shown[28], "set before it is seen, it is there at once");
}

/// A group of one layer that nothing is done to is that layer, bit for bit; and one that is composited first nearly so.
#[test]
fn a_group_of_one_is_its_layer() {
    let one = |layer: &str| {
        let text = format!(
            r##"{{ "ocl": "1.0", "canvas": {{ "width": 640, "height": 360 }}, "scenes": [ {{ "id": "m", "layers": [ {layer} ] }} ] }}"##
        );
        let mut o = overlay(&text);
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        draw(&mut o, 5)
    };
    let rect = r##"{ "id": "r", "type": "rect", "width": 301, "height": 99, "radius": 20, "color": "#FF5A5FC0", "position": { "anchor": "center", "x": 3, "y": 5 } }"##;
    let alone = one(rect);
    assert_eq!(one(&format!(r#"{{ "id": "g", "type": "group", "layers": [ {rect} ] }}"#)), alone);
    let composited = one(&format!(r#"{{ "id": "g", "type": "group", "clip": true, "layers": [ {rect} ] }}"#));
    let worst = composited.iter().zip(&alone).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 1, "{worst}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// A row of any layers in any box, and the variant of any canvas: drawn, never a panic.
    #[test]
    fn any_layout_draws(gap in 0.0..900.0f64, pad in 0.0..300.0f64, width in 1.0..900.0f64, n in 0usize..6, word in "\\PC{0,9}",
                        justify in 0usize..4, column in any::<bool>(), fixed in any::<bool>(), canvas in (16u32..500, 16u32..500)) {
        let name = ["start", "center", "end", "spaceBetween"][justify];
        let kind = if column { "column" } else { "row" };
        let layer = |i: usize| match i % 3 {
            0 => format!(r##"{{ "id": "l{i}", "type": "rect", "width": "{}%", "height": 30, "color": "#FF5A5F" }}"##, i * 40 + 1),
            1 => format!(r#"{{ "id": "l{i}", "type": "text", "text": "{{{{name}}}}", "size": 30, "rotation": 20 }}"#),
            _ => format!(r#"{{ "id": "l{i}", "type": "ticker", "text": "{{{{name}}}}", "size": 20, "width": 50, "speed": 90 }}"#),
        };
        let layers: Vec<String> = (0..n).map(layer).collect();
        let size = if fixed { format!(r#""width": {width},"#) } else { String::new() };
        let text = format!(r##"{{ "ocl": "1.0", "canvas": {{ "width": 640, "height": 360 }}, "tokens": {{ "name": {{}} }}, "scenes": [ {{ "id": "m", "layers": [
            {{ "id": "g", "type": "group", {size} "background": {{ "color": "#0B1220" }}, "position": {{ "anchor": "center" }},
               "layout": {{ "type": "{kind}", "gap": {gap}, "padding": {pad}, "justify": "{name}", "align": "end" }}, "layers": [ {} ] }} ],
            "variants": {{ "9:16": {{ "layers": {{ "g": {{ "scale": 2 }} }} }}, "1:1": {{ "canvas": {{ "width": 100, "height": 100 }} }} }} }} ] }}"##, layers.join(", "));
        let mut o = overlay(&text);
        o.prepare(Canvas { width: canvas.0, height: canvas.1, fps: FrameRate::FPS_30 }).unwrap();
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        o.compose(tick(0), &mut background(canvas.0, canvas.1)).unwrap();
        if o.apply(tick(9), &OverlayAction::SetTokens(BTreeMap::from([("name".to_owned(), word)]))).is_ok() {
            o.compose(tick(9), &mut background(canvas.0, canvas.1)).unwrap();
        }
    }

    /// Any numbers that the language allows draw something or nothing, and never panic.
    #[test]
    fn any_look_draws(sx in -64.0..64.0f64, sy in -64.0..64.0f64, turn in -36_000.0..36_000.0f64, crop in any::<[u8; 4]>(), x in -8192.0..8192.0f64,
                      near in any::<bool>(), blend in 0usize..7, feather in 0.0..300.0f64, size in 1.0..300.0f64) {
        let mode = ["normal", "multiply", "screen", "overlay", "add", "darken", "lighten"][blend];
        let x = if near { x / 50.0 } else { x };
        let look = format!(r#""scale": [{sx}, {sy}], "rotation": {turn}, "crop": {crop:?}, "blend": "{mode}", "smooth": {near},
            "masks": [ {{ "shape": "ellipse", "feather": {feather}, "width": {size} }} ], "position": {{ "anchor": "center", "x": {x}, "y": 3.5 }}"#);
        let text = format!(r##"{{ "ocl": "1.0", "canvas": {{ "width": 640, "height": 360 }}, "scenes": [ {{ "id": "m", "layers": [
            {{ "id": "r", "type": "rect", "width": {size}, "height": 20, "color": "#FF5A5FC0", {look} }},
            {{ "id": "g", "type": "group", "width": 50, "height": {size}, {look}, "layers": [ {{ "id": "e", "type": "ellipse", "width": 90, "height": 10, "color": "#FFFFFF", {look} }} ] }} ] }} ] }}"##);
        let mut o = overlay(&text);
        o.apply(tick(0), &OverlayAction::Show).unwrap();
        draw(&mut o, 0);
    }
}

/// Lengths in font sizes are the same as the pixels they come to.
#[test]
fn ems_are_pixels_times_the_size() {
    let draw = |more: &str| {
        let text = format!(
            r##"{{ "ocl": "1.1", "strict": true, "canvas": {{ "width": 320, "height": 180 }}, "scenes": [ {{ "id": "m", "layers": [ {more} ] }} ] }}"##
        );
        let none: HashMap<String, Vec<u8>> = HashMap::new();
        let mut o = OclOverlay::from_str("t", &text, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
        o.prepare(Canvas { width: 320, height: 180, fps: FrameRate::FPS_30 }).unwrap();
        let tick = Tick { frame: 60, wall: WallTime::from_unix_nanos(0) };
        o.apply(Tick { frame: 0, ..tick }, &OverlayAction::Show).unwrap();
        let mut buf = background(320, 180);
        o.compose(tick, &mut buf).unwrap();
        (0..3).map(|i| buf.plane(i).data.to_vec()).collect::<Vec<_>>()
    };
    let text = |width: &str, x: &str, y: &str, padding: &str, radius: &str, run: &str, least: &str| {
        format!(
            r##"{{ "id": "a", "type": "text", "size": 40, "width": 250, "minSize": {least}, "position": {{ "x": 20, "y": 20 }},
               "runs": [ {{ "text": "Long words " }}, {{ "text": "and small ones", "size": {run} }} ],
               "outline": {{ "width": {width}, "color": "#000000" }}, "shadow": {{ "x": {x}, "y": {y}, "color": "#FF0000" }},
               "background": {{ "color": "#0B1220", "padding": {padding}, "radius": {radius} }} }}"##
        )
    };
    let ems =
        text(r#""0.05em""#, r#""-.1em""#, r#""0.1em""#, r#"["0.5em", 8]"#, r#""0.25em""#, r#""0.5em""#, r#""0.6em""#);
    assert!(draw(&ems) == draw(&text("2", "-4", "4", "[20, 8]", "10", "20", "24")));
    let ticker = |gap: &str| {
        format!(
            r##"{{ "id": "t", "type": "ticker", "text": "news", "size": 20, "width": 300, "speed": 240, "gap": {gap} }}"##
        )
    };
    assert!(draw(&ticker(r#""2em""#)) == draw(&ticker("40")) && draw(&ticker("40")) != draw(&ticker("60")));
}
