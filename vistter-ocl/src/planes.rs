//! A drawn layer as the blender wants it: premultiplied BT.709 limited-range Y, U, V and alpha, with the patches
//! that are worth touching.
//!
//! Chroma of 4:2:0 covers two by two luma samples of the *picture*, so a layer has one set of chroma planes for each
//! parity of its position. They are made when first needed and kept: a layer that moves by whole pixels meets at most
//! four of them. Alpha is averaged with the colour, so an edge pixel is weighed by how much of it is there.

mod given;
mod laid;
mod patches;

use vistter_core::inset::InsetPicture;

use crate::raster::Raster;
use crate::sheet::Sheet;

pub(crate) use laid::Laid;
pub(crate) use patches::{Kind, Patch, Patches};

/// Luma of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Luma {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) y: Vec<u8>,
    pub(crate) alpha: Vec<u8>,
    pub(crate) patches: Patches,
}

/// Chroma of a layer for one parity of its position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chroma {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) u: Vec<u8>,
    pub(crate) v: Vec<u8>,
    pub(crate) alpha: Vec<u8>,
    pub(crate) patches: Patches,
    /// Two rows of the picture, from even place to even place.
    pair: [Vec<u8>; 2],
    fresh: bool,
}

/// A layer's planes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planes {
    pub(crate) luma: Luma,
    chroma: [Chroma; 4],
    /// They were given as planes: there is no picture they could be made from.
    given: bool,
}

// BT.709 (ITU-R BT.709-6 §3, items 3.2 to 3.4) to 8-bit limited range, in 1/65536.
pub(crate) const Y: [u32; 3] = [11_966, 40_254, 4_064];
pub(crate) const U: [i64; 3] = [-6_596, -22_188, 28_784];
pub(crate) const V: [i64; 3] = [28_784, -26_145, -2_639];

/// One opaque colour.
pub(crate) fn color(rgba: [u8; 4]) -> [u8; 3] {
    let mut planes = Planes::default();
    let block = Raster { width: 2, height: 2, rgba: [rgba[0], rgba[1], rgba[2], 255].repeat(4), ..Raster::default() };
    planes.load(&block);
    let (l, c) = planes.chroma(false, false, &block);
    [l.y.first().copied().unwrap_or(16), c.u.first().copied().unwrap_or(128), c.v.first().copied().unwrap_or(128)]
}

/// A picture whose planes are made.
pub(crate) trait Pixels {
    /// Pixels.
    fn size(&self) -> (usize, usize);
    /// Four bytes a pixel, row by row.
    fn bytes(&self) -> &[u8];
    /// Luma and alpha of pixels.
    fn luma(pixels: &[u8], y: &mut [u8], alpha: &mut [u8]);
    /// Chroma of two rows that begin at an even place of the picture: each sample from two by two pixels.
    fn chroma(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]);
}

impl Pixels for Raster {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn bytes(&self) -> &[u8] {
        &self.rgba
    }
    fn luma(pixels: &[u8], y: &mut [u8], alpha: &mut [u8]) {
        kernels::straight_luma(pixels, y, alpha);
    }
    fn chroma(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]) {
        kernels::straight_chroma(above, below, u, v, alpha);
    }
}

impl Pixels for Sheet {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn bytes(&self) -> &[u8] {
        &self.rgba
    }
    fn luma(pixels: &[u8], y: &mut [u8], alpha: &mut [u8]) {
        kernels::sheet_luma(pixels, y, alpha);
    }
    fn chroma(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]) {
        kernels::sheet_chroma(above, below, u, v, alpha);
    }
}

/// The loops that run over every pixel; see `blend.rs` for what `multiversion` does and why it may.
#[allow(unsafe_code)]
mod kernels {
    use super::{U, V, Y};
    use multiversion::multiversion;

    #[multiversion(targets = "simd")]
    pub(super) fn straight_luma(pixels: &[u8], y: &mut [u8], alpha: &mut [u8]) {
        for ((px, y), alpha) in pixels.chunks_exact(4).zip(y).zip(alpha) {
            let a = u32::from(px[3]);
            let part = |k: u32, v: u8| k.wrapping_mul(u32::from(v));
            let y16 = (16u32 << 16)
                .wrapping_add(part(Y[0], px[0]))
                .wrapping_add(part(Y[1], px[1]))
                .wrapping_add(part(Y[2], px[2]));
            // at most 235·65536·255 + half < 2³²
            *y = (y16.wrapping_mul(a).wrapping_add(255 << 15) / (255 << 16)) as u8;
            *alpha = px[3];
        }
    }

    /// Texts are clear for the most part, and a sample costs three divisions: what is clear is passed over, so many samples at
    /// a time.
    const PART: usize = 16;

