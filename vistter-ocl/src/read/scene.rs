//! Scenes and layers.

use std::collections::HashMap;

use vistter_core::diagnose::Diagnostic;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{
    asset, automation, cue, inset, look, relative, scalar, sequence, shape, text, transition, variant, widget,
};
use crate::limits::MAX_LAYERS;
use crate::model::{Change, Content, Fit, Layer, Placement, Relative, Scene, Within};

pub(super) fn read(n: &Node<'_>, faults: &Faults, names: &Names<'_>) -> Option<Scene> {
    let o = n.object(faults)?;
    let scene = fields(&o, names);
    let variants = variant::read(&o, names);
    o.finish()?;
    Some(Scene { variants, ..scene? })
}

/// A scene without variants.
pub(super) fn read_one(n: &Node<'_>, faults: &Faults, names: &Names<'_>) -> Option<Scene> {
    let o = n.object(faults)?;
    let scene = fields(&o, names);
    o.finish()?;
    scene
}

fn fields(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Scene> {
    let id = o.required("id", scalar::id);
    let enter = o.optional("in", |n, f| transition::read(n, f, names)).unwrap_or_default();
    let exit = o.optional("out", |n, f| transition::read(n, f, names)).unwrap_or_default();
    let automation = o.optional("automation", automation::of_scene).unwrap_or_default();
    let layers = |n: &Node<'_>, f: &Faults| {
        let list = n.array(f, MAX_LAYERS)?;
        let read: Vec<_> = list.iter().filter_map(|l| layer(l, f, names, 0)).collect();
        doubled(&list, f, "layer");
        Some(read)
    };
    let tracks = o.optional("tracks", |n, f| cue::tracks(n, f, names)).unwrap_or_default();
    let steps = o.optional("steps", cue::steps).unwrap_or_default();
    let fallback = o.optional("fallback", asset::of_scene);
    let layers = o.optional("layers", layers).unwrap_or_default();
    if !o.has("layers") && !o.has("tracks") {
        let help = "add \"layers\": [ … ]";
        o.node.fault_help(o.faults, "OCL-MISSING", "the scene has neither layers nor tracks", help);
        return None;
    }
    Some(Scene { id: id?, enter, exit, automation, layers, tracks, steps, fallback, variants: Vec::new() })
}

