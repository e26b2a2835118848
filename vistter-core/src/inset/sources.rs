//! [`Insets`]: where a session's overlays, and a renderer's, get their pictures.

use std::sync::Arc;

use super::camera::LiveCameras;
use super::deck::{Deck, nothing};
use super::fit::Fitter;
use super::listen::Listener;
use super::player::Player;
use super::tape::Tape;
use super::{Fed, InsetPicture, InsetSpec, PictureFeed, PictureSources, SoundFeed};
use crate::error::{Error, Result};
use crate::media::mp4::{Playback, VideoFile};
use crate::media::{Frame, FramePool};
use crate::program::slate_picture;
use crate::time::MediaTime;

/// Videos decoded by this build's decoders, and a session's cameras.
#[derive(Clone, Debug)]
pub struct Insets {
    cameras: Option<LiveCameras>,
}

impl Insets {
    /// For a session: videos are decoded ahead on threads of their own, and nothing is waited for.
    pub fn live(cameras: LiveCameras) -> Self {
        Self { cameras: Some(cameras) }
    }
    /// For a renderer that takes the time it needs: every picture of a video is the right one, however long it takes. There
    /// are no cameras: the test picture stands for each.
    pub fn exact() -> Self {
        Self { cameras: None }
    }
}

impl PictureSources for Insets {
    fn video(&self, file: &Arc<VideoFile>, how: Playback, spec: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        match self.cameras {
            Some(_) => Ok(Box::new(Player::start(file.clone(), how, spec)?)),
            None => Ok(Box::new(Exact::new(file.clone(), how, spec)?)),
        }
    }
    fn sound(&self, file: &Arc<VideoFile>, how: Playback) -> Result<Option<Box<dyn SoundFeed>>> {
        Ok(Some(match self.cameras {
            Some(_) => Box::new(Listener::start(file.clone(), how)?),
            None => Box::new(Tape::new(file.clone(), how)?),
        }))
    }
    fn camera(&self, id: &str, spec: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        match &self.cameras {
            Some(c) => Ok(c.feed(id, spec)),
            None => Ok(Box::new(TestPicture::new(spec)?)),
        }
    }
}

/// The size of the test picture.
const TEST: (u32, u32) = (1280, 720);

/// What stands for a camera.
struct TestPicture(InsetPicture);

impl TestPicture {
    fn new(spec: InsetSpec) -> Result<Self> {
        let mut buf = FramePool::new(TEST.0, TEST.1, 1)?.take();
        slate_picture(&mut buf);
        Fitter::new(spec).fit(&buf.freeze()).map(Self)
    }
}

impl PictureFeed for TestPicture {
    fn expect(&mut self) {}
    fn picture_at(&mut self, _: MediaTime) -> Fed {
        Fed { picture: Some(self.0.clone()), late: false }
    }
    fn trouble(&mut self) -> Option<Error> {
        None
    }
}

/// A video that is decoded when it is asked for.
struct Exact {
    file: Arc<VideoFile>,
    how: Playback,
    deck: Deck,
    fitter: Fitter,
    /// The picture that was asked for last, and what is shown for it.
    now: Option<(usize, InsetPicture)>,
    /// The next one that the deck gave, if it came too early.
    pending: Option<(usize, Frame)>,
    trouble: Option<Error>,
    failed: bool,
}

impl Exact {
    fn new(file: Arc<VideoFile>, how: Playback, spec: InsetSpec) -> Result<Self> {
        let deck = Deck::new(file.clone())?;
        let fitter = Fitter::new(spec);
        Ok(Self { file, how, deck, fitter, now: None, pending: None, trouble: None, failed: false })
    }

    /// The next picture that is decoded.
    fn step(&mut self) -> Result<Option<(usize, Frame)>> {
        self.pending.take().map_or_else(|| self.deck.next(), |p| Ok(Some(p)))
    }

    /// Decodes up to a picture; of one that is missing in the file, the one before it, and at the beginning the next.
    fn reach(&mut self, picture: usize) -> Result<InsetPicture> {
        let before = self.now.as_ref().map(|(n, _)| *n);
        let mut best = None;
        if before.is_none_or(|n| n > picture) || self.deck.jumps(picture) {
            self.deck.seek(picture)?;
            self.pending = None;
        } else if let Some((_, p)) = &self.now {
            best = Some(p.clone());
        }
        let mut raw = None;
        while let Some((n, frame)) = self.step()? {
            if n > picture && (best.is_some() || raw.is_some()) {
                self.pending = Some((n, frame));
                break;
            }
            raw = Some(frame);
            if n >= picture {
                break;
            }
        }
        self.trouble = self.trouble.take().or_else(|| self.deck.damage());
        match (raw, best) {
            (Some(frame), _) => self.fitter.fit(&frame),
            (None, Some(p)) => Ok(p),
            (None, None) => Err(self.trouble.take().unwrap_or_else(nothing)),
        }
    }
}

impl PictureFeed for Exact {
    fn expect(&mut self) {}

    fn picture_at(&mut self, elapsed: MediaTime) -> Fed {
        let picture = self.file.played(elapsed, self.how).picture;
        if !self.failed && self.now.as_ref().is_none_or(|(n, _)| *n != picture) {
            match self.reach(picture) {
                Ok(p) => self.now = Some((picture, p)),
                Err(e) => {
                    self.trouble = Some(e);
                    self.failed = true;
                }
            }
        }
        Fed { picture: self.now.as_ref().map(|(_, p)| p.clone()), late: false }
    }

    fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }
}
