//! The director's rules, frame by frame.

use super::*;
use crate::config::{OverlayCue, Shot, Span, TimelineConfig};
use crate::time::FrameRate;

const RULES: Rules = Rules { hold: 4, wait: 3, stable: 5, retry: 50 };

fn seen(live: bool, lead: u32) -> CameraState {
    CameraState { live, ready: live, lead, head: None }
}
fn director(shots: &[(&str, u64)], backup: Option<&str>) -> Director {
    let t = TimelineConfig {
        shots: shots.iter().map(|(c, n)| Shot::new(*c, Span::Frames(*n))).collect(),
        looped: true,
        backup: backup.map(Into::into),
        overlays: vec![OverlayCue { overlay: "o".into(), at: Some(Span::Frames(2)), length: Some(Span::Frames(3)) }],
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
    let catching_up = |n: u64, from: u64| CameraState { live: n >= 1, ready: n >= from, ..Default::default() };
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
    let states = [seen(false, 0), CameraState { live: true, ..Default::default() }, seen(false, 0)];
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