/// Records ids that stand twice in a list.
pub(super) fn doubled(list: &[Node<'_>], faults: &Faults, what: &str) {
    let mut seen = HashMap::with_capacity(list.len());
    for (i, n) in list.iter().enumerate() {
        let Some(id) = n.value.get("id").and_then(|v| v.as_str()) else { continue };
        if let Some(first) = seen.insert(id, i) {
            let at = format!("{}/id", n.pointer);
            let d = Diagnostic::error("OCL-DUPLICATE-ID", at, format!("the {what} \"{id}\" stands twice"));
            faults.push(d.help(format!("the first one is number {}; rename one of them", first + 1)));
        }
    }
}

/// A layer; `depth` groups are round it.
pub(super) fn layer(n: &Node<'_>, f: &Faults, names: &Names<'_>, depth: usize) -> Option<Layer> {
    let (relative, patched) = relative::take(n, f);
    let value = patched.as_ref().unwrap_or(n.value);
    let read = layer_of(Node { value, pointer: n.pointer.clone() }.object(f)?, names, depth)?;
    Some(Layer { relative, ..read })
}

/// A layer whose lengths are all in base pixels, and that may have fields from elsewhere: a cue's, a style's.
pub(super) fn layer_of<'v>(mut o: Object<'v, '_>, names: &Names<'v>, depth: usize) -> Option<Layer> {
    let f = o.faults;
    let n = o.node.clone();
    let styles = super::style::lay(&mut o, names);
    let id = o.required("id", scalar::id);
    let z = o.optional("z", |n, f| scalar::whole(n, f, -1000, 1000)).unwrap_or(0) as i32;
    let place = o.optional("position", placement).unwrap_or_default();
    let opacity = o.optional("opacity", scalar::unit).unwrap_or(1.0);
    let look = look::read(&o, names);
    let tokens = text::tokens(&o, names);
    let automation = o.optional("automation", |n, f| automation::of_layer(n, f, &tokens)).unwrap_or_default();
    let change = o.optional("change", change);
    let kind = o.required("type", |n, f| scalar::words(n, f, 64));
    let content = match kind {
        Some("image") => image(&o, names),
        Some("video") => inset::video(&o, names),
        Some("camera") => inset::camera(&o),
        Some("rect") => shape::rect(&o),
        Some("ellipse") => shape::ellipse(&o),
        Some("group") => look::group(&o, names, depth),
        Some("progress") => shape::progress(&o, names),
        Some("gauge") => widget::gauge(&o, names),
        Some("qr") => widget::qr(&o, names),
        Some("text") => text::text(&o, names, &tokens),
        Some("ticker") => text::ticker(&o, names),
        Some(other) => {
            let at = o.field("type").map(|n| n.pointer).unwrap_or_default();
            f.unknown("OCL-UNKNOWN-LAYER", &at, "layer type", other, Content::NAMES);
            // Its fields are as unknown as its type: saying so for each would only be noise.
            return None;
        }
        None => return None,
    };
    o.elsewhere(&[
        ("x", "write \"position\": { \"x\": … }"),
        ("y", "write \"position\": { \"y\": … }"),
        ("anchor", "write \"position\": { \"anchor\": … }"),
        ("duration", "a layer is there as long as its scene; write \"automation\" to bring it on and off earlier"),
        ("font", "only a text has a font: the id of an asset"),
        ("fontSize", "write \"size\""),
        ("src", "name the file under \"assets\", and its id as \"asset\""),
    ]);
    super::style::note(&o, &styles);
    o.finish()?;
    let content = content?;
    automation::fits(&n, f, &automation, &content)?;
    if change.is_some() && !matches!(content, Content::Text { .. } | Content::Progress { .. } | Content::Gauge(_)) {
        let d = Diagnostic::error(
            "OCL-CONFLICT",
            format!("{}/change", n.pointer),
            "this layer has no content that could pass over",
        );
        f.push(d.help("only text, progress and gauge have"));
        return None;
    }
    Some(Layer { id: id?, z, place, opacity, relative: Relative::default(), look, automation, change, content })
}

fn change(n: &Node<'_>, f: &Faults) -> Option<Change> {
    let o = n.object(f)?;
    let duration = o.required("duration", scalar::fade);
    let easing = o.optional("easing", automation::easing).unwrap_or_default();
    o.finish()?;
    Some(Change { duration: duration?, easing })
}

fn placement(n: &Node<'_>, f: &Faults) -> Option<Placement> {
    let o = n.object(f)?;
    let anchor = o.optional("anchor", scalar::anchor).unwrap_or_default();
    let within = o.optional("within", |n, f| scalar::one_of(n, f, "area", &Within::NAMES, Within::parse));
    let x = o.optional("x", scalar::offset).unwrap_or(0.0);
    let y = o.optional("y", scalar::offset).unwrap_or(0.0);
    o.finish()?;
    Some(Placement { anchor, within: within.unwrap_or_default(), x, y })
}

fn image(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let asset = o.required("asset", |n, f| scalar::asset(n, f, names));
    let width = o.optional("width", scalar::length);
    let height = o.optional("height", scalar::length);
    let fit = o.optional("fit", |n, f| scalar::one_of(n, f, "fit", &Fit::NAMES, Fit::parse)).unwrap_or_default();
    if fit != Fit::Stretch && (width.is_none() || height.is_none()) {
        let d = Diagnostic::error("OCL-MISSING", o.node.pointer.clone(), "\"fit\" needs a box");
        o.faults.push(d.help("give both \"width\" and \"height\""));
        return None;
    }
    let plays = o.optional("plays", sequence::plays);
    Some(Content::Image { asset: asset?, width, height, fit, plays })
}
