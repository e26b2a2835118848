//! What a timeline does at single moments, resolved to frames.

use super::PlannedAct;
use crate::config::{TimelineAction, TimelineConfig, TimelineDo};
use crate::diagnose::Diagnostic;
use crate::ports::{OverlayAction, OverlayEvent};
use crate::time::{FrameRate, MediaTime};

/// The acts of a timeline and their frames, rising. What is done to overlays at one frame is one act.
pub(crate) fn plan(
    timeline: &TimelineConfig,
    overlays: &[&str],
    fps: FrameRate,
    faults: &mut Vec<Diagnostic>,
) -> (Vec<u64>, Vec<PlannedAct>) {
    let mut list: Vec<(u64, PlannedAct)> = Vec::with_capacity(timeline.actions.len());
    for (i, a) in timeline.actions.iter().enumerate() {
        let at = format!("/timeline/actions/{i}");
        let overlay = target(a, overlays, &at, faults);
        if matches!(a.what, TimelineDo::Show | TimelineDo::Hide) {
            let d =
                Diagnostic::error("SHOW-ACTION", format!("{at}/do"), "the timeline's cues bring overlays on and off");
            faults.push(d.help("add it to timeline.overlays"));
        }
        if let (Some(overlay), Some(what)) = (overlay, what(a, fps, &at, faults)) {
            list.push((
                a.at.map_or(0, |t| t.frames(fps)),
                match what {
                    What::Change(action) => PlannedAct::Overlays(vec![(overlay, action)]),
                    What::Event(event) => PlannedAct::Event(event),
                },
            ));
        }
    }
    // stable: at one frame the order of the file counts
    list.sort_by_key(|(frame, _)| *frame);
    let mut out: (Vec<u64>, Vec<PlannedAct>) = Default::default();
    for (frame, act) in list {
        if let (Some(last), Some(PlannedAct::Overlays(all)), PlannedAct::Overlays(more)) =
            (out.0.last(), out.1.last_mut(), &act)
            && *last == frame
        {
            all.extend_from_slice(more);
            continue;
        }
        out.0.push(frame);
        out.1.push(act);
    }
    out
}

