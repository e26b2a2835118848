//! Layers that show pictures from outside.

use serde_json::{Value, json};

use super::widgets::plays;
use super::{number, of};
use crate::limits::*;
use crate::model::{Fit, Lost, Video};

/// The fields of the layers, and those that are required.
pub(super) fn insets() -> [(&'static str, Value, &'static [&'static str]); 2] {
    let length = |d: &str| number(1.0, MAX_EXTENT, d);
    let fit = |d: &str| json!({ "description": format!("How it fills a box of another shape; {d} when left out"), "enum": Fit::NAMES });
    let mut again = plays();
    if let Some(p) = again.as_object_mut() {
        p.insert("description".into(), "How often it is played; forever when left out".into());
    }
    [
        (
            "video",
            json!({
                "asset": of("name", "Id of an asset: an MP4 file with H.264"),
                "width": length("Width"), "height": length("Height"),
                "fit": fit("stretch"), "plays": again,
                "start": of("span", "What is left out at its beginning, each time"),
                "alpha": { "description": "Which half of it says by its brightness how much is seen of the other; none when left out", "enum": Video::MATTES },
                "radius": number(0.0, MAX_EXTENT, "Corner radius"),
                "volume": number(0.0, 1.0, "How loud its sound is: 0 is silent, 1 is as in the file; 1 when left out"),
            }),
            &["asset"],
        ),
        (
            "camera",
            json!({
                "camera": { "description": "Id of a camera of the show", "type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS },
                "width": length("Width"), "height": length("Height"),
                "fit": fit("fill"),
                "radius": number(0.0, MAX_EXTENT, "Corner radius"),
                "lost": { "description": "What is shown when it has given no picture for five seconds; hide when left out", "enum": Lost::NAMES },
            }),
            &["camera", "width", "height"],
        ),
    ]
}
