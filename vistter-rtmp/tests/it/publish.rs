//! Publishing to servers that take it.

use vistter_core::media::Track;
use vistter_core::ports::Output;
use vistter_core::time::MediaTime;
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget, flv};

use crate::material::{clip, count, read};
use crate::peers::{Nginx, TempDir, ffmpeg_decodes, free_port};
use crate::tools::{Ffmpeg, probe};

pub(crate) async fn publish_clip(url: &str, options: RtmpOptions) -> RtmpOutput {
    let mut output = RtmpOutput::new(RtmpTarget::parse(url).unwrap(), options).unwrap();
    output.connect(&clip().params).await.unwrap();
    for p in &clip().packets {
        output.send(p).await.unwrap();
    }
    output.close().await.unwrap();
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_records_what_was_sent() {
    let nginx = Nginx::start();
    let output = publish_clip(&format!("{}/key", nginx.url("live")), RtmpOptions::default()).await;
    let sent: usize = clip().packets.iter().map(|p| p.data.len()).sum();
    assert_eq!(output.stats().bytes, sent as u64);

    let file = nginx.recording("key");
    ffmpeg_decodes(&file);
    let (video, audio) = (count(&clip().packets, Track::Video), count(&clip().packets, Track::Audio));
    let (v, v_start, v_codec) = probe(&file, "v");
    let (a, a_start, a_codec) = probe(&file, "a");
    assert_eq!((v, a, v_codec.as_str(), a_codec.as_str()), (video, audio, "h264", "aac"));
    assert!((v_start - a_start).abs() < 0.1, "video starts at {v_start}, audio at {a_start}");

    let bytes = std::fs::read(&file).unwrap();
    let report = flv::check(&bytes).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(report.longest_gop, MediaTime::from_secs(2));
    // Every payload, its presentation offset and its order survive.
    let (params, packets) = read(&bytes);
    assert_eq!(params, clip().params);
    let of = |all: &[vistter_core::media::Packet], t| -> Vec<_> {
        all.iter().filter(|p| p.track == t).map(|p| (p.data.clone(), p.pts - p.dts, p.keyframe)).collect()
    };
    for t in [Track::Video, Track::Audio] {
        assert!(of(&packets, t) == of(&clip().packets, t), "{t:?} differs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_knows_the_stream_while_it_runs() {
    let nginx = Nginx::start();
    let target = RtmpTarget::parse(&format!("{}/key", nginx.url("live"))).unwrap();
    let mut output = RtmpOutput::new(target, RtmpOptions::default()).unwrap();
    output.connect(&clip().params).await.unwrap();
    for p in &clip().packets {
        output.send(p).await.unwrap();
    }
    // All that was sent has been read once the server has counted it.
    let stat = loop {
        let s = nginx.stat();
        if s.contains("<profile>LC</profile>") || !s.contains("<publishing/>") {
            break s;
        }
        tokio::task::yield_now().await;
    };
    for part in [
        "<width>320</width>",
        "<height>180</height>",
        "<frame_rate>30</frame_rate>",
        "<codec>H264</codec>",
        "<codec>AAC</codec>",
        "<sample_rate>48000</sample_rate>",
    ] {
        assert!(stat.contains(part), "{part} is not in {stat}");
    }
    output.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_nginx() {
    let dir = TempDir::new("listen");
    let file = dir.path().join("out.flv");
    let port = free_port();
    let url = format!("rtmp://127.0.0.1:{port}/live/key");
    let mut ffmpeg =
        Ffmpeg::start(&["-v", "error", "-listen", "1", "-f", "flv", "-i", &url, "-c", "copy", file.to_str().unwrap()]);
    // `-listen 1` serves a single connection: looking whether it listens would use that up, so publish until it does.
    let mut output = RtmpOutput::new(RtmpTarget::parse(&url).unwrap(), RtmpOptions::default()).unwrap();
    while let Err(e) = output.connect(&clip().params).await {
        assert_eq!(e.kind(), vistter_core::ErrorKind::Refused, "{e}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for p in &clip().packets {
        output.send(p).await.unwrap();
    }
    output.close().await.unwrap();
    assert!(ffmpeg.wait(), "ffmpeg as a server failed");
    ffmpeg_decodes(&file);
    assert_eq!(probe(&file, "v").0, count(&clip().packets, Track::Video));
    assert_eq!(probe(&file, "a").0, count(&clip().packets, Track::Audio));
}
