//! One camera's head, on the show's side: carries the director's orders to the camera's control, gives way to operators,
//! and keeps what became of it all.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::diagnose::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::health::HealthStatus;
use crate::lock::lock;
use crate::ports::{Clock, PtzArrival, PtzControl, PtzPosition, PtzVelocity, PtzView};
use crate::time::MediaTime;
use crate::timeline::{HeadOutcome, HeadState};

/// Longest wait for a control to close.
const CLOSE: std::time::Duration = std::time::Duration::from_secs(5);

/// What a head is made of.
#[derive(Clone)]
pub struct HeadParts {
    /// What moves the camera.
    pub control: Arc<dyn PtzControl>,
    /// The views that shots name.
    pub presets: Vec<PtzView>,
    /// How much later than its motion the camera's picture comes.
    pub lag: MediaTime,
    /// How long after an operator's last command the show takes the camera back.
    pub operator_hold: MediaTime,
}

impl std::fmt::Debug for HeadParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeadParts({}, {} presets)", self.control.describe(), self.presets.len())
    }
}

/// Something worth telling about a head.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "head", rename_all = "snake_case")]
#[non_exhaustive]
pub enum HeadEvent {
    /// The show sends the camera to a preset.
    Moving {
        /// Its name.
        preset: String,
    },
    /// The camera stands at a preset.
    Arrived {
        /// Its name.
        preset: String,
        /// What it was judged by, how long it took, where it looks.
        #[serde(flatten)]
        arrival: PtzArrival,
    },
    /// The camera did not get there; its shots play as it stands.
    Failed {
        /// The preset's name.
        preset: String,
        /// Why, with the next step.
        error: String,
    },
    /// Somebody else drives it; the show keeps its hands off for a while.
    Operator,
    /// The show has it back.
    Released,
}

/// Where events of a head go. Must not block.
pub type HeadSink = Arc<dyn Fn(&str, HeadEvent) + Send + Sync>;

/// A snapshot of a head.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HeadStatus {
    /// Id of the camera.
    pub camera: String,
    /// The preset at which it stands.
    pub preset: Option<String>,
    /// The preset to which it is on its way.
    pub moving_to: Option<String>,
    /// An operator has it.
    pub operator: bool,
    /// Where it looked when it arrived last, if it tells.
    pub position: Option<PtzPosition>,
    /// What the last arrival was judged by.
    pub evidence: Option<String>,
    /// How long the last move took, in milliseconds.
    pub took_ms: Option<u64>,
    /// Orders of the show so far.
    pub orders: u64,
    /// Orders that were carried out or failed; not those that a newer one replaced.
    pub done: u64,
    /// Orders that came to nothing.
    pub failures: u64,
    /// Why the last one did.
    pub error: Option<String>,
    /// Whether the camera's control answers, if that is watched.
    pub health: Option<HealthStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    number: u64,
    preset: usize,
}

/// A camera that a show moves. Dropping it stops nothing that moves; it only gives no more orders.
pub struct Head {
    shared: Arc<Shared>,
    orders: watch::Sender<Option<Order>>,
    task: AbortHandle,
}

struct Shared {
    id: String,
    parts: HeadParts,
    clock: Arc<dyn Clock>,
    now: Mutex<Now>,
    events: HeadSink,
}

#[derive(Debug, Default)]
struct Now {
    status: HeadStatus,
    done: Option<(u64, HeadOutcome, MediaTime)>,
    operator_until: Option<MediaTime>,
    /// The failure that was told, so that the same one is not told every half minute.
    told: Option<String>,
}

impl Head {
    /// Starts the task that carries orders. Needs a tokio runtime.
    pub fn start(id: impl Into<String>, parts: HeadParts, clock: Arc<dyn Clock>, events: HeadSink) -> Self {
        let id = id.into();
        let status = HeadStatus { camera: id.clone(), ..HeadStatus::default() };
        let now = Mutex::new(Now { status, ..Now::default() });
        let shared = Arc::new(Shared { id, parts, clock, now, events });
        let (orders, incoming) = watch::channel(None);
        let task = tokio::spawn(carry(shared.clone(), incoming)).abort_handle();
        Self { shared, orders, task }
    }

