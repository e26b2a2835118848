//! Layers whose pictures come from outside: a video, a camera. A feed gives them at the size of the layer, so that they go
//! straight into its planes; there is no way through RGB, unless the layer is turned, cut or scaled.

use std::fmt;
use std::sync::Arc;

use vistter_core::inset::{Fed, InsetPicture, InsetSpec, PictureFeed, PictureSources, Voice};
use vistter_core::media::FramePool;
use vistter_core::media::mp4::{Playback, VideoFile};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_core::{Error, ErrorKind, Result};

use crate::model::Lost;
use crate::planes::Planes;
use crate::program::first_frame;
use crate::raster::{Raster, rect};

/// What a camera that is lost is replaced by: a dark grey.
const SLATE: [u8; 3] = [52, 130, 126];

/// Where feeds come from, if from anywhere.
#[derive(Clone, Default)]
pub(crate) struct Outside(pub(crate) Option<Arc<dyn PictureSources>>);

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Outside" } else { "Outside(nothing)" })
    }
}

/// What a layer shows.
#[derive(Clone, Debug)]
pub(crate) struct InsetProgram {
    pub(crate) source: InsetSource,
    pub(crate) spec: InsetSpec,
    /// Corner radius in canvas pixels.
    pub(crate) radius: f64,
    pub(crate) lost: Lost,
    /// How loud it is when nothing says otherwise.
    pub(crate) volume: f64,
}

#[derive(Clone, Debug)]
pub(crate) enum InsetSource {
    Video { file: Arc<VideoFile>, how: Playback },
    Camera(String),
}

impl InsetProgram {
    fn open(&self, outside: &Outside) -> Result<Box<dyn PictureFeed>> {
        let Some(sources) = &outside.0 else {
            return Err(Error::new(ErrorKind::Unsupported, "there is nothing that videos and cameras could come from")
                .next("give the overlay sources of pictures: OclOverlay::with_pictures"));
        };
        match &self.source {
            InsetSource::Video { file, how } => sources.video(file, *how, self.spec),
            InsetSource::Camera(id) => sources.camera(id, self.spec),
        }
    }

    /// Whether something could be heard of it.
    pub(crate) fn sounds(&self) -> bool {
        matches!(&self.source, InsetSource::Video { file, .. } if file.sound().is_some())
    }

    /// Its sound, if it has some.
    fn voice(&self, outside: &Outside) -> Result<Option<Voice>> {
        match (&self.source, &outside.0) {
            (InsetSource::Video { file, how }, Some(sources)) if self.sounds() => {
                Ok(sources.sound(file, *how)?.map(Voice::new))
            }
            _ => Ok(None),
        }
    }

    /// The next of its own frames at which it may differ.
    pub(crate) fn next(&self, run: u64, fps: FrameRate) -> Option<u64> {
        let next = run.saturating_add(1);
        match &self.source {
            InsetSource::Camera(_) => Some(next),
            InsetSource::Video { file, how } => {
                file.next_picture(fps.time_of(run), *how).map(|t| first_frame(fps, t).max(next))
            }
        }
    }

    /// The coverage of its box, when it is not all of it.
    fn cover(&self) -> Vec<u8> {
        if self.radius <= 0.0 {
            return Vec::new();
        }
        let mut box_ = Raster::default();
        rect::draw(&mut box_, self.spec.width as usize, self.spec.height as usize, self.radius, [255; 4]);
        box_.rgba.chunks_exact(4).map(|px| px.get(3).copied().unwrap_or(0)).collect()
    }
}

/// What the planes hold.
#[derive(Clone, Default)]
enum Shown {
    /// What another content left.
    #[default]
    Unknown,
    Nothing,
    Slate(InsetPicture),
    Picture(InsetPicture),
}

impl Shown {
    fn picture(&self) -> Option<&InsetPicture> {
        match self {
            Self::Slate(p) | Self::Picture(p) => Some(p),
            _ => None,
        }
    }
}

/// The pictures of one layer.
#[derive(Default)]
pub(crate) struct Inset {
    feed: Option<Box<dyn PictureFeed>>,
    voice: Option<Voice>,
    /// It was heard in what was asked for last.
    heard: bool,
    opened: bool,
    shown: Shown,
    cover: Vec<u8>,
    /// Which drawing the raster has as pixels.
    solid: u64,
}

impl fmt::Debug for Inset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inset").field("opened", &self.opened).finish_non_exhaustive()
    }
}

impl Inset {
    /// Its pictures will be needed soon.
    pub(crate) fn expect(&mut self) {
        if let Some(feed) = &mut self.feed {
            feed.expect();
        }
    }

