//! Faults in documents people write (show files, OCL): a stable code, the JSON pointer, line and column, what was
//! expected and the nearest valid name.

#![allow(clippy::result_large_err)] // one per document, never per frame

mod json;
mod once;
mod places;
mod source;

use std::fmt;

pub use json::{Json, Members};
use serde::Serialize;
pub use source::Source;

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

#[cfg(test)]
mod tests;
