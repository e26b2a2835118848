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
    let (step_x, step_y) = (fixed(cos), fixed(-sin));
    let (wide, high) = (fixed(w), fixed(h));
    let half = 1i64 << (FINE - 1);
    let one = 1i64 << FINE;
    for (row, line) in out.rgba.chunks_exact_mut(width * 4).enumerate() {
        let (x, y) = (clip.x0 as f64 + 0.5 - t.to[0], (clip.y0 + row as i64) as f64 + 0.5 - t.to[1]);
        let mut u = fixed(x * cos + y * sin + t.pivot[0]);
        let mut v = fixed(y * cos - x * sin + t.pivot[1]);
        for px in line.chunks_exact_mut(4) {
            // how far inside each edge, from half a pixel out (0) to half a pixel in (1)
            let inside = |d: i64| (d + half).clamp(0, one);
            let cover = (inside(u) * inside(wide - u)) >> FINE;
            let cover = (cover * ((inside(v) * inside(high - v)) >> FINE)) >> FINE;
            if cover > 0 {
                sample(source, u - half, v - half, cover as u32, px);
            }
            u += step_x;
            v += step_y;
        }
    }
}

/// The four pixels round a place, weighed; `cover` of 65536 of them.
fn sample(s: &Sheet, u: i64, v: i64, cover: u32, out: &mut [u8]) {
    let (x, y) = (u >> FINE, v >> FINE);
    let (fx, fy) = (((u >> 8) & 255) as u32, ((v >> 8) & 255) as u32);
    let (last_x, last_y) = (s.width as i64 - 1, s.height as i64 - 1);
    let at = |x: i64, y: i64| {
        let i = (y.clamp(0, last_y) as usize * s.width + x.clamp(0, last_x) as usize) * 4;
        &s.rgba[i..i + 4]
    };
    let (a, b, c, d) = (at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1));
    for i in 0..4 {
        let above = u32::from(a[i]) * (256 - fx) + u32::from(b[i]) * fx;
        let below = u32::from(c[i]) * (256 - fx) + u32::from(d[i]) * fx;
        let value = above * (256 - fy) + below * fy; // at most 255·2¹⁶
        out[i] = ((u64::from(value) * u64::from(cover) + (1 << 31)) >> 32) as u8;
    }
    let alpha = out[3];
    for c in &mut out[..3] {
        *c = (*c).min(alpha);
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
