//! RTP time to program time.
//!
//! A camera stamps its packets with a clock of its own: it starts anywhere, runs up to 100 ppm fast or slow, and may jump
//! when the camera reboots or sets its clock. The map is one offset, `program = stream + offset`. It is the lower envelope of
//! (arrival − stream time), because delay only ever adds; it follows skew by a bounded slew, so the output never sees a step,
//! and re-anchors at once when the stream time itself jumps.

use crate::time::MediaTime;

/// Stream time that moves by this much more or less than arrival time is a jump, not jitter.
const JUMP: MediaTime = MediaTime::from_millis(1000);
/// Stream time may go back by this much between packets in decode order (B-frames) without being a jump.
const REORDER: MediaTime = MediaTime::from_millis(700);
/// The offset follows early packets at once for so long after an anchor: servers open with a burst of old packets.
const SETTLING: MediaTime = MediaTime::from_millis(3000);
/// Slew, in nanoseconds per second of arrival time: 5 ms a second, fifty times the worst crystal.
const SLEW_PER_SECOND: i64 = 5_000_000;
/// The envelope is read once per window.
const WINDOW: MediaTime = MediaTime::from_millis(1000);
/// An offset that is wrong by this much for a whole window (a path that became slower) is taken over at once.
const PATH_CHANGE: MediaTime = MediaTime::from_millis(400);

/// Whether a packet moved the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The map holds.
    Kept,
    /// The first packet.
    First,
    /// The stream time jumped by about this much; what follows is on the new map.
    Jumped(MediaTime),
}

/// Maps one camera's stream time to program time.
#[derive(Debug, Default)]
pub struct ClockMap {
    state: Option<State>,
}

#[derive(Debug)]
struct State {
    offset: i64,
    anchored_at: MediaTime,
    last_arrival: MediaTime,
    last_stream: MediaTime,
    window_start: MediaTime,
    window_min: i64,
    slewed_at: MediaTime,
    target: i64,
}

impl ClockMap {
    /// A map that anchors on its first packet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Forgets everything, for a new connection.
    pub fn reset(&mut self) {
        self.state = None;
    }
    /// Learns from one video packet that arrived at `arrival` (program clock) with `stream` time.
    pub fn observe(&mut self, arrival: MediaTime, stream: MediaTime) -> Anchor {
        let raw = arrival.nanos().saturating_sub(stream.nanos());
        let Some(s) = &mut self.state else {
            self.state = Some(State::new(arrival, stream, raw));
            return Anchor::First;
        };
        let moved = stream - s.last_stream;
        let waited = arrival - s.last_arrival;
        // Back is a jump at once; forward only when the arrival did not wait as long (lost packets do).
        let jumped = moved < -REORDER || (moved > JUMP && moved.abs_diff(waited) > JUMP);
        if jumped {
            *s = State::new(arrival, stream, raw);
            return Anchor::Jumped(moved - waited);
        }
        s.last_arrival = arrival;
        s.last_stream = stream;
        if arrival - s.anchored_at < SETTLING && raw < s.offset {
            s.offset = raw;
            s.target = raw;
        }
        s.window_min = s.window_min.min(raw);
        if arrival - s.window_start >= WINDOW {
            s.target = s.window_min;
            s.window_start = arrival;
            s.window_min = raw;
            if s.target.saturating_sub(s.offset).saturating_abs() > PATH_CHANGE.nanos() {
                s.offset = s.target;
            }
        }
        let elapsed = (arrival - s.slewed_at).nanos().clamp(0, 1_000_000_000);
        s.slewed_at = arrival;
        let step = (i128::from(elapsed) * i128::from(SLEW_PER_SECOND) / 1_000_000_000) as i64;
        s.offset = s.offset.saturating_add(s.target.saturating_sub(s.offset).clamp(-step, step));
        Anchor::Kept
    }
    /// Program time of a stream time; `None` before the first packet.
    pub fn map(&self, stream: MediaTime) -> Option<MediaTime> {
        self.state.as_ref().map(|s| stream + MediaTime::from_nanos(s.offset))
    }
}

