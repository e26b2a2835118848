//! The task of one camera: commands, the machine, and the driver that it serialises.

use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use vistter_core::ports::{Eye, Preset, PtzDriver, PtzPosition, PtzStatus, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::command::{Arrival, Command, Done, MoveId, Note, Op, Outcome, Output};
use super::learned::LearnedTimes;
use super::look::Look;
use super::machine::{Machine, MoverPolicy};
use super::preset::View;
use crate::timer::Timer;

/// Commands that wait for the task; a caller waits for room.
const MOST_COMMANDS: usize = 16;
/// Notes kept for a slow listener; the oldest go first.
const MOST_NOTES: usize = 32;
/// How often a lost controller's drive is told to stop.
const LAST_STOPS: u32 = 5;

type Answer = oneshot::Sender<Outcome>;

/// What is known of a camera now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MoverState {
    /// Name or token of the view it stands at; empty while it moves and when it is none.
    pub here: String,
    /// Learned times; keep them for the next show.
    pub learned: LearnedTimes,
}

/// A camera that is moved. Clone it for many controllers. When the last one is dropped, the camera is stopped if it drives,
/// and the driver is closed.
#[derive(Clone, Debug)]
pub struct Mover {
    commands: mpsc::Sender<(Command, Answer)>,
    notes: broadcast::Sender<Note>,
    state: watch::Receiver<MoverState>,
}

impl Mover {
    /// Starts the task of a camera on the current tokio runtime. The handle ends by itself when every `Mover` is gone.
    pub fn start(driver: Box<dyn PtzDriver>, policy: MoverPolicy, learned: LearnedTimes) -> (Self, JoinHandle<()>) {
        Self::start_with(driver, policy, learned, None)
    }

    /// The same with the camera's own pictures as evidence, looked at while a go-to runs and the camera tells too little.
    pub fn start_with(
        driver: Box<dyn PtzDriver>,
        policy: MoverPolicy,
        learned: LearnedTimes,
        eye: Option<Arc<dyn Eye>>,
    ) -> (Self, JoinHandle<()>) {
        let (commands, incoming) = mpsc::channel(MOST_COMMANDS);
        let notes = broadcast::Sender::new(MOST_NOTES);
        let (said, state) = watch::channel(MoverState { learned: learned.clone(), ..MoverState::default() });
        let task = Task {
            driver,
            look: Look::new(eye, &policy),
            machine: Machine::new(policy, learned),
            timer: Timer::new(),
            waiting: Vec::new(),
            ids: 0,
            notes: notes.clone(),
            state: said,
        };
        let handle = tokio::spawn(task.run(incoming));
        (Self { commands, notes, state }, handle)
    }

    /// Says a command and waits for its outcome.
    ///
    /// # Errors
    /// `Internal` when the camera's task is gone.
    pub async fn command(&self, command: Command) -> Result<Outcome> {
        let (answer, outcome) = oneshot::channel();
        let gone = || Error::new(ErrorKind::Internal, "the camera's task has ended");
        self.commands.send((command, answer)).await.map_err(|_| gone())?;
        outcome.await.map_err(|_| gone())
    }
    /// Moves to a view and waits until the camera has arrived; `None` when a newer command took its place.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn go_to(&self, view: View) -> Result<Option<Arrival>> {
        self.arrival(Command::GoTo(view)).await
    }
    /// Moves to a position and waits until the camera has arrived; `None` when a newer command took its place.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn absolute(&self, to: PtzPosition, speed: Option<f32>) -> Result<Option<Arrival>> {
        self.arrival(Command::Absolute { to, speed }).await
    }
    /// Drives until it is not renewed (`MoverPolicy::hold`) or stopped. Returns when the camera has taken it.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn drive(&self, velocity: PtzVelocity) -> Result<()> {
        expect(self.command(Command::Drive(velocity)).await?, |o| match o {
            Outcome::Driving | Outcome::Stopped | Outcome::Replaced => Ok(()),
            o => Err(o),
        })
    }
    /// Stops everything. Returns when the camera has taken it.
    ///
    /// # Errors
    /// The camera did not take it, however often it was said.
    pub async fn stop(&self) -> Result<()> {
        expect(self.command(Command::Stop).await?, |o| match o {
            Outcome::Stopped | Outcome::Replaced => Ok(()),
            o => Err(o),
        })
    }
    /// Lists the camera's presets.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn presets(&self) -> Result<Vec<Preset>> {
        expect(self.command(Command::Presets).await?, |o| match o {
            Outcome::Presets(p) => Ok(p),
            o => Err(o),
        })
    }
    /// Lists the camera's presets with their positions, as far as it tells these without moving.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn views(&self) -> Result<Vec<View>> {
        expect(self.command(Command::Views).await?, |o| match o {
            Outcome::Views(v) => Ok(v),
            o => Err(o),
        })
    }
    /// Stores the present view as a preset, and gives it with its position.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn capture(&self, name: &str, replace: Option<Preset>) -> Result<View> {
        expect(self.command(Command::Save { name: name.to_owned(), replace }).await?, |o| match o {
            Outcome::Saved(v) => Ok(v),
            o => Err(o),
        })
    }
    /// Asks for position and motion.
    ///
    /// # Errors
    /// What the camera or the way to it says.
    pub async fn status(&self) -> Result<PtzStatus> {
        expect(self.command(Command::Status).await?, |o| match o {
            Outcome::Status(s) => Ok(s),
            o => Err(o),
        })
    }
    /// What happens beside the commands.
    pub fn notes(&self) -> broadcast::Receiver<Note> {
        self.notes.subscribe()
    }
    /// What is known of the camera, and a way to wait for changes.
    pub fn state(&self) -> watch::Receiver<MoverState> {
        self.state.clone()
    }

    async fn arrival(&self, command: Command) -> Result<Option<Arrival>> {
        expect(self.command(command).await?, |o| match o {
            Outcome::Arrived(a) => Ok(Some(a)),
            Outcome::Replaced => Ok(None),
            o => Err(o),
        })
    }
}

