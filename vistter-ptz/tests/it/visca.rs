//! The VISCA driver over real UDP and TCP.

use vistter_core::ErrorKind;
use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_core::ports::{Preset, PtzDriver, PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;
use vistter_ptz::sim::{Faults, MotorSpec, ViscaDevice, ViscaSim};
use vistter_ptz::visca::angles::Angles;
use vistter_ptz::visca::connection::Framing;
use vistter_ptz::visca::units::Units;
use vistter_ptz::visca::{Transport, ViscaDriver, ViscaOptions};

const UDP: Transport = Transport::Udp { local_port: None };

async fn camera(transport: Transport) -> (ViscaSim, ViscaDriver) {
    let spec = MotorSpec { pan_tilt: 8.0, zoom: 8.0, latency: MediaTime::from_millis(10) };
    let framing = if transport == UDP { Framing::Udp } else { Framing::Tcp };
    let sim = ViscaSim::start(framing, ViscaDevice::new(spec, Units::COMMON)).await.unwrap();
    let driver = ViscaDriver::new(ViscaOptions::new(sim.address().to_string(), transport));
    (sim, driver)
}

fn near(a: PtzPosition, b: PtzPosition) -> bool {
    [(a.pan, b.pan), (a.tilt, b.tilt), (a.zoom, b.zoom)].iter().all(|(a, b)| (a - b).abs() < 0.002)
}

/// Asks until it stands; the tests that use it have cameras that end.
async fn arrived(driver: &mut ViscaDriver) -> PtzPosition {
    while driver.moving().await.unwrap() == Some(true) {
        driver.position().await.unwrap();
    }
    driver.position().await.unwrap().unwrap()
}

#[tokio::test]
async fn moves_presets_and_home() {
    for transport in [UDP, Transport::Tcp] {
        let (_sim, mut d) = camera(transport).await;
        let a = PtzPosition { pan: -0.5, tilt: 0.25, zoom: 0.5 };
        d.absolute(a, None).await.unwrap();
        assert_eq!(d.moving().await.unwrap(), Some(true));
        assert!(near(arrived(&mut d).await, a), "{transport:?}");
        let stage = d.save_preset("stage", None).await.unwrap();
        assert_eq!(stage, Preset { token: "0".into(), name: "stage".into() });
        d.relative(PtzPosition { pan: 0.25, tilt: -0.25, zoom: 0.25 }, Some(1.0)).await.unwrap();
        assert!(near(arrived(&mut d).await, PtzPosition { pan: -0.25, tilt: 0.0, zoom: 0.75 }));
        d.home().await.unwrap();
        // The middle is 0 in the camera's units; its tilt range is not symmetrical.
        let middle = PtzPosition { zoom: 0.75, ..Units::COMMON.position(Angles::default(), 0) };
        assert!(near(arrived(&mut d).await, middle));
        d.go_to(&stage).await.unwrap();
        assert!(near(arrived(&mut d).await, a));
        assert_eq!(d.presets().await.unwrap(), std::slice::from_ref(&stage));
        d.remove_preset(&stage).await.unwrap();
        assert_eq!(d.presets().await.unwrap(), []);
        assert_eq!(d.go_to(&stage).await.unwrap_err().kind(), ErrorKind::Rejected);
    }
}
#[tokio::test]
async fn every_table_of_units_and_a_wrong_one() {
    let spec = MotorSpec { pan_tilt: 8.0, zoom: 8.0, latency: MediaTime::from_millis(10) };
    let at = PtzPosition { pan: -0.75, tilt: 0.5, zoom: 0.25 };
    for (name, units) in Units::TABLES {
        for (scheme, framing) in [("visca", Framing::Udp), ("visca-tcp", Framing::Tcp)] {
            let sim = ViscaSim::start(framing, ViscaDevice::new(spec, units)).await.unwrap();
            let of = |units: &str| {
                let address = format!("{scheme}://{}#units={units}", sim.address());
                vistter_ptz::driver(&Address::parse(&address).unwrap(), SystemClock::shared()).unwrap()
            };
            let mut d = of(name);
            d.absolute(at, None).await.unwrap();
            while d.moving().await.unwrap() == Some(true) {
                d.position().await.unwrap();
            }
            assert!(near(d.position().await.unwrap().unwrap(), at), "{name} by {scheme}");
            let moved = PtzPosition { pan: -0.5, tilt: 0.25, zoom: 0.25 };
            d.relative(PtzPosition { pan: 0.25, tilt: -0.25, zoom: 0.0 }, None).await.unwrap();
            while d.moving().await.unwrap() == Some(true) {
                d.position().await.unwrap();
            }
            assert!(near(d.position().await.unwrap().unwrap(), moved), "{name} by {scheme}");
            drop(d); // TCP: one conversation at a time
            let other = if name == "sony-x1000" { "sony-20bit" } else { "sony-x1000" };
            let e = of(other).position().await.unwrap_err();
            assert!(e.next_step().unwrap().contains(&format!("#units={name}")), "{name} by {scheme}: {e}");
        }
    }
}
#[tokio::test]
async fn a_drive_runs_until_stop() {
    for transport in [UDP, Transport::Tcp] {
        let (sim, mut d) = camera(transport).await;
        d.continuous(PtzVelocity { pan: 1.0, tilt: 0.0, zoom: 0.0 }, MediaTime::SECOND).await.unwrap();
        while d.position().await.unwrap().unwrap().pan < 0.1 {}
        assert_eq!(d.moving().await.unwrap(), Some(true));
        d.stop().await.unwrap();
        assert_eq!(d.moving().await.unwrap(), Some(false));
        assert!(!sim.with(|c, now| c.motors().moving(now)));
        d.absolute(PtzPosition { pan: -1.0, tilt: -1.0, zoom: 1.0 }, Some(0.1)).await.unwrap();
        d.stop().await.unwrap();
        assert!(!sim.with(|c, now| c.motors().moving(now)), "stop also ends a move");
    }
}
#[tokio::test]
async fn lost_and_doubled_datagrams_cost_time_only() {
    let (sim, mut d) = camera(UDP).await;
    d.save_preset("a", None).await.unwrap();
    for faults in [
        Faults { lose_requests: 1, ..Faults::default() },
        Faults { lose_replies: 2, ..Faults::default() },
        Faults { double_replies: 3, double_requests: 3, ..Faults::default() },
    ] {
        let before = sim.with(|c, _| {
            *c.faults() = faults;
            c.executed()
        });
        d.absolute(PtzPosition { pan: 0.3, ..PtzPosition::default() }, None).await.unwrap();
        assert!(d.position().await.unwrap().is_some());
        assert_eq!(sim.with(|c, _| c.executed()), before + 2, "{faults:?}");
    }
    sim.with(|c, now| c.restart(now));
    assert!(d.position().await.unwrap().is_some());
}
#[tokio::test]
async fn a_silent_camera_and_a_closed_port_are_told_apart() {
    let (sim, mut d) = camera(UDP).await;
    sim.with(|c, _| c.faults().lose_requests = u32::MAX);
    let e = d.stop().await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Timeout, true));
    assert!(e.to_string().contains("VISCA") && e.next_step().is_some(), "{e}");
    for transport in [UDP, Transport::Tcp] {
        let (sim, _) = camera(transport).await;
        let address = sim.address().to_string();
        drop(sim);
        tokio::task::yield_now().await;
        let mut d = ViscaDriver::new(ViscaOptions::new(address, transport));
        let e = d.stop().await.unwrap_err();
        assert!(matches!(e.kind(), ErrorKind::Refused | ErrorKind::Timeout), "{transport:?}: {e:?}");
    }
    let mut d = ViscaDriver::new(ViscaOptions::new("no-port-here", UDP));
    assert_eq!(d.stop().await.unwrap_err().kind(), ErrorKind::NameResolution);
}
#[tokio::test]
async fn a_dropped_call_leaves_the_driver_usable() {
    for transport in [UDP, Transport::Tcp] {
        let (sim, mut d) = camera(transport).await;
        d.position().await.unwrap();
        sim.with(|c, _| c.faults().lose_requests = 1);
        let short = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(short, d.position()).await.is_err(), "the request is lost");
        assert!(d.position().await.unwrap().is_some(), "{transport:?}");
    }
}
#[tokio::test]
async fn a_camera_that_closed_is_connected_again() {
    let (sim, mut d) = camera(Transport::Tcp).await;
    d.position().await.unwrap();
    sim.hang_up();
    // Whether the close was seen before or during the first call: the second one must work.
    assert!(d.position().await.is_ok() || d.position().await.is_ok());
}