/// The changes of a list that is made live: those of overlays, by index, and what they are told.
///
/// # Errors
/// Everything that is wrong with the list.
#[cfg(any(feature = "session", test))]
pub(crate) fn live(list: &[TimelineAction], overlays: &[&str], fps: FrameRate) -> Result<Live, Vec<Diagnostic>> {
    let (mut out, mut faults) = (Live::default(), Vec::new());
    for (i, a) in list.iter().enumerate() {
        let at = format!("/{i}");
        if a.at.is_some() {
            let d = Diagnostic::error("SHOW-ACTION", format!("{at}/at"), "what is done live is done on the next frame");
            faults.push(d.help("leave \"at\" out"));
        }
        let overlay = target(a, overlays, &at, &mut faults);
        match (overlay, what(a, fps, &at, &mut faults)) {
            (Some(overlay), Some(What::Change(action))) => out.changes.push((overlay, action)),
            (_, Some(What::Event(event))) => out.events.push(event),
            _ => {}
        }
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

/// What is done on one frame.
#[cfg(any(feature = "session", test))]
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// By overlay.
    pub(crate) changes: Vec<(usize, OverlayAction)>,
    pub(crate) events: Vec<OverlayEvent>,
}

enum What {
    Change(OverlayAction),
    Event(OverlayEvent),
}

fn is_event(what: TimelineDo) -> bool {
    matches!(what, TimelineDo::Marker | TimelineDo::Milestone | TimelineDo::Preset)
}

/// The overlay that is meant; 0 for an event, which is for all.
fn target(a: &TimelineAction, overlays: &[&str], at: &str, faults: &mut Vec<Diagnostic>) -> Option<usize> {
    let event = is_event(a.what);
    match &a.overlay {
        None if event => Some(0),
        None => {
            faults.push(missing(at, "overlay", "name the overlay that is meant"));
            None
        }
        Some(_) if event => {
            let d = Diagnostic::error("SHOW-ACTION", format!("{at}/overlay"), "this is told to all overlays");
            faults.push(d.help("leave \"overlay\" out"));
            None
        }
        Some(id) => overlays.iter().position(|o| o == id).or_else(|| {
            let text = format!("no overlay has the id \"{id}\"");
            let d = Diagnostic::error("SHOW-UNKNOWN-OVERLAY", format!("{at}/overlay"), text);
            faults.push(d.suggest(id, overlays.iter().copied()));
            None
        }),
    }
}

fn what(a: &TimelineAction, fps: FrameRate, at: &str, faults: &mut Vec<Diagnostic>) -> Option<What> {
    let spare = [
        ("tokens", a.tokens.is_some(), a.what == TimelineDo::Update),
        ("time", a.time.is_some(), a.what == TimelineDo::GoTo),
        ("name", a.name.is_some(), matches!(a.what, TimelineDo::Step) || is_event(a.what)),
        ("layer", a.layer.is_some(), a.what == TimelineDo::Set),
        ("properties", a.properties.is_some(), a.what == TimelineDo::Set),
        ("over", a.over.is_some(), a.what == TimelineDo::Set),
        ("easing", a.easing.is_some(), a.what == TimelineDo::Set),
    ];
    for (field, there, wanted) in spare {
        if there && !wanted {
            let d = Diagnostic::error("SHOW-ACTION", format!("{at}/{field}"), format!("\"{field}\" does nothing here"));
            faults.push(d.help("leave it out, or change \"do\""));
        }
    }
    let mut need = |field: &str, help: &str| faults.push(missing(at, field, help));
    let name = || a.name.clone();
    let what = match a.what {
        TimelineDo::Next => Some(What::Change(OverlayAction::Next)),
        TimelineDo::Show => Some(What::Change(OverlayAction::Show)),
        TimelineDo::Hide => Some(What::Change(OverlayAction::Hide)),
        TimelineDo::Set => a.properties.clone().map(|properties| {
            let over = a.over.map_or(MediaTime::ZERO, |o| o.time(fps));
            let (layer, easing) = (a.layer.clone(), a.easing.clone());
            What::Change(OverlayAction::Set { layer, properties, over, easing })
        }),
        TimelineDo::Step => name().map(|id| What::Change(OverlayAction::Step { id, at_once: false })),
        TimelineDo::Marker => name().map(|n| What::Event(OverlayEvent::marker(n))),
        TimelineDo::Milestone => name().map(|n| What::Event(OverlayEvent::milestone(n))),
        TimelineDo::Preset => name().map(|n| What::Event(OverlayEvent::preset(n))),
        TimelineDo::GoTo => a.time.map(|t| {
            let t = match t {
                crate::config::Span::Time(t) => t,
                // the middle of the frame, so that it is this frame after every rounding
                crate::config::Span::Frames(n) => {
                    fps.time_of(n) + MediaTime::from_nanos(fps.frame_duration().nanos() / 4)
                }
            };
            What::Change(OverlayAction::GoTo(t))
        }),
        TimelineDo::Update => a.tokens.clone().map(|t| What::Change(OverlayAction::SetTokens(t))),
    };
    if what.is_none() {
        match a.what {
            TimelineDo::GoTo => need("time", "write the overlay's time, such as \"time\": \"3s\""),
            TimelineDo::Update => need("tokens", "write the new values: \"tokens\": { \"name\": \"Ada\" }"),
            TimelineDo::Set => need("properties", "write the new values: \"properties\": { \"opacity\": 0.5 }"),
            TimelineDo::Step => need("name", "name the step"),
            _ => need("name", "name what has happened"),
        }
    }
    what
}

fn missing(at: &str, field: &str, help: &str) -> Diagnostic {
    Diagnostic::error("SHOW-ACTION", at.to_owned(), format!("the field \"{field}\" is missing")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Schedule;

    fn read(actions: &str) -> (Vec<u64>, Vec<PlannedAct>, Vec<Diagnostic>) {
        let t: TimelineConfig = serde_json::from_str(&format!("{{ \"actions\": {actions} }}")).unwrap();
        let mut faults = Vec::new();
        let (frames, acts) = plan(&t, &["score", "bug"], FrameRate::FPS_30, &mut faults);
        (frames, acts, faults)
    }

    #[test]
    fn what_happens_at_one_frame_is_one_act() {
        let (frames, acts, faults) = read(
            r#"[ { "at": 2, "do": "next", "overlay": "bug" }, { "at": 1, "do": "marker", "name": "half-time" },
                 { "at": "60f", "do": "update", "overlay": "score", "tokens": { "home": "2" } } ]"#,
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(frames, [30, 60]);
        assert_eq!(acts[0], PlannedAct::Event(OverlayEvent::marker("half-time")));
        let PlannedAct::Overlays(both) = &acts[1] else { panic!("{acts:?}") };
        assert_eq!((both[0].0, both[1].0, both.len()), (1, 0, 2));
        assert_eq!(both[0].1, OverlayAction::Next);
    }
    #[test]
    fn what_is_missing_or_too_much_is_said() {
        let (.., faults) = read(
            r#"[ { "at": 1, "do": "next" }, { "at": 1, "do": "step", "overlay": "scor" }, { "at": 1, "do": "go_to", "overlay": "bug" },
                 { "at": 1, "do": "preset", "name": "x", "overlay": "bug", "time": 2 } ]"#,
        );
        let said: Vec<_> = faults.iter().map(|d| (d.code, d.pointer.as_str())).collect();
        assert_eq!(
            said,
            [
                ("SHOW-ACTION", "/timeline/actions/0"),
                ("SHOW-UNKNOWN-OVERLAY", "/timeline/actions/1/overlay"),
                ("SHOW-ACTION", "/timeline/actions/1"),
                ("SHOW-ACTION", "/timeline/actions/2"),
                ("SHOW-ACTION", "/timeline/actions/3/overlay"),
                ("SHOW-ACTION", "/timeline/actions/3/time"),
            ]
        );
    }
    #[test]
    fn a_live_list_has_no_times_and_may_show_and_hide() {
        let live = |text: &str| {
            let list: Vec<TimelineAction> = serde_json::from_str(text).unwrap();
            super::live(&list, &["score", "bug"], FrameRate::FPS_30)
        };
        let done = live(
            r#"[ { "do": "show", "overlay": "bug" }, { "do": "marker", "name": "goal" },
                 { "do": "set", "overlay": "bug", "layer": "logo", "properties": { "opacity": 0.5, "scale": null }, "over": "15f" } ]"#,
        )
        .unwrap();
        assert_eq!(done.events, [OverlayEvent::marker("goal")]);
        assert_eq!(done.changes[0], (1, OverlayAction::Show));
        let OverlayAction::Set { layer, properties, over, easing } = &done.changes[1].1 else { panic!("{done:?}") };
        assert_eq!((layer.as_deref(), properties.len(), over.nanos(), easing), (Some("logo"), 2, 500_000_000, &None));
        let faults =
            live(r#"[ { "at": 3, "do": "next", "overlay": "bug" }, { "do": "set", "overlay": "bug", "name": "x" } ]"#);
        let said: Vec<_> = faults.unwrap_err().into_iter().map(|d| d.pointer).collect();
        assert_eq!(said, ["/0/at", "/1/name", "/1"]);
        let (.., faults) = read(r#"[ { "do": "hide", "overlay": "bug" } ]"#);
        assert_eq!(faults[0].pointer, "/timeline/actions/0/do", "cues bring overlays on and off");
    }
    #[test]
    fn every_act_is_due_once_also_over_left_out_frames_and_in_a_loop() {
        let t: TimelineConfig = serde_json::from_str(
            r#"{ "shots": [ { "camera": "a", "for": 1 } ], "loop": true,
                 "actions": [ { "at": 0, "do": "marker", "name": "a" }, { "at": "20f", "do": "marker", "name": "b" } ] }"#,
        )
        .unwrap();
        let s = Schedule::plan(&t, &["a"], &[], FrameRate::FPS_30).unwrap();
        let due = |from, n| {
            let mut out = Vec::new();
            s.due(from, n, &mut |i| out.push(i));
            out
        };
        assert_eq!((due(0, 0), due(1, 19), due(1, 55)), (vec![0], vec![], vec![1, 0, 1]));
        assert!(due(0, u64::MAX / 2).len() < 100, "after a long gap only its end counts");
    }
}
