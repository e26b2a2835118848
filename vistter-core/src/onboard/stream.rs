//! The test of a stream: connect, decode the first picture, measure.

use tokio::time::timeout;

use super::recorder::Recorder;
use super::report::{SoundFacts, StepName, StreamFacts};
use crate::error::{Error, ErrorKind, Result};
use crate::feed::DecoderFactory;
use crate::media::{Frame, Packet, Track};
use crate::ports::{Clock, Source, SourceEvent, VideoDecoder};
use crate::source::{Probe, ProbeReport};
use crate::time::MediaTime;

/// Access units after which a decoder that gave no picture is taken to give none.
const MOST_UNITS: u32 = 300;
/// The stream is watched at least so long, to measure its rate, even if two keyframes came before.
const LEAST_WATCH: MediaTime = MediaTime::from_millis(500);
/// A delivered rate further than this from the declared one is told.
const RATE_OFF: f64 = 0.1;

/// How a stream is tried.
#[derive(Clone)]
pub struct StreamTest {
    /// Decoders for its pictures.
    pub decoders: DecoderFactory,
    /// How long it is watched from the first picture on, at most: two keyframes end it. Keyframes further apart than this are
    /// not measured.
    pub watch: MediaTime,
    /// Longest wait for the first decoded picture.
    pub first_frame_within: MediaTime,
}

impl std::fmt::Debug for StreamTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamTest").field("watch", &self.watch).finish_non_exhaustive()
    }
}

/// Connects (as step `handshake`, if it is one), decodes the first picture, watches, and says goodbye. The report has
/// what was found. Cancel-safe: dropped, it drops the connection.
pub async fn try_stream(
    source: &mut dyn Source,
    handshake: Option<StepName>,
    test: &StreamTest,
    clock: &dyn Clock,
    rec: &mut Recorder<'_>,
) {
    let began = clock.now();
    if let Some(step) = handshake {
        rec.begin(step);
    }
    let opened = timeout(rec.left(), source.open()).await.unwrap_or_else(|_| Err(out_of_time()));
    match opened {
        Ok(()) => {
            rec.passed("the session is playing");
            watch(source, test, clock, began, rec).await;
        }
        Err(e) => rec.failed(&e),
    }
    source.close().await;
}

fn out_of_time() -> Error {
    Error::new(ErrorKind::Timeout, "the time for the whole check is over").next("try again, with more time")
}

async fn watch(
    source: &mut dyn Source,
    test: &StreamTest,
    clock: &dyn Clock,
    began: MediaTime,
    rec: &mut Recorder<'_>,
) {
    let mut seen = Seen { probe: Probe::new(), keyframes: 0 };
    rec.begin(StepName::FirstFrame);
    let limit = test.first_frame_within.to_duration().min(rec.left());
    let first = timeout(limit, first_frame(source, &test.decoders, clock, &mut seen)).await;
    let decoded = match first {
        Ok(Ok(frame)) => {
            let (w, h) = frame.size();
            rec.facts().picture = Some(frame);
            rec.facts().ok = true;
            rec.passed(format!("{w}x{h}, after {:.2} s", (clock.now() - began).as_secs_f64()));
            true
        }
        Ok(Err(e)) => {
            rec.failed(&e);
            false
        }
        Err(_) if seen.probe.has_picture() => {
            let e = Error::new(ErrorKind::Media, format!("pictures came, and none could be shown within {limit:.0?}"));
            rec.failed(&e.next("choose a shorter keyframe distance on the camera, 2 s or less"));
            false
        }
        Err(_) => {
            let e = Error::new(ErrorKind::Timeout, format!("no picture within {limit:.0?}"));
            rec.failed(&e.next("check that the stream is switched on in the camera"));
            false
        }
    };
    if !seen.probe.has_picture() {
        return;
    }
    rec.begin(StepName::Measured);
    let length = test.watch.min(rec.left().into());
    let broke = measure(source, length, clock, &mut seen).await;
    let report = seen.probe.report(source.describe(), began, clock.now());
    verdict(&report, &seen, broke, decoded, rec);
}

struct Seen {
    probe: Probe,
    keyframes: u32,
}

impl Seen {
    fn event(&mut self, now: MediaTime, e: &SourceEvent) {
        if let SourceEvent::Packet(p) = e {
            self.keyframes += u32::from(p.track == Track::Video && p.keyframe);
        }
        self.probe.event(now, e);
    }
}

