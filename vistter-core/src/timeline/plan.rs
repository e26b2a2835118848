//! A checked timeline in output frames.

use crate::config::{Late, SameCamera, Shot, TimelineConfig};
use crate::diagnose::Diagnostic;
use crate::ports::{OverlayAction, OverlayEvent};
use crate::time::FrameRate;

/// One camera on air, in output frames from the start of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedShot {
    /// Index into the session's cameras.
    pub camera: usize,
    /// Index into the camera's presets; `None` = as it stands.
    pub preset: Option<usize>,
    /// What happens when the camera is still on its way.
    pub late: Late,
    /// How many frames it is waited for.
    pub wait: u32,
    /// What viewers see while it moves from another preset of the same camera.
    pub same_camera: SameCamera,
    /// First frame.
    pub start: u64,
    /// One past the last frame.
    pub end: u64,
}

/// One overlay on air, in output frames from the start of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Index into the session's overlays.
    pub overlay: usize,
    /// First frame.
    pub on: u64,
    /// One past the last frame; `None` = it stays.
    pub off: Option<u64>,
}

/// Something the timeline does at one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedAct {
    /// Changes of overlays, by index into the session's: all of them or none.
    Overlays(Vec<(usize, OverlayAction)>),
    /// Something overlays may wait for.
    Event(OverlayEvent),
}

/// Frames of which the acts are made up for when they were left out.
const MAKE_UP: u64 = 600;

/// A timeline resolved to frames: what is on air at frame *n* is a pure function of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Schedule {
    shots: Vec<PlannedShot>,
    cues: Vec<Cue>,
    /// Frames, rising, and the acts in the same order.
    act_frames: Vec<u64>,
    acts: Vec<PlannedAct>,
    period: u64,
    looped: bool,
    backup: Option<usize>,
    stop_after: Option<u64>,
}

impl Schedule {
    /// Resolves and checks a timeline against the ids that exist.
    ///
    /// Spans resolve to the nearest frame at `fps`; shots follow each other without gap, each at least one frame.
    /// Without shots the first camera is on for ever. A looped timeline's period is the sum of its shots.
    ///
    /// # Errors
    /// Every unknown id and empty length, all at once, with pointers into `/timeline`.
    pub fn plan(
        timeline: &TimelineConfig,
        cameras: &[&str],
        overlays: &[&str],
        fps: FrameRate,
    ) -> Result<Self, Vec<Diagnostic>> {
        Self::plan_with_presets(timeline, cameras, &[], overlays, fps)
    }

