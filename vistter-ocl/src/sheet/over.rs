//! Laying one sheet over another.

use super::Sheet;
use crate::model::Blend;

/// Lays `top` over `below`, its left top pixel at `at`; what stands outside is cut.
pub(crate) fn over(below: &mut Sheet, top: &Sheet, (left, top_edge): (i64, i64), opacity: u8, mode: Blend) {
    let x0 = (-left).clamp(0, top.width as i64) as usize;
    let x1 = (below.width as i64 - left).clamp(0, top.width as i64) as usize;
    if x0 >= x1 || opacity == 0 {
        return;
    }
    let start = (left + x0 as i64) as usize;
    for row in 0..top.height {
        let y = top_edge + row as i64;
        if y < 0 || y >= below.height as i64 {
            continue;
        }
        let from = &top.rgba[(row * top.width + x0) * 4..(row * top.width + x1) * 4];
        let at = (y as usize * below.width + start) * 4;
        let to = &mut below.rgba[at..at + (x1 - x0) * 4];
        kernels::lay(to.as_chunks_mut().0, from.as_chunks().0, opacity, mode);
    }
}

/// ⌊x/255⌉ for x up to 255·255; of a negative one within 1/255 of that.
#[inline(always)]
pub(super) fn div255(x: i32) -> i32 {
    (x.wrapping_add(128).wrapping_mul(257)) >> 16
}

/// Loops over pixels as whole numbers of 32 bits, one vector lane each; see `blend.rs` for what `multiversion` does and why it
/// may.
#[allow(unsafe_code)]
mod kernels {
    use super::div255;
    use crate::model::Blend;
    use multiversion::multiversion;

    #[multiversion(targets = "simd")]
    pub(super) fn lay(to: &mut [[u8; 4]], from: &[[u8; 4]], opacity: u8, mode: Blend) {
        let o = i32::from(opacity);
        match mode {
            // where there is nothing above nothing changes, so that a group's layers need no runs
            Blend::Normal => each(to, from, |s, a, d, _| {
                let rest = 255i32.wrapping_sub(div255(a.wrapping_mul(o)));
                div255(s.wrapping_mul(o).wrapping_add(d.wrapping_mul(rest)))
            }),
            Blend::Multiply => each(to, from, mixed(Blend::Multiply, o)),
            Blend::Screen => each(to, from, mixed(Blend::Screen, o)),
            Blend::Overlay => each(to, from, mixed(Blend::Overlay, o)),
            Blend::Add => each(to, from, mixed(Blend::Add, o)),
            Blend::Darken => each(to, from, mixed(Blend::Darken, o)),
            Blend::Lighten => each(to, from, mixed(Blend::Lighten, o)),
        }
    }

    /// W3C Compositing §5: where both are, the mode says the colour; where one is, that one's. Rounded once.
    #[inline(always)]
    fn mixed(mode: Blend, opacity: i32) -> impl Fn(i32, i32, i32, i32) -> i32 {
        move |s, a, d, b| {
            let (s, a) = (div255(s.wrapping_mul(opacity)), div255(a.wrapping_mul(opacity)));
            let one = s.wrapping_mul(255i32.wrapping_sub(b)).wrapping_add(d.wrapping_mul(255i32.wrapping_sub(a)));
            div255(one.wrapping_add(mode.mix(s, a, d, b)))
        }
    }

    /// Each colour, and the alpha, becomes what `f` makes of it: of the one above and its alpha, the one below and its alpha.
    #[inline(always)]
    fn each(to: &mut [[u8; 4]], from: &[[u8; 4]], f: impl Fn(i32, i32, i32, i32) -> i32) {
        for (to, from) in to.iter_mut().zip(from) {
            let (d, s) = (u32::from_le_bytes(*to), u32::from_le_bytes(*from));
            let (a, b) = ((s >> 24) as i32, (d >> 24) as i32);
            let one = |at: u32| (f((s >> at & 255) as i32, a, (d >> at & 255) as i32, b) as u32) << at;
            *to = (one(0) | one(8) | one(16) | one(24)).to_le_bytes();
        }
    }
}

