//! The program's sound: silence, or a camera's AAC passed through; while overlays sound, mixed with theirs (`mixer.rs`).

use bytes::Bytes;

use super::mixer::Mixer;
use crate::error::Result;
use crate::media::{AudioBuffer, AudioParams, Codec, PROGRAM_CHANNELS, PROGRAM_SAMPLE_RATE, Packet, Track};
use crate::ports::{AudioDecoder, AudioEncoder};
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
pub(super) struct AudioTrack {
    silence: Bytes,
    samples: u64,
    next: u64,
    follows: Option<(usize, u64)>,
    /// The packets before the next one, and that one if it has been chosen already; as they are without overlays.
    before: [Bytes; 2],
    chosen: Option<Bytes>,
    /// None when this program cannot mix.
    mixer: Option<Mixer>,
}

/// What overlays sound like: adds stereo samples from one of the program's on; false when it added nothing.
pub(super) type Sounding<'a> = dyn FnMut(u64, &mut [f32]) -> bool + 'a;

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
    /// Encodes silence once, and keeps it. With a decoder for what it encodes and for what fits, it can mix.
    pub(super) fn new(mut encoder: Box<dyn AudioEncoder>, decoder: Option<Box<dyn AudioDecoder>>) -> Result<Self> {
        let silence = silence(&mut *encoder)?;
        let samples = encoder.frame_samples() as u64;
        let mixer = decoder.map(|d| Mixer::new(encoder, d));
        Ok(Self {
            before: [silence.clone(), silence.clone()],
            silence,
            samples,
            next: 0,
            follows: None,
            chosen: None,
            mixer,
        })
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
            self.chosen = None;
        }
        self.mixer.iter_mut().for_each(Mixer::stop);
    }

    /// Gives every packet that starts before `end`. `pick(camera's last number, packet time)` finds a camera's packet
    /// for a time on the output's timeline; without one there is silence. `sounding` is what overlays add.
    pub(super) fn until(
        &mut self,
        end: MediaTime,
        camera: Option<usize>,
        mut pick: impl FnMut(usize, Option<u64>, MediaTime) -> Option<(u64, Packet)>,
        sounding: &mut Sounding<'_>,
        mut out: impl FnMut(Packet),
    ) {
        while self.time_of(self.next) < end {
            let pts = self.time_of(self.next);
            let plain = self.chosen.take().unwrap_or_else(|| self.choose(self.next, camera, &mut pick));
            // A packet reaches into the time of the one after it: that must be known to mix.
            let later = self.next + 1;
            let mixes = self.mixer.as_mut().is_some_and(|m| m.listen(later * self.samples, sounding));
            let mixed = if mixes {
                let after = self.choose(later, camera, &mut pick);
                let made =
                    self.mixer.as_mut().and_then(|m| m.packet([&self.before[0], &self.before[1], &plain, &after]));
                self.chosen = Some(after);
                made
            } else {
                None
            };
            let data = mixed.unwrap_or_else(|| plain.clone());
            self.before.rotate_left(1);
            self.before[1] = plain;
            let duration = self.time_of(later) - pts;
            out(Packet { track: Track::Audio, data, pts, dts: pts, duration, keyframe: true });
            self.next = later;
        }
    }

    /// What a packet is without overlays.
    fn choose(
        &mut self,
        n: u64,
        camera: Option<usize>,
        pick: &mut impl FnMut(usize, Option<u64>, MediaTime) -> Option<(u64, Packet)>,
    ) -> Bytes {
        let last = self.follows.filter(|(c, _)| Some(*c) == camera).map(|(_, n)| n);
        match camera.and_then(|c| pick(c, last, self.time_of(n)).map(|(n, p)| (c, n, p))) {
            Some((c, n, p)) => {
                self.follows = Some((c, n));
                p.data
            }
            None => self.silence.clone(),
        }
    }
}

/// Whether a camera's audio can go into the program as it is: AAC-LC, 48 kHz, stereo, without SBR
/// (AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1).
pub(crate) fn fits(p: &AudioParams) -> bool {
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
        let mut t = AudioTrack::new(Box::new(Fake(params(&[0x11, 0x90]))), None).unwrap();
        let mut times = Vec::new();
        for n in 1..=3000i64 {
            let end = MediaTime::from_nanos(n * 33_366_667);
            t.until(end, None, |_, _, _| None, &mut |_, _| false, |p| times.push(p.pts));
        }
        assert!(times.windows(2).all(|w| (w[1] - w[0]).abs_diff(MediaTime::from_nanos(21_333_333)).nanos() <= 1));
        // 3000 frames at 29.97 are 100.1 s: 4692.19 packets have started.
        assert_eq!(times.len(), 4693);
    }
    #[test]
    fn silence_fills_what_the_camera_lacks() {
        let mut t = AudioTrack::new(Box::new(Fake(params(&[0x11, 0x90]))), None).unwrap();
        let mut got = Vec::new();
        t.until(
            MediaTime::from_millis(200),
            Some(0),
            |c, last, _| {
                assert_eq!(c, 0);
                let n = last.map_or(7, |l| l + 1);
                (n < 10).then(|| (n, packet(b"camera")))
            },
            &mut |_, _| panic!("nobody asks when it cannot mix"),
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
