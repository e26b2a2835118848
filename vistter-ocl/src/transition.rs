//! What a scene's way in or out does to its picture: a pure function of how far the way has come.

use crate::blend::Clip;
use crate::model::{Easing, Side, Style};
use crate::presence::FULL;

/// A way in or out, in frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) style: Style,
    /// 0 is a cut.
    pub(crate) frames: u64,
    pub(crate) easing: Easing,
}

/// What of a scene is seen, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// 0 to [`FULL`].
    pub(crate) opacity: u16,
    /// The part of the picture it may touch.
    pub(crate) clip: Clip,
    /// How far all of it is moved, in pixels.
    pub(crate) shift: (i64, i64),
}

impl Way {
    /// The stage when the way has come to `level` on a picture of this size.
    pub(crate) fn stage(&self, level: u16, width: u32, height: u32) -> Stage {
        let (w, h) = (i64::from(width), i64::from(height));
        let whole = Stage { opacity: FULL, clip: Clip { x0: 0, y0: 0, x1: w, y1: h }, shift: (0, 0) };
        // at rest, whatever the style: nothing that a curve rounds may show
        if level == FULL {
            return whole;
        }
        let level = self.eased(level);
        // Edges and shifts are even, so that they fall between chroma samples.
        let part = |length: i64| (length * i64::from(level) / i64::from(FULL)) & !1;
        match self.style {
            Style::Cut | Style::Fade => Stage { opacity: level, ..whole },
            Style::Wipe(side) => {
                let clip = match side {
                    Side::Left => Clip { x1: part(w), ..whole.clip },
                    Side::Right => Clip { x0: w - part(w), ..whole.clip },
                    Side::Top => Clip { y1: part(h), ..whole.clip },
                    Side::Bottom => Clip { y0: h - part(h), ..whole.clip },
                };
                Stage { clip, ..whole }
            }
            Style::Slide(side) => {
                let shift = match side {
                    Side::Left => (part(w) - w, 0),
                    Side::Right => (w - part(w), 0),
                    Side::Top => (0, part(h) - h),
                    Side::Bottom => (0, h - part(h)),
                };
                Stage { shift, ..whole }
            }
        }
    }

    fn eased(&self, level: u16) -> u16 {
        match self.easing {
            Easing::Linear => level,
            e => {
                (e.at(f64::from(level) / f64::from(FULL)) * f64::from(FULL)).round().clamp(0.0, f64::from(FULL)) as u16
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(style: Style) -> Way {
        Way { style, frames: 10, easing: Easing::Linear }
    }

    #[test]
    fn half_way() {
        let half = |s| way(s).stage(FULL / 2 + 1, 100, 60);
        assert_eq!(half(Style::Fade).opacity, FULL / 2 + 1);
        let clip = |s| half(Style::Wipe(s)).clip;
        assert_eq!((clip(Side::Left).x0, clip(Side::Left).x1), (0, 50));
        assert_eq!((clip(Side::Right).x0, clip(Side::Right).x1), (50, 100));
        assert_eq!((clip(Side::Top).y1, clip(Side::Bottom).y0), (30, 30));
        let shift = |s| half(Style::Slide(s)).shift;
        assert_eq!(
            (shift(Side::Left), shift(Side::Right), shift(Side::Top), shift(Side::Bottom)),
            ((-50, 0), (50, 0), (0, -30), (0, 30))
        );
    }
    #[test]
    fn at_rest_all_of_it_is_there() {
        for style in [Style::Cut, Style::Fade, Style::Wipe(Side::Top), Style::Slide(Side::Right)] {
            let w = Way { easing: Easing::Spring(0.2), ..way(style) };
            assert_eq!(w.stage(FULL, 101, 61), way(Style::Cut).stage(FULL, 101, 61));
        }
    }
}
