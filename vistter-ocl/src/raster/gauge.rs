//! Gauges: an arc that is filled as far as a number says.

use super::Raster;
use super::ink::over;
use crate::exact::{cos_turns, sin_turns};
use crate::token::number;

/// An arc in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    /// Diameter.
    pub(crate) size: usize,
    /// Width of the ring.
    pub(crate) thickness: f64,
    /// Where it is empty, in degrees: 0 right, 90 down.
    pub(crate) start: f64,
    /// How far it goes until it is full, in degrees; below 0 against the clock.
    pub(crate) sweep: f64,
    /// Empty at the one, full at the other.
    pub(crate) range: (f64, f64),
    pub(crate) rgba: [u8; 4],
    pub(crate) track: [u8; 4],
    /// Ends are half circles.
    pub(crate) round: bool,
}

impl Gauge {
    /// How much of it is full at a value, 0 to 1; what is no number is the least one.
    pub(crate) fn part(&self, value: &str) -> f64 {
        number(value.trim()).map_or(0.0, |v| self.part_at(v))
    }
    /// The same at a number.
    pub(crate) fn part_at(&self, value: f64) -> f64 {
        let (empty, full) = self.range;
        ((value - empty) / (full - empty)).clamp(0.0, 1.0)
    }

    /// Draws it with so much of it full, in another colour when that is animated.
    pub(crate) fn draw(&self, out: &mut Raster, part: f64, rgba: Option<[u8; 4]>) {
        out.reset(self.size, self.size);
        for (sweep, rgba) in [(self.sweep, self.track), (self.sweep * part, rgba.unwrap_or(self.rgba))] {
            if rgba[3] > 0 && sweep != 0.0 {
                self.arc(out, sweep, rgba);
            }
        }
    }

    fn arc(&self, out: &mut Raster, sweep: f64, rgba: [u8; 4]) {
        let middle = self.size as f64 / 2.0;
        let outer = middle;
        let half = (self.thickness / 2.0).min(outer / 2.0);
        let ring = outer - half;
        // always with the clock, from a to b
        let (from, sweep) = if sweep < 0.0 { (self.start + sweep, -sweep) } else { (self.start, sweep) };
        let direction = |degrees: f64| (cos_turns(degrees / 360.0), sin_turns(degrees / 360.0));
        let (a, b) = (direction(from), direction(from + sweep));
        for (i, px) in out.rgba.chunks_exact_mut(4).enumerate() {
            let (x, y) = ((i % self.size) as f64 + 0.5 - middle, (i / self.size) as f64 + 0.5 - middle);
            let far = (x * x + y * y).sqrt();
            let ringed = (half + 0.5 - (far - ring).abs()).clamp(0.0, 1.0);
            if ringed == 0.0 {
                continue;
            }
            // Distances from the two edges, above 0 inside: the same arithmetic everywhere, which atan2 is not.
            let inside = |d: f64| (d + 0.5).clamp(0.0, 1.0);
            let (after, before) = (inside(a.0 * y - a.1 * x), inside(b.1 * x - b.0 * y));
            let turned = match sweep {
                s if s >= 360.0 => 1.0,
                s if s > 180.0 => after.max(before),
                _ => after.min(before),
            };
            let mut cover = ringed * turned;
            if self.round && sweep < 360.0 {
                for (dx, dy) in [a, b] {
                    let (ex, ey) = (x - dx * ring, y - dy * ring);
                    cover = cover.max((half + 0.5 - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0));
                }
            }
            over(px, [rgba[0], rgba[1], rgba[2], (f64::from(rgba[3]) * cover).round() as u8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge() -> Gauge {
        let (rgba, track) = ([255, 0, 0, 255], [0, 0, 255, 255]);
        Gauge { size: 100, thickness: 20.0, start: 135.0, sweep: 270.0, range: (0.0, 100.0), rgba, track, round: false }
    }
    fn at(r: &Raster, degrees: f64) -> [u8; 4] {
        let x = (50.0 + 40.0 * cos_turns(degrees / 360.0)) as usize;
        let y = (50.0 + 40.0 * sin_turns(degrees / 360.0)) as usize;
        r.rgba[(y * 100 + x) * 4..][..4].try_into().unwrap()
    }

    #[test]
    fn filled_as_far_as_the_number_says() {
        let mut r = Raster::default();
        gauge().draw(&mut r, gauge().part("50"), None);
        let (red, blue, none) = ([255, 0, 0, 255], [0, 0, 255, 255], [0; 4]);
        assert_eq!(
            [140.0, 200.0, 265.0, 275.0, 360.0, 400.0, 90.0].map(|d| at(&r, d)),
            [red, red, red, blue, blue, blue, none]
        );
        gauge().draw(&mut r, gauge().part("n/a"), None);
        assert_eq!(at(&r, 140.0), blue);
        gauge().draw(&mut r, gauge().part("1000000"), None);
        assert_eq!([140.0, 275.0, 400.0].map(|d| at(&r, d)), [red; 3]);
        Gauge { sweep: -90.0, start: 0.0, ..gauge() }.draw(&mut r, 1.0, None);
        assert_eq!([300.0, 350.0, 20.0, 200.0].map(|d| at(&r, d)), [red, red, none, none]);
        Gauge { sweep: 360.0, ..gauge() }.draw(&mut r, 1.0, None);
        assert!((0..72).all(|i| at(&r, f64::from(i) * 5.0) == red));
    }
    #[test]
    fn round_ends_reach_over() {
        let mut r = Raster::default();
        Gauge { round: true, ..gauge() }.draw(&mut r, gauge().part("50"), None);
        assert_eq!(at(&r, 278.0), [255, 0, 0, 255]);
        Gauge { size: 1, thickness: 50.0, round: true, ..gauge() }.draw(&mut r, gauge().part("50"), None);
        assert_eq!(r.rgba.len(), 4);
    }
}
