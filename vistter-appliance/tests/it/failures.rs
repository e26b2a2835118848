//! Parts that break while the rest is on air.

use std::io::Read;
use std::net::TcpListener;

use serde_json::json;

use crate::judge::{check, spread};
use crate::peers::{GstCamera, Nginx, SmallDisk, TempDir, free_port, gray_frame};
use crate::vistter::{Running, show_file, small_program, vistter};

/// A hung, a dead and a rejecting destination: two good ones get the same bytes as the recording, all the same.
#[test]
fn bad_destinations_do_not_touch_the_good_ones() {
    let camera = GstCamera::start(&["size=640x360", "gop=25", "fps=25"]);
    let server = Nginx::start();
    let hung = TcpListener::bind("127.0.0.1:0").unwrap();
    let hung_at = hung.local_addr().unwrap();
    // Accepts and never reads.
    std::thread::spawn(move || hung.incoming().map_while(Result::ok).collect::<Vec<_>>());
    let dead = free_port();
    let dir = TempDir::new("bad-destinations");
    let show = show_file(
        dir.path(),
        &json!({
            "vistter": 1, "program": small_program(),
            "cameras": [ { "id": "one", "url": camera.url() } ],
            "timeline": { "shots": [ { "camera": "one", "for": 3 } ] },
            "destinations": [
                { "id": "hung", "url": format!("rtmp://{hung_at}/live"), "key": "topsecret-hung" },
                { "id": "good", "url": server.url("live"), "key": "good" },
                { "id": "dead", "url": format!("rtmp://127.0.0.1:{dead}/live"), "key": "topsecret-dead" },
                { "id": "rejecting", "url": server.url("auth"), "key": "topsecret-wrong" },
                { "id": "good-too", "url": server.url("live"), "key": "good-too" }
            ],
            "recording": { "file": "program.mp4" }
        }),
    );
    let said = vistter(&["run", &show, "--for", "10s", "--json"]);
    said.assert_code(4).assert_never_says("topsecret");
    let summary = said.json("summary");
    let recorded = check(&dir.join("program.mp4"), 30.0, said.skipped());
    for key in ["good", "good-too"] {
        let got = check(&server.recording(key), 30.0, said.skipped());
        assert!(got.video_frames >= 180, "{key}: {} frames", got.video_frames);
        got.assert_is_the_end_of(&recorded, key);
    }
    let trouble = summary["trouble"].to_string();
    for part in ["dead", "rejecting"] {
        assert!(trouble.contains(&format!("\"{part}: ")), "{part} is not named in {trouble}");
    }
    assert!(!trouble.contains("\"good"), "{trouble}");
    let outputs = summary["outputs"].as_array().unwrap();
    let error = |id: &str| outputs.iter().find(|o| o["id"] == id).unwrap()["last_error"].to_string();
    assert!(error("rejecting").contains("key"), "{}", error("rejecting"));
    assert!(error("dead").to_lowercase().contains("refused"), "{}", error("dead"));
}

/// A camera dies: the backup takes over; the backup dies too: the slate; both return: the camera is back on air. The
/// destination sees one unbroken stream.
#[test]
fn a_dead_camera_gives_way_to_the_backup_and_the_slate_and_returns() {
    let mut main = GstCamera::start(&["size=640x360", "gop=25", "hue=0"]);
    let mut backup = GstCamera::start(&["size=640x360", "gop=25", "hue=120"]);
    let server = Nginx::start();
    let dir = TempDir::new("fallback");
    let show = show_file(
        dir.path(),
        &json!({
            "vistter": 1, "program": small_program(),
            "cameras": [ { "id": "main", "url": main.url() }, { "id": "backup", "url": backup.url() } ],
            "timeline": { "shots": [ { "camera": "main", "for": 3 } ], "backup": "backup" },
            "destinations": [ { "id": "a", "url": server.url("live"), "key": "fallback" } ],
            "recording": { "file": "program.mp4" }
        }),
    );
    let mut running = Running::start(&["run", &show, "--json"], &[]);
    let on_air = |running: &mut Running, view: serde_json::Value| {
        running.wait_for(&format!("{view} on air"), |v| v["type"] == "status" && v["on_air"] == view);
    };
    on_air(&mut running, json!({ "camera": "main" }));
    running.wait_for("the destination", |v| v["outputs"][0]["state"] == "live");
    main.kill();
    on_air(&mut running, json!({ "camera": "backup" }));
    backup.kill();
    on_air(&mut running, json!("slate"));
    backup.start_again();
    on_air(&mut running, json!({ "camera": "backup" }));
    main.start_again();
    on_air(&mut running, json!({ "camera": "main" }));
    running.signal("TERM");
    let said = running.end(std::time::Duration::from_secs(30));
    said.assert_code(0);
    let recorded = check(&dir.join("program.mp4"), 30.0, said.skipped());
    let got = check(&server.recording("fallback"), 30.0, said.skipped());
    got.assert_is_the_end_of(&recorded, "the destination");
    assert_eq!(server.recordings("fallback").len(), 1, "one connection from start to end");
    let pictures = gray_frame(&dir.join("program.mp4"), 64, 36);
    assert!(pictures.iter().skip(30).all(|p| spread(p) > 5.0), "a black flash");
}

