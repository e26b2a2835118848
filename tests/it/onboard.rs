//! Onboarding against a real RTSP server behind our simulated ONVIF device, and against everything that goes wrong.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vistter::Secret;
use vistter::core::clock::SystemClock;
use vistter::core::config::Credentials;
use vistter::core::health::HealthState;
use vistter::core::sim::{TestCamera, TestCameraConfig};
use vistter::core::testing::until;
use vistter::core::time::MediaTime;
use vistter::onboard::{OnboardOptions, Progress, Report, Step, StepName, StepResult, Target, onboard};
use vistter::ptz::sim::{OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, SimProfile, StoredPreset, TlsIdentity, Trouble};

use crate::peers::{Certificate, Certs, GstCamera, free_port};

const PASSWORD: &str = "hunter2-do-not-print";

async fn device(spec: OnvifSpec) -> OnvifSim {
    OnvifSim::start(OnvifDevice::new(spec), 0, SystemClock::shared()).await.unwrap()
}
fn guarded(http_digest: bool, ws_digest: bool, ws_text: bool) -> OnvifAuth {
    let password = Some(("admin".into(), Secret::from(PASSWORD)));
    OnvifAuth { password, http_digest, ws_digest, ws_text, ..OnvifAuth::default() }
}
fn who(password: &str) -> Option<Credentials> {
    Some(Credentials { user: "admin".into(), password: Secret::from(password) })
}
/// Only these ports are asked: whatever else runs on this machine is none of the test's business.
fn options() -> OnboardOptions {
    let mut o = OnboardOptions::default();
    (o.onvif_ports, o.rtsp_ports) = (Vec::new(), Vec::new());
    o.within = MediaTime::from_secs(60);
    o.rtsp.connect = Duration::from_secs(30);
    o.rtsp.first_frame = Duration::from_secs(30);
    o
}
fn onvif(host: &str, port: u16) -> Target {
    Target::parse(&format!("{host}:{port}")).unwrap().0
}
fn at(sim: &OnvifSim) -> Target {
    onvif("127.0.0.1", sim.address().port())
}
async fn run(target: &Target, password: Option<Credentials>, options: &OnboardOptions) -> Report {
    let told = Mutex::new(Vec::new());
    let mut tell = |p: Progress<'_>| {
        if let Progress::Done(s) = p {
            told.lock().unwrap().push(s.clone());
        }
    };
    let report = onboard(target, password, options, &mut tell).await;
    assert_eq!(told.into_inner().unwrap(), report.steps, "what is told is what is reported");
    let said = format!("{} {report:?}", serde_json::to_string(&report).unwrap());
    assert!(!said.contains(PASSWORD), "{said}");
    report
}
fn step(report: &Report, name: StepName) -> &Step {
    report.step(name).unwrap_or_else(|| panic!("no {name:?} in {report:#?}"))
}
fn result(report: &Report, name: StepName) -> StepResult {
    step(report, name).result
}
/// That step failed for that reason, with a next step; nothing came after it but, perhaps, the head.
fn fails(report: &Report, name: StepName, kind: &str, word: &str) {
    let s = step(report, name);
    assert_eq!((s.result, s.kind.as_deref()), (StepResult::Failed, Some(kind)), "{report:#?}");
    assert!(s.said.contains(word) && !report.ok, "{word:?} is not in {s:?}");
}

