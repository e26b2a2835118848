//! Implementations that do nothing, for tests and as the smallest correct example of each trait.

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::media::{Bitrate, Frame, FrameBuf, Packet, StreamParams, Track, VideoParams};
use crate::ports::{
    Canvas, EncoderConfig, Output, OutputStats, Overlay, OverlayAction, Preset, PtzArrival, PtzControl, PtzDriver,
    PtzPosition, PtzView, Source, SourceEvent, Tick, VideoDecoder, VideoEncoder,
};
use crate::time::MediaTime;

/// A source that opens and never says anything.
#[derive(Debug, Default)]
pub struct NullSource;

#[async_trait]
impl Source for NullSource {
    fn describe(&self) -> String {
        "null source".into()
    }
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        std::future::pending().await
    }
}

/// A decoder that gives no pictures.
#[derive(Debug, Default)]
pub struct NullDecoder;

impl VideoDecoder for NullDecoder {
    fn configure(&mut self, _: &VideoParams) -> Result<()> {
        Ok(())
    }
    fn decode(&mut self, _: &Packet, _: &mut dyn FnMut(Frame)) -> Result<()> {
        Ok(())
    }
    fn flush(&mut self, _: &mut dyn FnMut(Frame)) -> Result<()> {
        Ok(())
    }
    fn name(&self) -> &'static str {
        "null"
    }
}

/// An encoder whose access units are empty, on the right cadence of keyframes.
#[derive(Debug)]
pub struct NullEncoder {
    params: VideoParams,
    gop: u32,
    since_key: u32,
    duration: MediaTime,
}

impl NullEncoder {
    /// An encoder with the GOP length of `config`.
    pub fn new(config: &EncoderConfig) -> Self {
        Self {
            params: VideoParams { declared_fps: Some(config.fps), ..VideoParams::h264(config.width, config.height) },
            gop: config.gop_frames.max(1),
            since_key: 0,
            duration: config.fps.frame_duration(),
        }
    }
}
impl VideoEncoder for NullEncoder {
    fn params(&self) -> &VideoParams {
        &self.params
    }
    fn encode(&mut self, frame: &Frame, force_idr: bool) -> Result<Packet> {
        let keyframe = force_idr || self.since_key.is_multiple_of(self.gop);
        self.since_key = if keyframe { 1 } else { self.since_key + 1 };
        Ok(Packet {
            track: Track::Video,
            data: Bytes::new(),
            pts: frame.pts(),
            dts: frame.pts(),
            duration: self.duration,
            keyframe,
        })
    }
    fn set_bitrate(&mut self, _: Bitrate) -> Result<()> {
        Ok(())
    }
    fn name(&self) -> &'static str {
        "null"
    }
}

/// An overlay that draws nothing: it keeps the place of one that cannot be loaded, so that cues that name it do no harm.
#[derive(Debug)]
pub struct NullOverlay {
    id: String,
}

impl NullOverlay {
    /// In the place of the overlay with this id.
    pub fn named(id: &str) -> Self {
        Self { id: id.to_owned() }
    }
}
impl Default for NullOverlay {
    fn default() -> Self {
        Self::named("null")
    }
}

impl Overlay for NullOverlay {
    fn id(&self) -> &str {
        &self.id
    }
    fn prepare(&mut self, _: Canvas) -> Result<()> {
        Ok(())
    }
    fn apply(&mut self, _: Tick, _: &OverlayAction) -> Result<()> {
        Ok(())
    }
    fn is_static_until(&self, _: Tick) -> Option<u64> {
        None
    }
    fn is_visible(&self, _: Tick) -> bool {
        false
    }
    fn compose(&mut self, _: Tick, _: &mut FrameBuf) -> Result<()> {
        Ok(())
    }
}

/// An output that counts and throws away.
#[derive(Debug, Default)]
pub struct NullOutput {
    stats: OutputStats,
}

#[async_trait]
impl Output for NullOutput {
    fn describe(&self) -> String {
        "null output".into()
    }
    async fn connect(&mut self, _: &StreamParams) -> Result<()> {
        Ok(())
    }
    async fn send(&mut self, packet: &Packet) -> Result<()> {
        self.stats.bytes += packet.data.len() as u64;
        Ok(())
    }
    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
    fn stats(&self) -> OutputStats {
        self.stats
    }
}

/// A camera that cannot move.
#[derive(Debug, Default)]
pub struct NullPtz;

#[async_trait]
impl PtzDriver for NullPtz {
    async fn position(&mut self) -> Result<Option<PtzPosition>> {
        Ok(None)
    }
    async fn presets(&mut self) -> Result<Vec<Preset>> {
        Ok(Vec::new())
    }
    async fn go_to(&mut self, _: &Preset) -> Result<()> {
        Ok(())
    }
    async fn stop(&mut self) -> Result<()> {
        Ok(())
    }
    async fn moving(&mut self) -> Result<Option<bool>> {
        Ok(Some(false))
    }
}

/// A control whose camera is always there at once.
#[derive(Debug, Default)]
pub struct NullControl;

#[async_trait]
impl PtzControl for NullControl {
    async fn go_to(&self, view: &PtzView) -> Result<Option<PtzArrival>> {
        let evidence = "position".to_owned();
        Ok(Some(PtzArrival { evidence, took: MediaTime::ZERO, position: view.position, off_target: false }))
    }
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
}
