//! Layers that stand on one another, and stand still, are blended as one.
//!
//! A text on a panel would have its pixels touched twice, and its edges cost four times what the panel costs. So layers in
//! the box of the one beneath them are laid on it once, and the picture meets the result. That is the same up to the rounding
//! of half-transparent samples that lie over half-transparent ones (a level; two at most).
//!
//! Which layers are laid together depends on the frame alone, not on how it was reached: else a frame that is sought would
//! differ by a bit from the same frame played to.

use vistter_core::media::PlaneMut;

use crate::blend;
use crate::composite::{Room, Shot, is_formed, paint, shown, stand};
use crate::limits::MAX_LAID_PIXELS;
use crate::planes::Laid;
use crate::program::{LayerProgram, Picture};
use crate::renderer::Slot;

/// The layers that are laid on one, kept by it.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// It and what is laid on it.
    layers: Vec<Lying>,
    /// The same, at the frame that is looked at.
    now: Vec<Lying>,
    laid: Laid,
}

/// A layer of a stack: which one, its how manieth drawing, and where its left top pixel lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lying {
    index: usize,
    made: u64,
    at: (i64, i64),
}

/// Where the drawing of a layer lies that can be part of a stack.
#[derive(Clone, Copy)]
struct Place {
    at: (i64, i64),
    size: (usize, usize),
}

impl Place {
    fn holds(self, o: Self) -> bool {
        let within = |a: i64, length: usize, b: i64, other: usize| a <= b && b + other as i64 <= a + length as i64;
        within(self.at.0, self.size.0, o.at.0, o.size.0) && within(self.at.1, self.size.1, o.at.1, o.size.1)
    }
    fn is_empty(self) -> bool {
        self.size.0 == 0 || self.size.1 == 0
    }
    /// What the planes of a layer at an odd place are for: see [`crate::planes`].
    fn parity(at: (i64, i64)) -> usize {
        (at.0 & 1) as usize + 2 * (at.1 & 1) as usize
    }
}

/// Blends layers that lie in one box, from the lowest up: those that `order` names, of `layers` and `slots`.
pub(crate) fn paint_all(
    layers: &[LayerProgram],
    slots: &mut [Slot],
    order: impl ExactSizeIterator<Item = usize> + Clone,
    room: Room,
    shot: &Shot<'_>,
    out: &mut [PlaneMut<'_>; 3],
) {
    let mut rest = order;
    while let Some(first) = rest.next() {
        let (Some(layer), Some(slot)) = (layers.get(first), slots.get(first)) else { continue };
        let base = place(layer, slot, room, shot).filter(|p| !p.is_empty() && p.size.0 * p.size.1 <= MAX_LAID_PIXELS);
        if let Some(base) = base {
            let mut stack = slots.get_mut(first).and_then(|s| s.stack.take()).unwrap_or_default();
            let taken = stack.look(first, base, layers, slots, rest.clone(), room, shot);
            let is_one = stack.now.len() > 1;
            if is_one {
                stack.put(slots, base, shot, out);
            }
            if let Some(slot) = slots.get_mut(first) {
                slot.stack = Some(stack);
            }
            if is_one {
                // the others of them cannot be seen
                rest.by_ref().take(taken).for_each(drop);
                continue;
            }
        }
        if let Some(slot) = slots.get_mut(first) {
            paint(layer, slot, room, shot, out);
        }
    }
}

/// Where a layer lies, when it is a drawing that is shown as it is and does not move.
fn place(layer: &LayerProgram, slot: &Slot, room: Room, shot: &Shot<'_>) -> Option<Place> {
    let is_drawing = match layer.picture {
        Picture::Inset(_) | Picture::Film { .. } | Picture::Ticker { .. } | Picture::Group(_) => false,
        Picture::Image { .. } | Picture::Rect(_) | Picture::Vector { .. } => true,
        Picture::Progress { .. } | Picture::Gauge { .. } | Picture::Qr { .. } | Picture::Text { .. } => true,
    };
    let rests = is_drawing
        && layer.cue.is_none()
        && layer.motion.is_still()
        && !shot.aims.moves_layer(layer.number)
        && shot.veil.is_none()
        && shot.stage.zoom.is_none()
        && shown(&slot.state, shot) == 255
        && !is_formed(layer, &slot.state)
        && !slot.pass.runs(layer.change, slot.frame);
    let r = &slot.raster;
    rests.then(|| {
        let (x, y) = stand(layer, slot, r.size, room);
        Place { at: (x - i64::from(r.origin.0), y - i64::from(r.origin.1)), size: (r.width, r.height) }
    })
}

impl Stack {
    /// Sees what lies on the lowest layer. Gives how many of `above` that takes, those that cannot be seen included.
    fn look(
        &mut self,
        lowest: usize,
        base: Place,
        layers: &[LayerProgram],
        slots: &[Slot],
        above: impl Iterator<Item = usize>,
        room: Room,
        shot: &Shot<'_>,
    ) -> usize {
        let made = |index: usize| slots.get(index).map_or(0, |s| s.made);
        self.now.clear();
        self.now.push(Lying { index: lowest, made: made(lowest), at: (0, 0) });
        let mut taken = 0;
        for index in above {
            let (Some(layer), Some(slot)) = (layers.get(index), slots.get(index)) else { break };
            if layer.cue.is_some() {
                break;
            }
            if shown(&slot.state, shot) > 0 {
                let Some(p) = place(layer, slot, room, shot).filter(|p| p.is_empty() || base.holds(*p)) else { break };
                if !p.is_empty() {
                    let at = (p.at.0 - base.at.0, p.at.1 - base.at.1);
                    self.now.push(Lying { index, made: made(index), at });
                }
            }
            taken += 1;
        }
        taken
    }

    /// Blends it; lays it anew first when another one was looked at last.
    fn put(&mut self, slots: &mut [Slot], base: Place, shot: &Shot<'_>, out: &mut [PlaneMut<'_>; 3]) {
        let Some(lowest) = self.now.first().map(|l| l.index) else { return };
        if self.now != self.layers {
            self.layers.clone_from(&self.now);
            let tops = self.layers.iter().skip(1).filter_map(|l| Some((&slots.get(l.index)?.planes.luma, l.at)));
            let Some(slot) = slots.get(lowest) else { return };
            self.laid.load(&slot.planes.luma, tops);
        }
        let at = (base.at.0 + shot.stage.shift.0, base.at.1 + shot.stage.shift.1);
        let parity = Place::parity(at);
        if !self.laid.has_chroma(parity) {
            for (i, l) in self.layers.iter().enumerate() {
                let Some(slot) = slots.get_mut(l.index) else { continue };
                let own = (at.0 + l.at.0, at.1 + l.at.1);
                let (_, chroma) = slot.planes.chroma(own.0 & 1 == 1, own.1 & 1 == 1, &slot.raster);
                match i {
                    0 => self.laid.begin_chroma(parity, chroma),
                    _ => self.laid.lay_chroma(parity, chroma, ((own.0 >> 1) - (at.0 >> 1), (own.1 >> 1) - (at.1 >> 1))),
                }
            }
            self.laid.close_chroma(parity);
        }
        let Some((luma, chroma)) = self.laid.planes(parity) else { return };
        blend::layer(out, luma, chroma, at, shot.stage.clip, 255, None);
    }
}
