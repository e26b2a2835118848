//! A video file's sound at the program's rate: any sample of a play, the same however it is reached.

use std::ops::Range;
use std::sync::Arc;

use super::SoundFeed;
use super::resample::Resampler;
use super::voice::{FADE, fade};
use crate::codec::AacDecoder;
use crate::error::{Error, ErrorKind, Result};
use crate::media::AudioBuffer;
use crate::media::mp4::{Playback, SOUND_PACKET, VideoFile};
use crate::ports::AudioDecoder;

/// Decoded samples that are kept behind.
const BEHIND: i64 = 4 * SOUND_PACKET;

/// Reads, decodes, resamples.
pub(super) struct Tape {
    file: Arc<VideoFile>,
    how: Playback,
    decoder: AacDecoder,
    resampler: Resampler,
    heard: Range<i64>,
    /// Stereo, at the file's own rate; the first one has this number.
    decoded: Vec<f32>,
    first: i64,
    /// The packet that is decoded next.
    next: usize,
    /// How far it is from the end of a play to what follows at this position.
    leap: Option<(i64, [f32; 2])>,
    trouble: Option<Error>,
    /// Damage has been told.
    told: bool,
}

impl Tape {
    /// # Errors
    /// The file has no sound, or there is no decoder for it.
    pub(super) fn new(file: Arc<VideoFile>, how: Playback) -> Result<Self> {
        let Some(track) = file.sound() else {
            return Err(Error::new(ErrorKind::Internal, "a video was asked for sound that it has not"));
        };
        let (decoder, resampler) = (AacDecoder::new(track.params())?, Resampler::new(track.params().sample_rate));
        let heard = track.heard();
        let mut me = Self {
            file,
            how,
            decoder,
            resampler,
            heard,
            decoded: Vec::new(),
            first: 0,
            next: 0,
            leap: None,
            trouble: None,
            told: false,
        };
        me.seek(me.heard.start);
        Ok(me)
    }

    /// Stereo samples from a position of the play on.
    ///
    /// Where the end of one play meets the beginning of the next, what differs between them fades out: a loop that is meant
    /// to go on does, and another does not click.
    pub(super) fn read(&mut self, position: i64, out: &mut [f32]) {
        let (mut at, mut out) = (position, out);
        while !out.is_empty() {
            let Some(h) = self.file.heard(at, self.how) else {
                out.fill(0.0);
                if let Some(since) = self.file.silent_from(self.how).map(|end| at.saturating_sub(end))
                    && (0..FADE).contains(&since)
                {
                    let leap = self.leap(at.saturating_sub(since), None);
                    add_fading(out, leap, since);
                }
                return;
            };
            let n = (out.len() / 2).min(usize::try_from(h.left).unwrap_or(usize::MAX)).max(1);
            let (now, rest) = out.split_at_mut((2 * n).min(out.len()));
            self.clip(h.from, now);
            if h.again && h.since < FADE {
                let leap = self.leap(at.saturating_sub(h.since), Some(h.from.saturating_sub(h.since)));
                add_fading(now, leap, h.since);
            }
            at = at.saturating_add(n as i64);
            out = rest;
        }
    }

    /// Where there is nothing any more.
    pub(super) fn ends(&self) -> Option<i64> {
        self.file.silent_from(self.how).map(|end| end.saturating_add(FADE))
    }

    /// How far it is from the play that ends before a position to the sample of the file that follows; to silence when none
    /// does.
    fn leap(&mut self, position: i64, follows: Option<i64>) -> [f32; 2] {
        if let Some((_, known)) = self.leap.filter(|(at, _)| *at == position) {
            return known;
        }
        let (mut last, mut first) = ([0.0; 4], [0.0; 2]);
        if let Some(h) = self.file.heard(position.saturating_sub(1), self.how) {
            self.clip(h.from.saturating_sub(1), &mut last);
        }
        if let Some(from) = follows {
            self.clip(from, &mut first);
        }
        // from where the last two samples lead
        let leap = [0, 1].map(|c| 2.0 * last[2 + c] - last[c] - first[c]);
        self.leap = Some((position, leap));
        leap
    }

    /// Stereo samples of the file.
    fn clip(&mut self, from: i64, out: &mut [f32]) {
        let (begin, end) = self.resampler.needs(from, out.len() / 2);
        self.reach(begin, end);
        self.resampler.make(from, out, (&self.decoded, self.first), &self.heard);
    }

