//! The program's sound: silence, or a camera's AAC passed through.

use bytes::Bytes;

use crate::error::Result;
use crate::media::{AudioBuffer, AudioParams, Codec, PROGRAM_CHANNELS, PROGRAM_SAMPLE_RATE, Packet, Track};
use crate::ports::AudioEncoder;
use crate::time::MediaTime;

/// Where the program's sound comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioFrom {
    /// Silence.
    Silence,
    /// The camera on air.
    Program,
    /// One camera, by index.
    Camera(usize),
}

/// Makes one packet after the other; their times come from the sample count alone.
#[derive(Debug)]
pub(super) struct AudioTrack {
    silence: Bytes,
    samples: u64,
    next: u64,
    follows: Option<(usize, u64)>,
}

/// Packets encoded until silence has settled: the first ones still carry the encoder's start.
const SETTLE: usize = 8;

/// One packet of silence in the encoder's format. It can be repeated for ever, so a silent track costs no CPU.
///
/// # Errors
/// Those of the encoder.
pub fn silence(encoder: &mut dyn AudioEncoder) -> Result<Bytes> {
    let AudioParams { sample_rate, channels, .. } = *encoder.params();
    let samples = vec![0.0; encoder.frame_samples() * usize::from(channels)];
    let quiet = AudioBuffer { samples, sample_rate, channels, pts: MediaTime::ZERO };
    let mut packet = encoder.encode(&quiet)?;
    for _ in 1..SETTLE {
        packet = encoder.encode(&quiet)?;
    }
    Ok(packet.data)
}

impl AudioTrack {
    /// Encodes silence once, and keeps it.
    pub(super) fn new(encoder: &mut dyn AudioEncoder) -> Result<Self> {
        Ok(Self { silence: silence(encoder)?, samples: encoder.frame_samples() as u64, next: 0, follows: None })
    }

    /// Half as long again as a packet: nearer than this is in step.
    pub(super) fn slack(&self) -> MediaTime {
        MediaTime::from_ticks(self.samples as i64 * 3 / 2, PROGRAM_SAMPLE_RATE)
    }

    fn time_of(&self, n: u64) -> MediaTime {
        let ticks = i64::try_from(n.saturating_mul(self.samples)).unwrap_or(i64::MAX);
        MediaTime::from_ticks(ticks, PROGRAM_SAMPLE_RATE)
    }

    /// Skips ahead with the video, in an overload.
    pub(super) fn skip_to(&mut self, t: MediaTime) {
        while self.time_of(self.next) < t {
            self.next += 1;
        }
    }

    /// Gives every packet that starts before `end`. `pick(camera's last number, packet time)` finds a camera's packet
    /// for a time on the output's timeline; without one there is silence.
    pub(super) fn until(
        &mut self,
        end: MediaTime,
        camera: Option<usize>,
        mut pick: impl FnMut(usize, Option<u64>, MediaTime) -> Option<(u64, Packet)>,
        mut out: impl FnMut(Packet),
    ) {
        while self.time_of(self.next) < end {
            let pts = self.time_of(self.next);
            let last = self.follows.filter(|(c, _)| Some(*c) == camera).map(|(_, n)| n);
            let picked = camera.and_then(|c| pick(c, last, pts).map(|(n, p)| (c, n, p)));
            let data = match picked {
                Some((c, n, p)) => {
                    self.follows = Some((c, n));
                    p.data
                }
                None => self.silence.clone(),
            };
            let duration = self.time_of(self.next + 1) - pts;
            out(Packet { track: Track::Audio, data, pts, dts: pts, duration, keyframe: true });
            self.next += 1;
        }
    }
}

/// Whether a camera's audio can go into the program as it is: AAC-LC, 48 kHz, stereo, without SBR
/// (AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1).
pub(super) fn fits(p: &AudioParams) -> bool {
    let c = &p.config;
    p.codec == Codec::Aac
        && p.sample_rate == PROGRAM_SAMPLE_RATE
        && p.channels == PROGRAM_CHANNELS
        && c.len() >= 2
        // Object type 2, frequency index 3, two channels, 1024 samples a frame.
        && (c[0], c[1] & 0xfc) == (0x11, 0x90)
        // syncExtensionType 0x2b7, object type 5, sbrPresentFlag.
        && !(c.len() >= 5 && c[2] == 0x56 && c[3] == 0xe5 && c[4] & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(AudioParams);
    impl AudioEncoder for Fake {
        fn params(&self) -> &AudioParams {
            &self.0
        }
        fn frame_samples(&self) -> usize {
            1024
        }
        fn encode(&mut self, s: &AudioBuffer) -> Result<Packet> {
            assert_eq!(s.samples.len(), 2048);
            Ok(packet(b"silence"))
        }
    }
    fn packet(b: &'static [u8]) -> Packet {
        let t = MediaTime::ZERO;
        Packet { track: Track::Audio, data: Bytes::from_static(b), pts: t, dts: t, duration: t, keyframe: true }
    }
    fn params(config: &'static [u8]) -> AudioParams {
        AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config: Bytes::from_static(config) }
    }

    #[test]
    fn times_come_from_the_sample_count() {
        let mut t = AudioTrack::new(&mut Fake(params(&[0x11, 0x90]))).unwrap();
        let mut times = Vec::new();
        for n in 1..=3000i64 {
            let end = MediaTime::from_nanos(n * 33_366_667);
            t.until(end, None, |_, _, _| None, |p| times.push(p.pts));
        }
        assert!(times.windows(2).all(|w| (w[1] - w[0]).abs_diff(MediaTime::from_nanos(21_333_333)).nanos() <= 1));
        // 3000 frames at 29.97 are 100.1 s: 4692.19 packets have started.
        assert_eq!(times.len(), 4693);
    }
    #[test]
    fn silence_fills_what_the_camera_lacks() {
        let mut t = AudioTrack::new(&mut Fake(params(&[0x11, 0x90]))).unwrap();
        let mut got = Vec::new();
        t.until(
            MediaTime::from_millis(200),
            Some(0),
            |c, last, _| {
                assert_eq!(c, 0);
                let n = last.map_or(7, |l| l + 1);
                (n < 10).then(|| (n, packet(b"camera")))
            },
            |p| got.push(p.data),
        );
        assert_eq!(got.iter().filter(|d| &d[..] == b"camera").count(), 3);
        assert_eq!(&got[4][..], b"silence");
    }
    #[test]
    fn only_plain_stereo_fits() {
        assert!(fits(&params(&[0x11, 0x90])));
        assert!(fits(&params(&[0x11, 0x90, 0x56, 0xe5, 0x00])));
        assert!(!fits(&params(&[0x11, 0x90, 0x56, 0xe5, 0x80])), "SBR");
        assert!(!fits(&params(&[0x12, 0x10])), "44.1 kHz");
        assert!(!fits(&params(&[0x11, 0x88])), "mono");
        assert!(!fits(&params(&[])));
    }
}
