//! Values without structure.

use serde_json::{Map, Value, json};

use super::{number, object};
use crate::filter::FILTERS;
use crate::limits::*;
use crate::model::Easing;

/// Every way to write a time, with white space around it.
const TIME: &str = concat!(
    r"^\s*(t\+)?\s*(",
    r"[0-9]+(\.[0-9]+)?\s*s?|[0-9]+\s*f",
    r"|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?",
    r"|[0-9]{2}:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9}|[:;][0-9]{2})?",
    r")\s*$",
);

/// Values without structure.
pub(super) fn values() -> Map<String, Value> {
    let bezier = json!({ "type": "array", "minItems": 4, "maxItems": 4, "items": { "type": "number", "minimum": -10, "maximum": 10 } });
    let all = json!({
        "name": {
            "description": "Letters, digits, '-', '_' and '.'",
            "type": "string", "pattern": r"^[\p{Alphabetic}\p{N}._-]+$", "maxLength": MAX_ID_CHARS
        },
        "color": {
            "description": "#RRGGBB or #RRGGBBAA, sRGB with straight alpha",
            "type": "string", "pattern": "^#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$"
        },
        "em": {
            "description": "A length in font sizes: half of one is \"0.5em\"",
            "type": "string", "pattern": "^-?[0-9]*\\.?[0-9]+em$"
        },
        "percent": {
            "description": "A part of what the layer stands in: \"50%\"",
            "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?%$"
        },
        "directive": {
            "description": "What is waited for: awaitPreset(\"…\"), awaitMilestone(\"…\"), awaitMarker(\"…\")",
            "type": "string", "pattern": r#"^\s*await(Preset|Milestone|Marker)\s*\(\s*("[^"]+"|'[^']+')\s*\)\s*$"#
        },
        "template": {
            "description": format!("Text with tokens: {{{{name|filter}}}}. Filters: {}", FILTERS.join(", ")),
            "type": "string", "maxLength": MAX_TEXT_CHARS
        },
        "span": {
            "description": "A time: seconds (2, 0.5, \"0.5s\", \"2s500ms\"), output frames (\"15f\"), or \"00:01:23.500\", \"00:01:23:15\", \"00:01:23;15\"",
            "anyOf": [
                { "type": "number", "minimum": 0 },
                { "type": "string", "pattern": TIME }
            ]
        },
        "easing": {
            "description": "How a value goes on to the next keyframe",
            "anyOf": [
                { "enum": &Easing::NAMES[..] },
                object(json!({ "cubicBezier": bezier }), &["cubicBezier"]),
                object(
                    json!({
                        "steps": { "type": "integer", "minimum": 1, "maximum": MAX_STEPS },
                        "jump": { "enum": ["end", "start", "both", "none"] },
                    }),
                    &["steps"],
                ),
                object(json!({ "spring": number(0.05, 1.0, "Damping: 1 does not swing over") }), &["spring"]),
            ]
        },
    });
    match all {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
