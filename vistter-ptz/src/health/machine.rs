//! The rules of a camera's health. Sans-IO.

use vistter_core::backoff::{Backoff, BackoffPolicy};
use vistter_core::health::{HealthEvent, HealthState, HealthStatus, Reason};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind};

/// Slow answers in a row after which the camera counts as degraded: one alone is a hiccup of the network.
const SLOW: u32 = 2;
/// A clock that moves by more than this has been set, or the camera was restarted without one.
const CLOCK_STEP: MediaTime = MediaTime::from_secs(3);

/// The numbers of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// From one question to the next, while the camera answers; spread by a fifth either way.
    pub every: MediaTime,
    /// Longest wait for an answer.
    pub within: MediaTime,
    /// An answer that takes longer is a slow one.
    pub slow: MediaTime,
    /// Questions in a row without an answer after which the camera is offline.
    pub misses: u32,
    /// When to ask again after a question without an answer.
    pub again: BackoffPolicy,
}

impl Default for HealthPolicy {
    /// Every 10 s; after a miss at 1, 2, 4 … 30 s, for ever; offline after three misses.
    fn default() -> Self {
        let again = BackoffPolicy {
            first: MediaTime::SECOND,
            cap: MediaTime::from_secs(30),
            tries: u32::MAX,
            ..BackoffPolicy::default()
        };
        Self {
            every: MediaTime::from_secs(10),
            within: MediaTime::from_secs(5),
            slow: MediaTime::from_millis(1500),
            misses: 3,
            again,
        }
    }
}

/// What the machine is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// The answer to the question.
    Answered {
        /// How long it took.
        took: MediaTime,
        /// The camera's clock minus ours, if it tells.
        skew: Option<MediaTime>,
    },
    /// There was none, or a wrong one.
    Failed(Error),
    /// The view it stands at, from its mover.
    Here(String),
}

/// What the machine wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ask now; the answer is given to [`Machine::handle`].
    Ask,
    /// Something changed.
    Event(HealthEvent),
}

/// One camera's health.
#[derive(Clone, Debug)]
pub struct Machine {
    policy: HealthPolicy,
    backoff: Backoff,
    /// When to ask; `None` while a question is open.
    due: Option<MediaTime>,
    status: HealthStatus,
    beat: Option<MediaTime>,
    slow: u32,
    skew_told: Option<MediaTime>,
    random: u64,
}

impl Machine {
    /// A camera that is asked at once. Its name spreads the questions to many cameras over time.
    pub fn new(policy: HealthPolicy, name: &str) -> Self {
        // FNV-1a
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Self {
            policy,
            backoff: Backoff::new(policy.again, 1).named(name),
            due: Some(MediaTime::ZERO),
            status: HealthStatus::default(),
            beat: None,
            slow: 0,
            skew_told: None,
            random: seed | 1,
        }
    }
    /// When [`Self::poll`] has something to do; `None` while a question is open.
    pub fn next_deadline(&self) -> Option<MediaTime> {
        self.due
    }
    /// Time goes on.
    pub fn poll(&mut self, now: MediaTime, out: &mut dyn FnMut(Output)) {
        if self.due.take_if(|t| *t <= now).is_some() {
            out(Output::Ask);
        }
    }
    /// Something is told.
    pub fn handle(&mut self, now: MediaTime, input: Input, out: &mut dyn FnMut(Output)) {
        match input {
            Input::Here(preset) => {
                if self.status.here != preset {
                    self.status.here.clone_from(&preset);
                    out(Output::Event(HealthEvent::Here { preset }));
                }
            }
            Input::Answered { took, skew } => self.answered(now, took, skew, out),
            // It is there, whatever it says.
            Input::Failed(e) if e.kind() == ErrorKind::Unauthorized => {
                self.alive(now);
                self.turn(HealthState::Degraded, Some(Reason::Password), Some(&e), out);
            }
            Input::Failed(e) => self.missed(now, &e, out),
        }
    }
    /// A snapshot.
    pub fn status(&self, now: MediaTime) -> HealthStatus {
        HealthStatus { heartbeat_secs_ago: self.beat.map(|t| (now - t).as_secs_f64()), ..self.status.clone() }
    }

    fn alive(&mut self, now: MediaTime) {
        self.beat = Some(now);
        self.status.misses = 0;
        self.backoff.connected(now);
        self.due = Some(now + self.spread(self.policy.every));
    }

    fn answered(&mut self, now: MediaTime, took: MediaTime, skew: Option<MediaTime>, out: &mut dyn FnMut(Output)) {
        self.alive(now);
        self.status.answered_in_secs = Some(took.as_secs_f64());
        self.status.clock_skew_secs = skew.map(MediaTime::as_secs_f64);
        self.slow = if took > self.policy.slow { self.slow.saturating_add(1) } else { 0 };
        if self.slow >= SLOW {
            let e = Error::new(ErrorKind::Timeout, format!("the camera takes {:.1} s to answer", took.as_secs_f64()))
                .next("look at its network; too many viewers slow a camera down, too");
            self.turn(HealthState::Degraded, Some(Reason::Slow), Some(&e), out);
        } else {
            self.turn(HealthState::Online, None, None, out);
        }
        if let Some(s) = skew
            && self.skew_told.is_none_or(|told| told.abs_diff(s) > CLOCK_STEP)
        {
            // The first one is told only if it is off.
            if self.skew_told.is_some() || s.abs_diff(MediaTime::ZERO) > CLOCK_STEP {
                out(Output::Event(HealthEvent::Clock { skew_secs: s.as_secs_f64() }));
            }
            self.skew_told = Some(s);
        }
    }

    fn missed(&mut self, now: MediaTime, e: &Error, out: &mut dyn FnMut(Output)) {
        self.slow = 0;
        self.status.misses = self.status.misses.saturating_add(1);
        self.due = Some(self.backoff.failed(now, true).at());
        let offline = self.status.misses >= self.policy.misses;
        let reason = match e.kind() {
            ErrorKind::Protocol | ErrorKind::Limit | ErrorKind::NotFound | ErrorKind::Tls => Reason::Confused,
            _ if !offline => Reason::Missed,
            ErrorKind::Refused => Reason::Closed,
            ErrorKind::NameResolution | ErrorKind::Io => Reason::Unreachable,
            _ => Reason::Silent,
        };
        // A camera that never answered has nothing to lose: it is offline when it is told so.
        let state = match (offline, self.status.state) {
            (true, _) => HealthState::Offline,
            (false, HealthState::Unknown | HealthState::Offline) => return,
            (false, _) => HealthState::Degraded,
        };
        self.turn(state, Some(reason), Some(e), out);
    }

    fn turn(&mut self, to: HealthState, reason: Option<Reason>, e: Option<&Error>, out: &mut dyn FnMut(Output)) {
        let from = self.status.state;
        let detail = e.map(|e| match e.next_step() {
            Some(next) => format!("{} ({next})", e.what()),
            None => e.what().to_owned(),
        });
        self.status.detail.clone_from(&detail);
        if (from, self.status.reason) != (to, reason) {
            (self.status.state, self.status.reason) = (to, reason);
            out(Output::Event(HealthEvent::State { from, to, reason, detail }));
        }
    }

    /// A fifth more or less, so that two hundred cameras are not asked at the same moment (xorshift, Marsaglia 2003).
    fn spread(&mut self, t: MediaTime) -> MediaTime {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let fifth = t.nanos() / 5;
        let share = (self.random >> 11) as f64 / (1u64 << 53) as f64; // 0…1
        MediaTime::from_nanos((t.nanos() - fifth).saturating_add((share * 2.0 * fifth as f64) as i64))
    }
}
