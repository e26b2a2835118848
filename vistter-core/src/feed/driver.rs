//! The task that owns a camera's connection.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;

use super::audio::AudioTail;
use super::decode::{self, DecoderFactory};
use super::eye::FeedEye;
use super::ring::{GopRing, RingLimits};
use super::slot::{Picked, Slot};
use super::status::{FeedState, FeedStatus};
use super::sync::{Anchor, ClockMap};
use crate::backoff::{Backoff, BackoffPolicy, NextTry};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{AudioParams, Packet, Track, VideoParams};
use crate::meter::Meter;
use crate::ports::{Clock, Eye, Source, SourceEvent};
use crate::time::MediaTime;
use crate::timeline::CameraState;

/// How a feed behaves.
#[derive(Clone, Copy, Debug)]
pub struct FeedPolicy {
    /// Bounds of the ring.
    pub ring: RingLimits,
    /// Retry schedule.
    pub backoff: BackoffPolicy,
    /// Guard around [`Source::open`]; sources have finer time-outs of their own.
    pub open_timeout: Duration,
    /// A source that says nothing for so long has failed.
    pub silence_timeout: Duration,
    /// How far the program runs behind; pictures and sound are kept for longer than this.
    pub delay: MediaTime,
}

impl Default for FeedPolicy {
    fn default() -> Self {
        Self {
            ring: RingLimits::default(),
            backoff: BackoffPolicy::default(),
            open_timeout: Duration::from_secs(45),
            silence_timeout: Duration::from_secs(30),
            delay: MediaTime::from_millis(100),
        }
    }
}

/// Something worth telling about a camera.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FeedEvent {
    /// Media flows.
    Online(FeedStatus),
    /// The connection failed; when the next attempt comes is in the status.
    Offline(Error),
    /// The camera changed its stream (size, codec, parameters).
    Changed(FeedStatus),
    /// The camera's clock jumped by about this much.
    ClockJump(MediaTime),
    /// Media was lost on the way.
    Lost(String),
    /// The camera's video cannot be decoded here; it says what to change on the camera.
    Undecodable(Error),
    /// The source is over.
    Ended,
}

/// Where events of a feed go. Called from the feed's task: must not block.
pub type FeedSink = Arc<dyn Fn(&str, FeedEvent) + Send + Sync>;

/// One camera: its connection, its ring, its decoder and its newest pictures.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    task: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

pub(super) struct Shared {
    pub(super) id: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wanted: AtomicBool,
    /// Open eyes.
    pub(super) watchers: AtomicUsize,
    /// What the program shows now, on its clock, and how far off a picture may be; nanoseconds.
    present: AtomicI64,
    slack: AtomicI64,
    /// Overlays show it up to here.
    expected: AtomicI64,
    pub(super) stopped: AtomicBool,
    pub(super) ring: Mutex<RingState>,
    pub(super) ring_grew: Condvar,
    pub(super) slot: Mutex<Slot>,
    audio: Mutex<AudioTail>,
    pub(super) status: Mutex<Inner>,
    wake: Notify,
    restart: AtomicBool,
    events: FeedSink,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed({})", self.id)
    }
}

/// The ring and what its packets are; a new epoch makes the decoder start over.
pub(super) struct RingState {
    pub(super) ring: GopRing,
    pub(super) params: Option<VideoParams>,
    pub(super) epoch: u64,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) status: FeedStatus,
    meter: Meter,
    /// Why it is connected and yet cannot be shown.
    pub(super) undecodable: Option<String>,
    /// Mean decode time of one access unit.
    pub(super) decode_time: MediaTime,
}

impl Feed {
    /// Starts the connection task and the decode worker. Needs a tokio runtime.
    pub fn start(
        id: impl Into<String>,
        source: Box<dyn Source>,
        decoders: DecoderFactory,
        policy: FeedPolicy,
        clock: Arc<dyn Clock>,
        events: FeedSink,
    ) -> Result<Self> {
        let id = id.into();
        let delay = policy.delay;
        let shared = Arc::new(Shared {
            id: id.clone(),
            clock,
            wanted: AtomicBool::new(false),
            watchers: AtomicUsize::new(0),
            present: AtomicI64::new(0),
            slack: AtomicI64::new(0),
            expected: AtomicI64::new(i64::MIN),
            stopped: AtomicBool::new(false),
            ring: Mutex::new(RingState { ring: GopRing::new(policy.ring), params: None, epoch: 0 }),
            ring_grew: Condvar::new(),
            slot: Mutex::new(Slot::new(delay)),
            audio: Mutex::new(AudioTail::new(delay)),
            status: Mutex::new(Inner {
                status: FeedStatus { id: id.clone(), ..FeedStatus::default() },
                ..Inner::default()
            }),
            wake: Notify::new(),
            restart: AtomicBool::new(false),
            events,
        });
        let for_worker = shared.clone();
        std::thread::Builder::new()
            .name(format!("decode {id}"))
            .spawn(move || decode::run(&for_worker, &decoders))
            .map_err(|e| Error::io("start the decode worker", &e))?;
        let driver = Driver { shared: shared.clone(), policy, map: ClockMap::new(), connections: 0 };
        let task = tokio::spawn(driver.run(source));
        Ok(Self { shared, task: Mutex::new(Some(task)) })
    }

