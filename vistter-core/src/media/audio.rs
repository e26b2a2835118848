//! Uncompressed sound.

use crate::time::MediaTime;

/// Sample rate of the program, Hz.
pub const PROGRAM_SAMPLE_RATE: u32 = 48_000;
/// Channels of the program.
pub const PROGRAM_CHANNELS: u16 = 2;

/// Interleaved samples, nominally −1.0 … 1.0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AudioBuffer {
    /// Interleaved samples; a multiple of `channels`.
    pub samples: Vec<f32>,
    /// Hz.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u16,
    /// Time of the first sample.
    pub pts: MediaTime,
}
