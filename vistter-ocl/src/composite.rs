//! Where layers stand, what their pictures become on the way, and how they get into the frame.
//!
//! A layer that is only moved and faded is blended from the planes of its drawing: nothing is made. Any other goes
//! through a [`Face`]; so does a group whose layers must be composited with each other first.

use vistter_core::media::PlaneMut;

use crate::aim::Aims;
use crate::blend::{self, Clip, Veil};
use crate::face::{Face, Stamp};
use crate::model::{Anchor, Blend};
use crate::planes::Planes;
use crate::presence::FULL;
use crate::program::{LayerProgram, LayerState, Picture};
use crate::raster::Raster;
use crate::renderer::Slot;
use crate::sheet::{mode, over};
use crate::stack::paint_all;
use crate::transition::Stage;

/// What every layer of a frame needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot<'a> {
    pub(crate) stage: Stage,
    pub(crate) veil: Option<Veil<'a>>,
    /// What was changed live.
    pub(crate) aims: &'a Aims,
    /// Width and height of the picture.
    pub(crate) canvas: (i64, i64),
}

/// A box that layers stand in, in canvas pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) left: i64,
    pub(crate) top: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Blends a layer and what is in it.
pub(crate) fn paint(layer: &LayerProgram, slot: &mut Slot, room: Room, shot: &Shot<'_>, out: &mut [PlaneMut<'_>; 3]) {
    let state = slot.state;
    let stage = &shot.stage;
    let opacity = shown(&state, shot);
    if opacity == 0 {
        return;
    }
    let formed = stage.zoom.is_some() || is_formed(layer, &state);
    match &layer.picture {
        Picture::Group(g) if g.loose && opacity == 255 && !formed => {
            let (left, top) = stand(layer, slot, slot.raster.size, room);
            let inner =
                Room { left, top, width: slot.raster.size.0.max(0) as u32, height: slot.raster.size.1.max(0) as u32 };
            paint_all(&g.layers, &mut slot.children, 0..g.layers.len(), inner, shot, out);
        }
        Picture::Group(_) => put_face(layer, slot, room, shot, opacity, out),
        _ if formed => put_face(layer, slot, room, shot, opacity, out),
        Picture::Ticker { width: window, gap, .. } => {
            let (left, top) = stand(layer, slot, (*window as i32, slot.raster.size.1), room);
            // an even left edge, for the same reason as the even width
            let (left, top) = ((left & !1) + stage.shift.0, top + stage.shift.1);
            let clip = stage.clip.and(Clip { x0: left, x1: left + window, ..stage.clip });
            for x in slot.belt.passes(*window, i64::from(slot.raster.size.0), *gap) {
                put(&slot.raster, &mut slot.planes, (left + x, top), clip, shot.veil, opacity, out);
            }
            for i in 0..slot.belt.old.len() {
                for x in slot.belt.old_passes(i, *window, *gap) {
                    let Some(old) = slot.belt.old.get_mut(i) else { break };
                    put(&old.raster, &mut old.planes, (left + x, top), clip, shot.veil, opacity, out);
                }
            }
        }
        _ if slot.pass.runs(layer.change, slot.frame) && matches!(layer.picture, Picture::Text { .. }) => {
            // one fades in over the other, which fades out
            let part = slot.pass.progress(layer.change, slot.frame).clamp(0.0, 1.0);
            let share = |p: f64| (f64::from(opacity) * p).round() as u8;
            let mut at = |slot: &mut Slot, opacity: u8| {
                let (x, y) = stand(layer, slot, slot.raster.size, room);
                let at = (x + stage.shift.0, y + stage.shift.1);
                put(&slot.raster, &mut slot.planes, at, stage.clip, shot.veil, opacity, out);
            };
            slot.turn_back();
            at(slot, share(1.0 - part));
            slot.turn_back();
            at(slot, share(part));
        }
        _ => {
            let (x, y) = stand(layer, slot, slot.raster.size, room);
            let at = (x + stage.shift.0, y + stage.shift.1);
            put(&slot.raster, &mut slot.planes, at, stage.clip, shot.veil, opacity, out);
        }
    }
}

/// Whether a layer is more than a drawing at a place.
pub(crate) fn is_formed(layer: &LayerProgram, s: &LayerState) -> bool {
    let look = &layer.look;
    look.blend != Blend::Normal
        || !look.masks.is_empty()
        || look.smooth
        || look.detail != 1.0
        || s.scale != [1.0; 2]
        || s.rotation % 360.0 != 0.0
        || s.crop.iter().any(|c| *c > 0.0)
        || matches!(&layer.picture, Picture::Group(g) if g.clip)
}

/// How much of a layer is shown, of 255.
pub(crate) fn shown(state: &LayerState, shot: &Shot<'_>) -> u8 {
    level(state.opacity * f64::from(shot.stage.opacity) / f64::from(FULL))
}

/// 0 to 1 in steps of 1/255.
fn level(opacity: f64) -> u8 {
    (opacity * 255.0).round().clamp(0.0, 255.0) as u8
}

/// Blends a drawing whose box's left top pixel stands at `at`.
fn put(
    raster: &Raster,
    planes: &mut Planes,
    at: (i64, i64),
    clip: Clip,
    veil: Option<Veil<'_>>,
    opacity: u8,
    out: &mut [PlaneMut<'_>; 3],
) {
    let at = (at.0 - i64::from(raster.origin.0), at.1 - i64::from(raster.origin.1));
    let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, raster);
    blend::layer(out, luma, chroma, at, clip, opacity, veil);
}

