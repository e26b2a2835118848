//! The way from one content of a layer to the next, when a token changes while the layer is seen.

use crate::model::Easing;
use crate::planes::Planes;
use crate::raster::Raster;

/// How a change runs: its frames, and its easing.
type Change = Option<(u64, Easing)>;

/// A way from one content to the next.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// The frame at which it began; `None` when there is none.
    start: Option<u64>,
    /// What a bar shows at its beginning and at its end.
    from: f64,
    to: f64,
    /// What of a bar is drawn.
    pub(crate) drawn: f64,
    /// What a text was drawn as before.
    pub(crate) before: Raster,
    pub(crate) before_planes: Planes,
}

impl Pass {
    /// A text is about to be drawn anew: what is drawn becomes what was, if a viewer has seen it.
    pub(crate) fn leave(&mut self, change: Change, seen: bool, frame: u64, raster: &mut Raster, planes: &mut Planes) {
        self.start = (change.is_some() && seen).then_some(frame);
        if self.start.is_some() {
            std::mem::swap(&mut self.before, raster);
            std::mem::swap(&mut self.before_planes, planes);
        }
    }

    /// A bar has another value: it goes there from what it shows now.
    pub(crate) fn glide(&mut self, change: Change, seen: bool, frame: u64, to: f64) {
        let glides = change.is_some() && seen;
        self.from = if glides { self.part(change, frame) } else { to };
        self.to = to;
        self.start = glides.then_some(frame);
    }

    /// How far the way has come, 0 to 1. The frame of the change has the first step.
    pub(crate) fn progress(&self, change: Change, frame: u64) -> f64 {
        match (self.start, change) {
            (Some(start), Some((frames, easing))) if frame >= start && frame - start < frames => {
                easing.at((frame - start + 1) as f64 / (frames.saturating_add(1)) as f64)
            }
            _ => 1.0,
        }
    }

    /// Whether it is under way.
    pub(crate) fn runs(&self, change: Change, frame: u64) -> bool {
        matches!((self.start, change), (Some(s), Some((frames, _))) if frame >= s && frame - s < frames)
    }

    /// What a bar shows, 0 to 1; a curve may swing over its end, a bar may not.
    pub(crate) fn part(&self, change: Change, frame: u64) -> f64 {
        if !self.runs(change, frame) {
            return self.to;
        }
        (self.from + (self.to - self.from) * self.progress(change, frame)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: Change = Some((4, Easing::Linear));

    #[test]
    fn a_bar_goes_on_from_where_it_is() {
        let mut p = Pass::default();
        p.glide(FOUR, false, 0, 0.5);
        assert_eq!((p.part(FOUR, 0), p.runs(FOUR, 0)), (0.5, false), "the first value is there at once");
        p.glide(FOUR, true, 10, 1.0);
        let shown: Vec<f64> = (10..16).map(|f| (p.part(FOUR, f) * 10.0).round() / 10.0).collect();
        assert_eq!(shown, [0.6, 0.7, 0.8, 0.9, 1.0, 1.0]);
        p.glide(FOUR, true, 12, 0.0);
        assert!((p.part(FOUR, 12) - 0.8 * 0.8).abs() < 1e-9 && p.part(FOUR, 16) == 0.0);
        assert_eq!(p.part(None, 12), 0.0);
    }
}
