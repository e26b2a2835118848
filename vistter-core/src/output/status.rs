//! What a person or a control plane may know of an output.

use serde::Serialize;

use crate::error::Error;
use crate::time::MediaTime;

/// Where an output stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum OutputState {
    /// An attempt to connect is under way.
    Connecting,
    /// Connected and sending.
    Live,
    /// The last attempt failed; the next one comes by itself.
    Waiting {
        /// Milliseconds to the next try.
        next_try_ms: u64,
    },
    /// Given up on quick tries: somebody has to look. A slow probe goes on, and `restart` tries at once.
    Failed {
        /// Milliseconds to the next probe; `None` when there will be none.
        next_try_ms: Option<u64>,
    },
    /// Stopped on request.
    Stopped,
}

/// A snapshot of an output. As JSON, `state` stands beside the other fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutputStatus {
    /// The id from the configuration.
    pub id: String,
    /// Where it goes, without secrets.
    pub target: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: OutputState,
    /// Media payload bytes the peer has taken, over all connections.
    pub bytes: u64,
    /// Bits per second over the last five seconds of this connection.
    pub bitrate_bps: u64,
    /// Packets the peer has taken, over all connections.
    pub packets: u64,
    /// Pictures dropped because the peer was too slow.
    pub dropped_frames: u64,
    /// GOPs that lost pictures to that.
    pub dropped_gops: u64,
    /// Pictures that came while there was no connection.
    pub missed_frames: u64,
    /// Times the connection came back by itself after a failure.
    pub reconnects: u64,
    /// Failures in a row, as the back-off counts them.
    pub failures: u32,
    /// Media that waits to be sent, in milliseconds.
    pub queue_ms: u64,
    /// The last error, with its next step, even when the output has recovered since.
    pub last_error: Option<String>,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputEvent {
    /// The id from the configuration.
    pub id: String,
    /// When, on the session's clock.
    pub at: MediaTime,
    /// The new state.
    pub state: OutputState,
    /// Why, if it is a failure.
    pub error: Option<Error>,
}
