//! Keeps the drawn layers of one scene program, redraws what changed, and blends.

use std::collections::BTreeMap;

use vistter_core::Error;
use vistter_core::clock::WallTime;
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::{Canvas, frames_in};
use vistter_core::time::MediaTime;

use crate::aim::{Aims, Change as Turn, SCENE, When};
use crate::blend;
use crate::composite::{Room, Shot, paint};
use crate::face::Face;
use crate::inset::Inset;
use crate::limits::MAX_TOGETHER;
use crate::matte::Matte;
use crate::pass::Pass;
use crate::pen::Pen;
use crate::planes::Planes;
use crate::presence::Via;
use crate::program::{LayerProgram, LayerState, Picture, SceneProgram};
use crate::raster::Raster;
use crate::raster::shape::Changed;
use crate::raster::text::TextEngine;
use crate::reel::Reel;
use crate::said::Said;
use crate::script::Saying;
use crate::stack::{Stack, paint_all};
use crate::template::Now;
use crate::ticker::Belt;
use crate::timeline::clock::Moment;
use crate::timeline::plan::Plan;
use crate::transition::{Stage, WayStyle};

/// A scene program with its drawn layers.
#[derive(Debug)]
pub(crate) struct Renderer {
    pub(crate) program: SceneProgram,
    text: TextEngine,
    pub(crate) slots: Vec<Slot>,
    /// Of the way in and of the way out.
    mattes: [Option<Matte>; 2],
    /// The text being compared with what is drawn.
    scratch: Said,
    /// What was changed live.
    pub(crate) aims: Aims,
    pub(crate) states: Vec<LayerState>,
    /// What will be on a moment later.
    coming: Vec<LayerState>,
    /// Layers of cues that are drawn, and the picture they were on or near last.
    held: Vec<(usize, u64)>,
    /// Pictures composed.
    composed: u64,
    /// A picture from outside is late: it may come at any time.
    late: bool,
    /// What has gone wrong with pictures from outside, and has not been told.
    troubles: Vec<Error>,
}

/// What is drawn of one layer.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The drawing; of a group the size of its box alone.
    pub(crate) raster: Raster,
    pub(crate) planes: Planes,
    /// The text that is drawn; `None` before the first drawing.
    pub(crate) drawn: Option<Said>,
    /// Which of its layer's texts that is, and with which number in it.
    pub(crate) says: Saying,
    pub(crate) value: Option<f64>,
    /// On its way from one content to the next.
    pub(crate) pass: Pass,
    /// The frame of the last drawing pass.
    pub(crate) frame: u64,
    /// Where a ticker's texts are.
    pub(crate) belt: Belt,
    pub(crate) film: Reel,
    pub(crate) inset: Option<Box<Inset>>,
    /// What automation had changed of it then.
    pub(crate) form: Changed,
    /// Counts the drawings.
    pub(crate) made: u64,
    /// What the layer does at this frame.
    pub(crate) state: LayerState,
    /// Its left top corner in its group's box, when the group's layout says so.
    pub(crate) place: Option<(i32, i32)>,
    /// For a layer that is more than a drawing at a place.
    pub(crate) face: Option<Box<Face>>,
    /// With what lies on it.
    pub(crate) stack: Option<Box<Stack>>,
    /// Of a group.
    pub(crate) children: Vec<Self>,
    /// Of a cue's way in and way out.
    mattes: [Option<Box<Matte>>; 2],
}

impl Slot {
    /// What has been drawn, nobody has seen.
    fn unseen(&mut self) {
        self.frame = u64::MAX;
        self.children.iter_mut().for_each(Self::unseen);
    }

