//! One move from its command to its arrival.

use vistter_core::ports::{Preset, PtzCaps, PtzPosition, PtzStatus};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind};

use super::command::{Arrival, Command, Done, MoveId, Op};
use super::learned::LearnedTimes;
use super::machine::MoverPolicy;
use super::preset::{Identity, View, Way};
use crate::settle::{Evidence, Known, Settle, near};

/// What the machine knows of the camera; jobs fill it.
#[derive(Debug, Default)]
pub(super) struct Camera {
    pub(super) caps: Option<PtzCaps>,
    /// `None` until listed, and again when the list is doubted.
    pub(super) presets: Option<Vec<Preset>>,
    pub(super) learned: LearnedTimes,
    /// The view it stands at; empty when that is no known one.
    pub(super) here: String,
}

#[derive(Debug)]
enum Phase {
    Learn,
    List,
    Look,
    Send,
    Settle(Box<Settle>),
}

/// One move.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: MoveId,
    command: Command,
    phase: Phase,
    from: Option<PtzPosition>,
    from_view: String,
    began: MediaTime,
    found: Option<Identity>,
    preset: Option<Preset>,
    /// A token that the camera refused, or accepted and did not act on.
    bad_token: Option<String>,
    /// Why, if that is the end of it.
    refusal: Option<Error>,
    /// The last status that failed, since one that did not.
    silent: Option<Error>,
}

/// What to do for a job.
#[derive(Debug)]
pub(super) enum Step {
    Op(Op),
    Wait,
    Over(Result<Arrival, Error>),
}

impl Job {
    pub(super) fn new(id: MoveId, command: Command) -> Self {
        Self {
            id,
            command,
            phase: Phase::Learn,
            from: None,
            from_view: String::new(),
            began: MediaTime::ZERO,
            found: None,
            preset: None,
            bad_token: None,
            refusal: None,
            silent: None,
        }
    }

