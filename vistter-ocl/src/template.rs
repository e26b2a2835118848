//! Text with tokens: `Now: {{title|upper}}`, `{{clock|%H:%M:%S|+01:00}}`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vistter_core::clock::WallTime;
use vistter_core::config::Span;
use vistter_core::time::MediaTime;

use crate::filter::{self, Filter, FilterFault};
use crate::limits::{MAX_EXPANDED_CHARS, MAX_FILTERS};
use crate::locale::Locale;
use crate::read;
use crate::wallclock::{Format, Offset};

const SECOND: i64 = 1_000_000_000;

/// The name that stands for wall-clock time.
pub(crate) const CLOCK: &str = "clock";
/// The name that stands for the time since the scene was shown.
pub(crate) const TIMER: &str = "timer";

/// The name that stands for the number of the layer whose text it is.
pub(crate) const VALUE: &str = "value";

/// What a text may show that changes by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// Wall-clock time.
    pub wall: WallTime,
    /// Since the scene was shown.
    pub elapsed: MediaTime,
    /// The number of the layer whose text it is.
    pub value: Option<f64>,
}

/// A text with its tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Token {
        name: String,
        filters: Vec<Filter>,
    },
    Clock {
        format: Format,
        offset: Offset,
        locale: Locale,
    },
    /// The time since the scene was shown, or what is left of this.
    Timer {
        of: Option<MediaTime>,
        filters: Vec<Filter>,
    },
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateFault {
    /// `{{` without `}}`.
    Open,
    /// `{{}}`.
    Empty,
    /// A filter nobody knows.
    Filter(String),
    /// A filter with a wrong argument: what is wrong, and what to write.
    Argument(String, String),
    /// A filter after the clock, which takes none.
    ClockFilter(String),
    /// More filters after one token than there may be.
    Filters(usize),
    /// A clock format with a letter nobody knows.
    ClockFormat(String),
    /// A time zone that is neither `UTC` nor an offset.
    Zone(String),
    /// A language that is not there.
    Locale(String),
}

/// What is found in a template, with places: bytes from its beginning.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) faults: Vec<(usize, TemplateFault)>,
    /// The names of its tokens.
    pub(crate) names: Vec<(usize, String)>,
}

