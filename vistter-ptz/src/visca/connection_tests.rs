//! The conversation against the simulated camera, both sans-IO, under one manual clock.

use proptest::prelude::*;

use super::*;
use crate::sim::{Faults, MotorSpec, ViscaDevice};
use crate::visca::angles::{Angles, Digits};
use crate::visca::units::Units;

const fn ms(n: i64) -> MediaTime {
    MediaTime::from_millis(n)
}

/// Both ends and the wire between them, which takes no time.
struct Rig {
    now: MediaTime,
    ours: Connection,
    camera: ViscaDevice,
    events: Vec<(Ticket, Event)>,
    /// Datagrams that we sent.
    sent: usize,
}

impl Rig {
    fn new(framing: Framing, policy: Policy) -> Self {
        let camera = ViscaDevice::new(MotorSpec::default(), Units::COMMON);
        Self { now: ms(1000), ours: Connection::new(framing, policy), camera, events: Vec::new(), sent: 0 }
    }
    fn udp() -> Self {
        Self::new(Framing::Udp, Policy::default())
    }
    fn lose(mut self, faults: Faults) -> Self {
        *self.camera.faults() = faults;
        self
    }
    /// Delivers until nobody has anything to say.
    fn settle(&mut self, mut outputs: Vec<Output>) {
        let mut rounds = 0;
        while !outputs.is_empty() {
            rounds += 1;
            assert!(rounds < 100, "the two talk for ever");
            let mut back = Vec::new();
            for o in std::mem::take(&mut outputs) {
                match o {
                    Output::Event(t, e) => self.events.push((t, e)),
                    Output::Send(bytes) => {
                        self.sent += 1;
                        let mut sink = |_, b| back.push(b);
                        match self.ours.framing {
                            Framing::Udp => self.camera.datagram(self.now, 0, &bytes, &mut sink),
                            Framing::Tcp => self.camera.message(self.now, 0, &bytes, &mut sink),
                        }
                    }
                }
            }
            for bytes in back {
                self.ours.receive(self.now, &bytes, &mut |o| outputs.push(o));
            }
        }
    }
    fn say(&mut self, request: Request) -> Ticket {
        let mut out = Vec::new();
        let ticket = self.ours.submit(self.now, request, &mut |o| out.push(o)).unwrap();
        self.settle(out);
        ticket
    }
    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, until: MediaTime) {
        loop {
            let next = [self.ours.next_deadline(), self.camera.next_deadline()].into_iter().flatten().min();
            let Some(t) = next.filter(|t| *t <= until) else { break };
            self.now = t.max(self.now);
            let (mut out, mut back) = (Vec::new(), Vec::new());
            self.camera.poll(self.now, &mut |_, b| back.push(b));
            for bytes in back {
                self.ours.receive(self.now, &bytes, &mut |o| out.push(o));
            }
            self.ours.poll(self.now, &mut |o| out.push(o));
            self.settle(out);
        }
        self.now = until;
    }
    /// What became of it within ten seconds, without the `Done` that comes later.
    fn verdict(&mut self, request: Request) -> (Event, i64) {
        let (ticket, began) = (self.say(request), self.now);
        while !self.events.iter().any(|(t, _)| *t == ticket) {
            assert!(self.now < began + ms(10_000), "no verdict on {request:?}");
            let next = self.ours.next_deadline().expect("something must be waited for");
            self.pass(next);
        }
        (self.events.iter().find(|(t, _)| *t == ticket).unwrap().1, (self.now - began).millis())
    }
}

const fn angles(pan: i32) -> Angles {
    Angles { pan, tilt: 0, digits: Digits::Four }
}
const MOVE: Request = Request::MoveTo { to: angles(0x0990), speed: (24, 20) };

