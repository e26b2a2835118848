//! Rectangles and progress bars, and what they are filled with.

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{scalar, widget};
use crate::limits::{MAX_EXTENT, MAX_STOPS};
use crate::model::{Color, Content, Fill, Side};

pub(super) fn rect(o: &Object<'_, '_>) -> Option<Content> {
    let (width, height, radius, fill) = shape(o);
    Some(Content::Rect { width: width?, height: height?, radius, fill: fill? })
}

pub(super) fn ellipse(o: &Object<'_, '_>) -> Option<Content> {
    let width = o.required("width", scalar::length);
    let height = o.required("height", scalar::length);
    let fill = fill(o);
    Some(Content::Ellipse { width: width?, height: height?, fill: fill? })
}

pub(super) fn progress(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let value = o.required("value", |n, f| scalar::template(n, f, &names.tokens));
    let range = widget::range(o, "bar");
    let to = o.optional("to", |n, f| scalar::one_of(n, f, "side", &Side::NAMES, Side::parse));
    let track = o.optional("track", scalar::color).unwrap_or(Color { rgba: [0; 4] });
    let (width, height, radius, fill) = shape(o);
    Some(Content::Progress {
        value: value?,
        range: range?,
        to: to.unwrap_or(Side::Right),
        width: width?,
        height: height?,
        radius,
        fill: fill?,
        track,
    })
}

fn shape(o: &Object<'_, '_>) -> (Option<f64>, Option<f64>, f64, Option<Fill>) {
    let width = o.required("width", scalar::length);
    let height = o.required("height", scalar::length);
    let radius = o.optional("radius", |n, f| scalar::number(n, f, 0.0, MAX_EXTENT)).unwrap_or(0.0);
    (width, height, radius, fill(o))
}

/// `color` or `gradient`.
fn fill(o: &Object<'_, '_>) -> Option<Fill> {
    let color = o.optional("color", scalar::color).map(Fill::Color);
    let gradient = o.optional("gradient", gradient);
    match (o.has("color"), o.has("gradient")) {
        (true, true) => {
            let d =
                Diagnostic::error("OCL-CONFLICT", o.node.pointer.clone(), "\"color\" and \"gradient\" are two fills");
            o.faults.push(d.help("leave one of them out"));
            None
        }
        (false, false) => {
            let d = Diagnostic::error("OCL-MISSING", o.node.pointer.clone(), "the shape has no fill");
            o.faults.push(d.help("write \"color\" or \"gradient\""));
            None
        }
        _ => color.or(gradient),
    }
}

fn gradient(n: &Node<'_>, f: &Faults) -> Option<Fill> {
    let o = n.object(f)?;
    let angle = o.optional("angle", |n, f| scalar::number(n, f, -360.0, 360.0)).unwrap_or(0.0);
    let stops = o.required("stops", |n, f| {
        let list = n.array(f, MAX_STOPS)?;
        let mut stops: Vec<(f64, Color)> = Vec::with_capacity(list.len());
        let mut ok = true;
        for s in &list {
            let Some(stop) = s.object(f) else {
                ok = false;
                continue;
            };
            let (at, color) = (stop.required("at", scalar::unit), stop.required("color", scalar::color));
            let (Some(()), Some(at), Some(color)) = (stop.finish(), at, color) else {
                ok = false;
                continue;
            };
            if stops.last().is_some_and(|(before, _)| *before > at) {
                s.fault_help(
                    f,
                    "OCL-RANGE",
                    format!("the stop at {at} stands after one at a later place"),
                    "sort them by \"at\"",
                );
                ok = false;
            }
            stops.push((at, color));
        }
        if ok && stops.len() < 2 {
            n.fault(f, "OCL-MISSING", "a gradient needs at least two stops");
            ok = false;
        }
        ok.then_some(stops)
    });
    o.finish()?;
    Some(Fill::Gradient { angle, stops: stops? })
}
