//! A document as checked: every reference resolves and every number is in range. Lengths are base pixels.
//!
//! | file | duty |
//! |---|---|
//! | `asset.rs` | files, their rights, and what is shown in place of them |
//! | `scene.rs` | scenes, layers and what they show |
//! | `cue.rs` | tracks of cues, steps, and what cues wait for |
//! | `place.rs` | where a layer stands |
//! | `layout.rs` | rows, columns, relative lengths, pictures in boxes |
//! | `look.rs` | scale, rotation, crop, masks, blend modes |
//! | `motion.rs` | keyframes and easings |
//! | `transition.rs` | how a scene comes on and goes off |
//! | `paint.rs` | colours and fills |
//! | `text.rs` | how text looks |
//! | `widget.rs` | gauges and QR codes |
//! | `inset.rs` | videos and cameras |
//! | `sequence.rs` | pictures in numbered files |
//! | `run.rs` | parts of a text that look different |

mod asset;
mod cue;
mod files;
mod inset;
mod layout;
mod look;
mod motion;
mod paint;
mod place;
mod run;
mod scene;
mod sequence;
mod text;
mod transition;
mod widget;

use std::collections::BTreeMap;

use vistter_core::time::FrameRate;

use crate::locale::Locale;

pub use crate::token::{Token, TokenKind, ValueFault};
pub(crate) use asset::Window;
pub use asset::{Asset, Fallback, Fallbacks, MediaType, Right, SceneFallback};
pub use cue::{Cue, Step, Sync, Then, Track, TrackKind};
pub use inset::{Camera, Lost, Video};
pub use layout::{Backing, Fit, Justify, Layout, Line, Relative};
pub use look::{Blend, Look, Mask, MaskMode, MaskShape};
pub use motion::{Automation, Easing, Ends, Envelope, Jump, Keyframe, Repeat, Shape};
pub use paint::{Color, Fill};
pub use place::{Anchor, Placement, Within};
pub use run::Run;
pub use scene::{Change, Content, Group, Layer, Scene, Variant};
pub use sequence::{Missing, Sequence};
pub use text::{Align, Background, Breaks, Outline, Shadow, TextStyle};
pub use transition::{Interrupted, Matte, MatteForm, Side, Style, Transition};
pub use widget::{Correction, Gauge, Qr};

/// A checked document. Made by [`Document::parse`](crate::Document::parse).
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Minor version of the language the document asks for; the major version is 1.
    pub minor: u32,
    /// Name of the overlay, for people.
    pub title: String,
    /// Whether what this program does not know is an error.
    pub strict: bool,
    /// What a program must be able to do for it to play as it is written, as in [`supported`](crate::supported()).
    pub requires: Vec<String>,
    /// What the timeline is called, and its own version.
    pub timeline: TimelineInfo,
    /// Frames per second that the document's timecodes count in.
    pub rate: Option<FrameRate>,
    /// The language in which it writes numbers and dates.
    pub(crate) locale: Locale,
    /// The resolution the document is drawn for: width and height in pixels.
    pub base: (u32, u32),
    /// Live data by name.
    pub tokens: BTreeMap<String, Token>,
    /// Files by id.
    pub assets: BTreeMap<String, Asset>,
    /// What is shown in place of things that cannot be, and have no fallback of their own.
    pub fallbacks: Fallbacks,
    /// At least one.
    pub scenes: Vec<Scene>,
}

/// What a document says of itself, for those who manage many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineInfo {
    /// An id that its author gives; may be empty.
    pub id: String,
    /// The version of the document, not of the language; may be empty.
    pub version: String,
}