async fn first_frame(
    source: &mut dyn Source,
    decoders: &DecoderFactory,
    clock: &dyn Clock,
    seen: &mut Seen,
) -> Result<Frame> {
    let mut decoder: Option<Box<dyn VideoDecoder>> = None;
    let mut refused = None;
    let mut units = 0;
    loop {
        let event = source.next().await?;
        seen.event(clock.now(), &event);
        match event {
            SourceEvent::Params(p) => {
                let Some(video) = p.video else { continue };
                let make = decoders.clone();
                match aside(move || make(&video).and_then(|mut d| d.configure(&video).map(|()| d))).await {
                    Ok(d) => decoder = Some(d),
                    // Other parameters may follow.
                    Err(e) => refused = Some(e),
                }
            }
            SourceEvent::Frame(f) => return Ok(f),
            SourceEvent::Packet(p) if p.track == Track::Video => {
                units += 1;
                let Some(mut d) = decoder.take() else {
                    match refused.take() {
                        Some(e) => return Err(e),
                        None if units > MOST_UNITS => return Err(nothing()),
                        None => continue,
                    }
                };
                let (d, decoded) = aside(move || {
                    let decoded = decode(&mut *d, &p);
                    Ok((d, decoded))
                })
                .await?;
                decoder = Some(d);
                match decoded {
                    Ok(Some(f)) => return Ok(f),
                    Ok(None) if units > MOST_UNITS => return Err(nothing()),
                    // A damaged picture: the decoder goes on at the next keyframe.
                    Err(e) if units > MOST_UNITS => return Err(e),
                    _ => {}
                }
            }
            SourceEvent::End => return Err(Error::new(ErrorKind::Closed, "the stream ended before its first picture")),
            SourceEvent::Packet(_) | SourceEvent::Lost(_) => {}
        }
    }
}

fn nothing() -> Error {
    Error::new(ErrorKind::Media, format!("none of the first {MOST_UNITS} pictures could be decoded"))
        .next("choose another H.264 profile on the camera")
}

fn decode(decoder: &mut dyn VideoDecoder, packet: &Packet) -> Result<Option<Frame>> {
    let mut first = None;
    decoder.decode(packet, &mut |f| {
        first.get_or_insert(f);
    })?;
    Ok(first)
}

/// Off the runtime's threads; foreign code on a peer's data may panic, which costs this check alone.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Codec, "the decoder panicked on this stream")
            .next("choose another H.264 profile on the camera, and report this"))
    })
}

/// Watches until two keyframes were seen or the time is over; gives the error that ended it earlier.
async fn measure(source: &mut dyn Source, length: MediaTime, clock: &dyn Clock, seen: &mut Seen) -> Option<Error> {
    let began = clock.now();
    loop {
        let watched = clock.now() - began;
        let left = length - watched;
        if left <= MediaTime::ZERO || (seen.keyframes >= 2 && watched >= LEAST_WATCH) {
            return None;
        }
        match timeout(left.to_duration(), source.next()).await {
            Err(_) | Ok(Ok(SourceEvent::End)) => return None,
            Ok(Ok(e)) => seen.event(clock.now(), &e),
            Ok(Err(e)) => return Some(e),
        }
    }
}

fn verdict(report: &ProbeReport, seen: &Seen, broke: Option<Error>, decoded: bool, rec: &mut Recorder<'_>) {
    let Some(v) = &report.video else {
        rec.failed(&Error::new(ErrorKind::Media, "the stream has no picture's parameters"));
        return;
    };
    let whole = seen.keyframes >= 2;
    let rate = v.measured_fps.map_or("rate unknown".to_owned(), |f| format!("{f:.2} frames per second"));
    let gop = match (v.gop_frames, v.gop_secs) {
        (Some(n), Some(s)) if whole => format!(", a keyframe every {n} frames ({s:.1} s)"),
        (Some(n), Some(s)) => format!(", keyframes more than {n} frames ({s:.1} s) apart"),
        _ => String::new(),
    };
    let said = format!("{} {} {}x{}, {rate}{gop}, {} kbit/s", v.codec, v.profile, v.width, v.height, v.bitrate_kbps);
    match (broke, v.declared_fps.zip(v.measured_fps)) {
        (Some(e), _) => rec.warned(
            format!("{said}; the stream broke off after {:.1} s: {}", report.watched_secs, e.what()),
            "try again; if it breaks off each time, restart the camera and look at its network cable",
        ),
        (None, Some((says, sends))) if (says - sends).abs() > says * RATE_OFF => rec.warned(
            format!("{said} ({says:.2} declared)"),
            "the program keeps its own rate; a longer exposure in the dark lowers a camera's rate",
        ),
        _ => rec.passed(said),
    }
    rec.begin(StepName::Audio);
    let audio = report.audio.as_ref().map(|a| SoundFacts {
        codec: a.codec,
        sample_rate: a.sample_rate,
        channels: a.channels,
        heard: a.packets > 0,
    });
    match &audio {
        None => rec.skipped("no sound that is understood here"),
        Some(a) => {
            let said = format!("{} {} Hz, {} channels", a.codec, a.sample_rate, a.channels);
            if a.heard {
                rec.passed(said);
            } else {
                rec.warned(format!("{said}, announced and not sent"), "switch the microphone on in the camera");
            }
        }
    }
    let facts = rec.facts();
    facts.ok = decoded;
    facts.advice.extend(report.advice.iter().cloned());
    facts.stream = Some(StreamFacts {
        address: report.source.clone(),
        codec: v.codec,
        profile: v.profile.clone(),
        level: v.level.clone(),
        width: v.width,
        height: v.height,
        first_picture_secs: report.first_picture_secs,
        declared_fps: v.declared_fps,
        measured_fps: v.measured_fps,
        gop_frames: v.gop_frames,
        gop_secs: v.gop_secs,
        gop_whole: whole,
        b_frames: v.b_frames,
        bitrate_kbps: v.bitrate_kbps,
        audio,
    });
}
