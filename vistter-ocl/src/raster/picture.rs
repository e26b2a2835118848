//! Decoding and scaling of image files. The only file that knows `image`'s decoders.

use std::io::Cursor;

use image::{ImageBuffer, ImageReader, Limits, Rgba, RgbaImage, imageops};

use super::Raster;
use crate::limits::MAX_IMAGE_PIXELS;
use crate::model::Fit;

/// A decoded picture, straight alpha.
pub(crate) type Decoded = RgbaImage;

/// Decodes PNG, JPEG, WebP or GIF, told apart by content; the first picture of several.
///
/// # Errors
/// What is wrong, for a person.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let open = || {
        let mut r = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
        let mut limits = Limits::default();
        // 16-bit RGBA is the widest pixel; twice that covers what a decoder needs beside it.
        limits.max_alloc = Some(MAX_IMAGE_PIXELS * 16);
        r.limits(limits);
        Ok::<_, String>(r)
    };
    let reader = open()?;
    if reader.format().is_none() {
        return Err("it is no PNG, JPEG, WebP, GIF or SVG".to_owned());
    }
    let (w, h) = reader.into_dimensions().map_err(|e| e.to_string())?;
    if u64::from(w) * u64::from(h) > MAX_IMAGE_PIXELS {
        return Err(format!("it has {w}x{h} pixels; at most {MAX_IMAGE_PIXELS} pixels are allowed"));
    }
    if w == 0 || h == 0 {
        return Err("it has no pixels".to_owned());
    }
    Ok(open()?.decode().map_err(|e| e.to_string())?.into_rgba8())
}

/// Draws a picture at a size. Scaling is done on premultiplied values, so that the colour under transparent pixels
/// does not bleed into the edges.
pub(crate) fn draw(out: &mut Raster, source: &Decoded, width: u32, height: u32) {
    out.reset(width as usize, height as usize);
    if source.dimensions() == (width, height) {
        out.rgba.copy_from_slice(source.as_raw());
        return;
    }
    let pre: ImageBuffer<Rgba<f32>, Vec<f32>> = ImageBuffer::from_fn(source.width(), source.height(), |x, y| {
        let [r, g, b, a] = source.get_pixel(x, y).0.map(|v| f32::from(v) / 255.0);
        Rgba([r * a, g * a, b * a, a])
    });
    // Catmull-Rom is a polynomial: the same bits on every machine, which Lanczos' sine is not.
    let scaled = imageops::resize(&pre, width, height, imageops::FilterType::CatmullRom);
    for (px, Rgba([r, g, b, a])) in out.rgba.chunks_exact_mut(4).zip(scaled.pixels()) {
        let a = a.clamp(0.0, 1.0);
        let part = |v: f32| if a > 0.0 { ((v / a).clamp(0.0, 1.0) * 255.0).round() as u8 } else { 0 };
        px.copy_from_slice(&[part(*r), part(*g), part(*b), (a * 255.0).round() as u8]);
    }
}

/// Draws a picture into a box.
pub(crate) fn draw_in(out: &mut Raster, source: &Decoded, width: u32, height: u32, fit: Fit) {
    let (sw, sh) = (f64::from(source.width()), f64::from(source.height()));
    let (across, down) = (f64::from(width) / sw, f64::from(height) / sh);
    match fit {
        Fit::Stretch => draw(out, source, width, height),
        Fit::Fit => {
            let k = across.min(down);
            let side = |v: f64, most: u32| ((v * k).round() as u32).clamp(1, most.max(1));
            let (w, h) = (side(sw, width), side(sh, height));
            let mut inner = Raster::default();
            draw(&mut inner, source, w, h);
            out.reset(width as usize, height as usize);
            let (left, top) = (((width - w) / 2) as usize, ((height - h) / 2) as usize);
            for (y, line) in inner.rgba.chunks_exact(inner.width * 4).enumerate() {
                let at = ((top + y) * out.width + left) * 4;
                out.rgba[at..at + line.len()].copy_from_slice(line);
            }
        }
        Fit::Fill => {
            let k = across.max(down);
            let side = |v: f64, most: u32| ((v / k).round() as u32).clamp(1, most);
            let (w, h) = (side(f64::from(width), source.width()), side(f64::from(height), source.height()));
            let part = imageops::crop_imm(source, (source.width() - w) / 2, (source.height() - h) / 2, w, h).to_image();
            draw(out, &part, width, height);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges_do_not_bleed() {
        // red beside transparent green: no green may show after scaling
        let src = RgbaImage::from_fn(8, 8, |x, _| if x < 4 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) });
        let mut r = Raster::default();
        draw(&mut r, &src, 5, 3);
        for px in r.rgba.chunks_exact(4) {
            assert!(px[1] == 0, "{px:?}");
        }
        assert_eq!(&r.rgba[..4], [255, 0, 0, 255]);
        assert_eq!(r.rgba[4 * 4 + 3], 0);
    }
    #[test]
    fn pictures_in_boxes() {
        // red, green, blue and white columns in a box that is twice as high as wide
        let colors = [[255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255], [255, 255, 255, 255]];
        let src = RgbaImage::from_fn(4, 2, |x, _| Rgba(colors[x as usize]));
        let mut r = Raster::default();
        let mut px = |fit, x: usize, y: usize| {
            draw_in(&mut r, &src, 4, 8, fit);
            assert_eq!((r.width, r.height), (4, 8));
            [
                r.rgba[(y * 4 + x) * 4],
                r.rgba[(y * 4 + x) * 4 + 1],
                r.rgba[(y * 4 + x) * 4 + 2],
                r.rgba[(y * 4 + x) * 4 + 3],
            ]
        };
        assert_eq!(px(Fit::Stretch, 0, 7), colors[0]);
        assert_eq!(
            (px(Fit::Fit, 0, 2), px(Fit::Fit, 0, 3), px(Fit::Fit, 3, 4), px(Fit::Fit, 3, 5)),
            ([0; 4], colors[0], colors[3], [0; 4])
        );
        let [red, green, blue, _] = px(Fit::Fill, 0, 0);
        assert!(green > 200 || blue > 200, "{red}: only the middle is seen");
    }
    #[test]
    fn rubbish_is_refused() {
        assert!(decode(b"").unwrap_err().contains("no PNG"));
        assert!(decode(b"\x89PNG\r\n\x1a\nrubbish").is_err());
        // a PNG header that claims 100000 x 100000 pixels
        let mut big = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x06\0\0\0".to_vec();
        big.extend_from_slice(&0x9a92_3e0cu32.to_be_bytes());
        assert!(decode(&big).is_err());
    }
    proptest! {
        #[test]
        fn decoding_never_panics(head in 0usize..4, tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let magic: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0", b"RIFF\x20\0\0\0WEBPVP8 ", b""];
            let _ = decode(&[magic[head], &tail].concat());
        }
    }
}
