//! What is wrong with a document, as one error.

use std::fmt;

use vistter_core::diagnose::{Diagnostic, Severity, Source};
use vistter_core::{Error, ErrorKind};

/// Finds where things stand in the text of a document that was read, and sorts them by it.
pub(crate) fn locate_all(text: &str, list: &mut Vec<Diagnostic>) {
    let source = Source::known(text.strip_prefix('\u{feff}').unwrap_or(text));
    *list = std::mem::take(list).into_iter().map(|d| locate(&source, d)).collect();
    list.sort_by_key(|d| d.place.map_or((0, 0), |p| (p.line, p.column)));
}

/// So many of something: "1 pixel", "2 pixels".
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Finds where something stands in the text. What may be secret in a URL of the line shown is left out: a signature, a password.
fn locate(source: &Source<'_>, d: Diagnostic) -> Diagnostic {
    let mut d = source.locate(d);
    if let Some(line) = d.source_line.as_mut().filter(|l| l.contains("://")) {
        *line = discreet(line);
    }
    d
}

fn discreet(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split("://");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (url, rest) = part.split_at(part.find('"').unwrap_or(part.len()));
        let (place, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let end = place.find('/').unwrap_or(place.len());
        let host = place.get(..end).and_then(|a| a.rfind('@')).map_or(0, |i| i + 1);
        out.push_str("://");
        out.push_str(if host > 0 { "…@" } else { "" });
        out.push_str(place.get(host..).unwrap_or_default());
        out.push_str(if query.is_empty() { "" } else { "?…" });
        out.push_str(rest);
    }
    out
}

/// Everything that is wrong with a document, and the file it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    file: Option<String>,
    list: Vec<Diagnostic>,
}

impl Faults {
    pub(crate) fn new(file: Option<String>, list: Vec<Diagnostic>) -> Self {
        Self { file, list }
    }
    /// Every fault and warning, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.list
    }
    /// The same, taken out.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.list
    }
    /// The file, when it came from one.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.list.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            if let Some(file) = &self.file {
                write!(f, "{file}:")?;
            }
            write!(f, "{d}")?;
        }
        Ok(())
    }
}
impl std::error::Error for Faults {}

/// The first fault in words, and how many more there are.
impl From<Faults> for Error {
    fn from(f: Faults) -> Self {
        let errors = || f.list.iter().filter(|d| d.severity == Severity::Error);
        let Some(d) = errors().next() else {
            return Self::new(ErrorKind::Config, "the overlay cannot be used");
        };
        let mut what = format!("{} [{}]", d.message, d.code);
        match errors().count() {
            1 => {}
            n => what += &format!(", and {} more", n - 1),
        }
        let mut place = f.file.clone().unwrap_or_else(|| "overlay".to_owned());
        if let Some(p) = d.place {
            place += &format!(":{}:{}", p.line, p.column);
        }
        let e = Self::new(ErrorKind::Config, what).at(place);
        match &d.help {
            Some(h) => e.next(h.clone()),
            None => e,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        assert_eq!([0, 1, 2].map(|n| count(n, "pixel")), ["0 pixels", "1 pixel", "2 pixels"]);
    }
    #[test]
    fn what_may_be_secret_in_a_line_is_left_out() {
        let line = r#""a": { "url": "https://me:pw@x.example/é?sig=1&b", "b": "see http://y/@z" }, "c": 3"#;
        let shown = r#""a": { "url": "https://…@x.example/é?…", "b": "see http://y/@z" }, "c": 3"#;
        assert_eq!(discreet(line), shown);
        assert_eq!(discreet("https://?@"), "https://?…");
    }
}
