//! Keeps the drawn layers of one scene program, redraws what changed, and blends.

use std::collections::BTreeMap;

use vistter_core::clock::WallTime;
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::Canvas;

use crate::blend;
use crate::composite::{Room, Shot, paint};
use crate::face::Face;
use crate::limits::MAX_SCENE_PIXELS;
use crate::matte::Matte;
use crate::pass::Pass;
use crate::planes::Planes;
use crate::presence::Via;
use crate::program::{GroupProgram, LayerProgram, LayerState, Picture, SceneProgram};
use crate::raster::shape::Changed;
use crate::raster::text::TextEngine;
use crate::raster::{Raster, picture};
use crate::reel::Reel;
use crate::said::Said;
use crate::template::{Now, Template};
use crate::ticker::{Belt, Change};
use crate::transition::{Stage, WayStyle};

/// A scene program with its drawn layers.
#[derive(Debug)]
pub(crate) struct Renderer {
    program: SceneProgram,
    text: TextEngine,
    slots: Vec<Slot>,
    /// Of the way in and of the way out.
    mattes: [Option<Matte>; 2],
    /// The text being compared with what is drawn.
    scratch: Said,
}

/// What is drawn of one layer.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The drawing; of a group the size of its box alone.
    pub(crate) raster: Raster,
    pub(crate) planes: Planes,
    /// The text that is drawn; `None` before the first drawing.
    drawn: Option<Said>,
    /// On its way from one content to the next.
    pub(crate) pass: Pass,
    /// The frame of the last drawing pass.
    pub(crate) frame: u64,
    /// Where a ticker's texts are.
    pub(crate) belt: Belt,
    film: Reel,
    /// What automation had changed of it then.
    form: Changed,
    /// Counts the drawings.
    pub(crate) made: u64,
    /// What the layer does at this frame.
    pub(crate) state: LayerState,
    /// Its left top corner in its group's box, when the group's layout says so.
    pub(crate) place: Option<(i32, i32)>,
    /// For a layer that is more than a drawing at a place.
    pub(crate) face: Option<Box<Face>>,
    /// Of a group.
    pub(crate) children: Vec<Self>,
}

impl Slot {
    /// What has been drawn, nobody has seen.
    fn unseen(&mut self) {
        self.frame = u64::MAX;
        self.children.iter_mut().for_each(Self::unseen);
    }

    /// Exchanges what is drawn and what was drawn before.
    pub(crate) fn turn_back(&mut self) {
        std::mem::swap(&mut self.raster, &mut self.pass.before);
        std::mem::swap(&mut self.planes, &mut self.pass.before_planes);
    }

    /// Whether something in it is on its way from one content to the next at the last frame drawn.
    fn passes(&self, layer: &LayerProgram) -> bool {
        let inside = match &layer.picture {
            Picture::Group(g) => g.layers.iter().zip(&self.children).any(|(l, s)| s.passes(l)),
            _ => false,
        };
        inside || self.pass.runs(layer.change, self.frame)
    }

    fn new(layer: &LayerProgram) -> Self {
        let children = match &layer.picture {
            Picture::Group(g) => g.layers.iter().map(Self::new).collect(),
            _ => Vec::new(),
        };
        Self { children, ..Self::default() }
    }

    /// Pixels drawn, of it and what is in it.
    fn pixels(&self) -> usize {
        self.raster.rgba.len() / 4 + self.children.iter().map(Self::pixels).sum::<usize>()
    }
}

impl Renderer {
    /// Draws everything that does not depend on time, and texts as they are now.
    pub(crate) fn new(program: SceneProgram, tokens: &BTreeMap<String, String>, wall: WallTime) -> Self {
        let slots = program.layers.iter().map(Slot::new).collect();
        let text = TextEngine::new(&program.fonts);
        let mut me = Self { program, text, slots, mattes: [None, None], scratch: Said::default() };
        // The first frame once for nobody, so that the program worker finds everything made.
        let Canvas { width, height, .. } = me.program.canvas;
        for (matte, way) in me.mattes.iter_mut().zip([&me.program.enter, &me.program.exit]) {
            if let WayStyle::Matte(p) = &way.style {
                *matte = Some(Matte::new(p, width, height));
            }
        }
        let whole = Stage::whole(width, height);
        match FramePool::new(width, height, 1) {
            Ok(pool) => me.compose(0, Via::In, whole, wall, tokens, &mut pool.take()),
            Err(_) => me.draw(0, wall, tokens),
        }
        me.slots.iter_mut().for_each(Slot::unseen);
        me
    }

    pub(crate) fn program(&self) -> &SceneProgram {
        &self.program
    }

