//! A camera that tells neither where it looks nor whether it moves, over real RTSP and ONVIF: its picture tells.

use std::sync::Arc;
use std::time::Duration;

use vistter::core::NullSource;
use vistter::core::clock::SystemClock;
use vistter::core::config::{Address, Shot, Span, TimelineConfig};
use vistter::core::ports::{PtzPosition, PtzView};
use vistter::core::session::{null_audio, null_backend};
use vistter::core::sim::{Steering, TestCamera, TestCameraConfig};
use vistter::core::source::{RtspConfig, RtspSource};
use vistter::core::testing::until;
use vistter::ptz::MoverControl;
use vistter::ptz::mover::{LearnedTimes, MoverPolicy};
use vistter::ptz::sim::{MotorSpec, MoveStatus, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset};
use vistter::{Result, Session};

/// Moves at most. A machine that stands still for a while may miss a motion; the next one will do.
const TRIES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_tells_nothing_is_judged_by_its_picture() {
    let (a, b, c) =
        tokio::join!(judged(MoveStatus::Absent), judged(MoveStatus::AlwaysIdle), judged(MoveStatus::AlwaysMoving));
    for (what, r) in [("absent", a), ("always idle", b), ("always moving", c)] {
        assert!(r.is_ok(), "{what}: {r:?}");
    }
}

async fn judged(move_status: MoveStatus) -> Result<()> {
    let motors = MotorSpec { pan_tilt: 1.0, ..MotorSpec::default() };
    let mut device = OnvifDevice::new(OnvifSpec { motors, move_status, tells_position: false, ..OnvifSpec::default() });
    for (name, pan) in [("left", -0.6), ("right", 0.6)] {
        let position = PtzPosition { pan, tilt: 0.1, zoom: 0.1 };
        device.presets().push(StoredPreset { token: name.into(), name: name.into(), position });
    }
    let head = OnvifSim::start(device, 0, SystemClock::shared()).await.unwrap();
    let steering = Some(Steering::new(head.eye()));
    let config = TestCameraConfig { width: 320, height: 180, steering, ..TestCameraConfig::default() };
    let camera = TestCamera::start(config).await?;
    let address = Address::parse(&format!("onvif://{}", head.address())).unwrap();
    let driver = vistter::ptz::driver(&address, SystemClock::shared())?;
    let control = Arc::new(MoverControl::new(driver, MoverPolicy::default(), LearnedTimes::default()));
    let views = ["left", "right"].map(|name| PtzView { name: name.into(), ..PtzView::default() }).to_vec();
    let timeline = TimelineConfig { shots: vec![Shot::new("other", Span::secs(60))], ..TimelineConfig::default() };
    let builder = Session::builder()
        .timeline(timeline)
        .start_grace(Duration::ZERO)
        .encoder(null_backend())
        .audio_encoder(null_audio())
        .camera("other", Box::new(NullSource))
        .camera("stage", Box::new(RtspSource::new(RtspConfig::new(camera.url()))))
        .ptz(control, views, Duration::ZERO);
    let session = Box::pin(builder.start()).await?;
    let decodes = || session.status().cameras[1].decoding;
    until("the camera is online", || session.status().cameras[1].codec.is_some()).await;
    let mut by_picture = 0;
    for i in 0..TRIES {
        assert!(!decodes(), "off air, and nobody looks");
        let arrived = session.ptz_go_to("stage", ["left", "right"][i % 2]).await?.expect("nobody else commands it");
        assert!(!head.with(|d, now| d.motors().moving(now)), "still moving on arrival by {}", arrived.evidence);
        by_picture += usize::from(arrived.evidence == "picture_motion");
        until("the decoder rests again", || !decodes()).await;
        if by_picture == 2 {
            break;
        }
    }
    assert_eq!(by_picture, 2, "of {TRIES} moves");
    session.stop().await;
    Ok(())
}
