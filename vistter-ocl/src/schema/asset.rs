//! Assets, and what is shown in place of things that cannot be.

use serde_json::{Map, Value, json};

use super::{object, of};
use crate::limits::*;
use crate::model::{Fallback, MediaType};

pub(super) fn asset() -> Value {
    let text =
        |what: &str| json!({ "description": what, "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS });
    let url = json!({
        "description": "Where the file comes from, together with sha256; it is read from the store beside the document",
        "type": "string", "pattern": r"^[hH][tT][tT][pP][sS]://[^\s/?#@:][^\s/?#@]*([/?#]\S*)?$", "maxLength": MAX_URL_CHARS
    });
    let mut asset = object(
        json!({
            "path": text("Path relative to the document, in its folder or below"),
            "url": url,
            "sequence": of("sequence", "The path names many files: # stands for the digits"),
            "sha256": {
                "description": "What the file's content must be: its SHA-256, as sha256sum prints it",
                "type": "string", "pattern": "^[0-9A-Fa-f]{64}$"
            },
            "mediaType": {
                "description": format!("What the file must be: {}", MediaType::NAMES.join(", ")),
                "type": "string", "maxLength": MAX_TEXT_CHARS
            },
            "rights": {
                "description": "What it may be used for; it is shown while all of them hold", "type": "array", "maxItems": MAX_RIGHTS,
                "items": { "anyOf": [ { "type": "string", "maxLength": MAX_TEXT_CHARS }, { "$ref": "#/$defs/right" } ] }
            },
            "fallback": of("assetFallback", "What is shown when it cannot be"),
        }),
        &[],
    );
    if let Some(a) = asset.as_object_mut() {
        let places = json!([
            { "required": ["path"], "not": { "required": ["url"] } },
            { "required": ["url", "sha256"], "not": { "anyOf": [{ "required": ["path"] }, { "required": ["sequence"] }] } }
        ]);
        a.insert("oneOf".into(), places);
    }
    asset
}

pub(super) fn rights_and_fallbacks() -> Map<String, Value> {
    let text = |what: &str| json!({ "description": what, "type": "string", "maxLength": MAX_TEXT_CHARS });
    let moment = |what: &str| {
        json!({
            "description": format!("{what}: a day in UTC, or a time with its zone"), "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9:]{1,5}))?$"
        })
    };
    let right = object(
        json!({
            "tag": text("What for, in the words of whoever keeps the rights"),
            "holder": text("Who gave it"),
            "from": moment("When it begins"),
            "until": moment("When it ends; a day alone is its end"),
        }),
        &["tag"],
    );
    let of_asset = json!({ "anyOf": [
        { "enum": Fallback::NAMES },
        object(json!({ "asset": of("name", "Another asset") }), &["asset"]),
        object(json!({ "color": of("color", "Fills the layer's box") }), &["color"]),
    ] });
    let of_scene = json!({ "anyOf": [
        { "const": "hide" },
        object(json!({ "scene": of("name", "Another scene") }), &["scene"]),
    ] });
    let fallbacks = object(
        json!({
            "picture": of("assetFallback", "For pictures of every kind"),
            "font": of("assetFallback", "For fonts; the bundled one when left out"),
            "scene": of("sceneFallback", "For scenes"),
        }),
        &[],
    );
    [("right", right), ("assetFallback", of_asset), ("sceneFallback", of_scene), ("fallbacks", fallbacks)]
        .map(|(name, def)| (name.to_owned(), def))
        .into_iter()
        .collect()
}