#[test]
fn a_move_is_accepted_at_once_and_done_on_arrival() {
    for framing in [Framing::Udp, Framing::Tcp] {
        let mut r = Rig::new(framing, Policy::default());
        let t = r.say(MOVE);
        assert_eq!((&r.events[..], r.ours.is_moving()), (&[(t, Event::Accepted)][..], true));
        r.pass(ms(2000));
        assert_eq!((r.events.len(), r.ours.is_moving()), (1, true), "one second of two");
        r.pass(ms(2100));
        assert_eq!((r.events[1], r.ours.is_moving()), ((t, Event::Done), false));
        assert_eq!(r.verdict(Request::PanTilt).0, Event::Answer(Reply::PanTilt(angles(0x0990))));
        assert_eq!(r.verdict(Request::Zoom), (Event::Answer(Reply::Zoom(0)), 0));
    }
}
#[test]
fn whatever_is_lost_once_costs_one_wait_and_no_second_move() {
    // Of the first command: RESET, its answer, the command, its ACK; then an inquiry and its answer.
    for lost in 0..2 {
        let f = |n| {
            if lost == 0 {
                Faults { lose_requests: n, ..Faults::default() }
            } else {
                Faults { lose_replies: n, ..Faults::default() }
            }
        };
        let mut r = Rig::udp().lose(f(1));
        assert_eq!(r.verdict(MOVE), (Event::Accepted, 300), "RESET or its answer");
        *r.camera.faults() = f(1);
        assert_eq!(r.verdict(Request::MoveBy { by: angles(100), speed: (1, 1) }), (Event::Accepted, 300));
        assert_eq!(r.camera.executed(), 2);
        *r.camera.faults() = f(1);
        assert!(matches!(r.verdict(Request::Zoom), (Event::Answer(Reply::Zoom(_)), 300)));
    }
}
#[test]
fn a_dead_camera_fails_in_bounded_time_and_is_reset_afterwards() {
    let mut r = Rig::udp().lose(Faults { lose_requests: u32::MAX, ..Faults::default() });
    // Two RESETs, then the message three times all the same.
    assert_eq!(r.verdict(Request::STOP), (Event::Failed(Failure::NoAnswer), 1500));
    assert_eq!(r.sent, 5);
    assert_eq!(r.ours.next_deadline(), None);
    *r.camera.faults() = Faults::default();
    assert_eq!(r.verdict(Request::STOP), (Event::Accepted, 0));
    let mut r = Rig::new(Framing::Tcp, Policy::default()).lose(Faults { lose_requests: 1, ..Faults::default() });
    assert_eq!(r.verdict(Request::STOP), (Event::Failed(Failure::NoAnswer), 1200));
}
#[test]
fn a_camera_that_was_restarted_is_reset_without_loss() {
    let mut r = Rig::udp();
    for _ in 0..20 {
        r.verdict(Request::Zoom);
    }
    r.camera.restart(r.now);
    assert_eq!(r.verdict(MOVE), (Event::Accepted, 0));
    assert_eq!(r.camera.executed(), 1);
}
#[test]
fn both_sockets_taken_waits_for_one() {
    let mut r = Rig::udp();
    r.verdict(Request::SavePreset(1));
    r.verdict(Request::SavePreset(2));
    assert_eq!(r.verdict(Request::SavePreset(3)), (Event::Accepted, 100));
    assert_eq!(r.camera.executed(), 3);
}
#[test]
fn refusals_are_told() {
    let mut r = Rig::udp();
    assert_eq!(r.verdict(Request::RecallPreset(9)).0, Event::Failed(Failure::Refused(Refusal::NotNow)));
    r.camera.faults().standby = true;
    assert_eq!(r.verdict(MOVE).0, Event::Failed(Failure::Refused(Refusal::NotNow)));
    assert_eq!(r.verdict(Request::Cancel(1)).0, Event::Accepted, "nothing to cancel is as good as cancelled");
}
#[test]
fn cancel_ends_a_move_where_it_is() {
    let mut r = Rig::udp();
    let t = r.say(MOVE);
    r.pass(ms(1560));
    assert_eq!(r.verdict(Request::Cancel(1)).0, Event::Accepted);
    assert!(r.events.contains(&(t, Event::Done)) && !r.ours.is_moving());
    let now = r.now;
    assert!((r.camera.motors().position(now + ms(5000)).pan - 0.5).abs() < 0.01);
}
#[test]
fn a_camera_that_answers_with_number_zero_needs_its_quirk() {
    let quirk = Policy { any_sequence: true, ..Policy::default() };
    let mut r = Rig::new(Framing::Udp, quirk).lose(Faults { zero_sequence: true, no_reset: true, ..Faults::default() });
    assert_eq!(r.verdict(Request::Zoom), (Event::Answer(Reply::Zoom(0)), 600), "RESET was waited for");
    assert_eq!(r.verdict(MOVE), (Event::Accepted, 0));
    r.pass(ms(9000));
    assert!(!r.ours.is_moving());
}
#[test]
fn completions_that_never_come_are_not_waited_for_for_ever() {
    let mut r = Rig::udp().lose(Faults { never_done: true, ..Faults::default() });
    let t = r.say(MOVE);
    r.pass(ms(30_999));
    assert!(r.ours.is_moving());
    r.pass(ms(31_000));
    assert!(!r.ours.is_moving() && r.events.contains(&(t, Event::Done)));
}
#[test]
fn a_message_that_was_given_up_leaves_no_trace() {
    let mut r = Rig::udp();
    r.verdict(Request::Zoom);
    *r.camera.faults() = Faults { lose_requests: 1, ..Faults::default() };
    let lost = r.say(Request::PanTilt);
    // The camera never had its number, so the next one is out of step: RESET, and again.
    assert_eq!(r.verdict(Request::Zoom), (Event::Answer(Reply::Zoom(0)), 0));
    assert!(r.events.iter().all(|(t, _)| *t != lost));
    let mut tcp = Connection::new(Framing::Tcp, Policy::default());
    tcp.submit(ms(0), Request::Zoom, &mut |_| {}).unwrap();
    assert_eq!(tcp.submit(ms(0), Request::Zoom, &mut |_| {}), Err(Busy));
}

