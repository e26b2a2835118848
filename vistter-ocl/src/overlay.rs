//! [`OclOverlay`]: a document's scene behind core's `Overlay` trait.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use vistter_core::clock::WallTime;
use vistter_core::diagnose::{Diagnostic, nearest};
use vistter_core::inset::PictureSources;
use vistter_core::media::FrameBuf;
use vistter_core::ports::{Canvas, Overlay, OverlayAction, OverlayEvent, Tick};
use vistter_core::time::FrameRate;
use vistter_core::{Error, ErrorKind, Result};

use crate::assets::{AssetCache, AssetSource, Assets, Folder};
use crate::compile::{compile, find};
use crate::fault::Faults;
use crate::glyphs;
use crate::inset::Outside;
use crate::limits::MAX_DOCUMENT_BYTES;
use crate::model::{Content, Document};
use crate::presence::{Presence, Via};
use crate::program::{Next, earliest};
use crate::read::token::value_fault;
use crate::renderer::Renderer;
use crate::timeline::clock::SceneClock;
use crate::timeline::events::Log;
use crate::timeline::plan::Plan;
use crate::watch::Watch;

/// One scene of a document, playing.
///
/// It shows nothing until [`OverlayAction::Show`]. Tokens keep their values over hiding and showing.
#[derive(Debug)]
pub struct OclOverlay {
    pub(crate) id: String,
    pub(crate) document: Arc<Document>,
    warnings: Vec<Diagnostic>,
    pub(crate) assets: Assets,
    pub(crate) scene: String,
    pub(crate) tokens: BTreeMap<String, String>,
    /// Those that were set while it played, as they were given.
    pub(crate) live: BTreeMap<String, String>,
    pub(crate) renderer: Option<Renderer>,
    pub(crate) presence: Presence,
    pub(crate) clock: SceneClock,
    pub(crate) log: Log,
    pub(crate) plan: Plan,
    /// The frame at which the clock began.
    pub(crate) began: Option<u64>,
    /// Presets and milestones that were told before it was prepared.
    pub(crate) early: Vec<OverlayEvent>,
    /// Where its videos and cameras come from.
    pub(crate) outside: Outside,
    /// What may be shown by the wall-clock.
    pub(crate) watch: Watch,
}

/// How a document is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening<'a> {
    /// The scene to play; the first one when `None`.
    pub scene: Option<&'a str>,
    /// Values of tokens.
    pub tokens: Option<&'a BTreeMap<String, String>>,
    /// The wall-clock time, which says what rights allow; when `None`, that is looked at when the overlay is first composed.
    pub wall: Option<WallTime>,
    /// Where decoded files are shared with other documents.
    pub cache: Option<&'a AssetCache>,
}

impl OclOverlay {
    /// Reads a document and its assets from a file. `scene` is the first one when `None`.
    ///
    /// # Errors
    /// Every fault of the document, its assets, the scene's name and the tokens.
    pub fn from_file(
        id: impl Into<String>,
        path: &Path,
        scene: Option<&str>,
        tokens: &BTreeMap<String, String>,
    ) -> Result<Self, Faults> {
        Self::open_file(id, path, &Opening { scene, tokens: Some(tokens), ..Opening::default() })
    }

    /// Reads a document and its assets from a file.
    ///
    /// # Errors
    /// As [`OclOverlay::from_file`].
    pub fn open_file(id: impl Into<String>, path: &Path, opening: &Opening<'_>) -> Result<Self, Faults> {
        let file = Some(path.display().to_string());
        let text = read(path).map_err(|list| Faults::new(file.clone(), list))?;
        let folder = Folder::new(path.parent().unwrap_or(Path::new("")));
        Self::open(id, &text, &folder, opening).map_err(|f| Faults::new(file.clone(), f.into_diagnostics()))
    }

