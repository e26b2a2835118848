//! Software codecs, one file for each library, and the registry that picks among them.
//!
//! | format | decode | encode |
//! |---|---|---|
//! | H.264 | [`RustyH264Decoder`], [`Openh264Decoder`] | [`Openh264Encoder`] |
//! | H.265 | [`RustyH265Decoder`] | |
//! | AAC-LC | [`AacDecoder`] | [`AacEncoder`] |
//! | G.711 | [`G711Decoder`] | |
//!
//! [`decoder_for`] and [`encoder_backends`] choose; every backend also has its own constructor.

mod aac;
mod bits;
mod g711;
mod gate;
mod openh264;
mod picture;
mod reorder;
mod rusty_h264;
mod rusty_h265;
mod sps;

pub use aac::{AacDecoder, AacEncoder};
pub use g711::G711Decoder;
pub use openh264::{Openh264Backend, Openh264Decoder, Openh264Encoder};
pub use rusty_h264::RustyH264Decoder;
pub use rusty_h265::RustyH265Decoder;

use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioParams, Codec, VideoParams};
use crate::ports::{AudioDecoder, EncoderBackend, VideoDecoder};

/// The H.264 decoder that is used unless another is asked for.
pub fn h264_decoder() -> Box<dyn VideoDecoder> {
    Box::new(RustyH264Decoder::new())
}

/// A decoder for this stream, configured.
///
/// # Errors
/// `Unsupported` for a format that no decoder here takes, with what to change on the camera; `Media` for malformed
/// parameters.
pub fn decoder_for(params: &VideoParams) -> Result<Box<dyn VideoDecoder>> {
    let mut decoder = match params.codec {
        Codec::H264 => h264_decoder(),
        Codec::H265 => Box::new(RustyH265Decoder::new()),
        other => {
            return Err(Error::new(ErrorKind::Unsupported, format!("video as {other}"))
                .next("choose an H.264 profile on the camera"));
        }
    };
    decoder.configure(params)?;
    Ok(decoder)
}

/// A decoder for this sound.
///
/// # Errors
/// `Unsupported` for a format that no decoder here takes.
pub fn audio_decoder_for(params: &AudioParams) -> Result<Box<dyn AudioDecoder>> {
    match params.codec {
        Codec::Aac => Ok(Box::new(AacDecoder::new(params)?)),
        Codec::Pcmu | Codec::Pcma => Ok(Box::new(G711Decoder::new(params)?)),
        other => Err(Error::new(ErrorKind::Unsupported, format!("sound as {other}"))),
    }
}

/// The encoder backends of this build, best first.
pub fn encoder_backends() -> Vec<Box<dyn EncoderBackend>> {
    vec![Box::new(Openh264Backend)]
}

/// What a person should know of how this program was built, such as a missing assembler; for `vistter doctor`.
pub fn build_notes() -> Vec<String> {
    let mut notes = Vec::new();
    if cfg!(vistter_no_nasm) {
        notes.push(
            "built without nasm: openh264 has no assembler code and encoding costs about 2.5 times the CPU \
             (install nasm and rebuild)"
                .to_owned(),
        );
    }
    notes
}
