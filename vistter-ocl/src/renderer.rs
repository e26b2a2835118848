//! Keeps the drawn layers of one scene program, redraws what changed, and blends.

use std::collections::BTreeMap;

use vistter_core::clock::WallTime;
use vistter_core::media::FrameBuf;
use vistter_core::time::MediaTime;

use crate::blend::{self, Clip};
use crate::limits::MAX_SCENE_PIXELS;
use crate::model::Anchor;
use crate::planes::Planes;
use crate::presence::FULL;
use crate::program::{LayerProgram, LayerState, Picture, SceneProgram};
use crate::raster::text::TextEngine;
use crate::raster::{Raster, picture};
use crate::said::Said;
use crate::template::Now;
use crate::transition::Stage;

/// A scene program with its drawn layers.
#[derive(Debug)]
pub(crate) struct Renderer {
    program: SceneProgram,
    text: TextEngine,
    slots: Vec<Slot>,
    /// The text being compared with what is drawn.
    scratch: Said,
}

#[derive(Debug, Default)]
struct Slot {
    raster: Raster,
    planes: Planes,
    /// The text that is drawn; `None` before the first drawing.
    drawn: Option<Said>,
}

impl Renderer {
    /// Draws everything that does not depend on time, and texts as they are now.
    pub(crate) fn new(program: SceneProgram, tokens: &BTreeMap<String, String>, wall: WallTime) -> Self {
        let text = TextEngine::new(&program.fonts);
        let slots = program.layers.iter().map(|_| Slot::default()).collect();
        let mut me = Self { program, text, slots, scratch: Said::default() };
        for i in 0..me.slots.len() {
            me.draw(i, tokens, Now { wall, elapsed: MediaTime::default() });
        }
        // The chroma of the first frame's positions too, so that the program worker finds it made.
        let states: Vec<LayerState> = me.program.state_at(0).collect();
        for ((layer, slot), state) in me.program.layers.iter().zip(&mut me.slots).zip(states) {
            let at = stand(layer, &state, slot.raster.size, me.program.canvas.width, me.program.canvas.height);
            let at = (at.0 - i64::from(slot.raster.origin.0), at.1 - i64::from(slot.raster.origin.1));
            slot.planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &slot.raster);
        }
        me
    }

    pub(crate) fn program(&self) -> &SceneProgram {
        &self.program
    }

    /// Blends the scene as it is `frame` frames after it was shown, as its way in or out leaves it.
    pub(crate) fn compose(
        &mut self,
        frame: u64,
        stage: Stage,
        wall: WallTime,
        tokens: &BTreeMap<String, String>,
        target: &mut FrameBuf,
    ) {
        let now = Now { wall, elapsed: self.program.canvas.fps.time_of(frame) };
        for i in 0..self.slots.len() {
            self.draw(i, tokens, now);
        }
        let (width, height) = target.size();
        let mut planes = target.planes_mut();
        let shift = stage.shift;
        for ((layer, slot), state) in self.program.layers.iter().zip(&mut self.slots).zip(self.program.state_at(frame))
        {
            let opacity = state.opacity * f64::from(stage.opacity) / f64::from(FULL);
            let opacity = (opacity * 255.0).round().clamp(0.0, 255.0) as u8;
            if opacity == 0 {
                continue;
            }
            let mut put = |slot: &mut Slot, x: i64, y: i64, clip: Clip| {
                let at = (x - i64::from(slot.raster.origin.0), y - i64::from(slot.raster.origin.1));
                let (luma, chroma) = slot.planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &slot.raster);
                blend::layer(&mut planes, luma, chroma, at, clip, opacity);
            };
            match layer.picture {
                Picture::Ticker { width: window, gap, .. } => {
                    let size = (window as i32, slot.raster.size.1);
                    let (left, top) = stand(layer, &state, size, width, height);
                    // an even left edge, for the same reason as the even width
                    let (left, top) = ((left & !1) + shift.0, top + shift.1);
                    let clip = stage.clip.and(Clip { x0: left, x1: left + window, ..stage.clip });
                    let text = i64::from(slot.raster.size.0);
                    for x in passes(state.travel, window, text, gap) {
                        put(slot, left + x, top, clip);
                    }
                }
                _ => {
                    let (x, y) = stand(layer, &state, slot.raster.size, width, height);
                    put(slot, x + shift.0, y + shift.1, stage.clip);
                }
            }
        }
    }

    /// Draws a layer if its content is not what is drawn.
    fn draw(&mut self, i: usize, tokens: &BTreeMap<String, String>, now: Now) {
        let others = self.slots.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, s)| s.raster.rgba.len() / 4);
        let room = (MAX_SCENE_PIXELS as usize).saturating_sub(others.sum());
        let (Some(LayerProgram { picture, .. }), Some(slot)) = (self.program.layers.get(i), self.slots.get_mut(i))
        else {
            return;
        };
        match picture {
            Picture::Text { words, spec } | Picture::Ticker { words, spec, .. } => {
                self.scratch.fill(words.iter(), tokens, now);
                if let Picture::Ticker { .. } = picture {
                    self.scratch.on_one_line();
                }
                if slot.drawn.as_ref() == Some(&self.scratch) {
                    return;
                }
                self.text.draw(&mut slot.raster, &self.scratch, spec, room);
                slot.drawn.get_or_insert_default().set(&self.scratch);
            }
            Picture::Progress { value, bar } => {
                self.scratch.fill(std::iter::once(value), tokens, now);
                if slot.drawn.as_ref() == Some(&self.scratch) {
                    return;
                }
                bar.draw(&mut slot.raster, self.scratch.text());
                slot.drawn.get_or_insert_default().set(&self.scratch);
            }
            _ if slot.drawn.is_some() => return,
            Picture::Image { source, width, height } => {
                picture::draw(&mut slot.raster, source, *width, *height);
                slot.drawn = Some(Said::default());
            }
            Picture::Rect(shape) => {
                shape.draw(&mut slot.raster);
                slot.drawn = Some(Said::default());
            }
        }
        slot.planes.load(&slot.raster);
    }
}

