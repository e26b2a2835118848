//! Pictures to look at: a background that shows alpha, I420 to RGB, PNG.

use image::{Rgb, RgbImage};
use vistter_core::media::{FrameBuf, FramePool};

/// A quiet picture with every brightness and some colour, so that a fault of alpha or chroma shows.
pub(crate) fn background(width: u32, height: u32) -> FrameBuf {
    let mut buf = FramePool::new(width, height, 1).expect("a sane size").take();
    for (i, mut p) in buf.planes_mut().into_iter().enumerate() {
        let (w, h) = (p.width.max(2) as u32 - 1, p.height.max(2) as u32 - 1);
        for y in 0..p.height {
            for (x, v) in p.row_mut(y).iter_mut().enumerate() {
                let (fx, fy) = (x as u32 * 96 / w, y as u32 * 64 / h);
                *v = match i {
                    0 => 40 + fx + fy,
                    1 => 140 - fx / 6,
                    _ => 112 + fy / 4,
                } as u8;
            }
        }
    }
    buf
}

/// BT.709 limited range to 8-bit sRGB, chroma repeated.
pub(crate) fn rgb(buf: &FrameBuf) -> RgbImage {
    let (w, h) = buf.size();
    let planes = [buf.plane(0), buf.plane(1), buf.plane(2)];
    RgbImage::from_fn(w, h, |x, y| {
        let at = |i: usize, s: u32| f64::from(planes[i].row((y >> s) as usize)[(x >> s) as usize]);
        let (l, u, v) = ((at(0, 0) - 16.0) / 219.0, (at(1, 1) - 128.0) / 224.0, (at(2, 1) - 128.0) / 224.0);
        let rgb = [l + 1.5748 * v, l - 0.187_324 * u - 0.468_124 * v, l + 1.8556 * u];
        Rgb(rgb.map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8))
    })
}

/// The largest difference of a sample, and a picture of the differences, eight times as strong.
pub(crate) fn difference(a: &RgbImage, b: &RgbImage) -> (u8, RgbImage) {
    let mut worst = 0;
    let diff = RgbImage::from_fn(a.width(), a.height(), |x, y| {
        let (p, q) = (a.get_pixel(x, y).0, b.get_pixel(x, y).0);
        let d: [u8; 3] = std::array::from_fn(|i| p[i].abs_diff(q[i]));
        worst = worst.max(d[0]).max(d[1]).max(d[2]);
        Rgb(d.map(|v| v.saturating_mul(8)))
    });
    (worst, diff)
}
