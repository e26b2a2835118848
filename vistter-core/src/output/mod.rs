//! Where the program goes. Each destination, recorder or preview has its own supervised task and its own bounded
//! queue: a hung, slow, rejecting or dead one changes no byte of another's stream.
//!
//! - [`EgressQueue`]: the queue in front of an output; pure.
//! - [`supervise`]: the task that connects, sends, reconnects and reports.
//! - `mp4` (feature `mp4`): the recorder.

#[cfg(feature = "mp4")]
pub mod mp4;
mod queue;
mod status;
mod supervisor;
#[cfg(test)]
mod supervisor_tests;

pub use queue::{EgressQueue, QueueCounts, QueueLimits, StartAt};
pub use status::{OutputEvent, OutputState, OutputStatus};
pub use supervisor::{OutputHandle, OutputPolicy, supervise};
