//! How far a cue's own way in or out has come: a pure function of the frame.

use crate::presence::{FULL, Via};

/// When a cue is there, in frames of its track, and how long its ways are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// The first frame of it.
    pub(crate) start: u64,
    /// The first frame without it.
    pub(crate) end: u64,
    /// Frames of its way in and of its way out, both inside of its time.
    pub(crate) ways: (u64, u64),
}

impl Life {
    /// How much of it is there at a frame, and by which way. As with a scene, a way of n frames has n steps between
    /// nothing and full. When both ways are under way, the one that shows less counts.
    pub(crate) fn level(&self, frame: u64) -> (u16, Via) {
        if !(self.start..self.end).contains(&frame) {
            return (0, Via::In);
        }
        let part = |done: u64, n: u64| {
            if done > n { FULL } else { (u128::from(done) * u128::from(FULL) / (u128::from(n) + 1)) as u16 }
        };
        let come = part(frame - self.start + 1, self.ways.0);
        // On the last frame one step is left, so that nothing is left on the frame after it.
        let left = part(self.end - frame, self.ways.1);
        if left < come { (left, Via::Out) } else { (come, Via::In) }
    }

    /// The first frame after `frame` at which its level may differ.
    pub(crate) fn next_change(&self, frame: u64) -> Option<u64> {
        let (come, leave) = (self.start.saturating_add(self.ways.0), self.end.saturating_sub(self.ways.1));
        if frame < self.start {
            Some(self.start)
        } else if frame >= self.end {
            None
        } else if frame < come || frame.saturating_add(1) >= leave {
            Some(frame + 1)
        } else {
            // one without an end never leaves
            Some(leave).filter(|f| *f < u64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ways_lie_inside_of_its_time() {
        let life = Life { start: 10, end: 20, ways: (3, 1) };
        let levels: Vec<u32> = (9..21).map(|f| u32::from(life.level(f).0) * 100 / 65_535).collect();
        assert_eq!(levels, [0, 24, 49, 74, 100, 100, 100, 100, 100, 100, 49, 0]);
        assert_eq!((life.level(12).1, life.level(19).1), (Via::In, Via::Out));
        let forever = Life { start: 0, end: u64::MAX, ways: (0, 5) };
        assert_eq!(forever.level(1 << 40), (FULL, Via::In));
    }
    proptest! {
        #[test]
        fn nothing_changes_before_the_next_change(start in 0u64..20, long in 1u64..30, a in 0u64..20, b in 0u64..20, f in 0u64..60) {
            let life = Life { start, end: start + long, ways: (a, b) };
            let until = life.next_change(f).unwrap_or(80);
            prop_assert!(until > f);
            for g in f..until { prop_assert_eq!(life.level(g), life.level(f), "{}", g); }
        }
    }
}
