//! Presets on air, judged from the program's pixels. Everything but the sockets is the real thing: session, director, mover.
//! Time is the test's: a frame passes when all of its consequences have come to rest.

#[path = "../../examples/judge/mod.rs"]
mod judge;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::oneshot;
use vistter::core::clock::ManualClock;
use vistter::core::config::{ProgramConfig, PtzRules, SameCamera, Shot, Span, TimelineConfig};
use vistter::core::media::FrameBuf;
use vistter::core::ports::{
    Canvas, Clock, EventKind, Overlay, OverlayAction, OverlayEvent, Preset, PtzArrival, PtzCaps, PtzControl,
    PtzPosition, PtzStatus, PtzView, SourceEvent, Tick,
};
use vistter::core::session::{SessionStatus, null_audio};
use vistter::core::sim::{Panorama, TestCameraConfig};
use vistter::core::testing::{Feeder, fed, until, while_time_goes_on};
use vistter::core::time::{FrameRate, MediaTime};
use vistter::ptz::mover::command::{Command, Done, MoveId, Op, Outcome, Output};
use vistter::ptz::mover::machine::Machine;
use vistter::ptz::mover::{LearnedTimes, MoverPolicy, View};
use vistter::ptz::sim::{MotorSpec, Motors};
use vistter::{Error, ErrorKind, Result, Session};

const FPS: FrameRate = FrameRate::FPS_30;
const SIZE: (u32, u32) = (320, 180);
const PRESETS: [PtzPosition; 3] = [place(-0.7, 0.1, 0.2), place(0.6, -0.2, 0.0), place(0.1, 0.3, 0.6)];
/// Frames that a camera's picture comes later than its motion.
const LAG: usize = 6;

const fn place(pan: f32, tilt: f32, zoom: f32) -> PtzPosition {
    PtzPosition { pan, tilt, zoom }
}

/// A camera's head: the mover's rules over simulated motors, both on the test's clock.
struct Head {
    machine: Machine,
    motors: Motors,
    clock: ManualClock,
    /// Tells whether it moves, and where it looks.
    tells: (bool, bool),
    op: Option<Op>,
    waiting: Vec<(MoveId, oneshot::Sender<Outcome>)>,
    commands: u64,
    outcomes: u64,
}

impl Head {
    fn run(&mut self, f: impl FnOnce(&mut Machine, MediaTime, &mut dyn FnMut(Output))) {
        let now = self.clock.now();
        let Self { machine, op, waiting, outcomes, .. } = self;
        f(machine, now, &mut |o| match o {
            Output::Op(next) => *op = Some(next),
            Output::Abandon => *op = None,
            Output::Outcome(id, outcome) => {
                if let Some(i) = waiting.iter().position(|(w, _)| *w == id) {
                    // Of an order that a newer one replaced, nobody wants to know.
                    *outcomes += u64::from(waiting.swap_remove(i).1.send(outcome).is_ok());
                }
            }
            Output::Note(_) => {}
        });
    }
    /// Everything that is due. Each exchange takes the camera no time.
    fn step(&mut self) {
        let now = self.clock.now();
        loop {
            if let Some(op) = self.op.take() {
                let result = self.perform(now, op);
                self.run(|m, now, out| m.finished(now, result, out));
            } else if self.machine.next_deadline().is_some_and(|t| t <= now) {
                self.run(|m, now, out| m.poll(now, out));
            } else {
                return;
            }
        }
    }
    fn perform(&mut self, now: MediaTime, op: Op) -> Result<Done> {
        let preset = |i: usize| Preset { token: format!("T{i}"), name: format!("view {i}") };
        Ok(match op {
            Op::Capabilities => Done::Capabilities(PtzCaps { list_presets: true, ..PtzCaps::default() }),
            Op::Presets => Done::Presets((0..PRESETS.len()).map(preset).collect()),
            Op::Status => Done::Status(PtzStatus {
                moving: self.tells.0.then(|| self.motors.moving(now)),
                position: self.tells.1.then(|| self.motors.position(now)),
            }),
            Op::GoTo(to) => {
                let unknown = || Error::new(ErrorKind::NotFound, "no such preset");
                let to = (0..PRESETS.len()).find(|i| preset(*i).token == to.token).ok_or_else(unknown)?;
                let p = PRESETS[to];
                self.motors.go_to(now, [Some(p.pan), Some(p.tilt), Some(p.zoom)], 1.0);
                Done::Accepted
            }
            _ => return Err(Error::new(ErrorKind::Unsupported, "not in this test")),
        })
    }
}

/// The head as the session commands it.
struct Control(Arc<Mutex<Head>>);

#[async_trait]
impl PtzControl for Control {
    async fn go_to(&self, view: &PtzView) -> Result<Option<PtzArrival>> {
        let outcome = {
            let mut h = lock(&self.0);
            h.commands += 1;
            let (answer, outcome) = oneshot::channel();
            let id = MoveId(h.commands);
            h.waiting.push((id, answer));
            let view = View::from(view.clone());
            h.run(|m, now, out| m.command(now, id, Command::GoTo(view), out));
            outcome
        };
        match outcome.await {
            Ok(Outcome::Arrived(a)) => {
                let evidence = a.evidence.word().to_owned();
                Ok(Some(PtzArrival { evidence, took: a.took, position: a.position, off_target: a.off_target }))
            }
            Ok(Outcome::Failed(e)) => Err(e),
            _ => Ok(None),
        }
    }
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
}

