//! A scene compiled for one canvas: lengths in canvas pixels, times in output frames, layers in stacking order.
//! Immutable; what it shows at a frame is a pure function.

use std::collections::BTreeMap;
use std::sync::Arc;

use vistter_core::diagnose::Diagnostic;
use vistter_core::ports::Canvas;
use vistter_core::time::{FrameRate, MediaTime};

use crate::aim::Aims;
use crate::flow::Flow;
use crate::inset::{InsetProgram, Outside};
use crate::model::{Anchor, Blend, Color, Easing, Fill, Fit, Within};
use crate::pace::Pace;
use crate::presence::{FULL, Via};
use crate::raster::film::Film;
use crate::raster::gauge::Gauge;
use crate::raster::picture::Decoded;
use crate::raster::qr::Qr;
use crate::raster::shape::{Bar, Shape};
use crate::raster::text::{FontSet, TextSpec};
use crate::raster::vector::Vector;
use crate::script::{Saying, Script};
use crate::sheet::cut::MaskProgram;
use crate::template::{Now, Template};
use crate::timeline::clock::Moment;
use crate::timeline::events::Awaited;
use crate::timeline::life::Life;
use crate::timeline::plan::{Plan, TrackProgram};
use crate::token::number;
use crate::track::Track;
use crate::transition::Way;

/// A compiled scene.
#[derive(Clone, Debug)]
pub struct SceneProgram {
    pub(crate) canvas: Canvas,
    /// Canvas pixels per base pixel.
    pub(crate) k: f64,
    pub(crate) enter: Way,
    pub(crate) exit: Way,
    pub(crate) motion: Motion,
    /// The document's own.
    pub(crate) fonts: Arc<FontSet>,
    /// Bottom to top; those of cues too.
    pub(crate) layers: Vec<LayerProgram>,
    /// When cues come and go.
    pub(crate) timeline: Timeline,
    /// Where its videos and cameras come from.
    pub(crate) outside: Outside,
    /// Which scene it is: of one that cannot be shown, the one in its place.
    pub(crate) scene: String,
    /// What is shown in place of something else, or left out.
    pub(crate) notes: Vec<Diagnostic>,
    /// The assets that it was made with, or would have been.
    pub(crate) uses: Vec<String>,
}

/// The times of a scene.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// Layers that belong to no cue.
    pub(crate) always: Vec<u32>,
    pub(crate) tracks: Vec<TrackProgram>,
    /// What its cues wait for.
    pub(crate) awaited: Vec<Awaited>,
    /// Where it stands: frames, rising, and names in the same order.
    pub(crate) steps: Vec<u64>,
    pub(crate) step_names: Vec<String>,
    /// What comes when nothing happens outside.
    pub(crate) alone: Plan,
}

/// The time of a layer that a cue brings.
#[derive(Clone, Debug)]
pub(crate) struct CueProgram {
    pub(crate) life: Life,
    pub(crate) enter: Way,
    pub(crate) exit: Way,
}

/// A compiled layer.
#[derive(Clone, Debug)]
pub(crate) struct LayerProgram {
    /// Its own name, or that of the cue that brings it.
    pub(crate) name: String,
    /// No other layer of the scene has it.
    pub(crate) number: u32,
    /// Its place in the document.
    pub(crate) at: Arc<str>,
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
    /// It cannot be shown, and is there by its name alone.
    pub(crate) left_out: bool,
    pub(crate) motion: Motion,
    /// The number that a text may show.
    pub(crate) value: Option<f64>,
    pub(crate) picture: Picture,
    /// When it is there; as long as what it stands in when absent.
    pub(crate) cue: Option<Box<CueProgram>>,
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
    Inset(InsetProgram),
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
    pub(crate) value: Track<f64>,
    pub(crate) text: Script,
    pub(crate) volume: Track<f64>,
}

impl Motion {
    /// Whether nothing of it changes over time.
    pub(crate) fn is_still(&self) -> bool {
        self.position.keys.is_empty()
            && self.opacity.keys.is_empty()
            && self.scale.keys.is_empty()
            && self.rotation.keys.is_empty()
            && self.crop.keys.is_empty()
            && self.size.keys.is_empty()
            && self.radius.keys.is_empty()
            && self.color.keys.is_empty()
            && self.value.keys.is_empty()
            && self.text.track.keys.is_empty()
    }
    fn next_change(&self, at: Moment) -> Next {
        [
            self.opacity.next(at),
            self.position.next(at),
            self.scale.next(at),
            self.rotation.next(at),
            self.crop.next(at),
            self.size.next(at),
            self.radius.next(at),
            self.color.next(at),
            self.value.next(at),
            self.text.track.next(at),
            self.volume.next(at),
        ]
        .into_iter()
        .fold(Next::default(), Next::or)
    }
}

