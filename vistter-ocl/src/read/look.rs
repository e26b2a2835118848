//! What is done to a layer's picture: scale, rotation, crop, masks, blend modes; and groups.

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{scalar, scene};
use crate::limits::{MAX_EXTENT, MAX_GROUP_DEPTH, MAX_LAYERS, MAX_MASKS, MAX_ROTATION, MAX_SCALE};
use crate::model::{Backing, Blend, Content, Group, Justify, Layout, Line, Look, Mask, MaskMode, MaskShape, Placement};

pub(super) fn read(o: &Object<'_, '_>, names: &Names<'_>) -> Look {
    let plain = Look::default();
    Look {
        scale: o.optional("scale", scale).unwrap_or(plain.scale),
        rotation: o.optional("rotation", rotation).unwrap_or(plain.rotation),
        pivot: o.optional("pivot", scalar::anchor),
        crop: o.optional("crop", crop).unwrap_or(plain.crop),
        smooth: o.optional("smooth", scalar::truth).unwrap_or(plain.smooth),
        blend: o
            .optional("blend", |n, f| scalar::one_of(n, f, "blend mode", &Blend::NAMES, Blend::parse))
            .unwrap_or_default(),
        masks: o
            .optional("masks", |n, f| {
                let list = n.array(f, MAX_MASKS)?;
                let read: Vec<Mask> = list.iter().filter_map(|m| mask(m, f, names)).collect();
                (read.len() == list.len()).then_some(read)
            })
            .unwrap_or_default(),
    }
}

/// One number for both directions, or two.
pub(super) fn scale(n: &Node<'_>, f: &Faults) -> Option<[f64; 2]> {
    let one = |n: &Node<'_>| scalar::number(n, f, -MAX_SCALE, MAX_SCALE);
    if n.value.is_number() {
        return one(n).map(|s| [s; 2]);
    }
    scalar::numbers(n, f, "a scale is one number, or two: [x, y]", one)
}

/// Degrees.
pub(super) fn rotation(n: &Node<'_>, f: &Faults) -> Option<f64> {
    scalar::number(n, f, -MAX_ROTATION, MAX_ROTATION)
}

/// Left, top, right, bottom.
pub(super) fn crop(n: &Node<'_>, f: &Faults) -> Option<[f64; 4]> {
    let side = |n: &Node<'_>| scalar::number(n, f, 0.0, MAX_EXTENT);
    scalar::numbers(n, f, "a crop has four numbers: [left, top, right, bottom]", side)
}

/// Width and height.
pub(super) fn size(n: &Node<'_>, f: &Faults) -> Option<[f64; 2]> {
    scalar::numbers(n, f, "a size has two numbers: [width, height]", |n| scalar::length(n, f))
}

fn mask(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Mask> {
    let o = n.object(f)?;
    let mode = o.optional("mode", |n, f| scalar::one_of(n, f, "mask mode", &MaskMode::NAMES, MaskMode::parse));
    let invert = o.optional("invert", scalar::truth).unwrap_or(false);
    let kind = o.required("shape", |n, f| {
        scalar::one_of(n, f, "mask shape", &MaskShape::NAMES, |s| MaskShape::NAMES.into_iter().find(|k| *k == s))
    });
    let anchor = o.optional("anchor", scalar::anchor).unwrap_or_default();
    let x = o.optional("x", scalar::offset).unwrap_or(0.0);
    let y = o.optional("y", scalar::offset).unwrap_or(0.0);
    let size = [o.optional("width", scalar::length), o.optional("height", scalar::length)];
    let side = |n: &Node<'_>, f: &Faults| scalar::number(n, f, 0.0, MAX_EXTENT);
    let feather = o.optional("feather", side).unwrap_or(0.0);
    // What belongs to another shape than the one that is written is a slip worth a word of its own.
    let only = |name: &'static str, shape: &str| {
        if kind.is_some_and(|k| k != shape) && n.value.get(name).is_some() {
            let d = Diagnostic::error(
                "OCL-CONFLICT",
                format!("{}/{name}", n.pointer),
                format!("\"{name}\" is for a mask whose shape is \"{shape}\""),
            );
            f.push(d.help(format!("leave it out, or write \"shape\": \"{shape}\"")));
        }
    };
    ["asset", "channel"].iter().for_each(|name| only(name, "image"));
    only("radius", "rect");
    let radius = o.optional("radius", side).unwrap_or(0.0);
    let id = match kind {
        Some("image") => o.required("asset", |n, f| scalar::asset(n, f, names)),
        _ => o.optional("asset", |n, f| scalar::asset(n, f, names)),
    };
    let luma = o.optional("channel", |n, f| {
        scalar::one_of(n, f, "channel", &["alpha", "luma"], |s| match s {
            "alpha" => Some(false),
            "luma" => Some(true),
            _ => None,
        })
    });
    o.finish()?;
    let shape = match kind? {
        "rect" => MaskShape::Rect(radius),
        "ellipse" => MaskShape::Ellipse,
        _ => MaskShape::Asset { id: id?, luma: luma.unwrap_or(false) },
    };
    let place = Placement { anchor, x, y, ..Placement::default() };
    Some(Mask { mode: mode.unwrap_or_default(), invert, shape, place, size, feather })
}

