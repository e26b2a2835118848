//! How a ticker runs while its text changes: what has come into the window runs on as it was, the new text follows it.
//!
//! A copy of the text *starts* at the travel at which its left edge stands at the window's right edge. Copies of one
//! text start a period (its width and the gap) apart.

use crate::planes::Planes;
use crate::raster::Raster;

/// Copies of a ticker's text in its window at once; only a text of a few pixels without a gap has more.
const MAX_PASSES: usize = 512;
/// Texts that are still in the window, behind the newest; when there are more, the oldest is dropped.
const MAX_OLD: usize = 4;

/// Where the copies of the newest text start, and the texts before it that can still be seen.
#[derive(Debug, Default)]
pub(crate) struct Belt {
    run: Run,
    /// Travel at the last change or frame.
    seen: i64,
    pub(crate) old: Vec<Old>,
}

/// A text that no new copy comes of.
#[derive(Debug)]
pub(crate) struct Old {
    pub(crate) raster: Raster,
    pub(crate) planes: Planes,
    run: Run,
}

/// Which copies of a text there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// One of the starts.
    start: i64,
    /// Copies that start before it.
    back: i64,
    /// No copy starts after this.
    to: i64,
}

impl Default for Run {
    fn default() -> Self {
        Self { start: 0, back: 0, to: i64::MAX }
    }
}

/// How a new text is to an old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It changes by itself, as a clock does: it takes the old one's place.
    Itself,
    /// The old one, and more behind it.
    Longer,
    /// Another one.
    Other,
}

