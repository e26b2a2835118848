//! A scene of a document, frame by frame over a plain background.

use std::collections::BTreeMap;
use std::sync::Arc;

use vistter::ocl::{Faults, OclOverlay, Opening, model::Color};
use vistter_core::clock::{Clock, SystemClock, WallTime};
use vistter_core::diagnose::Diagnostic;
use vistter_core::inset::Insets;
use vistter_core::media::{FrameBuf, FramePool};
use vistter_core::ports::{Canvas, Overlay, OverlayAction, Tick};
use vistter_core::time::FrameRate;
use vistter_core::{Error, ErrorKind, Result};

use crate::cli::ocl::OclSceneArgs;

/// A document as its arguments ask for it.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn open(args: &OclSceneArgs) -> Result<OclOverlay, Faults> {
    let tokens: BTreeMap<String, String> = args.token.iter().cloned().collect();
    let name = args.file.display().to_string();
    let (scene, wall) = (args.scene.as_deref(), Some(wall(args)));
    let overlay =
        OclOverlay::open_file(&name, &args.file, &Opening { scene, tokens: Some(&tokens), wall, cache: None })?;
    // Every picture of a video is waited for: the same frame is the same picture each time.
    Ok(overlay.with_pictures(Arc::new(Insets::exact())))
}

/// Wall-clock time at the frame at which the scene is shown.
pub(super) fn wall(args: &OclSceneArgs) -> WallTime {
    let given = |s: i64| WallTime::from_unix_nanos(s.saturating_mul(1_000_000_000));
    args.wall.map_or_else(|| SystemClock::new().wall(), given)
}

/// A scene that was shown at frame 0.
pub(super) struct Shown {
    overlay: OclOverlay,
    pool: FramePool,
    background: [u8; 3],
    start: WallTime,
    fps: FrameRate,
    safe_areas: bool,
    pub(super) size: (u32, u32),
    /// What it is still to be told, the next one last.
    told: Vec<(u64, OverlayAction)>,
    /// The next frame to be played; none before something has been told.
    next: Option<u64>,
}

impl Shown {
    /// Makes a scene ready and shows it.
    ///
    /// # Errors
    /// A background that is no colour; a scene that cannot be made ready.
    pub(super) fn new(mut overlay: OclOverlay, args: &OclSceneArgs) -> Result<Self> {
        let (width, height) = args.size.unwrap_or(overlay.document().base);
        let background = Color::parse(&args.background).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("\"{}\" is not a colour", args.background)).next("write #RRGGBB")
        })?;
        overlay.prepare(Canvas { width, height, fps: args.fps })?;
        let start = wall(args);
        let pool = FramePool::new(width, height, 2)?;
        let (fps, safe_areas, size) = (args.fps, args.safe_areas, (width, height));
        let mut told: Vec<_> = args.told.iter().map(|t| (t.at.frames(fps), t.action(fps))).collect();
        // those of one frame in the order in which they were given
        told.sort_by_key(|(frame, _)| *frame);
        told.reverse();
        let mut me =
            Self { overlay, pool, background: yuv(background), start, fps, safe_areas, size, told, next: None };
        let first = me.tick(0);
        me.overlay.apply(first, &OverlayAction::Show)?;
        Ok(me)
    }

    /// What is shown in place of something else, beside what was said when it was opened.
    pub(super) fn notes(&self) -> impl Iterator<Item = &Diagnostic> {
        self.overlay.findings().iter().filter(|d| !d.pointer.starts_with("/assets/"))
    }

    /// The scene at a frame.
    ///
    /// # Errors
    /// As the overlay's.
    pub(super) fn draw(&mut self, frame: u64) -> Result<FrameBuf> {
        self.play_to(frame)?;
        let mut buf = self.pool.take();
        buf.fill(self.background);
        let tick = self.tick(frame);
        self.overlay.compose(tick, &mut buf)?;
        if let Some(e) = self.overlay.trouble() {
            eprintln!("{}: {e}", self.overlay.id());
        }
        if self.safe_areas {
            // EBU R 95: 3.5 % of the picture from each edge for what happens, 5 % for what is written.
            guide(&mut buf, 35);
            guide(&mut buf, 50);
        }
        Ok(buf)
    }

    /// Whether something could be heard of it.
    pub(super) fn has_sound(&self) -> bool {
        self.overlay.has_sound()
    }

    /// Adds what is heard of it at a frame that was drawn, as [`Overlay::sound`] does.
    pub(super) fn sound(&mut self, frame: u64, first: u64, mix: &mut [f32]) -> bool {
        let tick = self.tick(frame);
        self.overlay.sound(tick, first, mix)
    }

    /// Tells it what is due. From the frame before the first action on every frame is played: what changes goes over from
    /// what was seen.
    fn play_to(&mut self, frame: u64) -> Result<()> {
        let due = |me: &Self, at: u64| me.told.last().is_some_and(|(f, _)| *f <= at);
        if self.next.is_none() && due(self, frame) {
            self.next = self.told.last().map(|(f, _)| f.saturating_sub(1));
        }
        while let Some(n) = self.next.filter(|n| *n <= frame) {
            while due(self, n)
                && let Some((_, action)) = self.told.pop()
            {
                self.overlay.apply(self.tick(n), &action)?;
            }
            if n < frame {
                let mut unseen = self.pool.take();
                self.overlay.compose(self.tick(n), &mut unseen)?;
            }
            self.next = Some(n + 1);
        }
        Ok(())
    }

    fn tick(&self, frame: u64) -> Tick {
        Tick { frame, wall: self.start.plus(self.fps.time_of(frame)) }
    }
}

/// BT.709 limited range; a background has no alpha.
fn yuv(c: Color) -> [u8; 3] {
    let [r, g, b] = [0, 1, 2].map(|i| f64::from(c.rgba[i]) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let part = |v: f64, steps: f64, zero: f64| (zero + steps * v).round() as u8;
    [part(y, 219.0, 16.0), part((b - y) / 1.8556, 224.0, 128.0), part((r - y) / 1.5748, 224.0, 128.0)]
}

/// A frame of dashes `permille` thousandths of the picture from its edges.
fn guide(buf: &mut FrameBuf, permille: usize) {
    let [mut luma, _, _] = buf.planes_mut();
    let (w, h) = (luma.width, luma.height);
    let (x, y) = (w * permille / 1000, h * permille / 1000);
    for row in y..h - y {
        let whole = row == y || row == h - y - 1;
        let line = luma.row_mut(row);
        for col in if whole { x..w - x } else { 0..0 } {
            line[col] = if col / 8 % 2 == 0 { 235 } else { 16 };
        }
        for col in [x, w - x - 1] {
            line[col] = if row / 8 % 2 == 0 { 235 } else { 16 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn background_colours() {
        assert_eq!(yuv(Color { rgba: [255, 0, 0, 255] }), [63, 102, 240]);
        assert_eq!(yuv(Color::WHITE), [235, 128, 128]);
    }
    #[test]
    fn guides_stay_inside_the_smallest_picture() {
        let mut buf = FramePool::new(16, 16, 1).unwrap().take();
        guide(&mut buf, 35);
        guide(&mut buf, 50);
    }
}
