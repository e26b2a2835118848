//! Camera control for VistterStream: the parts that need no network.
//!
//! - [`settle`]: knowing when a camera has arrived, by evidence instead of a fixed sleep.
//! - [`visca`]: the VISCA wire format, over UDP with sequence numbers and over raw TCP.
//!
//! Both are sans-IO: bytes, readings and time go in, decisions come out. Times are
//! [`MediaTime`](vistter_core::time::MediaTime) on any clock that never goes back.
//!
//! # Current state
//! There is no driver yet: nothing here opens a socket, and ONVIF is absent. The ONVIF and VISCA implementations of
//! [`PtzDriver`](vistter_core::ports::PtzDriver), with retransmission, discovery and stored presets, are the next step
//! and will drive these two state machines.
#![forbid(unsafe_code)]

pub mod settle;
pub mod visca;
