//! What flows: compressed packets, pictures, sound, and the H.264 syntax that the pipeline has to read.

mod audio;
mod frame;
pub mod h264;
pub mod mp4;
mod packet;

pub use audio::{AudioBuffer, PROGRAM_CHANNELS, PROGRAM_SAMPLE_RATE};
pub use frame::{ColorRange, Frame, FrameBuf, FramePool, Plane, PlaneMut};
pub use packet::{AudioParams, Bitrate, Codec, Packet, StreamParams, Track, VideoParams};
