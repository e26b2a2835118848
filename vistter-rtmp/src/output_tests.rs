//! The driver against servers in memory, on a paused clock: every time-out is exact, and no test waits.

use bytes::Bytes;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use vistter_core::media::{AudioParams, Codec, Track, VideoParams};

use super::*;
use crate::chunk::Limits;
use crate::flv::TagKind;
use crate::receiver::serve::{Event, Server};

fn params() -> StreamParams {
    let video =
        VideoParams { config: Bytes::from_static(&[1, 100, 0, 40, 0xff, 0xe0, 0]), ..VideoParams::h264(1920, 1080) };
    let config = Bytes::from_static(&[0x11, 0x90]);
    let audio = AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config };
    StreamParams { video: Some(video), audio: Some(audio) }
}

fn packet(n: i64, size: usize) -> Packet {
    let t = MediaTime::from_millis(n * 40);
    let data = vec![n as u8; size].into();
    Packet { track: Track::Video, data, pts: t, dts: t, duration: MediaTime::ZERO, keyframe: n == 0 }
}

/// What a server does once it has accepted.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Read,
    /// Now and then pings more than the pipe holds before it reads on.
    Chatter,
    /// Pings for ever and never reads.
    Flood,
    Hang,
    /// Reads one byte a second.
    Dribble,
    Close,
    /// Says that it is over, and reads what still comes.
    HalfClose,
}

/// Serves one publish and gives its media tags: kind, time, size.
fn serve(mut pipe: DuplexStream, then: Then) -> JoinHandle<Vec<(TagKind, u32, usize)>> {
    tokio::spawn(async move {
        let (mut server, mut out, mut tags) = (Server::new(Limits::default()), BytesMut::new(), Vec::new());
        let (mut input, mut turns) = (vec![0; 4096], 0);
        loop {
            let n = match (server.is_publishing(), then) {
                (true, Then::Close) => return tags,
                (true, Then::HalfClose) => {
                    let _ = pipe.shutdown().await;
                    pipe.read(&mut input).await.unwrap_or(0)
                }
                (true, Then::Hang) => std::future::pending().await,
                (true, Then::Dribble) => {
                    sleep(Duration::from_secs(1)).await;
                    pipe.read(&mut input[..1]).await.unwrap_or(0)
                }
                (true, Then::Chatter | Then::Flood) => {
                    turns += 1;
                    if turns % 50 == 1 || then == Then::Flood {
                        for _ in 0..200 {
                            server.ping(&mut out).unwrap();
                        }
                        if pipe.write_all(&out).await.is_err() {
                            return tags;
                        }
                        out.clear();
                    }
                    if then == Then::Flood {
                        continue;
                    }
                    pipe.read(&mut input).await.unwrap_or(0)
                }
                _ => pipe.read(&mut input).await.unwrap_or(0),
            };
            if n == 0 {
                return tags;
            }
            server.feed(&input[..n], &mut out).unwrap();
            while let Some(e) = server.next(&mut out).unwrap() {
                match e {
                    Event::Publish { .. } => server.accept(&mut out).unwrap(),
                    Event::Tag { kind, time, body } => tags.push((kind, time, body.len())),
                    Event::Unpublish => {}
                }
            }
            if pipe.write_all(&out).await.is_err() {
                return tags;
            }
            out.clear();
        }
    })
}

