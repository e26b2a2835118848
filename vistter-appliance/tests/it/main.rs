//! The `vistter` program as its users meet it: real cameras, real destinations, real files, bad input.

#![allow(unreachable_pub)] // modules of one test binary
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // test code against real peers: real time, a panic is the verdict

#[path = "../../../tests/peers/mod.rs"]
mod peers;

mod bad_input;
mod demo;
mod failures;
mod judge;
mod ocl;
mod on_air;
mod onboard;
mod ptz;
mod vistter;
