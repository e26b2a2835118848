//! Cameras that a show moves: how to reach their heads, and what happens when one is late.

use serde::{Deserialize, Serialize};

use super::{Address, Span};
use crate::secret::Secret;

/// How much later than its motion a camera's picture comes, where the show does not say, in milliseconds.
const LAG_MS: u32 = 300;

/// How a camera is moved.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PtzConfig {
    /// `onvif://HOST[:PORT]`, `https://HOST[:PORT]` (ONVIF over TLS), `visca://HOST[:PORT]` (UDP) or `visca-tcp://HOST[:PORT]`; user and password may stand in it.
    #[cfg_attr(feature = "schema", schemars(with = "super::schema::TextOrEnv"))]
    pub url: Address,
    /// User, instead of inside the URL; without any, the camera's own.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub user: Option<String>,
    /// Password, instead of inside the URL.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<super::schema::TextOrEnv>"))]
    pub password: Option<Secret<String>>,
    /// How much later than its motion the camera's picture comes, in milliseconds: a camera that has arrived goes on air so
    /// much later.
    #[serde(default = "lag")]
    pub picture_lag_ms: u32,
    /// SHA-256 of the certificate of an `https://` camera, 64 hexadecimal digits. `vistter onboard` writes it. Without it any
    /// certificate will do that the camera shows first in this show.
    #[serde(default)]
    pub tls_pin: Option<String>,
    /// How often it is asked whether it is there.
    #[serde(default)]
    pub health: HealthRules,
}

/// How a camera's control is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HealthRules {
    /// From one question to the next, while it answers.
    pub every: Span,
    /// Questions in a row without an answer after which it counts as offline.
    pub misses: u32,
}

impl Default for HealthRules {
    fn default() -> Self {
        Self { every: Span::secs(10), misses: 3 }
    }
}

fn lag() -> u32 {
    LAG_MS
}

/// What happens to a shot whose camera is still on its way to the preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Late {
    /// The shot before stays until the camera stands, at most for `wait`; then it goes on air though it moves.
    #[default]
    Hold,
    /// The same, and then the backup camera until it stands.
    Backup,
    /// It goes on air at once, moving.
    Cut,
}

/// What viewers see when two shots that follow each other are two presets of one camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SameCamera {
    /// The backup camera while it moves; without one that has pictures, its last picture.
    #[default]
    Away,
    /// Its last picture while it moves.
    Freeze,
    /// The motion.
    Move,
}

/// Rules for cameras that the show moves; a shot may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PtzRules {
    /// What happens to a shot whose camera is still on its way.
    pub late: Late,
    /// How long a shot waits for its camera.
    pub wait: Span,
    /// What viewers see between two presets of one camera.
    pub same_camera: SameCamera,
    /// How long after an operator's last command the show takes a camera back.
    pub operator_hold: Span,
}

impl Default for PtzRules {
    fn default() -> Self {
        Self { late: Late::Hold, wait: Span::secs(5), same_camera: SameCamera::Away, operator_hold: Span::secs(60) }
    }
}
