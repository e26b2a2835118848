//! The program's sound and that of overlays as one.
//!
//! What goes out without overlays is decoded as a viewer's player decodes it, so that all that is true of it (cuts between
//! cameras, holes, silence) stays true in the mix. A packet of AAC holds two frames of 1024 samples that overlap with those
//! of its neighbours (ISO/IEC 14496-3 §4.6.11): what a player makes of a packet is the first of its two. So the packet for
//! a time is the one that an encoder gives when it is fed with the samples *after* that time, and a packet may be passed
//! through again as soon as neither of its two frames has sound of an overlay. At both joins the packets on either side then
//! hold the same samples, and a player puts them together as if nothing had been. For that their windows must be long ones:
//! so the encoder hears a few packets before the first one counts, and goes on for a few after the last sound.

use bytes::Bytes;

use super::audio::Sounding;
use crate::media::{AudioBuffer, Packet, Track};
use crate::ports::{AudioDecoder, AudioEncoder};
use crate::time::MediaTime;

/// Up to here samples stay as they are; what is louder is bent, and never reaches full scale.
const KNEE: f32 = 0.9;
/// So many packets more are mixed after the last sound: an encoder leaves short windows in two (§4.6.11.1: EIGHT_SHORT is
/// followed by LONG_STOP).
const AFTER: usize = 2;

/// Decodes, adds, encodes.
pub(super) struct Mixer {
    encoder: Box<dyn AudioEncoder>,
    decoder: Box<dyn AudioDecoder>,
    /// What overlays sound like in the frame after the next packet's time.
    overlays: Vec<f32>,
    /// Whether that is anything, and whether the frames before it were, the latest first.
    sounds: [bool; 2 + AFTER],
    /// The last packet was mixed.
    on: bool,
    frame: AudioBuffer,
}

impl Mixer {
    pub(super) fn new(encoder: Box<dyn AudioEncoder>, decoder: Box<dyn AudioDecoder>) -> Self {
        let p = encoder.params();
        let frame = AudioBuffer { sample_rate: p.sample_rate, channels: p.channels, ..AudioBuffer::default() };
        let overlays = vec![0.0; encoder.frame_samples() * usize::from(p.channels)];
        Self { encoder, decoder, overlays, sounds: [false; 2 + AFTER], on: false, frame }
    }

    /// Asks the overlays for the frame that begins at `first`. Whether the packet before it must be mixed.
    pub(super) fn listen(&mut self, first: u64, sounding: &mut Sounding<'_>) -> bool {
        if self.sounds[0] {
            self.overlays.fill(0.0);
        }
        self.sounds.rotate_right(1);
        self.sounds[0] = sounding(first, &mut self.overlays);
        let mixes = self.sounds.contains(&true);
        self.on &= mixes;
        mixes
    }

    /// The packet in place of the last one but one; none when it cannot be made.
    pub(super) fn packet(&mut self, [earlier, before, plain, after]: [&Bytes; 4]) -> Option<Bytes> {
        if !self.on {
            // Both forget what they did last, and know what a player knows.
            for packet in [earlier, before, plain] {
                self.decode(packet);
                self.encode()?;
            }
        }
        self.decode(after);
        if self.sounds[0] {
            for (s, o) in self.frame.samples.iter_mut().zip(&self.overlays) {
                *s = soft(*s + if o.is_finite() { *o } else { 0.0 });
            }
        }
        let made = self.encode();
        self.on = made.is_some();
        made
    }

    /// Nothing follows on what was made last.
    pub(super) fn stop(&mut self) {
        (self.on, self.sounds) = (false, [false; 2 + AFTER]);
        self.overlays.fill(0.0);
    }

