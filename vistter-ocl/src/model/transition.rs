//! How a scene comes on and goes off.

use vistter_core::config::Span;

use super::Easing;

/// How a scene comes on or goes off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// What it looks like.
    pub style: Style,
    /// How long; nothing for a cut.
    pub duration: Span,
    /// How it runs in that time.
    pub easing: Easing,
}

impl Default for Transition {
    fn default() -> Self {
        Self { style: Style::Cut, duration: Span::Frames(0), easing: Easing::Linear }
    }
}

/// What a transition looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Style {
    /// From one frame to the next.
    #[default]
    Cut,
    /// Opacity runs between 0 and 1.
    Fade,
    /// An edge runs over the picture; the scene is there on this side of it.
    Wipe(Side),
    /// The whole scene moves in from this side, or out to it.
    Slide(Side),
}

impl Style {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["cut", "fade", "wipe", "slide"];
}

/// A side of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    #[default]
    Left,
    Right,
    Top,
    Bottom,
}

impl Side {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["left", "right", "top", "bottom"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Left, Self::Right, Self::Top, Self::Bottom]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(s, _)| s)
    }
}
