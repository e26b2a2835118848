//! From a scene's layers and tracks to one stack, and the index of what is on when.

use vistter_core::diagnose::Diagnostic;

use super::events::{Awaited, Log};
use super::index::Index;
use super::life::Life;
use super::plan::{Piece, Plan, TrackProgram, Wait};
use crate::compile::Cutter;
use crate::limits::{MAX_SCENE_PIXELS, MAX_TOGETHER};
use crate::model::{Cue, Scene, Track, TrackKind, Transition};
use crate::program::{CueProgram, LayerProgram, Timeline};
use crate::read::cue::end;

/// A scene's layers, those of cues too, and when they are on.
struct Stack {
    items: Vec<Item>,
    tracks: Vec<Vec<Slice>>,
    awaited: Vec<Awaited>,
    steps: (Vec<u64>, Vec<String>),
}

struct Item {
    /// Where it stands: the kind of its track, the track, its z, and the order of the document.
    place: (u8, usize, i32, usize),
    layer: LayerProgram,
    pixels: u64,
}

/// A piece of a track before its layers have their numbers: items by their order.
struct Slice {
    wait: Option<Wait>,
    intervals: Vec<(u64, u64, usize)>,
    open: Option<usize>,
}

/// Where plain layers stand: above backgrounds, under all other tracks.
const PLAIN: u8 = 1;

fn rank(kind: TrackKind) -> u8 {
    match kind {
        TrackKind::Background => 0,
        TrackKind::LowerThird => 2,
        TrackKind::Fullscreen => 3,
        TrackKind::Free => 4,
    }
}

/// Compiles every layer and cue of a scene, and says when each is on.
pub(crate) fn stack(scene: &Scene, at: &str, cut: &mut Cutter<'_>) -> (Vec<LayerProgram>, Timeline) {
    let all = scene.layers.len() + scene.tracks.iter().map(|t| t.cues.len()).sum::<usize>();
    let mut me =
        Stack { items: Vec::with_capacity(all), tracks: Vec::new(), awaited: Vec::new(), steps: Default::default() };
    for (i, l) in scene.layers.iter().enumerate() {
        if let Some((layer, pixels)) = cut.layer(l, &format!("{at}/layers/{i}")) {
            me.items.push(Item { place: (PLAIN, 0, l.z, i), layer, pixels });
        }
    }
    for (t, track) in scene.tracks.iter().enumerate() {
        me.track(track, t, &format!("{at}/tracks/{t}"), cut);
    }
    for s in &scene.steps {
        let frame = s.at.frames(cut.fps());
        // two steps that fall on one frame are one
        if me.steps.0.last().is_none_or(|last| *last < frame) {
            me.steps.0.push(frame);
            me.steps.1.push(s.id.clone());
        }
    }
    me.finish(at, &mut cut.faults)
}

impl Stack {
    fn track(&mut self, track: &Track, t: usize, at: &str, cut: &mut Cutter<'_>) {
        let fps = cut.fps();
        let mut order: Vec<(u64, usize, &Cue)> =
            track.cues.iter().enumerate().map(|(i, c)| (c.start.frames(fps), i, c)).collect();
        order.sort_by_key(|(start, ..)| *start);
        let mut pieces = vec![Slice { wait: None, intervals: Vec::new(), open: None }];
        for (k, (start, i, cue)) in order.iter().enumerate() {
            let following = order.get(k + 1).filter(|_| !track.kind.overlaps());
            let last = match (cue.duration, following) {
                (Some(d), _) => end(cue.start, d, fps).max(start + 1),
                // until the next one comes, whenever that is
                (None, Some((next, _, c))) if c.sync.is_none() => (*next).max(start + 1),
                (None, _) => u64::MAX,
            };
            let at = format!("{at}/cues/{i}");
            let way =
                |t: &Transition, name: &str, cut: &mut Cutter<'_>| cut.way(t, &format_args!("{at}/transition/{name}"));
            let ways = (way(&cue.enter, "in", cut), way(&cue.exit, "out", cut));
            let (Some(enter), Some(exit)) = ways else { continue };
            let life = Life { start: *start, end: last, ways: (enter.frames, exit.frames) };
            let add = |me: &mut Self, (program, z, pixels): (LayerProgram, i32, u64)| {
                let cue = CueProgram { life, enter: enter.clone(), exit: exit.clone() };
                let place = (rank(track.kind), t, z, *i);
                me.items.push(Item { place, layer: LayerProgram { cue: Some(Box::new(cue)), ..program }, pixels });
                me.items.len() - 1
            };
            let main = cut.cue(cue, &at).map(|made| add(self, made));
            let instead = cue.sync.as_ref().and(cue.fallback.as_deref());
            let instead = instead.and_then(|l| Some((cut.layer(l, &format!("{at}/fallback"))?, l.z)));
            let instead = instead.map(|((program, pixels), z)| add(self, (program, z, pixels)));
            if let (Some(sync), Some(main)) = (&cue.sync, main) {
                let awaited = Awaited { kind: sync.kind, name: sync.name.clone() };
                let awaited = self.awaited.iter().position(|a| *a == awaited).unwrap_or_else(|| {
                    self.awaited.push(awaited);
                    self.awaited.len() - 1
                });
                let wait = Wait {
                    layer: main as u32,
                    instead: instead.map(|n| n as u32),
                    start: *start,
                    awaited,
                    timeout: sync.timeout.map(|t| t.frames(fps)),
                    then: sync.then,
                };
                pieces.push(Slice { wait: Some(wait), intervals: Vec::new(), open: None });
            }
            let Some(piece) = pieces.last_mut() else { continue };
            piece.intervals.extend([main, instead].into_iter().flatten().map(|n| (*start, last, n)));
            piece.open = main.filter(|_| last == u64::MAX && following.is_some());
        }
        self.tracks.push(pieces);
    }

