//! The sound of a video in a running session: a camera with a tone of its own, a clip with another, a flash and a beep; what
//! goes out is judged by FFmpeg. Time is the test's: a frame passes when all of its consequences have come to rest.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use vistter::core::clock::ManualClock;
use vistter::core::codec::AacEncoder;
use vistter::core::config::{AudioConfig, ProgramConfig, Shot, Span, TimelineConfig};
use vistter::core::inset::Insets;
use vistter::core::media::{AudioBuffer, FramePool, Packet, StreamParams, Track};
use vistter::core::output::mp4::Mp4Muxer;
use vistter::core::ports::{AudioEncoder, Output, OutputStats, OverlayAction, SourceEvent};
use vistter::core::testing::{fed, until, while_time_goes_on};
use vistter::core::time::{FrameRate, MediaTime};
use vistter::ocl::OclOverlay;
use vistter::{Result, Session};

use crate::peers::{TempDir, ffmpeg_tool, gray_frame};

const FPS: FrameRate = FrameRate::FPS_30;
const SIZE: (u32, u32) = (320, 180);
const FRAMES: u64 = 190;
/// Frames at which the clip is shown, made quieter, and taken off.
const SHOWN: u64 = 60;
const QUIETER: u64 = SHOWN + 45;
const HIDDEN: u64 = SHOWN + 75;
/// Tones, in Hz: the camera's, the clip's, the clip's while it flashes.
const CAMERA: f64 = 440.0;
const CLIP: f64 = 1500.0;
const BEEP: f64 = 3000.0;

/// Keeps all packets.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<(Option<StreamParams>, Vec<Packet>)>>);

#[async_trait]
impl Output for Keep {
    fn describe(&self) -> String {
        "memory".into()
    }
    async fn connect(&mut self, params: &StreamParams) -> Result<()> {
        self.0.lock().unwrap().0 = Some(params.clone());
        Ok(())
    }
    async fn send(&mut self, p: &Packet) -> Result<()> {
        self.0.lock().unwrap().1.push(p.clone());
        Ok(())
    }
    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
    fn stats(&self) -> OutputStats {
        OutputStats::default()
    }
}
impl Keep {
    fn pictures(&self) -> u64 {
        self.0.lock().unwrap().1.iter().filter(|p| p.track == Track::Video).count() as u64
    }
}

/// Two seconds of black with a tone; from the first second on it flashes and beeps for a tenth.
fn clip(dir: &TempDir) -> Vec<u8> {
    let path = dir.join("clip.mp4");
    let white = "color=c=black:size=320x180:rate=30:duration=2,drawbox=c=white:t=fill:enable='between(t,0.99,1.09)'";
    let tones = format!("0.25*sin(2*PI*{CLIP}*t)+0.3*sin(2*PI*{BEEP}*t)*between(t\\,1\\,1.1)");
    // two channels: FFmpeg makes one 3 dB quieter when it makes two of it
    let sound = format!("aevalsrc={tones}|{tones}:d=2:s=44100");
    let input = ["-v", "error", "-y", "-f", "lavfi", "-i", white, "-f", "lavfi", "-i", &sound, "-pix_fmt", "yuv420p"];
    let coding = ["-c:v", "libx264", "-threads", "1", "-bf", "2", "-c:a", "aac", "-ac", "2", "-b:a", "160k"];
    ffmpeg_tool("ffmpeg", &[&input[..], &coding, &[path.to_str().unwrap()]].concat());
    std::fs::read(path).unwrap()
}

/// The camera's microphone, as packets with their times.
fn microphone() -> (StreamParams, Vec<Packet>) {
    let mut encoder = AacEncoder::new(48_000, 2, 128_000).unwrap();
    let tone = |i: u64| (0.2 * (std::f64::consts::TAU * CAMERA * i as f64 / 48_000.0).sin()) as f32;
    let packet = |n: u64| {
        let pts = MediaTime::from_ticks(n as i64 * 1024, 48_000);
        let samples = (n * 1024..(n + 1) * 1024).flat_map(|i| [tone(i); 2]).collect();
        encoder.encode(&AudioBuffer { samples, sample_rate: 48_000, channels: 2, pts }).unwrap()
    };
    let packets = (0..FRAMES * 2).map(packet).collect();
    (StreamParams { video: None, audio: Some(encoder.params().clone()) }, packets)
}

