//! The traits between core and everything that plugs into it, on one screen. Each has a null implementation at the
//! crate root. All are object-safe; all fallible calls return [`Result`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use crate::clock::{Clock, WallTime};
use crate::diagnose::Diagnostic;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioBuffer, AudioParams, Bitrate, Frame, FrameBuf, Packet, StreamParams, VideoParams};
use crate::time::{FrameRate, MediaTime};

/// What a source says.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceEvent {
    /// The tracks, before their first packet and again whenever they change mid-stream.
    Params(StreamParams),
    /// A compressed access unit or audio packet, in decode order.
    Packet(Packet),
    /// A finished picture, from a source that needs no decoder.
    Frame(Frame),
    /// Media was lost before the next event; decoders resume at the next keyframe.
    Lost(String),
    /// The source is over (a file); it will not be reopened.
    End,
}

/// Where media comes from: a camera, a file, a generator. One task drives it; the feed's supervisor reopens it.
#[async_trait]
pub trait Source: Send {
    /// For logs and errors, without secrets.
    fn describe(&self) -> String;
    /// Whether the other side comes to us, whenever it likes: then silence before its first media is no failure.
    fn waits_for_peer(&self) -> bool {
        false
    }
    /// Makes one attempt to connect. Called again after an error or `Lost`.
    async fn open(&mut self) -> Result<()>;
    /// Waits for the next event. Must be cancel-safe. An error ends this connection.
    async fn next(&mut self) -> Result<SourceEvent>;
    /// Says goodbye to the peer (RTSP TEARDOWN), in bounded time.
    async fn close(&mut self) {}
}

/// Turns access units into pictures. One worker thread drives it.
pub trait VideoDecoder: Send {
    /// Sets or changes the stream; forgets all references.
    fn configure(&mut self, params: &VideoParams) -> Result<()>;
    /// Takes one access unit in decode order and gives every picture that is now ready, in presentation order, with
    /// its own `pts`. An error costs pictures up to the next keyframe, never the decoder.
    fn decode(&mut self, packet: &Packet, out: &mut dyn FnMut(Frame)) -> Result<()>;
    /// Gives what is held back for reordering.
    fn flush(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()>;
    /// Name for logs, such as `"openh264"`.
    fn name(&self) -> &'static str;
}

/// How to encode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Output frame rate.
    pub fps: FrameRate,
    /// Constant bitrate.
    pub bitrate: Bitrate,
    /// Frames from one keyframe to the next; every GOP is closed.
    pub gop_frames: u32,
    /// Worker threads; 0 = as many as help on this machine.
    pub threads: u32,
    /// How much CPU to spend on quality.
    pub effort: Effort,
}

/// How much CPU an encoder spends on quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Effort {
    /// Least CPU.
    #[default]
    Low,
    /// Better pictures for about a third more CPU.
    High,
}

/// Turns pictures into access units without reordering (no B-frames): one in, one out.
pub trait VideoEncoder: Send {
    /// Parameters of the stream; constant for the life of the encoder.
    fn params(&self) -> &VideoParams;
    /// Encodes one picture. `pts` comes from the picture; `force_idr` starts a new GOP here.
    fn encode(&mut self, frame: &Frame, force_idr: bool) -> Result<Packet>;
    /// Changes the bitrate from the next picture on, without a keyframe.
    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<()>;
    /// Name for logs.
    fn name(&self) -> &'static str;
}

/// What an encoder backend can do on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderCaps {
    /// Runs on dedicated silicon.
    pub hardware: bool,
    /// Largest width and height in pixels.
    pub max_size: (u32, u32),
    /// What a person should know, such as a missing assembler.
    pub notes: Vec<String>,
}

/// A way to encode: software, V4L2, VA-API, VideoToolbox.
pub trait EncoderBackend: Send + Sync {
    /// Name for configuration and logs.
    fn name(&self) -> &'static str;
    /// Whether it works on this machine, and how well; the reason when it does not.
    fn probe(&self) -> Result<EncoderCaps>;
    /// Makes an encoder.
    fn create(&self, config: &EncoderConfig) -> Result<Box<dyn VideoEncoder>>;
}

/// Turns audio packets into sound.
pub trait AudioDecoder: Send {
    /// Decodes one packet.
    fn decode(&mut self, packet: &Packet) -> Result<AudioBuffer>;
}

/// Turns sound into audio packets.
pub trait AudioEncoder: Send {
    /// Parameters of the stream.
    fn params(&self) -> &AudioParams;
    /// Samples per channel that make one packet (1024 for AAC-LC).
    fn frame_samples(&self) -> usize;
    /// Encodes exactly [`Self::frame_samples`] interleaved samples per channel.
    fn encode(&mut self, sound: &AudioBuffer) -> Result<Packet>;
}

