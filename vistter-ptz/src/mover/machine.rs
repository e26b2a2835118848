//! The rules of one camera's mover, sans-IO.
//!
//! - One operation is under way at a time. A read that is in the way of a command is abandoned.
//! - A newer move replaces an older one, begun or not. Stop replaces both, and goes before everything.
//! - A drive (continuous move) holds for a moment and must be renewed: a controller that is lost cannot leave the camera
//!   spinning. A drive that failed half-way, or was followed by a move that failed, is stopped too.
//! - Stop is tried again until the camera has taken it.

use std::collections::VecDeque;

use vistter_core::ports::{Preset, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::command::{Arrival, Command, Done, MoveId, Note, Op, Outcome, Output};
use super::job::{Camera, Job, Step};
use super::learned::LearnedTimes;
use super::preset::{Identity, View};
use crate::picture::PicturePolicy;
use crate::settle::SettlePolicy;

/// The numbers of the rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoverPolicy {
    /// When a camera counts as arrived.
    pub settle: SettlePolicy,
    /// How long a drive holds without being renewed.
    pub hold: MediaTime,
    /// Pause before Stop is tried again.
    pub stop_again: MediaTime,
    /// How often Stop is tried.
    pub stop_tries: u8,
    /// How motion is told from noise in the picture.
    pub picture: PicturePolicy,
    /// Farther from its stored position than this (per axis) a camera has not arrived at the view that was meant.
    pub off_target: f32,
}

impl Default for MoverPolicy {
    fn default() -> Self {
        Self {
            settle: SettlePolicy::default(),
            hold: MediaTime::SECOND,
            stop_again: MediaTime::from_millis(300),
            stop_tries: 10,
            picture: PicturePolicy::default(),
            off_target: 0.03,
        }
    }
}

#[derive(Debug)]
enum For {
    Job,
    Drive(MoveId),
    Stop,
    Errand,
}

#[derive(Debug)]
struct Drive {
    velocity: PtzVelocity,
    sent: MediaTime,
    until: MediaTime,
    accepted: bool,
    /// A move or a Stop is taking over: the hold is not watched any more.
    handed_over: bool,
}

#[derive(Debug)]
struct Stopping {
    ids: Vec<MoveId>,
    left: u8,
    due: MediaTime,
}

#[derive(Debug)]
struct Errand {
    id: MoveId,
    command: Command,
    saved: Option<Preset>,
}

/// Errands that wait; one more fails.
const MOST_ERRANDS: usize = 8;
/// Stops that wait for the same answer; one more is not waited for.
const MOST_STOPS: usize = 16;

/// One camera's mover.
#[derive(Debug)]
pub struct Machine {
    policy: MoverPolicy,
    camera: Camera,
    under_way: Option<(For, Op)>,
    job: Option<Job>,
    next: Option<(MoveId, Command)>,
    drive: Option<Drive>,
    stop: Option<Stopping>,
    errands: VecDeque<Errand>,
}

impl Machine {
    /// A mover for a camera of which these times are known.
    pub fn new(policy: MoverPolicy, learned: LearnedTimes) -> Self {
        let camera = Camera { learned, ..Camera::default() };
        let errands = VecDeque::new();
        Self { policy, camera, under_way: None, job: None, next: None, drive: None, stop: None, errands }
    }

    /// A command. Each gets exactly one [`Outcome`].
    pub fn command(&mut self, now: MediaTime, id: MoveId, command: Command, out: &mut (impl FnMut(Output) + ?Sized)) {
        match command {
            Command::Drive(v) if (v.pan, v.tilt, v.zoom) == (0.0, 0.0, 0.0) => self.stop_now(now, Some(id), out),
            Command::Stop => self.stop_now(now, Some(id), out),
            Command::Drive(v) => {
                if let Some(d) = self.drive.as_mut().filter(|d| !d.handed_over) {
                    d.until = now + self.policy.hold;
                    // A camera that stops by itself must hear it again well before.
                    let fresh = now - d.sent < MediaTime::from_nanos(self.policy.hold.nanos() / 3);
                    if d.velocity == v && d.accepted && fresh && self.next.is_none() {
                        return out(Output::Outcome(id, Outcome::Driving));
                    }
                }
                self.replace(id, command, out);
            }
            c if c.is_errand() => {
                if self.errands.len() >= MOST_ERRANDS {
                    let e = Error::new(ErrorKind::Limit, "too many requests wait for this camera").transient(true);
                    return out(Output::Outcome(id, Outcome::Failed(e)));
                }
                self.errands.push_back(Errand { id, command: c, saved: None });
            }
            c => self.replace(id, c, out),
        }
        self.advance(now, out);
    }

