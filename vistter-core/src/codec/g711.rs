//! G.711 decoding (ITU-T G.711 tables 1 and 2), the sound of most older cameras.

use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioBuffer, AudioParams, Codec, Packet};
use crate::ports::AudioDecoder;

/// Decodes µ-law and A-law.
pub struct G711Decoder {
    table: [f32; 256],
    sample_rate: u32,
    channels: u16,
}

impl G711Decoder {
    /// A decoder for a PCMU or PCMA track.
    ///
    /// # Errors
    /// `Unsupported` for another format.
    pub fn new(params: &AudioParams) -> Result<Self> {
        let linear = match params.codec {
            Codec::Pcmu => mu_law,
            Codec::Pcma => a_law,
            other => return Err(Error::new(ErrorKind::Unsupported, format!("{other} is not G.711"))),
        };
        if params.channels == 0 {
            return Err(Error::new(ErrorKind::Media, "sound without channels"));
        }
        let table = std::array::from_fn(|i| f32::from(linear(i as u8)) / 32768.0);
        Ok(Self { table, sample_rate: params.sample_rate, channels: params.channels })
    }
}

impl AudioDecoder for G711Decoder {
    fn decode(&mut self, packet: &Packet) -> Result<AudioBuffer> {
        let whole = packet.data.len() - packet.data.len() % usize::from(self.channels);
        let samples = packet.data[..whole].iter().map(|b| self.table[usize::from(*b)]).collect();
        Ok(AudioBuffer { samples, sample_rate: self.sample_rate, channels: self.channels, pts: packet.pts })
    }
}

fn mu_law(code: u8) -> i16 {
    let code = !code;
    let step = (i16::from(code & 0x0f) << 3) + 0x84;
    let value = (step << (code >> 4 & 7)) - 0x84;
    if code & 0x80 != 0 { -value } else { value }
}

fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let mantissa = i16::from(code & 0x0f) << 4;
    let value = match code >> 4 & 7 {
        0 => mantissa + 8,
        e => (mantissa + 0x108) << (e - 1),
    };
    if code & 0x80 != 0 { value } else { -value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use crate::time::MediaTime;
    use bytes::Bytes;

    #[test]
    fn the_ends_of_both_tables() {
        assert_eq!([mu_law(0xff), mu_law(0x7f), mu_law(0x00), mu_law(0x80)], [0, 0, -32124, 32124]);
        assert_eq!([a_law(0xd5), a_law(0x55), a_law(0x2a), a_law(0xaa)], [8, -8, -32256, 32256]);
    }
    #[test]
    fn half_a_stereo_sample_is_left_out() {
        let params = AudioParams { codec: Codec::Pcmu, sample_rate: 8000, channels: 2, config: Bytes::new() };
        let mut d = G711Decoder::new(&params).unwrap();
        let data = Bytes::from_static(&[0xff, 0x00, 0x80]);
        let pts = MediaTime::SECOND;
        let p = Packet { track: Track::Audio, data, pts, dts: pts, duration: MediaTime::ZERO, keyframe: true };
        let sound = d.decode(&p).unwrap();
        assert_eq!((sound.samples.len(), sound.channels, sound.pts), (2, 2, pts));
        assert!(G711Decoder::new(&AudioParams { codec: Codec::Aac, ..params }).is_err());
    }
}
