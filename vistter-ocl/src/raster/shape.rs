//! Rectangles with their fills, and bars that are filled as far as a number says.

use super::ink::over;
use super::{Raster, ellipse, rect};
use crate::exact::{cos_turns, sin_turns};
use crate::limits::MAX_LAYER_PIXELS;
use crate::model::{Fill, Side};
use crate::token::number;

/// A rounded rectangle in canvas pixels.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) radius: f64,
    /// An ellipse that fits the rectangle, instead.
    pub(crate) oval: bool,
    pub(crate) fill: Fill,
}

/// What automation changes of a shape at a frame, in canvas pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Changed {
    pub(crate) size: Option<[f64; 2]>,
    pub(crate) radius: Option<f64>,
    pub(crate) color: Option<[u8; 4]>,
}

impl Shape {
    pub(crate) fn draw(&self, out: &mut Raster, now: &Changed) {
        let (width, height) = self.size(now);
        let radius = if self.oval { 0.0 } else { self.radius(now) };
        match &self.fill {
            Fill::Color(c) => {
                let rgba = now.color.unwrap_or(c.rgba);
                rect::draw(out, width, height, radius, rgba);
                if self.oval {
                    ellipse::cut(out);
                }
            }
            Fill::Gradient { angle, stops } => {
                rect::draw(out, width, height, radius, [255; 4]);
                if self.oval {
                    ellipse::cut(out);
                }
                gradient(out, *angle, stops.len(), |i| stops.get(i).map_or((1.0, [0; 4]), |(at, c)| (*at, c.rgba)));
            }
        }
    }
}

impl Shape {
    /// Whole pixels, at least one each way, and no more than a layer may have.
    fn size(&self, now: &Changed) -> (usize, usize) {
        let Some(size) = now.size else { return (self.width, self.height) };
        let [w, h] = size.map(|v| (v.round().clamp(1.0, 65_536.0)) as usize);
        (w, h.min((MAX_LAYER_PIXELS as usize / w).max(1)))
    }
    fn radius(&self, now: &Changed) -> f64 {
        now.radius.unwrap_or(self.radius).max(0.0)
    }
}

/// Colours an opaque shape. As in CSS: the line is just long enough that the corners get the first and the last colour,
/// and colours pass into each other premultiplied, so that a clear one lends no colour.
fn gradient(out: &mut Raster, angle: f64, n: usize, stop: impl Fn(usize) -> (f64, [u8; 4])) {
    let (cos, sin) = (cos_turns(angle / 360.0), sin_turns(angle / 360.0));
    let (w, h) = (out.width as f64, out.height as f64);
    let length = ((w * cos).abs() + (h * sin).abs()).max(1e-9);
    for (i, px) in out.rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = ((i % out.width) as f64 + 0.5, (i / out.width) as f64 + 0.5);
        let t = ((x - w / 2.0) * cos + (y - h / 2.0) * sin) / length + 0.5;
        let next = (0..n).find(|i| stop(*i).0 > t).unwrap_or(n);
        let color = match (next.checked_sub(1).map(&stop), (next < n).then(|| stop(next))) {
            (Some((a, from)), Some((b, to))) => mix(from, to, (t - a) / (b - a)),
            (Some((_, only)), None) | (None, Some((_, only))) => only,
            (None, None) => [0; 4],
        };
        let cover = u32::from(px[3]);
        px[..3].copy_from_slice(&color[..3]);
        px[3] = ((u32::from(color[3]) * cover + 127) / 255) as u8;
    }
}

/// A colour between two, mixed premultiplied.
pub(crate) fn mix(from: [u8; 4], to: [u8; 4], t: f64) -> [u8; 4] {
    let (a, b) = (f64::from(from[3]) * (1.0 - t), f64::from(to[3]) * t);
    let alpha = a + b;
    if alpha <= 0.0 {
        return [0; 4];
    }
    let part = |i: usize| ((f64::from(from[i]) * a + f64::from(to[i]) * b) / alpha).round() as u8;
    [part(0), part(1), part(2), alpha.round() as u8]
}

/// A bar that is filled as far as a number says.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) shape: Shape,
    /// Empty at the one, full at the other.
    pub(crate) range: (f64, f64),
    pub(crate) to: Side,
    pub(crate) track: [u8; 4],
}

impl Bar {
    /// How much of it is full at a value, 0 to 1; what is no number is the least one.
    pub(crate) fn part(&self, value: &str) -> f64 {
        number(value.trim()).map_or(0.0, |v| self.part_at(v))
    }
    /// The same at a number.
    pub(crate) fn part_at(&self, value: f64) -> f64 {
        let (empty, full) = self.range;
        ((value - empty) / (full - empty)).clamp(0.0, 1.0)
    }