    /// The result of the operation under way.
    pub fn finished(&mut self, now: MediaTime, result: Result<Done>, out: &mut (impl FnMut(Output) + ?Sized)) {
        let Some((whose, _)) = self.under_way.take() else { return };
        match whose {
            For::Job => self.job_finished(now, result, out),
            For::Drive(id) => match result {
                Ok(_) => {
                    if let Some(d) = &mut self.drive {
                        d.accepted = true;
                    }
                    out(Output::Outcome(id, Outcome::Driving));
                }
                Err(e) => {
                    // It may have been heard, or one axis may have taken it and another refused.
                    self.want_stop(now, None);
                    out(Output::Outcome(id, Outcome::Failed(e)));
                }
            },
            For::Stop => self.stop_finished(now, result, out),
            For::Errand => self.errand_finished(result, out),
        }
        self.advance(now, out);
    }

    /// Time has passed: call at [`Self::next_deadline`].
    pub fn poll(&mut self, now: MediaTime, out: &mut (impl FnMut(Output) + ?Sized)) {
        if let Some(d) = self.drive.as_mut().filter(|d| !d.handed_over && now >= d.until) {
            d.handed_over = true;
            out(Output::Note(Note::DeadMan));
            // A drive that has not begun is too old by now.
            if let Some((id, _)) = self.next.take_if(|(_, c)| matches!(c, Command::Drive(_))) {
                out(Output::Outcome(id, Outcome::Replaced));
            }
            self.want_stop(now, None);
            self.abandon_read(out);
        }
        // The bound holds even while a read hangs.
        if let (Some(job), Some((For::Job, Op::Status))) = (&mut self.job, &self.under_way)
            && job.limit().is_some_and(|t| now >= t)
        {
            job.went_silent();
            self.abandon_read(out);
        }
        self.advance(now, out);
    }

    /// Whether it is worth to look at the camera's picture: a go-to is under way, and the camera tells too little.
    pub fn wants_picture(&self, now: MediaTime) -> bool {
        self.job.as_ref().is_some_and(|j| j.wants_picture(now))
    }

    /// What was seen in the camera's picture.
    pub fn picture(&mut self, now: MediaTime, moves: bool, out: &mut (impl FnMut(Output) + ?Sized)) {
        if let Some(job) = &mut self.job {
            job.picture(now, moves);
        }
        self.advance(now, out);
    }

