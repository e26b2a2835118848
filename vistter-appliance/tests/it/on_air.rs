//! The main job: cameras of other makers in, two destinations and a recording out.

use serde_json::json;

use crate::judge::{check, spread};
use crate::peers::{Certificate, Certs, GstCamera, Nginx, NginxOptions, TempDir, gray_frame};
use crate::vistter::{Running, show_file, small_program, vistter, vistter_with};

/// Two cameras that could not differ more, cut back and forth, with an overlay, to nginx twice and to an MP4.
#[test]
fn two_cameras_reach_two_destinations_and_the_file() {
    let first = GstCamera::start(&[
        "profile=high",
        "bframes=2",
        "size=1280x720",
        "fps=25",
        "gop=25",
        "audio=aac",
        "auth=digest",
    ]);
    let second =
        GstCamera::start(&["profile=baseline", "size=640x480", "fps=30000/1001", "gop=30", "audio=ulaw", "hue=120"]);
    let server = Nginx::start();
    let dir = TempDir::new("on-air");
    std::fs::write(dir.join("box.json"), BOX).unwrap();
    let show = show_file(
        dir.path(),
        &json!({
            "vistter": 1,
            "program": small_program(),
            "audio": { "from": "program" },
            "cameras": [
                { "id": "one", "url": first.url(), "user": "admin", "password": { "env": "CAM_PASSWORD" } },
                { "id": "two", "url": second.url() }
            ],
            "overlays": [ { "id": "box", "file": "box.json" } ],
            "timeline": {
                "shots": [ { "camera": "one", "for": 3 }, { "camera": "two", "for": 3 } ],
                "overlays": [ { "overlay": "box" } ],
                "loop": true
            },
            "destinations": [
                { "id": "a", "url": server.url("live"), "key": "key-a" },
                { "id": "b", "url": format!("{}/key-b", server.url("live")) }
            ],
            "recording": { "file": "out/program.mp4" }
        }),
    );
    let said = vistter_with(&["run", &show, "--for", "10s", "--json"], &[("CAM_PASSWORD", "secret")]);
    said.assert_code(0).assert_never_says("key-a").assert_never_says("key-b").assert_never_says("secret");
    let summary = said.json("summary");
    assert_eq!(summary["frames"].as_u64().unwrap() + said.skipped(), 300, "{summary:#}");

    let mp4 = dir.join("out/program.mp4");
    let recorded = check(&mp4, 30.0, said.skipped());
    assert_eq!(recorded.video_frames as u64, summary["frames"].as_u64().unwrap());
    for key in ["key-a", "key-b"] {
        let got = check(&server.recording(key), 30.0, said.skipped());
        assert!(got.video_frames >= 180, "{key}: {} frames of 300", got.video_frames);
        got.assert_is_the_end_of(&recorded, key);
    }
    let pictures = gray_frame(&mp4, 64, 36);
    assert!(pictures.iter().skip(30).all(|p| spread(p) > 10.0), "a black or grey picture is on air");
    // The overlay's white box is in the upper left corner of every picture but the first.
    assert!(pictures.iter().skip(1).all(|p| p[3 * 64 + 3] > 200), "the overlay is missing somewhere");
}

/// Everything encrypted, and pictures in H.265: a camera behind TLS whose certificate is pinned, a destination behind TLS
/// whose authority stands in the show file.
#[test]
fn an_h265_camera_over_tls_reaches_a_destination_over_tls() {
    let certs = Certs::shared();
    let cert = format!("cert={}", certs.both(Certificate::SelfSigned).display());
    let camera = GstCamera::start(&[
        "codec=h265",
        "size=640x360",
        "fps=25",
        "gop=25",
        "kbps=800",
        "audio=aac",
        "auth=digest",
        &cert,
    ]);
    let server = Nginx::start_with(NginxOptions { tls: true, ..NginxOptions::default() });
    let dir = TempDir::new("tls");
    let show = |file: &str, pin: Option<String>, authority: Option<&std::path::Path>| {
        let camera_url = camera.url();
        assert!(camera_url.starts_with("rtsps://"), "{camera_url}");
        let mut one = json!({ "id": "one", "url": camera_url, "user": "admin", "password": "secret" });
        let mut a = json!({ "id": "a", "url": server.tls_url(Certificate::Good, "live"), "key": "tls-key" });
        pin.into_iter().for_each(|p| one["tls_pin"] = p.into());
        authority.into_iter().for_each(|f| a["ca_file"] = f.to_str().into());
        show_file(
            dir.path(),
            &json!({
                "vistter": 1, "program": small_program(), "audio": { "from": "program" },
                "cameras": [ one ], "timeline": { "shots": [ { "camera": "one", "for": 3 } ] },
                "destinations": [ a ], "recording": { "file": file }
            }),
        )
    };
    // Neither is trusted without being told to.
    let refused = vistter(&["run", &show("refused.mp4", None, None), "--for", "3s", "--json"]);
    refused.assert_code(4).assert_never_says("tls-key");
    let trouble = refused.json("summary")["trouble"].to_string();
    assert!(trouble.contains("camera one: ") && trouble.contains("\"a: "), "{trouble}");
    assert!(server.recordings("tls-key").is_empty());

    let said = vistter(&[
        "run",
        &show("tls.mp4", Some(certs.pin(Certificate::SelfSigned)), Some(&certs.authority())),
        "--for",
        "8s",
        "--json",
    ]);
    said.assert_code(0).assert_never_says("tls-key");
    let recorded = check(&dir.join("tls.mp4"), 30.0, said.skipped());
    let got = check(&server.recording("tls-key"), 30.0, said.skipped());
    assert!(got.video_frames >= 120, "{} frames of 240", got.video_frames);
    got.assert_is_the_end_of(&recorded, "the destination");
    let pictures = gray_frame(&dir.join("tls.mp4"), 64, 36);
    assert!(pictures.iter().skip(30).all(|p| spread(p) > 10.0), "a black or grey picture is on air");
}

