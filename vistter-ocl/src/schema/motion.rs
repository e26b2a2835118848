//! Properties over time.

use serde_json::{Value, json};

use super::{number, object, of};
use crate::limits::*;
use crate::model::Repeat;

pub(super) fn keyframes(value: Value) -> Value {
    let frame = object(
        json!({ "at": of("span", "Since the scene was shown"), "value": value, "easing": { "$ref": "#/$defs/easing" } }),
        &["at", "value"],
    );
    let list = json!({ "type": "array", "maxItems": MAX_KEYFRAMES, "items": frame });
    let repeated = object(
        json!({
            "keyframes": list,
            "repeat": { "description": "What comes after the last keyframe", "enum": Repeat::NAMES },
            "times": { "description": "How often in all; without end when left out", "type": "integer", "minimum": 1, "maximum": MAX_REPEATS },
        }),
        &["keyframes"],
    );
    json!({ "anyOf": [list, repeated] })
}

pub(super) fn automation() -> Value {
    let most = MAX_EXTENT;
    let offset = json!({ "type": "number", "minimum": -most, "maximum": most });
    let point = json!({ "type": "array", "prefixItems": [offset, offset], "items": false, "minItems": 2 });
    object(json!({ "opacity": keyframes(number(0.0, 1.0, "0 is not there")), "position": keyframes(point) }), &[])
}