    /// Reads a document from text, and its assets from `assets` (a [`Folder`] or a map in memory).
    ///
    /// # Errors
    /// As [`OclOverlay::from_file`].
    pub fn from_str(
        id: impl Into<String>,
        text: &str,
        assets: &dyn AssetSource,
        scene: Option<&str>,
        tokens: &BTreeMap<String, String>,
    ) -> Result<Self, Faults> {
        Self::open(id, text, assets, &Opening { scene, tokens: Some(tokens), ..Opening::default() })
    }

    /// Reads a document from text, and its assets from `assets`. A file that cannot be had is no error, unless the document
    /// is strict: what is shown in its place, or left out, is in [`OclOverlay::warnings`].
    ///
    /// # Errors
    /// As [`OclOverlay::from_file`].
    pub fn open(
        id: impl Into<String>,
        text: &str,
        assets: &dyn AssetSource,
        opening: &Opening<'_>,
    ) -> Result<Self, Faults> {
        let faults = |list| Faults::new(None, list);
        let (document, mut warnings) = Document::parse(text).map_err(faults)?;
        let mut list = Vec::new();
        let none = BTreeMap::new();
        let tokens = opening.tokens.unwrap_or(&none);
        let unshared = AssetCache::new(0);
        let assets = Assets::load_with(&document, assets, opening.cache.unwrap_or(&unshared));
        let now = opening.wall.map_or_else(|| assets.clone(), |wall| assets.at(wall));
        let scene = find(&document, opening.scene).map(|(_, s)| s.id.clone()).map_err(|l| list.extend(l));
        list.extend(token_faults(&document, tokens));
        if let (true, Ok(scene)) = (document.strict, &scene) {
            let canvas = Canvas { width: document.base.0, height: document.base.1, fps: FrameRate::FPS_30 };
            list.extend(compile(&document, Some(scene), &now, canvas).err().unwrap_or_default());
        }
        let mut news: Vec<Diagnostic> = now.findings().cloned().collect();
        if !list.is_empty() {
            list.append(&mut news);
            warnings.append(&mut list);
            crate::fault::locate_all(text, &mut warnings);
            return Err(faults(warnings));
        }
        news.extend(glyphs::missing(&document, &now));
        if !news.is_empty() {
            warnings.append(&mut news);
            crate::fault::locate_all(text, &mut warnings);
        }
        let scene = scene.unwrap_or_default();
        let mut values: BTreeMap<_, _> = document.tokens.iter().map(|(k, t)| (k.clone(), t.default.clone())).collect();
        for (name, value) in tokens {
            let shown = document.tokens.get(name).map_or(value.as_str(), |t| t.shown(value));
            values.insert(name.clone(), shown.to_owned());
        }
        let (id, presence) = (id.into(), Presence::OFF);
        let watch = Watch::new(opening.wall);
        Ok(Self { presence, watch, ..Self::blank(id, document, warnings, assets, scene, values) })
    }

    /// One line of centred text on a box, on from the first frame; for a slate or a notice. Text that does not fit ends
    /// in "…". `{{` has no meaning in it.
    pub fn message(text: &str) -> Self {
        let document = crate::message::document(text);
        let scene = document.scenes.first().map(|s| s.id.clone()).unwrap_or_default();
        let none = (Vec::new(), Assets::default(), BTreeMap::new());
        let mut me = Self::blank("message".to_owned(), document, none.0, none.1, scene, none.2);
        me.presence = Presence::shown();
        me
    }

    fn blank(
        id: String,
        document: Document,
        warnings: Vec<Diagnostic>,
        assets: Assets,
        scene: String,
        tokens: BTreeMap<String, String>,
    ) -> Self {
        Self {
            id,
            document: Arc::new(document),
            warnings,
            assets,
            scene,
            tokens,
            live: BTreeMap::new(),
            renderer: None,
            presence: Presence::OFF,
            clock: SceneClock::default(),
            log: Log::default(),
            plan: Plan::default(),
            began: None,
            early: Vec::new(),
            outside: Outside::default(),
            watch: Watch::default(),
        }
    }

    /// Says where the pictures of its videos and cameras come from; without, they show nothing. Before it is prepared.
    #[must_use]
    pub fn with_pictures(mut self, sources: Arc<dyn PictureSources>) -> Self {
        self.outside = Outside(Some(sources));
        self
    }