    /// Draws it with so much of it full.
    pub(crate) fn draw(&self, out: &mut Raster, part: f64, now: &Changed) {
        self.shape.draw(out, now);
        let (w, h) = (out.width, out.height);
        for (i, px) in out.rgba.chunks_exact_mut(4).enumerate() {
            let (x, y) = (i % w, i / w);
            let (at, length) = match self.to {
                Side::Right => (x, w),
                Side::Left => (w - 1 - x, w),
                Side::Bottom => (y, h),
                Side::Top => (h - 1 - y, h),
            };
            // how much of this pixel lies before the edge
            let before = (part * length as f64 - at as f64).clamp(0.0, 1.0);
            px[3] = (f64::from(px[3]) * before).round() as u8;
        }
        if self.track[3] == 0 {
            return;
        }
        let mut track = Raster::default();
        rect::draw(&mut track, w, h, self.shape.radius(now), self.track);
        for (below, above) in track.rgba.chunks_exact_mut(4).zip(out.rgba.chunks_exact(4)) {
            over(below, [above[0], above[1], above[2], above[3]]);
        }
        std::mem::swap(&mut out.rgba, &mut track.rgba);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    fn color(s: &str) -> Color {
        Color::parse(s).unwrap()
    }
    fn px(r: &Raster, x: usize, y: usize) -> [u8; 4] {
        r.rgba[(y * r.width + x) * 4..][..4].try_into().unwrap()
    }

    #[test]
    fn gradients_run_from_corner_to_corner() {
        let stops = vec![(0.0, color("#000000")), (1.0, color("#FFFFFF"))];
        let mut r = Raster::default();
        let mut draw = |angle| {
            let fill = Fill::Gradient { angle, stops: stops.clone() };
            Shape { width: 100, height: 50, radius: 0.0, oval: false, fill }.draw(&mut r, &Changed::default());
            [px(&r, 0, 0)[0], px(&r, 99, 0)[0], px(&r, 0, 49)[0], px(&r, 99, 49)[0]]
        };
        assert_eq!(draw(0.0), [1, 254, 1, 254]);
        assert_eq!(draw(90.0), [3, 3, 252, 252]);
        assert_eq!(draw(180.0), [254, 1, 254, 1]);
        let [a, b, c, d] = draw(45.0);
        assert!(a < 5 && d > 250 && (a..d).contains(&b) && (a..d).contains(&c));
    }
    #[test]
    fn a_clear_stop_lends_no_colour() {
        assert_eq!(mix([255, 0, 0, 255], [0, 255, 0, 0], 0.5), [255, 0, 0, 128]);
        assert_eq!(mix([255, 0, 0, 0], [0, 255, 0, 0], 0.5), [0; 4]);
        let stops = vec![(0.5, color("#FF0000")), (0.5, color("#0000FF"))];
        let mut r = Raster::default();
        Shape { width: 10, height: 2, radius: 0.0, oval: false, fill: Fill::Gradient { angle: 0.0, stops } }
            .draw(&mut r, &Changed::default());
        assert_eq!((px(&r, 4, 0), px(&r, 5, 0)), ([255, 0, 0, 255], [0, 0, 255, 255]), "a hard edge");
    }
    #[test]
    fn bars() {
        let shape = Shape { width: 10, height: 4, radius: 0.0, oval: false, fill: Fill::Color(color("#FF0000")) };
        let bar = |to| Bar { shape: shape.clone(), range: (0.0, 100.0), to, track: [0, 0, 0, 255] };
        let mut r = Raster::default();
        let mut red = |b: &Bar, value: &str| {
            b.draw(&mut r, b.part(value), &Changed::default());
            (0..10).map(|x| px(&r, x, 0)[0]).collect::<Vec<_>>()
        };
        assert_eq!(red(&bar(Side::Right), "25"), [255, 255, 128, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(red(&bar(Side::Left), "20"), [0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
        assert_eq!(red(&bar(Side::Bottom), "50"), [255; 10]);
        assert_eq!(red(&bar(Side::Top), "50"), [0; 10]);
        assert_eq!((red(&bar(Side::Right), "250"), red(&bar(Side::Right), "n/a")), (vec![255; 10], vec![0; 10]));
        let down = Bar { range: (10.0, 0.0), ..bar(Side::Right) };
        assert_eq!(red(&down, "0"), [255; 10], "full at the smaller number");
    }
}
