//! An overlay of your own: a bar along the lower edge that fills once a minute. Records five seconds of it over a
//! generated picture to `custom-overlay.mp4` in the folder for temporary files.
//!
//! `cargo run --example custom_overlay`

use std::time::Duration;

use vistter::core::clock::SystemClock;
use vistter::core::config::ProgramConfig;
use vistter::core::media::FrameBuf;
use vistter::core::output::mp4::Mp4Recorder;
use vistter::core::ports::{Canvas, Overlay, OverlayAction, Tick};
use vistter::core::source::{GeneratorConfig, GeneratorSource};
use vistter::{Result, Session};

#[derive(Default)]
struct MinuteBar {
    on: bool,
    frames_per_minute: u64,
}

impl Overlay for MinuteBar {
    fn id(&self) -> &str {
        "minute-bar"
    }
    fn prepare(&mut self, canvas: Canvas) -> Result<()> {
        self.frames_per_minute = (canvas.fps.as_f64() * 60.0).round().max(1.0) as u64;
        Ok(())
    }
    fn apply(&mut self, _: Tick, action: &OverlayAction) -> Result<()> {
        match action {
            OverlayAction::Show => self.on = true,
            OverlayAction::Hide => self.on = false,
            _ => {}
        }
        Ok(())
    }
    fn is_visible(&self, _: Tick) -> bool {
        self.on
    }
    fn is_static_until(&self, at: Tick) -> Option<u64> {
        self.on.then_some(at.frame + 1)
    }
    // On the program worker: no waiting, no I/O, and only the pixels it needs.
    fn compose(&mut self, at: Tick, target: &mut FrameBuf) -> Result<()> {
        let part = at.frame % self.frames_per_minute;
        for (plane, value) in target.planes_mut().into_iter().zip([180u8, 90, 200]) {
            let filled = plane.width * part as usize / self.frames_per_minute as usize;
            let first = plane.height - plane.height / 40;
            let mut plane = plane;
            for y in first..plane.height {
                plane.row_mut(y)[..filled].fill(value);
            }
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let recorder = Mp4Recorder::new(std::env::temp_dir().join("custom-overlay.mp4"));
    let files = recorder.files();
    let session = Session::builder()
        .program(ProgramConfig { width: 1280, height: 720, bitrate_kbps: 2500, ..ProgramConfig::default() })
        .camera("generator", Box::new(GeneratorSource::new(GeneratorConfig::default(), SystemClock::shared())))
        .overlay(1, Box::<MinuteBar>::default())
        .recording("file", Box::new(recorder))
        .start()
        .await?;
    session.show_overlay("minute-bar", Some(true))?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    session.stop().await;
    println!("{}", files.paths().iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "));
    Ok(())
}
