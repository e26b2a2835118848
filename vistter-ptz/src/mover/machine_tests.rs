//! The rules against a camera with motors, under one manual clock.

use proptest::prelude::*;
use vistter_core::ports::{PtzCaps, PtzPosition, PtzStatus};

use super::*;
use crate::settle::{Evidence, near};
use crate::sim::{MotorSpec, Motors};

const fn ms(n: i64) -> MediaTime {
    MediaTime::from_millis(n)
}
const fn at(pan: f32) -> PtzPosition {
    PtzPosition { pan, tilt: 0.0, zoom: 0.0 }
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Right,
    AlwaysIdle,
    AlwaysMoving,
    Absent,
}

/// A driver's camera. Each operation takes `rtt`, and takes effect at its end.
struct Fake {
    motors: Motors,
    presets: Vec<(Preset, PtzPosition)>,
    status: Status,
    tells_position: bool,
    /// Unknown tokens are answered with success and nothing is done.
    polite: bool,
    absolute: bool,
    fail: Option<(u32, ErrorKind)>,
    stops: u32,
    log: Vec<&'static str>,
}

struct Rig {
    now: MediaTime,
    m: Machine,
    cam: Fake,
    rtt: MediaTime,
    doing: Option<(MediaTime, Op)>,
    outcomes: Vec<(u64, Outcome, MediaTime)>,
    notes: Vec<Note>,
    ids: u64,
}

impl Rig {
    fn new() -> Self {
        let preset = |t: &str, n: &str| Preset { token: t.into(), name: n.into() };
        let cam = Fake {
            motors: Motors::new(MotorSpec::default()),
            presets: vec![(preset("1", "stage"), at(0.5)), (preset("2", "door"), at(-0.5))],
            status: Status::Right,
            tells_position: true,
            polite: false,
            absolute: true,
            fail: None,
            stops: 0,
            log: Vec::new(),
        };
        Self {
            now: ms(1000),
            m: Machine::new(MoverPolicy::default(), LearnedTimes::default()),
            cam,
            rtt: ms(10),
            doing: None,
            outcomes: Vec::new(),
            notes: Vec::new(),
            ids: 0,
        }
    }
    fn take(&mut self, outputs: Vec<Output>) {
        for o in outputs {
            match o {
                Output::Op(op) => {
                    assert!(self.doing.is_none(), "two operations at once: {op:?}");
                    self.doing = Some((self.now + self.rtt, op));
                }
                Output::Abandon => {
                    let (_, op) = self.doing.take().expect("something to abandon");
                    assert!(op.is_read(), "a command was abandoned: {op:?}");
                }
                Output::Outcome(id, o) => {
                    assert!(self.outcomes.iter().all(|(i, ..)| *i != id.0), "two outcomes of one command");
                    self.outcomes.push((id.0, o, self.now));
                }
                Output::Note(n) => self.notes.push(n),
            }
        }
    }
    fn say(&mut self, command: Command) -> u64 {
        self.ids += 1;
        let mut out = Vec::new();
        self.m.command(self.now, MoveId(self.ids), command, &mut |o| out.push(o));
        self.take(out);
        self.ids
    }
    fn run(&mut self, until: MediaTime) {
        let mut steps = 0;
        loop {
            let next = [self.doing.as_ref().map(|d| d.0), self.m.next_deadline()].into_iter().flatten().min();
            let Some(t) = next.filter(|t| *t <= until) else { break };
            steps += 1;
            assert!(steps < 20_000, "it turns in circles");
            self.now = t.max(self.now);
            let mut out = Vec::new();
            match self.doing.take_if(|(due, _)| *due <= self.now) {
                Some((_, op)) => {
                    let result = self.cam.perform(self.now, op);
                    self.m.finished(self.now, result, &mut |o| out.push(o));
                }
                None => self.m.poll(self.now, &mut |o| out.push(o)),
            }
            self.take(out);
        }
        self.now = until;
    }
    fn outcome(&self, id: u64) -> Option<&Outcome> {
        self.outcomes.iter().find(|(i, ..)| *i == id).map(|(_, o, _)| o)
    }
    /// Says it and waits; the outcome, and the milliseconds from the end of the motion to it.
    fn arrive(&mut self, command: Command) -> (Outcome, i64) {
        let id = self.say(command);
        let (mut ended, began) = (self.now, self.now);
        while self.outcome(id).is_none() {
            assert!(self.now < began + ms(30_000), "no outcome");
            self.run(self.now + ms(1));
            if self.cam.motors.moving(self.now) {
                ended = self.now + ms(1);
            }
        }
        (self.outcome(id).unwrap().clone(), (self.now - ended).millis())
    }
    fn go(&mut self, view: View) -> (Arrival, i64) {
        match self.arrive(Command::GoTo(view)) {
            (Outcome::Arrived(a), after) => (a, after),
            other => panic!("{other:?}"),
        }
    }
}

