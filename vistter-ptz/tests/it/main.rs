//! Drivers against the simulated cameras, over real loopback sockets.

#![allow(clippy::unwrap_used)] // helpers of tests

#[path = "../../../tests/peers/mod.rs"]
mod peers;

mod clients;
mod devices;
mod discovery;
mod health;
mod learned;
mod mover;
mod onvif;
mod presets;
mod replay;
mod tls;
mod vendors;
mod visca;
mod wait;
