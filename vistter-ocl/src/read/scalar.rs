//! Values without structure: ids, numbers, spans, colours, names out of a list, templates.

use std::borrow::Cow;

use vistter_core::config::Span;
use vistter_core::diagnose::{Diagnostic, Json};

use super::document::Names;
use super::walk::{Faults, Node};
use crate::filter::FILTERS;
use crate::limits::MAX_FILTERS;
use crate::limits::{MAX_EXTENT, MAX_FADE_SECONDS, MAX_ID_CHARS, MAX_TEXT_CHARS};
use crate::locale::Locale;
use crate::model::{Align, Anchor, Color};
use crate::template::{Template, TemplateFault, VALUE};
use crate::wallclock::Format;

/// Any string of at most `max` characters.
pub(super) fn text(n: &Node<'_>, f: &Faults, max: usize) -> Option<String> {
    words(n, f, max).map(str::to_owned)
}

/// The same where it stands.
pub(super) fn words<'v>(n: &Node<'v>, f: &Faults, max: usize) -> Option<&'v str> {
    let Json::String(s) = n.value else {
        n.wrong_type(f, "a string");
        return None;
    };
    // a character is a byte at least
    let chars = if s.len() > max { s.chars().count() } else { s.len() };
    if chars > max {
        n.fault(f, "OCL-LIMIT", format!("{chars} characters; at most {max} are allowed"));
        return None;
    }
    Some(s)
}

/// True or false.
pub(super) fn truth(n: &Node<'_>, f: &Faults) -> Option<bool> {
    if n.value.as_bool().is_none() {
        n.wrong_type(f, "true or false");
    }
    n.value.as_bool()
}

/// A name: letters, digits, `-`, `_`, `.`.
pub(super) fn id(n: &Node<'_>, f: &Faults) -> Option<String> {
    let s = words(n, f, MAX_ID_CHARS)?;
    if let Some(why) = name_fault(s) {
        n.fault(f, "OCL-NAME", why);
        return None;
    }
    Some(s.to_owned())
}

/// What is wrong with a name, if anything.
pub(super) fn name_fault(s: &str) -> Option<String> {
    if s.is_empty() {
        return Some("a name must not be empty".to_owned());
    }
    if s.len() > MAX_ID_CHARS && s.chars().count() > MAX_ID_CHARS {
        return Some(format!("a name has at most {MAX_ID_CHARS} characters"));
    }
    let bad = s.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))?;
    Some(format!("\"{s}\" is not a name: '{bad}' is none of letters, digits, '-', '_' and '.'"))
}

