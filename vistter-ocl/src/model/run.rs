//! Parts of a text that look different from the rest of it.

use super::Color;
use crate::template::Template;

/// A part of a text. What it does not say is as the text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// What it says.
    pub text: Template,
    /// Fill.
    pub color: Option<Color>,
    /// Bold, or regular.
    pub bold: Option<bool>,
    /// Slanted, or upright.
    pub italic: Option<bool>,
    /// Font size in base pixels.
    pub size: Option<f64>,
    /// Asset id of a font.
    pub font: Option<String>,
}

impl Run {
    /// All of a text, as the text says.
    pub fn plain(text: Template) -> Vec<Self> {
        vec![Self { text, ..Self::default() }]
    }
}
