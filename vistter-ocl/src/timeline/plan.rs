//! When cues come. A cue that waits delays itself and what comes after it in its track; other tracks go on.
//!
//! The rule. A track is cut at each cue that waits; the pieces go one after the other.
//!
//! 1. A cue that waits is *due* at its start plus the delay of its track so far.
//! 2. It comes at the first frame from then on at which what it waits for is so. By as much as that is later than its
//!    start, it and all later cues of its track are delayed.
//! 3. When its time-out is over first: *continue* lets it come then, delayed in the same way; *fallback* does the same
//!    with its fallback in its place; *skip* leaves it out, and the track has no more delay than before, but nothing of
//!    the later cues shows before that frame.
//! 4. Until then nothing of it and of the later cues of its track shows.
//!
//! What happens at a frame counts for that frame. So a plan made from what is known at a frame is right for all frames
//! up to it, and for the later ones as long as nothing else happens: seeking gives what playing gives.

use super::events::Log;
use super::index::Index;

/// What a cue does when what it waits for does not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Then {
    /// It comes all the same.
    #[default]
    Continue,
    /// It is left out.
    Skip,
    /// Its fallback comes in its place.
    Fallback,
}

impl Then {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["continue", "skip", "fallback"];
}

/// Cues that share a track, in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrackProgram {
    pub(crate) pieces: Vec<Piece>,
}

/// Cues from one that waits up to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece {
    /// What its first cue waits for; nothing at the beginning of a track.
    pub(crate) wait: Option<Wait>,
    /// The numbers of its layers, in the time of the track without delay.
    pub(crate) index: Index,
    /// Its last layer, when that stays until the next piece comes.
    pub(crate) open: Option<u32>,
}

/// A cue that waits, in frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The number of its layer.
    pub(crate) layer: u32,
    /// The number of the layer that comes in its place.
    pub(crate) instead: Option<u32>,
    pub(crate) start: u64,
    /// What it waits for, by number.
    pub(crate) awaited: usize,
    pub(crate) timeout: Option<u64>,
    pub(crate) then: Then,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Its frames are this much later than written.
    pub(crate) delay: u64,
    /// Nothing of it shows before this frame; `u64::MAX`: it still waits.
    pub(crate) gate: u64,
    /// Layers of it that do not show.
    pub(crate) hidden: [Option<u32>; 2],
}

/// When everything comes, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// One for each piece, track by track.
    turns: Vec<Turn>,
}

impl Plan {
    /// Makes the plan anew from what is known. Allocates only the first time.
    pub(crate) fn make(&mut self, tracks: &[TrackProgram], log: &Log) {
        self.turns.clear();
        for track in tracks {
            let (mut delay, mut gate) = (0u64, 0u64);
            for piece in &track.pieces {
                let mut hidden = [None; 2];
                if let (Some(w), true) = (piece.wait, gate < u64::MAX) {
                    let due = w.start.saturating_add(delay).max(gate);
                    let comes = log.first(w.awaited, due);
                    let limit = w.timeout.map(|t| due.saturating_add(t));
                    match (comes, limit) {
                        (Some(at), limit) if limit.is_none_or(|l| at <= l) => {
                            (delay, gate, hidden) = (at - w.start, at, [w.instead, None]);
                        }
                        (_, None) => gate = u64::MAX,
                        (_, Some(at)) => match w.then {
                            Then::Continue => (delay, gate, hidden) = (at - w.start, at, [w.instead, None]),
                            Then::Fallback => (delay, gate, hidden) = (at - w.start, at, [Some(w.layer), None]),
                            Then::Skip => (gate, hidden) = (at, [Some(w.layer), w.instead]),
                        },
                    }
                }
                self.turns.push(Turn { delay, gate, hidden });
            }
        }
    }

    /// Gives the layers that are on at a frame, with the frame of their track; in no order.
    pub(crate) fn each(&self, tracks: &[TrackProgram], frame: u64, out: &mut dyn FnMut(u32, u64)) {
        let mut turns = self.turns.as_slice();
        for track in tracks {
            for (i, piece) in track.pieces.iter().enumerate() {
                let Some((turn, rest)) = turns.split_first() else { return };
                turns = rest;
                // a piece cannot be on before its delay is over
                let Some(local) = frame.checked_sub(turn.delay).filter(|_| frame >= turn.gate) else { continue };
                let over = i + 1 < track.pieces.len() && rest.first().is_some_and(|next| frame >= next.gate);
                for n in piece.index.at(local) {
                    let gone = turn.hidden.contains(&Some(*n)) || (over && piece.open == Some(*n));
                    if !gone {
                        out(*n, local);
                    }
                }
            }
        }
    }