    /// Makes sure that what is drawn is there as pixels.
    pub(crate) fn solidify(&mut self) {
        if let Some(i) = &mut self.inset {
            i.solidify(&mut self.raster, &self.planes, self.made);
        }
    }
    /// The pictures of what is in it will be needed.
    fn expect(&mut self) {
        if let Some(i) = &mut self.inset {
            i.expect();
        }
        self.children.iter_mut().for_each(Self::expect);
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
    /// Draws everything that is on at the beginning or soon after, texts as they are now. Cues are drawn a second before
    /// they come, and let go when they are over.
    pub(crate) fn new(program: SceneProgram, tokens: &BTreeMap<String, String>, wall: WallTime) -> Self {
        let slots = program.layers.iter().map(Slot::new).collect();
        let text = TextEngine::new(&program.fonts);
        let alone = program.timeline.alone.clone();
        let mut me = Self {
            program,
            text,
            slots,
            mattes: [None, None],
            scratch: Said::default(),
            aims: Aims::default(),
            states: Vec::with_capacity(MAX_TOGETHER),
            coming: Vec::with_capacity(MAX_TOGETHER),
            held: Vec::with_capacity(2 * MAX_TOGETHER),
            composed: 0,
            late: false,
            troubles: Vec::new(),
        };
        // The first frame once for nobody, so that the program worker finds everything made.
        let Canvas { width, height, .. } = me.program.canvas;
        for (matte, way) in me.mattes.iter_mut().zip([&me.program.enter, &me.program.exit]) {
            if let WayStyle::Matte(p) = &way.style {
                *matte = Some(Matte::new(p, width, height));
            }
        }
        let ahead = me.ahead();
        for time in [ahead, ahead / 2, 0] {
            me.states_at(Moment { time, run: time }, &alone);
            me.draw_states(Moment { time, run: time }, wall, tokens);
        }
        let whole = Stage::whole(width, height);
        if let Ok(pool) = FramePool::new(width, height, 1) {
            me.compose((Moment::default(), &alone), Via::In, whole, wall, tokens, &mut pool.take());
        }
        me.slots.iter_mut().for_each(Slot::unseen);
        me
    }

    /// Goes on where another renderer is, of the same scene at another moment of wall-clock time: tickers run on, and what
    /// was changed stays so.
    pub(crate) fn take_over(&mut self, old: &mut Self) {
        let number = |p: &SceneProgram, name: &str| p.layer(name).map(|l| l.number);
        let names = old.program.layer_names();
        let pairs: BTreeMap<u32, u32> =
            names.iter().filter_map(|n| Some((number(&old.program, n)?, number(&self.program, n)?))).collect();
        self.aims = old.aims.renumbered(|n| pairs.get(&n).copied());
        let layers = self.program.layers.iter().zip(&old.program.layers);
        for ((new, before), slots) in layers.zip(self.slots.iter_mut().zip(&mut old.slots)) {
            if let (Picture::Ticker { spec: a, .. }, Picture::Ticker { spec: b, .. }) = (&new.picture, &before.picture)
                && a == b
            {
                std::mem::swap(slots.0, slots.1);
            }
        }
    }

    pub(crate) fn program(&self) -> &SceneProgram {
        &self.program
    }

    /// Changes properties of a layer, or of the scene, from what they are at a moment.
    pub(crate) fn turn(
        &mut self,
        layer: Option<&str>,
        (moment, plan): (Moment, &Plan),
        change: &Turn,
        when: When,
        tokens: &BTreeMap<String, String>,
    ) {
        self.aims.age = when.age;
        let found = layer.and_then(|name| self.program.layer(name));
        let now = match found {
            Some(l) => self
                .program
                .layer_now(l.number, moment, plan, &self.aims)
                .map(|s| LayerState { value: s.value.or_else(|| l.own_number(tokens)), ..s }),
            None => Some(self.program.whole(moment, &self.aims)),
        };
        self.aims.set(found, now.as_ref(), change, When { k: self.program.k, ..when });
    }
    /// So many frames after the scene was shown: where changes are then.
    pub(crate) fn look_at(&mut self, age: u64) {
        self.aims.age = age;
    }
    /// Whether a change is under way at a frame.
    pub(crate) fn turns(&self, age: u64) -> bool {
        self.aims.moves(age)
    }
    /// The scene is shown anew: changes are where they went.
    pub(crate) fn settle(&mut self) {
        self.aims.end();
    }

    /// Frames before it comes at which a cue is drawn: a second.
    fn ahead(&self) -> u64 {
        frames_in(MediaTime::SECOND, self.program.canvas.fps).into()
    }

    /// Blends the scene as it is at a moment of a plan, as its way in or out (`via`) leaves it.
    pub(crate) fn compose(
        &mut self,
        (moment, plan): (Moment, &Plan),
        via: Via,
        stage: Stage,
        wall: WallTime,
        tokens: &BTreeMap<String, String>,
        target: &mut FrameBuf,
    ) {
        self.late = false;
        self.states_at(moment, plan);
        self.draw_states(moment, wall, tokens);
        self.prepare_cues(moment, plan, wall, tokens);
        let (width, height) = target.size();
        let mut planes = target.planes_mut();
        let [enter, exit] = &self.mattes;
        let matte = match via {
            Via::In => enter,
            Via::Out => exit,
        };
        let veil = stage.veil.and_then(|level| matte.as_ref().map(|m| m.veil(level)));
        let canvas = (i64::from(width), i64::from(height));
        if stage.push != (0, 0) {
            blend::push(&mut planes, stage.push);
        }
        let room = Room { left: 0, top: 0, width, height };
        let aims = &self.aims;
        let shot = Shot { stage, veil, aims, canvas };
        // layers of a scene that moves are rounded to their pixels one by one
        let rests = self.program.motion.position.keys.is_empty() && !aims.moves_layer(SCENE);
        let is_cue = |s: &LayerState| self.program.layers.get(s.layer).is_some_and(|l| l.cue.is_some());
        for states in self.states.chunk_by(|a, b| rests && !is_cue(a) && !is_cue(b)) {
            let [state] = states else {
                let order = states.iter().map(|s| s.layer);
                paint_all(&self.program.layers, &mut self.slots, order, room, &shot, &mut planes);
                continue;
            };
            let (Some(layer), Some(slot)) = (self.program.layers.get(state.layer), self.slots.get_mut(state.layer))
            else {
                continue;
            };
            let Some(cue) = &layer.cue else {
                paint(layer, slot, room, &shot, &mut planes);
                continue;
            };
            let (way, i) = match state.level.1 {
                Via::In => (&cue.enter, 0),
                Via::Out => (&cue.exit, 1),
            };
            let stage = stage.and(way.stage(state.level.0, width, height));
            if stage.push != (0, 0) {
                blend::push(&mut planes, stage.push);
            }
            // taken out, because the slot is painted from
            let matte = slot.mattes.get_mut(i).and_then(Option::take);
            let veil = veil.or_else(|| stage.veil.and_then(|level| matte.as_ref().map(|m| m.veil(level))));
            paint(layer, slot, room, &Shot { stage, veil, ..shot }, &mut planes);
            if let Some(place) = slot.mattes.get_mut(i) {
                *place = matte;
            }
            if let Some(dip) = stage.dip {
                blend::flood(&mut planes, dip.yuv, dip.alpha);
            }
        }
        if let Some(dip) = stage.dip {
            blend::flood(&mut planes, dip.yuv, dip.alpha);
        }
    }

    /// What was changed live.
    pub(crate) fn aims(&self) -> &Aims {
        &self.aims
    }
    /// Whether a picture from outside may come at any time.
    pub(crate) fn waits(&self) -> bool {
        self.late
    }
    /// It will be shown soon.
    pub(crate) fn expect(&mut self) {
        for n in &self.program.timeline.always {
            self.slots.get_mut(*n as usize).into_iter().for_each(Slot::expect);
        }
    }
    /// What has gone wrong since this was asked last.
    pub(crate) fn trouble(&mut self) -> Option<Error> {
        self.troubles.pop()
    }

    /// Whether a layer is on its way from one content to the next.
    pub(crate) fn passes(&self) -> bool {
        self.program.layers.iter().zip(&self.slots).any(|(l, s)| s.passes(l))
    }

    pub(crate) fn states_at(&mut self, moment: Moment, plan: &Plan) {
        let mut states = std::mem::take(&mut self.states);
        self.program.state(moment, plan, &self.aims, &mut states);
        self.states = states;
    }

    /// Draws every layer that is on and whose content is not what is drawn.
    fn draw_states(&mut self, moment: Moment, wall: WallTime, tokens: &BTreeMap<String, String>) {
        let states = std::mem::take(&mut self.states);
        self.draw(&states, moment, wall, tokens);
        self.states = states;
    }

    fn draw(&mut self, states: &[LayerState], moment: Moment, wall: WallTime, tokens: &BTreeMap<String, String>) {
        let held = self.held.iter().map(|(n, _)| *n);
        let all = self.program.timeline.always.iter().map(|n| *n as usize).chain(held);
        let used = all.filter_map(|n| self.slots.get(n)).map(Slot::pixels).sum();
        // how long it has been shown: that goes on while the scene stands at a step
        let now = Now { wall, elapsed: self.program.canvas.fps.time_of(moment.run), value: None };
        let Canvas { width, height, .. } = self.program.canvas;
        let mut pen = Pen {
            text: &mut self.text,
            aims: &self.aims,
            scratch: &mut self.scratch,
            frame: moment.run,
            now,
            tokens,
            used,
            outside: &self.program.outside,
            fps: self.program.canvas.fps,
            late: &mut self.late,
            troubles: &mut self.troubles,
        };
        for state in states {
            let (Some(layer), Some(slot)) = (self.program.layers.get(state.layer), self.slots.get_mut(state.layer))
            else {
                continue;
            };
            pen.draw(layer, slot, *state);
            let Some(cue) = &layer.cue else { continue };
            if !self.held.iter().any(|(n, _)| *n == state.layer) {
                self.held.push((state.layer, self.composed));
                for (matte, way) in slot.mattes.iter_mut().zip([&cue.enter, &cue.exit]) {
                    if let WayStyle::Matte(p) = &way.style {
                        *matte = Some(Box::new(Matte::new(p, width, height)));
                    }
                }
            }
        }
    }

    /// Draws one of the cues that come in a second, and lets go those that are over.
    fn prepare_cues(&mut self, moment: Moment, plan: &Plan, wall: WallTime, tokens: &BTreeMap<String, String>) {
        if self.program.timeline.tracks.is_empty() {
            return;
        }
        let mut coming = std::mem::take(&mut self.coming);
        let later = Moment { time: moment.time.saturating_add(self.ahead()), ..moment };
        self.program.state(later, plan, &self.aims, &mut coming);
        let new = coming.iter().find(|s| {
            let cue = self.program.layers.get(s.layer).is_some_and(|l| l.cue.is_some());
            cue && !self.held.iter().any(|(n, _)| *n == s.layer)
        });
        if let Some(state) = new {
            self.draw(&[*state], moment, wall, tokens);
        }
        self.composed += 1;
        // A short cue is not seen in either list between being drawn and coming.
        let (composed, keep) = (self.composed, 2 * self.ahead());
        let (layers, slots, states) = (&self.program.layers, &mut self.slots, &self.states);
        let is_in = |list: &[LayerState], n: usize| list.binary_search_by_key(&n, |s| s.layer).is_ok();
        self.held.retain_mut(|(n, seen)| {
            if is_in(states, *n) || is_in(&coming, *n) {
                *seen = composed;
            }
            let over = composed - *seen > keep;
            if over && let (Some(slot), Some(layer)) = (slots.get_mut(*n), layers.get(*n)) {
                *slot = Slot::new(layer);
            }
            !over
        });
        self.coming = coming;
    }
}
