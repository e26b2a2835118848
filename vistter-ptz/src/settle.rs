//! When has the camera arrived? Layered evidence, best first:
//!
//! 1. its move status, if it was seen to say *moving* in this move (some cameras say *idle* for ever);
//! 2. its position: away from where it was (or at the known target), and then the same over several reads;
//! 3. its picture, when it tells no position: seen to move, and then standing still for a while;
//! 4. the time this preset took before, when there is none of these;
//! 5. the bound: nobody waits for ever.
//!
//! A lower layer corrects a higher one where they contradict: *idle* with a position that still changes is no arrival
//! (some cameras report the end of the command, not of the motion), and *moving* for ever with a position that stands still
//! is one. A camera that renews its position only once a second is noticed by the gaps between its changes.

use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;

/// The numbers of the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SettlePolicy {
    /// How often the camera should be asked.
    pub read_every: MediaTime,
    /// How soon it is asked again when it says *idle* and its position had still changed.
    pub confirm_after: MediaTime,
    /// Equal positions in a row that count as standing still.
    pub stable_reads: u32,
    /// Positions closer than this, per axis in the driver's normalised space, are equal.
    pub tolerance: f32,
    /// A camera that answers and has not moved for this long was there already.
    pub unmoved: MediaTime,
    /// A camera that says *moving* and has stood still for this long does not mean it.
    pub stuck: MediaTime,
    /// A learned time is trusted after this many per cent of it.
    pub learned_percent: u16,
    /// A picture that has stood still for this long has arrived.
    pub picture_still: MediaTime,
    /// Longest wait after the last sign of motion.
    pub quiet: MediaTime,
    /// Longest wait in all.
    pub bound: MediaTime,
}

impl Default for SettlePolicy {
    fn default() -> Self {
        Self {
            read_every: MediaTime::from_millis(100),
            confirm_after: MediaTime::from_millis(40),
            stable_reads: 3,
            tolerance: 0.005,
            unmoved: MediaTime::from_secs(3),
            stuck: MediaTime::from_millis(1500),
            learned_percent: 120,
            picture_still: MediaTime::from_millis(400),
            quiet: MediaTime::from_secs(3),
            bound: MediaTime::from_secs(10),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It said *moving*, and then *idle*.
    MoveStatus,
    /// Its position stands still.
    Position,
    /// Its picture stands still.
    PictureMotion,
    /// As long as last time has passed.
    LearnedTime,
    /// The longest wait is over; nothing says that it has arrived.
    Bound,
}

impl Evidence {
    /// One word for people and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::MoveStatus => "move_status",
            Self::Position => "position",
            Self::PictureMotion => "picture_motion",
            Self::LearnedTime => "learned_time",
            Self::Bound => "bound",
        }
    }
}

/// The picture is looked at when the camera has told nothing of use for this long.
const LOOK_AFTER: MediaTime = MediaTime::from_millis(150);

/// A pause in a motion is not taken for a slow clock of the camera.
const LONGEST_GAP: MediaTime = MediaTime::from_secs(2);

