//! Texts and tickers: what they say and how they look.

use std::borrow::Cow;

use super::document::Names;
use super::walk::{Faults, Node, Object};
use super::{automation, scalar};
use crate::limits::MAX_RUNS;
use crate::limits::{MAX_EXTENT, MAX_LINES, MAX_OUTLINE, MAX_PADDING, MAX_TEXT_SIZE, MAX_TICKER_SPEED, MIN_TEXT_SIZE};
use crate::model::{Background, Breaks, Color, Content, Outline, Run, Shadow, TextStyle};
use crate::template::VALUE;

fn size(n: &Node<'_>, f: &Faults) -> Option<f64> {
    scalar::number(n, f, MIN_TEXT_SIZE, MAX_TEXT_SIZE)
}

fn weight(n: &Node<'_>, f: &Faults) -> Option<bool> {
    scalar::one_of(n, f, "weight", &["regular", "bold"], |s| match s {
        "regular" => Some(false),
        "bold" => Some(true),
        _ => None,
    })
}

/// A length in base pixels, or in font sizes: `"0.5em"`. `size` is the font size, if it is known.
fn length(n: &Node<'_>, f: &Faults, size: Option<f64>, least: f64, most: f64) -> Option<f64> {
    let Some(written) = n.value.as_str() else { return scalar::number(n, f, least, most) };
    let plain = |s: &&str| s.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    let Some(times) = written.strip_suffix("em").filter(plain).and_then(|s| s.parse::<f64>().ok()) else {
        let help = "write a number of base pixels, or for example \"0.5em\": half of the font size";
        n.fault_help(f, "OCL-TYPE", format!("\"{written}\" is not a length"), help);
        return None;
    };
    // without a size there is nothing to count in: that is said where it is missing
    let size = size?;
    let value = times * size;
    if !(least..=most).contains(&value) {
        n.fault(f, "OCL-RANGE", format!("\"{written}\" of {size} is {value}, which is outside {least} to {most}"));
        return None;
    }
    Some(value)
}

/// The font size of a layer, before it is read.
fn em(o: &Object<'_, '_>) -> Option<f64> {
    o.find("size")?.value.as_f64().filter(|s| (MIN_TEXT_SIZE..=MAX_TEXT_SIZE).contains(s))
}

/// What the texts of a layer may name: the document's tokens, and the layer's own number if it has one.
pub(super) fn tokens<'n>(o: &Object<'_, '_>, names: &'n Names<'_>) -> Cow<'n, [&'n str]> {
    let text = o.find("type").is_some_and(|t| t.value.as_str() == Some("text"));
    let moves = || o.find("automation").is_some_and(|a| a.value.get("value").is_some());
    if text && (o.has("value") || moves()) {
        return names.tokens.iter().copied().chain([VALUE]).collect();
    }
    Cow::Borrowed(&names.tokens)
}

/// `text`, or `runs`: parts that look different.
fn runs(o: &Object<'_, '_>, names: &Names<'_>, tokens: &[&str]) -> Option<Vec<Run>> {
    if o.node.value.get("runs").is_none() {
        if o.node.value.get("text").is_none() {
            ["text", "runs"].iter().for_each(|name| drop(o.field(name)));
            o.node.fault_help(
                o.faults,
                "OCL-MISSING",
                "a text says nothing",
                "write \"text\", or \"runs\" for parts that look different",
            );
            return None;
        }
        o.field("runs");
        return o.optional("text", |n, f| scalar::template(n, f, tokens)).map(Run::plain);
    }
    let text = o.optional("text", |n, f| scalar::template(n, f, tokens));
    let runs = o.optional("runs", |n, f| {
        let list = n.array(f, MAX_RUNS)?;
        if list.is_empty() {
            n.fault(f, "OCL-MISSING", "a text needs at least one run");
            return None;
        }
        // all of them are read, so that all faults are found
        let read: Vec<Option<Run>> = list.iter().map(|n| run(n, f, names, tokens, em(o))).collect();
        read.into_iter().collect()
    });
    if text.is_some() {
        o.node.fault_help(o.faults, "OCL-CONFLICT", "\"text\" and \"runs\" both say the text", "leave one of them out");
        return None;
    }
    runs
}

fn run(n: &Node<'_>, f: &Faults, names: &Names<'_>, tokens: &[&str], em: Option<f64>) -> Option<Run> {
    let o = n.object(f)?;
    let text = o.required("text", |n, f| scalar::template(n, f, tokens));
    let font = o.optional("font", |n, f| scalar::asset(n, f, names));
    let (color, bold) = (o.optional("color", scalar::color), o.optional("weight", weight));
    let italic = o.optional("italic", scalar::flag);
    let size = o.optional("size", |n, f| length(n, f, em, MIN_TEXT_SIZE, MAX_TEXT_SIZE));
    o.finish()?;
    Some(Run { text: text?, color, bold, italic, size, font })
}

