//! The two loops that overlays spend their time in, for x86-64 with AVX2 or AVX-512: one colour, and any samples, at full
//! opacity over rows of the picture. Others, and other processors, have the loops of [`super::kernels`] alone.
//!
//! **One colour**: `d' = s + ⌊d·r/255⌉`, `r = 255 − a`, where only `d` is not known beforehand. With eight bits after the point,
//! `d·r/255` is `⌊d·m/256⌋` with `m = 257·r` (65536/255 is 257 and a bit; from r = 128 on that bit has become one more). Half
//! and `s` are added, and the eight bits cut off: two products less than by the formula, and the same bits for every `r`,
//! `s ≤ a` and `d`, which a test goes through.
//!
//! The product is the upper half of 16 by 16 bits, for which vector units have one instruction. The compiler uses it by itself
//! only for factors that it knows; and it takes the one named here apart again (into wider numbers, four times as slow) when
//! it sees that the factor stays the same, so it is kept from seeing that.
//!
//! **Any samples**: two at a time in 16 bits, as in [`crate::pairs`]; by hand for the ends of rows, which are many in a text.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::*;

use super::kernels::{Spot, Spots};
use super::{Top, div255};

/// One colour, ready to be laid.
#[derive(Clone, Copy, Debug)]
struct Flat {
    gain: u16,
    add: u16,
}

impl Flat {
    /// `alpha` is at least 1, `src` at most `alpha`.
    #[inline(always)]
    fn new(src: u8, alpha: u8) -> Self {
        let rest = u16::from(255 - alpha);
        // 65279 and 65408 at most, and what they make together is no more than the latter
        Self { gain: (rest * 257).wrapping_add(u16::from(rest >= 128)), add: (u16::from(src) << 8) + 128 }
    }

    /// The colour of a spot. One that is opaque needs none of this: it is filled.
    #[inline(always)]
    fn under(spot: Spot, dst: &mut [u8], stride: usize, top: &Top<'_>) -> Option<Self> {
        let (src, alpha) = (top.values[spot.from], top.alpha[spot.from]);
        if alpha == 255 {
            spot.each(dst, stride, top, |d, _, _| d.fill(src));
            return None;
        }
        Some(Self::new(src, alpha))
    }

    #[inline(always)]
    fn of(self, d: u8) -> u8 {
        let part = (u32::from(d) * u32::from(self.gain)) >> 8;
        ((part as u16).wrapping_add(self.add) >> 8) as u8
    }
}

/// Lays one colour on each spot, that of its first sample.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn flat_avx512(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    for spot in spots {
        let Some(flat) = Flat::under(spot, dst, stride, top) else { continue };
        let odd = _mm512_set1_epi16(ODD);
        let (factor, add) = (_mm512_set1_epi16(flat.gain as i16), _mm512_set1_epi16(flat.add as i16));
        let wide = |d, _, _| {
            let gain = anew_512(factor);
            let even = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_slli_epi16::<8>(d), gain), add);
            let other = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_and_si512(d, odd), gain), add);
            _mm512_ternarylogic_epi32::<ODD_OF_FIRST>(other, _mm512_srli_epi16::<8>(even), odd)
        };
        let half = flat.half();
        rows_avx512(spot, dst, stride, top, wide, &half);
    }
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn flat_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    for spot in spots {
        let Some(flat) = Flat::under(spot, dst, stride, top) else { continue };
        let half = flat.half();
        rows_avx2(spot, dst, stride, top, &half, |d, _, _| flat.of(d));
    }
}

impl Flat {
    /// Of 32 samples.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn half(self) -> impl Fn(__m256i, __m256i, __m256i) -> __m256i {
        let odd = _mm256_set1_epi16(ODD);
        let (factor, add) = (_mm256_set1_epi16(self.gain as i16), _mm256_set1_epi16(self.add as i16));
        move |d, _, _| {
            let gain = anew_256(factor);
            let even = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_slli_epi16::<8>(d), gain), add);
            let other = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_and_si256(d, odd), gain), add);
            _mm256_or_si256(_mm256_and_si256(other, odd), _mm256_srli_epi16::<8>(even))
        }
    }
}

/// Lays samples.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn cover_avx512(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let (even, odd) = (_mm512_set1_epi16(255), _mm512_set1_epi16(ODD));
    let (round, part) = (_mm512_set1_epi16(128), _mm512_set1_epi16(257));
    let wide = |d, s, a| {
        let low = _mm512_mullo_epi16(_mm512_and_si512(d, even), _mm512_andnot_si512(a, even));
        let low = _mm512_mulhi_epu16(_mm512_add_epi16(low, round), part);
        let high = _mm512_mulhi_epu16(_mm512_and_si512(d, odd), _mm512_andnot_si512(a, odd));
        let high = _mm512_add_epi16(high, round);
        let high = _mm512_add_epi16(high, _mm512_srli_epi16::<8>(high));
        _mm512_add_epi8(s, _mm512_ternarylogic_epi32::<ODD_OF_FIRST>(high, low, odd))
    };
    let half = over_half();
    spots.for_each(|spot| rows_avx512(spot, dst, stride, top, wide, &half));
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn cover_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let half = over_half();
    let one = |d, s, a| s + div255(u16::from(d) * u16::from(255 - a)) as u8;
    spots.for_each(|spot| rows_avx2(spot, dst, stride, top, &half, one));
}

