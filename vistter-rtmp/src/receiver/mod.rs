//! An RTMP server that takes publishes: for tests, for the demo, and for encoders that push to us.
//!
//! `serve` is the protocol without I/O, `connection` drives one socket, `registry` knows who publishes what, `record`
//! writes FLV, `stats` measures, `tap` and `ingest` hand the packets on inside the process.

mod connection;
mod ingest;
mod record;
mod registry;
pub(crate) mod serve;
mod stats;
mod tap;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use vistter_core::clock::{Clock, SystemClock};
use vistter_core::{Error, Result, Secret};

pub use ingest::RtmpIngest;
pub use registry::StreamStatus;
pub(crate) use registry::{Publish, Registry};
pub use stats::StreamStats;
pub use tap::{IngestEvent, Tap};

/// Decides about one publish by application and key.
pub type KeyCheck = Arc<dyn Fn(&str, &Secret<String>) -> bool + Send + Sync>;

/// Who may publish.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Access {
    /// Anyone, with any key.
    #[default]
    Anyone,
    /// These pairs of application and key. A query after the key (`key?x=y`) is not compared.
    Keys(Vec<(String, Secret<String>)>),
    /// Whoever the function says. It gets the key as it was sent, and must not block.
    Check(KeyCheck),
}

impl Access {
    fn allows(&self, app: &str, key: &Secret<String>) -> bool {
        let name = key.expose().split('?').next().unwrap_or_default();
        match self {
            Self::Anyone => true,
            Self::Keys(all) => all.iter().any(|(a, k)| a == app && k.expose() == name),
            Self::Check(f) => f(app, key),
        }
    }
}
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("Anyone"),
            Self::Keys(k) => write!(f, "Keys({})", k.len()),
            Self::Check(_) => f.write_str("Check"),
        }
    }
}

/// How to receive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceiverOptions {
    /// Who may publish.
    pub access: Access,
    /// Where to write one FLV file for each publish, named by application and a number; nothing is overwritten.
    pub record_dir: Option<PathBuf>,
    /// Connections at once; more are closed on arrival.
    pub max_connections: usize,
    /// Bytes that unfinished messages of one connection may hold; a keyframe must fit.
    pub max_message: usize,
    /// Time from connection to publish.
    pub publish_timeout: Duration,
    /// A publisher silent for this long is dropped, so that its key is free again after a half-open connection.
    pub idle_timeout: Duration,
    /// What rates are measured with.
    pub clock: Arc<dyn Clock>,
}

impl Default for ReceiverOptions {
    fn default() -> Self {
        Self {
            access: Access::Anyone,
            record_dir: None,
            max_connections: 64,
            max_message: 8 << 20,
            publish_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15),
            clock: SystemClock::shared(),
        }
    }
}

/// A running RTMP server. Dropping it ends everything at once; [`Receiver::stop`] finishes the files first.
pub struct Receiver {
    address: SocketAddr,
    registry: Arc<Registry>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens on `address` (port 0 picks a free one) and receives until stopped. Needs a tokio runtime.
    ///
    /// # Errors
    /// `Io` when the address is in use or not ours, or the recording folder cannot be made.
    pub async fn bind(address: SocketAddr, options: ReceiverOptions) -> Result<Self> {
        if let Some(dir) = &options.record_dir {
            tokio::fs::create_dir_all(dir)
                .await
                .map_err(|e| Error::io("make the recording folder", &e).at(dir.display().to_string()))?;
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|e| Error::io("listen for RTMP", &e).at(address.to_string()).next("choose another port"))?;
        let address = listener.local_addr().map_err(|e| Error::io("listen for RTMP", &e))?;
        let registry = Arc::new(Registry::new(options.clock.clone()));
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, Arc::new(options), registry.clone(), stopped));
        Ok(Self { address, registry, stop, task: Some(task) })
    }
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }
    /// Every publish going on, and the last ones that ended, oldest first.
    pub fn streams(&self) -> Vec<StreamStatus> {
        self.registry.streams()
    }
    /// Waits for a publish of `key` to `app` and reads its packets. Cancel-safe.
    pub async fn subscribe(&self, app: &str, key: &Secret<String>) -> Tap {
        self.registry.subscribe(app, key).await
    }
    /// A source that reads what is published with `key` to `app`.
    pub fn ingest(&self, app: &str, key: Secret<String>) -> RtmpIngest {
        RtmpIngest::new(self.registry.clone(), app, key)
    }
    /// Stops listening, ends every publish and finishes the files, in at most 5 s.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(mut task) = self.task.take()
            && timeout(Duration::from_secs(5), &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(t) = &self.task {
            t.abort();
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.address)
    }
}

async fn accept(
    listener: TcpListener,
    options: Arc<ReceiverOptions>,
    registry: Arc<Registry>,
    mut stopped: watch::Receiver<bool>,
) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            new = listener.accept() => match new {
                Ok((socket, peer)) if connections.len() < options.max_connections => {
                    let task = connection::run(socket, peer, options.clone(), registry.clone(), stopped.clone());
                    connections.spawn(task);
                }
                Ok((_, peer)) => tracing::warn!(%peer, "too many RTMP connections: closed"),
                // Out of descriptors, most likely: an accept that fails at once must not spin.
                Err(e) => {
                    tracing::warn!("accept an RTMP connection: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
