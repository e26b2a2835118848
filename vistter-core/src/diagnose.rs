//! Faults in documents people write (show files, OCL): a stable code, the JSON pointer, line and column, what was
//! expected and the nearest valid name.

#![allow(clippy::result_large_err)] // one per document, never per frame

use std::collections::HashMap;
use std::fmt;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// The document plays, not quite as written.
    Warning,
}

/// A place in a text, both counted from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One finding in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable code such as `SHOW-UNKNOWN-CAMERA`.
    pub code: &'static str,
    /// RFC 6901 pointer to the value, empty for the whole document.
    pub pointer: String,
    /// Where in the string at the pointer it is, in bytes of what the string says; for findings about a part of a string.
    #[serde(skip)]
    pub within: Option<usize>,
    /// Line and column of the value, or of the part of it, when the text is known.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The source line.
    pub source_line: Option<String>,
}

impl Diagnostic {
    /// An error at `pointer`.
    pub fn error(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            pointer: pointer.into(),
            within: None,
            place: None,
            message: message.into(),
            help: None,
            source_line: None,
        }
    }
    /// A warning at `pointer`.
    pub fn warning(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, pointer, message) }
    }
    /// Says where in the string at the pointer it is: so many bytes of what the string says.
    #[must_use]
    pub fn within(mut self, bytes: usize) -> Self {
        self.within = Some(bytes);
        self
    }
    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, h: impl Into<String>) -> Self {
        self.help = Some(h.into());
        self
    }
    /// Adds "did you mean" when a candidate is near `name`, and else the list of candidates.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let all: Vec<&str> = candidates.into_iter().collect();
        match nearest(name, all.iter().copied()) {
            Some(n) => self.help(format!("did you mean \"{n}\"?")),
            None if all.is_empty() => self,
            None => self.help(format!("expected one of: {}", all.join(", "))),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(p) = self.place {
            write!(f, "{}:{}: ", p.line, p.column)?;
        }
        let s = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{s}[{}]: {}", self.code, self.message)?;
        if !self.pointer.is_empty() {
            write!(f, " at {}", self.pointer)?;
        }
        if let Some(h) = &self.help {
            write!(f, "; {h}")?;
        }
        if let (Some(l), Some(p)) = (&self.source_line, self.place) {
            write!(f, "\n  {:>4} | {l}\n       | {}^", p.line, " ".repeat(p.column.saturating_sub(1)))?;
        }
        Ok(())
    }
}

/// The candidate nearest to `name` by edit distance, if it is near enough to be a slip.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(d, c)| *d <= (c.chars().count().max(name.chars().count()) / 3).max(1))
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Strict JSON text with the place of every value.
#[derive(Debug)]
pub struct Source<'t> {
    text: &'t str,
    offsets: HashMap<String, usize>,
}