    /// The view it goes to, if it goes to one.
    pub(super) fn view(&self) -> Option<&View> {
        match &self.command {
            Command::GoTo(v) => Some(v),
            _ => None,
        }
    }
    /// Whether the camera has accepted it.
    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.phase, Phase::Settle(_))
    }
    /// When it has something to ask or to decide.
    pub(super) fn deadline(&self) -> Option<MediaTime> {
        match &self.phase {
            Phase::Settle(s) => s.next_deadline(),
            _ => None,
        }
    }
    /// When it is over at the latest.
    pub(super) fn limit(&self) -> Option<MediaTime> {
        match &self.phase {
            Phase::Settle(s) => Some(s.limit()),
            _ => None,
        }
    }
    /// Whether it is worth to look at the camera's picture.
    pub(super) fn wants_picture(&self, now: MediaTime) -> bool {
        matches!(&self.phase, Phase::Settle(s) if s.wants_picture(now))
    }
    /// Whether the camera's picture moves.
    pub(super) fn picture(&mut self, now: MediaTime, moves: bool) {
        if let Phase::Settle(s) = &mut self.phase {
            s.picture(now, moves);
        }
    }
    /// The last question was given up.
    pub(super) fn went_silent(&mut self) {
        self.silent = Some(Error::new(ErrorKind::Timeout, "the camera accepted the move and then did not answer"));
    }

    /// What comes next.
    pub(super) fn step(&mut self, now: MediaTime, policy: &MoverPolicy, camera: &mut Camera) -> Step {
        let to_view = self.view().is_some();
        loop {
            match &mut self.phase {
                Phase::Learn if camera.caps.is_none() => return Step::Op(Op::Capabilities),
                Phase::Learn => self.phase = Phase::List,
                Phase::List if to_view && camera.presets.is_none() => return Step::Op(Op::Presets),
                Phase::List => self.phase = Phase::Look,
                Phase::Look => return Step::Op(Op::Status),
                Phase::Send => {
                    return match self.way(camera) {
                        Ok(op) => Step::Op(op),
                        Err(e) => Step::Over(Err(e)),
                    };
                }
                Phase::Settle(settle) => {
                    let Some(evidence) = settle.poll(now) else {
                        let due = settle.next_read().is_some_and(|t| now >= t);
                        return if due { Step::Op(Op::Status) } else { Step::Wait };
                    };
                    match self.arrive(now, evidence, policy, camera) {
                        Some(over) => return Step::Over(over),
                        None => self.phase = Phase::List,
                    }
                }
            }
        }
    }

    /// The answer to what [`Self::step`] asked for.
    pub(super) fn finished(
        &mut self,
        now: MediaTime,
        result: Result<Done, Error>,
        policy: &MoverPolicy,
        camera: &mut Camera,
    ) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Learn => match result {
                Ok(Done::Capabilities(c)) => camera.caps = Some(c),
                // Asked again before the next move.
                Err(e) if is_unreachable(&e) => return Err(e),
                _ => self.phase = Phase::List,
            },
            Phase::List => match result {
                Ok(Done::Presets(p)) => camera.presets = Some(p),
                Err(e) if is_unreachable(&e) => return Err(e),
                _ => self.phase = Phase::Look,
            },
            Phase::Look => {
                match result {
                    Ok(Done::Status(s)) => self.from = s.position,
                    Err(e) if is_unreachable(&e) => return Err(e),
                    _ => {}
                }
                self.phase = Phase::Send;
            }
            Phase::Send => match result {
                Ok(_) => {
                    self.from_view = std::mem::take(&mut camera.here);
                    self.began = now;
                    let to = self.view().map(View::key).unwrap_or_default();
                    let target = self.expected(camera);
                    let took = camera.learned.took(&self.from_view, &to);
                    let settle = Settle::new(policy.settle, Known { from: self.from, target, took }, now);
                    self.phase = Phase::Settle(Box::new(settle));
                }
                Err(e) => {
                    // Only a refused preset is looked for again, and only once.
                    let Some(token) = self.doubt(camera, &e) else { return Err(self.refusal.take().unwrap_or(e)) };
                    self.bad_token = Some(token);
                    self.refusal = Some(e);
                    self.phase = Phase::List;
                }
            },
            Phase::Settle(settle) => match result {
                Ok(Done::Status(PtzStatus { position, moving })) => {
                    settle.read(now, moving, position);
                    self.silent = None;
                }
                Err(e) => {
                    settle.missed(now);
                    self.silent = Some(e);
                }
                Ok(_) => settle.missed(now),
            },
        }
        Ok(())
    }

    /// The operation that starts the motion.
    fn way(&mut self, camera: &Camera) -> Result<Op, Error> {
        let view = match &self.command {
            Command::GoTo(v) => v,
            Command::Absolute { to, speed } => return Ok(Op::Absolute(*to, *speed)),
            Command::Relative { by, speed } => return Ok(Op::Relative(*by, *speed)),
            _ => return Ok(Op::Home),
        };
        let lists = camera.caps.is_some_and(|c| c.list_presets);
        let usable: Option<Vec<Preset>> = camera
            .presets
            .as_ref()
            .map(|all| all.iter().filter(|p| self.bad_token.as_ref() != Some(&p.token)).cloned().collect());
        let believe = !lists && view.token.is_some() && self.bad_token.is_none();
        let way = view.find(if believe { None } else { Some(usable.as_deref().unwrap_or_default()) });
        match way {
            Some(Way::Preset(how, preset)) => {
                self.found = Some(how);
                self.preset = Some(preset.clone());
                Ok(Op::GoTo(preset))
            }
            Some(Way::Position(to)) => {
                self.found = Some(Identity::Position);
                self.preset = None;
                Ok(Op::Absolute(to, None))
            }
            None => Err(self.refusal.take().unwrap_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("the camera has no preset {:?}", view.key()))
                    .next("list its presets, or capture the view again")
                    .transient(false)
            })),
        }
    }

    /// The token to leave out, if the failure may come from an outdated preset and that was not tried yet.
    fn doubt(&self, camera: &mut Camera, e: &Error) -> Option<String> {
        let preset = self.preset.as_ref().filter(|_| self.bad_token.is_none())?;
        let refused = matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Protocol);
        refused.then(|| {
            camera.presets = None;
            preset.token.clone()
        })
    }

    fn expected(&self, camera: &Camera) -> Option<PtzPosition> {
        if let Command::Absolute { to, .. } = &self.command {
            return Some(*to);
        }
        let view = self.view()?;
        view.position.or_else(|| camera.learned.target(&self.from_view, &view.key()))
    }

    /// `None` when the camera said yes and did nothing: the preset is looked for again.
    fn arrive(
        &mut self,
        now: MediaTime,
        evidence: Evidence,
        policy: &MoverPolicy,
        camera: &mut Camera,
    ) -> Option<Result<Arrival, Error>> {
        let expected = self.expected(camera);
        let Phase::Settle(settle) = &self.phase else { return None };
        if let Some(e) = self.silent.take().filter(|_| evidence == Evidence::Bound) {
            return Some(Err(e));
        }
        let position = settle.position();
        let off_target = position.zip(expected).is_some_and(|(p, e)| !near(&p, &e, policy.off_target));
        if off_target
            && !settle.was_seen_moving()
            && self.bad_token.is_none()
            && let Some(p) = &self.preset
        {
            self.bad_token = Some(p.token.clone());
            camera.presets = None;
            return None;
        }
        if let Some(view) = self.view() {
            let to = view.key();
            if let Some((took, target)) = settle.learned().filter(|_| settle.was_seen_moving()) {
                camera.learned.keep(&self.from_view, &to, took, target);
            }
            camera.here = to;
        }
        Some(Ok(Arrival {
            evidence,
            took: now - self.began,
            position,
            found: self.found,
            preset: self.preset.clone(),
            off_target,
        }))
    }
}

/// No use in saying the next thing.
fn is_unreachable(e: &Error) -> bool {
    use ErrorKind as K;
    matches!(e.kind(), K::Timeout | K::Refused | K::Closed | K::NameResolution | K::Tls | K::Unauthorized)
}
