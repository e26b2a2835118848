//! The supervisor against scripted outputs, in tokio's paused time: hours pass in milliseconds.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::*;
use crate::clock::{Clock, WallTime};
use crate::error::{Error, ErrorKind, Result};
use crate::media::{Packet, StreamParams, Track, VideoParams};
use crate::ports::{Output, OutputStats};
use crate::time::{FrameRate, MediaTime};

/// Follows tokio's paused time.
#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> MediaTime {
        self.0.elapsed().into()
    }
    fn wall(&self) -> WallTime {
        WallTime::from_unix_nanos(1)
    }
    fn sleep_until(&self, _: MediaTime) {
        unreachable!("the supervisor must not block a thread")
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Good,
    HangsOnConnect,
    Refuses,
    RejectsKey,
    HangsOnSend,
    Slow(u64),
    HangsOnClose,
    DiesAfter(usize),
    SaysGoodbyeAfter(u64),
    Panics,
}

type Log = Arc<Mutex<Vec<Vec<Packet>>>>;

struct Scripted {
    /// What each connection does; the last one repeats.
    acts: Vec<Act>,
    connections: usize,
    log: Log,
}

impl Scripted {
    fn new(acts: &[Act]) -> (Box<Self>, Log) {
        let log = Log::default();
        (Box::new(Self { acts: acts.to_vec(), connections: 0, log: log.clone() }), log)
    }
    fn act(&self) -> Act {
        self.acts[(self.connections - 1).min(self.acts.len() - 1)]
    }
}

#[async_trait]
impl Output for Scripted {
    fn describe(&self) -> String {
        "scripted".into()
    }
    async fn connect(&mut self, _: &StreamParams) -> Result<()> {
        self.connections += 1;
        self.log.lock().unwrap().push(Vec::new());
        match self.act() {
            Act::HangsOnConnect => std::future::pending().await,
            Act::Refuses => Err(Error::new(ErrorKind::Refused, "nothing listens")),
            Act::RejectsKey => Err(Error::new(ErrorKind::Rejected, "bad key").next("check the key")),
            _ => Ok(()),
        }
    }
    async fn send(&mut self, packet: &Packet) -> Result<()> {
        let count = self.log.lock().unwrap().last().unwrap().len();
        match self.act() {
            Act::HangsOnSend => std::future::pending::<()>().await,
            Act::Slow(ms) => sleep(Duration::from_millis(ms)).await,
            Act::DiesAfter(n) if count >= n => return Err(Error::new(ErrorKind::Closed, "reset by peer")),
            Act::Panics => panic!("scripted"),
            _ => {}
        }
        self.log.lock().unwrap().last_mut().unwrap().push(packet.clone());
        Ok(())
    }
    async fn failed(&mut self) -> Error {
        match self.act() {
            Act::SaysGoodbyeAfter(ms) => sleep(Duration::from_millis(ms)).await,
            _ => std::future::pending().await,
        }
        Error::new(ErrorKind::Closed, "the peer said goodbye")
    }
    async fn close(&mut self) -> Result<()> {
        match self.act() {
            Act::HangsOnClose => std::future::pending().await,
            _ => Ok(()),
        }
    }
    fn stats(&self) -> OutputStats {
        OutputStats::default()
    }
}

fn params() -> StreamParams {
    let video = VideoParams::h264(16, 16);
    StreamParams { video: Some(video), audio: None }
}

struct Bench {
    clock: Arc<dyn Clock>,
    events: mpsc::Sender<OutputEvent>,
    seen: mpsc::Receiver<OutputEvent>,
    outputs: Vec<OutputHandle>,
    next_frame: u64,
}

impl Bench {
    fn new() -> Self {
        let (events, seen) = mpsc::channel(64);
        Self { clock: Arc::new(TestClock(Instant::now())), events, seen, outputs: Vec::new(), next_frame: 0 }
    }
    fn add(&mut self, id: &str, acts: &[Act]) -> Log {
        let (output, log) = Scripted::new(acts);
        let h = supervise(id, output, params(), OutputPolicy::live(), self.clock.clone(), self.events.clone());
        self.outputs.push(h);
        log
    }
    /// The program at 30 frames a second with a keyframe every 2 s and an audio packet beside each picture.
    async fn play(&mut self, span: Duration) {
        let start = self.clock.now();
        for i in 1..=span.as_millis() as u64 * 30 / 1000 {
            let n = self.next_frame;
            let pts = FrameRate::FPS_30.time_of(n);
            let duration = FrameRate::FPS_30.frame_duration();
            let data = Bytes::from(n.to_be_bytes().to_vec());
            let picture = Packet { track: Track::Video, data, pts, dts: pts, duration, keyframe: n.is_multiple_of(60) };
            let sound = Packet { track: Track::Audio, keyframe: true, ..picture.clone() };
            for o in &self.outputs {
                o.push(&picture);
                o.push(&sound);
            }
            self.next_frame += 1;
            sleep((start + FrameRate::FPS_30.time_of(i) - self.clock.now()).to_duration()).await;
        }
    }
    fn state(&self, i: usize) -> OutputState {
        self.outputs[i].status().state
    }
}

fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[tokio::test(start_paused = true)]
async fn a_bad_neighbour_changes_no_byte_of_a_good_output() {
    let mut alone = Bench::new();
    let want = alone.add("good", &[Act::Good]);
    alone.play(seconds(200)).await;
    alone.outputs[0].stop().await;
    let want = want.lock().unwrap().clone();
    assert_eq!((want.len(), want[0].len()), (1, 12_000));

    let mut b = Bench::new();
    let bad = [
        Act::HangsOnConnect,
        Act::Refuses,
        Act::RejectsKey,
        Act::HangsOnSend,
        Act::Slow(100),
        Act::DiesAfter(100),
        Act::SaysGoodbyeAfter(5),
        Act::Panics,
        Act::HangsOnClose,
    ];
    let good = b.add("good", &[Act::Good]);
    for act in bad {
        b.add(&format!("{act:?}"), &[act]);
    }
    b.play(seconds(200)).await;
    let start = b.clock.now();
    for o in &b.outputs {
        o.stop().await;
        assert_eq!(o.status().queue_ms, 0, "{}", o.id());
    }
    assert!(b.clock.now() - start < MediaTime::from_secs(40), "stopping is bounded: {:?}", b.clock.now() - start);
    assert_eq!(*good.lock().unwrap(), want);
    let s = b.outputs[0].status();
    assert_eq!((s.dropped_frames, s.missed_frames, s.reconnects, s.last_error), (0, 0, 0, None));
}

