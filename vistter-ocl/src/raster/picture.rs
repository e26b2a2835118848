//! Decoding and scaling of image files. The only file that knows `image`'s decoders.

use std::io::Cursor;

use image::{ImageBuffer, ImageReader, Limits, Rgba, RgbaImage, imageops};

use super::Raster;
use crate::limits::MAX_IMAGE_PIXELS;

/// A decoded picture, straight alpha.
pub(crate) type Decoded = RgbaImage;

/// Decodes PNG, JPEG or WebP, told apart by content.
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
        return Err("it is neither PNG, JPEG nor WebP".to_owned());
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
    fn rubbish_is_refused() {
        assert!(decode(b"").unwrap_err().contains("neither"));
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
