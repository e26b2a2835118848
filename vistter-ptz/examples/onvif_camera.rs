//! A simulated ONVIF PTZ camera on loopback, to try clients against. With `announce` it answers WS-Discovery, too (on the
//! loopback interface, port 3702).
//!
//! `cargo run -p vistter-ptz --features sim --example onvif_camera -- [PORT [USER PASSWORD [announce]]]`

use vistter_core::Secret;
use vistter_core::clock::SystemClock;
use vistter_ptz::sim::{DiscoverySim, OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let port = words.next().map(|p| p.parse()).transpose()?.unwrap_or(0);
    let password = words.next().zip(words.next().map(Secret::new));
    let auth = OnvifAuth { password, http_digest: true, ws_digest: true, ..OnvifAuth::default() };
    let device = OnvifDevice::new(OnvifSpec { auth, ..OnvifSpec::default() });
    let sim = OnvifSim::start(device, port, SystemClock::shared()).await?;
    println!("http://{}/onvif/device_service", sim.address());
    let mut _announces = None;
    if words.next().is_some_and(|w| w == "announce") {
        let id = "urn:uuid:00000000-0000-4000-8000-000000000001";
        _announces = Some(DiscoverySim::start(3702, id, "Simulated", sim.address()).await?);
    }
    std::future::pending().await
}
