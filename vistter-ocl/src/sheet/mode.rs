//! Blend modes other than normal, on the I420 picture itself.
//!
//! Normal blending is linear, so it gives the same in Y′CbCr as in R′G′B′ and needs no conversion. The other modes are
//! not, and mean something in R′G′B′ only. So here the picture's samples become R′G′B′ (chroma repeated), and only what the
//! mode *changes* of each goes back: a pixel that the layer does not touch keeps its bits, out-of-gamut ones too.

use vistter_core::media::PlaneMut;

use super::Sheet;
use crate::blend::{Clip, Veil};
use crate::model::Blend;

// BT.709 limited range to R′G′B′ 0 to 255, in 1/65536: 255/219, and 255/224 times the matrix.
const LIGHT: i32 = 76_309;
const RED_V: i32 = 117_489;
const GREEN_U: i32 = -13_975;
const GREEN_V: i32 = -34_925;
const BLUE_U: i32 = 138_438;

/// Pixels that are computed together, from an even place on; two chroma samples each four.
const PIECE: usize = 64;

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
        for start in (c.x0 & !1..c.x1).step_by(PIECE) {
            let (x0, x1) = (start.max(c.x0), (start + PIECE as i64).min(c.x1));
            let inside = (x0 - start) as usize..(x1 - start) as usize;
            let mut piece = Piece::new();
            let rows = [2 * cy, 2 * cy + 1].map(|y| (c.y0..c.y1).contains(&y).then_some(y));
            for (row, y) in piece.rows.iter_mut().zip(rows) {
                let Some(y) = y else { continue };
                let from = ((y - top) as usize * sheet.width + (x0 - left) as usize) * 4;
                let pixels = sheet.rgba[from..from + inside.len() * 4].as_chunks::<4>().0;
                for (out, px) in row.above[inside.clone()].iter_mut().zip(pixels) {
                    *out = u32::from_le_bytes(*px);
                }
                row.part.fill(opacity);
                if let Some(veil) = veil {
                    veil.parts(x0 as usize, y as usize, opacity, &mut row.part[inside.clone()]);
                }
                row.luma[inside.clone()].copy_from_slice(&luma.row_mut(y as usize)[x0 as usize..x1 as usize]);
            }
            if piece.is_clear() {
                continue;
            }
            let columns = (start >> 1) as usize..((x1 + 1) >> 1) as usize;
            let (u, v) = (&mut u.row_mut(cy as usize)[columns.clone()], &mut v.row_mut(cy as usize)[columns.clone()]);
            piece.chroma[0][..columns.len()].copy_from_slice(u);
            piece.chroma[1][..columns.len()].copy_from_slice(v);
            kernels::blend(&mut piece, mode);
            u.copy_from_slice(&piece.chroma[0][..columns.len()]);
            v.copy_from_slice(&piece.chroma[1][..columns.len()]);
            for (row, y) in piece.rows.iter().zip(rows) {
                if let Some(y) = y {
                    luma.row_mut(y as usize)[x0 as usize..x1 as usize].copy_from_slice(&row.luma[inside.clone()]);
                }
            }
        }
    }
}

/// Two rows of the picture that share their chroma, and what is laid over them. Where nothing is laid, nothing changes.
struct Piece {
    rows: [Row; 2],
    chroma: [[u8; PIECE / 2]; 2],
}

struct Row {
    /// Red in the lowest byte, alpha in the highest.
    above: [u32; PIECE],
    /// How much of it: 0 to 255.
    part: [u8; PIECE],
    luma: [u8; PIECE],
}

impl Piece {
    fn new() -> Self {
        let row = || Row { above: [0; PIECE], part: [0; PIECE], luma: [0; PIECE] };
        Self { rows: [row(), row()], chroma: [[0; PIECE / 2]; 2] }
    }
    fn is_clear(&self) -> bool {
        self.rows.iter().all(|r| r.above.iter().fold(0, |all, px| all | px) >> 24 == 0)
    }
}