/// A list of as many numbers as there must be; `what` says how many and which.
pub(super) fn numbers<const N: usize>(
    n: &Node<'_>,
    f: &Faults,
    what: &str,
    read: impl Fn(&Node<'_>) -> Option<f64>,
) -> Option<[f64; N]> {
    let list = match n.value {
        Json::Array(list) if list.len() == N => n.array(f, N)?,
        _ => {
            n.fault(f, "OCL-TYPE", what);
            return None;
        }
    };
    let mut out = [0.0; N];
    let mut ok = true;
    for (o, e) in out.iter_mut().zip(&list) {
        match read(e) {
            Some(v) => *o = v,
            None => ok = false,
        }
    }
    ok.then_some(out)
}

/// The id of an asset that the document names.
pub(super) fn asset(n: &Node<'_>, f: &Faults, names: &Names<'_>) -> Option<String> {
    let s = words(n, f, 256)?;
    if names.assets.contains(&s) {
        return Some(s.to_owned());
    }
    let d = Diagnostic::error("OCL-UNKNOWN-ASSET", n.pointer.clone(), format!("unknown asset \"{s}\""));
    f.push(if names.assets.is_empty() {
        d.help("name the file under \"assets\"")
    } else {
        d.suggest(s, names.assets.iter().copied())
    });
    None
}

/// A number within `min..=max`.
pub(super) fn number(n: &Node<'_>, f: &Faults, min: f64, max: f64) -> Option<f64> {
    let Some(x) = n.value.as_f64() else {
        n.wrong_type(f, "a number");
        return None;
    };
    if (min..=max).contains(&x) {
        return Some(x);
    }
    n.fault(f, "OCL-RANGE", format!("{x} is outside {min} to {max}"));
    None
}

/// Yes or no.
pub(super) fn flag(n: &Node<'_>, f: &Faults) -> Option<bool> {
    if let Json::Bool(b) = n.value {
        return Some(*b);
    }
    n.wrong_type(f, "true or false");
    None
}

/// A width or height: above 0.
pub(super) fn length(n: &Node<'_>, f: &Faults) -> Option<f64> {
    number(n, f, 1.0, MAX_EXTENT)
}

/// An offset.
pub(super) fn offset(n: &Node<'_>, f: &Faults) -> Option<f64> {
    number(n, f, -MAX_EXTENT, MAX_EXTENT)
}

/// 0 to 1.
pub(super) fn unit(n: &Node<'_>, f: &Faults) -> Option<f64> {
    number(n, f, 0.0, 1.0)
}

/// A whole number within `min..=max`.
pub(super) fn whole(n: &Node<'_>, f: &Faults, min: i64, max: i64) -> Option<i64> {
    let Some(x) = n.value.as_i64() else {
        n.wrong_type(f, "a whole number");
        return None;
    };
    if (min..=max).contains(&x) {
        return Some(x);
    }
    n.fault(f, "OCL-RANGE", format!("{x} is outside {min} to {max}"));
    None
}

/// A point or a length of time.
pub(super) fn span(n: &Node<'_>, f: &Faults) -> Option<Span> {
    let text = match n.value {
        Json::Number(x) => Cow::Owned(x.to_string()),
        Json::String(s) => Cow::Borrowed(s.as_ref()),
        _ => {
            n.wrong_type(f, "a time");
            return None;
        }
    };
    super::time::parse(&text, f.rate.get()).map_err(|(what, help)| n.fault_help(f, "OCL-TIME", what, help)).ok()
}

/// The length of a transition.
pub(super) fn fade(n: &Node<'_>, f: &Faults) -> Option<Span> {
    let s = span(n, f)?;
    let ok = match s {
        Span::Time(t) => t.millis() <= MAX_FADE_SECONDS * 1000,
        Span::Frames(k) => k <= MAX_FADE_SECONDS as u64 * 60,
    };
    if !ok {
        n.fault(f, "OCL-LIMIT", format!("a transition takes at most {MAX_FADE_SECONDS} seconds"));
        return None;
    }
    Some(s)
}

/// `#RRGGBB` or `#RRGGBBAA`.
pub(super) fn color(n: &Node<'_>, f: &Faults) -> Option<Color> {
    let s = words(n, f, MAX_TEXT_CHARS)?;
    let got = Color::parse(s);
    if got.is_none() {
        let help = "write \"#RRGGBB\", or \"#RRGGBBAA\" with alpha";
        n.fault_help(f, "OCL-COLOR", format!("\"{s}\" is not a colour"), help);
    }
    got
}

/// One of a list of names.
pub(super) fn one_of<T>(
    n: &Node<'_>,
    f: &Faults,
    what: &str,
    names: &[&'static str],
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let s = words(n, f, MAX_TEXT_CHARS)?;
    let got = parse(s);
    if got.is_none() {
        let text = format!("unknown {what} \"{s}\"");
        // In a document of a later version it is that version's news.
        let d = match f.newer.get() {
            true => f.left_out("OCL-UNKNOWN-VALUE", &n.pointer, text),
            false => Diagnostic::error("OCL-UNKNOWN-VALUE", n.pointer.clone(), text),
        };
        f.push(d.suggest(s, names.iter().copied()));
    }
    got
}

/// One of the nine points.
pub(super) fn anchor(n: &Node<'_>, f: &Faults) -> Option<Anchor> {
    one_of(n, f, "anchor", &Anchor::NAMES, Anchor::parse)
}

/// Left, centre or right.
pub(super) fn align(n: &Node<'_>, f: &Faults) -> Option<Align> {
    one_of(n, f, "alignment", &Align::NAMES, Align::parse)
}

/// A text with tokens, all of them known.
pub(super) fn template(n: &Node<'_>, f: &Faults, tokens: &[&str]) -> Option<Template> {
    let s = words(n, f, MAX_TEXT_CHARS)?;
    let (t, found) = Template::read(s, f.locale.get());
    let mut ok = found.faults.is_empty();
    for (at, fault) in &found.faults {
        f.push(template_fault(&n.pointer.to_string(), fault).within(*at));
    }
    for (at, name) in found.names.iter().filter(|(_, name)| !tokens.contains(&name.as_str())) {
        ok = false;
        let d = Diagnostic::error("OCL-UNKNOWN-TOKEN", n.pointer.clone(), format!("unknown token \"{name}\""));
        let known = tokens.iter().copied().chain([crate::template::CLOCK]);
        f.push(match name == VALUE {
            true => d
                .help(
                    "give the layer, of the type text, a \"value\": a number, or keyframes of one under \"automation\"",
                )
                .within(*at),
            false => d.suggest(name, known).within(*at),
        });
    }
    ok.then_some(t)
}

/// A language by its tag.
pub(super) fn locale(n: &Node<'_>, f: &Faults) -> Option<Locale> {
    let s = words(n, f, MAX_ID_CHARS)?;
    let got = Locale::parse(s);
    if got.is_none() {
        f.push(unknown_locale(&n.pointer.to_string(), s));
    }
    got
}

fn unknown_locale(at: &str, tag: &str) -> Diagnostic {
    Diagnostic::error("OCL-LOCALE", at, format!("unknown language \"{tag}\"")).suggest(tag, Locale::tags())
}

fn template_fault(at: &str, fault: &TemplateFault) -> Diagnostic {
    let error = |code, text: String| Diagnostic::error(code, at, text);
    match fault {
        TemplateFault::Open => error("OCL-TEMPLATE", "\"{{\" is not closed".into()).help("write {{name}}"),
        TemplateFault::Empty => error("OCL-TEMPLATE", "\"{{}}\" names no token".into()).help("write {{name}}"),
        TemplateFault::Filter(name) => {
            error("OCL-UNKNOWN-FILTER", format!("unknown filter \"{name}\"")).suggest(name, FILTERS)
        }
        TemplateFault::Argument(what, help) => error("OCL-FILTER", what.clone()).help(help),
        TemplateFault::ClockFilter(name) => {
            error("OCL-CLOCK", format!("\"{name}\" stands after the clock, which has a format and a zone only"))
                .help("write {{clock|FORMAT|ZONE}}")
        }
        TemplateFault::Filters(n) => error("OCL-LIMIT", format!("{n} filters; at most {MAX_FILTERS} are allowed")),
        TemplateFault::ClockFormat(piece) => error("OCL-CLOCK", format!("\"{piece}\" is not part of a time format"))
            .help(format!("after % stands one of {}", Format::LETTERS)),
        TemplateFault::Zone(z) => error("OCL-CLOCK", format!("\"{z}\" is not a time zone"))
            .help("write UTC or an offset from it such as +02:00"),
        TemplateFault::Locale(tag) => unknown_locale(at, tag),
    }
}
