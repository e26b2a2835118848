//! The ONVIF driver over real HTTP, and the mover on it.

use std::sync::Arc;
use std::time::Duration;

use vistter_core::clock::{Clock, SystemClock};
use vistter_core::config::Credentials;
use vistter_core::ports::{PtzDriver, PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{ErrorKind, Secret};
use vistter_ptz::mover::{Identity, LearnedTimes, Mover, MoverPolicy, View};
use vistter_ptz::onvif::auth::Method;
use vistter_ptz::onvif::{OnvifDriver, OnvifOptions};
use vistter_ptz::settle::{Evidence, near};
use vistter_ptz::sim::{MotorSpec, MoveStatus, OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset, Trouble};

use crate::wait::until;

pub(crate) const USER: &str = "admin";
/// With what XML and HTTP have to escape.
pub(crate) const PASSWORD: &str = "pa\"ss<&word";

pub(crate) fn clock() -> Arc<dyn Clock> {
    SystemClock::shared()
}
fn locked() -> OnvifAuth {
    OnvifAuth { password: Some((USER.into(), Secret::from(PASSWORD))), ..OnvifAuth::default() }
}
async fn start(spec: OnvifSpec) -> OnvifSim {
    let motors = MotorSpec { pan_tilt: 8.0, zoom: 8.0, latency: MediaTime::from_millis(10) };
    OnvifSim::start(OnvifDevice::new(OnvifSpec { motors, ..spec }), 0, clock()).await.unwrap()
}
fn driver(sim: &OnvifSim, password: &str) -> OnvifDriver {
    let credentials = Credentials { user: USER.into(), password: Secret::from(password) };
    let mut options = OnvifOptions::new("127.0.0.1", Some(sim.address().port()), Some(credentials), clock());
    options.exchange_within = MediaTime::from_millis(1500);
    OnvifDriver::new(options)
}
const A: PtzPosition = PtzPosition { pan: -0.5, tilt: 0.25, zoom: 0.5 };

async fn arrived(d: &mut OnvifDriver) -> PtzPosition {
    loop {
        let s = d.status().await.unwrap();
        if s.moving != Some(true) {
            return s.position.unwrap();
        }
    }
}

#[tokio::test]
async fn every_kind_of_camera_is_moved() {
    let plain = OnvifSpec::default();
    for (what, spec) in [
        ("usual", plain.clone()),
        ("degrees", OnvifSpec { degrees: true, ..plain.clone() }),
        ("old", OnvifSpec { old: true, ..plain.clone() }),
    ] {
        let sim = start(spec).await;
        let mut d = driver(&sim, PASSWORD);
        let caps = d.capabilities().await.unwrap();
        assert!(caps.absolute && caps.continuous && caps.home && caps.list_presets, "{what}");
        d.absolute(A, None).await.unwrap();
        assert!(near(&arrived(&mut d).await, &A, 0.001), "{what}");
        let stage = d.save_preset("Bühne <1>", None).await.unwrap();
        d.relative(PtzPosition { pan: 0.25, ..PtzPosition::default() }, None).await.unwrap();
        assert!(near(&arrived(&mut d).await, &PtzPosition { pan: -0.25, ..A }, 0.001), "{what}");
        assert_eq!(d.presets().await.unwrap(), std::slice::from_ref(&stage));
        d.go_to(&stage).await.unwrap();
        assert!(near(&arrived(&mut d).await, &A, 0.001), "{what}");
        d.continuous(PtzVelocity { pan: 0.1, ..PtzVelocity::default() }, MediaTime::from_secs(30)).await.unwrap();
        assert_eq!(d.moving().await.unwrap(), Some(true), "{what}");
        d.stop().await.unwrap();
        assert!(!sim.with(|c, now| c.motors().moving(now)), "{what}");
        d.home().await.unwrap();
        d.remove_preset(&stage).await.unwrap();
        let e = d.go_to(&stage).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::NotFound, "{what}: {e}");
        let info = d.information().await.unwrap();
        let profiles = d.profiles().await.unwrap();
        assert_eq!(
            (info.model.as_str(), profiles.len(), profiles[0].offer.size),
            ("Simulated PTZ", 2, Some((1920, 1080))),
            "{what}"
        );
        assert!(
            profiles[0].offer.encoding.as_deref() == Some("H264")
                && d.stream_uri("main").await.unwrap().starts_with("rtsp://"),
            "{what}"
        );
    }
}
#[tokio::test]
async fn every_way_to_show_a_password() {
    let hour = MediaTime::from_secs(3600);
    for (auth, method, skew) in [
        (OnvifAuth { http_digest: true, ..locked() }, Method::HttpDigest, MediaTime::ZERO),
        (OnvifAuth { http_digest: true, strict: true, nonce_uses: 3, ..locked() }, Method::HttpDigest, hour),
        (OnvifAuth { ws_digest: true, ..locked() }, Method::WsDigest, MediaTime::ZERO),
        (OnvifAuth { ws_digest: true, strict: true, ..locked() }, Method::WsDigest, hour),
        (OnvifAuth { ws_digest: true, http_digest: false, ..locked() }, Method::WsDigest, -hour),
        (OnvifAuth { ws_text: true, ..locked() }, Method::WsText, MediaTime::ZERO),
    ] {
        let sim = start(OnvifSpec { auth: auth.clone(), skew, ..OnvifSpec::default() }).await;
        let mut d = driver(&sim, PASSWORD);
        for _ in 0..10 {
            d.status().await.unwrap_or_else(|e| panic!("{auth:?}: {e}"));
        }
        assert_eq!(d.client().method(), Some(method));
        let wrong = sim.with(|c, _| c.wrong_passwords());
        assert_eq!(wrong, u32::from(method == Method::WsText), "only the digest that this camera does not take");
        // Its clock is set, and it is restarted, while we are connected.
        sim.with(|c, now| {
            c.spec().skew = MediaTime::from_secs(-86_400);
            c.restart(now);
        });
        for _ in 0..3 {
            d.status().await.unwrap_or_else(|e| panic!("{auth:?}: {e}"));
        }
    }
}
#[tokio::test]
async fn a_wrong_password_is_tried_once_a_method() {
    for (auth, most) in [
        (OnvifAuth { http_digest: true, ..locked() }, 3),
        (OnvifAuth { ws_digest: true, ws_text: true, ..locked() }, 2),
    ] {
        let sim = start(OnvifSpec { auth, ..OnvifSpec::default() }).await;
        let mut d = driver(&sim, "wrong");
        for _ in 0..10 {
            let e = d.status().await.unwrap_err();
            assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Unauthorized, false));
            assert!(!format!("{e:?}").contains("wrong"), "{e:?}");
        }
        let (wrong, asked) = sim.with(|c, _| (c.wrong_passwords(), c.asked()));
        assert!((1..=most).contains(&wrong), "{wrong} tries");
        assert!(d.presets().await.is_err() && d.information().await.is_err());
        assert_eq!(sim.with(|c, _| c.asked()), asked, "nothing more is said");
    }
    // Nothing that shows the password, if that is not allowed.
    let sim = start(OnvifSpec { auth: OnvifAuth { ws_text: true, ..locked() }, ..OnvifSpec::default() }).await;
    let credentials = Credentials { user: USER.into(), password: Secret::from(PASSWORD) };
    let mut options = OnvifOptions::new("127.0.0.1", Some(sim.address().port()), Some(credentials), clock());
    options.plain = false;
    assert_eq!(OnvifDriver::new(options).status().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    // None to try.
    let options = OnvifOptions::new("127.0.0.1", Some(sim.address().port()), None, clock());
    let e = OnvifDriver::new(options).status().await.unwrap_err();
    assert!(e.kind() == ErrorKind::Unauthorized && e.what().contains("wants"), "{e}");
}
#[tokio::test]
async fn whatever_answers_is_explained_in_bounded_time() {
    for (trouble, kind) in [
        (Trouble::Html, ErrorKind::Protocol),
        (Trouble::Huge(20_000_000), ErrorKind::Limit),
        (Trouble::Silent, ErrorKind::Timeout),
        (Trouble::Rtsp, ErrorKind::Protocol),
        (Trouble::Cut, ErrorKind::Closed),
    ] {
        let sim = start(OnvifSpec::default()).await;
        // From the start, and in the middle of a conversation.
        let mut late = driver(&sim, PASSWORD);
        late.status().await.unwrap();
        sim.trouble(trouble);
        for mut d in [driver(&sim, PASSWORD), late] {
            let e = tokio::time::timeout(Duration::from_secs(20), d.status()).await.unwrap().unwrap_err();
            assert_eq!(e.kind(), kind, "{trouble:?}: {e}");
        }
        sim.trouble(Trouble::None);
        driver(&sim, PASSWORD).status().await.unwrap();
    }
    let sim = start(OnvifSpec { fixed: true, ..OnvifSpec::default() }).await;
    let e = driver(&sim, PASSWORD).absolute(A, None).await.unwrap_err();
    assert!(e.kind() == ErrorKind::Unsupported && e.what().contains("cannot be moved"), "{e}");
    let mut gone = driver(&sim, PASSWORD);
    drop(sim);
    tokio::task::yield_now().await;
    assert_eq!(gone.status().await.unwrap_err().kind(), ErrorKind::Refused);
}
#[tokio::test]
async fn a_dropped_call_leaves_the_driver_usable() {
    let sim = start(OnvifSpec::default()).await;
    let mut d = driver(&sim, PASSWORD);
    d.status().await.unwrap();
    sim.trouble(Trouble::Silent);
    assert!(tokio::time::timeout(Duration::from_millis(30), d.status()).await.is_err());
    sim.trouble(Trouble::None);
    assert!(d.status().await.unwrap().position.is_some());
}
#[tokio::test]
async fn the_mover_arrives_by_the_evidence_that_there_is() {
    for (move_status, tells_position, evidence) in [
        (MoveStatus::Right, true, Evidence::MoveStatus),
        (MoveStatus::AlwaysIdle, true, Evidence::Position),
        (MoveStatus::Absent, true, Evidence::Position),
        (MoveStatus::Right, false, Evidence::MoveStatus),
    ] {
        let sim = start(OnvifSpec { move_status, tells_position, ..OnvifSpec::default() }).await;
        sim.with(|c, _| {
            *c.motors() = vistter_ptz::sim::Motors::new(MotorSpec { pan_tilt: 1.0, ..MotorSpec::default() })
        });
        let (mover, _task) =
            Mover::start(Box::new(driver(&sim, PASSWORD)), MoverPolicy::default(), LearnedTimes::default());
        let a = mover.absolute(A, None).await.unwrap().unwrap();
        assert_eq!(a.evidence, evidence);
        assert!(!sim.with(|c, now| c.motors().moving(now)));
    }
}
#[tokio::test]
async fn a_camera_that_tells_by_itself_is_believed_once_it_has() {
    told_by_events(false).await;
}
#[tokio::test]
async fn a_camera_that_knows_subscriptions_by_what_is_sent_back_is_understood() {
    told_by_events(true).await;
}
async fn told_by_events(event_references: bool) {
    // It answers neither position nor motion: only its events tell.
    let blind =
        OnvifSpec { move_status: MoveStatus::Absent, tells_position: false, events: true, ..OnvifSpec::default() };
    let auth = OnvifAuth { http_digest: true, strict: true, ..locked() };
    let sim = start(OnvifSpec { auth, event_references, ..blind }).await;
    let stored =
        |name: &str, pan| StoredPreset { token: name.into(), name: name.into(), position: PtzPosition { pan, ..A } };
    sim.with(|c, _| c.presets().extend([stored("left", -0.5), stored("right", 0.5)]));
    let (mover, task) = Mover::start(Box::new(driver(&sim, PASSWORD)), MoverPolicy::default(), LearnedTimes::default());
    let mut evidence = Vec::new();
    for round in 0..10 {
        let a = mover.go_to(View::named(["left", "right"][round % 2])).await.unwrap().unwrap();
        evidence.push(a.evidence);
        if a.evidence == Evidence::MoveStatus {
            assert!(!sim.with(|c, now| c.motors().moving(now)), "it said that it was there");
            break;
        }
    }
    assert_eq!(evidence.first(), Some(&Evidence::Bound), "silence counts for nothing at first");
    assert_eq!(evidence.last(), Some(&Evidence::MoveStatus), "{evidence:?}");
    assert_eq!((sim.with(|c, _| c.subscriptions()), sim.with(|c, _| c.wrong_passwords())), (1, 0));
    drop(mover);
    task.await.unwrap();
    until("the subscription is ended", || sim.with(|c, _| c.subscriptions()) == 0).await;
}
#[tokio::test]
async fn the_picture_and_its_focus_are_read() {
    let sim = start(OnvifSpec { events: true, ..OnvifSpec::default() }).await;
    let i = driver(&sim, PASSWORD).imaging("main").await.unwrap();
    assert_eq!((i.source.as_str(), i.brightness, i.exposure.as_deref()), ("source", Some(50.0), Some("AUTO")));
    assert_eq!((i.focus_position, i.focus_moving), (Some(0.5), Some(false)));
    assert_eq!(driver(&sim, PASSWORD).imaging("none").await.unwrap_err().kind(), ErrorKind::Unsupported);
    let without = start(OnvifSpec::default()).await;
    assert_eq!(driver(&without, PASSWORD).imaging("main").await.unwrap_err().kind(), ErrorKind::Unsupported);
}
#[tokio::test]
async fn presets_survive_a_reboot_of_the_camera() {
    for polite in [false, true] {
        let sim = start(OnvifSpec { polite, ..OnvifSpec::default() }).await;
        let (mover, _task) =
            Mover::start(Box::new(driver(&sim, PASSWORD)), MoverPolicy::default(), LearnedTimes::default());
        mover.absolute(A, None).await.unwrap();
        let stage = mover.capture("stage", None).await.unwrap();
        mover.absolute(PtzPosition::default(), None).await.unwrap();
        let door = mover.capture("door", None).await.unwrap();
        mover.go_to(door.clone()).await.unwrap();
        sim.with(|c, now| c.restart(now));
        let a = mover.go_to(stage.clone()).await.unwrap().unwrap();
        assert_eq!((a.found, a.off_target), (Some(Identity::Name), false), "polite: {polite}");
        assert_ne!(a.preset.unwrap().token, stage.token.clone().unwrap());
        sim.with(|c, _| c.presets().clear());
        mover.go_to(View { token: None, ..door.clone() }).await.unwrap();
        let a = mover.go_to(stage).await.unwrap().unwrap();
        assert_eq!((a.found, a.off_target), (Some(Identity::Position), false), "polite: {polite}");
    }
}
