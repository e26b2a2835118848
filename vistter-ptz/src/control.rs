//! A mover as shows command it: behind [`PtzControl`](vistter_core::ports::PtzControl), started by its first command.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::sleep;
use vistter_core::clock::Clock;
use vistter_core::config::Address;
use vistter_core::health::{HealthSink, HealthStatus};
use vistter_core::ports::{Eye, PtzArrival, PtzControl, PtzDriver, PtzVelocity, PtzView};
use vistter_core::{Error, ErrorKind, Result};

use crate::health::{Health, HealthPolicy, heartbeat};
use crate::mover::{LearnedStore, LearnedTimes, Mover, MoverPolicy, MoverState, View};

/// Moves one camera for a show.
pub struct MoverControl {
    described: String,
    driver: Mutex<Option<Box<dyn PtzDriver>>>,
    policy: MoverPolicy,
    learned: LearnedTimes,
    eye: OnceLock<Arc<dyn Eye>>,
    mover: OnceLock<Mover>,
    watched: Option<(Address, HealthPolicy, Arc<dyn Clock>)>,
    tell: OnceLock<HealthSink>,
    health: OnceLock<Health>,
    keeper: Option<Arc<Keeper>>,
}

/// What was learned goes into its file so long after it was learned: several moves at once.
const KEEP_AFTER: Duration = Duration::from_secs(10);

/// Keeps a camera's learned times.
struct Keeper {
    store: Arc<LearnedStore>,
    camera: String,
    kept: Mutex<LearnedTimes>,
}

impl Keeper {
    /// Keeps them if they differ from what was kept last.
    async fn keep(self: Arc<Self>, times: LearnedTimes) {
        let writing = tokio::task::spawn_blocking(move || {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if *kept == times {
                return;
            }
            // A camera moves without them, too.
            if let Err(e) = self.store.keep(&self.camera, &times) {
                tracing::warn!(camera = %self.camera, "{e}");
            }
            *kept = times;
        });
        let _ = writing.await; // a runtime that ends has ended it, too
    }
    /// Follows a mover until it ends.
    async fn follow(self: Arc<Self>, mut state: watch::Receiver<MoverState>) {
        while state.changed().await.is_ok() {
            sleep(KEEP_AFTER).await;
            let times = state.borrow_and_update().learned.clone();
            self.clone().keep(times).await;
        }
        let times = state.borrow().learned.clone();
        self.keep(times).await;
    }
}

impl MoverControl {
    /// Over a driver. Nothing is started before the first command, so that no runtime is needed here.
    pub fn new(driver: Box<dyn PtzDriver>, policy: MoverPolicy, learned: LearnedTimes) -> Self {
        let described = driver.describe();
        let driver = Mutex::new(Some(driver));
        let (eye, mover, health, tell) = (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { described, driver, policy, learned, eye, mover, watched: None, tell, health, keeper: None }
    }
    /// The same, watched from the start of the show on ([`Health`]): this is the address of its driver.
    #[must_use]
    pub fn watched(mut self, address: Address, policy: HealthPolicy, clock: Arc<dyn Clock>) -> Self {
        self.watched = Some((address, policy, clock));
        self
    }
    /// The same, with learned times that are kept: it begins with those that the store has for this camera, and what it learns
    /// goes there a little later, at [`PtzControl::close`] at the latest. Reads a file. What is wrong with the file costs the
    /// camera nothing but them, and is told in the log.
    #[must_use]
    pub fn kept_in(mut self, store: Arc<LearnedStore>, camera: impl Into<String>) -> Self {
        let camera = camera.into();
        match store.load(&camera) {
            Ok(times) => self.learned = times,
            Err(e) => tracing::warn!(%camera, "{e}"),
        }
        let kept = Mutex::new(self.learned.clone());
        self.keeper = Some(Arc::new(Keeper { store, camera, kept }));
        self
    }
    /// The watching, for its events; `None` before the show starts and for an address that is not watched.
    pub fn watch(&self) -> Option<&Health> {
        self.health.get()
    }

    /// The mover, for what the show does not do: capturing presets, status, learned times. Starts it.
    ///
    /// # Errors
    /// `Internal` outside a tokio runtime.
    pub fn mover(&self) -> Result<&Mover> {
        if let Some(m) = self.mover.get() {
            return Ok(m);
        }
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(m) = self.mover.get() {
            return Ok(m);
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::new(ErrorKind::Internal, "a camera's control was used outside a runtime"));
        }
        let gone = || Error::new(ErrorKind::Internal, "the camera's control has no driver");
        let driver = driver.take().ok_or_else(gone)?;
        let (mover, _task) = Mover::start_with(driver, self.policy, self.learned.clone(), self.eye.get().cloned());
        if let Some(keeper) = &self.keeper {
            tokio::spawn(keeper.clone().follow(mover.state()));
        }
        Ok(self.mover.get_or_init(|| mover))
    }

    fn start_watching(&self) -> Result<()> {
        let Some((address, policy, clock)) = &self.watched else { return Ok(()) };
        let mover = self.mover()?;
        let beat = heartbeat(address, Some(mover), clock.clone())?;
        let tell = self.tell.get().cloned();
        let (health, _task) = Health::start_telling(&self.described, beat, *policy, Some(mover.state()), tell);
        let _ = self.health.set(health); // the first one stays
        Ok(())
    }
}

impl fmt::Debug for MoverControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MoverControl({})", self.described)
    }
}

#[async_trait]
impl PtzControl for MoverControl {
    fn describe(&self) -> String {
        self.described.clone()
    }
    fn look_through(&self, eye: Arc<dyn Eye>) {
        let _ = self.eye.set(eye); // the first one stays
        // Not to be watched costs a show nothing but the knowledge.
        let _ = self.start_watching();
    }
    fn tell_health(&self, tell: HealthSink) {
        let _ = self.tell.set(tell); // the first one stays
    }
    fn health(&self) -> Option<HealthStatus> {
        self.health.get().map(Health::status)
    }
    async fn go_to(&self, view: &PtzView) -> Result<Option<PtzArrival>> {
        let arrived = self.mover()?.go_to(View::from(view.clone())).await?;
        Ok(arrived.map(|a| PtzArrival {
            evidence: a.evidence.word().to_owned(),
            took: a.took,
            position: a.position,
            off_target: a.off_target,
        }))
    }
    async fn drive(&self, velocity: PtzVelocity) -> Result<()> {
        self.mover()?.drive(velocity).await
    }
    async fn stop(&self) -> Result<()> {
        self.mover()?.stop().await
    }
    async fn close(&self) {
        if let Some((keeper, mover)) = self.keeper.as_ref().zip(self.mover.get()) {
            let times = mover.state().borrow().learned.clone();
            keeper.clone().keep(times).await;
        }
    }
}

impl From<PtzView> for View {
    fn from(v: PtzView) -> Self {
        Self { token: v.token, name: Some(v.name), position: v.position }
    }
}
