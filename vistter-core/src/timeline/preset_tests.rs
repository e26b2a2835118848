//! The director's rules for cameras that are moved from preset to preset.

use super::*;
use crate::config::{PtzRules, SameCamera, Shot, Span, TimelineConfig};
use crate::time::FrameRate;
use crate::timeline::{HeadOutcome, HeadState};

const RULES: Rules = Rules { hold: 4, wait: 3, stable: 5, retry: 50 };
/// How many frames a wait may last.
const WAIT: u64 = 12;

/// A camera with motors: an order takes so many frames.
#[derive(Clone, Copy, Default)]
struct Motors {
    takes: u64,
    outcome: Option<HeadOutcome>,
    order: Option<(u64, u64)>,
    operator: bool,
}

/// A show with camera `a` and `b` that move, and `c` that does not.
struct Stage {
    director: Director,
    heads: [Motors; 2],
    live: [bool; 3],
    frame: u64,
    /// (frame, camera, preset) of each order.
    orders: Vec<(u64, usize, usize)>,
    journal: Vec<JournalEntry>,
    /// (frame, camera, preset, there) of what is told about cameras that stand.
    told: Vec<(u64, usize, usize, bool)>,
}

impl Stage {
    fn new(shots: &[(&str, u64)], change: impl FnOnce(&mut TimelineConfig)) -> Self {
        let shot = |(name, n): &(&str, u64)| {
            let shot = Shot::new(&name[..1], Span::Frames(*n));
            if name.len() > 1 { shot.at(&name[1..]) } else { shot }
        };
        let rules = PtzRules { wait: Span::Frames(WAIT), ..PtzRules::default() };
        let mut t =
            TimelineConfig { shots: shots.iter().map(shot).collect(), looped: true, ptz: rules, ..Default::default() };
        change(&mut t);
        let presets = [vec!["1", "2", "3"], vec!["1", "2"], vec![]];
        let s = Schedule::plan_with_presets(&t, &["a", "b", "c"], &presets, &[], FrameRate::FPS_30).unwrap();
        let heads = [Motors { takes: 5, ..Motors::default() }; 2];
        let director = Director::new(s, 3, 0, RULES);
        Self { director, heads, live: [true; 3], frame: 0, orders: Vec::new(), journal: Vec::new(), told: Vec::new() }
    }
    fn states(&self) -> [CameraState; 3] {
        let head = |m: &Motors| {
            let over = m.order.filter(|(_, at)| self.frame >= at + m.takes);
            let how = m.outcome.unwrap_or(HeadOutcome::Arrived);
            HeadState { operator: m.operator, done: over.map(|(order, _)| (order, how)) }
        };
        let camera = |i: usize| CameraState {
            live: self.live[i],
            ready: self.live[i],
            lead: 0,
            head: self.heads.get(i).map(head),
        };
        [camera(0), camera(1), camera(2)]
    }
    fn take(&mut self, effects: Vec<Effect>) {
        for e in effects {
            match e {
                Effect::Move { camera, preset, order } => {
                    self.orders.push((self.frame, camera, preset));
                    self.heads[camera].order = Some((order, self.frame));
                }
                Effect::OnAir(j) => self.journal.push(j),
                Effect::AtPreset { camera, preset, there } => self.told.push((self.frame, camera, preset, there)),
                _ => {}
            }
        }
    }
    /// The cameras get to their first presets before the show.
    fn prepared(mut self) -> Self {
        let mut effects = Vec::new();
        assert!(!self.director.prepare(&self.states(), &mut |e| effects.push(e)));
        self.take(effects);
        for h in &mut self.heads {
            h.order = h.order.map(|(order, _)| (order, 0));
            h.takes = 0;
        }
        assert!(self.director.prepare(&self.states(), &mut |e| panic!("{e:?}")));
        self.heads.iter_mut().for_each(|h| h.takes = 5);
        self.orders.clear();
        self
    }
    /// Plays frames; a small letter for each camera on air, a capital for one that stands still on purpose, `-` for the slate.
    fn play(&mut self, frames: u64) -> String {
        (0..frames)
            .map(|_| {
                let (states, mut effects) = (self.states(), Vec::new());
                let d = self.director.tick(self.frame, &states, &mut |e| effects.push(e));
                self.take(effects);
                self.frame += 1;
                match d.view {
                    View::Camera(c) if d.frozen => ['A', 'B', 'C'][c],
                    View::Camera(c) => ['a', 'b', 'c'][c],
                    View::Slate => '-',
                }
            })
            .collect()
    }
    fn causes(&self) -> Vec<(u64, Cause, Option<usize>, bool)> {
        self.journal.iter().map(|j| (j.frame, j.cause, j.preset, j.moving)).collect()
    }
}

