//! Checking a show file without starting it.

use vistter::core::config::ShowConfig;
use vistter::core::diagnose;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Severity {
    /// The show cannot start.
    Error,
    /// The show can start; something looks odd.
    Warning,
}

/// One finding in a show file. Never quotes a URL, password or key.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable code such as `SHOW-UNKNOWN-CAMERA`.
    pub code: String,
    /// RFC 6901 pointer to the value, empty for the whole document.
    pub pointer: String,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Column in the line, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl From<&diagnose::Diagnostic> for Diagnostic {
    fn from(d: &diagnose::Diagnostic) -> Self {
        let number = |n: usize| u32::try_from(n).ok();
        Self {
            severity: match d.severity {
                diagnose::Severity::Error => Severity::Error,
                diagnose::Severity::Warning => Severity::Warning,
            },
            code: d.code.to_owned(),
            pointer: d.pointer.clone(),
            line: d.place.and_then(|p| number(p.line)),
            column: d.place.and_then(|p| number(p.column)),
            message: d.message.clone(),
            help: d.help.clone(),
        }
    }
}

/// Everything that is wrong or odd in a show file (JSON), in the order of the file. Starts nothing.
#[uniffi::export]
pub fn check_show(show_json: String) -> Vec<Diagnostic> {
    match ShowConfig::from_json(&show_json) {
        Ok((_, warnings)) => warnings.iter().map(Into::into).collect(),
        Err(faults) => faults.iter().map(Into::into).collect(),
    }
}
