//! Which of many intervals hold a frame. Built once by a sweep over their ends; asked by binary search.

use crate::limits::MAX_TOGETHER;

/// Intervals of frames, each with the number of what is on in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Frames at which something changes, rising.
    bounds: Vec<u64>,
    /// Where in `on` the list of each stretch begins: `bounds.len() + 1` stretches and an end.
    from: Vec<u32>,
    /// The numbers that are on, stretch by stretch, each list rising.
    on: Vec<u32>,
    /// The greatest number of things that are on together.
    most: usize,
}

impl Index {
    /// `(start, end, number)`; an end is not part of its interval, an empty interval is never on.
    pub(crate) fn new(intervals: &[(u64, u64, u32)]) -> Self {
        // at one frame ends come before starts
        let mut edges: Vec<(u64, bool, u32)> = Vec::with_capacity(2 * intervals.len());
        for &(start, end, n) in intervals.iter().filter(|(start, end, _)| start < end) {
            edges.push((start, true, n));
            edges.push((end, false, n));
        }
        edges.sort_unstable();
        let mut me = Self { bounds: Vec::new(), from: vec![0, 0], on: Vec::new(), most: 0 };
        let mut now: Vec<u32> = Vec::new();
        let mut rest = edges.as_slice();
        while let Some(&(frame, ..)) = rest.first() {
            while let [(at, starts, n), tail @ ..] = rest
                && *at == frame
            {
                match now.binary_search(n) {
                    Err(i) if *starts => now.insert(i, *n),
                    Ok(i) if !*starts => drop(now.remove(i)),
                    _ => {}
                }
                rest = tail;
            }
            me.bounds.push(frame);
            me.most = me.most.max(now.len());
            // More than may be together is refused by who asks; the lists must not grow with the square until then.
            me.on.extend(now.iter().take(MAX_TOGETHER));
            me.from.push(me.on.len() as u32);
        }
        me
    }

    /// The numbers that are on at a frame, rising.
    pub(crate) fn at(&self, frame: u64) -> &[u32] {
        self.stretch(self.bounds.partition_point(|b| *b <= frame))
    }
    /// The first frame after `frame` at which something comes or goes.
    pub(crate) fn next(&self, frame: u64) -> Option<u64> {
        self.bounds.get(self.bounds.partition_point(|b| *b <= frame)).copied()
    }
    /// The greatest number of things that are on together.
    pub(crate) fn most(&self) -> usize {
        self.most
    }
    /// What is on together, stretch by stretch.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = &[u32]> {
        (0..=self.bounds.len()).map(|i| self.stretch(i))
    }

    fn stretch(&self, i: usize) -> &[u32] {
        match (self.from.get(i), self.from.get(i + 1)) {
            (Some(a), Some(b)) => self.on.get(*a as usize..*b as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn touching_intervals_follow_each_other() {
        let i = Index::new(&[(5, 10, 0), (10, 12, 1), (7, 7, 2), (0, u64::MAX, 3)]);
        assert_eq!(
            (i.at(4), i.at(5), i.at(9), i.at(10), i.at(12)),
            (&[3][..], &[0, 3][..], &[0, 3][..], &[1, 3][..], &[3][..])
        );
        assert_eq!((i.next(0), i.next(5), i.next(12)), (Some(5), Some(10), Some(u64::MAX)));
        assert_eq!(Index::new(&[]).at(7), &[] as &[u32]);
        assert_eq!(Index::default().at(0), &[] as &[u32]);
    }
    proptest! {
        /// The index says what a look at every interval says.
        #[test]
        fn as_a_scan(list in proptest::collection::vec((0u64..60, 0u64..20), 0..40)) {
            let all: Vec<_> = list.iter().enumerate().map(|(n, (s, l))| (*s, s + l, n as u32)).collect();
            let index = Index::new(&all);
            for f in 0..90 {
                let on: Vec<u32> = all.iter().filter(|(s, e, _)| (*s..*e).contains(&f)).map(|(.., n)| *n).collect();
                prop_assert_eq!(index.at(f), &on[..]);
                let next = index.next(f).unwrap_or(90);
                prop_assert!(next > f);
                for g in f..next { prop_assert_eq!(index.at(g), index.at(f)); }
            }
        }
    }
}
