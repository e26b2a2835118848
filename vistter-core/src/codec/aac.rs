//! AAC-LC by syom (pure Rust, MIT).

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use syom::{DecodeOptions, Decoder, EncodeOptions, Encoder, MemoryBudgets};

use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioBuffer, AudioParams, Codec, Packet, Track};
use crate::ports::{AudioDecoder, AudioEncoder};
use crate::time::MediaTime;

/// Samples per channel in an AAC-LC access unit (ISO/IEC 14496-3 §4.5.2).
const FRAME: usize = 1024;

fn failed(e: &syom::AacError) -> Error {
    Error::new(ErrorKind::Codec, format!("AAC encoding: {e}"))
}

/// An AAC-LC encoder: raw access units of 1024 samples, parameters as AudioSpecificConfig.
pub struct AacEncoder {
    encoder: Encoder,
    params: AudioParams,
    left: Vec<f32>,
    right: Vec<f32>,
}

impl AacEncoder {
    /// An encoder for 1 or 2 channels at `sample_rate` Hz and `bitrate` bits per second.
    ///
    /// # Errors
    /// `Config` for a rate, channel count or bitrate that AAC-LC does not have.
    pub fn new(sample_rate: u32, channels: u16, bitrate: u32) -> Result<Self> {
        if !(1..=2).contains(&channels) {
            return Err(
                Error::new(ErrorKind::Config, format!("AAC with {channels} channels")).next("choose mono or stereo")
            );
        }
        let options = EncodeOptions::raw().with_bitrate_bps(bitrate);
        let encoder = Encoder::new(sample_rate, usize::from(channels), &options)
            .map_err(|e| Error::new(ErrorKind::Config, format!("AAC: {e}")))?;
        let config = Bytes::copy_from_slice(encoder.asc());
        let params = AudioParams { codec: Codec::Aac, sample_rate, channels, config };
        Ok(Self { encoder, params, left: vec![0.0; FRAME], right: vec![0.0; FRAME] })
    }
}

impl AudioEncoder for AacEncoder {
    fn params(&self) -> &AudioParams {
        &self.params
    }
    fn frame_samples(&self) -> usize {
        FRAME
    }
    fn encode(&mut self, sound: &AudioBuffer) -> Result<Packet> {
        let channels = usize::from(self.params.channels);
        if sound.samples.len() != FRAME * channels
            || sound.channels != self.params.channels
            || sound.sample_rate != self.params.sample_rate
        {
            return Err(Error::new(ErrorKind::Internal, "sound of another shape than the AAC encoder's"));
        }
        // Louder than full scale and not-a-number are the encoder's errors; here they are clipped and muted.
        let clean = |s: f32| if s.is_finite() { s.clamp(-1.0, 1.0) } else { 0.0 };
        for (i, s) in sound.samples.chunks_exact(channels).enumerate() {
            self.left[i] = clean(s[0]);
            self.right[i] = clean(s[channels - 1]);
        }
        let planes: [&[f32]; 2] = [&self.left, &self.right];
        let mut data = None;
        self.encoder
            .feed(&planes[..channels], |f| {
                data = Some(Bytes::copy_from_slice(f.au));
                Ok(())
            })
            .map_err(|e| failed(&e))?;
        let data = data.ok_or_else(|| Error::new(ErrorKind::Codec, "the AAC encoder gave no packet"))?;
        Ok(Packet {
            track: Track::Audio,
            data,
            pts: sound.pts,
            dts: sound.pts,
            duration: MediaTime::from_ticks(FRAME as i64, self.params.sample_rate),
            keyframe: true,
        })
    }
}

/// A live track has no end, so its length is not bounded; what one access unit may cost is.
fn limits() -> DecodeOptions {
    let usual = MemoryBudgets::default();
    let mut memory = MemoryBudgets::unbounded_collection();
    memory.max_channels = usual.max_channels;
    memory.max_workspace_bytes = usual.max_workspace_bytes;
    memory.max_declared_au_bytes = usual.max_declared_au_bytes;
    DecodeOptions::unbounded().with_max_sample_rate(96_000).with_memory(memory)
}

