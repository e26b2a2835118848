//! Whether a scene is on, and how far its way in or out has come. Pure: the level at a frame follows from the actions
//! and their frames alone.

use crate::model::Interrupted;

/// By which of its two ways a scene comes or goes. One that is turned round goes back the way it was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Via {
    #[default]
    In,
    Out,
}

/// On, off, or on the way, and what comes after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    now: State,
    /// The frame at which the opposite way begins, and its frames: it was asked for while this one was to finish.
    then: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    /// Shown at `since`; the level runs from `from` to full in `frames` frames after `start`.
    On {
        since: u64,
        start: u64,
        from: u16,
        frames: u64,
        via: Via,
    },
    /// Shown at `since`; the level runs from `from` to nothing in `frames` frames after `start`.
    Leaving {
        since: u64,
        start: u64,
        from: u16,
        frames: u64,
        via: Via,
    },
}

/// Full level.
pub(crate) const FULL: u16 = u16::MAX;

impl Presence {
    /// Not there.
    pub(crate) const OFF: Self = Self { now: State::Off, then: None };

    /// On from the first frame.
    pub(crate) fn shown() -> Self {
        Self { now: State::On { since: 0, start: 0, from: FULL, frames: 0, via: Via::In }, then: None }
    }

    /// Shows at a frame. When it is on, nothing changes; on its way out, the way out's `policy` says what happens.
    pub(crate) fn show(&mut self, at: u64, frames: u64, policy: Interrupted) {
        *self = self.at(at);
        self.then = None;
        match self.now {
            State::On { .. } => {}
            State::Leaving { since, start, frames: left, via, .. } if self.level(at) > 0 => match policy {
                // without a jump
                Interrupted::Reverse => {
                    self.now = State::On { since, start: at, from: self.level(at), frames, via };
                }
                Interrupted::Cut => self.now = State::On { since: at, start: at, from: 0, frames, via: Via::In },
                Interrupted::Finish => self.then = Some((start.saturating_add(left), frames)),
            },
            State::Off | State::Leaving { .. } => {
                self.now = State::On { since: at, start: at, from: 0, frames, via: Via::In };
            }
        }
    }
    /// Hides at a frame. On its way in, the way in's `policy` says what happens.
    pub(crate) fn hide(&mut self, at: u64, frames: u64, policy: Interrupted) {
        *self = self.at(at);
        self.then = None;
        let State::On { since, start, frames: left, via, .. } = self.now else { return };
        let from = self.level(at);
        self.now = match policy {
            _ if from == FULL => State::Leaving { since, start: at, from, frames, via: Via::Out },
            Interrupted::Reverse => State::Leaving { since, start: at, from, frames, via },
            Interrupted::Cut => State::Leaving { since, start: at, from: FULL, frames, via: Via::Out },
            Interrupted::Finish => {
                // the first frame that shows all of it is seen
                self.then = Some((start.saturating_add(left).saturating_add(1), frames));
                return;
            }
        };
    }
    /// As it is at a frame, when nobody does anything until then.
    fn at(&self, frame: u64) -> Self {
        let Some((begin, frames)) = self.then.filter(|(begin, _)| *begin <= frame) else { return *self };
        let now = match self.now {
            State::On { since, .. } => State::Leaving { since, start: begin, from: FULL, frames, via: Via::Out },
            State::Off | State::Leaving { .. } => {
                State::On { since: begin, start: begin, from: 0, frames, via: Via::In }
            }
        };
        Self { now, then: None }
    }
    /// 0 (nothing) to [`FULL`].
    pub(crate) fn level(&self, at: u64) -> u16 {
        let way = |from: u16, to: u16, start: u64, frames: u64| {
            // The frame of the action already shows the first step, so a fade of n frames is over after n frames.
            let done = at.saturating_sub(start).saturating_add(1);
            if done >= frames.saturating_add(1) || frames == 0 {
                return to;
            }
            let (from, to) = (i128::from(from), i128::from(to));
            let n = (to - from) * i128::from(done);
            let d = i128::from(frames) + 1;
            (from + (n + n.signum() * d / 2) / d).clamp(0, i128::from(FULL)) as u16
        };
        match self.at(at).now {
            State::Off => 0,
            State::On { start, from, frames, .. } => way(from, FULL, start, frames),
            State::Leaving { start, from, frames, .. } => way(from, 0, start, frames),
        }
    }
    /// The way it is on at a frame, or came by last.
    pub(crate) fn via(&self, at: u64) -> Via {
        match self.at(at).now {
            State::On { via, .. } | State::Leaving { via, .. } => via,
            State::Off => Via::In,
        }
    }
    /// Frames since it was shown; `None` when nothing of it is there.
    pub(crate) fn age(&self, at: u64) -> Option<u64> {
        match self.at(at).now {
            State::On { since, .. } => Some(at.saturating_sub(since)),
            State::Leaving { since, .. } if self.level(at) > 0 => Some(at.saturating_sub(since)),
            State::Off | State::Leaving { .. } => None,
        }
    }
    /// The frame it was shown at; `None` when nothing of it is there.
    pub(crate) fn since(&self, at: u64) -> Option<u64> {
        Some(at - self.age(at)?.min(at))
    }
    /// The first frame after `at` at which the level may differ.
    pub(crate) fn next_change(&self, at: u64) -> Option<u64> {
        let me = self.at(at);
        let own = match me.now {
            State::On { start, frames, .. } | State::Leaving { start, frames, .. } => {
                (at < start.saturating_add(frames)).then(|| at + 1)
            }
            State::Off => None,
        };
        own.or(me.then.map(|(begin, _)| begin.max(at + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fade_of_four_frames() {
        let mut p = Presence::OFF;
        assert_eq!((p.level(9), p.age(9)), (0, None));
        p.show(10, 4, Interrupted::Reverse);
        let levels: Vec<u32> = (10..15).map(|f| (u32::from(p.level(f)) * 100 + 32_767) / 65_535).collect();
        assert_eq!(levels, [20, 40, 60, 80, 100]);
        p.hide(20, 4, Interrupted::Reverse);
        assert_eq!((p.age(20), p.age(23), p.age(24)), (Some(10), Some(13), None));
        p.show(30, 0, Interrupted::Reverse);
        assert_eq!((p.level(30), p.age(31), p.via(u64::MAX)), (FULL, Some(1), Via::In));
        p.hide(40, 0, Interrupted::Reverse);
        assert_eq!((p.level(39), p.level(40)), (0, 0), "asked in order only");
    }
    #[test]
    fn one_that_is_interrupted_may_end_at_once_or_finish_first() {
        let mut p = Presence::OFF;
        p.show(0, 10, Interrupted::Reverse);
        p.hide(5, 4, Interrupted::Cut);
        assert_eq!((p.via(5), p.age(5), p.age(9)), (Via::Out, Some(5), None));
        assert!(p.level(5) > FULL / 2);
        let mut p = Presence::OFF;
        p.show(0, 10, Interrupted::Reverse);
        let free = p;
        p.hide(5, 4, Interrupted::Finish);
        for f in 5..=10 {
            assert_eq!((p.level(f), p.via(f)), (free.level(f), Via::In), "{f}");
        }
        assert_eq!((p.level(10), p.via(11), p.age(14), p.age(15)), (FULL, Via::Out, Some(14), None));
        assert_eq!((p.next_change(9), p.next_change(10)), (Some(10), Some(11)));
        // shown again before it began to leave: it stays
        let mut stays = p;
        stays.show(8, 10, Interrupted::Finish);
        assert_eq!((stays.level(11), stays.age(500)), (FULL, Some(500)));
        // shown again while it leaves: it goes, and comes anew
        p.show(12, 10, Interrupted::Finish);
        assert_eq!((p.level(14) > 0, p.age(14), p.age(15), p.via(15)), (true, Some(14), Some(0), Via::In));
    }
    #[test]
    fn what_is_turned_round_goes_back_the_way_it_was_on() {
        let mut p = Presence::OFF;
        p.show(0, 10, Interrupted::Reverse);
        p.hide(5, 10, Interrupted::Reverse);
        assert_eq!(p.via(u64::MAX), Via::In);
        p.show(6, 10, Interrupted::Reverse);
        assert_eq!(p.via(u64::MAX), Via::In);
        p.hide(50, 10, Interrupted::Reverse);
        assert_eq!(p.via(u64::MAX), Via::Out);
        p.show(53, 10, Interrupted::Reverse);
        assert_eq!(p.via(u64::MAX), Via::Out);
        p.hide(80, 10, Interrupted::Reverse);
        p.show(200, 10, Interrupted::Reverse);
        assert_eq!(p.via(u64::MAX), Via::In);
    }
    proptest! {
        /// However it is interrupted, the level never jumps by more than a step of the shorter way.
        #[test]
        fn no_jump_when_interrupted(actions in proptest::collection::vec((any::<bool>(), 0u64..12), 1..12), frames in 4u64..20) {
            let mut p = Presence::OFF;
            let mut at = 0u64;
            let mut last = 0i64;
            for (show, wait) in actions {
                if show { p.show(at, frames, Interrupted::Reverse) } else { p.hide(at, frames, Interrupted::Reverse) }
                for f in at..=at + wait {
                    let level = i64::from(p.level(f));
                    prop_assert!((level - last).abs() <= i64::from(FULL) / (frames as i64 + 1) + 2, "{last} to {level}");
                    last = level;
                }
                at += wait + 1;
            }
        }
    }
}
