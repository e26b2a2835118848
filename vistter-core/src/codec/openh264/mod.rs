//! Cisco's openh264 (BSD-2-Clause, built from source) as encoder backend and as one of the H.264 decoders.
//!
//! [`ffi`] owns the unsafe calls; the encoder and the decoder are safe code over it. The sys crate is used because the
//! safe crate offers neither CABAC nor slices, nor a bitrate change at run time.

mod decoder;
mod encoder;
mod ffi;

pub use decoder::Openh264Decoder;
pub use encoder::{Openh264Backend, Openh264Encoder};
