//! Compressed media and its parameters.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::time::{FrameRate, MediaTime};

/// Bits per second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bitrate(u32);

impl Bitrate {
    /// From bits per second.
    pub const fn from_bps(bps: u32) -> Self {
        Self(bps)
    }
    /// From kilobits per second (1,000 bits); saturates.
    pub const fn from_kbps(kbps: u32) -> Self {
        Self(kbps.saturating_mul(1000))
    }
    /// Bits per second.
    pub const fn bps(self) -> u32 {
        self.0
    }
    /// Kilobits per second, rounded down.
    pub const fn kbps(self) -> u32 {
        self.0 / 1000
    }
}
impl fmt::Debug for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.kbps())
    }
}
impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kbit/s", self.kbps())
    }
}

/// A coding format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Codec {
    /// H.264 / AVC. Packets are length-prefixed (4 bytes) access units; parameters are an avcC.
    H264,
    /// H.265 / HEVC. Packets are length-prefixed (4 bytes) access units; parameters are an hvcC.
    H265,
    /// AAC-LC, raw access units without ADTS; parameters are an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
    Aac,
    /// G.711 µ-law, 8 bits a sample.
    Pcmu,
    /// G.711 A-law, 8 bits a sample.
    Pcma,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Aac => "AAC",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        })
    }
}

/// Which track of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// What a decoder, a muxer and a person need to know of a video stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParams {
    /// H264 or H265.
    pub codec: Codec,
    /// Visible width in pixels.
    pub width: u32,
    /// Visible height in pixels.
    pub height: u32,
    /// avcC (ISO/IEC 14496-15 §5.3.3.1) or hvcC.
    pub config: Bytes,
    /// Declared frame rate, if any. Measure; do not believe it.
    pub declared_fps: Option<FrameRate>,
    /// How many pictures a decoder may hold back to put them in presentation order; 0 without B-frames.
    pub reorder_depth: u8,
    /// RFC 6381 name, such as `avc1.640028`.
    pub rfc6381: String,
    /// Full (0–255) or limited (16–235) luma.
    pub range: crate::media::ColorRange,
}

impl VideoParams {
    /// H.264 of this size, of which nothing more is known yet.
    pub fn h264(width: u32, height: u32) -> Self {
        Self {
            codec: Codec::H264,
            width,
            height,
            config: Bytes::new(),
            declared_fps: None,
            reorder_depth: 0,
            rfc6381: "avc1.640028".into(),
            range: crate::media::ColorRange::Limited,
        }
    }
}

/// What a decoder and a muxer need to know of an audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParams {
    /// Aac, Pcmu or Pcma.
    pub codec: Codec,
    /// Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// AudioSpecificConfig for AAC; empty for G.711.
    pub config: Bytes,
}

/// The tracks of a source or of the program.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StreamParams {
    /// Video, if there is any.
    pub video: Option<VideoParams>,
    /// Audio, if there is any.
    pub audio: Option<AudioParams>,
}

/// One access unit or audio packet. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Which track it belongs to.
    pub track: Track,
    /// The payload, in the form that [`Codec`] says.
    pub data: Bytes,
    /// Presentation time on the stream's own timeline.
    pub pts: MediaTime,
    /// Decode time. Sources that do not know it give `pts`.
    pub dts: MediaTime,
    /// Time until the next packet of this track; zero when unknown.
    pub duration: MediaTime,
    /// A decoder can start here (IDR or equivalent). Always true for audio.
    pub keyframe: bool,
}