impl<'t> Source<'t> {
    /// Reads strict JSON (no comments, no trailing commas, no duplicate keys, depth ≤ 128).
    ///
    /// # Errors
    /// A `JSON-SYNTAX`, `JSON-DEPTH` or `JSON-DUPLICATE-KEY` diagnostic.
    pub fn parse(text: &'t str) -> Result<(serde_json::Value, Self), Diagnostic> {
        let mut me = Self { text, offsets: HashMap::new() };
        // serde_json first: it is strict and bounds the depth, so the tree walk below cannot overflow the stack.
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| {
            let code = if e.to_string().contains("recursion limit") { "JSON-DEPTH" } else { "JSON-SYNTAX" };
            let mut d = Diagnostic::error(code, "", strip_place(&e.to_string()));
            me.put(&mut d, Place { line: e.line().max(1), column: e.column().max(1) });
            d
        })?;
        let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
        if let Ok(r) = parsed
            && let Some(root) = r.value
            && let Err((pointer, key)) = me.index(&root, String::new())
        {
            let d = Diagnostic::error("JSON-DUPLICATE-KEY", pointer, format!("the key \"{key}\" stands twice"));
            return Err(me.locate(d.help("remove one of the two")));
        }
        Ok((value, me))
    }

    /// Reads a typed document; an unknown field names the nearest valid one.
    ///
    /// # Errors
    /// The first fault as a diagnostic with `code` (or a `JSON-…` code for faults of the syntax).
    pub fn read<T: DeserializeOwned>(text: &'t str, code: &'static str) -> Result<(T, Self), Diagnostic> {
        let (value, me) = Self::parse(text)?;
        match Self::typed(value, code) {
            Ok(t) => Ok((t, me)),
            Err(d) => Err(me.locate(d)),
        }
    }

    /// Deserialises a value that was read by [`Self::parse`] and perhaps changed since.
    ///
    /// # Errors
    /// The first fault, without its place ([`Self::locate`] finds it).
    pub fn typed<T: DeserializeOwned>(value: serde_json::Value, code: &'static str) -> Result<T, Diagnostic> {
        // An unknown field's pointer is its parent's or its own, depending on the deserialiser: look which exists.
        let original = value.clone();
        let mut path = serde_path_to_error::Track::new();
        let de = serde_path_to_error::Deserializer::new(value, &mut path);
        T::deserialize(de).map_err(|e| {
            let pointer = to_pointer(&path.path());
            let msg = e.to_string();
            let mut d = Diagnostic::error(code, pointer.clone(), strip_place(&msg));
            if let Some((kind, name, known)) = unknown_name(&msg) {
                d.message = format!("unknown {kind} \"{name}\"");
                d = d.suggest(&name, known.iter().map(String::as_str));
                let inner = format!("{pointer}/{}", escape(&name));
                if kind == "field" && original.pointer(&inner).is_some() {
                    d.pointer = inner;
                }
            }
            d
        })
    }

    /// The place of the value at `pointer`, or of its nearest parent that exists.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let mut p = pointer;
        loop {
            if let Some(o) = self.offsets.get(p) {
                return Some(self.place_of(*o));
            }
            p = &p[..p.rfind('/')?];
        }
    }

    /// Fills a diagnostic's place and source line from its pointer.
    pub fn locate(&self, mut d: Diagnostic) -> Diagnostic {
        let inside = d.within.and_then(|n| Some(self.place_of(inside(self.text, *self.offsets.get(&d.pointer)?, n)?)));
        if let Some(p) = inside.or_else(|| self.place(&d.pointer)) {
            self.put(&mut d, p);
        }
        d
    }

    fn put(&self, d: &mut Diagnostic, p: Place) {
        d.source_line =
            self.text.lines().nth(p.line - 1).filter(|l| l.chars().count() <= 200).map(|l| l.replace('\t', " "));
        d.place = Some(p);
    }

    fn place_of(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        Place { line, column: before[start..].chars().count() + 1 }
    }

    fn index(&mut self, v: &ast::Value<'_>, at: String) -> Result<(), (String, String)> {
        match v {
            ast::Value::Object(o) => {
                for p in &o.properties {
                    let key = p.name.as_str();
                    let child = format!("{at}/{}", escape(key));
                    if self.offsets.contains_key(&child) {
                        return Err((child, key.to_owned()));
                    }
                    self.index(&p.value, child)?;
                }
            }
            ast::Value::Array(a) => {
                for (i, e) in a.elements.iter().enumerate() {
                    self.index(e, format!("{at}/{i}"))?;
                }
            }
            _ => {}
        }
        self.offsets.insert(at, v.start());
        Ok(())
    }
}

