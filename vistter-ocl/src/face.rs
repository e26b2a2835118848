//! What becomes of a layer's drawing before it is blended: group → crop and masks → scale → rotation. Each step keeps what
//! it made, and makes it anew only when something it was made from differs.

use crate::blend::Clip;
use crate::limits::MAX_LAYER_PIXELS;
use crate::model::Blend;
use crate::planes::{Chroma, Luma, Planes};
use crate::raster::Raster;
use crate::sheet::Sheet;
use crate::sheet::cut::{self, MaskProgram, Stencil};
use crate::sheet::over::over;
use crate::sheet::scale::{Axis, Scratch, resample};
use crate::sheet::turn::{Turn, turn};
use crate::ticker::Belt;

/// Places between pixels are multiples of this part of one: finer ones cannot be seen.
const PARTS: f64 = 64.0;
/// A layer that is scaled to less than this is not there.
const LEAST_SCALE: f64 = 1.0 / 4096.0;

/// A step's picture, and what it was made from.
#[derive(Debug, Default)]
struct Step {
    sheet: Sheet,
    from: Option<[u64; 14]>,
    /// Counts how often it was made.
    made: u64,
}

impl Step {
    /// Whether it must be made: it was made from something else.
    fn stale(&mut self, from: [u64; 14]) -> bool {
        if self.from == Some(from) {
            return false;
        }
        self.from = Some(from);
        self.made += 1;
        true
    }
}

/// One layer's picture on its way.
#[derive(Debug, Default)]
pub(crate) struct Face {
    base: Step,
    cut: Step,
    scaled: Step,
    turned: Step,
    last: Last,
    /// The box's left top corner in the base.
    origin: (i32, i32),
    stencil: Stencil,
    scratch: Scratch,
    stamps: Vec<Stamp>,
    fresh: Vec<Stamp>,
    /// Where the left top pixel of the picture stands.
    pub(crate) at: (i64, i64),
    planes: Planes,
    planed: Option<(Last, u64)>,
}

/// The step that was the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Base,
    Cut,
    Scaled,
    Turned,
}

/// What a group's picture was made from, of one layer; nothing for one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp {
    step: Option<(Last, u64)>,
    at: (i64, i64),
    size: (usize, usize),
    opacity: u8,
}

impl Face {
    /// Takes a drawing over; `made` counts its drawings.
    pub(crate) fn take(&mut self, r: &Raster, made: u64) {
        self.origin = r.origin;
        if self.base.stale(wide([made, 0, 0])) {
            self.base.sheet.load(r);
        }
        self.last = Last::Base;
    }

    /// Takes what a ticker's window shows.
    pub(crate) fn take_ticker(&mut self, r: &Raster, made: u64, belt: &Belt, travel: u64, window: i64, gap: i64) {
        self.origin = (0, r.origin.1);
        self.last = Last::Base;
        if !self.base.stale(wide([made, travel, 1])) {
            return;
        }
        self.base.sheet.reset(usize::try_from(window).unwrap_or(0), r.height);
        self.scaled.from = None;
        for (i, old) in belt.old.iter().enumerate() {
            self.scaled.sheet.load(&old.raster);
            for x in belt.old_passes(i, window, gap) {
                let at = (x - i64::from(old.raster.origin.0), i64::from(r.origin.1) - i64::from(old.raster.origin.1));
                over(&mut self.base.sheet, &self.scaled.sheet, at, 255, Blend::Normal);
            }
        }
        self.scaled.sheet.load(r);
        for x in belt.passes(window, i64::from(r.size.0), gap) {
            let at = (x - i64::from(r.origin.0), 0);
            over(&mut self.base.sheet, &self.scaled.sheet, at, 255, Blend::Normal);
        }
    }

