//! Who publishes what.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vistter_core::Secret;
use vistter_core::clock::Clock;
use vistter_core::media::{Packet, StreamParams};

use super::stats::{Meter, StreamStats};
use super::tap::{Tap, Taps};

/// Ended publishes are remembered for summaries, this many.
const REMEMBERED: usize = 32;

/// One publish, going on or over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamStatus {
    /// Counts the publishes of this receiver from 1.
    pub id: u64,
    /// The application.
    pub app: String,
    /// The stream key, without a query.
    pub key: Secret<String>,
    /// Going on.
    pub live: bool,
    /// The recording, if one is written.
    pub file: Option<PathBuf>,
    /// Why the recording stopped early, or was not begun.
    pub record_error: Option<String>,
    /// What has come so far.
    pub stats: StreamStats,
}

struct Entry {
    status: StreamStatus,
    meter: Meter,
    taps: Taps,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    next_id: u64,
}

/// All publishes of a receiver.
pub(crate) struct Registry {
    state: Mutex<State>,
    begun: Notify,
    clock: Arc<dyn Clock>,
}

/// One publish in the registry; ends when dropped.
pub(crate) struct Publish {
    registry: Arc<Registry>,
    id: u64,
}

impl Registry {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), begun: Notify::new(), clock }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Begins a publish; `None` when the same key is in use on the same application.
    pub(crate) fn begin(self: &Arc<Self>, app: &str, key: &Secret<String>) -> Option<Publish> {
        let name = key_name(key);
        let mut s = self.lock();
        if s.entries.iter().any(|e| e.status.live && e.status.app == app && e.status.key.expose() == name) {
            return None;
        }
        let ended = s.entries.iter().filter(|e| !e.status.live).count();
        if ended > REMEMBERED
            && let Some(oldest) = s.entries.iter().position(|e| !e.status.live)
        {
            s.entries.remove(oldest);
        }
        s.next_id += 1;
        let id = s.next_id;
        let status = StreamStatus {
            id,
            app: app.to_owned(),
            key: Secret::new(name.to_owned()),
            live: true,
            file: None,
            record_error: None,
            stats: StreamStats::default(),
        };
        s.entries.push(Entry { status, meter: Meter::default(), taps: Taps::default() });
        drop(s);
        self.begun.notify_waiters();
        Some(Publish { registry: self.clone(), id })
    }
    pub(crate) fn streams(&self) -> Vec<StreamStatus> {
        let now = self.clock.now();
        let mut s = self.lock();
        let status = |e: &mut Entry| {
            e.meter.roll(now);
            StreamStatus { stats: e.meter.stats.clone(), ..e.status.clone() }
        };
        s.entries.iter_mut().map(status).collect()
    }
    pub(crate) async fn subscribe(&self, app: &str, key: &Secret<String>) -> Tap {
        loop {
            // Registered before looking, so that a publish between the two is not missed.
            let begun = self.begun.notified();
            let found = self
                .lock()
                .entries
                .iter_mut()
                .find(|e| e.status.live && e.status.app == app && e.status.key.expose() == key_name(key))
                .and_then(|e| e.taps.subscribe());
            if let Some(tap) = found {
                return tap;
            }
            begun.await;
        }
    }
}

/// The key without a query: encoders and platforms put options there.
fn key_name(key: &Secret<String>) -> &str {
    key.expose().split('?').next().unwrap_or_default()
}

impl Publish {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
    fn with<R>(&self, f: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.registry.lock().entries.iter_mut().find(|e| e.status.id == self.id).map(f)
    }
    pub(crate) fn params(&self, p: &StreamParams) {
        self.with(|e| {
            e.meter.params(p);
            e.taps.params(p);
        });
    }
    pub(crate) fn packet(&self, p: &Packet) {
        let now = self.registry.clock.now();
        self.with(|e| {
            e.meter.packet(now, p);
            e.taps.packet(p);
        });
    }
    pub(crate) fn fault(&self) {
        self.with(|e| e.meter.fault());
    }
    pub(crate) fn recording(&self, file: PathBuf) {
        self.with(|e| e.status.file = Some(file));
    }
    pub(crate) fn record_error(&self, why: String) {
        self.with(|e| e.status.record_error = Some(why));
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        self.with(|e| {
            e.status.live = false;
            e.taps.end();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vistter_core::clock::ManualClock;

    #[test]
    fn a_key_is_in_use_until_its_publish_ends() {
        let r = Arc::new(Registry::new(Arc::new(ManualClock::new())));
        let key = Secret::from("k?token=1");
        let first = r.begin("live", &key).unwrap();
        assert!(r.begin("live", &"k".into()).is_none(), "a query makes no other key");
        assert!(r.begin("other", &key).is_some());
        drop(first);
        assert!(r.begin("live", &key).is_some());
    }
    #[test]
    fn ended_publishes_are_forgotten_in_the_end() {
        let r = Arc::new(Registry::new(Arc::new(ManualClock::new())));
        for _ in 0..200 {
            r.begin("live", &"k".into()).unwrap();
        }
        assert!(r.streams().len() <= REMEMBERED + 2);
        assert_eq!(r.streams().last().unwrap().id, 200);
    }
}
