//! The rules under a manual clock.

use proptest::prelude::*;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind};

use super::HealthEvent;
use super::machine::{HealthPolicy, Input, Machine, Output};
use super::{HealthState, Reason};

/// A camera and its clock.
struct Camera {
    m: Machine,
    now: MediaTime,
    asked: u32,
    events: Vec<HealthEvent>,
}

fn ms(n: i64) -> MediaTime {
    MediaTime::from_millis(n)
}

impl Camera {
    fn new() -> Self {
        Self { m: Machine::new(HealthPolicy::default(), "stage"), now: MediaTime::ZERO, asked: 0, events: Vec::new() }
    }
    fn take(&mut self, outputs: Vec<Output>) {
        for o in outputs {
            match o {
                Output::Ask => self.asked += 1,
                Output::Event(e) => self.events.push(e),
            }
        }
    }
    /// Lets time go on to the next question, and gives the wait.
    fn asks(&mut self) -> MediaTime {
        let began = self.now;
        let due = self.m.next_deadline().expect("a question is due");
        self.now = self.now.max(due);
        let (before, mut out) = (self.asked, Vec::new());
        self.m.poll(self.now, &mut |o| out.push(o));
        self.take(out);
        assert_eq!((self.asked, self.m.next_deadline()), (before + 1, None), "one question, and none while it is open");
        self.now - began
    }
    fn told(&mut self, input: Input) -> Vec<HealthEvent> {
        let mut out = Vec::new();
        self.m.handle(self.now, input, &mut |o| out.push(o));
        let before = self.events.len();
        self.take(out);
        self.events[before..].to_vec()
    }
    fn answers(&mut self, took: i64) -> Vec<HealthEvent> {
        self.told(Input::Answered { took: ms(took), skew: None })
    }
    fn fails(&mut self, kind: ErrorKind) -> Vec<HealthEvent> {
        self.told(Input::Failed(Error::new(kind, "what").next("next")))
    }
    fn state(&self) -> (HealthState, Option<Reason>) {
        let s = self.m.status(self.now);
        (s.state, s.reason)
    }
}

#[test]
fn an_answering_camera_is_one_event_and_a_question_every_ten_seconds() {
    let mut c = Camera::new();
    assert_eq!(c.asks(), MediaTime::ZERO, "at once");
    assert_eq!(c.answers(20).len(), 1);
    for _ in 0..500 {
        let wait = c.asks();
        assert!(wait >= ms(8000) && wait <= ms(12_000), "{wait:?}");
        assert_eq!(c.answers(20), []);
    }
    let s = c.m.status(c.now + ms(1500));
    assert_eq!((s.state, s.heartbeat_secs_ago, s.answered_in_secs), (HealthState::Online, Some(1.5), Some(0.02)));
}

#[test]
fn a_camera_that_goes_and_comes_back() {
    let mut c = Camera::new();
    c.asks();
    c.answers(20);
    c.asks();
    let e = c.fails(ErrorKind::Timeout);
    let HealthEvent::State { from, to, reason, detail } = &e[0] else { panic!("{e:?}") };
    assert_eq!((*from, *to, *reason), (HealthState::Online, HealthState::Degraded, Some(Reason::Missed)));
    assert_eq!(detail.as_deref(), Some("what (next)"));
    let mut waits = vec![c.asks()];
    assert_eq!(c.fails(ErrorKind::Timeout), []);
    waits.push(c.asks());
    assert_eq!(c.fails(ErrorKind::Timeout).len(), 1);
    assert_eq!(c.state(), (HealthState::Offline, Some(Reason::Silent)));
    for _ in 0..30 {
        waits.push(c.asks());
        assert_eq!(c.fails(ErrorKind::Timeout), [], "no event for each question");
    }
    for (i, w) in waits.iter().enumerate() {
        let want = 1000 * (1i64 << i.min(10)).min(30);
        assert!(*w >= ms(want * 8 / 10) && *w <= ms((want * 12 / 10).min(30_000)), "{i}: {w:?}");
    }
    assert_eq!(c.fails(ErrorKind::Refused).len(), 1, "the reason has changed: somebody is there again");
    assert_eq!(c.state(), (HealthState::Offline, Some(Reason::Closed)));
    assert_eq!(c.m.status(c.now).misses, 34);
    c.asks();
    assert_eq!(c.answers(20).len(), 1);
    assert_eq!(c.state(), (HealthState::Online, None));
    assert_eq!(c.m.status(c.now).detail, None);
}

