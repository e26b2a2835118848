//! When has the camera arrived? Layered evidence, best first:
//!
//! 1. its move status, if it was seen to say *moving* in this move (some cameras say *idle* for ever);
//! 2. its position: away from where it was (or at the known target), and then the same over several reads;
//! 3. the time this preset took before, when the camera tells neither;
//! 4. the bound: nobody waits for ever.

use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;

/// The numbers of the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SettlePolicy {
    /// How often the camera should be asked.
    pub read_every: MediaTime,
    /// Equal positions in a row that count as standing still.
    pub stable_reads: u32,
    /// Positions closer than this, per axis in the driver's normalised space, are equal.
    pub tolerance: f32,
    /// A camera that answers and has not moved for this long was there already.
    pub unmoved: MediaTime,
    /// A learned time is trusted after this many per cent of it.
    pub learned_percent: u16,
    /// Longest wait.
    pub bound: MediaTime,
}

impl Default for SettlePolicy {
    fn default() -> Self {
        Self {
            read_every: MediaTime::from_millis(200),
            stable_reads: 3,
            tolerance: 0.005,
            unmoved: MediaTime::from_secs(3),
            learned_percent: 120,
            bound: MediaTime::from_secs(15),
        }
    }
}

/// What is known of a move before it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Where the camera is.
    pub from: Option<PtzPosition>,
    /// Where the preset was found to be last time.
    pub target: Option<PtzPosition>,
    /// How long the move took last time.
    pub took: Option<MediaTime>,
}

/// Why the camera counts as arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It said *moving*, and then *idle*.
    MoveStatus,
    /// Its position stands still.
    Position,
    /// As long as last time has passed.
    LearnedTime,
    /// The longest wait is over; nothing says that it has arrived.
    Bound,
}

/// One move, from the accepted command to arrival.
#[derive(Clone, Debug)]
pub struct Settle {
    policy: SettlePolicy,
    known: Known,
    began: MediaTime,
    next_read: MediaTime,
    said_moving: bool,
    moving: Option<bool>,
    /// The first of the equal positions that came last; `None` when the camera tells none.
    stands_at: Option<PtzPosition>,
    same: u32,
    moved: bool,
    arrived: Option<(Evidence, MediaTime)>,
}

impl Settle {
    /// A move that the camera accepted at `now`.
    pub fn new(policy: SettlePolicy, known: Known, now: MediaTime) -> Self {
        Self {
            policy,
            known,
            began: now,
            next_read: now + policy.read_every,
            said_moving: false,
            moving: None,
            stands_at: None,
            same: 0,
            moved: false,
            arrived: None,
        }
    }

    /// One round of answers: the move status and the position, each if the camera told.
    pub fn read(&mut self, now: MediaTime, moving: Option<bool>, position: Option<PtzPosition>) {
        self.next_read = now + self.policy.read_every;
        self.moving = moving;
        self.said_moving |= moving == Some(true);
        if let Some(p) = position.filter(|p| p.pan.is_finite() && p.tilt.is_finite() && p.zoom.is_finite()) {
            let from = *self.known.from.get_or_insert(p);
            self.moved |= !self.near(&p, &from) || self.known.target.is_some_and(|t| self.near(&p, &t));
            // Against where it first stood still, not the last reading: a creep is a move too.
            match self.stands_at {
                Some(q) if self.near(&p, &q) => self.same += 1,
                _ => {
                    self.stands_at = Some(p);
                    self.same = 1;
                }
            }
        }
        self.decide(now);
    }

    /// Time has passed. Gives the verdict: why the camera counts as arrived, once it does.
    pub fn poll(&mut self, now: MediaTime) -> Option<Evidence> {
        self.decide(now);
        self.arrived.map(|(e, _)| e)
    }

