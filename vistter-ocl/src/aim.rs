//! Properties that were changed live: each goes from what it was then to where it was sent, and stays there.
//!
//! What a document says of a layer is a pure function of the moment; what somebody said later lies over it here.

use std::sync::Arc;

use vistter_core::time::FrameRate;

use crate::model::{Automation, Color, Easing, Envelope};
use crate::program::{LayerProgram, LayerState, Picture, first_frame};
use crate::script::Saying;
use crate::template::Template;
use crate::track::Between;

/// Stands for the scene as a whole, where layers have their numbers.
pub(crate) const SCENE: u32 = u32::MAX;

/// A property that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Opacity,
    Position,
    Scale,
    Rotation,
    Crop,
    Size,
    Radius,
    Color,
    Value,
    Text,
    Volume,
}

impl Property {
    #[rustfmt::skip]
    pub(crate) const ALL: [Self; 11] = [
        Self::Opacity, Self::Position, Self::Scale, Self::Rotation, Self::Crop, Self::Size, Self::Radius, Self::Color,
        Self::Value, Self::Text, Self::Volume,
    ];
    /// As a document names them, in the order of [`Self::ALL`].
    pub(crate) const NAMES: [&str; 11] =
        ["opacity", "position", "scale", "rotation", "crop", "size", "radius", "color", "value", "text", "volume"];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|n| *n == name).and_then(|i| Self::ALL.get(i).copied())
    }

    /// Whether a layer has it; the scene has only two.
    pub(crate) fn fits(self, layer: Option<&LayerProgram>) -> bool {
        match (self, layer) {
            // what one that is left out would have, nobody knows: it is kept until it comes
            (_, Some(l)) if l.left_out => true,
            (Self::Opacity | Self::Position, _) => true,
            (_, None) => false,
            (Self::Size | Self::Radius | Self::Color | Self::Volume, Some(l)) => self.base(l).is_some(),
            (Self::Value, Some(l)) => match l.picture {
                Picture::Text { .. } => l.value.is_some() || !l.motion.value.keys.is_empty(),
                _ => matches!(l.picture, Picture::Progress { .. } | Picture::Gauge { .. }),
            },
            // one of parts that look different has no one text
            (Self::Text, Some(l)) => match &l.picture {
                Picture::Text { words, .. } | Picture::Ticker { words, .. } => words.len() == 1,
                _ => false,
            },
            (_, Some(_)) => true,
        }
    }

    /// What a layer has of it when nothing says otherwise, where its state does not say.
    fn base(self, layer: &LayerProgram) -> Option<Value> {
        use crate::model::Fill;
        let shape = match &layer.picture {
            Picture::Rect(shape) => Some(shape),
            Picture::Progress { bar, .. } => Some(&bar.shape),
            _ => None,
        };
        let detail = layer.look.detail;
        match self {
            Self::Size => shape.map(|s| Value::of([s.width as f64 / detail, s.height as f64 / detail])),
            Self::Radius => shape.filter(|s| !s.oval).map(|s| Value::of([s.radius / detail])),
            Self::Color => match (&layer.picture, shape.map(|s| &s.fill)) {
                (Picture::Text { spec, .. } | Picture::Ticker { spec, .. }, _) => {
                    spec.runs.first().map(|r| Value::Color(Color { rgba: r.rgba }))
                }
                (_, Some(Fill::Color(c))) => Some(Value::Color(*c)),
                _ => None,
            },
            Self::Volume => layer.picture.volume().map(|v| Value::of([v])),
            _ => None,
        }
    }

    fn get(self, s: &LayerState, layer: &LayerProgram) -> Option<Value> {
        match self {
            Self::Opacity => Some(Value::of([s.opacity])),
            Self::Position => Some(Value::of(s.offset)),
            Self::Scale => Some(Value::of(s.scale)),
            Self::Rotation => Some(Value::of([s.rotation])),
            Self::Crop => Some(Value::of(s.crop)),
            Self::Size => s.size.map(Value::of).or_else(|| self.base(layer)),
            Self::Radius => s.radius.map(|r| Value::of([r])).or_else(|| self.base(layer)),
            Self::Color => s.color.map(Value::Color).or_else(|| self.base(layer)),
            Self::Value => s.value.map(|v| Value::of([v])),
            // a text is no number: see `Aims::texts`
            Self::Text => None,
            Self::Volume => s.volume.map(|v| Value::of([v])).or_else(|| self.base(layer)),
        }
    }

    fn put(self, s: &mut LayerState, v: Value) {
        match self {
            Self::Opacity => s.opacity = v.number(),
            Self::Position => s.offset = v.pair(),
            Self::Scale => s.scale = v.pair(),
            Self::Rotation => s.rotation = v.number(),
            Self::Crop => s.crop = v.numbers(),
            Self::Size => s.size = Some(v.pair()),
            Self::Radius => s.radius = Some(v.number()),
            Self::Color => s.color = v.color(),
            Self::Value => s.value = Some(v.number()),
            Self::Text => {}
            Self::Volume => s.volume = Some(v.number()),
        }
    }

    /// The value that an automation's first keyframe has, in canvas pixels.
    fn first(self, a: &Automation, k: f64) -> Option<(Value, &Easing, &[Easing])> {
        fn of<T>(e: &Envelope<T>, v: impl Fn(&T) -> Value) -> Option<(Value, &Easing, &[Easing])> {
            e.keys.first().map(|key| (v(&key.value), &key.easing, key.each.as_slice()))
        }
        match self {
            Self::Opacity => of(&a.opacity, |v| Value::of([*v])),
            Self::Position => of(&a.position, |v| Value::of(v.map(|v| v * k))),
            Self::Scale => of(&a.scale, |v| Value::of(*v)),
            Self::Rotation => of(&a.rotation, |v| Value::of([*v])),
            Self::Crop => of(&a.crop, |v| Value::of(v.map(|v| v * k))),
            Self::Size => of(&a.size, |v| Value::of(v.map(|v| v * k))),
            Self::Radius => of(&a.radius, |v| Value::of([v * k])),
            Self::Color => of(&a.color, |v| Value::Color(*v)),
            Self::Value => of(&a.value, |v| Value::of([*v])),
            Self::Text => None,
            Self::Volume => of(&a.volume, |v| Value::of([*v])),
        }
    }
}

