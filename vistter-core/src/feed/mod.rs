//! One camera, from packets to the picture for a tick.
//!
//! [`Feed`] owns the source's connection (one task, one supervisor). Packets stay compressed in a ring of the last GOPs;
//! only when the camera is wanted does a worker decode, starting at the ring's last keyframe. Finished pictures go into
//! a slot of the newest few, from which the program picks by time. Nothing here is a queue that can grow.
//!
//! A camera that is moved has a [`Head`] beside its feed: the show's orders to it, and what became of them.

mod audio;
mod decode;
#[cfg(test)]
mod decode_tests;
mod driver;
mod eye;
mod head;
#[cfg(test)]
mod head_tests;
mod ring;
mod slot;
mod status;
mod sync;

pub use decode::DecoderFactory;
pub use driver::{Feed, FeedEvent, FeedPolicy, FeedSink};
pub use head::{Head, HeadEvent, HeadParts, HeadSink, HeadStatus};
pub use ring::{GopRing, RingLimits};
pub use slot::{Picked, Slot};
pub use status::{FeedState, FeedStatus};
pub use sync::{Anchor, ClockMap};