    fn decode(&mut self, data: &Bytes) {
        let t = MediaTime::ZERO;
        let packet = Packet { track: Track::Audio, data: data.clone(), pts: t, dts: t, duration: t, keyframe: true };
        let decoded = self.decoder.decode(&packet).map(|d| d.samples).unwrap_or_default();
        // What does not decode is silent for a player too.
        self.frame.samples.clear();
        if decoded.len() == self.overlays.len() {
            self.frame.samples.extend_from_slice(&decoded);
        } else {
            self.frame.samples.resize(self.overlays.len(), 0.0);
        }
    }

    fn encode(&mut self) -> Option<Bytes> {
        let made = self.encoder.encode(&self.frame);
        made.map_err(|e| tracing::warn!("overlays are not heard: {e}")).ok().map(|p| p.data)
    }
}

/// Loud samples bent below full scale, evenly.
pub(super) fn soft(s: f32) -> f32 {
    let over = s.abs() - KNEE;
    if over <= 0.0 { s } else { (KNEE + (1.0 - KNEE) * (over / (1.0 - KNEE)).tanh()).copysign(s) }
}

#[cfg(test)]
#[cfg(feature = "codecs")]
mod tests {
    use super::super::audio::AudioTrack;
    use super::*;
    use crate::codec::{AacDecoder, AacEncoder};
    use proptest::prelude::*;

    const FRAME: usize = 1024;

    fn encoder() -> Box<AacEncoder> {
        Box::new(AacEncoder::new(48_000, 2, 128_000).unwrap())
    }
    fn buffer(samples: Vec<f32>) -> AudioBuffer {
        AudioBuffer { samples, sample_rate: 48_000, channels: 2, pts: MediaTime::ZERO }
    }
    fn tone(hz: f32, level: f32) -> impl Fn(usize) -> f32 {
        move |i| level * (std::f32::consts::TAU * hz * i as f32 / 48_000.0).sin()
    }
    /// The packets of a sound, each at the time at which a player plays it.
    fn encoded(count: usize, sound: impl Fn(usize) -> f32) -> Vec<Packet> {
        let mut e = encoder();
        let frame = |n: usize| buffer((0..FRAME).flat_map(|i| [sound(n * FRAME + i); 2]).collect());
        e.encode(&frame(0)).unwrap();
        (1..=count).map(|n| e.encode(&frame(n)).unwrap()).collect()
    }
    fn decoded(packets: &[Bytes]) -> Vec<f32> {
        let mut d = AacDecoder::new(encoder().params()).unwrap();
        let t = MediaTime::ZERO;
        let packet = |data: &Bytes| Packet {
            track: Track::Audio,
            data: data.clone(),
            pts: t,
            dts: t,
            duration: t,
            keyframe: true,
        };
        packets.iter().flat_map(|p| d.decode(&packet(p)).unwrap().samples).step_by(2).collect()
    }
    /// A program of so many packets, with a camera, and an overlay that sounds like this at these samples.
    fn program(count: usize, camera: &[Packet], overlay: impl Fn(usize) -> Option<f32>) -> Vec<Bytes> {
        let decoder = Box::new(AacDecoder::new(encoder().params()).unwrap());
        let mut t = AudioTrack::new(encoder(), Some(decoder)).unwrap();
        let mut out = Vec::new();
        let end = MediaTime::from_ticks((count * FRAME) as i64, 48_000);
        let pick = |_, last: Option<u64>, _| {
            let n = last.map_or(0, |l| l + 1);
            camera.get(n as usize).map(|p| (n, p.clone()))
        };
        let mut sounding = |first: u64, mix: &mut [f32]| {
            let mut any = false;
            for (i, two) in (first as usize..).zip(mix.chunks_exact_mut(2)) {
                if let Some(o) = overlay(i) {
                    any = true;
                    two.iter_mut().for_each(|s| *s += o);
                }
            }
            any
        };
        t.until(end, Some(0), pick, &mut sounding, |p| out.push(p.data));
        assert_eq!(out.len(), count);
        out
    }