/// A property's value: up to four numbers, or a colour.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Numbers([f64; 4]),
    Color(Color),
}

impl Value {
    fn of<const N: usize>(list: [f64; N]) -> Self {
        Self::Numbers(std::array::from_fn(|i| list.get(i).copied().unwrap_or(0.0)))
    }
    fn numbers(self) -> [f64; 4] {
        match self {
            Self::Numbers(n) => n,
            Self::Color(_) => [0.0; 4],
        }
    }
    fn number(self) -> f64 {
        self.numbers()[0]
    }
    fn pair(self) -> [f64; 2] {
        let [a, b, ..] = self.numbers();
        [a, b]
    }
    fn color(self) -> Option<Color> {
        match self {
            Self::Color(c) => Some(c),
            Self::Numbers(_) => None,
        }
    }
}

impl Between for Value {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self {
        match (self, to) {
            (Self::Numbers(a), Self::Numbers(b)) => Self::Numbers(a.between(b, t)),
            (Self::Color(a), Self::Color(b)) => Self::Color(a.between(b, t)),
            (_, to) => to,
        }
    }
}

/// What is to be changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    /// New values, each as the only keyframe of its property, in base pixels.
    pub(crate) to: Automation,
    /// Properties that go back to what the document says.
    pub(crate) back: Vec<Property>,
    /// How those go.
    pub(crate) easing: Easing,
}

/// When a change begins, counted in frames since the scene was shown, how long it takes, and canvas pixels per base pixel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    pub(crate) age: u64,
    /// 0 and 1: at once.
    pub(crate) frames: u64,
    pub(crate) k: f64,
}

/// Where a property of a layer was sent.
#[derive(Clone, Debug)]
struct Aim {
    of: u32,
    property: Property,
    /// What it was then; `None` when it was not on: it is there at once.
    from: Option<Value>,
    /// `None`: back to what the document says.
    to: Option<Value>,
    start: u64,
    frames: u64,
    easing: Easing,
    /// For each number of the value, when they go differently; else empty.
    each: Vec<Easing>,
}

impl Aim {
    /// Whether frames to come differ from this one. The frame of the change has the first step.
    fn moves(&self, age: u64) -> bool {
        self.from.is_some() && age.saturating_sub(self.start).saturating_add(1) < self.frames
    }
    /// The value at a frame, where the document says `own`.
    fn value(&self, age: u64, own: Option<Value>) -> Option<Value> {
        let to = self.to.or(own)?;
        let Some(from) = self.from.filter(|_| self.moves(age)) else { return Some(to) };
        let part = (age.saturating_sub(self.start) + 1) as f64 / self.frames as f64;
        Some(from.between(to, |i| self.each.get(i).unwrap_or(&self.easing).at(part)))
    }
}

/// All changes, and the frame at which they are looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aims {
    list: Vec<Aim>,
    /// Texts by the numbers of their layers: they are there at once.
    texts: Vec<(u32, Arc<Template>)>,
    /// Frames since the scene was shown.
    pub(crate) age: u64,
}

