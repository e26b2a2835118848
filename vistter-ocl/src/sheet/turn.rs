//! Rotation, bilinear on premultiplied values. A target pixel at the edge gets as much as the turned picture covers of it,
//! so edges are smooth at any angle.

use super::Sheet;
use crate::blend::Clip;
use crate::exact::{cos_turns, sin_turns};
use crate::limits::MAX_LAYER_PIXELS;

/// A turned picture: the point `pivot` of the source comes to stand at `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Turn {
    /// Degrees, clockwise.
    pub(crate) degrees: f64,
    /// In source pixels.
    pub(crate) pivot: [f64; 2],
    /// In target pixels.
    pub(crate) to: [f64; 2],
    /// Width and height of what of the source counts; the rest of its pixels is rounding.
    pub(crate) size: [f64; 2],
}

/// Bits after the point of a place in the source.
const FINE: u32 = 16;
const UNIT: f64 = 65_536.0;

impl Turn {
    /// The target pixels it touches.
    pub(crate) fn reach(&self) -> Clip {
        let (sin, cos) = (sin_turns(self.degrees / 360.0), cos_turns(self.degrees / 360.0));
        let [w, h] = self.size;
        let corner = |x: f64, y: f64| {
            let (dx, dy) = (x - self.pivot[0], y - self.pivot[1]);
            [self.to[0] + dx * cos - dy * sin, self.to[1] + dx * sin + dy * cos]
        };
        let corners = [corner(0.0, 0.0), corner(w, 0.0), corner(0.0, h), corner(w, h)];
        let least = |i: usize| corners.iter().map(|c| c[i]).fold(f64::INFINITY, f64::min);
        let greatest = |i: usize| corners.iter().map(|c| c[i]).fold(f64::NEG_INFINITY, f64::max);
        // one more all round for the soft edge
        Clip {
            x0: least(0).floor() as i64 - 1,
            y0: least(1).floor() as i64 - 1,
            x1: greatest(0).ceil() as i64 + 1,
            y1: greatest(1).ceil() as i64 + 1,
        }
    }
}

/// Draws what of `source` falls into the target pixels of `clip` into `out`, whose left top pixel is that of `clip`.
pub(crate) fn turn(source: &Sheet, out: &mut Sheet, t: Turn, clip: Clip) {
    let (sin, cos) = (sin_turns(t.degrees / 360.0), cos_turns(t.degrees / 360.0));
    let [w, h] = t.size;
    let (width, height) = clip.size();
    if source.rgba.is_empty() || width.saturating_mul(height) > MAX_LAYER_PIXELS as usize || width * height == 0 {
        out.reset(0, 0);
        return;
    }
    out.reset(width, height);
    // Places in the source in whole 1/65536 pixels, so that a row is walked by addition without error.
    let fixed = |v: f64| (v * UNIT).round() as i64;
    let walk = Walk { step: (fixed(cos), fixed(-sin)), size: (fixed(w), fixed(h)) };
    for (row, line) in out.rgba.chunks_exact_mut(width * 4).enumerate() {
        // counted from the target's own column 0, so that a part of a picture is that part of the whole
        let (x, y) = (0.5 - t.to[0], (clip.y0 + row as i64) as f64 + 0.5 - t.to[1]);
        let u = fixed(x * cos + y * sin + t.pivot[0]) + walk.step.0 * clip.x0;
        let v = fixed(y * cos - x * sin + t.pivot[1]) + walk.step.1 * clip.x0;
        // what the row has of the picture, and half a pixel beyond
        let (along, down) = (span(u, walk.step.0, walk.size.0, width), span(v, walk.step.1, walk.size.1, width));
        let (from, to) = (along.0.max(down.0), along.1.min(down.1));
        if from < to {
            let at = (u + walk.step.0 * from as i64, v + walk.step.1 * from as i64);
            kernels::row(&source.rgba, (source.width, source.height), &mut line[from * 4..to * 4], at, &walk);
        }
    }
}

/// How a row is walked through the source, in 1/65536 pixels.
#[derive(Clone, Copy, Debug)]
struct Walk {
    step: (i64, i64),
    size: (i64, i64),
}

