//! What a test camera shows and how it lets people in.

use std::net::SocketAddr;
use std::time::Duration;

use super::Steering;
use crate::config::Credentials;
use crate::media::Bitrate;
use crate::time::FrameRate;

/// Who may watch.
#[derive(Clone, Debug, Default)]
pub enum CameraAuth {
    /// Everybody.
    #[default]
    Open,
    /// HTTP Basic (RFC 7617).
    Basic(Credentials),
    /// HTTP Digest with MD5 and no `qop`, as most cameras offer (RFC 2069).
    Digest(Credentials),
}

impl CameraAuth {
    /// The user name and password that let a viewer in.
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Open => None,
            Self::Basic(c) | Self::Digest(c) => Some(c),
        }
    }
}

/// What a camera's microphone sends: a 1 kHz beep at each full second, when the picture flashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CameraSound {
    /// No microphone.
    #[default]
    None,
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
    /// AAC-LC, 48 kHz stereo.
    Aac,
}

/// A test camera.
#[derive(Clone, Debug)]
pub struct TestCameraConfig {
    /// Burnt into the picture: letters, digits and `-./:`.
    pub name: String,
    /// 0 to 15, part of the bar code.
    pub id: u8,
    /// Pixels, even.
    pub width: u32,
    /// Pixels, even.
    pub height: u32,
    /// Frames per second.
    pub fps: FrameRate,
    /// Frames from one keyframe to the next.
    pub gop: u32,
    /// Bitrate of the video.
    pub bitrate: Bitrate,
    /// Length of the encoded loop in seconds, rounded up to whole GOPs and capped at 65,535 frames.
    pub loop_seconds: u32,
    /// Background, as limited-range Y, U, V.
    pub color: [u8; 3],
    /// Where it looks. With it the picture is a panorama, made as time goes; `loop_seconds` is then the sound's alone, and
    /// `color` is not used.
    pub steering: Option<Steering>,
    /// The microphone.
    pub sound: CameraSound,
    /// Who may watch.
    pub auth: CameraAuth,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Path of the stream, with its slash.
    pub path: String,
    /// A session without requests for this long ends (RFC 2326 §12.37).
    pub session_timeout: Duration,
    /// Put the parameter sets into the SDP; they are sent in-band before each keyframe in any case.
    pub parameters_in_sdp: bool,
    /// Largest RTP packet in bytes.
    pub mtu: usize,
}

impl Default for TestCameraConfig {
    /// 1280x720 at 30, a keyframe each second, 2 Mbit/s, a loop of 10 s, no sound, open to all, on loopback.
    fn default() -> Self {
        Self {
            name: "CAMERA".into(),
            id: 0,
            width: 1280,
            height: 720,
            fps: FrameRate::FPS_30,
            gop: 30,
            bitrate: Bitrate::from_kbps(2000),
            loop_seconds: 10,
            color: [60, 150, 110],
            steering: None,
            sound: CameraSound::None,
            auth: CameraAuth::Open,
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            path: "/stream".into(),
            session_timeout: Duration::from_secs(60),
            parameters_in_sdp: true,
            mtu: 1400,
        }
    }
}

impl TestCameraConfig {
    /// Frames in the loop: whole GOPs.
    pub(super) fn loop_frames(&self) -> u64 {
        let gop = u64::from(self.gop.max(1));
        let wanted = u64::from(self.loop_seconds.max(1)) * u64::from(self.fps.num()) / u64::from(self.fps.den());
        wanted.max(1).div_ceil(gop).saturating_mul(gop).min(65_535 / gop * gop).max(gop)
    }
}
