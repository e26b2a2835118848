//! What the file of an asset turned out to be: a picture that stands, one that moves, or one made of shapes.

use std::io::Cursor;
use std::sync::Arc;

use vistter_core::diagnose::Diagnostic;
use vistter_core::media::mp4::VideoFile;

use crate::assets::Loader;
use crate::limits::{MAX_TOTAL_IMAGE_PIXELS, MAX_VIDEO_PIXELS};
use crate::model::{Asset, Missing, Sequence};
use crate::raster::film::Film;
use crate::raster::picture::{self, Decoded};
use crate::raster::vector::Vector;

/// A decoded picture.
#[derive(Clone, Debug)]
pub(crate) enum Media {
    Still(Arc<Decoded>),
    Film(Arc<Film>),
    Vector(Arc<Vector>),
    /// Decoded while it plays, elsewhere.
    Video(Arc<VideoFile>),
}

impl Media {
    /// Reads a file of any kind, told apart by content; `room` is the pixels that may still be decoded.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn read(bytes: &[u8], room: u64) -> Result<Self, String> {
        if VideoFile::is_one(bytes) {
            let file = VideoFile::open(Box::new(Cursor::new(bytes.to_vec()))).map_err(|e| e.to_string())?;
            let (w, h) = file.size();
            if u64::from(w) * u64::from(h) > MAX_VIDEO_PIXELS {
                return Err(format!("its pictures are {w}x{h}; at most {MAX_VIDEO_PIXELS} pixels are allowed"));
            }
            return Ok(Self::Video(Arc::new(file)));
        }
        if Vector::is_one(bytes) {
            return Vector::read(bytes).map(|v| Self::Vector(Arc::new(v)));
        }
        match Film::decode(bytes, room)? {
            Some(film) if film.len() > 1 => Ok(Self::Film(Arc::new(film))),
            Some(film) => film.single().map(Self::Still).ok_or_else(|| "it has no pictures".to_owned()),
            None => picture::decode(bytes).map(|p| Self::Still(Arc::new(p))),
        }
    }

    /// Width and height in its own pixels.
    pub(crate) fn size(&self) -> (f64, f64) {
        let whole = |(w, h): (u32, u32)| (f64::from(w), f64::from(h));
        match self {
            Self::Still(p) => whole(p.dimensions()),
            Self::Film(f) => whole(f.size()),
            Self::Vector(v) => v.size(),
            Self::Video(v) => whole(v.size()),
        }
    }

    /// Bytes of its decoded pixels.
    pub(crate) fn bytes(&self) -> u64 {
        self.pixels().saturating_mul(4)
    }

    /// How many hold it.
    pub(crate) fn holders(&self) -> usize {
        match self {
            Self::Still(p) => Arc::strong_count(p),
            Self::Film(f) => Arc::strong_count(f),
            Self::Vector(v) => Arc::strong_count(v),
            Self::Video(v) => Arc::strong_count(v),
        }
    }

    /// Decoded pixels that it holds.
    pub(crate) fn pixels(&self) -> u64 {
        match self {
            Self::Still(p) => u64::from(p.width()) * u64::from(p.height()),
            Self::Film(f) => f.pixels(),
            Self::Vector(_) | Self::Video(_) => 0,
        }
    }
}

/// Reads the files of a sequence, with warnings of those that are not there.
///
/// # Errors
/// What is wrong.
pub(crate) fn sequence(
    at: &str,
    asset: &Asset,
    s: &Sequence,
    loader: &Loader<'_>,
) -> Result<(Media, Vec<Diagnostic>), Diagnostic> {
    let stands_in = match &s.missing {
        Missing::Fallback(path) => Some(loader.picture(path, asset.media_type)?),
        _ => None,
    };
    let (mut frames, mut size, mut lost) = (Vec::new(), None, Vec::new());
    for number in s.first..=s.last {
        let path = numbered(&asset.path, number);
        let frame = match (loader.picture(&path, asset.media_type), &s.missing) {
            (Ok(p), _) => Some(p),
            (Err(d), Missing::Error) => return Err(d),
            (Err(_), missing) => {
                lost.push(number);
                match missing {
                    Missing::Hold => frames.last().cloned().flatten(),
                    Missing::Fallback(_) => stands_in.clone(),
                    Missing::Blank | Missing::Error => None,
                }
            }
        };
        if let Some(p) = &frame {
            let first = *size.get_or_insert(p.dimensions());
            if p.dimensions() != first {
                let (w, h) = p.dimensions();
                let text = format!("\"{path}\" is {w}x{h}, and the pictures before it are {}x{}", first.0, first.1);
                return Err(Diagnostic::warning("OCL-ASSET-FORMAT", at, text).help("give all pictures one size"));
            }
        }
        frames.push(frame);
        let (w, h) = size.unwrap_or_default();
        if u64::from(w) * u64::from(h) * frames.len() as u64 > MAX_TOTAL_IMAGE_PIXELS {
            let text = format!("the pictures have more than {MAX_TOTAL_IMAGE_PIXELS} pixels together");
            return Err(Diagnostic::warning("OCL-LIMIT", at, text).help("make them no larger than they are shown"));
        }
    }
    let Some(size) = size else {
        let text = format!("no picture of the sequence \"{}\" is there", asset.path);
        return Err(Diagnostic::warning("OCL-ASSET-MISSING", at, text).help("paths are relative to the document"));
    };
    let mut warnings = Vec::new();
    if let Some(first) = lost.first() {
        let text = match lost.len() {
            1 => format!("number {first} of the pictures of the sequence is not there"),
            n => format!("{n} pictures of the sequence are not there; the first is number {first}"),
        };
        warnings
            .push(Diagnostic::warning("OCL-ASSET-MISSING", at, text).help("\"missing\" says what is shown instead"));
    }
    Ok((Media::Film(Arc::new(Film::even(frames, s.rate, size, s.plays))), warnings))
}

/// A path with a number in place of its last row of `#`, as long as that row.
pub(crate) fn numbered(path: &str, number: u32) -> String {
    let Some(end) = path.rfind('#').map(|i| i + 1) else { return path.to_owned() };
    let start = path[..end].trim_end_matches('#').len();
    let width = end - start;
    format!("{}{number:0width$}{}", &path[..start], &path[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_paths() {
        assert_eq!(numbered("smoke/####.png", 7), "smoke/0007.png");
        assert_eq!(numbered("a#/b##c.png", 123), "a#/b123c.png");
        assert_eq!(numbered("plain.png", 1), "plain.png");
    }
}
