//! The last moments of a camera's sound, still compressed.

use std::collections::VecDeque;

use crate::media::{AudioParams, Packet};
use crate::time::MediaTime;

/// Sound is kept for the program's delay and this much more.
const BEYOND_DELAY: MediaTime = MediaTime::from_millis(1500);
/// Packets kept at most, whatever their times say.
const MAX_PACKETS: usize = 512;

/// Audio packets with program times, newest last; the oldest are overwritten.
#[derive(Debug, Default)]
pub(crate) struct AudioTail {
    /// What the packets are.
    pub(crate) params: Option<AudioParams>,
    packets: VecDeque<(u64, Packet)>,
    next: u64,
    keep: MediaTime,
}

impl AudioTail {
    /// For a program that runs `delay` behind its cameras.
    pub(crate) fn new(delay: MediaTime) -> Self {
        Self { keep: delay + BEYOND_DELAY, ..Self::default() }
    }
    /// Adds a packet whose `pts` is on the program clock.
    pub(crate) fn push(&mut self, p: Packet) {
        if self.packets.back().is_some_and(|(_, l)| p.pts + MediaTime::SECOND < l.pts) {
            self.packets.clear();
        }
        let newest = p.pts;
        self.packets.push_back((self.next, p));
        self.next += 1;
        while self.packets.len() > MAX_PACKETS || self.packets.front().is_some_and(|(_, f)| newest - f.pts > self.keep)
        {
            self.packets.pop_front();
        }
    }
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
    }
    /// The packet for `target`: the one after `last` when it is no further off than `slack`, else the nearest one.
    /// `None` when none is within `slack`.
    pub(crate) fn pick(&self, last: Option<u64>, target: MediaTime, slack: MediaTime) -> Option<(u64, &Packet)> {
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
            a.push(at(i * 21_333));
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
    #[test]
    fn bounded() {
        let mut a = AudioTail::new(MediaTime::SECOND);
        for i in 0..10_000 {
            a.push(at(i * 1000));
        }
        assert!(a.packets.len() <= MAX_PACKETS);
    }
}
