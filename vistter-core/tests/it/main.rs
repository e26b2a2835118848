//! Integration tests of vistter-core, one module for each part, against real peers (FFmpeg's tools).

#![allow(clippy::unwrap_used)] // a test that cannot go on ends there

#[cfg(all(feature = "codecs", feature = "session"))]
mod codec;
#[cfg(feature = "mp4")]
mod mp4;
#[cfg(feature = "mp4")]
mod mp4_media;
#[cfg(all(feature = "rtsp", feature = "sim"))]
mod rtsp;
#[cfg(all(feature = "rtsp", feature = "sim"))]
mod rtsp_faults;
#[cfg(all(feature = "rtsp", feature = "sim"))]
mod rtsp_sim;
#[cfg(all(feature = "codecs", feature = "session"))]
mod sound;
#[cfg(all(feature = "codecs", feature = "session"))]
mod video;

#[path = "../../../tests/peers/mod.rs"]
mod peers;
