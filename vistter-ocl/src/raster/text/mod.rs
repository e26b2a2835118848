//! Shaping and drawing of text. The only folder that knows cosmic-text and swash. Fonts are the bundled ones and a
//! document's own, never the system's, so the same document gives the same pixels on every machine.
//!
//! | file | duty |
//! |---|---|
//! | `mod.rs` | from a text and its style to a raster |
//! | `lines.rs` | breaking into lines, shrinking, cutting with an ellipsis |
//! | `fonts.rs` | which fonts there are, and which one draws a character |
//! | `glyph.rs` | one glyph: coverage or colours |
//! | `decor.rs` | outline, shadow, plate |

mod decor;
mod fonts;
mod glyph;
mod lines;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cosmic_text::{Buffer, FontSystem};

pub(crate) use decor::{Decor, Plate};
pub(crate) use fonts::{FontFile, FontSet, covers, family};

use self::decor::Margins;
use self::fonts::Face;
use self::glyph::{Drawn, Glyphs, lay_colour, stamp};
use self::lines::{baseline, extent};
use super::Raster;
use super::ink::Ink;
use crate::limits::{MAX_LAYER_PIXELS, MAX_LINES};
use crate::model::{Align, Breaks};
use crate::said::Said;

/// Height of a line as a multiple of the size: Noto Sans' ascent and descent together.
pub(crate) const LINE_HEIGHT: f64 = 1.362;

/// How to draw, in canvas pixels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TextSpec {
    pub(crate) size: f64,
    /// How each part of the text looks; one at least.
    pub(crate) runs: Vec<RunSpec>,
    pub(crate) tracking: f64,
    /// All digits as wide as each other, where the font has such ones.
    pub(crate) tabular: bool,
    pub(crate) align: Align,
    /// Width of the box; as wide as the longest line if absent.
    pub(crate) width: Option<usize>,
    /// Lines longer than this are wrapped, or end in "…".
    pub(crate) max_width: Option<f64>,
    /// Where lines are broken.
    pub(crate) wrap: Breaks,
    /// Lines beyond this are not drawn; the last one ends in "…".
    pub(crate) max_lines: usize,
    /// The size may shrink to this so that the text fits.
    pub(crate) min_size: Option<f64>,
    /// What goes round it and under it.
    pub(crate) decor: Decor,
    /// The most pixels a line may be wide; more is cut.
    pub(crate) limit: usize,
}

/// How a part of a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RunSpec {
    pub(crate) rgba: [u8; 4],
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    /// Its size as a multiple of the text's.
    pub(crate) scale: f64,
    /// A family out of [`family`]; the bundled one if absent.
    pub(crate) font: Option<&'static str>,
}

/// Fonts and scratch memory.
pub(crate) struct TextEngine {
    fonts: FontSystem,
    faces: Vec<Face>,
    glyphs: Glyphs,
    ink: Ink,
    scratch: Raster,
}

impl std::fmt::Debug for TextEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextEngine")
    }
}

impl TextEngine {
    /// With the bundled fonts and these.
    pub(crate) fn new(set: &FontSet) -> Self {
        let (fonts, faces) = fonts::load(set);
        Self { fonts, faces, glyphs: Glyphs::new(), ink: Ink::default(), scratch: Raster::default() }
    }

    /// Draws a text in at most `room` pixels; line breaks are kept. The box is the advance width by the line heights,
    /// and a plate's padding. A damaged font may make what shapes and places its glyphs panic: that costs the text, not the
    /// overlay.
    pub(crate) fn draw(&mut self, out: &mut Raster, said: &Said, spec: &TextSpec, room: usize) {
        if catch_unwind(AssertUnwindSafe(|| self.try_draw(out, said, spec, room))).is_err() {
            self.glyphs = Glyphs::new();
            out.reset(0, 0);
            (out.origin, out.size) = ((0, 0), (0, 0));
        }
    }

