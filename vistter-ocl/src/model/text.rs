//! How text looks.

use super::Color;

/// How text looks.
#[derive(Clone, Debug, PartialEq)]
pub struct TextStyle {
    /// Font size in base pixels.
    pub size: f64,
    /// Asset id of its font; Noto Sans if absent.
    pub font: Option<String>,
    /// Bold instead of regular.
    pub bold: bool,
    /// Slanted.
    pub italic: bool,
    /// All digits as wide as each other, where the font has such ones.
    pub tabular: bool,
    /// Fill.
    pub color: Color,
    /// Space added after each character, in thousandths of the size.
    pub tracking: f64,
    /// A line round the letters.
    pub outline: Option<Outline>,
    /// The letters once more, behind themselves.
    pub shadow: Option<Shadow>,
}

impl TextStyle {
    /// White regular letters of this size.
    pub fn plain(size: f64) -> Self {
        Self {
            size,
            font: None,
            bold: false,
            italic: false,
            tabular: true,
            color: Color::WHITE,
            tracking: 0.0,
            outline: None,
            shadow: None,
        }
    }
}

/// A line round the letters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline {
    /// Base pixels.
    pub width: f64,
    /// Its colour.
    pub color: Color,
}

/// The letters once more, behind themselves, with a hard edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shadow {
    /// Right, in base pixels.
    pub x: f64,
    /// Down, in base pixels.
    pub y: f64,
    /// Its colour.
    pub color: Color,
}

/// A box behind a text, as large as the text and its padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Background {
    /// Fill.
    pub color: Color,
    /// At the left and right, at the top and bottom; base pixels.
    pub padding: [f64; 2],
    /// Corner radius in base pixels.
    pub radius: f64,
}

/// Where lines that are too long are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Breaks {
    /// Nowhere: they end in "…".
    #[default]
    None,
    /// Between words; a word longer than the line, within it.
    Word,
    /// Anywhere between characters.
    Glyph,
}

impl Breaks {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["none", "word", "glyph"];
}

/// How lines of different lengths stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Align {
    /// Where reading begins: at the left, or at the right in Arabic and Hebrew.
    #[default]
    Start,
    /// Where reading ends.
    End,
    /// At the left edge.
    Left,
    /// Their middles are above each other.
    Center,
    /// At the right edge.
    Right,
}

impl Align {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 5] = ["start", "end", "left", "center", "right"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Start, Self::End, Self::Left, Self::Center, Self::Right];
        all.into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(a, _)| a)
    }
}
