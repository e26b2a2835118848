//! The decode worker against decoders that refuse, panic and come back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;

use super::{DecoderFactory, Feed, FeedEvent, FeedPolicy};
use crate::clock::ManualClock;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{Frame, Packet, StreamParams, Track, VideoParams};
use crate::ports::{SourceEvent, VideoDecoder};
use crate::testing::{Feeder, fed};
use crate::time::MediaTime;

/// Frames from one keyframe to the next.
const GOP: i64 = 5;

/// A packet that is none.
const POISON: i64 = i64::MAX;

/// Says which packet it got, by the number in its data.
struct Telling(mpsc::SyncSender<i64>);

impl VideoDecoder for Telling {
    fn configure(&mut self, _: &VideoParams) -> Result<()> {
        Ok(())
    }
    fn decode(&mut self, p: &Packet, _: &mut dyn FnMut(Frame)) -> Result<()> {
        let number = i64::from_be_bytes(p.data[..].try_into().unwrap());
        assert!(number != POISON, "scripted");
        self.0.send(number).map_err(|_| Error::new(ErrorKind::Closed, "the test is over"))
    }
    fn flush(&mut self, _: &mut dyn FnMut(Frame)) -> Result<()> {
        Ok(())
    }
    fn name(&self) -> &'static str {
        "telling"
    }
}

fn params(width: u32) -> StreamParams {
    let video = VideoParams::h264(width, 16);
    StreamParams { video: Some(video), audio: None }
}

struct Bench {
    feed: Feed,
    to_source: Feeder,
    decoded: mpsc::Receiver<i64>,
    made: Arc<AtomicUsize>,
    refusals: mpsc::Receiver<String>,
    next: i64,
}

impl Bench {
    /// A wanted feed whose decoders are refused with these errors, one after the other, and then made.
    async fn new(refuse: Vec<Error>) -> Self {
        let (to_source, source) = fed();
        let (tell, decoded) = mpsc::sync_channel(10_000);
        let (refused, refusals) = mpsc::sync_channel(100);
        let made = Arc::new(AtomicUsize::new(0));
        let (count, tell) = (made.clone(), Mutex::new(tell));
        let decoders: DecoderFactory = Arc::new(move |_| match refuse.get(count.fetch_add(1, Ordering::AcqRel)) {
            Some(e) => Err(e.clone()),
            None => Ok(Box::new(Telling(lock(&tell).clone()))),
        });
        let events: super::FeedSink = Arc::new(move |_, e| {
            if let FeedEvent::Undecodable(e) = e {
                let _ = refused.send(e.to_string());
            }
        });
        let clock = Arc::new(ManualClock::new());
        let feed = Feed::start("cam", source, decoders, FeedPolicy::default(), clock, events).unwrap();
        feed.want(true);
        let mut b = Self { feed, to_source, decoded, made, refusals, next: 0 };
        b.send(SourceEvent::Params(params(16))).await;
        b
    }
    async fn send(&mut self, e: SourceEvent) {
        self.to_source.send(e).await;
    }
    async fn packet(&mut self) {
        self.packet_with(self.next).await;
    }
    async fn packet_with(&mut self, number: i64) {
        let t = MediaTime::from_millis(self.next * 40);
        let keyframe = self.next % GOP == 0;
        self.next += 1;
        let data = Bytes::from(number.to_be_bytes().to_vec());
        let duration = MediaTime::from_millis(40);
        self.send(SourceEvent::Packet(Packet { track: Track::Video, data, pts: t, dts: t, duration, keyframe })).await;
    }
    fn decoded(&self) -> i64 {
        self.decoded.recv_timeout(Duration::from_secs(20)).expect("a packet is decoded")
    }
    fn refused(&self) -> String {
        self.refusals.recv_timeout(Duration::from_secs(20)).expect("the refusal is said")
    }
    /// Feeds whole GOPs until the factory was asked so often.
    async fn until_asked(&mut self, times: usize) {
        let asked = async {
            while self.made.load(Ordering::Acquire) < times {
                for _ in 0..GOP {
                    self.packet().await;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect("the factory is asked again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_busy_decoder_is_asked_again_at_the_next_keyframe_and_said_once() {
    let busy = Error::new(ErrorKind::Codec, "the device is busy").transient(true);
    let mut b = Bench::new(vec![busy.clone(), busy]).await;
    b.until_asked(3).await;
    let first = b.decoded();
    assert_eq!(first % GOP, 0, "it starts at a keyframe");
    assert_eq!(b.decoded(), first + 1);
    assert!(b.refused().contains("busy"));
    assert!(b.refusals.try_recv().is_err(), "said once");
    assert_eq!(b.feed.status().error, None, "mended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_that_cannot_be_decoded_is_asked_about_once_until_it_changes() {
    let never = Error::new(ErrorKind::Unsupported, "interlaced").next("choose progressive");
    let mut b = Bench::new(vec![never]).await;
    b.until_asked(1).await;
    assert!(b.refused().contains("interlaced"));
    for _ in 0..4 * GOP {
        b.packet().await;
    }
    assert!(b.feed.status().error.unwrap().contains("choose progressive"));
    b.send(SourceEvent::Params(params(32))).await;
    let changed_at = b.next;
    for _ in 0..2 * GOP {
        b.packet().await;
    }
    assert!(b.decoded() >= changed_at);
    assert_eq!(b.made.load(Ordering::Acquire), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_panic_costs_the_decoder_until_the_next_keyframe() {
    let mut b = Bench::new(vec![]).await;
    b.packet().await;
    assert_eq!(b.decoded(), 0);
    b.packet().await;
    assert_eq!(b.decoded(), 1);
    b.packet_with(POISON).await;
    for _ in 3..2 * GOP {
        b.packet().await;
    }
    assert_eq!(b.decoded(), GOP, "what follows the panic in its GOP is not decoded");
    assert_eq!((b.made.load(Ordering::Acquire), b.feed.status().decode_errors), (2, 1));
}