    /// Asks for decoding, or ends it. Takes effect at once; pictures follow when the decoder has caught up.
    pub fn want(&self, yes: bool) {
        if self.shared.wanted.swap(yes, Ordering::AcqRel) != yes {
            self.shared.wake_decoder();
        }
    }

    /// The camera's pictures in small, for whoever has to see whether it moves. Decodes only while it is open.
    pub fn eye(&self) -> Arc<dyn Eye> {
        Arc::new(FeedEye(self.shared.clone()))
    }

    /// What the director needs to know for a tick whose pictures are those of `target`.
    pub fn state(&self, target: MediaTime) -> CameraState {
        let (oldest, newest) = {
            let slot = lock(&self.shared.slot);
            (slot.oldest(), slot.newest())
        };
        let fps = lock(&self.shared.status).meter.per_second(self.shared.clock.now());
        let interval_ms = if fps > 0.1 { (1000.0 / fps) as i64 } else { 0 };
        let within = |ms: i64| newest.is_some_and(|t| t + MediaTime::from_millis(ms) >= target);
        // Slow cameras are live too: three frame intervals, between half a second and five. Two are in step.
        CameraState {
            live: within((interval_ms * 3).clamp(500, 5000)),
            // With its first picture still to come, a camera would start with a freeze.
            ready: within((interval_ms * 2).clamp(50, 5000)) && oldest.is_some_and(|t| t <= target),
            lead: 0,
            head: None,
        }
    }

    /// How long before a cut the decoder has to start, so that it has caught up: half a second, and the decoding of the
    /// longest GOP seen with the pictures that arrive meanwhile.
    pub fn lead_time(&self) -> MediaTime {
        let gop = lock(&self.shared.ring).ring.gop_len();
        let measured = lock(&self.shared.status).decode_time;
        // Before the first decode: a 1080p access unit on a slow core.
        let per_au = if measured == MediaTime::ZERO { MediaTime::from_millis(20) } else { measured }.nanos();
        let fps = lock(&self.shared.status).meter.per_second(self.shared.clock.now()).max(1.0);
        let (gop, per_au) = (gop as f64, per_au as f64 / 1e9);
        // While it catches up at 1/per_au pictures a second, fps more arrive.
        let spare = (1.0 - fps * per_au).max(0.1);
        MediaTime::from_millis(500 + (gop * per_au / spare * 1000.0).min(15_000.0) as i64)
    }

    /// The picture for `target` on the program clock; see [`Slot::pick`].
    pub fn pick(&self, target: MediaTime, slack: MediaTime) -> Option<Picked> {
        lock(&self.shared.slot).pick(target, slack)
    }

    /// Says which time the program shows now, for overlays that show this camera too.
    pub fn set_present(&self, target: MediaTime, slack: MediaTime) {
        self.shared.present.store(target.nanos(), Ordering::Relaxed);
        self.shared.slack.store(slack.nanos(), Ordering::Relaxed);
    }
    /// The time that the program shows now.
    pub fn present(&self) -> MediaTime {
        MediaTime::from_nanos(self.shared.present.load(Ordering::Relaxed))
    }
    /// An overlay shows this camera until then, on the program clock.
    pub fn expect_until(&self, t: MediaTime) {
        self.shared.expected.fetch_max(t.nanos(), Ordering::Relaxed);
    }
    /// Whether an overlay shows it, or soon will.
    pub fn is_expected(&self) -> bool {
        self.present().nanos() < self.shared.expected.load(Ordering::Relaxed)
    }
    /// The present picture for an overlay; `last` is the number of its last one.
    pub fn pick_for(&self, last: &mut Option<u64>) -> Option<Picked> {
        let slack = MediaTime::from_nanos(self.shared.slack.load(Ordering::Relaxed));
        lock(&self.shared.slot).pick_for(last, self.present(), slack)
    }

    /// The audio packet for `target` that follows number `last`, if there is one within `slack`.
    pub fn pick_audio(&self, last: Option<u64>, target: MediaTime, slack: MediaTime) -> Option<(u64, Packet)> {
        lock(&self.shared.audio).pick(last, target, slack).map(|(n, p)| (n, p.clone()))
    }

    /// What its audio is, once known.
    pub fn audio_params(&self) -> Option<AudioParams> {
        lock(&self.shared.audio).params.clone()
    }