    /// Numbers the layers by their place in the stack, and makes the index.
    fn finish(self, at: &str, faults: &mut Vec<Diagnostic>) -> (Vec<LayerProgram>, Timeline) {
        // Their order is found first, so that each is moved once: they are large.
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|i| self.items.get(*i).map(|item| item.place));
        let mut number = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(n) = number.get_mut(*old) {
                *n = new as u32;
            }
        }
        let of = |old: usize| number.get(old).copied().unwrap_or_default();
        let mut unsorted: Vec<Option<Item>> = self.items.into_iter().map(Some).collect();
        let mut items = Vec::with_capacity(order.len());
        items.extend(order.iter().filter_map(|old| unsorted.get_mut(*old)?.take()));
        let tracks: Vec<TrackProgram> = self
            .tracks
            .into_iter()
            .map(|pieces| TrackProgram {
                pieces: pieces
                    .into_iter()
                    .map(|p| Piece {
                        wait: p.wait.map(|w| Wait {
                            layer: of(w.layer as usize),
                            instead: w.instead.map(|n| of(n as usize)),
                            ..w
                        }),
                        index: Index::new(&p.intervals.iter().map(|(a, b, n)| (*a, *b, of(*n))).collect::<Vec<_>>()),
                        open: p.open.map(of),
                    })
                    .collect(),
            })
            .collect();
        let always: Vec<u32> =
            items.iter().enumerate().filter(|(_, i)| i.layer.cue.is_none()).map(|(n, _)| n as u32).collect();
        let pixels: Vec<u64> = items.iter().map(|i| i.pixels).collect();
        limits(at, &always, &tracks, &pixels, faults);
        let (steps, step_names) = self.steps;
        let mut alone = Plan::default();
        alone.make(&tracks, &Log::new(self.awaited.len()));
        let timeline = Timeline { always, tracks, awaited: self.awaited, steps, step_names, alone };
        (items.into_iter().map(|i| i.layer).collect(), timeline)
    }
}

/// What may be on together, whatever waits for what.
fn limits(at: &str, always: &[u32], tracks: &[TrackProgram], pixels: &[u64], faults: &mut Vec<Diagnostic>) {
    let sum =
        |list: &[u32]| list.iter().filter_map(|n| pixels.get(*n as usize)).fold(0u64, |a, b| a.saturating_add(*b));
    let (mut count, mut total) = (always.len(), sum(always));
    for track in tracks {
        let most = |of: &dyn Fn(&Piece) -> u64| track.pieces.iter().map(of).max().unwrap_or(0);
        count += most(&|p| p.index.most() as u64) as usize;
        total = total.saturating_add(most(&|p| p.index.stretches().map(sum).max().unwrap_or(0)));
    }
    if count > MAX_TOGETHER {
        let text = format!("{count} layers and cues may be on together; at most {MAX_TOGETHER} are allowed");
        faults.push(Diagnostic::error("OCL-LIMIT", at, text).help("give cues a duration, or spread them over scenes"));
    }
    if total > MAX_SCENE_PIXELS {
        let text = format!("the layers have {total} pixels together; at most {MAX_SCENE_PIXELS} are allowed");
        faults.push(Diagnostic::error("OCL-LIMIT", at, text));
    }
}
