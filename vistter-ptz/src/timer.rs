//! Stream time for the drivers: tokio's clock, so that paused time works in tests.

use tokio::time::Instant;
use vistter_core::time::MediaTime;

/// Time since it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer(Instant);

impl Timer {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
    pub(crate) fn now(self) -> MediaTime {
        self.0.elapsed().into()
    }
    /// Waits for a time; for ever without one.
    pub(crate) async fn until(self, deadline: Option<MediaTime>) {
        match deadline {
            Some(t) => tokio::time::sleep_until(self.0 + t.to_duration()).await,
            None => std::future::pending().await,
        }
    }
}
