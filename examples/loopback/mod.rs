//! Peers for the examples when none are named on the command line: simulated cameras that speak real RTSP, and a
//! receiver that takes real RTMP, both inside the example's process and on loopback.
#![allow(dead_code, unreachable_pub)] // each example uses its own part

use std::net::{Ipv4Addr, SocketAddr};

use vistter::core::config::Address;
use vistter::core::sim::{TestCamera, TestCameraConfig};
use vistter::rtmp::{Receiver, ReceiverOptions};
use vistter::{Error, ErrorKind, Result};

/// The `n`th argument, or a simulated camera's address. The camera lives as long as the second value.
pub async fn camera(n: usize) -> Result<(Address, Option<TestCamera>)> {
    if let Some(url) = std::env::args().nth(n) {
        let address = Address::parse(&url)
            .ok_or_else(|| Error::new(ErrorKind::Config, "the camera's address is not a URL").next("give rtsp://…"))?;
        return Ok((address, None));
    }
    let color = if n == 1 { [70, 150, 105] } else { [80, 105, 150] };
    let id = u8::try_from(n).unwrap_or(0);
    let camera = TestCamera::start(TestCameraConfig { name: format!("CAMERA-{n}"), id, color, ..Default::default() });
    let camera = camera.await?;
    Ok((camera.url(), Some(camera)))
}

/// The `n`th argument, or the address of a receiver, which lives as long as the second value.
pub async fn destination(n: usize) -> Result<(String, Option<Receiver>)> {
    if let Some(url) = std::env::args().nth(n) {
        return Ok((url, None));
    }
    let receiver = Receiver::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ReceiverOptions::default()).await?;
    Ok((format!("rtmp://{}/live/example", receiver.local_addr()), Some(receiver)))
}

/// What the receiver got.
pub fn report(receiver: Option<Receiver>) {
    for s in receiver.iter().flat_map(Receiver::streams) {
        println!("received {} frames, {} bytes", s.stats.video_frames, s.stats.bytes);
    }
}
