//! A scene compiled for one canvas: lengths in canvas pixels, times in output frames, layers in stacking order.
//! Immutable; what it shows at a frame is a pure function.

use std::sync::Arc;

use vistter_core::ports::Canvas;

use crate::model::{Anchor, Easing};
use crate::raster::picture::Decoded;
use crate::raster::text::TextSpec;
use crate::template::Template;

/// A compiled scene.
#[derive(Clone, Debug)]
pub struct SceneProgram {
    pub(crate) canvas: Canvas,
    /// Frames of the way in; 0 is a cut.
    pub(crate) enter: u64,
    /// Frames of the way out; 0 is a cut.
    pub(crate) exit: u64,
    pub(crate) motion: Motion,
    /// Bottom to top.
    pub(crate) layers: Vec<LayerProgram>,
}

/// A compiled layer.
#[derive(Clone, Debug)]
pub(crate) struct LayerProgram {
    pub(crate) anchor: Anchor,
    /// Canvas pixels from the anchor point.
    pub(crate) offset: [f64; 2],
    pub(crate) opacity: f64,
    pub(crate) motion: Motion,
    pub(crate) picture: Picture,
}

/// What a layer is drawn from.
#[derive(Clone, Debug)]
pub(crate) enum Picture {
    Image { source: Arc<Decoded>, width: u32, height: u32 },
    Rect { width: usize, height: usize, radius: f64, rgba: [u8; 4] },
    Text { text: Template, spec: TextSpec },
    Ticker { text: Template, spec: TextSpec, width: i64, gap: i64, pace: Pace },
}

/// Even motion: `pixels` further every `frames` frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) pixels: u64,
    pub(crate) frames: u64,
}

impl Pace {
    /// The even pace nearest to a speed in pixels per frame: whole pixels each frame, or one pixel each n frames. A
    /// pace between would move by different steps from frame to frame, which the eye sees as stutter.
    pub(crate) fn nearest(speed: f64) -> Self {
        if speed >= 1.0 {
            Self { pixels: speed.round() as u64, frames: 1 }
        } else {
            Self { pixels: 1, frames: (1.0 / speed.max(1e-6)).round() as u64 }
        }
    }
    /// Pixels travelled after a number of frames.
    pub(crate) fn travelled(self, frames: u64) -> u64 {
        (frames / self.frames.max(1)).saturating_mul(self.pixels)
    }
}

/// Automation with its times in frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Motion {
    pub(crate) opacity: Vec<Key<f64>>,
    pub(crate) position: Vec<Key<[f64; 2]>>,
}

/// A keyframe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<T> {
    pub(crate) frame: u64,
    pub(crate) value: T,
    pub(crate) easing: Easing,
}

/// What one layer does at one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerState {
    /// 0 to 1, without the scene's way in or out.
    pub opacity: f64,
    /// Canvas pixels from the anchor point, right and down.
    pub offset: [f64; 2],
    /// Canvas pixels a ticker has run; 0 for other layers.
    pub travel: u64,
}

impl SceneProgram {
    /// What the layers do `frame` output frames after the scene was shown, bottom to top. The same frame gives the
    /// same state, however it is reached.
    pub fn state_at(&self, frame: u64) -> impl Iterator<Item = LayerState> + '_ {
        let scene = value_at(&self.motion.opacity, frame).unwrap_or(1.0);
        let [sx, sy] = value_at(&self.motion.position, frame).unwrap_or([0.0, 0.0]);
        self.layers.iter().map(move |l| {
            let [x, y] = value_at(&l.motion.position, frame).unwrap_or(l.offset);
            LayerState {
                opacity: scene * value_at(&l.motion.opacity, frame).unwrap_or(l.opacity),
                offset: [x + sx, y + sy],
                travel: match &l.picture {
                    Picture::Ticker { pace, .. } => pace.travelled(frame),
                    _ => 0,
                },
            }
        })
    }

    /// The first frame after `frame`, both counted from when the scene was shown, at which a layer's state may
    /// differ; `None` when it never will.
    pub fn next_change(&self, frame: u64) -> Option<u64> {
        let of = |m: &Motion| earliest(next_change(&m.opacity, frame), next_change(&m.position, frame));
        self.layers.iter().fold(of(&self.motion), |soonest, l| {
            let run = match &l.picture {
                Picture::Ticker { pace, .. } => Some((frame / pace.frames.max(1) + 1).saturating_mul(pace.frames)),
                _ => None,
            };
            earliest(earliest(soonest, of(&l.motion)), run)
        })
    }

    /// The canvas it was compiled for.
    pub fn canvas(&self) -> Canvas {
        self.canvas
    }
    /// Frames of the way in and of the way out; 0 is a cut.
    pub fn ramps(&self) -> (u64, u64) {
        (self.enter, self.exit)
    }
    /// Seconds after which a clock in a text may turn over, when there is one.
    pub(crate) fn clock_step(&self) -> Option<i64> {
        let step = |l: &LayerProgram| match &l.picture {
            Picture::Text { text, .. } | Picture::Ticker { text, .. } => text.clock_step(),
            _ => None,
        };
        self.layers.iter().filter_map(step).min()
    }
}