    /// Blends the scene as it is `frame` frames after it was shown, as its way in or out (`via`) leaves it.
    pub(crate) fn compose(
        &mut self,
        frame: u64,
        via: Via,
        stage: Stage,
        wall: WallTime,
        tokens: &BTreeMap<String, String>,
        target: &mut FrameBuf,
    ) {
        self.draw(frame, wall, tokens);
        let (width, height) = target.size();
        let mut planes = target.planes_mut();
        let [enter, exit] = &self.mattes;
        let matte = match via {
            Via::In => enter,
            Via::Out => exit,
        };
        let veil = stage.veil.and_then(|level| matte.as_ref().map(|m| m.veil(level)));
        let shot = Shot { stage, veil, canvas: (i64::from(width), i64::from(height)) };
        if stage.push != (0, 0) {
            blend::push(&mut planes, stage.push);
        }
        let room = Room { left: 0, top: 0, width, height };
        for (layer, slot) in self.program.layers.iter().zip(&mut self.slots) {
            paint(layer, slot, room, &shot, &mut planes);
        }
        if let Some(dip) = stage.dip {
            blend::flood(&mut planes, dip.yuv, dip.alpha);
        }
    }

    /// Whether a layer is on its way from one content to the next.
    pub(crate) fn passes(&self) -> bool {
        self.program.layers.iter().zip(&self.slots).any(|(l, s)| s.passes(l))
    }

    /// Draws every layer whose content is not what is drawn.
    fn draw(&mut self, frame: u64, wall: WallTime, tokens: &BTreeMap<String, String>) {
        let used = self.slots.iter().map(Slot::pixels).sum();
        let now = Now { wall, elapsed: self.program.canvas.fps.time_of(frame) };
        let mut pen = Pen { text: &mut self.text, scratch: &mut self.scratch, frame, now, tokens, used };
        for ((layer, slot), state) in self.program.layers.iter().zip(&mut self.slots).zip(self.program.state_at(frame))
        {
            pen.draw(layer, slot, state);
        }
    }
}

/// The size of a layer's box in whole canvas pixels.
fn extent(layer: &LayerProgram, slot: &Slot) -> (i32, i32) {
    let (w, h) = match &layer.picture {
        Picture::Ticker { width, .. } => (*width as i32, slot.raster.size.1),
        _ => slot.raster.size,
    };
    let side = |v: i32| (f64::from(v) / layer.look.detail).round() as i32;
    (side(w), side(h))
}

/// What drawing a layer needs.
struct Pen<'a> {
    text: &'a mut TextEngine,
    scratch: &'a mut Said,
    frame: u64,
    now: Now,
    tokens: &'a BTreeMap<String, String>,
    /// Pixels that all layers have.
    used: usize,
}

