//! Drawing one glyph: coverage of an outline, or a colour picture (COLR version 0, CBDT).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cosmic_text::{CacheKey, CacheKeyFlags};
use image::RgbaImage;
use swash::scale::{Render, ScaleContext, Source, StrikeWith, image::Content, image::Image};
use swash::zeno::{Format, Transform, Vector};

use super::super::{Raster, ink, picture};
use super::fonts::Face;

/// How far a slanted glyph leans: the tangent of 14 degrees, written out so that no library's `tan` takes part.
const SLANT: f32 = 0.249_328;
/// Widening of strokes for a bold that the family does not have, as a part of the size.
const BOLDER: f32 = 1.0 / 32.0;
/// Colour glyphs kept as drawn.
const MAX_KEPT: usize = 128;

/// Draws glyphs; keeps what a colour glyph costs.
pub(super) struct Glyphs {
    scaler: ScaleContext,
    image: Image,
    colours: BTreeMap<(u32, u32, u16), Option<Picture>>,
}

/// A colour glyph, straight alpha.
struct Picture {
    left: i32,
    top: i32,
    raster: Raster,
}

/// What a glyph looks like, and where its left top pixel stands from the pen.
pub(super) enum Drawn<'g> {
    Mask { left: i32, top: i32, width: usize, cover: &'g [u8] },
    Colour { left: i32, top: i32, raster: &'g Raster },
}

/// Where a glyph was drawn to.
enum Made {
    Mask,
    Colour,
}

impl Glyphs {
    pub(super) fn new() -> Self {
        Self { scaler: ScaleContext::new(), image: Image::new(), colours: BTreeMap::new() }
    }

    /// Draws a glyph; none when there is nothing to see. A damaged font may make its reader panic (skrifa does, at some
    /// outlines without points): that costs the glyph, not the overlay.
    pub(super) fn draw(&mut self, face: &Face, number: usize, key: &CacheKey) -> Option<Drawn<'_>> {
        let kept = (number as u32, key.font_size_bits, key.glyph_id);
        let Ok(made) = catch_unwind(AssertUnwindSafe(|| self.make(face, kept, key))) else {
            (self.scaler, self.image) = (ScaleContext::new(), Image::new());
            return None;
        };
        match made? {
            Made::Colour => {
                self.colours.get(&kept)?.as_ref().map(|p| Drawn::Colour { left: p.left, top: p.top, raster: &p.raster })
            }
            Made::Mask => {
                let p = self.image.placement;
                Some(Drawn::Mask { left: p.left, top: -p.top, width: p.width as usize, cover: &self.image.data })
            }
        }
    }

    /// Draws a glyph into `image`, or keeps it among the `colours`.
    fn make(&mut self, face: &Face, kept: (u32, u32, u16), key: &CacheKey) -> Option<Made> {
        let font = face.font();
        let coloured = font.color_palettes().next().is_some() || font.color_strikes().next().is_some();
        if coloured {
            if self.colours.len() >= MAX_KEPT && !self.colours.contains_key(&kept) {
                self.colours.clear();
            }
            if !self.colours.contains_key(&kept) {
                let drawn = self.colour(face, f32::from_bits(key.font_size_bits), key.glyph_id);
                self.colours.insert(kept, drawn);
            }
            if self.colours.get(&kept).is_some_and(Option::is_some) {
                return Some(Made::Colour);
            }
        }
        let size = f32::from_bits(key.font_size_bits);
        let builder = self.scaler.builder(font).size(size).hint(false);
        let weight = f32::from(key.font_weight.0);
        let mut scaler = if face.variable { builder.variations([("wght", weight)]).build() } else { builder.build() };
        let mut render = Render::new(&[Source::Outline]);
        render.format(Format::Alpha).offset(Vector::new(key.x_bin.as_float(), key.y_bin.as_float()));
        if face.embolden {
            render.embolden(size * BOLDER);
        }
        if key.flags.contains(CacheKeyFlags::FAKE_ITALIC) {
            render.transform(Some(Transform::new(1.0, 0.0, SLANT, 1.0, 0.0, 0.0)));
        }
        self.image.clear();
        let drawn = render.render_into(&mut scaler, key.glyph_id, &mut self.image);
        (drawn && self.image.content == Content::Mask).then_some(Made::Mask)
    }

    /// A colour glyph: layers of outlines, or a bitmap that is scaled as pictures are.
    fn colour(&mut self, face: &Face, size: f32, glyph: u16) -> Option<Picture> {
        let font = face.font();
        self.image.clear();
        let mut scaler = self.scaler.builder(font).size(size).hint(false).build();
        if Render::new(&[Source::ColorOutline(0)]).render_into(&mut scaler, glyph, &mut self.image) {
            let p = self.image.placement;
            let mut raster = Raster::default();
            raster.reset(p.width as usize, p.height as usize);
            for (out, px) in raster.rgba.chunks_exact_mut(4).zip(self.image.data.chunks_exact(4)) {
                // swash lays the layers over black: colours are premultiplied
                let a = u32::from(px[3]);
                let part = |v: u8| (u32::from(v) * 255).checked_div(a).unwrap_or(0).min(255) as u8;
                out.copy_from_slice(&[part(px[0]), part(px[1]), part(px[2]), px[3]]);
            }
            return Some(Picture { left: p.left, top: -p.top, raster });
        }
        let ppem = font.color_strikes().find_by_largest_ppem(glyph)?.ppem();
        // Size nothing means as it is: swash's own scaling mixes colours with what is clear beside them.
        let mut scaler = self.scaler.builder(font).size(0.0).build();
        self.image.clear();
        if ppem == 0 || !scaler.scale_color_bitmap_into(glyph, StrikeWith::LargestSize, &mut self.image) {
            return None;
        }
        let p = self.image.placement;
        let source = RgbaImage::from_raw(p.width, p.height, std::mem::take(&mut self.image.data))?;
        let scale = f64::from(size) / f64::from(ppem);
        let px = |v: f64| (v * scale).round();
        let (width, height) = (px(f64::from(p.width)).max(1.0), px(f64::from(p.height)).max(1.0));
        let mut raster = Raster::default();
        picture::draw(&mut raster, &source, width as u32, height as u32);
        Some(Picture { left: px(f64::from(p.left)) as i32, top: -(px(f64::from(p.top)) as i32), raster })
    }
}

