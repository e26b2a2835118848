//! Resampling to another size, and to a place between pixels.
//!
//! The filter is a tent: two source pixels wide when the picture grows (which is bilinear), two *target* pixels wide
//! when it shrinks, so that every source pixel counts and nothing aliases. Beyond its edges a picture goes on with its
//! edge pixels, and a target pixel that it covers in part gets that part of it: edges stay sharp at any scale, and
//! colour never bleeds, because everything is premultiplied.
//!
//! Weights are computed in `f64` with the four basic operations and rounded to whole numbers; the sums are integers. So
//! the bits are the same on every machine.

use super::Sheet;
use crate::blend::Clip;
use crate::limits::MAX_LAYER_PIXELS;

/// Weights of one target pixel sum up to this times its coverage.
const ONE: i32 = 1 << 14;
/// Bits of a sample between the two passes beyond its eight.
const KEEP: u32 = 6;

/// One direction of a resampling: where the source's pixel 0 begins, in target pixels, and how large it is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Target pixels per source pixel; negative mirrors, with `origin` then the right end.
    pub(crate) scale: f64,
    /// The place of source coordinate 0 in the target.
    pub(crate) origin: f64,
}

impl Axis {
    /// The whole target pixels that a source of `length` pixels touches: the first, and how many.
    pub(crate) fn reach(self, length: usize) -> (i64, usize) {
        let end = self.origin + self.scale * length as f64;
        let (lo, hi) = (self.origin.min(end), self.origin.max(end));
        // A hair over a pixel's edge is rounding, not a pixel.
        let first = (lo + HAIR).floor() as i64;
        let last = (hi - HAIR).ceil() as i64;
        (first, usize::try_from(last - first).unwrap_or(0))
    }
}

const HAIR: f64 = 1e-6;

/// Scratch memory of a resampling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    columns: Taps,
    rows: Taps,
    line: Vec<i32>,
}

/// The source pixels of each target pixel, and their weights.
#[derive(Clone, Debug, Default)]
struct Taps {
    /// First source pixel of each target pixel, and where its weights begin.
    spans: Vec<(usize, usize)>,
    weights: Vec<i32>,
}

impl Taps {
    fn build(&mut self, axis: Axis, length: usize, first: i64, count: usize) {
        self.spans.clear();
        self.weights.clear();
        let end = axis.origin + axis.scale * length as f64;
        let (lo, hi) = (axis.origin.min(end), axis.origin.max(end));
        let half = (1.0 / axis.scale.abs()).max(1.0);
        for i in 0..count {
            let left = (first + i as i64) as f64;
            let cover = (hi.min(left + 1.0) - lo.max(left)).clamp(0.0, 1.0);
            let start = self.weights.len();
            // the middle of the target pixel, in source pixels
            let middle = (left + 0.5 - axis.origin) / axis.scale;
            let last = length as i64 - 1;
            let from = ((middle - half - 0.5).ceil() as i64).clamp(0, last);
            let to = ((middle + half - 0.5).floor() as i64).clamp(from, last);
            // Two weights each: what a tap beyond an edge would have goes to the edge pixel.
            let tent = |k: i64| (half - (k as f64 + 0.5 - middle).abs()).max(0.0);
            let mut sum = 0.0;
            let before = (middle - half - 0.5).ceil() as i64;
            let after = (middle + half - 0.5).floor() as i64;
            let weight = |k: i64| {
                let mut w = if k >= before && k <= after { tent(k) } else { 0.0 };
                if k == from {
                    w += (before..from.min(after + 1)).map(tent).sum::<f64>();
                }
                if k == to {
                    w += ((to + 1).max(before)..=after).map(tent).sum::<f64>();
                }
                w
            };
            for k in from..=to {
                sum += weight(k);
            }
            let want = (cover * f64::from(ONE)).round() as i32;
            let mut left_over = want;
            for k in from..=to {
                let w = if sum > 0.0 { (weight(k) / sum * f64::from(want)).round() as i32 } else { 0 };
                let w = if k == to { left_over } else { w.min(left_over) };
                left_over -= w;
                self.weights.push(w);
            }
            self.spans.push((from as usize, start));
        }
    }

