//! Tracks, their cues, and steps.

use std::borrow::Cow;

use vistter_core::config::Span;
use vistter_core::diagnose::{Diagnostic, Json, Members};
use vistter_core::time::FrameRate;

use super::document::Names;
use super::walk::{Faults, Node};
use super::{relative, scalar, scene, sync, transition};
use crate::limits::{MAX_CUES, MAX_STEPS_OF_SCENE, MAX_TRACKS};
use crate::model::{Cue, Layer, Step, Then, Track, TrackKind, Transition};

pub(super) fn tracks(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Vec<Track>> {
    let list = n.array(f, MAX_TRACKS)?;
    let mut cues = Vec::new();
    let out = list.iter().filter_map(|t| track(t, f, names, &mut cues)).collect();
    scene::doubled(&list, f, "track");
    if cues.len() > MAX_CUES {
        n.fault(f, "OCL-LIMIT", format!("{} cues in a scene; at most {MAX_CUES} are allowed", cues.len()));
    }
    scene::doubled(&cues, f, "cue");
    Some(out)
}

fn track<'v>(n: &Node<'v>, f: &Faults, names: &Names<'v>, all: &mut Vec<Node<'v>>) -> Option<Track> {
    let o = n.object(f)?;
    let id = o.required("id", scalar::id);
    let kind = o.optional("type", |n, f| scalar::one_of(n, f, "type of track", &TrackKind::NAMES, TrackKind::parse));
    let kind = kind.unwrap_or_default();
    let nodes = o.required("cues", |n, f| n.array(f, MAX_CUES));
    o.finish()?;
    let nodes = nodes?;
    let (mut cues, mut sound) = (Vec::with_capacity(nodes.len()), Vec::with_capacity(nodes.len()));
    for n in &nodes {
        if let Some(c) = cue(n, f, names) {
            cues.push(c);
            sound.push(n);
        }
    }
    if !kind.overlaps() {
        overlaps(&cues, &sound, f);
    }
    all.extend(nodes);
    Some(Track { id: id?, kind, cues })
}

