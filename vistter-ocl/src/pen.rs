//! Draws what a layer shows, when that is not what is drawn.

use std::collections::BTreeMap;

use vistter_core::Error;
use vistter_core::time::FrameRate;

use crate::aim::Aims;
use crate::flow::extent;
use crate::inset::Outside;
use crate::limits::MAX_SCENE_PIXELS;
use crate::program::{GroupProgram, LayerProgram, LayerState, Picture};
use crate::raster::picture;
use crate::raster::shape::Changed;
use crate::raster::text::TextEngine;
use crate::renderer::Slot;
use crate::said::Said;
use crate::script::Saying;
use crate::template::{Now, Template};
use crate::ticker::Change;
use crate::timeline::clock::Moment;

/// So many troubles wait to be told.
const MAX_TROUBLES: usize = 8;

/// What drawing a layer needs.
pub(crate) struct Pen<'a> {
    pub(crate) text: &'a mut TextEngine,
    pub(crate) aims: &'a Aims,
    pub(crate) scratch: &'a mut Said,
    /// Frames the scene has been on.
    pub(crate) frame: u64,
    pub(crate) now: Now,
    pub(crate) tokens: &'a BTreeMap<String, String>,
    /// Pixels that all layers have.
    pub(crate) used: usize,
    pub(crate) outside: &'a Outside,
    pub(crate) fps: FrameRate,
    pub(crate) late: &'a mut bool,
    pub(crate) troubles: &'a mut Vec<Error>,
}

impl Pen<'_> {
    /// Draws a group's layers, and says how large its box is and where they stand in it.
    fn draw_group(&mut self, g: &GroupProgram, slot: &mut Slot, moment: Moment) {
        for (l, s) in g.layers.iter().zip(&mut slot.children).filter(|(l, _)| !l.backing) {
            self.draw(l, s, l.now(moment, self.aims));
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
            self.draw(l, s, LayerState { size: Some([f64::from(w), f64::from(h)]), ..l.now(moment, self.aims) });
        }
    }

    /// Draws a layer if its content is not what is drawn.
    pub(crate) fn draw(&mut self, layer: &LayerProgram, slot: &mut Slot, state: LayerState) {
        slot.state = state;
        if let Picture::Group(g) = &layer.picture {
            self.draw_group(g, slot, state.moment);
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
            Picture::Text { spec, .. } | Picture::Ticker { spec, .. } => {
                let words = layer.words(state.says, self.aims);
                let goes = matches!(layer.picture, Picture::Ticker { .. }) || state.says == Saying::Live;
                if same
                    && !goes
                    && slot.drawn.is_some()
                    && slot.says == state.says
                    && words.iter().all(Template::is_fixed)
                {
                    return;
                }
                self.scratch.fill(words.iter(), self.tokens, Now { value: state.value, ..self.now });
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
                    // what comes by keyframes is the same however its frame is reached
                    let live = slot.says == Saying::Live || state.says == Saying::Live;
                    let by_itself = (slot.says != state.says && !live) || slot.value != state.value;
                    let change = layer.change.filter(|_| !by_itself);
                    slot.pass.leave(change, seen, self.frame, &mut slot.raster, &mut slot.planes);
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
                (slot.says, slot.value) = (state.says, state.value);
            }
            Picture::Progress { value, bar } => {
                self.scratch.fill(std::iter::once(value), self.tokens, self.now);
                if slot.drawn.as_ref() != Some(&*self.scratch) {
                    slot.pass.glide(layer.change, seen, self.frame, bar.part(self.scratch.text()));
                    slot.drawn.get_or_insert_default().set(self.scratch);
                }
                let moved = state.value.map(|v| bar.part_at(v));
                let part = moved.unwrap_or_else(|| slot.pass.part(layer.change, self.frame));
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
                let moved = state.value.map(|v| gauge.part_at(v));
                let part = moved.unwrap_or_else(|| slot.pass.part(layer.change, self.frame));
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
            Picture::Inset(p) => {
                let inset = slot.inset.get_or_insert_default();
                let elapsed = self.fps.time_of(state.moment.run);
                let out = (&mut slot.raster, &mut slot.planes);
                let (new, late, trouble) = inset.show(p, self.outside, elapsed, out);
                *self.late |= late;
                if let Some(e) = trouble.filter(|_| self.troubles.len() < MAX_TROUBLES) {
                    self.troubles.push(e);
                }
                slot.made += u64::from(new);
                return;
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
