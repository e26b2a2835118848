//! Which parts of a plane are worth touching, and how.
//!
//! Rows are looked at in blocks of the vector loops' length, so that what a loop gets is whole turns of it: the samples
//! left over are what costs, and so does every run of its own. Runs of neighbouring rows that are alike make one patch,
//! for which a loop is called once: a panel is its edges and one middle.

use std::ops::Range;

use crate::pairs::BLOCK;

/// What is of one kind is worth a run of its own from this many samples; less of it goes with its neighbours.
const MIN_RUN: usize = 2 * BLOCK;

/// What the samples of a patch have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing is there. No patch is of this kind in the end.
    Clear,
    /// The same alpha and the same values.
    Flat,
    /// Full alpha.
    Opaque,
    /// Nothing.
    Mixed,
}

/// A box of samples that has something to blend: columns and rows, the ends not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) top: usize,
    pub(crate) bottom: usize,
    pub(crate) kind: Kind,
}

/// All patches of a plane. They do not overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patches {
    list: Vec<Patch>,
    /// Those that reach down to the row above the one that is looked at, from the left on.
    open: Vec<usize>,
    /// The runs of the row that is looked at.
    runs: Vec<Run>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    end: usize,
    kind: Kind,
}

/// A row of alpha and of one or two planes of values.
#[derive(Clone, Copy)]
struct Row<'a> {
    alpha: &'a [u8],
    values: [&'a [u8]; 2],
}

impl Row<'_> {
    /// The kind of a block.
    fn kind(&self, at: Range<usize>) -> Kind {
        let alpha = &self.alpha[at.clone()];
        match one_value(alpha) {
            Some(0) => Kind::Clear,
            Some(_) if self.values.iter().all(|v| one_value(&v[at.clone()]).is_some()) => Kind::Flat,
            Some(255) => Kind::Opaque,
            _ => Kind::Mixed,
        }
    }
    /// Whether a sample is the same as one of another row.
    fn same(&self, a: usize, other: Row<'_>, b: usize) -> bool {
        self.alpha[a] == other.alpha[b] && self.values.iter().zip(other.values).all(|(v, o)| v[a] == o[b])
    }
}

/// The value that all samples have, if they do. Looks at all of them, which vectors do at once.
fn one_value(samples: &[u8]) -> Option<u8> {
    let first = *samples.first()?;
    (samples.iter().fold(0, |other, v| other | (v ^ first)) == 0).then_some(first)
}

impl Patches {
    /// Looks through the rows of an alpha plane, and of one or two planes of values.
    pub(super) fn build(&mut self, alpha: &[u8], values: [&[u8]; 2], width: usize) {
        self.list.clear();
        self.open.clear();
        if width == 0 {
            return;
        }
        let row_of = |y: usize| {
            let at = y * width..(y + 1) * width;
            Row { alpha: &alpha[at.clone()], values: values.map(|v| &v[at.clone()]) }
        };
        for y in 0..alpha.len() / width {
            let row = row_of(y);
            self.runs.clear();
            for start in (0..width).step_by(BLOCK) {
                let end = (start + BLOCK).min(width);
                let kind = row.kind(start..end);
                match self.runs.last_mut() {
                    Some(l) if l.kind == kind && (kind != Kind::Flat || row.same(l.start, row, start)) => l.end = end,
                    _ => self.runs.push(Run { start, end, kind }),
                }
            }
            tidy(&mut self.runs, row);
            self.take_row(y, |x, patch| row.same(x, row_of(patch.top), x));
        }
        // those of a kind after each other: what is called next is then foreseen
        self.list.sort_unstable_by_key(|p| (p.kind, p.top, p.left));
    }
    /// All of it is of a kind.
    pub(crate) fn whole(&mut self, width: usize, height: usize, kind: Kind) {
        self.list.clear();
        self.list.push(Patch { left: 0, right: width, top: 0, bottom: height, kind });
    }
    /// Adds the runs of a row: each to the patch above it that is as wide and of its kind, if there is one. `same`: whether a
    /// flat one's samples are those of a patch.
    fn take_row(&mut self, y: usize, same: impl Fn(usize, &Patch) -> bool) {
        let above = self.open.len();
        let mut next = 0;
        for r in &self.runs {
            let is_before = |o: &usize| self.list[*o].left < r.start;
            next += self.open[next..above].iter().take_while(|o| is_before(o)).count();
            let found = self.open[next..above].first().copied().filter(|o| {
                let p = &self.list[*o];
                let is_alike = (p.left, p.right, p.kind) == (r.start, r.end, r.kind);
                is_alike && (r.kind != Kind::Flat || same(r.start, p))
            });
            let index = found.unwrap_or_else(|| {
                let (left, right, kind) = (r.start, r.end, r.kind);
                self.list.push(Patch { left, right, top: y, bottom: y, kind });
                self.list.len() - 1
            });
            self.list[index].bottom = y + 1;
            self.open.push(index);
        }
        self.open.drain(..above);
    }
    pub(crate) fn list(&self) -> &[Patch] {
        &self.list
    }
}

