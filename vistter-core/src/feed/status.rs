//! What a feed knows about its camera.

use serde::Serialize;

use crate::media::{Codec, StreamParams};

/// Where a camera's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// First attempt, or an attempt after a failure.
    #[default]
    Connecting,
    /// Packets flow.
    Online,
    /// Waiting before the next attempt.
    Waiting,
    /// Given up for now; tried again at long intervals.
    Failed,
    /// Ended on purpose.
    Stopped,
}

/// A snapshot of one camera.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FeedStatus {
    /// Its id.
    pub id: String,
    /// Connection.
    pub state: FeedState,
    /// Whether it is being decoded.
    pub decoding: bool,
    /// Video coding.
    pub codec: Option<Codec>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second as they arrive, over the last four seconds.
    pub measured_fps: f64,
    /// Video kilobits per second, over the last four seconds.
    pub kbps: u32,
    /// Milliseconds that its sound is held back beyond the program's delay, because it arrives so late.
    pub sound_held_ms: u32,
    /// Connections made after the first.
    pub reconnects: u32,
    /// Access units that did not decode.
    pub decode_errors: u64,
    /// Times the camera's clock jumped.
    pub clock_jumps: u32,
    /// Times the source reported lost media.
    pub losses: u64,
    /// Why it is not online, or why its video cannot be decoded.
    pub error: Option<String>,
}

impl FeedStatus {
    pub(crate) fn set_params(&mut self, p: &StreamParams) {
        if let Some(v) = &p.video {
            self.codec = Some(v.codec);
            (self.width, self.height) = (v.width, v.height);
        }
    }
}
