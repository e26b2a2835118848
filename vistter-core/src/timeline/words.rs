//! What goes into the director and what comes out.

use serde::Serialize;

use super::heads::HeadState;

/// What viewers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// A camera, by index.
    Camera(usize),
    /// The slate.
    Slate,
}

/// Why the view changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The timeline says so.
    Planned,
    /// An operator or the cloud said so.
    Command,
    /// What should be on air has no pictures.
    Fallback,
    /// What should be on air has pictures again.
    Return,
    /// The first picture of the show.
    Start,
    /// What should be on air is being moved to its preset.
    Moving,
    /// What is on air now was due before: its camera was on its way to the preset.
    Late,
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Put this camera on air and keep it there until [`Command::Auto`].
    Pin(usize),
    /// Show the slate until [`Command::Auto`].
    Slate,
    /// Follow the timeline again.
    Auto,
    /// Show or hide an overlay by index, whatever the plan says, until [`Command::OverlayAuto`].
    Overlay(usize, bool),
    /// Let an overlay follow the plan again.
    OverlayAuto(usize),
}

/// What a camera's feed reports each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CameraState {
    /// It has a picture that is fresh enough to stay on air.
    pub live: bool,
    /// It has the picture of this very frame, within its own frame rate: a cut to it is seamless. Implies `live`.
    pub ready: bool,
    /// Frames of warning its decoder needs to catch up before it goes on air.
    pub lead: u32,
    /// What its head reports, if it has one.
    pub head: Option<HeadState>,
}

/// Bounds of the rule book, in output frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long the last picture of a camera on air is held when no new ones come.
    pub hold: u32,
    /// How long a cut waits for a camera that is not ready.
    pub wait: u32,
    /// How long a camera must give pictures before it comes back from a fallback.
    pub stable: u32,
    /// After how long a head that failed is tried again.
    pub retry: u32,
}

impl Rules {
    /// Two seconds of hold and wait, one second to be stable, half a minute until a failed head is tried again.
    pub fn at(fps: crate::time::FrameRate) -> Self {
        let f = |s| crate::ports::frames_in(crate::time::MediaTime::from_secs(s), fps);
        Self { hold: f(2), wait: f(2), stable: f(1), retry: f(30) }
    }
}

/// One line of the record of what was shown and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    /// Output frame index.
    pub frame: u64,
    /// What viewers see from this frame on.
    pub view: View,
    /// Why.
    pub cause: Cause,
    /// The preset at which the camera stands, or to which it is on its way; `None` when nobody knows.
    pub preset: Option<usize>,
    /// The show is still moving the camera: viewers see it.
    pub moving: bool,
}

/// Something the director wants done at this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The view changed.
    OnAir(JournalEntry),
    /// Move a camera to a preset.
    Move {
        /// Index of the camera.
        camera: usize,
        /// Index of its preset.
        preset: usize,
        /// Number of this order, to be reported in [`HeadState::done`].
        order: u64,
    },
    /// A camera has come to a preset, as the pictures of this frame show it, or leaves it.
    AtPreset {
        /// Index of the camera.
        camera: usize,
        /// Index of its preset.
        preset: usize,
        /// Whether it is there.
        there: bool,
    },
    /// Bring an overlay on or take it off.
    Overlay {
        /// Index of the overlay.
        overlay: usize,
        /// On or off.
        on: bool,
    },
    /// Something the timeline has for overlays, by its place among [`Schedule::acts`](super::Schedule::acts).
    Act(usize),
    /// The show is over.
    End,
}

/// The answer for one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What viewers see.
    pub view: View,
    /// Whether the view is a camera whose last picture is being held.
    pub held: bool,
    /// Whether the picture stands still on purpose: the camera is moved, and viewers are spared the motion.
    pub frozen: bool,
}
