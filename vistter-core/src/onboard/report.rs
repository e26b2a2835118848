//! What an onboarding found.

use serde::Serialize;

use super::choose::Offer;
use crate::media::{Codec, Frame};
use crate::ports::Preset;

/// A step of onboarding. The names are part of the JSON form and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepName {
    /// The device answers: at which port.
    Reachable,
    /// How far its clock is off.
    ClockSkew,
    /// It takes user and password: by which method.
    Authenticated,
    /// Maker, model, firmware.
    DeviceInformation,
    /// Its media profiles.
    Profiles,
    /// Which of them, and why.
    ProfileChosen,
    /// The stream's address.
    StreamUri,
    /// The RTSP session is playing.
    RtspHandshake,
    /// An encoder publishes to us (RTMP).
    Publish,
    /// The first picture was decoded.
    FirstFrame,
    /// Rate and keyframe distance, measured.
    Measured,
    /// The sound.
    Audio,
    /// The camera can be moved, and how far.
    PtzNode,
    /// Its stored views.
    Presets,
}

impl StepName {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::ClockSkew => "clock",
            Self::Authenticated => "password",
            Self::DeviceInformation => "device",
            Self::Profiles => "profiles",
            Self::ProfileChosen => "profile chosen",
            Self::StreamUri => "stream address",
            Self::RtspHandshake => "RTSP",
            Self::Publish => "publish",
            Self::FirstFrame => "first picture",
            Self::Measured => "measured",
            Self::Audio => "sound",
            Self::PtzNode => "PTZ",
            Self::Presets => "presets",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// As it should be.
    Passed,
    /// It works, and a person should know or change something.
    Warned,
    /// It does not work.
    Failed,
    /// There was nothing to do.
    Skipped,
}

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Which.
    pub step: StepName,
    /// How it ended.
    pub result: StepResult,
    /// Seconds.
    pub took_secs: f64,
    /// What was found, or the cause of the failure.
    pub said: String,
    /// What to do next, if there is something.
    pub next: Option<String>,
    /// The [`ErrorKind`](crate::ErrorKind) of a failure.
    pub kind: Option<String>,
}

/// The whole check. What a step would have filled in is absent when it was not reached.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// What was asked for, without secrets.
    pub address: String,
    /// A picture came and was decoded: a show can use this camera.
    pub ok: bool,
    /// Seconds in all.
    pub took_secs: f64,
    /// In the order they were taken.
    pub steps: Vec<Step>,
    /// The ONVIF device.
    pub device: Option<DeviceFacts>,
    /// Its media profiles.
    pub profiles: Vec<Offer>,
    /// The one that was chosen.
    pub chosen: Option<Chosen>,
    /// What it really sends.
    pub stream: Option<StreamFacts>,
    /// Whether and how it can be moved.
    pub ptz: Option<PtzFacts>,
    /// What a person should know or change, most important first.
    pub advice: Vec<String>,
    /// The camera's entry for a show file; passwords as names of environment variables.
    pub camera: Option<serde_json::Value>,
    /// The first picture. Not part of the JSON form.
    #[serde(skip)]
    pub picture: Option<Frame>,
}

impl Report {
    /// The step of that name, if it was taken.
    pub fn step(&self, name: StepName) -> Option<&Step> {
        self.steps.iter().find(|s| s.step == name)
    }
    /// The first step that failed.
    pub fn failure(&self) -> Option<&Step> {
        self.steps.iter().find(|s| s.result == StepResult::Failed)
    }
}

/// The ONVIF device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeviceFacts {
    /// Host and port at which it answers.
    pub address: String,
    /// How it takes the password, such as `ws_digest`; `none` if it asks for none.
    pub method: Option<String>,
    /// SHA-256 of its certificate, over TLS.
    pub certificate: Option<String>,
    /// Its clock minus ours, in seconds.
    pub clock_skew_secs: Option<f64>,
    /// Maker.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
}

/// The profile that was chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Chosen {
    /// Its token.
    pub token: String,
    /// Its name.
    pub name: String,
    /// Why this one.
    pub why: String,
}

