//! What overlays are told, and what becomes of it.

use tokio::sync::oneshot;

use super::{EXPECT, MAX_STANDING, Report, Worker};
use crate::ports::{EventKind, Overlay, OverlayAction, OverlayEvent, Tick};
use crate::timeline::Command;

impl Worker {
    /// Makes all changes on this frame, or none when one of them cannot be made.
    pub(super) fn commit(&mut self, frame: u64, list: Vec<(usize, OverlayAction)>) {
        let at = self.at(frame);
        let list = by_overlay(list);
        for (i, action) in &list {
            if let Some(o) = self.p.overlays.get_mut(*i)
                && let Err(error) = o.guarded(|x| x.check(at, action))
            {
                (self.p.report)(Report::OverlayFailed { overlay: o.overlay.id().to_owned(), error });
                return;
            }
        }
        for (i, action) in list {
            // The director must know what is on, so that the plan does not undo it; and it only tells what changes for
            // it, so that an overlay that went off by itself is shown again here.
            if let Some(on) = shows(&action) {
                self.p.director.command(Command::Overlay(i, on));
            }
            self.apply(frame, i, &action);
        }
    }

    /// Tells every overlay what happened.
    pub(super) fn tell(&mut self, frame: u64, event: &OverlayEvent) {
        self.remember(event);
        let action = OverlayAction::Event(event.clone());
        for i in 0..self.p.overlays.len() {
            self.apply(frame, i, &action);
        }
    }

    /// Tells every overlay that a camera has come to a preset or leaves it: by the preset's name, which is left when no
    /// camera stands there any more, and by the camera's and the preset's.
    pub(super) fn tell_preset(&mut self, frame: u64, camera: usize, preset: usize, there: bool) {
        let name = |c: usize, p: usize| self.p.presets.get(c).and_then(|list| list.get(p)).cloned();
        let (Some(id), Some(name)) = (self.p.cameras.get(camera).cloned(), name(camera, preset)) else { return };
        if there {
            self.standing.push((camera, name.clone()));
        } else {
            self.standing.retain(|(c, n)| (*c, n) != (camera, &name));
        }
        let exact = format!("{id}:{name}");
        let other = self.standing.iter().any(|(_, n)| *n == name);
        if there || !other {
            self.tell(frame, &OverlayEvent { on: there, ..OverlayEvent::preset(name) });
        }
        self.tell(frame, &OverlayEvent { on: there, ..OverlayEvent::preset(exact) });
    }

    /// Keeps what holds until it is said otherwise, for an overlay that comes later.
    pub(super) fn remember(&mut self, event: &OverlayEvent) {
        let same = |e: &OverlayEvent| e.kind == event.kind && e.name == event.name;
        match (event.kind, event.on) {
            (EventKind::Marker, _) | (EventKind::Milestone, false) => {}
            (EventKind::Preset, false) => self.told.retain(|e| !same(e)),
            _ if self.told.iter().any(same) || self.told.len() >= MAX_STANDING => {}
            _ => self.told.push(event.clone()),
        }
    }

    /// Puts an overlay in the place of another one: shown if that was, and told what it was told.
    pub(super) fn replace(
        &mut self,
        frame: u64,
        i: usize,
        new: Box<dyn Overlay>,
        back: oneshot::Sender<Box<dyn Overlay>>,
    ) {
        let Some(o) = self.p.overlays.get_mut(i) else { return };
        o.failing = false;
        self.p.shared.forget(new.id());
        let held = o.guarded(|x| Ok(x.told())).unwrap_or_default();
        // Whoever waits for it lets go of it, which may take a while; nobody waits when the show ends.
        drop(back.send(std::mem::replace(&mut o.overlay, new)));
        let at = self.at(frame);
        if let Some(o) = self.p.overlays.get_mut(i) {
            // what the new one does not know, it does not need
            held.iter().for_each(|a| drop(o.guarded(|x| x.apply(at, a))));
        }
        for k in 0..self.told.len() {
            let event = OverlayAction::Event(self.told[k].clone());
            self.apply(frame, i, &event);
        }
        if self.p.director.has_shown(i) {
            self.apply(frame, i, &OverlayAction::Show);
        }
        self.compositor.invalidate();
    }

    pub(super) fn apply(&mut self, frame: u64, overlay: usize, action: &OverlayAction) {
        let at = self.at(frame);
        self.compositor.invalidate();
        if let Some(o) = self.p.overlays.get_mut(overlay)
            && let Err(error) = o.guarded(|x| x.apply(at, action))
        {
            (self.p.report)(Report::OverlayFailed { overlay: o.overlay.id().to_owned(), error });
        }
    }

    /// Tells overlays that the plan shows soon.
    pub(super) fn expect(&mut self, n: u64) {
        let soon = n.saturating_add(crate::ports::frames_in(EXPECT, self.p.canvas.fps).into());
        for (i, o) in self.p.overlays.iter_mut().enumerate() {
            if self.p.director.shows(i, soon) || self.p.director.shows(i, n) {
                let _ = o.guarded(|x| {
                    x.expect();
                    Ok(())
                });
            }
        }
    }

    /// Lets every overlay look at the time, and passes on what it has to tell.
    pub(super) fn attend(&mut self, at: Tick) {
        for o in &mut self.p.overlays {
            match o.guarded(|x| Ok(x.attend(at))) {
                Ok(notes) if notes.is_empty() => continue,
                Ok(notes) => {
                    for note in notes {
                        self.p.shared.note(o.overlay.id(), &note);
                        (self.p.report)(Report::OverlayNote { overlay: o.overlay.id().to_owned(), note });
                    }
                }
                Err(error) => (self.p.report)(Report::OverlayFailed { overlay: o.overlay.id().to_owned(), error }),
            }
            self.compositor.invalidate();
        }
    }
}

/// The changes of one overlay as one, in their order: what it can do may depend on what it has just done.
fn by_overlay(list: Vec<(usize, OverlayAction)>) -> Vec<(usize, OverlayAction)> {
    let mut out: Vec<(usize, OverlayAction)> = Vec::with_capacity(list.len());
    for (i, action) in list {
        match out.iter_mut().find(|(k, _)| *k == i) {
            None => out.push((i, action)),
            Some((_, OverlayAction::Batch(all))) => all.push(action),
            Some((_, first)) => {
                let all = vec![std::mem::replace(first, OverlayAction::Hide), action];
                *first = OverlayAction::Batch(all);
            }
        }
    }
    out
}

/// Whether an overlay is on after a change, if the change says so.
fn shows(action: &OverlayAction) -> Option<bool> {
    match action {
        OverlayAction::Show => Some(true),
        OverlayAction::Hide => Some(false),
        OverlayAction::Batch(all) => all.iter().rev().find_map(shows),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_one_overlay_are_one() {
        use OverlayAction::{Batch, Hide, Next, Show};
        let list = by_overlay(vec![(1, Show), (0, Next), (1, Next), (1, Hide)]);
        assert_eq!(list, [(1, Batch(vec![Show, Next, Hide])), (0, Next)]);
        assert_eq!((shows(&list[0].1), shows(&list[1].1)), (Some(false), None));
    }
}
