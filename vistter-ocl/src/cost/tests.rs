//! What costs more than what; never how long something takes.

use std::collections::HashMap;

use vistter_core::time::FrameRate;

use super::*;

const CANVAS: Canvas = Canvas { width: 1920, height: 1080, fps: FrameRate::FPS_30 };

fn of(scene: &str, profile: &str) -> Cost {
    let text = format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 1920, "height": 1080 }}, "scenes": [ {{ "id": "m", {scene} }} ] }}"##
    );
    let (d, _) = Document::parse(&text).unwrap_or_else(|e| panic!("{e:?}"));
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let assets = Assets::load(&d, &none);
    estimate(&d, None, &assets, CANVAS, super::profile(profile).unwrap()).unwrap()
}
fn layers(list: &str) -> Cost {
    of(&format!("\"layers\": [ {list} ]"), "server")
}
fn rect(more: &str) -> String {
    format!(r##"{{ "id": "r", "type": "rect", "width": 400, "height": 200, "color": "#FFFFFF80" {more} }}"##)
}
fn moving(property: &str, from: &str, to: &str) -> String {
    format!(
        r#", "automation": {{ "{property}": {{ "repeat": "pingPong", "keyframes": [ {{ "at": 0, "value": {from} }}, {{ "at": 2, "value": {to} }} ] }} }}"#
    )
}

#[test]
fn what_is_made_anew_costs_more_than_what_stands() {
    let still = layers(&rect(""));
    let cost = |more: &str| layers(&rect(more)).nanos;
    assert!(still.nanos > 0.0 && still.nanos == still.steady && still.layers[0].most == Task::Blend);
    // moving and fading are free
    assert_eq!(cost(&moving("position", "[0, 0]", "[900, 0]")), still.nanos);
    assert!(cost(&moving("opacity", "1", "0.5")) <= still.nanos);
    let (scaled, turned) = (cost(&moving("scale", "0.9", "1")), cost(&moving("rotation", "0", "90")));
    let both = r#", "scale": 3"#.to_owned() + &moving("rotation", "0", "90");
    assert!(scaled > 2.0 * still.nanos && turned > 2.0 * still.nanos && cost(&both) > turned);
    assert!(cost(&moving("size", "[400, 200]", "[300, 100]")) > 2.0 * still.nanos);
    assert!(cost(&moving("crop", "[0, 0, 0, 0]", "[90, 0, 0, 0]")) > 2.0 * still.nanos);
    assert!(cost(r#", "blend": "screen""#) > 2.0 * still.nanos);
    let masked = r#", "masks": [ { "shape": "ellipse" } ]"#;
    assert_eq!(cost(masked), still.nanos, "made once");
    assert!(
        cost(&(masked.to_owned() + &moving("color", "\"#FF0000\"", "\"#0000FF\"")))
            > cost(&moving("color", "\"#FF0000\"", "\"#0000FF\""))
    );
    assert_eq!(layers(&rect(&moving("rotation", "0", "90"))).layers[0].most, Task::Turn);
}

#[test]
fn the_case_that_no_machine_carries() {
    let c = layers(&rect(&(r#", "rotation": 30"#.to_owned() + &moving("scale", "60", "64"))));
    assert_eq!(c.layers[0].most, Task::Scale);
    assert!(c.share() > 1.0, "{}", c.share());
    let d = c.finding().unwrap();
    assert_eq!((d.code, d.pointer.as_str()), ("OCL-COST", "/scenes/0"));
    assert!(d.help.unwrap().contains("\"r\""));
    assert_eq!(layers(&rect("")).finding(), None);
}

#[test]
fn texts_that_run() {
    let text = |words: &str| layers(&format!(r#"{{ "id": "t", "type": "text", "text": "{words}", "size": 40 }}"#));
    let (fixed, clock) = (text("12:00:00"), text("{{clock}}"));
    assert_eq!(fixed.nanos, fixed.steady);
    assert!(clock.nanos > 2.0 * clock.steady && clock.layers[0].most == Task::Text);
    assert!(text("{{timer}}").nanos > fixed.nanos);
    let outlined = layers(
        r##"{ "id": "t", "type": "text", "text": "{{clock}}", "size": 40, "outline": { "width": 3, "color": "#000000" } }"##,
    );
    assert!(outlined.nanos > 1.5 * clock.nanos, "{} {}", outlined.nanos, clock.nanos);
    let (square, narrow) = (text("港の入口 {{clock|%S}}"), text("abcd {{clock|%S}}"));
    assert!(square.nanos > 1.2 * narrow.nanos, "{} {}", square.nanos, narrow.nanos);
    let ticker = |words: &str| {
        layers(&format!(
            r#"{{ "id": "t", "type": "ticker", "text": "{words}", "size": 40, "width": 1920, "speed": 240 }}"#
        ))
    };
    let run = ticker("news of the day");
    assert_eq!(run.nanos, run.steady, "it only moves");
    assert!(ticker("news of {{clock}}").nanos > run.nanos);
}

#[test]
fn groups() {
    let group = |more: &str, inner: &str| {
        layers(&format!(
            r#"{{ "id": "g", "type": "group", "width": 500, "height": 300 {more}, "layers": [ {inner} ] }}"#
        ))
    };
    let loose = group("", &rect(""));
    assert_eq!(loose.nanos, layers(&rect("")).nanos, "as if it were none");
    let faint = group(r#", "opacity": 0.5"#, &rect(""));
    assert_eq!(faint.nanos, faint.steady, "composited once");
    let inside = group(r#", "opacity": 0.5"#, &rect(&moving("position", "[0, 0]", "[90, 0]")));
    assert!(inside.nanos > 2.0 * faint.nanos && inside.layers[0].most == Task::Group, "{inside:?}");
    let clipped = group(r#", "clip": true"#, &rect(&moving("position", "[0, 0]", "[90, 0]")));
    assert!(clipped.nanos > 2.0 * loose.nanos);
}

#[test]
fn the_costliest_frame_is_found() {
    let cue = |id: &str, start: u32, side: u32| {
        format!(
            r##"{{ "id": "{id}", "start": {start}, "duration": 5, "content": {{ "type": "rect", "width": {side}, "height": {side}, "color": "#FFFFFF" }} }}"##
        )
    };
    let scene = |cues: &[String]| {
        of(&format!(r#""tracks": [ {{ "id": "t", "type": "free", "cues": [ {} ] }} ]"#, cues.join(",")), "server")
    };
    let c = scene(&[cue("a", 0, 100), cue("b", 100, 900), cue("c", 200, 200)]);
    assert!((3000..3150).contains(&c.frame), "{}", c.frame);
    assert_eq!(
        (c.layers.len(), c.layers[0].id.as_str(), c.layers[0].pointer.as_str()),
        (1, "b", "/scenes/0/tracks/0/cues/1/content")
    );
    assert!(scene(&[cue("a", 0, 900), cue("b", 2, 900)]).nanos > c.nanos, "two at once");
    // one that waits may come at any time
    let waits = cue("w", 0, 900).replacen("\"start\"", r#""sync": { "await": "awaitMarker('go')" }, "start""#, 1);
    let both = scene(&[cue("a", 0, 100), waits]);
    assert_eq!(both.layers.len(), 2, "{both:?}");
}

#[test]
fn ways_and_machines() {
    let with = |way: &str| of(&format!(r#""in": {way}, "layers": [ {} ]"#, rect("")), "server");
    let cut = with(r#"{ "type": "cut" }"#);
    assert_eq!(with(r#"{ "type": "fade", "duration": 1 }"#).nanos, cut.nanos);
    for way in ["zoom", "push", "dip"] {
        let c = with(&format!(r#"{{ "type": "{way}", "duration": 1 }}"#));
        assert!(c.way > 0.0 && c.nanos > cut.nanos, "{way}");
    }
    let on: Vec<f64> = PROFILES.iter().map(|p| of(&format!("\"layers\": [ {} ]", rect("")), p.name).nanos).collect();
    assert!(on.is_sorted() && on[0] < on[3], "{on:?}");
    for (i, p) in PROFILES.iter().enumerate() {
        assert!(
            !PROFILES[..i].iter().any(|o| o.name == p.name) && p.budget > 0.0 && p.budget < 1.0 && !p.source.is_empty()
        );
    }
    assert!(profile("toaster").is_none());
}
