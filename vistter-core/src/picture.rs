//! Pictures as PNG and (feature `jpeg`) JPEG.

use std::io;
use std::path::Path;

use crate::media::{ColorRange, Frame};

/// An I420 picture (BT.709) as an 8-bit RGB PNG.
///
/// # Errors
/// What `out` says when it is written to.
pub fn encode_png(frame: &Frame, out: impl io::Write) -> io::Result<()> {
    let (w, h) = frame.size();
    let mut png = png::Encoder::new(out, w, h);
    png.set_color(png::ColorType::Rgb);
    png.set_depth(png::BitDepth::Eight);
    let mut writer = png.write_header().map_err(io::Error::from)?;
    writer.write_image_data(&rgb(frame)).map_err(io::Error::from)?;
    writer.finish().map_err(io::Error::from)
}

/// The same into a file. An existing one is replaced.
///
/// # Errors
/// What the file system says.
pub fn write_png(frame: &Frame, path: &Path) -> io::Result<()> {
    encode_png(frame, io::BufWriter::new(std::fs::File::create(path)?))
}

/// The same as JPEG, at a quality at which a person sees no difference.
///
/// # Errors
/// What `out` says when it is written to.
#[cfg(feature = "jpeg")]
pub fn encode_jpeg(frame: &Frame, out: impl io::Write) -> io::Result<()> {
    const QUALITY: u8 = 90;
    let (w, h) = frame.size();
    let mut jpeg = image::codecs::jpeg::JpegEncoder::new_with_quality(out, QUALITY);
    jpeg.encode(&rgb(frame), w, h, image::ExtendedColorType::Rgb8).map_err(io::Error::other)
}

/// Into a file: JPEG, if its name ends in `.jpg` or `.jpeg`, else PNG. An existing one is replaced.
///
/// # Errors
/// What the file system says.
#[cfg(feature = "jpeg")]
pub fn write(frame: &Frame, path: &Path) -> io::Result<()> {
    let jpeg = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"));
    if !jpeg {
        return write_png(frame, path);
    }
    let mut bytes = Vec::new();
    encode_jpeg(frame, &mut bytes)?;
    std::fs::write(path, bytes)
}

/// ITU-R BT.709 §3, in 16.16 fixed point.
fn rgb(frame: &Frame) -> Vec<u8> {
    let (w, h) = frame.size();
    let planes = [frame.plane(0), frame.plane(1), frame.plane(2)];
    // Luma 219 steps, chroma 224 steps in limited range; 255 each in full range.
    let (black, ky, kc) = match frame.range() {
        ColorRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
        ColorRange::Full => (0, 1.0, 1.0),
    };
    let fixed = |f: f64| (f * 65536.0).round() as i32;
    let (y1, rv, gu, gv, bu) =
        (fixed(ky), fixed(1.5748 * kc), fixed(0.1873 * kc), fixed(0.4681 * kc), fixed(1.8556 * kc));
    let mut out = Vec::with_capacity(w as usize * h as usize * 3);
    for row in 0..h as usize {
        let (yr, ur, vr) = (planes[0].row(row), planes[1].row(row / 2), planes[2].row(row / 2));
        for x in 0..w as usize {
            let y = (i32::from(yr[x]) - black) * y1 + 32768;
            let (u, v) = (i32::from(ur[x / 2]) - 128, i32::from(vr[x / 2]) - 128);
            for c in [y + rv * v, y - gu * u - gv * v, y + bu * u] {
                out.push((c >> 16).clamp(0, 255) as u8);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;

    #[test]
    fn known_colours() {
        // White, black, and BT.709 red: Y 63, Cb 102, Cr 240.
        for (yuv, want) in
            [([235, 128, 128], [255, 255, 255]), ([16, 128, 128], [0, 0, 0]), ([63, 102, 240], [255, 0, 0])]
        {
            let mut f = FramePool::new(3, 3, 1).unwrap().take();
            f.fill(yuv);
            let out = rgb(&f.freeze());
            assert_eq!(out.len(), 27);
            for (got, want) in out[24..].iter().zip(want) {
                assert!(got.abs_diff(want) <= 2, "{yuv:?}: {:?}", &out[24..]);
            }
        }
    }
    #[cfg(feature = "jpeg")]
    #[test]
    fn the_name_says_which_kind() {
        let red = || {
            let mut f = FramePool::new(34, 18, 1).unwrap().take();
            f.fill([63, 102, 240]);
            f.freeze()
        };
        for (name, start) in
            [("a.jpg", &b"\xff\xd8\xff"[..]), ("a.JPEG", b"\xff\xd8\xff"), ("a.png", b"\x89PNG"), ("a", b"\x89PNG")]
        {
            let path = std::env::temp_dir().join(format!("vistter-kind-{}-{name}", std::process::id()));
            write(&red(), &path).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            assert!(bytes.starts_with(start), "{name}");
            let seen = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let image::Rgb([r, g, b]) = *seen.get_pixel(20, 9);
            assert!(seen.dimensions() == (34, 18) && r > 245 && g < 10 && b < 10, "{name}: {r} {g} {b}");
        }
    }
    #[test]
    fn the_file_is_a_png_of_that_size() {
        let path = std::env::temp_dir().join(format!("vistter-picture-{}.png", std::process::id()));
        let mut f = FramePool::new(6, 4, 1).unwrap().take();
        f.fill([235, 128, 128]);
        write_png(&f.freeze(), &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((&bytes[1..4], &bytes[16..24]), (&b"PNG"[..], &[0, 0, 0, 6, 0, 0, 0, 4][..]));
    }
}
