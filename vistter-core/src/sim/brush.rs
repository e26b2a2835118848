//! Shapes and letters into limited-range I420 planes; what lies outside the picture is cut off.

use super::font;
use crate::media::PlaneMut;

pub(super) const WHITE: [u8; 3] = [235, 128, 128];
pub(super) const BLACK: [u8; 3] = [16, 128, 128];

/// Planes Y, U, V of one picture.
pub(super) type Planes<'a> = [PlaneMut<'a>; 3];

pub(super) fn rect(planes: &mut Planes<'_>, x: i64, y: i64, w: i64, h: i64, color: [u8; 3]) {
    for (i, plane) in planes.iter_mut().enumerate() {
        let s = if i == 0 { 1 } else { 2 };
        let clip = |v: i64, max: usize| (v / s).clamp(0, max as i64) as usize;
        let (x0, x1) = (clip(x, plane.width), clip(x + w, plane.width));
        for row in clip(y, plane.height)..clip(y + h, plane.height) {
            plane.row_mut(row)[x0..x1.max(x0)].fill(color[i]);
        }
    }
}

pub(super) fn disc(planes: &mut Planes<'_>, cx: i64, cy: i64, r: i64, color: [u8; 3]) {
    for dy in -r..=r {
        let half = ((r * r - dy * dy) as f64).sqrt() as i64;
        row(planes, cy + dy, cx - half, cx + half + 1, color);
    }
}

/// A triangle with its top at `(x, y)` and a level base `half` to each side, `h` below.
pub(super) fn gable(planes: &mut Planes<'_>, x: i64, y: i64, half: i64, h: i64, color: [u8; 3]) {
    for dy in 0..h {
        let reach = half * dy / h.max(1);
        row(planes, y + dy, x - reach, x + reach + 1, color);
    }
}

pub(super) fn text(planes: &mut Planes<'_>, x: i64, y: i64, dot: i64, words: &str) {
    let (cols, rows) = (font::SIZE.0 as i64, font::SIZE.1 as i64);
    let wide = words.chars().count().min(40) as i64 * (cols + 1) * dot;
    rect(planes, x - dot, y - dot, wide + dot, (rows + 2) * dot, BLACK);
    for (i, c) in words.chars().take(40).enumerate() {
        for (col, bits) in font::glyph(c).into_iter().enumerate() {
            for row in 0..rows {
                if bits >> row & 1 == 1 {
                    let left = x + (i as i64 * (cols + 1) + col as i64) * dot;
                    rect(planes, left, y + row * dot, dot, dot, WHITE);
                }
            }
        }
    }
}

/// One luma row from `x0` to before `x1`; chroma rows are painted by the even luma rows only.
fn row(planes: &mut Planes<'_>, y: i64, x0: i64, x1: i64, color: [u8; 3]) {
    for (i, plane) in planes.iter_mut().enumerate() {
        let s = if i == 0 { 1 } else { 2 };
        if y % s != 0 || y < 0 || y / s >= plane.height as i64 {
            continue;
        }
        let most = plane.width as i64;
        let clip = |v: i64| (v / s).clamp(0, most) as usize;
        plane.row_mut((y / s) as usize)[clip(x0)..clip(x1)].fill(color[i]);
    }
}
