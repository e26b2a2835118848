//! One colour at full opacity over a run of the picture: what overlays do most.
//!
//! `d' = s + ⌊d·r/255⌉`, `r = 255 − a`, where only `d` is not known beforehand. With eight bits after the point, `d·r/255` is
//! `⌊d·m/256⌋` with `m = 257·r` (65536/255 is 257 and a bit; from r = 128 on that bit has become one more). Half and `s` are
//! added, and the eight bits cut off: two products less than by the formula, and the same bits for every `r`, `s ≤ a` and
//! `d`, which a test goes through.
//!
//! The product is the upper half of 16 by 16 bits, for which vector units have one instruction. The compiler uses it only for
//! factors that it knows, and takes the one named here apart again (into wider numbers, four times as slow) when it sees
//! that the factor stays the same, so it is read anew for each turn of the loop. Written for the processors that most boxes
//! have; others go by the formula.
#![allow(unsafe_code)]

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
}

mod x86 {
    use std::arch::x86_64::*;

    use super::Flat;

    impl Flat {
        #[target_feature(enable = "avx512f,avx512bw")]
        pub(in super::super) fn run_avx512(self, dst: &mut [u8]) {
            const BLOCK: usize = 64;
            let (factor, add) = (_mm512_set1_epi16(self.gain as i16), _mm512_set1_epi16(self.add as i16));
            let odd = _mm512_set1_epi16(0xff00u16 as i16);
            let of = |d: __m512i| {
                // SAFETY: a reference to a local value.
                let gain = unsafe { std::ptr::read_volatile(&factor) };
                let even = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_slli_epi16::<8>(d), gain), add);
                let other = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_and_si512(d, odd), gain), add);
                // the odd samples of the one, the even ones of the other
                _mm512_ternarylogic_epi32::<0xe4>(other, _mm512_srli_epi16::<8>(even), odd)
            };
            let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
            for b in blocks {
                // SAFETY: a block has 64 bytes; the instructions ask for no alignment.
                unsafe { _mm512_storeu_si512(b.as_mut_ptr().cast(), of(_mm512_loadu_si512(b.as_ptr().cast()))) };
            }
            if !rest.is_empty() {
                let there = u64::MAX >> (BLOCK - rest.len());
                // SAFETY: only the bytes of the mask are touched, as many as there are left.
                unsafe {
                    let d = _mm512_maskz_loadu_epi8(there, rest.as_ptr().cast());
                    _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), there, of(d));
                }
            }
        }

        #[target_feature(enable = "avx2")]
        pub(in super::super) fn run_avx2(self, dst: &mut [u8]) {
            const BLOCK: usize = 32;
            let (factor, add) = (_mm256_set1_epi16(self.gain as i16), _mm256_set1_epi16(self.add as i16));
            let odd = _mm256_set1_epi16(0xff00u16 as i16);
            let of = |d: __m256i| {
                // SAFETY: a reference to a local value.
                let gain = unsafe { std::ptr::read_volatile(&factor) };
                let even = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_slli_epi16::<8>(d), gain), add);
                let other = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_and_si256(d, odd), gain), add);
                _mm256_or_si256(_mm256_and_si256(other, odd), _mm256_srli_epi16::<8>(even))
            };
            let (blocks, rest) = dst.as_chunks_mut::<BLOCK>();
            for b in blocks {
                // SAFETY: a block has 32 bytes; the instructions ask for no alignment.
                unsafe { _mm256_storeu_si256(b.as_mut_ptr().cast(), of(_mm256_loadu_si256(b.as_ptr().cast()))) };
            }
            if !rest.is_empty() {
                let mut last = [0; BLOCK];
                last[..rest.len()].copy_from_slice(rest);
                // SAFETY: as above.
                unsafe { _mm256_storeu_si256(last.as_mut_ptr().cast(), of(_mm256_loadu_si256(last.as_ptr().cast()))) };
                rest.copy_from_slice(&last[..rest.len()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every colour over every sample, and every length that is left over.
    #[test]
    fn every_colour_is_that_of_the_formula() {
        let picture: Vec<u8> = (0..=255).collect();
        for alpha in 1..=254u8 {
            for src in 0..=alpha {
                let flat = Flat::new(src, alpha);
                let want: Vec<u8> = picture
                    .iter()
                    .map(|d| src + ((u32::from(*d) * u32::from(255 - alpha) + 127) / 255) as u8)
                    .collect();
                for (name, run) in runs() {
                    let mut got = picture.clone();
                    run(flat, &mut got);
                    assert_eq!(got, want, "{name}: alpha {alpha}, colour {src}");
                }
            }
        }
        let flat = Flat::new(40, 200);
        for (name, run) in runs() {
            for n in 0..200 {
                let (mut whole, mut part) = (picture.clone(), picture.clone());
                run(flat, &mut whole);
                run(flat, &mut part[..n]);
                assert_eq!(part[..n], whole[..n], "{name}: {n} samples");
                assert_eq!(part[n..], picture[n..], "{name}: beyond {n} samples");
            }
        }
    }

    type Run = fn(Flat, &mut [u8]);

    /// Those that this processor has.
    fn runs() -> Vec<(&'static str, Run)> {
        let mut list: Vec<(&str, Run)> = Vec::new();
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has it.
            list.push(("AVX2", |f, d| unsafe { f.run_avx2(d) }));
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            // SAFETY: the processor has them.
            list.push(("AVX-512", |f, d| unsafe { f.run_avx512(d) }));
        }
        list
    }
}