/// An AAC decoder for raw access units.
pub struct AacDecoder {
    decoder: Decoder,
    config: Bytes,
}

impl AacDecoder {
    /// A decoder for an AAC track.
    ///
    /// # Errors
    /// `Unsupported` for another format or an AAC profile the decoder does not have.
    pub fn new(params: &AudioParams) -> Result<Self> {
        if params.codec != Codec::Aac {
            return Err(Error::new(ErrorKind::Unsupported, format!("{} is not AAC", params.codec)));
        }
        let decoder = Decoder::from_asc(&params.config, limits()).map_err(|e| {
            Error::new(ErrorKind::Unsupported, format!("the camera's AAC: {e}"))
                .next("choose AAC-LC at 48 kHz on the camera")
        })?;
        Ok(Self { decoder, config: params.config.clone() })
    }
}

impl AudioDecoder for AacDecoder {
    fn decode(&mut self, packet: &Packet) -> Result<AudioBuffer> {
        let mut sound = AudioBuffer { pts: packet.pts, ..AudioBuffer::default() };
        let decoder = &mut self.decoder;
        let result = catch_unwind(AssertUnwindSafe(|| {
            decoder.decode_au(&packet.data, |f| {
                sound.sample_rate = f.sample_rate;
                sound.channels = f.planar.len() as u16;
                for i in 0..f.samples {
                    sound.samples.extend(f.planar.iter().map(|p| p.get(i).copied().unwrap_or_default()));
                }
                Ok(())
            })
        }));
        let what = match result {
            Ok(Ok(())) => return Ok(sound),
            Ok(Err(e)) => e.to_string(),
            Err(_) => "damaged sound broke the decoder".to_owned(),
        };
        // One bad packet must not end the track.
        self.decoder = Decoder::from_asc(&self.config, limits())
            .map_err(|e| Error::new(ErrorKind::Codec, format!("AAC decoding: {e}")))?;
        Err(Error::new(ErrorKind::Media, format!("AAC does not decode: {what}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_packet_does_not_end_the_track() {
        let mut e = AacEncoder::new(48_000, 2, 128_000).unwrap();
        assert_eq!(e.params().config[..], [0x11, 0x90], "AAC-LC, 48 kHz, stereo");
        let mut d = AacDecoder::new(e.params()).unwrap();
        let quiet = AudioBuffer { samples: vec![0.0; 2048], sample_rate: 48_000, channels: 2, pts: MediaTime::SECOND };
        let good = e.encode(&quiet).unwrap();
        for bad in [&[][..], &[0xff; 40], &[0x21]] {
            let packet = Packet { data: Bytes::copy_from_slice(bad), ..good.clone() };
            let _ = d.decode(&packet);
            let sound = d.decode(&good).unwrap();
            assert_eq!((sound.samples.len(), sound.channels, sound.sample_rate), (2048, 2, 48_000));
            assert_eq!(sound.pts, MediaTime::SECOND);
            assert!(sound.samples.iter().all(|s| s.abs() < 1e-4));
        }
        assert!(d.decode(&Packet { data: Bytes::new(), ..good }).is_err());
    }
    #[test]
    fn shapes_are_checked_and_loud_sound_is_clipped() {
        assert_eq!(AacEncoder::new(48_000, 6, 128_000).err().map(|e| e.kind()), Some(ErrorKind::Config));
        assert_eq!(AacEncoder::new(47_999, 2, 128_000).err().map(|e| e.kind()), Some(ErrorKind::Config));
        let mut e = AacEncoder::new(44_100, 1, 64_000).unwrap();
        let mut loud = AudioBuffer { samples: vec![3.0; 1024], sample_rate: 44_100, channels: 1, pts: MediaTime::ZERO };
        loud.samples[7] = f32::NAN;
        assert!(!e.encode(&loud).unwrap().data.is_empty());
        loud.samples.pop();
        assert_eq!(e.encode(&loud).unwrap_err().kind(), ErrorKind::Internal);
    }
}
