//! What one scene costs at 1080p60: `ocl_cost SCENE FRAMES` composes so many frames on one thread and prints, as JSON,
//! the mean and the longest milliseconds of a frame. `benches/` runs it for two numbers of frames, and takes CPU time
//! from the difference.
//!
//! | scene | what it is |
//! |---|---|
//! | `animated` | a logo that pulses, a lower third that moves and whose text changes each second, a ticker |
//! | `turning` | the same, and the logo scales and turns |
//! | `static` | logo, panel and two lines of text that stand still |
//! | `opaque` | the same with opaque boxes |
//! | `copy` | no scene: a plain copy of the pixels that `static` touches |

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::hint::black_box;

use vistter_core::clock::{Clock, SystemClock, WallTime};
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::OclOverlay;

/// The boxes of the static scene: left, top, width, height.
const BOXES: [[usize; 4]; 2] = [[1552, 54, 304, 100], [96, 800, 960, 156]];

fn document(scene: &str) -> Option<String> {
    let pulse = r#""opacity": { "repeat": "pingPong", "keyframes": [ { "at": 0, "value": 0.3, "easing": "easeInOutSine" }, { "at": 1, "value": 1 } ] }"#;
    let turn = r#", "rotation": { "repeat": "loop", "keyframes": [ { "at": 0, "value": 0 }, { "at": 4, "value": 360 } ] },
        "scale": { "repeat": "pingPong", "keyframes": [ { "at": 0, "value": 0.8, "easing": "easeInOutSine" }, { "at": 1, "value": 1.2 } ] }"#;
    let logo = |moves: &str, alpha: &str| {
        format!(
            r##"{{ "id": "logo", "type": "rect", "width": 304, "height": 100, "radius": 24, "pivot": "center", "position": {{ "x": 1552, "y": 54 }},
            "color": "#1F6FEB{alpha}" {moves} }}"##
        )
    };
    let third = |moves: &str, time: &str, alpha: &str| {
        format!(
            r##"{{ "id": "third", "type": "group", "width": 960, "height": 156, "position": {{ "x": 96, "y": 800 }} {moves}, "layers": [
            {{ "id": "panel", "type": "rect", "width": 960, "height": 156, "radius": 18, "color": "#0B1220{alpha}" }},
            {{ "id": "name", "type": "text", "text": "Harbour Entrance", "size": 54, "weight": "bold", "position": {{ "x": 40, "y": 12 }} }},
            {{ "id": "time", "type": "text", "text": "Live since {time}", "size": 36, "position": {{ "x": 40, "y": 90 }} }} ] }}"##
        )
    };
    let slide = r#", "automation": { "position": { "repeat": "pingPong", "keyframes": [ { "at": 0, "value": [96, 800], "easing": "easeInOutSine" }, { "at": 3, "value": [296, 800] } ] } }"#;
    let ticker = r##"{ "id": "band", "type": "rect", "width": 1920, "height": 72, "color": "#0B1220E8", "position": { "anchor": "bottom" } },
        { "id": "news", "type": "ticker", "text": "Harbour fair opens at ten on the north pier   +++   ferry to the island every hour   +++   storm warning for the coast", "size": 36, "width": 1920, "speed": 240, "position": { "anchor": "bottom", "y": -10 } }"##;
    let clock = "{{clock|%H:%M:%S}}";
    let layers = match scene {
        "animated" => {
            format!(
                "{}, {}, {ticker}",
                logo(&format!(", \"automation\": {{ {pulse} }}"), "FF"),
                third(slide, clock, "E0")
            )
        }
        "turning" => {
            format!(
                "{}, {}, {ticker}",
                logo(&format!(", \"automation\": {{ {pulse} {turn} }}"), "FF"),
                third(slide, clock, "E0")
            )
        }
        "static" => format!("{}, {}", logo("", "B8"), third("", "noon", "E0")),
        "opaque" => format!("{}, {}", logo("", "FF"), third("", "noon", "FF")),
        _ => return None,
    };
    Some(format!(
        r#"{{ "ocl": "1.0", "canvas": {{ "width": 1920, "height": 1080 }}, "scenes": [ {{ "id": "s", "layers": [ {layers} ] }} ] }}"#
    ))
}

/// Copies the boxes' samples from one picture to another, row by row.
fn copy(from: &FrameBuf, to: &mut FrameBuf) {
    for (i, mut p) in to.planes_mut().into_iter().enumerate() {
        let half = u32::from(i > 0);
        for [x, y, w, h] in BOXES.map(|b| b.map(|v| v >> half)) {
            for row in y..y + h {
                p.row_mut(row)[x..x + w].copy_from_slice(&from.plane(i).row(row)[x..x + w]);
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, scene, frames] = args.as_slice() else {
        return Err("usage: ocl_cost animated|turning|static|opaque|copy FRAMES".into());
    };
    let frames: u64 = frames.parse()?;
    let canvas = Canvas { width: 1920, height: 1080, fps: FrameRate::parse("60").ok_or("a rate")? };
    let pool = FramePool::new(canvas.width, canvas.height, 2)?;
    let (mut picture, mut other) = (pool.take(), pool.take());
    picture.fill([100, 120, 140]);
    other.fill([90, 130, 110]);
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut overlay = match document(scene) {
        Some(text) => Some(OclOverlay::from_str("s", &text, &none, None, &BTreeMap::new())?),
        None if scene == "copy" => None,
        None => return Err(format!("unknown scene \"{scene}\"").into()),
    };
    let tick = |frame| Tick { frame, wall: WallTime::default().plus(canvas.fps.time_of(frame)) };
    if let Some(o) = &mut overlay {
        o.prepare(canvas)?;
        o.apply(tick(0), &OverlayAction::Show)?;
    }
    let clock = SystemClock::new();
    let (mut spent, mut longest) = (0.0f64, 0.0f64);
    for frame in 0..frames {
        let from = clock.now();
        match &mut overlay {
            Some(o) => o.compose(tick(frame), black_box(&mut picture))?,
            None => copy(black_box(&other), black_box(&mut picture)),
        }
        let took = (clock.now() - from).as_secs_f64() * 1000.0;
        spent += took;
        longest = longest.max(took);
    }
    println!("{{ \"mean_ms\": {:.5}, \"longest_ms\": {longest:.3} }}", spent / frames.max(1) as f64);
    Ok(())
}