/// A plain simulated camera for the tests in which the picture does not matter.
async fn small_camera() -> TestCamera {
    TestCamera::start(TestCameraConfig { width: 320, height: 180, loop_seconds: 2, ..TestCameraConfig::default() })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_camera_with_a_wrong_clock() {
    let camera = tokio::task::spawn_blocking(|| {
        GstCamera::start(&["size=1280x720", "gop=20", "audio=aac", "auth=digest", &format!("password={PASSWORD}")])
    });
    let camera = camera.await.unwrap();
    let profiles = vec![
        SimProfile { encoding: "H265".into(), ..SimProfile::h264("hevc", (1920, 1080), 4000) },
        SimProfile { stream: Some("rtsp://127.0.0.1:1/none".into()), ..SimProfile::h264("sub", (640, 360), 500) },
        SimProfile { gop: 20, ..SimProfile::h264("main", (1280, 720), 2000) },
    ];
    // The device names a host of its own, and puts a password into the address: neither is taken.
    let stream = camera.url().replace("://127.0.0.1", "://root:root@localhost");
    let skew = MediaTime::from_secs(-20);
    let sim =
        device(OnvifSpec { auth: guarded(false, true, false), stream, profiles, skew, ..OnvifSpec::default() }).await;
    sim.with(|d, _| {
        let preset =
            |n: u32| StoredPreset { token: n.to_string(), name: format!("view {n}"), position: Default::default() };
        d.presets().extend([preset(1), preset(2)]);
    });
    let report = run(&at(&sim), who(PASSWORD), &options()).await;
    assert!(report.ok, "{report:#?}");
    let names: Vec<StepName> = report.steps.iter().map(|s| s.step).collect();
    use StepName::*;
    let all = [
        Reachable,
        ClockSkew,
        Authenticated,
        DeviceInformation,
        Profiles,
        ProfileChosen,
        StreamUri,
        RtspHandshake,
        FirstFrame,
        Measured,
        Audio,
        PtzNode,
        Presets,
    ];
    assert_eq!(names, all);
    for s in &report.steps {
        let want = if s.step == ClockSkew { StepResult::Warned } else { StepResult::Passed };
        // The rate of a loaded machine is what it is.
        assert!(s.result == want || s.step == Measured && s.result == StepResult::Warned, "{s:?}");
    }
    let d = report.device.as_ref().unwrap();
    assert!((d.clock_skew_secs.unwrap() + 20.0).abs() < 2.0, "{d:?}");
    assert_eq!((d.method.as_deref(), d.model.as_str()), (Some("ws_digest"), "Simulated PTZ"));
    assert_eq!(report.chosen.as_ref().unwrap().token, "main", "{:?}", report.chosen);
    let s = report.stream.as_ref().unwrap();
    assert_eq!((s.width, s.height, s.codec), (1280, 720, vistter::core::media::Codec::H264));
    assert!(s.gop_frames.is_some_and(|g| g <= 20) && s.audio.as_ref().is_some_and(|a| a.heard), "{s:?}");
    let p = report.ptz.as_ref().unwrap();
    assert_eq!((p.presets, p.max_presets, p.limits.unwrap().zoom), (Some(2), Some(300), Some([0.0, 1.0])));
    let picture = report.picture.as_ref().unwrap();
    assert_eq!(picture.size(), (1280, 720));
    let (low, high) = picture.plane(0).row(360).iter().fold((255, 0), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(high - low > 100, "a test picture has light and dark: {low} to {high}");
    assert_eq!(sim.with(|d, _| d.wrong_passwords()), 0);
    // The entry is a camera of a show.
    let entry = report.camera.clone().unwrap();
    let show = serde_json::json!({ "vistter": 1, "cameras": [entry], "timeline": { "shots": [{ "camera": "cam-127-0-0-1", "for": 5 }] } });
    let (show, _) = vistter::ShowConfig::from_json_with(&show.to_string(), &|_| Some(PASSWORD.into())).unwrap();
    assert_eq!(show.cameras[0].url.url(), camera.url());
    assert_eq!(show.cameras[0].password.as_ref().unwrap().expose(), PASSWORD);
    assert_eq!(show.cameras[0].presets.len(), 2);
}

/// What onboarding prints is a camera that a show moves, and whose control it watches.
#[tokio::test(flavor = "multi_thread")]
async fn from_the_report_to_the_show() {
    let camera = small_camera().await;
    let auth = guarded(true, false, false);
    let sim = device(OnvifSpec { auth, stream: camera.url().url().into(), ..OnvifSpec::default() }).await;
    let far = vistter::core::ports::PtzPosition { pan: 0.5, tilt: 0.0, zoom: 0.5 };
    sim.with(|d, _| d.presets().push(StoredPreset { token: "T1".into(), name: "far".into(), position: far }));
    let report = run(&at(&sim), who(PASSWORD), &options()).await;
    assert!(report.ok, "{report:#?}");
    let show = serde_json::json!({
        "vistter": 1, "program": { "width": 320, "height": 180, "fps": 15, "bitrate_kbps": 300 },
        "cameras": [report.camera],
        "timeline": { "shots": [{ "camera": "cam-127-0-0-1", "preset": "far", "for": 600 }] }
    });
    let (show, _) = vistter::ShowConfig::from_json_with(&show.to_string(), &|_| Some(PASSWORD.into())).unwrap();
    let session = vistter::start(show, std::path::Path::new(".")).await.unwrap();
    until("the head is online and stands at the preset", || {
        let head = &session.status().heads[0];
        let online =
            head.health.as_ref().is_some_and(|h| h.state == HealthState::Online && h.clock_skew_secs.is_some());
        online && head.preset.as_deref() == Some("far")
    })
    .await;
    session.stop().await;
    assert_eq!(sim.with(|d, _| d.wrong_passwords()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_in_each_way() {
    for (what, auth, most) in [
        ("HTTP Digest", guarded(true, false, false), 3),
        ("WS digest", guarded(false, true, false), 2),
        ("text", guarded(false, false, true), 2),
        ("everything", guarded(true, true, true), 3),
    ] {
        let sim = device(OnvifSpec { auth, ..OnvifSpec::default() }).await;
        let report = run(&at(&sim), who("wrong-password"), &options()).await;
        fails(&report, StepName::Authenticated, "Unauthorized", "user or password");
        assert!(step(&report, StepName::Authenticated).next.as_ref().unwrap().contains("ONVIF account"));
        assert_eq!(report.steps.last().unwrap().step, StepName::Authenticated, "nothing is asked after it");
        let tries = sim.with(|d, _| d.wrong_passwords());
        assert!((1..=most).contains(&tries), "{what}: {tries} tries");
        assert!(!format!("{report:?}").contains("wrong-password"));
        let report = run(&at(&sim), None, &options()).await;
        fails(&report, StepName::Authenticated, "Unauthorized", "wants a user and a password");
        assert_eq!(sim.with(|d, _| d.wrong_passwords()), tries, "no password, no try");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h265_only_works_and_names_the_profile_to_switch() {
    let camera =
        tokio::task::spawn_blocking(|| GstCamera::start(&["codec=h265", "size=640x360", "gop=25"])).await.unwrap();
    let profiles = vec![SimProfile { encoding: "H265".into(), ..SimProfile::h264("hall-main", (640, 360), 2000) }];
    let sim = device(OnvifSpec { stream: camera.url(), profiles, fixed: true, ..OnvifSpec::default() }).await;
    let report = run(&at(&sim), None, &options()).await;
    assert!(report.ok && report.picture.is_some(), "{report:#?}");
    let chosen = step(&report, StepName::ProfileChosen);
    assert_eq!(chosen.result, StepResult::Warned);
    let next = chosen.next.as_ref().unwrap();
    assert!(next.contains("\"hall-main\" to H.264") && next.contains("H.265 works"), "{next}");
    assert_eq!(result(&report, StepName::PtzNode), StepResult::Skipped, "a fixed camera");
    assert!(report.ptz.is_none() && report.device.unwrap().method.as_deref() == Some("none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_instead_of_a_camera() {
    let mut o = options();
    o.exchange_within = MediaTime::from_millis(700);
    for (trouble, kind, word) in [
        (Trouble::Html, "Protocol", "web page"),
        (Trouble::Huge(20_000_000), "Limit", "limit"),
        (Trouble::Silent, "Timeout", "did not answer"),
        (Trouble::Rtsp, "Refused", "RTSP answers at port"),
        (Trouble::Cut, "Closed", "in the middle"),
    ] {
        let sim = device(OnvifSpec::default()).await;
        sim.trouble(trouble);
        let report = run(&at(&sim), who(PASSWORD), &o).await;
        fails(&report, StepName::Reachable, kind, word);
        assert_eq!(report.steps.len(), 1);
        assert!(step(&report, StepName::Reachable).next.is_some(), "{report:#?}");
        // It begins well, and then it breaks.
        let sim = Arc::new(device(OnvifSpec { auth: guarded(true, true, true), ..OnvifSpec::default() }).await);
        let late = sim.clone();
        let mut tell = move |p: Progress<'_>| {
            if matches!(p, Progress::Begun(StepName::Authenticated)) {
                late.trouble(trouble);
            }
        };
        let report = onboard(&at(&sim), who(PASSWORD), &o, &mut tell).await;
        let kind = if trouble == Trouble::Rtsp { "Protocol" } else { kind };
        assert_eq!(report.failure().map(|s| s.kind.clone().unwrap()), Some(kind.to_owned()), "{report:#?}");
        assert!(report.device.is_some() && report.steps.len() >= 3, "complete as far as it came: {report:#?}");
    }
    // Nobody at all, and a name that is none.
    let report = run(&onvif("127.0.0.1", free_port()), None, &o).await;
    fails(&report, StepName::Reachable, "Refused", "nothing answers");
    let report = run(&onvif("no-such-camera.invalid", 80), None, &o).await;
    fails(&report, StepName::Reachable, "NameResolution", "no-such-camera.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn onvif_is_off_or_at_another_port() {
    let camera = small_camera().await;
    let (closed, rtsp) = (free_port(), camera.addr().port());
    let mut o = options();
    o.rtsp_ports = vec![closed, rtsp];
    let target = onvif("127.0.0.1", closed);
    let report = run(&target, None, &o).await;
    fails(&report, StepName::Reachable, "Refused", &format!("RTSP answers at port {rtsp}"));
    assert!(step(&report, StepName::Reachable).next.as_ref().unwrap().contains(&format!("rtsp://127.0.0.1:{rtsp}/")));
    // A half-open port where it was configured, the device elsewhere.
    let (half, sim) = (
        device(OnvifSpec::default()).await,
        device(OnvifSpec { stream: camera.url().url().into(), ..OnvifSpec::default() }).await,
    );
    half.trouble(Trouble::Silent);
    o.onvif_ports = vec![closed, sim.address().port()];
    o.exchange_within = MediaTime::from_secs(2);
    let report = run(&at(&half), None, &o).await;
    let s = step(&report, StepName::Reachable);
    assert!(
        s.result == StepResult::Warned && s.next.as_ref().unwrap().contains(&sim.address().port().to_string()),
        "{s:?}"
    );
    assert!(report.ok, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_faults_cost_what_they_are_about() {
    let camera = small_camera().await;
    let spec = OnvifSpec { stream: camera.url().url().into(), ..OnvifSpec::default() };
    let with = |faults: &[&str]| OnvifSpec { faults: faults.iter().map(|f| (*f).to_owned()).collect(), ..spec.clone() };
    let sim = device(with(&["GetDeviceInformation", "GetPresets", "GetSystemDateAndTime"])).await;
    let report = run(&at(&sim), None, &options()).await;
    assert!(report.ok, "{report:#?}");
    for name in [StepName::DeviceInformation, StepName::Presets] {
        assert_eq!(
            (result(&report, name), step(&report, name).kind.as_deref()),
            (StepResult::Failed, Some("Rejected"))
        );
    }
    assert!(report.ptz.is_some_and(|p| p.presets.is_none()));
    let sim = device(with(&["GetProfiles"])).await;
    let report = run(&at(&sim), None, &options()).await;
    fails(&report, StepName::Profiles, "Rejected", "internal error");
    let sim = device(with(&["GetStreamUri"])).await;
    let report = run(&at(&sim), None, &options()).await;
    fails(&report, StepName::StreamUri, "Rejected", "internal error");
    assert_eq!(result(&report, StepName::PtzNode), StepResult::Passed, "the head is there all the same");
    // The stream that the device names is not there.
    let wrong = camera.url().url().replace("/stream", "/elsewhere");
    assert_ne!(wrong, camera.url().url());
    let sim = device(OnvifSpec { stream: wrong, ..OnvifSpec::default() }).await;
    let report = run(&at(&sim), None, &options()).await;
    fails(&report, StepName::RtspHandshake, "NotFound", "no such stream");
    assert!(step(&report, StepName::RtspHandshake).next.is_some() && report.camera.is_none());
    // Pictures that are none of ours, and none at all.
    let jpeg = vec![SimProfile { encoding: "JPEG".into(), ..SimProfile::h264("web", (640, 360), 500) }];
    let sim = device(OnvifSpec { profiles: jpeg, ..spec.clone() }).await;
    fails(&run(&at(&sim), None, &options()).await, StepName::ProfileChosen, "Unsupported", "H.264");
    let sim = device(OnvifSpec { profiles: Vec::new(), ..spec }).await;
    assert_eq!(run(&at(&sim), None, &options()).await.failure().unwrap().step, StepName::Profiles);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_entered_by_hand() {
    let camera = tokio::task::spawn_blocking(|| {
        GstCamera::start(&["size=320x240", "gop=25", "auth=basic", &format!("password={PASSWORD}")])
    });
    let camera = camera.await.unwrap();
    let (target, inside) = Target::parse(&camera.url_with_credentials()).unwrap();
    let report = run(&target, inside, &options()).await;
    assert!(report.ok, "{report:#?}");
    assert!(report.steps.iter().all(|s| s.step >= StepName::RtspHandshake), "{report:#?}");
    assert_eq!(report.camera.as_ref().unwrap()["user"], "admin");
    let report = run(&target, who("wrong-password"), &options()).await;
    fails(&report, StepName::RtspHandshake, "Unauthorized", "refused");
    let (elsewhere, inside) = Target::parse(&format!("{}-no", camera.url_with_credentials())).unwrap();
    fails(&run(&elsewhere, inside, &options()).await, StepName::RtspHandshake, "NotFound", "no such stream");
}

async fn over_tls(spec: OnvifSpec, kind: Certificate) -> OnvifSim {
    let certs = Certs::shared();
    let read = |p| std::fs::read(p).unwrap();
    let identity = TlsIdentity::from_pem(&read(certs.certificate(kind)), &read(certs.key(kind))).unwrap();
    OnvifSim::start_tls(OnvifDevice::new(spec), 0, SystemClock::shared(), identity).await.unwrap()
}
async fn rtsps(kind: Certificate) -> GstCamera {
    let cert = format!("cert={}", Certs::shared().both(kind).display());
    let camera = move || GstCamera::start(&[&cert, "size=320x180", "kbps=200", "gop=10"]);
    tokio::task::spawn_blocking(camera).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_what_was_shown_is_pinned_in_the_entry() {
    let own = Certs::shared().pin(Certificate::SelfSigned);
    let camera = rtsps(Certificate::SelfSigned).await;
    let sim = over_tls(OnvifSpec { stream: camera.url(), ..OnvifSpec::default() }, Certificate::SelfSigned).await;
    let view = StoredPreset { token: "1".into(), name: "stage".into(), position: Default::default() };
    sim.with(|d, _| d.presets().push(view));
    let url = format!("https://{}/onvif/device_service#stop=zero,timeout=omit", sim.address());
    let target = Target::parse(&url).unwrap().0;
    let report = run(&target, None, &options()).await;
    assert!(report.ok, "{report:#?}");
    assert_eq!(report.device.as_ref().unwrap().certificate.as_deref(), Some(own.as_str()));
    let entry = report.camera.clone().unwrap();
    assert_eq!((entry["tls_pin"].as_str(), entry["ptz"]["tls_pin"].as_str()), (Some(&*own), Some(&*own)), "{entry:#}");
    assert_eq!(entry["ptz"]["url"], url, "with its quirks");

    // In a show: moved with the certificate that was pinned, and with no other.
    let other = Certs::shared().pin(Certificate::Expired);
    let session = async |entry: &serde_json::Value| {
        let show = serde_json::json!({
            "vistter": 1, "program": { "width": 64, "height": 64, "fps": 5 }, "cameras": [entry],
            "timeline": { "shots": [{ "camera": entry["id"], "for": 60 }] },
        });
        let (show, _) = vistter::ShowConfig::from_json(&show.to_string()).unwrap();
        Box::pin(vistter::start(show, std::path::Path::new("."))).await.unwrap()
    };
    let id = entry["id"].as_str().unwrap();
    let show = session(&entry).await;
    let mut events = show.events();
    assert!(show.ptz_go_to(id, "stage").await.unwrap().is_some());
    loop {
        // The health of its control is told, too; whether before or after this subscription.
        match show.status().heads[0].health.as_ref().map(|h| h.state) {
            Some(HealthState::Online) => break,
            _ => drop(tokio::time::timeout(Duration::from_secs(60), events.recv()).await.unwrap()),
        }
    }
    show.stop().await;
    let mut wrong = entry.clone();
    wrong["ptz"]["tls_pin"] = other.clone().into();
    let show = session(&wrong).await;
    let e = show.ptz_go_to(id, "stage").await.unwrap_err();
    assert!(e.what().contains(&own) && e.what().contains(&other) && e.next_step().unwrap().contains("tls_pin"), "{e}");
    show.stop().await;

    // A stream with a certificate of its own is not taken for the same camera's, unless the user says so.
    let camera = rtsps(Certificate::Expired).await;
    sim.with(|d, _| d.spec().stream = camera.url());
    let report = run(&target, None, &options()).await;
    fails(&report, StepName::RtspHandshake, "Tls", &other);
    let mut o = options();
    o.tls = vistter::core::tls::TlsPolicy::pin(&other).unwrap();
    let report = run(&target, None, &o).await;
    let entry = report.camera.unwrap();
    assert_eq!(
        (entry["tls_pin"].as_str(), entry["ptz"]["tls_pin"].as_str()),
        (Some(&*other), Some(&*own)),
        "{entry:#}"
    );
    // By hand: unknown authorities are refused with what to do.
    let target = Target::parse(&camera.url()).unwrap().0;
    let report = run(&target, None, &options()).await;
    fails(&report, StepName::RtspHandshake, "Tls", "not trusted");
    assert!(
        step(&report, StepName::RtspHandshake)
            .next
            .as_ref()
            .unwrap()
            .contains(&format!("--pin) by its SHA-256 {other}"))
    );
    assert_eq!(run(&target, None, &o).await.camera.unwrap()["tls_pin"], other);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_half_way_it_hangs_up() {
    let camera = Arc::new(small_camera().await);
    let target = Target::Rtsp(camera.url());
    let watching = Arc::new(AtomicBool::new(false));
    let (seen, stalled) = (watching.clone(), camera.clone());
    let mut o = options();
    (o.watch, o.within, o.rtsp.silence) =
        (MediaTime::from_secs(600), MediaTime::from_secs(900), Duration::from_secs(900));
    let check = tokio::spawn(async move {
        let mut tell = |p: Progress<'_>| {
            if matches!(p, Progress::Begun(StepName::Measured)) {
                stalled.stall(); // so that it goes on watching
                seen.store(true, Ordering::SeqCst);
            }
        };
        onboard(&target, None, &o, &mut tell).await
    });
    until("it watches", || watching.load(Ordering::SeqCst) && camera.viewers() == 1).await;
    check.abort();
    until("the camera has no viewer", || camera.viewers() == 0).await;
}

/// FFmpeg as the encoder that pushes; it comes again until it is taken.
fn push(url: String, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            let _ = Command::new("ffmpeg")
                .args(["-nostdin", "-v", "quiet", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"])
                .args([
                    "-t",
                    "4",
                    "-c:v",
                    "libx264",
                    "-preset",
                    "ultrafast",
                    "-g",
                    "25",
                    "-pix_fmt",
                    "yuv420p",
                    "-f",
                    "flv",
                    &url,
                ])
                .stdin(Stdio::null())
                .status();
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_pushes() {
    let port = free_port();
    let target = |key: &str| Target::parse(&format!("rtmp://127.0.0.1:{port}/live/{key}")).unwrap().0;
    let stop = Arc::new(AtomicBool::new(false));
    let encoder = push(format!("rtmp://127.0.0.1:{port}/live/{PASSWORD}"), stop.clone());
    let report = run(&target(PASSWORD), None, &options()).await;
    assert!(report.ok && report.picture.as_ref().is_some_and(|p| p.size() == (320, 240)), "{report:#?}");
    assert_eq!(report.steps[0].step, StepName::Publish);
    assert!(report.stream.is_some());
    // Its entry is a camera of a show; it comes and goes, and is taken each time.
    let entry = report.camera.as_ref().unwrap();
    assert_eq!(
        (entry["id"].as_str(), entry["key"]["env"].as_str()),
        (Some("cam-live"), Some("CAM_LIVE_KEY")),
        "{entry}"
    );
    let show = serde_json::json!({
        "vistter": 1, "program": { "width": 64, "height": 64, "fps": 5 }, "cameras": [entry],
        "timeline": { "shots": [{ "camera": "cam-live", "for": 600 }] },
    });
    let env = |name: &str| (name == "CAM_LIVE_KEY").then(|| PASSWORD.to_owned());
    let (show, _) = vistter::ShowConfig::from_json_with(&show.to_string(), &env).unwrap();
    let session = Box::pin(vistter::start(show, std::path::Path::new("."))).await.unwrap();
    let mut events = session.events();
    let mut online = 0;
    while online < 2 {
        let next = tokio::time::timeout(Duration::from_secs(60), events.recv()).await.expect("it comes again");
        match next.unwrap() {
            vistter::SessionEvent::CameraOnline { camera } => {
                online += 1;
                assert_eq!((camera.width, camera.height), (320, 240));
            }
            vistter::SessionEvent::CameraOffline { error, .. } => {
                assert!(error.contains("stopped publishing") && !error.contains(PASSWORD), "{error}");
            }
            _ => {}
        }
    }
    session.stop().await;
    until("the show's listener is gone", || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()).await;
    // The same encoder, when another key is expected. FFmpeg comes every few hundred milliseconds.
    let mut o = options();
    o.publish_within = MediaTime::from_secs(8);
    let report = run(&target("other-key"), None, &o).await;
    fails(&report, StepName::Publish, "Rejected", "another application or key");
    stop.store(true, Ordering::SeqCst);
    encoder.join().unwrap();
    o.publish_within = MediaTime::from_millis(200);
    fails(&run(&target("other-key"), None, &o).await, StepName::Publish, "Timeout", "no encoder published");
}
