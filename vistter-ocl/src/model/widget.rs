//! Widgets: gauges and QR codes.

use super::Color;
use crate::template::Template;

/// An arc that is filled as far as a number says.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// The number, as a text.
    pub value: Template,
    /// At this number the arc is empty, and at that one full.
    pub range: (f64, f64),
    /// Diameter in base pixels.
    pub size: f64,
    /// Width of the ring in base pixels.
    pub thickness: f64,
    /// Where it is empty, in degrees: 0 right, 90 down.
    pub start: f64,
    /// How far it goes until it is full, in degrees; below 0 against the clock.
    pub sweep: f64,
    /// The full part.
    pub color: Color,
    /// What is behind it.
    pub track: Color,
    /// Its ends are half circles.
    pub round: bool,
}

/// A QR code.
#[derive(Clone, Debug, PartialEq)]
pub struct Qr {
    /// What it says.
    pub text: Template,
    /// Base pixels a side, the quiet zone with it.
    pub size: f64,
    /// How much damage it survives.
    pub level: Correction,
    /// Empty modules round it.
    pub quiet: usize,
    /// Its modules.
    pub color: Color,
    /// What is between and round them.
    pub background: Color,
}

/// How much of a QR code may be damaged: about 7, 15, 25 or 30 hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Correction {
    Low,
    #[default]
    Medium,
    Quartile,
    High,
}

impl Correction {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 4] = ["low", "medium", "quartile", "high"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Low, Self::Medium, Self::Quartile, Self::High];
        all.into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(l, _)| l)
    }
}
