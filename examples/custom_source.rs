//! A source of your own: finished pictures instead of a camera. Records five seconds to `custom-source.mp4` in the
//! folder for temporary files.
//!
//! `cargo run --example custom_source`

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use vistter::core::clock::SystemClock;
use vistter::core::config::ProgramConfig;
use vistter::core::media::FramePool;
use vistter::core::output::mp4::Mp4Recorder;
use vistter::core::ports::{Clock, Source, SourceEvent};
use vistter::core::time::{FrameRate, MediaTime};
use vistter::{Result, Session};

/// Colours that move through the picture, 25 times a second.
struct Colours {
    pool: FramePool,
    clock: Arc<dyn Clock>,
    start: MediaTime,
    next: u64,
}

#[async_trait]
impl Source for Colours {
    fn describe(&self) -> String {
        "colours".into()
    }
    async fn open(&mut self) -> Result<()> {
        (self.start, self.next) = (self.clock.now(), 0);
        Ok(())
    }
    // Cancel-safe, as the trait asks: nothing changes before the only await is over.
    async fn next(&mut self) -> Result<SourceEvent> {
        let pts = FrameRate::new(25, 1).unwrap_or(FrameRate::FPS_30).time_of(self.next);
        tokio::time::sleep((self.start + pts - self.clock.now()).to_duration()).await;
        let mut picture = self.pool.take();
        picture.set_pts(pts);
        for (i, plane) in picture.planes_mut().iter_mut().enumerate() {
            for y in 0..plane.height {
                let shift = y as u64 + self.next * (i as u64 + 1);
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    *sample = 16 + ((x as u64 / 2 + shift) % 220) as u8; // limited range
                }
            }
        }
        self.next += 1;
        Ok(SourceEvent::Frame(picture.freeze()))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let colours =
        Colours { pool: FramePool::new(640, 360, 8)?, clock: SystemClock::shared(), start: MediaTime::ZERO, next: 0 };
    let recorder = Mp4Recorder::new(std::env::temp_dir().join("custom-source.mp4"));
    let files = recorder.files();

    let session = Session::builder()
        .program(ProgramConfig { width: 1280, height: 720, bitrate_kbps: 2500, ..ProgramConfig::default() })
        .camera("colours", Box::new(colours))
        .recording("file", Box::new(recorder))
        .start()
        .await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    session.stop().await;
    println!("{}", files.paths().iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "));
    Ok(())
}
