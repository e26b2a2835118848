//! `vistter demo`: a whole show on this machine. Simulated cameras speak real RTSP and one of them ONVIF, embedded receivers
//! take real RTMP, all on loopback and on free ports; what is between them is the same code as in `vistter run`.

mod material;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Serialize;
use vistter::Session;
use vistter::ptz::sim::{MotorSpec, OnvifAuth, OnvifDevice, OnvifSim, OnvifSpec, StoredPreset};
use vistter::rtmp::{Access, Receiver, ReceiverOptions};
use vistter_core::clock::SystemClock;
use vistter_core::config::{Credentials, ShowConfig};
use vistter_core::media::{Bitrate, Frame};
use vistter_core::ports::PtzPosition;
use vistter_core::sim::{CameraAuth, CameraSound, Steering, TestCamera, TestCameraConfig};
use vistter_core::time::FrameRate;
use vistter_core::{Error, ErrorKind, Result, Secret};

use self::material::{CAMERA_PASSWORD, CAMERA_USER, KEYS, PRESETS};
use super::check::complain;
use super::play::{self, Play};
use crate::cli::DemoArgs;
use crate::exit::Exit;
use crate::ui::{fail, human, json, picture};

/// Seconds of show after which all overlays of the first shot are on.
const BEST_MOMENT: f64 = 3.0;

pub(crate) async fn demo(args: DemoArgs) -> Exit {
    match Box::pin(play(args)).await {
        Ok(exit) => exit,
        Err(e) => {
            fail(&e.to_string());
            Exit::Failed
        }
    }
}

async fn play(args: DemoArgs) -> Result<Exit> {
    let out = absolute(&args.out)?;
    if !args.json {
        eprintln!(
            "vistter demo: three cameras (one of them moves), overlays, two destinations and a recording, all on this machine"
        );
        eprintln!("making the cameras' pictures …");
    }
    material::write(&out)?;
    let control = control().await?;
    let steering = Some(Steering::new(control.eye()));
    let cameras = [
        camera("HARBOUR", 1, [70, 150, 105], None).await?,
        camera("GATE", 2, [80, 105, 150], None).await?,
        camera("PIER", 3, [0; 3], steering).await?,
    ];
    let receivers = [receiver(&out, 0).await?, receiver(&out, 1).await?];
    let streams = cameras.each_ref().map(TestCamera::addr);
    let text = material::show(streams, control.address(), receivers.each_ref().map(Receiver::local_addr));
    let file = out.join("show.json");
    std::fs::write(&file, &text).map_err(|e| Error::io("write the show file", &e).at(file.display().to_string()))?;
    let (mut show, warnings) = ShowConfig::from_json(&text).map_err(|found| {
        complain(&file, &found);
        Error::new(ErrorKind::Internal, "the demo's show is wrong").next("please report it")
    })?;
    complain(&file, &warnings);
    show.timeline.stop_after = args.length;

    let fps = show.program.fps.as_f64();
    let started = Box::pin(vistter::start_with(show, &out, vistter::Options::default())).await?;
    let vistter::Started { session, recordings, documents, .. } = started;
    if !args.json {
        let end = if args.length.is_some() { "" } else { "; Ctrl-C ends it" };
        eprintln!("on air: {}{end}", file.display());
    }
    for (part, error) in session.troubles() {
        fail(&format!("{part} does not work, the rest goes on: {error}"));
    }
    let mut shot = Shot::default();
    let how = Play { json: args.json, fps, documents: Some(documents) };
    let played = Box::pin(play::until_the_end(session, how, |s| shot.look(s, fps))).await;
    let received: Vec<Received> = receivers.iter().flat_map(received).collect();
    for r in receivers {
        r.stop().await;
    }
    let beside = recordings.as_ref().and_then(|r| r.paths().pop()).unwrap_or_else(|| out.join("program.mp4"));
    let picture = shot.save(&beside.with_extension("png"))?;
    play::report(&played, recordings.as_ref(), args.json);
    report(&received, picture.as_deref(), args.json);
    Ok(played.exit())
}

