//! Where a layer stands.

/// A layer's anchor point lies on the same point of the picture, moved by `x` and `y`.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Placement {
    /// Which point.
    pub anchor: Anchor,
    /// Of which part of the picture.
    pub within: Within,
    /// Right, in base pixels.
    pub x: f64,
    /// Down, in base pixels.
    pub y: f64,
}

/// A part of the picture that anchors refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Within {
    /// All of it.
    #[default]
    Canvas,
    /// Where what happens is seen on every screen: 3.5 % of the picture from each edge (EBU R 95).
    ActionSafe,
    /// Where what is written is seen on every screen: 5 % from each edge.
    TitleSafe,
}

impl Within {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 3] = ["canvas", "action-safe", "title-safe"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Canvas, Self::ActionSafe, Self::TitleSafe]
            .into_iter()
            .zip(Self::NAMES)
            .find(|(_, n)| *n == name)
            .map(|(w, _)| w)
    }
    /// What is left out of a side of `length` pixels, at each end.
    pub fn margin(self, length: u32) -> u32 {
        let permille = match self {
            Self::Canvas => 0,
            Self::ActionSafe => 35,
            Self::TitleSafe => 50,
        };
        (u64::from(length) * permille / 1000) as u32
    }
}

/// One of nine points of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Anchor {
    /// 0 left, 1 middle, 2 right.
    pub(crate) h: u8,
    /// 0 top, 1 middle, 2 bottom.
    pub(crate) v: u8,
}

impl Anchor {
    /// The names, row by row.
    pub const NAMES: [&'static str; 9] =
        ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];
    /// By name.
    pub fn parse(name: &str) -> Option<Self> {
        let i = Self::NAMES.iter().position(|n| *n == name)? as u8;
        Some(Self { h: i % 3, v: i / 3 })
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[usize::from(self.v.min(2) * 3 + self.h.min(2))]
    }
}
