//! What can be told from a source's events. Sans-IO: events and their arrival times in, a report out.

use serde::Serialize;
use vistter_core::media::{Codec, ColorRange, Packet, StreamParams, Track};
use vistter_core::ports::SourceEvent;
use vistter_core::time::MediaTime;

/// Arrivals kept for the measures; more are counted and not kept.
const MAX_PICTURES: usize = 100_000;

/// Watches events.
#[derive(Debug, Default)]
pub(super) struct Measure {
    params: Option<StreamParams>,
    changes: u32,
    losses: u32,
    pictures: Vec<Picture>,
    video_bytes: u64,
    audio_packets: u64,
    audio_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Picture {
    arrival: MediaTime,
    dts: MediaTime,
    keyframe: bool,
}

/// What a camera sends.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) url: String,
    pub(super) watched_seconds: f64,
    pub(super) video: Option<Video>,
    pub(super) audio: Option<Audio>,
    pub(super) parameter_changes: u32,
    pub(super) losses: u32,
    pub(super) advice: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Video {
    pub(super) codec: Codec,
    /// As in an HTML `type`: profile and level.
    pub(super) rfc6381: String,
    pub(super) profile: Option<&'static str>,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) range: ColorRange,
    /// What the stream says of itself.
    pub(super) declared_fps: Option<f64>,
    /// By the stream's own clock.
    pub(super) measured_fps: Option<f64>,
    pub(super) kbps: u64,
    /// Pictures held back by B-frames.
    pub(super) reorder_depth: u32,
    pub(super) gop_frames: Option<usize>,
    pub(super) gop_seconds: Option<f64>,
    /// How much later (positive) or earlier the last picture arrived than the stream's clock says, in milliseconds.
    pub(super) clock_drift_ms: f64,
    /// The largest lateness of a picture against the first, in milliseconds.
    pub(super) jitter_ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Audio {
    pub(super) codec: Codec,
    pub(super) sample_rate: u32,
    pub(super) channels: u16,
    pub(super) kbps: u64,
    /// Goes into the program as it is.
    pub(super) passes_through: bool,
}

impl Measure {
    pub(super) fn handle(&mut self, now: MediaTime, event: &SourceEvent) {
        match event {
            SourceEvent::Params(p) => {
                if self.params.as_ref().is_some_and(|old| old != p) {
                    self.changes += 1;
                }
                self.params = Some(p.clone());
            }
            SourceEvent::Packet(p) => self.packet(now, p),
            SourceEvent::Lost(_) => self.losses += 1,
            _ => {}
        }
    }

    fn packet(&mut self, now: MediaTime, p: &Packet) {
        match p.track {
            Track::Video => {
                self.video_bytes += p.data.len() as u64;
                if self.pictures.len() < MAX_PICTURES {
                    self.pictures.push(Picture { arrival: now, dts: p.dts, keyframe: p.keyframe });
                }
            }
            Track::Audio => {
                self.audio_packets += 1;
                self.audio_bytes += p.data.len() as u64;
            }
        }
    }

    /// Pictures so far.
    pub(super) fn pictures(&self) -> usize {
        self.pictures.len()
    }

    pub(super) fn report(&self, url: String, watched: MediaTime) -> Report {
        let kbps = |bytes: u64| (bytes as f64 * 8.0 / 1000.0 / watched.as_secs_f64().max(0.001)).round() as u64;
        let params = self.params.as_ref();
        let video = params.and_then(|p| p.video.as_ref()).map(|v| {
            let (first, last) = (self.pictures.first(), self.pictures.last());
            let span = first.zip(last).map_or(MediaTime::ZERO, |(a, b)| b.dts - a.dts);
            let (gop_frames, gop_seconds) = self.gop();
            Video {
                codec: v.codec,
                profile: profile(v.codec, &v.rfc6381),
                rfc6381: v.rfc6381.clone(),
                width: v.width,
                height: v.height,
                range: v.range,
                declared_fps: v.declared_fps.map(|f| round(f.as_f64(), 1000.0)),
                measured_fps: (span > MediaTime::ZERO)
                    .then(|| round((self.pictures.len() - 1) as f64 / span.as_secs_f64(), 100.0)),
                kbps: kbps(self.video_bytes),
                reorder_depth: u32::from(v.reorder_depth),
                gop_frames,
                gop_seconds,
                clock_drift_ms: first.zip(last).map_or(0.0, |(a, b)| lateness(a, b)),
                jitter_ms: first.map_or(0.0, |a| self.pictures.iter().map(|p| lateness(a, p)).fold(0.0, f64::max)),
            }
        });
        let audio = params.and_then(|p| p.audio.as_ref()).map(|a| Audio {
            codec: a.codec,
            sample_rate: a.sample_rate,
            channels: a.channels,
            kbps: kbps(self.audio_bytes),
            passes_through: a.codec == Codec::Aac && a.sample_rate == 48_000 && a.channels == 2,
        });
        let mut r = Report {
            url,
            watched_seconds: round(watched.as_secs_f64(), 10.0),
            video,
            audio,
            parameter_changes: self.changes,
            losses: self.losses,
            advice: Vec::new(),
        };
        r.advice = advice(&r);
        r
    }

    /// The longest distance of two keyframes, in pictures and seconds.
    fn gop(&self) -> (Option<usize>, Option<f64>) {
        let keys: Vec<usize> = (0..self.pictures.len()).filter(|i| self.pictures[*i].keyframe).collect();
        let longest = keys.windows(2).max_by_key(|w| w[1] - w[0]);
        match longest {
            Some(w) => {
                let t = self.pictures[w[1]].dts - self.pictures[w[0]].dts;
                (Some(w[1] - w[0]), Some(round(t.as_secs_f64(), 100.0)))
            }
            None => (None, None),
        }
    }
}

fn lateness(a: &Picture, b: &Picture) -> f64 {
    let late = (b.arrival - a.arrival) - (b.dts - a.dts);
    round(late.nanos() as f64 / 1e6, 10.0)
}

fn round(v: f64, steps: f64) -> f64 {
    (v * steps).round() / steps
}

/// `avc1.PPCCLL` (RFC 6381 §3.3): the profile byte.
fn profile(codec: Codec, rfc6381: &str) -> Option<&'static str> {
    match (codec, rfc6381.get(5..7)?.to_ascii_lowercase().as_str()) {
        (Codec::H264, "42") => Some("Baseline"),
        (Codec::H264, "4d") => Some("Main"),
        (Codec::H264, "58") => Some("Extended"),
        (Codec::H264, "64") => Some("High"),
        _ => None,
    }
}

fn advice(r: &Report) -> Vec<String> {
    let mut all = Vec::new();
    let Some(v) = &r.video else {
        all.push("there is no video that could be used".to_owned());
        return all;
    };
    if v.codec == Codec::H265 {
        all.push(
            "H.265 costs about three times the CPU of H.264 to decode: choose an H.264 profile on the camera".into(),
        );
    }
    if v.gop_seconds.is_none() {
        all.push("no two keyframes were seen: watch longer with --for 30s".into());
    }
    if v.gop_seconds.is_some_and(|s| s > 4.0) {
        all.push(
            "keyframes are far apart: a picture comes back late after loss; set the I-frame interval to 1 or 2 s"
                .into(),
        );
    }
    if let (Some(d), Some(m)) = (v.declared_fps, v.measured_fps)
        && (d - m).abs() > d * 0.05
    {
        all.push(format!("it says {d} frames per second and sends {m}"));
    }
    if v.reorder_depth > 0 {
        all.push("B-frames add delay: switch them off on the camera for a quicker picture".into());
    }
    match &r.audio {
        Some(a) if !a.passes_through => {
            all.push("this sound is not used yet: set the camera to AAC, 48 kHz, stereo".into());
        }
        _ => {}
    }
    if r.losses > 0 {
        all.push("media was lost on the way: use --transport tcp, or look at the network".into());
    }
    all
}

#[cfg(test)]
mod tests {
    use vistter_core::media::VideoParams;

