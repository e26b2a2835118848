//! Scenes, how they come and go, and where layers stand.

use serde_json::{Map, Value, json};

use super::layers::or_percent;
use super::{extend, number, object, of};
use crate::limits::*;
use crate::model::{Anchor, Interrupted, MatteForm, Side, Style, Within};

pub(super) fn scene() -> Value {
    let mut scene = object(
        json!({
            "id": of("name", "Unique in the document"),
            "in": of("transition", "How it comes on; a cut when left out"),
            "out": of("transition", "How it goes off; a cut when left out"),
            "automation": of("automation", "Over time, for the whole scene"),
            "layers": { "type": "array", "maxItems": MAX_LAYERS, "items": { "$ref": "#/$defs/layer" } },
            "tracks": {
                "description": "Cues over time", "type": "array", "maxItems": MAX_TRACKS,
                "items": { "$ref": "#/$defs/track" }
            },
            "steps": {
                "description": "Points at which it stands until it is told to go on", "type": "array",
                "maxItems": MAX_STEPS_OF_SCENE, "items": { "$ref": "#/$defs/step" }
            },
            "fallback": of("sceneFallback", "What is shown when it cannot be shown as written"),
            "variants": {
                "description": "What it is on canvases of another shape, by the shape: \"9:16\"",
                "type": "object",
                "propertyNames": { "pattern": "^[1-9][0-9]{0,2}:[1-9][0-9]{0,2}$" },
                "maxProperties": MAX_VARIANTS,
                "additionalProperties": { "$ref": "#/$defs/variant" },
            },
        }),
        &["id"],
    );
    if let Some(s) = scene.as_object_mut() {
        s.insert("anyOf".into(), json!([{ "required": ["layers"] }, { "required": ["tracks"] }]));
    }
    scene
}

/// Changes of a scene.
pub(super) fn variant() -> Value {
    let or_none = |def: &str, what: &str| json!({ "description": what, "anyOf": [{ "$ref": format!("#/$defs/{def}") }, { "type": "null" }] });
    object(
        json!({
            "canvas": of("canvas", "The resolution it is drawn for; the document's when left out"),
            "in": or_none("transition", "Instead of the scene's; null for a cut"),
            "out": or_none("transition", "Instead of the scene's; null for a cut"),
            "automation": or_none("automation", "Instead of the scene's; null for none"),
            "layers": {
                "description": "Changes of layers by id, as RFC 7396 lays them over; null takes a layer away",
                "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" },
                "additionalProperties": { "type": ["object", "null"] },
            },
        }),
        &[],
    )
}

/// Which fields a transition has depends on its type.
pub(super) fn transition() -> Value {
    let defs = Style::NAMES.map(|n| json!({ "$ref": format!("#/$defs/{n}Transition") }));
    json!({ "oneOf": defs })
}

pub(super) fn transitions() -> Map<String, Value> {
    let of_type = |name: &'static str| {
        let mut fields = json!({ "type": { "const": name } });
        if name != "cut" {
            extend(
                &mut fields,
                json!({
                    "duration": of("span", "How long"),
                    "easing": of("easing", "How it runs in that time; evenly when left out"),
                    "interrupted": { "description": "What happens when the scene is to go the other way before it is over; reverse when left out", "enum": Interrupted::NAMES },
                }),
            );
        }
        if matches!(name, "wipe" | "slide" | "push") {
            let side =
                json!({ "description": "Where it comes from, or goes to; left when left out", "enum": Side::NAMES });
            extend(&mut fields, json!({ "side": side }));
        }
        match name {
            "wipe" => extend(
                &mut fields,
                json!({
                    "matte": { "description": "The form of the edge, instead of a side", "enum": MatteForm::NAMES },
                    "angle": number(-360.0, 360.0, "Where a linear edge runs, in degrees: 0 right, 90 down"),
                    "asset": of("name", "Id of an asset for the matte image: what is dark comes first"),
                    "softness": number(0.0, 1.0, "How wide the edge is, as a part of its way"),
                    "invert": { "description": "What came last comes first", "type": "boolean" },
                }),
            ),
            "zoom" => {
                extend(&mut fields, json!({ "from": number(0.0, MAX_ZOOM, "So many times its size; 0 when left out") }))
            }
            "dip" => extend(&mut fields, json!({ "color": of("color", "Black when left out") })),
            _ => {}
        }
        let required: &[&str] = if name == "cut" { &["type"] } else { &["type", "duration"] };
        (format!("{name}Transition"), object(fields, required))
    };
    Style::NAMES.map(of_type).into_iter().collect()
}

pub(super) fn position() -> Value {
    let most = MAX_EXTENT;
    object(
        json!({
            "anchor": { "description": "This point of the layer stands on the same point of the canvas", "enum": Anchor::NAMES },
            "within": { "description": "The part of the picture that the anchor refers to", "enum": Within::NAMES },
            "x": or_percent(number(-most, most, "Moved right, in base pixels or as a part of the width it stands in")),
            "y": or_percent(number(-most, most, "Moved down, in base pixels or as a part of the height it stands in")),
        }),
        &[],
    )
}
