//! The pictures of a steered test camera: encoded one by one when they are due, and only while somebody watches. Where the
//! camera looks cannot be known ahead, so there is no loop.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::watch;

use super::clip::{Unit, strip};
use super::panorama::Panorama;
use super::{Steering, TestCameraConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::ports::{Clock, VideoEncoder};
use crate::time::{FrameRate, MediaTime};

/// Pictures are made for so long after the last one that was asked for, and kept for so long.
const LINGER: MediaTime = MediaTime::from_secs(3);

/// Pictures made as time goes.
#[derive(Debug)]
pub(super) struct Live {
    shared: Arc<Shared>,
    /// Pictures before this one are made, or will never be.
    decided: watch::Receiver<u64>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    kept: VecDeque<(u64, Unit)>,
    wanted: Option<u64>,
    closed: bool,
    failed: Option<Error>,
}

impl Live {
    pub(super) fn start(
        config: &TestCameraConfig,
        steering: Steering,
        encoder: Box<dyn VideoEncoder>,
        clock: Arc<dyn Clock>,
        start: MediaTime,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (progress, decided) = watch::channel(0);
        let worker =
            Worker { shared: shared.clone(), fps: config.fps, gop: u64::from(config.gop.max(1)), clock, start };
        let config = config.clone();
        std::thread::Builder::new()
            .name(format!("test-camera-{}", config.id))
            .spawn(move || {
                let made = Panorama::new(&config).and_then(|p| worker.run(p, &steering, encoder, &progress));
                if let Err(e) = made {
                    lock(&worker.shared.state).failed = Some(e);
                }
            })
            .map_err(|e| Error::io("start the test camera's encoder", &e))?;
        Ok(Self { shared, decided })
    }

    /// Waits until picture `n` is encoded; `None` when it was left out.
    ///
    /// # Errors
    /// What the encoder said when it failed.
    pub(super) async fn unit(&self, n: u64) -> Result<Option<Unit>> {
        {
            let mut s = lock(&self.shared.state);
            if s.wanted.is_none_or(|w| n > w) {
                s.wanted = Some(n);
                self.shared.wake.notify_all();
            }
        }
        let mut decided = self.decided.clone();
        // A dropped sender means that the thread ended; the state then says why.
        let ended = decided.wait_for(|d| *d > n).await.is_err();
        let s = lock(&self.shared.state);
        match (s.kept.iter().find(|(k, _)| *k == n), &s.failed) {
            (Some((_, u)), _) => Ok(Some(u.clone())),
            (None, Some(e)) => Err(e.clone()),
            (None, None) if ended => Err(Error::new(ErrorKind::Internal, "the test camera's encoder ended early")),
            (None, None) => Ok(None),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
    }
}

struct Worker {
    shared: Arc<Shared>,
    fps: FrameRate,
    gop: u64,
    clock: Arc<dyn Clock>,
    start: MediaTime,
}

impl Worker {
    fn run(
        &self,
        mut panorama: Panorama,
        steering: &Steering,
        mut encoder: Box<dyn VideoEncoder>,
        progress: &watch::Sender<u64>,
    ) -> Result<()> {
        let mut next = 0;
        while let Some(n) = self.next_due(next) {
            // A keyframe that was left out is made up for by the next picture.
            let key = n == 0 || next == 0 || n / self.gop > (next - 1) / self.gop;
            let packet = encoder.encode(&panorama.paint(n, steering.position()), key)?;
            next = n + 1;
            let mut s = lock(&self.shared.state);
            s.kept.push_back((n, Unit { data: strip(&packet.data), keyframe: packet.keyframe }));
            let linger = self.linger();
            while s.kept.front().is_some_and(|(k, _)| k + linger < n) {
                s.kept.pop_front();
            }
            drop(s);
            progress.send_replace(next);
        }
        Ok(())
    }

    /// Waits for the newest picture that is due, not before `next`, while somebody wants any. `None`: switched off.
    fn next_due(&self, next: u64) -> Option<u64> {
        let mut s = lock(&self.shared.state);
        loop {
            if s.closed {
                return None;
            }
            let now = self.clock.now() - self.start;
            let due = self.fps.frame_at(now);
            if s.wanted.is_none_or(|w| due > w.saturating_add(self.linger())) {
                s = self.shared.wake.wait(s).unwrap_or_else(PoisonError::into_inner);
            } else if due >= next {
                return Some(due);
            } else {
                let wait = (self.fps.time_of(next) - now).to_duration();
                s = self.shared.wake.wait_timeout(s, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn linger(&self) -> u64 {
        self.fps.frame_at(LINGER)
    }
}