/// Where the string that stands at `start` says its byte `n`: escapes are longer than what they say. `None` when there is no
/// string, or when it is shorter.
fn inside(text: &str, start: usize, n: usize) -> Option<usize> {
    let raw = text.get(start..)?.strip_prefix('"')?.as_bytes();
    let unit = |at: usize| u32::from_str_radix(std::str::from_utf8(raw.get(at + 2..at + 6)?).ok()?, 16).ok();
    let (mut at, mut said) = (0, 0);
    while said < n {
        let (long, means) = match (raw.get(at)?, raw.get(at + 1)) {
            (b'"', _) => return None,
            (b'\\', Some(b'u')) => match unit(at)? {
                // the first half of a pair: both are one character of four bytes
                0xd800..0xdc00 => (12, 4),
                u => (6, char::from_u32(u)?.len_utf8()),
            },
            (b'\\', _) => (2, 1),
            _ => (1, 1),
        };
        (at, said) = (at + long, said + means);
    }
    Some(start + 1 + at)
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn to_pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut out = String::new();
    for s in path.iter() {
        match s {
            Segment::Seq { index } => out += &format!("/{index}"),
            Segment::Map { key } => out += &format!("/{}", escape(key)),
            // an enum segment is no level of the JSON text for tagged enums; a missing one resolves to its parent
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    out
}

fn strip_place(msg: &str) -> String {
    match msg.rfind(" at line ") {
        Some(i) => msg[..i].to_owned(),
        None => msg.to_owned(),
    }
}

/// Takes serde's "unknown field `x`, expected one of `a`, `b`" apart.
fn unknown_name(msg: &str) -> Option<(&'static str, String, Vec<String>)> {
    let (kind, rest) = msg
        .strip_prefix("unknown field `")
        .map(|r| ("field", r))
        .or_else(|| msg.strip_prefix("unknown variant `").map(|r| ("value", r)))?;
    let (name, rest) = rest.split_once('`')?;
    Some((kind, name.to_owned(), rest.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Doc {
        #[allow(dead_code)]
        cameras: Vec<Cam>,
    }
    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Cam {
        #[allow(dead_code)]
        url: String,
    }

    #[test]
    fn a_typo_gets_its_place_and_the_nearest_name() {
        let t = "{\n  \"cameras\": [\n    { \"ulr\": \"x\" }\n  ]\n}";
        let d = Source::read::<Doc>(t, "SHOW-INVALID").unwrap_err();
        assert_eq!(d.place.unwrap().line, 3);
        assert_eq!(d.pointer, "/cameras/0/ulr");
        assert_eq!(d.help.as_deref(), Some("did you mean \"url\"?"));
        assert!(d.to_string().contains("SHOW-INVALID"), "{d}");
    }
    #[test]
    fn syntax_and_duplicates() {
        let d = Source::read::<Doc>("{\n \"cameras\": [,] }", "X").unwrap_err();
        assert_eq!((d.code, d.place.unwrap().line), ("JSON-SYNTAX", 2));
        let d = Source::parse("{\"a\":1,\"a\":2}").unwrap_err();
        assert_eq!(d.code, "JSON-DUPLICATE-KEY");
        assert_eq!(Source::parse(&"[".repeat(10_000)).unwrap_err().code, "JSON-DEPTH");
    }
    #[test]
    fn places_inside_strings() {
        let text = "{ \"t\":\n \"a\\\"ä\\u00e4\\ud83d\\ude00\\nxy\" }";
        let (v, s) = Source::parse(text).unwrap();
        let said = v["t"].as_str().unwrap();
        let column = |part: &str| {
            let d = Diagnostic::error("X", "/t", "").within(said.find(part).unwrap());
            s.locate(d).place.map(|p| (p.line, p.column)).unwrap()
        };
        assert_eq!([column("a"), column("\""), column("ä")], [(2, 3), (2, 4), (2, 6)]);
        assert_eq!([column("\u{1f600}"), column("\n"), column("x"), column("y")], [(2, 13), (2, 25), (2, 27), (2, 28)]);
        // beyond its end, or in something that is no string: the value's own place
        assert_eq!(s.locate(Diagnostic::error("X", "/t", "").within(99)).place, s.place("/t"));
        assert_eq!(s.locate(Diagnostic::error("X", "", "").within(3)).place, s.place(""));
        assert_eq!(s.locate(Diagnostic::error("X", "/u/v", "").within(3)).place, s.place(""));
    }
    #[test]
    fn wrong_type_is_located() {
        let d = Source::read::<Doc>("{\"cameras\": [{\"url\": 5}]}", "X").unwrap_err();
        assert_eq!(d.pointer, "/cameras/0/url");
        assert_eq!(d.place, Some(Place { line: 1, column: 22 }));
    }
}