/// Of 32 samples.
#[inline]
#[target_feature(enable = "avx2")]
fn over_half() -> impl Fn(__m256i, __m256i, __m256i) -> __m256i {
    let (even, odd) = (_mm256_set1_epi16(255), _mm256_set1_epi16(ODD));
    let (round, part) = (_mm256_set1_epi16(128), _mm256_set1_epi16(257));
    move |d, s, a| {
        let low = _mm256_mullo_epi16(_mm256_and_si256(d, even), _mm256_andnot_si256(a, even));
        let low = _mm256_mulhi_epu16(_mm256_add_epi16(low, round), part);
        let high = _mm256_mulhi_epu16(_mm256_and_si256(d, odd), _mm256_andnot_si256(a, odd));
        let high = _mm256_add_epi16(high, round);
        let high = _mm256_add_epi16(high, _mm256_srli_epi16::<8>(high));
        _mm256_add_epi8(s, _mm256_or_si256(_mm256_and_si256(high, odd), low))
    }
}

/// The odd ones of samples two by two.
const ODD: i16 = 0xff00u16 as i16;
/// Of a logic of three: where the third has ones the first, else the second.
const ODD_OF_FIRST: i32 = 0xe4;

/// The rows of a spot: 64 samples at a time, then 32, then what is left.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn rows_avx512(
    spot: Spot,
    dst: &mut [u8],
    stride: usize,
    top: &Top<'_>,
    wide: impl Fn(__m512i, __m512i, __m512i) -> __m512i,
    half: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
) {
    let (whole, rest) = (spot.width / 64 * 64, spot.width % 64);
    let there = u64::MAX.checked_shr(64 - rest as u32).unwrap_or(0);
    // SAFETY: a row has `width` samples. The turns are within it, and of the last one only the bytes of the mask are touched.
    each_row(spot, dst, stride, top, |row| unsafe {
        for x in (0..whole).step_by(64) {
            let Row { d, s, a } = row.at(x);
            let [d0, s, a] = [d.cast_const(), s, a].map(|p| _mm512_loadu_si512(p.cast()));
            _mm512_storeu_si512(d.cast(), wide(d0, s, a));
        }
        let Row { d, s, a } = row.at(whole);
        if rest == 32 {
            let [d0, s, a] = [d.cast_const(), s, a].map(|p| _mm256_loadu_si256(p.cast()));
            _mm256_storeu_si256(d.cast(), half(d0, s, a));
        } else if rest > 0 {
            let [d0, s, a] = [d.cast_const(), s, a].map(|p| _mm512_maskz_loadu_epi8(there, p.cast()));
            _mm512_mask_storeu_epi8(d.cast(), there, wide(d0, s, a));
        }
    });
}

/// The same: 32 samples at a time, then one.
#[inline]
#[target_feature(enable = "avx2")]
fn rows_avx2(
    spot: Spot,
    dst: &mut [u8],
    stride: usize,
    top: &Top<'_>,
    half: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
    one: impl Fn(u8, u8, u8) -> u8,
) {
    let whole = spot.width / 32 * 32;
    // SAFETY: a row has `width` samples, and the turns are within it.
    each_row(spot, dst, stride, top, |row| unsafe {
        for x in (0..whole).step_by(32) {
            let Row { d, s, a } = row.at(x);
            let [d0, s, a] = [d.cast_const(), s, a].map(|p| _mm256_loadu_si256(p.cast()));
            _mm256_storeu_si256(d.cast(), half(d0, s, a));
        }
        for x in whole..spot.width {
            let Row { d, s, a } = row.at(x);
            *d = one(*d, *s, *a);
        }
    });
}

/// Where a row's samples are: those of the picture, the layer's values, its alpha.
#[derive(Clone, Copy)]
struct Row {
    d: *mut u8,
    s: *const u8,
    a: *const u8,
}

impl Row {
    /// # Safety
    /// The row has more than `x` samples, or just as many.
    #[inline(always)]
    unsafe fn at(self, x: usize) -> Self {
        // SAFETY: see above.
        unsafe { Self { d: self.d.add(x), s: self.s.add(x), a: self.a.add(x) } }
    }
}

/// Gives each row of a spot; each has `width` samples. What is asked of slices is asked once for all rows: those of a text
/// are short, and there are many.
#[inline(always)]
fn each_row(spot: Spot, dst: &mut [u8], stride: usize, top: &Top<'_>, mut f: impl FnMut(Row)) {
    let rows = |stride: usize| (spot.height - 1) * stride + spot.width;
    let d = dst[spot.to..][..rows(stride)].as_mut_ptr();
    let from = spot.from..spot.from + rows(top.width);
    let (s, a) = (top.values[from.clone()].as_ptr(), top.alpha[from].as_ptr());
    for y in 0..spot.height {
        // SAFETY: these slices reach from the first sample of the first row to the last one of the last.
        f(unsafe { Row { d: d.add(y * stride), s: s.add(y * top.width), a: a.add(y * top.width) } });
    }
}

