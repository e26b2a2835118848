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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{AudioParams, Codec, VideoParams};
    use crate::time::FrameRate;
    use bytes::Bytes;
    use mp4_atom::{DecodeMaybe, Moof};
    use proptest::prelude::*;

    fn params() -> StreamParams {
        let config = crate::media::h264::avcc_record(&[0x67, 66, 0xc0, 30, 1], &[0x68, 1, 2]).unwrap();
        let video = VideoParams {
            config,
            declared_fps: Some(FrameRate::FPS_30),
            rfc6381: "avc1.42c01e".into(),
            ..VideoParams::h264(640, 360)
        };
        let config = Bytes::from_static(&[0x11, 0x90]);
        let audio = AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config };
        StreamParams { video: Some(video), audio: Some(audio) }
    }
    fn packet(track: Track, ms: i64, keyframe: bool) -> Packet {
        let t = MediaTime::from_millis(ms);
        Packet { track, data: Bytes::from(vec![7; 50]), pts: t, dts: t, duration: MediaTime::ZERO, keyframe }
    }
    /// Per track: `(decode time, duration)` of each sample of a fragment.
    fn times(fragment: &[u8]) -> Vec<(u32, Vec<(u64, u64)>)> {
        let moof = Moof::decode_maybe(&mut &fragment[..]).unwrap().unwrap();
        let run = |t: &mp4_atom::Traf| {
            let mut at = t.tfdt.as_ref().unwrap().base_media_decode_time;
            let default = if t.tfhd.track_id == 1 { 1000 } else { 1024 };
            let each = t.trun[0].samples.iter().map(|e| {
                let d = e.duration.map_or(default, u64::from);
                at += d;
                (at - d, d)
            });
            (t.tfhd.track_id, each.collect())
        };
        moof.traf.iter().map(run).collect()
    }

    #[test]
    fn fragments_begin_at_keyframes_and_last_a_second() {
        let mut m = Mp4Muxer::new(&params()).unwrap();
        let mut starts = Vec::new();
        for n in 0..150 {
            let ms = n * 40; // a keyframe every 1.6 s
            if let Some(f) = m.push(&packet(Track::Video, ms, n % 40 == 0)).unwrap() {
                starts.push(times(&f)[0].1[0].0 / 30);
            }
        }
        assert_eq!(starts, [0, 1000, 1600, 2600, 3200, 4200, 4800], "milliseconds");
    }

    #[test]
    fn pictures_that_stop_do_not_hold_the_sound_back() {
        let mut m = Mp4Muxer::new(&params()).unwrap();
        m.push(&packet(Track::Video, 0, true)).unwrap();
        let cuts = (0..300).filter(|n| m.push(&packet(Track::Audio, n * 21, true)).unwrap().is_some()).count();
        assert_eq!(cuts, 4, "every one and a half seconds of six");
        let last = m.finish().unwrap().unwrap();
        assert_eq!(times(&last).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    }

    proptest! {
        #[test]
        fn time_never_goes_back_and_nothing_is_lost(
            steps in proptest::collection::vec((any::<bool>(), -200i64..3000, any::<bool>()), 1..200),
            jump in -100_000_000_000_000i64..100_000_000_000_000,
        ) {
            let mut m = Mp4Muxer::new(&params()).unwrap();
            let (mut t, mut taken, mut fragments) = (0, 0, Vec::new());
            for (i, (video, step, key)) in steps.into_iter().enumerate() {
                t += if i == 50 { jump } else { step };
                let track = if video { Track::Video } else { Track::Audio };
                let started = m.base.is_some();
                let before_start = started && packet(track, t, key).dts < m.base.unwrap();
                taken += usize::from((started || video && key) && !before_start);
                fragments.extend(m.push(&packet(track, t, key)).unwrap());
            }
            fragments.extend(m.finish().unwrap());
            let mut all: [Vec<(u64, u64)>; 2] = Default::default();
            for f in &fragments {
                for (id, samples) in times(f) {
                    all[id as usize - 1].extend(samples);
                }
            }
            prop_assert_eq!(taken, all[0].len() + all[1].len());
            for track in &all {
                prop_assert!(track.windows(2).all(|w| w[1].0 > w[0].0), "{:?}", track);
            }
        }
    }
}
