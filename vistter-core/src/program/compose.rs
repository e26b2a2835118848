//! One output picture: base, fit, overlays. Redraws only what changed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::NullOverlay;
use crate::config::Fit;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{ColorRange, Frame, FramePool};
use crate::ports::{Canvas, Overlay, Tick};
use crate::program::scale::Scaler;

/// An overlay and its place in the stack.
pub(crate) struct OverlaySlot {
    /// Stacking: higher covers lower.
    pub(crate) layer: i32,
    /// The overlay.
    pub(crate) overlay: Box<dyn Overlay>,
    /// Its `compose` failed last time; said once.
    pub(crate) failing: bool,
}

impl OverlaySlot {
    /// An overlay on a layer.
    pub(crate) fn new(layer: i32, overlay: Box<dyn Overlay>) -> Self {
        Self { layer, overlay, failing: false }
    }
    /// Runs foreign code of an overlay. A panic in it takes this overlay off the air, not the show.
    pub(super) fn guarded<T>(&mut self, work: impl FnOnce(&mut dyn Overlay) -> Result<T>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(|| work(&mut *self.overlay))) {
            Ok(r) => r,
            Err(_) => {
                self.overlay = Box::new(NullOverlay::named(self.overlay.id()));
                Err(Error::new(ErrorKind::Internal, "the overlay panicked and is off the air")
                    .next("report this with the overlay's document"))
            }
        }
    }
}

/// Keeps the last composed picture, so that a repeated base under unchanged overlays costs nothing.
pub(super) struct Compositor {
    pool: FramePool,
    scaler: Scaler,
    last: Option<Last>,
    last_base: Option<Frame>,
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
        Ok(Self {
            pool: FramePool::new(canvas.width, canvas.height, 4)?,
            scaler: Scaler::default(),
            last: None,
            last_base: None,
        })
    }

    /// Overlays were shown, hidden, added or given new data.
    pub(super) fn invalidate(&mut self) {
        self.last = None;
    }

    /// The base of the last composed picture.
    pub(super) fn last_base(&self) -> Option<Frame> {
        self.last_base.clone()
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
        self.last_base = Some(base.clone());
        let mut any = false;
        for o in overlays.iter_mut() {
            any |= o.guarded(|x| Ok(x.is_visible(at))).unwrap_or(false);
        }
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
            let drawn = o.guarded(|x| if x.is_visible(at) { x.compose(at, &mut buf) } else { Ok(()) });
            let was_failing = std::mem::replace(&mut o.failing, drawn.is_err());
            if let Err(e) = drawn
                && !was_failing
            {
                failed(o.overlay.id(), e);
            }
            if let Ok(Some(e)) = o.guarded(|x| Ok(x.trouble())) {
                failed(o.overlay.id(), e);
            }
            // A hidden one may come on by itself as well.
            if let Ok(Some(n)) = o.guarded(|x| Ok(x.is_static_until(at))) {
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
        let mut o = vec![OverlaySlot::new(0, Box::new(Steps(0)))];
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
    /// Panics when it is drawn.
    struct Bomb;
    impl Overlay for Bomb {
        fn id(&self) -> &str {
            "bomb"
        }
        fn prepare(&mut self, _: Canvas) -> Result<()> {
            Ok(())
        }
        fn apply(&mut self, _: Tick, _: &OverlayAction) -> Result<()> {
            Ok(())
        }
        fn is_static_until(&self, _: Tick) -> Option<u64> {
            None
        }
        fn compose(&mut self, _: Tick, _: &mut FrameBuf) -> Result<()> {
            panic!("on purpose")
        }
    }

    #[test]
    fn an_overlay_that_panics_leaves_the_air_and_says_so_once() {
        let canvas = Canvas { width: 16, height: 16, fps: FrameRate::FPS_30 };
        let mut c = Compositor::new(canvas).unwrap();
        let base = FramePool::new(16, 16, 1).unwrap().take().freeze();
        let mut o = vec![OverlaySlot::new(0, Box::new(Bomb))];
        let mut said = Vec::new();
        for frame in 0..3 {
            let at = Tick { frame, wall: WallTime::default() };
            c.compose(at, &base, Fit::Letterbox, &mut o, &[0], |id, _| said.push(id.to_owned())).unwrap();
        }
        assert_eq!(
            (said, o[0].overlay.is_visible(Tick { frame: 3, wall: WallTime::default() })),
            (vec!["bomb".to_owned()], false)
        );
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
