//! How a scene comes on and goes off.

use vistter_core::config::Span;

use super::{Color, Easing};

/// How a scene comes on or goes off.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// What it looks like.
    pub style: Style,
    /// How long; nothing for a cut.
    pub duration: Span,
    /// How it runs in that time.
    pub easing: Easing,
    /// What happens when the scene is to go the other way before it is over.
    pub interrupted: Interrupted,
}

impl Default for Transition {
    fn default() -> Self {
        Self {
            style: Style::Cut,
            duration: Span::Frames(0),
            easing: Easing::Linear,
            interrupted: Interrupted::default(),
        }
    }
}

/// What happens to a transition when the scene is to go the other way before it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Interrupted {
    /// It goes back the way it was on, from where it is.
    #[default]
    Reverse,
    /// It ends at once, and the other transition begins.
    Cut,
    /// It goes on to its end, and then the other transition begins.
    Finish,
}

impl Interrupted {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["reverse", "cut", "finish"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reverse, Self::Cut, Self::Finish].into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(i, _)| i)
    }
}

/// What a transition looks like.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Style {
    /// From one frame to the next.
    #[default]
    Cut,
    /// Opacity runs between 0 and 1.
    Fade,
    /// A straight, hard edge runs over the picture; the scene is there on this side of it.
    Wipe(Side),
    /// An edge of any form runs over the picture.
    Matte(Matte),
    /// The whole scene moves in from this side, or out to it.
    Slide(Side),
    /// As a slide; what is below moves along, out at the other side.
    Push(Side),
    /// The whole scene grows from so many times its size, or shrinks to it.
    Zoom(f64),
    /// The picture passes into this colour, and out of it with the scene, or without it.
    Dip(Color),
}

impl Style {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 7] = ["cut", "fade", "wipe", "slide", "push", "zoom", "dip"];
}

/// An edge that runs over the picture in a form of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Matte {
    /// The form.
    pub form: MatteForm,
    /// What came last comes first.
    pub invert: bool,
    /// How wide the edge is: 0 (hard) to 1 (as wide as its whole way).
    pub softness: f64,
}

/// The form of an edge.
#[derive(Clone, Debug, PartialEq)]
pub enum MatteForm {
    /// A straight line that runs in this direction, in degrees: 0 right, 90 down.
    Linear(f64),
    /// A circle that grows from the middle.
    Radial,
    /// A hand that goes round from twelve o'clock.
    Clock,
    /// A diamond that grows from the middle.
    Diamond,
    /// What is dark in an asset's picture comes first.
    Asset(String),
}

impl MatteForm {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 5] = ["linear", "radial", "clock", "diamond", "image"];
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