    fn try_draw(&mut self, out: &mut Raster, said: &Said, spec: &TextSpec, room: usize) {
        let size = self.fitting(said, spec);
        let buffer = self.cut(said, spec, size);
        let runs = || buffer.layout_runs().take(spec.max_lines.min(MAX_LINES));
        let lines = runs().last().map_or(0.0, |r| r.line_top + r.line_height);
        let lines = if lines > 0.0 { f64::from(lines) } else { (size * LINE_HEIGHT).ceil().max(1.0) };
        let extents = || runs().map(|r| extent(&r, spec)).map(|(left, right)| right - left);
        let widest = extents().fold(0.0f32, f32::max).ceil() as usize;
        let bleed = self.bleed(&buffer, spec, size);
        let m = spec.decor.margins(bleed);
        let room = room.min(MAX_LAYER_PIXELS as usize);
        let height = (lines as usize).min(room);
        let all = (height + m.top + m.bottom).min(room);
        let limit = spec.limit.min(room / all.max(1)).saturating_sub(m.left + m.right);
        let width = spec.width.unwrap_or(widest).min(limit);
        out.reset(width + m.left + m.right, all);
        let (px, py) = spec.decor.plate.map_or((0, 0), |p| p.padding);
        out.origin = ((m.left - px) as i32, (m.top - py) as i32);
        out.size = ((width + 2 * px) as i32, (height + 2 * py) as i32);
        let beyond = out.width + bleed.0;
        if spec.decor == Decor::default() {
            self.each(&buffer, spec, width, m, beyond, |_, glyph, at, rgba| put(out, &glyph, at, rgba));
            return;
        }
        self.ink.reset(out.width, out.height);
        let mut coloured = false;
        self.each(&buffer, spec, width, m, beyond, |ink, glyph, at, _| match glyph {
            Drawn::Mask { width, cover, .. } => ink.add(at, width, cover),
            Drawn::Colour { raster, .. } => {
                coloured = true;
                let cover: Vec<u8> = raster.rgba.chunks_exact(4).map(|px| px[3]).collect();
                ink.add(at, raster.width, &cover);
            }
        });
        spec.decor.lay(out, &mut self.ink, &mut self.scratch);
        let first = spec.runs.first().map_or([0; 4], |r| r.rgba);
        if !coloured && spec.runs.iter().all(|r| r.rgba == first) {
            self.ink.lay(out, (0, 0), first);
        } else {
            self.each(&buffer, spec, width, m, beyond, |_, glyph, at, rgba| put(out, &glyph, at, rgba));
        }
    }

    /// How far ink may reach over the box: a tenth of the size at the sides holds every upright glyph of Noto Sans;
    /// other scripts stack marks, and other fonts do as they like.
    fn bleed(&self, buffer: &Buffer, spec: &TextSpec, size: f64) -> (usize, usize) {
        let ours = |id| self.faces.iter().take(2).any(|f| f.id == id);
        let largest = spec.runs.iter().map(|r| r.scale).fold(1.0, f64::max) * size;
        let foreign = buffer.layout_runs().any(|r| r.glyphs.iter().any(|g| !ours(g.font_id)));
        if foreign || spec.runs.iter().any(|r| r.italic) {
            let far = (largest / 2.0).ceil() as usize + 1;
            return (far, far);
        }
        ((largest / 10.0).ceil() as usize + 1, 0)
    }

    /// Draws every glyph that can be seen, with the place of its left top pixel and its run's colour.
    fn each(
        &mut self,
        buffer: &Buffer,
        spec: &TextSpec,
        width: usize,
        m: Margins,
        beyond: usize,
        mut f: impl FnMut(&mut Ink, Drawn<'_>, (i64, i64), [u8; 4]),
    ) {
        for run in buffer.layout_runs().take(spec.max_lines.min(MAX_LINES)) {
            let (left, right) = extent(&run, spec);
            let free = (width as f32 - (right - left)).max(0.0);
            let start = match (spec.align, run.rtl) {
                (Align::Left, _) | (Align::Start, false) | (Align::End, true) => 0.0,
                (Align::Center, _) => (free / 2.0).floor(),
                (Align::Right, _) | (Align::Start, true) | (Align::End, false) => free.floor(),
            } - left;
            let baseline = baseline(&run, spec).round() as i32 + m.top as i32;
            for glyph in run.glyphs {
                let p = glyph.physical((start + m.left as f32, 0.0), 1.0);
                let at = (p.x, p.y + baseline);
                // What begins beyond the edge is cut anyway: a text of thousands of large letters must not cost them all.
                if usize::try_from(at.0).is_ok_and(|x| x > beyond) {
                    continue;
                }
                let mut faces = self.faces.iter().enumerate();
                let Some((number, face)) = faces.find(|(_, f)| f.id == p.cache_key.font_id) else { continue };
                let rgba = spec.runs.get(glyph.metadata).map_or([0; 4], |r| r.rgba);
                let Some(drawn) = self.glyphs.draw(face, number, &p.cache_key) else { continue };
                let (left, top) = match drawn {
                    Drawn::Mask { left, top, .. } | Drawn::Colour { left, top, .. } => (left, top),
                };
                f(&mut self.ink, drawn, (i64::from(at.0) + i64::from(left), i64::from(at.1) + i64::from(top)), rgba);
            }
        }
    }
}

fn put(out: &mut Raster, glyph: &Drawn<'_>, at: (i64, i64), rgba: [u8; 4]) {
    match glyph {
        Drawn::Mask { width, cover, .. } => stamp(out, at, *width, cover, rgba),
        Drawn::Colour { raster, .. } => lay_colour(out, raster, at, rgba[3]),
    }
}
