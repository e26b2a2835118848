//! Two cameras, a cut between them on command, and an overlay whose text changes while it is on air.
//!
//! `cargo run --features sim --example two_cameras [rtsp://CAMERA rtsp://CAMERA rtmp://SERVER/APPLICATION/KEY]`

mod loopback;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use vistter::Session;
use vistter::core::source::{RtspConfig, RtspSource};
use vistter::ocl::{Folder, OclOverlay};
use vistter::rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

const TITLE: &str = r##"{
  "ocl": "1.0",
  "canvas": { "width": 1920, "height": 1080 },
  "tokens": { "place": { "default": "", "maxLength": 40 } },
  "scenes": [ {
    "id": "title",
    "in": { "type": "fade", "duration": 0.5 },
    "layers": [ {
      "id": "place", "type": "text", "text": "{{place}}", "size": 64, "weight": "bold",
      "position": { "anchor": "bottom-left", "x": 96, "y": -96 }
    } ]
  } ]
}"##;

#[tokio::main]
async fn main() -> vistter::Result<()> {
    let (first, _first) = loopback::camera(1).await?;
    let (second, _second) = loopback::camera(2).await?;
    let (platform, receiver) = loopback::destination(3).await?;
    let title = OclOverlay::from_str("title", TITLE, &Folder::new(Path::new(".")), None, &BTreeMap::new())?;

    let session = Session::builder()
        .camera("harbour", Box::new(RtspSource::new(RtspConfig::new(first))))
        .camera("gate", Box::new(RtspSource::new(RtspConfig::new(second))))
        .overlay(1, Box::new(title))
        .output("platform", Box::new(RtmpOutput::new(RtmpTarget::parse(&platform)?, RtmpOptions::default())?))
        .start()
        .await?;

    session.show_overlay("title", Some(true))?;
    for (camera, place) in [("harbour", "Harbour"), ("gate", "Lock gate"), ("harbour", "Harbour again")] {
        session.set_tokens("title", BTreeMap::from([("place".to_owned(), place.to_owned())]))?;
        session.cut(camera)?;
        tokio::time::sleep(Duration::from_secs(4)).await;
        println!("on air: {}", session.status().on_air.map_or("nothing yet".to_owned(), |v| v.to_string()));
    }
    session.stop().await;
    loopback::report(receiver);
    Ok(())
}
