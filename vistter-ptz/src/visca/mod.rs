//! VISCA (Sony) over IP: UDP 52381 with sequence numbers, and the raw TCP form.
//!
//! - [`message`]: what is said, both ways; [`frame`]: how it is framed. Both are read by the driver and by the simulator.
//! - [`connection`]: one camera's conversation as a state machine: RESET, retransmission, the two command sockets.
//! - [`angles`]: pan and tilt on the wire, in as many digits as a model has; [`units`]: the camera's own units against the normalised space of `PtzPosition`.
//! - [`ViscaDriver`]: the thin tokio driver behind `PtzDriver`.

pub mod angles;
pub mod connection;
mod driver;
pub mod frame;
pub mod message;
pub mod units;

pub use driver::{Transport, ViscaDriver, ViscaOptions};

/// UDP port of VISCA over IP.
pub const UDP_PORT: u16 = 52381;
/// TCP port that most makers of raw VISCA over TCP use (PTZOptics and its relatives).
pub const TCP_PORT: u16 = 5678;
