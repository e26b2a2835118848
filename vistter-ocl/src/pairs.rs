//! Loops over samples two at a time: both stand in one 16-bit number, and the even and the odd one are taken out, computed
//! and put back by masks and shifts. To widen a vector of bytes to 16 bits and narrow it again costs two crossings of its
//! halves; measured on AVX2, these loops are three times as fast.
//!
//! Each is inlined into a function that is compiled for one instruction set. The shape of the loops matters: arrays of two
//! bytes, zipped, within arrays of a fixed length, are what the compiler makes vectors of.

/// Samples that are one turn of the loop: a vector of AVX2.
pub(crate) const BLOCK: usize = 32;
/// The same for [`one`], which has registers to spare.
const LONG: usize = 128;
/// The same for [`over`]: a vector of AVX-512, two of AVX2.
const WIDE: usize = 64;
/// A turn for what is left over.
const SHORT: usize = 8;

#[inline(always)]
fn apart(two: [u8; 2]) -> [u16; 2] {
    let both = u16::from_le_bytes(two);
    [both & 255, both >> 8]
}

/// Two samples, each at most 255.
#[inline(always)]
fn together([even, odd]: [u16; 2]) -> [u8; 2] {
    (even | (odd << 8)).to_le_bytes()
}

#[inline(always)]
fn one_of<const N: usize>(dst: &mut [[u8; N]], f: impl Fn(u16) -> u16) {
    for block in dst {
        for d in block.as_chunks_mut::<2>().0 {
            let [even, odd] = apart(*d);
            *d = together([f(even), f(odd)]);
        }
    }
}

/// Each sample becomes what `f` makes of it.
#[inline(always)]
pub(crate) fn one(dst: &mut [u8], f: impl Fn(u16) -> u16) {
    let (long, rest) = dst.as_chunks_mut::<LONG>();
    one_of(long, &f);
    let (blocks, rest) = rest.as_chunks_mut::<BLOCK>();
    one_of(blocks, &f);
    let (short, rest) = rest.as_chunks_mut::<SHORT>();
    one_of(short, &f);
    for d in rest {
        *d = f(u16::from(*d)) as u8;
    }
}

#[inline(always)]
fn three_of<const N: usize>(dst: &mut [[u8; N]], a: &[[u8; N]], b: &[[u8; N]], f: impl Fn(u16, u16, u16) -> u16) {
    for ((d, a), b) in dst.iter_mut().zip(a).zip(b) {
        let (a, b) = (a.as_chunks::<2>().0, b.as_chunks::<2>().0);
        for ((d, a), b) in d.as_chunks_mut::<2>().0.iter_mut().zip(a).zip(b) {
            let ([d0, d1], [a0, a1], [b0, b1]) = (apart(*d), apart(*a), apart(*b));
            *d = together([f(d0, a0, b0), f(d1, a1, b1)]);
        }
    }
}

/// The same from three samples.
#[inline(always)]
pub(crate) fn three(dst: &mut [u8], a: &[u8], b: &[u8], f: impl Fn(u16, u16, u16) -> u16) {
    let ((blocks, dst), (a_blocks, a), (b_blocks, b)) =
        (dst.as_chunks_mut::<BLOCK>(), a.as_chunks::<BLOCK>(), b.as_chunks::<BLOCK>());
    three_of(blocks, a_blocks, b_blocks, &f);
    let ((short, dst), (a_short, a), (b_short, b)) =
        (dst.as_chunks_mut::<SHORT>(), a.as_chunks::<SHORT>(), b.as_chunks::<SHORT>());
    three_of(short, a_short, b_short, &f);
    for ((d, a), b) in dst.iter_mut().zip(a).zip(b) {
        *d = f(u16::from(*d), u16::from(*a), u16::from(*b)) as u8;
    }
}

/// `d' = s + part(d·(255 − a))`, of premultiplied samples: [`three`] for what is laid at full opacity. The colour is added to
/// all samples at once, in bytes: it does not carry, for `s ≤ a`.
#[inline(always)]
pub(crate) fn over(dst: &mut [u8], src: &[u8], alpha: &[u8], part: impl Fn(u16) -> u16) {
    let left = |d: u16, a: u16| part(d.wrapping_mul(255u16.wrapping_sub(a)));
    let ((wide, dst), (s_wide, s), (a_wide, a)) =
        (dst.as_chunks_mut::<WIDE>(), src.as_chunks::<WIDE>(), alpha.as_chunks::<WIDE>());
    over_of(wide, s_wide, a_wide, left);
    let ((blocks, dst), (s_blocks, s), (a_blocks, a)) =
        (dst.as_chunks_mut::<BLOCK>(), s.as_chunks::<BLOCK>(), a.as_chunks::<BLOCK>());
    over_of(blocks, s_blocks, a_blocks, left);
    three(dst, s, a, |d, s, a| s.wrapping_add(left(d, a)));
}

#[inline(always)]
fn over_of<const N: usize>(dst: &mut [[u8; N]], src: &[[u8; N]], alpha: &[[u8; N]], left: impl Fn(u16, u16) -> u16) {
    for ((d, s), a) in dst.iter_mut().zip(src).zip(alpha) {
        let mut kept = [[0; 2]; WIDE / 2];
        for ((k, d), a) in kept.iter_mut().zip(d.as_chunks::<2>().0).zip(a.as_chunks::<2>().0) {
            let ([d0, d1], [a0, a1]) = (apart(*d), apart(*a));
            *k = together([left(d0, a0), left(d1, a1)]);
        }
        for ((d, s), k) in d.iter_mut().zip(s).zip(kept.as_flattened()) {
            *d = s.wrapping_add(*k);
        }
    }
}

/// The same from four samples.
#[inline(always)]
pub(crate) fn four(dst: &mut [u8], a: &[u8], b: &[u8], c: &[u8], f: impl Fn(u16, u16, u16, u16) -> u16) {
    let ((dst, dst_rest), (a, a_rest), (b, b_rest), (c, c_rest)) =
        (dst.as_chunks_mut::<BLOCK>(), a.as_chunks::<BLOCK>(), b.as_chunks::<BLOCK>(), c.as_chunks::<BLOCK>());
    for (((d, a), b), c) in dst.iter_mut().zip(a).zip(b).zip(c) {
        let (a, b, c) = (a.as_chunks::<2>().0, b.as_chunks::<2>().0, c.as_chunks::<2>().0);
        for (((d, a), b), c) in d.as_chunks_mut::<2>().0.iter_mut().zip(a).zip(b).zip(c) {
            let ([d0, d1], [a0, a1], [b0, b1], [c0, c1]) = (apart(*d), apart(*a), apart(*b), apart(*c));
            *d = together([f(d0, a0, b0, c0), f(d1, a1, b1, c1)]);
        }
    }
    for (((d, a), b), c) in dst_rest.iter_mut().zip(a_rest).zip(b_rest).zip(c_rest) {
        *d = f(u16::from(*d), u16::from(*a), u16::from(*b), u16::from(*c)) as u8;
    }
}
