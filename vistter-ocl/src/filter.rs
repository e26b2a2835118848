//! What may follow a token after a bar: `{{name|trim|truncate:12|upper}}`, `{{goals|pad:2:0}}`, `{{day|date:%e %B}}`.
//!
//! Filters work from left to right, each on what the one before it gave. They work at the end of the text being
//! filled in, in place, so that filling in the same text again needs no new memory.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;
use vistter_core::clock::WallTime;

use crate::limits::MAX_TOKEN_CHARS;
use crate::locale::{self, Locale, Numbers};
use crate::token::number;
use crate::wallclock::{self, Format, Offset};

/// Names of the filters, as written.
pub(crate) const FILTERS: [&str; 10] =
    ["upper", "lower", "trim", "truncate:…", "pad:…", "number", "date:…", "countdown", "countup", "default:…"];

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Upper(Locale),
    Lower(Locale),
    /// Without white space at both ends.
    Trim,
    /// At most so many characters (grapheme clusters), the last one "…" if something is left out.
    Truncate(usize),
    /// At least so many characters, filled up on the left.
    Pad(usize, char),
    /// Thousands in groups; so many decimals, as many as there are if absent.
    Number(Option<usize>, Numbers),
    /// A date in another form.
    Date(Format, Locale),
    /// The time until a date, whose wall-clock time is that of this zone.
    Countdown(Offset),
    /// The time since a date.
    Countup(Offset),
    /// Stands in for an empty value.
    Default(String),
}

/// The ways to write numbers that 1.0 had: languages and countries by names of its own, and `plain`, which has no groups.
const STYLES: [&str; 5] = ["en", "de", "fr", "ch", "plain"];

/// How numbers are written: by one of those names, or as a language does.
fn style(name: &str) -> Option<Numbers> {
    let of = |group, point| Numbers { group, point, lakh: false, least: 1, zero: '0' };
    Some(match name {
        "en" => of(Some(','), '.'),
        "de" => of(Some('.'), ','),
        // a space at which no line breaks
        "fr" => of(Some('\u{a0}'), ','),
        "ch" => of(Some('’'), '.'),
        "plain" => of(None, '.'),
        tag => Locale::parse(tag)?.numbers,
    })
}

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterFault {
    Unknown(String),
    /// What is wrong with what stands after the colon, and what to write.
    Argument(String, String),
    Format(String),
    /// A language that is not there.
    Locale(String),
}