/// Records cues that begin while another one of their track is on; each has its node.
fn overlaps(cues: &[Cue], nodes: &[&Node<'_>], f: &Faults) {
    let rate = f.rate.get().unwrap_or(FrameRate::FPS_30);
    let mut order: Vec<(&Cue, &Node<'_>)> = cues.iter().zip(nodes.iter().copied()).collect();
    order.sort_by_key(|(c, _)| c.start.frames(rate));
    for pair in order.windows(2) {
        let [(before, _), (after, node)] = pair else { continue };
        let (start, next) = (before.start.frames(rate), after.start.frames(rate));
        let end = before.duration.map(|d| end(before.start, d, rate));
        if start == next || end.is_some_and(|e| e > next) {
            let at = format!("{}/start", node.pointer);
            let text = format!("the cue \"{}\" begins while \"{}\" is on", after.layer.id, before.layer.id);
            let d = Diagnostic::error("OCL-CUE-OVERLAP", at, text);
            f.push(d.help("start it later, or put it on a track of the type \"free\""));
        }
    }
}

/// The frame at which something that starts here and lasts so long is over. Times are added before they become frames,
/// so that what follows a cue at its end touches it at every rate.
pub(crate) fn end(start: Span, duration: Span, rate: FrameRate) -> u64 {
    match (start, duration) {
        (Span::Time(a), Span::Time(b)) => Span::Time(a + b).frames(rate),
        (a, b) => a.frames(rate).saturating_add(b.frames(rate)),
    }
}

static NOTHING: Json<'_> = Json::Object(Members::EMPTY);
static IMAGE: Json<'_> = Json::String(Cow::Borrowed("image"));

fn cue(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Cue> {
    let o = n.object(f)?;
    o.required("id", scalar::id);
    let start = o.required("start", scalar::span);
    let duration = o.optional("duration", |n, f| {
        let d = scalar::span(n, f)?;
        if d.frames(FrameRate::FPS_30) == 0 && !matches!(d, Span::Time(t) if t.nanos() > 0) {
            n.fault_help(f, "OCL-RANGE", "a cue of no length", "give at least one frame, such as \"1f\"");
            return None;
        }
        Some(d)
    });
    let ways = o.optional("transition", |n, f| {
        let o = n.object(f)?;
        let enter = o.optional("in", |n, f| transition::read(n, f, names)).unwrap_or_default();
        let exit = o.optional("out", |n, f| transition::read(n, f, names)).unwrap_or_default();
        o.finish()?;
        Some((enter, exit))
    });
    let (enter, exit): (Transition, Transition) = ways.unwrap_or_default();
    let sync = o.optional("sync", |n, f| sync::of(n, f, names));
    let own = ["id", "layer", "properties", "automation"].map(|name| (name, o.field(name)));
    let field = |name: &str| own.iter().find(|(n, _)| *n == name).and_then(|(_, node)| node.clone());
    let (content, asset, fallback) = (o.field("content"), o.field("assetRef"), o.field("fallback"));
    let layer = match (content, asset) {
        (Some(c), Some(_)) => {
            c.fault_help(f, "OCL-CONFLICT", "\"content\" and \"assetRef\" are two contents", "leave one of them out");
            None
        }
        (None, None) => {
            n.fault_help(
                f,
                "OCL-MISSING",
                "the cue shows nothing",
                "add \"content\", or \"assetRef\" with the id of an asset",
            );
            None
        }
        (Some(c), None) => inner(&c, &[], &field, f, names),
        (None, Some(a)) => {
            let empty = Node { value: &NOTHING, pointer: n.pointer.clone() };
            let kind = Node { value: &IMAGE, pointer: n.pointer.clone() };
            inner(&empty, &[("type", kind), ("asset", a)], &field, f, names)
        }
    };
    let instead = fallback.as_ref().and_then(|c| {
        let only = |name: &str| if name == "properties" || name == "automation" { None } else { field(name) };
        inner(c, &[], &only, f, names)
    });
    o.elsewhere(&[
        ("at", "write \"start\""),
        ("in", "write \"transition\": { \"in\": … }"),
        ("out", "write \"transition\": { \"out\": … }"),
        ("type", "write \"content\": { \"type\": … }"),
        ("asset", "write \"assetRef\""),
        ("opacity", "write \"properties\": { \"opacity\": … }"),
        ("position", "write \"properties\": { \"position\": … }"),
        ("text", "write \"content\": { \"type\": \"text\", \"text\": … }"),
    ]);
    o.finish()?;
    if sync.as_ref().is_some_and(|s| s.then == Then::Fallback) && instead.is_none() {
        if fallback.is_none() {
            let d = Diagnostic::error("OCL-MISSING", n.pointer.clone(), "the cue goes to its fallback, and has none");
            f.push(d.help("add \"fallback\" with the content to show"));
        }
        return None;
    }
    Some(Cue { start: start?, duration, enter, exit, sync, layer: layer?, fallback: instead.map(Box::new) })
}

/// The layer a cue shows: its content, with the cue's id, layer and automation, under its properties.
fn inner<'v>(
    content: &Node<'v>,
    more: &[(&'static str, Node<'v>)],
    of_cue: &dyn Fn(&str) -> Option<Node<'v>>,
    f: &Faults,
    names: &Names<'v>,
) -> Option<Layer> {
    let (relative, patched) = relative::take(content, f);
    let content = Node { value: patched.as_ref().unwrap_or(content.value), pointer: content.pointer.clone() };
    let mut o = content.object(f)?;
    for (name, node) in more {
        o.give(name, node.clone());
    }
    for (name, of) in [("id", "id"), ("z", "layer"), ("automation", "automation")] {
        if let Some(node) = of_cue(of) {
            o.give(name, node);
        }
    }
    if let Some(node) = of_cue("properties") {
        match node.value.is_object() {
            true => o.lay_over(node),
            false => {
                node.wrong_type(f, "an object");
                return None;
            }
        }
    }
    let read = scene::layer_of(o, names, 0)?;
    Some(Layer { relative, ..read })
}

/// Points at which a scene stands, in the order of their times.
pub(super) fn steps(n: &Node<'_>, f: &Faults) -> Option<Vec<Step>> {
    let list = n.array(f, MAX_STEPS_OF_SCENE)?;
    let rate = f.rate.get().unwrap_or(FrameRate::FPS_30);
    let mut out: Vec<Step> = Vec::new();
    for s in &list {
        let Some(o) = s.object(f) else { continue };
        let (id, at) = (o.required("id", scalar::id), o.required("at", scalar::span));
        let (Some(()), Some(id), Some(at)) = (o.finish(), id, at) else { continue };
        if out.last().is_some_and(|last| last.at.frames(rate) >= at.frames(rate)) {
            let d = Diagnostic::error(
                "OCL-STEP-ORDER",
                format!("{}/at", s.pointer),
                "this step is not later than the one before it",
            );
            f.push(d.help("sort them by \"at\""));
        }
        out.push(Step { id, at });
    }
    scene::doubled(&list, f, "step");
    Some(out)
}
