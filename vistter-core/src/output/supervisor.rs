//! The task that owns one output: it alone connects, sends, reconnects and stops it.
//!
//! Every call into the [`Output`] has a time-out, so that one which never returns costs its own task only. The program
//! worker calls [`OutputHandle::push`], which takes a lock for a few pointer moves and never waits for the task.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::{EgressQueue, OutputEvent, OutputState, OutputStatus, QueueLimits, StartAt};
use crate::backoff::{Backoff, BackoffPolicy, NextTry};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{Packet, StreamParams};
use crate::meter::Meter;
use crate::ports::Output;
use crate::time::MediaTime;

/// How one output is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputPolicy {
    /// What may wait for it.
    pub queue: QueueLimits,
    /// Where it starts after a connect.
    pub start_at: StartAt,
    /// When it is tried again.
    pub backoff: BackoffPolicy,
    /// Longest `connect`.
    pub connect_timeout: Duration,
    /// Longest `send` of one packet.
    pub send_timeout: Duration,
    /// Longest `close`.
    pub close_timeout: Duration,
    /// How long `stop` goes on sending what waits, before `close`.
    pub drain: Duration,
}

impl OutputPolicy {
    /// For a platform: low latency.
    pub fn live() -> Self {
        Self {
            queue: QueueLimits::default(),
            start_at: StartAt::Newest,
            backoff: BackoffPolicy::default(),
            connect_timeout: Duration::from_secs(15),
            send_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
            drain: Duration::from_secs(3),
        }
    }
    /// For a file: lose as little as possible.
    pub fn recording() -> Self {
        let queue = QueueLimits { video: MediaTime::from_secs(15), audio: MediaTime::from_secs(30), bytes: 64 << 20 };
        Self { queue, start_at: StartAt::Oldest, drain: Duration::from_secs(10), ..Self::live() }
    }
}

/// Starts the task of one output. Call it inside a tokio runtime.
///
/// `id` names it in status and events; errors carry it as their place when they have none. State changes go to
/// `events`; when that channel is full they are lost there, and [`OutputHandle::status`] still tells the truth. The
/// output stops when the last handle is dropped; [`OutputHandle::stop`] also waits for it.
pub fn supervise(
    id: impl Into<String>,
    output: Box<dyn Output>,
    params: StreamParams,
    policy: OutputPolicy,
    clock: Arc<dyn Clock>,
    events: mpsc::Sender<OutputEvent>,
) -> OutputHandle {
    let id = id.into();
    let backoff = Backoff::new(policy.backoff, clock.wall().unix_nanos() as u64).named(&id);
    let shared = Arc::new(Shared {
        target: output.describe(),
        queue: Mutex::new(EgressQueue::new(policy.queue, policy.start_at, params.video.is_some())),
        more: Notify::new(),
        facts: Mutex::new(Facts::new(backoff)),
        over: AtomicBool::new(false),
        id,
        clock,
        events,
    });
    let (orders, orders_rx) = watch::channel(Orders::default());
    let (done_tx, done) = watch::channel(false);
    let task = Task { shared: shared.clone(), output, params, policy, orders: orders_rx, restarts_seen: 0 };
    let work = tokio::spawn(task.run());
    let guarded = shared.clone();
    tokio::spawn(async move {
        if work.await.is_err() {
            // Only its `close` can still panic.
            let e = Error::new(ErrorKind::Internal, "the output's task ended by a panic")
                .next("report it with the log; start the output again");
            guarded.enter(Phase::Failed(None), Some(e));
        }
        guarded.over.store(true, Ordering::Release);
        guarded.queue().clear();
        done_tx.send_replace(true);
    });
    OutputHandle { shared, orders, done }
}

/// One supervised output. Clones are the same output.
#[derive(Clone)]
pub struct OutputHandle {
    shared: Arc<Shared>,
    orders: watch::Sender<Orders>,
    done: watch::Receiver<bool>,
}

impl OutputHandle {
    /// Queues a packet. Never waits for the output; safe to call from a thread without a runtime.
    pub fn push(&self, packet: &Packet) {
        if self.shared.over.load(Ordering::Acquire) {
            return;
        }
        self.shared.queue().push(packet);
        self.shared.more.notify_one();
    }

