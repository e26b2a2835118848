//! What the program worker counts.

use serde::Serialize;

use crate::timeline::View;

/// Counters since the start of the show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProgramCounters {
    /// Output frames made.
    pub frames: u64,
    /// Output frames left out because the machine was too slow.
    pub skipped: u64,
    /// Ticks that began more than half a frame late.
    pub late: u64,
    /// Frames that show a picture again because its camera gave no new one in time.
    pub repeated: u64,
    /// Camera pictures that were passed over.
    pub passed_over: u64,
    /// Frames on which a camera's last picture was held.
    pub held: u64,
    /// Frames of slate.
    pub slate: u64,
    /// Changes of view.
    pub cuts: u64,
    /// Shots that went on air while the show was still moving their camera.
    pub moving_shots: u64,
    /// Encoded video bytes.
    pub video_bytes: u64,
    /// Keyframes.
    pub keyframes: u64,
}

/// A snapshot of the program.
#[derive(Clone, Debug, Serialize)]
pub struct ProgramStatus {
    /// Index of the frame on air.
    pub frame: u64,
    /// What viewers see; `None` before the first frame.
    pub view: Option<View>,
    /// Frames made over the last four seconds, per second.
    pub fps: f64,
    /// Encoded video bits per second over the last four seconds.
    pub video_bps: u64,
    /// Mean time a tick took lately, in milliseconds.
    pub tick_ms: f64,
    /// Counters.
    pub counters: ProgramCounters,
}
