//! The test picture: recognisable (name, colour), moving (a ball, a sweeping hand), numbered, with a flash when the
//! sound beeps.

use super::TestCameraConfig;
use super::barcode::{self, Mark};
use super::brush::{BLACK, Planes, WHITE, disc, rect, text};
use crate::media::{Frame, FramePool};
use crate::time::MediaTime;

/// How long the flash and the beep of each second last.
pub(super) const FLASH: MediaTime = MediaTime::from_millis(100);

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

fn background([y, u, v]: &mut Planes<'_>, color: [u8; 3]) {
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
