//! What a text says over time: one text after the other. Nothing is between two texts, so each stays until the next one.

use vistter_core::time::FrameRate;

use crate::compile::track;
use crate::model::{Easing, Envelope, Keyframe};
use crate::template::Template;
use crate::track::{Between, Track};

/// Which of its texts a layer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Saying {
    /// The one that the layer itself has.
    #[default]
    Own,
    /// That of a keyframe, by its place among them.
    Key(u32),
    /// One that was set live.
    Live,
}

/// It jumps at the end of the way.
impl Between for Saying {
    fn between(self, to: Self, t: impl Fn(usize) -> f64) -> Self {
        if t(0) >= 1.0 { to } else { self }
    }
}

/// The texts of keyframes, and when each is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) track: Track<Saying>,
    texts: Vec<Template>,
}

impl Script {
    pub(crate) fn new(of: &Envelope<Template>, fps: FrameRate) -> Self {
        let key = |(i, k): (usize, &Keyframe<Template>)| Keyframe {
            at: k.at,
            value: Saying::Key(u32::try_from(i).unwrap_or(u32::MAX)),
            easing: Easing::Hold,
            each: Vec::new(),
        };
        let keys = of.keys.iter().enumerate().map(key).collect();
        let texts = of.keys.iter().map(|k| k.value.clone()).collect();
        Self { track: track(&Envelope { keys, repeat: of.repeat }, fps, |s| *s), texts }
    }

    /// The text of a keyframe.
    pub(crate) fn text(&self, key: u32) -> Option<&Template> {
        self.texts.get(key as usize)
    }
    /// All of them.
    pub(crate) fn texts(&self) -> &[Template] {
        &self.texts
    }
}
