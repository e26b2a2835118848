//! Integration tests of vistter-core, one module for each part, against real peers (FFmpeg's tools).

#[cfg(feature = "codecs")]
mod codec;
