//! What `vistter ocl check --profile` estimates, beside what it takes here: one line a case, in milliseconds of a frame at
//! 1080p30. The numbers of the profile "server" come from it.
//!
//! ```text
//! cargo run --release -p vistter-ocl --example cost_cases
//! ```

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::hint::black_box;

use vistter_core::clock::{Clock, SystemClock, WallTime};
use vistter_core::media::FramePool;
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_ocl::{Assets, Document, OclOverlay, PROFILES, estimate};

const FRAMES: u64 = 60;

fn moving(property: &str, from: &str, to: &str) -> String {
    format!(
        r#", "automation": {{ "{property}": {{ "repeat": "pingPong", "keyframes": [ {{ "at": 0, "value": {from} }}, {{ "at": 1, "value": {to} }} ] }} }}"#
    )
}

fn cases() -> Vec<(&'static str, String)> {
    let rect = |more: &str| {
        format!(
            r##"{{ "id": "a", "type": "rect", "width": 960, "height": 540, "radius": 20, "color": "#1F6FEB80", "pivot": "center", "position": {{ "anchor": "center" }} {more} }}"##
        )
    };
    let group = |more: &str, inner: &str| {
        format!(
            r#"{{ "id": "g", "type": "group", "width": 1000, "height": 600, "position": {{ "x": 200, "y": 200 }} {more}, "layers": [ {inner} ] }}"#
        )
    };
    let turning = moving("rotation", "0", "90");
    vec![
        ("blend", rect("")),
        ("blend mode", rect(r#", "blend": "screen""#)),
        ("size moves", rect(&moving("size", "[960, 540]", "[900, 500]"))),
        ("scale moves", rect(&moving("scale", "0.9", "1"))),
        ("rotation moves", rect(&turning)),
        ("scale 64 moves, turned", format!(r##"{{ "id": "a", "type": "rect", "width": 30, "height": 17, "color": "#1F6FEB80", "rotation": 30, "pivot": "center", "position": {{ "anchor": "center" }} {} }}"##, moving("scale", "60", "64"))),
        ("crop moves", rect(&moving("crop", "[0, 0, 0, 0]", "[100, 0, 0, 0]"))),
        ("masked, colour moves", rect(&format!(r#", "masks": [ {{ "shape": "ellipse" }} ] {}"#, moving("color", "\"#FF0000\"", "\"#0000FF\"")))),
        ("group at half, layer moves", group(r#", "opacity": 0.5"#, &rect(&moving("position", "[0, 0]", "[90, 0]")))),
        ("text each frame", format!(r#"{{ "id": "a", "type": "text", "text": "{{{{clock|%H:%M:%S}}}} in the harbour", "size": 60 {} }}"#, moving("color", "\"#FF0000\"", "\"#0000FF\""))),
        // two lines of a lower third; in the column of the worst, the first drawing of letters that were never drawn before
        ("Japanese, anew each frame", format!(r##"{{ "id": "a", "type": "text", "font": "j", "size": 54, "outline": {{ "width": 3, "color": "#000000" }},
            "text": "x", "automation": {{ "text": {{ "repeat": "loop", "keyframes": [
                {{ "at": 0, "value": "{0}" }}, {{ "at": "1f", "value": "{1}" }}, {{ "at": "2f", "value": "{0}" }} ] }} }} }}"##,
            "東京駅前から生中継東京駅前から生中継東京駅前から生中継\\n東京駅前から生中継東京駅前", "日本語の字幕、世界の港ワールドカップこんにちは日本語の\\n字幕、世界の港ワールドカップこ")),
        ("ticker", r#"{ "id": "a", "type": "ticker", "text": "Harbour fair opens at ten on the north pier   +++   storm warning", "size": 40, "width": 1920, "speed": 240 }"#.into()),
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let canvas = Canvas { width: 1920, height: 1080, fps: FrameRate::FPS_30 };
    let pool = FramePool::new(canvas.width, canvas.height, 1)?;
    let font = include_bytes!("../tests/golden/text-japanese/japanese.ttf").to_vec();
    let files: HashMap<String, Vec<u8>> = HashMap::from([("japanese.ttf".to_owned(), font)]);
    let clock = SystemClock::new();
    println!("{:<28} {:>10} {:>10} {:>10}", "case", "measured", "worst", "estimated");
    for (name, layer) in cases() {
        let text = format!(
            r#"{{ "ocl": "1.1", "canvas": {{ "width": 1920, "height": 1080 }}, "assets": {{ "j": {{ "path": "japanese.ttf" }} }}, "scenes": [ {{ "id": "s", "layers": [ {layer} ] }} ] }}"#
        );
        let (d, _) = Document::parse(&text).map_err(|e| format!("{name}: {e:?}"))?;
        let assets = Assets::load(&d, &files);
        let cost = estimate(&d, None, &assets, canvas, &PROFILES[0]).map_err(|e| format!("{e:?}"))?;
        let mut overlay = OclOverlay::from_str("s", &text, &files, None, &BTreeMap::new())?;
        overlay.prepare(canvas)?;
        // a second a frame: a clock turns over each time
        let tick = |frame| Tick { frame, wall: WallTime::from_unix_nanos(frame as i64 * 1_000_000_000) };
        overlay.apply(tick(0), &OverlayAction::Show)?;
        let mut picture = pool.take();
        picture.fill([100, 120, 140]);
        let mut spent = Vec::new();
        for frame in 0..FRAMES {
            let from = clock.now();
            overlay.compose(tick(frame), black_box(&mut picture))?;
            spent.push((clock.now() - from).as_secs_f64() * 1000.0);
        }
        spent.sort_by(f64::total_cmp);
        let middle = spent.get(spent.len() / 2).copied().unwrap_or_default();
        let worst = spent.last().copied().unwrap_or_default();
        println!("{name:<28} {middle:>10.3} {worst:>10.3} {:>10.3}", cost.nanos / 1e6);
    }
    Ok(())
}
