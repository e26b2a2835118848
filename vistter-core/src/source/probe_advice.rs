//! What a person should know or change about a camera, from what a probe saw.

use super::probe::ProbeReport;
use crate::media::Codec;

/// The platforms refuse more than this between keyframes, in seconds.
const GOP_LIMIT: f64 = 4.0;

/// Sentences, most important first.
pub(super) fn advise(r: &ProbeReport) -> Vec<String> {
    let mut out = Vec::new();
    let Some(v) = &r.video else {
        return vec!["no picture came: check that the camera's stream is enabled".into()];
    };
    if v.interlaced {
        out.push(
            "the pictures are interlaced, which is not decoded here: choose a progressive mode on the camera".into(),
        );
    }
    if v.codec == Codec::H265 {
        out.push(
            "H.265 costs about twice the CPU of H.264 to decode in software: choose an H.264 profile on the camera \
             unless this machine decodes H.265 in hardware"
                .into(),
        );
    }
    if let Some(s) = v.gop_secs
        && s > GOP_LIMIT
    {
        out.push(format!(
            "{s:.0} s from one keyframe to the next: after a loss the picture stays away as long, and a cut to this \
             camera has that much to catch up; set its I-frame interval to 1 or 2 s"
        ));
    }
    if let (Some(says), Some(is)) = (v.declared_fps, v.measured_fps)
        && (says - is).abs() > 0.05 * says
    {
        out.push(format!("it declares {says:.2} frames per second and sends {is:.2}; the measured rate is used"));
    }
    if v.b_frames {
        out.push("it sends B-frames, which add a few frames of delay: a profile without them cuts faster".into());
    }
    if r.clock.losses > 0 {
        out.push(format!("{} times packets were lost: use transport tcp, or a better network path", r.clock.losses));
    }
    if r.clock.jumps > 0 {
        out.push(format!("its clock jumped {} times: give the camera an NTP server", r.clock.jumps));
    }
    if v.changes > 0 {
        out.push(format!(
            "its parameters changed {} times while it was watched: switch off automatic profiles",
            v.changes
        ));
    }
    if v.full_range {
        out.push("it uses full-range levels (0-255); they are converted".into());
    }
    match &r.audio {
        None => out.push("it has no sound that is understood here (AAC, G.711): the program will be silent".into()),
        Some(a) if a.packets == 0 => out.push("it announces sound and sends none: check its microphone setting".into()),
        Some(_) => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::probe::{ClockReport, VideoReport};

    #[test]
    fn each_trouble_has_its_sentence() {
        let v = VideoReport {
            codec: Codec::H265,
            profile: "Main".into(),
            level: "4.0".into(),
            rfc6381: String::new(),
            width: 2,
            height: 2,
            declared_fps: Some(25.0),
            measured_fps: Some(21.0),
            gop_frames: Some(210),
            gop_secs: Some(10.0),
            b_frames: true,
            interlaced: true,
            full_range: true,
            bitrate_kbps: 0,
            frames: 1,
            changes: 1,
        };
        let clock = ClockReport { jumps: 2, losses: 3, longest_gap_secs: 0.0 };
        let mut r = ProbeReport {
            source: String::new(),
            first_picture_secs: 0.0,
            watched_secs: 1.0,
            video: Some(v.clone()),
            audio: None,
            clock,
            advice: Vec::new(),
        };
        assert_eq!(advise(&r).len(), 10);
        r.clock = ClockReport::default();
        r.video = Some(VideoReport {
            codec: Codec::H264,
            declared_fps: Some(21.0),
            gop_secs: Some(2.0),
            b_frames: false,
            interlaced: false,
            full_range: false,
            changes: 0,
            ..v
        });
        assert_eq!(advise(&r).len(), 1, "only the missing sound: {:?}", advise(&r));
        r.video = None;
        assert_eq!(advise(&r).len(), 1);
    }
}
