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

use std::ops::Range;

use vistter_core::media::PlaneMut;

use crate::planes::{Chroma, Kind, Luma, Run, Runs};

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
    let top = Top { values: &luma.y, alpha: &luma.alpha, width: luma.width, height: luma.height, runs: &luma.runs };
    plane(y, top, at, clip, opacity, veil.map(|v| (v, false)));
    // A chroma sample belongs to the clip when any of its four luma samples does.
    let half = Clip { x0: clip.x0 >> 1, y0: clip.y0 >> 1, x1: (clip.x1 + 1) >> 1, y1: (clip.y1 + 1) >> 1 };
    let at = (at.0 >> 1, at.1 >> 1);
    let Chroma { width, height, alpha, runs, .. } = chroma;
    for (p, values) in [(u, &chroma.u), (v, &chroma.v)] {
        let top = Top { values, alpha, width: *width, height: *height, runs };
        plane(p, top, at, half, opacity, veil.map(|v| (v, true)));
    }
}

/// A plane that is laid over one of the picture's.
#[derive(Clone, Copy)]
struct Top<'a> {
    values: &'a [u8],
    alpha: &'a [u8],
    width: usize,
    height: usize,
    runs: &'a Runs,
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
    /// The samples of a run that show, and where the first one stands in its row.
    #[inline(always)]
    fn of(&self, run: Run) -> Option<(Range<usize>, usize)> {
        let (a, b) = (run.start.max(self.columns.start), run.end.min(self.columns.end));
        (a < b).then(|| (a..b, (self.at.0 + a as i64) as usize))
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
    for row in part.rows.clone() {
        let y = (at.1 + row as i64) as usize;
        let (out, places) = (dst.row_mut(y), veil.row(chroma, y));
        for run in top.runs.row(row) {
            let Some((columns, x)) = part.of(*run) else { continue };
            let (d, i) =
                (&mut out[x..x + columns.len()], row * top.width + columns.start..row * top.width + columns.end);
            veiled(d, &top.values[i.clone()], &top.alpha[i], &places[x..], veil, opacity);
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

/// The loops that run over every sample. `multiversion` compiles each for several instruction sets and picks one at run
/// time; the code it makes calls a function for a set only after asking the processor for it, which is the only
/// `unsafe` there is.
#[allow(unsafe_code)]
mod kernels {
    use super::{Kind, Part, Top, div255};
    use crate::pairs::{four, one, three};
    use multiversion::{inherit_target, multiversion};

    /// All of a layer's plane at once: to ask which set it is for each run would cost more than many a run. What runs over
    /// the samples stays a function of its own, whose arguments are known not to overlap: inlined, it is no vector loop.
    #[multiversion(targets = "simd")]
    pub(super) fn plane(dst: &mut [u8], stride: usize, top: Top<'_>, part: Part, opacity: u8) {
        #[inherit_target]
        #[inline(never)]
        fn over(dst: &mut [u8], src: &[u8], alpha: &[u8]) {
            over_run(dst, src, alpha);
        }
        #[inherit_target]
        #[inline(never)]
        fn fade(dst: &mut [u8], src: &[u8], alpha: &[u8], opacity: u8) {
            fade_run(dst, src, alpha, opacity);
        }
        #[inherit_target]
        #[inline(never)]
        fn flat(dst: &mut [u8], src: u8, alpha: u8, opacity: u8) {
            flat_run(dst, src, alpha, opacity);
        }
        for row in part.rows.clone() {
            let line = &mut dst[(part.at.1 + row as i64) as usize * stride..];
            let (values, alpha) = (&top.values[row * top.width..], &top.alpha[row * top.width..]);
            for run in top.runs.row(row) {
                let Some((columns, x)) = part.of(*run) else { continue };
                let d = &mut line[x..x + columns.len()];
                let (s, a) = (&values[columns.clone()], &alpha[columns]);
                match run.kind {
                    Kind::Flat => flat(d, s[0], a[0], opacity),
                    Kind::Opaque if opacity == 255 => d.copy_from_slice(s),
                    _ if opacity == 255 => over(d, s, a),
                    _ => fade(d, s, a, opacity),
                }
            }
        }
    }

    /// At full layer opacity: `s·255/255` is `s`, so one product is saved; the result is that of [`fade_run`] at 255.
    #[inline(always)]
    fn over_run(dst: &mut [u8], src: &[u8], alpha: &[u8]) {
        three(dst, src, alpha, |d, s, a| s.wrapping_add(div255(d.wrapping_mul(255u16.wrapping_sub(a)))));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::Planes;
    use crate::raster::Raster;
    use proptest::prelude::*;
    use vistter_core::media::{FrameBuf, FramePool};

    /// The formula of the module's page, in wide integers, one sample at a time.
    fn reference(d: u8, s: u8, a: u8, o: u8) -> u8 {
        let round = |x: u64| (2 * x + 255) / 510;
        let a = round(u64::from(a) * u64::from(o));
        round(u64::from(s) * u64::from(o) + u64::from(d) * (255 - a)) as u8
    }

    /// One row, laid as a run of this kind.
    fn laid(picture: &[u8], values: &[u8], alpha: &[u8], kind: Kind, opacity: u8) -> Vec<u8> {
        let (mut out, width) = (picture.to_vec(), picture.len());
        let mut runs = Runs::default();
        runs.whole(width, 1, kind);
        let mut dst = PlaneMut { data: &mut out, width, height: 1, stride: width };
        let clip = Clip { x0: 0, y0: 0, x1: width as i64, y1: 1 };
        plane(&mut dst, Top { values, alpha, width, height: 1, runs: &runs }, (0, 0), clip, opacity, None);
        out
    }

    #[test]
    fn every_kernel_input_matches_the_reference() {
        // all alphas and pictures, with the colours at the edges and in the middle, at several opacities
        let picture: Vec<u8> = (0..=255).collect();
        for a in 0..=255u8 {
            for s in [0, a / 3, a.saturating_sub(1), a] {
                let (src, alpha) = ([s; 256], [a; 256]);
                for o in [1, 2, 127, 128, 254, 255] {
                    let want: Vec<u8> = picture.iter().map(|d| reference(*d, s, a, o)).collect();
                    for kind in [Kind::Mixed, Kind::Flat, Kind::Opaque] {
                        if a == 255 || kind != Kind::Opaque {
                            assert_eq!(laid(&picture, &src, &alpha, kind, o), want, "{kind:?} a={a} s={s} o={o}");
                        }
                    }
                    let mut d = picture.clone();
                    kernels::flat(&mut d, s, a, o);
                    assert_eq!(d, want, "flat a={a} s={s} o={o}");
                    let mut d = picture.clone();
                    kernels::veil(&mut d, &src, &alpha, &[o; 256]);
                    assert_eq!(d, want, "veil a={a} s={s} o={o}");
                }
            }
        }
    }
    /// What is left over after whole turns of the loops.
    #[test]
    fn every_length_matches_the_reference() {
        let all: Vec<u8> = (0..300).map(|i| (i * 37 % 256) as u8).collect();
        let alpha: Vec<u8> = (0..300).map(|i| (i * 91 % 256) as u8).collect();
        let values: Vec<u8> = alpha.iter().map(|a| a / 2).collect();
        for n in 1..300 {
            for o in [255, 90] {
                let want: Vec<u8> = (0..n).map(|i| reference(all[i], values[i], alpha[i], o)).collect();
                assert_eq!(laid(&all[..n], &values[..n], &alpha[..n], Kind::Mixed, o), want, "{n} samples");
                let want: Vec<u8> = (0..n).map(|i| reference(all[i], 30, 99, o)).collect();
                assert_eq!(laid(&all[..n], &[30; 300][..n], &[99; 300][..n], Kind::Flat, o), want, "{n} samples");
            }
        }
    }

    #[test]
    fn the_picture_is_pushed() {
        let pool = FramePool::new(10, 6, 1).unwrap();
        for by in [(4, 0), (-4, 0), (0, 2), (0, -2), (10, 0), (0, -6)] {
            let mut buf = pool.take();
            for p in buf.planes_mut() {
                for (i, d) in p.data.iter_mut().enumerate() {
                    *d = (i % 190) as u8 + 60;
                }
            }
            let before: Vec<Vec<Vec<u8>>> =
                (0..3).map(|i| (0..buf.plane(i).height).map(|y| buf.plane(i).row(y).to_vec()).collect()).collect();
            push(&mut buf.planes_mut(), by);
            for (i, old) in before.iter().enumerate() {
                let half = u32::from(i > 0);
                for y in 0..old.len() as i64 {
                    for x in 0..old[0].len() as i64 {
                        let (sx, sy) = (x - (by.0 >> half), y - (by.1 >> half));
                        let was = old.get(sy as usize).and_then(|r| r.get(sx as usize));
                        let black = if i == 0 { 16 } else { 128 };
                        let inside = sx >= 0 && sy >= 0;
                        let want = if inside { was.copied().unwrap_or(black) } else { black };
                        assert_eq!(buf.plane(i).row(y as usize)[x as usize], want, "{by:?} plane {i} at {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_edge_lifts_evenly() {
        for (soft, o) in [(1, 255u8), (77, 200), (65_536, 255), (30_000, 3)] {
            for edge in [0, 1, 500, 40_000, 65_535, 65_536, 131_072] {
                let places: Vec<u16> = (0..=1000).map(|i| (i * 65_535 / 1000) as u16).collect();
                let mut got = vec![0; places.len()];
                kernels::lift(&mut got, &places, edge, soft, o);
                for (g, p) in got.iter().zip(&places) {
                    let part = f64::from((edge - i32::from(*p)).clamp(0, soft)) / f64::from(soft);
                    assert!((f64::from(*g) - part * f64::from(o)).abs() < 0.51, "{g} at {p} of {edge}, {soft} soft");
                }
            }
        }
    }

    /// The whole blend again, sample by sample, without runs, clipping of loops or vectors.
    fn slow(buf: &mut FrameBuf, planes: &mut Planes, r: &Raster, at: (i64, i64), clip: Clip, o: u8) {
        let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, r);
        let [y, u, v] = buf.planes_mut();
        let (w, h) = (y.width as i64, y.height as i64);
        let clip = clip.and(Clip { x0: 0, y0: 0, x1: w, y1: h });
        let job = [
            (y, &luma.y, &luma.alpha, luma.width, 0),
            (u, &chroma.u, &chroma.alpha, chroma.width, 1),
            (v, &chroma.v, &chroma.alpha, chroma.width, 1),
        ];
        for (mut p, s, a, width, shift) in job {
            for py in 0..p.height as i64 {
                for px in 0..p.width as i64 {
                    let (lx, ly) = (px - (at.0 >> shift), py - (at.1 >> shift));
                    let inside = |v: i64, lo: i64, hi: i64| v >= lo >> shift && v < (hi + shift) >> shift;
                    if !inside(px, clip.x0, clip.x1) || !inside(py, clip.y0, clip.y1) || lx < 0 || ly < 0 {
                        continue;
                    }
                    let i = ly as usize * width + lx as usize;
                    if lx as usize >= width || i >= s.len() {
                        continue;
                    }
                    let d = &mut p.row_mut(py as usize)[px as usize];
                    *d = reference(*d, s[i], a[i], o);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_layer_anywhere_is_the_same_as_the_slow_way(
            (w, h) in (1usize..90, 1usize..9), seed in any::<u64>(), at in (-100i64..100, -12i64..12), o in any::<u8>(),
            size in (1u32..80, 1u32..12), cut in (0i64..40, 0i64..5, 40i64..90, 3i64..14),
        ) {
            let mut r = Raster::default();
            r.reset(w, h);
            // long runs of each kind and noise, from a small generator
            let mut x = seed | 1;
            let mut left = 0;
            let mut alpha = 0u8;
            for px in r.rgba.chunks_exact_mut(4) {
                x ^= x << 13; x ^= x >> 7; x ^= x << 17;
                if left == 0 { left = x % 40; alpha = match x >> 8 & 3 { 0 => 0, 1 => 255, _ => (x >> 16) as u8 }; } else { left -= 1; }
                let [a, b, c, ..] = x.to_le_bytes();
                px.copy_from_slice(&[a, b, c, alpha]);
            }
            let mut planes = Planes::default();
            planes.load(&r);
            let pool = FramePool::new(size.0, size.1, 2).unwrap();
            let (mut fast, mut want) = (pool.take(), pool.take());
            for buf in [&mut fast, &mut want] {
                for (k, p) in buf.planes_mut().into_iter().enumerate() {
                    for (i, d) in p.data.iter_mut().enumerate() { *d = (i * 37 + k * 11 + seed as usize % 251) as u8; }
                }
            }
            let clip = Clip { x0: cut.0, y0: cut.1, x1: cut.2, y1: cut.3 };
            let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &r);
            layer(&mut fast.planes_mut(), luma, chroma, at, clip, o, None);
            slow(&mut want, &mut planes, &r, at, clip, o);
            for i in 0..3 { prop_assert_eq!(fast.plane(i).data, want.plane(i).data); }
        }
    }
}
