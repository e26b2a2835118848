//! Properties over time: keyframes, easings, repetition.

use vistter_core::config::Span;

use super::Color;
use crate::template::Template;

/// Properties over time. Times count from the frame the scene was shown at. Empty: the fixed value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Automation {
    /// 0 to 1.
    pub opacity: Envelope<f64>,
    /// `x` and `y`.
    pub position: Envelope<[f64; 2]>,
    /// Times the size, right and down.
    pub scale: Envelope<[f64; 2]>,
    /// Degrees, clockwise.
    pub rotation: Envelope<f64>,
    /// What is cut at the left, top, right and bottom.
    pub crop: Envelope<[f64; 4]>,
    /// Width and height of a shape.
    pub size: Envelope<[f64; 2]>,
    /// Corner radius of a shape.
    pub radius: Envelope<f64>,
    /// Colour of a shape or a text.
    pub color: Envelope<Color>,
    /// The number of a text, a bar or a gauge.
    pub value: Envelope<f64>,
    /// What a text says; none of its keyframes has an easing but `hold`.
    pub text: Envelope<Template>,
    /// How loud a video is, 0 to 1.
    pub volume: Envelope<f64>,
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

impl<T> Envelope<T> {
    /// Where the value of a keyframe of a property stands in the document, for a layer that stands at `layer`. The keyframes
    /// of a cue's content are the cue's.
    pub(crate) fn place(&self, layer: &str, property: &str, key: usize) -> String {
        let layer = layer.strip_suffix("/content").unwrap_or(layer);
        let list = if self.repeat == Repeat::Once { "" } else { "/keyframes" };
        format!("{layer}/automation/{property}{list}/{key}/value")
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
    /// The same for each number of the value, when they go differently; else empty.
    pub each: Vec<Easing>,
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
