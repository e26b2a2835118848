//! The task of one camera's health.

use std::convert::Infallible;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vistter_core::health::{HealthEvent, HealthSink, HealthStatus};
use vistter_core::{Error, ErrorKind, Result};

use super::beat::{Beat, Heartbeat};
use super::machine::{HealthPolicy, Input, Machine, Output};
use crate::mover::MoverState;
use crate::timer::Timer;

/// Events kept for a slow listener; the oldest go first.
const MOST_EVENTS: usize = 32;

/// A camera that is watched. Clone it for many listeners; when the last one is dropped, the watching ends.
#[derive(Clone, Debug)]
pub struct Health {
    camera: String,
    machine: watch::Receiver<Machine>,
    events: broadcast::Sender<HealthEvent>,
    timer: Timer,
    _watching: mpsc::Sender<Infallible>,
}

impl Health {
    /// Starts watching on the current tokio runtime. `here` is the state of the camera's mover, if it has one.
    pub fn start(
        camera: &str,
        beat: Box<dyn Heartbeat>,
        policy: HealthPolicy,
        here: Option<watch::Receiver<MoverState>>,
    ) -> (Self, JoinHandle<()>) {
        Self::start_telling(camera, beat, policy, here, None)
    }
    /// The same; every change from the first one on is told to `tell`, too.
    pub fn start_telling(
        camera: &str,
        beat: Box<dyn Heartbeat>,
        policy: HealthPolicy,
        here: Option<watch::Receiver<MoverState>>,
        tell: Option<HealthSink>,
    ) -> (Self, JoinHandle<()>) {
        let machine = Machine::new(policy, camera);
        let (said, seen) = watch::channel(machine.clone());
        let events = broadcast::Sender::new(MOST_EVENTS);
        let (watching, ended) = mpsc::channel(1);
        let timer = Timer::new();
        let task = Task { beat, machine, policy, timer, said, events: events.clone(), tell };
        let handle = tokio::spawn(task.run(ended, here));
        (Self { camera: camera.to_owned(), machine: seen, events, timer, _watching: watching }, handle)
    }
    /// The camera's name.
    pub fn camera(&self) -> &str {
        &self.camera
    }
    /// How it is now.
    pub fn status(&self) -> HealthStatus {
        self.machine.borrow().status(self.timer.now())
    }
    /// What changes from now on: one event per change. Bounded: a slow listener loses the oldest, and is told so.
    pub fn events(&self) -> broadcast::Receiver<HealthEvent> {
        self.events.subscribe()
    }
}

/// Asks once, and says how the camera is by that alone.
pub async fn check(beat: &mut dyn Heartbeat, policy: HealthPolicy) -> HealthStatus {
    // One miss is all that is known.
    let mut machine = Machine::new(HealthPolicy { misses: 1, ..policy }, "");
    let timer = Timer::new();
    let answer = ask(beat, policy, timer).await;
    machine.handle(timer.now(), answer, &mut |_| {});
    machine.status(timer.now())
}

async fn ask(beat: &mut dyn Heartbeat, policy: HealthPolicy, timer: Timer) -> Input {
    let began = timer.now();
    let late = || Error::new(ErrorKind::Timeout, "the camera did not answer in time");
    let answer: Result<Beat> =
        timeout(policy.within.to_duration(), beat.beat()).await.unwrap_or_else(|_| Err(late().at(beat.describe())));
    match answer {
        Ok(b) => Input::Answered { took: timer.now() - began, skew: b.skew },
        Err(e) => Input::Failed(e),
    }
}

struct Task {
    beat: Box<dyn Heartbeat>,
    machine: Machine,
    policy: HealthPolicy,
    timer: Timer,
    said: watch::Sender<Machine>,
    events: broadcast::Sender<HealthEvent>,
    tell: Option<HealthSink>,
}

impl Task {
    async fn run(mut self, mut ended: mpsc::Receiver<Infallible>, mut here: Option<watch::Receiver<MoverState>>) {
        if let Some(h) = &mut here {
            let preset = h.borrow_and_update().here.clone();
            self.step(|m, now, out| m.handle(now, Input::Here(preset), out));
        }
        loop {
            let deadline = self.machine.next_deadline();
            let moved = async {
                match &mut here {
                    Some(h) => h.changed().await.ok().map(|()| h.borrow_and_update().here.clone()),
                    None => std::future::pending().await,
                }
            };
            let asked = tokio::select! {
                _ = ended.recv() => return,
                preset = moved => {
                    match preset {
                        Some(p) => { self.step(|m, now, out| m.handle(now, Input::Here(p), out)); }
                        None => here = None, // the mover is gone
                    }
                    false
                }
                () = self.timer.until(deadline) => self.step(Machine::poll),
            };
            if asked {
                let answer = tokio::select! {
                    _ = ended.recv() => return,
                    a = ask(&mut *self.beat, self.policy, self.timer) => a,
                };
                self.step(|m, now, out| m.handle(now, answer, out));
            }
        }
    }

    /// Whether a question is to be asked.
    fn step(&mut self, f: impl FnOnce(&mut Machine, vistter_core::time::MediaTime, &mut dyn FnMut(Output))) -> bool {
        let mut asked = false;
        let Self { machine, events, timer, said, tell, .. } = self;
        let mut changes = Vec::new();
        f(machine, timer.now(), &mut |o| match o {
            Output::Ask => asked = true,
            Output::Event(e) => changes.push(e),
        });
        // First the state, so that whoever hears of a change finds it.
        said.send_replace(machine.clone());
        for e in changes {
            if let Some(tell) = tell {
                tell(e.clone());
            }
            drop(events.send(e)); // nobody may be listening
        }
        asked
    }
}
