//! Sequences of pictures, and how often a moving picture is played.

use vistter_core::diagnose::Json;
use vistter_core::time::FrameRate;

use super::document::path;
use super::scalar;
use super::walk::{Faults, Node};
use crate::limits::{MAX_FILM_FRAMES, MAX_ID_CHARS, MAX_REPEATS};
use crate::model::{Missing, Sequence};

/// The highest number of a file.
const MAX_NUMBER: i64 = 9_999_999;

pub(super) fn read(n: &Node<'_>, f: &Faults) -> Option<Sequence> {
    let o = n.object(f)?;
    let number = |n: &Node<'_>, f: &Faults| scalar::whole(n, f, 0, MAX_NUMBER);
    let first = o.optional("first", number).unwrap_or(1);
    let last = o.required("last", number);
    let rate = o.required("frameRate", rate);
    let plays = o.optional("plays", plays).unwrap_or(0);
    let missing = o.optional("missing", |n, f| {
        scalar::one_of(n, f, "policy", &Missing::NAMES, |s| Missing::NAMES.into_iter().find(|name| *name == s))
    });
    let fallback = o.optional("fallback", path);
    let missing = match (missing.unwrap_or("error"), fallback) {
        ("fallback", Some(path)) => Some(Missing::Fallback(path)),
        ("fallback", None) => {
            let help = "write its path as \"fallback\"";
            n.fault_help(f, "OCL-MISSING", "a picture is to stand in, and none is named", help);
            None
        }
        (_, Some(_)) => {
            let help = "write \"missing\": \"fallback\", or leave \"fallback\" out";
            n.fault_help(f, "OCL-CONFLICT", "\"fallback\" is never shown", help);
            None
        }
        ("hold", None) => Some(Missing::Hold),
        ("blank", None) => Some(Missing::Blank),
        _ => Some(Missing::Error),
    };
    o.finish()?;
    let (first, last) = (first, last?);
    if last < first {
        n.fault_help(f, "OCL-RANGE", format!("the last file {last} stands before the first {first}"), "swap them");
        return None;
    }
    if last - first >= MAX_FILM_FRAMES as i64 {
        n.fault(f, "OCL-LIMIT", format!("{} files; at most {MAX_FILM_FRAMES} are allowed", last - first + 1));
        return None;
    }
    Some(Sequence { first: first as u32, last: last as u32, rate: rate?, plays, missing: missing? })
}

fn rate(n: &Node<'_>, f: &Faults) -> Option<FrameRate> {
    let text = match n.value {
        Json::Number(x) => x.to_string(),
        _ => scalar::text(n, f, MAX_ID_CHARS)?,
    };
    let rate = FrameRate::parse(&text);
    if rate.is_none() {
        let help = "write 25, 30, 60 or a fraction such as \"30000/1001\"";
        n.fault_help(f, "OCL-RANGE", format!("\"{text}\" is not a frame rate"), help);
    }
    rate
}

/// How often: a number, or `"forever"`, which is 0.
pub(super) fn plays(n: &Node<'_>, f: &Faults) -> Option<u32> {
    match n.value {
        Json::Number(_) => scalar::whole(n, f, 1, MAX_REPEATS).map(|n| n as u32),
        _ => scalar::one_of(n, f, "number of times", &["forever"], |s| (s == "forever").then_some(0)),
    }
}
