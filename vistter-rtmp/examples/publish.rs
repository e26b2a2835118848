//! Publishes an FLV file (H.264 and AAC) at its own speed:
//! `cargo run -p vistter-rtmp --example publish -- clip.flv rtmp://127.0.0.1/live/key`

use std::error::Error;

use tokio::time::{Duration, Instant, sleep_until};
use vistter_core::media::{Packet, StreamParams};
use vistter_core::ports::Output;
use vistter_rtmp::flv::{Demuxer, FlvReader, MediaEvent};
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(url)) = (args.next(), args.next()) else {
        return Err("usage: publish FILE.flv rtmp://host/application/key".into());
    };
    let (params, packets) = read(&std::fs::read(file)?)?;
    let mut output = RtmpOutput::new(RtmpTarget::parse(&url)?, RtmpOptions::default())?;
    output.connect(&params).await?;
    println!("publishing to {}", output.describe());
    let start = Instant::now();
    let Some(first) = packets.iter().position(|p| p.keyframe).map(|i| packets[i].dts) else {
        return Err("the file has no packets".into());
    };
    for p in packets.iter().filter(|p| p.dts >= first) {
        let due = start + (p.dts - first).to_duration();
        tokio::select! {
            e = output.failed() => return Err(e.into()),
            () = sleep_until(due) => {}
        }
        output.send(p).await?;
    }
    output.close().await?;
    println!("{} bytes of media in {:.1} s", output.stats().bytes, Duration::as_secs_f32(&start.elapsed()));
    Ok(())
}

fn read(file: &[u8]) -> vistter_core::Result<(StreamParams, Vec<Packet>)> {
    let (mut reader, mut demuxer, mut packets) = (FlvReader::new(16 << 20), Demuxer::new(), Vec::new());
    reader.feed(file);
    while let Some(t) = reader.next_tag()? {
        if let Some(MediaEvent::Packet(p)) = demuxer.handle(t.kind, t.time_ms, &t.body)? {
            packets.push(p);
        }
    }
    Ok((demuxer.params().clone(), packets))
}