/// The top left pixel of a box of `size`, whose anchor point stands on that of the layer's part of the picture, moved by
/// the state's offset.
fn stand(layer: &LayerProgram, state: &LayerState, size: (i32, i32), width: u32, height: u32) -> (i64, i64) {
    let along = |part: u8, canvas: u32, size: i32, offset: f64| {
        let margin = layer.within.margin(canvas);
        let free = f64::from(canvas - 2 * margin) - f64::from(size);
        (f64::from(margin) + free * f64::from(part) / 2.0 + offset).round() as i64
    };
    let Anchor { h, v } = layer.anchor;
    (along(h, width, size.0, state.offset[0]), along(v, height, size.1, state.offset[1]))
}

/// Copies of a ticker's text in its window at once; only a text of a few pixels without a gap has more.
const MAX_PASSES: usize = 512;

/// The left edges, from the window's, of the copies of a ticker's text that can be seen after `travel` pixels: the
/// first comes in from the right edge, the next follows `gap` pixels behind its end.
fn passes(travel: u64, window: i64, text: i64, gap: i64) -> impl Iterator<Item = i64> {
    let travel = i64::try_from(travel).unwrap_or(i64::MAX);
    let period = (text + gap).max(1);
    // copy k stands at window − travel + k·period; the first that has not left on the left side
    let over = travel.saturating_sub(window).saturating_sub(text);
    let gone = if over < 0 { 0 } else { over / period + 1 };
    (gone..)
        .map(move |k| window.saturating_sub(travel).saturating_add(k.saturating_mul(period)))
        .take_while(move |x| *x < window && text > 0)
        .take(MAX_PASSES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticker_copies_follow_each_other() {
        let at = |t| passes(t, 100, 30, 10).collect::<Vec<_>>();
        assert_eq!((at(0).len(), at(1)[0]), (0, 99));
        assert!(at(50).starts_with(&[50, 90]));
        assert_eq!(at(131)[0], 9, "the first copy has left");
        let later = passes(u64::MAX, 100, 30, 10).next().unwrap();
        assert!((-40..=140).contains(&later), "{later}");
        assert_eq!(passes(5, 100, 0, 10).count(), 0);
    }
}
