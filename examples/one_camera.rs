//! One camera to one destination.
//!
//! `cargo run --features sim --example one_camera [rtsp://CAMERA rtmp://SERVER/APPLICATION/KEY]`

mod loopback;

use std::time::Duration;

use vistter::Session;
use vistter::core::source::{RtspConfig, RtspSource};
use vistter::rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

#[tokio::main]
async fn main() -> vistter::Result<()> {
    let (camera, _camera) = loopback::camera(1).await?;
    let (platform, receiver) = loopback::destination(2).await?;

    let session = Session::builder()
        .camera("door", Box::new(RtspSource::new(RtspConfig::new(camera))))
        .output("platform", Box::new(RtmpOutput::new(RtmpTarget::parse(&platform)?, RtmpOptions::default())?))
        .start()
        .await?;

    tokio::time::sleep(Duration::from_secs(10)).await;
    println!("{} frames made", session.status().program.map_or(0, |p| p.counters.frames));
    session.stop().await;
    loopback::report(receiver);
    Ok(())
}