    /// Number of the sample behind the decoded ones.
    fn end(&self) -> i64 {
        self.first.saturating_add((self.decoded.len() / 2) as i64)
    }

    /// Makes sure that what there is of these samples is decoded.
    fn reach(&mut self, begin: i64, end: i64) {
        let file = self.file.clone();
        let Some(track) = file.sound() else { return };
        let Range { start, end: last } = self.heard;
        if end <= start || begin >= last.saturating_add(2 * SOUND_PACKET) {
            return;
        }
        // behind the last sample that one fades out
        let begin = begin.clamp(start, last.saturating_sub(1));
        let end = end.clamp(begin.saturating_add(1), last);
        if begin < self.first || (begin > self.end() && track.packet_at(begin) >= self.next) {
            self.seek(begin);
        }
        let behind = begin.saturating_sub(self.first);
        if behind > BEHIND && behind <= (self.decoded.len() / 2) as i64 {
            self.decoded.drain(..2 * behind as usize);
            self.first = begin;
        }
        while self.end() < end {
            let Some(start) = track.begin_of(self.next) else { return };
            let gap = start.min(end).saturating_sub(self.end());
            if gap > 0 {
                self.decoded.resize(self.decoded.len() + 2 * gap as usize, 0.0);
                continue;
            }
            let sound = self.decode(self.next);
            self.next += 1;
            let heard = self.heard.clone();
            let count = sound.as_ref().map_or(1, |s| usize::from(s.channels.max(1)));
            for i in 0..SOUND_PACKET {
                let at = |c: usize| {
                    let s = sound.as_ref().filter(|_| heard.contains(&start.saturating_add(i)))?;
                    s.samples.get(i as usize * count + c.min(count - 1)).copied().filter(|v| v.is_finite())
                };
                self.decoded.extend([0, 1].map(|c| at(c).unwrap_or(0.0)));
            }
        }
    }

    /// Goes on at a sample; the packet before it is decoded too, because packets overlap.
    fn seek(&mut self, sample: i64) {
        let file = self.file.clone();
        let Some(track) = file.sound() else { return };
        self.decoded.clear();
        let at = track.packet_at(sample);
        let begin = track.begin_of(at).unwrap_or(0);
        let over = begin.saturating_add(SOUND_PACKET) <= sample;
        (self.next, self.first) = if over { (at + 1, sample) } else { (at, begin) };
        if let Some(before) = self.next.checked_sub(1) {
            self.decode(before);
        }
    }

    fn decode(&mut self, packet: usize) -> Option<AudioBuffer> {
        let rate = self.file.sound().map(|s| s.params().sample_rate);
        let decoded = self.file.sound_packet(packet).and_then(|p| self.decoder.decode(&p)).and_then(|s| {
            let whole = s.samples.len() == SOUND_PACKET as usize * usize::from(s.channels.max(1));
            if whole && Some(s.sample_rate) == rate {
                return Ok(s);
            }
            Err(Error::new(ErrorKind::Media, "the sound is not what the file says"))
        });
        decoded.map_err(|e| self.complain(&e)).ok()
    }

    fn complain(&mut self, e: &Error) {
        if !std::mem::replace(&mut self.told, true) {
            let e = Error::new(e.kind(), format!("the sound of a video has damage: {}", e.what()));
            self.trouble = Some(e.next("export the clip again, with AAC-LC"));
        }
    }

    pub(super) fn take_trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }
}

/// Adds what fades out, from so many samples after it began to.
fn add_fading(out: &mut [f32], leap: [f32; 2], since: i64) {
    for (t, two) in (since..FADE).zip(out.chunks_exact_mut(2)) {
        let part = fade(t);
        two.iter_mut().zip(leap).for_each(|(v, l)| *v += l * part);
    }
}

/// For a renderer that takes the time it needs.
impl SoundFeed for Tape {
    fn sound_at(&mut self, position: i64, out: &mut [f32]) -> usize {
        self.read(position, out);
        out.len() / 2
    }
    fn ends(&self) -> Option<i64> {
        Self::ends(self)
    }
    fn trouble(&mut self) -> Option<Error> {
        self.take_trouble()
    }
}