/// What the camera really sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamFacts {
    /// Where, without secrets.
    pub address: String,
    /// Coding format.
    pub codec: Codec,
    /// Such as `High`.
    pub profile: String,
    /// Such as `4.0`.
    pub level: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Seconds from the start of connecting to the first picture's packet.
    pub first_picture_secs: f64,
    /// Frames per second that the camera claims, if it does.
    pub declared_fps: Option<f64>,
    /// Frames per second by its time stamps.
    pub measured_fps: Option<f64>,
    /// Most frames from one keyframe to the next.
    pub gop_frames: Option<u32>,
    /// The same in seconds.
    pub gop_secs: Option<f64>,
    /// Two keyframes were seen; otherwise they are at least so far apart.
    pub gop_whole: bool,
    /// Pictures are sent in another order than they are shown.
    pub b_frames: bool,
    /// Kilobits per second.
    pub bitrate_kbps: u32,
    /// The sound, if there is any.
    pub audio: Option<SoundFacts>,
}

/// The sound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SoundFacts {
    /// Coding format.
    pub codec: Codec,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
    /// Packets came, not only the announcement.
    pub heard: bool,
}

/// How the camera can be moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PtzFacts {
    /// Can be sent to a position.
    pub absolute: bool,
    /// Can be driven at a speed.
    pub continuous: bool,
    /// Has a home position.
    pub home: bool,
    /// How many views are stored.
    pub presets: Option<u32>,
    /// The stored views, as the device lists them.
    pub stored: Vec<Preset>,
    /// How many it has room for, if it says so.
    pub max_presets: Option<u32>,
    /// How far it moves, in the device's own units.
    pub limits: Option<Limits>,
}

/// Lowest and highest value of each axis, in the device's own units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Pan.
    pub pan: Option<[f64; 2]>,
    /// Tilt.
    pub tilt: Option<[f64; 2]>,
    /// Zoom.
    pub zoom: Option<[f64; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs read this: what is renamed here breaks them.
    #[test]
    fn the_json_form() {
        let keys = |v: &serde_json::Value| v.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>().join(" "));
        let stream = StreamFacts {
            address: "rtsp://10.0.0.2/".into(),
            codec: Codec::H264,
            profile: "Main".into(),
            level: "4.0".into(),
            width: 1920,
            height: 1080,
            first_picture_secs: 0.5,
            declared_fps: Some(25.0),
            measured_fps: None,
            gop_frames: None,
            gop_secs: None,
            gop_whole: false,
            b_frames: false,
            bitrate_kbps: 4000,
            audio: Some(SoundFacts { codec: Codec::Aac, sample_rate: 48_000, channels: 2, heard: true }),
        };
        let ptz =
            PtzFacts { limits: Some(Limits { zoom: Some([0.0, 1.0]), ..Limits::default() }), ..PtzFacts::default() };
        let report = Report {
            device: Some(DeviceFacts::default()),
            profiles: vec![Offer::default()],
            chosen: Some(Chosen::default()),
            stream: Some(stream),
            ptz: Some(ptz),
            ..Report::default()
        };
        let json = serde_json::to_value(&report).unwrap();
        for (part, want) in [
            ("", "address advice camera chosen device ok profiles ptz steps stream took_secs"),
            ("/device", "address certificate clock_skew_secs firmware manufacturer method model serial"),
            ("/profiles/0", "audio encoding fps gop kbps name ptz size token"),
            ("/chosen", "name token why"),
            (
                "/stream",
                "address audio b_frames bitrate_kbps codec declared_fps first_picture_secs gop_frames gop_secs gop_whole \
                 height level measured_fps profile width",
            ),
            ("/stream/audio", "channels codec heard sample_rate"),
            ("/ptz", "absolute continuous home limits max_presets presets stored"),
        ] {
            assert_eq!(json.pointer(part).and_then(keys).as_deref(), Some(want), "{part}");
        }
        assert_eq!((&json["stream"]["codec"], &json["ptz"]["limits"]["zoom"][1]), (&"h264".into(), &1.0.into()));
        assert_eq!(serde_json::to_value(StepName::RtspHandshake).unwrap(), "rtsp_handshake");
    }
}
