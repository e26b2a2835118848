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

use super::kernels::Spots;
use super::{Top, div255};

/// One colour, ready to be laid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat {
    gain: u16,
    add: u16,
}

impl Flat {
    /// `alpha` is at least 1, `src` at most `alpha`.
    #[inline(always)]
    pub(super) fn new(src: u8, alpha: u8) -> Self {
        let rest = u16::from(255 - alpha);
        // 65279 and 65408 at most, and what they make together is no more than the latter
        Self { gain: (rest * 257).wrapping_add(u16::from(rest >= 128)), add: (u16::from(src) << 8) + 128 }
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
        let (src, alpha) = (top.values[spot.from], top.alpha[spot.from]);
        if alpha == 255 {
            spot.each(dst, stride, top, |d, _, _| d.fill(src));
            continue;
        }
        let flat = Flat::new(src, alpha);
        let odd = _mm512_set1_epi16(ODD);
        let (factor, add) = (_mm512_set1_epi16(flat.gain as i16), _mm512_set1_epi16(flat.add as i16));
        let wide = |d, _, _| {
            let gain = anew_512(factor);
            let even = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_slli_epi16::<8>(d), gain), add);
            let other = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_and_si512(d, odd), gain), add);
            _mm512_ternarylogic_epi32::<ODD_OF_FIRST>(other, _mm512_srli_epi16::<8>(even), odd)
        };
        let half = flat.half();
        spot.each(dst, stride, top, |d, s, a| row_avx512(d, s, a, wide, &half));
    }
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn flat_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    for spot in spots {
        let (src, alpha) = (top.values[spot.from], top.alpha[spot.from]);
        if alpha == 255 {
            spot.each(dst, stride, top, |d, _, _| d.fill(src));
            continue;
        }
        let flat = Flat::new(src, alpha);
        let half = flat.half();
        spot.each(dst, stride, top, |d, s, a| row_avx2(d, s, a, &half, |d, _, _| flat.of(d)));
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
    for spot in spots {
        // the corners of a box: no loop for one turn
        if spot.width == 32 {
            spot.each(dst, stride, top, |d, s, a| turn_256(d, s, a, &half));
        } else {
            spot.each(dst, stride, top, |d, s, a| row_avx512(d, s, a, wide, &half));
        }
    }
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn cover_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let half = over_half();
    spots.for_each(|spot| spot.each(dst, stride, top, |d, s, a| row_avx2(d, s, a, &half, over_one)));
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

#[inline(always)]
fn over_one(d: u8, s: u8, a: u8) -> u8 {
    s.wrapping_add(div255(u16::from(d) * u16::from(255 - a)) as u8)
}

/// The odd ones of samples two by two.
const ODD: i16 = 0xff00u16 as i16;
/// Of a logic of three: where the third has ones the first, else the second.
const ODD_OF_FIRST: i32 = 0xe4;

/// One row: 64 samples at a time, then 32, then what is left.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn row_avx512(
    d: &mut [u8],
    s: &[u8],
    a: &[u8],
    wide: impl Fn(__m512i, __m512i, __m512i) -> __m512i,
    half: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
) {
    let ((d, d_rest), (s, s_rest), (a, a_rest)) = (d.as_chunks_mut(), s.as_chunks(), a.as_chunks());
    for ((d, s), a) in d.iter_mut().zip(s).zip(a) {
        store_512(d, wide(load_512(d), load_512(s), load_512(a)));
    }
    if d_rest.len() == 32 {
        turn_256(d_rest, s_rest, a_rest, half);
    } else if !d_rest.is_empty() {
        let there = u64::MAX >> (64 - d_rest.len());
        // SAFETY: only the bytes of the mask are touched, as many as there are left of each.
        unsafe {
            let [s, a] = [s_rest, a_rest].map(|b| _mm512_maskz_loadu_epi8(there, b.as_ptr().cast()));
            let d = _mm512_maskz_loadu_epi8(there, d_rest.as_ptr().cast());
            _mm512_mask_storeu_epi8(d_rest.as_mut_ptr().cast(), there, wide(d, s, a));
        }
    }
}

/// 32 samples.
#[inline]
#[target_feature(enable = "avx2")]
fn turn_256(d: &mut [u8], s: &[u8], a: &[u8], half: impl Fn(__m256i, __m256i, __m256i) -> __m256i) {
    if let (Some(d), Some(s), Some(a)) = (d.first_chunk_mut(), s.first_chunk(), a.first_chunk()) {
        store_256(d, half(load_256(d), load_256(s), load_256(a)));
    }
}

/// A row: 32 samples at a time, then one.
#[inline]
#[target_feature(enable = "avx2")]
fn row_avx2(
    d: &mut [u8],
    s: &[u8],
    a: &[u8],
    half: impl Fn(__m256i, __m256i, __m256i) -> __m256i,
    one: impl Fn(u8, u8, u8) -> u8,
) {
    let ((d, d_rest), (s, s_rest), (a, a_rest)) = (d.as_chunks_mut(), s.as_chunks(), a.as_chunks());
    for ((d, s), a) in d.iter_mut().zip(s).zip(a) {
        store_256(d, half(load_256(d), load_256(s), load_256(a)));
    }
    d_rest.iter_mut().zip(s_rest).zip(a_rest).for_each(|((d, s), a)| *d = one(*d, *s, *a));
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
#[inline]
#[target_feature(enable = "avx512f")]
fn load_512(from: &[u8; 64]) -> __m512i {
    // SAFETY: there are 64 bytes; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}
#[inline]
#[target_feature(enable = "avx512f")]
fn store_512(to: &mut [u8; 64], v: __m512i) {
    // SAFETY: as above.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), v) }
}
#[inline]
#[target_feature(enable = "avx2")]
fn load_256(from: &[u8; 32]) -> __m256i {
    // SAFETY: there are 32 bytes; the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}
#[inline]
#[target_feature(enable = "avx2")]
fn store_256(to: &mut [u8; 32], v: __m256i) {
    // SAFETY: as above.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), v) }
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
