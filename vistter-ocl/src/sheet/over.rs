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
        match mode {
            Blend::Normal => normal(to, from, opacity),
            _ => mixed(to, from, opacity, mode),
        }
    }
}

/// ⌊x/255⌉ for x up to 255·255.
#[inline(always)]
fn div255(x: u32) -> u32 {
    let x = x + 128;
    (x + (x >> 8)) >> 8
}

fn normal(to: &mut [u8], from: &[u8], opacity: u8) {
    let o = u32::from(opacity);
    for (d, s) in to.chunks_exact_mut(4).zip(from.chunks_exact(4)) {
        match s[3] {
            0 => {}
            255 if opacity == 255 => d.copy_from_slice(s),
            a => {
                let rest = 255 - div255(u32::from(a) * o);
                for (d, s) in d.iter_mut().zip(s) {
                    *d = div255(u32::from(*s) * o + u32::from(*d) * rest) as u8;
                }
            }
        }
    }
}

/// W3C Compositing §5: where both are, the mode says the colour; where one is, that one's.
fn mixed(to: &mut [u8], from: &[u8], opacity: u8, mode: Blend) {
    for (d, s) in to.chunks_exact_mut(4).zip(from.chunks_exact(4)) {
        let (a_s, a_d) = (u32::from(s[3]), u32::from(d[3]));
        if a_s == 0 {
            continue;
        }
        let part = div255(a_s * u32::from(opacity));
        for i in 0..3 {
            let source = straight(s[i], a_s);
            let mixed = if a_d == 0 { source } else { mode.mix(straight(d[i], a_d), source) };
            // the source's colour, as far as there is nothing below, and the mixed one, as far as there is
            let color = div255(u32::from(source) * (255 - a_d) + u32::from(mixed) * a_d);
            d[i] = div255(color * part + u32::from(d[i]) * (255 - part)) as u8;
        }
        let alpha = part + div255(a_d * (255 - part));
        d[3] = alpha.min(255) as u8;
        for i in 0..3 {
            d[i] = d[i].min(d[3]);
        }
    }
}

/// A premultiplied colour without its alpha, which is above 0.
fn straight(c: u8, alpha: u32) -> u8 {
    ((u32::from(c) * 255 + alpha / 2) / alpha).min(255) as u8
}

impl Blend {
    /// The colour of a mode where both pictures are opaque, gamma-encoded, 0 to 255.
    #[inline(always)]
    pub(crate) fn mix(self, below: u8, above: u8) -> u8 {
        let (b, s) = (i32::from(below), i32::from(above));
        self.mix_wide(b, s) as u8
    }

    /// [`Blend::mix`] for vector code.
    #[inline(always)]
    pub(crate) fn mix_wide(self, b: i32, s: i32) -> i32 {
        let product = |x: i32, y: i32| {
            let v = x * y + 128;
            (v + (v >> 8)) >> 8
        };
        match self {
            Self::Normal => s,
            Self::Multiply => product(b, s),
            Self::Screen => b + s - product(b, s),
            // hard light with the two exchanged (§10.1.4)
            Self::Overlay => {
                if b < 128 {
                    product(2 * b, s)
                } else {
                    let b = 2 * b - 255;
                    b + s - product(b, s)
                }
            }
            Self::Add => (b + s).min(255),
            Self::Darken => b.min(s),
            Self::Lighten => b.max(s),
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
