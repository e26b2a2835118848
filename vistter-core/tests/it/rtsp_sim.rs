//! The test camera, seen by FFmpeg's tools and by the RTSP source.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use vistter_core::ErrorKind;
use vistter_core::codec;
use vistter_core::config::{Credentials, Transport};
use vistter_core::media::{Bitrate, Codec, Frame, h264};
use vistter_core::ports::{PtzPosition, Source};
use vistter_core::sim::{CameraAuth, CameraSound, Steering, TestCamera, TestCameraConfig, barcode};
use vistter_core::source::RtspSource;
use vistter_core::time::{FrameRate, MediaTime};

use crate::rtsp::{config, watch};

fn small() -> TestCameraConfig {
    TestCameraConfig {
        name: "GATE 7".into(),
        id: 7,
        width: 640,
        height: 360,
        fps: FrameRate::new(25, 1).unwrap(),
        gop: 25,
        bitrate: Bitrate::from_kbps(800),
        loop_seconds: 3,
        ..Default::default()
    }
}

fn digest() -> CameraAuth {
    CameraAuth::Digest(Credentials { user: "u".into(), password: "pa:ss".into() })
}

/// The address with user and password in it, for other people's programs.
fn full_url(camera: &TestCamera) -> String {
    match camera.config().auth.credentials() {
        Some(c) => {
            let pass = c.password.expose().replace(':', "%3A");
            camera.url().url().replacen("://", &format!("://{}:{pass}@", c.user), 1)
        }
        None => camera.url().url().to_owned(),
    }
}

