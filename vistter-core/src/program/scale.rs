//! Fits a camera's picture to the program's size: letterbox or crop, and full range to limited.

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::config::Fit;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{ColorRange, Frame, FrameBuf};

/// A rectangle in pixels: left, top, width, height.
pub(crate) type Rect = (u32, u32, u32, u32);

/// Which part of a `src` picture lands on which part of a `dst` one. All numbers are even, so that chroma follows luma.
///
/// Letterbox uses all of the source and centres it; crop fills the destination and cuts the source's longer side.
/// Pixels are square.
pub(crate) fn fit_rect(src: (u32, u32), dst: (u32, u32), fit: Fit) -> (Rect, Rect) {
    let even = |n: u64| u32::try_from(n & !1).unwrap_or(u32::MAX - 1).max(2);
    let ((sw, sh), (dw, dh)) = (src, dst);
    let (s, d) = ((u64::from(sw), u64::from(sh)), (u64::from(dw), u64::from(dh)));
    // Compares the shapes sw/sh and dw/dh without division.
    let wider = s.0 * d.1 > d.0 * s.1;
    match fit {
        Fit::Letterbox => {
            let (w, h) = if wider { (d.0, s.1 * d.0 / s.0.max(1)) } else { (s.0 * d.1 / s.1.max(1), d.1) };
            let (w, h) = (even(w).min(dw), even(h).min(dh));
            let (x, y) = (((dw - w) / 2) & !1, ((dh - h) / 2) & !1);
            ((0, 0, sw, sh), (x, y, w, h))
        }
        Fit::Crop => {
            let (w, h) = if wider { (d.0 * s.1 / d.1.max(1), s.1) } else { (s.0, d.1 * s.0 / d.0.max(1)) };
            let (w, h) = (even(w).min(sw), even(h).min(sh));
            let (x, y) = (((sw - w) / 2) & !1, ((sh - h) / 2) & !1);
            ((x, y, w, h), (0, 0, dw, dh))
        }
    }
}

/// What is drawn of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All planes.
    Picture,
    /// Plane 0 alone.
    Luma,
}

impl Part {
    fn planes(self) -> usize {
        match self {
            Self::Picture => 3,
            Self::Luma => 1,
        }
    }
}

/// Scales pictures; keeps its work buffers.
#[derive(Default)]
pub struct Scaler {
    resizer: Resizer,
}

impl std::fmt::Debug for Scaler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scaler")
    }
}

impl Scaler {
    /// Draws `src` into all of `dst`: scaled, with black bars where it does not reach, in limited range. The time of
    /// `src` goes along.
    ///
    /// # Errors
    /// `Internal` when the scaler refuses the sizes.
    pub fn draw(&mut self, src: &Frame, dst: &mut FrameBuf, fit: Fit) -> Result<()> {
        if src.size() == dst.size() {
            dst.copy_from(src);
        } else {
            self.resize(src, dst, fit)?;
            dst.set_pts(src.pts());
        }
        if src.range() == ColorRange::Full {
            let (_, to) = fit_rect(src.size(), dst.size(), fit);
            limit_range(dst, to);
        }
        dst.set_range(ColorRange::Limited);
        Ok(())
    }

    /// Draws a part of `src` into all of `dst`, in limited range. Only luma: in the range that it has.
    pub(crate) fn part(&mut self, src: &Frame, from: Rect, dst: &mut FrameBuf, part: Part) -> Result<()> {
        let (w, h) = dst.size();
        let to = (0, 0, w, h);
        if (from.2, from.3) == (w, h) {
            copy(src, from, dst, part);
        } else {
            self.planes(src, from, dst, to, part)?;
        }
        if src.range() == ColorRange::Full && part == Part::Picture {
            limit_range(dst, to);
        }
        dst.set_range(ColorRange::Limited);
        Ok(())
    }

    fn resize(&mut self, src: &Frame, dst: &mut FrameBuf, fit: Fit) -> Result<()> {
        let (from, to) = fit_rect(src.size(), dst.size(), fit);
        if (to.2, to.3) != dst.size() {
            bars(dst, to);
        }
        self.planes(src, from, dst, to, Part::Picture)
    }

    fn planes(&mut self, src: &Frame, from: Rect, dst: &mut FrameBuf, to: Rect, part: Part) -> Result<()> {
        let bad = |e: &dyn std::fmt::Display| Error::new(ErrorKind::Internal, format!("scaling a picture: {e}"));
        for (i, out) in dst.planes_mut().into_iter().enumerate().take(part.planes()) {
            let plane = src.plane(i);
            let half = |v: u32| if i == 0 { v } else { v / 2 };
            let from_w = if i == 0 { from.2 } else { from.2.div_ceil(2) };
            let from_h = if i == 0 { from.3 } else { from.3.div_ceil(2) };
            // Rows are `stride` wide; the crop boxes keep to the visible part.
            // The typed call: the untyped one compiles every pixel type's resizer into this crate.
            let view = TypedImageRef::<U8>::from_buffer(plane.stride as u32, plane.height as u32, plane.data)
                .map_err(|e| bad(&e))?;
            let (stride, height) = (out.stride as u32, out.height as u32);
            let mut whole = TypedImage::<U8>::from_buffer(stride, height, out.data).map_err(|e| bad(&e))?;
            let mut target = TypedCroppedImageMut::from_ref(&mut whole, half(to.0), half(to.1), half(to.2), half(to.3))
                .map_err(|e| bad(&e))?;
            let options = ResizeOptions::new()
                .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
                .crop(f64::from(half(from.0)), f64::from(half(from.1)), f64::from(from_w), f64::from(from_h))
                .use_alpha(false);
            self.resizer.resize_typed::<U8>(&view, &mut target, &options).map_err(|e| bad(&e))?;
        }
        Ok(())
    }
}