/// When something may change next: in the scene's time, and in its running time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) time: Option<u64>,
    pub(crate) run: Option<u64>,
}

impl Next {
    /// The earlier ones of two.
    pub(crate) fn or(self, o: Self) -> Self {
        Self { time: earliest(self.time, o.time), run: earliest(self.run, o.run) }
    }
    /// From the moment of a cue to that of its scene.
    fn from(self, own: Moment, scene: Moment) -> Self {
        let far = |next: Option<u64>, own: u64, base: u64| next.map(|f| base.saturating_add(f.saturating_sub(own)));
        Self { time: far(self.time, own.time, scene.time), run: far(self.run, own.run, scene.run) }
    }
}

/// What one layer does at one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerState {
    /// Which layer, counted from the bottom; those of cues count whether they are on or not. 0 inside of groups.
    pub layer: usize,
    /// How much of it its cue's way in or out leaves, and which of the two.
    pub(crate) level: (u16, Via),
    /// Its own moment: of a cue, counted from the cue's start.
    pub(crate) moment: Moment,
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
    /// The number of a text; that of a bar or a gauge when it is animated.
    pub value: Option<f64>,
    /// Which of its texts a text says.
    pub(crate) says: Saying,
    /// How loud a video is, when it is animated.
    pub volume: Option<f64>,
}

impl SceneProgram {
    /// The scene that it is: of one that cannot be shown, the one in its place.
    pub fn scene(&self) -> &str {
        &self.scene
    }
    /// What is shown in place of something else, or left out, because its asset cannot be shown.
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }
    /// The same time, and nothing in it.
    pub(crate) fn emptied(mut self) -> Self {
        for l in &mut self.layers {
            l.empty();
        }
        self
    }
}

impl LayerProgram {
    /// Takes everything out of it but its names and its time.
    fn empty(&mut self) {
        let inner = match &mut self.picture {
            Picture::Group(g) => std::mem::take(&mut g.layers),
            _ => Vec::new(),
        };
        let inner = inner.into_iter().filter(|l| !l.backing).map(|mut l| {
            l.empty();
            l
        });
        let nothing = Self::nothing(std::mem::take(&mut self.name), inner.collect());
        *self = Self { cue: self.cue.take(), number: self.number, ..nothing };
    }
    /// A layer, and layers in it, that are there and show nothing: what is told to them by their names changes nothing.
    pub(crate) fn nothing(name: String, layers: Vec<Self>) -> Self {
        let point = Shape { width: 1, height: 1, radius: 0.0, oval: false, fill: Fill::Color(Color { rgba: [0; 4] }) };
        Self {
            name,
            backing: false,
            left_out: true,
            opacity: 0.0,
            picture: Picture::Group(GroupProgram { loose: true, layers, ..GroupProgram::default() }),
            ..Self::backing(point)
        }
    }
    /// The background of a group, which becomes as large as the group.
    pub(crate) fn backing(shape: Shape) -> Self {
        Self {
            name: String::new(),
            number: 0,
            at: Arc::from(""),
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
            left_out: false,
            cue: None,
            motion: Motion::default(),
            value: None,
            picture: Picture::Rect(shape),
        }
    }

    /// What the layer does at its own moment.
    pub(crate) fn state(&self, at: Moment) -> LayerState {
        let m = &self.motion;
        LayerState {
            layer: 0,
            level: (FULL, Via::In),
            moment: at,
            opacity: m.opacity.now(at).unwrap_or(self.opacity),
            offset: m.position.now(at).unwrap_or(self.offset),
            travel: match &self.picture {
                Picture::Ticker { pace, .. } => pace.travelled(at.run),
                _ => 0,
            },
            scale: m.scale.now(at).unwrap_or(self.look.scale),
            rotation: m.rotation.now(at).unwrap_or(self.look.rotation),
            crop: m.crop.now(at).unwrap_or(self.look.crop),
            size: m.size.now(at),
            radius: m.radius.now(at),
            color: m.color.now(at),
            value: m.value.now(at).or(self.value),
            says: m.text.track.now(at).unwrap_or_default(),
            volume: m.volume.now(at),
        }
    }

    /// [`Self::state`] under what was changed since.
    pub(crate) fn now(&self, at: Moment, aims: &Aims) -> LayerState {
        let mut state = self.state(at);
        aims.over(self, &mut state);
        state
    }

