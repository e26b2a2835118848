//! The work of one layer at one frame: the same steps that the renderer takes (`renderer.rs`, `composite.rs`, `face.rs`),
//! counted in pixels.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::sync::Arc;

use vistter_core::ports::Canvas;

use super::profile::Profile;
use crate::aim::Aims;
use crate::composite::is_formed;
use crate::inset::InsetSource;
use crate::model::Blend;
use crate::program::{GroupProgram, LayerProgram, LayerState, Picture};
use crate::raster::text::{LINE_HEIGHT, TextSpec};
use crate::template::Now;

/// Points of an outline's pen that cost a pixel as much as drawing it: they are grown in vectors.
const POINTS: f64 = 50.0;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Blending what is drawn already.
    Blend,
    /// Blending in a mode other than normal.
    Mode,
    /// Drawing a text again.
    Text,
    /// Drawing a shape or a picture again.
    Draw,
    /// Scaling anew.
    Scale,
    /// Turning anew.
    Turn,
    /// Cropping and masking anew.
    Cut,
    /// Compositing a group anew.
    Group,
    /// What touches all of the picture: a push, a dip.
    Whole,
}

impl Task {
    /// What it is, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blend => "blending it",
            Self::Mode => "its blend mode",
            Self::Text => "drawing its text anew",
            Self::Draw => "drawing it anew",
            Self::Scale => "scaling it anew",
            Self::Turn => "turning it anew",
            Self::Cut => "masks and crops anew",
            Self::Group => "compositing its group anew",
            Self::Whole => "a transition over the whole picture",
        }
    }
    /// What to do about it.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Blend => "make it smaller: what is empty in it costs little, what lets the picture through most",
            Self::Mode => "use the blend mode normal, or make it smaller",
            Self::Text => "let its text change less often (a clock without seconds), or make it shorter",
            Self::Draw => "do not animate its size, radius or colour, or make it smaller",
            Self::Scale => "animate its position or opacity instead of its scale, or make it smaller",
            Self::Turn => "animate its position or opacity instead of its rotation, or make it smaller",
            Self::Cut => "do not animate its crop, or use fewer and smaller masks",
            Self::Group => "leave the group opaque and unclipped, or animate it as a whole instead of its layers",
            Self::Whole => "let it come and go by a fade or a wipe",
        }
    }
}

/// What a layer costs at a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Work {
    /// Its place in the document.
    pub(super) at: Arc<str>,
    pub(super) nanos: f64,
    /// The same when nothing in it is made anew.
    pub(super) steady: f64,
    pub(super) most: Task,
    largest: f64,
}

impl Work {
    fn new(layer: &LayerProgram) -> Self {
        Self { at: layer.at.clone(), nanos: 0.0, steady: 0.0, most: Task::Blend, largest: 0.0 }
    }
    /// Work that is done at this frame.
    pub(super) fn add(&mut self, task: Task, nanos: f64) {
        self.nanos += nanos;
        if nanos > self.largest {
            (self.largest, self.most) = (nanos, task);
        }
    }
    /// Work that is done at every frame.
    fn always(&mut self, task: Task, nanos: f64) {
        self.add(task, nanos);
        self.steady += nanos;
    }
    /// What is in it.
    fn part(&mut self, w: &Self) {
        self.add(w.most, w.nanos);
        self.steady += w.steady;
    }
}

/// Measures layers on a machine.
pub(super) struct Meter<'a> {
    pub(super) canvas: Canvas,
    pub(super) profile: &'a Profile,
    pub(super) tokens: &'a BTreeMap<String, String>,
}