#[tokio::test(start_paused = true)]
async fn a_dead_output_backs_off_gives_up_and_restarts_by_hand() {
    let mut b = Bench::new();
    let mut acts = [Act::Refuses; 13].to_vec();
    acts.push(Act::Good);
    let log = b.add("yt", &acts);
    b.play(seconds(1)).await;
    assert!(matches!(b.state(0), OutputState::Waiting { next_try_ms: 600..=1400 }), "{:?}", b.state(0));
    b.play(seconds(450)).await;
    assert_eq!(log.lock().unwrap().len(), 10, "ten tries, then the slow probe");
    let s = b.outputs[0].status();
    assert!(matches!(s.state, OutputState::Failed { next_try_ms: Some(1..) }), "{s:?}");
    assert_eq!(s.last_error.as_deref(), Some("yt: nothing listens"));
    assert!(s.missed_frames > 0 && s.dropped_frames == 0 && s.queue_ms <= 10_000, "{s:?}");
    b.play(seconds(700)).await;
    assert!((11..=13).contains(&log.lock().unwrap().len()), "probes go on");
    while log.lock().unwrap().len() < 14 {
        b.outputs[0].restart();
        b.play(seconds(1)).await;
    }
    let s = b.outputs[0].status();
    assert_eq!((s.state, s.reconnects), (OutputState::Live, 0), "a restart by hand is no reconnect");
    assert!(log.lock().unwrap()[13][0].keyframe);
    let first = b.seen.try_recv().unwrap();
    assert_eq!((first.id.as_str(), first.state), ("yt", OutputState::Connecting));
    assert_eq!(b.seen.try_recv().unwrap().error.map(|e| e.kind()), Some(ErrorKind::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_key_fails_at_once() {
    let mut b = Bench::new();
    let log = b.add("fb", &[Act::RejectsKey]);
    b.play(seconds(100)).await;
    assert!(matches!(b.state(0), OutputState::Failed { .. }));
    assert_eq!(log.lock().unwrap().len(), 1);
    assert_eq!(b.outputs[0].status().last_error.as_deref(), Some("fb: bad key (check the key)"));
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_by_itself_on_a_keyframe() {
    let mut b = Bench::new();
    let log = b.add("tw", &[Act::DiesAfter(3000), Act::RejectsKey, Act::Refuses, Act::Good]);
    b.play(seconds(120)).await;
    let s = b.outputs[0].status();
    assert_eq!((s.state, s.reconnects), (OutputState::Live, 1), "{s:?}");
    assert_eq!(s.failures, 0, "stable again");
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 4, "a key that worked is not given up for a half-open connection");
    assert!(log[3][0].keyframe && log[3][0].track == Track::Video);
    assert!(log[3].windows(2).all(|w| w[1].pts >= w[0].pts));
    assert!(s.bitrate_bps > 0 && s.bytes == 8 * s.packets);
}

#[tokio::test(start_paused = true)]
async fn a_silent_goodbye_is_noticed_without_a_packet() {
    let mut b = Bench::new();
    b.add("tw", &[Act::SaysGoodbyeAfter(500), Act::Good]);
    sleep(seconds(1)).await;
    assert!(matches!(b.state(0), OutputState::Waiting { .. }));
    sleep(seconds(5)).await;
    assert_eq!(b.state(0), OutputState::Live);
}

#[tokio::test(start_paused = true)]
async fn a_slow_output_loses_whole_gops_and_stays_near_live() {
    let mut b = Bench::new();
    let log = b.add("slow", &[Act::Slow(25)]); // 40 of 60 packets a second
    b.play(seconds(60)).await;
    let s = b.outputs[0].status();
    assert_eq!(s.state, OutputState::Live);
    assert!(s.dropped_frames > 100 && s.dropped_gops >= 5, "{s:?}");
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 1);
    let number = |p: &Packet| u64::from_be_bytes(p.data[..].try_into().unwrap());
    let pictures: Vec<_> = log[0].iter().filter(|p| p.track == Track::Video).collect();
    assert!(pictures.windows(2).all(|w| w[1].keyframe || number(w[1]) == number(w[0]) + 1), "a reference is missing");
    let sound: Vec<_> = log[0].iter().filter(|p| p.track == Track::Audio).map(number).collect();
    assert!(sound.windows(2).all(|w| w[1] == w[0] + 1), "sound has a hole");
    assert!(b.next_frame - number(log[0].last().unwrap()) < 30 * 10, "latency is bounded");
}

#[tokio::test(start_paused = true)]
async fn stop_sends_what_waits_and_a_dropped_handle_ends_the_task() {
    let mut b = Bench::new();
    let log = b.add("rec", &[Act::Slow(10)]);
    b.play(seconds(2)).await;
    b.outputs[0].stop().await;
    assert_eq!(log.lock().unwrap()[0].len() as u64, b.next_frame * 2);
    assert_eq!(b.state(0), OutputState::Stopped);
    b.outputs[0].stop().await;
    b.play(seconds(1)).await;
    assert_eq!(b.outputs[0].status().queue_ms, 0, "pushes after the end go nowhere");

    let mut b = Bench::new();
    b.add("gone", &[Act::Good]);
    b.play(seconds(1)).await;
    b.outputs.clear();
    sleep(seconds(10)).await;
    drop(b.events);
    let mut last = None;
    while let Some(e) = b.seen.recv().await {
        last = Some(e.state);
    }
    assert_eq!(last, Some(OutputState::Stopped));
}

#[tokio::test(start_paused = true)]
async fn packets_pushed_right_before_a_stop_still_leave() {
    let mut b = Bench::new();
    let log = b.add("rec", &[Act::Good]);
    b.play(seconds(2)).await;
    let sent = log.lock().unwrap()[0].len();
    assert_eq!(sent as u64, b.next_frame * 2, "the task has nothing left, and waits");
    // No await in between: the task is woken by the packets and by the order at once.
    let last = log.lock().unwrap()[0][sent - 1].clone();
    for _ in 0..3 {
        b.outputs[0].push(&last);
    }
    b.outputs[0].stop().await;
    assert_eq!(log.lock().unwrap()[0].len(), sent + 3);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_connection_and_says_so() {
    let mut b = Bench::new();
    b.add("bad", &[Act::Panics]);
    b.play(seconds(1)).await;
    assert!(matches!(b.state(0), OutputState::Waiting { .. }), "{:?}", b.state(0));
    assert!(b.outputs[0].status().last_error.unwrap().contains("panic"));
}

#[test]
fn status_is_flat_json() {
    let s = OutputStatus {
        id: "yt".into(),
        target: "rtmp://host/app".into(),
        state: OutputState::Waiting { next_try_ms: 5 },
        bytes: 1,
        bitrate_bps: 2,
        packets: 3,
        dropped_frames: 0,
        dropped_gops: 0,
        missed_frames: 0,
        reconnects: 0,
        failures: 1,
        queue_ms: 0,
        last_error: None,
    };
    let j = serde_json::to_value(&s).unwrap();
    assert_eq!(
        (j["state"].as_str(), j["next_try_ms"].as_u64(), j["id"].as_str()),
        (Some("waiting"), Some(5), Some("yt"))
    );
}
