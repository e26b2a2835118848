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

mod kernels;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::ops::Range;

use vistter_core::media::PlaneMut;

use crate::planes::{Chroma, Kind, Luma, Patch, Patches};

/// The part of the picture that may be touched, in luma pixels; right and bottom edges are not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clip {
    pub(crate) x0: i64,
    pub(crate) y0: i64,
    pub(crate) x1: i64,
    pub(crate) y1: i64,
}

impl Clip {
    /// Width and height; nothing when its edges have passed each other.
    pub(crate) fn size(self) -> (usize, usize) {
        (usize::try_from(self.x1 - self.x0).unwrap_or(0), usize::try_from(self.y1 - self.y0).unwrap_or(0))
    }
    /// The common part of two.
    pub(crate) fn and(self, o: Self) -> Self {
        Self { x0: self.x0.max(o.x0), y0: self.y0.max(o.y0), x1: self.x1.min(o.x1), y1: self.y1.min(o.y1) }
    }
}

/// An edge that runs over the picture: each sample has the place, 0 to 65535, at which the edge reaches it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Veil<'a> {
    pub(crate) luma: &'a [u16],
    pub(crate) chroma: &'a [u16],
    /// Samples of a row of luma.
    pub(crate) width: usize,
    /// Where the edge has come, of 65536.
    pub(crate) edge: i32,
    /// How wide it is, of 65536; at least 1.
    pub(crate) soft: i32,
}

impl Veil<'_> {
    /// What the edge leaves of an opacity at luma samples from a place on.
    pub(crate) fn parts(&self, x: usize, y: usize, opacity: u8, out: &mut [u8]) {
        let places = self.row(false, y).get(x..).unwrap_or_default();
        kernels::lift(out, places, self.edge, self.soft, opacity);
    }
    fn row(&self, chroma: bool, y: usize) -> &[u16] {
        let (plane, width) = if chroma { (self.chroma, self.width.div_ceil(2)) } else { (self.luma, self.width) };
        plane.get(y * width..(y + 1) * width).unwrap_or_default()
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
    veil: Option<Veil<'_>>,
) {
    if opacity == 0 {
        return;
    }
    let [y, u, v] = planes;
    let all = Clip { x0: 0, y0: 0, x1: y.width as i64, y1: y.height as i64 };
    let clip = clip.and(all);
    plane(y, Top::luma(luma), at, clip, opacity, veil.map(|v| (v, false)));
    // A chroma sample belongs to the clip when any of its four luma samples does.
    let half = Clip { x0: clip.x0 >> 1, y0: clip.y0 >> 1, x1: (clip.x1 + 1) >> 1, y1: (clip.y1 + 1) >> 1 };
    let at = (at.0 >> 1, at.1 >> 1);
    for (p, top) in [u, v].into_iter().zip(Top::chroma(chroma)) {
        plane(p, top, at, half, opacity, veil.map(|v| (v, true)));
    }
}

/// Lays planes with an alpha of theirs over such planes, premultiplied both: [`layer`] for what will be one itself.
pub(crate) fn lay<const N: usize>(
    values: [&mut [u8]; N],
    alpha: &mut [u8],
    (width, height): (usize, usize),
    tops: [Top<'_>; N],
    at: (i64, i64),
) {
    let clip = Clip { x0: 0, y0: 0, x1: width as i64, y1: height as i64 };
    let own = tops.first().map(|t| (alpha, Top { values: t.alpha, ..*t }));
    for (data, top) in values.into_iter().zip(tops).chain(own) {
        plane(&mut PlaneMut { data, width, height, stride: width }, top, at, clip, 255, None);
    }
}

/// A plane that is laid over one of the picture's.
#[derive(Clone, Copy)]
pub(crate) struct Top<'a> {
    values: &'a [u8],
    alpha: &'a [u8],
    width: usize,
    height: usize,
    patches: &'a Patches,
}

impl<'a> Top<'a> {
    pub(crate) fn luma(l: &'a Luma) -> Self {
        Self { values: &l.y, alpha: &l.alpha, width: l.width, height: l.height, patches: &l.patches }
    }
    pub(crate) fn chroma(c: &'a Chroma) -> [Self; 2] {
        [&c.u, &c.v].map(|values| Self {
            values,
            alpha: &c.alpha,
            width: c.width,
            height: c.height,
            patches: &c.patches,
        })
    }
}

/// The part of it that shows.
#[derive(Clone)]
struct Part {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Where its left top sample would stand in the picture.
    at: (i64, i64),
}

