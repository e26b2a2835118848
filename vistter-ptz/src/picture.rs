//! Does the picture move? From small pictures of the camera, sans-IO: the mean difference of luma between two of them that
//! are a third of a second apart, without what all pixels share (an exposure that adapts).
//!
//! A scene is never quite still: leaves, water, a clock. What a standing camera's picture does is its noise floor, measured
//! at the end of each move and kept for the next. Two thresholds above it, and a share of the highest difference of this
//! move, keep the verdict from fluttering.

use std::collections::VecDeque;

use vistter_core::ports::Glimpse;
use vistter_core::time::MediaTime;

/// The numbers of the policy. Differences are in steps of luma, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PicturePolicy {
    /// How far apart the compared pictures are, at least.
    pub apart: MediaTime,
    /// The noise floor of a camera of which nothing is known.
    pub floor: f32,
    /// Above the floor times this, and `margin`, the picture moves.
    pub high: f32,
    /// Below the floor times this, and half of `margin`, it stands.
    pub low: f32,
    /// What the thresholds are above the floor at least.
    pub margin: f32,
    /// Below this share of the highest difference of the move it stands, too.
    pub share: f32,
}

impl Default for PicturePolicy {
    fn default() -> Self {
        let apart = MediaTime::from_millis(300);
        Self { apart, floor: 0.6, high: 2.0, low: 1.3, margin: 0.8, share: 0.15 }
    }
}

/// Pictures further apart than this many times `apart` are not compared: the stream was interrupted.
const TOO_FAR: i64 = 4;
/// Pictures kept for the comparison.
const KEPT: usize = 32;
/// Differences kept for the noise floor.
const RECENT: usize = 16;

/// One camera's picture.
#[derive(Clone, Debug)]
pub struct PictureMotion {
    policy: PicturePolicy,
    pictures: VecDeque<Glimpse>,
    floor: f32,
    peak: f32,
    moves: bool,
    /// Differences since it stands.
    still: VecDeque<f32>,
}

impl PictureMotion {
    /// A camera of which nothing is known.
    pub fn new(policy: PicturePolicy) -> Self {
        let floor = policy.floor;
        Self { policy, pictures: VecDeque::new(), floor, peak: 0.0, moves: false, still: VecDeque::new() }
    }
    /// A move begins: what was seen before is forgotten, but for the noise floor.
    pub fn begin(&mut self) {
        self.pictures.clear();
        self.still.clear();
        (self.peak, self.moves) = (0.0, false);
    }
    /// Takes the next picture. Whether the camera moves; `None` while there is nothing to compare it with.
    pub fn picture(&mut self, g: Glimpse) -> Option<bool> {
        let p = self.policy;
        let alike = |o: &Glimpse| o.width == g.width && o.luma.len() == g.luma.len();
        if self.pictures.back().is_some_and(|o| g.at <= o.at || !alike(o)) {
            self.pictures.clear();
        }
        let far = MediaTime::from_nanos(p.apart.nanos().saturating_mul(TOO_FAR));
        // The newest that is old enough.
        let before = self.pictures.iter().rev().find(|o| g.at - o.at >= p.apart).filter(|o| g.at - o.at <= far);
        let difference = before.map(|o| difference(&o.luma, &g.luma));
        self.pictures.push_back(g);
        while self.pictures.len() > KEPT {
            self.pictures.pop_front();
        }
        let d = difference?;
        self.peak = self.peak.max(d);
        let high = self.floor * p.high + p.margin;
        let low = (self.floor * p.low + p.margin / 2.0).max(self.peak * p.share);
        self.moves = if self.moves { d >= low } else { d >= high.max(low) };
        if self.moves {
            self.still.clear();
        } else {
            self.still.push_back(d);
            if self.still.len() > RECENT {
                self.still.pop_front();
            }
        }
        Some(self.moves)
    }
    /// The move is over and the camera is believed to stand, by whatever evidence: what the picture does now is its noise.
    pub fn stands(&mut self) {
        if self.moves {
            // It still looked like motion, so the floor is higher than was thought.
            self.floor = (self.floor * 1.5 + 0.5).min(self.peak);
        } else if let Some(middle) = median(&self.still) {
            self.floor = self.floor * 0.5 + middle * 0.5;
        }
    }
    /// The noise floor.
    pub fn floor(&self) -> f32 {
        self.floor
    }
}

