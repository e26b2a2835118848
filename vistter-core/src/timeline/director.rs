//! Who decides what viewers see. A state machine: one call per output frame, no clock, no I/O.
//!
//! The rule book, in this order:
//! 1. The wish: an operator's slate or pinned camera, else the plan's camera for this frame.
//! 2. A wish whose decoder keeps up goes on air, on exactly this frame. One that is still catching up would show old
//!    pictures and then race to the present.
//! 3. A camera on air that stops giving pictures is held on its last picture for [`Rules::hold`] frames.
//! 4. A wish that is not ready yet leaves the camera before it on air for [`Rules::wait`] frames, or for as long as its
//!    decoder may need to catch up with a long GOP.
//! 5. Then the backup camera, if it has pictures; then the slate.
//! 6. A camera that failed comes back only after it has given pictures for [`Rules::stable`] frames. (It can give
//!    pictures only from an IDR on: decoders start nowhere else.)
//!
//! Cameras that are moved from preset to preset:
//! 1. Whoever is off air is sent to the preset of its next shot as soon as it is off air; whoever is on air is not moved.
//! 2. A planned shot whose camera is still on its way waits, as rule 4 does, for as long as the shot says
//!    ([`Late`]); then it goes on air though it moves, or the backup stands in.
//! 3. Two presets of one camera in a row: it is moved on air, and viewers see the backup meanwhile, or its last picture, or the
//!    motion, as the shot says ([`SameCamera`]).
//! 4. A head that fails keeps nobody waiting: the shot plays as the camera stands. It is tried again after [`Rules::retry`].
//! 5. A camera that an operator drives is neither moved nor waited for; one that an operator puts on air goes on air at once.

use super::heads::Heads;
use super::plan::{PlannedShot, Schedule};
use super::words::{CameraState, Cause, Command, Decision, Effect, JournalEntry, Rules, View};
use crate::config::{Late, SameCamera};

/// What a planned shot still needs of its camera's head.
#[derive(Clone, Copy, Debug)]
struct Gate {
    settled: bool,
    /// Not settled, and to be waited for.
    wait: bool,
    /// What stands in when it is not waited for any more.
    stand_in: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Auto,
    Pinned(usize),
    Slate,
}

/// Cuts looked at ahead of time, at most.
const LOOK_AHEAD: usize = 64;

/// Decides what is on air, frame by frame.
#[derive(Debug)]
pub struct Director {
    schedule: Schedule,
    rules: Rules,
    mode: Mode,
    mode_changed: bool,
    view: View,
    started: bool,
    /// What should be on air.
    wish: View,
    /// Frames since this wish was last shown as wished, or since it was made.
    missing: u32,
    /// Frames since the camera on air last had a picture.
    gap: u32,
    /// Consecutive live frames per camera.
    live_for: Vec<u32>,
    /// Cameras whose picture of this frame is there.
    ready: Vec<bool>,
    /// Cameras that failed on air and have to be stable before they return.
    suspect: Vec<bool>,
    heads: Heads,
    /// When the planned shot began that was wished for last.
    shot: Option<u64>,
    /// The picture stands still until this frame at the latest.
    frozen: Option<u64>,
    /// What is wished for was kept off the air by its head.
    held_up: bool,
    overlays: Vec<OverlayState>,
    wanted: Vec<bool>,
    /// The frame up to which the timeline's acts are done, and that not.
    acted: u64,
    ended: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct OverlayState {
    on: bool,
    forced: Option<bool>,
}

impl Director {
    /// A director for a schedule of so many cameras and overlays.
    pub fn new(schedule: Schedule, cameras: usize, overlays: usize, rules: Rules) -> Self {
        Self {
            schedule,
            rules,
            mode: Mode::Auto,
            mode_changed: false,
            view: View::Slate,
            started: false,
            wish: View::Slate,
            missing: 0,
            gap: 0,
            live_for: vec![0; cameras],
            ready: vec![false; cameras],
            suspect: vec![false; cameras],
            heads: Heads::new(cameras, rules.retry),
            shot: None,
            frozen: None,
            held_up: false,
            overlays: vec![OverlayState::default(); overlays],
            wanted: vec![false; cameras],
            acted: 0,
            ended: false,
        }
    }

    /// Whether an overlay is on, as far as the director has said.
    pub fn has_shown(&self, overlay: usize) -> bool {
        self.overlays.get(overlay).is_some_and(|o| o.on)
    }

