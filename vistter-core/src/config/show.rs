//! The show: what a session is made of.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Address, Late, PtzConfig, PtzRules, SameCamera, Span};
use crate::ports::PtzView;
use crate::secret::Secret;
use crate::time::FrameRate;

/// A whole show.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ShowConfig {
    /// Version of this file format; 1.
    pub vistter: u32,
    /// A name for people.
    #[serde(default)]
    pub name: String,
    /// Size, rate and bitrate of the program.
    #[serde(default)]
    pub program: ProgramConfig,
    /// Where the program's sound comes from.
    #[serde(default)]
    pub audio: AudioConfig,
    /// Cameras by id.
    #[serde(default)]
    pub cameras: Vec<CameraConfig>,
    /// Overlays by id.
    #[serde(default)]
    pub overlays: Vec<OverlayConfig>,
    /// What is on air when.
    #[serde(default)]
    pub timeline: TimelineConfig,
    /// What viewers see when nothing else is there.
    #[serde(default)]
    pub slate: SlateConfig,
    /// Where the program goes.
    #[serde(default)]
    pub destinations: Vec<DestinationConfig>,
    /// A local recording of the program.
    #[serde(default)]
    pub recording: Option<RecordingConfig>,
}

/// Size, rate and bitrate of the program.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ProgramConfig {
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Output frames per second.
    pub fps: FrameRate,
    /// Constant video bitrate in kbit/s.
    pub bitrate_kbps: u32,
    /// Distance of keyframes.
    pub keyframe: Span,
    /// How much CPU the encoder spends on quality.
    pub effort: EffortConfig,
    /// Encoder backend by name, or `auto`.
    pub encoder: String,
    /// How long pictures wait to even out network jitter, in milliseconds.
    pub delay_ms: u32,
}

impl Default for ProgramConfig {
    fn default() -> Self {
        Self {
            width: 1920,
            height: 1080,
            fps: FrameRate::FPS_30,
            bitrate_kbps: 4500,
            keyframe: Span::secs(2),
            effort: EffortConfig::Low,
            encoder: "auto".into(),
            delay_ms: 100,
        }
    }
}

/// How much CPU the encoder spends on quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EffortConfig {
    /// Least CPU.
    #[default]
    Low,
    /// Better pictures for about a third more CPU.
    High,
}

/// Where the program's sound comes from. AAC-LC at 48 kHz in stereo passes through; anything else is silence for now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "from")]
pub enum AudioConfig {
    /// A silent track: platforms refuse video without one.
    #[default]
    Silence,
    /// The camera that is on air.
    Program,
    /// One camera, whatever is on air.
    Camera {
        /// Its id.
        camera: String,
    },
}

/// One camera.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CameraConfig {
    /// Id that shots refer to.
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// `rtsp://` or `rtsps://` address; user and password may stand in it. Or `rtmp://OWN-ADDRESS[:PORT]/APP`, to which an
    /// encoder pushes.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::TextOrEnv"))]
    pub url: Address,
    /// User, instead of inside the URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub user: Option<String>,
    /// Password, instead of inside the URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub password: Option<Secret<String>>,
    /// Stream key of an encoder that pushes (`rtmp://`); may instead be the last part of the URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub key: Option<Secret<String>>,
    /// SHA-256 of the certificate of an `rtsps://` camera, 64 hexadecimal digits. Self-signed cameras need it; the error of
    /// a connection without it prints it.
    #[serde(default)]
    pub tls_pin: Option<String>,
    /// How RTP comes.
    #[serde(default)]
    pub transport: Transport,
    /// How its picture fits the program.
    #[serde(default)]
    pub fit: Fit,
    /// How it is moved, if it can be.
    #[serde(default)]
    pub ptz: Option<PtzConfig>,
    /// Views that shots name.
    #[serde(default)]
    pub presets: Vec<PtzView>,
}

/// How RTP comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Inside the RTSP connection: no loss, crosses every firewall.
    #[default]
    Tcp,
    /// As datagrams.
    Udp,
}

/// How a picture of another shape fits the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// All of it, with bars.
    #[default]
    Letterbox,
    /// No bars, the rest cut off.
    Crop,
}

/// One overlay document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OverlayConfig {
    /// Id that cues refer to.
    pub id: String,
    /// OCL file, relative to the show file.
    pub file: PathBuf,
    /// The scene of the file; the first one if absent.
    #[serde(default)]
    pub scene: Option<String>,
    /// Stacking: a higher layer covers a lower one.
    #[serde(default)]
    pub layer: i32,
    /// Values of the document's tokens.
    #[serde(default)]
    pub tokens: BTreeMap<String, String>,
}

