//! The types of layers.

use serde_json::{Map, Value, json};

use super::widgets::{plays, widgets};
use super::{extend, number, object, of};
use crate::limits::*;
use crate::model::{Align, Anchor, Blend, Breaks, Fit, Justify, Layout, Line, MaskMode, MaskShape, Side};

/// What goes round a text and under it.
pub(super) fn decoration() -> [(String, Value); 3] {
    let far = MAX_PADDING;
    let padding = or_em(json!({ "type": "number", "minimum": 0, "maximum": far }));
    let both = json!({ "type": "array", "prefixItems": [padding, padding], "items": false, "minItems": 2 });
    [
        ("outline", json!({ "width": or_em(number(0.5, MAX_OUTLINE, "Base pixels")), "color": of("color", "Its colour") }), &["width", "color"][..]),
        (
            "shadow",
            json!({
                "x": or_em(number(-far, far, "Moved right, in base pixels")), "y": or_em(number(-far, far, "Moved down")),
                "color": of("color", "Its colour"),
            }),
            &["color"],
        ),
        (
            "background",
            json!({
                "color": of("color", "Fill"),
                "padding": { "description": "All round, or [left and right, top and bottom]", "anyOf": [padding, both] },
                "radius": or_em(number(0.0, MAX_EXTENT, "Corner radius")),
            }),
            &["color"],
        ),
    ]
    .map(|(name, fields, required)| (name.to_owned(), object(fields, required)))
}

/// A part of a text.
pub(super) fn run() -> Value {
    object(
        json!({
            "text": of("template", "What it says"),
            "color": of("color", "Fill; as the text's when left out, and so are the others"),
            "weight": { "enum": ["regular", "bold"] },
            "italic": { "description": "Slanted letters", "type": "boolean" },
            "size": or_em(number(MIN_TEXT_SIZE, MAX_TEXT_SIZE, "Font size in base pixels")),
            "font": of("name", "Id of an asset that is a font"),
        }),
        &["text"],
    )
}

/// One definition for each type of layer.
pub(super) fn layers() -> Map<String, Value> {
    let length = |d: &str| number(1.0, MAX_EXTENT, d);
    let mut text = json!({
        "text": of("template", "What it says; this or runs"),
        "runs": {
            "description": "What it says, in parts that look different; this or text",
            "type": "array", "minItems": 1, "maxItems": MAX_RUNS, "items": { "$ref": "#/$defs/run" }
        },
        "font": of("name", "Id of an asset that is a font; Noto Sans when left out"),
        "italic": { "description": "Slanted letters", "type": "boolean" },
        "digits": { "description": "Whether all digits are equally wide; they are when left out", "enum": ["tabular", "proportional"] },
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
            "value": number(-MAX_NUMBER, MAX_NUMBER, "What {{value}} is in the text"),
            "align": { "description": "How lines stand in the box", "enum": Align::NAMES },
            "width": length("Width of the box"),
            "maxWidth": length("Lines longer than this are wrapped, or end in an ellipsis"),
            "wrap": { "description": "Where lines that are too long are broken; needs a width", "enum": Breaks::NAMES },
            "maxLines": { "description": "Lines beyond this are not drawn", "type": "integer", "minimum": 1, "maximum": MAX_LINES },
            "minSize": or_em(number(MIN_TEXT_SIZE, MAX_TEXT_SIZE, "The size may shrink to this so that the text fits; needs a width")),
            "background": of("background", "A box behind the text"),
        }),
    );
    extend(
        &mut ticker,
        json!({
            "width": length("Width of the window"),
            "gap": or_em(number(0.0, MAX_EXTENT, "Space between the end of the text and its next start")),
            "speed": number(1.0, MAX_TICKER_SPEED, "Base pixels per second"),
        }),
    );
    let kinds = [
        (
            "image",
            json!({
                "asset": of("name", "Id of an asset"), "width": length("Width"), "height": length("Height"),
                "fit": { "description": "How it fills a box of another shape; stretch when left out", "enum": Fit::NAMES },
                "plays": plays(),
            }),
            &["asset"][..],
        ),
        ("rect", shape(json!({})), &["width", "height"]),
        ("ellipse", ellipse(), &["width", "height"]),
        (
            "group",
            json!({
                "width": length("Width of its box; that of what it stands in when left out"),
                "height": length("Height of its box; that of what it stands in when left out"),
                "layout": of("layout", "How its layers stand to each other; where their positions say when left out"),
                "background": of("backing", "A box behind its layers, as large as the group's"),
                "clip": { "description": "What reaches over its box is not seen", "type": "boolean" },
                "layers": { "type": "array", "maxItems": MAX_LAYERS, "items": { "$ref": "#/$defs/layer" } },
            }),
            &["layers"],
        ),
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
        ("text", text, &["size"]),
        ("ticker", ticker, &["size", "width", "speed"]),
    ];
    kinds
        .into_iter()
        .chain(widgets())
        .chain(super::insets::insets())
        .map(|(kind, fields, required)| (kind.to_owned(), layer(kind, fields, required)))
        .collect()
}