    /// What it says: the texts of its parts.
    pub(crate) fn words<'a>(&'a self, says: Saying, aims: &'a Aims) -> &'a [Template] {
        let other = match says {
            Saying::Own => None,
            Saying::Key(i) => self.motion.text.text(i),
            Saying::Live => aims.text(self.number),
        };
        match (other, &self.picture) {
            (Some(text), _) => std::slice::from_ref(text),
            (None, Picture::Text { words, .. } | Picture::Ticker { words, .. }) => words,
            _ => &[],
        }
    }
    /// The number of a bar or a gauge that nobody moves: what its text says.
    pub(crate) fn own_number(&self, tokens: &BTreeMap<String, String>) -> Option<f64> {
        let (Picture::Progress { value, .. } | Picture::Gauge { value, .. }) = &self.picture else { return None };
        let mut text = String::new();
        value.expand(tokens, Now::default(), &mut text);
        number(text.trim())
    }
    /// The texts that it follows, now or at another frame.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.picture.templates().chain(self.motion.text.texts())
    }

    /// The state of the layer with a number, in this one or itself.
    fn find_now(&self, number: u32, at: Moment, aims: &Aims) -> Option<LayerState> {
        if self.number == number {
            return Some(self.now(at, aims));
        }
        match &self.picture {
            Picture::Group(g) => g.layers.iter().find_map(|l| l.find_now(number, at, aims)),
            _ => None,
        }
    }

    /// The layer of a name, in this one or itself.
    fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        match &self.picture {
            Picture::Group(g) => g.layers.iter().find_map(|l| l.find(name)),
            _ => None,
        }
    }

    /// Gives it and what is in it their numbers.
    pub(crate) fn count(&mut self, next: &mut u32) {
        self.number = *next;
        *next += 1;
        if let Picture::Group(g) = &mut self.picture {
            g.layers.iter_mut().for_each(|l| l.count(next));
        }
    }

    /// Names of it and what is in it.
    fn names<'a>(&'a self, out: &mut Vec<&'a str>) {
        out.extend((!self.name.is_empty()).then_some(self.name.as_str()));
        if let Picture::Group(g) = &self.picture {
            g.layers.iter().for_each(|l| l.names(out));
        }
    }

    fn next_change(&self, at: Moment, scene: Moment, fps: FrameRate) -> Next {
        // what counts how long the scene has been shown
        let elapsed = fps.time_of(scene.run);
        let run = |t: MediaTime| at.run.saturating_add(first_frame(fps, t).saturating_sub(scene.run).max(1));
        let only = |run: Option<u64>| Next { time: None, run };
        let inside = match &self.picture {
            Picture::Ticker { pace, .. } => only(Some((at.run / pace.frames.max(1) + 1).saturating_mul(pace.frames))),
            Picture::Group(g) => g.layers.iter().map(|l| l.next_change(at, scene, fps)).fold(Next::default(), Next::or),
            Picture::Inset(i) => only(i.next(at.run, fps)),
            Picture::Film { film, plays, .. } => only(film.next(elapsed, *plays).map(run)),
            _ => Next::default(),
        };
        let timer = self.templates().filter_map(|t| t.next_tick(elapsed)).min().map(run);
        self.motion.next_change(at).or(inside).or(only(timer))
    }

    /// How many videos and cameras are in it.
    pub(crate) fn insets(&self) -> usize {
        match &self.picture {
            Picture::Inset(_) => 1,
            Picture::Group(g) => g.layers.iter().map(Self::insets).sum(),
            _ => 0,
        }
    }

    fn clock_step(&self) -> Option<i64> {
        match &self.picture {
            Picture::Group(g) => g.layers.iter().filter_map(Self::clock_step).min(),
            _ => self.templates().filter_map(Template::clock_step).min(),
        }
    }
}

/// Takes a layer that is on: its number, its program, its cue's level, its own moment.
type OnLayer<'f> = dyn FnMut(u32, &LayerProgram, (u16, Via), Moment) + 'f;

impl SceneProgram {
    /// What is on `frame` output frames after the scene was shown, bottom to top, when nothing happens outside and it
    /// does not stand at its steps. Layers inside groups have no state of their own here. `out` is cleared first; its
    /// memory is reused. The same frame gives the same state, however it is reached.
    pub fn state_at(&self, frame: u64, out: &mut Vec<LayerState>) {
        self.state(Moment { time: frame, run: frame }, &self.timeline.alone, &Aims::default(), out);
    }