/// The picture an overlay draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Output frame rate.
    pub fps: FrameRate,
}

/// One output frame's place in show time and wall-clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Output frame index.
    pub frame: u64,
    /// Wall-clock at that frame.
    pub wall: WallTime,
}

/// A change to a running overlay, effective on the frame it is applied at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverlayAction {
    /// Bring it on, with its in-transition.
    Show,
    /// Take it off, with its out-transition.
    Hide,
    /// Give live data a new value.
    SetTokens(BTreeMap<String, String>),
    /// Go on to its next step; after the last one it goes off.
    Next,
    /// Go to one of its steps, by name: from the step before it, or at once.
    Step {
        /// The step.
        id: String,
        /// Without the way to it.
        at_once: bool,
    },
    /// Put its time, counted from when it was shown, to this.
    GoTo(MediaTime),
    /// Properties go from what they are now to other values, and stay there until they are changed again.
    Set {
        /// Of which of its layers; `None`: of the whole.
        layer: Option<String>,
        /// Each property's value, as the overlay's language writes it; null: as the document says.
        properties: BTreeMap<String, serde_json::Value>,
        /// How long it takes; zero: at once.
        over: MediaTime,
        /// How it goes, as the overlay's language writes it; evenly when left out.
        easing: Option<serde_json::Value>,
    },
    /// Something happened that it may wait for.
    Event(OverlayEvent),
    /// All of these on one frame, or when one of them cannot be done, none.
    Batch(Vec<OverlayAction>),
}

/// Something outside that overlays may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayEvent {
    /// Of what kind.
    pub kind: EventKind,
    /// Which.
    pub name: String,
    /// It is so; `false`: it is not so any more, which only a preset knows.
    pub on: bool,
}

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A camera stands at a stored view; holds until it leaves.
    Preset,
    /// The stream has come to a point; what has been passed stays passed. The program tells `start` (its first frame) and
    /// `on-air:CAMERA` (the first time a camera is on air); an embedder tells its own.
    Milestone,
    /// A moment that somebody named.
    Marker,
}

impl OverlayEvent {
    /// A camera has come to a stored view.
    pub fn preset(name: impl Into<String>) -> Self {
        Self { kind: EventKind::Preset, name: name.into(), on: true }
    }
    /// A camera leaves a stored view.
    pub fn preset_left(name: impl Into<String>) -> Self {
        Self { on: false, ..Self::preset(name) }
    }
    /// The stream has come to a point.
    pub fn milestone(name: impl Into<String>) -> Self {
        Self { kind: EventKind::Milestone, name: name.into(), on: true }
    }
    /// A moment that somebody named.
    pub fn marker(name: impl Into<String>) -> Self {
        Self { kind: EventKind::Marker, name: name.into(), on: true }
    }
}

/// Something drawn over the cameras. Driven by the program worker: no I/O, no waiting.
pub trait Overlay: Send {
    /// Name for the director and logs.
    fn id(&self) -> &str;
    /// Renders what can be rendered ahead. Called off the program worker, before the first `compose`.
    fn prepare(&mut self, canvas: Canvas) -> Result<()>;
    /// Applies a change at an output frame. One that cannot be done changes nothing.
    fn apply(&mut self, at: Tick, action: &OverlayAction) -> Result<()>;
    /// Whether [`Self::apply`] would do it now; asked of every overlay before a change of several of them is made.
    fn check(&self, _at: Tick, _action: &OverlayAction) -> Result<()> {
        Ok(())
    }
    /// Called on each output frame, whether it is visible or not: looks after what depends on the wall-clock, and gives what
    /// has happened since it was asked last, such as media that may not be shown any more. It is told as an event. Must be
    /// as quick as [`Self::is_visible`]. The picture is composed anew after something was given.
    fn attend(&mut self, _at: Tick) -> Vec<Diagnostic> {
        Vec::new()
    }
    /// The first frame after `frame` at which the picture may differ; `None` when it never will by itself.
    fn is_static_until(&self, at: Tick) -> Option<u64>;
    /// Whether `compose` would change the picture now. A hidden overlay costs nothing.
    fn is_visible(&self, _at: Tick) -> bool {
        true
    }
    /// Blends into the picture in place.
    fn compose(&mut self, at: Tick, target: &mut FrameBuf) -> Result<()>;
    /// Adds what is heard of it to stereo samples of the program (48 kHz), of which the first one is number `first` since the
    /// program began; false when it added nothing. They begin no earlier than the frame `at`, and reach up to two packets
    /// (43 ms) beyond its end: what comes then is foretold. Must not wait. While nothing is heard of any overlay, the
    /// program's sound costs nothing.
    fn sound(&mut self, _at: Tick, _first: u64, _mix: &mut [f32]) -> bool {
        false
    }
    /// It will be shown within a second: what it needs from elsewhere can be asked for.
    fn expect(&mut self) {}
    /// What it was told and what should hold for another one in its place: live data.
    fn told(&self) -> Vec<OverlayAction> {
        Vec::new()
    }
    /// What has gone wrong in it since this was asked last, though it is composed.
    fn trouble(&mut self) -> Option<Error> {
        None
    }
}

