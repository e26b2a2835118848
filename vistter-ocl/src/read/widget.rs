//! Gauges and QR codes.

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::scalar;
use super::walk::{Faults, Node, Object};
use crate::limits::{MAX_EXTENT, MAX_NUMBER, MAX_QUIET};
use crate::model::{Color, Content, Correction, Gauge, Qr};

const NOTHING: Color = Color { rgba: [0; 4] };

/// `minimum` and `maximum`, of a `what`.
pub(super) fn range(o: &Object<'_, '_>, what: &str) -> Option<(f64, f64)> {
    let number = |n: &Node<'_>, f: &Faults| scalar::number(n, f, -MAX_NUMBER, MAX_NUMBER);
    let empty = o.optional("minimum", number).unwrap_or(0.0);
    let full = o.optional("maximum", number).unwrap_or(100.0);
    if empty == full {
        let text = format!("the {what} is empty and full at {empty}");
        let d = Diagnostic::error("OCL-RANGE", o.node.pointer.clone(), text);
        o.faults.push(d.help("\"minimum\" and \"maximum\" must differ"));
        return None;
    }
    Some((empty, full))
}

pub(super) fn gauge(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let value = o.required("value", |n, f| scalar::template(n, f, &names.tokens));
    let range = range(o, "gauge");
    let size = o.required("size", scalar::length);
    let thickness = o.required("thickness", |n, f| scalar::number(n, f, 1.0, MAX_EXTENT));
    let angle = |n: &Node<'_>, f: &Faults| scalar::number(n, f, -360.0, 360.0);
    let start = o.optional("start", angle).unwrap_or(135.0);
    let sweep = o.optional("sweep", angle).unwrap_or(270.0);
    let color = o.required("color", scalar::color);
    let track = o.optional("track", scalar::color).unwrap_or(NOTHING);
    let round = o.optional("ends", |n, f| {
        scalar::one_of(n, f, "kind of ends", &["flat", "round"], |s| match s {
            "flat" => Some(false),
            "round" => Some(true),
            _ => None,
        })
    });
    Some(Content::Gauge(Gauge {
        value: value?,
        range: range?,
        size: size?,
        thickness: thickness?,
        start,
        sweep,
        color: color?,
        track,
        round: round.unwrap_or(false),
    }))
}

pub(super) fn qr(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let text = o.required("text", |n, f| scalar::template(n, f, &names.tokens));
    let size = o.required("size", scalar::length);
    let level = o.optional("level", |n, f| scalar::one_of(n, f, "level", &Correction::NAMES, Correction::parse));
    let quiet = o.optional("quiet", |n, f| scalar::whole(n, f, 0, MAX_QUIET)).unwrap_or(4) as usize;
    let color = o.optional("color", scalar::color).unwrap_or(Color { rgba: [0, 0, 0, 255] });
    let background = o.optional("background", scalar::color).unwrap_or(Color::WHITE);
    Some(Content::Qr(Qr { text: text?, size: size?, level: level.unwrap_or_default(), quiet, color, background }))
}
