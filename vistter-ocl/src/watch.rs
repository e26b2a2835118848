//! What rights allow changes while a scene is on air, by the wall-clock and not by the scene's own time.
//!
//! A scene is made ready for the next such change ahead of it, never on the thread that composes: by whoever prepares the
//! overlay, later by a thread of its own. On the first frame of the new time it takes the place of the old one. Should it
//! not be ready, nothing is shown for so long: what may not be shown is not shown.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use vistter_core::clock::WallTime;
use vistter_core::diagnose::Diagnostic;
use vistter_core::ports::{Canvas, Tick};
use vistter_core::time::FrameRate;
use vistter_core::{Error, Result};

use crate::OclOverlay;
use crate::compile::compile;
use crate::fault::Faults;
use crate::inset::Outside;
use crate::program::SceneProgram;
use crate::renderer::Renderer;
use crate::standin::of_scene;
use crate::timeline::clock::SceneClock;

/// News that nobody has asked for yet.
const MAX_NEWS: usize = 256;

/// What may be shown, and what comes next.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The latest wall-clock time seen. It never goes back: what has ended stays so when a clock is set back.
    wall: Option<WallTime>,
    canvas: Option<Canvas>,
    /// When the rights of what is shown change next.
    change: Option<WallTime>,
    coming: Option<Coming>,
    /// What is to be shown is not ready.
    blank: bool,
    /// What is shown in place of something else now.
    findings: Vec<Diagnostic>,
    news: Vec<Diagnostic>,
}

/// A scene made for a moment.
#[derive(Debug)]
enum Coming {
    Ready(Box<Stage>),
    Making(Receiver<Made>),
}

/// A scene as it is from one moment to another.
#[derive(Debug)]
struct Stage {
    renderer: Renderer,
    findings: Vec<Diagnostic>,
    /// The moment it was made for, and the one at which it changes.
    from: Option<WallTime>,
    until: Option<WallTime>,
}

/// A stage, or why there is none.
type Made = std::result::Result<Stage, Vec<Diagnostic>>;

/// What a stage is made from.
struct Plot {
    document: Arc<crate::Document>,
    assets: crate::Assets,
    scene: String,
    canvas: Canvas,
    tokens: std::collections::BTreeMap<String, String>,
    outside: Outside,
}

impl Plot {
    /// # Errors
    /// What is wrong with the scene.
    fn stage(&self, wall: Option<WallTime>) -> Made {
        let now = wall.map_or_else(|| self.assets.clone(), |w| self.assets.at(w));
        let program = SceneProgram { outside: self.outside.clone(), ..self.program(&now)? };
        let mut findings: Vec<Diagnostic> = program.uses.iter().filter_map(|id| now.finding(id)).cloned().collect();
        findings.extend(program.notes.iter().cloned());
        let until = wall.and_then(|w| now.next_change(w, &program.uses));
        let renderer = Renderer::new(program, &self.tokens, wall.unwrap_or_default());
        Ok(Stage { renderer, findings, from: wall, until })
    }

    /// The scene; when it cannot be made on this canvas, the one in its place.
    fn program(&self, now: &crate::Assets) -> std::result::Result<SceneProgram, Vec<Diagnostic>> {
        let make = |scene: &str| compile(&self.document, Some(scene), now, self.canvas);
        let (mut name, mut notes, mut tried) = (self.scene.clone(), Vec::new(), Vec::new());
        loop {
            let faults = match make(&name) {
                Ok(program) => {
                    notes.extend(program.notes.iter().cloned());
                    return Ok(SceneProgram { notes, ..program });
                }
                Err(faults) => faults,
            };
            tried.push(name.clone());
            let scene = self.document.scenes.iter().find(|s| s.id == name);
            let instead = scene.and_then(|s| of_scene(&self.document, s)).flatten();
            let Some(other) = instead.filter(|s| !self.document.strict && !tried.iter().any(|t| t == s)) else {
                return Err(faults);
            };
            let why = faults.first().map(|d| d.message.clone()).unwrap_or_default();
            let text = format!("the scene \"{name}\" gives way to \"{other}\": {why}");
            notes.push(Diagnostic::warning("OCL-FALLBACK", "/scenes", text));
            name = other.to_owned();
        }
    }
}

impl Watch {
    pub(crate) fn new(wall: Option<WallTime>) -> Self {
        Self { wall, ..Self::default() }
    }
    /// Whether nothing can be shown now.
    pub(crate) fn is_blank(&self) -> bool {
        self.blank
    }
    /// What is new.
    pub(crate) fn tell(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.news)
    }
    /// The frame at which what may be shown changes.
    pub(crate) fn next_frame(&self, at: Tick, fps: FrameRate) -> Option<u64> {
        if self.blank {
            return Some(at.frame.saturating_add(1));
        }
        let left = self.change?.unix_nanos().saturating_sub(at.wall.unix_nanos()).max(0);
        // Rounded down: wall-clock is read anew at each frame, and may be a little ahead by then.
        let frames = i128::from(left) * i128::from(fps.num()) / (i128::from(fps.den()) * 1_000_000_000);
        Some(at.frame.saturating_add(u64::try_from(frames).unwrap_or(u64::MAX).max(1)))
    }
    /// Takes what holds now; what did not hold before is news.
    fn holds(&mut self, findings: Vec<Diagnostic>) {
        let new = findings.iter().filter(|d| !self.findings.contains(d)).cloned();
        let room = MAX_NEWS.saturating_sub(self.news.len());
        self.news.extend(new.take(room));
        self.findings = findings;
    }
}