    /// A snapshot.
    pub fn status(&self) -> FeedStatus {
        let now = self.shared.clock.now();
        let sound_held_ms = lock(&self.shared.audio).held_back().millis();
        let mut inner = lock(&self.shared.status);
        inner.status.sound_held_ms = u32::try_from(sound_held_ms).unwrap_or(0);
        inner.status.measured_fps = inner.meter.per_second(now);
        inner.status.kbps = u32::try_from(inner.meter.bps(now) / 1000).unwrap_or(u32::MAX);
        let mut status = inner.status.clone();
        status.error = status.error.or_else(|| inner.undecodable.clone());
        status
    }

    /// Drops the connection and starts over at once, with a fresh back-off.
    pub fn restart(&self) {
        self.shared.restart.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }

    /// Ends the connection (RTSP TEARDOWN) and the decoder.
    pub async fn stop(&self) {
        self.shared.stop();
        let Some(mut task) = lock(&self.task).take() else { return };
        // The source's own close is bounded; this bounds one that is not.
        if tokio::time::timeout(Duration::from_secs(5), &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl Shared {
    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.wake.notify_one();
        self.wake_decoder();
    }
    /// Notifies under the lock: a worker between its look and its wait would miss it otherwise.
    pub(super) fn wake_decoder(&self) {
        let _held = lock(&self.ring);
        self.ring_grew.notify_all();
    }
    /// The stream cannot be decoded here: somebody has to know.
    pub(super) fn refuse(&self, e: Error) {
        lock(&self.status).undecodable = Some(e.to_string());
        tracing::warn!(camera = %self.id, "{e}");
        (self.events)(&self.id, FeedEvent::Undecodable(e));
    }
    /// Whether anybody needs its pictures.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire) || self.watchers.load(Ordering::Acquire) > 0
    }
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
    fn set_state(&self, state: FeedState, error: Option<String>) {
        let mut i = lock(&self.status);
        i.status.state = state;
        i.status.error = error;
    }
}

struct Driver {
    shared: Arc<Shared>,
    policy: FeedPolicy,
    map: ClockMap,
    connections: u32,
}

/// How a connection ended.
enum Ended {
    Stopped,
    Restart,
    Over,
    Failed(Error),
}

impl Driver {
    async fn run(mut self, mut source: Box<dyn Source>) {
        let seed = self.shared.clock.wall().unix_nanos() as u64;
        let mut backoff = Backoff::new(self.policy.backoff, seed).named(&self.shared.id);
        loop {
            self.shared.set_state(FeedState::Connecting, None);
            // A source is foreign code on a peer's data: a panic in it costs this connection, not the camera.
            let ended = AssertUnwindSafe(self.connection(&mut *source, &mut backoff))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| {
                    let e = Error::new(ErrorKind::Internal, "the source panicked").at(source_name(&self.shared.id));
                    Ended::Failed(e.next("it is tried again; report this with the log").transient(true))
                });
            if tokio::time::timeout(Duration::from_secs(3), source.close()).await.is_err() {
                tracing::debug!(camera = %self.shared.id, "the source did not close in time");
            }
            self.disconnected();
            match ended {
                Ended::Stopped => break,
                Ended::Restart => backoff.reset(),
                Ended::Over => {
                    self.emit(FeedEvent::Ended);
                    break;
                }
                Ended::Failed(e) => {
                    let now = self.shared.clock.now();
                    let next = backoff.failed(now, e.is_transient());
                    let state = if matches!(next, NextTry::Probe(_)) { FeedState::Failed } else { FeedState::Waiting };
                    self.shared.set_state(state, Some(e.to_string()));
                    tracing::warn!(camera = %self.shared.id, next_try = %(next.at() - now), "{e}");
                    self.emit(FeedEvent::Offline(e));
                    tokio::select! {
                        () = tokio::time::sleep((next.at() - now).to_duration()) => {}
                        () = self.shared.wake.notified() => {
                            if self.shared.restart.swap(false, Ordering::AcqRel) {
                                backoff.reset();
                            }
                        }
                    }
                }
            }
            if self.shared.is_stopped() {
                break;
            }
        }
        self.shared.stop();
        self.shared.set_state(FeedState::Stopped, None);
    }

    fn emit(&self, e: FeedEvent) {
        (self.shared.events)(&self.shared.id, e);
    }

