//! What a scene costs on a machine, before it plays: from its compiled program and a table of what a pixel costs there.
//!
//! An estimate tells an overlay that a machine does not feel from one that it cannot carry; it is no measurement. It
//! counts what the renderer does at a frame: what is blended, what is drawn, scaled or turned anew. Positions do not
//! count (all of a layer is taken to be on the canvas), and a text is taken to be as long as with its tokens' defaults.
//!
//! | file | duty |
//! |---|---|
//! | `mod.rs` | the costliest frame of a scene |
//! | `layer.rs` | the work of one layer at one frame |
//! | `profile.rs` | machines |

mod layer;
mod profile;

use std::collections::{BTreeMap, BTreeSet};

use vistter_core::diagnose::Diagnostic;
use vistter_core::ports::Canvas;

use crate::assets::Assets;
use crate::compile::compile;
use crate::model::Document;
use crate::presence::FULL;
use crate::program::{LayerProgram, LayerState, Picture, SceneProgram};
use crate::timeline::clock::Moment;
use crate::transition::{Way, WayStyle};
pub use layer::Task;
use layer::{Meter, Work};
pub use profile::{PROFILES, Profile, profile};

/// Frames of a scene that are looked at, at most.
const LOOKED_AT: usize = 2_000;
/// Layers that are named in a finding.
const NAMED: usize = 3;

/// What a scene costs at its costliest frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The scene.
    pub scene: String,
    /// Its place in the document.
    pub pointer: String,
    /// The frame, counted from when the scene was shown.
    pub frame: u64,
    /// Nanoseconds of one core at that frame, with its way in or out.
    pub nanos: f64,
    /// Nanoseconds that its way in or out adds while it runs.
    pub way: f64,
    /// Nanoseconds of a frame in which nothing is drawn anew.
    pub steady: f64,
    /// Nanoseconds between two frames.
    pub period: f64,
    /// The part of that which overlays should keep below on this machine.
    pub budget: f64,
    /// The name of the machine.
    pub profile: &'static str,
    /// What is on at that frame, the costliest first.
    pub layers: Vec<LayerCost>,
}

/// What a layer costs at a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerCost {
    /// Its id.
    pub id: String,
    /// Its place in the document.
    pub pointer: String,
    /// Nanoseconds.
    pub nanos: f64,
    /// What most of it is.
    pub most: Task,
}

impl Cost {
    /// The part of the time between two frames that it takes.
    pub fn share(&self) -> f64 {
        self.nanos / self.period
    }

    /// A warning when it is beyond the budget.
    pub fn finding(&self) -> Option<Diagnostic> {
        if self.share() <= self.budget {
            return None;
        }
        let percent = |part: f64| (part * 100.0).round();
        let text = format!(
            "the scene \"{}\" takes {} % of a frame on {}, where overlays should keep below {} %",
            self.scene,
            percent(self.share()),
            self.profile,
            percent(self.budget)
        );
        let named: Vec<String> = self
            .layers
            .iter()
            .take(NAMED)
            .filter(|l| l.nanos > self.nanos / 20.0)
            .map(|l| format!("\"{}\" {} % ({})", l.id, percent(l.nanos / self.period), l.most.name()))
            .collect();
        let first = self.layers.first();
        let mut help = match first {
            Some(l) if l.nanos > self.way => l.most.advice().to_owned(),
            _ => "let it come and go by another transition: a fade or a wipe costs nearly nothing".to_owned(),
        };
        if !named.is_empty() {
            help = format!("{}; {help}", named.join(", "));
        }
        Some(Diagnostic::warning("OCL-COST", self.pointer.clone(), text).help(help))
    }
}

/// What a scene costs on a machine; the first scene when it has no name.
///
/// # Errors
/// As [`compile`].
pub fn estimate(
    document: &Document,
    scene: Option<&str>,
    assets: &Assets,
    canvas: Canvas,
    profile: &Profile,
) -> Result<Cost, Vec<Diagnostic>> {
    let (index, of) = crate::compile::find(document, scene)?;
    let program = compile(document, scene, assets, canvas)?;
    let tokens: BTreeMap<String, String> =
        document.tokens.iter().map(|(k, t)| (k.clone(), t.default.clone())).collect();
    let meter = Meter { canvas, profile, tokens: &tokens };
    let (on, _) = of.on(document.base, canvas.width, canvas.height);
    let ids: BTreeMap<String, String> =
        on.every_layer().into_iter().map(|(at, l)| (format!("/scenes/{index}{at}"), l.id.clone())).collect();

    let mut worst: Option<(u64, Vec<Work>)> = None;
    let (mut steady, mut seen) = (f64::MAX, BTreeSet::new());
    let (mut now, mut next) = (Vec::new(), Vec::new());
    for frame in frames(&program) {
        program.state_at(frame, &mut now);
        program.state_at(frame.saturating_add(1), &mut next);
        seen.extend(now.iter().map(|s| s.layer));
        let works: Vec<Work> = now.iter().filter_map(|s| at(&program, s, &next, &meter)).collect();
        steady = steady.min(works.iter().map(|w| w.steady).sum());
        if worst.as_ref().is_none_or(|(_, w)| total(&works) > total(w)) {
            worst = Some((frame, works));
        }
    }
    let (frame, mut works) = worst.unwrap_or_default();
    // Those that wait for something may come at any time: the costliest of them.
    let waiting = program.layers.iter().enumerate().filter(|(i, l)| l.cue.is_some() && !seen.contains(i));
    let waiting = waiting.map(|(_, l)| meter.layer(l, &l.state(Moment::default()), None, false));
    works.extend(waiting.max_by(|a, b| a.nanos.total_cmp(&b.nanos)));

    let way = way(&program.enter, &program, &meter).max(way(&program.exit, &program, &meter));
    works.sort_by(|a, b| b.nanos.total_cmp(&a.nanos));
    let layers: Vec<LayerCost> = works
        .iter()
        .map(|w| LayerCost {
            id: ids.get(&*w.at).cloned().unwrap_or_default(),
            pointer: w.at.to_string(),
            nanos: w.nanos,
            most: w.most,
        })
        .collect();
    Ok(Cost {
        scene: of.id.clone(),
        pointer: format!("/scenes/{index}"),
        frame,
        nanos: total(&works) + way,
        way,
        steady: if steady == f64::MAX { 0.0 } else { steady },
        period: 1e9 * f64::from(canvas.fps.den()) / f64::from(canvas.fps.num().max(1)),
        budget: profile.budget,
        profile: profile.name,
        layers,
    })
}

