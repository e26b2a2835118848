//! Tokens.

use serde_json::{Map, Value, json};

use super::{extend, object};
use crate::limits::*;
use crate::token::TokenKind;

/// Which fields a token has depends on its type; without one it is a string.
pub(super) fn token() -> Value {
    let is = |names: &[&str]| json!({ "required": ["type"], "properties": { "type": { "enum": names } } });
    json!({
        "if": is(&["number", "integer"]), "then": { "$ref": "#/$defs/numberToken" },
        "else": {
            "if": is(&["date"]), "then": { "$ref": "#/$defs/dateToken" },
            "else": { "$ref": "#/$defs/stringToken" }
        }
    })
}

pub(super) fn tokens() -> Map<String, Value> {
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
