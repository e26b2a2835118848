//! Presets as a whole: renamed, removed, carried in a file from one simulated camera to another.

use vistter_core::ErrorKind;
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;
use vistter_ptz::mover::{Imported, LearnedTimes, Mover, MoverPolicy, PresetFile, View};
use vistter_ptz::settle::near;
use vistter_ptz::sim::{MotorSpec, MoveStatus, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset};

async fn camera(presets: &[(&str, &str, f32)]) -> (OnvifSim, Mover) {
    let motors = MotorSpec { pan_tilt: 8.0, zoom: 8.0, latency: MediaTime::from_millis(10) };
    let mut device = OnvifDevice::new(OnvifSpec { motors, ..OnvifSpec::default() });
    let stored = |(token, name, pan): &(&str, &str, f32)| StoredPreset {
        token: (*token).into(),
        name: (*name).into(),
        position: PtzPosition { pan: *pan, tilt: 0.1, zoom: 0.2 },
    };
    device.presets().extend(presets.iter().map(stored));
    let sim = OnvifSim::start(device, 0, SystemClock::shared()).await.unwrap();
    let address = Address::parse(&format!("onvif://{}", sim.address())).unwrap();
    let driver = vistter_ptz::driver(&address, SystemClock::shared()).unwrap();
    let (mover, _task) = Mover::start(driver, MoverPolicy::default(), LearnedTimes::default());
    (sim, mover)
}

#[tokio::test]
async fn renamed_and_removed() {
    let (sim, mover) = camera(&[("1", "Preset1", 0.5), ("2", "Door", -0.5), ("3", "Door", 0.0)]).await;
    let view = mover.rename(&View::named("Preset1"), "Stage").await.unwrap().unwrap();
    assert_eq!((view.token.as_deref(), view.name.as_deref()), (Some("1"), Some("Stage")));
    let stored = sim.with(|c, _| c.presets().clone());
    let stage = stored.iter().find(|p| p.token == "1").unwrap();
    assert!(stage.name == "Stage" && near(&stage.position, &PtzPosition { pan: 0.5, tilt: 0.1, zoom: 0.2 }, 0.001));
    let e = mover.remove(&View::named("Door")).await.unwrap_err();
    assert!(e.kind() == ErrorKind::NotFound && e.next_step().unwrap().contains("tokens"), "two of that name: {e}");
    assert_eq!(mover.remove(&View { token: Some("3".into()), ..View::default() }).await.unwrap().token, "3");
    assert_eq!(mover.remove(&View::named("Door")).await.unwrap().token, "2");
    let e = mover.rename(&View::named("Door"), "x").await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound);
    assert_eq!(sim.with(|c, _| c.presets().len()), 1);
}
#[tokio::test]
async fn a_camera_that_tells_nothing_is_not_stored_on_its_way() {
    let (sim, mover) = camera(&[("1", "Stage", 0.5)]).await;
    sim.with(|d, _| (d.spec().move_status, d.spec().tells_position) = (MoveStatus::Absent, false));
    let e = mover.rename(&View::named("Stage"), "Hall").await.unwrap_err();
    assert!(e.kind() == ErrorKind::Rejected && e.next_step().unwrap().contains("capture"), "{e}");
    let stored = sim.with(|d, _| d.presets().clone());
    assert_eq!((stored.len(), stored[0].name.as_str(), stored[0].position.pan), (1, "Stage", 0.5));
}
#[tokio::test]
async fn a_file_carries_them_to_another_camera() {
    let (_sim, from) = camera(&[("1", "Stage", 0.5), ("2", "Door", -0.5)]).await;
    let file = from.export(false).await.unwrap().unwrap();
    let file = PresetFile::parse(&file.text().unwrap()).unwrap();
    assert!(file.presets.iter().all(|v| v.position.is_some()), "it tells positions: {file:?}");
    let (sim, to) = camera(&[("9", "Door", 0.9)]).await;
    let done = to.import(&file, false).await.unwrap();
    assert!(matches!(&done[..], [Imported::Stored { .. }, Imported::Kept { name }] if name == "Door"), "{done:?}");
    let at = |name: &str| {
        let all = sim.with(|c, _| c.presets().clone());
        all.iter().find(|p| p.name == name).map(|p| (p.token.clone(), (p.position.pan * 100.0).round())).unwrap()
    };
    assert_eq!((at("Stage").1, at("Door")), (50.0, ("9".into(), 90.0)));
    let done = to.import(&file, true).await.unwrap();
    assert!(done.iter().all(|d| matches!(d, Imported::Stored { .. })), "{done:?}");
    assert_eq!((at("Door"), sim.with(|c, _| c.presets().len())), (("9".into(), -50.0), 2), "under its token");
    // One without a position, and a camera that is gone.
    let nowhere = PresetFile::new(vec![View::named("Nowhere")]);
    let done = to.import(&nowhere, false).await.unwrap();
    assert!(matches!(&done[..], [Imported::Failed { why, .. }] if why.contains("position")), "{done:?}");
    drop(sim);
    assert!(to.import(&file, true).await.is_err());
}
#[tokio::test]
async fn a_camera_that_tells_no_positions_of_its_presets_is_visited() {
    let camera = crate::replay::Replay::start("hikvision").await;
    let d = crate::vendors::driver(&camera, crate::onvif::PASSWORD, "");
    let (mover, _task) = Mover::start(Box::new(d), MoverPolicy::default(), LearnedTimes::default());
    let file = mover.export(false).await.unwrap().unwrap();
    assert!(file.presets.len() == 5 && file.presets.iter().all(|v| v.position.is_none()), "{file:?}");
    let file = mover.export(true).await.unwrap().unwrap();
    let known: Vec<_> = file.presets.iter().filter(|v| v.position.is_some()).map(View::key).collect();
    assert_eq!(known, ["Stage", "Door"], "the others are slots that nobody has stored");
    let stage = PtzPosition { pan: -0.5, tilt: 0.25, zoom: 0.5 };
    assert!(near(&file.presets[3].position.unwrap(), &stage, 0.001), "{file:?}");
}