    /// A person or a schedule starts it again: reconnects now, with earlier failures forgotten. It is no failure.
    pub fn restart(&self) {
        self.orders.send_modify(|o| o.restarts += 1);
    }

    /// Sends what waits, says goodbye and ends the task, within [`OutputPolicy::drain`] + `close_timeout` (twice, when
    /// a connection is just being given up).
    pub async fn stop(&self) {
        self.orders.send_modify(|o| o.stop = true);
        let mut done = self.done.clone();
        // An error means that the guard is gone, and so is the task.
        let _ = done.wait_for(|d| *d).await;
    }

    /// The id it was started with.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Where it stands now.
    pub fn status(&self) -> OutputStatus {
        self.shared.status()
    }
}

impl std::fmt::Debug for OutputHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OutputHandle").field(&self.status()).finish()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    stop: bool,
    restarts: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Stop,
    Restart,
}

/// As [`OutputState`], with times that do not age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Live,
    Waiting(MediaTime),
    Failed(Option<MediaTime>),
    Stopped,
}

struct Shared {
    id: String,
    target: String,
    clock: Arc<dyn Clock>,
    queue: Mutex<EgressQueue>,
    more: Notify,
    facts: Mutex<Facts>,
    events: mpsc::Sender<OutputEvent>,
    over: AtomicBool,
}

struct Facts {
    phase: Phase,
    bytes: u64,
    packets: u64,
    meter: Meter,
    reconnects: u64,
    backoff: Backoff,
    last_error: Option<String>,
}

