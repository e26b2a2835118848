//! Wrong input: a clear message with the next step, the rest goes on, no panic, no secret.

use serde_json::json;

use crate::failures::server_that_says;
use crate::peers::{GstCamera, TempDir, free_port};
use crate::vistter::{Said, show_file, small_program, vistter, vistter_with};

const SECRET: &str = "hunter2-do-not-print";

fn probe(url: &str) -> Said {
    let said = vistter(&["probe", url, "--for", "2s", "--log", "trace"]);
    said.assert_never_says(SECRET).assert_never_says("panicked");
    said
}

#[test]
fn usage() {
    let said = vistter(&[]);
    said.assert_code(2).assert_says("vistter demo");
    vistter(&["rnu"]).assert_code(2).assert_says("Did you mean: vistter run");
    vistter(&["broadcast"]).assert_code(2).assert_says("Commands: run, demo, probe");
    vistter(&["run"]).assert_code(2).assert_says("<SHOW>");
    vistter(&["run", "x.json", "--for", "soon"]).assert_code(2).assert_says("20s");
    vistter(&["probe", &format!("htp://u:{SECRET}@h/")]).assert_code(2).assert_never_says(SECRET);
    vistter(&["probe", &format!("u:{SECRET}@h/x")]).assert_code(2).assert_never_says(SECRET);
    vistter(&["--help"]).assert_code(0).assert_says("Exit codes");
    let schema = vistter(&["schema", "show"]);
    schema.assert_code(0);
    assert!(serde_json::from_str::<serde_json::Value>(&schema.out).unwrap()["properties"]["cameras"].is_object());
    let doctor = vistter(&["doctor", "--json"]);
    doctor.assert_code(0);
    let v: serde_json::Value = serde_json::from_str(&doctor.out).unwrap();
    assert_eq!((&v["encoders"][0]["name"], &v["encoders"][0]["usable"]), (&json!("openh264"), &json!(true)), "{v:#}");
}

#[test]
fn cameras_that_cannot_be_had() {
    let refused = probe(&format!("rtsp://admin:{SECRET}@127.0.0.1:{}/x", free_port()));
    refused.assert_code(1).assert_says("refused");
    let unknown = probe(&format!("rtsp://admin:{SECRET}@no-such-host.invalid/x"));
    unknown.assert_code(1).assert_says("no-such-host.invalid");
    let rubbish = server_that_says(b"\x16\x03\x01 what? \r\n\r\n\xff\xfe 200 OK");
    probe(&format!("rtsp://admin:{SECRET}@{rubbish}/x")).assert_code(1).assert_says("RTSP");
    let web = server_that_says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    probe(&format!("rtsp://admin:{SECRET}@{web}/x")).assert_code(1);
    let silent = server_that_says(b"");
    let said = probe(&format!("rtsp://admin:{SECRET}@{silent}/x"));
    said.assert_code(1).assert_says("within");

    let camera = GstCamera::start(&["size=320x240", "gop=25", "auth=digest"]);
    let wrong = camera.url().replacen("://", &format!("://admin:{SECRET}@"), 1);
    probe(&wrong).assert_code(1).assert_says("password");
    let path = camera.url_with_credentials().replace("/cam", "/nothing-here");
    probe(&path).assert_code(1);
}

