//! What the camera says about its tracks (RFC 8866, RFC 6184 §8.1, RFC 3640 §4.1).

use std::net::IpAddr;

use sdp_types::{Attribute, Connection, Media, MediaType, Origin, Session, Time, TransportProto};

use super::sound::Sound;
use crate::media::{VideoParams, h264};
use crate::time::FrameRate;

/// RTP payload types: dynamic ones, but for G.711 (RFC 3551 §6).
pub(super) const VIDEO_TYPE: u8 = 96;
const AAC_TYPE: u8 = 97;

/// The payload type of a sound.
pub(super) fn sound_type(sound: &Sound) -> u8 {
    match sound {
        Sound::G711 { a_law: false } => 0,
        Sound::G711 { a_law: true } => 8,
        Sound::Aac { .. } => AAC_TYPE,
    }
}

/// The session description.
pub(super) fn describe(
    host: IpAddr,
    video: &VideoParams,
    fps: FrameRate,
    sets_in_sdp: bool,
    sound: Option<&Sound>,
) -> Vec<u8> {
    let mut s = Session::new(Origin::with_ip_addr("1", 1, host), "VistterStream test camera");
    s.connection = Some(Connection::from_ip_addr(match host {
        IpAddr::V4(_) => IpAddr::from([0, 0, 0, 0]),
        IpAddr::V6(_) => IpAddr::from([0u8; 16]),
    }));
    s.times.push(Time::new(0, 0));
    s.attributes.push(Attribute::with_value("control", "*"));
    s.attributes.push(Attribute::with_value("range", "npt=now-"));

    let mut m = Media::new(MediaType::Video, 0, TransportProto::RtpAvp, VIDEO_TYPE);
    m.add_attribute_with_value("rtpmap", format!("{VIDEO_TYPE} H264/90000"));
    m.add_attribute_with_value("fmtp", video_format(video, sets_in_sdp));
    m.add_attribute_with_value("framerate", format!("{:.3}", fps.as_f64()));
    m.add_attribute_with_value("control", "trackID=0");
    s.medias.push(m);

    if let Some(sound) = sound {
        let pt = sound_type(sound);
        let mut m = Media::new(MediaType::Audio, 0, TransportProto::RtpAvp, pt);
        match sound {
            Sound::G711 { a_law } => {
                m.add_attribute_with_value("rtpmap", format!("{pt} {}/8000", if *a_law { "PCMA" } else { "PCMU" }));
            }
            Sound::Aac { params, .. } => {
                m.add_attribute_with_value(
                    "rtpmap",
                    format!("{pt} MPEG4-GENERIC/{}/{}", params.sample_rate, params.channels),
                );
                let config: String = params.config.iter().map(|b| format!("{b:02x}")).collect();
                m.add_attribute_with_value(
                    "fmtp",
                    format!(
                        "{pt} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;\
                         indexdeltalength=3;config={config}"
                    ),
                );
            }
        }
        m.add_attribute_with_value("control", "trackID=1");
        s.medias.push(m);
    }
    let mut out = Vec::new();
    // Writing into memory cannot fail.
    let _ = s.write(&mut out);
    out
}

fn video_format(video: &VideoParams, sets_in_sdp: bool) -> String {
    let mut f = format!("{VIDEO_TYPE} packetization-mode=1");
    if let (true, Ok((sps, pps))) = (sets_in_sdp, h264::avcc_sets(&video.config))
        && let (Some(s), Some(p)) = (sps.first(), pps.first())
        && s.len() >= 4
    {
        f += &format!(";profile-level-id={:02X}{:02X}{:02X}", s[1], s[2], s[3]);
        f += &format!(";sprop-parameter-sets={},{}", super::auth::base64(s), super::auth::base64(p));
    }
    f
}
