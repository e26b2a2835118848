//! What a scene's way in or out does to its picture: a pure function of how far the way has come.

use crate::blend::Clip;
use crate::matte::MatteProgram;
use crate::model::{Easing, Interrupted, Side};
use crate::presence::FULL;

/// A way in or out, in frames.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) style: WayStyle,
    /// 0 is a cut.
    pub(crate) frames: u64,
    pub(crate) easing: Easing,
    pub(crate) interrupted: Interrupted,
}

/// What a way looks like.
#[derive(Clone, Debug)]
pub(crate) enum WayStyle {
    /// A cut too, which has no frame between.
    Fade,
    Wipe(Side),
    Matte(MatteProgram),
    Slide(Side),
    Push(Side),
    Zoom(f64),
    Dip(Dip),
}

/// A colour over the whole picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dip {
    pub(crate) yuv: [u8; 3],
    pub(crate) alpha: u8,
}

/// What of a scene is seen, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    /// 0 to [`FULL`].
    pub(crate) opacity: u16,
    /// The part of the picture it may touch.
    pub(crate) clip: Clip,
    /// How far all of it is moved, in pixels.
    pub(crate) shift: (i64, i64),
    /// How large it is, about the middle of the picture, when that is not 1.
    pub(crate) zoom: Option<f64>,
    /// How far the way's matte has come.
    pub(crate) veil: Option<u16>,
    /// What is below moves by this too.
    pub(crate) push: (i64, i64),
    /// What lies over all of it.
    pub(crate) dip: Option<Dip>,
}

impl Stage {
    /// All of it, as it is.
    pub(crate) fn whole(width: u32, height: u32) -> Self {
        let clip = Clip { x0: 0, y0: 0, x1: i64::from(width), y1: i64::from(height) };
        Self { opacity: FULL, clip, shift: (0, 0), zoom: None, veil: None, push: (0, 0), dip: None }
    }
}

impl Stage {
    /// What both leave: a cue's way inside of its scene's. What is below moves, and what lies over it is, by the inner one
    /// alone, because the outer one does that once for the whole scene.
    pub(crate) fn and(self, inner: Self) -> Self {
        let opacity = u32::from(self.opacity) * u32::from(inner.opacity) / u32::from(FULL);
        let (sx, sy) = self.shift;
        // the inner clip moves with all of it
        let c = inner.clip;
        let moved = Clip { x0: c.x0 + sx, y0: c.y0 + sy, x1: c.x1 + sx, y1: c.y1 + sy };
        Self {
            opacity: opacity as u16,
            clip: self.clip.and(moved),
            shift: (sx + inner.shift.0, sy + inner.shift.1),
            zoom: match (self.zoom, inner.zoom) {
                (Some(a), Some(b)) => Some(a * b),
                (a, b) => a.or(b),
            },
            veil: self.veil.or(inner.veil),
            push: inner.push,
            dip: inner.dip,
        }
    }
}

impl Way {
    /// The stage when the way has come to `level` on a picture of this size.
    pub(crate) fn stage(&self, level: u16, width: u32, height: u32) -> Stage {
        let (w, h) = (i64::from(width), i64::from(height));
        let whole = Stage::whole(width, height);
        // at rest, whatever the style: nothing that a curve rounds may show
        if level == FULL {
            return whole;
        }
        let level = self.eased(level);
        // Edges and shifts are even, so that they fall between chroma samples.
        let part = |length: i64| (length * i64::from(level) / i64::from(FULL)) & !1;
        match &self.style {
            WayStyle::Fade => Stage { opacity: level, ..whole },
            WayStyle::Wipe(side) => {
                let clip = match side {
                    Side::Left => Clip { x1: part(w), ..whole.clip },
                    Side::Right => Clip { x0: w - part(w), ..whole.clip },
                    Side::Top => Clip { y1: part(h), ..whole.clip },
                    Side::Bottom => Clip { y0: h - part(h), ..whole.clip },
                };
                Stage { clip, ..whole }
            }
            WayStyle::Matte(_) => Stage { veil: Some(level), ..whole },
            WayStyle::Slide(side) | WayStyle::Push(side) => {
                let (shift, push) = match side {
                    Side::Left => ((part(w) - w, 0), (part(w), 0)),
                    Side::Right => ((w - part(w), 0), (-part(w), 0)),
                    Side::Top => ((0, part(h) - h), (0, part(h))),
                    Side::Bottom => ((0, h - part(h)), (0, -part(h))),
                };
                match self.style {
                    WayStyle::Push(_) => Stage { shift, push, ..whole },
                    _ => Stage { shift, ..whole },
                }
            }
            WayStyle::Zoom(from) => {
                let part = f64::from(level) / f64::from(FULL);
                Stage { zoom: Some(from + (1.0 - from) * part), ..whole }
            }
            // up to the half the colour rises over what is below, then it sinks with the scene under it
            WayStyle::Dip(dip) => {
                let half = FULL / 2 + 1;
                let there = level >= half;
                let rest = if there { FULL - level } else { level };
                let alpha = (u32::from(dip.alpha) * u32::from(rest) / u32::from(half - 1)).min(255) as u8;
                Stage { opacity: if there { FULL } else { 0 }, dip: Some(Dip { alpha, ..*dip }), ..whole }
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

    fn way(style: WayStyle) -> Way {
        Way { style, frames: 10, easing: Easing::Linear, interrupted: Interrupted::Reverse }
    }
    const HALF: u16 = FULL / 2 + 1;

    #[test]
    fn half_way() {
        let half = |s| way(s).stage(HALF, 100, 60);
        assert_eq!(half(WayStyle::Fade).opacity, HALF);
        let clip = |s| half(WayStyle::Wipe(s)).clip;
        assert_eq!((clip(Side::Left).x0, clip(Side::Left).x1), (0, 50));
        assert_eq!((clip(Side::Right).x0, clip(Side::Right).x1), (50, 100));
        assert_eq!((clip(Side::Top).y1, clip(Side::Bottom).y0), (30, 30));
        let shift = |s| half(WayStyle::Slide(s)).shift;
        assert_eq!(
            (shift(Side::Left), shift(Side::Right), shift(Side::Top), shift(Side::Bottom)),
            ((-50, 0), (50, 0), (0, -30), (0, 30))
        );
        let push = half(WayStyle::Push(Side::Left));
        assert_eq!((push.shift, push.push), ((-50, 0), (50, 0)));
        assert!((half(WayStyle::Zoom(0.5)).zoom.unwrap() - 0.75).abs() < 1e-4);
    }
    #[test]
    fn a_dip_is_all_colour_in_its_middle() {
        let w = way(WayStyle::Dip(Dip { yuv: [16, 128, 128], alpha: 255 }));
        let at = |level| {
            let s = w.stage(level, 100, 60);
            (s.opacity > 0, s.dip.map_or(0, |d| d.alpha))
        };
        assert_eq!(at(FULL / 4), (false, 127));
        assert_eq!((at(HALF - 1), at(HALF)), ((false, 255), (true, 255)));
        assert_eq!(at(FULL - FULL / 4), (true, 127));
        assert_eq!(w.stage(FULL, 100, 60), Stage::whole(100, 60));
    }
    #[test]
    fn at_rest_all_of_it_is_there() {
        for style in [WayStyle::Fade, WayStyle::Wipe(Side::Top), WayStyle::Slide(Side::Right), WayStyle::Zoom(3.0)] {
            let w = Way { easing: Easing::Spring(0.2), ..way(style) };
            assert_eq!(w.stage(FULL, 101, 61), Stage::whole(101, 61));
        }
    }
}
