//! Searches on the loopback interface only.

use std::net::Ipv4Addr;

use vistter_core::ErrorKind;
use vistter_core::time::MediaTime;
use vistter_ptz::discovery::{DiscoverOptions, Discovery};
use vistter_ptz::sim::DiscoverySim;

fn options(port: u16) -> DiscoverOptions {
    DiscoverOptions { length: MediaTime::from_millis(700), port, ..DiscoverOptions::default() }
}

#[tokio::test]
async fn a_camera_is_found_once_by_group_and_by_address() {
    let camera = "127.0.0.1:8899".parse().unwrap();
    let sim = DiscoverySim::start(0, "urn:uuid:1", "Front Door", camera).await.unwrap();
    let here = vec![Ipv4Addr::LOCALHOST];
    for (what, options) in [
        ("group", DiscoverOptions { interfaces: here.clone(), ..options(sim.port()) }),
        ("address", DiscoverOptions { addresses: here.clone(), ..options(sim.port()) }),
        ("both", DiscoverOptions { interfaces: here.clone(), addresses: here.clone(), ..options(sim.port()) }),
    ] {
        let mut search = Discovery::start(options).await.unwrap();
        let f = search.next().await.unwrap_or_else(|| panic!("nothing by {what}"));
        assert_eq!((f.endpoint.as_str(), f.name.as_deref()), ("urn:uuid:1", Some("Front Door")));
        assert_eq!(f.addresses, ["http://127.0.0.1:8899/onvif/device_service"]);
        assert_eq!(search.next().await, None, "asked several times, told once");
    }
}
#[tokio::test]
async fn nobody_there_and_nothing_to_ask() {
    let closed = {
        let s = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        s.local_addr().unwrap().port()
    };
    let addresses = vec![Ipv4Addr::LOCALHOST; 5];
    let mut search = Discovery::start(DiscoverOptions { addresses, ..options(closed) }).await.unwrap();
    assert_eq!(search.next().await, None);
    assert_eq!(Discovery::start(DiscoverOptions::default()).await.unwrap_err().kind(), ErrorKind::Config);
}
