//! Ellipses with smooth edges.

use super::Raster;

/// Leaves of an opaque drawing the ellipse that fits it.
pub(crate) fn cut(out: &mut Raster) {
    let (w, h) = (out.width as f64, out.height as f64);
    for (i, px) in out.rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = ((i % out.width) as f64 + 0.5 - w / 2.0, (i / out.width) as f64 + 0.5 - h / 2.0);
        let cover = (0.5 - distance(x, y, w, h)).clamp(0.0, 1.0);
        if cover < 1.0 {
            px[3] = (f64::from(px[3]) * cover).round() as u8;
        }
    }
}

/// How far a point is from the edge of an ellipse about 0; negative inside. The first step of Newton's method: near
/// the edge, where it counts, within a hundredth of a pixel for ellipses of more than a few pixels.
pub(crate) fn distance(x: f64, y: f64, w: f64, h: f64) -> f64 {
    let (a, b) = ((w / 2.0).max(0.5), (h / 2.0).max(0.5));
    let (u, v) = (x / a, y / b);
    let k = (u * u + v * v).sqrt();
    let slope = ((u / a) * (u / a) + (v / b) * (v / b)).sqrt();
    if slope < 1e-9 { -a.min(b) } else { k * (k - 1.0) / slope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_of_an_ellipse() {
        for (w, h) in [(40, 40), (60, 21), (9, 31)] {
            let mut r = Raster::default();
            r.reset(w, h);
            r.rgba.fill(255);
            cut(&mut r);
            let area: f64 = r.rgba.chunks_exact(4).map(|p| f64::from(p[3]) / 255.0).sum();
            let want = std::f64::consts::PI * (w * h) as f64 / 4.0;
            assert!((area - want).abs() < want * 0.01 + 1.0, "{area} for {want}");
            for y in 0..h {
                for x in 0..w {
                    let a = |x: usize, y: usize| r.rgba[(y * w + x) * 4 + 3];
                    assert_eq!(a(x, y), a(w - 1 - x, h - 1 - y));
                }
            }
        }
    }
}