impl Aims {
    /// Changes properties of a layer (`None`: of the scene) that is now as `now` says, or that is not on.
    pub(crate) fn set(&mut self, layer: Option<&LayerProgram>, now: Option<&LayerState>, c: &Change, when: When) {
        let of = layer.map_or(SCENE, |l| l.number);
        let now = now.filter(|_| layer.is_none_or(|l| !l.left_out));
        let present = |p: Property| match (layer, now, p) {
            (Some(l), Some(s), p) => p.get(s, l),
            (None, Some(s), Property::Opacity) => Some(Value::of([s.opacity])),
            (None, Some(s), Property::Position) => Some(Value::of(s.offset)),
            _ => None,
        };
        let text = c.to.text.keys.first().map(|k| Arc::new(k.value.clone()));
        if text.is_some() || c.back.contains(&Property::Text) {
            self.texts.retain(|(n, _)| *n != of);
            self.texts.extend(text.map(|t| (of, t)));
        }
        for p in Property::ALL.into_iter().filter(|p| *p != Property::Text) {
            let (to, easing, each) = match p.first(&c.to, when.k) {
                Some((v, easing, each)) => (Some(v), *easing, each.to_vec()),
                None if c.back.contains(&p) => (None, c.easing, Vec::new()),
                None => continue,
            };
            self.list.retain(|a| (a.of, a.property) != (of, p));
            let (start, frames) = (when.age, when.frames);
            self.list.push(Aim { of, property: p, from: present(p), to, start, frames, easing, each });
        }
        self.age = when.age;
    }

    /// Lays the changes of a layer over what the document says of it.
    pub(crate) fn over(&self, layer: &LayerProgram, s: &mut LayerState) {
        if layer.left_out {
            return;
        }
        for a in self.list.iter().filter(|a| a.of == layer.number) {
            let rests = a.to.is_none() && !a.moves(self.age);
            if !rests && let Some(v) = a.value(self.age, a.property.get(s, layer)) {
                a.property.put(s, v);
            }
        }
        if self.text(layer.number).is_some() {
            s.says = Saying::Live;
        }
    }

    /// The same for the scene: its opacity and its place.
    pub(crate) fn over_scene(&self, opacity: &mut f64, place: &mut [f64; 2]) {
        for a in self.list.iter().filter(|a| a.of == SCENE) {
            match a.property {
                Property::Opacity => {
                    *opacity = a.value(self.age, Some(Value::of([*opacity]))).map_or(*opacity, Value::number);
                }
                _ => *place = a.value(self.age, Some(Value::of(*place))).map_or(*place, Value::pair),
            }
        }
    }

    /// The same for a program whose layers have other numbers; `number` gives them.
    pub(crate) fn renumbered(&self, number: impl Fn(u32) -> Option<u32>) -> Self {
        let of = |a: &Aim| if a.of == SCENE { Some(SCENE) } else { number(a.of) };
        let list = self.list.iter().filter_map(|a| Some(Aim { of: of(a)?, ..a.clone() })).collect();
        let texts = self.texts.iter().filter_map(|(n, t)| Some((number(*n)?, t.clone()))).collect();
        Self { list, texts, age: self.age }
    }

    /// The text that a layer was given.
    pub(crate) fn text(&self, layer: u32) -> Option<&Template> {
        self.texts.iter().find(|(n, _)| *n == layer).map(|(_, t)| &**t)
    }
    /// When a text that was set may differ by itself, so many frames after the scene was shown: seconds of wall-clock time
    /// between its steps, and a frame.
    pub(crate) fn steps(&self, fps: FrameRate, run: u64) -> (Option<i64>, Option<u64>) {
        let all = || self.texts.iter().map(|(_, t)| t);
        let timer = all().filter_map(|t| t.next_tick(fps.time_of(run))).min();
        (all().filter_map(|t| t.clock_step()).min(), timer.map(|t| first_frame(fps, t)))
    }

    /// Whether something is under way at a frame.
    pub(crate) fn moves(&self, age: u64) -> bool {
        self.list.iter().any(|a| a.moves(age))
    }
    /// The same for one layer, or for [`SCENE`].
    pub(crate) fn moves_layer(&self, number: u32) -> bool {
        self.list.iter().any(|a| a.of == number && a.moves(self.age))
    }
    /// The scene is shown anew: everything is where it was sent.
    pub(crate) fn end(&mut self) {
        self.list.retain(|a| a.to.is_some());
        self.list.iter_mut().for_each(|a| a.from = None);
    }
}
