//! What RTP does not say: decode times, and where sound stands against pictures. Sans-IO.

use crate::media::Track;
use crate::time::MediaTime;

/// A step of this size between neighbours is a clock that jumped, not a picture.
const JUMP: MediaTime = MediaTime::from_secs(3);
/// A picture this much earlier than the one before it in decode order is a clock that was set back: B-frames go back less.
const SET_BACK: MediaTime = MediaTime::from_millis(700);
/// The most pictures H.264 and H.265 let a decoder hold back (ITU-T H.264 §A.3.1, `MaxDpbFrames`).
const MAX_DEPTH: usize = 16;
/// The pictures without reordering after which the parameter set's promise of B-frames is not believed any more.
const BELIEVE_AFTER: u32 = 60;

/// Gives each access unit a decode time: RTP carries presentation times only (RFC 6184 §5.1).
///
/// With `depth` pictures of reordering, the decode time of a unit is the `depth`-th presentation time before it in
/// sorted order, so that it is never late and never goes back. The depth of the parameter set is often only the
/// most that its level allows; the clock measures, and shrinks it at a keyframe.
#[derive(Debug)]
pub(crate) struct DecodeClock {
    depth: usize,
    sorted: Vec<MediaTime>,
    seen: Vec<MediaTime>,
    measured: usize,
    frames: u32,
    last_pts: Option<MediaTime>,
    last_dts: Option<MediaTime>,
    step: MediaTime,
}

impl DecodeClock {
    /// `depth` is the declared reorder depth, `frame` the declared (or guessed) time per frame.
    pub(crate) fn new(depth: u8, frame: MediaTime) -> Self {
        Self {
            depth: usize::from(depth).min(MAX_DEPTH),
            sorted: Vec::with_capacity(MAX_DEPTH + 2),
            seen: Vec::with_capacity(MAX_DEPTH + 1),
            measured: 0,
            frames: 0,
            last_pts: None,
            last_dts: None,
            step: frame,
        }
    }

    /// The decode time of the next unit in decode order.
    pub(crate) fn next(&mut self, pts: MediaTime, keyframe: bool) -> MediaTime {
        if self.last_pts.is_some_and(|l| pts > l + JUMP || pts + SET_BACK < l) {
            self.sorted.clear();
            self.seen.clear();
            self.last_dts = None;
        }
        self.last_pts = Some(pts);
        self.measure(pts, keyframe);

        let at = self.sorted.partition_point(|t| *t <= pts);
        self.sorted.insert(at, pts);
        while self.sorted.len() > self.depth + 1 {
            self.sorted.remove(0);
        }
        let missing = (self.depth + 1 - self.sorted.len()) as i64;
        let first = self.sorted.first().copied().unwrap_or(pts);
        let mut dts = first - MediaTime::from_nanos(self.step.nanos().saturating_mul(missing));
        if let Some(last) = self.last_dts
            && dts <= last
        {
            dts = last + MediaTime::from_nanos(1_000);
        }
        self.last_dts = Some(dts);
        dts
    }

    /// Counts the pictures decoded before this one and shown after it.
    fn measure(&mut self, pts: MediaTime, keyframe: bool) {
        let depth = self.seen.iter().filter(|t| **t > pts).count();
        self.measured = self.measured.max(depth);
        self.depth = self.depth.max(depth);
        if self.seen.len() == MAX_DEPTH {
            self.seen.remove(0);
        }
        self.seen.push(pts);
        self.frames = self.frames.saturating_add(1);
        if keyframe && self.frames > BELIEVE_AFTER {
            self.depth = self.measured;
        }
    }
}

