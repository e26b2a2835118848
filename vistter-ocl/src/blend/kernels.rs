//! The loops that run over every sample. `multiversion` compiles each for several instruction sets and picks one at run
//! time; the code it makes calls a function for a set only after asking the processor for it, which is the only `unsafe`
//! there is.
#![allow(unsafe_code)]

use multiversion::{inherit_target, multiversion};

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Kind, Part, Patch, Top, div255};
use crate::pairs::{four, one, over, three};

/// All of a layer's plane at once, and of each kind all patches: to ask which set it is for each patch, or to call a loop for
/// it, would cost more than many a patch. The loops stay functions of their own, of whose arguments `dst` is known to overlap
/// with nothing: inlined, they are no vector loops.
#[multiversion(targets = "simd")]
pub(super) fn plane(dst: &mut [u8], stride: usize, top: Top<'_>, part: Part, opacity: u8) {
    #[inherit_target]
    #[inline(never)]
    fn cover(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
        multiversion::target::match_target! {
            "x86_64+avx512f+avx512bw" => x86::cover_avx512(dst, stride, top, spots),
            "x86_64+avx2" => x86::cover_avx2(dst, stride, top, spots),
            _ => spots.for_each(|spot| spot.each(dst, stride, top, |d, s, a| over(d, s, a, div255))),
        }
    }
    #[inherit_target]
    #[inline(never)]
    fn copy(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
        spots.for_each(|spot| spot.each(dst, stride, top, |d, s, _| d.copy_from_slice(s)));
    }
    #[inherit_target]
    #[inline(never)]
    fn fade(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>, opacity: u8) {
        spots.for_each(|spot| spot.each(dst, stride, top, |d, s, a| fade_run(d, s, a, opacity)));
    }
    #[inherit_target]
    #[inline(never)]
    fn fade_flat(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>, opacity: u8) {
        spots.for_each(|spot| spot.each(dst, stride, top, |d, s, a| flat_run(d, s[0], a[0], opacity)));
    }
    #[inherit_target]
    #[inline(never)]
    fn flat(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
        multiversion::target::match_target! {
            "x86_64+avx512f+avx512bw" => x86::flat_avx512(dst, stride, top, spots),
            "x86_64+avx2" => x86::flat_avx2(dst, stride, top, spots),
            _ => spots.for_each(|spot| spot.each(dst, stride, top, |d, s, a| flat_run(d, s[0], a[0], 255))),
        }
    }
    for patches in top.patches.list().chunk_by(|a, b| a.kind == b.kind) {
        let spots = Spots { patches: patches.iter(), part: &part, stride, width: top.width };
        match (patches[0].kind, opacity) {
            (Kind::Flat, 255) => flat(dst, stride, &top, spots),
            (Kind::Flat, _) => fade_flat(dst, stride, &top, spots, opacity),
            (Kind::Opaque, 255) => copy(dst, stride, &top, spots),
            (_, 255) => cover(dst, stride, &top, spots),
            _ => fade(dst, stride, &top, spots, opacity),
        }
    }
}

/// What shows of patches.
pub(super) struct Spots<'a> {
    pub(super) patches: std::slice::Iter<'a, Patch>,
    pub(super) part: &'a Part,
    /// Of the picture.
    pub(super) stride: usize,
    /// Of the layer's plane.
    pub(super) width: usize,
}

/// What shows of a patch: its size, and where its first sample stands in the picture and in the layer's plane.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) to: usize,
    pub(super) from: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Iterator for Spots<'_> {
    type Item = Spot;

    #[inline(always)]
    fn next(&mut self) -> Option<Spot> {
        let (p, (x, y)) = self.patches.by_ref().find_map(|p| self.part.of(p))?;
        let (width, height) = (p.right - p.left, p.bottom - p.top);
        Some(Spot { to: y * self.stride + x, from: p.top * self.width + p.left, width, height })
    }
}

impl Spot {
    /// Row by row: the picture's samples, the layer's values and alpha.
    #[inline(always)]
    pub(super) fn each(self, dst: &mut [u8], stride: usize, top: &Top<'_>, mut f: impl FnMut(&mut [u8], &[u8], &[u8])) {
        for y in 0..self.height {
            let (to, from) = (self.to + y * stride, self.from + y * top.width);
            let at = from..from + self.width;
            f(&mut dst[to..to + self.width], &top.values[at.clone()], &top.alpha[at]);
        }
    }
}

#[inline(always)]
fn fade_run(dst: &mut [u8], src: &[u8], alpha: &[u8], opacity: u8) {
    let o = u16::from(opacity);
    three(dst, src, alpha, |d, s, a| {
        let rest = d.wrapping_mul(255u16.wrapping_sub(div255(a.wrapping_mul(o))));
        div255(s.wrapping_mul(o).wrapping_add(rest))
    });
}

/// [`fade_run`] of one colour: what does not depend on the picture is computed once.
#[inline(always)]
fn flat_run(dst: &mut [u8], src: u8, alpha: u8, opacity: u8) {
    let (color, rest) = (u16::from(src) * u16::from(opacity), 255 - div255(u16::from(alpha) * u16::from(opacity)));
    match rest {
        0 => dst.fill(src),
        _ => one(dst, |d| div255(d.wrapping_mul(rest).wrapping_add(color))),
    }
}

/// [`flat_run`], of a run of its own.
#[multiversion(targets = "simd")]
pub(super) fn flat(dst: &mut [u8], src: u8, alpha: u8, opacity: u8) {
    flat_run(dst, src, alpha, opacity);
}

/// [`fade_run`], with an opacity for each sample.
#[multiversion(targets = "simd")]
pub(super) fn veil(dst: &mut [u8], src: &[u8], alpha: &[u8], opacity: &[u8]) {
    four(dst, src, alpha, opacity, |d, s, a, o| {
        let rest = d.wrapping_mul(255u16.wrapping_sub(div255(a.wrapping_mul(o))));
        div255(s.wrapping_mul(o).wrapping_add(rest))
    });
}

/// What an edge that has come to `edge`, and is `soft` wide, leaves of an opacity. `f32` holds these whole numbers
/// exactly, and one product and one sum of it are the same everywhere.
#[multiversion(targets = "simd")]
pub(super) fn lift(out: &mut [u8], places: &[u16], edge: i32, soft: i32, opacity: u8) {
    let gain = f32::from(opacity) / soft as f32;
    for (o, p) in out.iter_mut().zip(places) {
        let over = edge.wrapping_sub(i32::from(*p)).clamp(0, soft);
        *o = (over as f32 * gain + 0.5) as u8;
    }
}
