//! The newest picture of a session's camera, for a box in an overlay.

use std::sync::{Arc, OnceLock};

use super::fit::Fitter;
use super::{Fed, InsetPicture, InsetSpec, PictureFeed};
use crate::error::{Error, ErrorKind};
use crate::feed::Feed;
use crate::time::MediaTime;

/// A camera that gives nothing keeps its last good picture for so long.
const HOLD: MediaTime = MediaTime::from_secs(5);
/// A camera is decoded for so long after its picture was asked for.
const WANTED: MediaTime = MediaTime::from_millis(1500);

/// The cameras of a session that is being built, for overlays that show them. They are there when it has started.
#[derive(Clone, Debug, Default)]
pub struct LiveCameras(Arc<OnceLock<Cameras>>);

/// By id.
type Cameras = Vec<(String, Arc<Feed>)>;

impl LiveCameras {
    /// Tells them; only the first time counts.
    pub(crate) fn fill(&self, feeds: Cameras) {
        let _ = self.0.set(feeds);
    }
    /// The feed of a layer that shows a camera. One that is not there is reported when the session runs.
    pub fn feed(&self, id: &str, spec: InsetSpec) -> Box<dyn PictureFeed> {
        Box::new(CameraFeed {
            cameras: self.clone(),
            id: id.to_owned(),
            fitter: Fitter::new(spec),
            cursor: None,
            last: None,
            gone: false,
            trouble: None,
        })
    }
}

struct CameraFeed {
    cameras: LiveCameras,
    id: String,
    fitter: Fitter,
    /// The last picture that was picked.
    cursor: Option<u64>,
    /// Its number, its time on the program clock, and what became of it.
    last: Option<(u64, MediaTime, InsetPicture)>,
    /// It has been said that it gives nothing.
    gone: bool,
    trouble: Option<Error>,
}

impl CameraFeed {
    fn find(&self) -> Option<Arc<Feed>> {
        let all = self.cameras.0.get()?;
        all.iter().find(|(id, _)| *id == self.id).map(|(_, feed)| feed.clone())
    }
    fn report(&mut self, gone: bool) {
        if gone && !self.gone && self.cameras.0.get().is_some() {
            let (kind, what, next) = match self.find() {
                None => (ErrorKind::Config, "is not in the show", "name one of its cameras in the overlay"),
                Some(_) => (ErrorKind::Timeout, "gives no pictures for the overlay", "its own status says why"),
            };
            let e = Error::new(kind, format!("the camera \"{}\" {what}", self.id)).next(next);
            self.trouble = Some(e.transient(kind == ErrorKind::Timeout));
        }
        self.gone = gone;
    }
}

impl PictureFeed for CameraFeed {
    fn expect(&mut self) {
        if let Some(feed) = self.find() {
            feed.expect_until(feed.present() + WANTED);
        }
    }

    fn picture_at(&mut self, _: MediaTime) -> Fed {
        let Some(feed) = self.find() else {
            self.report(true);
            return Fed::default();
        };
        let present = feed.present();
        feed.expect_until(present + WANTED);
        if let Some(p) = feed.pick_for(&mut self.cursor)
            && self.last.as_ref().is_none_or(|(n, ..)| *n != p.number)
        {
            match self.fitter.fit(&p.frame) {
                Ok(fitted) => self.last = Some((p.number, p.time, fitted)),
                Err(e) => self.trouble = Some(e),
            }
        }
        // One from before it was shown the last time is none.
        self.last.take_if(|(_, time, _)| present - *time > HOLD);
        let picture = self.last.as_ref().map(|(.., p)| p.clone());
        self.report(picture.is_none());
        Fed { picture, late: false }
    }

    fn trouble(&mut self) -> Option<Error> {
        self.trouble.take()
    }
}
