//! Which parts of a row are worth touching, and how.
//!
//! Rows are looked at in blocks of the vector loops' length, so that what a loop gets is whole turns of it: the samples
//! left over are what costs, and so does every run of its own.

use std::ops::Range;

use crate::pairs::BLOCK;

/// What is of one kind is worth a run of its own from this many samples; less of it goes with its neighbours.
const MIN_RUN: usize = 2 * BLOCK;

/// What the samples of a run have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing is there. No run is of this kind in the end.
    Clear,
    /// The same alpha and the same values.
    Flat,
    /// Full alpha.
    Opaque,
    /// Nothing.
    Mixed,
}

/// One run of a row that has something to blend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

/// The runs of all rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    list: Vec<Run>,
    /// `rows[y]..rows[y + 1]` are the runs of row `y`.
    rows: Vec<usize>,
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
    /// Whether two samples are the same.
    fn same(&self, a: usize, b: usize) -> bool {
        self.alpha[a] == self.alpha[b] && self.values.iter().all(|v| v[a] == v[b])
    }
}

/// The value that all samples have, if they do. Looks at all of them, which vectors do at once.
fn one_value(samples: &[u8]) -> Option<u8> {
    let first = *samples.first()?;
    (samples.iter().fold(0, |other, v| other | (v ^ first)) == 0).then_some(first)
}

impl Runs {
    /// Looks through the rows of an alpha plane, and of one or two planes of values.
    pub(super) fn build(&mut self, alpha: &[u8], values: [&[u8]; 2], width: usize) {
        self.list.clear();
        self.rows.clear();
        self.rows.push(0);
        if width == 0 {
            return;
        }
        let [one, two] = values.map(|v| v.chunks_exact(width));
        for ((alpha, one), two) in alpha.chunks_exact(width).zip(one).zip(two) {
            let row = Row { alpha, values: [one, two] };
            let first = self.list.len();
            for start in (0..width).step_by(BLOCK) {
                let end = (start + BLOCK).min(width);
                let kind = row.kind(start..end);
                match self.list[first..].last_mut() {
                    Some(l) if l.kind == kind && (kind != Kind::Flat || row.same(l.start, start)) => l.end = end,
                    _ => self.list.push(Run { start, end, kind }),
                }
            }
            self.tidy(first, row);
            self.rows.push(self.list.len());
        }
    }
    /// Every row is one run of a kind.
    pub(crate) fn whole(&mut self, width: usize, height: usize, kind: Kind) {
        self.list.clear();
        self.list.resize(height, Run { start: 0, end: width, kind });
        self.rows.clear();
        self.rows.extend(0..=height);
    }
    /// Lets what is short go with its neighbours, in the runs from `first` on.
    fn tidy(&mut self, first: usize, row: Row<'_>) {
        for run in self.list.iter_mut().skip(first) {
            if run.kind == Kind::Flat && run.end - run.start < MIN_RUN {
                run.kind = if row.alpha[run.start] == 255 { Kind::Opaque } else { Kind::Mixed };
            }
        }
        self.join(first);
        let last = self.list.len() - 1;
        for (i, run) in self.list.iter_mut().enumerate().skip(first) {
            let short = run.end - run.start < MIN_RUN;
            run.kind = match run.kind {
                // at an end of the row nothing is gained by it
                Kind::Clear if short && i > first && i < last => Kind::Mixed,
                Kind::Opaque if short => Kind::Mixed,
                kind => kind,
            };
        }
        self.join(first);
        let kept = self.list[first..].iter().filter(|r| r.kind != Kind::Clear).count();
        let mut at = first;
        for i in first..self.list.len() {
            if self.list[i].kind != Kind::Clear {
                self.list[at] = self.list[i];
                at += 1;
            }
        }
        self.list.truncate(first + kept);
    }
    /// Makes one run of neighbours of a kind; of flat ones each has its own value.
    fn join(&mut self, first: usize) {
        let mut last = first;
        for i in first + 1..self.list.len() {
            let run = self.list[i];
            if self.list[last].kind == run.kind && run.kind != Kind::Flat {
                self.list[last].end = run.end;
            } else {
                last += 1;
                self.list[last] = run;
            }
        }
        self.list.truncate(last + 1);
    }
    /// The runs of a row.
    pub(crate) fn row(&self, y: usize) -> &[Run] {
        &self.list[self.rows[y]..self.rows[y + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runs(alpha: &[u8], value: &[u8]) -> Vec<(usize, usize, Kind)> {
        let mut r = Runs::default();
        r.build(alpha, [value; 2], alpha.len());
        r.row(0).iter().map(|r| (r.start, r.end, r.kind)).collect()
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
