//! FLV: the tag bodies that RTMP carries, and the file around them (Video File Format Specification 10.1, annex E).
//!
//! `body` turns packets into tag bodies and back, [`FlvWriter`] and [`FlvReader`] are the file format, [`Demuxer`]
//! turns tag bodies into [`vistter_core::media::Packet`]s, and [`check`] holds a recording against the rules that
//! FFmpeg and nginx do not check.

pub(crate) mod body;
mod check;
mod demux;
mod file;

pub use check::{FlvReport, check};
pub use demux::{Demuxer, MediaEvent};
pub use file::{FlvReader, FlvTag, FlvWriter, TagKind};
