//! Where media comes from: RTSP cameras and generated pictures, each behind [`crate::ports::Source`], and the probe
//! that says what a source sends.
//!
//! A source makes one attempt per `open` and reports; it never retries. The feed's supervisor owns that.

mod generator;
mod timing;

#[cfg(feature = "rtsp")]
mod rtsp;
#[cfg(feature = "rtsp")]
mod rtsp_config;

pub use generator::{GeneratorConfig, GeneratorSource};
#[cfg(feature = "rtsp")]
pub use rtsp::RtspSource;
#[cfg(feature = "rtsp")]
pub use rtsp_config::{RtspConfig, RtspTimeouts, TlsPolicy};
