//! Properties over time.

use serde_json::{Value, json};

use super::layers::list;
use super::{extend, number, object, of};
use crate::limits::*;
use crate::model::Repeat;

pub(super) fn keyframes(value: Value, many: usize) -> Value {
    framed(value, &easing(many))
}

fn framed(value: Value, easing: &Value) -> Value {
    let frame = object(
        json!({ "at": of("span", "Since the scene was shown"), "value": value, "easing": easing }),
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

/// Texts one after the other: nothing is between two of them.
fn texts() -> Value {
    let hold = json!({ "description": "A text changes at once; hold when left out", "const": "hold" });
    framed(of("template", "What it says"), &hold)
}

pub(super) fn automation() -> Value {
    let most = MAX_EXTENT;
    let offset = json!({ "type": "number", "minimum": -most, "maximum": most });
    let point = json!({ "type": "array", "prefixItems": [offset, offset], "items": false, "minItems": 2 });
    object(json!({ "opacity": keyframes(number(0.0, 1.0, "0 is not there"), 1), "position": keyframes(point, 2) }), &[])
}

/// What of a layer moves.
pub(super) fn layer_automation() -> Value {
    let mut all = automation();
    let def = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let more = json!({
        "scale": keyframes(def("scale"), 2),
        "rotation": keyframes(number(-MAX_ROTATION, MAX_ROTATION, "Degrees clockwise"), 1),
        "crop": keyframes(def("crop"), 4),
        "size": keyframes(def("size"), 2),
        "radius": keyframes(number(0.0, MAX_EXTENT, "Corner radius"), 1),
        "color": keyframes(def("color"), 1),
        "value": keyframes(number(-MAX_NUMBER, MAX_NUMBER, "The number of a text, a bar or a gauge"), 1),
        "text": texts(),
        "volume": keyframes(number(0.0, 1.0, "How loud a video is"), 1),
    });
    if let Some(fields) = all.get_mut("properties") {
        extend(fields, more);
    }
    all
}

/// How a value of so many numbers goes on to the next.
fn easing(many: usize) -> Value {
    let one = json!({ "$ref": "#/$defs/easing" });
    match many {
        1 => one,
        n => json!({ "anyOf": [one, list(&one, n)] }),
    }
}
