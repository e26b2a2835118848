//! ONVIF over TLS against the simulated camera, with certificates made by OpenSSL.

use std::sync::Arc;

use vistter_core::ErrorKind;
use vistter_core::config::Address;
use vistter_core::ports::PtzDriver;
use vistter_ptz::onvif::tls::{FilePins, Fingerprint, MemoryPins, PinStore, TlsOptions};
use vistter_ptz::sim::{OnvifDevice, OnvifSim, OnvifSpec, TlsIdentity};
use vistter_ptz::{DriverOptions, driver_with};

use crate::onvif::clock;
use crate::peers::{Certificate, Certs, TempDir};

fn pin_of(kind: Certificate) -> Fingerprint {
    Certs::shared().pin(kind).parse().unwrap()
}
async fn camera(kind: Certificate, port: u16) -> OnvifSim {
    let certs = Certs::shared();
    let read = |p| std::fs::read(p).unwrap();
    let identity = TlsIdentity::from_pem(&read(certs.certificate(kind)), &read(certs.key(kind))).unwrap();
    OnvifSim::start_tls(OnvifDevice::new(OnvifSpec::default()), port, clock(), identity).await.unwrap()
}
fn driver(sim: &OnvifSim, tls: TlsOptions) -> Box<dyn PtzDriver> {
    let address = Address::parse(&format!("https://{}/onvif/device_service", sim.address())).unwrap();
    driver_with(&address, DriverOptions { tls, ..DriverOptions::default() }, clock()).unwrap()
}

#[tokio::test]
async fn the_first_certificate_is_the_one_that_counts() {
    let folder = TempDir::new("pins");
    let path = folder.path().join("pins.txt");
    let options = |accept_new| TlsOptions { pins: Arc::new(FilePins::new(&path)), accept_new };
    let sim = camera(Certificate::SelfSigned, 0).await;
    let mut d = driver(&sim, options(false));
    for _ in 0..3 {
        assert!(d.status().await.unwrap().position.is_some());
    }
    let (old, new) = (pin_of(Certificate::SelfSigned), pin_of(Certificate::Expired));
    let at = sim.address().to_string();
    assert_eq!(FilePins::new(&path).pinned(&at).unwrap(), Some(old), "as OpenSSL prints it");
    drop(sim);
    // Another certificate at the same place.
    let sim = loop {
        tokio::task::yield_now().await;
        let port = at.rsplit_once(':').unwrap().1.parse().unwrap();
        let certs = Certs::shared();
        let read = |p| std::fs::read(p).unwrap();
        let (c, k) = (read(certs.certificate(Certificate::Expired)), read(certs.key(Certificate::Expired)));
        let identity = TlsIdentity::from_pem(&c, &k).unwrap();
        match OnvifSim::start_tls(OnvifDevice::new(OnvifSpec::default()), port, clock(), identity).await {
            Ok(s) => break s,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await, // its port is not free yet
        }
    };
    for mut d in [driver(&sim, options(false)), d] {
        let e = d.status().await.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Tls, false), "{e}");
        assert!(e.what().contains(&old.to_string()) && e.what().contains(&new.to_string()), "{e}");
        assert!(e.next_step().unwrap().contains("--new-certificate"), "{e}");
    }
    assert_eq!(sim.with(|c, _| c.asked()), 0, "nothing was said to the stranger");
    driver(&sim, options(true)).status().await.unwrap();
    driver(&sim, options(false)).status().await.unwrap();
    assert_eq!(FilePins::new(&path).pinned(&at).unwrap(), Some(new));
}
#[tokio::test]
async fn what_is_no_tls_and_a_store_that_fails() {
    let plain = OnvifSim::start(OnvifDevice::new(OnvifSpec::default()), 0, clock()).await.unwrap();
    let e = driver(&plain, TlsOptions::default()).status().await.unwrap_err();
    let kinds = [ErrorKind::Tls, ErrorKind::Timeout]; // an answer that is no TLS, or none
    assert!(kinds.contains(&e.kind()) && e.next_step().unwrap().contains("without"), "{e}");
    let folder = TempDir::new("pins");
    let path = folder.path().join("pins.txt");
    std::fs::write(&path, "nonsense\n").unwrap();
    let sim = camera(Certificate::Good, 0).await;
    let pins: Arc<dyn PinStore> = Arc::new(FilePins::new(&path));
    let e = driver(&sim, TlsOptions { pins, accept_new: false }).status().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Config, "{e}");
    assert_eq!(sim.with(|c, _| c.asked()), 0);
    let pins = Arc::new(MemoryPins::default());
    driver(&sim, TlsOptions { pins: pins.clone(), accept_new: false }).status().await.unwrap();
    assert_eq!(pins.pinned(&sim.address().to_string()).unwrap(), Some(pin_of(Certificate::Good)));
}
