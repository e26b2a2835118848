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
//! it sees that the factor stays the same, so it is read anew for each turn of the loop.
//!
//! **Any samples**: two at a time in 16 bits, as in [`crate::pairs`]; by hand for the ends of rows, which are many in a text.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ptr::read_volatile;

use super::kernels::Spots;
use super::{Top, div255};
use crate::pairs;

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

/// Lays one colour on each spot, the one of its first sample.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn flat_avx512(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let odd = _mm512_set1_epi16(0xff00u16 as i16);
    for spot in spots {
        let (src, alpha) = (top.values[spot.from], top.alpha[spot.from]);
        if alpha == 255 {
            spot.each(dst, stride, top, |d, _, _| d.fill(src));
            continue;
        }
        let flat = Flat::new(src, alpha);
        let (factor, add) = (_mm512_set1_epi16(flat.gain as i16), _mm512_set1_epi16(flat.add as i16));
        let of = |d: __m512i| {
            // SAFETY: a reference to a local value.
            let gain = unsafe { read_volatile(&factor) };
            let even = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_slli_epi16::<8>(d), gain), add);
            let other = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_and_si512(d, odd), gain), add);
            // the odd samples of the one, the even ones of the other
            _mm512_ternarylogic_epi32::<0xe4>(other, _mm512_srli_epi16::<8>(even), odd)
        };
        spot.each(dst, stride, top, |d, _, _| {
            let (blocks, rest) = d.as_chunks_mut::<64>();
            for d in blocks {
                // SAFETY: a block has 64 bytes; the instructions ask for no alignment.
                unsafe { _mm512_storeu_si512(d.as_mut_ptr().cast(), of(_mm512_loadu_si512(d.as_ptr().cast()))) };
            }
            if !rest.is_empty() {
                let there = first_of_64(rest.len());
                // SAFETY: only the bytes of the mask are touched, as many as there are left.
                unsafe {
                    let d = _mm512_maskz_loadu_epi8(there, rest.as_ptr().cast());
                    _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), there, of(d));
                }
            }
        });
    }
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn flat_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let odd = _mm256_set1_epi16(0xff00u16 as i16);
    for spot in spots {
        let (src, alpha) = (top.values[spot.from], top.alpha[spot.from]);
        if alpha == 255 {
            spot.each(dst, stride, top, |d, _, _| d.fill(src));
            continue;
        }
        let flat = Flat::new(src, alpha);
        let (factor, add) = (_mm256_set1_epi16(flat.gain as i16), _mm256_set1_epi16(flat.add as i16));
        let of = |d: __m256i| {
            // SAFETY: a reference to a local value.
            let gain = unsafe { read_volatile(&factor) };
            let even = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_slli_epi16::<8>(d), gain), add);
            let other = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_and_si256(d, odd), gain), add);
            _mm256_or_si256(_mm256_and_si256(other, odd), _mm256_srli_epi16::<8>(even))
        };
        spot.each(dst, stride, top, |d, _, _| {
            let (blocks, rest) = d.as_chunks_mut::<32>();
            for d in blocks {
                // SAFETY: a block has 32 bytes; the instructions ask for no alignment.
                unsafe { _mm256_storeu_si256(d.as_mut_ptr().cast(), of(_mm256_loadu_si256(d.as_ptr().cast()))) };
            }
            rest.iter_mut().for_each(|d| *d = flat.of(*d));
        });
    }
}

