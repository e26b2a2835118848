//! Tracks of cues, steps, and what cues wait for.

use vistter_core::config::Span;
use vistter_core::ports::EventKind;

use super::{Layer, Transition};
pub use crate::timeline::plan::Then;

/// Cues one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Name, unique in the scene.
    pub id: String,
    /// What it is for, which says where it stands in the stack.
    pub kind: TrackKind,
    /// In the order of the document.
    pub cues: Vec<Cue>,
}

/// What a track is for. Tracks stack in this order, with a scene's plain layers above the background; tracks of one kind
/// stack in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TrackKind {
    /// What everything else stands on.
    Background,
    /// Names and titles in the lower part of the picture.
    LowerThird,
    /// What covers the picture.
    Fullscreen,
    /// Anything, above all others; its cues may overlap.
    #[default]
    Free,
}

impl TrackKind {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["background", "lower-third", "fullscreen", "free"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Background, Self::LowerThird, Self::Fullscreen, Self::Free]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(k, _)| k)
    }
    /// Whether its cues may overlap.
    pub fn overlaps(self) -> bool {
        self == Self::Free
    }
}

/// Something that is there for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    /// When it comes, in the scene's time.
    pub start: Span,
    /// For how long; without it to the end of the scene, or, in a track whose cues do not overlap, to the next cue.
    pub duration: Option<Span>,
    /// How it comes; inside of its time.
    pub enter: Transition,
    /// How it goes; inside of its time.
    pub exit: Transition,
    /// What it waits for.
    pub sync: Option<Sync>,
    /// What it shows. Its `z` orders it within the track; its automation counts from the cue's start.
    pub layer: Layer,
    /// What it shows when it cannot show that, or what it waits for does not come.
    pub fallback: Option<Box<Layer>>,
}

/// Something a cue waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sync {
    /// Of what kind.
    pub kind: EventKind,
    /// Which.
    pub name: String,
    /// How long it waits at most; for ever when absent.
    pub timeout: Option<Span>,
    /// What happens then.
    pub then: Then,
}

/// A point at which a scene stands until it is told to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name, unique in the scene.
    pub id: String,
    /// In the scene's time.
    pub at: Span,
}