#[test]
fn one_slow_answer_is_nothing_and_two_are_degraded() {
    let mut c = Camera::new();
    c.asks();
    c.answers(2000);
    assert_eq!(c.state().0, HealthState::Online);
    for expected in [1, 0, 0] {
        c.asks();
        assert_eq!(c.answers(2500).len(), expected);
        assert_eq!(c.state(), (HealthState::Degraded, Some(Reason::Slow)));
    }
    c.asks();
    assert_eq!(c.answers(100).len(), 1);
}

#[test]
fn a_refused_password_is_a_sign_of_life() {
    let mut c = Camera::new();
    c.asks();
    assert_eq!(c.fails(ErrorKind::Unauthorized).len(), 1);
    assert_eq!(c.state(), (HealthState::Degraded, Some(Reason::Password)));
    assert!(c.asks() >= ms(8000), "it is not asked more often for it");
    assert_eq!(c.fails(ErrorKind::Unauthorized), []);
}

#[test]
fn a_camera_that_was_never_there_is_offline_once() {
    let mut c = Camera::new();
    for expected in [0, 0, 1, 0] {
        c.asks();
        assert_eq!(c.fails(ErrorKind::Refused).len(), expected);
    }
    assert_eq!(c.state(), (HealthState::Offline, Some(Reason::Closed)));
    assert_eq!(c.m.status(c.now).heartbeat_secs_ago, None);
}

#[test]
fn its_clock_and_where_it_stands() {
    let mut c = Camera::new();
    let skew = |c: &mut Camera, secs: i64| {
        c.asks();
        let e = c.told(Input::Answered { took: ms(10), skew: Some(MediaTime::from_secs(secs)) });
        e.iter().filter(|e| matches!(e, HealthEvent::Clock { .. })).count()
    };
    assert_eq!([1, 2, -20, -21, -18, 0].map(|s| skew(&mut c, s)), [0, 0, 1, 0, 0, 1]);
    assert_eq!(c.m.status(c.now).clock_skew_secs, Some(0.0));
    assert_eq!(c.told(Input::Here("stage".into())), [HealthEvent::Here { preset: "stage".into() }]);
    assert_eq!(c.told(Input::Here("stage".into())), []);
    assert_eq!(c.told(Input::Here(String::new())).len(), 1, "it moves");
}

proptest! {
    /// Whatever happens: a next question is always due, an event is a change, and the state follows the last words.
    #[test]
    fn any_course(steps in proptest::collection::vec((0u8..6, 0i64..4000), 0..60)) {
        let mut c = Camera::new();
        let mut last = c.state();
        for (what, took) in steps {
            c.asks();
            let events = match what {
                0 | 1 => c.answers(took),
                2 => c.fails(ErrorKind::Timeout),
                3 => c.fails(ErrorKind::Refused),
                4 => c.fails(ErrorKind::Protocol),
                _ => c.fails(ErrorKind::Unauthorized),
            };
            prop_assert!(c.m.next_deadline().is_some_and(|t| t > c.now && t <= c.now + ms(30_000)));
            prop_assert_eq!(events.len(), usize::from(c.state() != last), "{:?}", events);
            prop_assert!(what > 1 || matches!(c.state().0, HealthState::Online | HealthState::Degraded));
            last = c.state();
        }
    }
}