fn lock(h: &Mutex<Head>) -> MutexGuard<'_, Head> {
    h.lock().unwrap()
}

struct Camera {
    head: Arc<Mutex<Head>>,
    eye: Panorama,
    /// Where it looked, newest last.
    past: VecDeque<PtzPosition>,
    pictures: Feeder,
}

impl Camera {
    async fn send(&mut self, n: u64) {
        let looks = {
            let h = lock(&self.head);
            h.motors.position(h.clock.now())
        };
        self.past.push_back(looks);
        if self.past.len() > LAG + 1 {
            self.past.pop_front();
        }
        let picture = self.eye.paint(n, self.past[0]);
        self.pictures.send(SourceEvent::Frame(picture)).await;
    }
}

/// Plays a timeline with cameras `cam1` and `cam2`, until so many pictures have been made.
async fn play(
    timeline: TimelineConfig,
    speed: f32,
    tells: (bool, bool),
    frames: usize,
) -> (Vec<judge::Seen>, SessionStatus) {
    play_under(timeline, speed, tells, frames, Ear::default()).await
}

/// An overlay that shows nothing and notes what it is told about presets.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<(u64, OverlayEvent)>>>);

impl Overlay for Ear {
    fn id(&self) -> &str {
        "ear"
    }
    fn prepare(&mut self, _: Canvas) -> Result<()> {
        Ok(())
    }
    fn apply(&mut self, at: Tick, action: &OverlayAction) -> Result<()> {
        if let OverlayAction::Event(e) = action
            && e.kind == EventKind::Preset
        {
            self.0.lock().unwrap().push((at.frame, e.clone()));
        }
        Ok(())
    }
    fn is_static_until(&self, _: Tick) -> Option<u64> {
        None
    }
    fn is_visible(&self, _: Tick) -> bool {
        false
    }
    fn compose(&mut self, _: Tick, _: &mut FrameBuf) -> Result<()> {
        Ok(())
    }
}

/// [`play`] under an overlay.
async fn play_under(
    timeline: TimelineConfig,
    speed: f32,
    tells: (bool, bool),
    frames: usize,
    ear: Ear,
) -> (Vec<judge::Seen>, SessionStatus) {
    let clock = ManualClock::new();
    clock.advance(MediaTime::from_secs(1000));
    let judge = judge::Judge::default();
    let program = ProgramConfig { width: SIZE.0, height: SIZE.1, delay_ms: 100, ..ProgramConfig::default() };
    let mut builder = Session::builder()
        .program(program)
        .timeline(timeline)
        .clock(Arc::new(clock.clone()))
        .overlay(0, Box::new(ear))
        .encoder(Arc::new(judge.clone()))
        .audio_encoder(null_audio());
    let mut cameras = Vec::new();
    for id in [1u8, 2] {
        let motors = Motors::new(MotorSpec { pan_tilt: speed, zoom: speed, ..MotorSpec::default() });
        let machine = Machine::new(MoverPolicy::default(), LearnedTimes::default());
        let head = Head {
            machine,
            motors,
            clock: clock.clone(),
            tells,
            op: None,
            waiting: Vec::new(),
            commands: 0,
            outcomes: 0,
        };
        let head = Arc::new(Mutex::new(head));
        let config = TestCameraConfig { id, width: SIZE.0, height: SIZE.1, fps: FPS, ..TestCameraConfig::default() };
        let (pictures, source) = fed();
        let view = |i: usize| PtzView { name: format!("view {i}"), ..PtzView::default() };
        let lag = FPS.time_of(LAG as u64).to_duration();
        builder = builder.camera(format!("cam{id}"), source).ptz(
            Arc::new(Control(head.clone())),
            (0..PRESETS.len()).map(view).collect(),
            lag,
        );
        let eye = Panorama::new(&config).unwrap();
        cameras.push(Camera { head, eye, past: VecDeque::new(), pictures });
    }
    let session = Box::pin(builder.start()).await.unwrap();
    let mut n = 0;
    while judge.seen().len() < frames {
        // The program has made its frame, and sleeps until the next one.
        let c = clock.clone();
        tokio::task::spawn_blocking(move || c.wait_for_sleepers(1)).await.unwrap();
        for (i, camera) in cameras.iter_mut().enumerate() {
            let orders = session.status().heads[i].orders;
            until("the order reaches the head", || lock(&camera.head).commands == orders).await;
            lock(&camera.head).step();
            let over = lock(&camera.head).outcomes;
            until("the outcome reaches the session", || session.status().heads[i].done == over).await;
            camera.send(n).await;
        }
        clock.advance(FPS.time_of(n + 1) - FPS.time_of(n));
        n += 1;
    }
    let mut seen = judge.seen().clone();
    seen.truncate(frames);
    let status = while_time_goes_on(&clock, FPS.frame_duration(), session.stop()).await.status;
    (seen, status)
}

