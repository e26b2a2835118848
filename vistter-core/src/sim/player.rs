//! What one viewer is due: which packets at what time. Sans-IO; stream time starts at zero when the camera is switched
//! on and is the same for all viewers.

use bytes::Bytes;

use super::clip::Unit;
use super::rtp::RtpStream;
use super::sound::Sound;
use crate::clock::WallTime;
use crate::error::Result;
use crate::media::{Track, h264};
use crate::time::{FrameRate, MediaTime};

/// How often sender reports go out. RFC 3550 §6.2 says five seconds; cameras send sooner to be lip-synced sooner.
const REPORT: MediaTime = MediaTime::SECOND;

/// One thing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Send {
    Rtp(Track, Bytes),
    Rtcp(Track, Bytes),
}

/// What a viewer waits for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Video(u64),
    Audio(u64),
    Report,
}

/// The faults that a viewer sees in the packets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Damage {
    /// Nothing is sent; resumes at a keyframe.
    pub(super) stalled: bool,
    /// Moves RTP time stamps.
    pub(super) jump: MediaTime,
    /// Share of RTP packets that get lost, 0 to 1.
    pub(super) loss: f32,
}

/// A playing viewer.
#[derive(Debug)]
pub(super) struct Player {
    fps: FrameRate,
    sets: Vec<Bytes>,
    video: Option<RtpStream>,
    audio: Option<(RtpStream, usize)>,
    frame: u64,
    packet: u64,
    report: MediaTime,
    waiting_for_key: bool,
    random: u32,
}

impl Player {
    /// Starts at frame `first`; sound starts with it.
    pub(super) fn new(
        fps: FrameRate,
        config: &[u8],
        video: Option<RtpStream>,
        audio: Option<(RtpStream, &Sound)>,
        first: u64,
    ) -> Self {
        let start = fps.time_of(first);
        let sets = h264::avcc_sets(config)
            .map(|(s, p)| s.into_iter().chain(p).map(Bytes::copy_from_slice).collect())
            .unwrap_or_default();
        let packet =
            audio.as_ref().map_or(0, |(r, s)| (start.ticks(r.clock_rate).max(0) as u64).div_ceil(s.samples() as u64));
        Self {
            fps,
            sets,
            random: video.as_ref().map_or(1, |v| v.ssrc) | 1,
            video,
            audio: audio.map(|(r, s)| (r, s.samples())),
            frame: first,
            packet,
            report: start,
            waiting_for_key: false,
        }
    }

    /// What is due next, and at what stream time.
    pub(super) fn next(&self) -> (MediaTime, Due) {
        let video = self.video.as_ref().map(|_| (self.fps.time_of(self.frame), Due::Video(self.frame)));
        let audio = self.audio.as_ref().map(|(r, n)| (packet_time(r, *n, self.packet), Due::Audio(self.packet)));
        [video, audio, Some((self.report, Due::Report))]
            .into_iter()
            .flatten()
            .min_by_key(|(t, d)| (*t, !matches!(d, Due::Report)))
            .unwrap_or((self.report, Due::Report))
    }

    /// Skips what lies before `now`: a viewer that was not served for a while gets no burst.
    pub(super) fn skip_to(&mut self, now: MediaTime, next_key: impl Fn(u64) -> u64) {
        self.frame = next_key(self.frame.max(self.fps.frame_at(now)));
        if let Some((r, n)) = &self.audio {
            self.packet = self.packet.max((now.ticks(r.clock_rate).max(0) as u64).div_ceil(*n as u64));
        }
        self.report = self.report.max(now);
    }

    /// Passes over a frame that the camera did not make.
    pub(super) fn left_out(&mut self) {
        self.frame += 1;
    }

    /// Sends frame `frame`.
    ///
    /// # Errors
    /// As [`RtpStream::h264`].
    pub(super) fn video(&mut self, unit: &Unit, damage: Damage, out: &mut dyn FnMut(Send)) -> Result<()> {
        let t = self.fps.time_of(self.frame);
        self.frame += 1;
        self.waiting_for_key = damage.stalled || self.waiting_for_key && !unit.keyframe;
        let Some(v) = &mut self.video else { return Ok(()) };
        if self.waiting_for_key {
            return Ok(());
        }
        let random = &mut self.random;
        let sets: Vec<&[u8]> = if unit.keyframe { self.sets.iter().map(|s| &s[..]).collect() } else { Vec::new() };
        v.h264(stamp(v, t + damage.jump), &sets, &unit.data, &mut |p| {
            if !lost(random, damage.loss) {
                out(Send::Rtp(Track::Video, p));
            }
        })
    }

