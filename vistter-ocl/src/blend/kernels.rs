//! The loops that run over every sample. `multiversion` compiles each for several instruction sets and picks one at run
//! time; the code it makes calls a function for a set only after asking the processor for it, which is the only `unsafe`
//! there is.
#![allow(unsafe_code)]

use multiversion::{inherit_target, multiversion};

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Kind, Part, Top, div255};
use crate::pairs::{four, one, over, three};

/// All of a layer's plane at once: to ask which set it is for each patch would cost more than many a patch. What runs over
/// the samples stays a function of its own, whose arguments are known not to overlap: inlined, it is no vector loop.
#[multiversion(targets = "simd")]
pub(super) fn plane(dst: &mut [u8], stride: usize, top: Top<'_>, part: Part, opacity: u8) {
    #[inherit_target]
    #[inline(never)]
    fn cover(dst: Rows<'_>, src: &[u8], alpha: &[u8], stride: usize) {
        multiversion::target::match_target! {
            "x86_64+avx512f+avx512bw" => x86::cover_avx512(dst, src, alpha, stride),
            "x86_64+avx2" => x86::cover_avx2(dst, src, alpha, stride),
            _ => for (y, d) in dst.each().enumerate() {
                let (s, a) = (&src[y * stride..][..d.len()], &alpha[y * stride..][..d.len()]);
                over(d, s, a, div255);
            },
        }
    }
    #[inherit_target]
    #[inline(never)]
    fn copy(dst: Rows<'_>, src: &[u8], stride: usize) {
        for (y, d) in dst.each().enumerate() {
            d.copy_from_slice(&src[y * stride..][..d.len()]);
        }
    }
    #[inherit_target]
    #[inline(never)]
    fn fade(dst: Rows<'_>, src: &[u8], alpha: &[u8], stride: usize, opacity: u8) {
        for (y, d) in dst.each().enumerate() {
            let (s, a) = (&src[y * stride..][..d.len()], &alpha[y * stride..][..d.len()]);
            fade_run(d, s, a, opacity);
        }
    }
    #[inherit_target]
    #[inline(never)]
    fn fade_flat(dst: Rows<'_>, src: u8, alpha: u8, opacity: u8) {
        dst.each().for_each(|d| flat_run(d, src, alpha, opacity));
    }
    #[inherit_target]
    #[inline(never)]
    fn flat(dst: Rows<'_>, src: u8, alpha: u8) {
        if alpha == 255 {
            return dst.each().for_each(|d| d.fill(src));
        }
        multiversion::target::match_target! {
            "x86_64+avx512f+avx512bw" => x86::flat_avx512(dst, x86::Flat::new(src, alpha)),
            "x86_64+avx2" => x86::flat_avx2(dst, x86::Flat::new(src, alpha)),
            _ => dst.each().for_each(|d| flat_run(d, src, alpha, 255)),
        }
    }
    for patch in top.patches.list() {
        let Some((p, (x, y))) = part.of(patch) else { continue };
        let (width, height) = (p.right - p.left, p.bottom - p.top);
        let d = Rows { data: &mut dst[y * stride + x..], stride, width, height };
        let first = p.top * top.width + p.left;
        let (s, a) = (&top.values[first..], &top.alpha[first..]);
        match p.kind {
            Kind::Flat if opacity == 255 => flat(d, s[0], a[0]),
            Kind::Flat => fade_flat(d, s[0], a[0], opacity),
            Kind::Opaque if opacity == 255 => copy(d, s, top.width),
            _ if opacity == 255 => cover(d, s, a, top.width),
            _ => fade(d, s, a, top.width, opacity),
        }
    }
}

/// Rows of a plane from a sample on, `width` samples of each.
pub(super) struct Rows<'a> {
    pub(super) data: &'a mut [u8],
    pub(super) stride: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    pub(super) fn each(self) -> impl Iterator<Item = &'a mut [u8]> {
        self.data.chunks_mut(self.stride).take(self.height).map(move |row| &mut row[..self.width])
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