    /// Takes a command; it acts on the next frame. Unknown indices are ignored.
    pub fn command(&mut self, c: Command) {
        match c {
            Command::Pin(i) if i < self.live_for.len() => self.set_mode(Mode::Pinned(i)),
            Command::Slate => self.set_mode(Mode::Slate),
            Command::Auto => self.set_mode(Mode::Auto),
            Command::Overlay(i, on) => {
                if let Some(o) = self.overlays.get_mut(i) {
                    o.forced = Some(on);
                }
            }
            Command::OverlayAuto(i) => {
                if let Some(o) = self.overlays.get_mut(i) {
                    o.forced = None;
                }
            }
            Command::Pin(_) => {}
        }
    }

    fn set_mode(&mut self, m: Mode) {
        if self.mode != m {
            self.mode = m;
            self.mode_changed = true;
        }
    }

    /// Decides output frame `n`. Frames may be skipped forward, never back. `cameras` has one state per camera.
    pub fn tick(&mut self, n: u64, cameras: &[CameraState], out: &mut dyn FnMut(Effect)) -> Decision {
        for (i, c) in cameras.iter().enumerate().take(self.live_for.len()) {
            self.live_for[i] = if c.live { self.live_for[i].saturating_add(1) } else { 0 };
            self.ready[i] = c.live && c.ready;
            if self.suspect[i] && self.live_for[i] >= self.rules.stable {
                self.suspect[i] = false;
            }
        }
        self.gap = match self.view {
            View::Camera(i) if !self.live(i) => self.gap.saturating_add(1),
            _ => 0,
        };
        self.heads.see(n, cameras);
        let shot = if self.mode == Mode::Auto { self.schedule.shot_at(n) } else { None };
        let wish = match self.mode {
            Mode::Pinned(i) => View::Camera(i),
            Mode::Slate => View::Slate,
            Mode::Auto => shot.map_or(View::Slate, |s| View::Camera(s.camera)),
        };
        if wish != self.wish {
            self.wish = wish;
            self.missing = 0;
            self.held_up = false;
        }
        // A failure counts for the shot it happened in: off air a camera is not decoded, and cannot prove itself.
        for (i, s) in self.suspect.iter_mut().enumerate() {
            *s &= wish == View::Camera(i);
        }
        let lead = match wish {
            View::Camera(i) => cameras.get(i).map_or(0, |c| c.lead),
            View::Slate => 0,
        };
        let gate = self.gate(shot, cameras);
        let change = self.change_on_air(n, shot, cameras, gate);
        let leave = change.filter(|_| !gate.settled).and_then(|c| self.leave_for(c, wish));
        let mut decision = match leave {
            Some(backup) => Decision { view: View::Camera(backup), held: false, frozen: false },
            None => self.choose(wish, lead, gate),
        };
        let live_again = self.freeze(n, change, leave, shot, gate, &mut decision);
        if decision.view != self.view || !self.started || live_again {
            let cause = match () {
                () if !self.started => Cause::Start,
                () if decision.view != wish && (leave.is_some() || gate.stand_in.is_some()) => Cause::Moving,
                () if decision.view != wish => Cause::Fallback,
                () if self.mode_changed => Cause::Command,
                () if self.held_up => Cause::Late,
                () if self.missing > 0 => Cause::Return,
                () => Cause::Planned,
            };
            self.view = decision.view;
            self.started = true;
            let moved = match (change, leave) {
                (Some(_), None) => self.view,
                _ => View::Slate,
            };
            self.move_heads(n, moved, cameras, out);
            let (preset, moving) = match self.view {
                View::Camera(i) => self.heads.place(i),
                View::Slate => (None, false),
            };
            out(Effect::OnAir(JournalEntry { frame: n, view: self.view, cause, preset, moving }));
        } else {
            let moved = if change.is_some() { self.view } else { View::Slate };
            self.move_heads(n, moved, cameras, out);
        }
        self.heads.news(&mut |camera, preset, there| out(Effect::AtPreset { camera, preset, there }));
        if decision.view == wish && !decision.held {
            self.missing = 0;
            self.mode_changed = false;
            self.held_up = decision.frozen;
        } else {
            self.missing = self.missing.saturating_add(1);
            self.held_up |= leave.is_some() || gate.wait;
        }
        self.want(n, wish, cameras);
        for (i, o) in self.overlays.iter_mut().enumerate() {
            let on = o.forced.unwrap_or_else(|| self.schedule.overlay_on(i, n));
            if on != o.on {
                o.on = on;
                out(Effect::Overlay { overlay: i, on });
            }
        }
        self.schedule.due(self.acted, n, &mut |i| out(Effect::Act(i)));
        self.acted = n.saturating_add(1);
        // With the frame that is being made, the show has its length.
        if !self.ended && self.schedule.stop_after().is_some_and(|end| n.saturating_add(1) >= end) {
            self.ended = true;
            out(Effect::End);
        }
        decision
    }