/// Whole numbers of 32 bits throughout, which are the same everywhere; see `blend.rs` for what `multiversion` does and why
/// it may. Changes are at most 255·255; half of that times BT.709's factors, which add up to less than 2¹⁶, fits.
#[allow(unsafe_code)]
mod kernels {
    use super::{BLUE_U, GREEN_U, GREEN_V, LIGHT, PIECE, Piece, RED_V, Row};
    use crate::model::Blend;
    use crate::planes::{U, V, Y};
    use crate::sheet::over::div255;
    use multiversion::multiversion;

    #[multiversion(targets = "simd")]
    pub(super) fn blend(piece: &mut Piece, mode: Blend) {
        match mode {
            Blend::Normal => with(piece, Blend::Normal),
            Blend::Multiply => with(piece, Blend::Multiply),
            Blend::Screen => with(piece, Blend::Screen),
            Blend::Overlay => with(piece, Blend::Overlay),
            Blend::Add => with(piece, Blend::Add),
            Blend::Darken => with(piece, Blend::Darken),
            Blend::Lighten => with(piece, Blend::Lighten),
        }
    }

    #[inline(always)]
    fn with(piece: &mut Piece, mode: Blend) {
        let mut tint = [[0i32; PIECE]; 3];
        let [us, vs] = &piece.chroma;
        for (i, (u, v)) in us.iter().zip(vs).enumerate() {
            let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
            let of = [RED_V * v, GREEN_U * u + GREEN_V * v, BLUE_U * u];
            for (t, of) in tint.iter_mut().zip(of) {
                (t[2 * i], t[2 * i + 1]) = (of, of);
            }
        }
        let mut sum = [[0i32; PIECE]; 3];
        for row in &mut piece.rows {
            of_row(row, &tint, &mut sum, mode);
        }
        let [us, vs] = &mut piece.chroma;
        for (i, (u, v)) in us.iter_mut().zip(vs).enumerate() {
            // of four pixels, so an eighth is half of one
            let of = [0, 1, 2].map(|c| (sum[c][2 * i] + sum[c][2 * i + 1] + 4) >> 3);
            let moved = |c: u8, k: [i64; 3]| {
                let change = of[0] * k[0] as i32 + of[1] * k[1] as i32 + of[2] * k[2] as i32;
                (i32::from(c) + share(change)).clamp(0, 255) as u8
            };
            (*u, *v) = (moved(*u, U), moved(*v, V));
        }
    }

    #[inline(always)]
    fn of_row(row: &mut Row, tint: &[[i32; PIECE]; 3], sum: &mut [[i32; PIECE]; 3], mode: Blend) {
        for i in 0..PIECE {
            let light = LIGHT * (i32::from(row.luma[i]) - 16);
            let (px, part) = (row.above[i], i32::from(row.part[i]));
            let alpha = (px >> 24) as i32;
            let mut bright = 0;
            for c in 0..3 {
                let below = ((light + tint[c][i] + (1 << 15)) >> 16).clamp(0, 255);
                let mixed = mode.mix((px >> (8 * c) & 255) as i32, alpha, below, 255);
                let change = part * div255(mixed - below * alpha);
                sum[c][i] += change;
                bright += Y[c] as i32 * ((change + 1) >> 1);
            }
            row.luma[i] = (i32::from(row.luma[i]) + share(bright)).clamp(0, 255) as u8;
        }
    }

