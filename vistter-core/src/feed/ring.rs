//! The last GOPs of a camera, compressed, so that a decoder can start now instead of at the next keyframe.

use std::collections::VecDeque;

use crate::media::Packet;
use crate::time::MediaTime;

/// Bounds of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// Bytes of packets.
    pub bytes: usize,
    /// Stream time from the oldest to the newest packet.
    pub span: MediaTime,
}

impl Default for RingLimits {
    /// 32 MiB and 30 s: a 10 s GOP at 8 Mbit/s three times over.
    fn default() -> Self {
        Self { bytes: 32 << 20, span: MediaTime::from_secs(30) }
    }
}

/// Video packets in decode order. Every packet has a sequence number that never repeats.
///
/// Whole GOPs are dropped from the front: all but the newest two, and one more when a limit is reached. A single GOP
/// that breaks a limit loses its head: a decoder that is running goes on with the tail, and a new one has to wait for
/// the next keyframe.
#[derive(Debug)]
pub struct GopRing {
    packets: VecDeque<Packet>,
    first_seq: u64,
    keyframes: VecDeque<u64>,
    bytes: usize,
    limits: RingLimits,
    /// The packets continue a GOP whose keyframe is gone.
    headless: bool,
}

impl GopRing {
    /// An empty ring.
    pub fn new(limits: RingLimits) -> Self {
        Self { packets: VecDeque::new(), first_seq: 0, keyframes: VecDeque::new(), bytes: 0, limits, headless: false }
    }
    /// Appends a packet. Packets before the first keyframe are not kept. Gives whether it was kept.
    pub fn push(&mut self, p: Packet) -> bool {
        if p.keyframe {
            if self.headless {
                self.forget_tail();
            }
            self.keyframes.push_back(self.end());
        } else if self.keyframes.is_empty() && !self.headless {
            return false;
        }
        self.bytes += p.data.len();
        self.packets.push_back(p);
        while self.keyframes.len() > 2 || (self.over() && self.keyframes.len() == 2) {
            self.drop_gop();
        }
        while self.over() && !self.packets.is_empty() {
            self.keyframes.clear();
            self.headless = true;
            self.drop_first();
        }
        true
    }
    /// Drops everything: the stream changed or lost its references.
    pub fn clear(&mut self) {
        self.forget_tail();
        self.keyframes.clear();
    }
    fn forget_tail(&mut self) {
        self.first_seq = self.end();
        self.packets.clear();
        self.bytes = 0;
        self.headless = false;
    }
    fn over(&self) -> bool {
        let span = match (self.packets.front(), self.packets.back()) {
            (Some(a), Some(b)) => b.dts.abs_diff(a.dts),
            _ => MediaTime::ZERO,
        };
        self.bytes > self.limits.bytes || span > self.limits.span
    }
    fn drop_gop(&mut self) {
        self.keyframes.pop_front();
        let keep_from = self.keyframes.front().copied().unwrap_or(self.end());
        while self.first_seq < keep_from {
            self.drop_first();
        }
    }
    fn drop_first(&mut self) {
        if let Some(p) = self.packets.pop_front() {
            self.bytes -= p.data.len();
            self.first_seq += 1;
        }
    }
    /// Sequence number of the next packet to come.
    pub fn end(&self) -> u64 {
        self.first_seq + self.packets.len() as u64
    }
    /// Sequence number of the newest keyframe.
    pub fn last_keyframe(&self) -> Option<u64> {
        self.keyframes.back().copied()
    }
    /// The packet with a sequence number, if it is still here.
    pub fn packet(&self, seq: u64) -> Option<&Packet> {
        self.packets.get(usize::try_from(seq.checked_sub(self.first_seq)?).ok()?)
    }
    /// Packets from the newest keyframe to now: what a decoder has to catch up with.
    pub fn backlog(&self) -> u64 {
        self.last_keyframe().map_or(0, |k| self.end() - k)
    }
    /// The longest GOP in the ring, in packets.
    pub fn gop_len(&self) -> u64 {
        let ends = self.keyframes.iter().skip(1).copied().chain([self.end()]);
        self.keyframes.iter().zip(ends).map(|(a, b)| b - a).max().unwrap_or(0)
    }
    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Track;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn packet(n: i64, keyframe: bool, size: usize) -> Packet {
        let t = MediaTime::from_millis(n * 40);
        Packet {
            track: Track::Video,
            data: Bytes::from(vec![0; size]),
            pts: t,
            dts: t,
            duration: MediaTime::ZERO,
            keyframe,
        }
    }

    #[test]
    fn keeps_two_gops_and_starts_at_a_keyframe() {
        let mut r = GopRing::new(RingLimits::default());
        assert!(!r.push(packet(0, false, 1)));
        for n in 0..35 {
            r.push(packet(n, n % 10 == 0, 1));
        }
        assert_eq!(r.last_keyframe(), Some(30));
        assert_eq!((r.end(), r.backlog(), r.gop_len()), (35, 5, 10));
        assert!(r.packet(19).is_none() && r.packet(20).unwrap().keyframe);
        r.clear();
        assert_eq!((r.end(), r.last_keyframe()), (35, None));
    }
    #[test]
    fn a_gop_beyond_the_limit_goes_on_without_its_head() {
        let mut r = GopRing::new(RingLimits { bytes: 100, span: MediaTime::from_secs(100) });
        for n in 0..50 {
            assert!(r.push(packet(n, n == 0, 5)));
        }
        assert_eq!((r.last_keyframe(), r.bytes()), (None, 100));
        assert!(r.packet(49).is_some() && r.packet(29).is_none());
        r.push(packet(50, true, 5));
        assert_eq!((r.last_keyframe(), r.bytes(), r.end()), (Some(50), 5, 51));
    }
    proptest! {
        #[test]
        fn limits_hold(
            items in proptest::collection::vec((any::<bool>(), 0usize..2000), 0..300),
        ) {
            let limits = RingLimits { bytes: 10_000, span: MediaTime::from_secs(2) };
            let mut r = GopRing::new(limits);
            for (i, (key, size)) in items.into_iter().enumerate() {
                r.push(packet(i as i64, key, size));
                prop_assert!(r.bytes() <= limits.bytes);
                if let Some(k) = r.last_keyframe() {
                    prop_assert!(r.packet(k).unwrap().keyframe);
                    let total: usize = (0..r.end()).filter_map(|s| r.packet(s)).map(|p| p.data.len()).sum();
                    prop_assert_eq!(total, r.bytes());
                }
            }
        }
    }
}
