//! What is on air when. Sans-IO: [`plan`](Schedule::plan) checks a timeline and makes a [`Schedule`]; the
//! [`Director`] is told each output frame what the cameras are doing and what operators ask for, and says what viewers
//! see. Frame index is its only clock, so the same inputs give the same frames, always.

pub(crate) mod acts;
mod director;
mod heads;
mod plan;
mod words;

pub use director::Director;
pub use heads::{HeadOutcome, HeadState};
pub use plan::{Cue, PlannedAct, PlannedShot, Schedule};
pub use words::{CameraState, Cause, Command, Decision, Effect, JournalEntry, Rules, View};
