//! A source of generated pictures: the smallest useful `Source`, for examples and tests.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::media::FramePool;
use crate::ports::{Clock, Source, SourceEvent};
use crate::time::{FrameRate, MediaTime};

/// What to generate.
#[derive(Clone, Debug)]
pub struct GeneratorConfig {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second.
    pub fps: FrameRate,
    /// Background, as limited-range Y, U, V.
    pub color: [u8; 3],
}

impl Default for GeneratorConfig {
    /// 1280x720 at 30, dark blue.
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: FrameRate::FPS_30, color: [60, 160, 110] }
    }
}

/// Finished pictures in real time: a bright bar that crosses the picture once in four seconds.
///
/// Pictures whose time has passed when they are asked for are left out, as a camera would.
#[derive(Debug)]
pub struct GeneratorSource {
    config: GeneratorConfig,
    clock: Arc<dyn Clock>,
    pool: Option<FramePool>,
    start: MediaTime,
    next: u64,
}

impl GeneratorSource {
    /// A generator that runs on `clock`.
    pub fn new(config: GeneratorConfig, clock: Arc<dyn Clock>) -> Self {
        Self { config, clock, pool: None, start: MediaTime::ZERO, next: 0 }
    }
}

#[async_trait]
impl Source for GeneratorSource {
    fn describe(&self) -> String {
        format!("generator {}x{} at {}", self.config.width, self.config.height, self.config.fps)
    }
    async fn open(&mut self) -> Result<()> {
        self.pool = Some(FramePool::new(self.config.width, self.config.height, 8)?);
        (self.start, self.next) = (self.clock.now(), 0);
        Ok(())
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        let Some(pool) = self.pool.clone() else { return Ok(SourceEvent::End) };
        let due = self.start + self.config.fps.time_of(self.next);
        let left = due - self.clock.now();
        if left > MediaTime::ZERO {
            tokio::time::sleep(left.to_duration()).await;
        } else {
            self.next = self.next.max(self.config.fps.frame_at(self.clock.now() - self.start));
        }
        let pts = self.config.fps.time_of(self.next);
        self.next += 1;
        let mut frame = pool.take();
        frame.fill(self.config.color);
        frame.set_pts(pts);
        let [luma, ..] = &mut frame.planes_mut();
        let (width, bar) = (luma.width, (luma.width / 16).max(1));
        let at = (pts.nanos().rem_euclid(4_000_000_000) as u128 * (width - bar) as u128 / 4_000_000_000) as usize;
        for y in 0..luma.height {
            luma.row_mut(y)[at..at + bar].fill(235);
        }
        Ok(SourceEvent::Frame(frame.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test(start_paused = true)]
    async fn pictures_come_at_their_time_and_late_ones_are_left_out() {
        let clock = ManualClock::new();
        let config = GeneratorConfig { width: 64, height: 36, ..Default::default() };
        let mut s = GeneratorSource::new(config, Arc::new(clock.clone()));
        s.open().await.unwrap();
        let mut pts = Vec::new();
        for t in [0, 33, 200] {
            clock.advance(MediaTime::from_millis(t));
            if let SourceEvent::Frame(f) = s.next().await.unwrap() {
                assert!(f.plane(0).row(0).contains(&235));
                pts.push(f.pts().millis());
            }
        }
        assert_eq!(pts, [0, 33, 200]);
    }
}
