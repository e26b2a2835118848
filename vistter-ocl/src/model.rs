//! A document as checked: every reference resolves and every number is in range. Lengths are base pixels.

use std::collections::BTreeMap;

use vistter_core::config::Span;
use vistter_core::time::FrameRate;

use crate::template::Template;
pub use crate::token::{Token, TokenKind, ValueFault};

/// A checked document. Made by [`Document::parse`](crate::Document::parse).
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Minor version of the language the document asks for; the major version is 1.
    pub minor: u32,
    /// Name of the overlay, for people.
    pub title: String,
    /// Frames per second that the document's timecodes count in.
    pub rate: Option<FrameRate>,
    /// The resolution the document is drawn for: width and height in pixels.
    pub base: (u32, u32),
    /// Live data by name.
    pub tokens: BTreeMap<String, Token>,
    /// Files by id.
    pub assets: BTreeMap<String, Asset>,
    /// At least one.
    pub scenes: Vec<Scene>,
}

/// A file beside the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Path relative to the document, with `/`; never leads out of the document's folder.
    pub path: String,
}

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
    /// Opacity and position over time; each replaces the fixed value.
    pub automation: Automation,
    /// What it shows.
    pub content: Content,
}

/// A layer's anchor point lies on the same point of the picture, moved by `x` and `y`.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Placement {
    /// Which point.
    pub anchor: Anchor,
    /// Of which part of the picture.
    pub within: Within,
    /// Right, in base pixels.
    pub x: f64,
    /// Down, in base pixels.
    pub y: f64,
}

/// A part of the picture that anchors refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Within {
    /// All of it.
    #[default]
    Canvas,
    /// Where what happens is seen on every screen: 3.5 % of the picture from each edge (EBU R 95).
    ActionSafe,
    /// Where what is written is seen on every screen: 5 % from each edge.
    TitleSafe,
}

impl Within {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["canvas", "action-safe", "title-safe"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Canvas, Self::ActionSafe, Self::TitleSafe]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(w, _)| w)
    }
    /// What is left out of a side of `length` pixels, at each end.
    pub fn margin(self, length: u32) -> u32 {
        let permille = match self {
            Self::Canvas => 0,
            Self::ActionSafe => 35,
            Self::TitleSafe => 50,
        };
        (u64::from(length) * permille / 1000) as u32
    }
}

/// One of nine points of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Anchor {
    /// 0 left, 1 middle, 2 right.
    pub(crate) h: u8,
    /// 0 top, 1 middle, 2 bottom.
    pub(crate) v: u8,
}

impl Anchor {
    /// The names, row by row.
    pub const NAMES: [&'static str; 9] =
        ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let i = Self::NAMES.iter().position(|n| *n == name)? as u8;
        Some(Self { h: i % 3, v: i / 3 })
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.v.min(2) * 3 + self.h.min(2))]
    }
}

/// What a layer shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
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
        /// What it says.
        text: Template,
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
        /// What it says.
        text: Template,
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
    pub const NAMES: [&'static str; 5] = ["image", "rect", "progress", "text", "ticker"];
}

/// What a shape is filled with.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// One colour.
    Color(Color),
    /// Colours that pass into each other along a line.
    Gradient {
        /// Where the line points, in degrees: 0 right, 90 down.
        angle: f64,
        /// Two at least, in the order of their places 0 to 1.
        stops: Vec<(f64, Color)>,
    },
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextStyle {
    /// Font size in base pixels.
    pub size: f64,
    /// Bold instead of regular.
    pub bold: bool,
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
        Self { size, bold: false, color: Color::WHITE, tracking: 0.0, outline: None, shadow: None }
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
    /// They start together.
    #[default]
    Left,
    /// Their middles are above each other.
    Center,
    /// They end together.
    Right,
}

/// sRGB with straight alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// Red, green, blue, alpha.
    pub rgba: [u8; 4],
}

impl Color {
    /// Opaque white.
    pub const WHITE: Self = Self { rgba: [255; 4] };
    /// Parses `#RRGGBB` or `#RRGGBBAA`.
    pub fn parse(s: &str) -> Option<Self> {
        let hex = s.strip_prefix('#')?;
        if !(hex.len() == 6 || hex.len() == 8) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut rgba = [255; 4];
        for (out, i) in rgba.iter_mut().zip((0..hex.len()).step_by(2)) {
            *out = u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()?;
        }
        Some(Self { rgba })
    }
}

