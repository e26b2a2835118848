//! What is heard of a scene: the sound of its videos, in step with their pictures, as loud as their layers and the ways in
//! and out of cues and scene say.

use vistter_core::media::PROGRAM_SAMPLE_RATE;
use vistter_core::ports::Tick;
use vistter_core::time::FrameRate;

use crate::OclOverlay;
use crate::aim::Aims;
use crate::presence::FULL;
use crate::program::{LayerProgram, LayerState, Picture};
use crate::renderer::{Renderer, Slot};
use crate::timeline::clock::Moment;
use crate::timeline::plan::Plan;

impl Picture {
    /// How loud it is when nothing says otherwise; none for what has no sound.
    pub(crate) fn volume(&self) -> Option<f64> {
        match self {
            Self::Inset(p) if p.sounds() => Some(p.volume),
            _ => None,
        }
    }
}

impl LayerProgram {
    fn sounds(&self) -> bool {
        match &self.picture {
            Picture::Group(g) => g.layers.iter().any(Self::sounds),
            picture => picture.volume().is_some(),
        }
    }
}

/// The frames of a picture rate in samples of the program.
#[derive(Clone, Copy)]
struct Grid(FrameRate);

impl Grid {
    fn parts(self) -> (i128, i128) {
        (i128::from(self.0.den()) * i128::from(PROGRAM_SAMPLE_RATE), i128::from(self.0.num().max(1)))
    }
    /// The frame that is on at a sample.
    fn frame(self, sample: u64) -> u64 {
        let (a, b) = self.parts();
        u64::try_from(i128::from(sample) * b / a).unwrap_or(u64::MAX)
    }
    /// The first sample of a frame.
    fn first(self, frame: u64) -> u64 {
        let (a, b) = self.parts();
        u64::try_from((i128::from(frame) * a + b - 1) / b).unwrap_or(u64::MAX)
    }
    /// How far one that is at its frame `run` is at a sample of frame `frame`: as long as both go on together, to the sample
    /// as far again as there are samples between.
    fn position(self, run: u64, frame: u64, sample: u64) -> i64 {
        let (a, b) = self.parts();
        let apart = ((i128::from(run) - i128::from(frame)) * a + b / 2).div_euclid(b);
        i64::try_from(i128::from(sample) + apart).unwrap_or(0)
    }
}

impl OclOverlay {
    /// Whether something could be heard of it, once it is prepared.
    pub fn has_sound(&self) -> bool {
        self.renderer.as_ref().is_some_and(|r| r.program.layers.iter().any(LayerProgram::sounds))
    }

    /// Adds what is heard to stereo samples of the program, from number `first` on.
    pub(crate) fn heard(&mut self, at: Tick, first: u64, mix: &mut [f32]) -> bool {
        if self.renderer.is_none() || !self.has_sound() {
            return false;
        }
        self.settle(at.frame);
        let Some(renderer) = &mut self.renderer else { return false };
        let grid = Grid(renderer.program.canvas.fps);
        let (mut sample, mut rest, mut any) = (first, mix, false);
        while !rest.is_empty() {
            // what comes after this frame, as it will be if nothing is said until then
            let frame = grid.frame(sample).max(at.frame);
            let left =
                usize::try_from(grid.first(frame.saturating_add(1)).saturating_sub(sample)).unwrap_or(usize::MAX);
            let count = left.clamp(1, (rest.len() / 2).max(1));
            let (now, later) = rest.split_at_mut((2 * count).min(rest.len()));
            if let Some(age) = self.presence.age(frame).filter(|_| !self.watch.is_blank()) {
                renderer.look_at(age);
                let level = f64::from(self.presence.level(frame)) / f64::from(FULL);
                any |= renderer.sing(level, (self.clock.moment(age), &self.plan), (grid, frame, sample), now);
            }
            any |= renderer.hush(now);
            sample = sample.saturating_add(count as u64);
            rest = later;
        }
        any
    }
}

impl Renderer {
    /// Adds what is heard at a moment, the whole scene at a level.
    fn sing(&mut self, level: f64, (moment, plan): (Moment, &Plan), at: (Grid, u64, u64), out: &mut [f32]) -> bool {
        self.states_at(moment, plan);
        let mut any = false;
        for state in &self.states {
            let (Some(layer), Some(slot)) = (self.program.layers.get(state.layer), self.slots.get_mut(state.layer))
            else {
                continue;
            };
            let level = level * f64::from(state.level.0) / f64::from(FULL);
            any |= sing(layer, slot, state, &self.aims, (level, at), out);
        }
        any
    }

    /// What was not heard now fades out.
    fn hush(&mut self, out: &mut [f32]) -> bool {
        fn each(slot: &mut Slot, out: &mut [f32]) -> bool {
            let own = slot.inset.as_mut().is_some_and(|i| i.hush(out));
            slot.children.iter_mut().fold(own, |any, s| each(s, out) | any)
        }
        self.slots.iter_mut().fold(false, |any, s| each(s, out) | any)
    }
}

fn sing(
    layer: &LayerProgram,
    slot: &mut Slot,
    state: &LayerState,
    aims: &Aims,
    (level, at): (f64, (Grid, u64, u64)),
    out: &mut [f32],
) -> bool {
    if let Picture::Group(g) = &layer.picture {
        let mut any = false;
        for (l, s) in g.layers.iter().zip(&mut slot.children).filter(|(l, _)| l.sounds()) {
            any |= sing(l, s, &l.now(state.moment, aims), aims, (level, at), out);
        }
        return any;
    }
    let (Some(own), Some(inset)) = (layer.picture.volume(), &mut slot.inset) else { return false };
    let (grid, frame, sample) = at;
    let position = grid.position(state.moment.run, frame, sample);
    inset.sing(position, level * state.volume.unwrap_or(own), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Frames and samples are in step, and what goes on goes on to the sample.
        #[test]
        fn frames_in_samples(frame in 0u64..10_000_000, run in 0u64..10_000_000, on in 0u64..5000, ntsc in any::<bool>()) {
            let fps = if ntsc { FrameRate::new(30_000, 1001).unwrap() } else { FrameRate::new(25, 1).unwrap() };
            let grid = Grid(fps);
            let first = grid.first(frame);
            prop_assert_eq!(grid.frame(first), frame);
            prop_assert!(first == 0 || grid.frame(first - 1) == frame - 1);
            let begin = grid.position(run, frame, first);
            prop_assert!(begin.abs_diff(grid.first(run) as i64) <= 1);
            let later = frame + on;
            prop_assert_eq!(grid.position(run + on, later, grid.first(later)) - begin, (grid.first(later) - first) as i64);
        }
    }
}