/// Puts a colour glyph over what is there, at the alpha of the text's colour; `at` is its left top pixel.
pub(super) fn lay_colour(out: &mut Raster, glyph: &Raster, (left, top): (i64, i64), alpha: u8) {
    for (row, line) in glyph.rgba.chunks_exact((glyph.width * 4).max(4)).enumerate() {
        let Ok(y) = usize::try_from(top + row as i64) else { continue };
        if y >= out.height {
            break;
        }
        for (col, px) in line.chunks_exact(4).enumerate() {
            let Ok(x) = usize::try_from(left + col as i64) else { continue };
            if x >= out.width {
                break;
            }
            let a = ((u32::from(px[3]) * u32::from(alpha) + 127) / 255) as u8;
            ink::over(&mut out.rgba[(y * out.width + x) * 4..][..4], [px[0], px[1], px[2], a]);
        }
    }
}

/// Puts one glyph's coverage into the raster in one colour, over what is there; `at` is its left top pixel.
pub(super) fn stamp(out: &mut Raster, (left, top): (i64, i64), width: usize, cover: &[u8], rgba: [u8; 4]) {
    for (row, line) in cover.chunks_exact(width.max(1)).enumerate() {
        let Ok(y) = usize::try_from(top + row as i64) else { continue };
        if y >= out.height {
            break;
        }
        for (col, c) in line.iter().enumerate().filter(|(_, c)| **c > 0) {
            let Ok(x) = usize::try_from(left + col as i64) else { continue };
            if x >= out.width {
                break;
            }
            let px = &mut out.rgba[(y * out.width + x) * 4..][..4];
            let add = (u32::from(*c) * u32::from(rgba[3]) + 127) / 255;
            if px[3] != 0 && px[..3] != rgba[..3] {
                ink::over(px, [rgba[0], rgba[1], rgba[2], add as u8]);
                continue;
            }
            // Overlapping glyphs of one colour: coverages add up and end at the colour's own alpha.
            let alpha = (u32::from(px[3]) + add).min(u32::from(rgba[3]).max(u32::from(px[3])));
            px[..3].copy_from_slice(&rgba[..3]);
            px[3] = alpha as u8;
        }
    }
}
