//! Pictures in numbered files.

use vistter_core::time::FrameRate;

/// Which files, and how fast they follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Number of the first file.
    pub first: u32,
    /// Number of the last file.
    pub last: u32,
    /// Pictures per second.
    pub rate: FrameRate,
    /// How often it is played; 0 is without end.
    pub plays: u32,
    /// What is shown for a file that is not there.
    pub missing: Missing,
}

/// What is shown for a file of a sequence that is not there or cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// Nothing may be missing: it is an error.
    #[default]
    Error,
    /// The picture before it; nothing before the first.
    Hold,
    /// Nothing.
    Blank,
    /// The picture at this path.
    Fallback(String),
}

impl Missing {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["error", "hold", "blank", "fallback"];
}
