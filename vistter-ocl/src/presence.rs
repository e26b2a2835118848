//! Whether a scene is on, and how far its way in or out has come. Pure: the level at a frame follows from the actions
//! and their frames alone.

/// By which of its two ways a scene comes or goes. One that is turned round goes back the way it was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    In,
    Out,
}

/// On, off, or on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
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
    /// Shows at a frame. On the way out it turns round where it is, without a jump; when it is on, nothing changes.
    pub(crate) fn show(&mut self, at: u64, frames: u64) {
        match *self {
            Self::On { .. } => {}
            Self::Leaving { since, via, .. } if self.level(at) > 0 => {
                *self = Self::On { since, start: at, from: self.level(at), frames, via };
            }
            Self::Off | Self::Leaving { .. } => {
                *self = Self::On { since: at, start: at, from: 0, frames, via: Via::In };
            }
        }
    }
    /// Hides at a frame; the way out starts from the level it has.
    pub(crate) fn hide(&mut self, at: u64, frames: u64) {
        if let Self::On { since, via, .. } = *self {
            let from = self.level(at);
            *self = Self::Leaving { since, start: at, from, frames, via: if from == FULL { Via::Out } else { via } };
        }
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
        match *self {
            Self::Off => 0,
            Self::On { start, from, frames, .. } => way(from, FULL, start, frames),
            Self::Leaving { start, from, frames, .. } => way(from, 0, start, frames),
        }
    }
    /// The way it is on, or came by last.
    pub(crate) fn via(&self) -> Via {
        match *self {
            Self::On { via, .. } | Self::Leaving { via, .. } => via,
            Self::Off => Via::In,
        }
    }
    /// Frames since it was shown; `None` when nothing of it is there.
    pub(crate) fn age(&self, at: u64) -> Option<u64> {
        match *self {
            Self::On { since, .. } => Some(at.saturating_sub(since)),
            Self::Leaving { since, .. } if self.level(at) > 0 => Some(at.saturating_sub(since)),
            Self::Off | Self::Leaving { .. } => None,
        }
    }
    /// The first frame after `at` at which the level may differ.
    pub(crate) fn next_change(&self, at: u64) -> Option<u64> {
        match *self {
            Self::On { start, frames, .. } | Self::Leaving { start, frames, .. } => {
                (at < start.saturating_add(frames)).then(|| at + 1)
            }
            Self::Off => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fade_of_four_frames() {
        let mut p = Presence::Off;
        assert_eq!((p.level(9), p.age(9)), (0, None));
        p.show(10, 4);
        let levels: Vec<u32> = (10..15).map(|f| (u32::from(p.level(f)) * 100 + 32_767) / 65_535).collect();
        assert_eq!(levels, [20, 40, 60, 80, 100]);
        p.hide(20, 4);
        assert_eq!((p.age(20), p.age(23), p.age(24)), (Some(10), Some(13), None));
        p.show(30, 0);
        assert_eq!((p.level(30), p.age(31), p.via()), (FULL, Some(1), Via::In));
        p.hide(40, 0);
        assert_eq!((p.level(39), p.level(40)), (0, 0), "asked in order only");
    }
    #[test]
    fn what_is_turned_round_goes_back_the_way_it_was_on() {
        let mut p = Presence::Off;
        p.show(0, 10);
        p.hide(5, 10);
        assert_eq!(p.via(), Via::In);
        p.show(6, 10);
        assert_eq!(p.via(), Via::In);
        p.hide(50, 10);
        assert_eq!(p.via(), Via::Out);
        p.show(53, 10);
        assert_eq!(p.via(), Via::Out);
        p.hide(80, 10);
        p.show(200, 10);
        assert_eq!(p.via(), Via::In);
    }
    proptest! {
        /// However it is interrupted, the level never jumps by more than a step of the shorter way.
        #[test]
        fn no_jump_when_interrupted(actions in proptest::collection::vec((any::<bool>(), 0u64..12), 1..12), frames in 4u64..20) {
            let mut p = Presence::Off;
            let mut at = 0u64;
            let mut last = 0i64;
            for (show, wait) in actions {
                if show { p.show(at, frames) } else { p.hide(at, frames) }
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
