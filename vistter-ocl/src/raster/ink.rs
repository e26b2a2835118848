//! Coverage: what glyphs leave on a plane before it gets a colour, so that an outline, a shadow and the text itself can
//! be laid over each other.

use super::Raster;

/// One byte of coverage a pixel, as large as the raster it is meant for. Its memory is reused.
#[derive(Debug, Default)]
pub(crate) struct Ink {
    width: usize,
    cover: Vec<u8>,
    /// The outline being made.
    wide: Vec<u8>,
    /// The radius that `wide` is for.
    widened: Option<f64>,
}

impl Ink {
    /// Empties it to `width` × `height`.
    pub(crate) fn reset(&mut self, width: usize, height: usize) {
        self.width = width;
        self.widened = None;
        self.cover.clear();
        self.cover.resize(width * height, 0);
    }

    /// Adds a glyph's coverage whose left top pixel stands at `at`; what stands outside is cut. Overlapping glyphs add
    /// up, as strokes of one pen do.
    pub(crate) fn add(&mut self, (left, top): (i64, i64), width: usize, data: &[u8]) {
        if width == 0 || self.width == 0 {
            return;
        }
        self.widened = None;
        for (row, line) in data.chunks_exact(width).enumerate() {
            let Ok(y) = usize::try_from(top + row as i64) else { continue };
            let Some(out) = self.cover.get_mut(y * self.width..(y + 1) * self.width) else { break };
            for (col, c) in line.iter().enumerate() {
                let Ok(x) = usize::try_from(left + col as i64) else { continue };
                if let Some(o) = out.get_mut(x) {
                    *o = o.saturating_add(*c);
                }
            }
        }
    }

    /// Lays the coverage in one colour over the raster, moved by `shift`.
    pub(crate) fn lay(&self, out: &mut Raster, shift: (i64, i64), rgba: [u8; 4]) {
        lay(&self.cover, self.width, out, shift, rgba);
    }

    /// Lays the coverage, `radius` pixels wider all round, over the raster.
    pub(crate) fn lay_wide(&mut self, out: &mut Raster, radius: f64, shift: (i64, i64), rgba: [u8; 4]) {
        if self.widened != Some(radius) {
            self.widen(radius);
            self.widened = Some(radius);
        }
        lay(&self.wide, self.width, out, shift, rgba);
    }

    /// The greatest coverage within `radius` of each pixel, fading out over the last pixel. One pass over the rows for
    /// each point of the pen: the inner loop is plain enough to become vector code, which beats visiting only the edges.
    fn widen(&mut self, radius: f64) {
        let (w, cover) = (self.width, &self.cover);
        self.wide.clear();
        self.wide.extend_from_slice(cover);
        if w == 0 {
            return;
        }
        let h = cover.len() / w;
        let reach = radius.ceil() as i64;
        for (dx, dy) in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy))) {
            let far = ((dx * dx + dy * dy) as f64).sqrt();
            let weight = ((radius + 0.5 - far).clamp(0.0, 1.0) * f64::from(WHOLE)).round() as u16;
            let (sx, sy, ox, oy) = (back(dx), back(dy), back(-dx), back(-dy));
            if weight == 0 || sx.max(ox) >= w || sy.max(oy) >= h {
                continue;
            }
            for y in 0..h - sy.max(oy) {
                let from = &cover[(y + sy) * w + sx..(y + sy + 1) * w - ox];
                let to = &mut self.wide[(y + oy) * w + ox..(y + oy + 1) * w - sx];
                match weight {
                    WHOLE => kernels::most(to, from),
                    _ => kernels::most_of(to, from, weight),
                }
            }
        }
    }
}

/// Pixels that are looked at together, whether there is anything.
const SOME: usize = 16;
/// All of a coverage.
const WHOLE: u16 = 256;

/// The loops that run over every pixel; see `blend/kernels.rs` for what `multiversion` does and why it may.
#[allow(unsafe_code)]
mod kernels {
    use multiversion::multiversion;