/// What an output counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputStats {
    /// Media payload bytes given to the peer.
    pub bytes: u64,
}

/// Where the program goes: a platform, a file. One task drives it; its supervisor reconnects it.
#[async_trait]
pub trait Output: Send {
    /// For logs and errors, without secrets.
    fn describe(&self) -> String;
    /// Makes one attempt to connect and announces the program's tracks.
    async fn connect(&mut self, params: &StreamParams) -> Result<()>;
    /// Sends one packet; the first one after `connect` is a video keyframe.
    async fn send(&mut self, packet: &Packet) -> Result<()>;
    /// Waits for something the peer says on its own: returns only when the connection has failed. Cancel-safe.
    async fn failed(&mut self) -> Error {
        std::future::pending().await
    }
    /// Drains, says goodbye and closes, in bounded time. Also called after a `connect` or `send` that failed or was
    /// abandoned half-way; `connect` may follow.
    async fn close(&mut self) -> Result<()>;
    /// Counters since construction.
    fn stats(&self) -> OutputStats;
}

/// Where a camera looks, in the driver's normalised space: pan and tilt −1…1, zoom 0…1.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PtzPosition {
    /// −1 (left) … 1 (right).
    pub pan: f32,
    /// −1 (down) … 1 (up).
    pub tilt: f32,
    /// 0 (wide) … 1 (tele).
    pub zoom: f32,
}

/// A stored view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// The camera's own token; may change over a reboot.
    pub token: String,
    /// The name people use.
    pub name: String,
}

/// A speed and direction per axis, each −1…1 of the camera's fastest; the sign as in [`PtzPosition`].
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct PtzVelocity {
    /// Left is negative.
    pub pan: f32,
    /// Down is negative.
    pub tilt: f32,
    /// Wider is negative.
    pub zoom: f32,
}

/// What a camera says of itself in one answer.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct PtzStatus {
    /// Where it looks; `None` when it does not tell.
    pub position: Option<PtzPosition>,
    /// Whether it moves; `None` when it cannot tell.
    pub moving: Option<bool>,
}

/// What a camera can do through its driver. Whatever is `false` here answers `ErrorKind::Unsupported`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PtzCaps {
    /// Can be sent to a position.
    pub absolute: bool,
    /// Can be moved by a distance.
    pub relative: bool,
    /// Can be driven at a speed until it is stopped.
    pub continuous: bool,
    /// Has a home position.
    pub home: bool,
    /// Tells its position.
    pub position: bool,
    /// Tells whether it moves. Some cameras tell it wrongly.
    pub moving: bool,
    /// Tells which stored views it has; otherwise [`PtzDriver::presets`] gives those that the configuration names.
    pub list_presets: bool,
    /// Stored views can be made and removed.
    pub save_presets: bool,
    /// How many stored views it has room for, if it says so.
    pub max_presets: Option<u32>,
}