impl Template {
    /// Reads a template; all faults at once.
    ///
    /// # Errors
    /// Every fault, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateFault>> {
        let (template, found) = Self::read(text, Locale::default());
        if found.faults.is_empty() { Ok(template) } else { Err(found.faults.into_iter().map(|(_, f)| f).collect()) }
    }

    /// Reads what can be read, in a document of a language, with what cannot.
    pub(crate) fn read(text: &str, locale: Locale) -> (Self, Found) {
        let (mut parts, mut reader) = (Vec::new(), Reader { text, locale, found: Found::default() });
        let mut rest = text;
        while let Some(start) = twice(rest, b'{') {
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let body = &rest[start + 2..];
            let Some(end) = twice(body, b'}') else {
                reader.fault(&rest[start..], TemplateFault::Open);
                rest = "";
                break;
            };
            parts.extend(reader.part(&body[..end]));
            rest = &body[end + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        (Self { parts }, reader.found)
    }

    /// A text without tokens; `{{` has no meaning in it.
    pub fn literal(text: &str) -> Self {
        Self { parts: vec![Part::Literal(text.to_owned())] }
    }

    /// The names of its tokens, without the clock.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|p| match p {
            Part::Token { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether it always says the same.
    pub(crate) fn is_fixed(&self) -> bool {
        self.parts.iter().all(|p| matches!(p, Part::Literal(_)))
    }

    /// The length of wall-clock time after which its text may differ by itself, in seconds; `None` without a clock.
    pub fn clock_step(&self) -> Option<i64> {
        self.parts
            .iter()
            .filter_map(|p| match p {
                Part::Clock { format, .. } => Some(format.step()),
                Part::Token { filters, .. } if filters.iter().any(Filter::runs) => Some(1),
                _ => None,
            })
            .min()
    }

    /// When its text may differ by a timer, after a time since the scene was shown.
    pub(crate) fn next_tick(&self, elapsed: MediaTime) -> Option<MediaTime> {
        let next = |of: Option<MediaTime>| match of {
            None => Some((elapsed.nanos().div_euclid(SECOND) + 1).saturating_mul(SECOND)),
            Some(of) => {
                let left = of.nanos().saturating_sub(elapsed.nanos());
                (left > 0).then(|| of.nanos() - (left - 1) / SECOND * SECOND)
            }
        };
        let timers = self.parts.iter().filter_map(|p| match p {
            Part::Timer { of, .. } => next(*of),
            _ => None,
        });
        timers.min().map(MediaTime::from_nanos)
    }

    /// Fills the tokens in. `out` is cleared first; its memory is reused.
    pub fn expand(&self, tokens: &BTreeMap<String, String>, now: Now, out: &mut String) {
        out.clear();
        self.append(tokens, now, out);
        if let Some((i, _)) = out.char_indices().nth(MAX_EXPANDED_CHARS) {
            out.truncate(i);
        }
    }

    /// Fills the tokens in, behind what is there. A bound on the characters is the caller's.
    pub(crate) fn append(&self, tokens: &BTreeMap<String, String>, now: Now, out: &mut String) {
        let wall = now.wall;
        for p in &self.parts {
            match p {
                Part::Literal(s) => out.push_str(s),
                Part::Clock { format, offset, locale } => format.write(wall, *offset, *locale, out),
                Part::Timer { of, filters } => {
                    let from = out.len();
                    let seconds = match of {
                        None => now.elapsed.nanos().div_euclid(SECOND),
                        // a second that has begun counts, so that 0:00 comes with the end itself
                        Some(of) => (of.nanos().saturating_sub(now.elapsed.nanos()) + SECOND - 1).div_euclid(SECOND),
                    };
                    filter::write_length(seconds.max(0).into(), out);
                    filters.iter().for_each(|f| f.apply(out, from, wall));
                }
                Part::Token { name, filters } => {
                    let from = out.len();
                    match now.value.filter(|_| name == VALUE) {
                        Some(v) => write_value(v, filters, out),
                        None => out.push_str(tokens.get(name).map_or("", String::as_str)),
                    }
                    filters.iter().for_each(|f| f.apply(out, from, wall));
                }
            }
        }
    }
}

/// A number that moves, with as many decimals as a filter asks for: a whole one when none does.
fn write_value(value: f64, filters: &[Filter], out: &mut String) {
    let decimals = filters.iter().find_map(Filter::decimals).unwrap_or(0);
    let from = out.len();
    // a String takes all that is written to it
    let _ = write!(out, "{value:.decimals$}");
    if out[from..].starts_with('-') && !out[from..].bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        // what rounds to nothing is not below it
        out.remove(from);
    }
}

/// Where a brace stands twice. Texts are short: a search that prepares itself would take longer than this one.
fn twice(text: &str, brace: u8) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| pair == [brace, brace])
}

/// Reads what stands between braces, and notes what it finds with its place.
struct Reader<'t> {
    text: &'t str,
    locale: Locale,
    found: Found,
}

