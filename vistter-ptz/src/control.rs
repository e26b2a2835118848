//! A mover as shows command it: behind [`PtzControl`](vistter_core::ports::PtzControl), started by its first command.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use vistter_core::clock::Clock;
use vistter_core::config::Address;
use vistter_core::health::HealthStatus;
use vistter_core::ports::{Eye, PtzArrival, PtzControl, PtzDriver, PtzVelocity, PtzView};
use vistter_core::{Error, ErrorKind, Result};

use crate::health::{Health, HealthPolicy, heartbeat};
use crate::mover::{LearnedTimes, Mover, MoverPolicy, View};

/// Moves one camera for a show.
pub struct MoverControl {
    described: String,
    driver: Mutex<Option<Box<dyn PtzDriver>>>,
    policy: MoverPolicy,
    learned: LearnedTimes,
    eye: OnceLock<Arc<dyn Eye>>,
    mover: OnceLock<Mover>,
    watched: Option<(Address, Arc<dyn Clock>)>,
    health: OnceLock<Health>,
}

impl MoverControl {
    /// Over a driver. Nothing is started before the first command, so that no runtime is needed here.
    pub fn new(driver: Box<dyn PtzDriver>, policy: MoverPolicy, learned: LearnedTimes) -> Self {
        let described = driver.describe();
        let driver = Mutex::new(Some(driver));
        let (eye, mover, health) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { described, driver, policy, learned, eye, mover, watched: None, health }
    }
    /// The same, watched from the start of the show on ([`Health`]): this is the address of its driver.
    #[must_use]
    pub fn watched(mut self, address: Address, clock: Arc<dyn Clock>) -> Self {
        self.watched = Some((address, clock));
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
        Ok(self.mover.get_or_init(|| mover))
    }

    fn start_watching(&self) -> Result<()> {
        let Some((address, clock)) = &self.watched else { return Ok(()) };
        let mover = self.mover()?;
        let beat = heartbeat(address, Some(mover), clock.clone())?;
        let (health, _task) = Health::start(&self.described, beat, HealthPolicy::default(), Some(mover.state()));
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
}

impl From<PtzView> for View {
    fn from(v: PtzView) -> Self {
        Self { token: v.token, name: Some(v.name), position: v.position }
    }
}