pub(super) fn expect<T>(outcome: Outcome, f: impl FnOnce(Outcome) -> Result<T, Outcome>) -> Result<T> {
    f(outcome).map_err(|o| match o {
        Outcome::Failed(e) => e,
        o => Error::new(ErrorKind::Internal, format!("the mover gave another outcome than was asked for: {o:?}")),
    })
}

struct Task {
    driver: Box<dyn PtzDriver>,
    machine: Machine,
    look: Look,
    timer: Timer,
    waiting: Vec<(MoveId, Answer)>,
    ids: u64,
    notes: broadcast::Sender<Note>,
    state: watch::Sender<MoverState>,
}

/// What the machine said in one go.
#[derive(Default)]
struct Said {
    op: Option<Op>,
    abandon: bool,
    outcome: bool,
}

impl Task {
    async fn run(mut self, mut commands: mpsc::Receiver<(Command, Answer)>) {
        let mut op: Option<Op> = None;
        let mut open = true;
        while open || op.is_some() {
            let Some(doing) = op.take() else {
                let deadline = self.deadline();
                let said = tokio::select! {
                    got = commands.recv() => match got {
                        Some((command, answer)) => self.say(command, answer),
                        None => { open = false; continue }
                    },
                    () = self.timer.until(deadline) => self.wake(),
                };
                op = said.op;
                continue;
            };
            // The driver is borrowed by the operation; what happens meanwhile goes to the rest of the task.
            let Self { driver, .. } = &mut self;
            let mut driver = std::mem::replace(driver, Box::new(vistter_core::NullPtz));
            {
                let doing = perform(&mut *driver, doing);
                tokio::pin!(doing);
                op = loop {
                    let deadline = self.deadline();
                    let said = tokio::select! {
                        result = &mut doing => break self.step(|m, now, out| m.finished(now, result, out)).op,
                        got = commands.recv(), if open => match got {
                            Some((command, answer)) => self.say(command, answer),
                            None => { open = false; continue }
                        },
                        () = self.timer.until(deadline) => self.wake(),
                    };
                    if said.abandon {
                        break said.op;
                    }
                };
            }
            self.driver = driver;
        }
        for _ in 0..LAST_STOPS {
            if !self.machine.must_stop() || self.driver.stop().await.is_ok() {
                break;
            }
        }
    }

    fn deadline(&self) -> Option<MediaTime> {
        self.machine.next_deadline().into_iter().chain(self.look.deadline()).min()
    }

    fn wake(&mut self) -> Said {
        let moves = self.look.look(self.timer.now());
        self.step(|m, now, out| match moves {
            Some(moves) => {
                m.picture(now, moves, out);
                m.poll(now, out);
            }
            None => m.poll(now, out),
        })
    }

    fn say(&mut self, command: Command, answer: Answer) -> Said {
        self.ids += 1;
        let id = MoveId(self.ids);
        self.waiting.push((id, answer));
        self.step(|m, now, out| m.command(now, id, command, out))
    }

    fn step(&mut self, f: impl FnOnce(&mut Machine, MediaTime, &mut dyn FnMut(Output))) -> Said {
        let mut said = Said::default();
        let Self { machine, waiting, notes, timer, .. } = self;
        f(machine, timer.now(), &mut |o| match o {
            Output::Op(op) => said.op = Some(op),
            Output::Abandon => said.abandon = true,
            Output::Outcome(id, outcome) => {
                said.outcome = true;
                if let Some(i) = waiting.iter().position(|(w, _)| *w == id) {
                    let _ = waiting.swap_remove(i).1.send(outcome); // the caller may be gone
                }
            }
            Output::Note(note) => drop(notes.send(note)), // nobody may be listening
        });
        self.look.follow(self.timer.now(), &self.machine);
        let (here, learned) = (self.machine.here(), self.machine.learned());
        self.state.send_if_modified(|s| {
            // Times are learned by outcomes only; comparing them all at each reading would be work for nothing.
            let changed = s.here != here || (said.outcome && s.learned != *learned);
            if changed {
                *s = MoverState { here: here.to_owned(), learned: learned.clone() };
            }
            changed
        });
        said
    }
}

async fn perform(driver: &mut dyn PtzDriver, op: Op) -> Result<Done> {
    Ok(match op {
        Op::Capabilities => Done::Capabilities(driver.capabilities().await?),
        Op::Presets => Done::Presets(driver.presets().await?),
        Op::Views => Done::Views(driver.views().await?),
        Op::Status => Done::Status(driver.status().await?),
        Op::Save(name, replace) => Done::Saved(driver.save_preset(&name, replace.as_ref()).await?),
        op => {
            match op {
                Op::GoTo(preset) => driver.go_to(&preset).await?,
                Op::Absolute(to, speed) => driver.absolute(to, speed).await?,
                Op::Relative(by, speed) => driver.relative(by, speed).await?,
                Op::Home => driver.home().await?,
                Op::Drive(velocity, within) => driver.continuous(velocity, within).await?,
                Op::Remove(preset) => driver.remove_preset(&preset).await?,
                _ => driver.stop().await?,
            }
            Done::Accepted
        }
    })
}
