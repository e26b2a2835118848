//! What a source really sends, found by watching it: `vistter probe`, and the check before a camera is put into a show.

use serde::Serialize;

use super::probe_advice;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioParams, Codec, ColorRange, Packet, StreamParams, Track, VideoParams, h264};
use crate::ports::{Clock, Source, SourceEvent};
use crate::time::MediaTime;

/// A step between neighbours of this size is a jump of the camera's clock.
const JUMP: MediaTime = MediaTime::from_secs(3);

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeReport {
    /// Where, without secrets.
    pub source: String,
    /// Seconds from the start of connecting to the first picture's packet.
    pub first_picture_secs: f64,
    /// Seconds watched from then on.
    pub watched_secs: f64,
    /// The pictures.
    pub video: Option<VideoReport>,
    /// The sound.
    pub audio: Option<AudioReport>,
    /// The camera's clock and the way here.
    pub clock: ClockReport,
    /// What a person should know or change, most important first.
    pub advice: Vec<String>,
}

/// The pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoReport {
    /// Coding format.
    pub codec: Codec,
    /// Such as `High`.
    pub profile: String,
    /// Such as `4.0`.
    pub level: String,
    /// RFC 6381 name.
    pub rfc6381: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second that the camera claims, if it does.
    pub declared_fps: Option<f64>,
    /// Frames per second by its time stamps.
    pub measured_fps: Option<f64>,
    /// Most frames from one keyframe to the next.
    pub gop_frames: Option<u32>,
    /// The same in seconds.
    pub gop_secs: Option<f64>,
    /// Pictures are sent in another order than they are shown.
    pub b_frames: bool,
    /// Coded as fields.
    pub interlaced: bool,
    /// Luma uses 0–255.
    pub full_range: bool,
    /// Kilobits per second.
    pub bitrate_kbps: u32,
    /// Access units.
    pub frames: u64,
    /// How often size, profile or other parameters changed while watching.
    pub changes: u32,
}

/// The sound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AudioReport {
    /// Coding format.
    pub codec: Codec,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
    /// Kilobits per second.
    pub bitrate_kbps: u32,
    /// Packets; 0 when sound is announced and never comes.
    pub packets: u64,
}

/// The camera's clock and the way here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClockReport {
    /// How often time stamps jumped by more than three seconds, or back.
    pub jumps: u32,
    /// How often packets were lost.
    pub losses: u32,
    /// Longest wait between two pictures, in seconds.
    pub longest_gap_secs: f64,
}

/// Collects what a source says. Sans-IO: times are passed in.
#[derive(Debug, Default)]
pub struct Probe {
    params: StreamParams,
    changes: u32,
    video: Count,
    audio: Count,
    clock: ClockReport,
    first: Option<MediaTime>,
    last: MediaTime,
    since_key: Option<u32>,
    gop: Option<u32>,
    back: bool,
    segments: (u64, MediaTime),
    open: Option<Segment>,
}

#[derive(Debug, Default)]
struct Count {
    packets: u64,
    bytes: u64,
}

/// Pictures between two jumps.
#[derive(Debug)]
struct Segment {
    frames: u64,
    low: MediaTime,
    high: MediaTime,
    last: MediaTime,
    /// Frames before the last keyframe, and its time: all earlier times have come by then, B-frames or not.
    key: Option<(u64, MediaTime)>,
}

impl Probe {
    /// Nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a picture came already.
    pub fn has_picture(&self) -> bool {
        self.first.is_some()
    }

    /// Takes what the source said at `now`.
    pub fn event(&mut self, now: MediaTime, event: &SourceEvent) {
        match event {
            SourceEvent::Params(p) => {
                self.changes += u32::from(self.params.video.is_some() && self.params.video != p.video);
                self.params = p.clone();
            }
            SourceEvent::Packet(p) if p.track == Track::Video => self.picture(now, p),
            SourceEvent::Packet(p) => {
                self.audio.packets += 1;
                self.audio.bytes += p.data.len() as u64;
            }
            SourceEvent::Lost(_) => self.clock.losses += 1,
            SourceEvent::Frame(_) | SourceEvent::End => {}
        }
    }