/// A show of one camera to one destination that records into `file` until that fails.
fn show_with_recording(dir: &TempDir, camera: &GstCamera, server: &Nginx, key: &str, file: &std::path::Path) -> String {
    show_file(
        dir.path(),
        &json!({
            "vistter": 1, "program": { "width": 640, "height": 360, "bitrate_kbps": 4000 },
            "cameras": [ { "id": "one", "url": camera.url() } ],
            "timeline": { "shots": [ { "camera": "one", "for": 3 } ] },
            "destinations": [ { "id": "a", "url": server.url("live"), "key": key } ],
            "recording": { "file": file }
        }),
    )
}

/// The recording's disk is full: the show goes on, and the message says what to do.
#[test]
fn a_full_disk_ends_the_recording_and_not_the_show() {
    let Some(disk) = SmallDisk::mount() else {
        return; // it has said so; the next test covers the same path with a limit that needs no root
    };
    let (dir, server) = (TempDir::new("full-disk"), Nginx::start());
    let camera = GstCamera::start(&["size=640x360", "gop=25"]);
    let show = show_with_recording(&dir, &camera, &server, "full-disk", &disk.join("program.mp4"));
    let said = vistter(&["run", &show, "--for", "10s", "--json"]);
    said.assert_code(4);
    let trouble = said.json("summary")["trouble"].to_string();
    assert!(trouble.contains("recording: ") && trouble.contains("free some space"), "{trouble}");
    check(&server.recording("full-disk"), 30.0, said.skipped());
}

/// A file that may not grow any more, as on a memory card with FAT at 4 GiB.
#[test]
fn a_file_that_cannot_grow_does_not_end_the_show() {
    let (dir, server) = (TempDir::new("file-limit"), Nginx::start());
    let camera = GstCamera::start(&["size=640x360", "gop=25"]);
    let show = show_with_recording(&dir, &camera, &server, "file-limit", &dir.join("program.mp4"));
    let limit = Running::with_file_limit(&["run", &show, "--for", "10s", "--json"], 1 << 20);
    let said = limit.end(std::time::Duration::from_secs(120));
    // It goes on in a further file, so the last moment may find it at work again.
    let summary = said.json("summary");
    let recording = summary["outputs"].as_array().unwrap().iter().find(|o| o["id"] == "recording").unwrap();
    assert!(recording["last_error"].to_string().contains("takes larger files"), "{recording:#}");
    check(&server.recording("file-limit"), 30.0, said.skipped());
    let size = std::fs::metadata(dir.join("program.mp4")).unwrap().len();
    assert!(size <= 1 << 20, "the limit of one mebibyte held: {size}");
    // What fitted stays playable.
    assert!(gray_frame(&dir.join("program.mp4"), 64, 36).len() >= 30);
}

/// A peer that accepts, reads one request and answers with `answer`, for ever.
pub fn server_that_says(answer: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut s in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while s.read(&mut request).is_ok_and(|n| n > 0) {
                    if !answer.is_empty() && std::io::Write::write_all(&mut s, answer).is_err() {
                        break;
                    }
                }
            });
        }
    });
    at
}
