//! `vistter onboard` by hand: a real RTSP camera behind our simulated ONVIF device.

use std::io::Write;

use serde_json::{Value, json};
use vistter::Secret;
use vistter::core::clock::SystemClock;
use vistter::ptz::sim::{OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, SimProfile, Trouble};

use crate::peers::{GstCamera, TempDir, ffmpeg_decodes, ffprobe_json, free_port};
use crate::vistter::{Said, vistter, vistter_with};

const SECRET: &str = "hunter2-do-not-print";

fn steps(said: &Said) -> Vec<Value> {
    let all = said.out.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
    all.filter(|v| v["type"] == "step").collect()
}

#[test]
fn an_onvif_camera_becomes_a_show() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let camera =
        GstCamera::start(&["size=640x360", "gop=25", "audio=aac", "auth=digest", &format!("password={SECRET}")]);
    let password = Some(("admin".into(), Secret::from(SECRET)));
    let auth = OnvifAuth { password, http_digest: true, ..OnvifAuth::default() };
    let profiles = vec![
        SimProfile { encoding: "H265".into(), ..SimProfile::h264("hevc", (1920, 1080), 4000) },
        SimProfile::h264("main", (640, 360), 2000),
    ];
    let device = OnvifDevice::new(OnvifSpec { auth, stream: camera.url(), profiles, ..OnvifSpec::default() });
    let sim = runtime.block_on(OnvifSim::start(device, 0, SystemClock::shared())).unwrap();
    let (host, port) = (sim.address().ip().to_string(), sim.address().port().to_string());
    let dir = TempDir::new("onboard");
    let (file, png) = (dir.join("password.txt"), dir.join("first.png"));
    std::fs::File::create(&file).unwrap().write_all(format!("{SECRET}\n").as_bytes()).unwrap();
    let (file, picture) = (file.display().to_string(), png.display().to_string());
    let with = |more: &[&str]| {
        let all = [&["onboard", &host, "--port", &port, "--onvif-ports", &port, "--rtsp-ports", "1"], more].concat();
        let said = vistter_with(&all, &[("VISTTER_CAMERA_PASSWORD", "from-the-environment")]);
        said.assert_never_says(SECRET).assert_never_says("panicked").assert_never_says("from-the-environment");
        said
    };
    let said = with(&[
        "--user",
        "admin",
        "--password-file",
        &file,
        "--picture",
        &picture,
        "--id",
        "hall",
        "--json",
        "--log",
        "trace",
    ]);
    said.assert_code(0);
    let report = said.json("report");
    assert_eq!(report["steps"].as_array().unwrap().len(), steps(&said).len());
    assert_eq!((&report["ok"], &report["chosen"]["token"]), (&json!(true), &json!("main")), "{report:#}");
    ffmpeg_decodes(&png);
    let probed = ffprobe_json(&png, &["-show_streams"]);
    assert_eq!((&probed["streams"][0]["width"], &probed["streams"][0]["height"]), (&json!(640), &json!(360)));
    // It is put into a show, which then runs; the rest of the file stays.
    let show = dir.join("show.json");
    let text = "{\n  \"vistter\": 1,\n  \"program\": { \"width\": 320, \"height\": 180,  \"fps\": 15, \"bitrate_kbps\": 300 },\n\
                  \"timeline\": { \"shots\": [ { \"camera\": \"hall\", \"for\": 2 } ] },\n  \"recording\": { \"file\": \"show.mp4\" }\n}\n";
    std::fs::write(&show, text).unwrap();
    let show = show.display().to_string();
    let jpeg = dir.join("first.jpg").display().to_string();
    let adding = ["--user", "admin", "--password-file", &file, "--id", "hall", "--add", &show, "--picture", &jpeg];
    let said = with(&adding);
    said.assert_code(0).assert_says("camera \"hall\" is in").assert_says("HALL_PASSWORD");
    let probed = ffprobe_json(std::path::Path::new(&jpeg), &["-show_streams"]);
    assert_eq!(probed["streams"][0]["codec_name"], "mjpeg");
    let new = std::fs::read_to_string(&show).unwrap();
    let (head, tail) = text.split_at(text.len() - 3);
    assert!(new.starts_with(head) && new.ends_with(tail) && !new.contains(SECRET), "{new}");
    let cameras = serde_json::from_str::<Value>(&new).unwrap()["cameras"].clone();
    assert_eq!(cameras, json!([report["camera"]]));
    let again = with(&[&adding[..], &["--json"]].concat());
    again.assert_code(1).assert_says("--id hall-2");
    assert_eq!(std::fs::read_to_string(&show).unwrap(), new, "as it was");
    let said = with(&["--user", "admin", "--password-file", &file, "--id", "door", "--add", &show, "--json"]);
    assert_eq!(said.json("added")["environment"], json!(["DOOR_PASSWORD"]));
    std::fs::write(&show, &new).unwrap();
    vistter_with(&["check", &show], &[("HALL_PASSWORD", SECRET)]).assert_code(0);
    vistter_with(&["run", &show, "--for", "2s", "--json"], &[("HALL_PASSWORD", SECRET)])
        .assert_code(0)
        .assert_never_says(SECRET);
    // For people.
    let said = with(&["--user", "admin", "--password-file", &file]);
    said.assert_code(0)
        .assert_says("first picture")
        .assert_says("ready for a show")
        .assert_says("CAM_127_0_0_1_PASSWORD");
    assert_eq!(sim.with(|d, _| d.wrong_passwords()), 0);
    // The password of the environment is the wrong one.
    let said = with(&["--user", "admin"]);
    said.assert_code(1).assert_says("FAILED").assert_says("next: check both").assert_says("not ready for a show");
    assert!((1..=3).contains(&sim.with(|d, _| d.wrong_passwords())));
    sim.trouble(Trouble::Html);
    with(&["--json"]).assert_code(1).assert_says("web page");
}

#[test]
fn a_stream_by_hand_and_what_cannot_be_onboarded() {
    let camera = GstCamera::start(&["size=320x240", "gop=25", "auth=digest", &format!("password={SECRET}")]);
    let said = vistter(&["onboard", &camera.url_with_credentials(), "--json"]);
    said.assert_code(0).assert_never_says(SECRET);
    assert_eq!(said.json("report")["camera"]["user"], "admin");
    let missing = format!("{}/none", camera.url_with_credentials());
    vistter(&["onboard", &missing]).assert_code(1).assert_says("no such stream").assert_never_says(SECRET);
    let push = format!("rtmp://127.0.0.1:{}/live/{SECRET}", free_port());
    let said = vistter(&["onboard", &push, "--wait", "0.2s"]);
    said.assert_code(1).assert_says("no encoder published").assert_never_says(SECRET);
    for bad in ["", "ftp://u:hunter2@h", "10.0.0.2:port", "rtmp://10.0.0.2/hunter2"] {
        vistter(&["onboard", bad]).assert_code(2).assert_never_says("hunter2").assert_says("give HOST");
    }
    vistter(&["onboard", "10.0.0.2", "--password-file", "/no/such/file"]).assert_code(2).assert_says("/no/such/file");
    vistter(&["onboard", "10.0.0.2", "--add", "/no/such/show.json"]).assert_code(2).assert_says("no such show file");
    vistter(&["onboard", "10.0.0.2", "--pin", "abc"]).assert_code(2).assert_says("64 hexadecimal digits");
    vistter(&["onboard", "10.0.0.2", "--size", "big"]).assert_code(2).assert_says("1280x720");
}