/// Puts a camera's sound on the time line of its pictures.
///
/// The two RTP clocks start anywhere (RFC 3550 §5.1). In order of trust: sender reports, which tie both to the
/// camera's NTP clock (§6.4.1); RTP-Info, which the RTSP library has then applied already; and arrival: the packet of
/// each track that took least time tells how its time line lies against ours, over ten seconds that move along: the two
/// clocks drift by some 100 ppm, which is a third of a second in an hour. Cameras whose
/// reports put sound and picture further apart than [`Alignment::SANE`] from what arrival shows are not believed.
#[derive(Debug, Default)]
pub(crate) struct Alignment {
    video: TrackClock,
    audio: TrackClock,
    related: bool,
    offset: Option<MediaTime>,
    given: Option<MediaTime>,
    /// What arrival showed when RTP-Info was believed: only what moves from there is drift.
    related_at: Option<MediaTime>,
}

#[derive(Debug, Default)]
struct TrackClock {
    first: Option<MediaTime>,
    last: Option<MediaTime>,
    transit: Option<MediaTime>,
    since: MediaTime,
    window_min: MediaTime,
    windows: u32,
    report: Option<MediaTime>,
}

impl TrackClock {
    /// True when the time line jumped here. `sent` is when the camera can have sent it, on its own time line.
    fn see(&mut self, pts: MediaTime, sent: MediaTime, arrival: MediaTime) -> bool {
        let jumped = self.last.is_some_and(|l| l.abs_diff(pts) > JUMP);
        if jumped {
            (self.transit, self.report, self.windows) = (None, None, 0);
        }
        self.last = Some(pts);
        self.first.get_or_insert(pts);
        let transit = arrival - sent;
        match self.transit {
            None => (self.transit, self.since, self.window_min) = (Some(transit), arrival, transit),
            Some(t) => {
                self.window_min = self.window_min.min(transit);
                if arrival - self.since >= Alignment::WATCH {
                    self.transit = Some(self.window_min);
                    (self.since, self.window_min) = (arrival, transit);
                    self.windows = self.windows.saturating_add(1);
                } else if transit < t {
                    self.transit = Some(transit);
                }
            }
        }
        jumped
    }
}

impl Alignment {
    /// Reports that disagree with arrival by more than this are not of one clock.
    const SANE: MediaTime = MediaTime::from_secs(5);
    /// RTP-Info that disagrees with arrival by more than this is wrong (many cameras send any number).
    const RTP_INFO_SANE: MediaTime = MediaTime::from_secs(2);
    /// How long arrival is watched.
    const WATCH: MediaTime = MediaTime::from_secs(10);
    /// A correction of this size is a step; a smaller one is spread.
    const STEP: MediaTime = MediaTime::from_millis(100);
    /// How much each audio packet moves while a small correction is spread.
    const SLEW: MediaTime = MediaTime::from_nanos(500_000);

    /// A picture's presentation and decode time and its arrival. It is sent when it can be decoded: with B-frames that
    /// is well before it is shown.
    pub(crate) fn video(&mut self, pts: MediaTime, dts: MediaTime, arrival: MediaTime) {
        if self.video.see(pts, dts, arrival) {
            self.related = false;
        }
    }

    /// An audio packet: gives its time on the pictures' time line. `None` before the first picture, and where a
    /// correction moved the sound back over what was given already: times only rise.
    pub(crate) fn audio(&mut self, pts: MediaTime, arrival: MediaTime) -> Option<MediaTime> {
        let first = self.audio.first.is_none();
        let jumped = self.audio.see(pts, pts, arrival);
        let video_first = self.video.first?;
        if first || self.offset.is_none() {
            // Without RTP-Info both tracks were started at zero, which says nothing.
            self.related = video_first != MediaTime::ZERO || self.audio.first.is_some_and(|t| t != MediaTime::ZERO);
        }
        self.related &= !jumped;
        if jumped {
            self.related_at = None;
        }
        if self.related_at.is_none() && self.audio.windows > 0 && self.video.windows > 0 {
            self.related_at = self.by_arrival();
        }
        let target = self.target()?;
        let offset = match self.offset {
            Some(o) if o.abs_diff(target) < Self::STEP => {
                let d = (target - o).nanos().clamp(-Self::SLEW.nanos(), Self::SLEW.nanos());
                o + MediaTime::from_nanos(d)
            }
            _ => target,
        };
        self.offset = Some(offset);
        let time = pts + offset;
        if self.given.is_some_and(|g| time <= g && g - time < JUMP) {
            return None;
        }
        self.given = Some(time);
        Some(time)
    }

