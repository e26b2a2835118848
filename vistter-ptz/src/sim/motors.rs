//! Motors that take time: three axes at constant speed, after a moment in which nothing happens.

use vistter_core::ports::{PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;

/// How fast and how slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotorSpec {
    /// Fastest pan and tilt, in units of [`PtzPosition`] a second.
    pub pan_tilt: f32,
    /// Fastest zoom, in units a second.
    pub zoom: f32,
    /// From the command to the first motion.
    pub latency: MediaTime,
}

impl Default for MotorSpec {
    fn default() -> Self {
        Self { pan_tilt: 1.0, zoom: 0.5, latency: MediaTime::from_millis(60) }
    }
}

#[derive(Clone, Copy, Debug)]
struct Axis {
    from: f64,
    /// Units a second, signed.
    speed: f64,
    begins: MediaTime,
    /// Where it stops.
    to: f64,
}

impl Axis {
    fn at(&self, now: MediaTime) -> f64 {
        let travelled = (now - self.begins).as_secs_f64().max(0.0) * self.speed;
        if travelled.abs() >= (self.to - self.from).abs() { self.to } else { self.from + travelled }
    }
    fn arrives(&self) -> Option<MediaTime> {
        (self.speed != 0.0 && self.to != self.from).then(|| {
            let ns = ((self.to - self.from) / self.speed).abs() * 1e9;
            self.begins + MediaTime::from_nanos(ns.min(1e18) as i64)
        })
    }
    fn moves(&self, now: MediaTime) -> bool {
        self.arrives().is_some_and(|t| now < t)
    }
    fn go(&mut self, now: MediaTime, begins: MediaTime, to: f64, speed: f64) {
        let from = self.at(now);
        *self = Self { from, speed: speed.abs().copysign(to - from), begins, to };
    }
}

/// A camera head.
#[derive(Clone, Debug)]
pub struct Motors {
    spec: MotorSpec,
    axes: [Axis; 3],
}

const LIMITS: [(f64, f64); 3] = [(-1.0, 1.0), (-1.0, 1.0), (0.0, 1.0)];

impl Motors {
    /// Standing in the middle, wide.
    pub fn new(spec: MotorSpec) -> Self {
        Self { spec, axes: [Axis { from: 0.0, speed: 0.0, begins: MediaTime::ZERO, to: 0.0 }; 3] }
    }
    /// Moves the axes that are given, at a share (0…1) of their fastest speed.
    pub fn go_to(&mut self, now: MediaTime, to: [Option<f32>; 3], share: f32) {
        for (i, to) in to.into_iter().enumerate() {
            let Some(to) = to.filter(|t| t.is_finite()) else { continue };
            let (lo, hi) = LIMITS[i];
            let speed = self.fastest(i) * f64::from(share.clamp(0.01, 1.0));
            self.axes[i].go(now, now + self.spec.latency, f64::from(to).clamp(lo, hi), speed);
        }
    }
    /// Drives the axes at a speed until they are stopped, or to the end. An axis that is not given goes on as it does.
    pub fn drive(&mut self, now: MediaTime, v: [Option<f32>; 3]) {
        for (i, v) in v.into_iter().enumerate() {
            match v.filter(|v| v.is_finite()) {
                None => {}
                Some(0.0) => self.halt(now, i),
                Some(v) => {
                    let end = if v < 0.0 { LIMITS[i].0 } else { LIMITS[i].1 };
                    self.axes[i].go(now, now + self.spec.latency, end, self.fastest(i) * f64::from(v.abs().min(1.0)));
                }
            }
        }
    }
    /// The same from a velocity: every axis.
    pub fn drive_all(&mut self, now: MediaTime, v: PtzVelocity) {
        self.drive(now, [Some(v.pan), Some(v.tilt), Some(v.zoom)]);
    }
    /// Stops every axis where it is.
    pub fn stop(&mut self, now: MediaTime) {
        (0..3).for_each(|i| self.halt(now, i));
    }
    /// Where it looks.
    pub fn position(&self, now: MediaTime) -> PtzPosition {
        let [pan, tilt, zoom] = self.axes.map(|a| a.at(now) as f32);
        PtzPosition { pan, tilt, zoom }
    }
    /// Whether anything moves, or is about to.
    pub fn moving(&self, now: MediaTime) -> bool {
        self.axes.iter().any(|a| a.moves(now))
    }
    /// When all of it has stopped, if nothing else is said; `None` when it stands.
    pub fn arrives(&self, now: MediaTime) -> Option<MediaTime> {
        self.axes.iter().filter(|a| a.moves(now)).filter_map(Axis::arrives).max()
    }

    fn halt(&mut self, now: MediaTime, i: usize) {
        let here = self.axes[i].at(now);
        self.axes[i] = Axis { from: here, speed: 0.0, begins: now, to: here };
    }
    fn fastest(&self, axis: usize) -> f64 {
        f64::from(if axis == 2 { self.spec.zoom } else { self.spec.pan_tilt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: i64) -> MediaTime {
        MediaTime::from_millis(n)
    }
    fn pan(m: &Motors, at: i64) -> f32 {
        m.position(ms(at)).pan
    }

    #[test]
    fn a_move_takes_its_time_and_can_be_turned_round() {
        let mut m = Motors::new(MotorSpec::default());
        m.go_to(ms(0), [Some(0.5), None, Some(0.5)], 1.0);
        assert_eq!((pan(&m, 60), m.moving(ms(0)), m.arrives(ms(0))), (0.0, true, Some(ms(1060))));
        assert!((pan(&m, 310) - 0.25).abs() < 1e-6);
        assert_eq!((pan(&m, 560), m.moving(ms(560))), (0.5, true));
        assert!(!m.moving(ms(1060)));
        m.go_to(ms(1060), [Some(-9.0), None, None], 0.5);
        assert!((pan(&m, 1620) - 0.25).abs() < 1e-6);
        assert_eq!(pan(&m, 9000), -1.0);
    }
    #[test]
    fn a_drive_ends_when_stopped_or_at_the_end() {
        let mut m = Motors::new(MotorSpec::default());
        m.drive(ms(0), [Some(-0.5), Some(0.0), None]);
        assert!((pan(&m, 1060) + 0.5).abs() < 1e-6);
        m.stop(ms(1060));
        assert!((pan(&m, 5000) + 0.5).abs() < 1e-6 && !m.moving(ms(1060)));
        m.drive_all(ms(1060), PtzVelocity { pan: 1.0, tilt: 0.0, zoom: f32::NAN });
        assert_eq!((pan(&m, 4000), m.moving(ms(4000))), (1.0, false));
    }
}
