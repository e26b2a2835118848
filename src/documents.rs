//! Overlay documents that change on disk while their show runs: the new one takes the place of the old one on air.
//!
//! Files are looked at, a few times a second, by content and by time of change; reading, checking and drawing are done
//! away from the program. What has changed is opened when it looks the same twice: an editor may be writing. A document
//! that cannot be used is tried again a few times, then told as [`SessionEvent::Trouble`](crate::SessionEvent::Trouble), and
//! what was on air stays until the file changes again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use vistter_core::config::OverlayConfig;
use vistter_core::diagnose::Diagnostic;
use vistter_core::inset::PictureSources;
use vistter_core::session::Session;
use vistter_core::{Error, ErrorKind, Result};
use vistter_ocl::{Document, OclOverlay};

use crate::compose;
use crate::prints::Prints;

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(500);
/// A document that cannot be used is told after it has looked the same so many times.
const PATIENCE: u32 = 5;

/// The overlay documents of a show.
pub struct Documents {
    list: Vec<Kept>,
    base: PathBuf,
    pictures: Arc<dyn PictureSources>,
    /// The cameras that the show has.
    cameras: Vec<String>,
    every: Duration,
}

/// One of them.
#[derive(Debug)]
struct Kept {
    config: OverlayConfig,
    /// The files that it names.
    beside: Vec<PathBuf>,
    change: Change,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("list", &self.list).finish_non_exhaustive()
    }
}

impl Documents {
    /// None yet. Files are relative to `base`, videos and cameras come from `pictures`.
    pub fn new(base: &Path, pictures: Arc<dyn PictureSources>, cameras: Vec<String>) -> Self {
        Self { list: Vec::new(), base: base.to_owned(), pictures, cameras, every: EVERY }
    }

    /// How often files are looked at; twice a second when nobody says so.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_millis(1));
        self
    }

    /// Opens the document of an overlay, and looks after it from now on.
    ///
    /// # Errors
    /// Everything that is wrong with it. When it is mended, it is opened then.
    pub fn open(&mut self, config: &OverlayConfig) -> Result<OclOverlay> {
        let Opened { overlay, prints, beside } = Opened::read(config, &self.base);
        let change = Change::new(prints, overlay.is_ok());
        self.list.push(Kept { config: config.clone(), beside, change });
        overlay.map(|o| o.with_pictures(self.pictures.clone()))
    }

    /// Cameras that an overlay shows and the show has not, each with its place in the document.
    pub fn unknown_cameras(&self, overlay: &OclOverlay) -> Vec<Diagnostic> {
        compose::cameras_not_in(overlay, self.cameras.iter().map(String::as_str))
    }

    /// Keeps what is on air as the files are, for as long as this is awaited: it never comes to an end, and may be dropped at
    /// any moment.
    pub async fn keep_up(mut self, session: &Session) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            for i in 0..self.list.len() {
                self.look(i, session).await;
            }
        }
    }

    async fn look(&mut self, i: usize, session: &Session) {
        let Some(kept) = self.list.get_mut(i) else { return };
        let (file, beside) = (self.base.join(&kept.config.file), kept.beside.clone());
        let Ok(now) = spawn_blocking(move || Prints::take(&file, beside)).await else { return };
        let part = format!("overlay {}", kept.config.id);
        match kept.change.look(now) {
            Next::Wait => {}
            Next::Tell(e) => {
                session
                    .report(&part, &format!("the document has changed and is not taken, what was on air stays: {e}"));
            }
            Next::Open => match self.replace(i, session).await {
                Ok(()) => tracing::info!("{part}: the document has changed, and the new one is on air"),
                Err(e) => self.list.get_mut(i).into_iter().for_each(|k| k.change.failed(e.to_string())),
            },
        }
    }

    /// Opens a document as it is now, and puts it in the place of the one that plays.
    async fn replace(&mut self, i: usize, session: &Session) -> Result<()> {
        let Some(kept) = self.list.get(i) else { return Ok(()) };
        let (config, base) = (kept.config.clone(), self.base.clone());
        let panicked = |_| Error::new(ErrorKind::Internal, "opening the document panicked");
        let opened = spawn_blocking(move || Opened::read(&config, &base)).await.map_err(panicked)?;
        let overlay = opened.overlay?.with_pictures(self.pictures.clone());
        let unknown = self.unknown_cameras(&overlay);
        let id = kept.config.id.clone();
        session.replace_overlay(Box::new(overlay)).await?;
        for d in unknown {
            session.report(&format!("overlay {id}"), &d);
        }
        if let Some(kept) = self.list.get_mut(i) {
            (kept.beside, kept.change) = (opened.beside, Change::new(opened.prints, true));
        }
        Ok(())
    }
}

