//! Small parts that sessions are built with.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::media::{AudioBuffer, AudioParams, Codec, PROGRAM_CHANNELS, PROGRAM_SAMPLE_RATE, Packet, Track};
use crate::null::NullEncoder;
use crate::ports::{AudioDecoder, AudioEncoder, EncoderBackend, EncoderCaps, EncoderConfig, VideoEncoder};
use crate::time::MediaTime;

struct NullBackend;

impl EncoderBackend for NullBackend {
    fn name(&self) -> &'static str {
        "null"
    }
    fn probe(&self) -> Result<EncoderCaps> {
        Ok(EncoderCaps { hardware: false, max_size: (8192, 8192), notes: vec!["makes empty pictures".into()] })
    }
    fn create(&self, config: &EncoderConfig) -> Result<Box<dyn VideoEncoder>> {
        Ok(Box::new(NullEncoder::new(config)))
    }
}

/// An encoder backend whose pictures are empty, for tests of everything around it.
pub fn null_backend() -> Arc<dyn EncoderBackend> {
    Arc::new(NullBackend)
}

struct NullAudio(AudioParams);

impl AudioEncoder for NullAudio {
    fn params(&self) -> &AudioParams {
        &self.0
    }
    fn frame_samples(&self) -> usize {
        1024
    }
    fn encode(&mut self, _: &AudioBuffer) -> Result<Packet> {
        let t = MediaTime::ZERO;
        Ok(Packet { track: Track::Audio, data: Bytes::new(), pts: t, dts: t, duration: t, keyframe: true })
    }
}

/// An audio encoder whose packets are empty, for tests of everything around it.
pub fn null_audio() -> Box<dyn AudioEncoder> {
    Box::new(NullAudio(AudioParams {
        codec: Codec::Aac,
        sample_rate: PROGRAM_SAMPLE_RATE,
        channels: PROGRAM_CHANNELS,
        config: Bytes::from_static(&[0x11, 0x90]),
    }))
}

/// What decodes the program's own sound, so that overlays can be mixed with it; none when this build has no decoder for it.
///
/// # Errors
/// Those of the decoder.
pub(super) fn audio_decoder(params: &AudioParams) -> Result<Option<Box<dyn AudioDecoder>>> {
    #[cfg(feature = "codecs")]
    if crate::program::fits(params) {
        return Ok(Some(Box::new(crate::codec::AacDecoder::new(params)?)));
    }
    let _ = params;
    Ok(None)
}
