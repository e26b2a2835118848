//! Health against simulated cameras over real sockets.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use vistter_core::backoff::BackoffPolicy;
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::time::MediaTime;
use vistter_ptz::health::{Health, HealthEvent, HealthPolicy, HealthState, Reason, check, heartbeat};
use vistter_ptz::mover::{LearnedTimes, Mover, MoverPolicy, View};
use vistter_ptz::sim::{MotorSpec, OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, Trouble, ViscaDevice, ViscaSim};
use vistter_ptz::visca::connection::Framing;
use vistter_ptz::visca::units::Units;

use crate::wait::until;

/// So quick that a test waits for events only.
fn quick() -> HealthPolicy {
    let (first, cap) = (MediaTime::from_millis(10), MediaTime::from_millis(20));
    HealthPolicy {
        every: MediaTime::from_millis(20),
        slow: MediaTime::from_secs(60),
        again: BackoffPolicy { first, cap, tries: u32::MAX, ..BackoffPolicy::default() },
        ..HealthPolicy::default()
    }
}
async fn camera(spec: OnvifSpec) -> (OnvifSim, Address) {
    let sim = OnvifSim::start(OnvifDevice::new(spec), 0, SystemClock::shared()).await.unwrap();
    let address = Address::parse(&format!("onvif://{}", sim.address())).unwrap();
    (sim, address)
}
async fn next(events: &mut Receiver<HealthEvent>) -> HealthEvent {
    timeout(Duration::from_secs(60), events.recv()).await.expect("an event within a minute").unwrap()
}
/// The next change of state, with its reason.
async fn state(events: &mut Receiver<HealthEvent>) -> (HealthState, Option<Reason>) {
    loop {
        if let HealthEvent::State { to, reason, .. } = next(events).await {
            return (to, reason);
        }
    }
}

#[tokio::test]
async fn a_camera_goes_and_comes_back_and_is_shown_no_password() {
    let password = Some(("admin".to_owned(), "secret".into()));
    let auth = OnvifAuth { password, http_digest: true, strict: true, ..OnvifAuth::default() };
    let (sim, address) = camera(OnvifSpec { auth, skew: MediaTime::from_secs(-30), ..OnvifSpec::default() }).await;
    let beat = heartbeat(&address, None, SystemClock::shared()).unwrap();
    let (health, task) = Health::start("stage", beat, quick(), None);
    let mut events = health.events();
    assert_eq!(state(&mut events).await, (HealthState::Online, None));
    assert!(matches!(next(&mut events).await, HealthEvent::Clock { skew_secs } if (skew_secs + 30.0).abs() < 3.0));
    sim.trouble(Trouble::Html);
    assert_eq!(state(&mut events).await, (HealthState::Degraded, Some(Reason::Confused)));
    assert_eq!(state(&mut events).await, (HealthState::Offline, Some(Reason::Confused)));
    assert!(health.status().detail.unwrap().contains("web page"));
    // Many questions later there is no further event.
    let asked = sim.with(|d, _| d.asked());
    while sim.with(|d, _| d.asked()) < asked + 10 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(events.is_empty());
    sim.trouble(Trouble::None);
    assert_eq!(state(&mut events).await, (HealthState::Online, None));
    assert_eq!(sim.with(|d, _| d.wrong_passwords()), 0);
    sim.with(|d, _| d.spec().skew = MediaTime::ZERO);
    assert!(
        matches!(next(&mut events).await, HealthEvent::Clock { skew_secs } if skew_secs.abs() < 3.0),
        "its clock was set"
    );
    drop(sim);
    assert_eq!(state(&mut events).await.0, HealthState::Degraded);
    // Its last connections are torn before its port is closed.
    while state(&mut events).await != (HealthState::Offline, Some(Reason::Closed)) {}
    drop((health, events));
    timeout(Duration::from_secs(60), task).await.expect("the watching ends with its last listener").unwrap();
}

#[tokio::test]
async fn a_visca_camera_is_asked_through_its_mover_and_tells_where_it_stands() {
    let motors = MotorSpec { pan_tilt: 8.0, zoom: 8.0, latency: MediaTime::from_millis(10) };
    let sim = ViscaSim::start(Framing::Udp, ViscaDevice::new(motors, Units::COMMON)).await.unwrap();
    let address = Address::parse(&format!("visca://{}", sim.address())).unwrap();
    let driver = vistter_ptz::driver(&address, SystemClock::shared()).unwrap();
    let (mover, _task) = Mover::start(driver, MoverPolicy::default(), LearnedTimes::default());
    assert!(heartbeat(&address, None, SystemClock::shared()).is_err(), "a second conversation would disturb the first");
    let beat = heartbeat(&address, Some(&mover), SystemClock::shared()).unwrap();
    let (health, _watching) = Health::start("stage", beat, quick(), Some(mover.state()));
    let mut events = health.events();
    assert_eq!(state(&mut events).await, (HealthState::Online, None));
    let stage = mover.capture("stage", None).await.unwrap();
    mover.go_to(View { position: None, ..stage }).await.unwrap();
    loop {
        match next(&mut events).await {
            HealthEvent::Here { preset } if !preset.is_empty() => break,
            HealthEvent::State { to, reason, detail, .. } => panic!("{to:?} {reason:?} {detail:?}"),
            _ => {}
        }
    }
    // The event may be the one of the capture, and the camera on its way again when it is read.
    until("it stands there", || health.status().here == "stage").await;
}

#[tokio::test]
async fn one_question_tells_how_a_camera_is() {
    let (sim, address) = camera(OnvifSpec::default()).await;
    let ask = async |a: &Address| {
        check(&mut *heartbeat(a, None, SystemClock::shared()).unwrap(), HealthPolicy::default()).await
    };
    let s = ask(&address).await;
    assert_eq!((s.state, s.misses), (HealthState::Online, 0));
    // Other questions to the same port: it takes connections, and it is no RTSP server.
    let with = |scheme: &str| Address::parse(&format!("{scheme}://{}", sim.address())).unwrap();
    assert_eq!(ask(&with("visca-tcp")).await.state, HealthState::Online);
    assert_eq!(ask(&with("rtsps")).await.state, HealthState::Online);
    let s = ask(&with("rtsp")).await;
    assert_eq!((s.state, s.reason), (HealthState::Offline, Some(Reason::Confused)), "{s:?}");
    sim.trouble(Trouble::Rtsp);
    assert_eq!(ask(&with("rtsp")).await.state, HealthState::Online);
    sim.trouble(Trouble::Silent);
    let within = MediaTime::from_millis(300);
    let mut beat = heartbeat(&address, None, SystemClock::shared()).unwrap();
    let s = check(&mut *beat, HealthPolicy { within, ..HealthPolicy::default() }).await;
    assert_eq!((s.state, s.reason), (HealthState::Offline, Some(Reason::Silent)), "half open");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(ask(&Address::parse(&format!("onvif://{nobody}")).unwrap()).await.reason, Some(Reason::Closed));
    assert!(heartbeat(&Address::parse("ftp://h").unwrap(), None, SystemClock::shared()).is_err());
}