/// Copies a part that is as large as the target.
fn copy(src: &Frame, from: Rect, dst: &mut FrameBuf, part: Part) {
    for (i, mut out) in dst.planes_mut().into_iter().enumerate().take(part.planes()) {
        let plane = src.plane(i);
        let half = |v: u32| if i == 0 { v as usize } else { v as usize / 2 };
        let (left, top) = (half(from.0), half(from.1));
        for y in 0..out.height.min(plane.height.saturating_sub(top)) {
            let row = plane.row(top + y).get(left..).unwrap_or(&[]);
            let out = out.row_mut(y);
            let n = out.len().min(row.len());
            out[..n].copy_from_slice(&row[..n]);
        }
    }
}

/// Blacks out what is outside `inner`.
fn bars(dst: &mut FrameBuf, inner: Rect) {
    for (i, mut p) in dst.planes_mut().into_iter().enumerate() {
        let black = if i == 0 { 16 } else { 128 };
        let half = |v: u32| if i == 0 { v as usize } else { v as usize / 2 };
        let (x, y, w, h) = (half(inner.0), half(inner.1), half(inner.2), half(inner.3));
        for row in 0..p.height {
            let r = p.row_mut(row);
            if row < y || row >= y + h {
                r.fill(black);
            } else {
                r[..x].fill(black);
                r[x + w..].fill(black);
            }
        }
    }
}

/// Full range to limited (ITU-T H.273 §8.3): luma 0–255 to 16–235, chroma to 16–240. Bars are limited already.
fn limit_range(dst: &mut FrameBuf, inner: Rect) {
    for (i, mut p) in dst.planes_mut().into_iter().enumerate() {
        let half = |v: u32| if i == 0 { v as usize } else { v as usize / 2 };
        let (x, y, w, h) = (half(inner.0), half(inner.1), half(inner.2), half(inner.3));
        // 16.16 fixed point; auto-vectorises.
        let (gain, base) = if i == 0 { (219 * 65536 / 255, 16) } else { (224 * 65536 / 255, 16) };
        for row in y..(y + h).min(p.height) {
            for v in &mut p.row_mut(row)[x..x + w] {
                *v = (((u32::from(*v) * gain) + 32768) >> 16) as u8 + base;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;
    use proptest::prelude::*;

    fn grey(w: u32, h: u32, y: u8, range: ColorRange) -> Frame {
        let mut b = FramePool::new(w, h, 1).unwrap().take();
        b.fill([y, 128, 128]);
        b.set_range(range);
        b.freeze()
    }

    #[test]
    fn letterbox_centres_with_bars() {
        assert_eq!(fit_rect((640, 480), (1920, 1080), Fit::Letterbox).1, (240, 0, 1440, 1080));
        assert_eq!(fit_rect((1280, 720), (1920, 1080), Fit::Letterbox).1, (0, 0, 1920, 1080));
        assert_eq!(fit_rect((640, 480), (1920, 1080), Fit::Crop).0, (0, 60, 640, 360));
        let mut dst = FramePool::new(64, 36, 1).unwrap().take();
        Scaler::default().draw(&grey(32, 24, 200, ColorRange::Limited), &mut dst, Fit::Letterbox).unwrap();
        let f = dst.freeze();
        let row = f.plane(0).row(18);
        assert_eq!((row[0], row[7], row[8], row[32], row[55], row[63]), (16, 16, 200, 200, 200, 16));
    }
    #[test]
    fn full_range_becomes_limited() {
        for (full, limited) in [(0, 16), (255, 235), (128, 126)] {
            let mut dst = FramePool::new(16, 16, 1).unwrap().take();
            Scaler::default().draw(&grey(16, 16, full, ColorRange::Full), &mut dst, Fit::Letterbox).unwrap();
            let f = dst.freeze();
            assert_eq!((f.plane(0).row(3)[3], f.plane(1).row(3)[3]), (limited, 128));
            assert_eq!(f.range(), ColorRange::Limited);
        }
    }
    proptest! {
        #[test]
        fn any_size_fits_any_size(sw in 1u32..90, sh in 1u32..90, dw in 1u32..45, dh in 1u32..45, crop: bool) {
            let fit = if crop { Fit::Crop } else { Fit::Letterbox };
            let mut dst = FramePool::new(dw * 2, dh * 2, 1).unwrap().take();
            Scaler::default().draw(&grey(sw, sh, 90, ColorRange::Full), &mut dst, fit).unwrap();
        }
    }
}
