//! The recorder: fragmented MP4 (ISO/IEC 14496-12), readable while it is written and after a crash.
//!
//! - `boxes`: the byte format; the only file that knows mp4-atom.
//! - `muxer`: packets to fragments of about a second; pure.
//! - `file`: names and bytes on disk, on blocking threads.
//! - `recorder`: the [`Output`](crate::ports::Output).
//!
//! # Current state
//! H.264 and AAC. No `sidx` or `mfra`: players seek by reading the fragments' headers.

mod boxes;
mod file;
mod muxer;
mod recorder;

pub use muxer::Mp4Muxer;
pub use recorder::{Mp4Recorder, Recordings};