/// Mean absolute difference without the part that all pixels share.
fn difference(a: &[u8], b: &[u8]) -> f32 {
    let n = a.len().max(1) as f32;
    let each = || a.iter().zip(b).map(|(a, b)| i32::from(*b) - i32::from(*a));
    let common = each().sum::<i32>() as f32 / n;
    each().map(|d| (d as f32 - common).abs()).sum::<f32>() / n
}

fn median(values: &VecDeque<f32>) -> Option<f32> {
    let mut sorted: Vec<f32> = values.iter().copied().collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A striped scene seen from `shift`, brighter by `light`, with noise.
    fn seen(ms: i64, shift: f32, light: i32, noise: i32) -> Glimpse {
        let value = |i: usize| {
            let (x, y) = ((i % 64) as f32 + shift, (i / 64) as f32);
            let scene = 120.0 + 60.0 * (x / 5.0).sin() + 20.0 * (y / 3.0).cos();
            // A picture of its own at each time.
            let grain = (((i as i64 * 7919 + ms * 104_729) % 1009) as i32 * 37) % (2 * noise + 1) - noise;
            (scene as i32 + light + grain).clamp(0, 255) as u8
        };
        Glimpse { at: MediaTime::from_millis(ms), width: 64, luma: (0..64 * 36).map(value).collect() }
    }
    /// Ten pictures a second; when it was seen to move first, and when it stood for good.
    fn play(
        m: &mut PictureMotion,
        until: i64,
        shift: impl Fn(i64) -> f32,
        light: impl Fn(i64) -> i32,
        noise: i32,
    ) -> (Option<i64>, Option<i64>) {
        m.begin();
        let (mut moved, mut stood) = (None, None);
        for ms in (0..until).step_by(100) {
            match m.picture(seen(ms, shift(ms), light(ms), noise)) {
                Some(true) => (moved, stood) = (moved.or(Some(ms)), None),
                Some(false) => stood = stood.or(Some(ms)),
                None => {}
            }
        }
        m.stands();
        (moved, stood)
    }
    fn pan(ms: i64) -> f32 {
        (ms - 500).clamp(0, 2000) as f32 / 100.0
    }

    #[test]
    fn a_move_is_seen_from_its_begin_to_its_end() {
        let mut m = PictureMotion::new(PicturePolicy::default());
        let (moved, stood) = play(&mut m, 5000, pan, |_| 0, 2);
        assert!(moved.is_some_and(|t| (500..=900).contains(&t)), "{moved:?}");
        assert!(stood.is_some_and(|t| (2500..=2900).contains(&t)), "{stood:?}");
    }
    #[test]
    fn light_that_changes_is_no_motion() {
        let mut m = PictureMotion::new(PicturePolicy::default());
        assert_eq!(play(&mut m, 3000, |_| 0.0, |ms| (ms / 60) as i32, 1).0, None);
    }
    #[test]
    fn a_noisy_scene_is_learned() {
        let mut m = PictureMotion::new(PicturePolicy::default());
        let mut first = None;
        for round in 0..6 {
            let (moved, stood) = play(&mut m, 5000, |_| 0.0, |_| 0, 12);
            first = first.or(Some(moved));
            if round == 5 {
                assert_eq!((moved, stood.is_some()), (None, true), "floor {}", m.floor());
            }
        }
        assert!(first.unwrap().is_some(), "at first it looked like motion");
        let (moved, stood) = play(&mut m, 5000, pan, |_| 0, 12);
        assert!(moved.is_some() && stood.is_some_and(|t| (2500..=3000).contains(&t)), "{moved:?} {stood:?}");
    }
    #[test]
    fn an_interrupted_or_changed_stream_is_not_compared() {
        let mut m = PictureMotion::new(PicturePolicy::default());
        assert_eq!(m.picture(seen(0, 0.0, 0, 1)), None);
        assert_eq!(m.picture(seen(9000, 30.0, 0, 1)), None);
        let other = Glimpse { at: MediaTime::from_millis(9400), width: 2, luma: vec![0; 4] };
        assert_eq!(m.picture(other), None);
        assert_eq!(m.picture(seen(9800, 0.0, 0, 1)), None);
        assert_eq!(m.picture(Glimpse { at: MediaTime::ZERO, width: 0, luma: Vec::new() }), None);
    }
}
