//! The sound of overlays by itself, for who renders a scene without a program.

use super::mixer::soft;
use crate::error::Result;
use crate::media::{AudioBuffer, AudioParams, PROGRAM_SAMPLE_RATE, Packet};
use crate::ports::AudioEncoder;
use crate::time::{FrameRate, MediaTime};

/// Encodes what is heard of overlays from an output frame on; the packets' times count from there. As loud as in a program
/// without another sound.
pub struct OverlaySound {
    encoder: Box<dyn AudioEncoder>,
    fps: FrameRate,
    /// Samples of the program: the first one, and that which is asked for next.
    begin: u64,
    next: u64,
    frame: AudioBuffer,
}

impl std::fmt::Debug for OverlaySound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OverlaySound(from sample {}, at {})", self.begin, self.next)
    }
}

impl OverlaySound {
    /// From output frame `first` on. The encoder is one for 48 kHz.
    pub fn new(encoder: Box<dyn AudioEncoder>, fps: FrameRate, first: u64) -> Self {
        let p = encoder.params();
        let samples = vec![0.0; encoder.frame_samples() * usize::from(p.channels)];
        let frame = AudioBuffer { samples, sample_rate: p.sample_rate, channels: p.channels, ..AudioBuffer::default() };
        let begin = first_sample(fps, first);
        Self { encoder, fps, begin, next: begin, frame }
    }

    /// Parameters of the packets.
    pub fn params(&self) -> &AudioParams {
        self.encoder.params()
    }

    /// The packets that are complete with what begins at a frame. `sounding` is asked as
    /// [`Overlay::sound`](crate::ports::Overlay::sound) is; frames are given one by one, after their pictures were composed.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn at(&mut self, frame: u64, mut sounding: impl FnMut(u64, &mut [f32]) -> bool) -> Result<Vec<Packet>> {
        let end = first_sample(self.fps, frame.saturating_add(1));
        let mut out = Vec::new();
        while self.next < end {
            self.frame.samples.fill(0.0);
            if sounding(self.next, &mut self.frame.samples) {
                self.frame.samples.iter_mut().for_each(|s| *s = if s.is_finite() { soft(*s) } else { 0.0 });
            }
            out.extend(self.encode()?);
        }
        Ok(out)
    }

    /// The last packet: nothing follows.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn finish(mut self) -> Result<Option<Packet>> {
        if self.next == self.begin {
            return Ok(None);
        }
        self.frame.samples.fill(0.0);
        self.encode()
    }

    /// A packet of AAC plays from where the frame before its own begins (ISO/IEC 14496-3 §4.6.11): the first one is for
    /// before the beginning.
    fn encode(&mut self) -> Result<Option<Packet>> {
        let length = self.encoder.frame_samples() as u64;
        let packet = self.encoder.encode(&self.frame)?;
        let plays = (self.next - self.begin).checked_sub(length);
        self.next += length;
        let pts = plays.map(|p| MediaTime::from_ticks(i64::try_from(p).unwrap_or(i64::MAX), PROGRAM_SAMPLE_RATE));
        Ok(pts.map(|pts| Packet { pts, dts: pts, ..packet }))
    }
}

/// The first sample of a frame.
fn first_sample(fps: FrameRate, frame: u64) -> u64 {
    let (num, den) = (u128::from(fps.num().max(1)), u128::from(fps.den()) * u128::from(PROGRAM_SAMPLE_RATE));
    u64::try_from((u128::from(frame) * den).div_ceil(num)).unwrap_or(u64::MAX)
}

#[cfg(all(test, feature = "codecs"))]
mod tests {
    use super::*;
    use crate::codec::{AacDecoder, AacEncoder};
    use crate::ports::AudioDecoder;

    /// What was sung at each sample comes out at its time, from any frame on, at any rate.
    #[test]
    fn packets_follow_on_each_other_and_are_in_time() {
        let tone = |i: u64| 0.5 * (std::f32::consts::TAU * 1000.0 * (i % 48_000) as f32 / 48_000.0).sin();
        for (fps, first) in [(FrameRate::FPS_30, 0), (FrameRate::parse("30000/1001").unwrap(), 77)] {
            let encoder = Box::new(AacEncoder::new(48_000, 2, 192_000).unwrap());
            let mut sound = OverlaySound::new(encoder, fps, first);
            let (begin, mut asked, mut packets) = (first_sample(fps, first), Vec::new(), Vec::new());
            for frame in first..first + 30 {
                packets.extend(
                    sound
                        .at(frame, |at, mix| {
                            assert!(at >= first_sample(fps, frame) && at < first_sample(fps, frame + 1));
                            asked.push(at);
                            for (i, two) in (at..).zip(mix.chunks_exact_mut(2)) {
                                two.fill(tone(i));
                            }
                            true
                        })
                        .unwrap(),
                );
            }
            packets.extend(sound.finish().unwrap());
            assert!(asked.windows(2).all(|w| w[1] == w[0] + 1024) && asked[0] == begin);
            assert_eq!(packets.len(), asked.len());
            let times: Vec<i64> = packets.iter().map(|p| p.pts.ticks(48_000)).collect();
            assert!(times.iter().enumerate().all(|(i, t)| *t == i as i64 * 1024), "{times:?}");
            let mut decoder = AacDecoder::new(AacEncoder::new(48_000, 2, 192_000).unwrap().params()).unwrap();
            let heard: Vec<f32> = packets.iter().flat_map(|p| decoder.decode(p).unwrap().samples).collect();
            // the first frame has nothing before it that it could be completed with
            for i in 1024..heard.len() / 2 {
                assert!((heard[2 * i] - tone(begin + i as u64)).abs() < 0.02, "sample {i}");
            }
        }
    }

    #[test]
    fn nothing_is_nothing() {
        let sound = OverlaySound::new(Box::new(AacEncoder::new(48_000, 2, 96_000).unwrap()), FrameRate::FPS_30, 5);
        assert!(sound.finish().unwrap().is_none());
    }
}