fn style(o: &Object<'_, '_>, names: &Names<'_>) -> Option<TextStyle> {
    let size = o.required("size", size);
    let font = o.optional("font", |n, f| scalar::asset(n, f, names));
    let bold = o.optional("weight", weight).unwrap_or(false);
    let italic = o.optional("italic", scalar::flag).unwrap_or(false);
    let tabular = o.optional("digits", |n, f| {
        scalar::one_of(n, f, "kind of digits", &["tabular", "proportional"], |s| match s {
            "tabular" => Some(true),
            "proportional" => Some(false),
            _ => None,
        })
    });
    let color = o.optional("color", scalar::color).unwrap_or(Color::WHITE);
    let tracking = o.optional("tracking", |n, f| scalar::number(n, f, -200.0, 1000.0)).unwrap_or(0.0);
    let outline = o.optional("outline", |n, f| outline(n, f, size));
    let shadow = o.optional("shadow", |n, f| shadow(n, f, size));
    let tabular = tabular.unwrap_or(true);
    Some(TextStyle { font, bold, italic, tabular, color, tracking, outline, shadow, ..TextStyle::plain(size?) })
}

fn outline(n: &Node<'_>, f: &Faults, em: Option<f64>) -> Option<Outline> {
    let o = n.object(f)?;
    let width = o.required("width", |n, f| length(n, f, em, 0.5, MAX_OUTLINE));
    let color = o.required("color", scalar::color);
    o.finish()?;
    Some(Outline { width: width?, color: color? })
}

fn shadow(n: &Node<'_>, f: &Faults, em: Option<f64>) -> Option<Shadow> {
    let o = n.object(f)?;
    let far = |n: &Node<'_>, f: &Faults| length(n, f, em, -MAX_PADDING, MAX_PADDING);
    let x = o.optional("x", far).unwrap_or(0.0);
    let y = o.optional("y", far).unwrap_or(0.0);
    let color = o.required("color", scalar::color);
    o.finish()?;
    Some(Shadow { x, y, color: color? })
}

fn background(n: &Node<'_>, f: &Faults, em: Option<f64>) -> Option<Background> {
    let o = n.object(f)?;
    let color = o.required("color", scalar::color);
    let padding = o.optional("padding", |n, f| {
        let one = |n: &Node<'_>| length(n, f, em, 0.0, MAX_PADDING);
        if !n.value.is_array() {
            return one(n).map(|p| [p, p]);
        }
        match n.array(f, 2)?.as_slice() {
            [x, y] => Some([one(x)?, one(y)?]),
            _ => {
                n.fault_help(f, "OCL-TYPE", "padding is one number or two", "write 12, or [24, 12]");
                None
            }
        }
    });
    let radius = o.optional("radius", |n, f| length(n, f, em, 0.0, MAX_EXTENT)).unwrap_or(0.0);
    o.finish()?;
    Some(Background { color: color?, padding: padding.unwrap_or_default(), radius })
}

pub(super) fn text(o: &Object<'_, '_>, names: &Names<'_>, tokens: &[&str]) -> Option<Content> {
    let runs = runs(o, names, tokens);
    let value = o.optional("value", automation::value);
    let style = style(o, names);
    let align = o.optional("align", scalar::align).unwrap_or_default();
    let width = o.optional("width", scalar::length);
    let max_width = o.optional("maxWidth", scalar::length);
    let wrap = o.optional("wrap", |n, f| {
        scalar::one_of(n, f, "wrap", &Breaks::NAMES, |s| match s {
            "none" => Some(Breaks::None),
            "word" => Some(Breaks::Word),
            "glyph" => Some(Breaks::Glyph),
            _ => None,
        })
    });
    let max_lines = o.optional("maxLines", |n, f| scalar::whole(n, f, 1, MAX_LINES as i64));
    let most = style.as_ref().map_or(MAX_TEXT_SIZE, |s| s.size);
    let min_size = o.optional("minSize", |n, f| length(n, f, em(o), MIN_TEXT_SIZE, most));
    let background = o.optional("background", |n, f| background(n, f, em(o)));
    let bounded = ["width", "maxWidth"].iter().any(|name| o.has(name));
    if !bounded && (min_size.is_some() || wrap.is_some_and(|w| w != Breaks::None)) {
        let help = "write \"width\", or \"maxWidth\" for a box that is only as wide as its text";
        o.node.fault_help(o.faults, "OCL-MISSING", "a text that wraps or shrinks needs a width to fit", help);
        return None;
    }
    Some(Content::Text {
        runs: runs?,
        value,
        style: style?,
        align,
        width,
        max_width,
        wrap: wrap.unwrap_or_default(),
        max_lines: max_lines.map_or(MAX_LINES, |n| n as usize),
        min_size,
        background,
    })
}

pub(super) fn ticker(o: &Object<'_, '_>, names: &Names<'_>) -> Option<Content> {
    let runs = runs(o, names, &names.tokens);
    let style = style(o, names);
    let width = o.required("width", scalar::length);
    let gap = o.optional("gap", |n, f| length(n, f, em(o), 0.0, MAX_EXTENT)).unwrap_or(120.0);
    let speed = o.required("speed", |n, f| scalar::number(n, f, 1.0, MAX_TICKER_SPEED));
    Some(Content::Ticker { runs: runs?, style: style?, width: width?, gap, speed: speed? })
}
