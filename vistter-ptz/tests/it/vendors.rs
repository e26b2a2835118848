//! Each vendor's exchange (`tests/vendors`) against the real client, driver and mover.

use vistter_core::config::Credentials;
use vistter_core::ports::{PtzDriver, PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_core::{ErrorKind, Secret};
use vistter_ptz::mover::{Identity, LearnedTimes, Mover, MoverPolicy, View};
use vistter_ptz::onvif::quirks::Change;
use vistter_ptz::onvif::{OnvifDriver, OnvifOptions};
use vistter_ptz::settle::{SettlePolicy, near};

use crate::onvif::{PASSWORD, USER, clock};
use crate::replay::Replay;
use crate::wait::until;

pub(crate) fn driver(camera: &Replay, password: &str, quirks: &str) -> OnvifDriver {
    let credentials = Credentials { user: USER.into(), password: Secret::from(password) };
    let mut options = OnvifOptions::new("127.0.0.1", Some(camera.address.port()), Some(credentials), clock());
    options.exchange_within = MediaTime::from_secs(30); // the machine may be slow; no answer is part of no case
    options.quirks = Change::list(quirks).unwrap();
    OnvifDriver::new(options)
}

async fn drive(vendor: &str) {
    let camera = Replay::start(vendor).await;
    let case = camera.case();
    let (want, name) = (case.expect, case.camera);
    assert!(case.sources.iter().all(|s| s.starts_with("https://")), "{name}");

    let mut d = driver(&camera, PASSWORD, "");
    let caps = d.capabilities().await.unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!((caps.absolute, caps.relative, caps.continuous), (want.absolute, want.relative, true), "{name}");
    let quirks: Vec<String> = d.policy().await.unwrap().changes().iter().map(ToString::to_string).collect();
    let found_out = quirks.iter().filter(|q| *q != "clock=ours"); // not from the table
    assert_eq!(found_out.collect::<Vec<_>>(), want.quirks.iter().collect::<Vec<_>>(), "{name}");
    let profiles = d.profiles().await.unwrap();
    assert_eq!(profiles.len(), want.profiles, "{name}");
    let uri = d.stream_uri(&profiles[0].offer.token).await.unwrap();
    assert!(uri.starts_with("rtsp://") && !uri.contains("&amp;"), "{name}: {uri}");
    let presets = d.presets().await.unwrap();
    assert_eq!(presets.iter().map(|p| p.name.clone()).collect::<Vec<_>>(), want.presets, "{name}");
    if !want.absolute {
        let e = d.absolute(PtzPosition::default(), None).await.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Unsupported, false), "{name}: {e}");
    }
    if want.relative && !want.absolute {
        d.relative(PtzPosition { pan: 0.2, ..PtzPosition::default() }, None).await.unwrap();
        until("a relative move", || !camera.moving() && (camera.position().pan - 0.2).abs() < 0.001).await;
    } else if !want.relative {
        let e = d.relative(PtzPosition { pan: 0.2, ..PtzPosition::default() }, None).await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unsupported, "{name}: {e}");
    }

    // Only a camera that tells nothing is waited for by the clock.
    let blind = want.evidence == ["bound"];
    let wait = if blind { MediaTime::from_secs(3) } else { MediaTime::from_secs(60) };
    let settle = SettlePolicy { quiet: wait, bound: wait + wait, ..SettlePolicy::default() };
    let (mover, task) =
        Mover::start(Box::new(d), MoverPolicy { settle, ..MoverPolicy::default() }, LearnedTimes::default());
    for stored in case.presets.iter().rev() {
        let view = View { token: Some(stored.token.clone()), name: Some(stored.name.clone()), position: None };
        let a = mover.go_to(view).await.unwrap_or_else(|e| panic!("{name}: {e}")).unwrap();
        let [pan, tilt, zoom] = stored.at;
        let at = PtzPosition { pan, tilt, zoom };
        until("it stands", || !camera.moving()).await;
        assert!(near(&camera.position(), &at, 0.001), "{name}: {:?} is not {at:?}", camera.position());
        assert_eq!((a.found, a.position.is_some()), (Some(Identity::Token), !blind), "{name}");
        let evidence = serde_json::to_value(a.evidence).unwrap().as_str().unwrap().to_owned();
        assert!(want.evidence.contains(&evidence), "{name}: by {evidence}");
    }
    mover.drive(PtzVelocity { pan: 0.1, ..PtzVelocity::default() }).await.unwrap();
    assert!(camera.moving(), "{name}: it took the drive and does not move");
    mover.stop().await.unwrap();
    assert!(!camera.moving(), "{name}: it took the stop and moves on");
    // Its tokens change: the name still holds.
    let last = case.presets.last().unwrap();
    camera.renumber();
    let a = mover.go_to(View { token: Some(last.token.clone()), name: Some(last.name.clone()), position: None }).await;
    assert_eq!(a.unwrap().unwrap().found, Some(Identity::Name), "{name}");
    let e = mover.go_to(View::named("nowhere")).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound, "{name}: {e}");
    let here = mover.capture("here", None).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(
        mover.presets().await.unwrap().iter().any(|p| Some(&p.token) == here.token.as_ref() && p.name == "here"),
        "{name}"
    );
    assert_eq!(camera.wrong_passwords(), want.wrong_passwords, "{name}");
    drop(mover);
    task.await.unwrap();

    let mut wrong = driver(&camera, "wrong", "");
    for _ in 0..2 {
        let e = wrong.status().await.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Unauthorized, false), "{name}: {e}");
    }
    let tries = camera.wrong_passwords() - want.wrong_passwords;
    assert!((1..=3).contains(&tries), "{name}: a wrong password was shown {tries} times");
}

