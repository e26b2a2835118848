//! Where media comes from: RTSP cameras and generated pictures, each behind [`crate::ports::Source`], and the probe
//! that says what a source sends.
//!
//! A source makes one attempt per `open` and reports; it never retries. The feed's supervisor owns that.

mod fuzz_timing;
mod generator;
mod probe;
mod probe_advice;
mod timing;

#[cfg(feature = "rtsp")]
mod rtsp;
#[cfg(feature = "rtsp")]
mod rtsp_config;
#[cfg(feature = "rtsp")]
mod rtsp_error;
#[cfg(feature = "rtsp")]
mod rtsps_relay;

pub(crate) use fuzz_timing::fuzz_timing;
pub use generator::{GeneratorConfig, GeneratorSource};
pub use probe::{AudioReport, ClockReport, Probe, ProbeReport, VideoReport, probe};
#[cfg(feature = "rtsp")]
pub use rtsp::RtspSource;
#[cfg(feature = "rtsp")]
pub use rtsp_config::{RtspConfig, RtspTimeouts};
