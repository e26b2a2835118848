//! Whole sessions on a manual clock: raw-picture sources, an encoder that reads back what is in the picture.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::clock::ManualClock;
use crate::config::{ProgramConfig, Shot, Span, TimelineConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::health::{HealthEvent, HealthSink, HealthState, Reason};
use crate::media::{Bitrate, Frame, FrameBuf, FramePool, Packet, StreamParams, Track, VideoParams};
use crate::ports::{
    Canvas, Clock, EncoderBackend, EncoderCaps, EncoderConfig, Output, OutputStats, Overlay, OverlayAction, PtzArrival,
    PtzControl, PtzView, Source, SourceEvent, Tick, VideoEncoder,
};
use crate::testing::{Feeder, fed, while_time_goes_on};
use crate::time::{FrameRate, MediaTime};
use crate::{NullEncoder, NullOutput};

const FPS: FrameRate = FrameRate::FPS_30;

struct Camera {
    feeder: Feeder,
    pool: FramePool,
    id: u8,
}

impl Camera {
    fn new(id: u8) -> (Self, Box<dyn Source>) {
        let (feeder, source) = fed();
        let pool = FramePool::new(32, 32, 16).unwrap();
        (Self { feeder, pool, id }, source)
    }
    /// Sends picture `number` and returns when the feed has it.
    async fn send(&mut self, number: u64, stream_time: MediaTime) {
        let mut f = self.pool.take();
        f.fill([number as u8, self.id, (number >> 8) as u8]);
        f.set_pts(stream_time);
        self.feeder.send(SourceEvent::Frame(f.freeze())).await;
    }
}

/// What was in each encoded picture: camera id and number; slate is neither.
type Seen = Arc<Mutex<Vec<(u8, u64)>>>;

struct Reader {
    inner: NullEncoder,
    seen: Seen,
    broken: Arc<AtomicBool>,
}
impl VideoEncoder for Reader {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn encode(&mut self, f: &Frame, idr: bool) -> Result<Packet> {
        if self.broken.swap(false, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Codec, "the test broke it"));
        }
        let px = |i: usize| f.plane(i).row(2)[2];
        self.seen.lock().unwrap().push((px(1), u64::from(px(0)) + (u64::from(px(2)) << 8)));
        self.inner.encode(f, idr)
    }
    fn set_bitrate(&mut self, b: Bitrate) -> Result<()> {
        self.inner.set_bitrate(b)
    }
    fn name(&self) -> &'static str {
        "reader"
    }
}
struct Backend(Seen, Arc<AtomicBool>);
impl EncoderBackend for Backend {
    fn name(&self) -> &'static str {
        "reader"
    }
    fn probe(&self) -> Result<EncoderCaps> {
        null_backend().probe()
    }
    fn create(&self, c: &EncoderConfig) -> Result<Box<dyn VideoEncoder>> {
        Ok(Box::new(Reader { inner: NullEncoder::new(c), seen: self.0.clone(), broken: self.1.clone() }))
    }
}

/// Keeps all packets.
#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<Packet>>>);
#[async_trait]
impl Output for Keep {
    fn describe(&self) -> String {
        "memory".into()
    }
    async fn connect(&mut self, _: &StreamParams) -> Result<()> {
        Ok(())
    }
    async fn send(&mut self, p: &Packet) -> Result<()> {
        self.0.lock().unwrap().push(p.clone());
        Ok(())
    }
    async fn close(&mut self) -> Result<()> {
        Ok(())
    }
    fn stats(&self) -> OutputStats {
        OutputStats::default()
    }
}

fn shots(list: &[(&str, u64)]) -> TimelineConfig {
    TimelineConfig {
        shots: list.iter().map(|(c, n)| Shot::new(*c, Span::Frames(*n))).collect(),
        looped: true,
        ..Default::default()
    }
}

struct Rig {
    clock: ManualClock,
    seen: Seen,
    broken: Arc<AtomicBool>,
    kept: Keep,
    builder: SessionBuilder,
}

