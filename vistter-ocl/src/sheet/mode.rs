//! Blend modes other than normal, on the I420 picture itself.
//!
//! Normal blending is linear, so it gives the same in Y′CbCr as in R′G′B′ and needs no conversion. The other modes are
//! not, and mean something in R′G′B′ only. So here the picture's samples become R′G′B′ (chroma repeated), and only what the
//! mode *changes* of each goes back: a pixel that the layer does not touch keeps its bits, out-of-gamut ones too.

use vistter_core::media::PlaneMut;

use super::Sheet;
use crate::blend::{Clip, Veil};
use crate::model::Blend;
use crate::planes::{U, V, Y};

// BT.709 limited range to R′G′B′ 0 to 255, in 1/65536: 255/219, and 255/224 times the matrix.
const LIGHT: i32 = 76_309;
const RED_V: i32 = 117_489;
const GREEN_U: i32 = -13_975;
const GREEN_V: i32 = -34_925;
const BLUE_U: i32 = 138_438;

/// Blends a sheet whose left top pixel stands at `at`.
pub(crate) fn layer(
    planes: &mut [PlaneMut<'_>; 3],
    sheet: &Sheet,
    (left, top): (i64, i64),
    clip: Clip,
    opacity: u8,
    veil: Option<Veil<'_>>,
    mode: Blend,
) {
    let [luma, u, v] = planes;
    let all = Clip { x0: 0, y0: 0, x1: luma.width as i64, y1: luma.height as i64 };
    let own = Clip { x0: left, y0: top, x1: left + sheet.width as i64, y1: top + sheet.height as i64 };
    let c = clip.and(all).and(own);
    if c.x0 >= c.x1 || c.y0 >= c.y1 || opacity == 0 {
        return;
    }
    for cy in c.y0 >> 1..(c.y1 + 1) >> 1 {
        let (u, v) = (u.row_mut(cy as usize), v.row_mut(cy as usize));
        for cx in c.x0 >> 1..(c.x1 + 1) >> 1 {
            let (cu, cv) = (&mut u[cx as usize], &mut v[cx as usize]);
            let (du, dv) = (i32::from(*cu) - 128, i32::from(*cv) - 128);
            let tint = [RED_V * dv, GREEN_U * du + GREEN_V * dv, BLUE_U * du];
            let mut sum = [0i32; 3];
            for y in (2 * cy).max(c.y0)..(2 * cy + 2).min(c.y1) {
                for x in (2 * cx).max(c.x0)..(2 * cx + 2).min(c.x1) {
                    let at = ((y - top) as usize * sheet.width + (x - left) as usize) * 4;
                    let s = &sheet.rgba[at..at + 4];
                    if s[3] == 0 {
                        continue;
                    }
                    let part = match veil {
                        Some(veil) => veil.at(x as usize, y as usize, opacity),
                        None => opacity,
                    };
                    let d = &mut luma.row_mut(y as usize)[x as usize];
                    let light = LIGHT * (i32::from(*d) - 16);
                    let mut change = [0i32; 3];
                    for i in 0..3 {
                        let below = ((light + tint[i] + (1 << 15)) >> 16).clamp(0, 255);
                        change[i] = i32::from(part) * mode.change(below, i32::from(s[i]), i32::from(s[3]));
                        sum[i] += change[i];
                    }
                    let bright: i64 = (0..3).map(|i| i64::from(Y[i]) * i64::from(change[i])).sum();
                    *d = (i64::from(*d) + rounded(bright, 255)).clamp(0, 255) as u8;
                }
            }
            if sum != [0; 3] {
                let turn = |k: [i64; 3]| rounded((0..3).map(|i| k[i] * i64::from(sum[i])).sum(), 4 * 255);
                *cu = (i64::from(*cu) + turn(U)).clamp(0, 255) as u8;
                *cv = (i64::from(*cv) + turn(V)).clamp(0, 255) as u8;
            }
        }
    }
}

/// `x`/65536/`parts`, rounded to nearest.
fn rounded(x: i64, parts: i64) -> i64 {
    let d = parts << 16;
    (x + d / 2).div_euclid(d)
}

impl Blend {
    /// What the mode changes of an opaque colour below, for a premultiplied one above. The modes are such that no
    /// division by alpha is needed.
    fn change(self, below: i32, s: i32, a: i32) -> i32 {
        let product = |x: i32, y: i32| {
            let v = x * y + 128;
            (v + (v >> 8)) >> 8
        };
        let part = product(below, a);
        let mixed = match self {
            Self::Normal => s,
            Self::Multiply => product(below, s),
            Self::Screen => part + s - product(below, s),
            Self::Overlay if below < 128 => product(2 * below, s),
            Self::Overlay => {
                let b = 2 * below - 255;
                product(b, a) + s - product(b, s)
            }
            Self::Add => (part + s).min(a),
            Self::Darken => part.min(s),
            Self::Lighten => part.max(s),
        };
        mixed - part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vistter_core::media::FramePool;

    const WHOLE: Clip = Clip { x0: -100, y0: -100, x1: 100, y1: 100 };

    #[test]
    fn white_multiplied_and_black_screened_change_nothing() {
        for (mode, px) in [(Blend::Multiply, [255; 4]), (Blend::Screen, [0, 0, 0, 255]), (Blend::Add, [0, 0, 0, 255])] {
            let mut buf = FramePool::new(6, 4, 1).unwrap().take();
            buf.fill([3, 250, 9]); // no colour there is
            let before: Vec<Vec<u8>> = (0..3).map(|i| buf.plane(i).data.to_vec()).collect();
            let sheet = Sheet { width: 3, height: 3, rgba: px.repeat(9) };
            layer(&mut buf.planes_mut(), &sheet, (1, 1), WHOLE, 255, None, mode);
            for (i, old) in before.iter().enumerate() {
                assert_eq!(buf.plane(i).data, old, "{mode:?}");
            }
        }
    }
    #[test]
    fn grey_times_grey() {
        let mut buf = FramePool::new(4, 4, 1).unwrap().take();
        buf.fill([126, 128, 128]); // (126 - 16) / 219 = 0.502
        let sheet = Sheet { width: 4, height: 2, rgba: [128, 128, 128, 255].repeat(8) };
        layer(&mut buf.planes_mut(), &sheet, (0, 0), WHOLE, 255, None, Blend::Multiply);
        assert_eq!((buf.plane(0).row(1)[3], buf.plane(0).row(2)[0], buf.plane(1).row(0)[0]), (71, 126, 128));
        // red on grey, added: Y + 0.2126·219/2
        let sheet = Sheet { width: 4, height: 4, rgba: [128, 0, 0, 255].repeat(16) };
        buf.fill([126, 128, 128]);
        layer(&mut buf.planes_mut(), &sheet, (0, 0), WHOLE, 255, None, Blend::Add);
        assert!(buf.plane(0).row(0)[0].abs_diff(149) <= 1 && buf.plane(2).row(0)[0] > 175);
    }
    proptest! {
        /// Against the W3C's formula in floating point, over a grey picture, where chroma says nothing.
        #[test]
        fn brightness_is_what_the_standard_says(y in 16u8..=235, s in any::<[u8; 2]>(), o in any::<u8>(), m in 1usize..7) {
            let (s, a) = (s[0].min(s[1]), s[1]);
            let mode = Blend::parse(Blend::NAMES[m]).unwrap();
            let mut buf = FramePool::new(2, 2, 1).unwrap().take();
            buf.fill([y, 128, 128]);
            let sheet = Sheet { width: 2, height: 2, rgba: [s, s, s, a].repeat(4) };
            layer(&mut buf.planes_mut(), &sheet, (0, 0), WHOLE, o, None, mode);
            let (cb, alpha) = ((f64::from(y) - 16.0) / 219.0, f64::from(a) / 255.0);
            let cs = if a == 0 { 0.0 } else { f64::from(s) / f64::from(a) };
            let b = match mode {
                Blend::Multiply => cb * cs,
                Blend::Screen => cb + cs - cb * cs,
                Blend::Overlay => if cb < 0.5 { 2.0 * cb * cs } else { 2.0 * cb - 1.0 + cs - (2.0 * cb - 1.0) * cs },
                Blend::Add => (cb + cs).min(1.0),
                Blend::Darken => cb.min(cs),
                _ => cb.max(cs),
            };
            let want = f64::from(y) + 219.0 * alpha * f64::from(o) / 255.0 * (b - cb);
            prop_assert!((f64::from(buf.plane(0).row(0)[0]) - want).abs() < 2.6, "{mode:?} {} for {want}", buf.plane(0).row(0)[0]);
            prop_assert!(buf.plane(1).row(0)[0] == 128 && buf.plane(2).row(0)[0] == 128);
        }
    }
}