/// The steps 0 to `n` at which a place that starts at `at` is within half a pixel of 0 to `size`; or one more each way.
fn span(at: i64, step: i64, size: i64, n: usize) -> (usize, usize) {
    let half = 1i64 << (FINE - 1);
    let (lo, hi) = (-half - at, size + half - at);
    let (from, to) = match step {
        0 if lo < 0 && hi > 0 => return (0, n),
        0 => return (0, 0),
        s if s > 0 => (lo.div_euclid(s), hi.div_euclid(s) + 1),
        s => (hi.div_euclid(s), lo.div_euclid(s) + 1),
    };
    let inside = |v: i64| usize::try_from(v).unwrap_or(0).min(n);
    (inside(from), inside(to))
}

/// See `blend.rs` for what `multiversion` does and why it may.
#[allow(unsafe_code)]
mod kernels {
    use super::{FINE, Walk};
    use multiversion::multiversion;

    /// Draws a row of target pixels, whose places in the source start at `at`.
    #[multiversion(targets = "simd")]
    pub(super) fn row(source: &[u8], size: (usize, usize), line: &mut [u8], at: (i64, i64), walk: &Walk) {
        let (half, one) = (1i64 << (FINE - 1), 1i64 << FINE);
        let (mut u, mut v) = at;
        let (wide, high) = walk.size;
        let (last_x, last_y) = (size.0 as i64 - 1, size.1 as i64 - 1);
        for px in line.chunks_exact_mut(4) {
            // how far inside each edge, from half a pixel out (0) to half a pixel in (1)
            let inside = |d: i64| (d + half).clamp(0, one);
            let cover = (inside(u) * inside(wide - u)) >> FINE;
            let cover = (cover * ((inside(v) * inside(high - v)) >> FINE)) >> FINE;
            if cover > 0 {
                let (su, sv) = (u - half, v - half);
                let (x, y) = (su >> FINE, sv >> FINE);
                let (fx, fy) = (((su >> 8) & 255) as u32, ((sv >> 8) & 255) as u32);
                let (left, right) = (x.clamp(0, last_x) as usize, (x + 1).clamp(0, last_x) as usize);
                let (top, low) = (y.clamp(0, last_y) as usize * size.0, (y + 1).clamp(0, last_y) as usize * size.0);
                // the four pixels round the place
                let get = |i: usize| -> [u32; 4] {
                    let px = &source[i * 4..i * 4 + 4];
                    [u32::from(px[0]), u32::from(px[1]), u32::from(px[2]), u32::from(px[3])]
                };
                let (a, b, c, d) = (get(top + left), get(top + right), get(low + left), get(low + right));
                let mut value = [0u32; 4];
                for i in 0..4 {
                    let above = a[i].wrapping_mul(256 - fx).wrapping_add(b[i].wrapping_mul(fx));
                    let below = c[i].wrapping_mul(256 - fx).wrapping_add(d[i].wrapping_mul(fx));
                    // at most 255·2¹⁶
                    value[i] = above.wrapping_mul(256 - fy).wrapping_add(below.wrapping_mul(fy));
                }
                if cover < one {
                    for v in &mut value {
                        *v = ((u64::from(*v) * cover as u64) >> FINE) as u32;
                    }
                }
                let out = value.map(|v| ((v + (1 << 15)) >> 16) as u8);
                px.copy_from_slice(&[out[0].min(out[3]), out[1].min(out[3]), out[2].min(out[3]), out[3]]);
            }
            u += walk.step.0;
            v += walk.step.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbered(width: usize, height: usize) -> Sheet {
        let mut s = Sheet::default();
        s.reset(width, height);
        for (i, px) in s.rgba.chunks_exact_mut(4).enumerate() {
            px.copy_from_slice(&[i as u8 * 3, i as u8, 0, 255]);
        }
        s
    }
    fn turned(s: &Sheet, degrees: f64, pivot: [f64; 2], to: [f64; 2]) -> (Sheet, (i64, i64)) {
        let mut out = Sheet::default();
        let size = [s.width as f64, s.height as f64];
        let t = Turn { degrees, pivot, to, size };
        turn(s, &mut out, t, t.reach());
        (out, (t.reach().x0, t.reach().y0))
    }

    #[test]
    fn by_quarters_nothing_is_lost() {
        let s = numbered(5, 3);
        let red = |o: &Sheet, x: i64, y: i64, at: (i64, i64)| {
            let (x, y) = ((x - at.0) as usize, (y - at.1) as usize);
            (o.rgba[(y * o.width + x) * 4], o.rgba[(y * o.width + x) * 4 + 3])
        };
        for (degrees, place) in [
            (0.0, (|x, y| (x, y)) as fn(i64, i64) -> (i64, i64)),
            (90.0, |x, y| (-1 - y, x)),
            (180.0, |x, y| (-1 - x, -1 - y)),
            (-90.0, |x, y| (y, -1 - x)),
            (450.0, |x, y| (-1 - y, x)),
        ] {
            let (out, at) = turned(&s, degrees, [0.0, 0.0], [0.0, 0.0]);
            for y in 0..3 {
                for x in 0..5 {
                    let (tx, ty) = place(x, y);
                    let i = (y * 5 + x) as u8;
                    assert_eq!(red(&out, tx, ty, at), (i * 3, 255), "{degrees}: {x} {y}");
                }
            }
            assert_eq!(out.rgba.chunks_exact(4).filter(|p| p[3] > 0).count(), 15, "{degrees}");
        }
    }
    proptest! {
        /// Whatever part of the target is asked for, it is that part of the whole; and no pixel that has some of the picture
        /// is left out.
        #[test]
        fn a_part_is_a_part_of_the_whole(degrees in -400.0..400.0f64, cut in (-9i64..9, -9i64..9, 1i64..12, 1i64..12)) {
            let s = numbered(9, 7);
            let t = Turn { degrees, pivot: [4.0, 3.0], to: [0.3, 0.6], size: [9.0, 7.0] };
            let (mut whole, mut part) = (Sheet::default(), Sheet::default());
            let far = Clip { x0: -20, y0: -20, x1: 20, y1: 20 };
            turn(&s, &mut whole, t, far);
            let clip = Clip { x0: cut.0, y0: cut.1, x1: cut.0 + cut.2, y1: cut.1 + cut.3 };
            turn(&s, &mut part, t, clip);
            for (i, px) in part.rgba.chunks_exact(4).enumerate() {
                let (x, y) = ((cut.0 + i as i64 % cut.2 + 20) as usize, (cut.1 + i as i64 / cut.2 + 20) as usize);
                prop_assert_eq!(px, &whole.rgba[(y * 40 + x) * 4..][..4]);
            }
            let reach = t.reach();
            for (i, px) in whole.rgba.chunks_exact(4).enumerate() {
                let (x, y) = (i as i64 % 40 - 20, i as i64 / 40 - 20);
                let inside = x >= reach.x0 && x < reach.x1 && y >= reach.y0 && y < reach.y1;
                prop_assert!(inside || px[3] == 0);
            }
        }
        #[test]
        fn area_is_kept_and_colour_does_not_bleed(w in 3usize..20, h in 3usize..20, degrees in -400.0..400.0f64, to in (-5.0..5.0f64, -5.0..5.0f64)) {
            let mut s = Sheet::default();
            s.reset(w, h);
            for px in s.rgba.chunks_exact_mut(4) { px.copy_from_slice(&[200, 100, 0, 200]); }
            let (out, _) = turned(&s, degrees, [w as f64 / 2.0, h as f64 / 2.0], [to.0, to.1]);
            let area: f64 = out.rgba.chunks_exact(4).map(|p| f64::from(p[3]) / 200.0).sum();
            let want = (w * h) as f64;
            prop_assert!((area - want).abs() < 0.5 + (w + h) as f64 * 0.08, "{area} for {want}");
            for px in out.rgba.chunks_exact(4) {
                prop_assert!(px[2] == 0 && u32::from(px[0]).abs_diff(u32::from(px[3])) < 2, "{:?}", px);
            }
        }
    }
}