    #[test]
    fn the_encoder_is_one_packet_behind() {
        let sound = tone(997.0, 0.5);
        let packets: Vec<Bytes> = encoded(20, &sound).into_iter().map(|p| p.data).collect();
        let got = decoded(&packets);
        let worst = (5 * FRAME..19 * FRAME).map(|i| (got[i] - sound(i)).abs()).fold(0.0, f32::max);
        assert!(worst < 0.02, "{worst}");
    }

    #[test]
    fn a_mix_stands_where_the_camera_stood_and_joins_are_not_heard() {
        let (camera, overlay) = (tone(440.0, 0.3), tone(1500.0, 0.25));
        let packets = encoded(60, &camera);
        let (from, to) = (20 * FRAME, 35 * FRAME);
        // it comes and goes evenly, as a voice does
        let level = |i: usize| ((i - from).min(to - i) as f32 / 240.0).min(1.0);
        let got = program(60, &packets, |i| (from..to).contains(&i).then(|| level(i) * overlay(i)));
        for (n, (g, p)) in got.iter().zip(&packets).enumerate() {
            assert_eq!(*g == p.data, !(19..35).contains(&n), "packet {n}: from there on they are the same again");
        }
        let heard = decoded(&got);
        let worst = |range: std::ops::Range<usize>| {
            let want = |i: usize| camera(i) + if (from..to).contains(&i) { level(i) * overlay(i) } else { 0.0 };
            range.map(|i| (heard[i] - want(i)).abs()).fold(0.0, f32::max)
        };
        for n in 5..57 {
            let apart = worst(n * FRAME..(n + 1) * FRAME);
            assert!(apart < 0.04, "packet {n} is {apart} apart");
        }
    }

    #[test]
    fn over_silence_and_again() {
        let overlay = tone(1000.0, 0.5);
        let on = |i: usize| (10..14).contains(&(i / FRAME)) || (16..17).contains(&(i / FRAME)) || i / FRAME >= 30;
        let got = program(40, &[], |i| on(i).then(|| overlay(i)));
        let silent = got[0].clone();
        assert!((0..9).chain(17 + AFTER..29).all(|n| got[n] == silent));
        assert!((9..14).chain(15..17).chain(29..40).all(|n| got[n] != silent));
        let heard = decoded(&got);
        let inside = (11 * FRAME..13 * FRAME).chain(32 * FRAME..38 * FRAME);
        assert!(inside.map(|i| (heard[i] - overlay(i)).abs()).fold(0.0, f32::max) < 0.05);
        assert!(heard[18 * FRAME..29 * FRAME].iter().all(|s| s.abs() < 1e-3));
    }

    #[test]
    fn too_loud_is_not_turned_over() {
        let camera = encoded(30, tone(300.0, 0.9));
        let got = decoded(&program(30, &camera, |i| (i > 5 * FRAME).then(|| tone(300.0, 0.9)(i))));
        let most = got.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(most < 1.3, "{most}: an encoder may overshoot a little");
        let wave = tone(300.0, 1.0);
        let wrong = (10 * FRAME..28 * FRAME).filter(|i| wave(*i).abs() > 0.3 && wave(*i).signum() != got[*i].signum());
        assert_eq!(wrong.count(), 0);
    }

    #[test]
    fn damage_is_silent_and_passes() {
        let camera = tone(440.0, 0.3);
        let mut packets = encoded(40, &camera);
        packets[20].data = Bytes::from_static(&[0xff; 30]);
        let got = program(40, &packets, |i| (i > 10 * FRAME).then_some(0.0));
        let heard = decoded(&got);
        assert!((30 * FRAME..38 * FRAME).all(|i| (heard[i] - camera(i)).abs() < 0.03));
    }

    proptest! {
        #[test]
        fn limits(a in -4.0f32..4.0, b in -4.0f32..4.0) {
            prop_assert!(soft(a).abs() <= 1.0 && soft(a).signum() == a.signum());
            prop_assert!(a > b || soft(a) <= soft(b));
            prop_assert!(a.abs() > KNEE || soft(a) == a);
        }
    }
}
