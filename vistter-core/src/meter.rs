//! How many items and bits a second come or go, over a sliding window.

use std::collections::VecDeque;

use crate::time::MediaTime;

/// Items of the last [`Meter::WINDOW`], by arrival.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    seen: VecDeque<(MediaTime, usize)>,
    bytes: usize,
}

impl Meter {
    /// Two GOPs of the usual length, so that the large keyframes do not make the rate swing.
    pub(crate) const WINDOW: MediaTime = MediaTime::from_millis(4000);
    /// Enough for 240 items a second.
    const MAX: usize = 1024;

    /// Counts an item.
    pub(crate) fn add(&mut self, now: MediaTime, bytes: usize) {
        self.seen.push_back((now, bytes));
        self.bytes += bytes;
        self.trim(now);
    }

    /// Items per second: the mean interval between those in the window. Zero when fewer than two are.
    pub(crate) fn per_second(&mut self, now: MediaTime) -> f64 {
        self.trim(now);
        match (self.seen.front(), self.seen.back()) {
            (Some((a, _)), Some((b, _))) if b > a => (self.seen.len() - 1) as f64 / (*b - *a).as_secs_f64(),
            _ => 0.0,
        }
    }

    /// Bits per second since the oldest item in the window. It falls when nothing comes any more, to zero after a window.
    pub(crate) fn bps(&mut self, now: MediaTime) -> u64 {
        self.trim(now);
        match self.seen.front() {
            Some((t, first)) if now > *t => ((self.bytes - first) as f64 * 8.0 / (now - *t).as_secs_f64()) as u64,
            _ => 0,
        }
    }

    /// Forgets everything: the connection is new.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn trim(&mut self, now: MediaTime) {
        while self.seen.len() > Self::MAX || self.seen.front().is_some_and(|(t, _)| now - *t > Self::WINDOW) {
            if let Some((_, b)) = self.seen.pop_front() {
                self.bytes -= b;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::FrameRate;

    #[test]
    fn rates_over_the_window() {
        let fps = FrameRate::new(30_000, 1001).unwrap();
        let mut m = Meter::default();
        assert_eq!((m.per_second(MediaTime::SECOND), m.bps(MediaTime::SECOND)), (0.0, 0));
        for n in 0..300 {
            m.add(fps.time_of(n), 1000);
        }
        let now = fps.time_of(299);
        assert!((m.per_second(now) - 30000.0 / 1001.0).abs() < 0.001, "{}", m.per_second(now));
        assert!(m.bps(now).abs_diff(239_760) < 10, "{}", m.bps(now));
        let later = now + MediaTime::from_secs(2);
        assert!(m.bps(later) < 140_000, "it falls while nothing comes: {}", m.bps(later));
        assert_eq!(m.bps(now + MediaTime::from_secs(5)), 0, "a stalled output shows zero");
        m.reset();
        m.add(later, 10);
        assert_eq!(m.bps(later), 0, "one item has no rate");
    }

    #[test]
    fn bounded() {
        let mut m = Meter::default();
        for _ in 0..5000 {
            m.add(MediaTime::SECOND, 1);
        }
        assert_eq!((m.seen.len(), m.bytes), (Meter::MAX, Meter::MAX));
    }
}