    use super::*;

    fn picture(n: i64, keyframe: bool) -> SourceEvent {
        let t = MediaTime::from_millis(40 * n);
        SourceEvent::Packet(Packet {
            track: Track::Video,
            data: vec![0; 1000].into(),
            pts: t,
            dts: t,
            duration: MediaTime::ZERO,
            keyframe,
        })
    }
    fn params() -> StreamParams {
        StreamParams {
            video: Some(VideoParams {
                codec: Codec::H264,
                width: 1280,
                height: 720,
                config: Default::default(),
                declared_fps: vistter_core::time::FrameRate::new(30, 1),
                reorder_depth: 0,
                rfc6381: "avc1.64001F".into(),
                range: ColorRange::Full,
            }),
            audio: None,
        }
    }

    #[test]
    fn rates_gop_and_clock_are_measured() {
        let mut m = Measure::default();
        m.handle(MediaTime::ZERO, &SourceEvent::Params(params()));
        for n in 0..101 {
            // Every picture 40 ms after the last; one is 15 ms late; the camera's clock loses 1 ms a second.
            let late = if n == 50 { 15 } else { 0 };
            m.handle(MediaTime::from_millis(40 * n + n / 25 + late), &picture(n, n % 20 == 0));
        }
        let r = m.report("rtsp://h/".into(), MediaTime::from_secs(4));
        let v = r.video.unwrap();
        assert_eq!((v.profile, v.measured_fps, v.declared_fps), (Some("High"), Some(25.0), Some(30.0)));
        assert_eq!((v.gop_frames, v.gop_seconds, v.kbps), (Some(20), Some(0.8), 202));
        assert_eq!((v.clock_drift_ms, v.jitter_ms), (4.0, 17.0));
        assert_eq!(r.advice, ["it says 30 frames per second and sends 25"]);
    }
    #[test]
    fn nothing_is_divided_by_nothing() {
        let m = Measure::default();
        assert!(m.report(String::new(), MediaTime::ZERO).video.is_none());
        let mut m = Measure::default();
        m.handle(MediaTime::ZERO, &SourceEvent::Params(params()));
        m.handle(MediaTime::ZERO, &picture(0, true));
        let v = m.report(String::new(), MediaTime::ZERO).video.unwrap();
        assert_eq!((v.measured_fps, v.gop_frames), (None, None));
    }
}