fn shot(camera: usize, view: usize, frames: u64) -> Shot {
    Shot::new(format!("cam{camera}"), Span::Frames(frames)).at(format!("view {view}"))
}
fn is_preset(p: &PtzPosition) -> bool {
    PRESETS.iter().any(|q| judge::same(p, q))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_to_presets_are_on_their_frames_and_stand() {
    const SHOT: u64 = 50;
    let shots: Vec<Shot> = (0..6).map(|i| shot(1 + i % 2, i / 2, SHOT)).collect();
    // With move status and position, with one of them.
    for (tells, cuts) in [((true, true), 10), ((true, false), 6), ((false, true), 6)] {
        let timeline = TimelineConfig { shots: shots.clone(), looped: true, ..TimelineConfig::default() };
        let (seen, status) = play(timeline, 2.0, tells, (cuts * SHOT + SHOT) as usize).await;
        let shown = judge::shots(&seen);
        assert_eq!(shown.len() as u64, cuts + 1, "{shown:#?}");
        for (i, s) in shown.iter().enumerate() {
            assert_eq!((s.at as u64, usize::from(s.camera)), (i as u64 * SHOT, 1 + i % 2));
            assert!(!s.moved && judge::same(&s.view, &PRESETS[i % 6 / 2]), "shot {i}, {tells:?}: {s:?}");
        }
        assert_eq!(status.program.unwrap().counters.moving_shots, 0);
        assert!(status.heads.iter().all(|h| h.failures == 0 && h.done >= cuts / 2), "{:?}", status.heads);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_late_is_never_seen_moving() {
    // The way takes longer than the other camera's shot. A camera whose turn comes again while it is still on air is moved
    // behind a still picture.
    let shots = (0..6).map(|i| shot(1 + i % 2, i / 2, 40)).collect();
    let (seen, _) =
        play(TimelineConfig { shots, looped: true, ..TimelineConfig::default() }, 0.8, (true, true), 600).await;
    assert!(seen.iter().flatten().all(|(_, p)| is_preset(p)), "motion is seen");
    assert!(judge::shots(&seen).len() > 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_camera_with_three_presets_is_a_three_camera_show() {
    let shots: Vec<Shot> = (0..3).map(|i| shot(1, i, 60)).collect();
    let show = |same_camera, backup: Option<&str>| TimelineConfig {
        shots: shots.clone(),
        looped: true,
        backup: backup.map(Into::into),
        ptz: PtzRules { same_camera, ..PtzRules::default() },
        ..TimelineConfig::default()
    };
    let (seen, _) = play(show(SameCamera::Freeze, None), 1.5, (true, true), 400).await;
    assert!(seen.iter().flatten().all(|(camera, p)| *camera == 1 && is_preset(p)), "no motion is seen");
    let changes = seen.windows(2).filter(|w| w[0].zip(w[1]).is_some_and(|(a, b)| !judge::same(&a.1, &b.1))).count();
    assert_eq!(changes, 6);
    let (seen, _) = play(show(SameCamera::Away, Some("cam2")), 1.5, (true, true), 400).await;
    let shown = judge::shots(&seen);
    let cameras: Vec<u8> = shown.iter().map(|s| s.camera).collect();
    assert_eq!(cameras, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1], "the other camera stands in");
    assert!(shown.iter().all(|s| !s.moved && (s.camera == 2 || is_preset(&s.view))), "{shown:#?}");
    let (seen, _) = play(show(SameCamera::Move, None), 1.5, (true, true), 100).await;
    assert!(seen.iter().flatten().any(|(_, p)| !is_preset(p)), "asked for, the motion is seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlays_are_told_what_the_picture_shows() {
    const SHOT: u64 = 50;
    let shots = vec![shot(1, 0, SHOT), shot(2, 0, SHOT), shot(1, 1, SHOT)];
    let ear = Ear::default();
    let timeline = TimelineConfig { shots, ..TimelineConfig::default() };
    let (seen, _) = play_under(timeline, 2.0, (true, true), 3 * SHOT as usize, ear.clone()).await;
    let told = ear.0.lock().unwrap().clone();
    let of = |name: &str| -> Vec<(u64, bool)> {
        told.iter().filter(|(_, e)| e.name == name).map(|(frame, e)| (*frame, e.on)).collect()
    };
    // camera 1 leaves "view 0" when it goes off air; camera 2 still stands there
    assert_eq!(of("cam1:view 0"), [(0, true), (SHOT, false)], "{told:?}");
    assert_eq!(of("cam2:view 0")[0], (0, true));
    assert!(of("view 0").iter().all(|(_, on)| *on), "{told:?}");
    let arrived = of("cam1:view 1");
    assert!(arrived.len() == 1 && arrived[0].1 && arrived[0].0 < 2 * SHOT, "{told:?}");
    assert!(seen.iter().flatten().all(|(_, p)| is_preset(p)));
}