    #[multiversion(targets = "simd")]
    pub(super) fn straight_chroma(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]) {
        #[inline(always)]
        fn is_clear(pixels: &[u8]) -> bool {
            pixels.as_chunks::<4>().0.iter().fold(0, |any, px| any | px[3]) == 0
        }
        let rows = above.chunks(PART * 8).zip(below.chunks(PART * 8));
        let out = u.chunks_mut(PART).zip(v.chunks_mut(PART)).zip(alpha.chunks_mut(PART));
        for ((top, low), ((u, v), alpha)) in rows.zip(out) {
            if is_clear(top) && is_clear(low) {
                [u, v, alpha].into_iter().for_each(|p| p.fill(0));
            } else {
                straight_part(top, low, u, v, alpha);
            }
        }
    }

    #[inline(always)]
    fn straight_part(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]) {
        let rows = above.chunks_exact(8).zip(below.chunks_exact(8));
        for ((((top, low), u), v), alpha) in rows.zip(u).zip(v).zip(alpha) {
            let mut sum = [0i64; 4];
            for px in [&top[..4], &top[4..], &low[..4], &low[4..]] {
                let a = i64::from(px[3]);
                for (s, c) in sum.iter_mut().zip(&px[..3]) {
                    *s += i64::from(*c) * a;
                }
                sum[3] += a;
            }
            let part = |k: [i64; 3]| {
                let v = (sum[3] * (128 << 16)) + k[0] * sum[0] + k[1] * sum[1] + k[2] * sum[2];
                ((v + (510 << 16)) / (1020 << 16)).clamp(0, 255) as u8
            };
            (*u, *v, *alpha) = (part(U), part(V), ((sum[3] + 2) / 4) as u8);
        }
    }

    /// 16·2¹⁶/255 and 128·2¹⁷/255, to nearest: what black and grey are of one step of alpha.
    const BLACK: i32 = 4112;
    const GREY: i32 = 65_793;

    #[multiversion(targets = "simd")]
    pub(super) fn sheet_luma(pixels: &[u8], y: &mut [u8], alpha: &mut [u8]) {
        for ((px, y), alpha) in pixels.chunks_exact(4).zip(y).zip(alpha) {
            let part = |k: i32, v: u8| k.wrapping_mul(i32::from(v));
            let sum = part(BLACK, px[3])
                .wrapping_add(part(Y[0] as i32, px[0]))
                .wrapping_add(part(Y[1] as i32, px[1]))
                .wrapping_add(part(Y[2] as i32, px[2]));
            *y = (sum.wrapping_add(1 << 15) >> 16) as u8;
            *alpha = px[3];
        }
    }

    #[multiversion(targets = "simd")]
    pub(super) fn sheet_chroma(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8], alpha: &mut [u8]) {
        let rows = above.chunks_exact(8).zip(below.chunks_exact(8));
        for ((((top, low), u), v), alpha) in rows.zip(u).zip(v).zip(alpha) {
            let sum = |i: usize| i32::from(top[i]) + i32::from(top[i + 4]) + i32::from(low[i]) + i32::from(low[i + 4]);
            let (r, g, b, a) = (sum(0), sum(1), sum(2), sum(3));
            // at most 1020·(65793/2 + 28784), well within 32 bits
            let part = |k: [i64; 3]| {
                let v = (a.wrapping_mul(GREY) >> 1)
                    .wrapping_add(r.wrapping_mul(k[0] as i32))
                    .wrapping_add(g.wrapping_mul(k[1] as i32))
                    .wrapping_add(b.wrapping_mul(k[2] as i32));
                (v.wrapping_add(2 << 16) >> 18).clamp(0, 255) as u8
            };
            let a = ((a + 2) >> 2) as u8;
            (*u, *v, *alpha) = (part(U).min(a), part(V).min(a), a);
        }
    }
}

impl Planes {
    /// Takes a new picture over; chroma is made when it is asked for.
    pub(crate) fn load<P: Pixels>(&mut self, r: &P) {
        self.given = false;
        let l = &mut self.luma;
        (l.width, l.height) = r.size();
        let bytes = r.bytes();
        l.y.resize(bytes.len() / 4, 0);
        l.alpha.resize(bytes.len() / 4, 0);
        P::luma(bytes, &mut l.y, &mut l.alpha);
        l.patches.build(&l.alpha, [&l.y, &l.y], l.width);
        for c in &mut self.chroma {
            c.fresh = false;
        }
    }

    /// Takes planes over that are there already, or nothing, in a box of even sides. `cover` is how much of each pixel of the
    /// box is there; all of it when empty.
    pub(crate) fn load_given(&mut self, size: (usize, usize), picture: Option<&InsetPicture>, cover: &[u8]) {
        self.given = true;
        let [even, others @ ..] = &mut self.chroma;
        others.iter_mut().for_each(|c| c.fresh = false);
        self.luma.take(size, picture, cover);
        even.take(&self.luma, picture);
    }