    /// The same for cameras that are moved; `presets` has the names of each camera's, in the order of `cameras`.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub fn plan_with_presets(
        timeline: &TimelineConfig,
        cameras: &[&str],
        presets: &[Vec<&str>],
        overlays: &[&str],
        fps: FrameRate,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let find = |id: &str, known: &[&str], what: &str, at: String, faults: &mut Vec<Diagnostic>| {
            known.iter().position(|k| *k == id).or_else(|| {
                let code = if what == "camera" { "SHOW-UNKNOWN-CAMERA" } else { "SHOW-UNKNOWN-OVERLAY" };
                faults.push(
                    Diagnostic::error(code, at, format!("there is no {what} \"{id}\""))
                        .suggest(id, known.iter().copied()),
                );
                None
            })
        };
        let mut shots = Vec::with_capacity(timeline.shots.len());
        let mut at = 0u64;
        for (i, s) in timeline.shots.iter().enumerate() {
            let camera = find(&s.camera, cameras, "camera", format!("/timeline/shots/{i}/camera"), &mut faults);
            let len = s.length.frames(fps);
            if len == 0 {
                faults.push(
                    Diagnostic::error("SHOW-EMPTY-SHOT", format!("/timeline/shots/{i}/for"), "a shot of no frames")
                        .help("give at least one frame, such as \"1f\""),
                );
            }
            let end = at.saturating_add(len);
            let known = camera.and_then(|c| presets.get(c)).map_or(&[][..], Vec::as_slice);
            let preset = find_preset(s, known, i, &mut faults);
            let rules = &timeline.ptz;
            shots.push(PlannedShot {
                camera: camera.unwrap_or(0),
                preset,
                late: s.late.unwrap_or(rules.late),
                wait: u32::try_from(rules.wait.frames(fps)).unwrap_or(u32::MAX),
                same_camera: s.same_camera.unwrap_or(rules.same_camera),
                start: at,
                end,
            });
            at = end;
        }
        let mut cues = Vec::with_capacity(timeline.overlays.len());
        for (i, c) in timeline.overlays.iter().enumerate() {
            let overlay = find(&c.overlay, overlays, "overlay", format!("/timeline/overlays/{i}/overlay"), &mut faults);
            let on = c.at.map_or(0, |s| s.frames(fps));
            let off = c.length.map(|s| on.saturating_add(s.frames(fps)));
            if off == Some(on) {
                faults.push(Diagnostic::error(
                    "SHOW-EMPTY-CUE",
                    format!("/timeline/overlays/{i}/for"),
                    "an overlay that is on for no frames",
                ));
            }
            cues.push(Cue { overlay: overlay.unwrap_or(0), on, off });
        }
        let (act_frames, acts) = super::acts::plan(timeline, overlays, fps, &mut faults);
        let backup =
            timeline.backup.as_deref().and_then(|b| find(b, cameras, "camera", "/timeline/backup".into(), &mut faults));
        if !faults.is_empty() {
            return Err(faults);
        }
        if shots.is_empty() && !cameras.is_empty() {
            let (late, same_camera) = (Late::default(), SameCamera::default());
            shots.push(PlannedShot { camera: 0, preset: None, late, wait: 0, same_camera, start: 0, end: u64::MAX });
            at = u64::MAX;
        }
        Ok(Self {
            shots,
            cues,
            act_frames,
            acts,
            period: at,
            looped: timeline.looped,
            backup,
            stop_after: timeline.stop_after.map(|s| s.frames(fps)),
        })
    }

    /// The frame of the timeline that output frame `n` shows: `n` folded into the period when looped.
    fn fold(&self, n: u64) -> u64 {
        if self.looped && self.period > 0 { n % self.period } else { n }
    }

    /// The shot that is planned for output frame `n`; the last one stays when the timeline is over.
    pub fn shot_at(&self, n: u64) -> Option<PlannedShot> {
        let n = self.fold(n);
        let i = self.shots.partition_point(|s| s.end <= n);
        self.shots.get(i).or(self.shots.last()).copied()
    }

    /// The next shot of a camera from output frame `n` on, the one at `n` included.
    pub fn next_use(&self, camera: usize, n: u64) -> Option<PlannedShot> {
        let here = self.shot_index(n)?;
        let around = self.shots.iter().take(if self.looped { here } else { 0 });
        self.shots.get(here..)?.iter().chain(around).find(|s| s.camera == camera).copied()
    }

    /// The shot after the one at output frame `n`, and its first output frame.
    pub fn next_shot(&self, n: u64) -> Option<(u64, PlannedShot)> {
        let here = self.shot_index(n)?;
        let begins = n - self.fold(n);
        match self.shots.get(here + 1) {
            Some(s) => Some((begins.checked_add(s.start)?, *s)),
            None if self.looped => Some((begins.checked_add(self.period)?, *self.shots.first()?)),
            None => None,
        }
    }

    /// The output frame at which the shot at output frame `n` began: tells one showing of it from the next.
    pub fn began(&self, n: u64) -> Option<u64> {
        let s = self.shot_at(n)?;
        Some((n - self.fold(n)).saturating_add(s.start))
    }

    fn shot_index(&self, n: u64) -> Option<usize> {
        let n = self.fold(n);
        let i = self.shots.partition_point(|s| s.end <= n);
        (!self.shots.is_empty()).then(|| i.min(self.shots.len() - 1))
    }

    /// The next change of camera after output frame `n`: when, and to which camera.
    pub fn next_cut(&self, n: u64) -> Option<(u64, usize)> {
        let here = self.shot_at(n)?.camera;
        let folded = self.fold(n);
        let base = n - folded;
        let i = self.shots.partition_point(|s| s.end <= folded);
        let later = self.shots.get(i + 1..).unwrap_or_default().iter().map(|s| (base, s));
        let around = self
            .shots
            .iter()
            .take(if self.looped { self.shots.len() } else { 0 })
            .filter_map(|s| Some((base.checked_add(self.period)?, s)));
        later.chain(around).find(|(_, s)| s.camera != here).and_then(|(b, s)| Some((b.checked_add(s.start)?, s.camera)))
    }

    /// Whether the plan shows an overlay at output frame `n`.
    pub fn overlay_on(&self, overlay: usize, n: u64) -> bool {
        let n = self.fold(n);
        self.cues.iter().any(|c| c.overlay == overlay && c.on <= n && c.off.is_none_or(|off| n < off))
    }

    /// What the timeline does at single frames.
    pub fn acts(&self) -> &[PlannedAct] {
        &self.acts
    }

    /// Gives the places of the acts of output frames `from..=n`, in order. Of a gap that is longer than a moment, only
    /// those of its end.
    pub fn due(&self, from: u64, n: u64, out: &mut dyn FnMut(usize)) {
        if self.acts.is_empty() {
            return;
        }
        for frame in from.max(n.saturating_sub(MAKE_UP))..=n {
            let folded = self.fold(frame);
            let first = self.act_frames.partition_point(|f| *f < folded);
            let last = self.act_frames.partition_point(|f| *f <= folded);
            (first..last).for_each(&mut *out);
        }
    }

    /// Overlays without any cue are never shown by the plan; those with one follow it.
    pub fn has_cue(&self, overlay: usize) -> bool {
        self.cues.iter().any(|c| c.overlay == overlay)
    }

    /// The camera that stands in for a failed one.
    pub fn backup(&self) -> Option<usize> {
        self.backup
    }

    /// The output frame at which the show ends by itself.
    pub fn stop_after(&self) -> Option<u64> {
        self.stop_after
    }
}

