//! Camera control for VistterStream: moving a camera, and knowing when it has arrived.
//!
//! - [`mover`]: one camera's task: commands one at a time, a newer go-to replaces an older one, a drive that is not renewed
//!   is stopped, presets are found again after a reboot, and a go-to ends when the camera has arrived.
//! - [`settle`]: when has the camera arrived? By evidence instead of a fixed sleep. Sans-IO. [`picture`]: whether its picture
//!   moves, for cameras that tell nothing. [`MoverControl`]: a mover as shows command it.
//! - [`visca`]: VISCA over IP, over UDP with sequence numbers and over raw TCP: a sans-IO conversation with
//!   retransmission, and [`visca::ViscaDriver`] on tokio behind [`PtzDriver`](vistter_core::ports::PtzDriver).
//! - [`discovery`]: finding cameras by WS-Discovery and mDNS. [`driver()`]: the driver for an address such as `onvif://10.0.0.20`.
//! - [`onvif`]: a thin ONVIF client (device, media profiles, PTZ) and [`onvif::OnvifDriver`] behind the same trait.
//! - [`health`]: is the camera there? A light question now and then, one event per change.
//! - [`onboard`]: is a camera fit for a show? The steps that ask an ONVIF device.
//! - `sim` (feature `sim`): simulated cameras with motors that take time, on loopback.
//!
//! ```no_run
//! use vistter_ptz::mover::{LearnedTimes, Mover, MoverPolicy, View};
//! use vistter_ptz::visca::{Transport, ViscaDriver, ViscaOptions};
//! # async fn f() -> vistter_core::Result<()> {
//! let udp = Transport::Udp { local_port: None };
//! let driver = ViscaDriver::new(ViscaOptions::new("192.168.1.20:52381", udp));
//! let (camera, _task) = Mover::start(Box::new(driver), MoverPolicy::default(), LearnedTimes::default());
//! let stage: View = camera.capture("stage", None).await?;
//! if let Some(arrived) = camera.go_to(stage).await? {
//!     println!("standing after {} by {:?}", arrived.took, arrived.evidence);
//! }
//! # Ok(()) }
//! ```
//!
//! # Units
//! Positions are normalised ([`PtzPosition`](vistter_core::ports::PtzPosition)): pan and tilt −1…1 over the camera's whole
//! range, zoom 0…1. Times are [`MediaTime`](vistter_core::time::MediaTime) on any clock that never goes back.
//!
//! # Current state
//! VISCA: presets (by number: the protocol has no names and no list), absolute, relative and continuous moves, stop, home,
//! position; "moving" comes from the camera's completions. A camera's ranges are data ([`visca::units::Units`]); the
//! common ±170° head and three of Sony's are there. No focus, no power.
//!
//! ONVIF: device time, information, services; Media1 and Media2 profiles and stream addresses; PTZ nodes, presets, moves,
//! stop, status, home, in normalised or the device's own ranges. WS-UsernameToken with the camera's clock, HTTP Digest (MD5,
//! SHA-256), and (if allowed) text and Basic; one try a method with a wrong password; TLS with the certificate pinned at first
//! use; quirks of models as a table; events about motion (pull point); imaging, read only.
//!
//! The mover judges by move status, position, motion in the picture, learned time and a bound. Discovery: WS-Discovery and
//! mDNS on each interface, IPv4 and IPv6, and addresses one by one. Simulated cameras: VISCA and ONVIF; the latter is driven in
//! the tests by two clients that we did not write (PyPI onvif-zeep, npm onvif).
#![forbid(unsafe_code)]

mod connect;
mod control;
pub mod discovery;
pub mod health;
pub mod mover;
pub mod onboard;
pub mod onvif;
pub mod picture;
mod rtsp;
pub mod settle;
#[cfg(feature = "sim")]
pub mod sim;
mod timer;
pub mod visca;

pub use connect::{DriverOptions, driver, driver_with};
pub use control::MoverControl;