impl Fake {
    fn perform(&mut self, now: MediaTime, op: Op) -> Result<Done> {
        if let Some((n, kind)) = self.fail.as_mut().filter(|f| f.0 > 0) {
            *n -= 1;
            return Err(Error::new(*kind, "as told"));
        }
        let caps = PtzCaps { absolute: self.absolute, list_presets: true, ..PtzCaps::default() };
        match op {
            Op::Capabilities => return Ok(Done::Capabilities(caps)),
            Op::Presets => {
                self.log.push("list");
                return Ok(Done::Presets(self.presets.iter().map(|(p, _)| p.clone()).collect()));
            }
            Op::Views => {
                return Ok(Done::Views(self.presets.iter().map(|(p, at)| (p.clone(), Some(*at))).collect()));
            }
            Op::Status => {
                let moving = match self.status {
                    Status::Right => Some(self.motors.moving(now)),
                    Status::AlwaysIdle => Some(false),
                    Status::AlwaysMoving => Some(true),
                    Status::Absent => None,
                };
                return Ok(Done::Status(PtzStatus {
                    position: self.tells_position.then(|| self.motors.position(now)),
                    moving,
                }));
            }
            Op::GoTo(p) => {
                self.log.push("recall");
                match self.presets.iter().find(|(q, _)| q.token == p.token) {
                    Some((_, to)) => self.motors.go_to(now, [Some(to.pan), Some(to.tilt), Some(to.zoom)], 1.0),
                    None if self.polite => {}
                    None => return Err(Error::new(ErrorKind::NotFound, "no such token")),
                }
            }
            Op::Absolute(to, _) if self.absolute => {
                self.log.push("absolute");
                self.motors.go_to(now, [Some(to.pan), Some(to.tilt), Some(to.zoom)], 1.0);
            }
            Op::Absolute(..) => return Err(Error::new(ErrorKind::Unsupported, "fixed")),
            Op::Relative(by, _) => {
                let p = self.motors.position(now);
                self.motors.go_to(now, [Some(p.pan + by.pan), Some(p.tilt + by.tilt), None], 1.0);
            }
            Op::Home => self.motors.go_to(now, [Some(0.0), Some(0.0), Some(0.0)], 1.0),
            Op::Drive(v, _) => {
                self.log.push("drive");
                self.motors.drive_all(now, v);
            }
            Op::Stop => {
                self.stops += 1;
                self.motors.stop(now);
            }
            Op::Save(name, replace) => {
                let token = replace.map_or_else(|| format!("{}", self.presets.len() + 1), |p| p.token);
                self.presets.retain(|(p, _)| p.token != token);
                self.presets.push((Preset { token: token.clone(), name: name.clone() }, self.motors.position(now)));
                return Ok(Done::Saved(Preset { token, name }));
            }
            Op::Remove(preset) => self.presets.retain(|(p, _)| p.token != preset.token),
        }
        Ok(Done::Accepted)
    }
}

fn stage() -> View {
    View { token: Some("1".into()), name: Some("stage".into()), position: Some(at(0.5)) }
}
fn drive(pan: f32) -> Command {
    Command::Drive(PtzVelocity { pan, tilt: 0.0, zoom: 0.0 })
}

