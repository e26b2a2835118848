//! Cuts between presets of two simulated PTZ cameras, over real RTSP and ONVIF, judged from the program's pixels: how many
//! shots went on air while their camera still moved. Each camera is moved while the other one is on air.
//!
//! `cargo run --release --features sim --example preset_cuts [CUTS [SECONDS OF EACH SHOT]]`

mod judge;

use std::sync::Arc;
use std::time::Duration;

use vistter::core::clock::SystemClock;
use vistter::core::config::{Address, ProgramConfig, Shot, Span, TimelineConfig};
use vistter::core::ports::{PtzPosition, PtzView};
use vistter::core::session::null_audio;
use vistter::core::sim::{Steering, TestCamera, TestCameraConfig};
use vistter::core::source::{RtspConfig, RtspSource};
use vistter::ptz::MoverControl;
use vistter::ptz::mover::{LearnedTimes, MoverPolicy};
use vistter::ptz::sim::{MotorSpec, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset};
use vistter::{Error, ErrorKind, Result, Session};

const PRESETS: [(f32, f32, f32); 5] =
    [(-0.8, 0.1, 0.2), (0.5, -0.2, 0.0), (-0.2, 0.3, 0.6), (0.9, 0.0, 0.4), (0.1, -0.4, 0.8)];
const SIZE: (u32, u32) = (640, 360);
/// How much later than its motion the simulated camera's picture comes: encoding, and the network of this machine.
const LAG: Duration = Duration::from_millis(200);

struct Camera {
    name: String,
    head: OnvifSim,
    stream: TestCamera,
}

async fn camera(id: u8) -> Result<Camera> {
    // From 0.1 to 0.8 seconds of motion.
    let motors = MotorSpec { pan_tilt: 2.2, zoom: 2.0, ..MotorSpec::default() };
    let mut device = OnvifDevice::new(OnvifSpec { motors, ..OnvifSpec::default() });
    for (i, (pan, tilt, zoom)) in PRESETS.into_iter().enumerate() {
        let position = PtzPosition { pan, tilt, zoom };
        device.presets().push(StoredPreset { token: format!("T{i}"), name: format!("view {i}"), position });
    }
    let head = OnvifSim::start(device, 0, SystemClock::shared()).await;
    let head = head.map_err(|e| Error::io("start the simulated camera's control", &e))?;
    let name = format!("cam{id}");
    let config = TestCameraConfig {
        name: name.clone(),
        id,
        width: SIZE.0,
        height: SIZE.1,
        steering: Some(Steering::new(head.eye())),
        ..TestCameraConfig::default()
    };
    Ok(Camera { name, head, stream: TestCamera::start(config).await? })
}

#[tokio::main]
async fn main() -> Result<()> {
    let number = |n: usize, or: f64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(or);
    let (cuts, seconds) = (number(1, 200.0) as usize, number(2, 1.8));
    let cameras = [camera(1).await?, camera(2).await?];
    let length = Span::Frames((seconds * 30.0) as u64);
    let shot = |i: usize| Shot::new(&cameras[i % 2].name, length).at(format!("view {}", (i / 2) % PRESETS.len()));
    let stop_after = Some(Span::Frames((seconds * 30.0) as u64 * (cuts as u64 + 1)));
    let timeline = TimelineConfig { shots: (0..=cuts).map(shot).collect(), stop_after, ..TimelineConfig::default() };

    let judge = judge::Judge::default();
    let program = ProgramConfig { width: SIZE.0, height: SIZE.1, ..ProgramConfig::default() };
    let mut builder = Session::builder().program(program).timeline(timeline).audio_encoder(null_audio());
    for c in &cameras {
        let bad = || Error::new(ErrorKind::Internal, "the simulated camera has no address");
        let address = Address::parse(&format!("onvif://{}", c.head.address())).ok_or_else(bad)?;
        let driver = vistter::ptz::driver(&address, SystemClock::shared())?;
        let control = Arc::new(MoverControl::new(driver, MoverPolicy::default(), LearnedTimes::default()));
        let view = |i: usize| PtzView { name: format!("view {i}"), ..PtzView::default() };
        builder = builder.camera(&c.name, Box::new(RtspSource::new(RtspConfig::new(c.stream.url())))).ptz(
            control,
            (0..PRESETS.len()).map(view).collect(),
            LAG,
        );
    }
    let session = Box::pin(builder.encoder(Arc::new(judge.clone())).start()).await?;
    session.finished().await;
    let status = session.stop().await.status;

    let seen = judge.seen();
    // The first shot has no cut before it.
    let shots = judge::shots(&seen);
    let shown = shots.get(1..).unwrap_or_default();
    let moved = shown.iter().filter(|s| s.moved).count();
    let place = |i: usize| PRESETS[(i / 2) % PRESETS.len()];
    let wrong = shown.iter().enumerate().filter(|(i, s)| {
        let (pan, tilt, zoom) = place(i + 1);
        !judge::same(&s.view, &PtzPosition { pan, tilt, zoom })
    });
    let (skipped, late) = status.program.map_or((0, 0), |p| (p.counters.skipped, p.counters.moving_shots));
    println!(
        "{{\"cuts\": {}, \"moved_on_air\": {moved}, \"wrong_view\": {}, \"unreadable\": {}, \"said_to_move\": {late}, \
         \"left_out\": {skipped}, \"heads\": {:?}}}",
        shown.len(),
        wrong.count(),
        seen.iter().filter(|s| s.is_none()).count(),
        status.heads.iter().map(|h| h.done).collect::<Vec<_>>(),
    );
    Ok(())
}
