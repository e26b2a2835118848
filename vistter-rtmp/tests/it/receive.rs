//! Our receiver, with FFmpeg and with our own publisher.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vistter_core::ErrorKind;
use vistter_core::media::Track;
use vistter_core::ports::{Output, Source, SourceEvent};
use vistter_core::time::MediaTime;
use vistter_rtmp::{Access, Receiver, ReceiverOptions, RtmpOptions, RtmpOutput, RtmpTarget, flv};

use crate::material::{clip, count, read};
use crate::peers::{TempDir, ffmpeg_decodes};
use crate::publish::publish_clip;
use crate::tools::{must, probe, run};

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn receiver(dir: &TempDir, change: impl FnOnce(&mut ReceiverOptions)) -> Receiver {
    let mut o = ReceiverOptions::default();
    o.record_dir = Some(dir.path().to_owned());
    change(&mut o);
    Receiver::bind(LOCAL, o).await.unwrap()
}

/// Its recordings, in order.
fn files(dir: &TempDir) -> Vec<PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn url(r: &Receiver, path: &str) -> String {
    format!("rtmp://{}/{path}", r.local_addr())
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_publishes_to_us() {
    let dir = TempDir::new("from-ffmpeg");
    let r = receiver(&dir, |_| {}).await;
    let (file, to) = (clip().file.to_str().unwrap(), url(&r, "live/key"));
    tokio::task::spawn_blocking(move || must("ffmpeg", &["-v", "error", "-i", file, "-c", "copy", "-f", "flv", &to]))
        .await
        .unwrap();
    let s = &r.streams()[0];
    assert_eq!((s.app.as_str(), s.key.expose().as_str()), ("live", "key"));
    let video = s.stats.video.clone().unwrap();
    assert_eq!((video.width, video.height, s.stats.faults), (320, 180, 0));
    assert_eq!(s.stats.video_frames, count(&clip().packets, Track::Video));
    assert_eq!(s.stats.longest_gop, MediaTime::from_secs(2));
    let file = s.file.clone().unwrap();
    r.stop().await;
    ffmpeg_decodes(&file);
    assert_eq!(probe(&file, "v").0, count(&clip().packets, Track::Video));
    assert_eq!(probe(&file, "a").0, count(&clip().packets, Track::Audio));
    let report = flv::check(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!((report.faults, report.metadata), (vec![], true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_send_is_what_we_record() {
    let dir = TempDir::new("loop");
    let r = receiver(&dir, |_| {}).await;
    for _ in 0..2 {
        publish_clip(&url(&r, "live/key"), RtmpOptions::default()).await;
    }
    r.stop().await;
    let files = files(&dir);
    assert_eq!(files.len(), 2, "nothing is overwritten");
    for f in &files {
        ffmpeg_decodes(f);
        let (params, packets) = read(&std::fs::read(f).unwrap());
        assert_eq!(params, clip().params);
        assert!(packets == clip().packets, "packets differ");
    }
    assert_eq!(std::fs::read(&files[0]).unwrap(), std::fs::read(&files[1]).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_checked_and_used_once() {
    let dir = TempDir::new("keys");
    let r = receiver(&dir, |o| {
        o.access = Access::Keys(vec![("one".into(), "a".into()), ("two".into(), "b".into())]);
    })
    .await;
    let connect = |path: &str| {
        let target = RtmpTarget::parse(&url(&r, path)).unwrap();
        async move {
            let mut o = RtmpOutput::new(target, RtmpOptions::default()).unwrap();
            o.connect(&clip().params).await.map(|()| o)
        }
    };
    let mut one = connect("one/a").await.unwrap();
    let two = connect("two/b?extra=1").await.unwrap();
    for wrong in ["one/b", "two/a", "three/a"] {
        let e = connect(wrong).await.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, false), "{wrong}: {e}");
    }
    let e = connect("one/a").await.unwrap_err();
    assert!(e.what().contains("in use") && e.is_transient(), "{e}");
    one.close().await.unwrap();
    connect("one/a").await.unwrap();
    drop(two);
    // FFmpeg understands our refusal too.
    let to = url(&r, "one/wrong");
    let file = clip().file.to_str().unwrap();
    let out = tokio::task::spawn_blocking(move || {
        run("ffmpeg", &["-v", "error", "-i", file, "-c", "copy", "-f", "flv", &to])
    })
    .await
    .unwrap();
    assert!(!out.status.success());
    r.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_is_a_source() {
    let dir = TempDir::new("ingest");
    let r = receiver(&dir, |_| {}).await;
    let mut source = r.ingest("live", "key".into());
    source.open().await.unwrap();
    let reader = tokio::spawn(async move {
        let (mut params, mut packets) = (None, Vec::new());
        loop {
            match source.next().await {
                Ok(SourceEvent::Params(p)) => params = Some(p),
                Ok(SourceEvent::Packet(p)) => packets.push(p),
                Ok(other) => panic!("{other:?}"),
                Err(e) => return (params, packets, e),
            }
        }
    });
    // The reader is waiting before or while the publish begins: from the first keyframe on it misses nothing.
    publish_clip(&url(&r, "live/key"), RtmpOptions::default()).await;
    let (params, packets, e) = reader.await.unwrap();
    assert_eq!(params.as_ref(), Some(&clip().params));
    assert_eq!(e.kind(), ErrorKind::Closed);
    assert!(packets[0].keyframe && packets[0].track == Track::Video);
    assert!(count(&packets, Track::Video) >= 60, "at least the second group of pictures: {}", packets.len());
    r.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_and_silence_are_cut_off_and_others_go_on() {
    let dir = TempDir::new("hostile");
    let r = receiver(&dir, |o| {
        o.publish_timeout = Duration::from_millis(500);
        o.max_connections = 8;
    })
    .await;
    // Each of these must end with the server closing the connection.
    let mut greeting = vec![3u8; 1];
    greeting.extend([0; 3072]);
    let mut huge = greeting.clone();
    huge.extend([3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0]);
    let mut deep = greeting.clone();
    deep.extend([2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]); // chunk size 0xffffff
    deep.extend([3, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 0]);
    deep.extend([10, 0, 0, 0, 1].iter().cycle().take(65_536));
    for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), greeting, huge, deep, Vec::new()] {
        let mut s = TcpStream::connect(r.local_addr()).await.unwrap();
        let _ = s.write_all(&bytes).await;
        let closed = tokio::time::timeout(Duration::from_secs(30), s.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "a connection with {} bytes stays open", bytes.len());
    }
    publish_clip(&url(&r, "live/key"), RtmpOptions::default()).await;
    r.stop().await;
    ffmpeg_decodes(&files(&dir)[0]);
}
