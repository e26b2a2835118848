//! Videos and cameras.

use vistter_core::config::Span;
use vistter_core::diagnose::Diagnostic;
use vistter_core::time::MediaTime;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{scalar, sequence};
use crate::limits::{MAX_EXTENT, MAX_ID_CHARS};
use crate::model::{Camera, Content, Fit, Lost, Video};

fn fit(n: &Node<'_>, f: &Faults) -> Option<Fit> {
    scalar::one_of(n, f, "fit", &Fit::NAMES, Fit::parse)
}
fn radius(n: &Node<'_>, f: &Faults) -> Option<f64> {
    scalar::number(n, f, 0.0, MAX_EXTENT)
}

pub(super) fn video(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let asset = o.required("asset", |n, f| scalar::asset(n, f, names));
    let width = o.optional("width", scalar::length);
    let height = o.optional("height", scalar::length);
    let fit = o.optional("fit", fit).unwrap_or_default();
    if fit != Fit::Stretch && (width.is_none() || height.is_none()) {
        let d = Diagnostic::error("OCL-MISSING", o.node.pointer.clone(), "\"fit\" needs a box");
        o.faults.push(d.help("give both \"width\" and \"height\""));
        return None;
    }
    let plays = o.optional("plays", sequence::plays).unwrap_or(0);
    let start = o.optional("start", scalar::span).unwrap_or(Span::Time(MediaTime::ZERO));
    let matte = |n: &Node<'_>, f: &Faults| scalar::one_of(n, f, "place of transparency", &Video::MATTES, Video::matte);
    let alpha = o.optional("alpha", matte).unwrap_or_default();
    let radius = o.optional("radius", radius).unwrap_or(0.0);
    let volume = o.optional("volume", scalar::unit).unwrap_or(1.0);
    o.elsewhere(&[
        ("loop", "write \"plays\": \"forever\"; that is so when it is left out"),
        ("mute", "write \"volume\": 0"),
    ]);
    Some(Content::Video(Video { asset: asset?, width, height, fit, plays, start, alpha, radius, volume }))
}

pub(super) fn camera(o: &Object<'_, '_>) -> Option<Content> {
    let camera = o.required("camera", |n, f| scalar::text(n, f, MAX_ID_CHARS));
    let width = o.required("width", scalar::length);
    let height = o.required("height", scalar::length);
    let fit = o.optional("fit", fit).unwrap_or(Fit::Fill);
    let radius = o.optional("radius", radius).unwrap_or(0.0);
    o.elsewhere(&[("volume", "the sound of cameras is what \"audio\" of the show says")]);
    let lost = o.optional("lost", |n, f| scalar::one_of(n, f, "way out", &Lost::NAMES, Lost::parse));
    let lost = lost.unwrap_or_default();
    Some(Content::Camera(Camera { camera: camera?, width: width?, height: height?, fit, radius, lost }))
}
