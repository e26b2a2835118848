//! What cues wait for: `awaitPreset("…")`, `awaitMilestone("…")`, `awaitMarker("…")`.

use vistter_core::diagnose::Diagnostic;
use vistter_core::ports::EventKind;

use super::document::Names;
use super::scalar;
use super::walk::{Faults, Node};
use crate::limits::MAX_TEXT_CHARS;
use crate::model::{Sync, Then};

/// The directives and what they wait for.
pub(crate) const DIRECTIVES: [(&str, EventKind); 3] =
    [("awaitPreset", EventKind::Preset), ("awaitMilestone", EventKind::Milestone), ("awaitMarker", EventKind::Marker)];

/// Characters of the name of a preset, a milestone or a marker.
pub(crate) const MAX_EVENT_CHARS: usize = 120;

/// A synchronisation point: `{ "await": "awaitPreset(\"…\")", "timeout": …, "then": … }`.
pub(super) fn read(n: &Node<'_>, f: &Faults) -> Option<Sync> {
    let o = n.object(f)?;
    let what = o.required("await", directive);
    let timeout = o.optional("timeout", scalar::span);
    let then = o.optional("then", |n, f| {
        scalar::one_of(n, f, "continuation", &Then::NAMES, |s| match s {
            "continue" => Some(Then::Continue),
            "skip" => Some(Then::Skip),
            "fallback" => Some(Then::Fallback),
            _ => None,
        })
    });
    if then.is_some() && !o.has("timeout") {
        n.fault_help(
            f,
            "OCL-MISSING",
            "\"then\" says what happens after the time-out, and there is none",
            "add \"timeout\"",
        );
        return None;
    }
    o.finish()?;
    let (kind, name) = what?;
    Some(Sync { kind, name, timeout, then: then.unwrap_or_default() })
}

/// What a cue names: a point of the document, or a point of its own.
pub(super) fn of(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<Sync> {
    let Some(s) = n.value.as_str() else {
        return read(n, f);
    };
    if s.contains('(') {
        let (kind, name) = directive(n, f)?;
        return Some(Sync { kind, name, timeout: None, then: Then::Continue });
    }
    if let Some((_, sync)) = names.syncs.iter().find(|(id, _)| *id == s) {
        return sync.clone();
    }
    let d = Diagnostic::error("OCL-UNKNOWN-SYNC", n.pointer.clone(), format!("unknown synchronisation point \"{s}\""));
    f.push(match names.syncs.is_empty() {
        true => d.help("write it under \"sync\" of the document, or directly: awaitPreset(\\\"Name\\\")"),
        false => d.suggest(s, names.syncs.iter().map(|(id, _)| *id)),
    });
    None
}

fn directive(n: &Node<'_>, f: &Faults) -> Option<(EventKind, String)> {
    let s = scalar::text(n, f, MAX_TEXT_CHARS)?;
    let help = "write awaitPreset(\\\"Name\\\"), awaitMilestone(\\\"name\\\") or awaitMarker(\\\"name\\\")";
    let Some((word, rest)) = s.trim().split_once('(') else {
        n.fault_help(f, "OCL-SYNC", format!("\"{s}\" is no directive"), help);
        return None;
    };
    let Some((_, kind)) = DIRECTIVES.iter().find(|(name, _)| *name == word.trim()) else {
        let d = Diagnostic::error("OCL-SYNC", n.pointer.clone(), format!("unknown directive \"{}\"", word.trim()));
        f.push(d.suggest(word.trim(), DIRECTIVES.iter().map(|(name, _)| *name)));
        return None;
    };
    let quoted = rest.trim_end().strip_suffix(')').map(str::trim).and_then(|q| {
        let quote = q.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        q.strip_prefix(quote)?.strip_suffix(quote).filter(|name| !name.contains(quote))
    });
    let Some(name) = quoted else {
        n.fault_help(f, "OCL-SYNC", format!("what {word} waits for does not stand in quotes and brackets"), help);
        return None;
    };
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_EVENT_CHARS {
        n.fault(f, "OCL-LIMIT", format!("a name of {chars} characters; 1 to {MAX_EVENT_CHARS} are allowed"));
        return None;
    }
    Some((*kind, name.to_owned()))
}
