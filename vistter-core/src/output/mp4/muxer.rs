//! Packets in, fragments of about a second out. Pure.

use std::mem;

use super::boxes::{self, Run, Sample, TrackInfo, TrackKind};
use crate::error::{Error, ErrorKind, Result};
use crate::media::{Packet, StreamParams, Track};
use crate::time::MediaTime;

/// A picture this long after the fragment's start begins a new one.
const FRAGMENT: MediaTime = MediaTime::SECOND;
/// A keyframe this long after the fragment's start begins a new one, so that fragments follow GOPs.
const AT_KEYFRAME: MediaTime = MediaTime::from_millis(500);
/// Any packet this long after the fragment's start ends it, when pictures have stopped.
const LATEST: MediaTime = MediaTime::from_millis(1500);
/// Bounds that no sane second of media reaches; they hold when time stands still.
const MAX_SAMPLES: usize = 2000;
const MAX_BYTES: usize = 64 << 20;
/// Ticks a second for video of unknown rate.
const VIDEO_TIMESCALE: u32 = 90_000;

/// Turns packets into a fragmented MP4: [`Self::init`] once, then what [`Self::push`] and [`Self::finish`] give.
///
/// Time zero of the file is the first keyframe; sound from before it is left out. Each packet's duration is the time to
/// the next one of its track, so a gap becomes a picture that stands, and sound stays in step.
#[derive(Debug)]
pub struct Mp4Muxer {
    init: Vec<u8>,
    tracks: Vec<TrackState>,
    has_video: bool,
    base: Option<MediaTime>,
    began: MediaTime,
    sequence: u32,
    bytes: usize,
}

#[derive(Debug)]
struct TrackState {
    info: TrackInfo,
    /// The newest packet and its decode time in ticks; its duration is not known yet.
    pending: Option<(Packet, i64)>,
    /// Decode time of `done[0]`, in ticks.
    start: i64,
    done: Vec<Sample>,
}

impl Mp4Muxer {
    /// A muxer for these tracks.
    ///
    /// # Errors
    /// `Unsupported` when a track is not H.264 or AAC or there is none, `Media` when its parameters are malformed.
    pub fn new(params: &StreamParams) -> Result<Self> {
        let mut infos = Vec::new();
        if let Some(v) = &params.video {
            // With the rate's own numerator as the clock, every duration is whole.
            let (timescale, default_duration) = match v.declared_fps {
                Some(f) => {
                    let k = if f.num() < 1000 { 1000 } else { 1 };
                    (f.num().saturating_mul(k), f.den().saturating_mul(k))
                }
                None => (VIDEO_TIMESCALE, VIDEO_TIMESCALE / 30),
            };
            infos.push(TrackInfo { id: 1, kind: TrackKind::Video(v.clone()), timescale, default_duration });
        }
        if let Some(a) = &params.audio {
            let timescale = a.sample_rate.max(1);
            infos.push(TrackInfo { id: 2, kind: TrackKind::Audio(a.clone()), timescale, default_duration: 1024 });
        }
        if infos.is_empty() {
            return Err(Error::new(ErrorKind::Unsupported, "there is neither picture nor sound to record"));
        }
        let init = boxes::init(&infos)?;
        let track = |info| TrackState { info, pending: None, start: 0, done: Vec::new() };
        Ok(Self {
            init,
            has_video: params.video.is_some(),
            tracks: infos.into_iter().map(track).collect(),
            base: None,
            began: MediaTime::ZERO,
            sequence: 0,
            bytes: 0,
        })
    }

    /// The start of the file: `ftyp` and `moov`.
    pub fn init(&self) -> &[u8] {
        &self.init
    }

    /// Takes a packet; gives a fragment when one is complete. Packets before the first keyframe are ignored.
    ///
    /// # Errors
    /// `Limit` when a fragment grows beyond what the format can say.
    pub fn push(&mut self, packet: &Packet) -> Result<Option<Vec<u8>>> {
        let video = packet.track == Track::Video;
        let base = match self.base {
            Some(b) => b,
            None if self.has_video && !(video && packet.keyframe) => return Ok(None),
            None => {
                self.began = packet.dts;
                *self.base.insert(packet.dts)
            }
        };
        let Some(t) = self.tracks.iter_mut().find(|t| t.info.track() == packet.track) else { return Ok(None) };
        let Some(added) = t.add(packet, base) else { return Ok(None) };
        self.bytes = self.bytes.saturating_add(added);

        let span = packet.dts - self.began;
        let due = (video || !self.has_video) && (span >= FRAGMENT || (packet.keyframe && video && span >= AT_KEYFRAME));
        let samples: usize = self.tracks.iter().map(|t| t.done.len()).sum();
        if due || span >= LATEST || samples >= MAX_SAMPLES || self.bytes >= MAX_BYTES {
            self.began = packet.dts;
            return self.cut();
        }
        Ok(None)
    }

    /// The last fragment, with everything that was pushed.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(&mut self) -> Result<Option<Vec<u8>>> {
        for t in &mut self.tracks {
            if let Some((p, dts)) = t.pending.take() {
                let own = p.duration.ticks(t.info.timescale);
                let duration = if own > 0 { own } else { t.info.default_duration.into() };
                t.complete(&p, dts, duration);
            }
        }
        self.cut()
    }

    fn cut(&mut self) -> Result<Option<Vec<u8>>> {
        let done: Vec<_> = self.tracks.iter_mut().map(|t| mem::take(&mut t.done)).collect();
        self.bytes = 0;
        let runs: Vec<Run<'_>> = self
            .tracks
            .iter()
            .zip(&done)
            .filter(|(_, samples)| !samples.is_empty())
            .map(|(t, samples)| Run { info: &t.info, start: u64::try_from(t.start).unwrap_or(0), samples })
            .collect();
        if runs.is_empty() {
            return Ok(None);
        }
        self.sequence = self.sequence.wrapping_add(1);
        boxes::fragment(self.sequence, &runs).map(Some)
    }
}

impl TrackState {
    /// Takes the packet as the newest one; gives the bytes it adds, or `None` when it lies before the file's start.
    fn add(&mut self, packet: &Packet, base: MediaTime) -> Option<usize> {
        let mut dts = (packet.dts - base).ticks(self.info.timescale);
        if dts < 0 {
            return None;
        }
        if let Some((p, before)) = self.pending.take() {
            // Time that stands or goes back would end playback in some players; one tick is the least step.
            dts = dts.max(before.saturating_add(1));
            self.complete(&p, before, dts - before);
        }
        self.pending = Some((packet.clone(), dts));
        Some(packet.data.len())
    }

    fn complete(&mut self, p: &Packet, dts: i64, duration: i64) {
        if self.done.is_empty() {
            self.start = dts;
        }
        let reorder = (p.pts - p.dts).ticks(self.info.timescale);
        self.done.push(Sample {
            data: p.data.clone(),
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            composition: i32::try_from(reorder).unwrap_or(0),
            sync: p.keyframe,
        });
    }
}