    /// Sends the next sound packet.
    pub(super) fn audio(&mut self, sound: &Sound, damage: Damage, out: &mut dyn FnMut(Send)) {
        let Some((r, n)) = &mut self.audio else { return };
        let t = packet_time(r, *n, self.packet);
        let data = sound.packet(self.packet);
        self.packet += 1;
        if damage.stalled {
            return;
        }
        let at = stamp(r, t + damage.jump);
        let mut put = |p| {
            if !lost(&mut self.random, damage.loss) {
                out(Send::Rtp(Track::Audio, p));
            }
        };
        match sound {
            Sound::G711 { .. } => r.g711(at, &data, &mut put),
            Sound::Aac { .. } => r.aac(at, &data, &mut put),
        }
    }

    /// Sends sender reports; `start` is wall-clock at stream time zero.
    pub(super) fn report(&mut self, start: WallTime, damage: Damage, out: &mut dyn FnMut(Send)) {
        let t = self.report;
        self.report = t + REPORT;
        if damage.stalled {
            return;
        }
        let tracks = [(Track::Video, self.video.as_ref()), (Track::Audio, self.audio.as_ref().map(|(r, _)| r))];
        for (track, stream) in tracks {
            if let Some(r) = stream {
                out(Send::Rtcp(track, r.sender_report(stamp(r, t + damage.jump), start.plus(t))));
            }
        }
    }
}

fn packet_time(r: &RtpStream, samples: usize, n: u64) -> MediaTime {
    MediaTime::from_ticks((n as i64).saturating_mul(samples as i64), r.clock_rate)
}

/// RTP time stamp of stream time `t`; wraps as RTP does.
pub(super) fn stamp(r: &RtpStream, t: MediaTime) -> u32 {
    r.base.wrapping_add(t.ticks(r.clock_rate) as u32)
}

/// Xorshift: the same losses in each run.
fn lost(state: &mut u32, share: f32) -> bool {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    share > 0.0 && (*state as f32) < share * u32::MAX as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(first: u64, sound: &Sound) -> Player {
        let v = RtpStream::new(1, 96, 90_000, 1400);
        let a = RtpStream::new(2, 0, 8000, 1400);
        let avcc = h264::avcc_record(&[0x67, 66, 0, 31, 9], &[0x68, 1]).unwrap();
        Player::new(FrameRate::new(25, 1).unwrap(), &avcc, Some(v), Some((a, sound)), first)
    }
    fn unit(keyframe: bool) -> Unit {
        Unit { data: Bytes::from_static(&[0, 0, 0, 2, 0x65, 7]), keyframe }
    }

    #[test]
    fn things_come_in_order_of_time() {
        let sound = Sound::G711 { a_law: false };
        let mut p = player(25, &sound);
        let mut order = Vec::new();
        for _ in 0..6 {
            let (t, due) = p.next();
            order.push((t.millis(), due));
            match due {
                Due::Video(_) => p.video(&unit(true), Damage::default(), &mut |_| {}).unwrap(),
                Due::Audio(_) => p.audio(&sound, Damage::default(), &mut |_| {}),
                Due::Report => p.report(WallTime::default(), Damage::default(), &mut |_| {}),
            }
        }
        use Due::{Audio, Report, Video};
        let want = [
            (1000, Report),
            (1000, Video(25)),
            (1000, Audio(50)),
            (1020, Audio(51)),
            (1040, Video(26)),
            (1040, Audio(52)),
        ];
        assert_eq!(order, want);
    }
    #[test]
    fn a_stall_ends_at_a_keyframe() {
        let sound = Sound::G711 { a_law: false };
        let mut p = player(0, &sound);
        let stalled = Damage { stalled: true, ..Damage::default() };
        let mut sent = Vec::new();
        for (key, damage) in [(true, stalled), (false, Damage::default()), (true, Damage::default())] {
            let mut n = 0;
            p.video(&unit(key), damage, &mut |_| n += 1).unwrap();
            sent.push(n);
        }
        assert_eq!(sent, [0, 0, 2], "parameter sets and the keyframe");
    }
    #[test]
    fn loss_loses_about_its_share() {
        let mut s = 77;
        let n = (0..10_000).filter(|_| lost(&mut s, 0.05)).count();
        assert!((400..600).contains(&n), "{n}");
        assert!(!(0..1000).any(|_| lost(&mut s, 0.0)));
    }
}