/// Ctrl-C: files closed, destinations told, exit 0.
#[test]
fn a_signal_ends_it_cleanly() {
    let camera = GstCamera::start(&["size=640x360", "gop=25"]);
    let server = Nginx::start();
    for signal in ["INT", "TERM"] {
        let dir = TempDir::new("signal");
        let show = show_file(
            dir.path(),
            &json!({
                "vistter": 1, "program": small_program(),
                "cameras": [ { "id": "one", "url": camera.url() } ],
                "timeline": { "shots": [ { "camera": "one", "for": 3 } ] },
                "destinations": [ { "id": "a", "url": server.url("live"), "key": signal } ],
                "recording": { "file": "program.mp4" }
            }),
        );
        let mut running = Running::start(&["run", &show, "--json"], &[]);
        running.wait_for("two seconds on air", |v| {
            v["outputs"][0]["state"] == "live" && v["outputs"][0]["packets"].as_u64().is_some_and(|n| n > 100)
        });
        running.signal(signal);
        let said = running.end(std::time::Duration::from_secs(30));
        said.assert_code(0);
        let summary = said.json("summary");
        let recorded = check(&dir.join("program.mp4"), 30.0, said.skipped());
        assert_eq!(recorded.video_frames as u64, summary["frames"].as_u64().unwrap());
        let got = check(&server.recording(signal), 30.0, said.skipped());
        got.assert_is_the_end_of(&recorded, signal);
        assert!(server.publishers().iter().all(|p| p.key != signal), "the server was told");
    }
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while camera.clients() > 0 && std::time::Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(camera.clients(), 0, "the camera's connections are closed");
}

#[test]
fn probe_says_what_a_camera_sends() {
    let camera = GstCamera::start(&[
        "profile=high",
        "size=1280x720",
        "fps=25",
        "gop=50",
        "audio=aac",
        "auth=digest",
        "password=hunter2",
    ]);
    let url = camera.url_with_credentials();
    let said = vistter(&["probe", &url, "--for", "6s", "--json"]);
    said.assert_code(0).assert_never_says("hunter2");
    let v: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&v["video"]["codec"], &v["video"]["width"]), (&json!("h264"), &json!(1280)), "{v:#}");
    let fps = v["video"]["measured_fps"].as_f64().unwrap();
    assert!((fps - 25.0).abs() < 1.0, "{v:#}");
    assert_eq!(v["audio"]["codec"], "aac", "{v:#}");
    let human = vistter(&["probe", &url, "--for", "3s"]);
    human.assert_code(0).assert_says("1280x720").assert_never_says("hunter2");
}

#[test]
fn probe_pins_a_camera_that_nobody_vouches_for() {
    let cert = format!("cert={}", Certs::shared().both(Certificate::SelfSigned).display());
    let camera = GstCamera::start(&[&cert, "size=320x180", "kbps=200"]);
    let pin = Certs::shared().pin(Certificate::SelfSigned);
    vistter(&["probe", &camera.url(), "--for", "1s"])
        .assert_code(1)
        .assert_says(&format!("--pin) by its SHA-256 {pin}"));
    vistter(&["probe", &camera.url(), "--for", "1s", "--pin", &pin]).assert_code(0).assert_says("320x180");
    vistter(&["probe", &camera.url(), "--pin", "12"]).assert_code(2).assert_says("64 hexadecimal digits");
}

const BOX: &str = r##"{
  "ocl": "1.0", "canvas": { "width": 640, "height": 360 },
  "scenes": [ { "id": "box", "layers": [
    { "id": "b", "type": "rect", "width": 80, "height": 60, "color": "#FFFFFF",
      "position": { "anchor": "top-left", "x": 10, "y": 10 } }
  ] } ]
}"##;
