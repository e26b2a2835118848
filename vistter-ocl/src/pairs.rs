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
