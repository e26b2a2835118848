//! One output picture: base, fit, overlays. Redraws only what changed.

use crate::config::Fit;
use crate::error::Result;
use crate::media::{ColorRange, Frame, FramePool};
use crate::ports::{Canvas, Overlay, Tick};
use crate::program::scale::Scaler;

/// An overlay and its place in the stack.
pub(crate) struct OverlaySlot {
    /// Stacking: higher covers lower.
    pub(crate) layer: i32,
    /// The overlay.
    pub(crate) overlay: Box<dyn Overlay>,
}

/// Keeps the last composed picture, so that a repeated base under unchanged overlays costs nothing.
pub(super) struct Compositor {
    pool: FramePool,
    scaler: Scaler,
    last: Option<Last>,
}

struct Last {
    base: Frame,
    picture: Frame,
    /// First frame at which an overlay on it may look different; `None` = never.
    changes_at: Option<u64>,
    /// No overlay was on it.
    bare: bool,
}

impl Compositor {
    pub(super) fn new(canvas: Canvas) -> Result<Self> {
        // One being encoded, one kept, one being looked at.
        Ok(Self { pool: FramePool::new(canvas.width, canvas.height, 4)?, scaler: Scaler::default(), last: None })
    }

    /// Overlays were shown, hidden, added or given new data.
    pub(super) fn invalidate(&mut self) {
        self.last = None;
    }

    /// The base of the last composed picture.
    pub(super) fn last_base(&self) -> Option<Frame> {
        self.last.as_ref().map(|l| l.base.clone())
    }

    /// `order` are indices into `overlays`, bottom first.
    pub(super) fn compose(
        &mut self,
        at: Tick,
        base: &Frame,
        fit: Fit,
        overlays: &mut [OverlaySlot],
        order: &[usize],
        mut failed: impl FnMut(&str, crate::Error),
    ) -> Result<Frame> {
        let visible = |o: &OverlaySlot| o.overlay.is_visible(at);
        let any = overlays.iter().any(visible);
        if let Some(l) = &self.last
            && l.base.same(base)
            && l.changes_at.is_none_or(|c| at.frame < c)
            && l.bare != any
        {
            return Ok(l.picture.clone());
        }
        let ready = base.size() == self.pool.size() && base.range() == ColorRange::Limited;
        if ready && !any {
            return Ok(base.clone());
        }
        let mut buf = self.pool.take();
        self.scaler.draw(base, &mut buf, fit)?;
        let mut changes_at: Option<u64> = None;
        for i in order {
            let o = &mut overlays[*i];
            if o.overlay.is_visible(at)
                && let Err(e) = o.overlay.compose(at, &mut buf)
            {
                failed(o.overlay.id(), e);
            }
            // A hidden one may come on by itself as well.
            if let Some(n) = o.overlay.is_static_until(at) {
                changes_at = Some(changes_at.map_or(n, |c| c.min(n)));
            }
        }
        let picture = buf.freeze();
        self.last = Some(Last { base: base.clone(), picture: picture.clone(), changes_at, bare: !any });
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::WallTime;
    use crate::media::FrameBuf;
    use crate::ports::OverlayAction;
    use crate::time::FrameRate;

    /// Paints the frame index of its last change.
    struct Steps(u64);
    impl Overlay for Steps {
        fn id(&self) -> &str {
            "steps"
        }
        fn prepare(&mut self, _: Canvas) -> Result<()> {
            Ok(())
        }
        fn apply(&mut self, _: Tick, _: &OverlayAction) -> Result<()> {
            Ok(())
        }
        fn is_static_until(&self, at: Tick) -> Option<u64> {
            Some(at.frame / 10 * 10 + 10)
        }
        fn compose(&mut self, at: Tick, target: &mut FrameBuf) -> Result<()> {
            self.0 += 1;
            target.planes_mut()[0].row_mut(0)[0] = (at.frame / 10) as u8;
            Ok(())
        }
    }

    #[test]
    fn an_unchanged_picture_is_drawn_once() {
        let canvas = Canvas { width: 16, height: 16, fps: FrameRate::FPS_30 };
        let mut c = Compositor::new(canvas).unwrap();
        let base = FramePool::new(16, 16, 1).unwrap().take().freeze();
        let mut o = vec![OverlaySlot { layer: 0, overlay: Box::new(Steps(0)) }];
        let mut drawn: Vec<Frame> = Vec::new();
        for n in 0..30 {
            let f = c
                .compose(Tick { frame: n, wall: WallTime::default() }, &base, Fit::Letterbox, &mut o, &[0], |_, e| {
                    panic!("{e}")
                })
                .unwrap();
            assert_eq!(u64::from(f.plane(0).row(0)[0]), n / 10);
            if !drawn.last().is_some_and(|l| l.same(&f)) {
                drawn.push(f);
            }
        }
        assert_eq!(drawn.len(), 3);
    }
    #[test]
    fn a_bare_picture_of_the_right_size_is_not_copied() {
        let canvas = Canvas { width: 16, height: 16, fps: FrameRate::FPS_30 };
        let mut c = Compositor::new(canvas).unwrap();
        let base = FramePool::new(16, 16, 1).unwrap().take().freeze();
        let t = Tick { frame: 0, wall: WallTime::default() };
        let f = c.compose(t, &base, Fit::Letterbox, &mut [], &[], |_, _| ()).unwrap();
        assert!(f.same(&base));
    }
}