/// One move, from the accepted command to arrival.
#[derive(Clone, Debug)]
pub struct Settle {
    policy: SettlePolicy,
    known: Known,
    began: MediaTime,
    next_read: MediaTime,
    said_moving: bool,
    moving: Option<bool>,
    /// The last reading; `None` when the camera tells none.
    last: Option<PtzPosition>,
    /// The first of the equal positions that came last, since when, and how many.
    stands_at: Option<PtzPosition>,
    stands_since: MediaTime,
    same: u32,
    /// Whether it has left where it was, or is at the target.
    moved: bool,
    /// When the position changed last, and the longest time between two changes.
    changed: Option<MediaTime>,
    changes: u32,
    gap: MediaTime,
    /// Whether its picture was seen to move, and since when it stands still.
    picture_moved: bool,
    picture_still: Option<MediaTime>,
    /// The last sign of motion.
    sign: MediaTime,
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
            last: None,
            stands_at: None,
            stands_since: now,
            same: 0,
            moved: false,
            changed: None,
            changes: 0,
            gap: MediaTime::ZERO,
            picture_moved: false,
            picture_still: None,
            sign: now,
            arrived: None,
        }
    }

    /// One round of answers: the move status and the position, each if the camera told.
    pub fn read(&mut self, now: MediaTime, moving: Option<bool>, position: Option<PtzPosition>) {
        self.next_read = now + self.policy.read_every;
        self.moving = moving;
        if moving == Some(true) {
            self.said_moving = true;
            self.sign = now;
        }
        let position = position.filter(|p| p.pan.is_finite() && p.tilt.is_finite() && p.zoom.is_finite());
        let changes = position.zip(self.last).is_some_and(|(p, last)| !self.near(&p, &last));
        if let Some(p) = position {
            self.locate(now, p, changes);
        }
        if changes && moving == Some(false) {
            self.next_read = now + self.policy.confirm_after;
        } else {
            self.decide(now);
        }
    }

    /// Whether the camera's picture moves.
    pub fn picture(&mut self, now: MediaTime, moves: bool) {
        if moves {
            self.picture_moved = true;
            self.picture_still = None;
            self.sign = now;
        } else {
            self.picture_still.get_or_insert(now);
        }
        self.decide(now);
    }

    /// Whether it is worth to look at the picture: the camera tells no position, and no move status that can be believed.
    pub fn wants_picture(&self, now: MediaTime) -> bool {
        let after = if self.said_moving { self.policy.stuck } else { LOOK_AFTER };
        self.arrived.is_none() && self.last.is_none() && now - self.began >= after
    }

    /// A round without an answer.
    pub fn missed(&mut self, now: MediaTime) {
        self.next_read = now + self.policy.read_every;
    }

    /// Time has passed. Gives the verdict: why the camera counts as arrived, once it does.
    pub fn poll(&mut self, now: MediaTime) -> Option<Evidence> {
        if self.arrived.is_none() {
            if self.learned_is_over(now) {
                self.arrived = Some((Evidence::LearnedTime, now));
            } else if now >= self.limit() {
                // A camera that was there already has shown no motion; that it stands is evidence all the same.
                let stands = self.moving != Some(true) && self.stands(now);
                self.arrived = Some((if stands { Evidence::Position } else { Evidence::Bound }, now));
            }
        }
        self.arrived.map(|(e, _)| e)
    }

    /// When to read the camera or poll next; `None` after arrival.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        self.arrived.is_none().then(|| self.next_read.min(self.limit()))
    }

    /// When to read the camera next; `None` after arrival.
    pub fn next_read(&self) -> Option<MediaTime> {
        self.arrived.is_none().then_some(self.next_read)
    }

    /// How long the move took and where it ended, to be kept as [`Known`] for the next time. `None` before arrival,
    /// and when only the clock says so.
    pub fn learned(&self) -> Option<(MediaTime, Option<PtzPosition>)> {
        match self.arrived? {
            (Evidence::MoveStatus, at) => Some((at - self.began, self.last)),
            (Evidence::Position, _) => Some((self.stands_since - self.began, self.last)),
            (Evidence::PictureMotion, at) => Some((self.picture_still.unwrap_or(at) - self.began, None)),
            _ => None,
        }
    }

    /// The last reading.
    pub fn position(&self) -> Option<PtzPosition> {
        self.last
    }
    /// Whether the camera was seen in motion, or away from where it was.
    pub fn was_seen_moving(&self) -> bool {
        self.said_moving || self.changed.is_some() || self.picture_moved
    }

    fn locate(&mut self, now: MediaTime, p: PtzPosition, changes: bool) {
        let from = *self.known.from.get_or_insert(p);
        let left = !self.near(&p, &from);
        self.moved |= left || self.known.target.is_some_and(|t| self.near(&p, &t));
        if changes || (left && self.last.is_none()) {
            // The first change may be the first of many in slow steps; the second one tells.
            let pause = (now - self.changed.unwrap_or(self.began)).min(LONGEST_GAP);
            self.gap = if self.changes == 1 { pause } else { self.gap.max(pause) };
            self.changes = self.changes.saturating_add(1);
            self.changed = Some(now);
            self.sign = now;
        }
        // Against where it first stood still, not the last reading: a creep is a move too.
        match self.stands_at {
            Some(q) if self.near(&p, &q) => self.same = self.same.saturating_add(1),
            _ => {
                self.stands_at = Some(p);
                self.stands_since = now;
                self.same = 1;
            }
        }
        self.last = Some(p);
    }

    fn decide(&mut self, now: MediaTime) {
        if self.arrived.is_some() {
            return;
        }
        let stood = now - self.stands_since;
        let still = self.stands(now) && (self.moved || now - self.began >= self.policy.unmoved);
        let evidence = if self.said_moving && self.moving == Some(false) {
            Evidence::MoveStatus
        } else if still && (self.moving != Some(true) || (self.moved && stood >= self.policy.stuck)) {
            Evidence::Position
        } else if self.last.is_none() && self.picture_stands(now) {
            Evidence::PictureMotion
        } else {
            return;
        };
        self.arrived = Some((evidence, now));
    }

    /// Its position is the same over enough reads, and for longer than it pauses between two changes.
    fn stands(&self, now: MediaTime) -> bool {
        let stood = now - self.stands_since;
        self.same >= self.policy.stable_reads && stood.nanos() >= self.gap.nanos().saturating_mul(3) / 2
    }

    /// A camera that says *moving* for ever is not believed, but it is waited for longer.
    fn picture_stands(&self, now: MediaTime) -> bool {
        let (seen, needed) = match self.moving {
            Some(true) => (true, self.policy.stuck),
            _ => (self.picture_moved, self.policy.picture_still),
        };
        seen && self.picture_still.is_some_and(|t| now - t >= needed)
    }
    /// The camera told neither motion nor position, and nothing was seen.
    fn blind(&self) -> bool {
        self.last.is_none() && !self.said_moving && !self.picture_moved
    }
    fn learned_wait(&self) -> Option<MediaTime> {
        let percent = i64::from(self.policy.learned_percent);
        self.known.took.map(|t| MediaTime::from_nanos(t.nanos().saturating_mul(percent) / 100))
    }
    fn learned_is_over(&self, now: MediaTime) -> bool {
        self.blind() && self.learned_wait().is_some_and(|t| now - self.began >= t)
    }
    /// When it is over at the latest, as things are.
    pub(crate) fn limit(&self) -> MediaTime {
        let all = self.began + self.policy.bound;
        match self.learned_wait() {
            Some(t) if self.blind() => (self.began + t).min(all),
            // A scene that never stands still is no reason to wait much longer than it took before.
            Some(t) if self.last.is_none() && !self.said_moving => (self.began + t + t).min(all),
            _ => (self.sign + self.policy.quiet).min(all),
        }
    }

    fn near(&self, a: &PtzPosition, b: &PtzPosition) -> bool {
        near(a, b, self.policy.tolerance)
    }
}