    /// The show's order to go to a preset, by index. Never waits; a newer order takes the place of an older one.
    pub fn order(&self, number: u64, preset: usize) {
        let Some(name) = self.shared.name(preset) else { return };
        {
            let mut n = lock(&self.shared.now);
            n.status.orders += 1;
            n.status.preset = None;
            n.status.moving_to = Some(name.clone());
        }
        (self.shared.events)(&self.shared.id, HeadEvent::Moving { preset: name });
        self.orders.send_replace(Some(Order { number, preset }));
    }

    /// What the director needs to know for a tick whose pictures are those of `target`.
    pub fn state(&self, target: MediaTime) -> HeadState {
        let shown = target - self.shared.parts.lag;
        let operator = self.shared.has_operator();
        let done = lock(&self.shared.now).done;
        // A camera that has arrived stands in the picture only when the picture is as late.
        let over = |at| done.is_some_and(|(_, how, _)| how != HeadOutcome::Arrived || shown >= at);
        HeadState { operator, done: done.filter(|(.., at)| over(*at)).map(|(order, how, _)| (order, how)) }
    }

    /// A snapshot.
    pub fn status(&self) -> HeadStatus {
        let operator = self.shared.has_operator();
        let n = lock(&self.shared.now);
        HeadStatus { operator, health: self.shared.parts.control.health(), ..n.status.clone() }
    }

    /// An operator sends the camera to a preset and has it for a while. `None` when another command took its place.
    ///
    /// # Errors
    /// `Config` for an unknown preset; what the camera or the way to it says.
    pub async fn operator_go_to(&self, preset: &str) -> Result<Option<PtzArrival>> {
        let presets = &self.shared.parts.presets;
        let Some(view) = presets.iter().find(|p| p.name == preset) else {
            let e = Error::new(ErrorKind::Config, format!("camera \"{}\" has no preset \"{preset}\"", self.shared.id));
            let names = || presets.iter().map(|p| p.name.as_str());
            return Err(match nearest(preset, names()) {
                Some(n) => e.next(format!("did you mean \"{n}\"?")),
                None => e.next(format!("one of: {}", names().collect::<Vec<_>>().join(", "))),
            });
        };
        self.shared.operator(Some(preset));
        let arrived = self.shared.parts.control.go_to(view).await;
        // Not when he has given it back meanwhile.
        if lock(&self.shared.now).operator_until.is_some() {
            self.shared.hold();
        }
        let mut n = lock(&self.shared.now);
        // Not when something else was commanded meanwhile.
        if n.status.moving_to.as_deref() == Some(preset) {
            n.status.moving_to = None;
            match &arrived {
                Ok(Some(a)) => n.status.arrived(preset, a),
                Ok(None) => {}
                Err(e) => n.status.error = Some(e.to_string()),
            }
        }
        drop(n);
        arrived
    }
    /// An operator drives the camera and has it for a while.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn operator_drive(&self, velocity: PtzVelocity) -> Result<()> {
        self.shared.operator(None);
        self.shared.parts.control.drive(velocity).await
    }
    /// An operator stops the camera and has it for a while.
    ///
    /// # Errors
    /// The camera did not take it.
    pub async fn operator_stop(&self) -> Result<()> {
        self.shared.operator(None);
        self.shared.parts.control.stop().await
    }
    /// The show is over: no more orders, and the control keeps what is to outlast it.
    pub async fn close(&self) {
        self.task.abort();
        let closing = AssertUnwindSafe(self.shared.parts.control.close()).catch_unwind();
        if !matches!(tokio::time::timeout(CLOSE, closing).await, Ok(Ok(()))) {
            tracing::warn!(camera = %self.shared.id, "the camera's control did not close in time");
        }
    }
    /// Gives the camera back to the show at once.
    pub fn operator_release(&self) {
        let had = lock(&self.shared.now).operator_until.take().is_some();
        if had {
            (self.shared.events)(&self.shared.id, HeadEvent::Released);
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Head({})", self.shared.id)
    }
}

