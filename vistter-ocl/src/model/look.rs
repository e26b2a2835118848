//! What is done to a layer's picture before it is blended, and how it is blended.

use super::{Anchor, Placement};

/// What is done to a layer's picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Times its size, right and down; 1 is as drawn, a negative one mirrors.
    pub scale: [f64; 2],
    /// Degrees, clockwise.
    pub rotation: f64,
    /// The point of its box that scale and rotation leave where it is; the placement's anchor if absent.
    pub pivot: Option<Anchor>,
    /// What is cut from its box at the left, top, right and bottom, in base pixels.
    pub crop: [f64; 4],
    /// Stands between pixels, instead of on whole ones.
    pub smooth: bool,
    /// How its colours meet what is below.
    pub blend: Blend,
    /// What of it is seen; all of it without any.
    pub masks: Vec<Mask>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            scale: [1.0; 2],
            rotation: 0.0,
            pivot: None,
            crop: [0.0; 4],
            smooth: false,
            blend: Blend::Normal,
            masks: Vec::new(),
        }
    }
}

/// How a layer's colours meet those below it: the separable modes of W3C Compositing and Blending Level 1 §10, and
/// `add`, its `plus-lighter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Blend {
    #[default]
    Normal,
    Multiply,
    Screen,
    Overlay,
    Add,
    Darken,
    Lighten,
}

impl Blend {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 7] = ["normal", "multiply", "screen", "overlay", "add", "darken", "lighten"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Normal, Self::Multiply, Self::Screen, Self::Overlay, Self::Add, Self::Darken, Self::Lighten];
        all.into_iter().zip(Self::NAMES).find(|(_, n)| *n == name).map(|(b, _)| b)
    }
}

/// A shape that says what of a layer is seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// What it does with what the masks before it leave.
    pub mode: MaskMode,
    /// Everything but the shape.
    pub invert: bool,
    /// Its form.
    pub shape: MaskShape,
    /// Where it stands in the layer's box.
    pub place: Placement,
    /// Width and height in base pixels; those of the layer's box if absent.
    pub size: [Option<f64>; 2],
    /// Width of its soft edge in base pixels, half of it on each side.
    pub feather: f64,
}

/// What a mask does with what the masks before it leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MaskMode {
    /// This is seen too; when it is the first, nothing else.
    #[default]
    Add,
    /// This is not seen.
    Subtract,
    /// Of what is seen, only this.
    Intersect,
}

impl MaskMode {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["add", "subtract", "intersect"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Add, Self::Subtract, Self::Intersect]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(m, _)| m)
    }
}

/// The form of a mask.
#[derive(Clone, Debug, PartialEq)]
pub enum MaskShape {
    /// A rectangle with this corner radius in base pixels.
    Rect(f64),
    /// An ellipse.
    Ellipse,
    /// A picture, stretched: its alpha, or how light it is.
    Asset {
        /// Asset id.
        id: String,
        /// How light it is (BT.709, times alpha), instead of its alpha.
        luma: bool,
    },
}

impl MaskShape {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["rect", "ellipse", "image"];
}
