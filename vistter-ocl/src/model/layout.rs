//! Layout: rows and columns, sizes that are a part of what a layer stands in, pictures in boxes.

use super::Color;

/// How the layers of a group stand to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Downwards, instead of to the right.
    pub column: bool,
    /// Between two layers, in base pixels.
    pub gap: f64,
    /// How they stand across.
    pub align: Line,
    /// How they stand along.
    pub justify: Justify,
    /// Round all of them: at the left and right, at the top and bottom; base pixels.
    pub padding: [f64; 2],
}

impl Layout {
    /// The names of the two directions, as written in a document.
    pub const NAMES: [&'static str; 2] = ["row", "column"];
}

/// Where layers of different sizes stand across a row or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Line {
    #[default]
    Start,
    Center,
    End,
}

impl Line {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["start", "center", "end"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Start, Self::Center, Self::End].into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(l, _)| l)
    }
}

/// Where the layers of a row or a column stand when there is more room than they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Justify {
    #[default]
    Start,
    Center,
    End,
    SpaceBetween,
}

impl Justify {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["start", "center", "end", "spaceBetween"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Start, Self::Center, Self::End, Self::SpaceBetween]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(j, _)| j)
    }
}

/// A box behind a group, as large as the group's box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backing {
    /// Fill.
    pub color: Color,
    /// Corner radius in base pixels.
    pub radius: f64,
}

/// Lengths that are parts of what a layer stands in, 1 being all of it. Each replaces the length in base pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relative {
    /// Of its position, as a part of the width.
    pub x: Option<f64>,
    /// Of its position, as a part of the height.
    pub y: Option<f64>,
    /// Its own.
    pub width: Option<f64>,
    /// Its own.
    pub height: Option<f64>,
}

/// How a picture fills a box of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fit {
    /// Its shape becomes that of the box.
    #[default]
    Stretch,
    /// All of it is seen, in the middle of the box.
    Fit,
    /// All of the box is filled; what of the picture stands over is not seen.
    Fill,
}

impl Fit {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["stretch", "fit", "fill"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Stretch, Self::Fit, Self::Fill].into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(f, _)| f)
    }
}