    /// When to read the camera or poll next; `None` after arrival.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        self.arrived.is_none().then(|| self.next_read.min(self.began + self.policy.bound))
    }

    /// How long the move took and where it ended, to be kept as [`Known`] for the next time. `None` before arrival,
    /// and when only the clock says so.
    pub fn learned(&self) -> Option<(MediaTime, Option<PtzPosition>)> {
        match self.arrived? {
            (Evidence::MoveStatus | Evidence::Position, at) => Some((at - self.began, self.stands_at)),
            _ => None,
        }
    }

    fn decide(&mut self, now: MediaTime) {
        if self.arrived.is_some() {
            return;
        }
        let spent = now - self.began;
        let still = self.same >= self.policy.stable_reads && (self.moved || spent >= self.policy.unmoved);
        let blind = self.stands_at.is_none() && !self.said_moving;
        let learned = self
            .known
            .took
            .map(|t| MediaTime::from_nanos(t.nanos().saturating_mul(self.policy.learned_percent.into()) / 100));
        let evidence = if self.said_moving && self.moving == Some(false) {
            Evidence::MoveStatus
        } else if still && self.moving != Some(true) {
            Evidence::Position
        } else if blind && learned.is_some_and(|l| spent >= l) {
            Evidence::LearnedTime
        } else if spent >= self.policy.bound {
            Evidence::Bound
        } else {
            return;
        };
        self.arrived = Some((evidence, now));
    }

    fn near(&self, a: &PtzPosition, b: &PtzPosition) -> bool {
        let t = self.policy.tolerance;
        (a.pan - b.pan).abs() <= t && (a.tilt - b.tilt).abs() <= t && (a.zoom - b.zoom).abs() <= t
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(pan: f32) -> Option<PtzPosition> {
        Some(PtzPosition { pan, tilt: 0.0, zoom: 0.0 })
    }
    /// Plays one answer every 200 ms; the evidence and when it came, in milliseconds.
    fn play(
        known: Known,
        mut answer: impl FnMut(i64) -> (Option<bool>, Option<PtzPosition>),
    ) -> (Evidence, i64, Settle) {
        let mut s = Settle::new(SettlePolicy::default(), known, MediaTime::ZERO);
        while let Some(now) = s.next_deadline() {
            assert!(now <= MediaTime::from_secs(15), "the bound does not hold");
            let (moving, position) = answer(now.millis());
            s.read(now, moving, position);
            if let Some(e) = s.poll(now) {
                return (e, now.millis(), s);
            }
        }
        unreachable!("ended without evidence")
    }
    fn sweep(ms: i64) -> Option<PtzPosition> {
        at(ms.min(2000) as f32 / 2000.0)
    }

    #[test]
    fn an_honest_move_status_is_enough() {
        let (e, ms, s) = play(Known::default(), |ms| (Some((200..1500).contains(&ms)), None));
        assert_eq!((e, ms), (Evidence::MoveStatus, 1600));
        assert_eq!(s.learned(), Some((MediaTime::from_millis(1600), None)));
    }
    #[test]
    fn a_status_that_is_always_idle_is_not_believed() {
        let (e, ms, s) = play(Known { from: at(0.0), ..Known::default() }, |ms| (Some(false), sweep(ms)));
        assert_eq!((e, ms), (Evidence::Position, 2400));
        assert_eq!(s.learned().unwrap().1, at(1.0));
        let (e, ms, _) = play(Known::default(), |_| (Some(false), None));
        assert_eq!((e, ms), (Evidence::Bound, 15_000));
    }
    #[test]
    fn a_slow_start_is_no_arrival() {
        let (e, ms, _) = play(Known::default(), |ms| (None, if ms < 1200 { at(0.0) } else { sweep(ms) }));
        assert_eq!((e, ms), (Evidence::Position, 2400));
    }
    #[test]
    fn a_creep_is_a_move() {
        let (e, ms, _) = play(Known::default(), |ms| (None, at(ms.min(8000) as f32 / 60_000.0)));
        assert_eq!(e, Evidence::Position);
        assert!((8000..=8800).contains(&ms), "{ms}");
    }
    #[test]
    fn a_camera_that_is_there_already() {
        assert_eq!(play(Known::default(), |_| (None, at(0.5))).1, 3000);
        let known = Known { from: at(0.5), target: at(0.5), took: None };
        assert_eq!(play(known, |_| (None, at(0.501))).1, 600);
    }
    #[test]
    fn a_blind_camera_takes_the_time_it_took_before() {
        let known = Known { took: Some(MediaTime::from_secs(2)), ..Known::default() };
        let (e, ms, s) = play(known, |_| (None, None));
        assert_eq!((e, ms, s.learned()), (Evidence::LearnedTime, 2400, None));
    }
    #[test]
    fn stuck_on_moving_or_sending_nonsense_ends_at_the_bound() {
        assert_eq!(play(Known::default(), |_| (Some(true), at(0.0))).0, Evidence::Bound);
        assert_eq!(play(Known::default(), |_| (None, at(f32::NAN))).0, Evidence::Bound);
        assert_eq!(play(Known::default(), |ms| (None, at((ms / 200 % 2) as f32))).0, Evidence::Bound);
    }
}