/// Lays samples.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn cover_avx512(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let (even, odd) = (_mm512_set1_epi16(255), _mm512_set1_epi16(0xff00u16 as i16));
    let (half, part) = (_mm512_set1_epi16(128), _mm512_set1_epi16(257));
    let of = |d: __m512i, s: __m512i, a: __m512i| {
        let low = _mm512_mullo_epi16(_mm512_and_si512(d, even), _mm512_andnot_si512(a, even));
        let low = _mm512_mulhi_epu16(_mm512_add_epi16(low, half), part);
        let high = _mm512_mulhi_epu16(_mm512_and_si512(d, odd), _mm512_andnot_si512(a, odd));
        let high = _mm512_add_epi16(high, half);
        let high = _mm512_add_epi16(high, _mm512_srli_epi16::<8>(high));
        _mm512_add_epi8(s, _mm512_ternarylogic_epi32::<0xe4>(high, low, odd))
    };
    let row = |d: &mut [u8], s: &[u8], a: &[u8]| {
        let ((d, d_rest), (s, s_rest), (a, a_rest)) =
            (d.as_chunks_mut::<64>(), s.as_chunks::<64>(), a.as_chunks::<64>());
        for ((d, s), a) in d.iter_mut().zip(s).zip(a) {
            // SAFETY: each block has 64 bytes; the instructions ask for no alignment.
            unsafe {
                let [s, a] = [s, a].map(|b| _mm512_loadu_si512(b.as_ptr().cast()));
                _mm512_storeu_si512(d.as_mut_ptr().cast(), of(_mm512_loadu_si512(d.as_ptr().cast()), s, a));
            }
        }
        if !d_rest.is_empty() {
            let there = first_of_64(d_rest.len());
            // SAFETY: only the bytes of the mask are touched, as many as there are left of each.
            unsafe {
                let [s, a] = [s_rest, a_rest].map(|b| _mm512_maskz_loadu_epi8(there, b.as_ptr().cast()));
                let d = _mm512_maskz_loadu_epi8(there, d_rest.as_ptr().cast());
                _mm512_mask_storeu_epi8(d_rest.as_mut_ptr().cast(), there, of(d, s, a));
            }
        }
    };
    spots.for_each(|spot| spot.each(dst, stride, top, row));
}

/// The same.
#[target_feature(enable = "avx2")]
pub(super) fn cover_avx2(dst: &mut [u8], stride: usize, top: &Top<'_>, spots: Spots<'_>) {
    let (even, odd) = (_mm256_set1_epi16(255), _mm256_set1_epi16(0xff00u16 as i16));
    let (half, part) = (_mm256_set1_epi16(128), _mm256_set1_epi16(257));
    let of = |d: __m256i, s: __m256i, a: __m256i| {
        let low = _mm256_mullo_epi16(_mm256_and_si256(d, even), _mm256_andnot_si256(a, even));
        let low = _mm256_mulhi_epu16(_mm256_add_epi16(low, half), part);
        let high = _mm256_mulhi_epu16(_mm256_and_si256(d, odd), _mm256_andnot_si256(a, odd));
        let high = _mm256_add_epi16(high, half);
        let high = _mm256_add_epi16(high, _mm256_srli_epi16::<8>(high));
        _mm256_add_epi8(s, _mm256_or_si256(_mm256_and_si256(high, odd), low))
    };
    let row = |d: &mut [u8], s: &[u8], a: &[u8]| {
        let ((d, d_rest), (s, s_rest), (a, a_rest)) =
            (d.as_chunks_mut::<32>(), s.as_chunks::<32>(), a.as_chunks::<32>());
        for ((d, s), a) in d.iter_mut().zip(s).zip(a) {
            // SAFETY: each block has 32 bytes; the instructions ask for no alignment.
            unsafe {
                let [s, a] = [s, a].map(|b| _mm256_loadu_si256(b.as_ptr().cast()));
                _mm256_storeu_si256(d.as_mut_ptr().cast(), of(_mm256_loadu_si256(d.as_ptr().cast()), s, a));
            }
        }
        pairs::over(d_rest, s_rest, a_rest, div255);
    };
    spots.for_each(|spot| spot.each(dst, stride, top, row));
}

/// A mask of so many bytes, 1 to 64.
fn first_of_64(n: usize) -> u64 {
    u64::MAX >> (64 - n)
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
