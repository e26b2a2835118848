//! A bounded way to read a publish inside the process.
//!
//! Overflow rule: a reader that falls behind loses everything it has not read, is told so, and goes on at the next
//! keyframe. The publish never waits for a reader.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;
use vistter_core::media::{Packet, StreamParams, Track};

/// What a reader gets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum IngestEvent {
    /// The tracks, before the first packet and whenever they change.
    Params(StreamParams),
    /// A packet in decode order; the first one is a video keyframe if there is video.
    Packet(Packet),
    /// The reader was too slow: packets are missing here.
    Lost,
    /// The encoder stopped.
    End,
}

/// At most this many events wait for a reader, and this many bytes of media: about 10 s at 6 Mbit/s.
const MAX_EVENTS: usize = 2048;
const MAX_BYTES: usize = 8 << 20;

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<IngestEvent>,
    bytes: usize,
    wait_for_keyframe: bool,
    has_video: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    news: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing end: all readers of one publish.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    readers: Vec<Weak<Shared>>,
    params: Option<StreamParams>,
}

/// At most this many readers of one publish.
const MAX_READERS: usize = 64;

impl Taps {
    /// A new reader; `None` when there are too many.
    pub(crate) fn subscribe(&mut self) -> Option<Tap> {
        self.readers.retain(|r| r.strong_count() > 0);
        if self.readers.len() >= MAX_READERS {
            return None;
        }
        let shared = Arc::new(Shared::default());
        {
            let mut q = shared.lock();
            q.wait_for_keyframe = true;
            if let Some(p) = &self.params {
                q.has_video = p.video.is_some();
                q.events.push_back(IngestEvent::Params(p.clone()));
            }
        }
        self.readers.push(Arc::downgrade(&shared));
        Some(Tap { shared })
    }
    pub(crate) fn params(&mut self, p: &StreamParams) {
        self.params = Some(p.clone());
        self.each(|q| {
            q.has_video = p.video.is_some();
            q.push(IngestEvent::Params(p.clone()), 0);
        });
    }
    pub(crate) fn packet(&mut self, p: &Packet) {
        self.each(|q| q.packet(p));
    }
    pub(crate) fn end(&mut self) {
        self.each(|q| q.ended = true);
        self.readers.clear();
    }
    fn each(&mut self, mut f: impl FnMut(&mut Queue)) {
        self.readers.retain(|r| match r.upgrade() {
            Some(r) => {
                f(&mut r.lock());
                r.news.notify_one();
                true
            }
            None => false,
        });
    }
}

impl Queue {
    fn packet(&mut self, p: &Packet) {
        if self.wait_for_keyframe && self.has_video {
            if p.track != Track::Video || !p.keyframe {
                return;
            }
            self.wait_for_keyframe = false;
        }
        self.push(IngestEvent::Packet(p.clone()), p.data.len());
    }
    fn push(&mut self, e: IngestEvent, bytes: usize) {
        if self.events.len() >= MAX_EVENTS || self.bytes + bytes > MAX_BYTES {
            let params = self.events.iter().rev().find(|e| matches!(e, IngestEvent::Params(_))).cloned();
            self.events.clear();
            self.bytes = 0;
            self.events.push_back(IngestEvent::Lost);
            self.events.extend(params);
            self.wait_for_keyframe = true;
            match e {
                IngestEvent::Packet(p) if self.has_video && !(p.track == Track::Video && p.keyframe) => return,
                IngestEvent::Packet(_) => self.wait_for_keyframe = false,
                _ => {}
            }
            if bytes > MAX_BYTES {
                return;
            }
            self.bytes = bytes;
            self.events.push_back(e);
            return;
        }
        self.bytes += bytes;
        self.events.push_back(e);
    }
    fn pop(&mut self) -> Option<IngestEvent> {
        let e = self.events.pop_front();
        if let Some(IngestEvent::Packet(p)) = &e {
            self.bytes -= p.data.len().min(self.bytes);
        }
        e.or_else(|| self.ended.then_some(IngestEvent::End))
    }
}

/// One reader of a publish.
#[derive(Debug)]
pub struct Tap {
    shared: Arc<Shared>,
}

impl Tap {
    /// Waits for the next event; [`IngestEvent::End`] for ever once the publish is over. Cancel-safe.
    pub async fn next(&mut self) -> IngestEvent {
        loop {
            if let Some(e) = self.shared.lock().pop() {
                return e;
            }
            self.shared.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vistter_core::time::MediaTime;

    fn packet(n: i64, size: usize, keyframe: bool) -> Packet {
        let t = MediaTime::from_millis(n);
        Packet { track: Track::Video, data: vec![0; size].into(), pts: t, dts: t, duration: MediaTime::ZERO, keyframe }
    }
    fn params() -> StreamParams {
        let video = vistter_core::media::VideoParams::h264(2, 2);
        StreamParams { video: Some(video), audio: None }
    }

    #[tokio::test]
    async fn a_reader_starts_at_a_keyframe_and_sees_the_end() {
        let mut taps = Taps::default();
        taps.params(&params());
        let mut tap = taps.subscribe().unwrap();
        taps.packet(&packet(0, 1, false));
        taps.packet(&packet(1, 1, true));
        taps.end();
        assert!(matches!(tap.next().await, IngestEvent::Params(_)));
        assert!(matches!(tap.next().await, IngestEvent::Packet(p) if p.keyframe));
        assert_eq!(tap.next().await, IngestEvent::End);
        assert_eq!(tap.next().await, IngestEvent::End);
    }
    #[tokio::test]
    async fn a_slow_reader_loses_and_resumes_at_a_keyframe_in_bounded_memory() {
        let mut taps = Taps::default();
        taps.params(&params());
        let mut tap = taps.subscribe().unwrap();
        for i in 0..95 {
            taps.packet(&packet(i, 1 << 20, i % 10 == 0));
            assert!(tap.shared.lock().bytes <= MAX_BYTES);
        }
        taps.end();
        let mut seen = Vec::new();
        loop {
            match tap.next().await {
                IngestEvent::End => break,
                e => seen.push(e),
            }
        }
        assert_eq!(seen[0], IngestEvent::Lost);
        assert!(matches!(seen[1], IngestEvent::Params(_)), "the tracks are told again");
        let IngestEvent::Packet(first) = &seen[2] else { panic!("{:?}", seen[2]) };
        assert!(first.keyframe);
    }
}
