//! The last moments of a camera's sound, still compressed.

use std::collections::VecDeque;

use crate::media::{AudioParams, Packet};
use crate::time::MediaTime;

/// Sound is kept for the program's delay and this much more.
const BEYOND_DELAY: MediaTime = MediaTime::from_millis(1500);
/// Packets kept at most, whatever their times say.
const MAX_PACKETS: usize = 512;
/// The steps in which sound is held back, so that it does not jump with each jitter.
const STEP: MediaTime = MediaTime::from_millis(50);
/// Sound is not held back by more than this: later packets are lost.
const MAX_BACK: MediaTime = MediaTime::from_millis(1000);
/// How long packets must have been on time before sound is held back less.
const FORGET: MediaTime = MediaTime::from_secs(30);

/// Audio packets with program times, newest last; the oldest are overwritten.
#[derive(Debug, Default)]
pub(crate) struct AudioTail {
    /// What the packets are.
    pub(crate) params: Option<AudioParams>,
    packets: VecDeque<(u64, Packet)>,
    next: u64,
    delay: MediaTime,
    /// How much later than the picture of its time sound is played.
    back: MediaTime,
    /// The most that was needed since `since`, and in the span before it.
    needed: [MediaTime; 2],
    since: MediaTime,
}

impl AudioTail {
    /// For a program that runs `delay` behind its cameras.
    pub(crate) fn new(delay: MediaTime) -> Self {
        Self { delay, ..Self::default() }
    }
    /// Adds a packet that arrives at `now`, whose `pts` is on the program clock.
    ///
    /// Cameras gather several packets, or encode sound more slowly than pictures. What arrives later than the program's
    /// delay can never be on time, and would alternate with silence: so all sound is held back as far as the latest needs.
    pub(crate) fn push(&mut self, now: MediaTime, p: Packet) {
        // a packet ahead of its time: a mix needs the next one too (`program/mixer.rs`), and nothing may jump when it begins
        self.hold_back(now, (now - p.pts) + p.duration + p.duration - self.delay);
        if self.packets.back().is_some_and(|(_, l)| p.pts + MediaTime::SECOND < l.pts) {
            self.packets.clear();
        }
        let newest = p.pts;
        self.packets.push_back((self.next, p));
        self.next += 1;
        while self.packets.len() > MAX_PACKETS
            || self.packets.front().is_some_and(|(_, f)| newest - f.pts > self.delay + BEYOND_DELAY + self.back)
        {
            self.packets.pop_front();
        }
    }
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
        (self.back, self.needed) = (MediaTime::ZERO, [MediaTime::ZERO; 2]);
    }
    /// How much later than the picture of its time sound is played.
    pub(crate) fn held_back(&self) -> MediaTime {
        self.back
    }
    fn hold_back(&mut self, now: MediaTime, need: MediaTime) {
        if now - self.since >= FORGET {
            self.needed = [MediaTime::ZERO, self.needed[0]];
            self.since = now;
        }
        self.needed[0] = self.needed[0].max(need).min(MAX_BACK);
        let most = self.needed[0].max(self.needed[1]).nanos();
        let back = MediaTime::from_nanos((most + STEP.nanos() - 1) / STEP.nanos() * STEP.nanos());
        // Two steps lower, or it would go to and fro.
        if back > self.back || back + STEP < self.back {
            self.back = back;
        }
    }
    /// The packet for `target`: the one after `last` when it is no further off than `slack`, else the nearest one.
    /// `None` when none is within `slack`.
    pub(crate) fn pick(&self, last: Option<u64>, target: MediaTime, slack: MediaTime) -> Option<(u64, &Packet)> {
        let target = target - self.back;
        let near = |p: &Packet| p.pts.abs_diff(target) <= slack;
        if let Some(l) = last
            && let Some((n, p)) = self.packets.iter().find(|(n, _)| *n == l + 1)
            && near(p)
        {
            return Some((*n, p));
        }
        self.packets
            .iter()
            .filter(|(n, p)| last.is_none_or(|l| *n > l) && near(p))
            .min_by_key(|(_, p)| p.pts.abs_diff(target))
            .map(|(n, p)| (*n, p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use bytes::Bytes;

    fn at(us: i64) -> Packet {
        let t = MediaTime::from_nanos(us * 1000);
        Packet { track: Track::Audio, data: Bytes::new(), pts: t, dts: t, duration: MediaTime::ZERO, keyframe: true }
    }

    #[test]
    fn follows_in_order_and_resynchronises() {
        let mut a = AudioTail::new(MediaTime::SECOND);
        for i in 0..50 {
            a.push(at(i * 21_333).pts, at(i * 21_333));
        }
        let slack = MediaTime::from_millis(32);
        let (n, _) = a.pick(None, MediaTime::from_nanos(20 * 21_333_000 + 5_000_000), slack).unwrap();
        assert_eq!(n, 20);
        let (n, _) = a.pick(Some(20), MediaTime::from_nanos(21 * 21_333_000 + 25_000_000), slack).unwrap();
        assert_eq!(n, 21, "in order while within the slack");
        let (n, _) = a.pick(Some(21), MediaTime::from_nanos(30 * 21_333_000), slack).unwrap();
        assert_eq!(n, 30, "nearest when out of step");
        assert!(a.pick(Some(49), MediaTime::from_nanos(51 * 21_333_000), slack).is_none());
    }
    /// Plays `count` packets that arrive `late(i)` ms after their time to a program with 100 ms of delay; the share that
    /// is heard, after the first `skip`.
    fn heard(count: i64, skip: i64, late: impl Fn(i64) -> i64) -> (f64, AudioTail) {
        let mut a = AudioTail::new(MediaTime::from_millis(100));
        let (mut pushed, mut last, mut got) = (0, None, 0);
        for i in 0..count {
            let now = MediaTime::from_nanos(i * 21_333_000);
            while pushed < count && at(pushed * 21_333).pts + MediaTime::from_millis(late(pushed)) <= now {
                a.push(now, at(pushed * 21_333));
                pushed += 1;
            }
            if let Some((n, _)) = a.pick(last, now - MediaTime::from_millis(100), MediaTime::from_millis(32)) {
                last = Some(n);
                got += i64::from(i >= skip);
            }
        }
        (got as f64 / (count - skip) as f64, a)
    }
    #[test]
    fn late_sound_is_held_back_and_heard_whole() {
        for late in [0, 60, 95, 110, 250, 700] {
            let (share, a) = heard(2000, 100, |_| late);
            assert!(share > 0.999, "{late} ms late: {share}");
            assert!(a.held_back().millis() <= (late - 100 + 72).max(0), "{late} ms late: {:?}", a.held_back());
        }
        let (share, _) = heard(2000, 100, |i| 60 + (i * 7919) % 90);
        assert!(share > 0.999, "jitter about the delay: {share}");
        let (share, _) = heard(2000, 100, |i| 260 - (i % 8) * 21);
        assert!(share > 0.999, "eight packets at once: {share}");
        let (share, a) = heard(2000, 100, |_| 5000);
        assert!(share == 0.0 && a.held_back() <= MAX_BACK, "sound of five seconds ago is not for this picture");
    }
    #[test]
    fn a_mix_that_asks_a_packet_ahead_hears_it_whole() {
        let packet = MediaTime::from_nanos(21_333_000);
        for late in [22, 50, 60, 78, 95, 110, 250] {
            let mut a = AudioTail::new(MediaTime::from_millis(100));
            let (mut pushed, mut last, mut missed) = (0, None, 0);
            for i in 0..2000 {
                let now = MediaTime::from_nanos(i * 21_333_000);
                while at(pushed * 21_333).pts + MediaTime::from_millis(late) <= now {
                    a.push(now, Packet { duration: packet, ..at(pushed * 21_333) });
                    pushed += 1;
                }
                let target = now - MediaTime::from_millis(100) + packet;
                match a.pick(last, target, MediaTime::from_millis(32)) {
                    Some((n, _)) => last = Some(n),
                    None => missed += u32::from(i > 50),
                }
            }
            assert_eq!(missed, 0, "{late} ms late");
        }
    }
    #[test]
    fn sound_that_is_on_time_again_is_not_held_back_for_ever() {
        let (_, a) = heard(20_000, 100, |i| if i < 500 { 300 } else { 20 });
        assert_eq!(a.held_back(), MediaTime::ZERO);
    }
    #[test]
    fn bounded() {
        let mut a = AudioTail::new(MediaTime::SECOND);
        for i in 0..10_000 {
            a.push(at(i * 1000).pts, at(i * 1000));
        }
        assert!(a.packets.len() <= MAX_PACKETS);
    }
}
