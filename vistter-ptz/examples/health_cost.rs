//! What watching many cameras costs. In one process the cameras, in another the watching, so that each is measured alone:
//!
//! `health_cost cameras COUNT` starts simulated ONVIF cameras on loopback, prints their addresses, and stays;
//! `health_cost watch FILE SECONDS` watches the cameras in FILE (an address a line), prints how many are online, and ends.

use std::time::Duration;

use vistter_core::clock::SystemClock;
use vistter_core::config::Address;
use vistter_ptz::health::{Health, HealthPolicy, HealthState, heartbeat};
use vistter_ptz::sim::{OnvifDevice, OnvifSim, OnvifSpec};

type Failed = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cameras", count] => cameras(count.parse()?).await,
        ["watch", file, seconds] => watch(file, seconds.parse()?).await,
        _ => Err("health_cost cameras COUNT | watch FILE SECONDS".into()),
    }
}

async fn cameras(count: usize) -> Result<(), Failed> {
    let mut all = Vec::new();
    for _ in 0..count {
        let sim = OnvifSim::start(OnvifDevice::new(OnvifSpec::default()), 0, SystemClock::shared()).await?;
        println!("onvif://{}", sim.address());
        all.push(sim);
    }
    println!("ready");
    std::future::pending().await
}

async fn watch(file: &str, seconds: u64) -> Result<(), Failed> {
    let mut all = Vec::new();
    for line in std::fs::read_to_string(file)?.lines().filter(|l| l.starts_with("onvif://")) {
        let address = Address::parse(line).ok_or("no address")?;
        let beat = heartbeat(&address, None, SystemClock::shared())?;
        all.push(Health::start(line, beat, HealthPolicy::default(), None).0);
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let online = all.iter().filter(|h| h.status().state == HealthState::Online).count();
    println!("{online} of {} online", all.len());
    if online == all.len() { Ok(()) } else { Err("not all cameras are online".into()) }
}