impl Meter<'_> {
    /// Work that touches every pixel of the picture once.
    pub(super) fn whole(&self) -> f64 {
        f64::from(self.canvas.width) * f64::from(self.canvas.height) * self.profile.copy
    }

    /// A layer at a frame. `then` is what it does at the next one: what differs is made anew. `zoomed` when a way in or out
    /// scales all of it.
    pub(super) fn layer(&self, l: &LayerProgram, s: &LayerState, then: Option<&LayerState>, zoomed: bool) -> Work {
        let p = self.profile;
        let mut work = Work::new(l);
        let (mut s, mut then) = (*s, then.copied());
        // a layer that is not seen is not blended; what is in it is drawn all the same
        let hidden = s.opacity <= 0.0 && then.is_none_or(|t| t.opacity <= 0.0);
        if let Some(t) = &mut then {
            // where it stands costs nothing
            (s.offset, t.offset) = ([0.0; 2], [0.0; 2]);
        }
        let detail = l.look.detail;
        let (w, h) = self.size(l, &s);
        let drawn = w * h * detail * detail;
        let redraw = self.redraw(l, &s, then.as_ref(), drawn);
        for (task, nanos) in &redraw {
            work.add(*task, *nanos);
        }
        let changed = |f: fn(&LayerState) -> [f64; 4]| then.as_ref().is_some_and(|t| f(t) != f(&s));
        let scales = zoomed || changed(|s| [s.scale[0], s.scale[1], 0.0, 0.0]);
        let turns = changed(|s| [s.rotation, 0.0, 0.0, 0.0]);
        let crops = changed(|s| s.crop);
        let formed = zoomed || is_formed(l, &s);
        if let Picture::Group(g) = &l.picture {
            // blended straight into the picture, layer by layer
            if g.loose && s.opacity >= 1.0 && !formed {
                for inner in self.inner(g, &s, then.as_ref(), false) {
                    work.part(&inner);
                }
                return work;
            }
        }
        let fresh = match &l.picture {
            Picture::Group(g) => self.group(g, &s, then.as_ref(), &mut work),
            _ => !redraw.is_empty(),
        };
        let seen = self.seen(w, h, &s);
        if formed || matches!(l.picture, Picture::Group(_)) {
            self.face(l, &s, [fresh, crops, scales, turns], (drawn, seen), &mut work);
        }
        if hidden {
            return work;
        }
        match l.look.blend {
            Blend::Normal => work.always(Task::Blend, seen * p.blend),
            _ => work.always(Task::Mode, seen * p.mode),
        }
        work
    }

    /// What becomes of a drawing before it is blended.
    fn face(&self, l: &LayerProgram, s: &LayerState, made: [bool; 4], (drawn, seen): (f64, f64), work: &mut Work) {
        let (p, [fresh, crops, scales, turns]) = (self.profile, made);
        let mut anew = fresh;
        if anew && !matches!(l.picture, Picture::Group(_)) {
            work.add(Task::Draw, drawn * p.load);
        }
        let cropped = s.crop.iter().any(|c| *c > 0.0) || crops;
        let cut = if cropped { 1.0 } else { 0.0 } + 0.1 * l.look.masks.len() as f64;
        anew |= crops;
        if cut > 0.0 && anew {
            work.add(Task::Cut, drawn * p.cut * cut);
        }
        let scale = s.scale.map(|v| v.abs() / l.look.detail);
        // Turned pictures are scaled whole, whatever of them is on the canvas; others only where they are seen.
        let turned = s.rotation % 360.0 != 0.0 || turns;
        let scaled = drawn * scale[0] * scale[1];
        anew |= scales;
        if scales || ((scale != [1.0; 2] || l.look.smooth) && anew) {
            let to = if turned { scaled } else { scaled.min(seen) };
            // a picture that becomes smaller is read whole
            work.add(Task::Scale, (to + drawn.min(self.pixels() * 4.0)) * p.scale);
        }
        anew |= turns;
        if turned && anew {
            work.add(Task::Turn, seen * p.turn);
        }
        if anew && l.look.blend == Blend::Normal {
            work.add(if turned { Task::Turn } else { Task::Scale }, seen * p.load);
        }
    }

    /// Layers of a group composited with each other; whether that is done at this frame.
    fn group(&self, g: &GroupProgram, s: &LayerState, then: Option<&LayerState>, work: &mut Work) -> bool {
        let inner = self.inner(g, s, then, true);
        let pixels: f64 = g
            .layers
            .iter()
            .map(|l| {
                let s = l.state(s.moment);
                let (w, h) = self.size(l, &s);
                self.seen(w, h, &s)
            })
            .sum();
        // those inside are only blended when one of them differs: then every one is
        let fresh = inner.iter().any(|w| w.nanos > w.steady)
            || then.is_some_and(|t| g.layers.iter().any(|l| moves(&l.state(s.moment), &l.state(t.moment))));
        for w in inner.iter().filter(|w| w.nanos > w.steady) {
            work.add(w.most, w.nanos - w.steady);
        }
        if fresh {
            work.add(Task::Group, pixels * (self.profile.over + self.profile.load));
        }
        fresh
    }

    /// The layers of a group, each by itself; `apart` when they go into the group's own picture.
    fn inner(&self, g: &GroupProgram, s: &LayerState, then: Option<&LayerState>, apart: bool) -> Vec<Work> {
        let one = |l: &LayerProgram| {
            let mut w = self.layer(l, &l.state(s.moment), then.map(|t| l.state(t.moment)).as_ref(), false);
            // a ticker in a group's own picture is laid anew
            if apart && matches!(l.picture, Picture::Ticker { .. }) {
                w.add(Task::Group, w.steady / self.profile.blend * self.profile.over);
            }
            w
        };
        g.layers.iter().map(one).collect()
    }

    /// What is drawn again when the next frame is another one.
    fn redraw(&self, l: &LayerProgram, s: &LayerState, then: Option<&LayerState>, pixels: f64) -> Vec<(Task, f64)> {
        let p = self.profile;
        let form = then.is_some_and(|t| {
            (t.size, t.radius, t.color, t.value, t.says) != (s.size, s.radius, s.color, s.value, s.says)
        });
        let by_itself = l.templates().any(|t| t.clock_step().is_some() || t.next_tick(Default::default()).is_some());
        let again = form || by_itself;
        match &l.picture {
            Picture::Text { spec, .. } | Picture::Ticker { spec, .. } if again => {
                let said = self.said(l, s);
                let glyphs = said.chars().count() as f64;
                let text = match l.picture {
                    // all of the text is drawn, not only what the window shows
                    Picture::Ticker { .. } => ems(&said) * spec.size * spec.size * LINE_HEIGHT,
                    _ => pixels,
                };
                // an outline is grown by each point of its pen, and each of these is laid as the letters are
                let pen = spec.decor.outline.map_or(0.0, |(r, _)| PI * (r + 0.5) * (r + 0.5));
                let below = [spec.decor.outline.is_some(), spec.decor.shadow.is_some(), spec.decor.plate.is_some()];
                let laid = 1 + below.into_iter().filter(|b| *b).count();
                vec![(Task::Text, glyphs * p.glyph + text * (laid as f64 * p.draw + pen * p.draw / POINTS + p.load))]
            }
            Picture::Ticker { .. } if is_formed(l, s) => vec![(Task::Draw, pixels * p.load)],
            // a video is scaled elsewhere
            Picture::Inset(i) if matches!(i.source, InsetSource::Video { .. }) => {
                vec![(Task::Draw, pixels * p.load)]
            }
            Picture::Film { .. } | Picture::Inset(_) => vec![(Task::Draw, pixels * (p.scale + p.load))],
            Picture::Rect(_) | Picture::Progress { .. } | Picture::Gauge { .. } | Picture::Qr { .. } if again => {
                vec![(Task::Draw, pixels * (p.draw + p.load))]
            }
            _ => Vec::new(),
        }
    }

    /// Width and height of a layer's box in canvas pixels, before its scale.
    fn size(&self, l: &LayerProgram, s: &LayerState) -> (f64, f64) {
        let detail = l.look.detail;
        let of = |w: f64, h: f64| (w / detail, h / detail);
        if let Some([w, h]) = s.size {
            return (w, h);
        }
        match &l.picture {
            Picture::Image { width, height, .. }
            | Picture::Film { width, height, .. }
            | Picture::Vector { width, height, .. } => of(f64::from(*width), f64::from(*height)),
            Picture::Inset(i) => of(i.spec.width.into(), i.spec.height.into()),
            Picture::Rect(shape) => of(shape.width as f64, shape.height as f64),
            Picture::Progress { bar, .. } => of(bar.shape.width as f64, bar.shape.height as f64),
            Picture::Gauge { gauge, .. } => of(gauge.size as f64, gauge.size as f64),
            Picture::Qr { qr, .. } => of(qr.side as f64, qr.side as f64),
            Picture::Text { spec, .. } => self.text(&self.said(l, s), spec, detail),
            Picture::Ticker { spec, width, .. } => of(*width as f64, spec.size * LINE_HEIGHT),
            Picture::Group(g) => {
                let fixed = (f64::from(g.size.0), f64::from(g.size.1));
                if fixed.0 > 0.0 && fixed.1 > 0.0 {
                    return fixed;
                }
                let parts = g.layers.iter().map(|l| self.size(l, &l.state(s.moment)));
                parts.fold((0.0, 0.0), |(w, h), (a, b)| (f64::max(w, a), h + b))
            }
            #[allow(unreachable_patterns, reason = "what is as large as the canvas, at most")]
            _ => (f64::from(self.canvas.width), f64::from(self.canvas.height)),
        }
    }

    /// A text's box.
    fn text(&self, said: &str, spec: &TextSpec, detail: f64) -> (f64, f64) {
        let longest = said.lines().map(ems).fold(0.0, f64::max);
        let mut lines = said.lines().count().max(1) as f64;
        let mut width = longest * spec.size;
        if let Some(most) = spec.max_width.filter(|most| width > *most) {
            lines = (lines * (width / most.max(1.0)).ceil()).min(spec.max_lines as f64);
            width = most;
        }
        let width = spec.width.map_or(width, |w| w as f64).min(spec.limit as f64);
        (width / detail, lines * spec.size * LINE_HEIGHT / detail)
    }

    fn said(&self, l: &LayerProgram, s: &LayerState) -> String {
        let (mut all, mut one) = (String::new(), String::new());
        for w in l.words(s.says, &Aims::default()) {
            w.expand(self.tokens, Now { value: s.value, ..Now::default() }, &mut one);
            all.push_str(&one);
        }
        all
    }

    fn pixels(&self) -> f64 {
        f64::from(self.canvas.width) * f64::from(self.canvas.height)
    }

    /// Pixels of a box as it is seen, at most all of the canvas.
    fn seen(&self, w: f64, h: f64, s: &LayerState) -> f64 {
        let (w, h) = (w * s.scale[0].abs(), h * s.scale[1].abs());
        let turn = s.rotation.to_radians();
        let (sin, cos) = (turn.sin().abs(), turn.cos().abs());
        let (w, h) = (w * cos + h * sin, w * sin + h * cos);
        w.min(f64::from(self.canvas.width)) * h.min(f64::from(self.canvas.height))
    }
}

/// Whether a layer of a group looks otherwise in the group's picture.
fn moves(a: &LayerState, b: &LayerState) -> bool {
    (a.opacity, a.offset, a.travel) != (b.opacity, b.offset, b.travel)
}

/// How long a line is, in sizes: letters are about half as wide as they are high, and as wide where each is a square (CJK,
/// emoji).
fn ems(line: &str) -> f64 {
    let is_square = |c: &char| matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}');
    line.chars().map(|c| if is_square(&c) { 1.0 } else { 0.5 }).sum()
}
