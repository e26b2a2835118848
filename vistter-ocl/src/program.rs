//! A scene compiled for one canvas: lengths in canvas pixels, times in output frames, layers in stacking order.
//! Immutable; what it shows at a frame is a pure function.

use std::sync::Arc;

use vistter_core::ports::Canvas;
use vistter_core::time::{FrameRate, MediaTime};

use crate::flow::Flow;
use crate::model::{Anchor, Blend, Color, Easing, Fit, Within};
use crate::raster::film::Film;
use crate::raster::gauge::Gauge;
use crate::raster::picture::Decoded;
use crate::raster::qr::Qr;
use crate::raster::shape::{Bar, Shape};
use crate::raster::text::{FontSet, TextSpec};
use crate::raster::vector::Vector;
use crate::sheet::cut::MaskProgram;
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
    pub(crate) look: LookProgram,
    /// How its content goes over to another one: frames, and how it runs in them.
    pub(crate) change: Option<(u64, Easing)>,
    /// It is as large as its group, whose background it is.
    pub(crate) backing: bool,
    pub(crate) motion: Motion,
    pub(crate) picture: Picture,
}

/// What is done to a layer's picture before it is blended; lengths in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct LookProgram {
    pub(crate) scale: [f64; 2],
    /// Its content is drawn so many times as large, because a scale will show it so.
    pub(crate) detail: f64,
    pub(crate) rotation: f64,
    pub(crate) pivot: Anchor,
    pub(crate) crop: [f64; 4],
    /// Whether it may stand between pixels.
    pub(crate) smooth: bool,
    pub(crate) blend: Blend,
    pub(crate) masks: Vec<MaskProgram>,
}

/// What a layer is drawn from.
#[derive(Clone, Debug)]
pub(crate) enum Picture {
    Image { source: Arc<Decoded>, width: u32, height: u32, fit: Fit },
    Rect(Shape),
    Film { film: Arc<Film>, width: u32, height: u32, fit: Fit, plays: u32 },
    Vector { source: Arc<Vector>, width: u32, height: u32, fit: Fit },
    Progress { value: Template, bar: Bar },
    Gauge { value: Template, gauge: Gauge },
    Qr { text: Template, qr: Qr },
    Text { words: Vec<Template>, spec: TextSpec },
    Ticker { words: Vec<Template>, spec: TextSpec, width: i64, gap: i64, pace: Pace },
    Group(GroupProgram),
}

impl Picture {
    /// The texts that it follows.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let list = match self {
            Self::Text { words, .. } | Self::Ticker { words, .. } => words.as_slice(),
            Self::Progress { value: text, .. } | Self::Gauge { value: text, .. } | Self::Qr { text, .. } => {
                std::slice::from_ref(text)
            }
            _ => &[],
        };
        list.iter()
    }
}

/// A compiled group.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupProgram {
    /// Its box in canvas pixels; with a flow, a side of 0 is as long as its layers need.
    pub(crate) size: (i32, i32),
    pub(crate) flow: Option<Flow>,
    pub(crate) clip: bool,
    /// Whether its layers, as long as the group itself is shown as it is, may be blended straight into the picture.
    pub(crate) loose: bool,
    /// Bottom to top.
    pub(crate) layers: Vec<LayerProgram>,
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
    pub(crate) scale: Track<[f64; 2]>,
    pub(crate) rotation: Track<f64>,
    pub(crate) crop: Track<[f64; 4]>,
    pub(crate) size: Track<[f64; 2]>,
    pub(crate) radius: Track<f64>,
    pub(crate) color: Track<Color>,
}

impl Motion {
    fn next_change(&self, frame: u64) -> Option<u64> {
        [
            self.opacity.next_change(frame),
            self.position.next_change(frame),
            self.scale.next_change(frame),
            self.rotation.next_change(frame),
            self.crop.next_change(frame),
            self.size.next_change(frame),
            self.radius.next_change(frame),
            self.color.next_change(frame),
        ]
        .into_iter()
        .fold(None, earliest)
    }
}