fn find_preset(s: &Shot, known: &[&str], i: usize, faults: &mut Vec<Diagnostic>) -> Option<usize> {
    let wanted = s.preset.as_deref()?;
    let found = known.iter().position(|k| *k == wanted);
    if found.is_none() {
        let text = format!("camera \"{}\" has no preset \"{wanted}\"", s.camera);
        let at = format!("/timeline/shots/{i}/preset");
        faults.push(Diagnostic::error("SHOW-UNKNOWN-PRESET", at, text).suggest(wanted, known.iter().copied()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OverlayCue, Shot, Span};
    use proptest::prelude::*;

    fn timeline(shots: &[(&str, u64)], looped: bool) -> TimelineConfig {
        TimelineConfig {
            shots: shots.iter().map(|(c, n)| Shot::new(*c, Span::Frames(*n))).collect(),
            looped,
            ..Default::default()
        }
    }

    #[test]
    fn cuts_fall_on_their_frames() {
        let s = Schedule::plan(&timeline(&[("a", 10), ("b", 5)], true), &["a", "b"], &[], FrameRate::FPS_30).unwrap();
        let cams: Vec<_> = (0..16).map(|n| s.shot_at(n).unwrap().camera).collect();
        assert_eq!(cams, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0]);
        assert_eq!(s.next_cut(3), Some((10, 1)));
        assert_eq!(s.next_cut(12), Some((15, 0)));
        assert_eq!(s.next_cut(15 * 1000 + 12), Some((15 * 1001, 0)));
    }
    #[test]
    fn the_last_shot_stays() {
        let s = Schedule::plan(&timeline(&[("a", 10), ("b", 5)], false), &["a", "b"], &[], FrameRate::FPS_30).unwrap();
        assert_eq!(s.shot_at(1_000_000).unwrap().camera, 1);
        assert_eq!(s.next_cut(12), None);
    }
    #[test]
    fn without_shots_the_first_camera_is_on() {
        let s = Schedule::plan(&TimelineConfig::default(), &["a"], &[], FrameRate::FPS_30).unwrap();
        assert_eq!(s.shot_at(77).unwrap().camera, 0);
        assert_eq!(s.next_cut(77), None);
        let s = Schedule::plan(&TimelineConfig::default(), &[], &[], FrameRate::FPS_30).unwrap();
        assert_eq!(s.shot_at(77), None);
    }
    #[test]
    fn shots_with_presets() {
        let mut t = timeline(&[("a", 10), ("b", 5), ("a", 5)], true);
        t.shots[0] = Shot::new("a", Span::Frames(10)).at("wide");
        t.shots[2] = Shot { late: Some(Late::Cut), ..Shot::new("a", Span::Frames(5)).at("tele") };
        let presets = [vec!["tele", "wide"], vec![]];
        let s = Schedule::plan_with_presets(&t, &["a", "b"], &presets, &[], FrameRate::FPS_30).unwrap();
        let next = |c, n| s.next_use(c, n).map(|s| s.preset);
        assert_eq!(
            (next(0, 3), next(0, 10), next(0, 15), next(1, 16)),
            (Some(Some(1)), Some(Some(0)), Some(Some(0)), Some(None))
        );
        assert_eq!(s.next_shot(39).map(|(n, s)| (n, s.preset, s.late, s.wait)), Some((40, Some(1), Late::Hold, 150)));
        assert_eq!((s.began(39), s.began(34), s.next_shot(20).map(|n| n.0)), (Some(35), Some(30), Some(30)));
        t.shots[0].preset = Some("wde".into());
        let f = Schedule::plan_with_presets(&t, &["a", "b"], &presets, &[], FrameRate::FPS_30).unwrap_err();
        assert_eq!(
            (f[0].pointer.as_str(), f[0].help.as_deref()),
            ("/timeline/shots/0/preset", Some("did you mean \"wide\"?"))
        );
    }
    #[test]
    fn all_faults_at_once() {
        let mut t = timeline(&[("gaet", 10), ("pier", 0)], false);
        t.overlays.push(OverlayCue { overlay: "x".into(), at: None, length: None });
        t.backup = Some("nobody".into());
        let f = Schedule::plan(&t, &["gate", "pier"], &["logo"], FrameRate::FPS_30).unwrap_err();
        let codes: Vec<_> = f.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["SHOW-UNKNOWN-CAMERA", "SHOW-EMPTY-SHOT", "SHOW-UNKNOWN-OVERLAY", "SHOW-UNKNOWN-CAMERA"]);
        assert_eq!(f[0].help.as_deref(), Some("did you mean \"gate\"?"));
    }
    proptest! {
        /// Stepping through `next_cut` visits exactly the frames where `shot_at` changes camera.
        #[test]
        fn next_cut_agrees_with_shot_at(
            lens in proptest::collection::vec((0usize..3, 1u64..20), 1..6), looped: bool, from in 0u64..200,
        ) {
            let names = ["a", "b", "c"];
            let shots: Vec<_> = lens.iter().map(|(c, n)| (names[*c], *n)).collect();
            let s = Schedule::plan(&timeline(&shots, looped), &names, &[], FrameRate::FPS_30).unwrap();
            let here = s.shot_at(from).unwrap().camera;
            let expected = (from..from + 500).find(|n| s.shot_at(*n).unwrap().camera != here);
            prop_assert_eq!(s.next_cut(from).map(|c| c.0), expected);
            if let Some((n, cam)) = s.next_cut(from) {
                prop_assert_eq!(s.shot_at(n).unwrap().camera, cam);
            }
        }
    }
}
