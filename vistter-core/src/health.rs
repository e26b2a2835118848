//! How a camera's control is, in words that every part of the program shares. The rules are in `vistter-ptz`.

use std::sync::Arc;

use serde::Serialize;

/// How a camera is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Not asked yet.
    #[default]
    Unknown,
    /// It answers.
    Online,
    /// It answers slowly, or not each time, or refuses the password.
    Degraded,
    /// It does not answer.
    Offline,
}

/// Why a camera is not simply online.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Its answers take long.
    Slow,
    /// A question was not answered.
    Missed,
    /// It answers, and refuses the password.
    Password,
    /// It answers with something else than it should.
    Confused,
    /// It does not answer.
    Silent,
    /// Nothing listens at its port.
    Closed,
    /// Its name does not resolve, or there is no way to it.
    Unreachable,
}

/// A snapshot of a camera's health.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HealthStatus {
    /// How it is.
    pub state: HealthState,
    /// Why it is not simply online.
    pub reason: Option<Reason>,
    /// The same for people, with the next step.
    pub detail: Option<String>,
    /// Seconds since its last answer.
    pub heartbeat_secs_ago: Option<f64>,
    /// How long that answer took, in seconds.
    pub answered_in_secs: Option<f64>,
    /// The camera's clock minus ours, in seconds, if it tells.
    pub clock_skew_secs: Option<f64>,
    /// Name or token of the view it stands at; empty while it moves and when it is none.
    pub here: String,
    /// Questions in a row without an answer.
    pub misses: u32,
}

/// Something that changed in a camera's health. As JSON, `health` names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "health", rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthEvent {
    /// The state, or its reason.
    State {
        /// Before.
        from: HealthState,
        /// Now.
        to: HealthState,
        /// Why.
        reason: Option<Reason>,
        /// The same for people, with the next step.
        detail: Option<String>,
    },
    /// Its clock was set.
    Clock {
        /// The camera's clock minus ours, in seconds.
        skew_secs: f64,
    },
    /// The view it stands at; empty while it moves and when it is none.
    Here {
        /// Name or token of the view.
        preset: String,
    },
}

/// Where changes of a camera's health go. Must not block.
pub type HealthSink = Arc<dyn Fn(HealthEvent) + Send + Sync>;