/// The pier's head: an ONVIF camera with motors that take time. It has the presets that the show names.
async fn control() -> Result<OnvifSim> {
    let password = Some((CAMERA_USER.to_owned(), Secret::from(CAMERA_PASSWORD)));
    let auth = OnvifAuth { password, http_digest: true, ws_digest: true, ..OnvifAuth::default() };
    let motors = MotorSpec { pan_tilt: 0.7, zoom: 0.5, ..MotorSpec::default() };
    let mut device = OnvifDevice::new(OnvifSpec { motors, auth, ..OnvifSpec::default() });
    for (i, (name, pan, tilt, zoom)) in PRESETS.into_iter().enumerate() {
        let token = format!("PresetToken_{}", i + 1);
        device.presets().push(StoredPreset { token, name: name.into(), position: PtzPosition { pan, tilt, zoom } });
    }
    let started = OnvifSim::start(device, 0, SystemClock::shared()).await;
    started.map_err(|e| Error::io("start the simulated camera's control", &e))
}

async fn camera(name: &str, id: u8, color: [u8; 3], steering: Option<Steering>) -> Result<TestCamera> {
    let who = Credentials { user: CAMERA_USER.into(), password: Secret::from(CAMERA_PASSWORD) };
    let config = TestCameraConfig {
        name: name.into(),
        id,
        // One camera like an American one, one like a European one, and a slow one: its pictures are made as time goes.
        fps: FrameRate::new([15, 30, 25][usize::from(id % 3)], 1).unwrap_or(FrameRate::FPS_30),
        color,
        steering,
        bitrate: Bitrate::from_kbps(2500),
        sound: CameraSound::Aac,
        auth: CameraAuth::Digest(who),
        ..TestCameraConfig::default()
    };
    TestCamera::start(config).await
}

async fn receiver(out: &Path, n: usize) -> Result<Receiver> {
    let mut options = ReceiverOptions::default();
    options.access = Access::Keys(vec![("live".into(), Secret::from(KEYS[n]))]);
    options.record_dir = Some(out.join(format!("received-{}", n + 1)));
    Receiver::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options).await
}

/// The picture of the program that is kept.
#[derive(Default)]
struct Shot {
    best: Option<Frame>,
    last: Option<Frame>,
}

impl Shot {
    fn look(&mut self, session: &Session, fps: f64) {
        let seconds = session.status().program.map_or(0.0, |p| p.frame as f64 / fps);
        self.last = session.picture().or_else(|| self.last.take());
        if self.best.is_none() && seconds >= BEST_MOMENT {
            self.best = self.last.clone();
        }
    }
    fn save(self, path: &Path) -> Result<Option<PathBuf>> {
        let Some(frame) = self.best.or(self.last) else { return Ok(None) };
        picture::write_png(&frame, path)
            .map_err(|e| Error::io("write the picture", &e).at(path.display().to_string()))?;
        Ok(Some(path.to_owned()))
    }
}

/// What one receiver got.
#[derive(Debug, Serialize)]
struct Received {
    app: String,
    frames: u64,
    bytes: u64,
    seconds: f64,
    longest_gop_seconds: f64,
    faults: u64,
    file: Option<PathBuf>,
}

fn received(r: &Receiver) -> Vec<Received> {
    r.streams()
        .into_iter()
        .map(|s| Received {
            app: s.app,
            frames: s.stats.video_frames,
            bytes: s.stats.bytes,
            seconds: s.stats.duration.as_secs_f64(),
            longest_gop_seconds: s.stats.longest_gop.as_secs_f64(),
            faults: s.stats.faults,
            file: s.file,
        })
        .collect()
}

fn report(received: &[Received], picture: Option<&Path>, as_json: bool) {
    if as_json {
        json::line("demo", &serde_json::json!({ "received": received, "picture": picture }));
        return;
    }
    for r in received {
        let file = r.file.as_ref().map_or_else(String::new, |f| format!(": {}", f.display()));
        println!(
            "  received: {} frames, {}, {:.1} s, keyframes at most {:.2} s apart, {} damaged{file}",
            r.frames,
            human::bytes(r.bytes),
            r.seconds,
            r.longest_gop_seconds,
            r.faults
        );
    }
    if let Some(p) = picture {
        println!("  picture: {}", p.display());
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Error::io("find the output folder", &e).at(path.display().to_string()))
}
