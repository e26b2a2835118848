//! Blending cached planes into an I420 picture, in place.
//!
//! Premultiplied "over" in the signal domain (gamma-encoded Y′CbCr), as broadcast mixers do: for a sample with colour
//! `s` (already times its alpha `a`), layer opacity `o` and picture sample `d`, all 0…255,
//!
//! ```text
//! d' = ⌊(s·o + d·(255 − ⌊a·o/255⌉))/255⌉        ⌊x⌉ = rounded to nearest
//! ```
//!
//! Integers only, so every instruction set gives the same bits. `s ≤ a` (see `planes.rs`) keeps the sum below
//! 255·255 + 128, within 16 bits.

use vistter_core::media::PlaneMut;

use crate::planes::{Chroma, Luma, Run};

/// The part of the picture that may be touched, in luma pixels; right and bottom edges are not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clip {
    pub(crate) x0: i64,
    pub(crate) y0: i64,
    pub(crate) x1: i64,
    pub(crate) y1: i64,
}

impl Clip {
    /// The common part of two.
    pub(crate) fn and(self, o: Self) -> Self {
        Self { x0: self.x0.max(o.x0), y0: self.y0.max(o.y0), x1: self.x1.min(o.x1), y1: self.y1.min(o.y1) }
    }
}

/// Blends a layer whose top left pixel stands at `at`. `chroma` must be that of the position's parity.
pub(crate) fn layer(
    planes: &mut [PlaneMut<'_>; 3],
    luma: &Luma,
    chroma: &Chroma,
    at: (i64, i64),
    clip: Clip,
    opacity: u8,
) {
    if opacity == 0 {
        return;
    }
    let [y, u, v] = planes;
    let all = Clip { x0: 0, y0: 0, x1: y.width as i64, y1: y.height as i64 };
    let clip = clip.and(all);
    plane(y, (&luma.y, &luma.alpha), luma.width, luma.height, |r| luma.runs.row(r), at, clip, opacity);
    // A chroma sample belongs to the clip when any of its four luma samples does.
    let half = Clip { x0: clip.x0 >> 1, y0: clip.y0 >> 1, x1: (clip.x1 + 1) >> 1, y1: (clip.y1 + 1) >> 1 };
    let at = (at.0 >> 1, at.1 >> 1);
    for (p, s) in [(u, &chroma.u), (v, &chroma.v)] {
        plane(p, (s, &chroma.alpha), chroma.width, chroma.height, |r| chroma.runs.row(r), at, half, opacity);
    }
}

fn plane<'r>(
    dst: &mut PlaneMut<'_>,
    (src, alpha): (&[u8], &[u8]),
    width: usize,
    height: usize,
    runs: impl Fn(usize) -> &'r [Run],
    (left, top): (i64, i64),
    clip: Clip,
    opacity: u8,
) {
    let rows = (clip.y0 - top).clamp(0, height as i64) as usize..(clip.y1 - top).clamp(0, height as i64) as usize;
    let x0 = (clip.x0 - left).clamp(0, width as i64) as usize;
    let x1 = (clip.x1 - left).clamp(0, width as i64) as usize;
    if x0 >= x1 {
        return;
    }
    for row in rows {
        let out = dst.row_mut((top + row as i64) as usize);
        for run in runs(row) {
            let (a, b) = (run.start.max(x0), run.end.min(x1));
            if a >= b {
                continue;
            }
            let o = (left + a as i64) as usize;
            let (d, i) = (&mut out[o..o + b - a], row * width + a..row * width + b);
            match (run.opaque, opacity) {
                (true, 255) => d.copy_from_slice(&src[i]),
                (_, 255) => kernels::over(d, &src[i.clone()], &alpha[i]),
                _ => kernels::fade(d, &src[i.clone()], &alpha[i], opacity),
            }
        }
    }
}

/// ⌊x/255⌉ for x up to 255·256 − 129. Wrapping, like the kernels' products: nothing wraps (see above), and the checks
/// that a build with overflow checks would add cost it the vector loop, fifty times over.
#[inline(always)]
fn div255(x: u16) -> u16 {
    let x = x.wrapping_add(128);
    x.wrapping_add(x >> 8) >> 8
}

/// The loops that run over every sample. `multiversion` compiles each for several instruction sets and picks one at run
/// time; the code it makes calls a function for a set only after asking the processor for it, which is the only
/// `unsafe` there is.
#[allow(unsafe_code)]
mod kernels {
    use super::div255;
    use multiversion::multiversion;

    /// At full layer opacity: `s·255/255` is `s`, so one product is saved; the result is that of [`fade`] at 255.
    #[multiversion(targets = "simd")]
    pub(super) fn over(dst: &mut [u8], src: &[u8], alpha: &[u8]) {
        for ((d, s), a) in dst.iter_mut().zip(src).zip(alpha) {
            let rest = u16::from(*d).wrapping_mul(u16::from(255 - *a));
            *d = u16::from(*s).wrapping_add(div255(rest)) as u8;
        }
    }

