//! The sound of a test camera: a beep at each full second.

use super::CameraSound;
use super::picture::FLASH;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioBuffer, AudioParams};
use crate::ports::AudioEncoder;
use crate::time::MediaTime;
use bytes::Bytes;

/// G.711 as cameras send it.
pub(super) const G711_RATE: u32 = 8000;
/// 20 ms.
const G711_SAMPLES: usize = 160;

/// Encoded sound: packet `n` starts at `n * samples()` of `rate()`.
#[derive(Debug)]
pub(super) enum Sound {
    /// Computed when asked for.
    G711 { a_law: bool },
    /// One loop, encoded beforehand.
    Aac { params: AudioParams, samples: usize, packets: Vec<Bytes> },
}

impl Sound {
    /// `None` without a microphone.
    ///
    /// # Errors
    /// What the AAC encoder says; `Unsupported` without one.
    pub(super) fn new(
        kind: CameraSound,
        aac: Option<Box<dyn AudioEncoder>>,
        length: MediaTime,
    ) -> Result<Option<Self>> {
        Ok(match kind {
            CameraSound::None => None,
            CameraSound::Pcmu => Some(Self::G711 { a_law: false }),
            CameraSound::Pcma => Some(Self::G711 { a_law: true }),
            CameraSound::Aac => {
                let none = || Error::new(ErrorKind::Unsupported, "an AAC microphone without an AAC encoder");
                Some(Self::encode(aac.ok_or_else(none)?, length)?)
            }
        })
    }

    fn encode(mut encoder: Box<dyn AudioEncoder>, length: MediaTime) -> Result<Self> {
        let params = encoder.params().clone();
        let samples = encoder.frame_samples().max(1);
        let count = (length.ticks(params.sample_rate).max(1) as usize).div_ceil(samples);
        let mut packets = Vec::with_capacity(count);
        for n in 0..count {
            let at = |i: usize| beep((n * samples + i) as u64, params.sample_rate);
            let wide = usize::from(params.channels);
            let buffer = AudioBuffer {
                samples: (0..samples * wide).map(|i| at(i / wide)).collect(),
                sample_rate: params.sample_rate,
                channels: params.channels,
                pts: MediaTime::from_ticks((n * samples) as i64, params.sample_rate),
            };
            packets.push(encoder.encode(&buffer)?.data);
        }
        Ok(Self::Aac { params, samples, packets })
    }

    /// Hz.
    pub(super) fn rate(&self) -> u32 {
        match self {
            Self::G711 { .. } => G711_RATE,
            Self::Aac { params, .. } => params.sample_rate,
        }
    }
    /// Samples per channel in a packet.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::G711 { .. } => G711_SAMPLES,
            Self::Aac { samples, .. } => *samples,
        }
    }
    /// Payload of packet `n`.
    pub(super) fn packet(&self, n: u64) -> Bytes {
        match self {
            Self::G711 { a_law } => {
                let first = n.wrapping_mul(G711_SAMPLES as u64);
                let law = if *a_law { a_law_byte } else { mu_law_byte };
                (0..G711_SAMPLES as u64).map(|i| law((beep(first + i, G711_RATE) * 32767.0) as i16)).collect()
            }
            Self::Aac { packets, .. } => {
                packets.get((n % packets.len().max(1) as u64) as usize).cloned().unwrap_or_default()
            }
        }
    }
}

/// 1 kHz at −12 dB while the picture flashes, else silence.
fn beep(sample: u64, rate: u32) -> f32 {
    let within = sample % u64::from(rate);
    if (within as i64) < FLASH.ticks(rate) {
        0.25 * (std::f32::consts::TAU * 1000.0 * within as f32 / rate as f32).sin()
    } else {
        0.0
    }
}

/// ITU-T G.711 µ-law.
fn mu_law_byte(sample: i16) -> u8 {
    const BIAS: i32 = 0x84;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let s = (i32::from(sample).abs() + BIAS).min(0x7fff);
    let exponent = (15 - (s as u32 | 0x80).leading_zeros().saturating_sub(16)).saturating_sub(7).min(7);
    let mantissa = (s >> (exponent + 3)) & 0x0f;
    !(sign | (exponent as u8) << 4 | mantissa as u8)
}

/// ITU-T G.711 A-law, even bits inverted.
fn a_law_byte(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let s = if sample < 0 { !i32::from(sample) } else { i32::from(sample) } >> 3;
    let exponent = (31 - (s as u32 | 1).leading_zeros()).saturating_sub(4);
    let mantissa = if exponent == 0 { s >> 1 } else { s >> exponent } & 0x0f;
    (sign | (exponent.min(7) as u8) << 4 | mantissa as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g711_of_known_samples() {
        // ITU-T G.191 values.
        assert_eq!([0, 1000, -1000, 32767].map(mu_law_byte), [0xff, 0xce, 0x4e, 0x80]);
        assert_eq!([0, 1000, -1000, 32767].map(a_law_byte), [0xd5, 0xfa, 0x7a, 0xaa]);
    }
    #[test]
    fn the_beep_starts_each_second() {
        let s = Sound::G711 { a_law: false };
        let quiet = |n: u64| s.packet(n).iter().all(|b| *b == 0xff);
        assert!(!quiet(0) && !quiet(4) && quiet(5) && quiet(49) && !quiet(50));
    }
}
