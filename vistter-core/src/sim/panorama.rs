//! The world of a steered test camera: a wide painted harbour with a lettered grid, and the part of it that the camera
//! sees. Deterministic: the same position is the same picture, but for the number.

use super::barcode::{self, Mark};
use super::brush::{BLACK, Planes, WHITE, disc, gable, rect, text};
use super::{TestCameraConfig, font};
use crate::error::Result;
use crate::media::{Frame, FramePool, Plane, PlaneMut};
use crate::ports::PtzPosition;

/// The whole world, in pixels.
const WORLD: (u32, u32) = (3200, 1440);
/// What is seen at the widest: its width. The height follows from the camera's shape.
const WIDEST: f64 = 1280.0;
/// How much narrower the view is at full zoom.
const ZOOM: f64 = 4.0;
/// Distance of the grid's lines.
const CELL: i64 = 160;
/// Where sky and water meet.
const HORIZON: i64 = 800;

/// A steered camera's eye: what it sees of its world. For tests that need its pictures without a stream.
pub struct Panorama {
    config: TestCameraConfig,
    world: Frame,
    pool: FramePool,
    /// What was seen last, without numbers.
    last: Option<(PtzPosition, Frame)>,
    columns: Vec<usize>,
}

impl Panorama {
    /// The world, seen by a camera of this size, rate, name and id.
    ///
    /// # Errors
    /// `Limit` for an impossible size.
    pub fn new(config: &TestCameraConfig) -> Result<Self> {
        let mut world = FramePool::new(WORLD.0, WORLD.1, 1)?.take();
        paint_world(&mut world.planes_mut());
        Ok(Self {
            config: config.clone(),
            world: world.freeze(),
            pool: FramePool::new(config.width, config.height, 4)?,
            last: None,
            columns: Vec::new(),
        })
    }

    /// Picture `n`, seen from a position.
    pub fn paint(&mut self, n: u64, at: PtzPosition) -> Frame {
        let seen = match &self.last {
            Some((p, seen)) if *p == at => seen.clone(),
            _ => {
                let seen = self.see(at);
                self.last = Some((at, seen.clone()));
                seen
            }
        };
        let mut buf = self.pool.take();
        buf.copy_from(&seen);
        let t = self.config.fps.time_of(n);
        buf.set_pts(t);
        let (w, h) = (i64::from(self.config.width), i64::from(self.config.height));
        let dot = (h / 120).max(1);
        let (secs, sub) = (t.nanos() / 1_000_000_000, t.millis() % 1000);
        let planes = &mut buf.planes_mut();
        text(
            planes,
            w / 24,
            h * 206 / 720,
            dot,
            &format!("{} {:02}:{:02}.{sub:03}", self.config.name, secs / 60, secs % 60),
        );
        barcode::draw(&mut buf, Mark { camera: self.config.id & 0xf, frame: n as u16 });
        buf.freeze()
    }

    /// The view with its position in it.
    fn see(&mut self, at: PtzPosition) -> Frame {
        let mut buf = self.pool.take();
        let shape = f64::from(self.config.height) / f64::from(self.config.width);
        let width = WIDEST / (1.0 + f64::from(at.zoom) * (ZOOM - 1.0));
        let height = (width * shape).min(f64::from(WORLD.1));
        // At the widest the view just touches the world's edges at both ends of each axis.
        let reach = |world: u32, widest: f64, part: f32| {
            f64::from(world) / 2.0 + f64::from(part) * (f64::from(world) - widest) / 2.0
        };
        let x0 = reach(WORLD.0, WIDEST, at.pan) - width / 2.0;
        let y0 = reach(WORLD.1, (WIDEST * shape).min(f64::from(WORLD.1)), -at.tilt) - height / 2.0;
        for (i, plane) in buf.planes_mut().iter_mut().enumerate() {
            let s = if i == 0 { 1.0 } else { 2.0 };
            let area = (x0 / s, y0 / s, width / s, height / s);
            crop(&self.world.plane(i), plane, area, &mut self.columns);
        }
        let (w, h) = (i64::from(self.config.width), i64::from(self.config.height));
        let dot = (h / 180).max(1);
        let percent = |v: f32| (v * 100.0).round() as i64;
        let words = format!("PAN {} TILT {} ZOOM {}", percent(at.pan), percent(at.tilt), percent(at.zoom));
        text(&mut buf.planes_mut(), w / 24, h * 164 / 720, dot, &words);
        barcode::draw_view(&mut buf, at);
        buf.freeze()
    }
}

/// Nearest neighbour: cheap, and sharp edges show any motion.
fn crop(world: &Plane<'_>, out: &mut PlaneMut<'_>, (x0, y0, w, h): (f64, f64, f64, f64), columns: &mut Vec<usize>) {
    let place = |from: f64, span: f64, i: usize, n: usize, most: usize| {
        ((from + span * (i as f64 + 0.5) / n.max(1) as f64).max(0.0) as usize).min(most.saturating_sub(1))
    };
    columns.clear();
    columns.extend((0..out.width).map(|i| place(x0, w, i, out.width, world.width)));
    for y in 0..out.height {
        let from = world.row(place(y0, h, y, out.height, world.height));
        for (d, x) in out.row_mut(y).iter_mut().zip(columns.iter()) {
            *d = from[*x];
        }
    }
}

