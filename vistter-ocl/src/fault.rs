//! What is wrong with a document, as one error.

use std::fmt;

use vistter_core::diagnose::{Diagnostic, Severity};
use vistter_core::{Error, ErrorKind};

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