    async fn connection(&mut self, source: &mut dyn Source, backoff: &mut Backoff) -> Ended {
        let shared = self.shared.clone();
        let timeout = |d: Duration, what: &str| {
            Error::new(ErrorKind::Timeout, format!("{what} within {} s", d.as_secs()))
                .at(source_name(&shared.id))
                .next("check that the camera is on and its stream is running")
        };
        let opened = tokio::select! {
            r = tokio::time::timeout(self.policy.open_timeout, source.open()) => r,
            e = interrupted(&shared) => return e,
        };
        match opened {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Ended::Failed(e),
            Err(_) => return Ended::Failed(timeout(self.policy.open_timeout, "did not open")),
        }
        let mut online = false;
        loop {
            let patient = !online && source.waits_for_peer();
            let silence = if patient { Duration::MAX } else { self.policy.silence_timeout };
            let event = tokio::select! {
                r = tokio::time::timeout(silence, source.next()) => r,
                e = interrupted(&shared) => return e,
            };
            let event = match event {
                Ok(Ok(e)) => e,
                Ok(Err(e)) => return Ended::Failed(e),
                Err(_) => return Ended::Failed(timeout(self.policy.silence_timeout, "sent no media")),
            };
            if matches!(event, SourceEvent::End) {
                return Ended::Over;
            }
            let media = matches!(event, SourceEvent::Packet(_) | SourceEvent::Frame(_));
            self.take(event);
            if media && !online {
                online = true;
                self.online(backoff);
            }
        }
    }

    fn online(&mut self, backoff: &mut Backoff) {
        backoff.connected(self.shared.clock.now());
        self.connections += 1;
        let status = {
            let mut i = lock(&self.shared.status);
            i.status.state = FeedState::Online;
            i.status.error = None;
            i.status.reconnects = self.connections - 1;
            i.status.clone()
        };
        self.emit(FeedEvent::Online(status));
    }

    /// What stays of a connection that ended: the newest pictures, for the hold. Not the ring: what comes next does not
    /// continue it.
    fn disconnected(&mut self) {
        self.map.reset();
        let mut r = lock(&self.shared.ring);
        r.ring.clear();
        r.epoch += 1;
        drop(r);
        lock(&self.shared.audio).clear();
    }

    fn take(&mut self, event: SourceEvent) {
        let now = self.shared.clock.now();
        match event {
            SourceEvent::Params(p) => {
                let changed = {
                    let mut i = lock(&self.shared.status);
                    let had = i.status.codec.is_some();
                    i.status.set_params(&p);
                    had.then(|| i.status.clone())
                };
                lock(&self.shared.audio).params = p.audio;
                let mut r = lock(&self.shared.ring);
                let differs = r.params.is_some() && r.params != p.video;
                if r.params != p.video {
                    r.ring.clear();
                    r.params = p.video;
                    r.epoch += 1;
                }
                drop(r);
                if let (true, Some(status)) = (differs, changed) {
                    self.emit(FeedEvent::Changed(status));
                }
            }
            SourceEvent::Packet(mut p) => match p.track {
                Track::Video => {
                    self.observe(now, p.dts);
                    lock(&self.shared.status).meter.add(now, p.data.len());
                    self.remap(&mut p);
                    lock(&self.shared.ring).ring.push(p);
                    self.shared.ring_grew.notify_all();
                }
                Track::Audio => {
                    if self.map.map(p.pts).is_some() {
                        self.remap(&mut p);
                        lock(&self.shared.audio).push(now, p);
                    }
                }
            },
            SourceEvent::Frame(f) => {
                self.observe(now, f.pts());
                {
                    let mut i = lock(&self.shared.status);
                    i.meter.add(now, 0);
                    (i.status.width, i.status.height) = f.size();
                }
                if let Some(t) = self.map.map(f.pts()) {
                    lock(&self.shared.slot).push(t, f);
                }
            }
            SourceEvent::Lost(what) => {
                lock(&self.shared.status).status.losses += 1;
                let mut r = lock(&self.shared.ring);
                r.ring.clear();
                r.epoch += 1;
                drop(r);
                self.emit(FeedEvent::Lost(what));
            }
            SourceEvent::End => {}
        }
    }

    fn observe(&mut self, now: MediaTime, stream: MediaTime) {
        if let Anchor::Jumped(by) = self.map.observe(now, stream) {
            lock(&self.shared.status).status.clock_jumps += 1;
            lock(&self.shared.audio).clear();
            tracing::info!(camera = %self.shared.id, jump = %by, "the camera's clock jumped; its time is anchored anew");
            self.emit(FeedEvent::ClockJump(by));
        }
    }

    fn remap(&self, p: &mut Packet) {
        if let (Some(pts), Some(dts)) = (self.map.map(p.pts), self.map.map(p.dts)) {
            (p.pts, p.dts) = (pts, dts);
        }
    }
}

fn source_name(id: &str) -> String {
    format!("camera {id}")
}

/// Resolves when someone asked this connection to end.
async fn interrupted(shared: &Shared) -> Ended {
    loop {
        if shared.is_stopped() {
            return Ended::Stopped;
        }
        if shared.restart.swap(false, Ordering::AcqRel) {
            return Ended::Restart;
        }
        shared.wake.notified().await;
    }
}
