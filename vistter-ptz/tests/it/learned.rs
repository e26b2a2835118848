//! What a camera taught in one show is known in the next.

use std::sync::Arc;

use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::{PtzControl, PtzPosition, PtzView};
use vistter_core::time::MediaTime;
use vistter_ptz::MoverControl;
use vistter_ptz::mover::{LearnedStore, LearnedTimes, MoverPolicy};
use vistter_ptz::settle::SettlePolicy;
use vistter_ptz::sim::{MotorSpec, MoveStatus, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset};

use crate::peers::TempDir;

const CAMERA: &str = "onvif://camera";

fn control(sim: &OnvifSim) -> MoverControl {
    let address = Address::parse(&format!("onvif://{}", sim.address())).unwrap();
    let driver = vistter_ptz::driver(&address, SystemClock::shared()).unwrap();
    // A camera that tells nothing, and of which nothing is known, is waited for so long.
    let settle = SettlePolicy { quiet: MediaTime::from_millis(1500), ..SettlePolicy::default() };
    MoverControl::new(driver, MoverPolicy { settle, ..MoverPolicy::default() }, LearnedTimes::default())
}
fn view(name: &str) -> PtzView {
    PtzView { name: name.into(), ..PtzView::default() }
}
async fn evidence(control: &MoverControl, name: &str) -> String {
    control.go_to(&view(name)).await.unwrap().expect("nothing replaces it").evidence
}

#[tokio::test]
async fn a_second_show_knows_what_the_first_learned() {
    let motors = MotorSpec { pan_tilt: 4.0, zoom: 4.0, latency: MediaTime::from_millis(30) };
    let mut device = OnvifDevice::new(OnvifSpec { motors, ..OnvifSpec::default() });
    let preset = |token: &str, name: &str, pan| StoredPreset {
        token: token.into(),
        name: name.into(),
        position: PtzPosition { pan, tilt: 0.0, zoom: 0.0 },
    };
    device.presets().extend([preset("1", "left", -0.4), preset("2", "right", 0.4)]);
    let sim = OnvifSim::start(device, 0, SystemClock::shared()).await.unwrap();
    let folder = TempDir::new("learned");
    let path = folder.path().join("state/learned.json");
    let store = || Arc::new(LearnedStore::new(&path));

    let first = control(&sim).kept_in(store(), CAMERA);
    for name in ["left", "right", "left"] {
        assert_eq!(evidence(&first, name).await, "move_status");
    }
    assert!(!path.exists(), "not with each move");
    first.close().await;
    let taught = store().load(CAMERA).unwrap();
    assert!(taught.took("left", "right").is_some() && taught.took("right", "left").is_some(), "{taught:?}");
    assert_eq!(store().load("onvif://another").unwrap(), LearnedTimes::default());

    sim.with(|d, _| (d.spec().move_status, d.spec().tells_position) = (MoveStatus::Absent, false));
    let second = control(&sim).kept_in(store(), CAMERA);
    assert_eq!(evidence(&second, "right").await, "learned_time");
    assert!(!sim.with(|d, now| d.motors().moving(now)), "it stands by then");
    assert_eq!(evidence(&control(&sim), "left").await, "bound", "nothing is known without the file");
    second.close().await;
    assert_eq!(store().load(CAMERA).unwrap(), taught, "a clock that is believed teaches nothing");
    // A damaged file costs the times, not the camera.
    std::fs::write(&path, "{").unwrap();
    let third = control(&sim).kept_in(store(), CAMERA);
    assert_eq!(evidence(&third, "right").await, "bound");
}
