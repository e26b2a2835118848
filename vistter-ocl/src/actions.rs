//! What an overlay can be told: shown, hidden, given data, moved on to its next step, put elsewhere in its time, told
//! what happened. First everything is looked at, then everything is done: an action that cannot be done changes nothing.

use std::collections::BTreeMap;

use vistter_core::diagnose::nearest;
use vistter_core::ports::{EventKind, OverlayAction, OverlayEvent, Tick, frames_in};
use vistter_core::{Error, ErrorKind, Result};

use crate::OclOverlay;
use crate::aim::{Change, Property, When};
use crate::fault::Faults;
use crate::model::Interrupted;
use crate::overlay::token_faults;
use crate::program::Timeline;
use crate::read::change::{self, Words};
use crate::template::VALUE;
use crate::timeline::clock::SceneClock;
use crate::transition::Way;

/// Events that are kept for an overlay that is not prepared yet.
const MAX_EARLY: usize = 256;
/// Actions in each other.
const MAX_DEPTH: usize = 8;
/// The longest that a change of properties may take.
const MAX_OVER_SECONDS: i64 = 3600;

impl OclOverlay {
    fn refuse(&self, what: impl Into<String>, next: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Config, what).at(format!("overlay {}", self.id)).next(next))
    }

    fn timeline(&self) -> Option<&Timeline> {
        self.renderer.as_ref().map(|r| &r.program().timeline)
    }

    /// Whether an action can be done; `on` is whether the overlay is shown.
    pub(crate) fn may(&self, action: &OverlayAction, on: bool) -> Result<()> {
        let mut on = on;
        self.may_within(action, &mut on, 0)
    }

    fn may_within(&self, action: &OverlayAction, on: &mut bool, depth: usize) -> Result<()> {
        match action {
            OverlayAction::Show => *on = true,
            OverlayAction::Hide => *on = false,
            OverlayAction::SetTokens(values) => {
                let list = token_faults(&self.document, values);
                if !list.is_empty() {
                    return Err(Faults::new(Some(format!("overlay {}", self.id)), list).into());
                }
            }
            OverlayAction::Event(_) => {}
            OverlayAction::Batch(_) if depth >= MAX_DEPTH => {
                return self.refuse(format!("batches stand more than {MAX_DEPTH} deep in each other"), "send one list");
            }
            OverlayAction::Batch(list) => {
                for a in list {
                    self.may_within(a, on, depth + 1)?;
                }
            }
            OverlayAction::Next | OverlayAction::Step { .. } | OverlayAction::GoTo(_) if !*on => {
                return self.refuse("it is not on, so it has no time", "show it first");
            }
            OverlayAction::Next => {
                if self.timeline().is_none_or(|t| t.steps.is_empty()) {
                    return self.refuse("its scene has no steps", "add \"steps\" to the scene, or hide the overlay");
                }
            }
            OverlayAction::Step { id, .. } => {
                let names = self.timeline().map(|t| t.step_names.as_slice()).unwrap_or_default();
                if !names.contains(id) {
                    let near = nearest(id, names.iter().map(String::as_str));
                    let next = match near {
                        Some(n) => format!("did you mean \"{n}\"?"),
                        None if names.is_empty() => "its scene has no steps".to_owned(),
                        None => format!("one of: {}", names.join(", ")),
                    };
                    return self.refuse(format!("it has no step \"{id}\""), &next);
                }
            }
            OverlayAction::GoTo(t) if t.nanos() < 0 => {
                return self.refuse("its time begins at 0", "give a time from 0 on");
            }
            OverlayAction::GoTo(_) => {}
            OverlayAction::Set { .. } if !*on => {
                return self.refuse("it is not on, so nothing of it can be changed", "show it first");
            }
            OverlayAction::Set { layer, properties, over, easing } => {
                if over.nanos() < 0 || over.nanos() > MAX_OVER_SECONDS * 1_000_000_000 {
                    return self.refuse("a change takes from 0 seconds to an hour", "give another length of time");
                }
                self.change(layer.as_deref(), properties, easing.as_ref())?;
            }
            other => {
                return Err(Error::new(ErrorKind::Unsupported, format!("an overlay cannot do {other:?}")).at(&self.id));
            }
        }
        Ok(())
    }

    /// Does what [`Self::may`] has allowed.
    pub(crate) fn act(&mut self, at: Tick, action: &OverlayAction) {
        let way = |w: &Way| (w.frames, w.interrupted);
        let plain = (0, Interrupted::default());
        let (enter, exit) =
            self.renderer.as_ref().map_or((plain, plain), |r| (way(&r.program().enter), way(&r.program().exit)));
        let age = self.presence.age(at.frame);
        match action {
            OverlayAction::Show => {
                self.presence.show(at.frame, enter.0, exit.1);
                self.settle(at.frame);
            }
            OverlayAction::Hide => self.presence.hide(at.frame, exit.0, enter.1),
            OverlayAction::SetTokens(values) => {
                for (name, value) in values {
                    if let (Some(v), Some(t)) = (self.tokens.get_mut(name), self.document.tokens.get(name)) {
                        v.clear();
                        v.push_str(t.shown(value));
                    }
                    match self.live.get_mut(name) {
                        Some(v) => v.clone_from(value),
                        None => drop(self.live.insert(name.clone(), value.clone())),
                    }
                }
            }
            OverlayAction::Event(event) => {
                let time = age.map(|a| self.clock.moment(a).time);
                self.hear(time, event);
            }
            OverlayAction::Batch(list) => list.iter().for_each(|a| self.act(at, a)),
            OverlayAction::Next => {
                let (Some(age), Some(r)) = (age, &self.renderer) else { return };
                if !self.clock.next(age, &r.program().timeline.steps) {
                    self.presence.hide(at.frame, exit.0, enter.1);
                }
            }
            OverlayAction::Step { id, at_once } => {
                let (Some(age), Some(r)) = (age, &self.renderer) else { return };
                let t = &r.program().timeline;
                if let Some(step) = t.step_names.iter().position(|n| n == id) {
                    self.clock.go_to_step(age, step, *at_once, &t.steps);
                    self.jumped(age);
                }
            }
            OverlayAction::GoTo(time) => {
                let (Some(age), Some(r)) = (age, &self.renderer) else { return };
                let frame = vistter_core::config::Span::Time(*time).frames(r.program().canvas().fps);
                self.clock.go_to(age, frame, &r.program().timeline.steps);
                self.jumped(age);
            }
            OverlayAction::Set { layer, properties, over, easing } => {
                let change = self.change(layer.as_deref(), properties, easing.as_ref());
                let (Some(age), Some(r), Ok(change)) = (age, &mut self.renderer, change) else { return };
                let frames = match over.nanos() {
                    0 => 0,
                    _ => frames_in(*over, r.program().canvas().fps).into(),
                };
                let when = When { age, frames, k: 1.0 };
                r.turn(layer.as_deref(), (self.clock.moment(age), &self.plan), &change, when, &self.tokens);
            }
            _ => {}
        }
    }

    /// Properties to change, as they are written.
    fn change(
        &self,
        layer: Option<&str>,
        properties: &BTreeMap<String, serde_json::Value>,
        easing: Option<&serde_json::Value>,
    ) -> Result<Change> {
        let program = self.renderer.as_ref().map(|r| r.program());
        let found = layer.and_then(|name| program?.layer(name));
        if let (Some(name), None, Some(p)) = (layer, found, program) {
            let names = p.layer_names();
            let near = nearest(name, names.iter().copied()).map(|n| format!("did you mean \"{n}\"?"));
            let next = near.unwrap_or_else(|| "name a layer of the scene, or a cue".to_owned());
            self.refuse(format!("it has no layer \"{name}\""), &next)?;
        }
        let mut tokens: Vec<&str> = self.document.tokens.keys().map(String::as_str).collect();
        tokens.extend(found.filter(|l| Property::Value.fits(Some(l))).map(|_| VALUE));
        let words = Words { tokens: &tokens, locale: self.document.locale };
        change::read(properties, easing, words, |p| p.fits(found))
            .map_err(|list| Faults::new(Some(format!("overlay {}", self.id)), list).into())
    }

    /// The step the scene stands at or runs to.
    pub fn step(&self) -> Option<&str> {
        let t = self.timeline()?;
        t.step_names.get(self.clock.step(&t.steps)?).map(String::as_str)
    }
    /// Whether the scene stands at a step at a frame, until it is told to go on.
    pub fn stands(&self, frame: u64) -> bool {
        self.presence.age(frame).is_some_and(|age| self.clock.stands(age))
    }

    /// Begins the scene's time when it has come on, by an action or by itself after its way out was finished.
    pub(crate) fn settle(&mut self, frame: u64) {
        let since = self.presence.since(frame);
        if since.is_none() || since == self.began {
            return;
        }
        self.began = since;
        let Some(r) = &mut self.renderer else { return };
        r.settle();
        let t = &r.program().timeline;
        self.clock = SceneClock::begin(&t.steps);
        self.log.begin();
        self.plan.make(&t.tracks, &self.log);
    }

    fn jumped(&mut self, age: u64) {
        self.log.jump(self.clock.moment(age).time);
        self.replan();
    }

    fn replan(&mut self) {
        if let Some(r) = &self.renderer {
            self.plan.make(&r.program().timeline.tracks, &self.log);
        }
    }

    /// Notes what happened at a moment of the scene, if the scene waits for it.
    pub(crate) fn hear(&mut self, time: Option<u64>, event: &OverlayEvent) {
        let Some(t) = self.renderer.as_ref().map(|r| &r.program().timeline) else {
            if event.kind != EventKind::Marker && self.early.len() < MAX_EARLY {
                self.early.push(event.clone());
            }
            return;
        };
        let mut known = false;
        for (i, _) in t.awaited.iter().enumerate().filter(|(_, a)| a.kind == event.kind && a.name == event.name) {
            self.log.tell(i, event.kind, event.on, time);
            known = true;
        }
        if known && time.is_some() {
            self.replan();
        }
    }
}
