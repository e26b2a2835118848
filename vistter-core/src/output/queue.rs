//! The queue between the program and one output: bounded in milliseconds of media and in bytes.
//!
//! Overflow drops video by the GOP, oldest first: what is left of the GOP that is being sent, then whole ones. The cut
//! always ends at a keyframe, so the peer never gets a picture whose reference is missing, and what it gets is the
//! newest there is. Sound of the dropped pictures stays, because viewers forgive a frozen picture sooner than a hole in
//! the sound and because it costs a fiftieth of the bytes. It goes only when the output has been stuck for longer than
//! [`QueueLimits::audio`], or when the bound in bytes is reached and there is no picture left to drop.

use std::collections::VecDeque;

use crate::media::{Packet, Track};
use crate::time::MediaTime;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Span of video that may wait.
    pub video: MediaTime,
    /// Span of sound that may wait. Larger than `video`, since sound is dropped last.
    pub audio: MediaTime,
    /// Payload bytes that may wait, of both tracks.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// 3 s of video (one and a half GOPs of 2 s), 10 s of sound, 16 MiB.
    fn default() -> Self {
        Self { video: MediaTime::from_secs(3), audio: MediaTime::from_secs(10), bytes: 16 << 20 }
    }
}

/// Where to start after a connect, when several GOPs wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartAt {
    /// The newest keyframe: least latency, for live destinations.
    #[default]
    Newest,
    /// The oldest keyframe: least loss, for recordings.
    Oldest,
}

/// What did not reach the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Pictures dropped because the output was too slow.
    pub dropped_frames: u64,
    /// GOPs that lost some or all of their pictures to that.
    pub dropped_gops: u64,
    /// Audio packets dropped because the output was stuck.
    pub dropped_audio: u64,
    /// Pictures that came while there was no connection, or no keyframe yet.
    pub missed_frames: u64,
}

/// The queue. Cloned packets share their bytes, so a packet in ten queues exists once.
#[derive(Debug)]
pub struct EgressQueue {
    limits: QueueLimits,
    start_at: StartAt,
    has_video: bool,
    items: VecDeque<Packet>,
    bytes: usize,
    open: bool,
    /// Nothing was sent on this connection yet.
    fresh: bool,
    /// Pictures are useless until the next keyframe.
    need_keyframe: bool,
    /// Sound older than the first picture of this connection is useless too.
    floor: Option<MediaTime>,
    counts: QueueCounts,
}

impl EgressQueue {
    /// An empty queue without a connection. `has_video` false lets sound start by itself.
    pub fn new(limits: QueueLimits, start_at: StartAt, has_video: bool) -> Self {
        Self {
            limits,
            start_at,
            has_video,
            items: VecDeque::new(),
            bytes: 0,
            open: false,
            fresh: false,
            need_keyframe: has_video,
            floor: None,
            counts: QueueCounts::default(),
        }
    }

    /// Takes a packet, in decode order per track; makes room as the module says.
    pub fn push(&mut self, packet: &Packet) {
        let starts = packet.track == Track::Video && packet.keyframe;
        if self.need_keyframe && !starts {
            if packet.track == Track::Video {
                let late = self.open && !self.fresh;
                *(if late { &mut self.counts.dropped_frames } else { &mut self.counts.missed_frames }) += 1;
                return;
            }
            // Without a first picture sound has nothing to go with.
            if self.floor.is_none() && self.has_video {
                return;
            }
        }
        if packet.track == Track::Audio && self.floor.is_some_and(|f| packet.pts < f) {
            return;
        }
        if starts {
            self.need_keyframe = false;
            self.floor.get_or_insert(packet.pts);
        }
        self.bytes += packet.data.len();
        self.items.push_back(packet.clone());
        self.make_room();
    }

    /// The connection stands: from here on [`Self::pop`] gives packets, the first one a video keyframe.
    pub fn open(&mut self) {
        self.open = true;
        self.fresh = true;
        if !self.has_video {
            self.items.clear();
            self.bytes = 0;
            return;
        }
        let starts = |p: &Packet| p.track == Track::Video && p.keyframe;
        let at = match self.start_at {
            StartAt::Newest => self.items.iter().rposition(starts),
            StartAt::Oldest => self.items.iter().position(starts),
        };
        self.begin_at(at.unwrap_or(self.items.len()));
    }

    /// The connection is gone. The newest GOPs stay, as the start of the next connection.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// The next packet to send; `None` while closed or empty.
    pub fn pop(&mut self) -> Option<Packet> {
        if !self.open {
            return None;
        }
        let p = self.items.pop_front()?;
        self.fresh = false;
        self.bytes -= p.data.len();
        Some(p)
    }

    /// Throws away everything that waits.
    pub fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
        self.need_keyframe = self.has_video;
        self.floor = None;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// Span of the media that waits: the longer of the two tracks.
    pub fn depth(&self) -> MediaTime {
        self.span(Track::Video).max(self.span(Track::Audio))
    }
    /// Payload bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// What did not reach the output so far.
    pub fn counts(&self) -> QueueCounts {
        self.counts
    }

