//! Gauges, QR codes, sequences of pictures.

use serde_json::{Value, json};

use super::{number, object, of};
use crate::limits::*;
use crate::model::{Correction, Missing};

/// The fields of the widgets' layers, and those that are required.
pub(super) fn widgets() -> [(&'static str, Value, &'static [&'static str]); 2] {
    let length = |d: &str| number(1.0, MAX_EXTENT, d);
    [
        (
            "gauge",
            json!({
                "value": of("template", "The number that says how far it is filled"),
                "minimum": { "description": "The arc is empty at this number; 0 when left out", "type": "number" },
                "maximum": { "description": "The arc is full at this number; 100 when left out", "type": "number" },
                "size": length("Diameter"),
                "thickness": length("Width of the ring"),
                "start": number(-360.0, 360.0, "Where it is empty, in degrees: 0 right, 90 down; 135 when left out"),
                "sweep": number(-360.0, 360.0, "How far it goes until it is full; below 0 against the clock; 270 when left out"),
                "color": of("color", "The full part"),
                "track": of("color", "What is behind the full part"),
                "ends": { "description": "Flat when left out", "enum": ["flat", "round"] },
            }),
            &["value", "size", "thickness", "color"],
        ),
        (
            "qr",
            json!({
                "text": of("template", "What the code says"),
                "size": length("Width and height, with the quiet zone"),
                "level": { "description": "How much damage it survives; medium when left out", "enum": Correction::NAMES },
                "quiet": { "description": "Empty modules round it; 4 when left out", "type": "integer", "minimum": 0, "maximum": MAX_QUIET },
                "color": of("color", "Its modules; black when left out"),
                "background": of("color", "What is between and round them; white when left out"),
            }),
            &["text", "size"],
        ),
    ]
}

/// How often a moving picture is played.
pub(super) fn plays() -> Value {
    json!({
        "description": "How often a moving picture is played; as its file says when left out",
        "anyOf": [{ "type": "integer", "minimum": 1, "maximum": MAX_REPEATS }, { "const": "forever" }],
    })
}

/// Pictures in numbered files.
pub(super) fn sequence() -> Value {
    let file = json!({ "type": "integer", "minimum": 0, "maximum": 9_999_999 });
    let path = json!({ "description": "The picture that stands in for one that is missing", "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS });
    object(
        json!({
            "first": file, "last": file,
            "frameRate": { "description": "Pictures per second", "type": ["number", "string"], "exclusiveMinimum": 0, "pattern": r"^[0-9]+(\.[0-9]+|/[0-9]+)?$" },
            "plays": plays(),
            "missing": { "description": "What is shown for a file that is not there; error when left out", "enum": Missing::NAMES },
            "fallback": path,
        }),
        &["last", "frameRate"],
    )
}