fn whole(travel: u64) -> i64 {
    i64::try_from(travel).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

impl Belt {
    /// Says how far the ticker has run. Going back begins anew: the newest text alone, from the right edge.
    pub(crate) fn ran(&mut self, travel: u64, window: i64) {
        let travel = whole(travel);
        if travel < self.seen {
            self.run = Run::default();
            self.old.clear();
        }
        self.seen = travel;
        self.old.retain(|o| travel.saturating_sub(o.run.to) < window.saturating_add(o.raster.size.0.into()));
    }

    /// Takes note of a change of the text, before the new one is drawn. The drawing of the old one is taken over when
    /// it is still seen.
    pub(crate) fn change(&mut self, how: Change, gap: i64, raster: &mut Raster, planes: &mut Planes) {
        let width = i64::from(raster.size.0);
        let period = (width + gap).max(1);
        let begun = self.seen.saturating_sub(self.run.start).div_euclid(period);
        let last = self.run.start.saturating_add(begun.saturating_mul(period));
        if begun < -self.run.back || width == 0 || self.seen == 0 {
            // nothing of it has come in
            return;
        }
        let next = match how {
            Change::Itself => {
                self.run.start = last;
                self.run.back = self.run.back.saturating_add(begun).min(MAX_PASSES as i64);
                return;
            }
            // its end has not come in yet: nobody sees that it grows
            Change::Longer if self.seen.saturating_sub(last) < width => last,
            _ => last.saturating_add(period),
        };
        let to = if next == last { last.saturating_sub(1) } else { last };
        if self.old.len() >= MAX_OLD {
            self.old.remove(0);
        }
        if to >= self.run.start.saturating_sub(self.run.back.saturating_mul(period)) {
            let old =
                Old { raster: std::mem::take(raster), planes: std::mem::take(planes), run: Run { to, ..self.run } };
            self.old.push(old);
        }
        self.run = Run { start: next, ..Run::default() };
    }

    /// The left edges, from the window's, of the copies of the newest text that can be seen.
    pub(crate) fn passes(&self, window: i64, text: i64, gap: i64) -> impl Iterator<Item = i64> + use<> {
        self.run.passes(self.seen, window, text, gap)
    }

    /// The same of a text before it.
    pub(crate) fn old_passes(&self, i: usize, window: i64, gap: i64) -> impl Iterator<Item = i64> + use<> {
        let (run, text) = self.old.get(i).map_or((Run::default(), 0), |o| (o.run, i64::from(o.raster.size.0)));
        run.passes(self.seen, window, text, gap)
    }
}

impl Run {
    fn passes(self, travel: i64, window: i64, text: i64, gap: i64) -> impl Iterator<Item = i64> + use<> {
        let period = (text + gap).max(1);
        // the first copy that has not left on the left side, and that there is
        let skip = (travel - window - text + 1).saturating_sub(self.start);
        let k = (skip.div_euclid(period) + i64::from(skip.rem_euclid(period) > 0)).max(-self.back);
        (k..)
            .map(move |k| self.start.saturating_add(k.saturating_mul(period)))
            .take_while(move |start| *start < travel && *start <= self.to && text > 0)
            .map(move |start| window - (travel - start))
            .take(MAX_PASSES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raster(width: usize) -> Raster {
        let mut r = Raster::default();
        r.reset(width, 1);
        r
    }

    #[test]
    fn copies_follow_each_other() {
        let at = |t: u64| {
            let mut b = Belt::default();
            b.ran(t, 100);
            b.passes(100, 30, 10).collect::<Vec<_>>()
        };
        assert_eq!((at(0).len(), at(1)[0]), (0, 99));
        assert!(at(50).starts_with(&[50, 90]));
        assert_eq!(at(131)[0], 9, "the first copy has left");
        let later = at(u64::MAX)[0];
        assert!((-40..=140).contains(&later), "{later}");
        let mut b = Belt::default();
        b.ran(5, 100);
        assert_eq!(b.passes(100, 0, 10).count(), 0);
    }
    #[test]
    fn another_text_follows_what_is_seen() {
        let (mut b, mut r, mut p) = (Belt::default(), raster(30), Planes::default());
        b.ran(50, 100);
        b.change(Change::Other, 10, &mut r, &mut p);
        // copies started at 0 and 40; the next one would start at 80
        assert_eq!(b.passes(100, 60, 10).count(), 0);
        assert_eq!(b.old_passes(0, 100, 10).collect::<Vec<_>>(), [50, 90]);
        b.ran(81, 100);
        assert_eq!(b.old_passes(0, 100, 10).collect::<Vec<_>>(), [19, 59]);
        assert_eq!(b.passes(100, 60, 10).collect::<Vec<_>>(), [99]);
        b.ran(180, 100);
        assert!(b.old.is_empty(), "it has left");
        b.ran(3, 100);
        assert_eq!(b.passes(100, 60, 10).collect::<Vec<_>>(), [97], "shown again");
    }
    #[test]
    fn a_longer_text_grows_where_nobody_sees_it() {
        let (mut b, mut r, mut p) = (Belt::default(), raster(300), Planes::default());
        b.ran(90, 100);
        b.change(Change::Longer, 10, &mut r, &mut p);
        assert!(b.old.is_empty());
        assert_eq!(b.passes(100, 400, 10).collect::<Vec<_>>(), [10]);
        // its end is seen: the longer one comes behind it
        let (mut b, mut r) = (Belt::default(), raster(30));
        b.ran(35, 100);
        b.change(Change::Longer, 10, &mut r, &mut p);
        assert_eq!((b.old.len(), b.passes(100, 60, 10).count()), (1, 0));
    }
    #[test]
    fn a_clock_stays_where_it_is() {
        let (mut b, mut r, mut p) = (Belt::default(), raster(30), Planes::default());
        b.ran(50, 100);
        b.change(Change::Itself, 10, &mut r, &mut p);
        assert_eq!(b.passes(100, 30, 10).collect::<Vec<_>>(), [50, 90]);
        assert_eq!(b.passes(100, 31, 10).collect::<Vec<_>>(), [90 - 41, 90]);
    }
    proptest! {
        /// Whatever changes, a copy that is in the window goes on by exactly what the ticker runs.
        #[test]
        fn nothing_jumps(steps in proptest::collection::vec((1u64..9, prop_oneof![3 => Just(None), 1 => (1usize..200).prop_map(Some)]), 1..80)) {
            let (mut b, mut r, mut p, mut t) = (Belt::default(), raster(50), Planes::default(), 0u64);
            let mut seen: Vec<i64> = Vec::new();
            for (step, text) in steps {
                t += step;
                b.ran(t, 100);
                if let Some(width) = text {
                    b.change(Change::Other, 10, &mut r, &mut p);
                    r = raster(width);
                }
                let mut now: Vec<i64> = (0..b.old.len()).flat_map(|i| b.old_passes(i, 100, 10)).collect();
                now.extend(b.passes(100, i64::from(r.size.0), 10));
                prop_assert!(now.is_sorted(), "{now:?}");
                if b.old.len() < MAX_OLD {
                    for x in seen.iter().filter(|x| **x - step as i64 > 0) {
                        prop_assert!(now.contains(&(x - step as i64)), "{seen:?} {now:?}");
                    }
                }
                seen = now;
            }
        }
    }
}
