//! A scene as MP4: H.264, and AAC when something can be heard of it. The file is written as it is encoded.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::ops::RangeInclusive;

use vistter_core::codec::{AacEncoder, Openh264Backend};
use vistter_core::media::{Bitrate, PROGRAM_CHANNELS, PROGRAM_SAMPLE_RATE, Packet, StreamParams};
use vistter_core::output::mp4::Mp4Muxer;
use vistter_core::ports::{Effort, EncoderBackend as _, EncoderConfig};
use vistter_core::program::OverlaySound;
use vistter_core::{Error, ErrorKind, Result};

use super::render::write_error;
use super::scene::Shown;
use crate::cli::ocl::OclRenderArgs;

/// Of its sound, bits a second.
const AUDIO_BITRATE: u32 = 192_000;

/// Writes frames of a scene.
///
/// # Errors
/// Sides that are not even; what cannot be drawn, encoded or written.
pub(super) fn write(scene: &mut Shown, frames: RangeInclusive<u64>, args: &OclRenderArgs) -> Result<()> {
    let (width, height) = scene.size;
    if width % 2 + height % 2 > 0 {
        let what = format!("a video of {width}x{height}: its sides must be even");
        return Err(Error::new(ErrorKind::Config, what).next("choose another --size"));
    }
    let (fps, first) = (args.scene.fps, *frames.start());
    let config = EncoderConfig {
        width,
        height,
        fps,
        bitrate: Bitrate::from_kbps(args.bitrate),
        gop_frames: (fps.as_f64() * 2.0).round() as u32,
        threads: 0,
        effort: Effort::High,
    };
    let mut encoder = Openh264Backend.create(&config)?;
    let mut sound = match scene.has_sound() {
        true => {
            let aac = AacEncoder::new(PROGRAM_SAMPLE_RATE, PROGRAM_CHANNELS, AUDIO_BITRATE)?;
            Some(OverlaySound::new(Box::new(aac), fps, first))
        }
        false => None,
    };
    let audio = sound.as_ref().map(|s| s.params().clone());
    let mut file = Movie::create(args, &StreamParams { video: Some(encoder.params().clone()), audio })?;
    for frame in frames {
        let mut picture = scene.draw(frame)?;
        picture.set_pts(fps.time_of(frame - first));
        file.push(&encoder.encode(&picture.freeze(), frame == first)?)?;
        if let Some(sound) = &mut sound {
            for packet in sound.at(frame, |at, mix| scene.sound(frame, at, mix))? {
                file.push(&packet)?;
            }
        }
    }
    if let Some(packet) = sound.map(OverlaySound::finish).transpose()?.flatten() {
        file.push(&packet)?;
    }
    file.finish()
}

/// The file, fragment by fragment.
struct Movie<'a> {
    muxer: Mp4Muxer,
    file: BufWriter<File>,
    args: &'a OclRenderArgs,
}

impl<'a> Movie<'a> {
    fn create(args: &'a OclRenderArgs, params: &StreamParams) -> Result<Self> {
        let muxer = Mp4Muxer::new(params)?;
        let file = File::create(&args.out).map_err(|e| write_error(&args.out, &e))?;
        let mut me = Self { muxer, file: BufWriter::new(file), args };
        let init = me.muxer.init().to_vec();
        me.write(&init)?;
        Ok(me)
    }
    fn push(&mut self, packet: &Packet) -> Result<()> {
        let fragment = self.muxer.push(packet)?;
        fragment.map_or(Ok(()), |f| self.write(&f))
    }
    fn finish(mut self) -> Result<()> {
        if let Some(last) = self.muxer.finish()? {
            self.write(&last)?;
        }
        self.file.flush().map_err(|e| write_error(&self.args.out, &e))
    }
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| write_error(&self.args.out, &e))
    }
}
