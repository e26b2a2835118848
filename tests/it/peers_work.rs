//! The peers themselves: a test that leans on them is worth no more than they are.

use std::process::Command;

use crate::peers::*;

/// Copies from a camera to a destination for so many seconds; true if FFmpeg was content.
fn relay(camera: &str, destination: &str, seconds: u32) -> bool {
    let seconds = seconds.to_string();
    let input = ["-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", camera, "-t", &seconds];
    let output = ["-c", "copy", "-f", "flv", destination];
    let ended = Command::new("ffmpeg").args(input).args(output).output().expect("ffmpeg runs");
    if !ended.stderr.is_empty() {
        eprintln!("ffmpeg: {}", String::from_utf8_lossy(&ended.stderr));
    }
    ended.status.success()
}

#[test]
fn a_camera_reaches_nginx_and_its_faults_show() {
    let mut camera = GstCamera::start(&["size=320x240", "fps=30000/1001", "gop=30", "audio=aac", "auth=digest"]);
    let server = Nginx::start();
    assert!(relay(&camera.url_with_credentials(), &format!("{}/first", server.url("live")), 3));
    let recording = server.recording("first");
    ffmpeg_decodes(&recording);
    let probed = ffprobe_json(&recording, &["-show_streams"]);
    let video = &probed["streams"][0];
    assert_eq!((&video["width"], &video["codec_name"]), (&320.into(), &"h264".into()));
    assert_eq!(probed["streams"][1]["codec_name"], "aac");
    let frames = decode_i420(&recording, "");
    assert!(frames.len() > 60, "3 s are about 90 frames, got {}", frames.len());
    let plane = |data| Plane { data, stride: 320, width: 320, height: 240 };
    assert!(psnr(plane(&frames[0]), plane(&frames[0])).is_infinite());
    assert!(psnr(plane(&frames[0]), plane(&frames[30])) < 40.0, "the picture moves");

    assert!(!relay(&camera.url(), &format!("{}/none", server.url("live")), 1), "no password, no picture");
    camera.kill();
    assert!(!relay(&camera.url_with_credentials(), &format!("{}/none", server.url("live")), 1), "nobody listens");
    camera.restart(&["size=640x360"]);
    assert!(relay(&camera.url_with_credentials(), &format!("{}/second", server.url("live")), 1));
    let probed = ffprobe_json(&server.recording("second"), &["-show_streams"]);
    assert_eq!(probed["streams"][0]["width"], 640);
    assert!(camera.connections() >= 1);
}

#[test]
fn nginx_rejects_a_wrong_key_and_offers_every_certificate() {
    let camera = GstCamera::start(&["size=320x240", "gop=25"]);
    let mut server = Nginx::start_with(NginxOptions { tls: true, slow_bytes_per_second: Some(20_000) });
    assert!(relay(&camera.url(), &format!("{}/{}", server.url("auth"), Nginx::GOOD_KEY), 1));
    assert!(!relay(&camera.url(), &format!("{}/stolen", server.url("auth")), 3));
    assert!(server.recordings("stolen").is_empty());

    for kind in Certificate::ALL {
        let address = server.tls_url(kind, "live").replace("rtmps://", "").replace("/live", "");
        let verified = Command::new("openssl")
            .args([
                "s_client",
                "-verify_return_error",
                "-verify_hostname",
                "localhost",
                "-connect",
                &address,
                "-CAfile",
            ])
            .arg(Certs::shared().authority())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert_eq!(verified.status.success(), kind == Certificate::Good, "{kind:?}");
    }

    server.freeze();
    server.thaw();
    assert!(server.publishers().is_empty());
    server.kill();
    assert!(!relay(&camera.url(), &format!("{}/gone", server.url("live")), 1));
    server.start_again();
    assert!(relay(&camera.url(), &format!("{}/back", server.slow_url("live")), 1));
    assert!(server.recording("back").exists());
}