/// All of them in one show, and a good camera beside them: it goes on air.
#[test]
fn a_show_full_of_faults_still_goes_on_air() {
    let good = GstCamera::start(&["size=640x360", "gop=25"]);
    let locked = GstCamera::start(&["size=320x240", "gop=25", "auth=basic"]);
    let dir = TempDir::new("faults");
    std::fs::write(dir.join("broken.json"), "{ \"ocl\": \"1.0\", \"scenes\": [ { \"id\": 5 } ] }").unwrap();
    let show = show_file(
        dir.path(),
        &json!({
            "vistter": 1, "program": small_program(),
            "cameras": [
                { "id": "refused", "url": format!("rtsp://127.0.0.1:{}/x", free_port()) },
                { "id": "silent", "url": format!("rtsp://{}/x", server_that_says(b"")) },
                { "id": "rubbish", "url": format!("rtsp://{}/x", server_that_says(b"\0\0\0\0 rubbish\r\n")) },
                { "id": "locked", "url": locked.url(), "user": "admin", "password": SECRET },
                { "id": "good", "url": good.url() }
            ],
            "overlays": [ { "id": "gone", "file": "gone.json" }, { "id": "broken", "file": "broken.json" } ],
            "timeline": {
                "shots": [ { "camera": "refused", "for": 1 }, { "camera": "good", "for": 60 } ],
                "overlays": [ { "overlay": "gone" }, { "overlay": "broken" } ]
            },
            "recording": { "file": "program.mp4" }
        }),
    );
    let said = vistter(&["run", &show, "--for", "8s", "--json", "--log", "trace"]);
    said.assert_code(4).assert_never_says(SECRET).assert_never_says("panicked");
    said.assert_says("overlay gone does not work, the rest goes on").assert_says("overlay broken does not work");
    let summary = said.json("summary");
    assert_eq!(summary["on_air"], json!({ "camera": "good" }), "{summary:#}");
    let trouble = summary["trouble"].to_string();
    for camera in ["refused", "rubbish", "locked"] {
        assert!(trouble.contains(&format!("camera {camera}: ")), "{camera} is not in {trouble}");
    }
    crate::judge::check(&dir.join("program.mp4"), 30.0, said.skipped());

    let checked = vistter(&["check", &show, "--json"]);
    checked.assert_code(3).assert_says("gone.json").assert_says("broken.json");
}

#[test]
fn show_files_with_slips() {
    let dir = TempDir::new("slips");
    let show = show_file(
        dir.path(),
        &json!({
            "vistter": 1,
            "cameras": [ { "id": "door", "ulr": format!("rtsp://a:{SECRET}@h/") } ],
            "timeline": { "shots": [ { "camera": "doro", "for": 3 } ] },
            "destinations": [ { "id": "yt", "url": "rtmp://h/live", "kye": SECRET } ]
        }),
    );
    for command in ["check", "run"] {
        let said = vistter(&[command, &show]);
        said.assert_code(3).assert_says("did you mean \"url\"?").assert_says("did you mean \"key\"?");
        said.assert_says(&format!("{show}:5:")).assert_never_says(SECRET);
    }
    let missing = show.replace("show.json", "shwo.json");
    vistter(&["run", &missing])
        .assert_code(3)
        .assert_says("did you mean \"show.json\"?")
        .assert_says("shwo.json: error[");
    std::fs::write(&show, format!("{{ \"vistter\": 1, \"destinations\": [ {{ \"key: \"{SECRET}\" }} ] }}")).unwrap();
    vistter(&["check", &show]).assert_code(3).assert_says("JSON-SYNTAX").assert_never_says(SECRET);
    std::fs::write(&show, "{ \"vistter\": 1, \"cameras\": [ { \"id\": \"a\", \"url\": { \"env\": \"CAM\" } } ] }")
        .unwrap();
    vistter(&["check", &show]).assert_code(3).assert_says("the environment variable CAM is not set");
    vistter_with(&["check", &show], &[("CAM", "rtsp://127.0.0.1/")]).assert_code(0);
    for (fragment, word) in [("onvif://127.0.0.1#stop=never", "zero"), ("visca://127.0.0.1#units=cannon", "sony-x1000")]
    {
        let camera = json!({ "id": "a", "url": "rtsp://127.0.0.1/", "ptz": { "url": fragment } });
        std::fs::write(&show, json!({ "vistter": 1, "cameras": [camera] }).to_string()).unwrap();
        vistter(&["check", &show]).assert_code(3).assert_says("/cameras/0/ptz/url").assert_says(word);
    }
}