    fn get(&self, i: usize) -> (usize, &[i32]) {
        let (from, start) = self.spans[i];
        let end = self.spans.get(i + 1).map_or(self.weights.len(), |s| s.1);
        (from, &self.weights[start..end])
    }
}

/// Draws what of `source` falls into the target pixels of `clip` into `out`, whose left top pixel is that of `clip`.
pub(crate) fn resample(source: &Sheet, out: &mut Sheet, scratch: &mut Scratch, x: Axis, y: Axis, clip: Clip) {
    let (width, height) = clip.size();
    if source.rgba.is_empty() || width.saturating_mul(height) > MAX_LAYER_PIXELS as usize || width * height == 0 {
        out.reset(0, 0);
        return;
    }
    out.reset(width, height);
    scratch.columns.build(x, source.width, clip.x0, width);
    scratch.rows.build(y, source.height, clip.y0, height);
    let line = &mut scratch.line;
    for (row, to) in out.rgba.chunks_exact_mut(width * 4).enumerate() {
        let (from, weights) = scratch.rows.get(row);
        line.clear();
        line.resize(source.width * 4, 0);
        for (k, w) in weights.iter().enumerate() {
            let at = (from + k) * source.width * 4;
            add(line, &source.rgba[at..at + source.width * 4], *w);
        }
        let columns = &scratch.columns;
        kernels::across(line, &columns.spans, &columns.weights, to);
    }
}

use kernels::add;

/// See `blend.rs` for what `multiversion` does and why it may.
#[allow(unsafe_code)]
mod kernels {
    use super::KEEP;
    use multiversion::multiversion;

    /// One row of target pixels out of a row that has been summed up downwards. Rounding may lift a colour one step above
    /// its alpha; it is put down again.
    #[multiversion(targets = "simd")]
    pub(super) fn across(line: &mut [i32], spans: &[(usize, usize)], weights: &[i32], to: &mut [u8]) {
        for v in line.iter_mut() {
            *v = v.wrapping_add(1 << (13 - KEEP)) >> (14 - KEEP);
        }
        let ends = spans.iter().skip(1).map(|s| s.1).chain([weights.len()]);
        for ((px, (from, start)), end) in to.chunks_exact_mut(4).zip(spans).zip(ends) {
            let mut sum = [1i32 << (13 + KEEP); 4];
            for (v, w) in line[from * 4..].chunks_exact(4).zip(&weights[*start..end]) {
                for (s, v) in sum.iter_mut().zip(v) {
                    *s = s.wrapping_add(v.wrapping_mul(*w));
                }
            }
            let [r, g, b, a] = sum.map(|s| (s >> (14 + KEEP)) as u8);
            px.copy_from_slice(&[r.min(a), g.min(a), b.min(a), a]);
        }
    }