    /// The chroma planes for a layer whose left and top edges have these parities.
    pub(crate) fn chroma<P: Pixels>(&mut self, odd_x: bool, odd_y: bool, picture: &P) -> (&Luma, &Chroma) {
        let [even, others @ ..] = &mut self.chroma;
        let c = match usize::from(odd_x) + 2 * usize::from(odd_y) {
            0 => even,
            n => {
                let c = &mut others[n - 1];
                if self.given && !c.fresh {
                    c.shift(even, usize::from(odd_x), usize::from(odd_y));
                }
                c
            }
        };
        if !c.fresh {
            c.build(usize::from(odd_x), usize::from(odd_y), picture);
        }
        (&self.luma, c)
    }
}

impl Chroma {
    fn build<P: Pixels>(&mut self, ox: usize, oy: usize, r: &P) {
        let ((width, height), bytes) = (r.size(), r.bytes());
        self.width = (width + ox).div_ceil(2);
        self.height = (height + oy).div_ceil(2);
        for p in [&mut self.u, &mut self.v, &mut self.alpha] {
            p.clear();
            p.resize(self.width * self.height, 0);
        }
        let wide = self.width * 8;
        if wide > 0 {
            let planes = self.u.chunks_exact_mut(self.width).zip(self.v.chunks_exact_mut(self.width));
            for (cy, ((u, v), a)) in planes.zip(self.alpha.chunks_exact_mut(self.width)).enumerate() {
                // Two rows that begin and end at even places; what lies outside the layer is transparent.
                for (i, line) in self.pair.iter_mut().enumerate() {
                    line.clear();
                    line.resize(wide, 0);
                    let y = (2 * cy + i).checked_sub(oy).filter(|y| *y < height);
                    if let Some(row) = y.and_then(|y| bytes.get(y * width * 4..(y + 1) * width * 4)) {
                        line[ox * 4..ox * 4 + row.len()].copy_from_slice(row);
                    }
                }
                let [above, below] = &self.pair;
                P::chroma(above, below, u, v, a);
            }
        }
        self.patches.build(&self.alpha, [&self.u, &self.v], self.width);
        self.fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raster(width: usize, height: usize, f: impl Fn(usize, usize) -> [u8; 4]) -> Raster {
        let mut r = Raster::default();
        r.reset(width, height);
        for (i, px) in r.rgba.chunks_exact_mut(4).enumerate() {
            px.copy_from_slice(&f(i % width, i / width));
        }
        r
    }

    #[test]
    fn the_colours_of_bt709() {
        // Reference values of 8-bit limited-range BT.709 colour bars (100 %).
        let bars = [
            ([255, 255, 255], [235, 128, 128]),
            ([255, 255, 0], [219, 16, 138]),
            ([0, 255, 255], [188, 154, 16]),
            ([0, 255, 0], [173, 42, 26]),
            ([255, 0, 255], [78, 214, 230]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 0, 255], [32, 240, 118]),
            ([0, 0, 0], [16, 128, 128]),
        ];
        for ([r, g, b], want) in bars {
            let p = raster(2, 2, |_, _| [r, g, b, 255]);
            let mut planes = Planes::default();
            planes.load(&p);
            let (l, c) = planes.chroma(false, false, &p);
            assert_eq!([l.y[0], c.u[0], c.v[0]], want, "{r} {g} {b}");
        }
    }
    #[test]
    fn an_edge_weighs_chroma_by_alpha() {
        // one red pixel of four: chroma is a quarter red, and pure red when weighed by its alpha
        let p = raster(2, 2, |x, y| if (x, y) == (0, 0) { [255, 0, 0, 255] } else { [0, 255, 0, 0] });
        let mut planes = Planes::default();
        planes.load(&p);
        let (_, c) = planes.chroma(false, false, &p);
        assert_eq!((c.alpha[0], c.u[0], c.v[0]), (64, 26, 60));
        // at an odd position the same pixel lies in a sample of its own
        let (_, c) = planes.chroma(true, true, &p);
        assert_eq!((c.width, c.height), (2, 2));
        assert_eq!(c.alpha, [64, 0, 0, 0]);
    }
    proptest! {
        /// A sheet gives the planes that its straight picture gives, but for what premultiplying has rounded.
        #[test]
        fn sheets_give_what_pictures_give(px in proptest::collection::vec(any::<[u8; 4]>(), 15), odd in any::<(bool, bool)>()) {
            let straight = raster(5, 3, |x, y| px[y * 5 + x]);
            let mut sheet = Sheet::default();
            sheet.load(&straight);
            let (mut a, mut b) = (Planes::default(), Planes::default());
            a.load(&straight);
            b.load(&sheet);
            let ((la, ca), (lb, cb)) = (a.chroma(odd.0, odd.1, &straight), b.chroma(odd.0, odd.1, &sheet));
            prop_assert_eq!((&la.alpha, &ca.alpha), (&lb.alpha, &cb.alpha));
            let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1);
            prop_assert!(near(&la.y, &lb.y) && near(&ca.u, &cb.u) && near(&ca.v, &cb.v));
            prop_assert!(lb.y.iter().zip(&lb.alpha).all(|(v, a)| v <= a));
            prop_assert!(cb.u.iter().chain(&cb.v).zip(cb.alpha.iter().chain(&cb.alpha)).all(|(v, a)| v <= a));
        }
        /// Each kernel against its formula in wide integers, pixel by pixel.
        #[test]
        fn every_kernel_matches_its_reference(px in proptest::collection::vec(any::<[u8; 4]>(), 2..40)) {
            let bytes: Vec<u8> = px.concat();
            let (mut y, mut a) = (vec![0; px.len()], vec![0; px.len()]);
            kernels::straight_luma(&bytes, &mut y, &mut a);
            for (p, y) in px.iter().zip(&y) {
                let [r, g, b, a] = p.map(u64::from);
                let y16 = (16 << 16) + u64::from(Y[0]) * r + u64::from(Y[1]) * g + u64::from(Y[2]) * b;
                prop_assert_eq!(u64::from(*y), (y16 * a + (255 << 15)) / (255 << 16));
            }
            // of a sheet no colour is above its alpha
            let pre: Vec<[u8; 4]> = px.iter().map(|p| [p[0].min(p[3]), p[1].min(p[3]), p[2].min(p[3]), p[3]]).collect();
            kernels::sheet_luma(&pre.concat(), &mut y, &mut a);
            for (p, y) in pre.iter().zip(&y) {
                let [r, g, b, a] = p.map(i64::from);
                let sum = 4112 * a + i64::from(Y[0]) * r + i64::from(Y[1]) * g + i64::from(Y[2]) * b;
                prop_assert_eq!(i64::from(*y), (sum + (1 << 15)) >> 16);
            }
            let even = px.len() / 2 * 2;
            let (above, below) = (pre[..even].concat(), px[..even].iter().rev().map(|p| [p[0].min(p[3]), p[1].min(p[3]), p[2].min(p[3]), p[3]]).collect::<Vec<_>>().concat());
            let n = even / 2;
            for sheet in [false, true] {
                let (mut u, mut v, mut a) = (vec![0; n], vec![0; n], vec![0; n]);
                if sheet { kernels::sheet_chroma(&above, &below, &mut u, &mut v, &mut a) } else { kernels::straight_chroma(&above, &below, &mut u, &mut v, &mut a) }
                for i in 0..n {
                    let four = [&above[i * 8..i * 8 + 4], &above[i * 8 + 4..i * 8 + 8], &below[i * 8..i * 8 + 4], &below[i * 8 + 4..i * 8 + 8]];
                    let weigh = |p: &[u8]| if sheet { 1 } else { i64::from(p[3]) };
                    let sum = |c: usize| four.iter().map(|p| i64::from(p[c]) * weigh(p)).sum::<i64>();
                    let alpha: i64 = four.iter().map(|p| i64::from(p[3])).sum();
                    let want = |k: [i64; 3]| {
                        let kept = k[0] * sum(0) + k[1] * sum(1) + k[2] * sum(2);
                        if sheet { (((alpha * 65_793) >> 1) + kept + (2 << 16)) >> 18 } else { (alpha * (128 << 16) + kept + (510 << 16)) / (1020 << 16) }
                    };
                    let most = if sheet { (alpha + 2) / 4 } else { 255 };
                    prop_assert_eq!((i64::from(u[i]), i64::from(v[i]), i64::from(a[i])), (want(U).clamp(0, most), want(V).clamp(0, most), (alpha + 2) / 4));
                }
            }
        }
        #[test]
        fn colour_never_exceeds_alpha(px in any::<[u8; 16]>(), odd in any::<(bool, bool)>()) {
            let p = raster(2, 2, |x, y| { let i = (y * 2 + x) * 4; [px[i], px[i + 1], px[i + 2], px[i + 3]] });
            let mut planes = Planes::default();
            planes.load(&p);
            let (l, c) = planes.chroma(odd.0, odd.1, &p);
            prop_assert!(l.y.iter().zip(&l.alpha).all(|(v, a)| v <= a));
            prop_assert!(c.u.iter().chain(&c.v).zip(c.alpha.iter().chain(&c.alpha)).all(|(v, a)| v <= a));
        }
    }
}
