//! The text of a document: read, and searched for the place of a finding.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::places::{self, Places, escape};
use super::{Diagnostic, Json, Place, once};

/// Strict JSON text, in which the place of every value can be found.
#[derive(Debug)]
pub struct Source<'t> {
    text: &'t str,
    /// A good document needs none.
    places: OnceLock<Places<'t>>,
}

impl<'t> Source<'t> {
    /// Reads strict JSON (no comments, no trailing commas, no duplicate keys, depth ≤ 128).
    ///
    /// # Errors
    /// A `JSON-SYNTAX`, `JSON-DEPTH` or `JSON-DUPLICATE-KEY` diagnostic.
    pub fn parse(text: &'t str) -> Result<(serde_json::Value, Self), Diagnostic> {
        Self::tree(text).map(|(json, me)| (json.into(), me))
    }

    /// The same as values that borrow from the text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn tree(text: &'t str) -> Result<(Json<'t>, Self), Diagnostic> {
        let me = Self::known(text);
        // serde_json first: it is strict and bounds the depth, so a walk over the tree of places cannot overflow the stack.
        let (value, doubled) = once::read(text).map_err(|e| {
            let code = if e.to_string().contains("recursion limit") { "JSON-DEPTH" } else { "JSON-SYNTAX" };
            let mut d = Diagnostic::error(code, "", strip_place(&e.to_string()));
            me.put(&mut d, Place { line: e.line().max(1), column: e.column().max(1) });
            d
        })?;
        if doubled && let Some((pointer, key)) = me.places().doubled() {
            let d = Diagnostic::error("JSON-DUPLICATE-KEY", pointer, format!("the key \"{key}\" stands twice"));
            return Err(me.locate(d.help("remove one of the two")));
        }
        Ok((value, me))
    }

    /// A text that [`Self::parse`] has read before, to locate something in it.
    pub fn known(text: &'t str) -> Self {
        Self { text, places: OnceLock::new() }
    }

    fn places(&self) -> &Places<'t> {
        self.places.get_or_init(|| Places::read(self.text))
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
            if let Some(o) = self.places().start(p) {
                return Some(self.place_of(o));
            }
            p = &p[..p.rfind('/')?];
        }
    }

    /// Fills a diagnostic's place and source line from its pointer.
    pub fn locate(&self, mut d: Diagnostic) -> Diagnostic {
        let inside = d.within.and_then(|n| places::inside(self.text, self.places().start(&d.pointer)?, n));
        if let Some(p) = inside.map(|o| self.place_of(o)).or_else(|| self.place(&d.pointer)) {
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