/// An output that is connected to such a server through a pipe of that size.
async fn connected(then: Then, pipe: usize) -> (RtmpOutput, JoinHandle<Vec<(TagKind, u32, usize)>>) {
    let (ours, theirs) = tokio::io::duplex(pipe);
    let server = serve(theirs, then);
    let target = RtmpTarget::parse("rtmp://server.example/live/secret-key").unwrap();
    let mut output = RtmpOutput::new(target, RtmpOptions::default()).unwrap();
    output.link = Some(output.open(Stream::Memory(ours), &params()).await.unwrap());
    (output, server)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_reading_fails_the_send_on_time() {
    let (mut output, _server) = connected(Then::Hang, 10_000).await;
    let start = Instant::now();
    let e = output.send(&packet(0, 100_000)).await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Timeout, true), "{e}");
    assert!(e.what().contains("no data for 8 s"), "{e}");
    assert_eq!(start.elapsed().as_secs(), 8);
    output.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dribbles_fails_the_send_on_time() {
    let (mut output, _server) = connected(Then::Dribble, 5_000).await;
    let start = Instant::now();
    let e = output.send(&packet(0, 100_000)).await.unwrap_err();
    assert!(e.kind() == ErrorKind::Timeout && e.next_step().unwrap().contains("bitrate"), "{e}");
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_cannot_hold_a_close() {
    let (mut output, _server) = connected(Then::Hang, 200).await;
    let start = Instant::now();
    assert_eq!(output.close().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_millis(), 2500);
}

#[tokio::test(start_paused = true)]
async fn silence_in_the_handshake_ends_on_time() {
    let (ours, _theirs) = tokio::io::duplex(10_000);
    let target = RtmpTarget::parse("rtmp://server.example/live/secret-key").unwrap();
    let mut output = RtmpOutput::new(target, RtmpOptions::default()).unwrap();
    let start = Instant::now();
    let e = output.open(Stream::Memory(ours), &params()).await.err().unwrap();
    assert!(e.kind() == ErrorKind::Timeout && e.what().contains("handshake"), "{e}");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn answers_are_read_while_writing() {
    // Both directions of the pipe are full most of the time: a writer that does not read would hang here.
    let (mut output, server) = connected(Then::Chatter, 500).await;
    for n in 0..20 {
        output.send(&packet(n, 5_000)).await.unwrap();
    }
    output.close().await.unwrap();
    let tags = server.await.unwrap();
    let video = tags.iter().filter(|t| t.0 == TagKind::Video).count();
    assert_eq!(video, 21, "the header and each packet");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_cannot_grow_memory() {
    let (mut output, _server) = connected(Then::Flood, 10_000).await;
    let e = output.failed().await;
    assert!(e.kind() == ErrorKind::Limit, "{e}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_send_breaks_nothing() {
    let (mut output, server) = connected(Then::Read, 700).await;
    for n in 0..20 {
        let p = packet(n, 3_000);
        let send = output.send(&p);
        // Polled a few times, then dropped half way.
        let _ = tokio::time::timeout(Duration::ZERO, send).await;
    }
    output.send(&packet(20, 3_000)).await.unwrap();
    output.close().await.unwrap();
    let tags = server.await.unwrap();
    // A cancelled packet is there whole or not at all.
    let video: Vec<_> = tags.iter().filter(|t| t.0 == TagKind::Video).skip(1).collect();
    assert!(video.len() > 1 && video.iter().all(|t| t.2 == 3_005), "{video:?}");
    assert_eq!(video.last().unwrap().1, 800);
    assert!(tags.windows(2).all(|w| w[0].1 <= w[1].1));
}

#[tokio::test(start_paused = true)]
async fn a_close_right_after_publish_is_a_refusal_and_a_late_one_is_not() {
    let (mut output, _server) = connected(Then::Close, 100_000).await;
    let e = output.failed().await;
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, true), "{e}");
    assert_eq!(output.send(&packet(0, 10)).await.unwrap_err().kind(), ErrorKind::Closed, "it is not connected now");

    let (mut output, server) = connected(Then::Read, 100_000).await;
    for n in 0..100 {
        output.send(&packet(n, 10)).await.unwrap();
    }
    server.abort();
    let e = output.failed().await;
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Closed, true), "{e}");
    assert_eq!(e.place(), Some("rtmp://server.example/live/…"));
}

/// A server may hang up on the first word of our goodbye, before we come to look whether the rest went out.
#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_on_our_goodbye_is_no_fault() {
    for _ in 0..32 {
        let (mut output, server) = connected(Then::HalfClose, 10_000).await;
        sleep(Duration::from_millis(1)).await; // its end has arrived
        output.close().await.unwrap();
        assert_eq!(server.await.unwrap().len(), 3, "the headers: metadata, video, audio");
    }
}
