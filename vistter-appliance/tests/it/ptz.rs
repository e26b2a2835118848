//! `vistter ptz` against the simulated cameras.

use serde_json::{Value, json};
use vistter::Secret;
use vistter::core::clock::SystemClock;
use vistter::ptz::sim::{
    DiscoverySim, MdnsSim, MotorSpec, OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, ViscaDevice, ViscaSim,
};
use vistter::ptz::visca::connection::Framing;
use vistter::ptz::visca::units::Units;

use crate::vistter::{Said, vistter};

const SECRET: &str = "hunter2-do-not-print";

fn json_of(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", said.out, said.err))
}

#[test]
fn an_onvif_camera_by_hand() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let password = Some(("admin".into(), Secret::from(SECRET)));
    let auth = OnvifAuth { password, http_digest: true, ..OnvifAuth::default() };
    let device = OnvifDevice::new(OnvifSpec { auth, ..OnvifSpec::default() });
    let sim = runtime.block_on(OnvifSim::start(device, 0, SystemClock::shared())).unwrap();
    let camera = format!("onvif://admin:{SECRET}@{}", sim.address());
    let ptz = |words: &[&str]| {
        let said = vistter(&[&["ptz", &camera, "--json", "--log", "trace"], words].concat());
        said.assert_never_says(SECRET).assert_never_says("panicked");
        said
    };
    let moved = json_of(ptz(&["move", "-0.5", "0.25", "0.5"]).assert_code(0));
    assert_eq!(moved["arrived"]["evidence"], "move_status");
    let captured = json_of(ptz(&["capture", "stage"]).assert_code(0));
    assert!((captured["captured"]["position"]["pan"].as_f64().unwrap() + 0.5).abs() < 0.01, "{captured}");
    assert_eq!(json_of(&ptz(&["list"]))["presets"][0]["name"], "stage");
    ptz(&["move", "0", "0", "0"]).assert_code(0);
    let arrived = json_of(ptz(&["goto", "stage"]).assert_code(0));
    assert!((arrived["arrived"]["position"]["pan"].as_f64().unwrap() + 0.5).abs() < 0.01, "{arrived}");
    let status = json_of(&ptz(&["status"]));
    assert_eq!((&status["moving"], &status["health"]["state"]), (&json!(false), &json!("online")));
    assert!(status["health"]["clock_skew_secs"].as_f64().unwrap().abs() < 3.0, "{status}");
    assert_eq!(json_of(&ptz(&["stop"]))["stopped"], json!(true));
    let gone = ptz(&["goto", "nowhere"]);
    gone.assert_code(1).assert_says("no preset");
    assert_eq!(json_of(&gone)["error"]["kind"], "NotFound");
    ptz(&["move", "7", "0", "0"]).assert_code(1).assert_says("outside the range");
    assert_eq!(sim.with(|c, _| c.wrong_passwords()), 0);
    let file = std::env::temp_dir().join(format!("vistter-presets-{}.json", std::process::id()));
    let path = file.to_str().unwrap();
    ptz(&["rename", "stage", "Bühne"]).assert_code(0);
    assert_eq!(json_of(ptz(&["export", path]).assert_code(0))["presets"], 1);
    assert_eq!(json_of(ptz(&["remove", "Bühne"]).assert_code(0))["removed"]["name"], "Bühne");
    assert_eq!(json_of(&ptz(&["list", "--all"]))["presets"], json!([]));
    assert_eq!(json_of(ptz(&["import", path]).assert_code(0))["imported"][0]["result"], "stored");
    assert_eq!(json_of(ptz(&["import", path]).assert_code(0))["imported"][0]["result"], "kept");
    assert_eq!(json_of(&ptz(&["export"]))["presets"][0]["name"], "Bühne");
    std::fs::write(&file, "{\"vistter_presets\": 1, \"presets\": [{}]}").unwrap();
    ptz(&["import", path]).assert_code(1).assert_says("has no name");
    std::fs::remove_file(&file).unwrap();
    ptz(&["import", path]).assert_code(1).assert_says("check the path");
    ptz(&["--quirk", "stop=zero", "--quirk", "move-status=ignore", "status"]).assert_code(0);
    ptz(&["--quirk", "stop=never", "status"]).assert_code(2).assert_says("zero");
    let wrong = vistter(&["ptz", &format!("onvif://admin:{SECRET}x@{}", sim.address()), "list"]);
    wrong.assert_code(1).assert_says("user or password").assert_never_says(SECRET);
}

#[test]
fn a_camera_is_found() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let camera = "127.0.0.1:8899".parse().unwrap();
    let sim = runtime.block_on(DiscoverySim::start(0, "urn:uuid:7", "Stage", camera)).unwrap();
    let mdns = runtime.block_on(MdnsSim::start(0, "Stream", "127.0.0.1:8554".parse().unwrap(), "live", true)).unwrap();
    let mdns = mdns.port().to_string();
    let port = sim.port().to_string();
    let said = vistter(&[
        "discover",
        "--interface",
        "127.0.0.1",
        "--port",
        &port,
        "--mdns-port",
        &mdns,
        "--for",
        "3s",
        "--json",
    ]);
    said.assert_code(0);
    assert_eq!((&said.json("camera")["name"], &said.json("summary")["cameras"]), (&json!("Stage"), &json!(1)));
    assert!(said.out.contains("rtsp://127.0.0.1:8554/live"), "{}", said.out);
    let said = vistter(&["discover", "127.0.0.1", "--port", &port, "--for", "1s"]);
    said.assert_code(0).assert_says("http://127.0.0.1:8899/onvif/device_service");
    drop(sim);
    vistter(&["discover", "127.0.0.1", "--port", &port, "--for", "1s"]).assert_code(1).assert_says("no camera");
    vistter(&["discover", "10.0.0.0/8"]).assert_code(2).assert_says("10.0.0.5-20");
}

#[test]
fn a_visca_camera_by_hand_and_wrong_addresses() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let device = ViscaDevice::new(MotorSpec::default(), Units::COMMON);
    let sim = runtime.block_on(ViscaSim::start(Framing::Udp, device)).unwrap();
    let camera = format!("visca://{}", sim.address());
    vistter(&["ptz", &camera, "move", "0.2", "0.1", "0.1"]).assert_code(0).assert_says("standing after");
    vistter(&["ptz", &camera, "capture", "stage"]).assert_code(0).assert_says("stored as 0");
    vistter(&["ptz", &camera, "goto", "0"]).assert_code(0).assert_says("standing after");
    vistter(&["ptz", &camera, "goto", "9"]).assert_code(1).assert_says("preset is stored");
    for bad in ["10.0.0.1", &format!("rtsp://u:{SECRET}@h/x"), &format!("onvif://u:{SECRET}@h:none")] {
        vistter(&["ptz", bad, "list"]).assert_code(2).assert_says("onvif://").assert_never_says(SECRET);
    }
    vistter(&["ptz", &camera, "dance"]).assert_code(2);
}
