//! The handle of a running session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::builder::{SessionBuilder, sink};
use super::event::{OverlayStatus, SessionEvent, SessionStatus, Summary, ViewName};
use crate::config::TimelineAction;
use crate::error::{Error, ErrorKind, Result};
use crate::feed::{Feed, Head};
use crate::lock::lock;
use crate::media::{Bitrate, Frame, StreamParams};
use crate::output::{OutputEvent, OutputHandle, OutputPolicy, supervise};
use crate::ports::{Canvas, Clock, Output, Overlay, OverlayAction, OverlayEvent, PtzArrival, PtzVelocity};
use crate::program::{Control, Shared};
use crate::time::FrameRate;
use crate::timeline::{Command, View, acts};

/// Ids by index.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) cameras: Vec<String>,
    pub(super) overlays: Vec<String>,
    /// Names of each camera's presets.
    pub(super) presets: Vec<Vec<String>>,
}

impl Names {
    pub(super) fn view(&self, v: View) -> ViewName {
        match v {
            View::Camera(i) => ViewName::Camera(self.cameras.get(i).cloned().unwrap_or_default()),
            View::Slate => ViewName::Slate,
        }
    }
    /// The name of a preset of the camera on air.
    pub(super) fn preset(&self, v: View, preset: Option<usize>) -> Option<String> {
        let View::Camera(i) = v else { return None };
        self.presets.get(i)?.get(preset?).cloned()
    }
    fn find(list: &[String], id: &str, what: &str) -> Result<usize> {
        list.iter().position(|n| n == id).ok_or_else(|| {
            let near = crate::diagnose::nearest(id, list.iter().map(String::as_str));
            let e = Error::new(ErrorKind::Config, format!("there is no {what} \"{id}\""));
            match near {
                Some(n) => e.next(format!("did you mean \"{n}\"?")),
                None => e.next(format!("one of: {}", list.join(", "))),
            }
        })
    }
}

/// A running show. Dropping it without [`Session::stop`] ends it too, less cleanly.
#[derive(Debug)]
pub struct Session {
    names: Names,
    feeds: Vec<Arc<Feed>>,
    heads: Vec<Option<Arc<Head>>>,
    outputs: std::sync::Mutex<Vec<Arc<OutputHandle>>>,
    controls: SyncSender<Control>,
    shared: Arc<Shared>,
    events: broadcast::Sender<SessionEvent>,
    ended: watch::Receiver<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
    params: StreamParams,
    output_events: mpsc::Sender<OutputEvent>,
    clock: Arc<dyn Clock>,
    encoder: String,
    troubles: Vec<(String, String)>,
    canvas: Canvas,
}

