//! How long moves took: kept from one show to the next, used where a camera tells nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;

/// One pair of views.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Where the move began; empty when that was no known view.
    pub from: String,
    /// Where it went.
    pub to: String,
    /// How long it took, in nanoseconds.
    pub took: MediaTime,
    /// Where the camera then looked, if it told.
    pub target: Option<PtzPosition>,
}

/// Pairs kept for one camera; beyond that the pair that sorts first goes.
const MOST_PAIRS: usize = 1024;

/// Learned times of one camera. Serialises as a list of [`Learned`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Learned>", into = "Vec<Learned>")]
pub struct LearnedTimes {
    pairs: BTreeMap<(String, String), (MediaTime, Option<PtzPosition>)>,
}

impl LearnedTimes {
    /// Keeps what a move took.
    pub fn keep(&mut self, from: &str, to: &str, took: MediaTime, target: Option<PtzPosition>) {
        if to.is_empty() {
            return;
        }
        self.pairs.insert((from.to_owned(), to.to_owned()), (took.max(MediaTime::ZERO), target));
        while self.pairs.len() > MOST_PAIRS {
            self.pairs.pop_first();
        }
    }
    /// How long this pair took; without that, the longest way to the same view.
    pub fn took(&self, from: &str, to: &str) -> Option<MediaTime> {
        let pair = self.pairs.get(&(from.to_owned(), to.to_owned())).map(|(t, _)| *t);
        pair.or_else(|| self.to(to).map(|(t, _)| t).max())
    }
    /// Where a view was found to be last.
    pub fn target(&self, from: &str, to: &str) -> Option<PtzPosition> {
        let pair = self.pairs.get(&(from.to_owned(), to.to_owned())).and_then(|(_, p)| *p);
        pair.or_else(|| self.to(to).find_map(|(_, p)| p))
    }
    /// Forgets a view: it was stored anew.
    pub fn forget(&mut self, view: &str) {
        self.pairs.retain(|(from, to), _| from != view && to != view);
    }

    fn to<'a>(&'a self, view: &'a str) -> impl Iterator<Item = (MediaTime, Option<PtzPosition>)> + 'a {
        self.pairs.iter().filter(move |((_, to), _)| to == view).map(|(_, v)| *v)
    }
}

impl From<Vec<Learned>> for LearnedTimes {
    fn from(list: Vec<Learned>) -> Self {
        let mut times = Self::default();
        for l in list {
            times.keep(&l.from, &l.to, l.took, l.target);
        }
        times
    }
}
impl From<LearnedTimes> for Vec<Learned> {
    fn from(times: LearnedTimes) -> Self {
        let one = |((from, to), (took, target))| Learned { from, to, took, target };
        times.pairs.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_kept_and_stand_in_for_each_other() {
        let s = MediaTime::from_secs;
        let mut l = LearnedTimes::default();
        l.keep("a", "b", s(2), Some(PtzPosition::default()));
        l.keep("c", "b", s(3), None);
        assert_eq!((l.took("a", "b"), l.took("x", "b"), l.took("b", "a")), (Some(s(2)), Some(s(3)), None));
        assert_eq!(l.target("c", "b"), Some(PtzPosition::default()));
        let text = serde_json::to_string(&l).unwrap();
        assert_eq!(serde_json::from_str::<LearnedTimes>(&text).unwrap(), l);
        l.forget("b");
        assert_eq!(l, LearnedTimes::default());
        for i in 0..3000 {
            l.keep("a", &i.to_string(), s(1), None);
        }
        assert_eq!(Vec::from(l).len(), MOST_PAIRS);
    }
}