    /// The plan it follows.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    fn live(&self, i: usize) -> bool {
        self.live_for.get(i).is_some_and(|n| *n > 0)
    }

    fn has_picture(&self) -> bool {
        match self.view {
            View::Camera(i) => self.live(i),
            View::Slate => self.started,
        }
    }

    /// Whether what is on air may stay there until the wish is ready, for as long as that may take.
    fn can_stay(&self, lead: u32) -> bool {
        self.has_picture() && self.missing < self.rules.wait.max(lead)
    }

    /// Sends cameras that are off air, and `moved`, to the presets of their next shots.
    fn move_heads(&mut self, n: u64, moved: View, cameras: &[CameraState], out: &mut dyn FnMut(Effect)) {
        for (camera, state) in cameras.iter().enumerate() {
            let here = View::Camera(camera);
            let on_air = self.started && self.view == here && moved != here;
            if on_air || state.head.is_none_or(|h| h.operator) {
                continue;
            }
            if let Some(preset) = self.schedule.next_use(camera, n).and_then(|s| s.preset)
                && self.heads.needs(n, camera, preset)
            {
                let order = self.heads.order(camera, preset);
                out(Effect::Move { camera, preset, order });
            }
        }
    }

    /// Before the first frame: sends the cameras to the presets of their first shots. Whether the first shot may begin.
    pub fn prepare(&mut self, cameras: &[CameraState], out: &mut dyn FnMut(Effect)) -> bool {
        self.heads.see(0, cameras);
        self.move_heads(0, View::Slate, cameras, out);
        let first = if self.mode == Mode::Auto { self.schedule.shot_at(0) } else { None };
        self.gate(first, cameras).settled
    }

    fn gate(&self, shot: Option<PlannedShot>, cameras: &[CameraState]) -> Gate {
        let Some((s, preset)) = shot.and_then(|s| Some((s, s.preset?))) else {
            return Gate { settled: true, wait: false, stand_in: None };
        };
        let head = cameras.get(s.camera).and_then(|c| c.head);
        let settled = self.heads.is_settled(s.camera, preset, head);
        let backup = self.schedule.backup().filter(|b| *b != s.camera && self.live(*b));
        Gate {
            settled,
            wait: !settled && s.late != Late::Cut && self.missing < s.wait,
            stand_in: backup.filter(|_| !settled && s.late == Late::Backup),
        }
    }

    /// A shot that begins now on the camera that is on air, at another preset.
    fn change_on_air(
        &mut self,
        n: u64,
        shot: Option<PlannedShot>,
        cameras: &[CameraState],
        gate: Gate,
    ) -> Option<PlannedShot> {
        let began = shot.and_then(|_| self.schedule.began(n));
        if std::mem::replace(&mut self.shot, began) == began {
            return None;
        }
        let s = shot.filter(|s| self.started && self.view == View::Camera(s.camera))?;
        let head = cameras.get(s.camera)?.head?;
        (!head.operator && (!gate.settled || self.heads.needs(n, s.camera, s.preset?))).then_some(s)
    }

    /// The camera that viewers see while another one is moved, if that is the shot's way.
    fn leave_for(&self, change: PlannedShot, wish: View) -> Option<usize> {
        let backup = self.schedule.backup().filter(|b| View::Camera(*b) != wish && self.live(*b));
        backup.filter(|_| change.same_camera == SameCamera::Away)
    }

    /// Begins and ends the standing picture. True when a camera that was moved on air is shown live from this frame on.
    fn freeze(
        &mut self,
        n: u64,
        change: Option<PlannedShot>,
        leave: Option<usize>,
        shot: Option<PlannedShot>,
        gate: Gate,
        decision: &mut Decision,
    ) -> bool {
        let stays = decision.view == self.view && shot.is_some_and(|s| decision.view == View::Camera(s.camera));
        if let (Some(c), None, true, false) = (change, leave, stays, gate.settled) {
            if c.same_camera == SameCamera::Move {
                self.frozen = None;
                return true;
            }
            self.frozen = Some(n.saturating_add(u64::from(c.wait)));
            decision.frozen = true;
            return false;
        }
        match self.frozen {
            None => false,
            Some(until) if stays && !gate.settled && n < until => {
                decision.frozen = true;
                false
            }
            Some(_) => {
                self.frozen = None;
                stays
            }
        }
    }