    fn picture(&mut self, now: MediaTime, p: &Packet) {
        self.video.packets += 1;
        self.video.bytes += p.data.len() as u64;
        if self.first.is_some() {
            self.clock.longest_gap_secs = self.clock.longest_gap_secs.max((now - self.last).as_secs_f64());
        }
        self.first.get_or_insert(now);
        self.last = now;
        match &mut self.open {
            Some(s) if s.last.abs_diff(p.pts) <= JUMP => {
                self.back |= p.pts < s.last;
                if p.keyframe {
                    s.key = Some((s.frames, p.pts));
                }
                (s.frames, s.low, s.high, s.last) = (s.frames + 1, s.low.min(p.pts), s.high.max(p.pts), p.pts);
            }
            other => {
                self.clock.jumps += u32::from(other.is_some());
                let done = other.replace(Segment { frames: 1, low: p.pts, high: p.pts, last: p.pts, key: None });
                self.segments = total(self.segments, done.as_ref());
            }
        }
        if p.keyframe {
            if let Some(n) = self.since_key {
                self.gop = self.gop.max(Some(n));
            }
            self.since_key = Some(0);
        }
        self.since_key = self.since_key.map(|n| n.saturating_add(1));
    }

    /// The report, when watching ended at `now`; `connected` is when it began.
    pub fn report(&self, source: String, connected: MediaTime, now: MediaTime) -> ProbeReport {
        let first = self.first.unwrap_or(now);
        let secs = (now - first).as_secs_f64();
        let kbps = |c: &Count| if secs > 0.0 { (c.bytes as f64 * 8.0 / secs / 1000.0) as u32 } else { 0 };
        let (gaps, span) = total(self.segments, self.open.as_ref());
        let measured_fps = (span > MediaTime::ZERO).then(|| gaps as f64 / span.as_secs_f64());
        let video = self.params.video.as_ref().map(|v| self.video_report(v, measured_fps, kbps(&self.video)));
        let audio = self.params.audio.as_ref().map(|a| audio_report(a, &self.audio, kbps(&self.audio)));
        let mut report = ProbeReport {
            source,
            first_picture_secs: (first - connected).as_secs_f64(),
            watched_secs: secs,
            video,
            audio,
            clock: self.clock,
            advice: Vec::new(),
        };
        report.advice = probe_advice::advise(&report);
        report
    }

    fn video_report(&self, v: &VideoParams, measured_fps: Option<f64>, bitrate_kbps: u32) -> VideoReport {
        let (profile, level, interlaced) = profile(v);
        VideoReport {
            codec: v.codec,
            profile,
            level,
            rfc6381: v.rfc6381.clone(),
            width: v.width,
            height: v.height,
            declared_fps: v.declared_fps.map(crate::time::FrameRate::as_f64),
            measured_fps,
            // Without a second keyframe the GOP is at least what was seen.
            gop_frames: self.gop.max(self.since_key),
            gop_secs: self.gop.max(self.since_key).zip(measured_fps).map(|(n, fps)| f64::from(n) / fps),
            b_frames: self.back,
            interlaced,
            full_range: v.range == ColorRange::Full,
            bitrate_kbps,
            frames: self.video.packets,
            changes: self.changes,
        }
    }
}

/// Adds a segment's frame steps and its length.
fn total((steps, span): (u64, MediaTime), s: Option<&Segment>) -> (u64, MediaTime) {
    s.map_or((steps, span), |s| {
        let (n, end) = s.key.unwrap_or((s.frames - 1, s.high));
        (steps + n, span + (end - s.low))
    })
}

fn audio_report(a: &AudioParams, count: &Count, bitrate_kbps: u32) -> AudioReport {
    AudioReport {
        codec: a.codec,
        sample_rate: a.sample_rate,
        channels: a.channels,
        bitrate_kbps,
        packets: count.packets,
    }
}

/// Profile, level and whether it is interlaced.
fn profile(v: &VideoParams) -> (String, String, bool) {
    let unknown = || ("unknown".to_owned(), "unknown".to_owned(), false);
    match v.codec {
        Codec::H264 => {
            let info = h264::avcc_sets(&v.config).ok().and_then(|(s, _)| h264::SpsInfo::parse(s.first()?).ok());
            let Some(i) = info else { return unknown() };
            (i.profile_name().to_owned(), format!("{}.{}", i.level_idc / 10, i.level_idc % 10), i.interlaced)
        }
        // HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1): profile in byte 1, level (times 30) in byte 12,
        // the progressive and interlaced source flags in byte 6.
        Codec::H265 if v.config.len() > 12 => {
            let name = match v.config[1] & 0x1f {
                1 => "Main",
                2 => "Main 10",
                3 => "Main Still Picture",
                4 => "Range Extensions",
                _ => "unknown",
            };
            let level = u32::from(v.config[12]);
            (name.to_owned(), format!("{}.{}", level / 30, level % 30 / 3), v.config[6] & 0xc0 == 0x40)
        }
        _ => unknown(),
    }
}

