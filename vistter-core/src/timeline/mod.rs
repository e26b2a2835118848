//! What is on air when. Sans-IO: [`plan`](Schedule::plan) checks a timeline and makes a [`Schedule`]; the
//! [`Director`] is told each output frame what the cameras are doing and what operators ask for, and says what viewers
//! see. Frame index is its only clock, so the same inputs give the same frames, always.

mod director;
mod plan;

pub use director::{CameraState, Cause, Command, Decision, Director, Effect, JournalEntry, Rules, View};
pub use plan::{Cue, PlannedShot, Schedule};