/// A document that was read, and what its files looked like right before.
struct Opened {
    overlay: Result<OclOverlay>,
    prints: Prints,
    beside: Vec<PathBuf>,
}

impl Opened {
    /// Looks first and reads then: a file that changes in between looks otherwise the next time.
    fn read(config: &OverlayConfig, base: &Path) -> Self {
        let file = base.join(&config.file);
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let named = Prints::take(&file, []).text().and_then(|t| Document::parse(t).ok());
        let files = named.map(|(d, _)| d.files()).unwrap_or_default();
        let beside: Vec<PathBuf> = files.iter().map(|f| folder.join(f)).collect();
        let prints = Prints::take(&file, beside.clone());
        Self { overlay: compose::overlay(config, base), prints, beside }
    }
}

/// What to do after a look.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait,
    Open,
    Tell(String),
}

/// The way from files that have changed to a document that is on air or refused.
#[derive(Debug)]
struct Change {
    /// What the files of the one on air looked like; `None` when there is none.
    playing: Option<Prints>,
    /// What they look like now, and how many looks ago they began to.
    seen: Prints,
    looks: u32,
    error: Option<String>,
}

impl Change {
    /// Of one that could not be opened when the show began, that has been told.
    fn new(now: Prints, on_air: bool) -> Self {
        Self { playing: on_air.then(|| now.clone()), seen: now, looks: PATIENCE, error: None }
    }

    fn look(&mut self, now: Prints) -> Next {
        if self.seen != now {
            (self.seen, self.looks, self.error) = (now, 0, None);
            return Next::Wait;
        }
        if self.playing.as_ref() == Some(&now) {
            return Next::Wait;
        }
        self.looks = self.looks.saturating_add(1);
        match self.error.take() {
            _ if self.looks == 1 => Next::Open,
            Some(_) if self.looks < PATIENCE => Next::Open,
            Some(e) => Next::Tell(e),
            None => Next::Wait,
        }
    }

    fn failed(&mut self, error: String) {
        self.error = Some(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(name: &str) -> Prints {
        Prints::take(Path::new("there/is/no.such"), [PathBuf::from(name)])
    }

    #[test]
    fn what_looks_the_same_twice_is_opened_once() {
        let mut c = Change::new(prints("a"), true);
        assert_eq!(
            [c.look(prints("a")), c.look(prints("a")), c.look(prints("a"))],
            [Next::Wait, Next::Wait, Next::Wait]
        );
        // an editor writes: it looks otherwise each time
        assert_eq!([c.look(prints("b")), c.look(prints("c"))], [Next::Wait, Next::Wait]);
        assert_eq!(c.look(prints("c")), Next::Open);
        assert_eq!(c.look(prints("c")), Next::Wait, "it is opened, and nothing was wrong");
        assert_eq!([c.look(prints("a")), c.look(prints("a"))], [Next::Wait, Next::Wait], "the old one is back");
    }
    #[test]
    fn a_broken_one_is_tried_again_and_told_once() {
        let mut c = Change::new(prints("a"), true);
        c.look(prints("b"));
        let mut told = 0;
        for n in 1..20 {
            match c.look(prints("b")) {
                Next::Open => c.failed(format!("at look {n}")),
                Next::Tell(e) => {
                    assert_eq!((e.as_str(), n), ("at look 4", 5));
                    told += 1;
                }
                Next::Wait => assert!(told == 1, "{n}"),
            }
        }
        assert_eq!(told, 1);
        c.look(prints("c"));
        assert_eq!(c.look(prints("c")), Next::Open, "mended");
    }
    #[test]
    fn one_that_was_broken_from_the_beginning_is_not_told_again() {
        let mut c = Change::new(prints("a"), false);
        assert!((0..9).all(|_| c.look(prints("a")) == Next::Wait));
        c.look(prints("b"));
        assert_eq!(c.look(prints("b")), Next::Open);
    }
}
