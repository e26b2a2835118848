//! Tests of the whole, against real peers. Those of the `vistter` program are in `vistter-appliance/tests/it`.

#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

#[path = "../peers/mod.rs"]
mod peers;

#[cfg(feature = "sim")]
mod cuts;
mod fetch;
#[cfg(feature = "sim")]
mod insets;
#[cfg(feature = "sim")]
mod onboard;
mod peers_work;
#[cfg(feature = "sim")]
mod picture_motion;
#[cfg(feature = "sim")]
mod presets;
#[cfg(feature = "sim")]
mod reload;
#[cfg(feature = "sim")]
mod sound;