    #[multiversion(targets = "simd")]
    pub(super) fn fade(dst: &mut [u8], src: &[u8], alpha: &[u8], opacity: u8) {
        let o = u16::from(opacity);
        for ((d, s), a) in dst.iter_mut().zip(src).zip(alpha) {
            let a = div255(u16::from(*a).wrapping_mul(o));
            let rest = u16::from(*d).wrapping_mul(255u16.wrapping_sub(a));
            *d = div255(u16::from(*s).wrapping_mul(o).wrapping_add(rest)) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::Planes;
    use crate::raster::Raster;
    use proptest::prelude::*;
    use vistter_core::media::{FrameBuf, FramePool};

    /// The formula of the module's page, in wide integers, one sample at a time.
    fn reference(d: u8, s: u8, a: u8, o: u8) -> u8 {
        let round = |x: u64| (2 * x + 255) / 510;
        let a = round(u64::from(a) * u64::from(o));
        round(u64::from(s) * u64::from(o) + u64::from(d) * (255 - a)) as u8
    }

    #[test]
    fn every_kernel_input_matches_the_reference() {
        // all alphas and pictures, with the colours at the edges and in the middle, at several opacities
        let picture: Vec<u8> = (0..=255).collect();
        for a in 0..=255u8 {
            for s in [0, a / 3, a.saturating_sub(1), a] {
                let (src, alpha) = ([s; 256], [a; 256]);
                let mut d = picture.clone();
                kernels::over(&mut d, &src, &alpha);
                let want: Vec<u8> = picture.iter().map(|d| reference(*d, s, a, 255)).collect();
                assert_eq!(d, want, "over a={a} s={s}");
                for o in [1, 2, 127, 128, 254, 255] {
                    let mut d = picture.clone();
                    kernels::fade(&mut d, &src, &alpha, o);
                    let want: Vec<u8> = picture.iter().map(|d| reference(*d, s, a, o)).collect();
                    assert_eq!(d, want, "fade a={a} s={s} o={o}");
                }
            }
        }
    }

    /// The whole blend again, sample by sample, without runs, clipping of loops or vectors.
    fn slow(buf: &mut FrameBuf, planes: &mut Planes, r: &Raster, at: (i64, i64), clip: Clip, o: u8) {
        let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, r);
        let [y, u, v] = buf.planes_mut();
        let (w, h) = (y.width as i64, y.height as i64);
        let clip = clip.and(Clip { x0: 0, y0: 0, x1: w, y1: h });
        let job = [
            (y, &luma.y, &luma.alpha, luma.width, 0),
            (u, &chroma.u, &chroma.alpha, chroma.width, 1),
            (v, &chroma.v, &chroma.alpha, chroma.width, 1),
        ];
        for (mut p, s, a, width, shift) in job {
            for py in 0..p.height as i64 {
                for px in 0..p.width as i64 {
                    let (lx, ly) = (px - (at.0 >> shift), py - (at.1 >> shift));
                    let inside = |v: i64, lo: i64, hi: i64| v >= lo >> shift && v < (hi + shift) >> shift;
                    if !inside(px, clip.x0, clip.x1) || !inside(py, clip.y0, clip.y1) || lx < 0 || ly < 0 {
                        continue;
                    }
                    let i = ly as usize * width + lx as usize;
                    if lx as usize >= width || i >= s.len() {
                        continue;
                    }
                    let d = &mut p.row_mut(py as usize)[px as usize];
                    *d = reference(*d, s[i], a[i], o);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_layer_anywhere_is_the_same_as_the_slow_way(
            (w, h) in (1usize..90, 1usize..9), seed in any::<u64>(), at in (-100i64..100, -12i64..12), o in any::<u8>(),
            size in (1u32..80, 1u32..12), cut in (0i64..40, 0i64..5, 40i64..90, 3i64..14),
        ) {
            let mut r = Raster::default();
            r.reset(w, h);
            // long runs of each kind and noise, from a small generator
            let mut x = seed | 1;
            let mut left = 0;
            let mut alpha = 0u8;
            for px in r.rgba.chunks_exact_mut(4) {
                x ^= x << 13; x ^= x >> 7; x ^= x << 17;
                if left == 0 { left = x % 40; alpha = match x >> 8 & 3 { 0 => 0, 1 => 255, _ => (x >> 16) as u8 }; } else { left -= 1; }
                let [a, b, c, ..] = x.to_le_bytes();
                px.copy_from_slice(&[a, b, c, alpha]);
            }
            let mut planes = Planes::default();
            planes.load(&r);
            let pool = FramePool::new(size.0, size.1, 2).unwrap();
            let (mut fast, mut want) = (pool.take(), pool.take());
            for buf in [&mut fast, &mut want] {
                for (k, p) in buf.planes_mut().into_iter().enumerate() {
                    for (i, d) in p.data.iter_mut().enumerate() { *d = (i * 37 + k * 11 + seed as usize % 251) as u8; }
                }
            }
            let clip = Clip { x0: cut.0, y0: cut.1, x1: cut.2, y1: cut.3 };
            let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &r);
            layer(&mut fast.planes_mut(), luma, chroma, at, clip, o);
            slow(&mut want, &mut planes, &r, at, clip, o);
            for i in 0..3 { prop_assert_eq!(fast.plane(i).data, want.plane(i).data); }
        }
    }
}