/// Moves a camera. One task per camera drives it; commands are serialised. Every call returns in bounded time, and may
/// be dropped half-way. What a driver does not override, its camera cannot do.
#[async_trait]
pub trait PtzDriver: Send {
    /// For logs and errors, without secrets.
    fn describe(&self) -> String {
        "camera control".into()
    }
    /// What this camera can do.
    async fn capabilities(&mut self) -> Result<PtzCaps> {
        Ok(PtzCaps::default())
    }
    /// Whether it knows its position and can be sent to one.
    async fn position(&mut self) -> Result<Option<PtzPosition>>;
    /// Stored views.
    async fn presets(&mut self) -> Result<Vec<Preset>>;
    /// Stored views with their positions, as far as the camera tells these without moving.
    async fn views(&mut self) -> Result<Vec<(Preset, Option<PtzPosition>)>> {
        Ok(self.presets().await?.into_iter().map(|p| (p, None)).collect())
    }
    /// Starts a move to a preset by token; returns when the camera has accepted it.
    async fn go_to(&mut self, preset: &Preset) -> Result<()>;
    /// Stops all motion.
    async fn stop(&mut self) -> Result<()>;
    /// Whether it moves now; `None` when it cannot tell.
    async fn moving(&mut self) -> Result<Option<bool>>;
    /// Position and motion together: one exchange where the protocol has one for both.
    async fn status(&mut self) -> Result<PtzStatus> {
        let moving = self.moving().await?;
        Ok(PtzStatus { position: self.position().await?, moving })
    }
    /// Starts a move to a position, at a share (0…1) of the fastest speed or at the camera's own.
    async fn absolute(&mut self, _to: PtzPosition, _speed: Option<f32>) -> Result<()> {
        Err(cannot("be sent to a position"))
    }
    /// Starts a move by a distance, in the units of [`PtzPosition`].
    async fn relative(&mut self, _by: PtzPosition, _speed: Option<f32>) -> Result<()> {
        Err(cannot("be moved by a distance"))
    }
    /// Drives at a speed until [`Self::stop`]. `within` goes to cameras that stop by themselves after a time; the others
    /// ignore it, so the caller must stop them.
    async fn continuous(&mut self, _velocity: PtzVelocity, _within: MediaTime) -> Result<()> {
        Err(cannot("be driven at a speed"))
    }
    /// Starts a move to the home position.
    async fn home(&mut self) -> Result<()> {
        Err(cannot("go to a home position"))
    }
    /// Stores the present view: in place of a preset, or as a new one.
    async fn save_preset(&mut self, _name: &str, _replace: Option<&Preset>) -> Result<Preset> {
        Err(cannot("store a preset"))
    }
    /// Removes a stored view.
    async fn remove_preset(&mut self, _preset: &Preset) -> Result<()> {
        Err(cannot("remove a preset"))
    }
}

/// A view of a camera as a show keeps it, found by what still holds of it: token, then name, then position.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PtzView {
    /// The name shots use; on the camera it has the same one, unless there is a token or a position.
    pub name: String,
    /// The camera's own token, if it is known. VISCA: the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where the camera looks, for cameras that lost the preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<PtzPosition>,
}

/// A camera that has arrived.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PtzArrival {
    /// What it was judged by, as one word such as `move_status`.
    pub evidence: String,
    /// From the accepted command to the verdict.
    pub took: MediaTime,
    /// Where it looks, if it tells.
    pub position: Option<PtzPosition>,
    /// It stands somewhere else than the view was stored or found at before.
    pub off_target: bool,
}

/// A camera's own pictures, small and few, for seeing whether it moves.
pub trait Eye: Send + Sync {
    /// Opens or closes it. An open eye costs a decoder; closed ones cost nothing. Opened twice, it is closed twice.
    fn open(&self, yes: bool);
    /// The newest picture that was taken later than `after`, if there is one.
    fn look(&self, after: Option<MediaTime>) -> Option<Glimpse>;
}

/// A small picture: luma alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// When it was taken, on the session's clock.
    pub at: MediaTime,
    /// Pixels in a row.
    pub width: usize,
    /// Rows without padding, from the top.
    pub luma: Vec<u8>,
}

/// Moves a camera for a show, and knows when it has arrived. Commands may come from the show and from operators at once:
/// a newer one takes the place of an older one.
#[async_trait]
pub trait PtzControl: Send + Sync {
    /// For logs and errors, without secrets.
    fn describe(&self) -> String {
        "camera control".into()
    }
    /// The camera's own pictures, as evidence where it tells nothing. Called once, before any command.
    fn look_through(&self, _eye: std::sync::Arc<dyn Eye>) {}
    /// Where changes of its health go, if it is watched. Called once, before [`Self::look_through`].
    fn tell_health(&self, _tell: crate::health::HealthSink) {}
    /// How the camera's control is, if somebody watches it. Never waits.
    fn health(&self) -> Option<crate::health::HealthStatus> {
        None
    }
    /// Moves to a view; returns when the camera has arrived, or `None` when another command took its place. Bounded in time.
    /// May be dropped half-way: the motion goes on until something else is said.
    async fn go_to(&self, view: &PtzView) -> Result<Option<PtzArrival>>;
    /// Drives at a speed, for a moment: it has to be said again to go on.
    async fn drive(&self, _velocity: PtzVelocity) -> Result<()> {
        Err(cannot("be driven at a speed"))
    }
    /// Stops all motion.
    async fn stop(&self) -> Result<()>;
    /// The show is over: what is to outlast it is kept. The caller bounds the time.
    async fn close(&self) {}
}

fn cannot(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("this camera cannot {what}"))
}

/// Rounds a frame count from seconds at a rate; for GOP lengths and lead times. At least 1.
pub fn frames_in(span: MediaTime, fps: FrameRate) -> u32 {
    let n = i128::from(span.nanos().max(0)) * i128::from(fps.num());
    let d = i128::from(fps.den()) * 1_000_000_000;
    u32::try_from((n + d / 2) / d).unwrap_or(u32::MAX).max(1)
}