    /// The greater of two.
    #[multiversion(targets = "simd")]
    pub(super) fn most(to: &mut [u8], from: &[u8]) {
        for (o, c) in to.iter_mut().zip(from) {
            *o = (*o).max(*c);
        }
    }

    /// The same with so many 256ths of the other one.
    #[multiversion(targets = "simd")]
    pub(super) fn most_of(to: &mut [u8], from: &[u8], weight: u16) {
        for (o, c) in to.iter_mut().zip(from) {
            // 255·256 + 128 fits; wrapping, because a check would keep the loop from becoming vector code
            let v = (u16::from(*c).wrapping_mul(weight).wrapping_add(128) >> 8) as u8;
            *o = (*o).max(v);
        }
    }
}

/// How far a source begins behind a target that is moved by `d`.
fn back(d: i64) -> usize {
    usize::try_from(-d).unwrap_or(0)
}

fn lay(cover: &[u8], width: usize, out: &mut Raster, (dx, dy): (i64, i64), rgba: [u8; 4]) {
    if width == 0 || out.width == 0 {
        return;
    }
    // of rows and of columns: where the first one comes from, and where it goes
    let (x, ox, y, oy) = (back(dx), back(-dx), back(dy), back(-dy));
    let rows = cover.chunks_exact(width).skip(y).zip(out.rgba.chunks_exact_mut(out.width * 4).skip(oy));
    for (line, pixels) in rows {
        let (line, pixels) = (line.get(x..).unwrap_or_default(), pixels.get_mut(ox * 4..).unwrap_or_default());
        for (some, pixels) in line.chunks(SOME).zip(pixels.chunks_mut(SOME * 4)) {
            // most of a text is none
            if some.iter().fold(0, |any, c| any | c) == 0 {
                continue;
            }
            for (c, px) in some.iter().zip(pixels.as_chunks_mut::<4>().0) {
                let alpha = ((u32::from(*c) * u32::from(rgba[3]) + 127) / 255) as u8;
                over(px, [rgba[0], rgba[1], rgba[2], alpha]);
            }
        }
    }
}

