//! What goes wrong, in a form every language can match on.

use crate::Diagnostic;

/// Why a call failed. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum VistterError {
    /// The show file has faults; all of them are listed.
    #[error("the show file has {} faults", faults.len())]
    Show {
        /// The faults, in the order of the file.
        faults: Vec<Diagnostic>,
    },
    /// Anything else.
    #[error("{reason}")]
    Failed {
        /// What kind of failure, such as `Config`, `Refused`, `Closed`.
        kind: String,
        /// What happened, where, and what to do next.
        reason: String,
        /// Whether trying the same again later can succeed.
        transient: bool,
    },
}

impl From<vistter::core::Error> for VistterError {
    fn from(e: vistter::core::Error) -> Self {
        Self::Failed { kind: format!("{:?}", e.kind()), reason: e.to_string(), transient: e.is_transient() }
    }
}
