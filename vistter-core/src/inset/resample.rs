//! Sound at the program's rate: a windowed sinc, computed for each sample from the samples around it.
//!
//! Own code, because a sample must be the same however it is reached, as pictures are; a resampler for streams keeps a state
//! that depends on where it began.

use std::ops::Range;

use super::voice::fade;
use crate::media::PROGRAM_SAMPLE_RATE;

/// Zero crossings of the sinc on each side.
const CROSSINGS: i64 = 32;
/// The share of the band that passes; the rest is its slope.
const PASS: f64 = 0.94;
/// Shape of the Kaiser window: what is beyond the band is 90 dB down.
const BETA: f64 = 9.0;

/// From one rate to the program's.
pub(super) struct Resampler {
    /// In so many samples of the program there are so many of the source.
    up: i64,
    down: i64,
    /// Samples of the source on each side of one of the program.
    reach: i64,
    /// For each of the `up` places between two samples of the source.
    phases: Vec<f32>,
}

impl Resampler {
    pub(super) fn new(rate: u32) -> Self {
        let (to, from) = (i64::from(PROGRAM_SAMPLE_RATE), i64::from(rate.max(1)));
        let common = gcd(to, from);
        let (up, down) = (to / common, from / common);
        // When samples are left out, what they cannot carry goes before.
        let band = (up as f64 / down as f64).min(1.0) * PASS;
        let reach = if up == down { 0 } else { (CROSSINGS as f64 / band).ceil() as i64 };
        let mut phases = Vec::with_capacity((up * 2 * reach) as usize);
        for phase in 0..up {
            let begin = phases.len();
            for tap in 1 - reach..=reach {
                let x = tap as f64 - phase as f64 / up as f64;
                phases.push((sinc(x * band) * kaiser(x / reach as f64)) as f32);
            }
            let row = phases.get_mut(begin..).unwrap_or_default();
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|v| *v /= sum);
        }
        Self { up, down, reach, phases }
    }

    /// The sample of the source at or before one of the program, and between which places it stands.
    fn place(&self, sample: i64) -> (i64, i64) {
        let at = i128::from(sample) * i128::from(self.down);
        let up = i128::from(self.up);
        (at.div_euclid(up) as i64, at.rem_euclid(up) as i64)
    }

    /// The samples of the source that `count` samples of the program need.
    pub(super) fn needs(&self, from: i64, count: usize) -> (i64, i64) {
        let last = from.saturating_add(count as i64 - 1);
        let (first, last) = (self.place(from).0, self.place(last).0);
        (first.saturating_sub(self.reach), last.saturating_add(self.reach + 1))
    }

    /// Makes stereo samples of the program from `from` on, out of those of the source, of which the first one is number
    /// `first`. Only those in `heard` count: beyond them is silence, without ringing at its edges or a click behind it.
    pub(super) fn make(&self, from: i64, out: &mut [f32], (source, first): (&[f32], i64), heard: &Range<i64>) {
        let last = heard.end.saturating_sub(1).max(heard.start);
        let sample = |i: i64| {
            let i = i.clamp(heard.start, last);
            let at = usize::try_from(i.saturating_sub(first)).ok().and_then(|i| i.checked_mul(2));
            at.and_then(|i| source.get(i..i + 2)).map_or([0.0; 2], |s| [s[0], s[1]])
        };
        let row = 2 * self.reach as usize;
        for (n, two) in (0i64..).zip(out.chunks_exact_mut(2)) {
            let (at, phase) = self.place(from.saturating_add(n));
            if !heard.contains(&at) {
                let since = at.saturating_sub(heard.end).saturating_mul(self.up) / self.down;
                let part = if since < 0 { 0.0 } else { fade(since) };
                two.iter_mut().zip(sample(last)).for_each(|(v, s)| *v = s * part);
                continue;
            }
            if row == 0 {
                two.copy_from_slice(&sample(at));
                continue;
            }
            let taps = self.phases.get(phase as usize * row..).unwrap_or_default().iter().take(row);
            let begin = at.saturating_add(1 - self.reach);
            let inside = begin >= heard.start && begin.saturating_add(row as i64) <= heard.end;
            let whole = usize::try_from(begin.saturating_sub(first)).ok().filter(|_| inside);
            let whole = whole.and_then(|i| source.get(2 * i..2 * (i + row)));
            let mut sum = [0.0f32; 2];
            match whole {
                Some(whole) => {
                    for (t, s) in taps.zip(whole.chunks_exact(2)) {
                        sum = [sum[0] + t * s[0], sum[1] + t * s[1]];
                    }
                }
                None => {
                    for (i, t) in (begin..).zip(taps) {
                        let s = sample(i);
                        sum = [sum[0] + t * s[0], sum[1] + t * s[1]];
                    }
                }
            }
            two.copy_from_slice(&sum);
        }
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// The window at −1…1.
fn kaiser(x: f64) -> f64 {
    let inside = 1.0 - x * x;
    if inside <= 0.0 { 0.0 } else { bessel(BETA * inside.sqrt()) / bessel(BETA) }
}

/// The modified Bessel function of order 0.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..40 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_keep_their_pitch_and_level() {
        for rate in [8_000u32, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000] {
            let r = Resampler::new(rate);
            let tone = |hz: f64, t: f64| (std::f64::consts::TAU * hz * t).sin();
            for hz in [440.0, f64::from(rate.min(48_000)) * 0.42] {
                let source: Vec<f32> =
                    (0..i64::from(rate)).flat_map(|i| [tone(hz, i as f64 / f64::from(rate)) as f32; 2]).collect();
                let mut out = vec![0.0; 2 * 2000];
                r.make(10_000, &mut out, (&source, 0), &(0..i64::from(rate)));
                for (i, two) in out.chunks_exact(2).enumerate() {
                    let want = tone(hz, (10_000 + i) as f64 / 48_000.0);
                    assert!((f64::from(two[0]) - want).abs() < 2e-3, "{rate} Hz, {hz} Hz: {} is not {want}", two[0]);
                }
                // A piece is the same as in the whole.
                let mut piece = vec![0.0; 2 * 10];
                r.make(11_234, &mut piece, (&source, 0), &(0..i64::from(rate)));
                assert_eq!(piece, out[2 * 1234..2 * 1244]);
            }
        }
        // What 48 kHz cannot carry is not folded back.
        let r = Resampler::new(96_000);
        let high: Vec<f32> = (0..96_000).flat_map(|i| [(f64::from(i) * 1.9).sin() as f32; 2]).collect();
        let mut out = vec![0.0; 2 * 4000];
        r.make(9_000, &mut out, (&high, 0), &(0..96_000));
        assert!(out.iter().all(|s| s.abs() < 1e-3));
    }
}