/// Lets what is short go with its neighbours, and takes out what is clear.
fn tidy(runs: &mut Vec<Run>, row: Row<'_>) {
    for run in runs.iter_mut() {
        if run.kind == Kind::Flat && run.end - run.start < MIN_RUN {
            run.kind = if row.alpha[run.start] == 255 { Kind::Opaque } else { Kind::Mixed };
        }
    }
    join(runs);
    let last = runs.len() - 1;
    for (i, run) in runs.iter_mut().enumerate() {
        let short = run.end - run.start < MIN_RUN;
        run.kind = match run.kind {
            // at an end of the row nothing is gained by it
            Kind::Clear if short && i > 0 && i < last => Kind::Mixed,
            Kind::Opaque if short => Kind::Mixed,
            kind => kind,
        };
    }
    join(runs);
    runs.retain(|r| r.kind != Kind::Clear);
}

/// Makes one run of neighbours of a kind; of flat ones each has its own value.
fn join(runs: &mut Vec<Run>) {
    runs.dedup_by(|run, last| {
        let is_one = run.kind == last.kind && run.kind != Kind::Flat;
        if is_one {
            last.end = run.end;
        }
        is_one
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runs(alpha: &[u8], value: &[u8]) -> Vec<(usize, usize, Kind)> {
        let mut p = Patches::default();
        p.build(alpha, [value; 2], alpha.len());
        let mut list: Vec<_> = p.list().iter().map(|p| (p.left, p.right, p.kind)).collect();
        list.sort_unstable();
        list
    }

    #[test]
    fn rows_that_are_alike_are_one_patch() {
        // a panel with round corners, in a letter's box of text, whose lower part has another colour
        let (w, h) = (320, 12);
        let mut alpha = vec![200u8; w * h];
        let mut value = vec![100u8; w * h];
        alpha[0] = 3;
        alpha[4 * w + 100] = 255;
        alpha[5 * w + 100] = 255;
        value[8 * w..].fill(90);
        let mut p = Patches::default();
        p.build(&alpha, [&value; 2], w);
        assert!(p.list().is_sorted_by_key(|p| p.kind), "those of a kind after each other");
        let mut list: Vec<_> = p.list().iter().map(|p| (p.top, p.bottom, p.left, p.right, p.kind)).collect();
        list.sort_unstable_by_key(|(top, _, left, ..)| (*top, *left));
        let want = [
            (0, 1, 0, 32, Kind::Mixed),
            (0, 1, 32, 320, Kind::Flat),
            (1, 4, 0, 320, Kind::Flat),
            (4, 6, 0, 96, Kind::Flat),
            (4, 6, 96, 128, Kind::Mixed),
            (4, 6, 128, 320, Kind::Flat),
            (6, 8, 0, 320, Kind::Flat),
            (8, 12, 0, 320, Kind::Flat),
        ];
        assert_eq!(list, want);
        p.whole(7, 5, Kind::Opaque);
        assert_eq!(p.list(), [Patch { left: 0, right: 7, top: 0, bottom: 5, kind: Kind::Opaque }]);
        p.build(&[], [&[]; 2], 0);
        assert!(p.list().is_empty());
    }

    #[test]
    fn a_panel_is_edges_and_a_middle() {
        let mut alpha = [0; 320];
        alpha[40..300].fill(200);
        alpha[39] = 90;
        alpha[300] = 90;
        let value = alpha.map(|a| a / 2);
        assert_eq!(runs(&alpha, &value), [(32, 64, Kind::Mixed), (64, 288, Kind::Flat), (288, 320, Kind::Mixed)]);
        alpha[64..128].fill(0);
        assert_eq!(
            runs(&alpha, &value),
            [(32, 64, Kind::Mixed), (128, 288, Kind::Flat), (288, 320, Kind::Mixed)],
            "two clear blocks are a gap"
        );
        alpha[96..128].fill(200);
        assert_eq!(
            runs(&alpha, &value),
            [(32, 96, Kind::Mixed), (96, 288, Kind::Flat), (288, 320, Kind::Mixed)],
            "one is not"
        );
    }
    #[test]
    fn a_picture_is_one_run_whatever_is_in_it() {
        let value: Vec<u8> = (0..400).map(|i| if i / 32 == 3 { 77 } else { (i * 7 % 220) as u8 }).collect();
        assert_eq!(runs(&[255; 400], &value), [(0, 400, Kind::Opaque)]);
        assert_eq!(runs(&[255; 40], &[9; 40]), [(0, 40, Kind::Mixed)], "too short for more");
        assert_eq!(runs(&[0; 400], &[0; 400]), []);
    }

    proptest! {
        /// Every sample of a plane is in one patch that says the truth of it, or clear.
        #[test]
        fn patches_cover_what_is_there(rows in proptest::collection::vec((0u8..4, 0u8..4, 0usize..40), 1..12)) {
            let w = 150;
            let (mut alpha, mut value) = (Vec::new(), Vec::new());
            for (left, right, at) in &rows {
                for x in 0..w {
                    let class = if x < 3 * at { left } else { right };
                    alpha.push(class * 85);
                    value.push(class * 20 + u8::from(*class == 2 && x % 2 == 0));
                }
            }
            let mut p = Patches::default();
            p.build(&alpha, [&value; 2], w);
            let mut seen = vec![0; alpha.len()];
            for p in p.list() {
                let first = p.top * w + p.left;
                for i in (p.top..p.bottom).flat_map(|y| y * w + p.left..y * w + p.right) {
                    seen[i] += 1;
                    prop_assert!(p.kind != Kind::Clear);
                    prop_assert!(p.kind != Kind::Opaque || alpha[i] == 255);
                    prop_assert!(p.kind != Kind::Flat || (alpha[i], value[i]) == (alpha[first], value[first]));
                }
            }
            prop_assert!(seen.iter().zip(&alpha).all(|(n, a)| *n == 1 || (*n == 0 && *a == 0)));
        }

        #[test]
        fn runs_are_what_they_say(parts in proptest::collection::vec((1usize..90, 0u8..4, any::<u8>(), 0usize..3), 1..12)) {
            let (mut alpha, mut value) = (Vec::new(), Vec::new());
            for (n, class, v, noise) in parts {
                let a = match class { 0 => 0, 1 => 255, 2 => 128, _ => v };
                for i in 0..n {
                    alpha.push(a);
                    value.push(v.wrapping_add((i * noise) as u8).min(a));
                }
            }
            let list = runs(&alpha, &value);
            let mut at = 0;
            for (start, end, kind) in list {
                prop_assert!(start >= at && start < end && end <= alpha.len());
                prop_assert!(alpha[at..start].iter().all(|a| *a == 0), "what is left out is clear");
                let (a, v) = (&alpha[start..end], &value[start..end]);
                match kind {
                    Kind::Clear => prop_assert!(false, "a clear run"),
                    Kind::Flat => prop_assert!(a.iter().all(|x| *x == a[0]) && v.iter().all(|x| *x == v[0])),
                    Kind::Opaque => prop_assert!(a.iter().all(|x| *x == 255)),
                    Kind::Mixed => {}
                }
                prop_assert!(kind == Kind::Mixed || end - start >= MIN_RUN);
                prop_assert!(start % BLOCK == 0 && (end % BLOCK == 0 || end == alpha.len()));
                at = end;
            }
            prop_assert!(alpha[at..].iter().all(|a| *a == 0));
        }
    }
}
