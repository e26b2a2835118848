//! What tests of several crates share: a source that the test feeds, waiting for what must come, time that passes by itself.
//! Not for programs: what does not come ends in a panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::clock::ManualClock;
use crate::error::Result;
use crate::ports::{Source, SourceEvent};
use crate::time::MediaTime;

/// Longest wait for anything; machines that run tests may be slow.
const LONGEST: Duration = Duration::from_secs(60);
/// Looks at a condition before a wait takes its time.
const EAGER: u32 = 1000;

/// Feeds a source.
#[derive(Debug)]
pub struct Feeder {
    items: mpsc::Sender<SourceEvent>,
    asked: mpsc::Receiver<()>,
    ready: bool,
}

/// A source, and what feeds it. It opens at once; when the feeder is dropped, it falls silent.
pub fn fed() -> (Feeder, Box<dyn Source>) {
    let ((items, from_test), (ask, asked)) = (mpsc::channel(1), mpsc::channel(1));
    (Feeder { items, asked, ready: false }, Box::new(Fed { items: from_test, asked: ask }))
}

impl Feeder {
    /// Sends one, and returns when whoever reads the source has taken it and asks for the next.
    pub async fn send(&mut self, e: SourceEvent) {
        if !self.ready {
            self.asked().await;
        }
        self.items.send(e).await.ok();
        self.asked().await;
        self.ready = true;
    }
    async fn asked(&mut self) {
        let asked = tokio::time::timeout(LONGEST, self.asked.recv()).await;
        assert_eq!(asked, Ok(Some(())), "the source is asked");
    }
}

struct Fed {
    items: mpsc::Receiver<SourceEvent>,
    asked: mpsc::Sender<()>,
}

#[async_trait]
impl Source for Fed {
    fn describe(&self) -> String {
        "a test".into()
    }
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        let _ = self.asked.send(()).await; // the test may be over
        match self.items.recv().await {
            Some(e) => Ok(e),
            None => std::future::pending().await,
        }
    }
}

/// Waits for what follows by itself from what was done.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        for n in 0u32.. {
            match n {
                _ if done() => return,
                0..EAGER => tokio::task::yield_now().await,
                _ => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    assert!(tokio::time::timeout(LONGEST, waiting).await.is_ok(), "never: {what}");
}

/// Lets time go on, a step at a time, until `work` is done.
pub async fn while_time_goes_on<T>(clock: &ManualClock, step: MediaTime, work: impl Future<Output = T>) -> T {
    struct Over(Arc<AtomicBool>);
    impl Drop for Over {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let over = Over(Arc::default());
    let (clock, seen) = (clock.clone(), over.0.clone());
    std::thread::spawn(move || {
        while !seen.load(Ordering::SeqCst) {
            clock.advance(step);
            std::thread::yield_now();
        }
    });
    work.await
}