fn put_face(
    layer: &LayerProgram,
    slot: &mut Slot,
    room: Room,
    shot: &Shot<'_>,
    opacity: u8,
    out: &mut [PlaneMut<'_>; 3],
) {
    let stage = &shot.stage;
    let (width, height) = shot.canvas;
    let window = Clip { x0: -stage.shift.0, y0: -stage.shift.1, x1: width - stage.shift.0, y1: height - stage.shift.1 };
    form(layer, slot, room, stage.zoom, shot.canvas, window);
    let Some(face) = slot.face.as_deref_mut() else { return };
    let at = (face.at.0 + stage.shift.0, face.at.1 + stage.shift.1);
    match layer.look.blend {
        Blend::Normal => {
            let (luma, chroma) = face.planes(at);
            blend::layer(out, luma, chroma, at, stage.clip, opacity, shot.veil);
        }
        m => mode::layer(out, face.picture(), at, stage.clip, opacity, shot.veil, m),
    }
}

/// Makes a layer's face what it is at this frame. Only what shows in `window` needs to be made.
fn form(layer: &LayerProgram, slot: &mut Slot, room: Room, zoom: Option<f64>, canvas: (i64, i64), window: Clip) {
    let state = slot.state;
    let mut face = slot.face.take().unwrap_or_default();
    let extent = match &layer.picture {
        Picture::Group(g) => {
            group(&mut face, &g.layers, slot, g.clip, canvas);
            slot.raster.size
        }
        Picture::Ticker { width, gap, .. } => {
            face.take_ticker(&slot.raster, slot.made, &slot.belt, state.travel, *width, *gap);
            (*width as i32, slot.raster.size.1)
        }
        _ => {
            slot.solidify();
            face.take(&slot.raster, slot.made);
            slot.raster.size
        }
    };
    let detail = layer.look.detail;
    face.cut(&layer.look.masks, extent, state.crop.map(|c| c * detail));
    // The point of the box that scale and rotation leave where it is, on the canvas and in the drawing.
    let size = [f64::from(extent.0) / detail, f64::from(extent.1) / detail];
    let mut corner = corner(layer, slot, size, room);
    if !layer.look.smooth && zoom.is_none() {
        corner = corner.map(f64::round);
    }
    let part = |p: u8, length: f64| f64::from(p) / 2.0 * length;
    let pivot = [part(layer.look.pivot.h, size[0]), part(layer.look.pivot.v, size[1])];
    let mut to = [corner[0] + pivot[0], corner[1] + pivot[1]];
    let mut scale = state.scale.map(|s| s / detail);
    if let Some(z) = zoom {
        let middle = [canvas.0 as f64 / 2.0, canvas.1 as f64 / 2.0];
        to = [0, 1].map(|i| middle[i] + (to[i] - middle[i]) * z);
        scale = scale.map(|s| s * z);
    }
    let origin = face.origin();
    let pivot = [pivot[0] * detail + f64::from(origin.0), pivot[1] * detail + f64::from(origin.1)];
    face.place(pivot, to, scale, state.rotation % 360.0, window);
    slot.face = Some(face);
}

/// Composites the layers of a group with each other.
fn group(face: &mut Face, layers: &[LayerProgram], slot: &mut Slot, clip: bool, canvas: (i64, i64)) {
    let (w, h) = (i64::from(slot.raster.size.0), i64::from(slot.raster.size.1));
    let room = Room { left: 0, top: 0, width: w.max(0) as u32, height: h.max(0) as u32 };
    let own = Clip { x0: 0, y0: 0, x1: w, y1: h };
    // what reaches farther than the canvas is large over the box never shows
    let far = Clip { x0: -canvas.0, y0: -canvas.1, x1: w + canvas.0, y1: h + canvas.1 };
    let window = if clip { own } else { far };
    face.begin();
    for (l, s) in layers.iter().zip(&mut slot.children) {
        let opacity = level(s.state.opacity);
        if opacity == 0 {
            face.stamp(Stamp::default());
            continue;
        }
        form(l, s, room, None, canvas, window);
        face.stamp(s.face.as_deref().map_or(Stamp::default(), |f| f.as_stamp(opacity)));
    }
    let children = &slot.children;
    face.composite(window, own, |below, (left, top)| {
        for (l, s) in layers.iter().zip(children) {
            let opacity = level(s.state.opacity);
            if let (Some(f), 1..) = (s.face.as_deref(), opacity) {
                over::over(below, f.picture(), (f.at.0 - left, f.at.1 - top), opacity, l.look.blend);
            }
        }
    });
}

/// The left top corner of a box of `size` whose anchor point stands on that of the layer's part of the room, or of one
/// that has its place in a layout; moved by the state's offset.
fn corner(layer: &LayerProgram, slot: &Slot, size: [f64; 2], room: Room) -> [f64; 2] {
    let offset = slot.state.offset;
    let (left, top) = (room.left as f64 + offset[0], room.top as f64 + offset[1]);
    if let Some((x, y)) = slot.place {
        return [left + f64::from(x), top + f64::from(y)];
    }
    let along = |part: u8, room: u32, size: f64| {
        let margin = layer.within.margin(room);
        let free = f64::from(room - 2 * margin) - size;
        f64::from(margin) + free * f64::from(part) / 2.0
    };
    let Anchor { h, v } = layer.anchor;
    [left + along(h, room.width, size[0]), top + along(v, room.height, size[1])]
}

/// [`corner`], as the pixel nearest to it.
pub(crate) fn stand(layer: &LayerProgram, slot: &Slot, size: (i32, i32), room: Room) -> (i64, i64) {
    let [x, y] = corner(layer, slot, [f64::from(size.0), f64::from(size.1)], room);
    (x.round() as i64, y.round() as i64)
}