impl Blend {
    /// Where both pictures are: the colour that the mode says, times both alphas and 255. From premultiplied colours, `s`
    /// above with alpha `a` and `d` below with alpha `b`, all 0 to 255; the modes are such that nothing needs to be divided.
    #[inline(always)]
    pub(super) fn mix(self, s: i32, a: i32, d: i32, b: i32) -> i32 {
        let (above, below, both) = (s.wrapping_mul(b), d.wrapping_mul(a), s.wrapping_mul(d));
        match self {
            Self::Normal => above,
            Self::Multiply => both,
            Self::Screen => above.wrapping_add(below).wrapping_sub(both),
            // Hard light with the two exchanged (§10.1.4). Both are computed, and one is taken: vectors have no branches.
            Self::Overlay => {
                let far = b.wrapping_sub(d).wrapping_mul(a.wrapping_sub(s));
                let (dark, light) = (both.wrapping_mul(2), a.wrapping_mul(b).wrapping_sub(far.wrapping_mul(2)));
                if d.wrapping_mul(2) <= b { dark } else { light }
            }
            Self::Add => above.wrapping_add(below).min(a.wrapping_mul(b)),
            Self::Darken => above.min(below),
            Self::Lighten => above.max(below),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(px: [u8; 4]) -> Sheet {
        Sheet { width: 1, height: 1, rgba: px.to_vec() }
    }
    const MODES: [Blend; 7] =
        [Blend::Normal, Blend::Multiply, Blend::Screen, Blend::Overlay, Blend::Add, Blend::Darken, Blend::Lighten];

    #[test]
    fn modes_of_opaque_colours() {
        let mix = |m| {
            let mut d = one([200, 100, 50, 255]);
            over(&mut d, &one([100, 200, 50, 255]), (0, 0), 255, m);
            [d.rgba[0], d.rgba[1], d.rgba[2]]
        };
        assert_eq!(
            MODES.map(mix),
            [
                [100, 200, 50],
                [78, 78, 10],
                [222, 222, 90],
                [188, 157, 20],
                [255, 255, 100],
                [100, 100, 50],
                [200, 200, 50]
            ]
        );
    }
    proptest! {
        /// The formula of the W3C's page in floating point.
        #[test]
        fn modes_are_what_the_standard_says(d in any::<[u8; 4]>(), s in any::<[u8; 4]>(), o in any::<u8>(), m in 0usize..7) {
            let pre = |p: [u8; 4]| [p[0].min(p[3]), p[1].min(p[3]), p[2].min(p[3]), p[3]];
            let (d, s) = (pre(d), pre(s));
            let mut got = one(d);
            over(&mut got, &one(s), (0, 0), o, MODES[m]);
            let f = |v: u8| f64::from(v) / 255.0;
            let (ab, a) = (f(d[3]), f(s[3]) * f(o));
            for i in 0..3 {
                let cb = if d[3] == 0 { 0.0 } else { f(d[i]) / f(d[3]) };
                let cs = if s[3] == 0 { 0.0 } else { f(s[i]) / f(s[3]) };
                let b = match MODES[m] {
                    Blend::Normal => cs,
                    Blend::Multiply => cb * cs,
                    Blend::Screen => cb + cs - cb * cs,
                    Blend::Overlay => if cb < 0.5 { 2.0 * cb * cs } else { cb * 2.0 - 1.0 + cs - (cb * 2.0 - 1.0) * cs },
                    Blend::Add => (cb + cs).min(1.0),
                    Blend::Darken => cb.min(cs),
                    Blend::Lighten => cb.max(cs),
                };
                let want = a * ((1.0 - ab) * cs + ab * b) + (1.0 - a) * f(d[i]);
                // twice overlay's slope, and a colour out of little alpha is known to half a step only
                let tolerance = 4.0 / 255.0 + 1.0 / f64::from(d[3].max(1)).max(1.0) * ab * a + a / f64::from(s[3].max(1));
                prop_assert!((f(got.rgba[i]) - want).abs() <= tolerance, "{:?} channel {i}: {} for {}", MODES[m], f(got.rgba[i]), want);
            }
            prop_assert!((f(got.rgba[3]) - (a + ab * (1.0 - a))).abs() < 0.01);
            prop_assert!(got.rgba[..3].iter().all(|c| *c <= got.rgba[3]));
        }
        #[test]
        fn a_row_is_its_pixels(px in proptest::collection::vec(any::<[[u8; 4]; 2]>(), 1..70), o in any::<u8>(), m in 0usize..7) {
            let pre = |p: [u8; 4]| [p[0].min(p[3]), p[1].min(p[3]), p[2].min(p[3]), p[3]];
            let of = |i: usize| px.iter().flat_map(|p| pre(p[i])).collect();
            let mut got = Sheet { width: px.len(), height: 1, rgba: of(0) };
            over(&mut got, &Sheet { width: px.len(), height: 1, rgba: of(1) }, (0, 0), o, MODES[m]);
            for (p, got) in px.iter().zip(got.rgba.chunks_exact(4)) {
                let mut want = one(pre(p[0]));
                over(&mut want, &one(pre(p[1])), (0, 0), o, MODES[m]);
                prop_assert_eq!(&want.rgba[..], got);
            }
        }
        #[test]
        fn nothing_outside_is_touched(at in (-6i64..9, -6i64..9), size in (0usize..5, 0usize..5)) {
            let mut below = Sheet::default();
            below.reset(4, 3);
            let mut top = Sheet::default();
            top.reset(size.0, size.1);
            top.rgba.fill(255);
            over(&mut below, &top, at, 255, Blend::Normal);
            let inside = |x: i64, y: i64| x >= at.0 && y >= at.1 && x < at.0 + size.0 as i64 && y < at.1 + size.1 as i64;
            for (i, px) in below.rgba.chunks_exact(4).enumerate() {
                prop_assert_eq!(px[3] == 255, inside(i as i64 % 4, i as i64 / 4));
            }
        }
    }
}