    /// Begins to look at a group's layers.
    pub(crate) fn begin(&mut self) {
        self.fresh.clear();
    }
    /// The next layer of a group, from below.
    pub(crate) fn stamp(&mut self, s: Stamp) {
        self.fresh.push(s);
    }
    /// This face as a layer of a group.
    pub(crate) fn as_stamp(&self, opacity: u8) -> Stamp {
        let s = self.picture();
        Stamp { step: Some((self.last, self.step().made)), at: self.at, size: (s.width, s.height), opacity }
    }
    /// Composites a group's layers, if one of them differs. `window` is what may show of it, `own` its box; `lay` lays
    /// the layers on a sheet whose left top pixel it is told.
    pub(crate) fn composite(&mut self, window: Clip, own: Clip, lay: impl FnOnce(&mut Sheet, (i64, i64))) {
        self.last = Last::Base;
        if self.base.made > 0 && self.stamps == self.fresh {
            return;
        }
        std::mem::swap(&mut self.stamps, &mut self.fresh);
        self.base.made += 1;
        let far = Clip { x0: i64::MAX, y0: i64::MAX, x1: i64::MIN, y1: i64::MIN };
        let there = self.stamps.iter().filter(|s| s.step.is_some()).fold(far, |all, s| Clip {
            x0: all.x0.min(s.at.0),
            y0: all.y0.min(s.at.1),
            x1: all.x1.max(s.at.0 + s.size.0 as i64),
            y1: all.y1.max(s.at.1 + s.size.1 as i64),
        });
        let size = |c: Clip| (usize::try_from(c.x1 - c.x0).unwrap_or(0), usize::try_from(c.y1 - c.y0).unwrap_or(0));
        let fits = |c: &Clip| {
            let (w, h) = size(*c);
            w.saturating_mul(h) <= MAX_LAYER_PIXELS as usize
        };
        let all = if there.x0 < there.x1 { there.and(window) } else { Clip { x0: 0, y0: 0, x1: 0, y1: 0 } };
        let all = if fits(&all) { all } else { all.and(own) };
        let (w, h) = if fits(&all) { size(all) } else { (0, 0) };
        self.base.sheet.reset(w, h);
        self.origin = (i32::try_from(-all.x0).unwrap_or(0), i32::try_from(-all.y0).unwrap_or(0));
        lay(&mut self.base.sheet, (all.x0, all.y0));
    }

    /// Cuts what the crop and the masks cut; `extent` is the size of the box.
    pub(crate) fn cut(&mut self, masks: &[MaskProgram], extent: (i32, i32), crop: [f64; 4]) {
        let cropped = crop.iter().any(|c| *c > 0.0);
        if !cropped && masks.is_empty() {
            return;
        }
        let base = &self.base.sheet;
        if !masks.is_empty() {
            self.stencil.fit(masks, (base.width, base.height), self.origin, extent);
        }
        let [a, b, c, d] = crop.map(f64::to_bits);
        let (w, h) = (extent.0 as u64, extent.1 as u64);
        let (x, y) = (self.origin.0 as u64, self.origin.1 as u64);
        if self.cut.stale(wide([self.base.made, a, b, c, d, w, h, x, y, self.stencil.made])) {
            self.cut.sheet.copy(base);
            if cropped {
                cut::crop(&mut self.cut.sheet, self.origin, extent, crop);
            }
            if !masks.is_empty() {
                self.stencil.apply(&mut self.cut.sheet);
            }
        }
        self.last = Last::Cut;
    }

