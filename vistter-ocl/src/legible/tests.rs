//! What is said of whole documents.

use super::*;

/// Codes and places of what is found in a scene.
fn found(scene: &str) -> Vec<(&'static str, String)> {
    let text = format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 1920, "height": 1080 }}, "tokens": {{ "t": {{ "default": "twelve chars" }} }},
             "scenes": [ {{ "id": "m", {scene} }} ] }}"##
    );
    let (d, _) = Document::parse(&text).unwrap_or_else(|e| panic!("{e:?}"));
    check(&d).into_iter().map(|d| (d.code, d.pointer)).collect()
}
fn layers(list: &str) -> Vec<(&'static str, String)> {
    found(&format!("\"layers\": [ {list} ]"))
}
fn blink(times: u32) -> String {
    let keys: Vec<String> = (0..=times)
        .map(|i| format!(r#"{{ "at": "{}f", "value": {}, "easing": "hold" }}"#, i * 30 / times, i % 2))
        .collect();
    format!(r#""automation": {{ "opacity": {{ "repeat": "loop", "keyframes": [ {} ] }} }}"#, keys.join(","))
}

#[test]
fn small_text() {
    let text = |more: &str| layers(&format!(r#"{{ "id": "a", "type": "text", "text": "x", {more} }}"#));
    assert_eq!(text(r#""size": 19"#), [("OCL-TEXT-SIZE", "/scenes/0/layers/0/size".to_owned())]);
    assert_eq!(text(r#""size": 20"#), []);
    assert_eq!(text(r#""size": 10, "scale": 2"#), []);
    assert_eq!(
        text(r#""size": 40, "width": 90, "minSize": 12"#),
        [("OCL-TEXT-SIZE", "/scenes/0/layers/0/minSize".to_owned())]
    );
    let runs = r#"{ "id": "a", "type": "text", "size": 40, "runs": [ { "text": "x" }, { "text": "y", "size": 12 } ] }"#;
    assert_eq!(layers(runs), [("OCL-TEXT-SIZE", "/scenes/0/layers/0/runs/1/size".to_owned())]);
    let group = r#"{ "id": "g", "type": "group", "scale": 0.5, "layers": [ { "id": "a", "type": "text", "text": "x", "size": 30 } ] }"#;
    assert_eq!(layers(group), [("OCL-TEXT-SIZE", "/scenes/0/layers/0/layers/0/size".to_owned())]);
}

#[test]
fn contrast_with_what_is_known() {
    let text = |color: &str, more: &str| {
        format!(r#"{{ "id": "a", "type": "text", "text": "some words", "size": 30, "color": "{color}" {more} }}"#)
    };
    let here = |n: usize| vec![("OCL-CONTRAST", format!("/scenes/0/layers/{n}/color"))];
    assert_eq!(layers(&text("#888888", r##", "background": { "color": "#777777" }"##)), here(0));
    assert_eq!(layers(&text("#888888", "")), [], "nobody knows what the camera shows");
    assert_eq!(
        layers(&text(
            "#FFFFFF",
            r##", "background": { "color": "#EEEEEE" }, "outline": { "width": 2, "color": "#000000" }"##
        )),
        []
    );
    // a rectangle below, elsewhere, above, and one that hides it
    let at = r#", "position": { "x": 100, "y": 100 }"#;
    let rect = |id: &str, color: &str, x: u32, z: i32| {
        format!(
            r#"{{ "id": "{id}", "type": "rect", "width": 600, "height": 90, "color": "{color}", "z": {z}, "position": {{ "x": {x}, "y": 80 }} }}"#
        )
    };
    assert_eq!(layers(&[rect("r", "#EEEEEE", 80, 0), text("#FFFFFF", at)].join(",")), here(1));
    assert_eq!(layers(&[rect("r", "#EEEEEE", 800, 0), text("#FFFFFF", at)].join(",")), []);
    assert_eq!(layers(&[rect("r", "#EEEEEE", 80, 1), text("#FFFFFF", at)].join(",")), []);
    let both = [rect("r", "#EEEEEE", 80, 0), rect("s", "#101010", 80, 0), text("#FFFFFF", at)].join(",");
    assert_eq!(layers(&both), []);
    // a group's own background, and a plain group over a rectangle
    let group = |more: &str, text: &str| {
        format!(
            r#"{{ "id": "g", "type": "group", "width": 500, "height": 80, "position": {{ "x": 90, "y": 85 }} {more}, "layers": [ {text} ] }}"#
        )
    };
    let inner = text("#FFFFFF", r#", "position": { "anchor": "center" }"#);
    let place = |n: usize| vec![("OCL-CONTRAST", format!("/scenes/0/layers/{n}/layers/0/color"))];
    assert_eq!(layers(&group(r##", "background": { "color": "#EEEEEE" }"##, &inner)), place(0));
    assert_eq!(layers(&[rect("r", "#EEEEEE", 80, 0), group("", &inner)].join(",")), place(1));
    assert_eq!(layers(&[rect("r", "#101010", 80, 0), group("", &inner)].join(",")), []);
    // of runs each has its own
    let runs = r##"{ "id": "a", "type": "text", "size": 30, "background": { "color": "#000000" }, "runs": [ { "text": "x" }, { "text": "y", "color": "#101010" } ] }"##;
    assert_eq!(layers(runs), [("OCL-CONTRAST", "/scenes/0/layers/0/runs/1/color".to_owned())]);
}

#[test]
fn too_short_to_read() {
    let cue = |id: &str, start: u32, more: &str, words: &str| {
        format!(
            r#"{{ "id": "{id}", "start": {start} {more}, "content": {{ "type": "text", "size": 40, "text": "{words}" }} }}"#
        )
    };
    let track = |cues: &[String]| {
        found(&format!(r#""tracks": [ {{ "id": "t", "type": "lower-third", "cues": [ {} ] }} ]"#, cues.join(",")))
    };
    let long = "A text that nobody reads in a second, {{t}}";
    let at = |c: usize, field: &str| ("OCL-TEXT-TIME", format!("/scenes/0/tracks/0/cues/{c}/{field}"));
    assert_eq!(track(&[cue("a", 0, r#", "duration": 1"#, long)]), [at(0, "duration")]);
    assert_eq!(track(&[cue("a", 0, r#", "duration": 4"#, long)]), []);
    assert_eq!(track(&[cue("a", 0, "", long), cue("b", 1, "", "Yes")]), [at(0, "start")], "until the next one comes");
    let seen = r#"{ "id": "a", "type": "text", "size": 40, "text": "A text that nobody reads in a second",
        "automation": { "opacity": [ { "at": 0, "value": 1, "easing": "hold" }, { "at": 1, "value": 0 } ] } }"#;
    assert_eq!(layers(seen), [("OCL-TEXT-TIME", "/scenes/0/layers/0/automation/opacity".to_owned())]);
    let ticker = |speed: u32| {
        layers(&format!(
            r#"{{ "id": "a", "type": "ticker", "size": 30, "text": "news", "width": 900, "speed": {speed} }}"#
        ))
    };
    assert_eq!(ticker(900), [("OCL-TEXT-TIME", "/scenes/0/layers/0/speed".to_owned())]);
    assert_eq!(ticker(240), []);
}

#[test]
fn flashes() {
    let rect = |side: u32, times: u32| {
        format!(
            r##"{{ "id": "r{side}", "type": "rect", "width": {side}, "height": {side}, "color": "#FFFFFF", {} }}"##,
            blink(times)
        )
    };
    let here = || vec![("OCL-FLASH", "/scenes/0/layers/0/automation/opacity".to_owned())];
    assert_eq!(layers(&rect(900, 10)), here());
    assert_eq!(layers(&rect(90, 10)), [], "small enough");
    assert_eq!(layers(&rect(900, 4)), [], "slow enough");
    let colors = r##"{ "id": "a", "type": "rect", "width": 900, "height": 900, "color": "#FFFFFF", "automation": { "color": { "repeat": "pingPong",
        "keyframes": [ { "at": 0, "value": "#000000" }, { "at": "3f", "value": "#FFFFFF" } ] } } }"##;
    assert_eq!(layers(colors), [("OCL-FLASH", "/scenes/0/layers/0/automation/color".to_owned())]);
    let dull = colors.replace("#FFFFFF\" } ]", "#202020\" } ]");
    assert_eq!(layers(&dull), []);
    let cues: Vec<String> = (0..12)
        .map(|i| format!(r##"{{ "id": "c{i}", "start": "{}f", "duration": "2f", "content": {{ "type": "rect", "width": 1900, "height": 900, "color": "#FFFFFF" }} }}"##, i * 4))
        .collect();
    let track = format!(r#""tracks": [ {{ "id": "t", "type": "fullscreen", "cues": [ {} ] }} ]"#, cues.join(","));
    assert_eq!(found(&track), [("OCL-FLASH", "/scenes/0/tracks/0/cues".to_owned())]);
}

#[test]
fn variants_say_what_is_new_in_them() {
    let scene = r#""layers": [ { "id": "a", "type": "text", "text": "x", "size": 12 }, { "id": "b", "type": "text", "text": "y", "size": 40 } ],
        "variants": { "1:1": { "layers": { "b": { "size": 15 } } } }"#;
    let want = [("OCL-TEXT-SIZE", "/scenes/0/variants/1:1/layers/b"), ("OCL-TEXT-SIZE", "/scenes/0/layers/0/size")];
    assert_eq!(found(scene).iter().map(|(c, p)| (*c, p.as_str())).collect::<Vec<_>>(), want);
}

#[test]
fn not_everything_is_said() {
    let many: Vec<String> =
        (0..30).map(|i| format!(r#"{{ "id": "a{i}", "type": "text", "text": "x", "size": 9 }}"#)).collect();
    let text = format!(
        r#"{{ "ocl": "1.1", "canvas": {{ "width": 1920, "height": 1080 }}, "scenes": [ {{ "id": "m", "layers": [ {} ] }} ] }}"#,
        many.join(",")
    );
    let list = check(&Document::parse(&text).unwrap().0);
    assert_eq!(list.len(), SAID);
    assert!(list[SAID - 1].message.ends_with("and 10 more like this"), "{}", list[SAID - 1].message);
}