    /// The cameras that its scene shows, with the pointers of the layers in the document.
    pub fn cameras(&self) -> Vec<(String, &str)> {
        let mut out = Vec::new();
        for (n, scene) in self.document.scenes.iter().enumerate().filter(|(_, s)| s.id == self.scene) {
            for (at, layer) in scene.every_layer() {
                if let Content::Camera(c) = &layer.content {
                    out.push((format!("/scenes/{n}{at}/camera"), c.camera.as_str()));
                }
            }
        }
        out
    }

    /// What was not quite as written, but plays, when it was opened. What holds now is told by
    /// [`Overlay::attend`].
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
    /// The document.
    pub fn document(&self) -> &Document {
        &self.document
    }
    /// Whether something of it shows at a frame.
    pub fn is_visible(&self, frame: u64) -> bool {
        self.presence.level(frame) > 0
    }
    /// The tokens' values.
    pub fn tokens(&self) -> &BTreeMap<String, String> {
        &self.tokens
    }
}

/// Reads a document's text, bounded.
pub(crate) fn read(path: &Path) -> Result<String, Vec<Diagnostic>> {
    use std::io::Read as _;
    let fail = |e: &std::io::Error| {
        let d = Diagnostic::error("OCL-FILE", "", format!("the overlay file cannot be read: {e}"));
        let near = || {
            let names: Vec<String> =
                Folder::new(path.parent()?).names().into_iter().filter(|n| n.ends_with(".json")).collect();
            nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str)).map(str::to_owned)
        };
        match near() {
            Some(n) if e.kind() == std::io::ErrorKind::NotFound => vec![d.help(format!("did you mean \"{n}\"?"))],
            _ => vec![d.help("check the path; it is relative to the show file")],
        }
    };
    if path.is_dir() {
        return Err(fail(&std::io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| fail(&e))?;
    file.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| fail(&e))?;
    // A cut in the middle of a character belongs to a document that is refused for its size.
    String::from_utf8(bytes).or_else(|e| {
        if e.as_bytes().len() > MAX_DOCUMENT_BYTES {
            return Ok(String::from_utf8_lossy(e.as_bytes()).into_owned());
        }
        Err(vec![Diagnostic::error("OCL-FILE", "", "the overlay file is not UTF-8 text").help("save it as UTF-8")])
    })
}

pub(crate) fn token_faults(document: &Document, tokens: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let fault = |(name, value): (&String, &String)| match document.tokens.get(name) {
        None => Some(
            Diagnostic::error("OCL-UNKNOWN-TOKEN", "/tokens", format!("the document has no token \"{name}\""))
                .suggest(name, document.tokens.keys().map(String::as_str)),
        ),
        Some(t) => {
            let what = format!("the value of \"{name}\"");
            t.check(value).err().map(|e| value_fault(&format!("/tokens/{name}"), &what, &e))
        }
    };
    tokens.iter().filter_map(fault).collect()
}

impl Overlay for OclOverlay {
    fn id(&self) -> &str {
        &self.id
    }

    fn prepare(&mut self, canvas: Canvas) -> Result<()> {
        let renderer = self.first_stage(canvas)?;
        let timeline = &renderer.program().timeline;
        self.log = Log::new(timeline.awaited.len());
        self.clock = SceneClock::begin(&timeline.steps);
        self.log.begin();
        self.plan = timeline.alone.clone();
        self.renderer = Some(renderer);
        for event in std::mem::take(&mut self.early) {
            self.hear(None, &event);
        }
        Ok(())
    }

    /// Tokens are set all or none: an unknown name or a value that is too long changes nothing.
    fn apply(&mut self, at: Tick, action: &OverlayAction) -> Result<()> {
        self.may(action, self.presence.age(at.frame).is_some())?;
        self.settle(at.frame);
        self.act(at, action);
        Ok(())
    }

    fn check(&self, at: Tick, action: &OverlayAction) -> Result<()> {
        self.may(action, self.presence.age(at.frame).is_some())
    }