    /// When [`Self::poll`] has something to do.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        let hold = self.drive.as_ref().filter(|d| !d.handed_over).map(|d| d.until);
        let stop = self.stop.as_ref().filter(|_| self.under_way.is_none()).map(|s| s.due);
        let job = self.job.as_ref().and_then(|j| match &self.under_way {
            None => j.deadline(),
            Some((For::Job, Op::Status)) => j.limit(),
            Some(_) => None,
        });
        hold.into_iter().chain(stop).chain(job).min()
    }

    /// The controller is gone: whether the camera may be driving and must be told to stop.
    pub fn must_stop(&self) -> bool {
        self.drive.is_some() || self.stop.is_some()
    }
    /// What was learned, to be kept.
    pub fn learned(&self) -> &LearnedTimes {
        &self.camera.learned
    }
    /// The view at which the camera stands; empty while it moves and when it is none.
    pub fn here(&self) -> &str {
        if self.job.is_some() || self.drive.is_some() { "" } else { &self.camera.here }
    }

    fn replace(&mut self, id: MoveId, command: Command, out: &mut (impl FnMut(Output) + ?Sized)) {
        if let Some((old, _)) = self.next.replace((id, command)) {
            out(Output::Outcome(old, Outcome::Replaced));
        }
        self.abandon_read(out);
    }

    fn stop_now(&mut self, now: MediaTime, id: Option<MoveId>, out: &mut (impl FnMut(Output) + ?Sized)) {
        let next = self.next.take().map(|(id, _)| id);
        for old in next.into_iter().chain(self.job.take().map(|j| j.id)) {
            out(Output::Outcome(old, Outcome::Replaced));
        }
        // The answer to the replaced move itself is waited for; it must not go to another job.
        if let Some(id) = id.filter(|_| self.stop.as_ref().is_some_and(|s| s.ids.len() >= MOST_STOPS)) {
            return out(Output::Outcome(id, Outcome::Replaced)); // one more of the same
        }
        self.want_stop(now, id);
        self.abandon_read(out);
    }

    fn want_stop(&mut self, now: MediaTime, id: Option<MoveId>) {
        if let Some(d) = &mut self.drive {
            d.handed_over = true;
        }
        let left = self.policy.stop_tries.max(1);
        let s = self.stop.get_or_insert(Stopping { ids: Vec::new(), left, due: now });
        s.left = left;
        s.due = now;
        s.ids.extend(id);
    }

    fn abandon_read(&mut self, out: &mut (impl FnMut(Output) + ?Sized)) {
        if self.under_way.take_if(|(_, op)| op.is_read()).is_some() {
            out(Output::Abandon);
        }
    }

    fn begin(&mut self, whose: For, op: Op, out: &mut (impl FnMut(Output) + ?Sized)) {
        self.under_way = Some((whose, op.clone()));
        out(Output::Op(op));
    }

    fn advance(&mut self, now: MediaTime, out: &mut (impl FnMut(Output) + ?Sized)) {
        while self.under_way.is_none() {
            if self.stop.as_ref().is_some_and(|s| now >= s.due) {
                self.camera.here.clear();
                return self.begin(For::Stop, Op::Stop, out);
            }
            if let Some((id, command)) = self.next.take() {
                self.start(now, id, command, out);
                continue;
            }
            if self.job.is_none() {
                return self.run_errand(out);
            }
            if self.job.as_ref().is_some_and(Job::is_accepted) && !self.errands.is_empty() {
                return self.run_errand(out);
            }
            let Some(job) = &mut self.job else { return };
            match job.step(now, &self.policy, &mut self.camera) {
                Step::Wait => return,
                Step::Op(op) => return self.begin(For::Job, op, out),
                Step::Over(result) => self.over(now, result, out),
            }
        }
    }

    fn start(&mut self, now: MediaTime, id: MoveId, command: Command, out: &mut (impl FnMut(Output) + ?Sized)) {
        // A Stop that the camera did not take yet has lost its meaning, too.
        let stops = self.stop.take().map(|s| s.ids).unwrap_or_default();
        for old in stops.into_iter().chain(self.job.take().map(|j| j.id)) {
            out(Output::Outcome(old, Outcome::Replaced));
        }
        if let Command::Drive(velocity) = command {
            self.camera.here.clear();
            let until = now + self.policy.hold;
            self.drive = Some(Drive { velocity, sent: now, until, accepted: false, handed_over: false });
            let within = MediaTime::from_nanos(self.policy.hold.nanos() / 2 * 3);
            return self.begin(For::Drive(id), Op::Drive(velocity, within), out);
        }
        if let Some(d) = &mut self.drive {
            d.handed_over = true;
        }
        self.job = Some(Job::new(id, command));
    }

    fn job_finished(&mut self, now: MediaTime, result: Result<Done>, out: &mut (impl FnMut(Output) + ?Sized)) {
        // None: the move was stopped while its command was on its way; the Stop follows.
        let Some(job) = &mut self.job else { return };
        match job.finished(now, result, &self.policy, &mut self.camera) {
            Ok(()) if job.is_accepted() => self.drive = None,
            Ok(()) => {}
            Err(e) => self.over(now, Err(e), out),
        }
    }

    fn over(&mut self, now: MediaTime, result: Result<Arrival>, out: &mut (impl FnMut(Output) + ?Sized)) {
        let Some(job) = self.job.take() else { return };
        let outcome = match result {
            Ok(arrival) => {
                if let (Some(by @ (Identity::Name | Identity::Position)), Some(view)) = (arrival.found, job.view()) {
                    let asked_by_name = view.token.is_none() && by == Identity::Name;
                    if !asked_by_name {
                        out(Output::Note(Note::FoundAgain { view: view.key(), by }));
                    }
                }
                Outcome::Arrived(arrival)
            }
            Err(e) => {
                if self.drive.is_some() {
                    self.want_stop(now, None); // it drives on since before this move
                }
                Outcome::Failed(e)
            }
        };
        out(Output::Outcome(job.id, outcome));
    }

    fn stop_finished(&mut self, now: MediaTime, result: Result<Done>, out: &mut (impl FnMut(Output) + ?Sized)) {
        let Some(mut s) = self.stop.take() else { return };
        match result {
            Ok(_) => {
                self.drive = None;
                s.ids.into_iter().for_each(|id| out(Output::Outcome(id, Outcome::Stopped)));
            }
            Err(e) if s.left > 1 && e.kind() != ErrorKind::Unsupported => {
                s.left -= 1;
                s.due = now + self.policy.stop_again;
                self.stop = Some(s);
            }
            Err(e) => {
                self.drive = None;
                // What cannot be stopped cannot be moved.
                if e.kind() != ErrorKind::Unsupported {
                    out(Output::Note(Note::StopFailed(e.clone())));
                }
                s.ids.into_iter().for_each(|id| out(Output::Outcome(id, Outcome::Failed(e.clone()))));
            }
        }
    }

    fn run_errand(&mut self, out: &mut (impl FnMut(Output) + ?Sized)) {
        let Some(errand) = self.errands.front() else { return };
        let op = match &errand.command {
            Command::Presets => Op::Presets,
            Command::Views => Op::Views,
            Command::Save { name, replace } if errand.saved.is_none() => Op::Save(name.clone(), replace.clone()),
            Command::Remove(preset) => Op::Remove(preset.clone()),
            _ => Op::Status,
        };
        self.begin(For::Errand, op, out);
    }

    fn errand_finished(&mut self, result: Result<Done>, out: &mut (impl FnMut(Output) + ?Sized)) {
        let Some(mut errand) = self.errands.pop_front() else { return };
        let outcome = match (result, errand.saved.take()) {
            (Ok(Done::Saved(preset)), None) => {
                // Where is that? The view is worth more with its position.
                self.camera.presets = None;
                errand.saved = Some(preset);
                return self.errands.push_front(errand);
            }
            (result, Some(preset)) => {
                let position = match result {
                    Ok(Done::Status(s)) => s.position,
                    _ => None,
                };
                let view = View { position, ..View::of(preset) };
                self.camera.learned.forget(&view.key());
                if self.job.is_none() && self.drive.is_none() {
                    self.camera.here = view.key();
                }
                Outcome::Saved(view)
            }
            (Ok(Done::Presets(p)), None) => {
                self.camera.presets = Some(p.clone());
                Outcome::Presets(p)
            }
            (Ok(Done::Views(all)), None) => {
                self.camera.presets = Some(all.iter().map(|(p, _)| p.clone()).collect());
                let view = |(p, position)| View { position, ..View::of(p) };
                Outcome::Views(all.into_iter().map(view).collect())
            }
            (Ok(Done::Status(s)), None) => Outcome::Status(s),
            (Ok(_), None) => {
                self.camera.presets = None;
                Outcome::Removed
            }
            (Err(e), None) => Outcome::Failed(e),
        };
        out(Output::Outcome(errand.id, outcome));
    }
}

#[cfg(test)]
#[cfg(feature = "sim")]
#[path = "machine_tests.rs"]
mod tests;