/// Puts a straight-alpha colour over a straight-alpha pixel; integers, rounded to nearest.
#[inline]
pub(crate) fn over(px: &mut [u8], [r, g, b, a]: [u8; 4]) {
    const FULL: u32 = 255 * 255;
    // what comes out without dividing is the same
    match (px[3], a) {
        (_, 0) => return,
        (0, _) | (_, 255) => return px.copy_from_slice(&[r, g, b, a]),
        _ => {}
    }
    let (above, below) = (u32::from(a) * 255, u32::from(px[3]) * (255 - u32::from(a)));
    let alpha = above + below;
    for (p, c) in px.iter_mut().zip([r, g, b]) {
        let sum = u32::from(c) * above + u32::from(*p) * below;
        *p = if alpha == FULL { (sum + FULL / 2) / FULL } else { (sum + alpha / 2) / alpha } as u8;
    }
    px[3] = ((alpha + 127) / 255) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dot(side: usize) -> Ink {
        let mut ink = Ink::default();
        ink.reset(side, side);
        ink.add((side as i64 / 2, side as i64 / 2), 1, &[255]);
        ink
    }

    #[test]
    fn an_outline_of_a_dot_is_a_disc() {
        let mut ink = dot(21);
        let mut r = Raster::default();
        r.reset(21, 21);
        ink.lay_wide(&mut r, 6.0, (0, 0), [255; 4]);
        let alpha = |x: usize, y: usize| f64::from(r.rgba[(y * 21 + x) * 4 + 3]);
        let area: f64 = (0..441).map(|i| alpha(i % 21, i / 21) / 255.0).sum();
        assert!((area - std::f64::consts::PI * 36.0).abs() < 4.0, "{area}");
        for (x, y) in (0..21).flat_map(|y| (0..21).map(move |x| (x, y))) {
            assert_eq!(alpha(x, y), alpha(20 - x, y));
            assert_eq!(alpha(x, y), alpha(y, x));
        }
    }
    #[test]
    fn what_stands_outside_is_cut() {
        let mut ink = Ink::default();
        ink.reset(4, 3);
        ink.add((-1, -1), 3, &[255; 9]);
        ink.add((3, 2), 2, &[255; 4]);
        ink.add((0, 99), 2, &[255; 4]);
        ink.add((0, 0), 0, &[]);
        let mut r = Raster::default();
        r.reset(4, 3);
        ink.lay(&mut r, (-2, 9), [1, 2, 3, 4]);
        ink.lay(&mut r, (1, 0), [9, 9, 9, 255]);
        assert_eq!(r.rgba.chunks_exact(4).filter(|p| p[3] == 255).count(), 4);
        Ink::default().lay_wide(&mut r, 3.0, (0, 0), [1; 4]);
    }
    proptest! {
        #[test]
        fn over_is_what_the_formula_says(px in any::<[u8; 4]>(), c in any::<[u8; 4]>()) {
            let mut got = px;
            over(&mut got, c);
            let (a, b) = (f64::from(c[3]) / 255.0, f64::from(px[3]) / 255.0 * (1.0 - f64::from(c[3]) / 255.0));
            prop_assert!((f64::from(got[3]) / 255.0 - (a + b)).abs() < 0.003);
            if a + b > 0.0 {
                for i in 0..3 {
                    let want = (f64::from(c[i]) * a + f64::from(px[i]) * b) / (a + b);
                    prop_assert!((f64::from(got[i]) - want).abs() < 0.51);
                }
            }
            // by the formula alone, which the shortcuts leave out
            let (above, below) = (u32::from(c[3]) * 255, u32::from(px[3]) * (255 - u32::from(c[3])));
            if above + below > 0 {
                let mix = |i: usize| (u32::from(c[i]) * above + u32::from(px[i]) * below + (above + below) / 2) / (above + below);
                prop_assert_eq!(got.map(u32::from), [mix(0), mix(1), mix(2), (above + below + 127) / 255]);
            } else {
                prop_assert_eq!(got, px);
            }
            let mut opaque = px;
            over(&mut opaque, [7, 8, 9, 255]);
            prop_assert_eq!(opaque, [7, 8, 9, 255]);
        }
        /// The same bits as the definition: for each pixel, the greatest of what is around it.
        #[test]
        fn widening_is_what_it_says(cover in proptest::collection::vec(any::<u8>(), 77), radius in 0.0..9.0f64) {
            let mut ink = Ink::default();
            ink.reset(11, 7);
            ink.add((0, 0), 11, &cover);
            ink.widen(radius);
            for (i, got) in ink.wide.iter().enumerate() {
                let (x, y) = ((i % 11) as f64, (i / 11) as f64);
                let near = |(k, c): (usize, &u8)| {
                    let (dx, dy) = ((k % 11) as f64 - x, (k / 11) as f64 - y);
                    let weight = ((radius + 0.5 - (dx * dx + dy * dy).sqrt()).clamp(0.0, 1.0) * 256.0).round() as u32;
                    ((u32::from(*c) * weight + 128) >> 8) as u8
                };
                let want = cover.iter().enumerate().map(near).max().unwrap().max(cover[i]);
                prop_assert_eq!(*got, want);
            }
        }
        #[test]
        fn wider_is_never_less(cover in proptest::collection::vec(any::<u8>(), 64), radius in 0.0..5.0f64) {
            let mut ink = Ink::default();
            ink.reset(8, 8);
            ink.add((0, 0), 8, &cover);
            ink.widen(radius);
            prop_assert!(ink.wide.iter().zip(&cover).all(|(w, c)| w >= c));
        }
    }
}