fn ellipse() -> Value {
    let mut fields = shape(json!({}));
    if let Some(f) = fields.as_object_mut() {
        f.remove("radius");
    }
    fields
}

/// A mask, a layout, and the numbers of a look.
pub(super) fn looks() -> [(String, Value); 7] {
    let offset = |d: &str| number(-MAX_EXTENT, MAX_EXTENT, d);
    let mut mask = object(
        json!({
            "shape": { "description": "Its form", "enum": MaskShape::NAMES },
            "mode": { "description": "What it does with what the masks before it leave; add when left out", "enum": MaskMode::NAMES },
            "invert": { "description": "Everything but the shape", "type": "boolean" },
            "anchor": { "description": "This point of it stands on the same point of the layer's box", "enum": Anchor::NAMES },
            "x": offset("Moved right, in base pixels"),
            "y": offset("Moved down, in base pixels"),
            "width": number(1.0, MAX_EXTENT, "That of the layer's box when left out"),
            "height": number(1.0, MAX_EXTENT, "That of the layer's box when left out"),
            "feather": number(0.0, MAX_EXTENT, "Width of its soft edge"),
            "radius": number(0.0, MAX_EXTENT, "Corner radius of a rect"),
            "asset": of("name", "Id of an asset, for an image"),
            "channel": { "description": "What of an image says how much is seen; alpha when left out", "enum": ["alpha", "luma"] },
        }),
        &["shape"],
    );
    if let Some(m) = mask.as_object_mut() {
        m.insert("if".into(), json!({ "properties": { "shape": { "const": "image" } } }));
        m.insert("then".into(), json!({ "required": ["asset"] }));
    }
    let space = json!({ "type": "number", "minimum": 0, "maximum": MAX_EXTENT });
    let layout = object(
        json!({
            "type": { "description": "To the right, or down", "enum": Layout::NAMES },
            "gap": number(0.0, MAX_EXTENT, "Between two layers"),
            "align": { "description": "How they stand across; start when left out", "enum": Line::NAMES },
            "justify": { "description": "How they stand along; start when left out", "enum": Justify::NAMES },
            "padding": { "description": "All round, or [left and right, top and bottom]", "anyOf": [space, list(&space, 2)] },
        }),
        &["type"],
    );
    let most = json!({ "type": "number", "minimum": -MAX_SCALE, "maximum": MAX_SCALE });
    let side = |least: f64| json!({ "type": "number", "minimum": least, "maximum": MAX_EXTENT });
    [
        ("mask", mask),
        ("layout", layout),
        (
            "change",
            object(
                json!({ "duration": of("span", "How long"), "easing": of("easing", "How it runs in that time") }),
                &["duration"],
            ),
        ),
        (
            "backing",
            object(
                json!({ "color": of("color", "Fill"), "radius": number(0.0, MAX_EXTENT, "Corner radius") }),
                &["color"],
            ),
        ),
        ("scale", json!({ "anyOf": [most, list(&most, 2)] })),
        ("crop", list(&side(0.0), 4)),
        ("size", list(&side(1.0), 2)),
    ]
    .map(|(name, def)| (name.to_owned(), def))
}

