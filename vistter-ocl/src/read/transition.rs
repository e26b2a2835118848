//! How scenes come on and go off.

use vistter_core::config::Span;
use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{automation, scalar};
use crate::limits::MAX_ZOOM;
use crate::model::{Color, Interrupted, Matte, MatteForm, Side, Style, Transition};

/// Every field that some transition has.
const FIELDS: [&str; 11] =
    ["duration", "easing", "interrupted", "side", "matte", "angle", "asset", "softness", "invert", "from", "color"];

pub(super) fn read(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Transition> {
    let o = n.object(f)?;
    let kind = o.required("type", |n, f| {
        scalar::one_of(n, f, "transition", &Style::NAMES, |s| Style::NAMES.into_iter().find(|name| *name == s))
    });
    let Some(kind) = kind else {
        // One fault is enough: its fields are not known when its type is not.
        FIELDS.iter().for_each(|name| drop(o.field(name)));
        o.finish();
        return None;
    };
    let mut transition = Transition::default();
    if kind != "cut" {
        let duration = o.required("duration", scalar::fade);
        transition.easing = o.optional("easing", automation::easing).unwrap_or_default();
        let interrupted = |n: &Node<'_>, f: &Faults| {
            scalar::one_of(n, f, "way to be interrupted", &Interrupted::NAMES, Interrupted::parse)
        };
        transition.interrupted = o.optional("interrupted", interrupted).unwrap_or_default();
        transition.duration = duration.unwrap_or(Span::Frames(0));
    }
    let style = match kind {
        "fade" => Some(Style::Fade),
        "wipe" => wipe(&o, names),
        "slide" => Some(Style::Slide(side(&o))),
        "push" => Some(Style::Push(side(&o))),
        "zoom" => Some(Style::Zoom(o.optional("from", |n, f| scalar::number(n, f, 0.0, MAX_ZOOM)).unwrap_or(0.0))),
        "dip" => Some(Style::Dip(o.optional("color", scalar::color).unwrap_or(Color { rgba: [0, 0, 0, 255] }))),
        _ => Some(Style::Cut),
    };
    o.finish()?;
    Some(Transition { style: style?, ..transition })
}

fn side(o: &Object<'_, '_>) -> Side {
    o.optional("side", |n, f| scalar::one_of(n, f, "side", &Side::NAMES, Side::parse)).unwrap_or_default()
}

/// A wipe from a side, or by a matte.
fn wipe(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Style> {
    let has = |name: &str| o.node.value.get(name).is_some();
    let from = side(o);
    let name = o.optional("matte", |n, f| {
        scalar::one_of(n, f, "matte", &MatteForm::NAMES, |s| MatteForm::NAMES.into_iter().find(|m| *m == s))
    });
    let angle = o.optional("angle", |n, f| scalar::number(n, f, -360.0, 360.0)).unwrap_or(0.0);
    let id = match name {
        Some("image") => o.required("asset", |n, f| scalar::asset(n, f, names)),
        _ => o.optional("asset", |n, f| scalar::asset(n, f, names)),
    };
    let softness = o.optional("softness", scalar::unit).unwrap_or(0.0);
    let invert = o.optional("invert", scalar::truth).unwrap_or(false);
    let mut ok = !has("matte") || name.is_some();
    let mut conflict = |field: &str, what: &str, help: &str| {
        let at = format!("{}/{field}", o.node.pointer);
        o.faults.push(Diagnostic::error("OCL-CONFLICT", at, what).help(help));
        ok = false;
    };
    if has("side") && has("matte") {
        conflict("side", "a wipe comes from a side or by a matte", "leave one of them out");
    }
    if has("angle") && name != Some("linear") {
        conflict("angle", "\"angle\" is for the matte \"linear\"", "write \"matte\": \"linear\", or leave it out");
    }
    if has("asset") && name != Some("image") {
        conflict("asset", "\"asset\" is for the matte \"image\"", "write \"matte\": \"image\", or leave it out");
    }
    if !ok {
        return None;
    }
    let form = match name {
        None if softness == 0.0 && !invert => return Some(Style::Wipe(from)),
        // a side with a soft edge is a line that runs away from it
        None => MatteForm::Linear(match from {
            Side::Left => 0.0,
            Side::Right => 180.0,
            Side::Top => 90.0,
            Side::Bottom => 270.0,
        }),
        Some("radial") => MatteForm::Radial,
        Some("clock") => MatteForm::Clock,
        Some("diamond") => MatteForm::Diamond,
        Some("image") => MatteForm::Asset(id?),
        Some(_) => MatteForm::Linear(angle),
    };
    Some(Style::Matte(Matte { form, invert, softness }))
}