impl HeadStatus {
    fn arrived(&mut self, preset: &str, a: &PtzArrival) {
        self.preset = Some(preset.to_owned());
        self.position = a.position;
        self.evidence = Some(a.evidence.clone());
        self.took_ms = Some(u64::try_from(a.took.millis()).unwrap_or(0));
        self.error = None;
    }
}

impl Shared {
    fn name(&self, preset: usize) -> Option<String> {
        self.parts.presets.get(preset).map(|p| p.name.clone())
    }

    /// Whether an operator has it; tells when his time is over.
    fn has_operator(&self) -> bool {
        let over = {
            let mut n = lock(&self.now);
            let now = self.clock.now();
            n.operator_until.take_if(|t| now >= *t).is_some()
        };
        if over {
            (self.events)(&self.id, HeadEvent::Released);
        }
        lock(&self.now).operator_until.is_some()
    }

    /// Somebody else commands the camera from now on.
    fn operator(&self, moving_to: Option<&str>) {
        let began = {
            let mut n = lock(&self.now);
            n.done = None;
            (n.status.preset, n.status.moving_to) = (None, moving_to.map(str::to_owned));
            n.operator_until.is_none()
        };
        self.hold();
        if began {
            (self.events)(&self.id, HeadEvent::Operator);
        }
    }
    fn hold(&self) {
        lock(&self.now).operator_until = Some(self.clock.now() + self.parts.operator_hold);
    }

    /// An order is over.
    fn over(&self, order: Order, result: Result<Option<PtzArrival>>) {
        let Some(preset) = self.name(order.preset) else { return };
        let now = self.clock.now();
        let mut n = lock(&self.now);
        n.status.done += 1;
        let (outcome, event) = match result {
            // Whoever took its place has the camera.
            Ok(None) => {
                let known = n.operator_until.is_some();
                drop(n);
                return if known { self.hold() } else { self.operator(None) };
            }
            Ok(Some(arrival)) => {
                n.told = None;
                n.status.arrived(&preset, &arrival);
                (HeadOutcome::Arrived, Some(HeadEvent::Arrived { preset, arrival }))
            }
            Err(e) => {
                let error = e.to_string();
                n.status.failures += 1;
                n.status.error = Some(error.clone());
                let news = n.told.as_ref() != Some(&error);
                n.told = Some(error.clone());
                if news {
                    tracing::warn!(camera = %self.id, preset = %preset, "{e}");
                }
                let missing = e.kind() == ErrorKind::NotFound;
                let outcome = if missing { HeadOutcome::NoSuchPreset } else { HeadOutcome::Failed };
                (outcome, news.then_some(HeadEvent::Failed { preset, error }))
            }
        };
        n.status.moving_to = None;
        n.done = Some((order.number, outcome, now));
        drop(n);
        if let Some(e) = event {
            (self.events)(&self.id, e);
        }
    }
}

async fn carry(shared: Arc<Shared>, mut orders: watch::Receiver<Option<Order>>) {
    while orders.changed().await.is_ok() {
        let Some(mut order) = *orders.borrow_and_update() else { continue };
        while let Some(view) = shared.parts.presets.get(order.preset) {
            let newer = async {
                match orders.changed().await {
                    Ok(()) => *orders.borrow_and_update(),
                    Err(_) => std::future::pending().await,
                }
            };
            // A control is foreign code: a panic in it costs this order, not the head.
            let moved = AssertUnwindSafe(shared.parts.control.go_to(view)).catch_unwind();
            tokio::select! {
                biased;
                next = newer => match next {
                    Some(next) => order = next,
                    None => break,
                },
                moved = moved => {
                    let panicked = |_| Err(Error::new(ErrorKind::Internal, "the camera's control panicked"));
                    shared.over(order, moved.unwrap_or_else(panicked));
                    break;
                }
            }
        }
    }
}
