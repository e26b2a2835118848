//! A simulated ONVIF PTZ camera on loopback, to try clients against.
//!
//! `cargo run -p vistter-ptz --features sim --example onvif_camera -- [PORT [USER PASSWORD]]`

use vistter_core::Secret;
use vistter_core::clock::SystemClock;
use vistter_ptz::sim::{OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let port = words.next().map(|p| p.parse()).transpose()?.unwrap_or(0);
    let password = words.next().zip(words.next().map(Secret::new));
    let auth = OnvifAuth { password, http_digest: true, ws_digest: true, ..OnvifAuth::default() };
    let device = OnvifDevice::new(OnvifSpec { auth, ..OnvifSpec::default() });
    let sim = OnvifSim::start(device, port, SystemClock::shared()).await?;
    println!("http://{}/onvif/device_service", sim.address());
    std::future::pending().await
}
