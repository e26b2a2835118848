//! A scene compiled for one canvas: lengths in canvas pixels, times in output frames, layers in stacking order.
//! Immutable; what it shows at a frame is a pure function.

use std::sync::Arc;

use vistter_core::ports::Canvas;

use crate::model::{Anchor, Within};
use crate::raster::picture::Decoded;
use crate::raster::shape::{Bar, Shape};
use crate::raster::text::{FontSet, TextSpec};
use crate::template::Template;
use crate::track::Track;
use crate::transition::Way;

/// A compiled scene.
#[derive(Clone, Debug)]
pub struct SceneProgram {
    pub(crate) canvas: Canvas,
    pub(crate) enter: Way,
    pub(crate) exit: Way,
    pub(crate) motion: Motion,
    /// The document's own.
    pub(crate) fonts: Arc<FontSet>,
    /// Bottom to top.
    pub(crate) layers: Vec<LayerProgram>,
}

/// A compiled layer.
#[derive(Clone, Debug)]
pub(crate) struct LayerProgram {
    pub(crate) anchor: Anchor,
    pub(crate) within: Within,
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
    Rect(Shape),
    Progress { value: Template, bar: Bar },
    Text { words: Vec<Template>, spec: TextSpec },
    Ticker { words: Vec<Template>, spec: TextSpec, width: i64, gap: i64, pace: Pace },
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
    pub(crate) opacity: Track<f64>,
    pub(crate) position: Track<[f64; 2]>,
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
        let scene = self.motion.opacity.at(frame).unwrap_or(1.0);
        let [sx, sy] = self.motion.position.at(frame).unwrap_or([0.0, 0.0]);
        self.layers.iter().map(move |l| {
            let [x, y] = l.motion.position.at(frame).unwrap_or(l.offset);
            LayerState {
                opacity: scene * l.motion.opacity.at(frame).unwrap_or(l.opacity),
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
        let of = |m: &Motion| earliest(m.opacity.next_change(frame), m.position.next_change(frame));
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
        (self.enter.frames, self.exit.frames)
    }
    /// Seconds after which a clock in a text may turn over, when there is one.
    pub(crate) fn clock_step(&self) -> Option<i64> {
        let step = |l: &LayerProgram| match &l.picture {
            Picture::Text { words, .. } | Picture::Ticker { words, .. } => {
                words.iter().filter_map(Template::clock_step).min()
            }
            Picture::Progress { value, .. } => value.clock_step(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_pace() {
        assert_eq!(Pace::nearest(4.004), Pace { pixels: 4, frames: 1 });
        assert_eq!(Pace::nearest(0.34), Pace { pixels: 1, frames: 3 });
        assert_eq!(Pace::nearest(0.9).travelled(10), 10);
    }
}