#[test]
fn a_camera_is_moved_as_soon_as_it_is_off_air_and_cut_to_on_its_frame() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 10), ("b2", 10)], |_| {}).prepared();
    assert_eq!(s.play(80), "aaaaaaaaaabbbbbbbbbb".repeat(4));
    let moves = [(10, 0, 1), (20, 1, 1), (30, 0, 0), (40, 1, 0), (50, 0, 1), (60, 1, 1), (70, 0, 0)];
    assert_eq!(s.orders, moves, "never while it is on air");
    assert!(s.journal.iter().all(|j| !j.moving && j.preset.is_some()), "{:?}", s.journal);
    assert!(s.journal[1..].iter().all(|j| j.cause == Cause::Planned));
}
#[test]
fn a_camera_that_is_late_is_waited_for_on_the_shot_before() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 30)], |_| {}).prepared();
    s.heads[0].takes = 16;
    // Ordered at 10, it stands at 26: the cut to it was planned for 20.
    assert_eq!(s.play(40), "aaaaaaaaaabbbbbbbbbbbbbbbbaaaaaaaaaaaaaa");
    assert_eq!(s.causes()[2], (26, Cause::Late, Some(1), false));
}
#[test]
fn nobody_waits_for_ever() {
    for (late, backup, picture, last) in [
        (Late::Hold, Some("c"), "aaaaabbbbbbbbbbbbbbbbbbaaaaa", (23, Cause::Late, true)),
        (Late::Backup, Some("c"), "aaaaabbbbbbbbbbbbbbbbbbccccc", (23, Cause::Moving, false)),
        (Late::Backup, None, "aaaaabbbbbbbbbbbbbbbbbbaaaaa", (23, Cause::Late, true)),
        (Late::Cut, Some("c"), "aaaaabbbbbbaaaaaaaaaaaaaaaaa", (11, Cause::Planned, true)),
    ] {
        let mut s = Stage::new(&[("a1", 5), ("b1", 6), ("a2", 60)], |t| {
            t.ptz.late = late;
            t.backup = backup.map(Into::into);
        })
        .prepared();
        s.heads[0].takes = 40;
        assert_eq!(s.play(28), picture, "{late:?}");
        let j = s.journal[2];
        assert_eq!((j.frame, j.cause, j.moving), last, "{late:?}");
        s.play(20);
        let j = *s.journal.last().unwrap();
        if picture.ends_with('c') {
            assert_eq!(
                (j.frame, j.view, j.cause, j.moving),
                (45, View::Camera(0), Cause::Late, false),
                "when it stands"
            );
        }
    }
}
#[test]
fn a_shot_that_is_over_before_its_camera_stands_is_not_shown() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 4), ("c", 10)], |_| {}).prepared();
    s.heads[0].takes = 30;
    assert_eq!(s.play(34), "aaaaaaaaaabbbbbbbbbbbbbbcccccccccc");
}
#[test]
fn two_presets_of_one_camera_in_a_row() {
    let show = |same_camera, backup: Option<&str>, takes: u64| {
        let mut s = Stage::new(&[("a1", 10), ("a2", 20)], |t| {
            t.ptz.same_camera = same_camera;
            t.backup = backup.map(Into::into);
        })
        .prepared();
        s.heads[0].takes = takes;
        let seen = s.play(30);
        assert_eq!(s.orders, [(10, 0, 1)], "not before its shot");
        (seen, s.causes()[1..].to_vec())
    };
    use SameCamera::{Away, Freeze, Move};
    let (seen, causes) = show(Away, Some("c"), 5);
    assert_eq!(seen, "aaaaaaaaaacccccaaaaaaaaaaaaaaa");
    assert_eq!(causes, [(10, Cause::Moving, None, false), (15, Cause::Late, Some(1), false)]);
    for way in [Away, Freeze] {
        let (seen, causes) = show(way, None, 5);
        assert_eq!(seen, "aaaaaaaaaaAAAAAaaaaaaaaaaaaaaa");
        assert_eq!(causes, [(15, Cause::Late, Some(1), false)]);
    }
    let (seen, causes) = show(Move, Some("c"), 5);
    assert_eq!((seen.as_str(), causes), ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", vec![(10, Cause::Planned, Some(1), true)]));
    // Not for ever.
    let (seen, causes) = show(Freeze, None, 90);
    assert_eq!((seen.as_str(), causes), ("aaaaaaaaaaAAAAAAAAAAAAaaaaaaaa", vec![(22, Cause::Late, Some(1), true)]));
    assert_eq!(show(Away, Some("c"), 90).0, "aaaaaaaaaaccccccccccccaaaaaaaa");
}
#[test]
fn a_backup_without_pictures_does_not_stand_in_while_a_camera_moves() {
    let mut s = Stage::new(&[("a1", 10), ("a2", 20)], |t| t.backup = Some("c".into())).prepared();
    s.live[2] = false;
    assert_eq!(s.play(20), "aaaaaaaaaaAAAAAaaaaa");
    assert!(s.director.wanted()[0]);
}
#[test]
fn the_backup_is_decoded_before_it_has_to_stand_in() {
    let mut s = Stage::new(&[("a1", 10), ("a2", 20)], |t| t.backup = Some("c".into())).prepared();
    for n in 0..10 {
        let mut states = s.states();
        states[2].lead = 3;
        s.director.tick(n, &states, &mut |_| {});
        assert_eq!(s.director.wanted()[2], n >= 7, "frame {n}");
    }
}
#[test]
fn a_head_that_fails_stops_nothing_and_is_tried_again() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 10), ("b1", 90)], |_| {}).prepared();
    s.heads[0].outcome = Some(HeadOutcome::Failed);
    assert_eq!(s.play(120), format!("{}{}{}{}", "a".repeat(10), "b".repeat(10), "a".repeat(10), "b".repeat(90)));
    // Sent at 10; again for its next shot when it is off air, and half a minute after that failed.
    assert_eq!(s.orders, [(10, 0, 1), (30, 0, 0), (85, 0, 0)]);
    // While it is known not to answer, nobody waits for a new try.
    s.heads[0].takes = 1000;
    s.orders.clear();
    assert_eq!(s.play(40), format!("{}{}{}{}", "a".repeat(10), "b".repeat(10), "a".repeat(10), "b".repeat(10)));
}
#[test]
fn a_missing_preset_does_not_spoil_the_others() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 10), ("b1", 3), ("a3", 20)], |_| {}).prepared();
    s.heads[0].outcome = Some(HeadOutcome::NoSuchPreset);
    s.play(30);
    s.heads[0].outcome = None;
    assert_eq!(s.play(8), "bbbbbaaa", "ordered at 30, there at 35, wanted at 33: waited for");
}
#[test]
fn an_operator_has_his_way() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 20), ("c", 10)], |_| {}).prepared();
    s.play(10);
    s.heads[0].operator = true;
    assert_eq!(s.play(25), "bbbbbbbbbbaaaaaaaaaaaaaaa", "neither moved nor waited for");
    assert_eq!(s.orders, []);
    // Given back in the middle of its shot, it is not moved on air, but before the next one.
    s.heads[0].operator = false;
    assert_eq!(s.play(15), "aaaaacccccccccc");
    assert_eq!(s.orders, [(40, 0, 0), (30, 1, 0)][..1]);
}
#[test]
fn a_manual_take_does_not_wait() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 90), ("a2", 10)], |_| {}).prepared();
    s.heads[0].takes = 30;
    s.play(15);
    s.director.command(Command::Pin(0));
    assert_eq!(s.play(5), "aaaaa", "at once, though it is on its way");
    let j = s.journal.last().unwrap();
    assert_eq!((j.frame, j.cause, j.preset, j.moving), (15, Cause::Command, Some(1), true));
    // Pinned past its planned shot: nobody moves it on air.
    s.play(105);
    assert_eq!(s.orders, [(10, 0, 1)]);
    s.director.command(Command::Auto);
    s.play(1);
    assert_eq!(s.journal.last().unwrap().view, View::Camera(1));
}
#[test]
fn without_a_backup_a_camera_with_one_preset_is_never_moved_twice() {
    let mut s = Stage::new(&[("a1", 10)], |_| {}).prepared();
    assert_eq!(s.play(100), "a".repeat(100));
    assert_eq!(s.orders, []);
}
#[test]
fn a_show_that_begins_before_its_camera_stands_begins_anyway() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10)], |_| {});
    let mut effects = Vec::new();
    assert!(!s.director.prepare(&s.states(), &mut |e| effects.push(e)));
    s.take(effects);
    assert_eq!(s.play(20), "aaaaaaaaaabbbbbbbbbb");
    assert_eq!(s.orders, [(0, 0, 0), (0, 1, 0)]);
    assert_eq!(s.causes()[0], (0, Cause::Start, Some(0), true));
}
#[test]
fn what_stands_where_is_told_once_on_the_frame_that_shows_it() {
    let mut s = Stage::new(&[("a1", 10), ("b1", 10), ("a2", 10), ("b2", 10)], |_| {}).prepared();
    s.play(22);
    // prepared before the show; camera a is sent off at 10 and takes 5 frames, camera b from 20 on
    let want = [(0, 0, 0, true), (0, 1, 0, true), (10, 0, 0, false), (15, 0, 1, true), (20, 1, 0, false)];
    assert_eq!(s.told, want);
    s.heads[0].operator = true;
    s.play(1);
    assert_eq!(s.told.last(), Some(&(22, 0, 1, false)), "in a person's hand it is somewhere");
}