impl Pen<'_> {
    /// Draws a group's layers, and says how large its box is and where they stand in it.
    fn draw_group(&mut self, g: &GroupProgram, slot: &mut Slot) {
        for (l, s) in g.layers.iter().zip(&mut slot.children).filter(|(l, _)| !l.backing) {
            self.draw(l, s, l.state(self.frame));
        }
        slot.raster.size = g.size;
        if let Some(flow) = &g.flow {
            let sizes = || flow.order.iter().filter_map(|i| Some(extent(g.layers.get(*i)?, slot.children.get(*i)?)));
            let fixed = [g.size.0, g.size.1].map(|s| (s > 0).then_some(s));
            slot.raster.size = flow.extent(sizes(), fixed);
            let used = sizes().map(|s| flow.turned(s).0).fold(0i32, i32::saturating_add);
            let mut walk = flow.walk(slot.raster.size, used, flow.order.len());
            for i in &flow.order {
                if let (Some(l), Some(s)) = (g.layers.get(*i), slot.children.get_mut(*i)) {
                    s.place = Some(walk.next(extent(l, s)));
                }
            }
        }
        if let (Some(l), Some(s)) = (g.layers.first().filter(|l| l.backing), slot.children.first_mut()) {
            let (w, h) = slot.raster.size;
            self.draw(l, s, LayerState { size: Some([f64::from(w), f64::from(h)]), ..l.state(self.frame) });
        }
    }

    /// Draws a layer if its content is not what is drawn.
    fn draw(&mut self, layer: &LayerProgram, slot: &mut Slot, state: LayerState) {
        slot.state = state;
        if let Picture::Group(g) = &layer.picture {
            self.draw_group(g, slot);
            return;
        }
        // Whether a viewer has seen what is to change: shown again, a scene's frames begin anew. Frames may be left out: a
        // picture that stays is not composed again.
        let seen = slot.made > 0 && slot.frame <= self.frame;
        slot.frame = self.frame;
        let detail = layer.look.detail;
        let form = Changed {
            size: state.size.map(|s| s.map(|v| v * detail)),
            radius: state.radius.map(|r| r * detail),
            color: state.color.map(|c| c.rgba),
        };
        let before = slot.raster.rgba.len() / 4;
        let room = (MAX_SCENE_PIXELS as usize).saturating_sub(self.used.saturating_sub(before));
        let same = slot.form == form;
        match &layer.picture {
            Picture::Text { words, spec } | Picture::Ticker { words, spec, .. } => {
                self.scratch.fill(words.iter(), self.tokens, self.now);
                if let Picture::Ticker { width, .. } = &layer.picture {
                    self.scratch.on_one_line();
                    slot.belt.ran(state.travel, *width);
                }
                if same && slot.drawn.as_ref() == Some(&*self.scratch) {
                    return;
                }
                if let (Picture::Ticker { gap, .. }, Some(drawn)) = (&layer.picture, &slot.drawn) {
                    let itself = |w: &Template| w.clock_step().is_some() || w.next_tick(self.now.elapsed).is_some();
                    let how = match self.scratch.text().starts_with(drawn.text()) {
                        _ if words.iter().any(itself) || drawn == self.scratch => Change::Itself,
                        true => Change::Longer,
                        false => Change::Other,
                    };
                    slot.belt.change(how, *gap, &mut slot.raster, &mut slot.planes);
                }
                if slot.drawn.as_ref() != Some(&*self.scratch) {
                    slot.pass.leave(layer.change, seen, self.frame, &mut slot.raster, &mut slot.planes);
                }
                match form.color {
                    None => self.text.draw(&mut slot.raster, self.scratch, spec, room),
                    Some(rgba) => {
                        let mut spec = spec.clone();
                        spec.runs.iter_mut().for_each(|r| r.rgba = rgba);
                        self.text.draw(&mut slot.raster, self.scratch, &spec, room);
                    }
                }
                slot.drawn.get_or_insert_default().set(self.scratch);
            }
            Picture::Progress { value, bar } => {
                self.scratch.fill(std::iter::once(value), self.tokens, self.now);
                if slot.drawn.as_ref() != Some(&*self.scratch) {
                    slot.pass.glide(layer.change, seen, self.frame, bar.part(self.scratch.text()));
                    slot.drawn.get_or_insert_default().set(self.scratch);
                }
                let part = slot.pass.part(layer.change, self.frame);
                if same && slot.made > 0 && part == slot.pass.drawn {
                    return;
                }
                slot.pass.drawn = part;
                bar.draw(&mut slot.raster, part, &form);
            }
            Picture::Gauge { value, gauge } => {
                self.scratch.fill(std::iter::once(value), self.tokens, self.now);
                if slot.drawn.as_ref() != Some(&*self.scratch) {
                    slot.pass.glide(layer.change, seen, self.frame, gauge.part(self.scratch.text()));
                    slot.drawn.get_or_insert_default().set(self.scratch);
                }
                let part = slot.pass.part(layer.change, self.frame);
                if same && slot.made > 0 && part == slot.pass.drawn {
                    return;
                }
                slot.pass.drawn = part;
                gauge.draw(&mut slot.raster, part, form.color);
            }
            Picture::Qr { text, qr } => {
                self.scratch.fill(std::iter::once(text), self.tokens, self.now);
                if slot.drawn.as_ref() == Some(&*self.scratch) {
                    return;
                }
                qr.draw(&mut slot.raster, self.scratch.text());
                slot.drawn.get_or_insert_default().set(self.scratch);
            }
            Picture::Film { film, width, height, fit, plays } => {
                let i = film.at(self.now.elapsed, *plays);
                if slot.film.show(film, (*width, *height, *fit), i, &mut slot.raster, &mut slot.planes) {
                    self.used = self.used.saturating_sub(before) + slot.raster.rgba.len() / 4;
                    slot.made += 1;
                }
                return;
            }
            _ if same && slot.drawn.is_some() => return,
            Picture::Image { source, width, height, fit } => {
                picture::draw_in(&mut slot.raster, source, *width, *height, *fit);
                slot.drawn.get_or_insert_default();
            }
            Picture::Vector { source, width, height, fit } => {
                source.draw(&mut slot.raster, *width, *height, *fit);
                slot.drawn.get_or_insert_default();
            }
            Picture::Rect(shape) => {
                shape.draw(&mut slot.raster, &form);
                slot.drawn.get_or_insert_default();
            }
            Picture::Group(_) => return,
        }
        slot.form = form;
        self.used = self.used.saturating_sub(before) + slot.raster.rgba.len() / 4;
        slot.made += 1;
        slot.planes.load(&slot.raster);
    }
}
