//! Pictures that move: GIF, animated PNG and WebP, and sequences of files. All frames are decoded before the scene plays.

use std::io::Cursor;
use std::sync::Arc;

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::LoopCount;
use image::{AnimationDecoder, ImageDecoder, ImageFormat, Limits, Rgba};
use vistter_core::time::{FrameRate, MediaTime};

use super::picture::Decoded;
use crate::limits::{MAX_FILM_FRAMES, MAX_IMAGE_PIXELS};

/// Pictures that follow each other.
#[derive(Debug)]
pub(crate) struct Film {
    /// Each with the time at which it ends, counted from the beginning; one at least. None is a blank one.
    frames: Vec<(Option<Arc<Decoded>>, MediaTime)>,
    /// How often it is played; 0 is without end.
    plays: u32,
    size: (u32, u32),
}

/// A frame that says it is shorter than this is shown for [`USUAL`], as browsers do: files that say nothing mean that.
const SHORTEST: MediaTime = MediaTime::from_millis(11);
const USUAL: MediaTime = MediaTime::from_millis(100);

impl Film {
    /// Frames of equal length.
    pub(crate) fn even(frames: Vec<Option<Arc<Decoded>>>, rate: FrameRate, size: (u32, u32), plays: u32) -> Self {
        let ends = (1..).map(|n| rate.time_of(n));
        Self { frames: frames.into_iter().zip(ends).collect(), plays, size }
    }

    /// Decodes a file that may hold several pictures, of at most `pixels` together; none when it is of another kind.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn decode(bytes: &[u8], pixels: u64) -> Result<Option<Self>, String> {
        let input = Cursor::new(bytes);
        let failed = |e: image::ImageError| e.to_string();
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_IMAGE_PIXELS * 16);
        match image::guess_format(bytes) {
            Ok(ImageFormat::Gif) => {
                let mut d = GifDecoder::new(input).map_err(failed)?;
                d.set_limits(limits).map_err(failed)?;
                collect(d, pixels).map(Some)
            }
            Ok(ImageFormat::Png) => {
                let d = PngDecoder::with_limits(input, limits).map_err(failed)?;
                if !d.is_apng().map_err(failed)? {
                    return Ok(None);
                }
                let size = d.dimensions();
                read(d.apng().map_err(failed)?, size, pixels).map(Some)
            }
            Ok(ImageFormat::WebP) => {
                let mut d = WebPDecoder::new(input).map_err(failed)?;
                if !d.has_animation() {
                    return Ok(None);
                }
                d.set_limits(limits).map_err(failed)?;
                // Without one, a picture that is to be taken away before the next stays.
                d.set_background_color(Rgba([0; 4])).map_err(failed)?;
                collect(d, pixels).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }
    /// How many pictures it has.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }
    /// How often the file says it is played; 0 is without end.
    pub(crate) fn plays(&self) -> u32 {
        self.plays
    }
    /// Its picture, if it has one only.
    pub(crate) fn single(&self) -> Option<Arc<Decoded>> {
        match self.frames.as_slice() {
            [(only, _)] => only.clone(),
            _ => None,
        }
    }
    /// Its first picture.
    pub(crate) fn first(&self) -> Option<&Arc<Decoded>> {
        self.frames.first()?.0.as_ref()
    }
    /// Its pictures; none is a blank one.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = Option<&Decoded>> {
        self.frames.iter().map(|(p, _)| p.as_deref())
    }
    /// The pixels of all its pictures.
    pub(crate) fn pixels(&self) -> u64 {
        self.frames.len() as u64 * u64::from(self.size.0) * u64::from(self.size.1)
    }

    fn length(&self) -> i64 {
        self.frames.last().map_or(1, |(_, end)| end.nanos()).max(1)
    }

    /// Which picture is shown at a time after the beginning, played so often (0 is without end).
    pub(crate) fn at(&self, elapsed: MediaTime, plays: u32) -> usize {
        let (length, t) = (self.length(), elapsed.nanos().max(0));
        if plays > 0 && t / length >= i64::from(plays) {
            return self.frames.len().saturating_sub(1);
        }
        self.frames.partition_point(|(_, end)| end.nanos() <= t % length)
    }

    /// When the next picture comes; none when the last one stays.
    pub(crate) fn next(&self, elapsed: MediaTime, plays: u32) -> Option<MediaTime> {
        let (length, t) = (self.length(), elapsed.nanos().max(0));
        let round = t / length;
        let last = plays > 0 && round >= i64::from(plays) - 1;
        if self.frames.len() < 2 || (plays > 0 && round >= i64::from(plays)) {
            return None;
        }
        let i = self.at(elapsed, plays);
        if last && i + 1 == self.frames.len() {
            return None;
        }
        let end = self.frames.get(i)?.1.nanos();
        Some(MediaTime::from_nanos(round.saturating_mul(length).saturating_add(end)))
    }
}

