//! Lengths that are parts of what a layer stands in: `"50%"`.

use vistter_core::diagnose::{Diagnostic, Json};

use super::walk::{Faults, Node};
use crate::limits::MAX_PERCENT;
use crate::model::Relative;

/// Takes the percentages out of a layer. With any there comes the layer again, with a length in the place of each, so that
/// those who read its fields need not know of them.
pub(super) fn take<'v>(n: &Node<'v>, f: &Faults) -> (Relative, Option<Json<'v>>) {
    let mut relative = Relative::default();
    if !n.value.as_object().is_some_and(|layer| layer.iter().any(|(_, v)| percentage(v))) {
        return (relative, None);
    }
    let mut patched: Option<Json<'v>> = None;
    let mut one = |path: &str, least: f64| {
        let steps = || path.split('/').skip(1);
        let value = steps().try_fold(n.value, |v, key| v.get(key))?;
        let text = value.as_str()?.strip_suffix('%')?;
        let share = text.parse::<f64>().ok().filter(|v| v.is_finite());
        let inside = share.filter(|v| (least..=MAX_PERCENT).contains(v));
        if inside.is_none() {
            let at = format!("{}{path}", n.pointer);
            let text = format!("\"{text}%\" is not a percentage from {least}% to {MAX_PERCENT}%");
            let d = Diagnostic::error("OCL-RANGE", at, text);
            f.push(d.help("write for example \"50%\": half of what the layer stands in"));
        }
        let all = patched.get_or_insert_with(|| n.value.clone());
        if let Some(v) = steps().try_fold(all, |v, key| v.get_mut(key)) {
            *v = Json::Number(1.into());
        }
        inside.map(|v| v / 100.0)
    };
    relative.x = one("/position/x", -MAX_PERCENT);
    relative.y = one("/position/y", -MAX_PERCENT);
    relative.width = one("/width", 0.1);
    relative.height = one("/height", 0.1);
    (relative, patched)
}

/// Whether there is a percentage at all, here or one step deeper; most layers have none.
fn percentage(v: &Json<'_>) -> bool {
    let one = |v: &Json<'_>| v.as_str().is_some_and(|s| s.ends_with('%'));
    one(v) || v.as_object().is_some_and(|inner| inner.iter().any(|(_, v)| one(v)))
}