/// Streams and the first packets as `ffprobe` sees them.
fn ffprobe(camera: &TestCamera, transport: &str) -> serde_json::Value {
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-rtsp_transport", transport, "-of", "json", "-show_streams"])
        .args(["-show_packets", "-read_intervals", "%+2"])
        .arg(full_url(camera))
        .output()
        .expect("ffprobe (package ffmpeg) is installed");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_watches_over_tcp_with_aac_and_digest() {
    let c = TestCameraConfig { sound: CameraSound::Aac, auth: digest(), ..small() };
    let camera = TestCamera::start(c).await.unwrap();
    let seen = tokio::task::block_in_place(|| ffprobe(&camera, "tcp"));
    let streams = seen["streams"].as_array().unwrap();
    assert_eq!((streams[0]["codec_name"].as_str(), streams[0]["width"].as_u64()), (Some("h264"), Some(640)));
    assert_eq!((streams[1]["codec_name"].as_str(), streams[1]["sample_rate"].as_str()), (Some("aac"), Some("48000")));
    let pts: Vec<f64> = seen["packets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["codec_type"] == "video")
        .filter_map(|p| p["pts_time"].as_str()?.parse().ok())
        .collect();
    assert!(pts.len() > 20, "{pts:?}");
    assert!(pts.windows(2).all(|w| (w[1] - w[0] - 0.04).abs() < 0.001), "{pts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ffmpeg_decodes_over_udp_without_a_complaint() {
    let camera = TestCamera::start(TestCameraConfig { sound: CameraSound::Pcma, ..small() }).await.unwrap();
    let out = tokio::task::block_in_place(|| {
        Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-xerror", "-rtsp_transport", "udp", "-i"])
            .arg(full_url(&camera))
            .args(["-t", "4", "-f", "null", "-"])
            .output()
            .expect("ffmpeg is installed")
    });
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_in_the_pictures_run_on() {
    for (transport, auth) in [(Transport::Tcp, digest()), (Transport::Udp, CameraAuth::Open)] {
        let camera = TestCamera::start(TestCameraConfig { auth, sound: CameraSound::Pcmu, ..small() }).await.unwrap();
        let mut s = RtspSource::new(vistter_core::source::RtspConfig::new(camera.url()).transport(transport));
        s.open().await.unwrap();
        // More than a loop of 75.
        let seen = watch(&mut s, |w| w.video.len() >= 100 && w.audio.len() > 150).await.unwrap();
        assert!(seen.video[0].keyframe);
        let mut decoder = codec::decoder_for(seen.params[0].video.as_ref().unwrap()).unwrap();
        let mut numbers = Vec::new();
        for p in &seen.video {
            decoder.decode(p, &mut |f| numbers.push((barcode::read_mark(&f).unwrap(), f.pts()))).unwrap();
        }
        decoder.flush(&mut |f| numbers.push((barcode::read_mark(&f).unwrap(), f.pts()))).unwrap();
        assert!(numbers.len() >= 95, "{}", numbers.len());
        for w in numbers.windows(2) {
            assert_eq!(w[0].0.camera, 7);
            assert_eq!((w[0].0.frame + 1) % 75, w[1].0.frame, "no picture is missing");
            assert_eq!((w[1].1 - w[0].1).millis(), 40);
        }
        // Sound and picture start together and stay so.
        let beep = |p: &&vistter_core::media::Packet| p.data.iter().any(|b| b & 0x7f < 0x60);
        let first = seen.audio.iter().find(beep).unwrap().pts;
        let flash = numbers.iter().find(|n| n.0.frame % 25 == 0 && n.1 + MediaTime::from_millis(60) > first);
        assert!(flash.unwrap().1.abs_diff(first).millis() <= 41, "beep at {first:?}, flash at {flash:?}");
        s.close().await;
        assert_eq!(camera.teardowns(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_come_when_ordered() {
    let mut camera = TestCamera::start(TestCameraConfig { gop: 5, ..small() }).await.unwrap();
    let mut c = config(camera.url().url());
    c.timeouts.silence = Duration::from_secs(1);
    let mut s = RtspSource::new(c);
    s.open().await.unwrap();
    let before = watch(&mut s, |w| w.video.len() >= 5).await.unwrap().video[4].pts;
    camera.jump_clock(MediaTime::from_secs(1000));
    let after = watch(&mut s, |w| w.video.len() >= 5).await.unwrap().video[4].pts;
    assert!((after - before).millis() > 999_000);

    camera.stall();
    let e = watch(&mut s, |_| false).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Timeout);
    s.close().await;
    camera.resume();
    s.open().await.unwrap();
    watch(&mut s, |w| w.video.len() >= 2).await.unwrap();

    camera.drop_connections();
    let e = watch(&mut s, |_| false).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Closed, "{e}");

    camera.switch_off();
    // The listener closes when its aborted task is dropped, which is soon but not now.
    let refused = async { while s.open().await.unwrap_err().kind() != ErrorKind::Refused {} };
    tokio::time::timeout(Duration::from_secs(30), refused).await.unwrap();
    camera.switch_on(|c| (c.width, c.height) = (320, 180)).await.unwrap();
    s.open().await.unwrap();
    let seen = watch(&mut s, |w| w.video.len() >= 2).await.unwrap();
    assert_eq!(seen.params[0].video.as_ref().map(|v| (v.codec, v.width)), Some((Codec::H264, 320)));
    camera.set_loss(30.0);
    watch(&mut s, |w| w.lost > 0).await.unwrap();
    camera.set_loss(0.0);
    camera.freeze();
    let e = watch(&mut s, |_| false).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Timeout);
}

/// Damage arrives as damage: whole units of the right length with other bytes. It costs pictures up to the next keyframe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn corrupted_units_cost_pictures_until_the_next_keyframe() {
    const LOOP: usize = 25;
    const DAMAGED: usize = 3;
    // A loop of one second with five keyframes: the first loop that comes shows what the others must be.
    let camera = TestCamera::start(TestCameraConfig { gop: 5, loop_seconds: 1, ..small() }).await.unwrap();
    let mut s = RtspSource::new(config(camera.url().url()));
    s.open().await.unwrap();
    let mut seen = watch(&mut s, |w| w.video.len() >= LOOP).await.unwrap();
    camera.corrupt(DAMAGED as u32);
    let after = watch(&mut s, |w| w.video.len() >= 2 * LOOP).await.unwrap();
    assert_eq!(seen.lost + after.lost, 0, "damage is not loss");
    seen.video.extend(after.video);
    let params = seen.params[0].video.as_ref().unwrap();

    let clean = |i: usize| &seen.video[i % LOOP];
    let damaged: Vec<usize> = (0..seen.video.len()).filter(|i| seen.video[*i].data != clean(*i).data).collect();
    let first = damaged[0];
    assert_eq!(damaged, (first..first + DAMAGED).collect::<Vec<_>>(), "that many, one after the other, and no more");
    for i in damaged {
        let lengths = |p: &vistter_core::media::Packet| -> Vec<(usize, u8)> {
            h264::avcc_units(&p.data).map(|u| u.map(|u| (u.len(), h264::nal_type(u))).unwrap()).collect()
        };
        assert_eq!(lengths(&seen.video[i]), lengths(clean(i)), "unit {i} keeps its lengths and headers");
        assert_eq!(seen.video[i].keyframe, clean(i).keyframe);
    }

    let mut decoder = codec::decoder_for(params).unwrap();
    let (mut pictures, mut errors) = (Vec::new(), 0);
    for p in &seen.video {
        errors += usize::from(decoder.decode(p, &mut |f| pictures.push(f)).is_err());
    }
    decoder.flush(&mut |f| pictures.push(f)).unwrap();
    let planes = |f: &Frame| -> Vec<Vec<u8>> {
        (0..3).flat_map(|i| (0..f.plane(i).height).map(move |y| f.plane(i).row(y).to_vec())).collect()
    };
    let shown = |i: usize| pictures.iter().find(|f| f.pts() == seen.video[i].pts).map(&planes);
    let right: Vec<bool> =
        (0..seen.video.len()).map(|i| shown(i).is_some_and(|p| Some(p) == shown(i % LOOP))).collect();
    let next = (first + DAMAGED..seen.video.len()).find(|i| seen.video[*i].keyframe).expect("keyframes go on");
    assert!(right[..first].iter().all(|r| *r), "before the damage every picture is right: {right:?}");
    assert!(!right[first..next].iter().all(|r| *r) || errors > 0, "damage shows, as an error or in the pictures");
    assert!(right[next..].iter().all(|r| *r), "from the keyframe at {next} on every picture is right: {right:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_viewers_and_a_wrong_password() {
    let camera = TestCamera::start(TestCameraConfig { auth: digest(), ..small() }).await.unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut s = RtspSource::new(vistter_core::source::RtspConfig::new(camera.url()));
        s.open().await.unwrap();
        viewers.push(s);
    }
    for s in &mut viewers {
        watch(s, |w| w.video.len() >= 3).await.unwrap();
    }
    assert_eq!(camera.viewers(), 3);
    let e = RtspSource::new(config(camera.url().url())).open().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unauthorized);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plays_a_stream_made_by_others() {
    let out = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"])
        .args(["-c:v", "libx264", "-bf", "0", "-g", "25", "-pix_fmt", "yuv420p", "-f", "h264", "-"])
        .output()
        .expect("ffmpeg is installed");
    let camera =
        TestCamera::from_annex_b(TestCameraConfig { parameters_in_sdp: false, ..small() }, out.stdout).await.unwrap();
    let mut s = RtspSource::new(config(camera.url().url()));
    s.open().await.unwrap();
    let seen = watch(&mut s, |w| w.video.len() >= 60).await.unwrap();
    assert_eq!(seen.params[0].video.as_ref().map(|v| v.width), Some(320));
    assert_eq!(seen.video.iter().filter(|p| p.keyframe).count(), 3);
    assert!(TestCamera::from_annex_b(small(), vec![0; 100]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_steered_camera_shows_where_it_looks() {
    let pan = Arc::new(AtomicI32::new(-500));
    let asked = pan.clone();
    let position = move || PtzPosition { pan: asked.load(Ordering::SeqCst) as f32 / 1000.0, tilt: 0.25, zoom: 0.5 };
    let steering = Some(Steering::new(position));
    let camera = TestCamera::start(TestCameraConfig { steering, ..small() }).await.unwrap();
    let mut s = RtspSource::new(config(camera.url().url()));
    s.open().await.unwrap();
    let mut params = None;
    let mut places = Vec::new();
    let mut decoder = None;
    for at in [-500, 700] {
        pan.store(at, Ordering::SeqCst);
        // What was on the way is of the old place.
        let seen = watch(&mut s, |w| w.video.len() >= 15).await.unwrap();
        params = seen.params.first().and_then(|p| p.video.clone()).or(params);
        let decoder = decoder.get_or_insert_with(|| codec::decoder_for(params.as_ref().unwrap()).unwrap());
        for p in &seen.video {
            decoder.decode(p, &mut |f| places.push((barcode::read_mark(&f), barcode::read_view(&f)))).unwrap();
        }
    }
    let pans: Vec<f32> = places.iter().map(|p| p.1.expect("a position is in each picture").pan).collect();
    assert!((pans[0] + 0.5).abs() < 0.003 && (pans[pans.len() - 1] - 0.7).abs() < 0.003, "{pans:?}");
    assert!(pans.windows(2).all(|w| w[0] <= w[1] + 1e-6), "one change: {pans:?}");
    assert!(places.iter().all(|p| (p.1.unwrap().tilt - 0.25).abs() < 0.003 && (p.1.unwrap().zoom - 0.5).abs() < 0.002));
    // A machine that is too slow leaves pictures out, but never turns back.
    assert!(places.windows(2).all(|w| w[0].0.unwrap().frame < w[1].0.unwrap().frame));
    s.close().await;
}
