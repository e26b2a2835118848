//! The language as a JSON Schema (2020-12), for editors and for programs that write documents.
//!
//! It is made from the reader's own limits and lists of names. A test compares the fields of every object with what
//! the reader says it knows, so the two cannot drift apart. What a schema cannot say (ids twice, references, the order
//! of keyframes) only [`check`](crate::check()) finds.
//!
//! | file | duty |
//! |---|---|
//! | `document.rs` | tokens |
//! | `asset.rs` | assets and fallbacks |
//! | `scene.rs` | scenes, transitions, positions |
//! | `timeline.rs` | tracks, cues, steps, what cues wait for |
//! | `motion.rs` | automation |
//! | `layers.rs` | the types of layers |
//! | `widgets.rs` | gauges, QR codes, sequences of pictures |
//! | `values.rs` | values without structure |

mod asset;
mod document;
mod insets;
mod layers;
mod motion;
mod scene;
mod timeline;
mod values;
mod widgets;

use serde_json::{Map, Value, json};

use crate::limits::*;
use crate::model::{Content, Document};
use asset::{asset, rights_and_fallbacks};
use document::{token, tokens};
use layers::{decoration, gradient, layers, looks, run};
use motion::{automation, layer_automation};
use scene::{position, scene, transition, transitions, variant};
use timeline::{timeline, tracks};
use values::values;

/// The schema of a document.
pub fn schema() -> Value {
    let mut root = object(
        json!({
            "$schema": { "type": "string", "description": "The address of this schema, for editors" },
            "ocl": { "description": "Version of the language", "type": "string", "pattern": r"^1\.[0-9]+(\.[0-9]+)?$" },
            "title": { "description": "A name for people", "type": "string", "maxLength": MAX_TEXT_CHARS },
            "strict": { "description": "What the program does not know is an error, and nothing is left out", "type": "boolean" },
            "locale": {
                "description": "The language in which numbers, dates and times are written: de, pt-PT, hi-u-nu-deva", "type": "string",
                "pattern": "^[A-Za-z0-9]{2,8}([-_][A-Za-z0-9]{1,8})*$", "default": "en"
            },
            "requires": {
                "description": "What a program must be able to do for the document to play as it is written", "type": "array",
                "maxItems": MAX_REQUIRES, "items": { "$ref": "#/$defs/name" }
            },
            "timeline": of("timeline", "What it is called, what timecodes count in, and the base resolution"),
            "canvas": {
                "description": "The resolution the document is drawn for, in pixels",
                "$ref": "#/$defs/canvas"
            },
            "tokens": named("Slots for live data, by name", "token", MAX_TOKENS),
            "assets": named("Files, by id", "asset", MAX_ASSETS),
            "fallbacks": of("fallbacks", "What is shown in place of things without a fallback of their own"),
            "styles": {
                "description": "Bundles of properties that layers refer to", "type": "object",
                "propertyNames": { "$ref": "#/$defs/name" }, "maxProperties": MAX_STYLES,
                "additionalProperties": { "type": "object", "not": { "anyOf": [{ "required": ["id"] }, { "required": ["type"] }] } }
            },
            "sync": named("Things that cues may wait for, by id", "sync", MAX_SYNCS),
            "scenes": {
                "description": "What comes on and goes off together",
                "type": "array", "minItems": 1, "maxItems": MAX_SCENES, "items": { "$ref": "#/$defs/scene" }
            }
        }),
        &["ocl", "scenes"],
    );
    let mut defs = Map::new();
    let side = json!({ "type": "integer", "minimum": 16, "maximum": MAX_EXTENT });
    defs.insert("canvas".into(), object(json!({ "width": side, "height": side }), &["width", "height"]));
    let rate = json!({
        "description": "Frames per second: 25, 29.97, \"30000/1001\"", "type": ["number", "string"],
        "exclusiveMinimum": 0, "pattern": r"^[0-9]+(\.[0-9]+|/[0-9]+)?$"
    });
    defs.insert("timeline".into(), timeline(rate));
    defs.insert("token".into(), token());
    defs.extend(tokens());
    defs.insert("asset".into(), asset());
    defs.extend(rights_and_fallbacks());
    defs.insert("scene".into(), scene());
    defs.insert("variant".into(), variant());
    defs.insert("transition".into(), transition());
    defs.extend(transitions());
    defs.extend(tracks());
    defs.insert("position".into(), position());
    defs.insert("automation".into(), automation());
    defs.insert("layerAutomation".into(), layer_automation());
    defs.extend(looks());
    let kinds: Vec<Value> = Content::NAMES.iter().map(|k| json!({ "$ref": format!("#/$defs/{k}") })).collect();
    defs.insert("layer".into(), json!({ "description": "One thing drawn", "oneOf": kinds }));
    defs.extend(gradient());
    defs.extend(decoration());
    defs.insert("run".into(), run());
    defs.insert("sequence".into(), widgets::sequence());
    defs.extend(layers());
    defs.extend(values());
    if let Some(r) = root.as_object_mut() {
        r.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        r.insert("title".into(), format!("Overlay Composition Language 1.{}", crate::read::MINOR).into());
        r.insert("oneOf".into(), json!([
            { "required": ["canvas"], "not": { "properties": { "timeline": { "required": ["baseResolution"] } }, "required": ["timeline"] } },
            { "properties": { "timeline": { "required": ["baseResolution"] } }, "required": ["timeline"], "not": { "required": ["canvas"] } }
        ]));
        r.insert("$defs".into(), Value::Object(defs));
    }
    root
}

impl Document {
    /// The document's tokens as a JSON Schema of one object, from which a form can be made.
    pub fn data_schema(&self) -> Value {
        let tokens: Map<String, Value> = self.tokens.iter().map(|(name, t)| (name.clone(), t.schema(name))).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.title,
            "type": "object",
            "additionalProperties": false,
            "properties": tokens,
        })
    }
}

/// An object with these fields and vendors' `x-` fields, and no others.
fn object(fields: Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": fields,
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
        "required": required,
    })
}

/// An object whose keys are names.
fn named(description: &str, def: &str, most: usize) -> Value {
    json!({
        "description": description,
        "type": "object",
        "propertyNames": { "$ref": "#/$defs/name" },
        "maxProperties": most,
        "additionalProperties": { "$ref": format!("#/$defs/{def}") },
    })
}

fn of(def: &str, description: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{def}"), "description": description })
}

fn number(least: f64, most: f64, description: &str) -> Value {
    json!({ "type": "number", "minimum": least, "maximum": most, "description": description })
}

fn extend(object: &mut Value, fields: Value) {
    if let (Some(o), Value::Object(f)) = (object.as_object_mut(), fields) {
        o.extend(f);
    }
}
