//! When to try again: the one back-off policy of outputs and camera feeds.
//!
//! 2, 4, 8 … 60 s with jitter, ten tries, then *failed* with a slow probe (architecture §8). Pure: time is passed in,
//! and the jitter comes from a seed, so a test sees the same waits every time.

use crate::time::MediaTime;

/// The numbers of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// Wait after the first failure.
    pub first: MediaTime,
    /// Longest wait between tries, jitter included.
    pub cap: MediaTime,
    /// Failures in a row after which the peer counts as *failed*.
    pub tries: u32,
    /// Wait between probes of a failed peer.
    pub probe: MediaTime,
    /// How long a connection must hold before earlier failures are forgotten.
    pub stable: MediaTime,
    /// Waits are spread by up to this many per cent either way, so that a thousand boxes do not come back at once.
    pub jitter_percent: u8,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self {
            first: MediaTime::from_secs(2),
            cap: MediaTime::from_secs(60),
            tries: 10,
            probe: MediaTime::from_secs(300),
            stable: MediaTime::from_secs(30),
            jitter_percent: 20,
        }
    }
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTry {
    /// Try again at this time; one of the quick tries.
    Retry(MediaTime),
    /// The peer counts as failed: tell somebody, and probe at this time.
    Probe(MediaTime),
}

impl NextTry {
    /// The time of the next try, whichever kind it is.
    pub const fn at(self) -> MediaTime {
        match self {
            Self::Retry(t) | Self::Probe(t) => t,
        }
    }
}

/// The state of one peer's back-off.
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: BackoffPolicy,
    seed: u64,
    failures: u32,
    given_up: bool,
    up_since: Option<MediaTime>,
    proven: bool,
}

impl Backoff {
    /// A peer that has not failed yet. `seed` chooses the jitter.
    pub const fn new(policy: BackoffPolicy, seed: u64) -> Self {
        Self { policy, seed, failures: 0, given_up: false, up_since: None, proven: false }
    }

    /// Mixes the peer's name into the seed, so that two peers of one process do not come back together.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        // FNV-1a
        self.seed = name.bytes().fold(self.seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        self
    }

    /// The connection stands. Earlier failures are forgotten once it has held for [`BackoffPolicy::stable`].
    pub fn connected(&mut self, now: MediaTime) {
        self.up_since = Some(now);
    }

    /// The connection, or the attempt to make one, failed.
    ///
    /// A final error (`transient` false: a rejected key, a wrong password) gives up quick tries at once, because only
    /// a person can mend it. The exception is a peer that this address and key have worked with since the last
    /// [`Self::reset`]: there the likely cause is a server that still holds our old, half-open connection ("already
    /// publishing"), and that mends itself.
    pub fn failed(&mut self, now: MediaTime, transient: bool) -> NextTry {
        self.settle(now);
        self.up_since = None;
        self.failures = self.failures.saturating_add(1);
        if self.failures >= self.policy.tries || !(transient || self.proven) {
            self.given_up = true;
        }
        if self.given_up {
            return NextTry::Probe(now + self.spread(self.policy.probe, MediaTime::MAX));
        }
        let doublings = (self.failures - 1).min(30);
        let wait = MediaTime::from_nanos(self.policy.first.nanos().saturating_mul(1 << doublings));
        NextTry::Retry(now + self.spread(wait.min(self.policy.cap), self.policy.cap))
    }

    /// A person or a schedule starts it again: everything is forgotten.
    pub fn reset(&mut self) {
        self.failures = 0;
        self.given_up = false;
        self.proven = false;
        self.up_since = None;
    }

    /// Failures in a row, as of `now`.
    pub fn failures(&self, now: MediaTime) -> u32 {
        if self.is_stable(now) { 0 } else { self.failures }
    }

    /// Whether only the slow probe is left, as of `now`.
    pub fn has_given_up(&self, now: MediaTime) -> bool {
        self.given_up && !self.is_stable(now)
    }

    fn is_stable(&self, now: MediaTime) -> bool {
        self.up_since.is_some_and(|t| now - t >= self.policy.stable)
    }

    fn settle(&mut self, now: MediaTime) {
        if self.is_stable(now) {
            self.failures = 0;
            self.given_up = false;
            self.proven = true;
        }
    }

    fn spread(&mut self, wait: MediaTime, cap: MediaTime) -> MediaTime {
        let reach = i128::from(wait.nanos()) * i128::from(self.policy.jitter_percent.min(100)) / 100;
        let reach = i64::try_from(reach).unwrap_or(i64::MAX / 2).max(0);
        let width = reach as u64 * 2 + 1;
        let moved = (self.random() % width) as i64 - reach;
        (wait + MediaTime::from_nanos(moved)).clamp(MediaTime::ZERO, cap)
    }

    /// SplitMix64: small, and good enough to spread waits.
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn secs(s: i64) -> MediaTime {
        MediaTime::from_secs(s)
    }
    fn exact() -> BackoffPolicy {
        BackoffPolicy { jitter_percent: 0, ..BackoffPolicy::default() }
    }

    #[test]
    fn doubles_to_the_cap_then_probes() {
        let mut b = Backoff::new(exact(), 1);
        let mut now = MediaTime::ZERO;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let NextTry::Retry(at) = b.failed(now, true) else { panic!("gave up early") };
            waits.push((at - now).millis() / 1000);
            now = at;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(b.failed(now, true), NextTry::Probe(now + secs(300)));
        assert!(b.has_given_up(now));
        assert_eq!(b.failed(now, true), NextTry::Probe(now + secs(300)));
        b.reset();
        assert_eq!(b.failed(now, true), NextTry::Retry(now + secs(2)));
    }

    #[test]
    fn a_short_connection_does_not_reset_and_a_stable_one_does() {
        let mut b = Backoff::new(exact(), 1);
        b.failed(secs(0), true);
        b.connected(secs(2));
        assert_eq!(b.failed(secs(31), true), NextTry::Retry(secs(35)), "29 s is not stable");
        b.connected(secs(35));
        assert_eq!((b.failures(secs(64)), b.failures(secs(65))), (2, 0));
        assert_eq!(b.failed(secs(65), true), NextTry::Retry(secs(67)));
    }

    #[test]
    fn a_final_error_gives_up_at_once_unless_it_worked_before() {
        let mut b = Backoff::new(exact(), 1);
        assert_eq!(b.failed(secs(0), false), NextTry::Probe(secs(300)));
        b.connected(secs(300));
        assert_eq!(b.failed(secs(400), true), NextTry::Retry(secs(402)), "the probe succeeded and held");
        assert_eq!(b.failed(secs(402), false), NextTry::Retry(secs(406)), "half-open connection on the server");
        b.reset();
        assert_eq!(b.failed(secs(500), false), NextTry::Probe(secs(800)), "a new start proves nothing yet");
    }

    proptest! {
        #[test]
        fn waits_stay_in_their_band_and_follow_the_seed(seed: u64, n in 1u32..30) {
            let p = BackoffPolicy { tries: 40, ..BackoffPolicy::default() };
            let (mut a, mut b) = (Backoff::new(p, seed), Backoff::new(p, seed));
            for i in 0..n {
                let got = a.failed(MediaTime::ZERO, true).at();
                prop_assert_eq!(got, b.failed(MediaTime::ZERO, true).at());
                let want = secs(2i64.saturating_mul(1 << i.min(20))).min(secs(60)).nanos();
                prop_assert!(got.nanos() >= want * 8 / 10 && got.nanos() <= (want * 12 / 10).min(secs(60).nanos()));
            }
        }
    }
}