    /// What is on at a moment, bottom to top, under what was changed since.
    pub(crate) fn state(&self, moment: Moment, plan: &Plan, aims: &Aims, out: &mut Vec<LayerState>) {
        let LayerState { opacity: scene, offset: [sx, sy], .. } = self.whole(moment, aims);
        out.clear();
        self.each(moment, plan, &mut |n, l, level, own| {
            let s = l.now(own, aims);
            let offset = [s.offset[0] + sx, s.offset[1] + sy];
            out.push(LayerState { layer: n as usize, level, opacity: scene * s.opacity, offset, ..s });
        });
        // numbers are places in the stack, and none stands twice
        out.sort_unstable_by_key(|s| s.layer);
    }

    /// What the scene as a whole does at a moment: its opacity and its place.
    pub(crate) fn whole(&self, moment: Moment, aims: &Aims) -> LayerState {
        let mut opacity = self.motion.opacity.now(moment).unwrap_or(1.0);
        let mut offset = self.motion.position.now(moment).unwrap_or([0.0, 0.0]);
        aims.over_scene(&mut opacity, &mut offset);
        LayerState { opacity, offset, ..LayerState::default() }
    }

    /// What the layer with a number does at a moment, whatever it stands in; `None` when it is not on.
    pub(crate) fn layer_now(&self, number: u32, moment: Moment, plan: &Plan, aims: &Aims) -> Option<LayerState> {
        let mut found = None;
        self.each(moment, plan, &mut |_, l, _, own| {
            found = found.take().or_else(|| l.find_now(number, own, aims));
        });
        found
    }

    /// The layer of a name, wherever it stands; of several, the lowest.
    pub(crate) fn layer(&self, name: &str) -> Option<&LayerProgram> {
        self.layers.iter().find_map(|l| l.find(name))
    }
    /// The names of its layers and cues.
    pub(crate) fn layer_names(&self) -> Vec<&str> {
        let mut out = Vec::new();
        self.layers.iter().for_each(|l| l.names(&mut out));
        out
    }

    /// Gives each layer that is on with its level and its own moment; in no order.
    fn each(&self, moment: Moment, plan: &Plan, out: &mut OnLayer<'_>) {
        let mut give = |n: u32, local: u64| {
            let Some(l) = self.layers.get(n as usize) else { return };
            let Some(c) = &l.cue else { return out(n, l, (FULL, Via::In), moment) };
            let time = local.saturating_sub(c.life.start);
            let lag = moment.run.saturating_sub(moment.time);
            out(n, l, c.life.level(local), Moment { time, run: time.saturating_add(lag) });
        };
        self.timeline.always.iter().for_each(|n| give(*n, moment.time));
        plan.each(&self.timeline.tracks, moment.time, &mut give);
    }

    /// The first frame after `frame`, both counted from when the scene was shown, at which a layer's state may
    /// differ; `None` when it never will. As with [`Self::state_at`].
    pub fn next_change(&self, frame: u64) -> Option<u64> {
        let next = self.changes(Moment { time: frame, run: frame }, &self.timeline.alone);
        earliest(next.time, next.run)
    }

    /// The first moment after this one at which a layer's state may differ.
    pub(crate) fn changes(&self, moment: Moment, plan: &Plan) -> Next {
        let mut next = Next { time: plan.next(&self.timeline.tracks, moment.time), run: None };
        next = next.or(self.motion.next_change(moment));
        self.each(moment, plan, &mut |_, l, _, own| {
            next = next.or(l.next_change(own, moment, self.canvas.fps).from(own, moment));
            if let Some(c) = &l.cue {
                let local = own.time.saturating_add(c.life.start);
                let way = c.life.next_change(local).map(|f| moment.time.saturating_add(f - local));
                next = next.or(Next { time: way, run: None });
            }
        });
        next
    }

    /// The canvas it was compiled for.
    pub fn canvas(&self) -> Canvas {
        self.canvas
    }
    /// Frames of the way in and of the way out; 0 is a cut.
    pub fn ramps(&self) -> (u64, u64) {
        (self.enter.frames, self.exit.frames)
    }
    /// Seconds after which a clock in a text that is on may turn over, when there is one.
    pub(crate) fn clock_step(&self, moment: Moment, plan: &Plan) -> Option<i64> {
        let mut least = None;
        self.each(moment, plan, &mut |_, l, _, _| {
            least = [least, l.clock_step()].into_iter().flatten().min();
        });
        least
    }
}

/// The first frame at or after a time.
pub(crate) fn first_frame(fps: FrameRate, time: MediaTime) -> u64 {
    let frame = fps.frame_at(time);
    if fps.time_of(frame) < time { frame.saturating_add(1) } else { frame }
}

/// The earlier of two moments that may not come.
pub(crate) fn earliest<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
