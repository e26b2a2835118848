//! The media services of the simulated camera: its profiles and their stream addresses. In the order of ONVIF's schemas,
//! which strict clients insist on.

use super::onvif_answers::{Addresses, ptz_configuration};
use crate::onvif::xml::escape;

/// A media profile that the camera offers.
#[derive(Clone, Debug, PartialEq)]
pub struct SimProfile {
    /// Token and name.
    pub token: String,
    /// `H264`, `H265` or `JPEG`. Media1 knows no H.265: there it is left out.
    pub encoding: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Frames per second.
    pub fps: u32,
    /// Bitrate limit in kbit/s.
    pub kbps: u32,
    /// Frames from one keyframe to the next.
    pub gop: u32,
    /// RTSP address; that of the camera if absent.
    pub stream: Option<String>,
}

impl SimProfile {
    /// An H.264 profile at 25 frames per second with a keyframe every 2 s.
    pub fn h264(token: &str, size: (u32, u32), kbps: u32) -> Self {
        Self { token: token.into(), encoding: "H264".into(), size, fps: 25, kbps, gop: 50, stream: None }
    }
    /// Main stream in 1080p, sub stream in 360p.
    pub fn usual() -> Vec<Self> {
        vec![Self::h264("main", (1920, 1080), 4096), Self::h264("sub", (640, 360), 512)]
    }
}

const SOURCE: &str = "<tt:Name>Source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken>\
    <tt:Bounds x=\"0\" y=\"0\" width=\"1920\" height=\"1080\"/>";
const MULTICAST: &str = "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>\
    <tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

/// The stream address of the profile that is asked for; `None` when there is no such profile.
fn stream<'a>(at: &Addresses<'a>, token: Option<&str>) -> Option<&'a str> {
    let profile = at.profiles.iter().find(|p| token.is_none_or(|t| t == p.token))?;
    Some(profile.stream.as_deref().unwrap_or(at.stream))
}

pub(super) fn media1(name: &str, at: &Addresses<'_>, token: Option<&str>) -> Option<String> {
    let ptz = if at.ptz { ptz_configuration("tt:PTZConfiguration") } else { String::new() };
    let profile = |p: &SimProfile| {
        let ((w, h), token, fps, kbps, gop) = (p.size, escape(&p.token), p.fps, p.kbps, p.gop);
        let encoding = escape(&p.encoding);
        format!(
            "<trt:Profiles token=\"{token}\" fixed=\"true\"><tt:Name>{token}</tt:Name>\
             <tt:VideoSourceConfiguration token=\"vsc\">{SOURCE}</tt:VideoSourceConfiguration>\
             <tt:VideoEncoderConfiguration token=\"vec-{token}\"><tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount>\
             <tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{w}</tt:Width><tt:Height>{h}</tt:Height></tt:Resolution>\
             <tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>{fps}</tt:FrameRateLimit>\
             <tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl>\
             <tt:H264><tt:GovLength>{gop}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>{MULTICAST}\
             <tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>{ptz}</trt:Profiles>"
        )
    };
    Some(match name {
        "GetProfiles" => at.profiles.iter().filter(|p| p.encoding != "H265").map(profile).collect(),
        "GetVideoSources" => "<trt:VideoSources token=\"source\"><tt:Framerate>25</tt:Framerate><tt:Resolution>\
             <tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></trt:VideoSources>"
            .into(),
        "GetStreamUri" | "GetSnapshotUri" => {
            let http = format!("http://{}/snapshot.jpg", at.authority);
            let uri = if name == "GetStreamUri" { stream(at, token)? } else { &http };
            format!(
                "<trt:MediaUri><tt:Uri>{}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>\
                 <tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>",
                escape(uri)
            )
        }
        _ => return None,
    })
}

pub(super) fn media2(name: &str, at: &Addresses<'_>, token: Option<&str>) -> Option<String> {
    let ptz = if at.ptz { ptz_configuration("tr2:PTZ") } else { String::new() };
    let profile = |p: &SimProfile| {
        let ((w, h), token, fps, kbps, gop) = (p.size, escape(&p.token), p.fps, p.kbps, p.gop);
        let encoding = escape(&p.encoding);
        format!(
            "<tr2:Profiles token=\"{token}\" fixed=\"true\"><tr2:Name>{token}</tr2:Name><tr2:Configurations>\
             <tr2:VideoSource token=\"vsc\">{SOURCE}</tr2:VideoSource>\
             <tr2:VideoEncoder token=\"vec-{token}\" GovLength=\"{gop}\" Profile=\"Main\"><tt:Name>{token}</tt:Name>\
             <tt:UseCount>1</tt:UseCount><tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{w}</tt:Width>\
             <tt:Height>{h}</tt:Height></tt:Resolution><tt:RateControl ConstantBitRate=\"false\">\
             <tt:FrameRateLimit>{fps}</tt:FrameRateLimit><tt:BitrateLimit>{kbps}</tt:BitrateLimit></tt:RateControl>\
             <tt:Quality>5</tt:Quality></tr2:VideoEncoder>{ptz}</tr2:Configurations></tr2:Profiles>"
        )
    };
    Some(match name {
        "GetProfiles" => at.profiles.iter().map(profile).collect(),
        "GetStreamUri" => format!("<tr2:Uri>{}</tr2:Uri>", escape(stream(at, token)?)),
        _ => return None,
    })
}