    /// Takes the picture for a time of the layer. Gives whether it is another one, whether the right one is late, and what
    /// has gone wrong.
    pub(crate) fn show(
        &mut self,
        p: &InsetProgram,
        outside: &Outside,
        elapsed: MediaTime,
        (raster, planes): (&mut Raster, &mut Planes),
    ) -> (bool, bool, Option<Error>) {
        let mut trouble = None;
        if !self.opened {
            self.opened = true;
            self.cover = p.cover();
            match p.open(outside) {
                Ok(feed) => self.feed = Some(feed),
                Err(e) => trouble = Some(e),
            }
            match p.voice(outside) {
                Ok(voice) => self.voice = voice,
                Err(e) => trouble = trouble.or(Some(e)),
            }
        }
        let Fed { picture, late } = self.feed.as_mut().map(|f| f.picture_at(elapsed)).unwrap_or_default();
        trouble = self.feed.as_mut().and_then(|f| f.trouble()).or(trouble);
        trouble = trouble.or_else(|| self.voice.as_mut().and_then(Voice::trouble));
        let new = match (picture, p.lost, &self.shown) {
            (Some(new), _, Shown::Picture(old)) if new.color.same(&old.color) => None,
            (Some(new), ..) => Some(Shown::Picture(new)),
            (None, Lost::Hold, Shown::Picture(_)) => None,
            (None, Lost::Slate, Shown::Slate(_)) => None,
            (None, Lost::Slate, _) => Some(slate(p.spec).map_or(Shown::Nothing, Shown::Slate)),
            (None, _, Shown::Nothing) => None,
            (None, ..) => Some(Shown::Nothing),
        };
        let Some(new) = new else { return (false, late, trouble) };
        let (width, height) = (p.spec.width as usize, p.spec.height as usize);
        (raster.width, raster.height, raster.origin) = (width, height, (0, 0));
        raster.size = (width as i32, height as i32);
        raster.rgba.clear();
        planes.load_given((width, height), new.picture(), &self.cover);
        self.shown = new;
        (true, late, trouble)
    }

    /// Adds what is heard of it from a position on. Whether that is anything.
    pub(crate) fn sing(&mut self, position: i64, volume: f64, out: &mut [f32]) -> bool {
        self.heard = true;
        self.voice.as_mut().is_some_and(|v| v.add(position, volume.clamp(0.0, 1.0) as f32, out))
    }
    /// Lets what is left fade out, if it was not heard since this was asked last. Whether that is anything.
    pub(crate) fn hush(&mut self, out: &mut [f32]) -> bool {
        !std::mem::take(&mut self.heard) && self.voice.as_mut().is_some_and(|v| v.rest(out))
    }

    /// Makes pixels of what is shown, for a layer that is more than a drawing at a place.
    pub(crate) fn solidify(&mut self, raster: &mut Raster, planes: &Planes, made: u64) {
        if std::mem::replace(&mut self.solid, made) == made {
            return;
        }
        let size = raster.size;
        raster.reset(raster.width, raster.height);
        raster.size = size;
        let Some(p) = self.shown.picture() else { return };
        let (left, top) = (p.left as usize, p.top as usize);
        let [luma, u, v] = [0, 1, 2].map(|i| p.color.plane(i));
        let alphas = planes.luma.alpha.chunks_exact(raster.width.max(1));
        let rows = raster.rgba.chunks_exact_mut(raster.width.max(1) * 4).zip(alphas).skip(top);
        for (y, (row, alpha)) in rows.enumerate().take(luma.height) {
            let (u, v) = (u.row(y / 2), v.row(y / 2));
            let pixels = row.chunks_exact_mut(4).zip(alpha).skip(left);
            for ((x, l), (px, a)) in luma.row(y).iter().enumerate().zip(pixels) {
                let at = |c: &[u8]| c.get(x / 2).copied().unwrap_or(128);
                let [r, g, b] = rgb(*l, at(u), at(v));
                px.copy_from_slice(&[r, g, b, *a]);
            }
        }
    }
}

/// BT.709 limited range to 8-bit R′G′B′, in 1/65536 (ITU-R BT.709-6 §3).
fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let y = 76_309 * (i32::from(y) - 16);
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    [y + 117_489 * v, y - 13_975 * u - 34_925 * v, y + 138_438 * u].map(|c| ((c + 32_768) >> 16).clamp(0, 255) as u8)
}

fn slate(spec: InsetSpec) -> Option<InsetPicture> {
    let mut color = FramePool::new(spec.width, spec.height, 1).ok()?.take();
    color.fill(SLATE);
    Some(InsetPicture { color: color.freeze(), alpha: None, left: 0, top: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back() {
        for c in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 120, 200]] {
            let [y, u, v] = crate::planes::color([c[0], c[1], c[2], 255]);
            let back = rgb(y, u, v);
            assert!(c.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 2), "{c:?} {back:?}");
        }
    }
}
