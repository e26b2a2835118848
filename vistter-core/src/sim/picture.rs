//! The test picture: recognisable (name, colour), moving (a ball, a sweeping hand), numbered, with a flash when the
//! sound beeps.

use super::barcode::{self, Mark};
use super::{TestCameraConfig, font};
use crate::media::{Frame, FramePool, PlaneMut};
use crate::time::MediaTime;

/// How long the flash and the beep of each second last.
pub(super) const FLASH: MediaTime = MediaTime::from_millis(100);

const WHITE: [u8; 3] = [235, 128, 128];
const BLACK: [u8; 3] = [16, 128, 128];
const BALL: [u8; 3] = [200, 60, 160];

/// Paints frame `n` of the loop.
pub(super) fn paint(config: &TestCameraConfig, pool: &FramePool, n: u64) -> Frame {
    let t = config.fps.time_of(n);
    let mut buf = pool.take();
    buf.set_pts(t);
    background(&mut buf.planes_mut(), config.color);
    let (w, h) = (config.width as i64, config.height as i64);
    let planes = &mut buf.planes_mut();

    // The hand goes round once in four seconds.
    let angle = std::f64::consts::TAU * (t.nanos().rem_euclid(4_000_000_000) as f64 / 4e9);
    let (cx, cy, r) = (w * 4 / 5, h / 2, h / 6);
    disc(planes, cx, cy, r + h / 60, BLACK);
    for step in 0..r {
        let (dx, dy) = (angle.sin() * step as f64, -angle.cos() * step as f64);
        disc(planes, cx + dx as i64, cy + dy as i64, (h / 120).max(1), WHITE);
    }
    // The ball bounces between the edges; its two periods give a path that is easy to follow.
    let bounce = |period: i64, low: i64, high: i64| {
        let p = (t.nanos() / 1_000).rem_euclid(period * 1_000_000);
        let half = period * 500_000;
        let up = if p < half { p } else { 2 * half - p };
        low + (high - low) * up / half
    };
    let radius = h / 18;
    disc(planes, bounce(5, radius, w - radius), bounce(2, h * 2 / 3, h - radius), radius, BALL);
    if t.nanos().rem_euclid(MediaTime::SECOND.nanos()) < FLASH.nanos() {
        rect(planes, w / 32, h / 8, h / 10, h / 10, WHITE);
    }

    let dot = (h / 90).max(1);
    text(planes, w / 12, h / 3, dot * 2, &config.name);
    let (secs, sub) = (t.nanos() / 1_000_000_000, t.millis() % 1000);
    text(planes, w / 12, h / 3 + dot * 18, dot, &format!("{n:05}  {:02}:{:02}.{sub:03}", secs / 60, secs % 60));
    barcode::draw(&mut buf, Mark { camera: config.id & 0xf, frame: n as u16 });
    buf.freeze()
}

fn background([y, u, v]: &mut [PlaneMut<'_>; 3], color: [u8; 3]) {
    let height = y.height.max(1);
    for row in 0..y.height {
        // A slow gradient: cheap to encode, and banding shows a range error.
        let luma = usize::from(color[0]) * 3 / 4 + usize::from(color[0]) / 2 * row / height;
        y.row_mut(row).fill(luma.clamp(16, 235) as u8);
    }
    for (plane, value) in [(u, color[1]), (v, color[2])] {
        for row in 0..plane.height {
            plane.row_mut(row).fill(value);
        }
    }
}

fn rect(planes: &mut [PlaneMut<'_>; 3], x: i64, y: i64, w: i64, h: i64, color: [u8; 3]) {
    for (i, plane) in planes.iter_mut().enumerate() {
        let s = if i == 0 { 1 } else { 2 };
        let clip = |v: i64, max: usize| (v / s).clamp(0, max as i64) as usize;
        let (x0, x1) = (clip(x, plane.width), clip(x + w, plane.width));
        for row in clip(y, plane.height)..clip(y + h, plane.height) {
            plane.row_mut(row)[x0..x1].fill(color[i]);
        }
    }
}

fn disc(planes: &mut [PlaneMut<'_>; 3], cx: i64, cy: i64, r: i64, color: [u8; 3]) {
    for dy in -r..=r {
        let half = ((r * r - dy * dy) as f64).sqrt() as i64;
        let row = cy + dy;
        // Chroma rows are painted by the even luma rows only.
        for (i, plane) in planes.iter_mut().enumerate() {
            let s = if i == 0 { 1 } else { 2 };
            if row % s != 0 || row < 0 || row / s >= plane.height as i64 {
                continue;
            }
            let clip = |v: i64| (v / s).clamp(0, plane.width as i64) as usize;
            let (x0, x1) = (clip(cx - half), clip(cx + half + 1));
            plane.row_mut((row / s) as usize)[x0..x1].fill(color[i]);
        }
    }
}

fn text(planes: &mut [PlaneMut<'_>; 3], x: i64, y: i64, dot: i64, words: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_picture_differs_and_carries_its_number() {
        for (width, height) in [(1280, 720), (320, 180), (1920, 1080), (64, 64)] {
            let config = TestCameraConfig { width, height, id: 5, ..Default::default() };
            let pool = FramePool::new(width, height, 4).unwrap();
            let (a, b) = (paint(&config, &pool, 41), paint(&config, &pool, 42));
            assert_ne!(a.plane(0).data, b.plane(0).data);
            if width > 64 {
                assert_eq!(barcode::read_mark(&b), Some(Mark { camera: 5, frame: 42 }));
            }
        }
    }
}
