//! ONVIF: a thin SOAP layer of our own (`docs/decisions/0006-onvif-client.md` says why), the services that PTZ needs, and
//! the driver behind `PtzDriver`.
//!
//! - [`xml`], [`http`]: what a device sends, with limits. [`auth`]: how it wants the password. [`soap`]: envelopes, faults.
//! - [`OnvifClient`]: exchanges with time-outs on one kept connection; the camera's clock; ports.
//! - [`services`]: what the answers say: device, media profiles, PTZ nodes, presets, status. [`space`]: ranges.
//! - [`tls`]: the certificate that a camera showed first is the one it must show. [`quirks`]: what models need that differs, as data.
//! - [`imaging`]: the picture's settings and the focus, read only. [`events`]: what a camera says of its motion by itself.
//! - [`OnvifDriver`]: the camera behind `PtzDriver`.

pub mod auth;
mod client;
mod device;
mod driver;
mod endpoint;
pub mod events;
pub mod http;
pub mod imaging;
mod pullpoint;
pub mod quirks;
pub mod services;
pub mod soap;
pub mod space;
pub(crate) mod time;
pub mod tls;
mod transport;
pub mod xml;

pub use client::{OnvifClient, OnvifOptions, PORTS};
pub use driver::OnvifDriver;
pub use endpoint::Endpoint;