    fn span(&self, track: Track) -> MediaTime {
        let mut of_track = self.items.iter().filter(|p| p.track == track);
        let Some(first) = of_track.next() else { return MediaTime::ZERO };
        let last = self.items.iter().rev().find(|p| p.track == track).unwrap_or(first);
        (last.dts + last.duration - first.dts).max(MediaTime::ZERO)
    }

    /// Drops everything before index `cut`, which is a keyframe or the end, and all sound that is older.
    fn begin_at(&mut self, cut: usize) {
        self.counts.missed_frames += self.items.iter().take(cut).filter(|p| p.track == Track::Video).count() as u64;
        self.items.drain(..cut);
        self.floor = self.items.front().map(|p| p.pts);
        self.need_keyframe = self.floor.is_none();
        if let Some(floor) = self.floor {
            self.items.retain(|p| p.track == Track::Video || p.pts >= floor);
        }
        self.bytes = self.items.iter().map(|p| p.data.len()).sum();
    }

    fn make_room(&mut self) {
        let mut dropped = false;
        while (self.span(Track::Video) > self.limits.video || self.bytes > self.limits.bytes) && self.drop_gop() {
            dropped = true;
        }
        if dropped && self.fresh && self.has_video {
            // Sound alone is no start either.
            let first = self.items.iter().position(|p| p.track == Track::Video);
            self.begin_at(first.unwrap_or(self.items.len()));
        }
        while self.span(Track::Audio) > self.limits.audio || self.bytes > self.limits.bytes {
            let Some(i) = self.items.iter().position(|p| p.track == Track::Audio) else { break };
            if let Some(p) = self.items.remove(i) {
                self.bytes -= p.data.len();
                self.counts.dropped_audio += u64::from(self.open);
            }
        }
    }