impl Session {
    /// Starts to build a session.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    pub(super) fn new(
        names: Names,
        feeds: Vec<Arc<Feed>>,
        heads: Vec<Option<Arc<Head>>>,
        outputs: Vec<Arc<OutputHandle>>,
        controls: SyncSender<Control>,
        shared: Arc<Shared>,
        events: broadcast::Sender<SessionEvent>,
        ended: watch::Receiver<bool>,
        thread: std::thread::JoinHandle<()>,
        params: StreamParams,
        output_events: mpsc::Sender<OutputEvent>,
        clock: Arc<dyn Clock>,
        encoder: String,
        troubles: Vec<(String, String)>,
        canvas: Canvas,
    ) -> Self {
        Self {
            names,
            feeds,
            heads,
            outputs: std::sync::Mutex::new(outputs),
            controls,
            shared,
            events,
            ended,
            thread: Some(thread),
            params,
            output_events,
            clock,
            encoder,
            troubles,
            canvas,
        }
    }

    /// Puts a camera on air and keeps it there until [`Session::auto`].
    ///
    /// # Errors
    /// `Config` for an unknown id; `Closed` when the show is over.
    pub fn cut(&self, camera: &str) -> Result<()> {
        let i = Names::find(&self.names.cameras, camera, "camera")?;
        self.control(Control::Director(Command::Pin(i)))
    }
    /// Shows the slate until [`Session::auto`].
    ///
    /// # Errors
    /// `Closed` when the show is over.
    pub fn slate(&self) -> Result<()> {
        self.control(Control::Director(Command::Slate))
    }
    /// Follows the timeline again.
    ///
    /// # Errors
    /// `Closed` when the show is over.
    pub fn auto(&self) -> Result<()> {
        self.control(Control::Director(Command::Auto))
    }
    /// Shows or hides an overlay, whatever the timeline says; `None` lets it follow the timeline again.
    ///
    /// # Errors
    /// `Config` for an unknown id; `Closed` when the show is over.
    pub fn show_overlay(&self, overlay: &str, on: Option<bool>) -> Result<()> {
        let i = Names::find(&self.names.overlays, overlay, "overlay")?;
        self.control(match on {
            Some(true) => Control::Overlays(vec![(i, OverlayAction::Show)]),
            Some(false) => Control::Overlays(vec![(i, OverlayAction::Hide)]),
            None => Control::Director(Command::OverlayAuto(i)),
        })
    }
    /// Gives an overlay new data; its pixels change on the next frame.
    ///
    /// # Errors
    /// `Config` for an unknown id; `Closed` when the show is over.
    pub fn set_tokens(&self, overlay: &str, tokens: BTreeMap<String, String>) -> Result<()> {
        self.commit([(overlay, OverlayAction::SetTokens(tokens))])
    }
    /// Plays an overlay on to its next step; after the last one it goes off.
    ///
    /// # Errors
    /// `Config` for an unknown id; `Closed` when the show is over. What the overlay itself refuses is an event.
    pub fn next_step(&self, overlay: &str) -> Result<()> {
        self.commit([(overlay, OverlayAction::Next)])
    }
    /// Changes several overlays on one frame: all of it, or, when one of them refuses its part, nothing.
    ///
    /// # Errors
    /// `Config` for an unknown id; `Closed` when the show is over. What an overlay itself refuses is an event.
    pub fn commit<'a>(&self, changes: impl IntoIterator<Item = (&'a str, OverlayAction)>) -> Result<()> {
        let mut list = Vec::new();
        for (overlay, action) in changes {
            list.push((Names::find(&self.names.overlays, overlay, "overlay")?, action));
        }
        self.control(Control::Overlays(list))
    }
    /// The same, as JSON: a list of actions as in a show file's `timeline.actions`, without `at`, and with `show` and
    /// `hide` besides. Markers and other events among them are told after the changes.
    ///
    /// # Errors
    /// `Config` for what is wrong with the list; `Closed` when the show is over. What an overlay itself refuses is an event.
    pub fn commit_json(&self, actions: &str) -> Result<()> {
        let list: Vec<TimelineAction> = serde_json::from_str(actions).map_err(|e| {
            let next =
                "give a list as in timeline.actions of a show file: [{ \"do\": \"next\", \"overlay\": \"quiz\" }]";
            Error::new(ErrorKind::Config, format!("the actions cannot be read: {e}")).next(next)
        })?;
        let overlays: Vec<&str> = self.names.overlays.iter().map(String::as_str).collect();
        let fps = self.params.video.as_ref().and_then(|v| v.declared_fps).unwrap_or(FrameRate::FPS_30);
        let live = acts::live(&list, &overlays, fps).map_err(|faults| {
            let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Error::new(ErrorKind::Config, all.join("; ")).next("mend the list; nothing of it was done")
        })?;
        if !live.changes.is_empty() {
            self.control(Control::Overlays(live.changes))?;
        }
        live.events.into_iter().try_for_each(|e| self.tell(e))
    }
    /// Puts another overlay in the place of the one with its id: a document that was changed, or whose files have come. It
    /// is prepared first, away from the program, and however long that takes the old one plays on; then it takes its place
    /// between two frames, shown from its beginning if the old one was shown, and told what holds of what that was told:
    /// tokens that were set live too, where it has them. Returns when it is in place.
    ///
    /// # Errors
    /// `Config` for an unknown id; what preparing it says, and then the old one stays; `Closed` when the show is over.
    pub async fn replace_overlay(&self, mut overlay: Box<dyn Overlay>) -> Result<()> {
        let i = Names::find(&self.names.overlays, overlay.id(), "overlay")?;
        let id = overlay.id().to_owned();
        let canvas = self.canvas;
        let prepare = tokio::task::spawn_blocking(move || overlay.prepare(canvas).map(|()| overlay));
        let panicked = |_| Error::new(ErrorKind::Internal, "preparing the overlay panicked");
        let overlay = prepare.await.map_err(panicked)??;
        let (back, old) = oneshot::channel();
        self.control(Control::Replace(i, overlay, back))?;
        let old = old.await.map_err(|_| Error::new(ErrorKind::Closed, "the show is over").transient(false))?;
        // without subscribers nobody is told
        let _ = self.events.send(SessionEvent::OverlayReplaced { overlay: id });
        let _ = tokio::task::spawn_blocking(move || drop(old)).await;
        Ok(())
    }
    /// Tells subscribers and the log that a part does not work, in words that say what to do: for those who look after parts
    /// of the show from outside.
    pub fn report(&self, part: &str, what: &impl std::fmt::Display) {
        tracing::warn!("{part}: {what}");
        // without subscribers nobody is told
        let _ = self.events.send(SessionEvent::Trouble { part: part.to_owned(), error: what.to_string() });
    }
    /// Tells all overlays something that they may wait for; it counts from the next frame on.
    ///
    /// # Errors
    /// `Closed` when the show is over.
    pub fn tell(&self, event: OverlayEvent) -> Result<()> {
        self.control(Control::Event(event))
    }
    /// Changes the video bitrate from the next frame on.
    ///
    /// # Errors
    /// `Closed` when the show is over.
    pub fn set_bitrate(&self, bitrate: Bitrate) -> Result<()> {
        self.control(Control::Bitrate(bitrate))
    }
    /// Makes the next frame a keyframe.
    ///
    /// # Errors
    /// `Closed` when the show is over.
    pub fn keyframe(&self) -> Result<()> {
        self.control(Control::Keyframe)
    }
    /// An operator sends a camera to a preset; returns when it has arrived, or `None` when another command took its place.
    /// The show keeps its hands off the camera until [`Session::ptz_release`], or for as long as `timeline.ptz.operator_hold`.
    ///
    /// # Errors
    /// `Config` for an unknown camera or preset, or one that cannot be moved; what the camera says.
    pub async fn ptz_go_to(&self, camera: &str, preset: &str) -> Result<Option<PtzArrival>> {
        self.head(camera)?.operator_go_to(preset).await
    }
    /// An operator drives a camera at a speed, for a moment: say it again to go on. As [`Session::ptz_go_to`].
    ///
    /// # Errors
    /// `Config` for an unknown camera, or one that cannot be moved; what the camera says.
    pub async fn ptz_drive(&self, camera: &str, velocity: PtzVelocity) -> Result<()> {
        self.head(camera)?.operator_drive(velocity).await
    }
    /// An operator stops a camera. As [`Session::ptz_go_to`].
    ///
    /// # Errors
    /// `Config` for an unknown camera, or one that cannot be moved; what the camera says.
    pub async fn ptz_stop(&self, camera: &str) -> Result<()> {
        self.head(camera)?.operator_stop().await
    }
    /// Gives a camera back to the show: it is moved again before its next shot.
    ///
    /// # Errors
    /// `Config` for an unknown camera, or one that cannot be moved.
    pub fn ptz_release(&self, camera: &str) -> Result<()> {
        self.head(camera)?.operator_release();
        Ok(())
    }
    /// Drops a camera's connection and makes a new one.
    ///
    /// # Errors
    /// `Config` for an unknown id.
    pub fn restart_camera(&self, camera: &str) -> Result<()> {
        let i = Names::find(&self.names.cameras, camera, "camera")?;
        self.feeds[i].restart();
        Ok(())
    }
    /// Tries a destination again at once, with a fresh back-off.
    ///
    /// # Errors
    /// `Config` for an unknown id.
    pub fn restart_output(&self, output: &str) -> Result<()> {
        self.output(output)?.restart();
        Ok(())
    }
    /// Adds a destination to the running show.
    ///
    /// # Errors
    /// `Config` when the id is taken; `Closed` when the show is over.
    pub fn add_output(&self, id: &str, output: Box<dyn Output>) -> Result<()> {
        let mut outputs = self.outputs();
        if outputs.iter().any(|o| o.id() == id) {
            return Err(
                Error::new(ErrorKind::Config, format!("there is already an output \"{id}\"")).next("choose another id")
            );
        }
        let handle = Arc::new(supervise(
            id,
            output,
            self.params.clone(),
            OutputPolicy::live(),
            self.clock.clone(),
            self.output_events.clone(),
        ));
        // An output that never gets a packet must not stay: dropping the handle ends it.
        self.control(Control::AddSink(sink(&handle)))?;
        outputs.push(handle);
        Ok(())
    }
    /// Ends one destination; the others do not notice.
    ///
    /// # Errors
    /// `Config` for an unknown id.
    pub async fn remove_output(&self, id: &str) -> Result<()> {
        let handle = self.output(id)?;
        self.control(Control::RemoveSink(id.to_owned()))?;
        handle.stop().await;
        self.outputs().retain(|o| o.id() != id);
        Ok(())
    }

    /// Events from now on. A slow subscriber loses the oldest and is told how many.
    pub fn events(&self) -> broadcast::Receiver<SessionEvent> {
        self.events.subscribe()
    }
    /// Parts that did not work at the start, with the reason: overlays, for instance.
    pub fn troubles(&self) -> &[(String, String)] {
        &self.troubles
    }
    /// A snapshot.
    pub fn status(&self) -> SessionStatus {
        let program = self.shared.status();
        SessionStatus {
            on_air: program.as_ref().and_then(|p| p.view).map(|v| self.names.view(v)),
            program,
            encoder: self.encoder.clone(),
            cameras: self.feeds.iter().map(|f| f.status()).collect(),
            heads: self.heads.iter().flatten().map(|h| h.status()).collect(),
            overlays: (self.names.overlays.iter())
                .map(|id| OverlayStatus { id: id.clone(), notes: self.shared.notes(id) })
                .collect(),
            outputs: self.outputs().iter().map(|o| o.status()).collect(),
        }
    }
    /// The picture on air.
    pub fn picture(&self) -> Option<Frame> {
        self.shared.picture()
    }
    /// What the program's packets are.
    pub fn params(&self) -> &StreamParams {
        &self.params
    }
    /// Waits until the show is over by itself.
    pub async fn finished(&self) {
        let mut ended = self.ended.clone();
        let _ = ended.wait_for(|e| *e).await;
    }

    /// Ends the show: the frame being made is finished, outputs send what waits and say goodbye, files are closed,
    /// cameras are told. Bounded in time by the outputs' policies.
    pub async fn stop(mut self) -> Summary {
        let _ = self.controls.send(Control::Stop);
        if let Some(t) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || t.join()).await;
        }
        let outputs: Vec<_> = std::mem::take(&mut *self.outputs());
        let mut closing = tokio::task::JoinSet::new();
        for o in outputs.clone() {
            closing.spawn(async move { o.stop().await });
        }
        for f in self.feeds.clone() {
            closing.spawn(async move { f.stop().await });
        }
        for h in self.heads.iter().flatten() {
            let h = h.clone();
            closing.spawn(async move { h.close().await });
        }
        while closing.join_next().await.is_some() {}
        let mut status = self.status();
        status.outputs = outputs.iter().map(|o| o.status()).collect();
        Summary { status }
    }

    fn head(&self, camera: &str) -> Result<Arc<Head>> {
        let i = Names::find(&self.names.cameras, camera, "camera")?;
        self.heads.get(i).cloned().flatten().ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("nothing moves camera \"{camera}\""))
                .next("give it an address for its control")
        })
    }
    fn output(&self, id: &str) -> Result<Arc<OutputHandle>> {
        let outputs = self.outputs();
        let names: Vec<String> = outputs.iter().map(|o| o.id().to_owned()).collect();
        Ok(outputs[Names::find(&names, id, "output")?].clone())
    }
    fn outputs(&self) -> std::sync::MutexGuard<'_, Vec<Arc<OutputHandle>>> {
        lock(&self.outputs)
    }
    fn control(&self, c: Control) -> Result<()> {
        self.controls.try_send(c).map_err(|e| match e {
            TrySendError::Full(_) => Error::new(ErrorKind::Limit, "too many commands at once")
                .next("send it again in a moment")
                .transient(true),
            TrySendError::Disconnected(_) => Error::new(ErrorKind::Closed, "the show is over").transient(false),
        })
    }
}
