//! A running show as an object.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use vistter::core::config::ShowConfig;
use vistter::core::ports::OverlayEvent;
use vistter::core::session::{Session, SessionEvent};
use vistter::core::{Error, ErrorKind};

use crate::{Diagnostic, VistterError};

type Result<T> = std::result::Result<T, VistterError>;

/// A running show, with its own threads. Every call may come from any thread; calls that wait say so.
///
/// Ending: call [`Program::stop`]. A program that is dropped without it ends too, but destinations and files are not
/// closed in an orderly way.
#[derive(uniffi::Object)]
pub struct Program {
    runtime: Runtime,
    state: Mutex<State>,
    events: tokio::sync::Mutex<Receiver<SessionEvent>>,
}

#[allow(clippy::large_enum_variant)] // one for each program, behind an Arc
enum State {
    Running(Session),
    /// With the summary as JSON; `None` while another thread is in `stop`.
    Ended(Option<String>),
}

#[uniffi::export]
impl Program {
    /// Starts a show from the JSON of a show file. Files in it are relative to `base_dir`. Cameras and destinations
    /// connect in the background; parts that could not be set up are in [`Program::troubles`].
    #[uniffi::constructor]
    pub fn start(show_json: String, base_dir: String) -> Result<Arc<Self>> {
        let (show, _) = ShowConfig::from_json(&show_json)
            .map_err(|faults| VistterError::Show { faults: faults.iter().map(Diagnostic::from).collect() })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("vistter")
            .build()
            .map_err(|e| Error::io("start the threads", &e))?;
        let session = runtime.block_on(Box::pin(vistter::start(show, Path::new(&base_dir))))?;
        let events = tokio::sync::Mutex::new(session.events());
        Ok(Arc::new(Self { runtime, state: Mutex::new(State::Running(session)), events }))
    }

    /// A snapshot of everything, as JSON: what is on air, the program, cameras, outputs. After [`Program::stop`], the
    /// last one.
    pub fn status_json(&self) -> Result<String> {
        match &*self.state() {
            State::Running(s) => to_json(&s.status()),
            State::Ended(Some(last)) => Ok(last.clone()),
            State::Ended(None) => Err(over()),
        }
    }

    /// Parts of the show that could not be set up, each with the reason.
    pub fn troubles(&self) -> Vec<String> {
        match &*self.state() {
            State::Running(s) => s.troubles().iter().map(|(part, why)| format!("{part}: {why}")).collect(),
            State::Ended(_) => Vec::new(),
        }
    }

    /// Waits up to `timeout_ms` for the next event and gives it as JSON; none in that time gives nothing. One thread at
    /// a time gets each event. A caller that is late loses the oldest ones.
    pub fn next_event_json(&self, timeout_ms: u32) -> Result<Option<String>> {
        let next = async {
            let mut events = self.events.lock().await;
            loop {
                match events.recv().await {
                    Ok(e) => return Some(e),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        };
        let limit = Duration::from_millis(timeout_ms.into());
        match self.runtime.block_on(async { tokio::time::timeout(limit, next).await }) {
            Ok(Some(e)) => to_json(&e).map(Some),
            Ok(None) | Err(_) => Ok(None),
        }
    }

    /// Puts a camera on air and keeps it there until [`Program::auto`].
    pub fn cut(&self, camera: String) -> Result<()> {
        self.with(|s| s.cut(&camera))
    }

    /// Shows the slate until [`Program::auto`].
    pub fn slate(&self) -> Result<()> {
        self.with(Session::slate)
    }

    /// Follows the timeline again.
    pub fn auto(&self) -> Result<()> {
        self.with(Session::auto)
    }

    /// Shows (`true`) or hides (`false`) an overlay, whatever the timeline says; nothing lets it follow the timeline.
    pub fn show_overlay(&self, overlay: String, on: Option<bool>) -> Result<()> {
        self.with(|s| s.show_overlay(&overlay, on))
    }

    /// Gives an overlay new data; its pixels change on the next frame.
    pub fn set_tokens(&self, overlay: String, tokens: HashMap<String, String>) -> Result<()> {
        self.with(|s| s.set_tokens(&overlay, tokens.into_iter().collect()))
    }

    /// Plays an overlay on to its next step; after the last one it goes off.
    pub fn next_step(&self, overlay: String) -> Result<()> {
        self.with(|s| s.next_step(&overlay))
    }

    /// Changes several overlays on one frame: all of it, or, when one of them refuses its part, nothing. `actions_json` is a
    /// list of actions as in a show file's `timeline.actions` (docs/show.md), without `at`; `show` and `hide` may be among
    /// them. What an overlay itself refuses is an event.
    pub fn commit(&self, actions_json: String) -> Result<()> {
        self.with(|s| s.commit_json(&actions_json))
    }

    /// Tells all overlays a named moment that they may wait for.
    pub fn marker(&self, name: String) -> Result<()> {
        self.with(|s| s.tell(OverlayEvent::marker(name)))
    }

    /// Tells all overlays that the stream has come to a point that they may wait for.
    pub fn milestone(&self, name: String) -> Result<()> {
        self.with(|s| s.tell(OverlayEvent::milestone(name)))
    }

    /// Tries a destination again at once.
    pub fn restart_output(&self, output: String) -> Result<()> {
        self.with(|s| s.restart_output(&output))
    }

    /// Ends the show and waits until outputs have sent what waits and files are closed. Gives the last status as JSON;
    /// a second call gives it again.
    pub fn stop(&self) -> Result<String> {
        // A statement of its own: inside `match` the lock would be held through the arms.
        let was = std::mem::replace(&mut *self.state(), State::Ended(None));
        let session = match was {
            State::Running(s) => s,
            State::Ended(last) => {
                let text = last.clone().ok_or_else(over);
                *self.state() = State::Ended(last);
                return text;
            }
        };
        let summary = self.runtime.block_on(Box::pin(session.stop()));
        let text = to_json(&summary.status)?;
        *self.state() = State::Ended(Some(text.clone()));
        Ok(text)
    }
}

impl Program {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, f: impl FnOnce(&Session) -> vistter::core::Result<T>) -> Result<T> {
        match &*self.state() {
            State::Running(s) => {
                // Some commands reach for the runtime they were started in.
                let _inside = self.runtime.enter();
                Ok(f(s)?)
            }
            State::Ended(_) => Err(over()),
        }
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("the status is no JSON: {e}")).into())
}

fn over() -> VistterError {
    Error::new(ErrorKind::Closed, "the show is over").next("start a new one").transient(false).into()
}