/// What one layer does at one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerState {
    /// 0 to 1, without the scene's way in or out.
    pub opacity: f64,
    /// Canvas pixels from the anchor point, right and down.
    pub offset: [f64; 2],
    /// Canvas pixels a ticker has run; 0 for other layers.
    pub travel: u64,
    /// Times its size, right and down.
    pub scale: [f64; 2],
    /// Degrees, clockwise.
    pub rotation: f64,
    /// What is cut at the left, top, right and bottom, in canvas pixels.
    pub crop: [f64; 4],
    /// Width and height of a shape in canvas pixels, when it is animated.
    pub size: Option<[f64; 2]>,
    /// Corner radius of a shape in canvas pixels, when it is animated.
    pub radius: Option<f64>,
    /// Colour of a shape or a text, when it is animated.
    pub color: Option<Color>,
}

impl LayerProgram {
    /// The background of a group, which becomes as large as the group.
    pub(crate) fn backing(shape: Shape) -> Self {
        Self {
            anchor: Anchor::default(),
            within: Within::Canvas,
            offset: [0.0; 2],
            opacity: 1.0,
            look: LookProgram {
                scale: [1.0; 2],
                detail: 1.0,
                rotation: 0.0,
                pivot: Anchor::default(),
                crop: [0.0; 4],
                smooth: false,
                blend: Blend::Normal,
                masks: Vec::new(),
            },
            change: None,
            backing: true,
            motion: Motion::default(),
            picture: Picture::Rect(shape),
        }
    }

    /// What the layer does `frame` frames after the scene was shown.
    pub(crate) fn state(&self, frame: u64) -> LayerState {
        let m = &self.motion;
        LayerState {
            opacity: m.opacity.at(frame).unwrap_or(self.opacity),
            offset: m.position.at(frame).unwrap_or(self.offset),
            travel: match &self.picture {
                Picture::Ticker { pace, .. } => pace.travelled(frame),
                _ => 0,
            },
            scale: m.scale.at(frame).unwrap_or(self.look.scale),
            rotation: m.rotation.at(frame).unwrap_or(self.look.rotation),
            crop: m.crop.at(frame).unwrap_or(self.look.crop),
            size: m.size.at(frame),
            radius: m.radius.at(frame),
            color: m.color.at(frame),
        }
    }

    fn next_change(&self, frame: u64, fps: FrameRate) -> Option<u64> {
        let elapsed = fps.time_of(frame);
        let inside = match &self.picture {
            Picture::Ticker { pace, .. } => Some((frame / pace.frames.max(1) + 1).saturating_mul(pace.frames)),
            Picture::Group(g) => g.layers.iter().filter_map(|l| l.next_change(frame, fps)).min(),
            Picture::Film { film, plays, .. } => film.next(elapsed, *plays).map(|t| first_frame(fps, t)),
            _ => None,
        };
        let timer = self.picture.templates().filter_map(|t| t.next_tick(elapsed)).min().map(|t| first_frame(fps, t));
        earliest(earliest(self.motion.next_change(frame), inside), timer)
    }

    fn clock_step(&self) -> Option<i64> {
        match &self.picture {
            Picture::Group(g) => g.layers.iter().filter_map(Self::clock_step).min(),
            picture => picture.templates().filter_map(Template::clock_step).min(),
        }
    }
}

impl SceneProgram {
    /// What the scene's own layers (not those inside groups) do `frame` output frames after the scene was shown, bottom
    /// to top. The same frame gives the same state, however it is reached.
    pub fn state_at(&self, frame: u64) -> impl Iterator<Item = LayerState> + '_ {
        let scene = self.motion.opacity.at(frame).unwrap_or(1.0);
        let [sx, sy] = self.motion.position.at(frame).unwrap_or([0.0, 0.0]);
        self.layers.iter().map(move |l| {
            let s = l.state(frame);
            LayerState { opacity: scene * s.opacity, offset: [s.offset[0] + sx, s.offset[1] + sy], ..s }
        })
    }

    /// The first frame after `frame`, both counted from when the scene was shown, at which a layer's state may
    /// differ; `None` when it never will.
    pub fn next_change(&self, frame: u64) -> Option<u64> {
        let of = |l: &LayerProgram| l.next_change(frame, self.canvas.fps);
        self.layers.iter().fold(self.motion.next_change(frame), |soonest, l| earliest(soonest, of(l)))
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
        self.layers.iter().filter_map(LayerProgram::clock_step).min()
    }
}

/// The first frame at or after a time.
fn first_frame(fps: FrameRate, time: MediaTime) -> u64 {
    let frame = fps.frame_at(time);
    if fps.time_of(frame) < time { frame.saturating_add(1) } else { frame }
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