    /// A sender report: `ntp` (any epoch, the same for both tracks) at `pts` of that track's own time line.
    pub(crate) fn report(&mut self, track: Track, ntp: MediaTime, pts: MediaTime) {
        let clock = match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        };
        // A report about the far side of a jump would tie the new time line to the old clock.
        if clock.last.is_none_or(|l| l.abs_diff(pts) < Self::WATCH) {
            clock.report = Some(ntp - pts);
        }
    }

    /// What to add to audio times now.
    fn target(&self) -> Option<MediaTime> {
        let arrival = self.by_arrival()?;
        if let (Some(v), Some(a)) = (self.video.report, self.audio.report) {
            let reported = a - v;
            if reported.abs_diff(arrival) < Self::SANE {
                return Some(reported);
            }
        }
        if self.related && arrival.abs_diff(MediaTime::ZERO) < Self::RTP_INFO_SANE {
            return Some(self.related_at.map_or(MediaTime::ZERO, |at| arrival - at));
        }
        Some(arrival)
    }

    fn by_arrival(&self) -> Option<MediaTime> {
        Some(self.audio.transit? - self.video.transit?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: fn(i64) -> MediaTime = MediaTime::from_millis;

    fn run(depth: u8, pts: &[i64]) -> Vec<i64> {
        let mut c = DecodeClock::new(depth, MS(40));
        pts.iter().enumerate().map(|(i, p)| c.next(MS(*p), i == 0).millis()).collect()
    }

    #[test]
    fn no_reordering_decodes_when_shown() {
        assert_eq!(run(0, &[0, 40, 80]), [0, 40, 80]);
    }
    #[test]
    fn b_frames_get_rising_decode_times() {
        // I P B B P B B in decode order
        assert_eq!(run(1, &[0, 120, 40, 80, 240, 160, 200]), [-40, 0, 40, 80, 120, 160, 200]);
    }
    #[test]
    fn a_promise_of_b_frames_that_never_come_is_forgotten() {
        let mut c = DecodeClock::new(4, MS(40));
        let lag: Vec<i64> = (0..100).map(|i| i * 40).map(|p| p - c.next(MS(p), p % 1000 == 0).millis()).collect();
        assert_eq!((lag[10], lag[99]), (160, 0));
    }
    #[test]
    fn undeclared_b_frames_are_learned() {
        let order = |g: i64| [g * 120, g * 120 - 80, g * 120 - 40];
        let mut c = DecodeClock::new(0, MS(40));
        let all: Vec<_> = (1..20).flat_map(order).map(|p| (p, c.next(MS(p), false).millis())).collect();
        assert!(all[10..].iter().all(|(p, d)| d <= p), "{all:?}");
    }
    #[test]
    fn a_jump_is_passed_on() {
        let d = run(1, &[0, 40, 80, 3_600_000, 3_600_040]);
        assert_eq!(d[3..], [3_599_960, 3_600_000]);
    }

    #[test]
    fn without_reports_arrival_aligns() {
        let mut a = Alignment::default();
        assert_eq!(a.audio(MS(0), MS(5)), None, "no picture yet");
        // Pictures arrive 10 ms after their time; sound began 300 ms later at zero on its own line.
        a.video(MS(0), MS(0), MS(10));
        assert_eq!(a.audio(MS(20), MS(25)), Some(MS(15)), "sound's zero was at 5 ms, the pictures' at 10");
    }
    #[test]
    fn drift_between_the_two_clocks_is_followed() {
        // The sound's clock runs 100 ppm fast, for two hours: 720 ms in all. With RTP-Info and without.
        for start in [0, 500] {
            let mut a = Alignment::default();
            let mut worst = 0;
            for i in 0..180_000i64 {
                let now = i * 40;
                a.video(MS(start + now), MS(start + now), MS(now + 5));
                let line = MediaTime::from_nanos((start + now) * 1_000_000 + now * 100);
                if let Some(t) = a.audio(line, MS(now + 5)) {
                    worst = worst.max(t.abs_diff(MS(start + now)).millis());
                }
            }
            assert!(worst < 10, "{worst} ms apart");
        }
    }
    #[test]
    fn rtp_info_is_kept_while_it_is_plausible() {
        let mut a = Alignment::default();
        a.video(MS(500), MS(500), MS(10));
        assert_eq!(a.audio(MS(540), MS(90)), Some(MS(540)));
        let mut a = Alignment::default();
        a.video(MS(500), MS(500), MS(10));
        assert_eq!(a.audio(MS(9_000_000), MS(50)), Some(MS(540)), "an absurd rtptime falls back to arrival");
    }
    #[test]
    fn reports_correct_slowly_when_near_and_at_once_when_far() {
        let mut a = Alignment::default();
        a.video(MS(0), MS(0), MS(0));
        a.audio(MS(0), MS(0));
        a.report(Track::Video, MS(1_000_000), MS(0));
        a.report(Track::Audio, MS(1_000_002), MS(0));
        let t: Vec<_> = (1..6).filter_map(|i| a.audio(MS(i * 20), MS(i * 20))).collect();
        assert_eq!(t[0].nanos(), 20_500_000);
        assert_eq!(t[4], MS(102));
        a.report(Track::Audio, MS(1_000_400), MS(0));
        assert_eq!(a.audio(MS(120), MS(120)), Some(MS(520)));
        a.report(Track::Audio, MS(9_000_000), MS(0));
        let t: Vec<_> = (7..40).filter_map(|i| a.audio(MS(i * 20), MS(i * 20))).collect();
        assert_eq!(t[0], MS(540), "another clock is not believed; sound that would go back is left out");
        assert!(t.windows(2).all(|w| w[0] < w[1]));
    }
    #[test]
    fn a_jump_of_both_keeps_them_together() {
        let mut a = Alignment::default();
        for i in 0..50 {
            a.video(MS(i * 40), MS(i * 40), MS(i * 40));
            a.audio(MS(i * 40), MS(i * 40));
        }
        let hour = 3_600_000;
        a.video(MS(hour + 2000), MS(hour + 2000), MS(2000));
        assert_eq!(a.audio(MS(hour + 2000), MS(2000)), Some(MS(hour + 2000)));
        a.audio(MS(2040), MS(2040));
        a.video(MS(2040), MS(2040), MS(2040));
        assert_eq!(a.audio(MS(2060), MS(2060)), Some(MS(2060)));
    }

    proptest! {
        #[test]
        fn decode_times_rise_without_jumps(
            depth in 0u8..8, steps in proptest::collection::vec(-80i64..160, 1..200), key in any::<u64>(),
        ) {
            let mut c = DecodeClock::new(depth, MS(40));
            let (mut pts, mut last) = (0i64, None);
            for (i, s) in steps.iter().enumerate() {
                pts += s;
                let d = c.next(MS(pts), key >> (i % 64) & 1 == 1);
                prop_assert!(last.is_none_or(|l| d > l));
                last = Some(d);
            }
        }
        #[test]
        fn nothing_overflows(v in proptest::collection::vec((any::<i64>(), any::<i64>(), 0u8..4), 0..50)) {
            let mut a = Alignment::default();
            let mut c = DecodeClock::new(3, MediaTime::MAX);
            for (x, y, k) in v {
                let (x, y) = (MediaTime::from_nanos(x), MediaTime::from_nanos(y));
                c.next(x, k == 0);
                match k {
                    0 => a.video(x, y, y),
                    1 => { a.audio(x, y); }
                    2 => a.report(Track::Video, y, x),
                    _ => a.report(Track::Audio, y, x),
                }
            }
        }
    }
}
