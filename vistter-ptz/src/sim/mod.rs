//! Simulated cameras (feature `sim`): motors that take time, behind the protocols that real cameras speak.
//!
//! The models are sans-IO and run on any clock; the servers put them on loopback sockets. They are for tests, demos and
//! for trying controllers without hardware; nothing of them runs in a show.

mod discovery_server;
mod mdns_server;
pub mod motors;
mod onvif_answers;
mod onvif_device;
mod onvif_guard;
mod onvif_media;
mod onvif_server;
mod visca_device;
mod visca_server;

pub use discovery_server::DiscoverySim;
pub use mdns_server::MdnsSim;
pub use motors::{MotorSpec, Motors};
pub use onvif_device::{MoveStatus, OnvifDevice, OnvifSpec, StoredPreset};
pub use onvif_guard::{Guard, OnvifAuth};
pub use onvif_media::SimProfile;
pub use onvif_server::{OnvifSim, TlsIdentity, Trouble};
pub use visca_device::{Faults, Peer, ViscaDevice};
pub use visca_server::ViscaSim;
