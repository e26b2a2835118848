//! Crops and masks: what of a layer's picture is seen.

use std::sync::Arc;

use super::Sheet;
use crate::model::{Anchor, MaskMode};
use crate::raster::picture::{self, Decoded};
use crate::raster::{Raster, ellipse};

/// A mask in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct MaskProgram {
    pub(crate) mode: MaskMode,
    pub(crate) invert: bool,
    pub(crate) form: Form,
    pub(crate) anchor: Anchor,
    pub(crate) offset: [f64; 2],
    pub(crate) size: [Option<f64>; 2],
    pub(crate) feather: f64,
}

/// The form of a mask.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Rect(f64),
    Ellipse,
    Picture { source: Arc<Decoded>, luma: bool },
}

/// How much of each pixel the masks of a layer leave, for one size of its picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stencil {
    size: (usize, usize),
    origin: (i32, i32),
    extent: (i32, i32),
    cover: Vec<u8>,
    /// Counts how often it was made.
    pub(crate) made: u64,
}

impl Stencil {
    /// Makes it for a picture of `size` whose box of `extent` stands at `origin`, if it is not that already.
    pub(crate) fn fit(&mut self, masks: &[MaskProgram], size: (usize, usize), origin: (i32, i32), extent: (i32, i32)) {
        if self.made > 0 && (self.size, self.origin, self.extent) == (size, origin, extent) {
            return;
        }
        (self.size, self.origin, self.extent) = (size, origin, extent);
        self.made += 1;
        let first = masks.first().is_none_or(|m| m.mode != MaskMode::Add);
        self.cover.clear();
        self.cover.resize(size.0 * size.1, if first { 255 } else { 0 });
        let mut raster = Raster::default();
        for m in masks {
            let [w, h] = [(m.size[0], extent.0), (m.size[1], extent.1)].map(|(s, e)| s.unwrap_or(f64::from(e)));
            let along = |part: u8, extent: i32, size: f64| (f64::from(extent) - size) * f64::from(part) / 2.0;
            let left = f64::from(origin.0) + along(m.anchor.h, extent.0, w) + m.offset[0];
            let top = f64::from(origin.1) + along(m.anchor.v, extent.1, h) + m.offset[1];
            if let Form::Picture { source, .. } = &m.form {
                let side = |v: f64| (v.round() as i64).clamp(1, 8192) as u32;
                picture::draw(&mut raster, source, side(w), side(h));
            }
            let (px, py) = (left.round() as i64, top.round() as i64);
            for (i, c) in self.cover.iter_mut().enumerate() {
                let (x, y) = (i % size.0, i / size.0);
                let part = match &m.form {
                    Form::Rect(radius) => {
                        let d = box_distance(
                            x as f64 + 0.5 - left - w / 2.0,
                            y as f64 + 0.5 - top - h / 2.0,
                            w,
                            h,
                            *radius,
                        );
                        soft(d, m.feather)
                    }
                    Form::Ellipse => soft(
                        ellipse::distance(x as f64 + 0.5 - left - w / 2.0, y as f64 + 0.5 - top - h / 2.0, w, h),
                        m.feather,
                    ),
                    Form::Picture { luma, .. } => pixel(&raster, x as i64 - px, y as i64 - py, *luma),
                };
                let part = if m.invert { 255 - part } else { part };
                let product = |a: u8, b: u8| ((u32::from(a) * u32::from(b) + 127) / 255) as u8;
                *c = match m.mode {
                    MaskMode::Add => 255 - product(255 - *c, 255 - part),
                    MaskMode::Subtract => product(*c, 255 - part),
                    MaskMode::Intersect => product(*c, part),
                };
            }
        }
    }

    /// Leaves of a sheet what the masks leave.
    pub(crate) fn apply(&self, sheet: &mut Sheet) {
        for (px, c) in sheet.rgba.chunks_exact_mut(4).zip(&self.cover) {
            weigh(px, u32::from(*c));
        }
    }
}

/// How far a point is from the edge of a rounded rectangle about 0; negative inside.
fn box_distance(x: f64, y: f64, w: f64, h: f64, radius: f64) -> f64 {
    let r = radius.min(w / 2.0).min(h / 2.0).max(0.0);
    let (qx, qy) = (x.abs() - w / 2.0 + r, y.abs() - h / 2.0 + r);
    let (ox, oy) = (qx.max(0.0), qy.max(0.0));
    (ox * ox + oy * oy).sqrt() + qx.max(qy).min(0.0) - r
}

/// Coverage at a distance from an edge that is `feather` wide; at least one pixel, for smoothness.
fn soft(distance: f64, feather: f64) -> u8 {
    ((0.5 - distance / feather.max(1.0)).clamp(0.0, 1.0) * 255.0).round() as u8
}

fn pixel(r: &Raster, x: i64, y: i64, luma: bool) -> u8 {
    if x < 0 || y < 0 || x >= r.width as i64 || y >= r.height as i64 {
        return 0;
    }
    let px = &r.rgba[(y as usize * r.width + x as usize) * 4..][..4];
    if !luma {
        return px[3];
    }
    // BT.709's weights in 1/65536; they sum up to one
    let [red, green, blue, a] = [px[0], px[1], px[2], px[3]].map(u32::from);
    let y = (13_933 * red + 46_871 * green + 4_732 * blue + 32_768) >> 16;
    ((y * a + 127) / 255) as u8
}