impl Filter {
    /// Reads what stands between two bars, in a document of a language.
    pub(crate) fn parse(text: &str, locale: Locale) -> Result<Self, FilterFault> {
        let (name, argument) = match text.trim_start().split_once(':') {
            Some((n, a)) => (n.trim(), Some(a)),
            None => (text.trim(), None),
        };
        let wrong = |what: &str, help: &str| FilterFault::Argument(what.to_owned(), help.to_owned());
        // a language of its own: date@de
        let (name, locale) = match name.split_once('@') {
            Some((n, tag)) if ["number", "date", "upper", "lower"].contains(&n) => match Locale::parse(tag) {
                Some(locale) => (n, locale),
                None => return Err(FilterFault::Locale(tag.to_owned())),
            },
            _ => (name, locale),
        };
        let count = |s: &str| s.trim().parse().ok().filter(|n| (1..=MAX_TOKEN_CHARS).contains(n));
        Ok(match (name, argument) {
            ("upper", None) => Self::Upper(locale),
            ("lower", None) => Self::Lower(locale),
            ("trim", None) => Self::Trim,
            ("default", Some(text)) => Self::Default(text.to_owned()),
            ("truncate", a) => match a.and_then(count) {
                Some(n) => Self::Truncate(n),
                None => return Err(wrong("\"truncate\" needs a number of characters", "write truncate:20")),
            },
            ("pad", a) => {
                let help = "write pad:2 for spaces, or pad:2:0 for zeros";
                let (n, fill) = a.map_or(("", None), |a| a.split_once(':').map_or((a, None), |(n, f)| (n, Some(f))));
                let mut fill = fill.unwrap_or(" ").chars();
                match (count(n), fill.next(), fill.next()) {
                    (Some(n), Some(c), None) if !c.is_control() => Self::Pad(n, c),
                    _ => {
                        return Err(wrong("\"pad\" needs a number of characters, and may have one to fill with", help));
                    }
                }
            }
            ("number", a) => {
                let (digits, name) =
                    a.map_or(("", None), |a| a.split_once(':').map_or((a, None), |(d, s)| (d, Some(s))));
                let digits = digits.trim();
                let decimals = digits.parse().ok().filter(|n| *n <= 9);
                if decimals.is_none() && !digits.is_empty() {
                    return Err(wrong(
                        &format!("\"{digits}\" is not a number of decimals"),
                        "write number, number:2 or number:2:de; from 0 to 9 decimals",
                    ));
                }
                let Some(style) = name.map_or(Some(locale.numbers), |n| style(n.trim())) else {
                    let known = STYLES.into_iter().chain(Locale::tags().filter(|t| !STYLES.contains(t)));
                    return Err(wrong(
                        &format!("unknown way to write numbers \"{}\"", name.unwrap_or_default().trim()),
                        &format!("expected one of: {}", known.collect::<Vec<_>>().join(", ")),
                    ));
                };
                Self::Number(decimals, style)
            }
            ("date", Some(format)) => Self::Date(Format::parse(format).map_err(FilterFault::Format)?, locale),
            ("countdown" | "countup", zone) => {
                let zone = zone.map_or("UTC", str::trim);
                let Some(offset) = Offset::parse(zone) else {
                    return Err(wrong(
                        &format!("\"{zone}\" is not a time zone"),
                        "write UTC or an offset from it such as countdown:+02:00",
                    ));
                };
                if name == "countdown" { Self::Countdown(offset) } else { Self::Countup(offset) }
            }
            ("date", None) => return Err(wrong("\"date\" needs a form", "write date:%e %B %Y")),
            ("default", None) => return Err(wrong("\"default\" needs a text", "write default:none")),
            ("upper" | "lower" | "trim", Some(_)) => {
                return Err(wrong(&format!("nothing stands after \"{name}\""), &format!("write {name}")));
            }
            (unknown, _) => return Err(FilterFault::Unknown(unknown.to_owned())),
        })
    }

    /// Whether what it gives changes by itself, second by second.
    pub(crate) fn runs(&self) -> bool {
        matches!(self, Self::Countdown(_) | Self::Countup(_))
    }

    /// So many decimals are asked for.
    pub(crate) fn decimals(&self) -> Option<usize> {
        match self {
            Self::Number(decimals, _) => *decimals,
            _ => None,
        }
    }

    /// Works on `text[from..]`, the value so far.
    pub(crate) fn apply(&self, text: &mut String, from: usize, wall: WallTime) {
        let end = text.len();
        match self {
            Self::Default(d) if end == from => text.push_str(d),
            Self::Default(_) => {}
            Self::Upper(l) => each(text, from, |c, out| l.upper(c, out)),
            Self::Lower(l) => each(text, from, |c, out| l.lower(c, out)),
            Self::Trim => {
                text.truncate(from + text[from..].trim_end().len());
                let skip = text[from..].len() - text[from..].trim_start().len();
                text.drain(from..from + skip);
            }
            Self::Truncate(n) => {
                let mut starts = text[from..].grapheme_indices(true).map(|(i, _)| i);
                let (last, over) = (starts.by_ref().nth(n - 1), starts.next());
                if let (Some(last), Some(_)) = (last, over) {
                    text.truncate(from + last);
                    text.push('…');
                }
            }
            Self::Pad(n, fill) => {
                for _ in text[from..].graphemes(true).count()..*n {
                    text.insert(from, *fill);
                }
            }
            Self::Number(decimals, style) => {
                if let Some(n) = number(&text[from..]) {
                    let decimals = decimals.unwrap_or_else(|| text[from..].split_once('.').map_or(0, |(_, f)| f.len()));
                    text.truncate(from);
                    write_number(n, decimals, *style, text);
                }
            }
            Self::Countdown(zone) | Self::Countup(zone) => {
                if let Some(t) = wallclock::parse_iso(&text[from..]) {
                    let at = i128::from(t.unix_nanos()) - i128::from(zone.secs()) * SECOND;
                    let left = at - i128::from(wall.unix_nanos());
                    // Until: a second that has begun counts, so that 0:00 comes with the moment itself.
                    let seconds = match self {
                        Self::Countdown(_) => (left + SECOND - 1).div_euclid(SECOND),
                        _ => (-left).div_euclid(SECOND),
                    };
                    text.truncate(from);
                    write_length(seconds.max(0), text);
                }
            }
            Self::Date(format, locale) => {
                if let Some(t) = wallclock::parse_iso(&text[from..]) {
                    text.truncate(from);
                    format.write(t, Offset::UTC, *locale, text);
                }
            }
        }
    }
}

