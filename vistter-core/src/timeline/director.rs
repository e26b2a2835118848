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

use serde::Serialize;

use super::plan::Schedule;

/// What viewers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// A camera, by index.
    Camera(usize),
    /// The slate.
    Slate,
}

/// Why the view changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The timeline says so.
    Planned,
    /// An operator or the cloud said so.
    Command,
    /// What should be on air has no pictures.
    Fallback,
    /// What should be on air has pictures again.
    Return,
    /// The first picture of the show.
    Start,
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Put this camera on air and keep it there until [`Command::Auto`].
    Pin(usize),
    /// Show the slate until [`Command::Auto`].
    Slate,
    /// Follow the timeline again.
    Auto,
    /// Show or hide an overlay by index, whatever the plan says, until [`Command::OverlayAuto`].
    Overlay(usize, bool),
    /// Let an overlay follow the plan again.
    OverlayAuto(usize),
}

/// What a camera's feed reports each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CameraState {
    /// It has a picture that is fresh enough to stay on air.
    pub live: bool,
    /// It has the picture of this very frame, within its own frame rate: a cut to it is seamless. Implies `live`.
    pub ready: bool,
    /// Frames of warning its decoder needs to catch up before it goes on air.
    pub lead: u32,
}

/// Bounds of the rule book, in output frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long the last picture of a camera on air is held when no new ones come.
    pub hold: u32,
    /// How long a cut waits for a camera that is not ready.
    pub wait: u32,
    /// How long a camera must give pictures before it comes back from a fallback.
    pub stable: u32,
}

impl Rules {
    /// Two seconds of hold and wait, one second to be stable.
    pub fn at(fps: crate::time::FrameRate) -> Self {
        let f = |s| crate::ports::frames_in(crate::time::MediaTime::from_secs(s), fps);
        Self { hold: f(2), wait: f(2), stable: f(1) }
    }
}

/// One line of the record of what was shown and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    /// Output frame index.
    pub frame: u64,
    /// What viewers see from this frame on.
    pub view: View,
    /// Why.
    pub cause: Cause,
}

/// Something the director wants done at this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The view changed.
    OnAir(JournalEntry),
    /// Bring an overlay on or take it off.
    Overlay {
        /// Index of the overlay.
        overlay: usize,
        /// On or off.
        on: bool,
    },
    /// The show is over.
    End,
}

