//! RTMP and RTMPS for VistterStream: publish to platforms, receive from encoders, FLV files.
//!
//! ```no_run
//! use vistter_core::ports::Output;
//! use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};
//! # async fn f(params: vistter_core::media::StreamParams) -> vistter_core::Result<()> {
//! let target = RtmpTarget::parse("rtmps://a.rtmps.youtube.com/live2/my-stream-key")?;
//! let mut output = RtmpOutput::new(target, RtmpOptions::default())?;
//! output.connect(&params).await?; // then output.send(&packet).await?, starting with a keyframe
//! output.close().await
//! # }
//! ```
//!
//! # Units
//! Time on the wire is milliseconds modulo 2^32; everything public is [`vistter_core::time::MediaTime`]. Sizes are bytes.
//!
//! # Current state
//! H.264 and AAC in legacy FLV tags, as every platform takes them. No enhanced RTMP (HEVC, AV1), no playing from a
//! server, no Adobe user and password authentication.

#![forbid(unsafe_code)]

mod amf0;
mod chunk;
mod client;
pub mod flv;
#[doc(hidden)]
pub mod fuzzing;
mod mux;
mod net;
mod output;
mod platform;
pub mod receiver;
mod session;
mod target;

pub use output::{RtmpOptions, RtmpOutput};
pub use platform::{Platform, PlatformRules, Profile, RateRule};
pub use receiver::{Access, Receiver, ReceiverOptions, RtmpIngest};
pub use target::RtmpTarget;