/// What is on air when.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TimelineConfig {
    /// Shots, one after the other.
    pub shots: Vec<Shot>,
    /// Overlays over the shots, on the same clock.
    pub overlays: Vec<OverlayCue>,
    /// What is done at single moments, on the same clock: steps of overlays, data, markers.
    pub actions: Vec<TimelineAction>,
    /// Start again after the last shot. Without it the last shot stays.
    #[serde(rename = "loop")]
    pub looped: bool,
    /// A camera that stands in for one that fails, before the slate.
    pub backup: Option<String>,
    /// Ends the whole show after this long.
    pub stop_after: Option<Span>,
    /// What happens with cameras that are moved from preset to preset.
    pub ptz: PtzRules,
}

/// One camera on air for a while.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Shot {
    /// Camera id.
    pub camera: String,
    /// Where the camera looks: one of its presets. It is moved there before the shot. Without one it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How long.
    #[serde(rename = "for")]
    pub length: Span,
    /// What happens when the camera is still on its way; as `timeline.ptz` says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
    /// What viewers see while the camera moves from the shot before, when that is the same camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_camera: Option<SameCamera>,
}

impl Shot {
    /// A camera as it stands, for a while.
    pub fn new(camera: impl Into<String>, length: Span) -> Self {
        Self { camera: camera.into(), preset: None, length, late: None, same_camera: None }
    }
    /// The same at a preset.
    #[must_use]
    pub fn at(mut self, preset: impl Into<String>) -> Self {
        self.preset = Some(preset.into());
        self
    }
}

/// One thing done at a moment. All that is done to overlays at one moment happens on one frame, or not at all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimelineAction {
    /// When, counted from the start of the timeline; the start if absent. A change that is made live has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// What.
    #[serde(rename = "do")]
    pub what: TimelineDo,
    /// The overlay; for everything but `marker`, `milestone` and `preset`.
    #[serde(default)]
    pub overlay: Option<String>,
    /// For `update`: new values of tokens.
    #[serde(default)]
    pub tokens: Option<BTreeMap<String, String>>,
    /// For `step`: the step. For `marker`, `milestone` and `preset`: its name.
    #[serde(default)]
    pub name: Option<String>,
    /// For `go_to`: the overlay's time.
    #[serde(default)]
    pub time: Option<Span>,
    /// For `set`: the layer; the whole scene if absent.
    #[serde(default)]
    pub layer: Option<String>,
    /// For `set`: new values of properties, each as in a keyframe; null for what the document says.
    #[serde(default)]
    pub properties: Option<BTreeMap<String, serde_json::Value>>,
    /// For `set`: how long it takes; at once if absent.
    #[serde(default)]
    pub over: Option<Span>,
    /// For `set`: how it goes, as in a keyframe; evenly if absent.
    #[serde(default)]
    pub easing: Option<serde_json::Value>,
}

/// What is done at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimelineDo {
    /// The overlay goes on to its next step.
    Next,
    /// The overlay goes to a step.
    Step,
    /// The overlay's time is put elsewhere.
    GoTo,
    /// The overlay gets new data.
    Update,
    /// Properties of one of the overlay's layers, or of all of it, go from what they are to new values.
    Set,
    /// The overlay comes on; only in a change that is made live.
    Show,
    /// The overlay goes off; only in a change that is made live.
    Hide,
    /// A named moment, for overlays that wait for it.
    Marker,
    /// A point the stream has come to, for overlays that wait for it.
    Milestone,
    /// A stored view that a camera has come to, for overlays that wait for it.
    Preset,
}

/// One overlay on for a while. Times count from the start of the timeline and repeat with it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OverlayCue {
    /// Overlay id.
    pub overlay: String,
    /// When it comes on; the start if absent.
    #[serde(default)]
    pub at: Option<Span>,
    /// For how long; to the end if absent.
    #[serde(default, rename = "for")]
    pub length: Option<Span>,
}

/// What viewers see when nothing else is there.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SlateConfig {
    /// One line of text.
    pub message: String,
}

impl Default for SlateConfig {
    fn default() -> Self {
        Self { message: "We'll be right back".into() }
    }
}

/// One destination.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Id for logs and status.
    pub id: String,
    /// Server address, such as `rtmps://a.rtmps.youtube.com/live2`.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::TextOrEnv"))]
    pub url: Address,
    /// Stream key; may instead be the last part of the URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub key: Option<Secret<String>>,
    /// Further certificate authorities to trust, as a PEM file.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// A local recording.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordingConfig {
    /// File to write (fragmented MP4). An existing file is never overwritten: a number is added.
    pub file: PathBuf,
}
