//! Devices that we did not write, built by `scripts/setup.sh`: the mock of crate `oxvif`, and crate `onvif-server`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use vistter_core::ErrorKind;
use vistter_core::config::{Address, Credentials};
use vistter_core::ports::{PtzDriver, PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_ptz::discovery::{DiscoverOptions, Discovery};
use vistter_ptz::mover::{Identity, LearnedTimes, Mover, MoverPolicy};
use vistter_ptz::onvif::{OnvifDriver, OnvifOptions};

use crate::clients::peer;
use crate::onvif::clock;

struct Devices {
    addresses: BTreeMap<String, String>,
    _process: Child,
}

async fn devices() -> Devices {
    let mut process = Command::new(peer("devices/debug/onvif-devices"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut addresses = BTreeMap::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        match line.split_once(' ') {
            Some((name, address)) => drop(addresses.insert(name.to_owned(), address.to_owned())),
            None if line == "ready" => break,
            None => {}
        }
    }
    assert!(addresses.len() >= 4, "{addresses:?}");
    Devices { addresses, _process: process }
}

fn driver(url: &str, password: &str) -> OnvifDriver {
    let address = Address::parse(url).unwrap();
    let (host, path) = address.url().split_once("://").unwrap().1.split_once('/').unwrap();
    let at: SocketAddr = host.parse().unwrap();
    let credentials = Credentials { user: "admin".into(), password: vistter_core::Secret::from(password) };
    let mut options = OnvifOptions::new(at.ip().to_string(), Some(at.port()), Some(credentials), clock());
    options.path = format!("/{path}");
    options.exchange_within = MediaTime::from_secs(30);
    OnvifDriver::new(options)
}

#[tokio::test]
async fn the_mock_of_oxvif_is_driven() {
    let all = devices().await;
    for (name, password) in [("oxvif", "any"), ("oxvif-locked", "admin")] {
        let url = &all.addresses[name];
        let mut d = driver(url, password);
        let info = d.information().await.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!info.manufacturer.is_empty() && !info.model.is_empty(), "{info:?}");
        let profiles = d.profiles().await.unwrap();
        assert!(
            profiles.iter().any(|p| p.offer.encoding.as_deref() == Some("H264") && p.offer.size.is_some()),
            "{profiles:?}"
        );
        assert!(d.stream_uri(&profiles[0].offer.token).await.unwrap().starts_with("rtsp://"));
        let imaging = d.imaging(&profiles[0].offer.token).await.unwrap();
        assert!(imaging.brightness.is_some() && imaging.exposure.is_some(), "{imaging:?}");
        let caps = d.capabilities().await.unwrap();
        assert!(caps.absolute && caps.continuous && caps.list_presets, "{caps:?}");
        let before = d.presets().await.unwrap().len();
        let (camera, task) = Mover::start(Box::new(d), MoverPolicy::default(), LearnedTimes::default());
        let there = PtzPosition { pan: 0.5, tilt: -0.25, zoom: 0.5 };
        camera.absolute(there, None).await.unwrap().unwrap();
        let stage = camera.capture("Stage <1>", None).await.unwrap();
        camera.absolute(PtzPosition::default(), None).await.unwrap().unwrap();
        let arrived = camera.go_to(stage.clone()).await.unwrap().unwrap();
        assert_eq!((arrived.found, arrived.off_target), (Some(Identity::Token), false));
        assert!((arrived.position.unwrap().pan - 0.5).abs() < 0.01, "{arrived:?}");
        camera.drive(PtzVelocity { pan: 1.0, ..PtzVelocity::default() }).await.unwrap();
        camera.stop().await.unwrap();
        assert!(camera.status().await.unwrap().position.unwrap().pan > 0.5, "it has gone a step");
        assert_eq!(camera.presets().await.unwrap().len(), before + 1);
        drop(camera);
        task.await.unwrap();
        let mut d = driver(url, password);
        let preset = d.presets().await.unwrap().pop().unwrap();
        d.remove_preset(&preset).await.unwrap();
        assert_eq!(d.presets().await.unwrap().len(), before);
    }
    let e = driver(&all.addresses["oxvif-locked"], "wrong").information().await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Unauthorized, false), "{e}");
}

#[tokio::test]
async fn onvif_server_is_driven() {
    let all = devices().await;
    let url = &all.addresses["onvif-server"];
    let mut d = driver(url, "secret");
    assert_eq!(d.information().await.unwrap().manufacturer, "onvif-server");
    assert!(!d.profiles().await.unwrap().is_empty());
    assert_eq!(d.presets().await.unwrap(), []);
    let stage = d.save_preset("Stage", None).await.unwrap();
    assert_eq!(d.presets().await.unwrap(), std::slice::from_ref(&stage));
    d.go_to(&stage).await.unwrap();
    d.continuous(PtzVelocity { pan: 0.5, ..PtzVelocity::default() }, MediaTime::from_secs(60)).await.unwrap();
    assert_eq!(d.moving().await.unwrap(), Some(true));
    d.stop().await.unwrap();
    assert_eq!(d.moving().await.unwrap(), Some(false));
    d.remove_preset(&stage).await.unwrap();
    let e = d.go_to(&stage).await.unwrap_err();
    assert!(matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::NotFound | ErrorKind::Rejected), "{e}");
    let e = driver(url, "wrong").presets().await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Unauthorized, false), "{e}");
}

#[tokio::test]
async fn a_foreign_device_answers_our_search() {
    let all = devices().await;
    let at: SocketAddr = all.addresses["discovery"].parse().unwrap();
    // It ends when the device was found; the bound is for a machine that is slow.
    let length = MediaTime::from_secs(60);
    let options = DiscoverOptions { addresses: vec![at.ip()], port: at.port(), length, ..DiscoverOptions::default() };
    let found = Discovery::start(options).await.unwrap().next().await.unwrap();
    assert_eq!((found.name.as_deref(), found.model.as_deref()), (Some("Mock Camera"), Some("oxvif")));
    assert_eq!(found.addresses, [all.addresses["oxvif"].clone()]);
}
