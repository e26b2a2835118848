//! The part of onboarding that asks an ONVIF device: where it answers, its clock, the password, its profiles, the stream
//! to take, and how its head moves. Each step goes into the report ([`vistter_core::onboard`]); `vistter::onboard` does
//! the whole of it, the stream included.
//!
//! - `reach`: which port answers, and what stands at the others. `device`: the steps. `stream`: the stream's address.

mod device;
mod reach;
mod stream;

pub use device::{OnvifCheck, ask_device, ask_head};
pub use reach::RTSP_PORTS;