    fn attend(&mut self, at: Tick) -> Vec<Diagnostic> {
        self.look_at_rights(at);
        self.watch.tell()
    }

    fn is_visible(&self, at: Tick) -> bool {
        Self::is_visible(self, at.frame)
    }
    fn is_static_until(&self, at: Tick) -> Option<u64> {
        let program = self.renderer.as_ref()?.program();
        let age = self.presence.age(at.frame)?;
        if self.renderer.as_ref().is_some_and(|r| r.passes() || r.turns(age) || r.waits()) {
            return Some(at.frame.saturating_add(1));
        }
        let ramp = self.presence.next_change(at.frame);
        if self.presence.since(at.frame) != self.began {
            // it has come on anew by itself, and its clock is not put yet
            return Some(at.frame.saturating_add(1));
        }
        let moment = self.clock.moment(age);
        let (clock_step, tick) =
            self.renderer.as_ref().map(|r| r.aims().steps(program.canvas().fps, moment.run)).unwrap_or_default();
        let next = program.changes(moment, &self.plan).or(Next { time: None, run: tick });
        let ages = [next.time.and_then(|t| self.clock.age_at(t)), next.run.and_then(|r| self.clock.age_at_run(r))];
        let motion = ages.into_iter().flatten().filter(|a| *a > age).min().map(|a| at.frame.saturating_add(a - age));
        let clock = earliest(program.clock_step(moment, &self.plan), clock_step).map(|step| {
            const SECOND: i64 = 1_000_000_000;
            let left = step * SECOND - at.wall.unix_nanos().rem_euclid(step * SECOND);
            let fps = program.canvas().fps;
            // Rounded down: wall-clock is read anew at each frame, and may be a little ahead by then.
            let frames = i128::from(left) * i128::from(fps.num()) / (i128::from(fps.den()) * i128::from(SECOND));
            at.frame.saturating_add(u64::try_from(frames).unwrap_or(1).max(1))
        });
        let rights = self.watch.next_frame(at, program.canvas().fps);
        earliest(earliest(earliest(ramp, motion), clock), rights)
    }

    fn expect(&mut self) {
        self.renderer.iter_mut().for_each(Renderer::expect);
    }
    fn trouble(&mut self) -> Option<Error> {
        self.renderer.as_mut()?.trouble()
    }
    /// Each token by itself: a document that lacks one takes the others.
    fn told(&self) -> Vec<OverlayAction> {
        let one = |(k, v): (&String, &String)| OverlayAction::SetTokens(BTreeMap::from([(k.clone(), v.clone())]));
        self.live.iter().map(one).collect()
    }
    fn sound(&mut self, at: Tick, first: u64, mix: &mut [f32]) -> bool {
        self.heard(at, first, mix)
    }

    fn compose(&mut self, at: Tick, target: &mut FrameBuf) -> Result<()> {
        self.look_at_rights(at);
        self.settle(at.frame);
        let Some(age) = self.presence.age(at.frame).filter(|_| !self.watch.is_blank()) else {
            return Ok(());
        };
        let Some(renderer) = &mut self.renderer else {
            return Err(Error::new(ErrorKind::Internal, "the overlay is composed before it is prepared").at(&self.id));
        };
        let canvas = renderer.program().canvas();
        if target.size() != (canvas.width, canvas.height) {
            let (w, h) = target.size();
            let what = format!("prepared for {}x{}, composed on {w}x{h}", canvas.width, canvas.height);
            return Err(Error::new(ErrorKind::Internal, what).at(&self.id));
        }
        renderer.look_at(age);
        let (level, via) = (self.presence.level(at.frame), self.presence.via(at.frame));
        let way = match via {
            Via::In => &renderer.program().enter,
            Via::Out => &renderer.program().exit,
        };
        let stage = way.stage(level, canvas.width, canvas.height);
        renderer.compose((self.clock.moment(age), &self.plan), via, stage, at.wall, &self.tokens, target);
        Ok(())
    }
}
