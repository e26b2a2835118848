//! One property over time, in output frames: a pure function of the frame.

use crate::model::{Color, Easing, Repeat};
use crate::program::Next;
use crate::raster::shape::mix;
use crate::timeline::clock::Moment;

/// Keyframes, and what happens after the last one.
#[derive(Clone, Debug)]
pub(crate) struct Track<T> {
    pub(crate) keys: Vec<Key<T>>,
    pub(crate) repeat: Repeat,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), repeat: Repeat::Once }
    }
}

/// A keyframe.
#[derive(Clone, Debug)]
pub(crate) struct Key<T> {
    pub(crate) frame: u64,
    pub(crate) value: T,
    pub(crate) easing: Easing,
    /// For each number of the value, when they go differently; else empty.
    pub(crate) each: Vec<Easing>,
}

impl<T> Key<T> {
    /// Whether it stays at its value until the next one.
    fn holds(&self) -> bool {
        self.easing == Easing::Hold && self.each.is_empty()
    }
    /// Whether it may leave its value at once.
    fn steps(&self) -> bool {
        self.each.iter().chain([&self.easing]).any(|e| matches!(e, Easing::Steps(..)))
    }
}

/// A value that can be between two others; `t` says how far each of its numbers has come.
pub(crate) trait Between: Copy + PartialEq {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self;
}
impl Between for f64 {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self {
        let t = t(0);
        // exact at the end; a curve may go beyond it before
        if t == 1.0 { to } else { self + (to - self) * t }
    }
}
impl<const N: usize> Between for [f64; N] {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self {
        std::array::from_fn(|i| self[i].between(to[i], |_| t(i)))
    }
}
/// Colours pass into each other premultiplied, as those of a gradient do. Beyond its ends a colour stays.
impl Between for Color {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self {
        Self { rgba: mix(self.rgba, to.rgba, t(0).clamp(0.0, 1.0)) }
    }
}

impl<T: Between> Track<T> {
    /// The value at a frame; `None` without keyframes. Before the first the value stays.
    pub(crate) fn at(&self, frame: u64) -> Option<T> {
        value_at(&self.keys, self.fold(frame))
    }

    /// Whether it goes on without end, in a scene that stands too.
    pub(crate) fn endless(&self) -> bool {
        matches!(self.repeat, Repeat::Loop(0) | Repeat::PingPong(0))
    }
    /// The value at a moment of the scene.
    pub(crate) fn now(&self, moment: Moment) -> Option<T> {
        self.at(if self.endless() { moment.run } else { moment.time })
    }

    /// When the value at a moment of the scene may differ next.
    pub(crate) fn next(&self, moment: Moment) -> Next {
        match self.endless() {
            true => Next { time: None, run: self.next_change(moment.run) },
            false => Next { time: self.next_change(moment.time), run: None },
        }
    }

    /// The first frame after `frame` at which the value may differ; `None` when it never will.
    pub(crate) fn next_change(&self, frame: u64) -> Option<u64> {
        let (Some(first), Some(last)) = (self.keys.first(), self.keys.last()) else { return None };
        let ways = match self.repeat {
            Repeat::Loop(n) | Repeat::PingPong(n) if last.frame > first.frame => n,
            _ => return next_change(&self.keys, frame),
        };
        if self.keys.iter().all(|k| k.value == first.value) {
            return None;
        }
        let end = first.frame.saturating_add((last.frame - first.frame).saturating_mul(u64::from(ways)));
        if frame < first.frame {
            return Some(first.frame);
        }
        // values that stay come again in turns
        if let (Repeat::Loop(_), true) = (self.repeat, self.keys.iter().all(Key::holds)) {
            let at = first.frame + (frame - first.frame) % (last.frame - first.frame);
            let next = self.keys.iter().map(|k| k.frame).find(|f| *f > at).unwrap_or(last.frame);
            return (ways == 0 || frame < end).then(|| frame.saturating_add(next.saturating_sub(at).max(1)));
        }
        // A repeated track that is not over is asked for at each frame.
        (ways == 0 || frame < end).then(|| frame.saturating_add(1))
    }

    /// The frame within the keyframes that a frame of the show stands for.
    fn fold(&self, frame: u64) -> u64 {
        let (Some(first), Some(last)) = (self.keys.first(), self.keys.last()) else { return frame };
        let (start, length) = (first.frame, last.frame - first.frame);
        if frame <= start || length == 0 {
            return frame;
        }
        let (run, ways) = match self.repeat {
            Repeat::Once => return frame,
            Repeat::Loop(n) | Repeat::PingPong(n) => (frame - start, u64::from(n)),
        };
        let over = ways > 0 && run >= length.saturating_mul(ways);
        match self.repeat {
            Repeat::PingPong(_) => {
                let (way, on) = if over { (ways - 1, length) } else { (run / length, run % length) };
                start + if way % 2 == 0 { on } else { length - on }
            }
            _ if over => last.frame,
            _ => start + run % length,
        }
    }
}