impl<'t> Reader<'t> {
    /// Where a piece of the text begins.
    fn place(&self, piece: &'t str) -> usize {
        (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }
    fn fault(&mut self, piece: &'t str, fault: TemplateFault) {
        self.found.faults.push((self.place(piece), fault));
    }

    /// A token with a faulty filter is still a token, so that its name is checked too.
    fn part(&mut self, body: &'t str) -> Option<Part> {
        let mut fields = body.split('|');
        let name = fields.next().unwrap_or("").trim();
        if name.is_empty() {
            self.fault(body, TemplateFault::Empty);
            return None;
        }
        if let Some(tag) = name.strip_prefix(CLOCK).filter(|rest| rest.is_empty() || rest.starts_with('@')) {
            return self.clock(tag.strip_prefix('@'), fields);
        }
        if name == TIMER {
            let mut fields = fields.peekable();
            let of = match fields.peek().map(|f| (*f, f.trim().split_once(':').unwrap_or((f.trim(), "")))) {
                Some((field, ("countdown", length))) => {
                    fields.next();
                    match read::time::parse(length, None) {
                        Ok(Span::Time(t)) => Some(t),
                        _ => {
                            let what = format!("\"{length}\" is not a length of time");
                            let help = "write {{timer|countdown:5m}} or countdown:00:05:00".to_owned();
                            self.fault(field, TemplateFault::Argument(what, help));
                            None
                        }
                    }
                }
                Some((_, ("countup", ""))) => {
                    fields.next();
                    None
                }
                _ => None,
            };
            return Some(Part::Timer { of, filters: self.filters(fields) });
        }
        self.found.names.push((self.place(name), name.to_owned()));
        Some(Part::Token { name: name.to_owned(), filters: self.filters(fields) })
    }

    fn clock(&mut self, tag: Option<&'t str>, mut fields: impl Iterator<Item = &'t str>) -> Option<Part> {
        let locale = match tag {
            None => Some(self.locale),
            Some(tag) => Locale::parse(tag).or_else(|| {
                self.fault(tag, TemplateFault::Locale(tag.to_owned()));
                None
            }),
        };
        let format = fields.next().unwrap_or("%H:%M:%S");
        let zone = fields.next().unwrap_or("UTC").trim();
        let read = Format::parse(format).map_err(|bad| {
            let at = format.find(&bad).map_or(format, |i| &format[i..]);
            self.fault(at, TemplateFault::ClockFormat(bad));
        });
        let offset = Offset::parse(zone);
        if offset.is_none() {
            self.fault(zone, TemplateFault::Zone(zone.to_owned()));
        }
        for extra in fields {
            self.fault(extra, TemplateFault::ClockFilter(extra.trim().to_owned()));
        }
        Some(Part::Clock { format: read.ok()?, offset: offset?, locale: locale? })
    }

    fn filters(&mut self, fields: impl Iterator<Item = &'t str>) -> Vec<Filter> {
        let (mut filters, mut first) = (Vec::new(), None);
        for f in fields {
            let piece = f.trim_start();
            first = first.or(Some(piece));
            let fault = match Filter::parse(f, self.locale) {
                Ok(f) => {
                    filters.push(f);
                    continue;
                }
                Err(FilterFault::Unknown(name)) => TemplateFault::Filter(name),
                Err(FilterFault::Argument(what, help)) => TemplateFault::Argument(what, help),
                Err(FilterFault::Locale(tag)) => TemplateFault::Locale(tag),
                Err(FilterFault::Format(bad)) => {
                    let at = piece.find(&bad).map_or(piece, |i| &piece[i..]);
                    self.fault(at, TemplateFault::ClockFormat(bad));
                    continue;
                }
            };
            self.fault(piece, fault);
        }
        if let Some(first) = first.filter(|_| filters.len() > MAX_FILTERS) {
            self.fault(first, TemplateFault::Filters(filters.len()));
        }
        filters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(t: &str, tokens: &[(&str, &str)], wall: i64) -> String {
        let map = tokens.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut out = String::new();
        let wall = WallTime::from_unix_nanos(wall * 1_000_000_000);
        Template::parse(t).unwrap().expand(&map, Now { wall, ..Now::default() }, &mut out);
        out
    }

    #[test]
    fn tokens_filters_and_clock() {
        assert_eq!(run("Hi {{name|upper}}!", &[("name", "ströße")], 0), "Hi STRÖSSE!");
        assert_eq!(run("{{name|default:TBA|lower}}", &[("name", "")], 0), "tba");
        assert_eq!(run("{{name|lower}}{{name}}", &[("name", "Ab")], 0), "abAb");
        assert_eq!(run("{{clock|%H:%M:%S|+01:30}} x", &[], 3_599), "02:29:59 x");
        assert_eq!(run("{{clock}} } {", &[], 1), "00:00:01 } {");
        assert_eq!(run("{{gone}}", &[], 0), "", "an unknown token is refused when a document is checked");
    }
    #[test]
    fn timers() {
        let at = |t: &str, ms: i64| {
            let mut out = String::new();
            let now = Now { elapsed: MediaTime::from_millis(ms), ..Now::default() };
            Template::parse(t).unwrap().expand(&BTreeMap::new(), now, &mut out);
            out
        };
        assert_eq!([0, 999, 1000, 3_661_000].map(|ms| at("{{timer}}", ms)), ["0:00", "0:00", "0:01", "1:01:01"]);
        let down = "{{timer|countdown:1m30s|pad:5:0}}";
        assert_eq!(
            [0, 1, 1000, 89_999, 90_000, 99_000].map(|ms| at(down, ms)),
            ["01:30", "01:30", "01:29", "00:01", "00:00", "00:00"]
        );
        assert_eq!(at("{{timer|countup}} of {{timer|countdown:00:05:00}}", 2_500), "0:02 of 4:58");
        // the text changes when it says so, and not before
        for t in ["{{timer}}", "{{timer|countdown:3s500ms}}"] {
            let template = Template::parse(t).unwrap();
            for ms in 0..5000 {
                let next = template.next_tick(MediaTime::from_millis(ms)).map_or(9_000, MediaTime::millis);
                assert!(next > ms);
                assert_eq!(at(t, ms), at(t, next - 1), "{ms} {next}");
                assert!(next == 9_000 || at(t, ms) != at(t, next), "{ms} {next}");
            }
        }
        for bad in ["{{timer|countdown}}", "{{timer|countdown:75f}}", "{{timer|countdown:soon}}", "{{timer|uper}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
    #[test]
    fn faults_all_at_once() {
        let f = Template::parse("{{}} {{a|uper}} {{clock|%Q|Berlin}} {{b").unwrap_err();
        assert_eq!(
            f,
            [
                TemplateFault::Empty,
                TemplateFault::Filter("uper".into()),
                TemplateFault::ClockFormat("%Q".into()),
                TemplateFault::Zone("Berlin".into()),
                TemplateFault::Open
            ]
        );
    }
    #[test]
    fn faults_have_their_places() {
        let text = "ä {{a|upper|uper}} {{ b |date:%Y %Q}} {{clock|%H|Berlin}} {{}} {{c";
        let (_, found) = Template::read(text, Locale::default());
        let at: Vec<&str> = found.faults.iter().map(|(i, _)| &text[*i..]).collect();
        for (rest, start) in at.iter().zip(["uper}}", "%Q}}", "Berlin}}", "}} {{c", "{{c"]) {
            assert!(rest.starts_with(start), "{rest}");
        }
        let names: Vec<&str> = found.names.iter().map(|(i, _)| &text[*i..=*i]).collect();
        assert_eq!((at.len(), names), (5, vec!["a", "b"]));
    }
    #[test]
    fn languages() {
        assert_eq!(run("{{clock@de|%A}}, {{clock|%A}}", &[], 0), "Donnerstag, Thursday");
        assert_eq!(Template::parse("{{clock@xx}}"), Err(vec![TemplateFault::Locale("xx".into())]));
        let (t, _) = Template::read("{{d|date:%B}} {{n|number}}", Locale::parse("fr").unwrap());
        let tokens = [("d", "2026-02-01"), ("n", "1234.5")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let mut out = String::new();
        t.expand(&tokens, Now::default(), &mut out);
        assert_eq!(out, "février 1\u{a0}234,5");
    }
    proptest! {
        #[test]
        fn never_panics_and_literal_text_is_kept(s in "\\PC{0,60}") {
            if let Ok(t) = Template::parse(&s) {
                let mut out = String::new();
                t.expand(&BTreeMap::new(), Now::default(), &mut out);
                if !s.contains("{{") { prop_assert_eq!(out, s); }
            }
        }
        #[test]
        fn braces_never_panic(s in "[{}|a-cäé@:%H ]{0,40}") {
            let (_, found) = Template::read(&s, Locale::default());
            for at in found.faults.iter().map(|(i, _)| *i).chain(found.names.iter().map(|(i, _)| *i)) {
                prop_assert!(s.is_char_boundary(at));
            }
        }
    }
}
