//! Drivers against the simulated cameras, over real loopback sockets.

#![allow(clippy::unwrap_used)] // helpers of tests

mod clients;
mod discovery;
mod health;
mod mover;
mod onvif;
mod visca;
