//! What happened outside, as far as a scene waits for it, in the scene's own time.

use vistter_core::ports::EventKind;

/// Something a scene waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    pub(crate) kind: EventKind,
    pub(crate) name: String,
}

/// Times at which one thing was so that are kept; older ones are forgotten first.
const MAX_SPANS: usize = 64;

/// For each awaited thing, when it was so. The kinds differ in what they are before and after:
///
/// * a preset holds from the moment the camera stands there until it leaves, also from before the scene was shown;
/// * a milestone that has been passed stays passed;
/// * a marker counts from its moment on, and only when the scene was on then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    /// So at this moment, or for good.
    now: bool,
    /// First frame, and first frame not any more.
    spans: Vec<(u64, u64)>,
}

impl Log {
    /// The same for another list of what is awaited: each with its place in this one, if it has one.
    pub(crate) fn mapped(&self, places: impl Iterator<Item = Option<usize>>) -> Self {
        Self { entries: places.map(|i| self.entries.get(i?).cloned()).map(Option::unwrap_or_default).collect() }
    }

    /// Nothing has happened yet.
    pub(crate) fn new(awaited: usize) -> Self {
        Self { entries: vec![Entry::default(); awaited] }
    }

    /// The scene is shown: its time begins.
    pub(crate) fn begin(&mut self) {
        for e in &mut self.entries {
            e.spans.clear();
            if e.now {
                e.spans.push((0, u64::MAX));
            }
        }
    }

    /// Something happened, or is over (`on` is false); `at` is the scene's frame, when it is shown.
    pub(crate) fn tell(&mut self, awaited: usize, kind: EventKind, on: bool, at: Option<u64>) {
        let Some(e) = self.entries.get_mut(awaited) else { return };
        match (kind, on) {
            (EventKind::Preset, _) => e.now = on,
            (EventKind::Milestone, true) => e.now = true,
            // what has been passed stays passed, and a moment has no end
            (_, false) => return,
            _ => {}
        }
        let Some(at) = at else { return };
        let open = e.spans.last_mut().filter(|(_, to)| *to == u64::MAX);
        match (open, on) {
            (Some((_, to)), false) => *to = at,
            (None, true) => {
                if e.spans.len() >= MAX_SPANS {
                    e.spans.remove(0);
                }
                e.spans.push((at, u64::MAX));
            }
            _ => {}
        }
    }

    /// The scene's time jumps to `to`: what has happened has happened by then.
    pub(crate) fn jump(&mut self, to: u64) {
        for (from, until) in self.entries.iter_mut().flat_map(|e| &mut e.spans) {
            *from = (*from).min(to);
            if *until != u64::MAX {
                *until = (*until).min(to);
            }
        }
    }

    /// The first frame from `from` on at which it is so, as far as is known.
    pub(crate) fn first(&self, awaited: usize, from: u64) -> Option<u64> {
        let spans = &self.entries.get(awaited)?.spans;
        spans.iter().find(|(a, b)| *b > from && b > a).map(|(a, _)| (*a).max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds() {
        let mut log = Log::new(3);
        log.tell(0, EventKind::Preset, true, None);
        log.tell(1, EventKind::Milestone, true, None);
        log.tell(2, EventKind::Marker, true, None);
        log.begin();
        assert_eq!((log.first(0, 5), log.first(1, 5), log.first(2, 5)), (Some(5), Some(5), None));
        log.tell(0, EventKind::Preset, false, Some(10));
        log.tell(1, EventKind::Milestone, false, Some(10));
        log.tell(2, EventKind::Marker, true, Some(10));
        assert_eq!(
            (log.first(0, 9), log.first(0, 10), log.first(1, 10), log.first(2, 0)),
            (Some(9), None, Some(10), Some(10))
        );
        log.tell(0, EventKind::Preset, true, Some(30));
        assert_eq!(log.first(0, 10), Some(30));
        log.jump(4);
        assert_eq!((log.first(0, 0), log.first(0, 4), log.first(2, 0)), (Some(0), Some(4), Some(4)));
        log.begin();
        assert_eq!(log.first(2, 0), None, "a moment of the last time");
    }
    #[test]
    fn what_is_not_awaited_and_what_comes_too_often_costs_nothing() {
        let mut log = Log::new(1);
        log.begin();
        log.tell(7, EventKind::Preset, true, Some(1));
        for f in 0..1000 {
            log.tell(0, EventKind::Preset, f % 2 == 0, Some(f));
        }
        assert_eq!(log.entries[0].spans.len(), MAX_SPANS);
        assert_eq!(log.first(0, 998), Some(998));
    }
}
