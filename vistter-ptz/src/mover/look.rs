//! When a mover looks at its camera's picture, and what it makes of it.

use std::sync::Arc;

use vistter_core::ports::Eye;
use vistter_core::time::MediaTime;

use super::machine::{Machine, MoverPolicy};
use crate::picture::PictureMotion;

/// How often a picture is looked at.
const EVERY: MediaTime = MediaTime::from_millis(100);

/// A camera's eye, open only while a go-to needs it.
pub(super) struct Look {
    eye: Option<Arc<dyn Eye>>,
    motion: PictureMotion,
    open: bool,
    seen: Option<MediaTime>,
    due: MediaTime,
}

impl Look {
    pub(super) fn new(eye: Option<Arc<dyn Eye>>, policy: &MoverPolicy) -> Self {
        let motion = PictureMotion::new(policy.picture);
        Self { eye, motion, open: false, seen: None, due: MediaTime::ZERO }
    }

    /// Opens and closes the eye as the machine needs it.
    pub(super) fn follow(&mut self, now: MediaTime, machine: &Machine) {
        let Some(eye) = &self.eye else { return };
        let wants = machine.wants_picture(now);
        if wants == self.open {
            return;
        }
        self.open = wants;
        eye.open(wants);
        if wants {
            self.motion.begin();
            // What the slot holds from before may be old.
            self.seen = eye.look(None).map(|g| g.at);
            self.due = now + EVERY;
        } else {
            self.motion.stands();
        }
    }
    /// When to look next.
    pub(super) fn deadline(&self) -> Option<MediaTime> {
        self.open.then_some(self.due)
    }
    /// Looks, if it is time. Whether the picture moves, if there was a new one and something to compare it with.
    pub(super) fn look(&mut self, now: MediaTime) -> Option<bool> {
        let eye = self.eye.as_ref().filter(|_| self.open && now >= self.due)?;
        self.due = now + EVERY;
        let glimpse = eye.look(self.seen)?;
        self.seen = Some(glimpse.at);
        self.motion.picture(glimpse)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        if let Some(eye) = self.eye.as_ref().filter(|_| self.open) {
            eye.open(false);
        }
    }
}