    /// `lead`: how long the wished camera's decoder may take to catch up, in frames.
    fn choose(&mut self, wish: View, lead: u32, gate: Gate) -> Decision {
        let show = |view| Decision { view, held: false, frozen: false };
        let hold = |view| Decision { view, held: true, frozen: false };
        let View::Camera(wished) = wish else { return show(View::Slate) };
        // On air already: a short gap is held, not switched away from.
        if self.view == wish && self.started {
            if self.live(wished) {
                return show(wish);
            }
            if self.missing < self.rules.hold {
                return hold(wish);
            }
            self.suspect[wished] = true;
        } else if self.live(wished) && !self.suspect[wished] {
            if self.has_picture() && gate.wait {
                return show(self.view);
            }
            if self.ready[wished] || !self.can_stay(lead) {
                return show(gate.stand_in.map_or(wish, View::Camera));
            }
        }
        // The slate needs no camera to stay.
        if self.view == View::Slate && self.started && self.live(wished) && !self.suspect[wished] {
            return show(View::Slate);
        }
        // Not ready: what was on air stays for a moment, if it is itself a camera with pictures.
        if let View::Camera(before) = self.view
            && before != wished
            && self.can_stay(lead)
        {
            return show(self.view);
        }
        match self.schedule.backup() {
            Some(b) if b != wished && self.live(b) => show(View::Camera(b)),
            // The backup's own short gaps are held too.
            Some(b) if b != wished && self.view == View::Camera(b) && self.gap <= self.rules.hold => hold(self.view),
            _ => show(View::Slate),
        }
    }

    fn want(&mut self, n: u64, wish: View, cameras: &[CameraState]) {
        self.wanted.fill(false);
        let mut mark = |v: View| {
            if let View::Camera(i) = v
                && let Some(w) = self.wanted.get_mut(i)
            {
                *w = true;
            }
        };
        mark(wish);
        mark(self.view);
        if self.mode == Mode::Auto {
            // Shots may be shorter than a decoder's lead: look past the next one.
            let farthest = u64::from(cameras.iter().map(|c| c.lead).max().unwrap_or(0));
            let mut from = n;
            for _ in 0..LOOK_AHEAD {
                let Some((at, camera)) = self.schedule.next_cut(from).filter(|(at, _)| at - n <= farthest) else {
                    break;
                };
                if at - n <= u64::from(cameras.get(camera).map_or(0, |c| c.lead)) {
                    mark(View::Camera(camera));
                }
                from = at;
            }
        }
        // Viewers will see the backup while a camera is moved on air.
        if self.mode == Mode::Auto
            && let Some(b) = self.schedule.backup()
            && let Some((at, next)) = self.schedule.next_shot(n)
            && next.same_camera == SameCamera::Away
            && View::Camera(next.camera) == wish
            && next.preset.is_some_and(|p| self.heads.needs(n, next.camera, p))
            && at - n <= u64::from(cameras.get(b).map_or(0, |c| c.lead))
        {
            mark(View::Camera(b));
        }
        // A wish without pictures: the backup has to be ready before it is needed.
        if self.missing > 0
            && let Some(b) = self.schedule.backup()
        {
            mark(View::Camera(b));
        }
    }

    /// Which cameras have to be decoded: on air, wished for, next, or standing in.
    pub fn wanted(&self) -> &[bool] {
        &self.wanted
    }

    /// Whether an overlay is on at a frame, as things stand now.
    pub fn shows(&self, overlay: usize, n: u64) -> bool {
        let forced = self.overlays.get(overlay).and_then(|o| o.forced);
        forced.unwrap_or_else(|| self.schedule.overlay_on(overlay, n))
    }

    /// The camera that frame 0 wishes for.
    pub fn first_camera(&self) -> Option<usize> {
        match self.mode {
            Mode::Auto => self.schedule.shot_at(0).map(|s| s.camera),
            Mode::Pinned(i) => Some(i),
            Mode::Slate => None,
        }
    }

    /// The last frame of the show, when it has one.
    pub fn last_frame(&self) -> Option<u64> {
        self.schedule.stop_after().map(|end| end.saturating_sub(1))
    }

    /// What viewers see.
    pub fn view(&self) -> View {
        self.view
    }
}

#[cfg(test)]
#[path = "preset_tests.rs"]
mod preset_tests;
#[cfg(test)]
#[path = "director_tests.rs"]
mod tests;
