//! A head against a control that a test holds in its hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::{Head, HeadEvent, HeadParts};
use crate::clock::ManualClock;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::ports::{PtzArrival, PtzControl, PtzView};
use crate::time::MediaTime;
use crate::timeline::{HeadOutcome, HeadState};

type Answer = oneshot::Sender<Result<Option<PtzArrival>>>;

/// Hands each go-to to the test, which answers it.
struct Held(mpsc::Sender<(String, Answer)>);

#[async_trait]
impl PtzControl for Held {
    async fn go_to(&self, view: &PtzView) -> Result<Option<PtzArrival>> {
        let (answer, result) = oneshot::channel();
        let _ = self.0.send((view.name.clone(), answer)).await;
        result.await.unwrap_or(Ok(None))
    }
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
}

struct Bench {
    head: Arc<Head>,
    asked: mpsc::Receiver<(String, Answer)>,
    clock: ManualClock,
    events: Arc<Mutex<Vec<HeadEvent>>>,
}

fn bench() -> Bench {
    let (tell, asked) = mpsc::channel(4);
    let clock = ManualClock::new();
    let events = Arc::<Mutex<Vec<HeadEvent>>>::default();
    let view = |name: &str| PtzView { name: name.into(), ..PtzView::default() };
    let parts = HeadParts {
        control: Arc::new(Held(tell)),
        presets: vec![view("wide"), view("tele")],
        lag: MediaTime::from_millis(300),
        operator_hold: MediaTime::from_secs(60),
    };
    let sink = events.clone();
    let head = Head::start("cam", parts, Arc::new(clock.clone()), Arc::new(move |_, e| lock(&sink).push(e)));
    Bench { head: Arc::new(head), asked, clock, events }
}

impl Bench {
    async fn asked(&mut self) -> (String, Answer) {
        tokio::time::timeout(Duration::from_secs(30), self.asked.recv()).await.unwrap().unwrap()
    }
    /// Waits until the head's task has taken in so many outcomes.
    async fn done(&self, n: u64) {
        let taken = async {
            while self.head.status().done < n {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), taken).await.unwrap();
    }
    fn state(&self, ms: i64) -> HeadState {
        self.head.state(MediaTime::from_millis(ms))
    }
    fn heard(&self, what: fn(&HeadEvent) -> bool) -> usize {
        lock(&self.events).iter().filter(|e| what(e)).count()
    }
}

fn arrived() -> Result<Option<PtzArrival>> {
    let took = MediaTime::from_millis(900);
    Ok(Some(PtzArrival { evidence: "position".into(), took, position: None, off_target: false }))
}

#[tokio::test]
async fn an_arrival_counts_when_the_picture_shows_it() {
    let mut b = bench();
    b.head.order(1, 1);
    let (name, answer) = b.asked().await;
    assert_eq!((name.as_str(), b.head.status().moving_to.as_deref()), ("tele", Some("tele")));
    b.clock.advance(MediaTime::from_secs(1));
    answer.send(arrived()).unwrap();
    b.done(1).await;
    let s = b.head.status();
    assert_eq!((s.preset.as_deref(), s.moving_to, s.took_ms), (Some("tele"), None, Some(900)));
    // The picture of 1.299 s was taken at 0.999 s.
    assert_eq!(b.state(1299).done, None);
    assert_eq!(b.state(1300).done, Some((1, HeadOutcome::Arrived)));
}
#[tokio::test]
async fn a_newer_order_takes_the_place_of_an_older_one() {
    let mut b = bench();
    b.head.order(1, 0);
    let (_, old) = b.asked().await;
    b.head.order(2, 1);
    let (name, answer) = b.asked().await;
    assert_eq!(name, "tele");
    assert!(old.send(arrived()).is_err(), "nobody waits for the old one");
    answer.send(arrived()).unwrap();
    b.done(1).await;
    assert_eq!(b.state(9000).done, Some((2, HeadOutcome::Arrived)));
}
#[tokio::test]
async fn failures_are_told_once_and_say_what_they_are() {
    let mut b = bench();
    for (number, kind, how) in [
        (1, ErrorKind::Timeout, HeadOutcome::Failed),
        (2, ErrorKind::Timeout, HeadOutcome::Failed),
        (3, ErrorKind::NotFound, HeadOutcome::NoSuchPreset),
    ] {
        b.head.order(number, 0);
        let (_, answer) = b.asked().await;
        answer.send(Err(Error::new(kind, "nobody there").next("switch it on"))).unwrap();
        b.done(number).await;
        assert_eq!(b.state(0).done, Some((number, how)));
    }
    assert_eq!((b.head.status().failures, b.heard(|e| matches!(e, HeadEvent::Failed { .. }))), (3, 1));
    assert!(b.head.status().error.unwrap().contains("switch it on"));
}
#[tokio::test]
async fn an_operator_takes_the_camera_and_gives_it_back() {
    let mut b = bench();
    b.head.order(1, 0);
    let (_, show) = b.asked().await;
    let head = b.head.clone();
    let going = tokio::spawn(async move { head.operator_go_to("tele").await });
    let (name, operator) = b.asked().await;
    assert_eq!(name, "tele");
    show.send(Ok(None)).unwrap();
    b.done(1).await;
    assert_eq!(b.state(9000), HeadState { operator: true, done: None });
    operator.send(arrived()).unwrap();
    assert!(going.await.unwrap().unwrap().is_some());
    assert_eq!(b.head.status().preset.as_deref(), Some("tele"));
    b.clock.advance(MediaTime::from_secs(59));
    assert!(b.state(0).operator);
    b.clock.advance(MediaTime::from_secs(1));
    assert!(!b.state(0).operator);
    assert_eq!((b.heard(|e| matches!(e, HeadEvent::Operator)), b.heard(|e| matches!(e, HeadEvent::Released))), (1, 1));
    b.head.operator_stop().await.unwrap();
    assert!(b.state(0).operator);
    b.head.operator_release();
    assert!(!b.state(0).operator);
    let e = b.head.operator_go_to("teel").await.unwrap_err();
    assert!(e.to_string().contains("did you mean \"tele\""), "{e}");
}
#[tokio::test]
async fn a_camera_that_was_given_back_stays_given_back() {
    let mut b = bench();
    let head = b.head.clone();
    let going = tokio::spawn(async move { head.operator_go_to("tele").await });
    let (_, operator) = b.asked().await;
    b.head.operator_release();
    b.head.order(1, 0);
    let (name, show) = b.asked().await;
    assert_eq!(name, "wide");
    operator.send(Ok(None)).unwrap();
    assert!(going.await.unwrap().unwrap().is_none());
    assert!(!b.state(0).operator, "the end of his old command does not take it again");
    show.send(arrived()).unwrap();
    b.done(1).await;
    assert_eq!(b.state(9000), HeadState { operator: false, done: Some((1, HeadOutcome::Arrived)) });
}
#[tokio::test]
async fn whoever_replaces_an_order_from_outside_counts_as_operator() {
    let mut b = bench();
    b.head.order(1, 0);
    let (_, answer) = b.asked().await;
    answer.send(Ok(None)).unwrap();
    b.done(1).await;
    let operator = async {
        while !b.state(0).operator {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), operator).await.unwrap();
}