impl OclOverlay {
    /// What is shown in place of something else, or left out, at present.
    pub fn findings(&self) -> &[Diagnostic] {
        &self.watch.findings
    }
    /// The scene that plays: when the one that was asked for cannot be shown, the one in its place.
    pub fn scene(&self) -> &str {
        self.renderer.as_ref().map_or(&self.scene, |r| r.program().scene())
    }

    fn plot(&self, canvas: Canvas) -> Plot {
        Plot {
            document: self.document.clone(),
            assets: self.assets.clone(),
            scene: self.scene.clone(),
            canvas,
            tokens: self.tokens.clone(),
            outside: self.outside.clone(),
        }
    }

    /// The scene as it is now, and made ready for the next change of what may be shown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn first_stage(&mut self, canvas: Canvas) -> Result<Renderer> {
        let plot = self.plot(canvas);
        let fault = |list| Error::from(Faults::new(Some(format!("overlay {}", self.id)), list));
        let stage = plot.stage(self.watch.wall).map_err(fault)?;
        self.watch.canvas = Some(canvas);
        self.watch.blank = false;
        self.watch.findings.clear();
        self.watch.holds(stage.findings);
        self.watch.change = stage.until;
        let next = stage.until.and_then(|t| plot.stage(Some(t)).ok());
        self.watch.coming = next.map(|s| Coming::Ready(Box::new(s)));
        Ok(stage.renderer)
    }

    /// Takes over, on the first frame of its time, what may be shown from then on. Quick when nothing changes.
    pub(crate) fn look_at_rights(&mut self, at: Tick) {
        let Some(canvas) = self.watch.canvas else { return };
        let first = self.watch.wall.is_none();
        let now = self.watch.wall.map_or(at.wall, |w| w.max(at.wall));
        self.watch.wall = Some(now);
        if first {
            // The time was not known when it was prepared.
            let used = self.renderer.as_ref().map(|r| r.program().uses.as_slice()).unwrap_or_default();
            let open = self.assets.at(now);
            if used.iter().any(|id| !open.is_open(id)) {
                self.watch.change = Some(now);
            } else {
                self.watch.change = open.next_change(now, used);
                self.watch.coming = self.watch.change.map(|t| self.make(canvas, t));
                return;
            }
        }
        let due = self.watch.change.is_some_and(|c| now >= c);
        if !due && !self.watch.blank {
            return;
        }
        let ready = match self.watch.coming.take() {
            Some(Coming::Ready(stage)) => Some(*stage),
            Some(Coming::Making(from)) => match from.try_recv() {
                Ok(Ok(stage)) => Some(stage),
                Ok(Err(faults)) => {
                    // it stays dark: what a strict document lacks, it is not shown without
                    self.watch.change = None;
                    self.watch.blank = true;
                    self.watch.canvas = None;
                    self.watch.holds(faults);
                    return;
                }
                Err(TryRecvError::Empty) => {
                    self.watch.coming = Some(Coming::Making(from));
                    self.watch.blank = true;
                    return;
                }
                Err(TryRecvError::Disconnected) => None,
            },
            None => None,
        };
        // One that was made for a time that is over already is of no use.
        match ready.filter(|s| s.from.is_some_and(|f| f <= now) && s.until.is_none_or(|u| now < u)) {
            Some(stage) => self.install(stage, canvas),
            None => {
                self.watch.blank = true;
                self.watch.coming = Some(self.make(canvas, now));
            }
        }
    }

    /// Makes a stage on a thread of its own.
    fn make(&self, canvas: Canvas, wall: WallTime) -> Coming {
        let plot = self.plot(canvas);
        let (made, from) = sync_channel(1);
        // Nobody waits for it any more when the overlay is gone.
        let work = move || drop(made.send(plot.stage(Some(wall))));
        // Without a thread nobody sends anything, and it is tried again on the next frame.
        drop(std::thread::Builder::new().name("ocl-rights".into()).spawn(work));
        Coming::Making(from)
    }

    /// Goes over to another stage, at the same point of the scene's time.
    fn install(&mut self, mut stage: Stage, canvas: Canvas) {
        self.watch.blank = false;
        self.watch.change = stage.until;
        self.watch.holds(stage.findings);
        if let Some(old) = &mut self.renderer {
            let (before, after) = (old.program(), stage.renderer.program());
            let (was, is) = (&before.timeline.awaited, &after.timeline.awaited);
            self.log = self.log.mapped(is.iter().map(|a| was.iter().position(|b| a == b)));
            if before.scene == after.scene {
                stage.renderer.take_over(old);
            } else {
                self.clock = SceneClock::begin(&after.timeline.steps);
            }
        }
        self.plan.make(&stage.renderer.program().timeline.tracks, &self.log);
        self.renderer = Some(stage.renderer);
        self.watch.coming = self.watch.change.map(|t| self.make(canvas, t));
    }
}