    /// `x`/(255·2¹⁵), rounded to nearest.
    #[inline(always)]
    fn share(x: i32) -> i32 {
        div255((x + (1 << 14)) >> 15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::{U, V, Y};
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
    /// The same one pixel after the other, in wide numbers.
    fn slow(planes: &mut [PlaneMut<'_>; 3], sheet: &Sheet, at: (i64, i64), clip: Clip, part: i64, mode: Blend) {
        let div = |x: i64| ((x + 128) * 257) >> 16;
        let share = |x: i64| div((x + (1 << 14)) >> 15);
        let [luma, u, v] = planes;
        for cy in 0..u.height {
            for cx in 0..u.width {
                let tone = [i64::from(u.row_mut(cy)[cx]) - 128, i64::from(v.row_mut(cy)[cx]) - 128];
                let tint = [
                    i64::from(RED_V) * tone[1],
                    i64::from(GREEN_U) * tone[0] + i64::from(GREEN_V) * tone[1],
                    i64::from(BLUE_U) * tone[0],
                ];
                let mut sum = [0i64; 3];
                for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| (2 * cx + x, 2 * cy + y)) {
                    let (sx, sy) = (x as i64 - at.0, y as i64 - at.1);
                    let inside = (clip.x0..clip.x1).contains(&(x as i64)) && (clip.y0..clip.y1).contains(&(y as i64));
                    if !inside
                        || x >= luma.width
                        || y >= luma.height
                        || sx < 0
                        || sy < 0
                        || sx >= sheet.width as i64
                        || sy >= sheet.height as i64
                    {
                        continue;
                    }
                    let px = &sheet.rgba[(sy as usize * sheet.width + sx as usize) * 4..][..4];
                    let d = &mut luma.row_mut(y)[x];
                    let mut bright = 0;
                    for c in 0..3 {
                        let below =
                            ((i64::from(LIGHT) * (i64::from(*d) - 16) + tint[c] + (1 << 15)) >> 16).clamp(0, 255);
                        let mixed = i64::from(mode.mix(px[c].into(), px[3].into(), below as i32, 255));
                        let change = part * div(mixed - below * i64::from(px[3]));
                        sum[c] += change;
                        bright += i64::from(Y[c]) * ((change + 1) >> 1);
                    }
                    *d = (i64::from(*d) + share(bright)).clamp(0, 255) as u8;
                }
                for (p, k) in [(&mut *u, U), (&mut *v, V)] {
                    let change: i64 = (0..3).map(|c| k[c] * ((sum[c] + 4) >> 3)).sum();
                    let d = &mut p.row_mut(cy)[cx];
                    *d = (i64::from(*d) + share(change)).clamp(0, 255) as u8;
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn pieces_are_their_pixels(
            seed in any::<u64>(), (w, h) in (1usize..150, 1usize..7), size in (1u32..140, 1u32..9), at in (-80i64..80, -5i64..7),
            cut in (0i64..40, 0i64..5, 20i64..150, 1i64..9), o in any::<u8>(), m in 1usize..7,
        ) {
            let mode = Blend::parse(Blend::NAMES[m]).unwrap();
            let mut x = seed | 1;
            let mut next = || { x ^= x << 13; x ^= x >> 7; x ^= x << 17; x };
            let mut rgba = Vec::new();
            for _ in 0..w * h {
                let [r, g, b, a, class, ..] = next().to_le_bytes();
                let a = match class & 3 { 0 => 0, 1 => 255, _ => a };
                rgba.extend([r.min(a), g.min(a), b.min(a), a]);
            }
            let sheet = Sheet { width: w, height: h, rgba };
            let pool = FramePool::new(size.0, size.1, 2).unwrap();
            let (mut fast, mut want) = (pool.take(), pool.take());
            for (mut p, mut q) in fast.planes_mut().into_iter().zip(want.planes_mut()) {
                for y in 0..p.height {
                    p.row_mut(y).fill_with(|| next() as u8);
                    q.row_mut(y).copy_from_slice(p.row_mut(y));
                }
            }
            let clip = Clip { x0: cut.0, y0: cut.1, x1: cut.2, y1: cut.3 };
            layer(&mut fast.planes_mut(), &sheet, at, clip, o, None, mode);
            slow(&mut want.planes_mut(), &sheet, at, clip, o.into(), mode);
            for i in 0..3 {
                for y in 0..fast.plane(i).height { prop_assert_eq!(fast.plane(i).row(y), want.plane(i).row(y), "plane {} row {}", i, y); }
            }
        }
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
