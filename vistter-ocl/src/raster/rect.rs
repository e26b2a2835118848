//! Rounded rectangles with anti-aliased corners.

use super::Raster;

/// Draws a rectangle of one colour; `radius` is cut to half the shorter side.
pub(crate) fn draw(out: &mut Raster, width: usize, height: usize, radius: f64, rgba: [u8; 4]) {
    out.reset(width, height);
    for px in out.rgba.chunks_exact_mut(4) {
        px.copy_from_slice(&rgba);
    }
    let r = radius.min(width as f64 / 2.0).min(height as f64 / 2.0);
    let reach = r.ceil() as usize;
    for y in 0..reach.min(height) {
        for x in 0..reach.min(width) {
            // Coverage from the distance of the pixel's centre to the arc: within 1/50 of the exact area for any
            // radius above a pixel, in arithmetic (with sqrt) that IEEE 754 makes the same everywhere.
            let (dx, dy) = (r - (x as f64 + 0.5), r - (y as f64 + 0.5));
            if dx <= 0.0 || dy <= 0.0 {
                continue;
            }
            let cover = (r - (dx * dx + dy * dy).sqrt() + 0.5).clamp(0.0, 1.0);
            let alpha = (f64::from(rgba[3]) * cover).round() as u8;
            for (cx, cy) in [(x, y), (width - 1 - x, y), (x, height - 1 - y), (width - 1 - x, height - 1 - y)] {
                out.rgba[(cy * width + cx) * 4 + 3] = alpha;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_round_and_even() {
        let mut r = Raster::default();
        draw(&mut r, 40, 20, 100.0, [1, 2, 3, 200]);
        let a = |x: usize, y: usize| r.rgba[(y * 40 + x) * 4 + 3];
        assert_eq!((a(0, 0), a(20, 0), a(20, 10)), (0, 200, 200));
        for y in 0..20 {
            for x in 0..40 {
                assert_eq!(a(x, y), a(39 - x, 19 - y));
            }
        }
        // the area of a stadium: 20×20 + π·10²
        let area: f64 =
            (0..20).flat_map(|y| (0..40).map(move |x| (x, y))).map(|(x, y)| f64::from(a(x, y)) / 200.0).sum();
        assert!((area - (400.0 + std::f64::consts::PI * 100.0)).abs() < 2.0, "{area}");
    }
}