impl State {
    fn new(arrival: MediaTime, stream: MediaTime, raw: i64) -> Self {
        Self {
            offset: raw,
            anchored_at: arrival,
            last_arrival: arrival,
            last_stream: stream,
            window_start: arrival,
            window_min: raw,
            slewed_at: arrival,
            target: raw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;

    #[test]
    fn jitter_does_not_move_the_map() {
        let mut m = ClockMap::new();
        for i in 0..3000i64 {
            let jitter = (i * 7919) % 40;
            m.observe(MS(5000 + i * 33 + jitter), MS(900_000 + i * 33));
        }
        let last = 2999 * 33;
        let mapped = m.map(MS(900_000 + last)).unwrap();
        assert!(mapped.abs_diff(MS(5000 + last)) <= MS(2), "{mapped:?}");
    }
    #[test]
    fn skew_is_followed_smoothly() {
        // 100 ppm slow camera for an hour: 360 ms of drift in all.
        let mut m = ClockMap::new();
        let mut before: Option<MediaTime> = None;
        for i in 0..108_000i64 {
            let arrival = MediaTime::from_nanos(i * 33_333_333);
            let stream = MediaTime::from_nanos(i * 33_330_000);
            m.observe(arrival, stream);
            let mapped = m.map(stream).unwrap();
            assert!(mapped.abs_diff(arrival) < MS(5), "frame {i}: {mapped:?} for {arrival:?}");
            if let Some(b) = before {
                let step = mapped - b;
                assert!(step > MS(32) && step < MS(35), "frame {i}: a step of {step:?}");
            }
            before = Some(mapped);
        }
    }
    #[test]
    fn a_network_stall_is_not_a_jump() {
        let mut m = ClockMap::new();
        let mut arrival = MS(0);
        for i in 0..300i64 {
            // Frames 100 to 145 arrive together after 1.5 s.
            arrival = MS(if (100..145).contains(&i) { 145 * 33 } else { i * 33 }).max(arrival);
            assert_ne!(m.observe(arrival, MS(i * 33)), Anchor::Jumped(MS(0)));
        }
        assert!(m.map(MS(299 * 33)).unwrap().abs_diff(MS(299 * 33)) < MS(10));
    }
    #[test]
    fn a_camera_clock_jump_re_anchors_at_once() {
        for jump in [-3_600_000i64, 3_600_000, 5_000, -5_000, -800, -1_500] {
            let mut m = ClockMap::new();
            for i in 0..100i64 {
                m.observe(MS(i * 33), MS(10_000_000 + i * 33));
            }
            let a = m.observe(MS(3300), MS(10_003_300 + jump));
            assert!(matches!(a, Anchor::Jumped(_)), "{jump}");
            assert_eq!(m.map(MS(10_003_300 + jump)), Some(MS(3300)));
        }
    }
    #[test]
    fn an_opening_burst_is_absorbed() {
        let mut m = ClockMap::new();
        // The server sends 2 s of old packets at once, then live ones.
        for i in 0..60i64 {
            m.observe(MS(1000), MS(i * 33));
        }
        for i in 60..200i64 {
            m.observe(MS(1000 + (i - 60) * 33), MS(i * 33));
        }
        let t = m.map(MS(199 * 33)).unwrap();
        assert!(t.abs_diff(MS(1000 + 139 * 33)) < MS(40), "{t:?}");
    }
    proptest! {
        #[test]
        fn hostile_times_never_panic(v in proptest::collection::vec((any::<i64>(), any::<i64>()), 0..50)) {
            let mut m = ClockMap::new();
            for (a, s) in v {
                m.observe(MediaTime::from_nanos(a), MediaTime::from_nanos(s));
                let _ = m.map(MediaTime::from_nanos(s));
            }
        }
    }
}
