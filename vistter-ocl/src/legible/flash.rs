//! How often something flashes: WCAG 2.2, 2.3.1 (three flashes in any second, a part of the picture that is not small),
//! which is stricter than ITU-R BT.1702 in the part of the picture, and like it in the number.

use vistter_core::time::FrameRate;

use super::contrast::{Room, luminance};
use crate::compile::track;
use crate::model::{Color, Content, Fill, Layer};
use crate::track::Track;

/// Flashes in a second that may be.
pub(super) const MOST: usize = 3;
/// A change of luminance by this much, and back, is a flash, if the darker of the two is below [`BRIGHT`].
const STEP: f64 = 0.1;
const BRIGHT: f64 = 0.8;
/// What is smaller than this part of the picture may flash: a quarter of ten degrees of sight, which WCAG 2.2 takes as
/// 341 by 256 pixels of 1024 by 768.
pub(super) const AREA: f64 = 0.25 * 341.0 * 256.0 / (1024.0 * 768.0);
/// Seconds of a scene that are looked at.
pub(super) const LOOKED_AT: u64 = 60;

/// The part of the canvas that a layer may cover.
pub(super) fn area(l: &Layer, room: Room) -> f64 {
    let all = room.w * room.h;
    let grown = l.automation.scale.keys.iter().map(|k| k.value).chain([l.look.scale]);
    let times = grown.map(|[x, y]| (x * y).abs()).fold(0.0, f64::max);
    let share = |part: Option<f64>, own: Option<f64>, side: f64| part.map_or(own.unwrap_or(side), |p| p * side);
    let (w, h) = match &l.content {
        Content::Rect { width, height, .. }
        | Content::Ellipse { width, height, .. }
        | Content::Progress { width, height, .. } => {
            let moved = l.automation.size.keys.iter().map(|k| k.value);
            let most = moved.fold([*width, *height], |a, b| [a[0].max(b[0]), a[1].max(b[1])]);
            (Some(most[0]), Some(most[1]))
        }
        Content::Image { width, height, .. } => (*width, *height),
        Content::Video(v) => (v.width, v.height),
        Content::Camera(c) => (Some(c.width), Some(c.height)),
        Content::Group(g) => {
            if g.background.is_none() && g.layout.is_none() {
                let inner = room.of(l);
                let parts = g.layers.iter().map(|l| area(l, inner) * inner.w * inner.h);
                return (parts.sum::<f64>() * times / all).min(1.0);
            }
            (g.size[0], g.size[1])
        }
        // letters cover a small part of their box
        Content::Text { style, width, background, .. } => {
            let part = if background.is_some() { 1.2 } else { 0.3 };
            (Some(width.unwrap_or(room.w / 2.0)), Some(style.size * part))
        }
        Content::Ticker { style, width, .. } => (Some(*width), Some(style.size * 0.3)),
        Content::Gauge(g) => (Some(g.size), Some(g.size)),
        Content::Qr(q) => (Some(q.size), Some(q.size)),
        #[allow(unreachable_patterns, reason = "types of layers that are added are as large as what they stand in")]
        _ => (None, None),
    };
    let (w, h) = (share(l.relative.width, w, room.w), share(l.relative.height, h, room.h));
    (w * h * times / all).min(1.0)
}

/// The most flashes in any second of a layer; `veils` says how much of it is seen.
pub(super) fn of_layer(l: &Layer, veils: &[Track<f64>], rate: FrameRate) -> usize {
    let color = track(&l.automation.color, rate, |c| *c);
    let ends = veils.iter().map(|t| (t.keys.len(), t.repeat)).chain([(color.keys.len(), color.repeat)]);
    // four flashes need more than a few keyframes, unless they come again
    if ends.clone().all(|(n, repeat)| n < 4 && repeat == crate::model::Repeat::Once) {
        return 0;
    }
    let fixed = match &l.content {
        Content::Rect { fill, .. } | Content::Ellipse { fill, .. } => match fill {
            Fill::Color(c) => *c,
            Fill::Gradient { stops, .. } => stops.first().map_or(Color::WHITE, |(_, c)| *c),
        },
        Content::Text { style, .. } | Content::Ticker { style, .. } => style.color,
        // a picture may be anything
        _ => Color::WHITE,
    };
    let second = u64::from(rate.num().div_ceil(rate.den().max(1)));
    let last = LOOKED_AT * second;
    // over a black picture and over a white one
    [0.0, 1.0]
        .map(|below| {
            let light = |f: u64| {
                let c = color.at(f).unwrap_or(fixed);
                let seen = veils.iter().map(|t| t.at(f).unwrap_or(1.0)).product::<f64>() * l.opacity_where(veils);
                let alpha = seen * f64::from(c.rgba[3]) / 255.0;
                luminance(c) * alpha + below * (1.0 - alpha)
            };
            most((0..=last).map(|f| (f, light(f))), second)
        })
        .into_iter()
        .max()
        .unwrap_or(0)
}

