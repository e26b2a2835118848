//! The language as a JSON Schema (2020-12), for editors and for programs that write documents.
//!
//! It is made from the reader's own limits and lists of names. A test compares the fields of every object with what
//! the reader says it knows, so the two cannot drift apart. What a schema cannot say (ids twice, references, the order
//! of keyframes) only [`check`](crate::check()) finds.

use serde_json::{Map, Value, json};

use crate::filter::FILTERS;
use crate::limits::*;
use crate::model::{Anchor, Breaks, Content, Document, Easing, Repeat, Side, Style, Within};
use crate::token::TokenKind;

/// The schema of a document.
pub fn schema() -> Value {
    let mut root = object(
        json!({
            "$schema": { "type": "string", "description": "The address of this schema, for editors" },
            "ocl": { "description": "Version of the language", "type": "string", "pattern": r"^1\.[0-9]+$" },
            "title": { "description": "A name for people", "type": "string", "maxLength": MAX_TEXT_CHARS },
            "timeline": of("timeline", "What timecodes count in"),
            "canvas": {
                "description": "The resolution the document is drawn for, in pixels",
                "$ref": "#/$defs/canvas"
            },
            "tokens": named("Slots for live data, by name", "token", MAX_TOKENS),
            "assets": named("Files, by id", "asset", MAX_ASSETS),
            "scenes": {
                "description": "What comes on and goes off together",
                "type": "array", "minItems": 1, "maxItems": MAX_SCENES, "items": { "$ref": "#/$defs/scene" }
            }
        }),
        &["ocl", "canvas", "scenes"],
    );
    let mut defs = Map::new();
    let side = json!({ "type": "integer", "minimum": 16, "maximum": MAX_EXTENT });
    defs.insert("canvas".into(), object(json!({ "width": side, "height": side }), &["width", "height"]));
    let rate = json!({
        "description": "Frames per second: 25, 29.97, \"30000/1001\"", "type": ["number", "string"],
        "exclusiveMinimum": 0, "pattern": r"^[0-9]+(\.[0-9]+|/[0-9]+)?$"
    });
    defs.insert("timeline".into(), object(json!({ "frameRate": rate }), &[]));
    defs.insert("token".into(), token());
    defs.extend(tokens());
    defs.insert("asset".into(), asset());
    defs.insert("scene".into(), scene());
    defs.insert("transition".into(), transition());
    defs.extend(transitions());
    defs.insert("position".into(), position());
    defs.insert("automation".into(), automation());
    let kinds: Vec<Value> = Content::NAMES.iter().map(|k| json!({ "$ref": format!("#/$defs/{k}") })).collect();
    defs.insert("layer".into(), json!({ "description": "One thing drawn", "oneOf": kinds }));
    defs.extend(gradient());
    defs.extend(decoration());
    defs.extend(layers());
    defs.extend(values());
    if let Some(r) = root.as_object_mut() {
        r.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        r.insert("title".into(), "Overlay Composition Language 1.0".into());
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

/// Which fields a token has depends on its type; without one it is a string.
fn token() -> Value {
    let is = |names: &[&str]| json!({ "required": ["type"], "properties": { "type": { "enum": names } } });
    json!({
        "if": is(&["number", "integer"]), "then": { "$ref": "#/$defs/numberToken" },
        "else": {
            "if": is(&["date"]), "then": { "$ref": "#/$defs/dateToken" },
            "else": { "$ref": "#/$defs/stringToken" }
        }
    })
}

fn tokens() -> Map<String, Value> {
    let of_kind = |names: &[&str], more: Value| {
        let mut fields = json!({
            "type": { "description": "What a value may be; string when left out", "enum": names },
            "default": { "description": "The value until one is set", "type": ["string", "number"], "maxLength": MAX_TOKEN_CHARS },
            "label": { "description": "What a form calls it", "type": "string", "maxLength": MAX_TEXT_CHARS },
            "description": { "description": "What a form says about it", "type": "string", "maxLength": MAX_TEXT_CHARS },
        });
        extend(&mut fields, more);
        object(fields, &[])
    };
    let string = json!({
        "default": { "description": "The value until one is set", "type": "string", "maxLength": MAX_TOKEN_CHARS },
        "maxLength": {
            "description": "Characters it may have", "type": "integer",
            "minimum": 1, "maximum": MAX_TOKEN_CHARS, "default": DEFAULT_TOKEN_CHARS
        },
        "choices": {
            "description": "The values there are", "type": "array", "minItems": 1, "maxItems": MAX_CHOICES,
            "items": { "type": "string", "maxLength": MAX_TOKEN_CHARS }
        },
    });
    let numbers = json!({
        "minimum": { "description": "The least value", "type": "number" },
        "maximum": { "description": "The greatest value", "type": "number" },
    });
    let [text, number, integer, date] = TokenKind::NAMES;
    [
        ("stringToken", of_kind(&[text], string)),
        ("numberToken", of_kind(&[number, integer], numbers)),
        ("dateToken", of_kind(&[date], json!({}))),
    ]
    .map(|(name, def)| (name.to_owned(), def))
    .into_iter()
    .collect()
}

fn asset() -> Value {
    let path = json!({ "description": "Path relative to the document, in its folder or below", "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS });
    object(json!({ "path": path }), &["path"])
}

fn scene() -> Value {
    object(
        json!({
            "id": of("name", "Unique in the document"),
            "in": of("transition", "How it comes on; a cut when left out"),
            "out": of("transition", "How it goes off; a cut when left out"),
            "automation": of("automation", "Over time, for the whole scene"),
            "layers": { "type": "array", "maxItems": MAX_LAYERS, "items": { "$ref": "#/$defs/layer" } },
        }),
        &["id", "layers"],
    )
}

/// Which fields a transition has depends on its type.
fn transition() -> Value {
    let defs = Style::NAMES.map(|n| json!({ "$ref": format!("#/$defs/{n}Transition") }));
    json!({ "oneOf": defs })
}

fn transitions() -> Map<String, Value> {
    let of_type = |name: &'static str| {
        let mut fields = json!({ "type": { "const": name } });
        if name != "cut" {
            extend(
                &mut fields,
                json!({
                    "duration": of("span", "How long"),
                    "easing": of("easing", "How it runs in that time; evenly when left out"),
                }),
            );
        }
        if matches!(name, "wipe" | "slide") {
            let side =
                json!({ "description": "Where it comes from, or goes to; left when left out", "enum": Side::NAMES });
            extend(&mut fields, json!({ "side": side }));
        }
        let required: &[&str] = if name == "cut" { &["type"] } else { &["type", "duration"] };
        (format!("{name}Transition"), object(fields, required))
    };
    Style::NAMES.map(of_type).into_iter().collect()
}

fn position() -> Value {
    let most = MAX_EXTENT;
    object(
        json!({
            "anchor": { "description": "This point of the layer stands on the same point of the canvas", "enum": Anchor::NAMES },
            "within": { "description": "The part of the picture that the anchor refers to", "enum": Within::NAMES },
            "x": number(-most, most, "Moved right, in base pixels"),
            "y": number(-most, most, "Moved down, in base pixels"),
        }),
        &[],
    )
}

fn keyframes(value: Value) -> Value {
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

fn automation() -> Value {
    let most = MAX_EXTENT;
    let offset = json!({ "type": "number", "minimum": -most, "maximum": most });
    let point = json!({ "type": "array", "prefixItems": [offset, offset], "items": false, "minItems": 2 });
    object(json!({ "opacity": keyframes(number(0.0, 1.0, "0 is not there")), "position": keyframes(point) }), &[])
}

/// What goes round a text and under it.
fn decoration() -> [(String, Value); 3] {
    let far = MAX_PADDING;
    let padding = json!({ "type": "number", "minimum": 0, "maximum": far });
    let both = json!({ "type": "array", "prefixItems": [padding, padding], "items": false, "minItems": 2 });
    [
        ("outline", json!({ "width": number(0.5, MAX_OUTLINE, "Base pixels"), "color": of("color", "Its colour") }), &["width", "color"][..]),
        (
            "shadow",
            json!({
                "x": number(-far, far, "Moved right, in base pixels"), "y": number(-far, far, "Moved down"),
                "color": of("color", "Its colour"),
            }),
            &["color"],
        ),
        (
            "background",
            json!({
                "color": of("color", "Fill"),
                "padding": { "description": "All round, or [left and right, top and bottom]", "anyOf": [padding, both] },
                "radius": number(0.0, MAX_EXTENT, "Corner radius"),
            }),
            &["color"],
        ),
    ]
    .map(|(name, fields, required)| (name.to_owned(), object(fields, required)))
}

/// One definition for each type of layer.
fn layers() -> Map<String, Value> {
    let length = |d: &str| number(1.0, MAX_EXTENT, d);
    let mut text = json!({
        "text": of("template", "What it says"),
        "size": number(MIN_TEXT_SIZE, MAX_TEXT_SIZE, "Font size in base pixels"),
        "weight": { "enum": ["regular", "bold"] },
        "color": of("color", "Fill; white when left out"),
        "tracking": number(-200.0, 1000.0, "Space after each character, in thousandths of the size"),
        "outline": of("outline", "A line round the letters"),
        "shadow": of("shadow", "The letters once more, behind themselves"),
    });
    let mut ticker = text.clone();
    extend(
        &mut text,
        json!({
            "align": { "description": "How lines stand in the box", "enum": ["left", "center", "right"] },
            "width": length("Width of the box"),
            "maxWidth": length("Lines longer than this are wrapped, or end in an ellipsis"),
            "wrap": { "description": "Where lines that are too long are broken; needs a width", "enum": Breaks::NAMES },
            "maxLines": { "description": "Lines beyond this are not drawn", "type": "integer", "minimum": 1, "maximum": MAX_LINES },
            "minSize": number(MIN_TEXT_SIZE, MAX_TEXT_SIZE, "The size may shrink to this so that the text fits; needs a width"),
            "background": of("background", "A box behind the text"),
        }),
    );
    extend(
        &mut ticker,
        json!({
            "width": length("Width of the window"),
            "gap": number(0.0, MAX_EXTENT, "Space between the end of the text and its next start"),
            "speed": number(1.0, MAX_TICKER_SPEED, "Base pixels per second"),
        }),
    );
    let kinds = [
        (
            "image",
            json!({ "asset": of("name", "Id of an asset"), "width": length("Width"), "height": length("Height") }),
            &["asset"][..],
        ),
        ("rect", shape(json!({})), &["width", "height"]),
        (
            "progress",
            shape(json!({
                "value": of("template", "The number that says how far it is filled"),
                "minimum": { "description": "The bar is empty at this number; 0 when left out", "type": "number" },
                "maximum": { "description": "The bar is full at this number; 100 when left out", "type": "number" },
                "to": { "description": "Where it is full last; right when left out", "enum": Side::NAMES },
                "track": of("color", "What is behind the full part"),
            })),
            &["value", "width", "height"],
        ),
        ("text", text, &["text", "size"]),
        ("ticker", ticker, &["text", "size", "width", "speed"]),
    ];
    kinds.into_iter().map(|(kind, fields, required)| (kind.to_owned(), layer(kind, fields, required))).collect()
}

/// The fields of a filled shape, and these.
fn shape(more: Value) -> Value {
    let mut fields = json!({
        "width": number(1.0, MAX_EXTENT, "Width"), "height": number(1.0, MAX_EXTENT, "Height"),
        "radius": number(0.0, MAX_EXTENT, "Corner radius"),
        "color": of("color", "Fill; this or a gradient"),
        "gradient": of("gradient", "Fill; this or a colour"),
    });
    extend(&mut fields, more);
    fields
}

fn gradient() -> [(String, Value); 2] {
    let stop = object(
        json!({ "at": number(0.0, 1.0, "Place along the line"), "color": of("color", "Colour there") }),
        &["at", "color"],
    );
    let fields = json!({
        "angle": number(-360.0, 360.0, "Where the line points, in degrees: 0 right, 90 down"),
        "stops": { "type": "array", "minItems": 2, "maxItems": MAX_STOPS, "items": { "$ref": "#/$defs/stop" } },
    });
    [("gradient".to_owned(), object(fields, &["stops"])), ("stop".to_owned(), stop)]
}

fn layer(kind: &str, fields: Value, required: &[&str]) -> Value {
    let mut all = json!({
        "id": of("name", "Unique in the scene"),
        "type": { "const": kind },
        "z": { "description": "A higher layer covers a lower one", "type": "integer", "minimum": -1000, "maximum": 1000 },
        "position": of("position", "Where it stands"),
        "opacity": number(0.0, 1.0, "0 is not there"),
        "automation": of("automation", "Over time; replaces the fixed values"),
    });
    extend(&mut all, fields);
    let required: Vec<&str> = ["id", "type"].into_iter().chain(required.iter().copied()).collect();
    let mut def = object(all, &required);
    if let (Some(d), "rect" | "progress") = (def.as_object_mut(), kind) {
        d.insert("oneOf".into(), json!([{ "required": ["color"] }, { "required": ["gradient"] }]));
    }
    def
}

fn extend(object: &mut Value, fields: Value) {
    if let (Some(o), Value::Object(f)) = (object.as_object_mut(), fields) {
        o.extend(f);
    }
}

/// Every way to write a time, with white space around it.
const TIME: &str = concat!(
    r"^\s*(t\+)?\s*(",
    r"[0-9]+(\.[0-9]+)?\s*s?|[0-9]+\s*f",
    r"|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?",
    r"|[0-9]{2}:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9}|[:;][0-9]{2})?",
    r")\s*$",
);

/// Values without structure.
fn values() -> Map<String, Value> {
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