fn weigh(px: &mut [u8], cover: u32) {
    if cover < 255 {
        for v in px {
            *v = ((u32::from(*v) * cover + 127) / 255) as u8;
        }
    }
}

/// Cuts so much from each side of the box, in pixels and parts of them. A side of which nothing is cut keeps what
/// reaches over it.
pub(crate) fn crop(sheet: &mut Sheet, origin: (i32, i32), extent: (i32, i32), [left, top, right, bottom]: [f64; 4]) {
    let edges = |origin: i32, extent: i32, before: f64, after: f64| {
        let lo = if before > 0.0 { f64::from(origin) + before } else { f64::NEG_INFINITY };
        let hi = if after > 0.0 { f64::from(origin) + f64::from(extent) - after } else { f64::INFINITY };
        (lo, hi)
    };
    let (x, y) = (edges(origin.0, extent.0, left, right), edges(origin.1, extent.1, top, bottom));
    let cover = |i: usize, (lo, hi): (f64, f64)| {
        let i = i as f64;
        ((hi.min(i + 1.0) - lo.max(i)).clamp(0.0, 1.0) * 255.0).round() as u32
    };
    let width = sheet.width;
    for (row, line) in sheet.rgba.chunks_exact_mut((width * 4).max(1)).enumerate() {
        let down = cover(row, y);
        if down == 0 {
            line.fill(0);
            continue;
        }
        for (col, px) in line.chunks_exact_mut(4).enumerate() {
            weigh(px, (cover(col, x) * down + 127) / 255);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn white(w: usize, h: usize) -> Sheet {
        Sheet { width: w, height: h, rgba: vec![255; w * h * 4] }
    }
    fn alphas(s: &Sheet) -> Vec<u8> {
        s.rgba.chunks_exact(4).map(|p| p[3]).collect()
    }
    fn mask(mode: MaskMode, form: Form, x: f64, w: f64) -> MaskProgram {
        let anchor = Anchor::default();
        MaskProgram { mode, invert: false, form, anchor, offset: [x, 0.0], size: [Some(w), None], feather: 0.0 }
    }

    #[test]
    fn parts_of_pixels_are_cut() {
        let mut s = white(6, 1);
        crop(&mut s, (1, 0), (4, 1), [1.5, 0.0, 0.25, 0.0]);
        assert_eq!(alphas(&s), [0, 0, 128, 255, 191, 0]);
        let mut s = white(3, 1);
        crop(&mut s, (0, 0), (3, 1), [0.0, 0.0, 2.0, 0.0]);
        assert_eq!(alphas(&s), [255, 0, 0]);
        crop(&mut s, (0, 0), (3, 1), [2.0, 0.0, 2.0, 0.0]);
        assert_eq!(alphas(&s), [0; 3], "more than there is");
    }
    #[test]
    fn masks_are_combined_in_their_order() {
        let rect = || Form::Rect(0.0);
        let run = |masks: &[MaskProgram]| {
            let mut s = white(8, 1);
            let mut stencil = Stencil::default();
            stencil.fit(masks, (8, 1), (0, 0), (8, 1));
            stencil.apply(&mut s);
            alphas(&s)
                .iter()
                .map(|a| {
                    if *a == 255 {
                        '#'
                    } else if *a == 0 {
                        '.'
                    } else {
                        '+'
                    }
                })
                .collect::<String>()
        };
        // a row of height 1: half a pixel from both edges, whose soft edges meet in its middle
        let add = |x, w| mask(MaskMode::Add, rect(), x, w);
        assert_eq!(run(&[add(0.0, 4.0)]), "####....");
        assert_eq!(run(&[add(0.0, 2.0), add(5.0, 2.0)]), "##...##.");
        assert_eq!(run(&[mask(MaskMode::Subtract, rect(), 2.0, 3.0)]), "##...###");
        assert_eq!(run(&[add(0.0, 5.0), mask(MaskMode::Intersect, rect(), 3.0, 9.0)]), "...##...");
        assert_eq!(run(&[MaskProgram { invert: true, ..add(0.0, 4.0) }]), "....####");
        assert_eq!(run(&[mask(MaskMode::Add, Form::Ellipse, 1.5, 1.0)]), ".++.....");
        assert_eq!(run(&[]), "########");
    }
    #[test]
    fn a_feather_is_as_wide_as_it_says() {
        let m = MaskProgram { feather: 4.0, ..mask(MaskMode::Add, Form::Rect(0.0), -50.0, 54.0) };
        let m = MaskProgram { offset: [-50.0, -50.0], size: [Some(54.0), Some(100.0)], ..m };
        let mut stencil = Stencil::default();
        stencil.fit(&[m], (8, 1), (0, 0), (8, 1));
        assert_eq!(stencil.cover, [255, 255, 223, 159, 96, 32, 0, 0]);
    }
    #[test]
    fn a_picture_masks_by_its_alpha_or_its_light() {
        let source = Arc::new(Decoded::from_raw(2, 1, vec![255, 255, 255, 128, 0, 255, 0, 255]).unwrap());
        let run = |luma| {
            let m = mask(MaskMode::Add, Form::Picture { source: source.clone(), luma }, 1.0, 2.0);
            let mut stencil = Stencil::default();
            stencil.fit(&[m], (4, 1), (0, 0), (4, 1));
            stencil.cover
        };
        assert_eq!((run(false), run(true)), (vec![0, 128, 255, 0], vec![0, 128, 182, 0]));
    }
}