fn rig(timeline: TimelineConfig) -> Rig {
    let clock = ManualClock::new();
    clock.advance(MediaTime::from_secs(1000));
    let (seen, broken, kept) = (Seen::default(), Arc::<AtomicBool>::default(), Keep::default());
    let builder = Session::builder()
        .program(ProgramConfig { width: 32, height: 32, fps: FPS, delay_ms: 100, ..Default::default() })
        .timeline(timeline)
        .clock(Arc::new(clock.clone()))
        .encoder(Arc::new(Backend(seen.clone(), broken.clone())))
        .audio_encoder(null_audio())
        .output("kept", Box::new(kept.clone()));
    Rig { clock, seen, broken, kept, builder }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_cuts_are_exact() {
    let r = rig(shots(&[("a", 3), ("b", 4)]));
    let (mut a, sa) = Camera::new(10);
    let (mut b, sb) = Camera::new(20);
    // Both cameras have clocks of their own, with other starts and phases than the program's.
    let (a0, b0) = (MediaTime::from_secs(77), MediaTime::from_secs(500_000));
    let session = r.builder.camera("a", sa).camera("b", sb).start_grace(Duration::ZERO).start().await.unwrap();
    for n in 0..360u64 {
        // The worker sleeps until its next frame; meanwhile the cameras send theirs.
        wait(&r.clock).await;
        a.send(n, a0 + FPS.time_of(n)).await;
        b.send(n, b0 + FPS.time_of(n)).await;
        r.clock.advance(FPS.time_of(n + 1) - FPS.time_of(n));
    }
    wait(&r.clock).await;
    let summary = stop(session, &r.clock).await;
    let seen = r.seen.lock().unwrap().clone();
    // The first pictures stand still until they are as old as the program's delay of three frames.
    let first = 7;
    let mut cuts = 0;
    for n in first..360 {
        let camera = if n % 7 < 3 { 10 } else { 20 };
        assert_eq!(seen[n].0, camera, "frame {n}");
        if n > first {
            assert_eq!(seen[n].1, seen[n - 1].1 + 1, "frame {n}: no picture repeated or passed over");
            cuts += usize::from(seen[n].0 != seen[n - 1].0);
        }
    }
    assert!(cuts >= 100, "{cuts} cuts");
    let p = summary.status.program.unwrap();
    assert_eq!((p.counters.skipped, p.counters.passed_over), (0, 0));
    let packets = r.kept.0.lock().unwrap();
    let video: Vec<_> = packets.iter().filter(|p| p.track == Track::Video).collect();
    assert!(video.windows(2).all(|w| w[1].dts > w[0].dts), "strictly monotonic");
    assert!(
        video.iter().enumerate().all(|(i, p)| p.keyframe == (i % 60 == 0)),
        "a keyframe every 2 s and nowhere else"
    );
}

async fn wait(clock: &ManualClock) {
    let c = clock.clone();
    tokio::task::spawn_blocking(move || c.wait_for_sleepers(1)).await.unwrap();
}

/// Time goes on while the session stops.
async fn stop(session: Session, clock: &ManualClock) -> Summary {
    while_time_goes_on(clock, FPS.frame_duration(), session.stop()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_falls_silent_is_held_then_the_slate_then_back() {
    let r = rig(shots(&[("a", 1000)]));
    let (mut a, sa) = Camera::new(10);
    let session = r.builder.camera("a", sa).start_grace(Duration::ZERO).start().await.unwrap();
    for n in 0..300u64 {
        wait(&r.clock).await;
        // Silent for four seconds.
        if !(60..180).contains(&n) {
            a.send(n, FPS.time_of(n)).await;
        }
        r.clock.advance(FPS.time_of(n + 1) - FPS.time_of(n));
    }
    wait(&r.clock).await;
    stop(session, &r.clock).await;
    let seen = r.seen.lock().unwrap().clone();
    let cameras: Vec<bool> = seen.iter().map(|(c, _)| *c == 10).collect();
    assert!(cameras[10..60].iter().all(|c| *c));
    // Pictures end at 60; the last one is held for half a second of freshness and two of hold.
    assert!(cameras[60..130].iter().all(|c| *c), "held");
    assert!(cameras[145..180].iter().all(|c| !*c), "slate");
    assert!(cameras[230..300].iter().all(|c| *c), "back");
    let back = (180..300).find(|n| cameras[*n]).unwrap();
    assert!(back >= 180 + 30, "back only after a second of pictures: {back}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_was_asleep_does_not_run_past_the_end() {
    let r = rig(TimelineConfig { stop_after: Some(Span::Frames(30)), ..shots(&[("a", 1000)]) });
    let (_a, sa) = Camera::new(10);
    let session = r.builder.camera("a", sa).start_grace(Duration::ZERO).start().await.unwrap();
    for _ in 0..10 {
        wait(&r.clock).await;
        r.clock.advance(FPS.frame_duration());
    }
    wait(&r.clock).await;
    r.clock.advance(MediaTime::from_secs(3600));
    session.finished().await;
    let counters = stop(session, &r.clock).await.status.program.unwrap().counters;
    assert_eq!(counters.frames + counters.skipped, 30, "{counters:?}");
    assert!(counters.skipped > 0, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoder_that_fails_is_replaced_on_the_spot() {
    let r = rig(TimelineConfig::default());
    let session = r.builder.start_grace(Duration::ZERO).start().await.unwrap();
    let mut events = session.events();
    for n in 0..20u64 {
        wait(&r.clock).await;
        if n == 10 {
            r.broken.store(true, Ordering::SeqCst);
        }
        r.clock.advance(FPS.time_of(n + 1) - FPS.time_of(n));
    }
    wait(&r.clock).await;
    stop(session, &r.clock).await;
    let packets = r.kept.0.lock().unwrap();
    let video: Vec<_> = packets.iter().filter(|p| p.track == Track::Video).collect();
    assert!(video.len() >= 20);
    let keys: Vec<_> = video.iter().enumerate().filter(|(_, p)| p.keyframe).map(|(i, _)| i).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(std::iter::from_fn(|| events.try_recv().ok()).any(|e| matches!(e, SessionEvent::Trouble { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_is_refused_at_once() {
    let two = Session::builder()
        .encoder(null_backend())
        .audio_encoder(null_audio())
        .output("x", Box::new(NullOutput::default()))
        .output("x", Box::new(NullOutput::default()));
    assert_eq!(two.start().await.unwrap_err().kind(), ErrorKind::Config);
    let odd = Session::builder()
        .encoder(null_backend())
        .audio_encoder(null_audio())
        .program(ProgramConfig { width: 1919, ..Default::default() });
    assert!(odd.start().await.unwrap_err().to_string().contains("even"));
    let unknown =
        Session::builder().encoder(null_backend()).audio_encoder(null_audio()).timeline(shots(&[("gaet", 5)]));
    let e = unknown.camera("gate", Box::new(crate::NullSource)).start().await.unwrap_err();
    assert!(e.to_string().contains("did you mean \"gate\""), "{e}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_name_the_nearest_id() {
    let r = rig(TimelineConfig::default());
    let session = r.builder.camera("harbour", Box::new(crate::NullSource)).start().await.unwrap();
    let e = session.cut("habour").unwrap_err();
    assert!(e.to_string().contains("did you mean \"harbour\""), "{e}");
    session.cut("harbour").unwrap();
    wait(&r.clock).await;
    assert!(r.clock.now() >= MediaTime::from_secs(1000));
    stop(session, &r.clock).await;
}

/// A control that is watched.
#[derive(Default)]
struct Watched(Mutex<Option<HealthSink>>, AtomicBool);
#[async_trait]
impl PtzControl for Watched {
    fn tell_health(&self, tell: HealthSink) {
        *self.0.lock().unwrap() = Some(tell);
    }
    async fn go_to(&self, _: &PtzView) -> Result<Option<PtzArrival>> {
        Ok(None)
    }
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
    async fn close(&self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_a_heads_health_are_events_and_a_control_is_closed() {
    let r = rig(TimelineConfig::default());
    let control = Arc::new(Watched::default());
    let builder = r.builder.camera("stage", Box::new(crate::NullSource)).ptz(control.clone(), vec![], Duration::ZERO);
    let session = builder.start_grace(Duration::ZERO).start().await.unwrap();
    let mut events = session.events();
    let tell = control.0.lock().unwrap().clone().expect("told where");
    let lost = HealthEvent::State {
        from: HealthState::Online,
        to: HealthState::Degraded,
        reason: Some(Reason::Missed),
        detail: Some("no answer (look at its cable)".into()),
    };
    tell(HealthEvent::Here { preset: "wide".into() });
    tell(lost);
    tell(HealthEvent::Clock { skew_secs: -4.5 });
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let e = events.recv().await.unwrap();
        if matches!(e, SessionEvent::Health { .. }) {
            heard.push(serde_json::to_string(&e).unwrap());
        }
    }
    assert_eq!(
        heard,
        [
            r#"{"event":"health","camera":"stage","health":"state","from":"online","to":"degraded","reason":"missed","detail":"no answer (look at its cable)"}"#,
            r#"{"event":"health","camera":"stage","health":"clock","skew_secs":-4.5}"#,
        ]
    );
    assert!(!control.1.load(Ordering::SeqCst));
    wait(&r.clock).await;
    stop(session, &r.clock).await;
    assert!(control.1.load(Ordering::SeqCst), "it may keep what is to outlast the show");
}

/// Paints one value, and is prepared when it is let.
struct Painter {
    value: u8,
    gate: Option<std::sync::mpsc::Receiver<()>>,
    shown: bool,
    notes: Vec<crate::diagnose::Diagnostic>,
}
impl Painter {
    fn new(value: u8) -> Self {
        Self { value, gate: None, shown: false, notes: Vec::new() }
    }
}
impl Overlay for Painter {
    fn id(&self) -> &str {
        "paint"
    }
    fn prepare(&mut self, _: Canvas) -> Result<()> {
        if let Some(gate) = self.gate.take() {
            let _ = gate.recv();
        }
        Ok(())
    }
    fn apply(&mut self, _: Tick, action: &OverlayAction) -> Result<()> {
        self.shown |= *action == OverlayAction::Show;
        Ok(())
    }
    fn attend(&mut self, _: Tick) -> Vec<crate::diagnose::Diagnostic> {
        std::mem::take(&mut self.notes)
    }
    fn is_visible(&self, _: Tick) -> bool {
        self.shown
    }
    fn is_static_until(&self, _: Tick) -> Option<u64> {
        None
    }
    fn compose(&mut self, _: Tick, target: &mut FrameBuf) -> Result<()> {
        target.fill([0, self.value, 0]);
        Ok(())
    }
}

/// However long the files of the new overlay take, the program makes its frames with the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_overlay_stalls_nothing_and_then_takes_its_place() {
    let r = rig(shots(&[("a", 1000)]));
    let (_a, sa) = Camera::new(10);
    let builder = r.builder.camera("a", sa).overlay(0, Box::new(Painter::new(55)));
    let session = Arc::new(builder.start_grace(Duration::ZERO).start().await.unwrap());
    session.show_overlay("paint", Some(true)).unwrap();
    let (open, gate) = std::sync::mpsc::sync_channel(1);
    let note = crate::diagnose::Diagnostic::warning("X-NOTE", "/assets/a", "the file is not there");
    let slow = Painter { gate: Some(gate), notes: vec![note], ..Painter::new(77) };
    let mut events = session.events();
    let other = session.clone();
    let replaced = tokio::spawn(async move { other.replace_overlay(Box::new(slow)).await });
    for _ in 0..100 {
        wait(&r.clock).await;
        r.clock.advance(FPS.frame_duration());
    }
    wait(&r.clock).await;
    let before = r.seen.lock().unwrap().clone();
    assert!(before.len() >= 100 && before.iter().skip(1).all(|(v, _)| *v == 55), "{before:?}");
    assert!(!replaced.is_finished());
    open.send(()).unwrap();
    while_time_goes_on(&r.clock, FPS.frame_duration(), replaced).await.unwrap().unwrap();
    let after =
        |seen: &Seen| seen.lock().unwrap().iter().skip_while(|(v, _)| *v != 77).map(|(v, _)| *v).collect::<Vec<_>>();
    for _ in 0..3 {
        wait(&r.clock).await;
        r.clock.advance(FPS.frame_duration());
    }
    wait(&r.clock).await;
    let after = after(&r.seen);
    assert!(!after.is_empty() && after.iter().all(|v| *v == 77), "shown, as the old one was: {after:?}");
    let status = session.status();
    assert_eq!((status.overlays[0].id.as_str(), status.overlays[0].notes[0].code), ("paint", "X-NOTE"));
    let told = std::iter::from_fn(|| events.try_recv().ok())
        .any(|e| matches!(e, SessionEvent::OverlayNote { note, .. } if note.code == "X-NOTE"));
    assert!(told);
    let Ok(session) = Arc::try_unwrap(session) else { panic!("still held") };
    stop(session, &r.clock).await;
}