/// Whether two positions are the same within a tolerance per axis.
pub fn near(a: &PtzPosition, b: &PtzPosition, tolerance: f32) -> bool {
    (a.pan - b.pan).abs() <= tolerance && (a.tilt - b.tilt).abs() <= tolerance && (a.zoom - b.zoom).abs() <= tolerance
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(pan: f32) -> Option<PtzPosition> {
        Some(PtzPosition { pan, tilt: 0.0, zoom: 0.0 })
    }
    /// Plays one answer at each deadline; the evidence and when it came, in milliseconds.
    fn play(
        known: Known,
        mut answer: impl FnMut(i64) -> (Option<bool>, Option<PtzPosition>),
    ) -> (Evidence, i64, Settle) {
        let mut s = Settle::new(SettlePolicy::default(), known, MediaTime::ZERO);
        while let Some(now) = s.next_deadline() {
            assert!(now <= MediaTime::from_secs(10), "the bound does not hold");
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
        let (e, ms, s) = play(Known::default(), |ms| (Some((200..1550).contains(&ms)), None));
        assert_eq!((e, ms), (Evidence::MoveStatus, 1600));
        assert_eq!(s.learned(), Some((MediaTime::from_millis(1600), None)));
        // With a position, one look more at once: it had changed since the last reading.
        let (e, ms, _) = play(Known::default(), |ms| (Some(ms < 1950), at(ms.min(1950) as f32 / 2000.0)));
        assert_eq!((e, ms), (Evidence::MoveStatus, 2040));
    }
    #[test]
    fn idle_while_the_position_changes_is_no_arrival() {
        let (e, ms, _) = play(Known::default(), |ms| (Some(ms < 250), sweep(ms)));
        assert!(e == Evidence::MoveStatus && (2000..=2150).contains(&ms), "{e:?} at {ms}");
    }
    #[test]
    fn a_status_that_is_always_idle_is_not_believed() {
        let (e, ms, s) = play(Known { from: at(0.0), ..Known::default() }, |ms| (Some(false), sweep(ms)));
        assert!(e == Evidence::Position && (2200..=2300).contains(&ms), "{e:?} at {ms}");
        let (took, end) = s.learned().unwrap();
        assert!((2000..=2100).contains(&took.millis()) && end == at(1.0), "{took:?}");
        let (e, ms, _) = play(Known::default(), |_| (Some(false), None));
        assert_eq!((e, ms), (Evidence::Bound, 3000));
    }
    #[test]
    fn a_status_that_is_always_moving_is_corrected_by_the_position() {
        let (e, ms, _) = play(Known::default(), |ms| (Some(true), sweep(ms)));
        assert_eq!((e, ms), (Evidence::Position, 3500));
    }
    #[test]
    fn a_slow_start_is_no_arrival() {
        let (e, ms, _) = play(Known::default(), |ms| (None, if ms < 1200 { at(0.0) } else { sweep(ms) }));
        assert_eq!((e, ms), (Evidence::Position, 2200));
    }
    #[test]
    fn a_camera_that_renews_its_position_once_a_second_is_waited_for() {
        let (e, ms, _) = play(Known::default(), |ms| (None, at((ms / 1000 * 1000).min(4000) as f32 / 4000.0)));
        assert_eq!((e, ms), (Evidence::Position, 5500));
    }
    #[test]
    fn a_creep_is_a_move() {
        let (e, ms, _) = play(Known::default(), |ms| (None, at(ms.min(8000) as f32 / 16_000.0)));
        assert_eq!(e, Evidence::Position);
        assert!((8000..=8800).contains(&ms), "{ms}");
    }
    #[test]
    fn a_camera_that_is_there_already() {
        let (e, ms, s) = play(Known::default(), |_| (None, at(0.5)));
        assert_eq!((e, ms, s.was_seen_moving()), (Evidence::Position, 3000, false));
        // Asked so seldom that the bound comes between two reads.
        let mut s = Settle::new(SettlePolicy::default(), Known::default(), MediaTime::ZERO);
        for ms in [900, 1800, 2700] {
            s.read(MediaTime::from_millis(ms), None, at(0.5));
        }
        assert_eq!(s.poll(MediaTime::from_millis(3000)), Some(Evidence::Position));
        let known = Known { from: at(0.5), target: at(0.5), took: None };
        assert_eq!(play(known, |_| (None, at(0.501))).1, 300);
    }
    #[test]
    fn a_blind_camera_takes_the_time_it_took_before() {
        let known = Known { took: Some(MediaTime::from_secs(4)), ..Known::default() };
        let (e, ms, s) = play(known, |_| (None, None));
        assert_eq!((e, ms, s.learned()), (Evidence::LearnedTime, 4800, None));
        assert_eq!(play(Known::default(), |_| (None, None)).1, 3000);
    }
    #[test]
    fn stuck_on_moving_or_sending_nonsense_ends_at_the_bound() {
        let (e, ms, _) = play(Known::default(), |_| (Some(true), at(0.0)));
        assert_eq!((e, ms), (Evidence::Bound, 10_000));
        assert_eq!(play(Known::default(), |_| (None, at(f32::NAN))).0, Evidence::Bound);
        assert_eq!(play(Known::default(), |ms| (None, at((ms / 100 % 2) as f32))).0, Evidence::Bound);
    }
    /// A camera that tells nothing or nonsense, and whose picture moves so long; looks ten times a second where it is wanted.
    fn watch(moving: Option<bool>, took: Option<MediaTime>, moves: std::ops::Range<i64>) -> (Evidence, i64, Settle) {
        let mut s = Settle::new(SettlePolicy::default(), Known { took, ..Known::default() }, MediaTime::ZERO);
        for ms in (0..).step_by(100) {
            let now = MediaTime::from_millis(ms);
            s.read(now, moving, None);
            if s.wants_picture(now) {
                s.picture(now, moves.contains(&ms));
            }
            if let Some(e) = s.poll(now) {
                return (e, ms, s);
            }
        }
        unreachable!("ended without evidence")
    }
    #[test]
    fn a_picture_tells_what_the_camera_does_not() {
        for moving in [None, Some(false)] {
            let (e, ms, s) = watch(moving, None, 300..1900);
            assert_eq!((e, ms), (Evidence::PictureMotion, 2300));
            assert_eq!(s.learned(), Some((MediaTime::from_millis(1900), None)));
        }
        // Longer than last time: the picture is believed before the clock.
        let took = Some(MediaTime::from_secs(1));
        assert_eq!(watch(None, took, 300..1900).0, Evidence::PictureMotion);
        assert_eq!(watch(None, took, 300..300).1, 1200, "nothing is seen: the clock decides");
        let (e, ms, _) = watch(None, took, 0..90_000);
        assert_eq!((e, ms), (Evidence::Bound, 2400), "a crowd that never stands still");
        let (e, ms, _) = watch(Some(true), None, 0..2500);
        assert_eq!((e, ms), (Evidence::PictureMotion, 4000), "a status that is stuck");
        let mut told = Settle::new(SettlePolicy::default(), Known::default(), MediaTime::ZERO);
        told.read(MediaTime::from_millis(200), Some(true), at(0.1));
        assert!(!told.wants_picture(MediaTime::from_secs(2)), "better evidence is there");
    }
    proptest! {
        #[test]
        fn every_move_ends(answers in proptest::collection::vec((any::<Option<bool>>(), any::<Option<f32>>()), 1..50)) {
            let mut i = 0;
            play(Known::default(), |_| {
                i += 1;
                let (m, p) = answers[i % answers.len()];
                (m, p.and_then(at))
            });
        }
    }
}