fn value_at<T: Between>(keys: &[Key<T>], frame: u64) -> Option<T> {
    let next = keys.partition_point(|k| k.frame <= frame);
    let Some(before) = next.checked_sub(1).and_then(|i| keys.get(i)) else {
        return keys.first().map(|k| k.value);
    };
    let Some(after) = keys.get(next) else {
        return Some(before.value);
    };
    let t = (frame - before.frame) as f64 / (after.frame - before.frame) as f64;
    Some(before.value.between(after.value, |i| before.each.get(i).unwrap_or(&before.easing).at(t)))
}

fn next_change<T: Between>(keys: &[Key<T>], frame: u64) -> Option<u64> {
    let mut next = keys.partition_point(|k| k.frame <= frame);
    loop {
        let after = keys.get(next)?;
        let Some(before) = next.checked_sub(1).and_then(|i| keys.get(i)) else {
            // Before the first keyframe the value stands still at its value; but steps may jump right there.
            if after.steps() {
                return Some(after.frame);
            }
            next += 1;
            continue;
        };
        if before.value == after.value {
            if after.steps() {
                return Some(after.frame);
            }
            next += 1;
            continue;
        }
        return match before.easing {
            Easing::Hold if before.each.is_empty() => Some(after.frame),
            _ => Some((frame + 1).max(before.frame + 1)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ends, Jump, Shape};
    use proptest::prelude::*;

    fn tracks() -> impl Strategy<Value = Track<f64>> {
        let easing = prop_oneof![
            Just(Easing::Hold),
            Just(Easing::Linear),
            Just(Easing::Bezier([0.42, 0.0, 0.58, 1.0])),
            Just(Easing::Bezier([0.3, -1.0, 0.7, 2.0])),
            Just(Easing::Steps(3, Jump::Both)),
            Just(Easing::Spring(0.3)),
            Just(Easing::Named(Shape::Bounce, Ends::Out)),
        ];
        let repeat =
            prop_oneof![Just(Repeat::Once), (0u32..4).prop_map(Repeat::Loop), (0u32..4).prop_map(Repeat::PingPong)];
        (proptest::collection::vec((1u64..40, 0u32..4, easing), 0..6), repeat).prop_map(|(list, repeat)| {
            let mut at = 0;
            let mut keys = Vec::new();
            for (gap, v, easing) in list {
                at += gap;
                keys.push(Key { frame: at, value: f64::from(v) / 3.0, easing, each: Vec::new() });
            }
            Track { keys, repeat }
        })
    }

    fn ramp(repeat: Repeat) -> Track<f64> {
        let key = |frame, value| Key { frame, value, easing: Easing::Linear, each: Vec::new() };
        Track { keys: vec![key(10, 0.0), key(14, 4.0)], repeat }
    }

    #[test]
    fn loops_and_ways_back() {
        let at =
            |t: &Track<f64>, frames: std::ops::Range<u64>| frames.map(|f| t.at(f).unwrap() as i64).collect::<Vec<_>>();
        assert_eq!(at(&ramp(Repeat::Once), 8..17), [0, 0, 0, 1, 2, 3, 4, 4, 4]);
        assert_eq!(at(&ramp(Repeat::Loop(0)), 8..20), [0, 0, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
        assert_eq!(at(&ramp(Repeat::Loop(2)), 14..20), [0, 1, 2, 3, 4, 4]);
        assert_eq!(at(&ramp(Repeat::PingPong(0)), 10..20), [0, 1, 2, 3, 4, 3, 2, 1, 0, 1]);
        assert_eq!(at(&ramp(Repeat::PingPong(2)), 16..21), [2, 1, 0, 0, 0]);
        assert_eq!(at(&ramp(Repeat::PingPong(3)), 18..24), [0, 1, 2, 3, 4, 4]);
        assert_eq!(ramp(Repeat::PingPong(3)).next_change(22), None);
        assert_eq!(ramp(Repeat::Loop(0)).at(u64::MAX), ramp(Repeat::Loop(0)).at(u64::MAX));
    }
    proptest! {
        /// What `next_change` promises: nothing differs before it.
        #[test]
        fn nothing_changes_before_the_next_change(track in tracks(), start in 0u64..250) {
            let until = track.next_change(start).unwrap_or(start + 300);
            prop_assert!(until > start);
            for f in start..until { prop_assert_eq!(track.at(f), track.at(start), "at {}", f); }
        }
        #[test]
        fn keyframes_are_met_exactly(mut track in tracks()) {
            track.repeat = Repeat::Once;
            for (i, k) in track.keys.iter().enumerate() {
                // steps that jump at their start are the one way to leave a keyframe at once
                if !matches!(k.easing, Easing::Steps(..)) || i + 1 == track.keys.len() {
                    prop_assert_eq!(track.at(k.frame), Some(k.value));
                }
            }
        }
    }
}