impl Facts {
    fn new(backoff: Backoff) -> Self {
        let phase = Phase::Connecting;
        Self { phase, bytes: 0, packets: 0, meter: Meter::default(), reconnects: 0, backoff, last_error: None }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, EgressQueue> {
        lock(&self.queue)
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    fn enter(&self, phase: Phase, error: Option<Error>) {
        let error = error.map(|e| if e.place().is_some() { e } else { e.at(self.id.clone()) });
        let at = self.clock.now();
        {
            let mut f = self.facts();
            f.phase = phase;
            if let Some(e) = &error {
                f.last_error = Some(e.to_string());
            }
        }
        let state = state_at(phase, at);
        match &error {
            Some(e) => tracing::warn!(output = %self.id, ?state, "{e}"),
            None => tracing::info!(output = %self.id, ?state, "output"),
        }
        // Full: the listener is slow or gone, and the status still tells.
        let _ = self.events.try_send(OutputEvent { id: self.id.clone(), at, state, error });
    }

    fn sent(&self, packet: &Packet) {
        let mut f = self.facts();
        f.bytes += packet.data.len() as u64;
        f.packets += 1;
        f.meter.add(self.clock.now(), packet.data.len());
    }

    fn status(&self) -> OutputStatus {
        let now = self.clock.now();
        let (queue_ms, counts) = {
            let q = self.queue();
            (q.depth().millis(), q.counts())
        };
        let mut f = self.facts();
        let live = f.phase == Phase::Live;
        OutputStatus {
            id: self.id.clone(),
            target: self.target.clone(),
            state: state_at(f.phase, now),
            bytes: f.bytes,
            bitrate_bps: if live { f.meter.bps(now) } else { 0 },
            packets: f.packets,
            dropped_frames: counts.dropped_frames,
            dropped_gops: counts.dropped_gops,
            missed_frames: counts.missed_frames,
            reconnects: f.reconnects,
            failures: f.backoff.failures(now),
            queue_ms: u64::try_from(queue_ms).unwrap_or(0),
            last_error: f.last_error.clone(),
        }
    }
}

fn state_at(phase: Phase, now: MediaTime) -> OutputState {
    let left = |t: MediaTime| u64::try_from((t - now).millis()).unwrap_or(0);
    match phase {
        Phase::Connecting => OutputState::Connecting,
        Phase::Live => OutputState::Live,
        Phase::Waiting(t) => OutputState::Waiting { next_try_ms: left(t) },
        Phase::Failed(t) => OutputState::Failed { next_try_ms: t.map(left) },
        Phase::Stopped => OutputState::Stopped,
    }
}

struct Task {
    shared: Arc<Shared>,
    output: Box<dyn Output>,
    params: StreamParams,
    policy: OutputPolicy,
    orders: watch::Receiver<Orders>,
    restarts_seen: u64,
}

impl Task {
    async fn run(mut self) {
        let mut after_failure = false;
        loop {
            // A panic in this output's code ends this connection; the program and the others do not notice.
            let end = AssertUnwindSafe(self.connection(after_failure)).catch_unwind().await.unwrap_or_else(|_| {
                let e = Error::new(ErrorKind::Internal, "the output ended by a panic").transient(true);
                Err(e.next("it is tried again; report this with the log"))
            });
            self.shared.queue().close();
            let order = match end {
                Ok(order) => {
                    self.close().await;
                    order
                }
                Err(e) => {
                    let until = self.failed(e);
                    self.close().await;
                    after_failure = true;
                    tokio::select! {
                        biased;
                        order = next_order(&mut self.orders, self.restarts_seen) => order,
                        () = sleep((until - self.shared.clock.now()).to_duration()) => continue,
                    }
                }
            };
            match order {
                Order::Stop => break,
                Order::Restart => {
                    self.restarts_seen = self.orders.borrow().restarts;
                    self.shared.facts().backoff.reset();
                    after_failure = false;
                }
            }
        }
        self.shared.enter(Phase::Stopped, None);
    }

    /// One connection from `connect` until an order or an error ends it.
    async fn connection(&mut self, after_failure: bool) -> Result<Order> {
        let Self { shared, output, params, policy, orders, restarts_seen } = self;
        shared.enter(Phase::Connecting, None);
        tokio::select! {
            biased;
            order = next_order(orders, *restarts_seen) => return Ok(order),
            r = timeout(policy.connect_timeout, output.connect(params)) => r.map_err(|_| too_slow("connect", policy.connect_timeout))??,
        }
        shared.queue().open();
        let now = shared.clock.now();
        {
            let mut f = shared.facts();
            f.meter.reset();
            f.reconnects += u64::from(after_failure);
            f.backoff.connected(now);
        }
        shared.enter(Phase::Live, None);

        let mut drain_until = None;
        loop {
            let packet = shared.queue().pop();
            let mut order = std::pin::pin!(next_order(orders, *restarts_seen));
            let Some(packet) = packet else {
                tokio::select! {
                    biased;
                    order = &mut order => {
                        // The last packets and the order may have come together: what waits is sent before goodbye.
                        if order == Order::Stop && !shared.queue().is_empty() {
                            continue;
                        }
                        return Ok(order);
                    }
                    e = output.failed() => return Err(e),
                    () = shared.more.notified() => continue,
                }
            };
            let give_up = async {
                let order = order.await;
                if order == Order::Stop {
                    let now = shared.clock.now();
                    let until = *drain_until.get_or_insert(now + policy.drain.into());
                    sleep((until - now).to_duration()).await;
                }
                order
            };
            tokio::select! {
                biased;
                r = timeout(policy.send_timeout, output.send(&packet)) => r.map_err(|_| too_slow("take a packet", policy.send_timeout))??,
                order = give_up => return Ok(order),
            }
            shared.sent(&packet);
        }
    }

    /// Decides about a failure; gives the time of the next try.
    fn failed(&mut self, e: Error) -> MediaTime {
        let now = self.shared.clock.now();
        let next = self.shared.facts().backoff.failed(now, e.is_transient());
        let phase = match next {
            NextTry::Retry(t) => Phase::Waiting(t),
            NextTry::Probe(t) => Phase::Failed(Some(t)),
        };
        self.shared.enter(phase, Some(e));
        next.at()
    }

    async fn close(&mut self) {
        // What goes wrong while leaving has no consequence any more; the log keeps it.
        match timeout(self.policy.close_timeout, self.output.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::debug!(output = %self.shared.id, "close: {e}"),
            Err(_) => tracing::debug!(output = %self.shared.id, "close took too long and was abandoned"),
        }
    }
}

/// Waits until somebody wants this connection to end. Level-triggered, so it can be dropped and asked again.
async fn next_order(orders: &mut watch::Receiver<Orders>, seen: u64) -> Order {
    match orders.wait_for(|o| o.stop || o.restarts != seen).await {
        Ok(o) if !o.stop => Order::Restart,
        // An error means that every handle is gone.
        _ => Order::Stop,
    }
}

fn too_slow(what: &str, limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, format!("the destination did not {what} within {} s", limit.as_secs()))
        .next("check the uplink and the destination's status page")
}
