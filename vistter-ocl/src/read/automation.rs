//! Automation: keyframes, easings, and what comes after the last keyframe.

use vistter_core::config::Span;
use vistter_core::diagnose::Diagnostic;
use vistter_core::time::FrameRate;

use super::walk::{Faults, Node, Object};
use super::{look, scalar};
use crate::fault::count;
use crate::limits::{MAX_EXTENT, MAX_KEYFRAMES, MAX_NUMBER, MAX_REPEATS, MAX_STEPS};
use crate::model::{Automation, Content, Easing, Envelope, Fill, Jump, Keyframe, Repeat};
use crate::template::Template;

/// What moves with a whole scene.
pub(super) fn of_scene(n: &Node<'_>, f: &Faults) -> Option<Automation> {
    let o = n.object(f)?;
    let automation = common(&o);
    let help = "a whole scene only moves and fades; put its layers into a group";
    let all = ["scale", "rotation", "crop", "size", "radius", "color", "value", "text", "volume"];
    o.elsewhere(&all.map(|name| (name, help)));
    o.finish()?;
    Some(automation)
}

/// What moves with a layer whose texts may name these tokens.
pub(super) fn of_layer(n: &Node<'_>, f: &Faults, tokens: &[&str]) -> Option<Automation> {
    let o = n.object(f)?;
    let side = |n: &Node<'_>, f: &Faults| scalar::number(n, f, 0.0, MAX_EXTENT);
    let automation = Automation {
        scale: o.optional("scale", |n, f| envelope(n, f, 2, look::scale)).unwrap_or_default(),
        rotation: o.optional("rotation", |n, f| envelope(n, f, 1, look::rotation)).unwrap_or_default(),
        crop: o.optional("crop", |n, f| envelope(n, f, 4, look::crop)).unwrap_or_default(),
        size: o.optional("size", |n, f| envelope(n, f, 2, look::size)).unwrap_or_default(),
        radius: o.optional("radius", |n, f| envelope(n, f, 1, side)).unwrap_or_default(),
        color: o.optional("color", |n, f| envelope(n, f, 1, scalar::color)).unwrap_or_default(),
        value: o.optional("value", |n, f| envelope(n, f, 1, value)).unwrap_or_default(),
        text: o.optional("text", |n, f| texts(n, f, tokens)).unwrap_or_default(),
        volume: o.optional("volume", |n, f| envelope(n, f, 1, scalar::unit)).unwrap_or_default(),
        ..common(&o)
    };
    o.finish()?;
    Some(automation)
}

fn common(o: &Object<'_, '_>) -> Automation {
    Automation {
        opacity: o.optional("opacity", |n, f| envelope(n, f, 1, scalar::unit)).unwrap_or_default(),
        position: o.optional("position", |n, f| envelope(n, f, 2, point)).unwrap_or_default(),
        ..Automation::default()
    }
}

/// Whether a layer has the properties that its automation moves.
pub(super) fn fits(layer: &Node<'_>, f: &Faults, a: &Automation, content: &Content) -> Option<()> {
    use Content::{Ellipse, Gauge, Progress, Rect, Text, Ticker};
    let fill = match content {
        Rect { fill, .. } | Progress { fill, .. } | Ellipse { fill, .. } => Some(fill),
        _ => None,
    };
    let missing = |name: &str, help: &str| {
        let at = format!("{}/automation/{name}", layer.pointer);
        let d = Diagnostic::error("OCL-CONFLICT", at, format!("this layer has no \"{name}\" that could move"));
        f.push(d.help(help));
        None
    };
    if !a.size.keys.is_empty() && fill.is_none() {
        return missing("size", "only rect, ellipse and progress have one; move \"scale\" instead");
    }
    if !a.radius.keys.is_empty() && !matches!(content, Rect { .. } | Progress { .. }) {
        return missing("radius", "only rect and progress have one");
    }
    let colored = matches!(content, Text { .. } | Ticker { .. }) || matches!(fill, Some(Fill::Color(_)));
    if !a.color.keys.is_empty() && !colored {
        return missing("color", "only texts and shapes that are filled with one colour have one");
    }
    if !a.volume.keys.is_empty() && !matches!(content, Content::Video(_)) {
        return missing("volume", "only videos have one");
    }
    if !a.value.keys.is_empty() && !matches!(content, Text { .. } | Progress { .. } | Gauge(_)) {
        return missing("value", "only text, progress and gauge have one");
    }
    match content {
        _ if a.text.keys.is_empty() => {}
        Text { runs, .. } | Ticker { runs, .. } if runs.len() == 1 => {}
        Text { .. } | Ticker { .. } => {
            return missing("text", "its runs look different; write \"text\" in the place of \"runs\"");
        }
        _ => return missing("text", "only text and ticker have one; write \"text\" at one of them"),
    }
    Some(())
}

