//! Tracks, cues, steps, what cues wait for, and what a document says of its time.

use serde_json::{Value, json};

use super::{object, of};
use crate::limits::*;
use crate::model::{Content, Then, TrackKind};

/// What a document says of itself; `rate` is the schema of a frame rate.
pub(super) fn timeline(rate: Value) -> Value {
    let text = |d: &str| json!({ "description": d, "type": "string", "maxLength": MAX_ID_CHARS });
    object(
        json!({
            "id": text("A name its author gives"),
            "version": text("The version of the document, not of the language"),
            "frameRate": rate,
            "baseResolution": of("canvas", "The resolution the document is drawn for, in pixels; this or canvas"),
        }),
        &[],
    )
}

pub(super) fn tracks() -> [(String, Value); 5] {
    // A cue's content may have its fields from properties and styles too, so that only its type is sure.
    let content = json!({
        "description": "A layer; its id and z are the cue's",
        "type": "object", "properties": { "type": { "enum": Content::NAMES } }
    });
    let cue = json!({
        "id": of("name", "Unique in the scene"),
        "start": of("span", "When it comes, since the scene was shown"),
        "duration": of("span", "For how long; to the end, or to the next cue of its track, when left out"),
        "layer": { "description": "A higher one covers a lower one of its track", "type": "integer", "minimum": -1000, "maximum": 1000 },
        "content": content,
        "assetRef": of("name", "Id of the asset that it shows"),
        "transition": of("cueTransition", "How it comes and goes"),
        "properties": { "description": "Fields of the layer; they win over those of content and styles", "type": "object" },
        "automation": of("layerAutomation", "Over time, counted from its start"),
        "sync": {
            "description": "What it waits for: an id under sync, a directive, or both in one object",
            "anyOf": [{ "$ref": "#/$defs/name" }, { "$ref": "#/$defs/directive" }, { "$ref": "#/$defs/sync" }]
        },
        "fallback": content,
    });
    let sync = json!({
        "await": of("directive", "What"),
        "timeout": of("span", "How long at most; for ever when left out"),
        "then": { "description": "What happens then; continue when left out", "enum": Then::NAMES },
    });
    let mut cue = object(cue, &["id", "start"]);
    if let Some(c) = cue.as_object_mut() {
        c.insert("oneOf".into(), json!([{ "required": ["content"] }, { "required": ["assetRef"] }]));
    }
    [
        ("track", object(json!({
            "id": of("name", "Unique in the scene"),
            "type": { "description": "What it is for, which says where it stacks; free when left out", "enum": TrackKind::NAMES },
            "cues": { "type": "array", "maxItems": MAX_CUES, "items": { "$ref": "#/$defs/cue" } },
        }), &["id", "cues"])),
        ("cue", cue),
        ("cueTransition", object(json!({
            "in": of("transition", "How it comes; a cut when left out"),
            "out": of("transition", "How it goes; a cut when left out"),
        }), &[])),
        ("step", object(json!({
            "id": of("name", "Unique in the scene"),
            "at": of("span", "In the scene's time; later than the one before it"),
        }), &["id", "at"])),
        ("sync", object(sync, &["await"])),
    ]
    .map(|(name, def)| (name.to_owned(), def))
}
