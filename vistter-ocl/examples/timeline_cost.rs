//! What a document of a thousand cues costs: milliseconds to read, check and compile it, microseconds to say what is on
//! at a frame. Prints one JSON object.
//!
//! ```text
//! cargo run --release -p vistter-ocl --example timeline_cost
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;

use vistter_core::clock::{Clock, SystemClock};
use vistter_core::ports::Canvas;
use vistter_core::time::FrameRate;
use vistter_ocl::{Assets, Document, compile};

const CUES: usize = 1000;
const ROUNDS: usize = 30;
const FRAMES: u64 = 200_000;

/// A thousand cues on four tracks, each with its transition, its animation and its text.
fn document() -> Result<String, std::fmt::Error> {
    let mut tracks = vec![String::new(); 4];
    for i in 0..CUES {
        let track = &mut tracks[i % 4];
        if !track.is_empty() {
            track.push_str(",\n");
        }
        write!(
            track,
            r##"{{ "id": "cue-{i}", "start": "{}s", "duration": "9s", "content": {{ "type": "text", "style": "words", "text": "Line number {i} of {{{{name}}}}" }},
              "transition": {{ "in": {{ "type": "fade", "duration": "12f" }}, "out": {{ "type": "slide", "side": "left", "duration": 0.4 }} }},
              "automation": {{ "opacity": [ {{ "at": 0, "value": 0.2, "easing": "easeOutCubic" }}, {{ "at": 2, "value": 1 }} ] }} }}"##,
            i / 4 * 10
        )?;
    }
    let tracks: Vec<String> = tracks
        .iter()
        .enumerate()
        .map(|(i, cues)| format!(r#"{{ "id": "t{i}", "type": "lower-third", "cues": [ {cues} ] }}"#))
        .collect();
    Ok(format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 1920, "height": 1080 }}, "tokens": {{ "name": {{ "default": "many" }} }},
            "styles": {{ "words": {{ "size": 40, "weight": "bold", "position": {{ "anchor": "bottom-left" }} }} }},
            "scenes": [ {{ "id": "main", "tracks": [ {} ] }} ] }}"##,
        tracks.join(",\n")
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    let text = document()?;
    let canvas = Canvas { width: 1920, height: 1080, fps: FrameRate::FPS_30 };
    let clock = SystemClock::new();
    let read = || Document::parse(&text).map_err(|list| list.first().map_or(String::new(), ToString::to_string));
    let made = |d: &Document| {
        compile(d, None, &Assets::default(), canvas)
            .map_err(|list| list.first().map_or(String::new(), ToString::to_string))
    };
    let program = made(&read()?.0)?;
    let mut best = i64::MAX;
    for _ in 0..ROUNDS {
        let start = clock.now();
        black_box(made(&read()?.0)?);
        best = best.min((clock.now() - start).nanos());
    }
    let mut out = Vec::with_capacity(16);
    let start = clock.now();
    let mut on = 0usize;
    for i in 0..FRAMES {
        // scattered, so that no cache knows where the next one is
        program.state_at(black_box(i * 7919 % 75_000), &mut out);
        on += out.len();
    }
    let each = (clock.now() - start).nanos() as f64 / FRAMES as f64;
    println!(
        r#"{{ "cues": {CUES}, "bytes": {}, "read_check_compile_ms": {:.2}, "state_at_us": {:.3}, "on_average": {:.1} }}"#,
        text.len(),
        best as f64 / 1e6,
        each / 1e3,
        on as f64 / FRAMES as f64
    );
    Ok(())
}
