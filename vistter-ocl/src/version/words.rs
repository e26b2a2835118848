//! The words of OCL 1.0: the fields of each object, and the names that stand in lists which have grown since. It is what
//! 1.0 was, and never changes again.

use serde_json::{Map, Value};
use vistter_core::diagnose::Diagnostic;

/// What stands in a field.
#[derive(Clone, Copy)]
enum Is {
    /// A value that has no words of the language in it.
    Plain,
    /// One of these names.
    Name(&'static [&'static str]),
    /// A text with tokens.
    Text,
    /// An object, a list of objects, an object with an object for each key.
    One(Kind),
    List(Kind),
    Each(Kind),
    /// A list of layers, or changes of them by their ids.
    Layers,
}

/// The kinds of objects that have names of their own in it.
#[derive(Clone, Copy)]
enum Kind {
    Document,
    Timeline,
    Token,
    Asset,
    Sequence,
    Scene,
    Variant,
    Way,
    Motion,
    Layer,
    Moves,
    Position,
    Mask,
    Layout,
    Run,
}

const LAYERS: &[&str] = &["image", "rect", "ellipse", "progress", "gauge", "qr", "text", "ticker", "group"];
const WAYS: &[&str] = &["cut", "fade", "wipe", "slide", "push", "zoom", "dip"];
const BLENDS: &[&str] = &["normal", "multiply", "screen", "overlay", "add", "darken", "lighten"];
const FILTERS: &[&str] =
    &["upper", "lower", "trim", "truncate", "pad", "number", "date", "countdown", "countup", "default"];
const NUMBERS: &[&str] = &["en", "de", "fr", "ch", "plain"];
const TOKENS: &[&str] = &["string", "number", "integer", "date"];

/// The fields of a kind of object.
#[rustfmt::skip]
fn fields(kind: Kind) -> &'static [(&'static str, Is)] {
    use Is::{Each, Layers, List, Name, One, Plain, Text};
    match kind {
        Kind::Document => &[
            ("$schema", Plain), ("ocl", Plain), ("title", Plain), ("canvas", Plain), ("timeline", One(Kind::Timeline)),
            ("tokens", Each(Kind::Token)), ("assets", Each(Kind::Asset)), ("scenes", List(Kind::Scene)),
        ],
        Kind::Timeline => &[("frameRate", Plain)],
        Kind::Token => &[
            ("type", Name(TOKENS)), ("default", Plain), ("label", Plain), ("description", Plain), ("minimum", Plain),
            ("maximum", Plain), ("maxLength", Plain), ("choices", Plain),
        ],
        Kind::Asset => &[("path", Plain), ("sequence", One(Kind::Sequence))],
        Kind::Sequence => &[
            ("first", Plain), ("last", Plain), ("frameRate", Plain), ("plays", Plain),
            ("missing", Name(&["hold", "skip", "fallback"])), ("fallback", Plain),
        ],
        Kind::Scene => &[
            ("id", Plain), ("in", One(Kind::Way)), ("out", One(Kind::Way)), ("automation", One(Kind::Motion)),
            ("layers", Layers), ("variants", Each(Kind::Variant)),
        ],
        Kind::Variant => &[
            ("canvas", Plain), ("in", One(Kind::Way)), ("out", One(Kind::Way)), ("automation", One(Kind::Motion)),
            ("layers", Layers),
        ],
        Kind::Way => &[
            ("type", Name(WAYS)), ("duration", Plain), ("easing", Plain), ("interrupted", Plain), ("side", Plain),
            ("matte", Name(&["linear", "radial", "diamond", "clock", "image"])), ("angle", Plain), ("asset", Plain),
            ("softness", Plain), ("invert", Plain), ("from", Plain), ("color", Plain),
        ],
        Kind::Motion => &[("opacity", Plain), ("position", Plain)],
        Kind::Moves => &[
            ("opacity", Plain), ("position", Plain), ("scale", Plain), ("rotation", Plain), ("crop", Plain),
            ("size", Plain), ("radius", Plain), ("color", Plain),
        ],
        Kind::Position => &[("anchor", Plain), ("within", Plain), ("x", Plain), ("y", Plain)],
        Kind::Mask => &[
            ("shape", Name(&["rect", "ellipse", "image"])), ("mode", Plain), ("invert", Plain), ("anchor", Plain),
            ("x", Plain), ("y", Plain), ("width", Plain), ("height", Plain), ("feather", Plain), ("radius", Plain),
            ("asset", Plain), ("channel", Plain),
        ],
        Kind::Layout => &[
            ("type", Name(&["row", "column"])), ("gap", Plain), ("align", Plain), ("justify", Plain), ("padding", Plain),
        ],
        Kind::Run => &[
            ("text", Text), ("color", Plain), ("weight", Plain), ("italic", Plain), ("font", Plain), ("size", Plain),
        ],
        // Those of all types together: a field that stands at a wrong type is wrong in every version.
        Kind::Layer => &[
            ("id", Plain), ("type", Name(LAYERS)), ("z", Plain), ("position", One(Kind::Position)), ("opacity", Plain),
            ("automation", One(Kind::Moves)), ("blend", Name(BLENDS)), ("masks", List(Kind::Mask)), ("scale", Plain),
            ("rotation", Plain), ("pivot", Plain), ("crop", Plain), ("smooth", Plain), ("change", Plain),
            ("asset", Plain), ("width", Plain), ("height", Plain), ("fit", Plain), ("plays", Plain), ("radius", Plain),
            ("color", Plain), ("gradient", Plain), ("value", Text), ("minimum", Plain), ("maximum", Plain), ("to", Plain),
            ("track", Plain), ("size", Plain), ("thickness", Plain), ("start", Plain), ("sweep", Plain), ("ends", Plain),
            ("text", Text), ("runs", List(Kind::Run)), ("level", Plain), ("quiet", Plain), ("background", Plain),
            ("weight", Plain), ("italic", Plain), ("font", Plain), ("digits", Plain), ("tracking", Plain),
            ("outline", Plain), ("shadow", Plain), ("align", Plain), ("maxWidth", Plain), ("wrap", Plain),
            ("maxLines", Plain), ("minSize", Plain), ("gap", Plain), ("speed", Plain), ("clip", Plain),
            ("layout", One(Kind::Layout)), ("layers", Layers),
        ],
    }
}

