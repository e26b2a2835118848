//! What a feed knows about its camera.

use std::collections::VecDeque;

use serde::Serialize;

use crate::media::{Codec, StreamParams};
use crate::time::MediaTime;

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
    /// Frames per second as they arrive, over the last two seconds.
    pub measured_fps: f64,
    /// Video kilobits per second, over the last two seconds.
    pub kbps: u32,
    /// Connections made after the first.
    pub reconnects: u32,
    /// Access units that did not decode.
    pub decode_errors: u64,
    /// Times the camera's clock jumped.
    pub clock_jumps: u32,
    /// Times the source reported lost media.
    pub losses: u64,
    /// Why it is not online.
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

/// Frame rate and bitrate over a sliding two seconds.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    seen: VecDeque<(MediaTime, usize)>,
    bytes: usize,
}

impl Meter {
    const WINDOW: MediaTime = MediaTime::from_millis(2000);
    /// Enough for 240 fps.
    const MAX: usize = 512;

    pub(crate) fn add(&mut self, now: MediaTime, bytes: usize) {
        self.seen.push_back((now, bytes));
        self.bytes += bytes;
        self.trim(now);
    }
    fn trim(&mut self, now: MediaTime) {
        while self.seen.len() > Self::MAX || self.seen.front().is_some_and(|(t, _)| now - *t > Self::WINDOW) {
            if let Some((_, b)) = self.seen.pop_front() {
                self.bytes -= b;
            }
        }
    }
    /// Items per second and bits per second.
    pub(crate) fn rates(&mut self, now: MediaTime) -> (f64, f64) {
        self.trim(now);
        match (self.seen.front(), self.seen.back()) {
            (Some((a, first)), Some((b, _))) if b > a => {
                let s = (*b - *a).as_secs_f64();
                ((self.seen.len() - 1) as f64 / s, (self.bytes - first) as f64 * 8.0 / s)
            }
            _ => (0.0, 0.0),
        }
    }
}
