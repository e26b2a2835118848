//! The sound of one layer on its way into the program: its level, and no clicks.

use super::SoundFeed;
use crate::error::Error;

/// Samples in which what jumps fades out: 5 ms.
pub(super) const FADE: i64 = 240;

/// How much of the way to another level is gone in one sample: most of it in 10 ms.
const GLIDE: f32 = 1.0 / 400.0;
/// Levels are the same when they differ by less.
const SAME: f32 = 1e-4;

/// How much is left of a jump so many samples after it.
pub(super) fn fade(since: i64) -> f32 {
    let t = (since + 1) as f32 / (FADE + 1) as f32;
    if t < 1.0 { 0.5 + 0.5 * (std::f32::consts::PI * t).cos() } else { 0.0 }
}

/// A feed's sound at a level. Wherever it begins, ends or jumps, the difference fades out.
pub struct Voice {
    feed: Box<dyn SoundFeed>,
    /// The position that goes on where it was.
    next: Option<i64>,
    level: f32,
    /// The last sample that was heard.
    last: [f32; 2],
    /// The last jump, and samples since.
    jump: [f32; 2],
    since: i64,
    room: Vec<f32>,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice").field("next", &self.next).field("level", &self.level).finish_non_exhaustive()
    }
}

impl Voice {
    /// The voice of a feed.
    pub fn new(feed: Box<dyn SoundFeed>) -> Self {
        let room = Vec::with_capacity(2 * 1024);
        Self { feed, next: None, level: 0.0, last: [0.0; 2], jump: [0.0; 2], since: FADE, room }
    }

    /// Adds the sound from a position of the feed on, to stereo samples, at a level to which it glides. False when it added
    /// nothing.
    pub fn add(&mut self, position: i64, level: f32, out: &mut [f32]) -> bool {
        let on = self.next == Some(position);
        if !on || (self.level - level).abs() < SAME {
            self.level = level;
        }
        if (self.level == 0.0 && level == 0.0) || self.feed.ends().is_some_and(|end| position >= end) {
            return self.rest(out);
        }
        let count = out.len() / 2;
        self.room.clear();
        self.room.resize(2 * count, 0.0);
        let there = self.feed.sound_at(position, &mut self.room).min(count);
        // silence that was not meant is a jump at both ends
        let mut jumps = !on;
        for (i, (two, new)) in out.chunks_exact_mut(2).zip(self.room.chunks_exact(2)).enumerate() {
            jumps |= i == there;
            self.level += (level - self.level) * GLIDE;
            let gain = if i < there { self.level } else { 0.0 };
            let now = [new[0] * gain, new[1] * gain];
            if std::mem::take(&mut jumps) {
                self.jump = [self.last[0] - now[0], self.last[1] - now[1]];
                self.since = 0;
            }
            let part = fade(self.since);
            self.since = self.since.saturating_add(1);
            self.last = [now[0] + self.jump[0] * part, now[1] + self.jump[1] * part];
            two.iter_mut().zip(self.last).for_each(|(v, l)| *v += l);
        }
        self.next = (there == count).then(|| position.saturating_add(count as i64));
        true
    }

    /// It is not heard here; what is left of it fades out. False when it added nothing.
    pub fn rest(&mut self, out: &mut [f32]) -> bool {
        if self.next.take().is_some() {
            (self.jump, self.since) = (self.last, 0);
        }
        if self.since >= FADE {
            self.last = [0.0; 2];
            return false;
        }
        for two in out.chunks_exact_mut(2) {
            let part = fade(self.since);
            self.since = self.since.saturating_add(1);
            self.last = [self.jump[0] * part, self.jump[1] * part];
            two.iter_mut().zip(self.last).for_each(|(v, l)| *v += l);
        }
        true
    }

    /// What has gone wrong since this was asked last.
    pub fn trouble(&mut self) -> Option<Error> {
        self.feed.trouble()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tone, of which so many samples are there at a time.
    struct Tone(usize, Option<i64>);
    fn tone(i: i64) -> f32 {
        (i as f32 * 0.05).sin() * 0.5
    }
    impl SoundFeed for Tone {
        fn sound_at(&mut self, position: i64, out: &mut [f32]) -> usize {
            let n = self.0.min(out.len() / 2);
            for (i, two) in (position..).zip(out.chunks_exact_mut(2)).take(n) {
                two.fill(tone(i));
            }
            n
        }
        fn ends(&self) -> Option<i64> {
            self.1
        }
        fn trouble(&mut self) -> Option<Error> {
            None
        }
    }
    fn voice() -> Voice {
        Voice::new(Box::new(Tone(usize::MAX, None)))
    }
    /// The most that one sample differs from the one before.
    fn steepest(all: &[f32]) -> f32 {
        all.chunks_exact(2)
            .map(|t| t[0])
            .collect::<Vec<_>>()
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max)
    }

    #[test]
    fn what_goes_on_is_exact() {
        let mut v = voice();
        let mut out = vec![0.0; 2 * 4800];
        for (n, part) in (0..).zip(out.chunks_mut(2 * 300)) {
            assert!(v.add(n * 300, 0.5, part));
        }
        for (i, two) in (0..).zip(out.chunks_exact(2)).skip(FADE as usize) {
            assert!((two[0] - 0.5 * tone(i)).abs() < 1e-6, "{i}");
        }
        let mut quiet = [0.0; 64];
        assert!(!voice().rest(&mut quiet) && !voice().add(5, 0.0, &mut quiet) && quiet == [0.0; 64]);
        let mut over = Voice::new(Box::new(Tone(usize::MAX, Some(100))));
        assert!(!over.add(100, 1.0, &mut quiet), "it has ended");
    }

    proptest! {
        /// Whatever is done to it, it never clicks: a jump of the tone is a whole unit in one sample.
        #[test]
        fn it_never_clicks(list in proptest::collection::vec((0u8..4, 0i64..10_000, 0u8..3), 1..30)) {
            let mut v = voice();
            let (mut out, mut at) = (vec![0.0f32; 2], 0);
            for (what, to, level) in list {
                let mut part = vec![0.0; 2 * 500];
                match what {
                    0 => { v.rest(&mut part); }
                    1 => { at = to; }
                    2 => { v.feed = Box::new(Tone(to as usize % 600, None)); }
                    _ => { v.feed = Box::new(Tone(usize::MAX, None)); }
                }
                if what > 0 {
                    v.add(at, f32::from(level) / 2.0, &mut part);
                    at += 500;
                }
                out.extend(part);
            }
            let mut part = vec![0.0; 2 * 300];
            v.rest(&mut part);
            out.extend(&part);
            prop_assert_eq!(&out[out.len() - 20..], &[0.0; 20][..]);
            prop_assert!(steepest(&out) < 0.05, "{}", steepest(&out));
        }
    }
}
