//! How many bits a second leave, over the last few seconds.

use crate::time::MediaTime;

/// Whole seconds that the rate is taken over.
const SECONDS: usize = 5;

/// Bytes of the last [`SECONDS`] whole seconds and of the one that runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    buckets: [u64; SECONDS + 1],
    /// The second that the newest bucket stands for.
    second: i64,
    began: Option<i64>,
}

impl Meter {
    /// Counts bytes that left at `now`.
    pub(crate) fn add(&mut self, now: MediaTime, bytes: u64) {
        self.turn(now);
        self.began.get_or_insert(self.second);
        self.buckets[SECONDS] += bytes;
    }

    /// Bits per second over the whole seconds before `now`; before the first is over, what came so far.
    pub(crate) fn bps(&mut self, now: MediaTime) -> u64 {
        self.turn(now);
        let Some(began) = self.began else { return 0 };
        let whole = usize::try_from(self.second.saturating_sub(began)).unwrap_or(0).min(SECONDS);
        match whole {
            0 => self.buckets[SECONDS].saturating_mul(8),
            n => self.buckets[SECONDS - n..SECONDS].iter().sum::<u64>().saturating_mul(8) / n as u64,
        }
    }

    /// Forgets everything: the connection is new.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn turn(&mut self, now: MediaTime) {
        let second = now.millis().div_euclid(1000);
        let steps = usize::try_from(second.saturating_sub(self.second)).unwrap_or(0).min(SECONDS + 1);
        self.buckets.rotate_left(steps);
        let kept = SECONDS + 1 - steps;
        self.buckets[kept..].fill(0);
        self.second = self.second.max(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_whole_seconds() {
        let mut m = Meter::default();
        assert_eq!(m.bps(MediaTime::from_secs(9)), 0);
        for i in 0..100 {
            m.add(MediaTime::from_millis(9000 + i * 100), 1000);
        }
        assert_eq!(m.bps(MediaTime::from_millis(18_950)), 80_000);
        assert_eq!(m.bps(MediaTime::from_millis(21_500)), 80_000 * 3 / 5);
        assert_eq!(m.bps(MediaTime::from_secs(60)), 0, "a stalled output shows zero");
        m.reset();
        m.add(MediaTime::from_secs(70), 10);
        assert_eq!(m.bps(MediaTime::from_millis(70_500)), 80);
    }
}