fn overlay(clip: Vec<u8>) -> OclOverlay {
    let text = r#"{ "ocl": "1.1", "canvas": { "width": 320, "height": 180 }, "assets": { "clip": { "path": "clip.mp4" } },
        "scenes": [ { "id": "main", "layers": [ { "id": "clip", "type": "video", "asset": "clip", "plays": 1 } ] } ] }"#;
    let files = HashMap::from([("clip.mp4".to_owned(), clip)]);
    OclOverlay::from_str("overlay", text, &files, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"))
}

/// How loud a tone is in a piece of sound.
fn level(sound: &[f32], hz: f64) -> f64 {
    let turn = |i: usize| std::f64::consts::TAU * hz * i as f64 / 48_000.0;
    let (s, c) = sound
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |(s, c), (i, v)| (s + f64::from(*v) * turn(i).sin(), c + f64::from(*v) * turn(i).cos()));
    2.0 * f64::hypot(s, c) / sound.len() as f64
}

/// The program's left channel as FFmpeg hears it, and how light each of its pictures is.
fn judged(file: &Path) -> (Vec<f32>, Vec<u8>) {
    let args = ["-v", "error", "-xerror", "-i", file.to_str().unwrap(), "-map", "0:a", "-af", "pan=mono|c0=c0"];
    let bytes = ffmpeg_tool("ffmpeg", &[&args[..], &["-f", "f32le", "-"]].concat());
    let sound = bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    (sound, gray_frame(file, 2, 2).iter().map(|p| p[0]).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_is_heard_over_the_camera_in_step_with_its_picture() {
    let dir = TempDir::new("sound");
    let clock = ManualClock::new();
    clock.advance(MediaTime::from_secs(1000));
    let (kept, (params, packets)) = (Keep::default(), microphone());
    let (mut camera, source) = fed();
    let timeline = TimelineConfig { shots: vec![Shot::new("cam", Span::secs(3600))], ..TimelineConfig::default() };
    let program = ProgramConfig { width: SIZE.0, height: SIZE.1, delay_ms: 250, ..ProgramConfig::default() };
    let overlay = overlay(clip(&dir)).with_pictures(Arc::new(Insets::exact()));
    assert!(overlay.warnings().is_empty(), "{:?}", overlay.warnings());
    let builder = Session::builder()
        .program(program)
        .timeline(timeline)
        .audio(AudioConfig::Camera { camera: "cam".into() })
        .clock(Arc::new(clock.clone()))
        .camera("cam", source)
        .overlay(1, Box::new(overlay))
        .output("kept", Box::new(kept.clone()));
    let session = Box::pin(builder.start_grace(Duration::ZERO).start()).await.unwrap();
    camera.send(SourceEvent::Params(params)).await;
    let pool = FramePool::new(SIZE.0, SIZE.1, 16).unwrap();
    let mut sent = packets.iter().peekable();
    for n in 0..FRAMES {
        // The program has made its frame, and sleeps until the next one.
        let c = clock.clone();
        tokio::task::spawn_blocking(move || c.wait_for_sleepers(1)).await.unwrap();
        until("the output has the picture", || kept.pictures() >= n).await;
        let mut picture = pool.take();
        picture.fill([120, 128, 128]);
        picture.set_pts(FPS.time_of(n));
        camera.send(SourceEvent::Frame(picture.freeze())).await;
        while let Some(p) = sent.next_if(|p| p.pts + p.duration <= FPS.time_of(n)) {
            camera.send(SourceEvent::Packet(p.clone())).await;
        }
        match n {
            SHOWN => session.show_overlay("overlay", Some(true)).unwrap(),
            HIDDEN => session.show_overlay("overlay", Some(false)).unwrap(),
            QUIETER => {
                let properties = BTreeMap::from([("volume".to_owned(), 0.25.into())]);
                let (over, layer) = (MediaTime::ZERO, Some("clip".to_owned()));
                let set = OverlayAction::Set { layer, properties, over, easing: None };
                session.commit([("overlay", set)]).unwrap();
            }
            _ => {}
        }
        clock.advance(FPS.time_of(n + 1) - FPS.time_of(n));
    }
    while_time_goes_on(&clock, FPS.frame_duration(), session.stop()).await;

    let (params, out) = {
        let k = kept.0.lock().unwrap();
        (k.0.clone().unwrap(), k.1.clone())
    };
    let sound: Vec<&Packet> = out.iter().filter(|p| p.track == Track::Audio).collect();
    for (n, p) in (0i64..).zip(&sound) {
        assert!(p.pts.abs_diff(MediaTime::from_ticks(n * 1024, 48_000)).nanos() <= 1, "packet {n} is at {}", p.pts);
    }
    let file = dir.join("program.mp4");
    let mut muxer = Mp4Muxer::new(&params).unwrap();
    let mut bytes = muxer.init().to_vec();
    for p in &out {
        bytes.extend(muxer.push(p).unwrap().unwrap_or_default());
    }
    bytes.extend(muxer.finish().unwrap().unwrap_or_default());
    std::fs::write(&file, bytes).unwrap();

    let (heard, seen) = judged(&file);
    let first = |what: &str, is: &dyn Fn(u8) -> bool| seen.iter().position(|l| is(*l)).expect(what);
    let on = first("the clip is seen", &|l| l < 40) as f64 / 30.0;
    let flash = first("it flashes", &|l| l > 220) as f64 / 30.0;
    assert!((flash - on - 1.0).abs() < 0.001, "{on} {flash}");
    let piece = |from: f64, to: f64| &heard[(from * 48_000.0) as usize..(to * 48_000.0) as usize];
    let levels = |from: f64, to: f64| [CAMERA, CLIP].map(|hz| level(piece(on + from, on + to), hz));
    let near = |got: [f64; 2], want: [f64; 2]| got.iter().zip(want).all(|(g, w)| (g - w).abs() < 0.012);
    for (from, to, want, when) in [
        (-0.9, -0.05, [0.2, 0.0], "before"),
        (0.06, 0.96, [0.2, 0.25], "the clip over the camera"),
        (1.16, 1.46, [0.2, 0.25], "after the beep"),
        (1.6, 1.95, [0.2, 0.0625], "quieter"),
        (2.06, 2.45, [0.2, 0.0], "the clip is over, its last picture stays"),
        (2.6, 3.9, [0.2, 0.0], "after it"),
    ] {
        assert!(near(levels(from, to), want), "{when}: {:?}", levels(from, to));
    }
    // What a viewer sees and hears at once.
    let begins = |hz: f64, from: f64| {
        let steps = (0..).map(|i| from + f64::from(i) * 0.002);
        steps.take(500).find(|t| level(piece(*t, *t + 0.004), hz) > 0.12).expect("it begins")
    };
    let beep = begins(BEEP, flash - 0.3);
    assert!((beep - flash).abs() < 0.008, "the flash is at {flash}, the beep at {beep}");
    assert!((0.0..0.05).contains(&(begins(CLIP, on - 0.3) - on)), "{}", begins(CLIP, on - 0.3) - on);
    // Without it, the camera's own packets go out.
    let own = |p: &Packet| packets.iter().any(|c| c.data == p.data);
    let at = |p: &Packet| p.pts.as_secs_f64() - on;
    let mixed = |p: &Packet| (0.05..1.95).contains(&at(p));
    let plain = |p: &Packet| (-1.5..-0.03).contains(&at(p)) || (2.05..3.8).contains(&at(p));
    assert!(sound.iter().filter(|p| mixed(p)).all(|p| !own(p)));
    let wrong: Vec<f64> = sound.iter().filter(|p| plain(p) && !own(p)).map(|p| at(p)).collect();
    assert!(wrong.is_empty(), "not the camera's: {wrong:?}");
}
