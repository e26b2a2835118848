//! What a session tells: events as they happen, and a snapshot at any time.

use serde::Serialize;

use crate::diagnose::Diagnostic;
use crate::feed::{FeedStatus, HeadEvent, HeadStatus};
use crate::health::HealthEvent;
use crate::output::OutputStatus;
use crate::program::ProgramStatus;
use crate::timeline::Cause;

/// What viewers see, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewName {
    /// A camera's id.
    Camera(String),
    /// The slate.
    Slate,
}

impl std::fmt::Display for ViewName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Camera(id) => f.write_str(id),
            Self::Slate => f.write_str("slate"),
        }
    }
}

/// Something that happened. As JSON, `event` names it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionEvent {
    /// The view changed; the journal line of it.
    OnAir {
        /// Output frame index.
        frame: u64,
        /// What viewers see from this frame on.
        view: ViewName,
        /// Why.
        cause: Cause,
        /// The preset at which the camera stands, or to which it is on its way.
        #[serde(skip_serializing_if = "Option::is_none")]
        preset: Option<String>,
        /// The show is still moving the camera: viewers see it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        moving: bool,
    },
    /// The show, or an operator, has something to do with a camera's head.
    Ptz {
        /// Camera id.
        camera: String,
        /// What.
        #[serde(flatten)]
        head: HeadEvent,
    },
    /// The control of a camera that moves answers, or does not any more; or its clock was set.
    Health {
        /// Camera id.
        camera: String,
        /// What.
        #[serde(flatten)]
        change: HealthEvent,
    },
    /// A camera's media flows.
    CameraOnline {
        /// Its status.
        camera: FeedStatus,
    },
    /// A camera's connection failed; it is tried again by itself.
    CameraOffline {
        /// Camera id.
        camera: String,
        /// Why, with the next step.
        error: String,
    },
    /// A camera's stream changed, or its clock jumped, or media was lost.
    CameraNote {
        /// Camera id.
        camera: String,
        /// What.
        note: String,
    },
    /// An output changed its state.
    Output {
        /// Output id.
        output: String,
        /// Its new state.
        #[serde(flatten)]
        state: crate::output::OutputState,
        /// Why, if it is a failure.
        error: Option<String>,
    },
    /// A part of the show does not work; the rest goes on.
    Trouble {
        /// Which part.
        part: String,
        /// What, with the next step.
        error: String,
    },
    /// An overlay shows something in place of something else, or leaves it out; all else of it plays.
    OverlayNote {
        /// Overlay id.
        overlay: String,
        /// What, why, and what to do.
        note: Diagnostic,
    },
    /// Another overlay is in the place of one: a document that was changed.
    OverlayReplaced {
        /// Overlay id.
        overlay: String,
    },
    /// The machine is too slow: output frames were left out.
    Overload {
        /// How many this time.
        skipped: u64,
    },
    /// The show is over.
    Ended,
}

/// A snapshot of everything.
#[derive(Clone, Debug, Serialize)]
pub struct SessionStatus {
    /// What viewers see.
    pub on_air: Option<ViewName>,
    /// The program; `None` before its first frame.
    pub program: Option<ProgramStatus>,
    /// The video encoder's name.
    pub encoder: String,
    /// Cameras in the order they were added.
    pub cameras: Vec<FeedStatus>,
    /// The heads of those that are moved.
    pub heads: Vec<HeadStatus>,
    /// Overlays in the order they were added.
    pub overlays: Vec<OverlayStatus>,
    /// Outputs in the order they were added.
    pub outputs: Vec<OutputStatus>,
}

/// An overlay of a running show.
#[derive(Clone, Debug, Serialize)]
pub struct OverlayStatus {
    /// Its id.
    pub id: String,
    /// What it shows in place of something else, or leaves out: the latest it told.
    pub notes: Vec<Diagnostic>,
}

/// What remains when a session has ended.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The last snapshot; outputs as they were after their close.
    pub status: SessionStatus,
}
