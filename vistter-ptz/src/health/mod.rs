//! Is the camera there? One light question now and then, never a second RTSP session, and one event per change.
//!
//! - [`machine`]: the rules, sans-IO: when to ask, what an answer or its absence means.
//! - `beat`: the questions: the clock of an ONVIF device (without a password), an inquiry through a camera's [`Mover`]
//!   (VISCA: there is one conversation), an RTSP OPTIONS or a TCP connection where there is nothing better.
//! - [`Health`]: the tokio task of one camera.
//!
//! ```no_run
//! # async fn f() -> vistter_core::Result<()> {
//! use vistter_core::{clock::SystemClock, config::Address};
//! use vistter_ptz::health::{Health, HealthPolicy, heartbeat};
//! let address = Address::parse("onvif://192.168.1.20").expect("an address");
//! let beat = heartbeat(&address, None, SystemClock::shared())?;
//! let (health, _task) = Health::start("stage", beat, HealthPolicy::default(), None);
//! let mut events = health.events();
//! while let Ok(event) = events.recv().await {
//!     println!("{event:?}; now {:?}", health.status());
//! }
//! # Ok(()) }
//! ```
//!
//! [`Mover`]: crate::mover::Mover

mod beat;
mod driver;
pub mod machine;
#[cfg(test)]
mod machine_tests;

pub use beat::{Beat, Heartbeat, MoverBeat, OnvifBeat, RtspBeat, TcpBeat, heartbeat};
pub use driver::{Health, check};
pub use machine::HealthPolicy;
pub use vistter_core::health::{HealthEvent, HealthSink, HealthState, HealthStatus, Reason};