/// The number of a text, a bar or a gauge.
pub(super) fn value(n: &Node<'_>, f: &Faults) -> Option<f64> {
    scalar::number(n, f, -MAX_NUMBER, MAX_NUMBER)
}

/// Texts over time. Nothing is between two texts: an easing other than `hold` is a mistake.
fn texts(n: &Node<'_>, f: &Faults, tokens: &[&str]) -> Option<Envelope<Template>> {
    let (below, list) = match n.value.get("keyframes") {
        Some(list) => ("/keyframes", list),
        None => ("", n.value),
    };
    let mut ok = true;
    for (i, key) in list.as_array().into_iter().flatten().enumerate() {
        let Some(easing) = key.get("easing") else { continue };
        // one that is no easing at all is told as such
        let known = easing.is_object() || easing.as_str().and_then(Easing::parse).is_some_and(|e| e != Easing::Hold);
        if known {
            let at = format!("{}{below}/{i}/easing", n.pointer);
            let d = Diagnostic::error("OCL-CONFLICT", at, "a text changes at once: there is nothing between two texts");
            f.push(d.help("leave \"easing\" out, or write \"hold\"; two cues that fade go over into each other"));
            ok = false;
        }
    }
    let mut all = envelope(n, f, 1, |n, f| scalar::template(n, f, tokens))?;
    all.keys.iter_mut().for_each(|k| k.easing = Easing::Hold);
    ok.then_some(all)
}

fn point(n: &Node<'_>, f: &Faults) -> Option<[f64; 2]> {
    let list = n.array(f, 2)?;
    match list.as_slice() {
        [x, y] => {
            let (x, y) = (scalar::offset(x, f), scalar::offset(y, f));
            Some([x?, y?])
        }
        _ => {
            n.fault_help(f, "OCL-TYPE", "a position has two numbers", "write [x, y]");
            None
        }
    }
}

