//! ONVIF clients that we did not write, against the simulated camera. They are installed by `scripts/setup.sh`; without them
//! these tests fail and say so.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use vistter_core::Secret;
use vistter_ptz::sim::{OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec};

const PASSWORD: &str = "secret";

pub(crate) fn peer(path: &str) -> PathBuf {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.peers").join(path);
    assert!(at.exists(), "{} is not there: run scripts/setup.sh", at.display());
    at
}

async fn run(mut client: Command, script: &str) {
    let password = Some(("admin".into(), Secret::from(PASSWORD)));
    let auth = OnvifAuth { password, ws_digest: true, ..OnvifAuth::default() };
    let device = OnvifDevice::new(OnvifSpec { auth, ..OnvifSpec::default() });
    let sim = OnvifSim::start(device, 0, crate::onvif::clock()).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    client.arg(script).args([&sim.address().port().to_string(), "admin", PASSWORD]);
    let client = client.stdin(Stdio::null()).kill_on_drop(true).output();
    let said = tokio::time::timeout(Duration::from_secs(120), client).await.expect("it hangs").unwrap();
    let words = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{words}");
    assert!(sim.with(|c, _| c.wrong_passwords()) > 0, "it tries a wrong one on purpose");
}

#[tokio::test]
async fn zeep_drives_the_simulated_camera() {
    run(Command::new(peer("onvif-zeep/bin/python")), "onvif_zeep.py").await;
}
#[tokio::test]
async fn npm_onvif_drives_the_simulated_camera() {
    let mut node = Command::new("node");
    node.env("NODE_PATH", peer("onvif-npm/node_modules"));
    run(node, "onvif_npm.js").await;
}