#[test]
fn a_go_to_ends_when_the_camera_stands() {
    for (status, evidence, most) in [
        (Status::Right, Evidence::MoveStatus, 150),
        (Status::AlwaysIdle, Evidence::Position, 400),
        (Status::Absent, Evidence::Position, 400),
    ] {
        let mut r = Rig::new();
        r.cam.status = status;
        let (a, after) = r.go(stage());
        assert_eq!((a.evidence, a.found, a.off_target), (evidence, Some(Identity::Token), false));
        assert!((0..=most).contains(&after), "{evidence:?} {after} ms after the motion");
        assert!(near(&a.position.unwrap(), &at(0.5), 0.001));
        assert_eq!((r.m.here(), r.notes.len()), ("stage", 0));
        let took = r.m.learned().took("", "stage").unwrap().millis();
        assert!((500..=720).contains(&took), "{evidence:?}: half a second and the latency are learned as {took} ms");
    }
    let mut r = Rig::new();
    r.cam.status = Status::AlwaysMoving;
    assert_eq!(r.go(stage()).0.evidence, Evidence::Position);
}
#[test]
fn a_blind_camera_takes_three_seconds_and_then_the_learned_time() {
    let mut r = Rig::new();
    (r.cam.status, r.cam.tells_position) = (Status::Absent, false);
    let (a, _) = r.go(stage());
    assert_eq!((a.evidence, a.took), (Evidence::Bound, ms(3000)));
    let mut times = LearnedTimes::default();
    times.keep("door", "stage", ms(1000), None);
    r.m = Machine::new(MoverPolicy::default(), times);
    assert_eq!((r.go(stage()).0.evidence, r.go(stage()).0.took), (Evidence::LearnedTime, ms(1200)));
}
#[test]
fn a_newer_go_to_replaces_an_older_one_begun_or_not() {
    let mut r = Rig::new();
    let first = r.say(Command::GoTo(stage()));
    r.run(ms(1300));
    let second = r.say(Command::GoTo(View::named("door")));
    let third = r.say(Command::GoTo(View::named("stage")));
    assert_eq!(r.outcome(second), Some(&Outcome::Replaced));
    r.run(ms(4000));
    assert_eq!(r.outcome(first), Some(&Outcome::Replaced));
    assert!(matches!(r.outcome(third), Some(Outcome::Arrived(_))));
    assert_eq!(r.cam.log.iter().filter(|l| **l == "recall").count(), 2, "the one between was never said");
}
#[test]
fn a_drive_that_is_not_renewed_is_stopped() {
    let mut r = Rig::new();
    let d = r.say(drive(0.2));
    r.run(ms(1900));
    assert_eq!(r.outcome(d), Some(&Outcome::Driving));
    let again = r.say(drive(0.2));
    r.run(ms(2850));
    assert!(r.cam.motors.moving(r.now) && r.outcome(again) == Some(&Outcome::Driving) && r.m.must_stop());
    r.run(ms(3000));
    assert_eq!((r.notes.as_slice(), r.cam.stops, r.m.must_stop()), (&[Note::DeadMan][..], 1, false));
    assert!(!r.cam.motors.moving(r.now));
    assert_eq!((r.m.next_deadline(), r.doing.is_none()), (None, true));
}
#[test]
fn a_drive_said_often_is_not_sent_each_time() {
    let mut r = Rig::new();
    for _ in 0..60 {
        r.say(drive(0.1));
        r.run(r.now + ms(50));
    }
    let sent = r.cam.log.iter().filter(|l| **l == "drive").count();
    assert!((6..=12).contains(&sent), "{sent} in three seconds");
    assert!(r.notes.is_empty() && r.cam.stops == 0);
}
#[test]
fn stop_goes_before_everything_and_is_tried_until_taken() {
    let mut r = Rig::new();
    r.rtt = ms(200);
    r.say(drive(1.0));
    r.run(ms(1300));
    let lost = r.say(Command::GoTo(stage()));
    r.cam.fail = Some((4, ErrorKind::Timeout));
    let stop = r.say(Command::Stop);
    assert_eq!(r.outcome(lost), Some(&Outcome::Replaced));
    r.run(ms(5000));
    assert_eq!((r.outcome(stop), r.cam.stops), (Some(&Outcome::Stopped), 1));
    assert!(!r.m.must_stop());
    r.cam.fail = Some((1000, ErrorKind::Timeout));
    let stop = r.say(Command::Stop);
    r.run(ms(20_000));
    assert!(matches!(r.outcome(stop), Some(Outcome::Failed(_))) && matches!(r.notes[..], [Note::StopFailed(_)]));
    assert_eq!(r.m.next_deadline(), None);
}
#[test]
fn a_drive_whose_answer_is_lost_and_one_whose_follower_fails_are_stopped() {
    let mut r = Rig::new();
    r.cam.fail = Some((1, ErrorKind::Timeout));
    let d = r.say(drive(1.0));
    r.run(ms(1100));
    assert!(matches!(r.outcome(d), Some(Outcome::Failed(_))) && r.cam.stops == 1);
    r.say(drive(1.0));
    r.run(ms(1200));
    let go = r.say(Command::GoTo(View::named("nowhere")));
    r.run(ms(1500));
    let Some(Outcome::Failed(e)) = r.outcome(go) else { panic!("{:?}", r.outcome(go)) };
    assert_eq!((e.kind(), r.cam.stops), (ErrorKind::NotFound, 2));
    assert!(e.next_step().is_some());
}
#[test]
fn a_drive_that_one_axis_refuses_is_stopped_and_a_fixed_camera_is_not_bothered() {
    let mut r = Rig::new();
    r.cam.fail = Some((1, ErrorKind::Unsupported));
    let d = r.say(drive(1.0));
    r.run(ms(1500));
    assert!(matches!(r.outcome(d), Some(Outcome::Failed(_))));
    assert_eq!((r.cam.stops, r.notes.len(), r.m.must_stop()), (1, 0, false));
    r.cam.fail = Some((u32::MAX, ErrorKind::Unsupported));
    r.say(drive(1.0));
    r.run(ms(5000));
    assert_eq!((r.cam.stops, r.notes.len(), r.m.next_deadline()), (1, 0, None));
}
#[test]
fn presets_are_found_again_after_a_reboot() {
    // New tokens; the mover still has the old list.
    let mut r = Rig::new();
    r.go(stage());
    r.go(View::named("door"));
    r.cam.presets.iter_mut().for_each(|(p, _)| p.token = format!("x{}", p.token));
    let (a, _) = r.go(stage());
    assert_eq!((a.found, a.preset.unwrap().token), (Some(Identity::Name), "x1".into()));
    assert_eq!(r.notes, [Note::FoundAgain { view: "stage".into(), by: Identity::Name }]);
    // The preset is gone: by position.
    r.go(View::named("door"));
    r.cam.presets.retain(|(p, _)| p.name != "stage");
    let (a, _) = r.go(stage());
    assert_eq!((a.found, a.off_target), (Some(Identity::Position), false));
    assert!(near(&a.position.unwrap(), &at(0.5), 0.001));
}
#[test]
fn a_camera_that_says_yes_and_does_nothing_is_found_out() {
    let mut r = Rig::new();
    r.go(View::named("door"));
    r.cam.polite = true;
    r.cam.presets[0].0.token = "9".into();
    let (a, _) = r.go(stage());
    assert_eq!((a.found, a.off_target, a.preset.unwrap().token), (Some(Identity::Name), false, "9".into()));
    // Nothing else to try: it says that it stands elsewhere.
    r.go(View::named("door"));
    r.cam.presets.clear();
    let nothing = View { token: Some("9".into()), ..View::default() };
    r.m = Machine::new(MoverPolicy::default(), LearnedTimes::default());
    let (o, _) = r.arrive(Command::GoTo(nothing));
    assert!(matches!(&o, Outcome::Failed(e) if e.kind() == ErrorKind::NotFound), "{o:?}");
}
#[test]
fn a_preset_that_was_stored_anew_in_the_camera_is_believed() {
    let mut r = Rig::new();
    r.cam.presets[0].1 = at(0.9);
    let (a, _) = r.go(stage());
    assert_eq!((a.found, a.off_target), (Some(Identity::Token), true));
    assert!(near(&a.position.unwrap(), &at(0.9), 0.001));
}
#[test]
fn a_camera_that_falls_silent_fails_at_the_bound_and_a_dead_one_at_once() {
    let mut r = Rig::new();
    let id = r.say(Command::GoTo(stage()));
    r.run(ms(1060));
    r.cam.fail = Some((u32::MAX, ErrorKind::Timeout));
    r.run(ms(12_000));
    let (_, o, when) = r.outcomes.iter().find(|(i, ..)| *i == id).unwrap();
    assert!(matches!(o, Outcome::Failed(_)) && *when <= ms(5000), "{o:?} at {when:?}");
    let now = r.now;
    let (o, _) = r.arrive(Command::Home);
    assert!(matches!(o, Outcome::Failed(_)) && r.now <= now + ms(20), "{o:?}");
}
#[test]
fn a_fixed_camera_says_so() {
    let mut r = Rig::new();
    r.cam.absolute = false;
    let (o, _) = r.arrive(Command::Absolute { to: at(0.1), speed: None });
    assert!(matches!(&o, Outcome::Failed(e) if e.kind() == ErrorKind::Unsupported), "{o:?}");
}
#[test]
fn errands_run_beside_a_move_and_a_capture_has_its_position() {
    let mut r = Rig::new();
    r.say(Command::GoTo(stage()));
    r.run(ms(1200));
    let status = r.say(Command::Status);
    r.run(ms(1230));
    assert!(matches!(r.outcome(status), Some(Outcome::Status(s)) if s.moving == Some(true)));
    r.run(ms(3000));
    let (o, _) = r.arrive(Command::Save { name: "new".into(), replace: None });
    let Outcome::Saved(view) = o else { panic!("{o:?}") };
    assert_eq!((view.name.as_deref(), r.m.here()), (Some("new"), "new"));
    assert!(near(&view.position.unwrap(), &at(0.5), 0.001));
    let (o, _) = r.arrive(Command::Presets);
    assert!(matches!(&o, Outcome::Presets(p) if p.len() == 3));
    r.go(View::named("door"));
    assert_eq!(r.go(view).0.found, Some(Identity::Token));
    let ids: Vec<u64> = (0..20).map(|_| r.say(Command::Status)).collect();
    r.run(r.now + ms(2000));
    let failed = ids.iter().filter(|i| matches!(r.outcome(**i), Some(Outcome::Failed(_)))).count();
    assert_eq!(failed, 20 - MOST_ERRANDS);
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::GoTo(stage())),
        Just(Command::GoTo(View::named("door"))),
        Just(Command::GoTo(View::named("nowhere"))),
        (-1.0f32..1.0).prop_map(drive),
        Just(drive(0.0)),
        Just(Command::Stop),
        Just(Command::Home),
        Just(Command::Status),
        Just(Command::Presets),
        (-0.5f32..0.5).prop_map(|d| Command::Relative { by: at(d), speed: None }),
    ]
}

proptest! {
    /// Whatever is said and whatever fails: one operation at a time, one outcome each, and the camera ends up standing.
    #[test]
    fn every_command_gets_its_outcome(
        acts in proptest::collection::vec((commands(), 0i64..1500, 0u32..6, 0u8..4, 1i64..400), 1..30)
    ) {
        let mut r = Rig::new();
        for (command, wait, fails, status, rtt) in acts {
            r.rtt = ms(rtt);
            r.cam.status = [Status::Right, Status::AlwaysIdle, Status::AlwaysMoving, Status::Absent][usize::from(status)];
            if fails > 3 {
                r.cam.fail = Some((fails - 3, ErrorKind::Timeout));
            }
            r.say(command);
            r.run(r.now + ms(wait));
        }
        r.run(r.now + ms(60_000));
        prop_assert_eq!(r.outcomes.len() as u64, r.ids);
        prop_assert!(!r.cam.motors.moving(r.now) && !r.m.must_stop());
        prop_assert_eq!((r.m.next_deadline(), r.doing.is_none()), (None, true));
    }
}