impl Layer {
    /// The fixed opacity, when no keyframes take its place: the last of `veils` is the layer's own.
    fn opacity_where(&self, veils: &[Track<f64>]) -> f64 {
        if veils.last().is_some_and(|t| !t.keys.is_empty()) { 1.0 } else { self.opacity }
    }
}

/// The most flashes in any second: pairs of changes there and back.
fn most(light: impl Iterator<Item = (u64, f64)>, second: u64) -> usize {
    let (mut turn, mut rising): (Option<f64>, Option<bool>) = (None, None);
    let mut at: Vec<u64> = Vec::new();
    for (f, v) in light {
        let Some(t) = turn else {
            turn = Some(v);
            continue;
        };
        match rising {
            Some(true) if v > t => turn = Some(v),
            Some(false) if v < t => turn = Some(v),
            _ if (v - t).abs() >= STEP && v.min(t) < BRIGHT => {
                rising = Some(v > t);
                turn = Some(v);
                at.push(f);
            }
            _ => {}
        }
    }
    within(&at, second) / 2
}

/// The most of these frames, which rise, in any second.
fn within(at: &[u64], second: u64) -> usize {
    let until = |i: usize, f: &u64| at.partition_point(|g| *g < f + second) - i;
    at.iter().enumerate().map(|(i, f)| until(i, f)).max().unwrap_or(0)
}

/// The most flashes in any second of cues that come and go; each with its first frame and the one after its last.
pub(super) fn of_cues(mut on: Vec<(u64, u64)>, rate: FrameRate) -> usize {
    on.sort_unstable();
    let mut at = Vec::new();
    let mut dark = None;
    for (start, end) in on {
        match dark {
            // one takes the place of the other
            Some(d) if d >= start => drop(at.pop()),
            _ => at.push(start),
        }
        let end = dark.unwrap_or(0).max(end);
        at.push(end);
        dark = Some(end);
    }
    within(&at, u64::from(rate.num().div_ceil(rate.den().max(1)))) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_changes_are_counted() {
        let blink = |half: u64, low: f64, high: f64| {
            most((0..120).map(|f| (f, if (f / half).is_multiple_of(2) { low } else { high })), 30)
        };
        assert_eq!(blink(1, 0.0, 1.0), 15);
        assert_eq!(blink(5, 0.0, 1.0), 3, "three a second may be");
        assert_eq!(blink(3, 0.0, 1.0), 5);
        assert_eq!(blink(3, 0.5, 0.55), 0, "too weak");
        assert_eq!(blink(3, 0.85, 1.0), 0, "too bright to matter");
        assert_eq!(most((0..120).map(|f| (f, f as f64 / 120.0)), 30), 0, "one way is no flash");
    }
    #[test]
    fn cues_that_follow_each_other_do_not_flash() {
        let of = |gap: u64| of_cues((0..20).map(|i| (i * 4, i * 4 + 4 - gap)).collect(), FrameRate::FPS_30);
        assert_eq!(of(0), 0);
        assert!(of(2) > MOST, "{}", of(2));
        assert_eq!(of_cues(Vec::new(), FrameRate::FPS_30), 0);
        assert_eq!(
            of_cues(vec![(0, 100), (2, 4), (6, 8)], FrameRate::FPS_30),
            0,
            "the first one is there all the time"
        );
    }
}
