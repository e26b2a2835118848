//! Codecs against FFmpeg: what we encode it decodes, what it encodes we decode to the same pixels.

mod compare;
mod damage;
mod decode;
mod encode;
mod peer;
mod rubbish;
mod vectors;