impl Part {
    /// What shows of a patch, and where its first sample stands in the picture.
    #[inline(always)]
    fn of(&self, p: &Patch) -> Option<(Patch, (usize, usize))> {
        let (left, right) = (p.left.max(self.columns.start), p.right.min(self.columns.end));
        let (top, bottom) = (p.top.max(self.rows.start), p.bottom.min(self.rows.end));
        let at = || ((self.at.0 + left as i64) as usize, (self.at.1 + top as i64) as usize);
        (left < right && top < bottom).then(|| (Patch { left, right, top, bottom, kind: p.kind }, at()))
    }
}

fn plane(
    dst: &mut PlaneMut<'_>,
    top: Top<'_>,
    at: (i64, i64),
    clip: Clip,
    opacity: u8,
    veil: Option<(Veil<'_>, bool)>,
) {
    let within = |v: i64, length: usize| v.clamp(0, length as i64) as usize;
    let part = Part {
        rows: within(clip.y0 - at.1, top.height)..within(clip.y1 - at.1, top.height),
        columns: within(clip.x0 - at.0, top.width)..within(clip.x1 - at.0, top.width),
        at,
    };
    if part.columns.is_empty() {
        return;
    }
    let Some((veil, chroma)) = veil else {
        return kernels::plane(dst.data, dst.stride, top, part, opacity);
    };
    for patch in top.patches.list() {
        let Some((p, (x, y))) = part.of(patch) else { continue };
        for row in p.top..p.bottom {
            let y = y + row - p.top;
            let i = row * top.width + p.left..row * top.width + p.right;
            let d = &mut dst.row_mut(y)[x..x + i.len()];
            veiled(d, &top.values[i.clone()], &top.alpha[i], &veil.row(chroma, y)[x..], veil, opacity);
        }
    }
}

/// Lays one colour over the whole picture.
pub(crate) fn flood(planes: &mut [PlaneMut<'_>; 3], yuv: [u8; 3], alpha: u8) {
    for (p, v) in planes.iter_mut().zip(yuv) {
        for y in 0..p.height {
            kernels::flat(p.row_mut(y), v, 255, alpha);
        }
    }
}

/// Moves the whole picture by an even number of pixels; what it leaves is black.
pub(crate) fn push(planes: &mut [PlaneMut<'_>; 3], (dx, dy): (i64, i64)) {
    for (i, p) in planes.iter_mut().enumerate() {
        let shift = u32::from(i > 0);
        let (dx, dy, black) = (dx >> shift, dy >> shift, if i == 0 { 16 } else { 128 });
        let (w, h, stride) = (p.width, p.height, p.stride);
        let far = |d: i64, length: usize| usize::try_from(d.unsigned_abs()).unwrap_or(length).min(length);
        let (along, down) = (far(dx, w), far(dy, h));
        if down > 0 {
            let rows = |n: usize| n * stride;
            // the last row may end before its stride does
            let end = (rows(h) - stride + w).min(p.data.len());
            let (from, to) = if dy > 0 { (0, rows(down)) } else { (rows(down), 0) };
            if h > down {
                let length = end - rows(down);
                p.data.copy_within(from..from + length, to);
            }
            let clear = if dy > 0 { 0..down } else { h - down..h };
            clear.for_each(|y| p.row_mut(y).fill(black));
        }
        if along > 0 {
            for y in 0..h {
                let row = p.row_mut(y);
                if dx > 0 {
                    row.copy_within(..w - along, along);
                    row[..along].fill(black);
                } else {
                    row.copy_within(along.., 0);
                    row[w - along..].fill(black);
                }
            }
        }
    }
}

/// Blends under an edge, in pieces that need no memory of their own.
fn veiled(dst: &mut [u8], src: &[u8], alpha: &[u8], places: &[u16], veil: Veil<'_>, opacity: u8) {
    const PIECE: usize = 256;
    let mut parts = [0u8; PIECE];
    let (src, alpha, places) = (src.chunks(PIECE), alpha.chunks(PIECE), places.chunks(PIECE));
    for (((d, s), a), p) in dst.chunks_mut(PIECE).zip(src).zip(alpha).zip(places) {
        let parts = &mut parts[..d.len().min(p.len())];
        kernels::lift(parts, p, veil.edge, veil.soft, opacity);
        kernels::veil(d, s, a, parts);
    }
}

/// ⌊x/255⌉ for x up to 255·256 − 129: (x + 128)·257/65536 is the upper half of a product of 16-bit numbers, for which
/// vector units have one instruction. The sum wraps like the kernels' products: nothing wraps (see above), and the checks
/// that a build with overflow checks would add cost it the vector loop, fifty times over.
#[inline(always)]
fn div255(x: u16) -> u16 {
    ((x.wrapping_add(128) as u32).wrapping_mul(257) >> 16) as u16
}
