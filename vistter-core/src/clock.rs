//! The only file that reads a clock.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::lock::lock;
use crate::time::MediaTime;

/// Wall-clock time: nanoseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallTime(i64);

impl WallTime {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_unix_nanos(ns: i64) -> Self {
        Self(ns)
    }
    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }
    /// Whole seconds since the Unix epoch.
    pub const fn unix_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }
    /// This time moved by a span; saturates.
    #[must_use]
    pub const fn plus(self, t: MediaTime) -> Self {
        Self(self.0.saturating_add(t.nanos()))
    }
}
impl fmt::Debug for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix {}.{:09}", self.unix_secs(), self.0.rem_euclid(1_000_000_000))
    }
}

/// Where time comes from. `now` never goes back; `wall` may (NTP, an operator).
pub trait Clock: Send + Sync + fmt::Debug {
    /// Time since this clock's own start.
    fn now(&self) -> MediaTime;
    /// Wall-clock time.
    fn wall(&self) -> WallTime;
    /// Blocks the calling thread until `now() >= deadline`.
    fn sleep_until(&self, deadline: MediaTime);
}

/// The machine's clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts at zero now.
    #[allow(clippy::disallowed_methods)]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
    /// The same, shared.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self::new())
    }
}
impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}
impl Clock for SystemClock {
    fn now(&self) -> MediaTime {
        self.start.elapsed().into()
    }
    #[allow(clippy::disallowed_methods)]
    fn wall(&self) -> WallTime {
        let ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        WallTime(i64::try_from(ns).unwrap_or(i64::MAX))
    }
    fn sleep_until(&self, deadline: MediaTime) {
        let left = deadline - self.now();
        if left > MediaTime::ZERO {
            std::thread::sleep(left.to_duration());
        }
    }
}

/// A clock that moves only when told to. Clones share the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<(Mutex<Manual>, Condvar)>,
}
#[derive(Debug, Default)]
struct Manual {
    now: MediaTime,
    wall: WallTime,
    /// Deadlines of the threads that sleep; one whose time has come does not count, though it may not have woken yet.
    sleepers: Vec<MediaTime>,
}

impl ManualClock {
    /// At zero, with wall-clock at the Unix epoch.
    pub fn new() -> Self {
        Self::default()
    }
    /// Moves both clocks on and wakes the sleepers whose time has come.
    pub fn advance(&self, by: MediaTime) {
        let mut s = self.lock();
        s.now = s.now + by;
        s.wall = s.wall.plus(by);
        self.state.1.notify_all();
    }
    /// Sets wall-clock alone, as NTP would.
    pub fn set_wall(&self, wall: WallTime) {
        self.lock().wall = wall;
    }
    /// Blocks until `n` threads sleep on this clock, so that a test can advance without a race.
    pub fn wait_for_sleepers(&self, n: usize) {
        let mut s = self.lock();
        while s.sleepers.iter().filter(|d| **d > s.now).count() < n {
            s = self.state.1.wait(s).unwrap_or_else(PoisonError::into_inner);
        }
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, Manual> {
        lock(&self.state.0)
    }
}
impl Clock for ManualClock {
    fn now(&self) -> MediaTime {
        self.lock().now
    }
    fn wall(&self) -> WallTime {
        self.lock().wall
    }
    fn sleep_until(&self, deadline: MediaTime) {
        let mut s = self.lock();
        if s.now >= deadline {
            return;
        }
        s.sleepers.push(deadline);
        self.state.1.notify_all();
        while s.now < deadline {
            s = self.state.1.wait(s).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(i) = s.sleepers.iter().position(|d| *d == deadline) {
            s.sleepers.swap_remove(i);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_wakes_sleepers() {
        let c = ManualClock::new();
        let c2 = c.clone();
        let t = std::thread::spawn(move || {
            c2.sleep_until(MediaTime::from_millis(10));
            c2.now()
        });
        c.wait_for_sleepers(1);
        c.advance(MediaTime::from_millis(10));
        assert_eq!(t.join().unwrap(), MediaTime::from_millis(10));
    }
}
