//! The words of the mover: what is commanded, what the driver is asked, what comes back.

use vistter_core::Error;
use vistter_core::ports::{Preset, PtzCaps, PtzPosition, PtzStatus, PtzVelocity};
use vistter_core::time::MediaTime;

use super::preset::{Identity, View};
use crate::settle::Evidence;

/// Names a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MoveId(pub u64);

/// What the camera is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Move to a view; ends when the camera has arrived.
    GoTo(View),
    /// Move to a position; ends when the camera has arrived.
    Absolute {
        /// Where.
        to: PtzPosition,
        /// Share of the fastest speed, 0…1.
        speed: Option<f32>,
    },
    /// Move by a distance; ends when the camera has arrived.
    Relative {
        /// How far.
        by: PtzPosition,
        /// Share of the fastest speed, 0…1.
        speed: Option<f32>,
    },
    /// Move to the home position; ends when the camera has arrived.
    Home,
    /// Drive at a speed. Holds for [`MoverPolicy::hold`](super::MoverPolicy::hold); say it again to go on. All zero is [`Command::Stop`].
    Drive(PtzVelocity),
    /// Stop everything.
    Stop,
    /// List the presets, anew.
    Presets,
    /// List the presets with their positions, as far as the camera tells these.
    Views,
    /// Store the present view.
    Save {
        /// Its name.
        name: String,
        /// In place of this one.
        replace: Option<Preset>,
    },
    /// Remove a stored view.
    Remove(Preset),
    /// Ask for position and motion.
    Status,
}

impl Command {
    pub(super) fn is_errand(&self) -> bool {
        matches!(self, Self::Presets | Self::Views | Self::Save { .. } | Self::Remove(_) | Self::Status)
    }
}

/// An arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// What it was judged by.
    pub evidence: Evidence,
    /// From the accepted command to the verdict.
    pub took: MediaTime,
    /// Where the camera looks, if it tells.
    pub position: Option<PtzPosition>,
    /// How a view was found.
    pub found: Option<Identity>,
    /// The preset as the camera has it now: its token may be a new one.
    pub preset: Option<Preset>,
    /// It stands somewhere else than the view was captured or found at before.
    pub off_target: bool,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The camera has arrived.
    Arrived(Arrival),
    /// The camera drives.
    Driving,
    /// The camera has taken the Stop.
    Stopped,
    /// A newer command took its place.
    Replaced,
    /// The camera's presets.
    Presets(Vec<Preset>),
    /// The camera's presets, with positions as far as it tells them.
    Views(Vec<View>),
    /// The view that was stored, with its position if the camera tells it.
    Saved(View),
    /// The preset is gone.
    Removed,
    /// Position and motion.
    Status(PtzStatus),
    /// It came to nothing.
    Failed(Error),
}

/// What happened beside the commands.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// A drive was not renewed, and is stopped.
    DeadMan,
    /// A view was found by something else than its token.
    FoundAgain {
        /// The view.
        view: String,
        /// By what.
        by: Identity,
    },
    /// The camera did not take a Stop, however often it was said. It may still be moving.
    StopFailed(Error),
}

/// An operation of the driver.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the methods of `PtzDriver`
pub enum Op {
    Capabilities,
    Presets,
    Views,
    Status,
    GoTo(Preset),
    Absolute(PtzPosition, Option<f32>),
    Relative(PtzPosition, Option<f32>),
    Home,
    Drive(PtzVelocity, MediaTime),
    Stop,
    Save(String, Option<Preset>),
    Remove(Preset),
}

impl Op {
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Capabilities | Self::Presets | Self::Views | Self::Status)
    }
}

/// What an operation gave.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the results of `PtzDriver`
pub enum Done {
    Capabilities(PtzCaps),
    Presets(Vec<Preset>),
    Views(Vec<(Preset, Option<PtzPosition>)>),
    Status(PtzStatus),
    Saved(Preset),
    Accepted,
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Begin this operation, and bring its result to [`Machine::finished`](super::machine::Machine::finished).
    Op(Op),
    /// Drop the operation that is under way; its result is not wanted.
    Abandon,
    /// A command is over.
    Outcome(MoveId, Outcome),
    /// Something to be told.
    Note(Note),
}
