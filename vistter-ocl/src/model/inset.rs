//! Pictures that come from outside: videos and cameras.

use vistter_core::config::Span;
use vistter_core::inset::Matte;

use super::Fit;

/// A video.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// Asset id.
    pub asset: String,
    /// Width in base pixels; from the height and the video's shape if absent.
    pub width: Option<f64>,
    /// Height in base pixels; from the width and the video's shape if absent.
    pub height: Option<f64>,
    /// How it fills a box that has both.
    pub fit: Fit,
    /// How often it is played; 0 is without end.
    pub plays: u32,
    /// What is left out at its beginning, each time.
    pub start: Span,
    /// Where its transparency is.
    pub alpha: Matte,
    /// Corner radius in base pixels.
    pub radius: f64,
    /// How loud its sound is: 0 is silent, 1 is as in the file.
    pub volume: f64,
}

impl Video {
    /// The places of transparency, as written in a document.
    pub const MATTES: [&'static str; 3] = ["none", "side-by-side", "top-bottom"];
    /// A place of transparency by name.
    pub fn matte(name: &str) -> Option<Matte> {
        let all = [Matte::None, Matte::SideBySide, Matte::TopBottom];
        all.into_iter().zip(Self::MATTES).find(|(_, n)| *n == name).map(|(m, _)| m)
    }
}

/// The newest picture of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// The camera's id in the show.
    pub camera: String,
    /// Base pixels.
    pub width: f64,
    /// Base pixels.
    pub height: f64,
    /// How it fills its box.
    pub fit: Fit,
    /// Corner radius in base pixels.
    pub radius: f64,
    /// What is shown when it gives no pictures.
    pub lost: Lost,
}

/// What is shown of a camera that gives no pictures any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lost {
    /// Nothing.
    #[default]
    Hide,
    /// A grey box.
    Slate,
    /// Its last good picture, as long as it takes.
    Hold,
}

impl Lost {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["hide", "slate", "hold"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Hide, Self::Slate, Self::Hold].into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(l, _)| l)
    }
}