/// The same value, of which the compiler is not to know that it is the one of the turn before. No instruction.
#[inline]
#[target_feature(enable = "avx512f")]
fn anew_512(mut v: __m512i) -> __m512i {
    // SAFETY: nothing is done.
    unsafe { asm!("/* {0} */", inout(zmm_reg) v, options(nomem, nostack, preserves_flags)) };
    v
}
#[inline]
#[target_feature(enable = "avx2")]
fn anew_256(mut v: __m256i) -> __m256i {
    // SAFETY: nothing is done.
    unsafe { asm!("/* {0} */", inout(ymm_reg) v, options(nomem, nostack, preserves_flags)) };
    v
}
#[cfg(test)]
mod tests {
    use super::super::Part;
    use super::*;
    use crate::planes::{Kind, Patches};

    fn laid(d: u8, s: u8, a: u8) -> u8 {
        s + ((u32::from(d) * u32::from(255 - a) + 127) / 255) as u8
    }

    /// Every colour over every sample, and every length that is left over.
    #[test]
    fn every_colour_is_that_of_the_formula() {
        let picture: Vec<u8> = (0..=255).collect();
        for alpha in 1..=255u8 {
            for src in 0..=alpha {
                let want: Vec<u8> = picture.iter().map(|d| laid(*d, src, alpha)).collect();
                let alone: Vec<u8> = picture.iter().map(|d| Flat::new(src, alpha).of(*d)).collect();
                assert_eq!(alone, want, "alpha {alpha}, colour {src}");
                for (name, flat, _) in kernels() {
                    let mut got = picture.clone();
                    lay(flat, &mut got, &[src; 256], &[alpha; 256], Kind::Flat);
                    assert_eq!(got, want, "{name}: alpha {alpha}, colour {src}");
                }
            }
        }
        for (name, flat, _) in kernels() {
            let want: Vec<u8> = picture.iter().map(|d| laid(*d, 40, 200)).collect();
            for n in 1..200 {
                let mut got = picture.clone();
                lay(flat, &mut got[..n], &[40; 200][..n], &[200; 200][..n], Kind::Flat);
                assert_eq!((&got[..n], &got[n..]), (&want[..n], &picture[n..]), "{name}: {n} samples");
            }
        }
    }

    /// Every sample under every alpha, and every length that is left over.
    #[test]
    fn any_samples_are_those_of_the_formula() {
        let picture: Vec<u8> = (0..=255).collect();
        for (name, _, cover) in kernels() {
            for a in 0..=255u8 {
                for s in [0, a / 2, a] {
                    let want: Vec<u8> = picture.iter().map(|d| laid(*d, s, a)).collect();
                    let mut got = picture.clone();
                    lay(cover, &mut got, &[s; 256], &[a; 256], Kind::Mixed);
                    assert_eq!(got, want, "{name}: alpha {a}");
                }
            }
            let alpha: Vec<u8> = (0..200).map(|i| (i * 91 % 256) as u8).collect();
            let src: Vec<u8> = alpha.iter().map(|a| a - a / 3).collect();
            let want: Vec<u8> = (0..200).map(|i| laid(picture[i], src[i], alpha[i])).collect();
            for n in 1..200 {
                let mut got = picture.clone();
                lay(cover, &mut got[..n], &src[..n], &alpha[..n], Kind::Mixed);
                assert_eq!((&got[..n], &got[n..]), (&want[..n], &picture[n..]), "{name}: {n} samples");
            }
        }
    }

    type Kernel = unsafe fn(&mut [u8], usize, &Top<'_>, Spots<'_>);

    /// One row.
    fn lay(kernel: Kernel, dst: &mut [u8], values: &[u8], alpha: &[u8], kind: Kind) {
        let n = dst.len();
        let mut patches = Patches::default();
        patches.whole(n, 1, kind);
        let part = Part { rows: 0..1, columns: 0..n, at: (0, 0) };
        let top = Top { values, alpha, width: n, height: 1, patches: &patches };
        let spots = Spots { patches: patches.list().iter(), part: &part, stride: n, width: n };
        // SAFETY: the processor has what it needs, or it would not be in a list.
        unsafe { kernel(dst, n, &top, spots) }
    }

    /// Those that this processor has: name, of one colour, of any samples.
    fn kernels() -> Vec<(&'static str, Kernel, Kernel)> {
        let mut list: Vec<(&str, Kernel, Kernel)> = Vec::new();
        if is_x86_feature_detected!("avx2") {
            list.push(("AVX2", flat_avx2, cover_avx2));
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            list.push(("AVX-512", flat_avx512, cover_avx512));
        }
        list
    }
}
