//! The mover on the VISCA driver, over real sockets.

use vistter_core::ports::{PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_ptz::mover::{Identity, LearnedTimes, Mover, MoverPolicy, Note, View};
use vistter_ptz::settle::Evidence;
use vistter_ptz::sim::{Faults, MotorSpec, ViscaDevice, ViscaSim};
use vistter_ptz::visca::connection::Framing;
use vistter_ptz::visca::units::Units;
use vistter_ptz::visca::{Transport, ViscaDriver, ViscaOptions};

use crate::wait::until;

const SPEC: MotorSpec = MotorSpec { pan_tilt: 2.0, zoom: 2.0, latency: MediaTime::from_millis(60) };

async fn mover(spec: MotorSpec) -> (ViscaSim, Mover, tokio::task::JoinHandle<()>) {
    let sim = ViscaSim::start(Framing::Udp, ViscaDevice::new(spec, Units::COMMON)).await.unwrap();
    let udp = Transport::Udp { local_port: None };
    let driver = ViscaDriver::new(ViscaOptions::new(sim.address().to_string(), udp));
    let (mover, task) = Mover::start(Box::new(driver), MoverPolicy::default(), LearnedTimes::default());
    (sim, mover, task)
}
async fn under_way(sim: &ViscaSim) {
    until("the camera moves", || sim.with(|c, now| c.motors().moving(now))).await;
}
fn at(pan: f32) -> PtzPosition {
    PtzPosition { pan, tilt: 0.1, zoom: 0.2 }
}

#[tokio::test]
async fn captured_views_are_reached_and_the_camera_stands_then() {
    let (sim, mover, _task) = mover(SPEC).await;
    let mut views = Vec::new();
    for (name, pan) in [("left", -0.4), ("right", 0.4)] {
        assert!(mover.absolute(at(pan), None).await.unwrap().is_some());
        views.push(mover.capture(name, None).await.unwrap());
    }
    for round in 0..6 {
        // A camera that tells the end of each move, and one that does not.
        let quick = round >= 3;
        sim.with(|c, _| *c.faults() = Faults { done_at_once: quick, ..Faults::default() });
        let view = &views[round % 2];
        let a = mover.go_to(view.clone()).await.unwrap().unwrap();
        assert!(!sim.with(|c, now| c.motors().moving(now)), "still moving on arrival");
        assert_eq!((a.found, a.off_target), (Some(Identity::Token), false));
        assert_eq!(a.evidence, if quick { Evidence::Position } else { Evidence::MoveStatus });
        assert_eq!(mover.state().borrow().here, view.key());
    }
}
#[tokio::test]
async fn a_newer_go_to_and_a_stop_end_an_older_one() {
    // Slow enough that the older move is under way for seconds.
    let (sim, mover, _task) = mover(MotorSpec { pan_tilt: 0.25, ..SPEC }).await;
    let far = View { position: Some(at(0.9)), ..View::default() };
    let near = View { position: Some(at(0.1)), ..View::default() };
    let (older, newer) = tokio::join!(mover.go_to(far.clone()), async {
        under_way(&sim).await;
        mover.go_to(near).await
    });
    assert!(older.unwrap().is_none());
    assert!(newer.unwrap().is_some());
    let (older, stopped) = tokio::join!(mover.go_to(far), async {
        under_way(&sim).await;
        mover.stop().await
    });
    assert!(older.unwrap().is_none());
    stopped.unwrap();
    assert!(!sim.with(|c, now| c.motors().moving(now)));
}
#[tokio::test]
async fn a_lost_controller_leaves_no_camera_spinning() {
    let slow = PtzVelocity { pan: 0.05, ..PtzVelocity::default() };
    // It is still there, and says nothing more.
    let (sim, mover, task) = mover(SPEC).await;
    let mut notes = mover.notes();
    mover.drive(slow).await.unwrap();
    assert!(sim.with(|c, now| c.motors().moving(now)));
    assert_eq!(notes.recv().await.unwrap(), Note::DeadMan);
    mover.status().await.unwrap(); // after the Stop, which goes first
    assert!(!sim.with(|c, now| c.motors().moving(now)));
    // It is gone.
    mover.drive(slow).await.unwrap();
    assert!(sim.with(|c, now| c.motors().moving(now)));
    drop(mover);
    task.await.unwrap();
    assert!(!sim.with(|c, now| c.motors().moving(now)));
}