/// The answer for one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What viewers see.
    pub view: View,
    /// Whether the view is a camera whose last picture is being held.
    pub held: bool,
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
    overlays: Vec<OverlayState>,
    wanted: Vec<bool>,
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
            overlays: vec![OverlayState::default(); overlays],
            wanted: vec![false; cameras],
            ended: false,
        }
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
        let wish = match self.mode {
            Mode::Pinned(i) => View::Camera(i),
            Mode::Slate => View::Slate,
            Mode::Auto => self.schedule.shot_at(n).map_or(View::Slate, |s| View::Camera(s.camera)),
        };
        if wish != self.wish {
            self.wish = wish;
            self.missing = 0;
        }
        // A failure counts for the shot it happened in: off air a camera is not decoded, and cannot prove itself.
        for (i, s) in self.suspect.iter_mut().enumerate() {
            *s &= wish == View::Camera(i);
        }
        let lead = match wish {
            View::Camera(i) => cameras.get(i).map_or(0, |c| c.lead),
            View::Slate => 0,
        };
        let decision = self.choose(wish, lead);
        if decision.view != self.view || !self.started {
            let cause = match () {
                () if !self.started => Cause::Start,
                () if decision.view != wish => Cause::Fallback,
                () if self.mode_changed => Cause::Command,
                () if self.missing > 0 => Cause::Return,
                () => Cause::Planned,
            };
            self.view = decision.view;
            self.started = true;
            out(Effect::OnAir(JournalEntry { frame: n, view: self.view, cause }));
        }
        if decision.view == wish && !decision.held {
            self.missing = 0;
            self.mode_changed = false;
        } else {
            self.missing = self.missing.saturating_add(1);
        }
        self.want(n, wish, cameras);
        for (i, o) in self.overlays.iter_mut().enumerate() {
            let on = o.forced.unwrap_or_else(|| self.schedule.overlay_on(i, n));
            if on != o.on {
                o.on = on;
                out(Effect::Overlay { overlay: i, on });
            }
        }
        // With the frame that is being made, the show has its length.
        if !self.ended && self.schedule.stop_after().is_some_and(|end| n.saturating_add(1) >= end) {
            self.ended = true;
            out(Effect::End);
        }
        decision
    }

    fn live(&self, i: usize) -> bool {
        self.live_for.get(i).is_some_and(|n| *n > 0)
    }

    /// Whether what is on air may stay there until the wish is ready, for as long as that may take.
    fn can_stay(&self, lead: u32) -> bool {
        let has_picture = match self.view {
            View::Camera(i) => self.live(i),
            View::Slate => self.started,
        };
        has_picture && self.missing < self.rules.wait.max(lead)
    }

    /// `lead`: how long the wished camera's decoder may take to catch up, in frames.
    fn choose(&mut self, wish: View, lead: u32) -> Decision {
        let show = |view| Decision { view, held: false };
        let View::Camera(wished) = wish else { return show(View::Slate) };
        // On air already: a short gap is held, not switched away from.
        if self.view == wish && self.started {
            if self.live(wished) {
                return show(wish);
            }
            if self.missing < self.rules.hold {
                return Decision { view: wish, held: true };
            }
            self.suspect[wished] = true;
        } else if self.live(wished) && !self.suspect[wished] && (self.ready[wished] || !self.can_stay(lead)) {
            return show(wish);
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
            Some(b) if b != wished && self.view == View::Camera(b) && self.gap <= self.rules.hold => {
                Decision { view: self.view, held: true }
            }
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
mod tests {
    use super::*;
    use crate::config::{OverlayCue, Shot, Span, TimelineConfig};
    use crate::time::FrameRate;

    const RULES: Rules = Rules { hold: 4, wait: 3, stable: 5 };

    fn seen(live: bool, lead: u32) -> CameraState {
        CameraState { live, ready: live, lead }
    }
    fn director(shots: &[(&str, u64)], backup: Option<&str>) -> Director {
        let t = TimelineConfig {
            shots: shots.iter().map(|(c, n)| Shot { camera: (*c).into(), length: Span::Frames(*n) }).collect(),
            looped: true,
            backup: backup.map(Into::into),
            overlays: vec![OverlayCue {
                overlay: "o".into(),
                at: Some(Span::Frames(2)),
                length: Some(Span::Frames(3)),
            }],
            ..Default::default()
        };
        let s = Schedule::plan(&t, &["a", "b", "c"], &["o"], FrameRate::FPS_30).unwrap();
        Director::new(s, 3, 1, RULES)
    }

    /// Runs frames with each camera live or not; gives the views as a string: a, b, c or -.
    fn run(d: &mut Director, from: u64, live: &[&str]) -> String {
        let mut s = String::new();
        for (i, l) in live.iter().enumerate() {
            let states: Vec<_> = ["a", "b", "c"].iter().map(|c| seen(l.contains(c), 3)).collect();
            let v = d.tick(from + i as u64, &states, &mut |_| {}).view;
            s.push(match v {
                View::Camera(c) => ['a', 'b', 'c'][c],
                View::Slate => '-',
            });
        }
        s
    }

    #[test]
    fn cuts_on_the_planned_frame() {
        let mut d = director(&[("a", 4), ("b", 4)], None);
        assert_eq!(run(&mut d, 0, &["ab"; 12]), "aaaabbbbaaaa");
    }
    #[test]
    fn wants_the_next_camera_ahead_and_no_other() {
        let mut d = director(&[("a", 10), ("b", 10)], None);
        let states = [seen(true, 3); 3];
        let mut seen = Vec::new();
        for n in 0..10 {
            d.tick(n, &states, &mut |_| {});
            seen.push(d.wanted()[1]);
            assert!(d.wanted()[0] && !d.wanted()[2]);
        }
        assert_eq!(seen, [false, false, false, false, false, false, false, true, true, true]);
    }
    #[test]
    fn a_gap_is_held_then_the_slate_then_back_when_stable() {
        let mut d = director(&[("a", 1000)], None);
        let mut live = vec!["a"; 3];
        live.extend(["-"; 6]);
        live.extend(["a"; 7]);
        // 3 live, 4 held, slate until 5 consecutive live frames have been seen.
        assert_eq!(run(&mut d, 0, &live), "aaaaaaa------aaa");
    }
    #[test]
    fn the_backup_comes_before_the_slate() {
        let mut d = director(&[("a", 1000)], Some("b"));
        let mut live = vec!["ab"; 2];
        live.extend(["b"; 6]);
        live.extend(["-"; 8]);
        assert_eq!(run(&mut d, 0, &live), "aaaaaabbbbbb----");
    }
    #[test]
    fn a_cut_to_a_camera_that_is_not_ready_waits_a_little() {
        let mut d = director(&[("a", 3), ("b", 20)], None);
        let mut live = vec!["a"; 5];
        live.extend(["ab"; 3]);
        assert_eq!(run(&mut d, 0, &live), "aaaaabbb");
        let mut d = director(&[("a", 3), ("b", 20)], None);
        assert_eq!(run(&mut d, 0, &["a"; 10]), "aaaaaa----");
    }
    #[test]
    fn a_cut_to_a_long_gop_waits_for_its_decoder() {
        let mut d = director(&[("a", 1000)], None);
        let mut views = Vec::new();
        for n in 0..40 {
            if n == 5 {
                d.command(Command::Pin(1));
            }
            let states = [seen(true, 0), seen(n >= 25, 30), seen(false, 0)];
            views.push(d.tick(n, &states, &mut |_| {}).view);
        }
        assert!(views[..25].iter().all(|v| *v == View::Camera(0)), "the slate never shows");
        assert!(views[25..].iter().all(|v| *v == View::Camera(1)));
    }
    #[test]
    fn a_cut_waits_for_a_decoder_that_is_catching_up() {
        let catching_up = |n: u64, from: u64| CameraState { live: n >= 1, ready: n >= from, lead: 0 };
        let cut = |from: u64, before: &str| {
            let mut d = director(&[("a", 1000)], None);
            run(&mut d, 0, &[before]);
            d.command(Command::Pin(1));
            let views = (1..8).map(|n| {
                let states = [seen(before == "a", 0), catching_up(n, from), seen(false, 0)];
                d.tick(n, &states, &mut |_| {}).view
            });
            views.map(|v| if v == View::Camera(1) { 'b' } else { '.' }).collect::<String>()
        };
        assert_eq!(cut(3, "a"), "..bbbbb", "on the first frame whose picture is there");
        assert_eq!(cut(99, "a"), "...bbbb", "not for ever: old pictures are better than the wrong camera");
        assert_eq!(cut(3, "-"), "..bbbbb", "the slate stays meanwhile");
        assert_eq!(cut(99, "-"), "...bbbb");
    }
    #[test]
    fn nothing_is_waited_for_when_what_is_on_air_is_gone() {
        let mut d = director(&[("a", 1000)], None);
        run(&mut d, 0, &["a"]);
        d.command(Command::Pin(1));
        let states = [seen(false, 0), CameraState { live: true, ready: false, lead: 0 }, seen(false, 0)];
        assert_eq!(d.tick(1, &states, &mut |_| {}).view, View::Camera(1));
    }
    #[test]
    fn short_shots_look_past_the_next_cut() {
        let mut d = director(&[("a", 5), ("b", 5), ("c", 5)], None);
        let states = [seen(true, 8); 3];
        d.tick(0, &states, &mut |_| {});
        assert_eq!(d.wanted(), [true, true, false]);
        d.tick(3, &states, &mut |_| {});
        assert_eq!(d.wanted(), [true, true, true], "c is on in seven frames");
    }
    #[test]
    fn start_shows_the_slate_until_there_is_a_picture() {
        let mut d = director(&[("a", 1000)], None);
        assert_eq!(run(&mut d, 0, &["", "", "a", "a"]), "--aa");
    }
    #[test]
    fn commands_win_over_the_plan() {
        let mut d = director(&[("a", 4), ("b", 4)], None);
        d.command(Command::Pin(2));
        assert_eq!(run(&mut d, 0, &["abc"; 5]), "ccccc");
        d.command(Command::Slate);
        assert_eq!(run(&mut d, 5, &["abc"; 2]), "--");
        d.command(Command::Auto);
        assert_eq!(run(&mut d, 7, &["abc"; 2]), "ba");
        d.command(Command::Pin(99));
        assert_eq!(run(&mut d, 9, &["abc"; 1]), "a");
    }
    #[test]
    fn overlays_follow_the_plan_until_forced() {
        let mut d = director(&[("a", 10)], None);
        let states = [seen(true, 0); 3];
        let mut log = Vec::new();
        for n in 0..12 {
            if n == 6 {
                d.command(Command::Overlay(0, true));
            }
            if n == 8 {
                d.command(Command::OverlayAuto(0));
            }
            d.tick(n, &states, &mut |e| {
                if let Effect::Overlay { on, .. } = e {
                    log.push((n, on));
                }
            });
        }
        assert_eq!(log, [(2, true), (5, false), (6, true), (8, false)]);
    }
    #[test]
    fn the_same_inputs_give_the_same_journal() {
        let live = ["a", "ab", "b", "b", "b", "b", "b", "b", "ab", "a", "a", "a", "a", "a", "a"];
        let journal = |d: &mut Director| {
            let mut j = Vec::new();
            for (n, l) in live.iter().enumerate() {
                let s: Vec<_> = ["a", "b", "c"].iter().map(|c| seen(l.contains(c), 3)).collect();
                d.tick(n as u64, &s, &mut |e| {
                    if let Effect::OnAir(j2) = e {
                        j.push(j2);
                    }
                });
            }
            j
        };
        let a = journal(&mut director(&[("a", 100)], Some("b")));
        assert_eq!(a, journal(&mut director(&[("a", 100)], Some("b"))));
        let causes: Vec<_> = a.iter().map(|j| (j.frame, j.cause)).collect();
        assert_eq!(causes, [(0, Cause::Start), (6, Cause::Fallback), (12, Cause::Return)]);
    }
}
