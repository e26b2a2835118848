//! Automation: keyframes, easings, and what comes after the last keyframe.

use vistter_core::config::Span;
use vistter_core::diagnose::Diagnostic;
use vistter_core::time::FrameRate;

use super::scalar;
use super::walk::{Faults, Node};
use crate::limits::{MAX_KEYFRAMES, MAX_REPEATS, MAX_STEPS};
use crate::model::{Automation, Easing, Envelope, Jump, Keyframe, Repeat};

pub(super) fn read(n: &Node<'_>, f: &Faults) -> Option<Automation> {
    let o = n.object(f)?;
    let opacity = o.optional("opacity", |n, f| envelope(n, f, scalar::unit)).unwrap_or_default();
    let position = o.optional("position", |n, f| envelope(n, f, point)).unwrap_or_default();
    o.finish()?;
    Some(Automation { opacity, position })
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

/// A list of keyframes, or an object with one and what comes after it.
fn envelope<T>(
    n: &Node<'_>,
    f: &Faults,
    value: impl Fn(&Node<'_>, &Faults) -> Option<T> + Copy,
) -> Option<Envelope<T>> {
    if !n.value.is_object() {
        return Some(Envelope { keys: keyframes(n, f, value)?, repeat: Repeat::Once });
    }
    let o = n.object(f)?;
    let keys = o.required("keyframes", |n, f| keyframes(n, f, value));
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
        let easing = o.optional("easing", easing).unwrap_or_default();
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
        out.push(Keyframe { at, value: v, easing });
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

/// A name, or one of the curves with numbers.
pub(super) fn easing(n: &Node<'_>, f: &Faults) -> Option<Easing> {
    if !n.value.is_object() {
        return scalar::one_of(n, f, "easing", &Easing::NAMES, Easing::parse);
    }
    let o = n.object(f)?;
    let curves = ["cubicBezier", "steps", "spring"];
    let given = curves.iter().filter(|c| n.value.get(**c).is_some()).count();
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