fn total(works: &[Work]) -> f64 {
    works.iter().map(|w| w.nanos).sum()
}

/// What a layer that is on costs, when the next frame is to be what it is.
fn at(program: &SceneProgram, s: &LayerState, next: &[LayerState], meter: &Meter<'_>) -> Option<Work> {
    let layer = program.layers.get(s.layer)?;
    let then = next.binary_search_by_key(&s.layer, |s| s.layer).ok().and_then(|i| next.get(i));
    let mut work = meter.layer(layer, s, then, false);
    if let (Some(c), true) = (&layer.cue, s.level.0 < FULL) {
        for way in [&c.enter, &c.exit] {
            match way.style {
                WayStyle::Zoom(_) => work = meter.layer(layer, s, then, true),
                WayStyle::Push(_) => work.add(Task::Whole, meter.whole()),
                WayStyle::Dip(_) => work.add(Task::Whole, meter.whole()),
                _ => {}
            }
        }
    }
    Some(work)
}

/// What a scene's way adds to a frame.
fn way(way: &Way, program: &SceneProgram, meter: &Meter<'_>) -> f64 {
    if way.frames == 0 {
        return 0.0;
    }
    match way.style {
        WayStyle::Push(_) | WayStyle::Dip(_) => meter.whole(),
        WayStyle::Zoom(_) => {
            let mut states = Vec::new();
            program.state_at(0, &mut states);
            let of = |zoomed: bool| -> f64 {
                let layers = states.iter().filter_map(|s| Some((program.layers.get(s.layer)?, s)));
                layers.map(|(l, s)| meter.layer(l, s, None, zoomed).nanos).sum()
            };
            (of(true) - of(false)).max(0.0)
        }
        // what a matte leaves is blended sample by sample
        WayStyle::Matte(_) => {
            let mut states = Vec::new();
            program.state_at(0, &mut states);
            let layers = states.iter().filter_map(|s| Some((program.layers.get(s.layer)?, s)));
            layers.map(|(l, s)| meter.layer(l, s, None, false).steady).sum()
        }
        _ => 0.0,
    }
}

/// The frames at which a scene may be costliest: its keyframes and halfway between them, where cues come and go, and some
/// at even distances.
fn frames(program: &SceneProgram) -> Vec<u64> {
    let mut all: BTreeSet<u64> = (0..30).collect();
    fn of(l: &LayerProgram, base: u64, all: &mut BTreeSet<u64>) {
        let m = &l.motion;
        let opacity = m.opacity.keys.iter().map(|k| k.frame);
        let pairs = m.position.keys.iter().map(|k| k.frame).chain(m.scale.keys.iter().map(|k| k.frame));
        let rest = m.rotation.keys.iter().map(|k| k.frame).chain(m.crop.keys.iter().map(|k| k.frame));
        let shape = m.size.keys.iter().map(|k| k.frame).chain(m.radius.keys.iter().map(|k| k.frame));
        let color = m.color.keys.iter().map(|k| k.frame);
        let value = m.value.keys.iter().map(|k| k.frame).chain(m.text.track.keys.iter().map(|k| k.frame));
        let mut last = 0;
        for f in opacity.chain(pairs).chain(rest).chain(shape).chain(color).chain(value) {
            let between = f.min(last) + f.abs_diff(last) / 2;
            all.extend([f.saturating_sub(1), f, between].map(|f| base.saturating_add(f)));
            last = f;
        }
        if let Picture::Group(g) = &l.picture {
            g.layers.iter().for_each(|l| of(l, base, all));
        }
    }
    for l in &program.layers {
        let life = l.cue.as_ref().map(|c| c.life);
        let base = life.map_or(0, |c| c.start);
        of(l, base, &mut all);
        if let Some(c) = life {
            let end = if c.end == u64::MAX { c.start + 1 } else { c.end - 1 };
            all.extend([c.start, c.start.saturating_add(c.ways.0 / 2), end.saturating_sub(c.ways.1 / 2), end]);
        }
    }
    let last = all.last().copied().unwrap_or(0);
    all.extend((0..60).map(|i| last / 60 * i));
    // of very many, some at even distances
    let step = all.len().div_ceil(LOOKED_AT).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests;
