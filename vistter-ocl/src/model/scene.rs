//! Scenes, layers and what they show.

use super::{Align, Automation, Background, Breaks, Color, Fill, Look, Placement, Run, Side, TextStyle, Transition};
use crate::template::Template;

/// What comes on and goes off together.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Name, unique in the document.
    pub id: String,
    /// How it comes on.
    pub enter: Transition,
    /// How it goes off.
    pub exit: Transition,
    /// Opacity and shift of the whole scene over time.
    pub automation: Automation,
    /// Layers in the order of the document; the compiler sorts them by `z`.
    pub layers: Vec<Layer>,
}

/// One thing drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name, unique in the scene.
    pub id: String,
    /// Stacking: higher covers lower; equal ones stack in the order of the document.
    pub z: i32,
    /// Where it stands.
    pub place: Placement,
    /// 0 (not there) to 1.
    pub opacity: f64,
    /// What is done to its picture.
    pub look: Look,
    /// Its properties over time; each replaces the fixed value.
    pub automation: Automation,
    /// What it shows.
    pub content: Content,
}

/// What a layer shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Layers that are composited with each other first, and then are as one picture.
    Group(Group),
    /// A filled ellipse.
    Ellipse {
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// What it is filled with.
        fill: Fill,
    },
    /// A picture from an asset, stretched to its size.
    Image {
        /// Asset id.
        asset: String,
        /// Width in base pixels; from the height and the picture's shape if absent.
        width: Option<f64>,
        /// Height in base pixels; from the width and the picture's shape if absent.
        height: Option<f64>,
    },
    /// A filled rectangle.
    Rect {
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// Corner radius in base pixels.
        radius: f64,
        /// What it is filled with.
        fill: Fill,
    },
    /// A bar that is filled as far as a number says.
    Progress {
        /// The number, as a text.
        value: Template,
        /// At this number the bar is empty, and at that one full.
        range: (f64, f64),
        /// Where it is full last.
        to: Side,
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// Corner radius in base pixels.
        radius: f64,
        /// The full part.
        fill: Fill,
        /// What is behind it.
        track: Color,
    },
    /// Text, one line or several.
    Text {
        /// What it says: one part at least.
        runs: Vec<Run>,
        /// How it looks.
        style: TextStyle,
        /// How its lines stand to each other.
        align: Align,
        /// Width of the box in base pixels; lines are aligned in it, and end in "…" when they are longer. Without it
        /// the box is as wide as the longest line.
        width: Option<f64>,
        /// Lines longer than this end in "…", or are wrapped; base pixels.
        max_width: Option<f64>,
        /// Where lines that are too long are broken.
        wrap: Breaks,
        /// Lines beyond this are not drawn.
        max_lines: usize,
        /// The size may shrink to this, in base pixels, so that the text fits.
        min_size: Option<f64>,
        /// A box behind the text.
        background: Option<Background>,
    },
    /// Text that runs from right to left through a window, again and again.
    Ticker {
        /// What it says: one part at least.
        runs: Vec<Run>,
        /// How it looks.
        style: TextStyle,
        /// Width of the window in base pixels.
        width: f64,
        /// Space between the end of the text and its next start, in base pixels.
        gap: f64,
        /// Base pixels per second.
        speed: f64,
    },
}

impl Content {
    /// The names of the layer types.
    pub const NAMES: [&'static str; 7] = ["image", "rect", "ellipse", "progress", "text", "ticker", "group"];
}

/// Layers that are composited with each other first.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Width and height of its box in base pixels; as large as what it stands in if absent.
    pub size: [Option<f64>; 2],
    /// What reaches over its box is not seen.
    pub clip: bool,
    /// In the order of the document.
    pub layers: Vec<Layer>,
}