    /// Adds a row times its weight.
    #[multiversion(targets = "simd")]
    pub(super) fn add(line: &mut [i32], row: &[u8], weight: i32) {
        for (l, v) in line.iter_mut().zip(row) {
            *l = l.wrapping_add(i32::from(*v).wrapping_mul(weight));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sheet(width: usize, height: usize, f: impl Fn(usize, usize) -> [u8; 4]) -> Sheet {
        let mut s = Sheet::default();
        s.reset(width, height);
        for (i, px) in s.rgba.chunks_exact_mut(4).enumerate() {
            px.copy_from_slice(&f(i % width, i / width));
        }
        s
    }
    fn scaled(s: &Sheet, sx: (f64, f64), sy: (f64, f64)) -> (Sheet, (i64, i64)) {
        let mut out = Sheet::default();
        let axis = |(scale, origin)| Axis { scale, origin };
        let ((left, w), (top, h)) = (axis(sx).reach(s.width), axis(sy).reach(s.height));
        let clip = Clip { x0: left, y0: top, x1: left + w as i64, y1: top + h as i64 };
        resample(s, &mut out, &mut Scratch::default(), axis(sx), axis(sy), clip);
        (out, (left, top))
    }

    #[test]
    fn at_its_own_size_nothing_changes() {
        let s = sheet(13, 7, |x, y| [x as u8 * 9, y as u8 * 20, 5, 255]);
        assert_eq!(scaled(&s, (1.0, 4.0), (1.0, -2.0)), (s, (4, -2)));
    }
    #[test]
    fn half_a_pixel_to_the_right() {
        let s = sheet(2, 1, |_, _| [200, 100, 0, 200]);
        let (out, at) = scaled(&s, (1.0, 0.5), (1.0, 0.0));
        assert_eq!((out.width, at), (3, (0, 0)));
        let alphas: Vec<u8> = out.rgba.chunks_exact(4).map(|p| p[3]).collect();
        assert_eq!(alphas, [100, 200, 100]);
    }
    #[test]
    fn a_fine_pattern_becomes_its_mean_when_it_shrinks() {
        let s = sheet(64, 64, |x, y| if (x + y) % 2 == 0 { [255; 4] } else { [0, 0, 0, 255] });
        let (out, _) = scaled(&s, (0.23, 0.0), (0.31, 0.0));
        for (i, px) in out.rgba.chunks_exact(4).enumerate() {
            let edge = i % out.width == out.width - 1 || i / out.width == out.height - 1;
            assert!(edge || px[0].abs_diff(128) < 12, "{px:?} at {i}");
        }
    }
    #[test]
    fn mirrored() {
        let s = sheet(5, 1, |x, _| [x as u8 * 10, 0, 0, 255]);
        let (out, at) = scaled(&s, (-1.0, 5.0), (1.0, 0.0));
        assert_eq!((at, out.rgba[0], out.rgba[16]), ((0, 0), 40, 0));
    }
    proptest! {
        /// A picture of one colour stays of that colour inside, and its area is the area it should have.
        #[test]
        fn flat_colours_stay_flat(w in 1usize..20, h in 1usize..20, sx in 0.05..4.0f64, sy in 0.05..4.0f64, ox in -3.0..3.0f64, oy in -3.0..3.0f64) {
            let s = sheet(w, h, |_, _| [180, 90, 30, 240]);
            let (out, at) = scaled(&s, (sx, ox), (sy, oy));
            let area: f64 = out.rgba.chunks_exact(4).map(|p| f64::from(p[3]) / 240.0).sum();
            let want = w as f64 * sx * h as f64 * sy;
            prop_assert!((area - want).abs() < 0.05 + want * 0.01 + 0.004 * (out.width + out.height) as f64, "{area} for {want}");
            for (i, px) in out.rgba.chunks_exact(4).enumerate() {
                prop_assert!(px[..3].iter().all(|c| *c <= px[3]));
                let (x, y) = ((at.0 + (i % out.width) as i64) as f64, (at.1 + (i / out.width) as i64) as f64);
                if x >= ox && y >= oy && x + 1.0 <= ox + w as f64 * sx && y + 1.0 <= oy + h as f64 * sy {
                    prop_assert_eq!(px, [180, 90, 30, 240]);
                }
            }
        }
        /// The second pass against its sum in wide integers.
        #[test]
        fn every_instruction_set_goes_across_the_same(line in proptest::collection::vec(0i32..(255 << 14), 40), cut in 1usize..9) {
            let spans = [(0, 0), (cut, 2), (9, 3)];
            let weights = [ONE / 3, ONE - ONE / 3, ONE, ONE / 2];
            let mut got = vec![0u8; 12];
            kernels::across(&mut line.clone(), &spans, &weights, &mut got);
            let kept: Vec<i64> = line.iter().map(|v| (i64::from(*v) + (1 << 7)) >> 8).collect();
            for (i, (from, start)) in spans.iter().enumerate() {
                let end = spans.get(i + 1).map_or(4, |s| s.1);
                let want: Vec<i64> = (0..4)
                    .map(|c| (*start..end).map(|k| kept[(from + k - start) * 4 + c] * i64::from(weights[k])).sum::<i64>())
                    .map(|s| (s + (1 << 19)) >> 20)
                    .collect();
                for c in 0..4 { prop_assert_eq!(i64::from(got[i * 4 + c]), want[c].min(want[3])); }
            }
        }
        #[test]
        fn every_instruction_set_adds_the_same(row in proptest::collection::vec(any::<u8>(), 1..80), w in 0i32..=ONE) {
            let mut got: Vec<i32> = (0..row.len() as i32).collect();
            kernels::add(&mut got, &row, w);
            for (i, g) in got.iter().enumerate() { prop_assert_eq!(*g, i as i32 + i32::from(row[i]) * w); }
        }
    }
}
