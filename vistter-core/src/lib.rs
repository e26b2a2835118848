//! The core of VistterStream: media types, the traits everything else implements, and (with features) the running
//! pipeline that turns cameras into a program and publishes it.
//!
//! With default features off this crate is vocabulary only: [`time`], [`media`], [`ports`], [`timeline`], [`inset`] and the
//! configuration structs. No network, no codec, no runtime.
//!
//! | feature | adds |
//! |---|---|
//! | `session` | feeds, the program worker, supervised outputs, [`session::Session`] |
//! | `rtsp` | RTSP cameras (`source::rtsp`) |
//! | `tls` | TLS to cameras with pinned certificates (`tls`) |
//! | `codecs` | software H.264/H.265/AAC (`codec`) |
//! | `png`, `jpeg` | pictures as PNG and JPEG (`picture`) |
//! | `mp4` | the fragmented MP4 recorder (`output::mp4`) |
//! | `sim` | an RTSP test camera (`sim`) |
//! | `schema` | JSON Schema of the configuration (`config`) |
//!
//! # Units
//! [`time::MediaTime`] is signed nanoseconds, [`time::FrameRate`] is frames per second as a fraction, bitrates are
//! bits per second ([`media::Bitrate`]). Three clocks are never confused: *stream time* (a camera's or output's
//! timestamps), *show time* (the program's output frame index) and *wall-clock* ([`clock::WallTime`]).

pub mod backoff;
pub mod clock;
pub mod config;
pub mod diagnose;
mod error;
pub mod files;
#[doc(hidden)]
pub mod fuzzing;
pub mod health;
pub mod inset;
mod lock;
pub mod media;
#[cfg(feature = "session")]
mod meter;
mod null;
pub mod onboard;
pub mod ports;
mod secret;
pub mod time;
pub mod timeline;

#[cfg(feature = "codecs")]
pub mod codec;
#[cfg(feature = "session")]
pub mod feed;
#[cfg(feature = "session")]
pub mod output;
#[cfg(feature = "png")]
pub mod picture;
#[cfg(feature = "session")]
pub mod program;
#[cfg(feature = "session")]
pub mod session;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "session")]
pub mod source;
#[cfg(all(feature = "session", any(test, feature = "sim")))]
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;

pub use error::{Error, ErrorKind, Fault, Result};
pub use null::{NullControl, NullDecoder, NullEncoder, NullOutput, NullOverlay, NullPtz, NullSource};
pub use secret::Secret;