fn collect<'a, D: ImageDecoder + AnimationDecoder<'a>>(d: D, pixels: u64) -> Result<Film, String> {
    let size = d.dimensions();
    read(d, size, pixels)
}

fn read<'a>(d: impl AnimationDecoder<'a>, size: (u32, u32), budget: u64) -> Result<Film, String> {
    let each = u64::from(size.0) * u64::from(size.1);
    if each > MAX_IMAGE_PIXELS {
        return Err(format!("it has {}x{} pixels; at most {MAX_IMAGE_PIXELS} pixels are allowed", size.0, size.1));
    }
    if each == 0 {
        return Err("it has no pixels".to_owned());
    }
    let plays = match d.loop_count() {
        LoopCount::Infinite => 0,
        LoopCount::Finite(n) => n.get(),
    };
    let (mut frames, mut end) = (Vec::new(), MediaTime::ZERO);
    for frame in d.into_frames() {
        let frame = frame.map_err(|e| e.to_string())?;
        if frames.len() >= MAX_FILM_FRAMES {
            return Err(format!("it has more than {MAX_FILM_FRAMES} pictures"));
        }
        if each.saturating_mul(frames.len() as u64 + 1) > budget {
            return Err(format!("its pictures have more than {budget} pixels together"));
        }
        let (ms, parts) = frame.delay().numer_denom_ms();
        let delay = MediaTime::from_nanos(i64::from(ms).saturating_mul(1_000_000) / i64::from(parts.max(1)));
        end = end.checked_add(if delay < SHORTEST { USUAL } else { delay }).ok_or("it is too long")?;
        frames.push((Some(Arc::new(frame.into_buffer())), end));
    }
    if frames.is_empty() {
        return Err("it has no pictures".to_owned());
    }
    Ok(Film { frames, plays, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::{GifEncoder, Repeat};
    use image::{Delay, Frame, RgbaImage};
    use proptest::prelude::*;

    fn gif(delays: &[u32], repeat: Repeat) -> Vec<u8> {
        let mut out = Vec::new();
        let mut e = GifEncoder::new(&mut out);
        e.set_repeat(repeat).unwrap();
        for (i, d) in delays.iter().enumerate() {
            let picture = RgbaImage::from_pixel(4, 2, Rgba([i as u8 * 60, 0, 0, 255]));
            e.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(*d, 1))).unwrap();
        }
        drop(e);
        out
    }
    fn ms(n: i64) -> MediaTime {
        MediaTime::from_millis(n)
    }

    #[test]
    fn times_of_a_gif() {
        let film = Film::decode(&gif(&[50, 200, 0], Repeat::Finite(2)), 1000).unwrap().unwrap();
        assert_eq!((film.size(), film.len(), film.plays()), ((4, 2), 3, 2));
        let at = |t| film.at(ms(t), 2);
        assert_eq!([0, 49, 50, 249, 250, 349, 350, 699, 700, 9999].map(at), [0, 0, 1, 1, 2, 2, 0, 2, 2, 2]);
        assert_eq!(film.at(ms(700), 0), 0, "without end");
        let mut t = MediaTime::ZERO;
        let mut seen = Vec::new();
        while let Some(next) = film.next(t, 2) {
            seen.push(next.millis());
            t = next;
        }
        assert_eq!(seen, [50, 250, 350, 400, 600]);
    }
    #[test]
    fn what_is_too_much_is_refused() {
        assert!(Film::decode(&gif(&[50, 50, 50], Repeat::Infinite), 20).unwrap_err().contains("20 pixels"));
        assert!(Film::decode(b"\x89PNG\r\n\x1a\nrubbish", 20).is_err());
        assert!(Film::decode(b"GIF89a", 20).is_err());
        assert!(Film::decode(b"no picture", 20).unwrap().is_none());
    }
    proptest! {
        /// The picture changes exactly when it was said to change.
        #[test]
        fn next_is_kept(delays in proptest::collection::vec(0u32..300, 1..6), plays in 0u32..4, t in 0i64..3000) {
            let film = Film::decode(&gif(&delays, Repeat::Infinite), 1000).unwrap().unwrap();
            let now = film.at(ms(t), plays);
            let until = film.next(ms(t), plays).map_or(t + 2000, MediaTime::millis);
            prop_assert!(until > t);
            for u in t..until { prop_assert_eq!(film.at(ms(u), plays), now); }
            if film.next(ms(t), plays).is_some() { prop_assert_ne!(film.at(ms(until), plays), now); }
        }
        #[test]
        fn decoding_never_panics(head in 0usize..3, tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            let magic: [&[u8]; 3] = [b"GIF89a\x04\0\x04\0\x80\0\0", b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\x02", b"\x89PNG\r\n\x1a\n"];
            let _ = Film::decode(&[magic[head], &tail].concat(), 10_000);
        }
    }
}