/// The earlier of two frames that may not come.
pub(crate) fn earliest(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A value that can be between two others.
trait Between: Copy + PartialEq {
    fn between(self, to: Self, t: f64) -> Self;
}
impl Between for f64 {
    fn between(self, to: Self, t: f64) -> Self {
        // exact at both ends
        if t >= 1.0 { to } else { self + (to - self) * t }
    }
}
impl Between for [f64; 2] {
    fn between(self, to: Self, t: f64) -> Self {
        [self[0].between(to[0], t), self[1].between(to[1], t)]
    }
}

/// The value at a frame; `None` without keyframes. Before the first and after the last the value stays.
fn value_at<T: Between>(keys: &[Key<T>], frame: u64) -> Option<T> {
    let next = keys.partition_point(|k| k.frame <= frame);
    let Some(before) = next.checked_sub(1).and_then(|i| keys.get(i)) else {
        return keys.first().map(|k| k.value);
    };
    let Some(after) = keys.get(next) else {
        return Some(before.value);
    };
    let t = (frame - before.frame) as f64 / (after.frame - before.frame) as f64;
    Some(before.value.between(after.value, before.easing.at(t)))
}

fn next_change<T: Between>(keys: &[Key<T>], frame: u64) -> Option<u64> {
    let mut next = keys.partition_point(|k| k.frame <= frame);
    loop {
        let after = keys.get(next)?;
        let Some(before) = next.checked_sub(1).and_then(|i| keys.get(i)) else {
            // Before the first keyframe the value stands still at its value.
            next += 1;
            continue;
        };
        if before.value == after.value {
            next += 1;
            continue;
        }
        return match before.easing {
            Easing::Hold => Some(after.frame),
            _ => Some((frame + 1).max(before.frame + 1)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = Vec<Key<f64>>> {
        let easing = prop_oneof![
            Just(Easing::Hold),
            Just(Easing::Linear),
            Just(Easing::Bezier([0.42, 0.0, 0.58, 1.0])),
            Just(Easing::Bezier([0.3, -1.0, 0.7, 2.0]))
        ];
        proptest::collection::vec((1u64..40, 0u32..4, easing), 0..6).prop_map(|list| {
            let mut at = 0;
            let mut out = Vec::new();
            for (gap, v, easing) in list {
                at += gap;
                out.push(Key { frame: at, value: f64::from(v) / 3.0, easing });
            }
            out
        })
    }

    #[test]
    fn even_pace() {
        assert_eq!(Pace::nearest(4.004), Pace { pixels: 4, frames: 1 });
        assert_eq!(Pace::nearest(0.34), Pace { pixels: 1, frames: 3 });
        assert_eq!(Pace::nearest(0.9).travelled(10), 10);
    }
    proptest! {
        /// What `next_change` promises: nothing differs before it.
        #[test]
        fn nothing_changes_before_the_next_change(keys in keys(), start in 0u64..250) {
            let until = next_change(&keys, start).unwrap_or(start + 300);
            prop_assert!(until > start);
            for f in start..until { prop_assert_eq!(value_at(&keys, f), value_at(&keys, start)); }
        }
        #[test]
        fn keyframes_are_met_exactly(keys in keys()) {
            for k in &keys { prop_assert_eq!(value_at(&keys, k.frame), Some(k.value)); }
        }
    }
}