#[derive(Clone, Debug)]
enum Act {
    Say(Request),
    Faults(Faults),
    Restart,
    Pass(i64),
}

fn acts() -> impl Strategy<Value = Act> {
    let requests = prop_oneof![
        Just(Request::Zoom),
        Just(Request::PanTilt),
        Just(Request::STOP),
        Just(MOVE),
        Just(Request::Home),
        (0u8..3).prop_map(Request::RecallPreset),
        (0u8..3).prop_map(Request::SavePreset),
        (0u8..4).prop_map(Request::Cancel),
    ];
    let faults = (0u32..4, 0u32..4, 0u32..3, 0u32..3, any::<bool>(), any::<bool>()).prop_map(|f| Faults {
        lose_requests: f.0,
        lose_replies: f.1,
        double_replies: f.2,
        double_requests: f.3,
        done_at_once: f.4,
        never_done: f.5,
        ..Faults::default()
    });
    prop_oneof![
        4 => requests.prop_map(Act::Say),
        2 => faults.prop_map(Act::Faults),
        1 => Just(Act::Restart),
        2 => (0i64..3000).prop_map(Act::Pass),
    ]
}

proptest! {
    /// Whatever is lost or doubled: every message gets one verdict in bounded time, and a healthy line works again.
    #[test]
    fn every_message_gets_its_verdict(acts in proptest::collection::vec(acts(), 1..40)) {
        let mut r = Rig::udp();
        for act in acts {
            match act {
                Act::Say(request) => {
                    let before = r.events.len();
                    let (event, took) = r.verdict(request);
                    prop_assert!(took <= 6000, "{request:?} took {took} ms");
                    if let Event::Answer(a) = event {
                        prop_assert_eq!(matches!(a, Reply::Zoom(_)), request == Request::Zoom);
                    }
                    let verdicts = r.events[before..].iter().filter(|(_, e)| *e != Event::Done).count();
                    prop_assert_eq!(verdicts, 1);
                }
                Act::Faults(f) => *r.camera.faults() = f,
                Act::Restart => r.camera.restart(r.now),
                Act::Pass(n) => { let to = r.now + ms(n); r.pass(to); }
            }
            prop_assert!(r.ours.running.len() <= MOST_RUNNING);
        }
        *r.camera.faults() = Faults::default();
        prop_assert!(matches!(r.verdict(Request::Zoom).0, Event::Answer(_)));
    }
    #[test]
    fn noise_is_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20), tcp in any::<bool>()) {
        let mut c = Connection::new(if tcp { Framing::Tcp } else { Framing::Udp }, Policy::default());
        let _ = c.submit(ms(0), MOVE, &mut |_| {});
        for (i, p) in pieces.iter().enumerate() {
            c.receive(ms(i as i64), p, &mut |_| {});
        }
        let mut now = ms(100);
        while let Some(t) = c.next_deadline() {
            prop_assert!(t <= ms(60_000));
            now = now.max(t);
            c.poll(now, &mut |_| {});
        }
    }
}
