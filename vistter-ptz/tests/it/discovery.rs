//! Searches on the loopback interface only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vistter_core::ErrorKind;
use vistter_core::time::MediaTime;
use vistter_ptz::discovery::{DiscoverOptions, Discovery, Interface};
use vistter_ptz::sim::{DiscoverySim, MdnsSim};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ON_LOOPBACK: Interface = Interface::V4(Ipv4Addr::LOCALHOST);

/// A port of mDNS where nobody listens: nothing real is asked.
fn closed() -> u16 {
    let s = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    s.local_addr().unwrap().port()
}
/// Long enough for any machine: a test ends when it has found what it looks for.
fn options(port: u16) -> DiscoverOptions {
    let length = MediaTime::from_secs(60);
    DiscoverOptions { length, port, mdns_port: closed(), ..DiscoverOptions::default() }
}

#[tokio::test]
async fn a_camera_is_found_by_group_and_by_address() {
    let camera = "127.0.0.1:8899".parse().unwrap();
    let sim = DiscoverySim::start(0, "urn:uuid:1", "Front Door", camera).await.unwrap();
    for (what, options) in [
        ("group", DiscoverOptions { interfaces: vec![ON_LOOPBACK], ..options(sim.port()) }),
        ("address", DiscoverOptions { addresses: vec![HERE], ..options(sim.port()) }),
        ("both", DiscoverOptions { interfaces: vec![ON_LOOPBACK], addresses: vec![HERE], ..options(sim.port()) }),
    ] {
        let mut search = Discovery::start(options).await.unwrap();
        let f = search.next().await.unwrap_or_else(|| panic!("nothing by {what}"));
        assert_eq!((f.endpoint.as_str(), f.name.as_deref()), ("urn:uuid:1", Some("Front Door")));
        assert_eq!(f.addresses, ["http://127.0.0.1:8899/onvif/device_service"]);
    }
}
#[tokio::test]
async fn an_ipv6_address_is_asked() {
    let camera = "[::1]:8899".parse().unwrap();
    let sim = DiscoverySim::start(0, "urn:uuid:6", "Six", camera).await.unwrap();
    if !sim.has_ipv6() {
        return eprintln!("this machine has no IPv6 on its loopback interface: nothing to ask");
    }
    let addresses = vec![IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let mut search = Discovery::start(DiscoverOptions { addresses, ..options(sim.port()) }).await.unwrap();
    assert_eq!(search.next().await.unwrap().addresses, ["http://[::1]:8899/onvif/device_service"]);
}
#[tokio::test]
async fn a_stream_is_found_by_mdns_and_is_one_with_its_camera() {
    let camera = "127.0.0.1:8554".parse().unwrap();
    for whole in [true, false] {
        let sim = MdnsSim::start(0, "Front.Door", camera, "live/main", whole).await.unwrap();
        // What is not in the first answer is asked for.
        let options = DiscoverOptions { interfaces: vec![ON_LOOPBACK], mdns_port: sim.port(), ..options(closed()) };
        let mut search = Discovery::start(options).await.unwrap();
        let f = search.next().await.unwrap();
        assert_eq!((f.endpoint.as_str(), f.name.as_deref()), ("mdns:front.door", Some("Front.Door")), "whole: {whole}");
        assert_eq!(f.addresses, ["rtsp://127.0.0.1:8554/live/main"]);
    }
    let mdns = MdnsSim::start(0, "Front Door", camera, "", true).await.unwrap();
    let sim = DiscoverySim::start(0, "urn:uuid:1", "Front Door", "127.0.0.1:80".parse().unwrap()).await.unwrap();
    let options = DiscoverOptions { interfaces: vec![ON_LOOPBACK], mdns_port: mdns.port(), ..options(sim.port()) };
    let mut search = Discovery::start(options).await.unwrap();
    // Told as it is found, and again when the other way brings an address more.
    while search.next().await.unwrap().addresses.len() < 2 {}
    let all: Vec<_> = search.found().collect();
    assert_eq!((all.len(), all[0].endpoint.as_str()), (1, "urn:uuid:1"), "{all:?}");
    assert!(all[0].addresses.iter().any(|a| a.starts_with("rtsp://")), "{all:?}");
}
#[tokio::test]
async fn nobody_there_and_nothing_to_ask() {
    let (addresses, length) = (vec![HERE; 5], MediaTime::from_millis(700));
    let mut search = Discovery::start(DiscoverOptions { addresses, length, ..options(closed()) }).await.unwrap();
    assert_eq!(search.next().await, None);
    assert_eq!(Discovery::start(DiscoverOptions::default()).await.unwrap_err().kind(), ErrorKind::Config);
}