/// Replaces `text[from..]` character by character: what comes out is written behind it, and it is cut out.
fn each(text: &mut String, from: usize, change: impl Fn(char, &mut String)) {
    let end = text.len();
    let mut at = from;
    while at < end {
        let Some(c) = text[at..].chars().next() else { break };
        change(c, text);
        at += c.len_utf8();
    }
    text.drain(from..end);
}

const SECOND: i128 = 1_000_000_000;

/// `0:09`, `12:05`, `1:00:00`.
pub(crate) fn write_length(seconds: i128, out: &mut String) {
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Writing to a String cannot fail.
    let _ = if h > 0 { write!(out, "{h}:{m:02}:{s:02}") } else { write!(out, "{m}:{s:02}") };
}

fn write_number(n: f64, decimals: usize, style: Numbers, out: &mut String) {
    let from = out.len();
    // Writing to a String cannot fail. The same digits on every machine: Rust's own formatting, no library's.
    let _ = write!(out, "{n:.decimals$}");
    // "-0" after rounding is no number people write
    if out[from..].starts_with('-') && !out[from..].bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.remove(from);
    }
    let start = from + usize::from(out[from..].starts_with('-'));
    let point = out[start..].find('.').map_or(out.len(), |i| start + i);
    if point < out.len() && style.point != '.' {
        out.remove(point);
        out.insert(point, style.point);
    }
    if let Some(group) = style.group.filter(|_| point - start >= 3 + style.least) {
        let (mut at, mut step) = (point, 3);
        while at > start + step {
            at -= step;
            out.insert(at, group);
            step = if style.lakh { 2 } else { 3 };
        }
    }
    locale::digits(style.zero, out, from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(filters: &str, value: &str) -> String {
        let mut text = format!("before {value}");
        for f in filters.split('|') {
            Filter::parse(f, Locale::default()).unwrap_or_else(|e| panic!("{f}: {e:?}")).apply(
                &mut text,
                7,
                WallTime::default(),
            );
        }
        text.strip_prefix("before ").unwrap().to_owned()
    }

    #[test]
    fn each_filter() {
        for (filters, value, want) in [
            ("upper", "ströße", "STRÖSSE"),
            ("lower", "ÅSA", "åsa"),
            ("trim", "  a b\u{a0} ", "a b"),
            ("truncate:4", "abcd", "abcd"),
            ("truncate:4", "abcde", "abc…"),
            ("truncate:2", "e\u{301}e\u{301}e\u{301}", "e\u{301}…"),
            ("truncate:1", "ab", "…"),
            ("pad:3:0", "7", "007"),
            ("pad:3", "1234", "1234"),
            ("pad:2", "", "  "),
            ("number", "1234567.50", "1,234,567.50"),
            ("number:0:de", "-1234.5", "-1.234"),
            ("number:2:fr", "1234.5", "1\u{a0}234,50"),
            ("number:1:ch", "999", "999.0"),
            ("number:0", "-0.4", "0"),
            ("number:2:plain", "12345", "12345.00"),
            ("number", "n/a", "n/a"),
            ("number:0:hi", "123456789", "12,34,56,789"),
            ("number:0:pl", "1234", "1234"),
            ("number:0:pl", "12345", "12\u{a0}345"),
            ("number:2:sv", "-12345.6", "-12\u{a0}345,60"),
            ("number:1:ar-u-nu-arab", "12345.6", "١٢٬٣٤٥٫٦"),
            ("number@de-AT:1", "12345.6", "12.345,6"),
            ("date@de:%A, %x", "2026-11-21", "Samstag, 21. November 2026"),
            ("date@ja:%x", "2026-11-21", "2026年11月21日"),
            ("upper@tr", "izmir", "İZMİR"),
            ("lower@tr", "IŞIK", "ışık"),
            ("date:%e %B %Y", "2026-11-21", "21 November 2026"),
            ("date:%H:%M", "2026-11-21T18:05", "18:05"),
            ("date:%H", "soon", "soon"),
            ("default:none", "", "none"),
            ("trim|default:none|upper", "  ", "NONE"),
            ("truncate:3|upper", "straße", "ST…"),
        ] {
            assert_eq!(run(filters, value), want, "{filters} of {value:?}");
        }
    }
    #[test]
    fn counting_down_and_up() {
        // 2026-11-21 18:30:00 UTC
        let start = 1_795_285_800_000_000_000i64;
        let at = |filter: &str, nanos: i64| {
            let mut text = "2026-11-21T18:30".to_owned();
            Filter::parse(filter, Locale::default()).unwrap().apply(
                &mut text,
                0,
                WallTime::from_unix_nanos(start + nanos),
            );
            text
        };
        const S: i64 = 1_000_000_000;
        assert_eq!(at("countdown", -3600 * S), "1:00:00");
        assert_eq!(at("countdown", -3600 * S + 1), "1:00:00");
        assert_eq!(at("countdown", -9 * S), "0:09");
        assert_eq!(
            (at("countdown", -1), at("countdown", 0), at("countdown", 5 * S)),
            ("0:01".into(), "0:00".into(), "0:00".into())
        );
        assert_eq!(
            (at("countup", -5 * S), at("countup", S - 1), at("countup", 725 * S)),
            ("0:00".into(), "0:00".into(), "12:05".into())
        );
        assert_eq!(at("countdown:+01:00", -3660 * S), "1:00", "half past six there is an hour earlier");
        assert!(Filter::parse("countdown:Berlin", Locale::default()).is_err());
    }
    #[test]
    fn faults_name_what_to_write() {
        for (bad, help) in [
            ("truncate", "truncate:20"),
            ("truncate:0", "truncate:20"),
            ("pad:2:ab", "pad:2:0"),
            ("number:x", "number:2:de"),
            ("number:2:xx", "en, de"),
            ("date", "date:%e"),
            ("default", "default:"),
            ("upper:x", "upper"),
        ] {
            match Filter::parse(bad, Locale::default()) {
                Err(FilterFault::Argument(_, h)) => assert!(h.contains(help), "{bad}: {h}"),
                other => panic!("{bad}: {other:?}"),
            }
        }
        assert_eq!(Filter::parse("date@xx:%A", Locale::default()), Err(FilterFault::Locale("xx".into())));
        assert_eq!(Filter::parse("trim@de", Locale::default()), Err(FilterFault::Unknown("trim@de".into())));
        let (de, number) = (Locale::parse("de").unwrap(), |l| Filter::parse("number:1", l).unwrap());
        let mut text = "1234.5".to_owned();
        number(de).apply(&mut text, 0, WallTime::default());
        assert_eq!(text, "1.234,5", "the document's own language");
        assert_eq!(Filter::parse("uper", Locale::default()), Err(FilterFault::Unknown("uper".into())));
        assert_eq!(Filter::parse("date:%Q", Locale::default()), Err(FilterFault::Format("%Q".into())));
    }
    proptest! {
        #[test]
        fn any_filter_on_any_value(f in "(upper|lower|trim|truncate:[0-9]{1,2}|pad:[1-9]:\\PC|number:[0-9]:(de|fr|ch)|date:%[HYQ]|\\PC{0,8})",
                                   value in "\\PC{0,30}") {
            if let Ok(filter) = Filter::parse(&f, Locale::default()) {
                let mut text = format!("x{value}");
                filter.apply(&mut text, 1, WallTime::default());
                prop_assert!(text.starts_with('x'));
            }
        }
        /// Groups and points change how a number looks, not which it is.
        #[test]
        fn a_number_keeps_its_digits(n in -1_000_000_000i64..1_000_000_000, style in 0usize..8) {
            let styles = ["en", "de", "fr", "ch", "plain", "en-IN", "pl", "sv"];
            let got = run(&format!("number:0:{}", styles[style]), &n.to_string());
            let digits: String = got.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
            prop_assert_eq!(digits, n.to_string());
        }
    }
}