    /// Drops the oldest pictures up to the next keyframe, or all of them when none follows. False when there is none.
    fn drop_gop(&mut self) -> bool {
        let Some(first) = self.items.iter().position(|p| p.track == Track::Video) else { return false };
        let next = (first + 1..self.items.len())
            .find(|&i| self.items[i].track == Track::Video && self.items[i].keyframe)
            .unwrap_or(self.items.len());
        if next == self.items.len() {
            self.need_keyframe = true;
        }
        let mut frames = 0;
        for i in (first..next).rev() {
            if self.items[i].track == Track::Video
                && let Some(p) = self.items.remove(i)
            {
                self.bytes -= p.data.len();
                frames += 1;
            }
        }
        if self.open && !self.fresh {
            self.counts.dropped_frames += frames;
            self.counts.dropped_gops += 1;
        } else {
            self.counts.missed_frames += frames;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn video(n: i64, keyframe: bool) -> Packet {
        let t = MediaTime::from_millis(n * 100);
        let data = Bytes::from(vec![n as u8; 10]);
        Packet { track: Track::Video, data, pts: t, dts: t, duration: MediaTime::from_millis(100), keyframe }
    }
    fn audio(n: i64) -> Packet {
        Packet { track: Track::Audio, data: Bytes::from_static(b"a"), keyframe: true, ..video(n, true) }
    }
    fn queue(video_ms: i64, audio_ms: i64, bytes: usize) -> EgressQueue {
        let l = QueueLimits { video: MediaTime::from_millis(video_ms), audio: MediaTime::from_millis(audio_ms), bytes };
        EgressQueue::new(l, StartAt::Newest, true)
    }
    fn index(p: &Packet) -> i64 {
        p.pts.millis() / 100
    }
    fn drain(q: &mut EgressQueue, track: Track) -> Vec<i64> {
        std::iter::from_fn(|| q.pop()).filter(|p| p.track == track).map(|p| index(&p)).collect()
    }
    /// Pictures and sound of frames `from..to`, a keyframe every ten.
    fn fill(q: &mut EgressQueue, from: i64, to: i64) {
        for n in from..to {
            q.push(&video(n, n % 10 == 0));
            q.push(&audio(n));
        }
    }

    #[test]
    fn starts_with_a_keyframe_and_its_sound() {
        let mut q = queue(3000, 10_000, 1 << 20);
        q.open();
        fill(&mut q, 5, 12);
        assert_eq!(q.pop().map(|p| (p.track, index(&p))), Some((Track::Video, 10)));
        assert_eq!(q.pop().map(|p| (p.track, index(&p))), Some((Track::Audio, 10)));
        assert_eq!(q.counts().missed_frames, 5);
    }

    #[test]
    fn a_new_connection_starts_at_the_newest_or_the_oldest_keyframe() {
        for (start, want) in [(StartAt::Newest, 20), (StartAt::Oldest, 10)] {
            let mut q = queue(3000, 10_000, 1 << 20);
            q.start_at = start;
            fill(&mut q, 5, 25);
            assert!(q.pop().is_none(), "closed");
            q.open();
            assert_eq!(drain(&mut q, Track::Video), (want..25).collect::<Vec<_>>());
            assert_eq!(q.counts().dropped_frames, 0);
            assert_eq!(q.counts().missed_frames, want as u64 - 5);
        }
    }

    #[test]
    fn a_broken_connection_resumes_at_a_keyframe() {
        let mut q = queue(3000, 10_000, 1 << 20);
        q.open();
        fill(&mut q, 0, 15);
        for _ in 0..24 {
            q.pop();
        }
        q.close();
        fill(&mut q, 15, 18);
        q.open();
        assert!(q.pop().is_none(), "the rest of a GOP is no start");
        fill(&mut q, 18, 21);
        assert_eq!(drain(&mut q, Track::Video), [20]);
    }

    #[test]
    fn overflow_drops_the_oldest_gop_and_keeps_the_sound() {
        let mut q = queue(1500, 10_000, 1 << 20);
        q.open();
        fill(&mut q, 0, 3);
        for _ in 0..4 {
            q.pop(); // frames 0 and 1 are with the peer
        }
        fill(&mut q, 3, 18);
        assert_eq!(q.counts(), QueueCounts { dropped_frames: 8, dropped_gops: 1, ..QueueCounts::default() });
        let mut both = std::iter::from_fn(|| q.pop()).collect::<Vec<_>>();
        let sound: Vec<_> = both.iter().filter(|p| p.track == Track::Audio).map(index).collect();
        assert_eq!(sound, (2..18).collect::<Vec<_>>());
        both.retain(|p| p.track == Track::Video);
        assert_eq!(both.iter().map(index).collect::<Vec<_>>(), (10..18).collect::<Vec<_>>());
    }

    #[test]
    fn a_start_that_was_dropped_before_it_was_sent_takes_its_sound_along() {
        let mut q = queue(500, 10_000, 1 << 20);
        q.open();
        fill(&mut q, 0, 12);
        assert_eq!(q.pop().map(|p| (p.track, index(&p))), Some((Track::Video, 10)));
        assert_eq!(drain(&mut q, Track::Audio), [10, 11]);
    }

    #[test]
    fn a_gop_longer_than_the_bound_waits_for_the_next_keyframe() {
        let mut q = queue(500, 10_000, 1 << 20);
        q.open();
        fill(&mut q, 0, 12);
        assert_eq!(drain(&mut q, Track::Video), [10, 11]);
        assert_eq!(q.counts().missed_frames, 10);
    }

    #[test]
    fn a_stuck_output_holds_no_more_than_the_bounds() {
        let mut q = queue(3000, 5000, 150);
        q.open();
        fill(&mut q, 0, 1);
        q.pop();
        fill(&mut q, 1, 500);
        assert!(q.bytes() <= 150 && q.depth() <= MediaTime::from_millis(5000), "{} {:?}", q.bytes(), q.depth());
        assert!(q.counts().dropped_audio > 400);
        let mut huge = video(500, true);
        huge.data = Bytes::from(vec![0; 1000]);
        q.push(&huge);
        assert!(q.bytes() <= 150, "a packet above the bound is dropped, not kept");
    }

    proptest! {
        #[test]
        fn what_comes_out_always_decodes(
            ops in proptest::collection::vec((0u8..14, any::<bool>()), 1..400),
            video_ms in 0i64..4000, audio_ms in 0i64..6000, bytes in 0usize..600, oldest: bool,
        ) {
            let mut q = queue(video_ms, audio_ms, bytes);
            q.start_at = if oldest { StartAt::Oldest } else { StartAt::Newest };
            let (mut n, mut sent, mut pushed) = (0i64, 0u64, 0u64);
            let (mut first, mut last, mut last_audio) = (true, -1i64, -1i64);
            for (op, key) in ops {
                match op {
                    0 => { q.close(); }
                    1 => { q.open(); first = true; }
                    2..=5 => if let Some(p) = q.pop() {
                        if first {
                            prop_assert!(p.track == Track::Video && p.keyframe);
                            first = false;
                            last_audio = index(&p) - 1;
                        }
                        if p.track == Track::Video {
                            prop_assert!(p.keyframe || index(&p) == last + 1, "a reference is missing");
                            last = index(&p);
                            sent += 1;
                        } else {
                            prop_assert!(index(&p) > last_audio, "sound out of order or too early");
                            last_audio = index(&p);
                        }
                    },
                    _ => {
                        q.push(&video(n, key && n % 3 == 0));
                        q.push(&audio(n));
                        pushed += 1;
                        n += 1;
                        prop_assert!(q.bytes() <= bytes && q.span(Track::Video) <= q.limits.video);
                        prop_assert!(q.span(Track::Audio) <= q.limits.audio);
                        prop_assert_eq!(q.bytes(), q.items.iter().map(|p| p.data.len()).sum::<usize>());
                    }
                }
            }
            let waiting = q.items.iter().filter(|p| p.track == Track::Video).count() as u64;
            let c = q.counts();
            prop_assert_eq!(pushed, sent + waiting + c.dropped_frames + c.missed_frames);
        }
    }
}