/// A length in base pixels, or a part of what the layer stands in.
pub(super) fn or_percent(mut length: Value) -> Value {
    let description = length.as_object_mut().and_then(|l| l.remove("description"));
    json!({ "description": description, "anyOf": [length, { "$ref": "#/$defs/percent" }] })
}

/// A length in base pixels, or in font sizes.
fn or_em(mut length: Value) -> Value {
    let description = length.as_object_mut().and_then(|l| l.remove("description"));
    let mut all = json!({ "anyOf": [length, { "$ref": "#/$defs/em" }] });
    if let (Some(d), Some(a)) = (description, all.as_object_mut()) {
        a.insert("description".into(), d);
    }
    all
}

/// A list of so many of these.
pub(super) fn list(of: &Value, n: usize) -> Value {
    json!({ "type": "array", "minItems": n, "maxItems": n, "items": of })
}

/// The fields of a filled shape, and these.
pub(super) fn shape(more: Value) -> Value {
    let mut fields = json!({
        "width": number(1.0, MAX_EXTENT, "Width"), "height": number(1.0, MAX_EXTENT, "Height"),
        "radius": number(0.0, MAX_EXTENT, "Corner radius"),
        "color": of("color", "Fill; this or a gradient"),
        "gradient": of("gradient", "Fill; this or a colour"),
    });
    extend(&mut fields, more);
    fields
}

pub(super) fn gradient() -> [(String, Value); 2] {
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

pub(super) fn layer(kind: &str, fields: Value, required: &[&str]) -> Value {
    let mut all = json!({
        "id": of("name", "Unique in the scene"),
        "type": { "const": kind },
        "z": { "description": "A higher layer covers a lower one", "type": "integer", "minimum": -1000, "maximum": 1000 },
        "position": of("position", "Where it stands"),
        "opacity": number(0.0, 1.0, "0 is not there"),
        "scale": of("scale", "Times its size, about the pivot; a negative one mirrors"),
        "rotation": number(-MAX_ROTATION, MAX_ROTATION, "Degrees clockwise, about the pivot"),
        "pivot": { "description": "The point of its box that scale and rotation leave where it is; the anchor when left out", "enum": Anchor::NAMES },
        "crop": of("crop", "What is cut from its box: [left, top, right, bottom]"),
        "smooth": { "description": "Stands between pixels when it moves", "type": "boolean" },
        "blend": { "description": "How its colours meet those below; normal when left out", "enum": Blend::NAMES },
        "masks": { "description": "What of it is seen", "type": "array", "maxItems": MAX_MASKS, "items": { "$ref": "#/$defs/mask" } },
        "automation": of("layerAutomation", "Over time; replaces the fixed values"),
        "style": {
            "description": "Styles whose fields count where the layer has none; of two the later one wins",
            "anyOf": [
                { "$ref": "#/$defs/name" },
                { "type": "array", "maxItems": MAX_STYLES, "items": { "$ref": "#/$defs/name" } },
            ]
        },
    });
    all.as_object_mut().map(|a| {
        a.insert(
            "change".into(),
            of(
                "change",
                "How a text, a bar or a gauge goes over to another when a token changes; at once when left out",
            ),
        )
    });
    extend(&mut all, fields);
    for side in ["width", "height"] {
        if let Some(v) = all.get_mut(side) {
            *v = or_percent(v.take());
        }
    }
    let mut def = object(all, &["id", "type"]);
    // What a layer must have may come from its styles.
    let mut then = json!({ "required": required });
    let either = match kind {
        "rect" | "ellipse" | "progress" => Some(json!([{ "required": ["color"] }, { "required": ["gradient"] }])),
        "text" | "ticker" => Some(json!([{ "required": ["text"] }, { "required": ["runs"] }])),
        _ => None,
    };
    if let (Some(t), Some(either)) = (then.as_object_mut(), either) {
        t.insert("oneOf".into(), either);
    }
    if let Some(d) = def.as_object_mut() {
        d.insert("if".into(), json!({ "not": { "required": ["style"] } }));
        d.insert("then".into(), then);
    }
    def
}