/// A group; `depth` groups are round it.
pub(super) fn group(o: &Object<'_, '_>, names: &Names<'_>, depth: usize) -> Option<Content> {
    let size = [o.optional("width", scalar::length), o.optional("height", scalar::length)];
    let clip = o.optional("clip", scalar::truth).unwrap_or(false);
    let layout = o.optional("layout", layout);
    let background = o.optional("background", |n, f| {
        let b = n.object(f)?;
        let color = b.required("color", scalar::color);
        let radius = b.optional("radius", |n, f| scalar::number(n, f, 0.0, MAX_EXTENT)).unwrap_or(0.0);
        b.finish()?;
        Some(Backing { color: color?, radius })
    });
    let layers = o.required("layers", |n, f| {
        if depth >= MAX_GROUP_DEPTH {
            n.fault(f, "OCL-LIMIT", format!("groups stand in each other at most {MAX_GROUP_DEPTH} deep"));
            return None;
        }
        let list = n.array(f, MAX_LAYERS)?;
        let read: Vec<_> = list.iter().filter_map(|l| scene::layer(l, f, names, depth + 1)).collect();
        scene::doubled(&list, f, "layer");
        if layout.is_some() {
            list.iter().for_each(|l| placed_twice(l, f));
        }
        Some(read)
    });
    Some(Content::Group(Group { size, clip, layout, background, layers: layers? }))
}

/// A layout places its layers; an anchor would too.
fn placed_twice(layer: &Node<'_>, f: &Faults) {
    for name in ["anchor", "within"] {
        if layer.value.get("position").is_some_and(|p| p.get(name).is_some()) {
            let at = format!("{}/position/{name}", layer.pointer);
            let d = Diagnostic::error(
                "OCL-CONFLICT",
                at,
                format!("the group's layout places this layer, and \"{name}\" would too"),
            );
            f.push(d.help("leave it out; \"x\" and \"y\" move the layer from its place"));
        }
    }
}

fn layout(n: &Node<'_>, f: &Faults) -> Option<Layout> {
    let o = n.object(f)?;
    let column = o.required("type", |n, f| {
        scalar::one_of(n, f, "layout", &Layout::NAMES, |s| Layout::NAMES.iter().position(|k| *k == s))
    });
    let side = |n: &Node<'_>, f: &Faults| scalar::number(n, f, 0.0, MAX_EXTENT);
    let gap = o.optional("gap", side).unwrap_or(0.0);
    let align = o.optional("align", |n, f| scalar::one_of(n, f, "alignment", &Line::NAMES, Line::parse));
    let justify = o.optional("justify", |n, f| scalar::one_of(n, f, "justification", &Justify::NAMES, Justify::parse));
    let padding = o.optional("padding", |n, f| {
        if n.value.is_number() {
            return side(n, f).map(|p| [p; 2]);
        }
        scalar::numbers(n, f, "a padding is one number, or two: [x, y]", |n| side(n, f))
    });
    o.finish()?;
    Some(Layout {
        column: column? == 1,
        gap,
        align: align.unwrap_or_default(),
        justify: justify.unwrap_or_default(),
        padding: padding.unwrap_or_default(),
    })
}