    /// The first frame after `frame` at which a layer comes or goes, as far as is known.
    pub(crate) fn next(&self, tracks: &[TrackProgram], frame: u64) -> Option<u64> {
        let pieces = tracks.iter().flat_map(|t| &t.pieces).zip(&self.turns);
        let next = |(piece, turn): (&Piece, &Turn)| match turn.gate {
            u64::MAX => None,
            gate if frame < gate.max(turn.delay) => Some(gate.max(turn.delay)),
            _ => piece.index.next(frame - turn.delay).map(|f| f.saturating_add(turn.delay)),
        };
        pieces.filter_map(next).filter(|f| *f < u64::MAX).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vistter_core::ports::EventKind;

    /// Cues of ten frames: 0 at 0, 1 at 10 (waits), 2 at 20, 3 at 30.
    fn track(timeout: Option<u64>, then: Then) -> Vec<TrackProgram> {
        let wait = Wait { layer: 1, instead: Some(9), start: 10, awaited: 0, timeout, then };
        vec![TrackProgram {
            pieces: vec![
                Piece { wait: None, index: Index::new(&[(0, 10, 0)]), open: None },
                Piece {
                    wait: Some(wait),
                    index: Index::new(&[(10, 20, 1), (10, 20, 9), (20, 30, 2), (30, 40, 3)]),
                    open: None,
                },
            ],
        }]
    }
    fn on(tracks: &[TrackProgram], log: &Log, frame: u64) -> Vec<(u32, u64)> {
        let (mut plan, mut out) = (Plan::default(), Vec::new());
        plan.make(tracks, log);
        plan.each(tracks, frame, &mut |n, local| out.push((n, local)));
        out
    }

    #[test]
    fn a_cue_that_waits_delays_its_track() {
        let tracks = track(None, Then::Continue);
        let mut log = Log::new(1);
        log.begin();
        assert_eq!(
            (on(&tracks, &log, 9), on(&tracks, &log, 10), on(&tracks, &log, 500)),
            (vec![(0, 9)], vec![], vec![])
        );
        log.tell(0, EventKind::Marker, true, Some(17));
        assert_eq!(
            (on(&tracks, &log, 16), on(&tracks, &log, 17), on(&tracks, &log, 27)),
            (vec![], vec![(1, 10)], vec![(2, 20)])
        );
        // what happened before it was due does not make it come early
        let mut early = Log::new(1);
        early.begin();
        early.tell(0, EventKind::Marker, true, Some(3));
        assert_eq!((on(&tracks, &early, 9), on(&tracks, &early, 10)), (vec![(0, 9)], vec![(1, 10)]));
    }
    #[test]
    fn what_happens_when_nothing_comes() {
        let mut log = Log::new(1);
        log.begin();
        let at = |then, f| on(&track(Some(5), then), &log, f);
        assert_eq!(
            (at(Then::Continue, 14), at(Then::Continue, 15), at(Then::Continue, 25)),
            (vec![], vec![(1, 10)], vec![(2, 20)])
        );
        assert_eq!((at(Then::Fallback, 15), at(Then::Fallback, 25)), (vec![(9, 10)], vec![(2, 20)]));
        assert_eq!((at(Then::Skip, 15), at(Then::Skip, 19), at(Then::Skip, 20)), (vec![], vec![], vec![(2, 20)]));
    }
    proptest! {
        /// A plan made early is right up to the next thing that happens; one made late is right for the past too.
        #[test]
        fn seek_equals_play(
            mut events in proptest::collection::vec((0u64..80, any::<bool>()), 0..6),
            timeout in proptest::option::of(0u64..30),
            then in prop_oneof![Just(Then::Continue), Just(Then::Skip), Just(Then::Fallback)],
        ) {
            events.sort_unstable();
            let tracks = track(timeout, then);
            let mut log = Log::new(1);
            log.begin();
            let mut played = Vec::new();
            for f in 0..120 {
                for (_, on) in events.iter().filter(|(at, _)| *at == f) {
                    log.tell(0, EventKind::Preset, *on, Some(f));
                }
                played.push(on(&tracks, &log, f));
            }
            for (f, was) in played.iter().enumerate() {
                prop_assert_eq!(&on(&tracks, &log, f as u64), was, "frame {}", f);
            }
            let (mut plan, mut f) = (Plan::default(), 0);
            plan.make(&tracks, &log);
            while let Some(next) = plan.next(&tracks, f) {
                prop_assert!(next > f);
                let numbers = |f: u64| on(&tracks, &log, f).iter().map(|(n, _)| *n).collect::<Vec<_>>();
                for g in f..next { prop_assert_eq!(numbers(g), numbers(f)); }
                f = next;
            }
        }
    }
}
