//! A whole simulated camera on loopback, ONVIF and RTSP, to try `vistter onboard`, `vistter ptz` and other programs against.
//! Prints its address and stays.
//!
//! `cargo run --features sim --example simulated_camera [USER PASSWORD]`

use vistter::Secret;
use vistter::core::clock::SystemClock;
use vistter::core::config::Credentials;
use vistter::core::sim::{CameraAuth, TestCamera, TestCameraConfig};
use vistter::ptz::sim::{OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, SimProfile};

#[tokio::main]
async fn main() -> vistter::Result<()> {
    let mut words = std::env::args().skip(1);
    let account = words.next().zip(words.next().map(Secret::new));
    let rtsp = account.clone().map(|(user, password)| CameraAuth::Digest(Credentials { user, password }));
    let auth = rtsp.unwrap_or(CameraAuth::Open);
    let camera = TestCamera::start(TestCameraConfig { auth, gop: 15, ..TestCameraConfig::default() }).await?;
    let spec = OnvifSpec {
        auth: OnvifAuth { password: account, http_digest: true, ws_digest: true, ..OnvifAuth::default() },
        stream: camera.url().url().to_owned(),
        profiles: vec![SimProfile { fps: 30, gop: 15, ..SimProfile::h264("main", (1280, 720), 2000) }],
        ..OnvifSpec::default()
    };
    let device = OnvifSim::start(OnvifDevice::new(spec), 0, SystemClock::shared()).await;
    let device = device.map_err(|e| vistter::Error::io("listen for ONVIF", &e))?;
    println!("onvif://{}", device.address());
    std::future::pending().await
}