/// Everything in a document that 1.0 has no words for.
pub(super) fn beyond(document: &Map<String, Value>) -> Vec<Diagnostic> {
    let mut lost = Vec::new();
    object(document, Kind::Document, "", &mut lost);
    lost
}

fn object(map: &Map<String, Value>, kind: Kind, at: &str, lost: &mut Vec<Diagnostic>) {
    for (key, v) in map.iter().filter(|(k, _)| !k.starts_with("x-")) {
        let at = child(at, key);
        // the one field that another type of layer got later
        if matches!(kind, Kind::Layer) && key == "value" && v.is_number() {
            lost.push(no_word(&at, key));
            continue;
        }
        // lengths that grew with the font size came later
        let lengths = ["outline", "shadow", "background", "minSize", "gap"];
        if (matches!(kind, Kind::Layer) && lengths.contains(&key.as_str()))
            || (matches!(kind, Kind::Run) && key == "size")
        {
            ems(v, &at, lost);
        }
        match fields(kind).iter().find(|(name, _)| name == key) {
            Some((_, is)) => value(v, *is, &at, lost),
            None => lost.push(no_word(&at, key)),
        }
    }
}

fn value(v: &Value, is: Is, at: &str, lost: &mut Vec<Diagnostic>) {
    let mut each = |kind: Kind, parts: &mut dyn Iterator<Item = (String, &Value)>| {
        for (key, v) in parts {
            if let Value::Object(map) = v {
                object(map, kind, &child(at, &key), lost);
            }
        }
    };
    let listed = |v: &Value| v.as_array().cloned().unwrap_or_default();
    match (is, v) {
        (Is::Plain, _) => {}
        (Is::Name(known), Value::String(name)) if !known.contains(&name.as_str()) => lost.push(no_word(at, name)),
        (Is::Text, Value::String(s)) => text(s, at, lost),
        (Is::One(kind), Value::Object(map)) => object(map, kind, at, lost),
        (Is::List(kind), _) => each(kind, &mut listed(v).iter().enumerate().map(|(i, v)| (i.to_string(), v))),
        (Is::Layers, Value::Array(list)) => {
            each(Kind::Layer, &mut list.iter().enumerate().map(|(i, v)| (i.to_string(), v)));
        }
        (Is::Layers, Value::Object(map)) => each(Kind::Layer, &mut map.iter().map(|(k, v)| (k.clone(), v))),
        (Is::Each(kind), Value::Object(map)) => each(kind, &mut map.iter().map(|(k, v)| (k.clone(), v))),
        _ => {}
    }
}

/// Lengths in font sizes.
fn ems(v: &Value, at: &str, lost: &mut Vec<Diagnostic>) {
    match v {
        Value::String(s) if s.ends_with("em") => lost.push(no_word(at, s)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| ems(v, &format!("{at}/{i}"), lost)),
        Value::Object(map) => map.iter().for_each(|(k, v)| ems(v, &child(at, k), lost)),
        _ => {}
    }
}

/// What stands between the braces of a text.
fn text(s: &str, at: &str, lost: &mut Vec<Diagnostic>) {
    for body in s.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(body, _)| body) {
        let mut parts = body.split('|');
        let name = parts.next().unwrap_or_default().trim();
        if name.contains('@') {
            lost.push(no_word(at, name));
        }
        if let Some(letter) = later_letter(body) {
            lost.push(no_word(at, &format!("%{letter}")));
        }
        // a clock has a form and a zone there, a timer may begin with what it counts to
        if name.starts_with("clock") {
            continue;
        }
        for part in parts {
            let mut fields = part.trim_start().splitn(3, ':');
            let filter = fields.next().unwrap_or_default().trim();
            let style = fields.nth(1).map(str::trim);
            if !FILTERS.contains(&filter) {
                lost.push(no_word(at, filter));
            } else if let Some(style) = style.filter(|s| filter == "number" && !NUMBERS.contains(s)) {
                lost.push(no_word(at, &format!("number in {style}")));
            }
        }
    }
}

/// A letter of a date or a time that 1.0 did not have.
fn later_letter(format: &str) -> Option<char> {
    let mut it = format.chars();
    while let Some(c) = it.next() {
        if c == '%'
            && let Some(letter @ ('x' | 'X')) = it.next()
        {
            return Some(letter);
        }
    }
    None
}

fn child(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn no_word(at: &str, what: &str) -> Diagnostic {
    Diagnostic::error("OCL-DOWNGRADE", at, format!("OCL 1.0 has no \"{what}\""))
        .help("take it out, or keep the version")
}
