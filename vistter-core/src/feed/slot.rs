//! The newest pictures of one camera, picked by time.

use std::collections::VecDeque;

use crate::media::Frame;
use crate::time::MediaTime;

/// Pictures are kept for the program's delay and this much more; older ones are overwritten.
const BEYOND_DELAY: MediaTime = MediaTime::from_millis(300);
/// Pictures kept at most, whatever their times say.
const MAX_PICTURES: usize = 96;
/// Pictures kept at least: a slow camera's newest.
const MIN_PICTURES: usize = 3;

/// A picture for a tick.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The picture.
    pub frame: Frame,
    /// Its time on the program clock.
    pub time: MediaTime,
    /// Number of the picture since the slot was made: two picks with the same number are the same picture.
    pub number: u64,
    /// Pictures passed over since the last pick.
    pub skipped: u64,
}

/// A few pictures by time. Adding one beyond the bound overwrites the oldest: latency cannot build up.
#[derive(Debug, Default)]
pub struct Slot {
    pictures: VecDeque<(MediaTime, u64, Frame)>,
    next_number: u64,
    last: Option<u64>,
    keep: MediaTime,
}

impl Slot {
    /// An empty slot for a program that runs `delay` behind its cameras.
    pub fn new(delay: MediaTime) -> Self {
        Self { keep: delay + BEYOND_DELAY, ..Self::default() }
    }
    /// Adds the newest picture with its time on the program clock. One that is not later than the newest starts anew:
    /// the camera's clock was re-anchored.
    pub fn push(&mut self, time: MediaTime, frame: Frame) {
        if self.pictures.back().is_some_and(|(t, ..)| *t >= time) {
            self.pictures.clear();
        }
        self.pictures.push_back((time, self.next_number, frame));
        while self.pictures.len() > MAX_PICTURES
            || (self.pictures.len() > MIN_PICTURES
                && self.pictures.front().is_some_and(|(t, ..)| time - *t > self.keep))
        {
            self.pictures.pop_front();
        }
        self.next_number += 1;
    }
    /// Drops all pictures.
    pub fn clear(&mut self) {
        self.pictures.clear();
        self.last = None;
    }
    /// Time of the newest picture.
    pub fn newest(&self) -> Option<MediaTime> {
        self.pictures.back().map(|(t, ..)| *t)
    }
    /// The newest picture with its time; not picked by it.
    pub fn newest_picture(&self) -> Option<(MediaTime, Frame)> {
        self.pictures.back().map(|(t, _, f)| (*t, f.clone()))
    }
    /// Time of the oldest picture that is kept.
    pub fn oldest(&self) -> Option<MediaTime> {
        self.pictures.front().map(|(t, ..)| *t)
    }
    fn mean_interval(&self) -> MediaTime {
        match (self.pictures.front(), self.pictures.back()) {
            (Some(a), Some(b)) if self.pictures.len() > 1 => {
                MediaTime::from_nanos((b.0 - a.0).nanos() / (self.pictures.len() as i64 - 1))
            }
            _ => MediaTime::MAX,
        }
    }
    /// The picture for `target`: the newest that is not later.
    ///
    /// When camera and program run at the same rate with their phases nearly equal, that rule alone would repeat one
    /// picture and skip the next with each wobble of the camera clock. So a picture that is late or early by less than
    /// `slack` (about half a frame) follows its predecessor instead: one picture per tick, in order.
    pub fn pick(&mut self, target: MediaTime, slack: MediaTime) -> Option<Picked> {
        let mut last = self.last;
        let picked = self.pick_for(&mut last, target, slack);
        self.last = last;
        picked
    }
    /// The same for somebody else who looks at this camera: `last` is the number that was picked for it before.
    pub fn pick_for(&self, last: &mut Option<u64>, target: MediaTime, slack: MediaTime) -> Option<Picked> {
        // Only for a camera that is not faster than the program: from a faster one, pictures have to be passed over.
        let keeps_step = self.mean_interval() > slack + MediaTime::from_nanos(slack.nanos() / 2);
        let by_time = self.pictures.iter().rposition(|(t, ..)| *t <= target);
        let next = last.and_then(|l| self.pictures.iter().position(|(_, n, _)| *n == l + 1));
        let at = match (by_time, next) {
            // The next one is due within the slack: take it now rather than repeat.
            (Some(b), Some(n)) if n == b + 1 && self.pictures[n].0 <= target + slack => n,
            // Time has passed the next one by less than the slack: do not skip it.
            (Some(b), Some(n)) if b == n + 1 && keeps_step && self.pictures[b].0 + slack >= target => n,
            (Some(b), _) => b,
            // All are in the future: the first one, unless it is far off.
            (None, _) => 0,
        };
        let (time, number, frame) = self.pictures.get(at)?;
        let skipped = last.map_or(0, |l| number.saturating_sub(l + 1));
        *last = Some(*number);
        Some(Picked { frame: frame.clone(), time: *time, number: *number, skipped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;

    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;
    const US: fn(i64) -> MediaTime = |u| MediaTime::from_nanos(u * 1000);

    fn frame() -> Frame {
        FramePool::new(2, 2, 1).unwrap().take().freeze()
    }

    #[test]
    fn equal_rates_give_each_picture_once_at_any_phase() {
        for phase in (0..33_333).step_by(500) {
            let mut s = Slot::new(MS(100));
            let mut last = None;
            for i in 0..400i64 {
                let wobble = [0, 900, -700, 300, -1100][(i % 5) as usize];
                s.push(US(i * 33_333 + phase + wobble), frame());
                if i < 5 {
                    continue;
                }
                let p = s.pick(US((i - 3) * 33_333), US(15_000)).unwrap();
                if let Some(l) = last {
                    assert_eq!(p.number, l + 1, "phase {phase} frame {i}");
                }
                last = Some(p.number);
            }
        }
    }
    #[test]
    fn a_slower_camera_repeats_and_a_faster_one_skips() {
        let mut s = Slot::new(MS(100));
        let numbers = |s: &mut Slot, src_us: i64, ticks: i64| {
            let mut out = Vec::new();
            let mut pushed = 0;
            for t in 0..ticks {
                while pushed * src_us <= t * 33_333 + 60_000 {
                    s.push(US(1_000_000 + pushed * src_us), frame());
                    pushed += 1;
                }
                out.push(s.pick(US(1_000_000 + t * 33_333), US(15_000)).unwrap().number);
            }
            out
        };
        let n = numbers(&mut s, 66_666, 60);
        assert!((28..=32).contains(&n.last().copied().unwrap()), "{n:?}");
        for (interval, steps) in [(16_666, 2..=2), (20_000, 1..=2)] {
            let mut s = Slot::new(MS(100));
            let n = numbers(&mut s, interval, 60);
            assert!(n[3..].windows(2).all(|w| steps.contains(&(w[1] - w[0]))), "an even pace: {n:?}");
        }
    }
    #[test]
    fn who_else_looks_changes_nothing() {
        let mut s = Slot::new(MS(100));
        let mut other = None;
        for i in 0..60 {
            s.push(US(i * 33_333), frame());
            let target = US(i * 33_333 - 66_000);
            let mine = s.pick(target, US(15_000)).unwrap().number;
            assert_eq!(s.pick_for(&mut other, target, US(15_000)).unwrap().number, mine);
            assert_eq!(s.pick_for(&mut other, target, US(0)).unwrap().number, mine);
        }
    }
    #[test]
    fn an_older_picture_starts_anew() {
        let mut s = Slot::new(MS(100));
        s.push(MS(100), frame());
        s.push(MS(50), frame());
        assert_eq!(s.newest(), Some(MS(50)));
        assert!(Slot::new(MS(100)).pick(MS(0), MS(1)).is_none());
    }
}