impl std::fmt::Debug for Panorama {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Panorama({}x{})", self.config.width, self.config.height)
    }
}

fn paint_world(p: &mut Planes<'_>) {
    let (w, h) = (i64::from(WORLD.0), i64::from(WORLD.1));
    for band in 0..16 {
        let (sky, sea) = (HORIZON / 16, (h - HORIZON) / 16 + 1);
        rect(p, 0, band * sky, w, sky, [110 + 6 * band as u8, 150 - band as u8, 112]);
        rect(p, 0, HORIZON + band * sea, w, sea, [92 - 3 * band as u8, 148, 110]);
    }
    for i in 1..w / CELL {
        rect(p, i * CELL - 3, 0, 6, h, [74, 128, 128]);
    }
    for i in 1..h / CELL {
        rect(p, 0, i * CELL - 3, w, 6, [74, 128, 128]);
    }
    for (i, letter) in ('A'..='T').enumerate() {
        for row in 1..h / CELL {
            let label = format!("{letter}{row}");
            let wide = label.len() as i64 * (font::SIZE.0 as i64 + 1) * 4;
            text(p, i as i64 * CELL + (CELL - wide) / 2, row * CELL + 20, 4, &label);
        }
    }
    landmarks(p);
}

/// One for each fifth of the world, so that five presets are five shots.
fn landmarks(p: &mut Planes<'_>) {
    const RED: [u8; 3] = [80, 100, 210];
    const YELLOW: [u8; 3] = [200, 30, 150];
    const GREEN: [u8; 3] = [95, 100, 95];
    const BROWN: [u8; 3] = [85, 105, 150];
    const ORANGE: [u8; 3] = [140, 60, 185];
    // The lighthouse, striped.
    rect(p, 500, 760, 420, 120, BROWN);
    for i in 0..6 {
        rect(p, 660, 360 + i * 70, 90, 70, if i % 2 == 0 { RED } else { WHITE });
    }
    rect(p, 650, 300, 110, 60, YELLOW);
    gable(p, 705, 240, 70, 60, RED);
    // The sun over an island with a tree.
    disc(p, 1150, 330, 110, YELLOW);
    disc(p, 1150, 830, 120, GREEN);
    rect(p, 1135, 560, 30, 200, BROWN);
    disc(p, 1150, 540, 90, GREEN);
    // The ship.
    rect(p, 1380, 760, 440, 110, BLACK);
    rect(p, 1380, 730, 440, 30, RED);
    rect(p, 1480, 620, 220, 110, WHITE);
    rect(p, 1540, 480, 50, 140, ORANGE);
    for i in 0..4 {
        disc(p, 1515 + i * 50, 675, 16, BLACK);
    }
    // The house with its red roof.
    rect(p, 1970, 620, 300, 240, ORANGE);
    gable(p, 2120, 460, 200, 160, RED);
    rect(p, 2090, 740, 70, 120, BLACK);
    rect(p, 2000, 660, 60, 60, YELLOW);
    rect(p, 2185, 660, 60, 60, YELLOW);
    // The mountains.
    gable(p, 2600, 300, 260, 520, GREEN);
    gable(p, 2600, 300, 71, 142, WHITE);
    gable(p, 2850, 480, 220, 340, BROWN);
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(pan: f32, tilt: f32, zoom: f32) -> PtzPosition {
        PtzPosition { pan, tilt, zoom }
    }
    fn differs(a: &Frame, b: &Frame) -> f64 {
        let (a, b) = (a.plane(0), b.plane(0));
        let sum: u64 = a.data.iter().zip(b.data).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / a.data.len() as f64
    }

    #[test]
    fn what_is_seen_is_where_it_looks() {
        let config = TestCameraConfig { width: 320, height: 180, id: 7, ..TestCameraConfig::default() };
        let mut p = Panorama::new(&config).unwrap();
        let places = [at(-1.0, 0.0, 0.0), at(-0.4, 0.1, 0.0), at(0.0, 0.0, 1.0), at(0.5, -0.2, 0.4), at(1.0, 1.0, 0.0)];
        let pictures: Vec<Frame> = places.iter().map(|a| p.paint(41, *a)).collect();
        for (i, (a, picture)) in places.iter().zip(&pictures).enumerate() {
            let seen = barcode::read_view(picture).unwrap();
            assert!((seen.pan - a.pan).abs() < 0.002 && (seen.zoom - a.zoom).abs() < 0.002, "{seen:?}");
            assert_eq!(barcode::read_mark(picture), Some(Mark { camera: 7, frame: 41 }));
            assert!(pictures[..i].iter().all(|b| differs(b, picture) > 8.0), "each place looks different");
        }
        // Standing, only the numbers change; in motion, much more.
        let (a, b) = (p.paint(1, at(0.2, 0.0, 0.0)), p.paint(2, at(0.2, 0.0, 0.0)));
        let moved = p.paint(3, at(0.24, 0.0, 0.0));
        assert!(differs(&a, &b) < 3.0 && differs(&b, &moved) > 6.0, "{} {}", differs(&a, &b), differs(&b, &moved));
    }
}