    /// Scales and turns the picture about its point `pivot`, which comes to stand at `to`. Nothing is made outside the
    /// `window`.
    pub(crate) fn place(&mut self, pivot: [f64; 2], to: [f64; 2], scale: [f64; 2], degrees: f64, window: Clip) {
        if scale.iter().any(|s| s.abs() < LEAST_SCALE) {
            self.nothing();
            return;
        }
        let before = self.last;
        let made = self.step().made;
        let whole = |v: f64| (v * PARTS).round() / PARTS;
        let sheet = self.picture();
        let (width, height) = (sheet.width, sheet.height);
        if degrees == 0.0 {
            let corner = [0, 1].map(|i| whole(to[i] - pivot[i] * scale[i]));
            let floor = corner.map(f64::floor);
            let base = (floor[0] as i64, floor[1] as i64);
            let part = [corner[0] - floor[0], corner[1] - floor[1]];
            if scale == [1.0; 2] && part == [0.0; 2] {
                self.at = base;
                return;
            }
            let axes = [0, 1].map(|i| Axis { scale: scale[i], origin: part[i] });
            let clip = moved(window, base).and(reach(axes, width, height));
            let key = key(before, made, [scale[0], scale[1], part[0], part[1], 0.0, 0.0, 0.0], clip);
            if self.scaled.stale(key) {
                let (from, to, scratch) = match before {
                    Last::Cut => (&self.cut.sheet, &mut self.scaled.sheet, &mut self.scratch),
                    _ => (&self.base.sheet, &mut self.scaled.sheet, &mut self.scratch),
                };
                resample(from, to, scratch, axes[0], axes[1], clip);
            }
            self.at = (base.0 + clip.x0, base.1 + clip.y0);
            self.last = Last::Scaled;
            return;
        }
        let size = [width as f64 * scale[0].abs(), height as f64 * scale[1].abs()];
        let mut pivot = pivot;
        if scale != [1.0; 2] {
            // at the left top, mirrored or not
            let axes = [0, 1].map(|i| Axis { scale: scale[i], origin: if scale[i] < 0.0 { size[i] } else { 0.0 } });
            pivot = [0, 1].map(|i| axes[i].origin + pivot[i] * scale[i]);
            let all = reach(axes, width, height);
            if self.scaled.stale(key(before, made, [scale[0], scale[1], 0.0, 0.0, 0.0, 0.0, 0.0], all)) {
                let from = if before == Last::Cut { &self.cut.sheet } else { &self.base.sheet };
                resample(from, &mut self.scaled.sheet, &mut self.scratch, axes[0], axes[1], all);
            }
            self.last = Last::Scaled;
        }
        let to = to.map(whole);
        let base = (to[0].floor() as i64, to[1].floor() as i64);
        let part = [to[0] - to[0].floor(), to[1] - to[1].floor()];
        let t = Turn { degrees, pivot, to: part, size };
        let clip = t.reach().and(moved(window, base));
        let (before, made) = (self.last, self.step().made);
        let from = key(before, made, [degrees, part[0], part[1], pivot[0], pivot[1], size[0], size[1]], clip);
        if self.turned.stale(from) {
            let source = match before {
                Last::Scaled => &self.scaled.sheet,
                Last::Cut => &self.cut.sheet,
                _ => &self.base.sheet,
            };
            turn(source, &mut self.turned.sheet, t, clip);
        }
        self.at = (base.0 + clip.x0, base.1 + clip.y0);
        self.last = Last::Turned;
    }

    fn nothing(&mut self) {
        if self.turned.stale([u64::MAX; 14]) {
            self.turned.sheet.reset(0, 0);
        }
        self.last = Last::Turned;
        self.at = (0, 0);
    }

    fn step(&self) -> &Step {
        match self.last {
            Last::Base => &self.base,
            Last::Cut => &self.cut,
            Last::Scaled => &self.scaled,
            Last::Turned => &self.turned,
        }
    }
    /// The picture as the last step left it.
    pub(crate) fn picture(&self) -> &Sheet {
        &self.step().sheet
    }
    /// The box's left top corner in the picture before scale and rotation.
    pub(crate) fn origin(&self) -> (i32, i32) {
        self.origin
    }
    /// The picture for blending at a place.
    pub(crate) fn planes(&mut self, at: (i64, i64)) -> (&Luma, &Chroma) {
        let sheet = match self.last {
            Last::Base => &self.base,
            Last::Cut => &self.cut,
            Last::Scaled => &self.scaled,
            Last::Turned => &self.turned,
        };
        let now = (self.last, sheet.made);
        if self.planed != Some(now) {
            self.planes.load(&sheet.sheet);
            self.planed = Some(now);
        }
        self.planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &sheet.sheet)
    }
}

/// What a step was made from, as plain numbers.
fn wide<const N: usize>(v: [u64; N]) -> [u64; 14] {
    std::array::from_fn(|i| v.get(i).copied().unwrap_or(0))
}

fn key(before: Last, made: u64, v: [f64; 7], c: Clip) -> [u64; 14] {
    let place = [before as u64, made, c.x0 as u64, c.y0 as u64, c.x1 as u64, c.y1 as u64];
    std::array::from_fn(|i| place.get(i).copied().unwrap_or_else(|| v.get(i - 6).map_or(0, |f| f.to_bits())))
}

/// A clip seen from a point.
fn moved(c: Clip, from: (i64, i64)) -> Clip {
    Clip { x0: c.x0 - from.0, y0: c.y0 - from.1, x1: c.x1 - from.0, y1: c.y1 - from.1 }
}

fn reach(axes: [Axis; 2], width: usize, height: usize) -> Clip {
    let ((x, w), (y, h)) = (axes[0].reach(width), axes[1].reach(height));
    Clip { x0: x, y0: y, x1: x + w as i64, y1: y + h as i64 }
}