/// Connects, watches for `length` from the first picture on, and says goodbye.
///
/// A source that breaks off later gives a report that says so.
///
/// # Errors
/// What connecting or waiting for the first picture gave; `Unsupported` for a source of finished pictures.
pub async fn probe(source: &mut dyn Source, length: MediaTime, clock: &dyn Clock) -> Result<ProbeReport> {
    let start = clock.now();
    let result = watch(source, length, clock, start).await;
    source.close().await;
    result
}

async fn watch(source: &mut dyn Source, length: MediaTime, clock: &dyn Clock, start: MediaTime) -> Result<ProbeReport> {
    source.open().await?;
    let mut probe = Probe::new();
    let mut broke = None;
    loop {
        let wait = match probe.first {
            Some(first) if clock.now() - first >= length => break,
            Some(first) => (first + length - clock.now()).to_duration(),
            // The source bounds the wait for its first picture.
            None => std::time::Duration::MAX,
        };
        match tokio::time::timeout(wait, source.next()).await {
            Err(_) | Ok(Ok(SourceEvent::End)) => break,
            Ok(Ok(SourceEvent::Frame(_))) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this source gives finished pictures, nothing to probe",
                ));
            }
            Ok(Ok(event)) => probe.event(clock.now(), &event),
            Ok(Err(e)) if probe.has_picture() => {
                broke = Some(e);
                break;
            }
            Ok(Err(e)) => return Err(e),
        }
    }
    let mut report = probe.report(source.describe(), start, clock.now());
    if let Some(e) = broke {
        report.advice.insert(0, format!("the stream broke off after {:.1} s: {}", report.watched_secs, e.what()));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn packet(pts: i64, keyframe: bool, len: usize) -> SourceEvent {
        let (pts, data) = (MediaTime::from_millis(pts), Bytes::from(vec![0; len]));
        SourceEvent::Packet(Packet { track: Track::Video, data, pts, dts: pts, duration: MediaTime::ZERO, keyframe })
    }
    fn params(codec: Codec) -> SourceEvent {
        let sps = [
            0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8, 0x40, 0, 0, 0x0f, 0xa4, 0, 3, 0xa9, 0x82, 0x3c, 0x60,
            0xca, 0x80,
        ];
        let mut v = crate::media::h264::video_params(&sps, &[0x68, 0xce, 0x0f, 0xc8]).unwrap();
        v.codec = codec;
        SourceEvent::Params(StreamParams { video: Some(v), audio: None })
    }
    fn watched(codec: Codec, pictures: impl Iterator<Item = (i64, bool)>) -> ProbeReport {
        let mut p = Probe::new();
        p.event(MediaTime::ZERO, &params(codec));
        let mut now = MediaTime::from_millis(300);
        for (pts, key) in pictures {
            p.event(now, &packet(pts, key, 1000));
            now = now + MediaTime::from_millis(40);
        }
        p.report("x".into(), MediaTime::ZERO, now)
    }

    #[test]
    fn a_plain_camera() {
        let r = watched(Codec::H264, (0..100).map(|i| (i * 40, i % 25 == 0)));
        let v = r.video.unwrap();
        assert_eq!((v.width, v.profile.as_str(), v.level.as_str()), (1280, "Constrained Baseline", "3.1"));
        assert_eq!((v.measured_fps, v.gop_frames, v.b_frames), (Some(25.0), Some(25), false));
        assert!((195..=205).contains(&v.bitrate_kbps), "{}", v.bitrate_kbps);
        assert_eq!(r.first_picture_secs, 0.3);
        assert_eq!(r.clock.jumps, 0);
    }
    #[test]
    fn b_frames_and_jumps() {
        let group = |g: i64| (0..8).flat_map(move |j| [3, 1, 2].map(|k| (g * 1000 + (3 * j + k) * 40, false)));
        let order = (0..4).flat_map(|g| std::iter::once((g * 1000, true)).chain(group(g)));
        let r = watched(Codec::H264, order.map(|(t, k)| (if t >= 2000 { t + 3_600_000 } else { t }, k)));
        let v = r.video.unwrap();
        assert!(v.b_frames);
        assert_eq!((v.measured_fps, v.gop_frames), (Some(25.0), Some(25)));
        assert_eq!(r.clock.jumps, 1);
        assert!(r.advice.iter().any(|a| a.contains("jump")), "{:?}", r.advice);
    }
    #[test]
    fn nothing_seen_is_no_panic() {
        let r = Probe::new().report("x".into(), MediaTime::ZERO, MediaTime::SECOND);
        assert_eq!((r.video, r.audio), (None, None));
    }
}