/// Properties over time. Times count from the frame the scene was shown at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Automation {
    /// 0 to 1. Empty: the fixed value.
    pub opacity: Envelope<f64>,
    /// `x` and `y`. Empty: the fixed value.
    pub position: Envelope<[f64; 2]>,
}

/// One property over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<T> {
    /// In the order of their times.
    pub keys: Vec<Keyframe<T>>,
    /// What happens after the last one.
    pub repeat: Repeat,
}

impl<T> Default for Envelope<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), repeat: Repeat::Once }
    }
}

/// What happens after the last keyframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Repeat {
    /// The value stays.
    #[default]
    Once,
    /// It begins again at the first keyframe, so many times in all; 0 is without end.
    Loop(u32),
    /// It goes back and forth, so many ways in all; 0 is without end.
    PingPong(u32),
}

impl Repeat {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 2] = ["loop", "pingPong"];
}

/// A value at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Keyframe<T> {
    /// Since the scene was shown; strictly rising within a property.
    pub at: Span,
    /// The value.
    pub value: T,
    /// How it goes on to the next keyframe.
    pub easing: Easing,
}

/// The way from one keyframe to the next.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Easing {
    /// Stays, and jumps at the next keyframe.
    Hold,
    /// Even.
    #[default]
    Linear,
    /// CSS's `cubic-bezier(x1, y1, x2, y2)`; `x` within 0 to 1.
    Bezier([f64; 4]),
    /// One of the standard easings.
    Named(Shape, Ends),
    /// CSS's `steps(n, jump)`.
    Steps(u32, Jump),
    /// A spring of this damping ratio that comes to rest at the next keyframe: 0.05 swings long, 1 does not swing.
    Spring(f64),
}

/// The curve of a standard easing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Shape {
    Sine,
    Quad,
    Cubic,
    Quart,
    Quint,
    Expo,
    Circ,
    Back,
    Elastic,
    Bounce,
}

/// At which end a standard easing is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// At the beginning.
    In,
    /// At the end.
    Out,
    /// At both.
    InOut,
}

/// Where the jumps of steps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Jump {
    /// At the end of each step.
    #[default]
    End,
    /// At the start of each step.
    Start,
    /// At both ends: one jump more than steps.
    Both,
    /// At neither end: one jump less than steps.
    None,
}

impl Easing {
    /// The names. `easeIn`, `easeOut` and `easeInOut` are the Béziers of CSS.
    #[rustfmt::skip]
    pub const NAMES: [&'static str; 35] = [
        "hold", "linear", "easeIn", "easeOut", "easeInOut",
        "easeInSine", "easeOutSine", "easeInOutSine", "easeInQuad", "easeOutQuad", "easeInOutQuad",
        "easeInCubic", "easeOutCubic", "easeInOutCubic", "easeInQuart", "easeOutQuart", "easeInOutQuart",
        "easeInQuint", "easeOutQuint", "easeInOutQuint", "easeInExpo", "easeOutExpo", "easeInOutExpo",
        "easeInCirc", "easeOutCirc", "easeInOutCirc", "easeInBack", "easeOutBack", "easeInOutBack",
        "easeInElastic", "easeOutElastic", "easeInOutElastic", "easeInBounce", "easeOutBounce", "easeInOutBounce",
    ];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let (rest, ends) = match name {
            "hold" => return Some(Self::Hold),
            "linear" => return Some(Self::Linear),
            "easeIn" => return Some(Self::Bezier([0.42, 0.0, 1.0, 1.0])),
            "easeOut" => return Some(Self::Bezier([0.0, 0.0, 0.58, 1.0])),
            "easeInOut" => return Some(Self::Bezier([0.42, 0.0, 0.58, 1.0])),
            _ => match (name.strip_prefix("easeInOut"), name.strip_prefix("easeIn"), name.strip_prefix("easeOut")) {
                (Some(rest), _, _) => (rest, Ends::InOut),
                (_, Some(rest), _) => (rest, Ends::In),
                (_, _, rest) => (rest?, Ends::Out),
            },
        };
        let shape = match rest {
            "Sine" => Shape::Sine,
            "Quad" => Shape::Quad,
            "Cubic" => Shape::Cubic,
            "Quart" => Shape::Quart,
            "Quint" => Shape::Quint,
            "Expo" => Shape::Expo,
            "Circ" => Shape::Circ,
            "Back" => Shape::Back,
            "Elastic" => Shape::Elastic,
            "Bounce" => Shape::Bounce,
            _ => return None,
        };
        Some(Self::Named(shape, ends))
    }
}