#[tokio::test]
async fn hikvision() {
    drive("hikvision").await;
}
#[tokio::test]
async fn axis() {
    drive("axis").await;
}
#[tokio::test]
async fn dahua() {
    drive("dahua").await;
}
#[tokio::test]
async fn reolink() {
    drive("reolink").await;
}
#[tokio::test]
async fn sunba() {
    drive("sunba").await;
}
#[tokio::test]
async fn tapo() {
    drive("tapo").await;
}
#[tokio::test]
async fn amcrest() {
    drive("amcrest").await;
}

/// What the table does for a model can be undone by hand, and then the model shows what it is there for.
#[tokio::test]
async fn without_its_quirks_a_model_misbehaves() {
    let camera = Replay::start("reolink").await;
    let mut d = driver(&camera, PASSWORD, "timeout=send,zero-axes=send");
    let slow = PtzVelocity { pan: 0.1, ..PtzVelocity::default() };
    d.continuous(slow, MediaTime::from_secs(1)).await.unwrap();
    assert!(!camera.moving(), "accepted and not done");
    let camera = Replay::start("hikvision").await;
    let mut d = driver(&camera, PASSWORD, "move-status=believe");
    d.go_to(&vistter_core::ports::Preset { token: "4".into(), name: "Stage".into() }).await.unwrap();
    until("it stands", || !camera.moving()).await;
    assert_eq!(d.moving().await.unwrap(), Some(true), "it says so for ever");
}

/// By hand: a way to show the password that saves a wrong try, and a stop by speed zero.
#[tokio::test]
async fn quirks_by_hand() {
    let camera = Replay::start("sunba").await;
    let mut d =
        driver(&camera, PASSWORD, "auth=ws-text,stop=zero,position=ignore,goto-speed=send,remove=refuse,invert=pan");
    let s = d.status().await.unwrap();
    assert_eq!((s.position, camera.wrong_passwords()), (None, 0));
    d.continuous(PtzVelocity { pan: 0.5, ..PtzVelocity::default() }, MediaTime::from_secs(1)).await.unwrap();
    until("it went left", || camera.position().pan < 0.0).await;
    d.stop().await.unwrap();
    assert!(!camera.moving() && !camera.asked().contains(&"Stop".to_owned()));
    let stage = d.presets().await.unwrap().remove(0);
    d.go_to(&stage).await.unwrap();
    assert_eq!(d.remove_preset(&stage).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(!camera.asked().contains(&"RemovePreset".to_owned()));
}
