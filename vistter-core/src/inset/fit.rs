//! A decoded picture at the size of its box, with its matte.

use super::{InsetFit, InsetPicture, InsetSpec, Matte};
use crate::error::Result;
use crate::media::{ColorRange, Frame, FramePool};
use crate::program::{Part, Scaler};

/// Pictures kept for reuse: those a player has ahead, and the one that is shown.
const KEEP: usize = 16;

/// Fits pictures; keeps its memory.
pub(super) struct Fitter {
    spec: InsetSpec,
    scaler: Scaler,
    pool: Option<FramePool>,
}

impl Fitter {
    pub(super) fn new(spec: InsetSpec) -> Self {
        Self { spec, scaler: Scaler::default(), pool: None }
    }

    pub(super) fn fit(&mut self, picture: &Frame) -> Result<InsetPicture> {
        let size = picture.size();
        let even = |n: u32| (n & !1).max(2);
        let (w, h) = self.spec.matte.visible(size);
        let (w, h) = (even(w).min(size.0), even(h).min(size.1));
        let box_size = (self.spec.width.max(2), self.spec.height.max(2));
        let (from, to) = place((w, h), box_size, self.spec.fit);
        if self.pool.as_ref().is_none_or(|p| p.size() != (to.2, to.3)) {
            self.pool = Some(FramePool::new(to.2, to.3, KEEP)?);
        }
        let pool = self.pool.as_ref().map_or_else(|| FramePool::new(to.2, to.3, KEEP), |p| Ok(p.clone()))?;
        let mut color = pool.take();
        self.scaler.part(picture, from, &mut color, Part::Picture)?;
        color.set_pts(picture.pts());
        let matte = match self.spec.matte {
            Matte::None => None,
            Matte::SideBySide => Some((from.0 + w, from.1, from.2, from.3)),
            Matte::TopBottom => Some((from.0, from.1 + h, from.2, from.3)),
        };
        let alpha = match matte {
            None => None,
            Some(from) => {
                let mut out = pool.take();
                self.scaler.part(picture, from, &mut out, Part::Luma)?;
                if picture.range() == ColorRange::Limited {
                    let [mut luma, ..] = out.planes_mut();
                    for y in 0..luma.height {
                        luma.row_mut(y).iter_mut().for_each(|v| *v = opened(*v));
                    }
                }
                Some(out.freeze())
            }
        };
        Ok(InsetPicture { color: color.freeze(), alpha, left: to.0, top: to.1 })
    }
}

/// Limited range luma as alpha: 16 is clear, 235 opaque.
fn opened(luma: u8) -> u8 {
    let v = u32::from(luma).saturating_sub(16);
    ((v * 255 + 109) / 219).min(255) as u8
}

type Rect = (u32, u32, u32, u32);

/// Which part of what is seen lands on which part of the box; even numbers, so that chroma follows luma.
fn place(seen: (u32, u32), into: (u32, u32), fit: InsetFit) -> (Rect, Rect) {
    use crate::config::Fit;
    let whole = ((0, 0, seen.0, seen.1), (0, 0, into.0, into.1));
    match fit {
        InsetFit::Stretch => whole,
        InsetFit::Fit => crate::program::fit_rect(seen, into, Fit::Letterbox),
        InsetFit::Fill => crate::program::fit_rect(seen, into, Fit::Crop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(w: u32, h: u32, range: ColorRange, luma: impl Fn(usize, usize) -> u8) -> Frame {
        let mut b = FramePool::new(w, h, 1).unwrap().take();
        b.fill([16, 90, 200]);
        b.set_range(range);
        let [mut p, ..] = b.planes_mut();
        for y in 0..p.height {
            p.row_mut(y).iter_mut().enumerate().for_each(|(x, v)| *v = luma(x, y));
        }
        b.freeze()
    }
    fn spec(width: u32, height: u32, fit: InsetFit, matte: Matte) -> InsetSpec {
        InsetSpec { width, height, fit, matte }
    }

    #[test]
    fn mattes_are_taken_apart() {
        for (size, matte) in [((16, 8), Matte::SideBySide), ((8, 16), Matte::TopBottom)] {
            let luma = |x: usize, y: usize| match (x < 8, y < 8) {
                (true, true) => 100,
                // a ramp from clear to opaque
                _ => [16, 16, 60, 126, 180, 235, 235, 255][if matte == Matte::SideBySide { x - 8 } else { y - 8 }],
            };
            let p = picture(size.0, size.1, ColorRange::Limited, luma);
            let got = Fitter::new(spec(8, 8, InsetFit::Stretch, matte)).fit(&p).unwrap();
            let alpha = got.alpha.unwrap();
            assert_eq!((got.color.size(), alpha.size(), got.color.plane(0).row(7)[7]), ((8, 8), (8, 8), 100));
            let read =
                |i: usize| if matte == Matte::SideBySide { alpha.plane(0).row(3)[i] } else { alpha.plane(0).row(i)[3] };
            assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(read), [0, 0, 51, 128, 191, 255, 255, 255]);
            assert_eq!((got.color.plane(1).row(0)[0], got.color.plane(2).row(0)[0]), (90, 200));
        }
    }
    #[test]
    fn boxes_of_another_shape() {
        let p = picture(64, 32, ColorRange::Limited, |x, _| if x < 32 { 60 } else { 200 });
        let at = |fit| Fitter::new(spec(32, 32, fit, Matte::None)).fit(&p).unwrap();
        let whole = at(InsetFit::Fit);
        assert_eq!((whole.color.size(), whole.left, whole.top), ((32, 16), 0, 8));
        let full = at(InsetFit::Fill);
        assert_eq!((full.color.size(), full.left, full.top), ((32, 32), 0, 0));
        let row = full.color.plane(0).row(9).to_vec();
        assert_eq!((row[0], row[31]), (60, 200), "the middle half");
        assert_eq!(at(InsetFit::Stretch).color.size(), (32, 32));
    }
    #[test]
    fn full_range_becomes_limited_but_not_its_matte() {
        let p = picture(16, 8, ColorRange::Full, |x, _| if x < 8 { 255 } else { 128 });
        let got = Fitter::new(spec(8, 8, InsetFit::Stretch, Matte::SideBySide)).fit(&p).unwrap();
        assert_eq!((got.color.plane(0).row(1)[1], got.alpha.unwrap().plane(0).row(1)[1]), (235, 128));
        assert_eq!(got.color.range(), ColorRange::Limited);
    }
    proptest! {
        #[test]
        fn any_size_fits_any_box(w in 1u32..80, h in 1u32..80, bw in 1u32..40, bh in 1u32..40, fit in 0usize..3, matte in 0usize..3) {
            let fit = [InsetFit::Stretch, InsetFit::Fit, InsetFit::Fill][fit];
            let matte = [Matte::None, Matte::SideBySide, Matte::TopBottom][matte];
            // a half of one pixel is none
            let (w, h) = (w.max(4), h.max(4));
            let got = Fitter::new(spec(bw * 2, bh * 2, fit, matte)).fit(&picture(w, h, ColorRange::Full, |_, _| 90)).unwrap();
            let (cw, ch) = got.color.size();
            prop_assert!(got.left + cw <= bw * 2 && got.top + ch <= bh * 2);
            prop_assert_eq!(got.alpha.is_some(), matte != Matte::None);
        }
    }
}