/// A list of keyframes, or an object with one and what comes after it. Each value consists of `many` numbers.
fn envelope<T>(
    n: &Node<'_>,
    f: &Faults,
    many: usize,
    value: impl Fn(&Node<'_>, &Faults) -> Option<T> + Copy,
) -> Option<Envelope<T>> {
    if !n.value.is_object() {
        return Some(Envelope { keys: keyframes(n, f, many, value)?, repeat: Repeat::Once });
    }
    let o = n.object(f)?;
    let keys = o.required("keyframes", |n, f| keyframes(n, f, many, value));
    let ways = o.optional("times", |n, f| scalar::whole(n, f, 1, MAX_REPEATS)).unwrap_or(0) as u32;
    let repeat = o.optional("repeat", |n, f| {
        scalar::one_of(n, f, "repetition", &Repeat::NAMES, |s| match s {
            "loop" => Some(Repeat::Loop(ways)),
            "pingPong" => Some(Repeat::PingPong(ways)),
            _ => None,
        })
    });
    o.finish()?;
    if ways > 0 && repeat.is_none() {
        n.fault_help(f, "OCL-MISSING", "\"times\" says how often, and nothing says what", "write \"repeat\": \"loop\"");
        return None;
    }
    Some(Envelope { keys: keys?, repeat: repeat.unwrap_or_default() })
}

fn keyframes<T>(
    n: &Node<'_>,
    f: &Faults,
    many: usize,
    value: impl Fn(&Node<'_>, &Faults) -> Option<T> + Copy,
) -> Option<Vec<Keyframe<T>>> {
    let list = n.array(f, MAX_KEYFRAMES)?;
    let mut out: Vec<Keyframe<T>> = Vec::with_capacity(list.len());
    let mut ok = true;
    for k in &list {
        let Some(o) = k.object(f) else {
            ok = false;
            continue;
        };
        let at = o.required("at", scalar::span);
        let v = o.required("value", value);
        let (easing, each) = o.optional("easing", |n, f| easings(n, f, many)).unwrap_or_default();
        let whole = o.finish().is_some();
        let (Some(at), Some(v), true) = (at, v, whole) else {
            ok = false;
            continue;
        };
        if out.last().is_some_and(|last| !before(last.at, at)) {
            let at = format!("{}/at", k.pointer);
            let d = Diagnostic::error("OCL-KEYFRAME-ORDER", at, "this keyframe is not later than the one before it");
            f.push(d.help("sort them by \"at\""));
            ok = false;
            continue;
        }
        out.push(Keyframe { at, value: v, easing, each });
    }
    ok.then_some(out)
}

/// Whether `a` is before `b`. A mix of seconds and frames cannot be ordered before the frame rate is known; the
/// compiler keeps such a list in order by never going back.
fn before(a: Span, b: Span) -> bool {
    match (a, b) {
        (Span::Frames(_), Span::Time(_)) | (Span::Time(_), Span::Frames(_)) => true,
        (Span::Time(a), Span::Time(b)) => a < b,
        (a, b) => a.frames(FrameRate::FPS_30) < b.frames(FrameRate::FPS_30),
    }
}

/// One easing, or a list with one for each number of the value.
fn easings(n: &Node<'_>, f: &Faults, many: usize) -> Option<(Easing, Vec<Easing>)> {
    if !n.value.is_array() || many == 1 {
        return easing(n, f).map(|e| (e, Vec::new()));
    }
    let list = n.array(f, many)?;
    if list.len() != many {
        n.fault(f, "OCL-TYPE", format!("{} for the {many} numbers of the value", count(list.len(), "easing")));
        return None;
    }
    let each: Vec<Easing> = list.iter().filter_map(|e| easing(e, f)).collect();
    (each.len() == many).then_some((Easing::Linear, each))
}

/// A name, or one of the curves with numbers.
pub(super) fn easing(n: &Node<'_>, f: &Faults) -> Option<Easing> {
    if !n.value.is_object() {
        return scalar::one_of(n, f, "easing", &Easing::NAMES, Easing::parse);
    }
    let o = n.object(f)?;
    let curves = ["cubicBezier", "steps", "spring"];
    let given = curves.iter().filter(|c| n.value.get(c).is_some()).count();
    let bezier = o.optional("cubicBezier", bezier);
    let steps = o.optional("steps", |n, f| scalar::whole(n, f, 1, MAX_STEPS).map(|n| n as u32));
    let spring = o.optional("spring", |n, f| scalar::number(n, f, 0.05, 1.0));
    let jump = match steps {
        None if n.value.get("steps").is_none() => None,
        _ => o.optional("jump", |n, f| {
            scalar::one_of(n, f, "jump", &["end", "start", "both", "none"], |s| match s {
                "end" => Some(Jump::End),
                "start" => Some(Jump::Start),
                "both" => Some(Jump::Both),
                "none" => Some(Jump::None),
                _ => None,
            })
        }),
    };
    o.finish()?;
    if given != 1 {
        n.fault_help(f, "OCL-MISSING", "an easing is one curve", "write cubicBezier, steps or spring");
        return None;
    }
    match (bezier, steps, spring) {
        (Some(b), ..) => Some(b),
        (_, Some(n), _) => Some(Easing::Steps(n, jump.unwrap_or_default())),
        (.., damping) => damping.map(Easing::Spring),
    }
}

fn bezier(n: &Node<'_>, f: &Faults) -> Option<Easing> {
    let list = n.array(f, 4)?;
    if list.len() < 4 {
        n.fault(f, "OCL-RANGE", "a cubic Bézier has four numbers: x1, y1, x2, y2");
        return None;
    }
    let mut c = [0.0; 4];
    let mut ok = true;
    for (i, e) in list.iter().enumerate() {
        // x within 0…1: otherwise one time would have several values.
        let (lo, hi) = if i % 2 == 0 { (0.0, 1.0) } else { (-10.0, 10.0) };
        match scalar::number(e, f, lo, hi) {
            Some(x) => c[i] = x,
            None => ok = false,
        }
    }
    ok.then_some(Easing::Bezier(c))
}
