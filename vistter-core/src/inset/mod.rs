//! Pictures that overlays show and do not make themselves: a video, a camera in a box; and the sound of videos.
//!
//! An overlay asks [`PictureSources`] for a [`PictureFeed`], once, and the feed for a picture, once a frame. A feed never
//! waits: decoding goes on elsewhere, and a picture that is not there yet means that the one before stays. Pictures come
//! fitted to the size at which they are shown, so that the overlay only blends them.
//!
//! - here: the traits, in every build.
//! - `fit`: a decoded picture at the size of its box, with its matte.
//! - `deck`: a video file's pictures one after the other. `player`: the same ahead of time, on a thread of its own.
//! - `tape`: a video file's sound at the program's rate, by `resample`. `listen`: the same ahead of time, on a thread of its
//!   own. `voice`: how it gets into the program, at its level and without clicks.
//! - `camera`: the newest picture of a session's camera.
//! - `sources`: [`Insets`], the sources of a running session and of a renderer that has all the time it needs.

#[cfg(feature = "session")]
mod camera;
#[cfg(all(feature = "session", feature = "codecs"))]
mod deck;
#[cfg(feature = "session")]
mod fit;
#[cfg(all(feature = "session", feature = "codecs"))]
mod listen;
#[cfg(all(feature = "session", feature = "codecs"))]
mod player;
#[cfg(all(feature = "session", feature = "codecs"))]
mod resample;
#[cfg(all(feature = "session", feature = "codecs"))]
mod sources;
#[cfg(all(feature = "session", feature = "codecs"))]
mod tape;
mod voice;

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::media::Frame;
use crate::media::mp4::{Playback, VideoFile};
use crate::time::MediaTime;

#[cfg(feature = "session")]
pub use camera::LiveCameras;
#[cfg(all(feature = "session", feature = "codecs"))]
pub use sources::Insets;
pub use voice::Voice;

/// How a picture fills a box of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum InsetFit {
    /// Stretched.
    #[default]
    Stretch,
    /// All of it is seen; the rest of the box stays empty.
    Fit,
    /// The box is full; what is too long is cut on both sides.
    Fill,
}

/// Where in a picture its transparency is: the luma of one half, black for clear and white for opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Matte {
    /// Nowhere: it is opaque.
    #[default]
    None,
    /// In the right half; the colour is in the left one.
    SideBySide,
    /// In the lower half; the colour is in the upper one.
    TopBottom,
}

impl Matte {
    /// The size of what is seen of a picture.
    pub fn visible(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::None => (width, height),
            Self::SideBySide => (width / 2, height),
            Self::TopBottom => (width, height / 2),
        }
    }
}

/// How an overlay wants its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InsetSpec {
    /// Width of the box in pixels; even.
    pub width: u32,
    /// Height of the box in pixels; even.
    pub height: u32,
    /// How they fill it.
    pub fit: InsetFit,
    /// Where their transparency is.
    pub matte: Matte,
}

/// A picture for a box.
#[derive(Clone, Debug)]
pub struct InsetPicture {
    /// BT.709, limited range, not multiplied by its alpha; at most as large as the box.
    pub color: Frame,
    /// As large as the colour: 0 (clear) to 255 in plane 0; the other planes mean nothing. Opaque when absent.
    pub alpha: Option<Frame>,
    /// Pixels from the box's left edge; even.
    pub left: u32,
    /// Pixels from the box's top edge; even.
    pub top: u32,
}

/// What a feed gives for a frame.
#[derive(Clone, Debug, Default)]
pub struct Fed {
    /// The picture; none when there is none yet, or none any more.
    pub picture: Option<InsetPicture>,
    /// It is not the one that was asked for, which is still to come.
    pub late: bool,
}

/// Pictures for one layer of an overlay. Driven by the program worker: no I/O, no waiting.
pub trait PictureFeed: Send {
    /// Its pictures will be needed within a second. Whoever asks for pictures need not say so.
    fn expect(&mut self);
    /// The picture for a time since its layer came on. One that is live gives the present one.
    fn picture_at(&mut self, elapsed: MediaTime) -> Fed;
    /// What has gone wrong since this was asked last.
    fn trouble(&mut self) -> Option<Error>;
}

/// Sound for one layer of an overlay. Driven by the program worker: no I/O, no waiting.
pub trait SoundFeed: Send {
    /// Fills stereo samples (48 kHz) with what is heard from a position on, counted in samples since the layer came on. Gives
    /// how many of them are there; what is not there yet is not waited for.
    fn sound_at(&mut self, position: i64, out: &mut [f32]) -> usize;
    /// The position after which nothing comes.
    fn ends(&self) -> Option<i64> {
        None
    }
    /// What has gone wrong since this was asked last.
    fn trouble(&mut self) -> Option<Error>;
}

/// Where overlays get their feeds.
pub trait PictureSources: Send + Sync {
    /// The pictures of a video.
    ///
    /// # Errors
    /// `Unsupported` when there is no decoder for it.
    fn video(&self, file: &Arc<VideoFile>, how: Playback, spec: InsetSpec) -> Result<Box<dyn PictureFeed>>;
    /// The sound of a video; none from sources that have no sound.
    ///
    /// # Errors
    /// The video has none, or there is no decoder for it.
    fn sound(&self, _file: &Arc<VideoFile>, _how: Playback) -> Result<Option<Box<dyn SoundFeed>>> {
        Ok(None)
    }
    /// The pictures of a camera.
    ///
    /// # Errors
    /// `Unsupported` when there are no cameras.
    fn camera(&self, id: &str, spec: InsetSpec) -> Result<Box<dyn PictureFeed>>;
}

/// Sources that have nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSources;

impl PictureSources for NullSources {
    fn video(&self, _: &Arc<VideoFile>, _: Playback, _: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        Err(Error::new(ErrorKind::Unsupported, "videos are not decoded here")
            .next("give the overlay sources of pictures that decode"))
    }
    fn camera(&self, id: &str, _: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        Err(Error::new(ErrorKind::Unsupported, format!("the camera \"{id}\" is not here"))
            .next("give the overlay sources of pictures that have cameras"))
    }
}
