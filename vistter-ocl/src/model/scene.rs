//! Scenes, layers and what they show.

use vistter_core::config::Span;

use super::{
    Align, Automation, Background, Backing, Breaks, Camera, Color, Easing, Fill, Fit, Gauge, Layout, Look, Placement,
    Qr, Relative, Run, SceneFallback, Side, Step, TextStyle, Track, Transition, Video,
};
use crate::template::Template;

/// What comes on and goes off together.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Name, unique in the document.
    pub id: String,
    /// How it comes on.
    pub enter: Transition,
    /// How it goes off.
    pub exit: Transition,
    /// Opacity and shift of the whole scene over time.
    pub automation: Automation,
    /// Layers in the order of the document; the compiler sorts them by `z`.
    pub layers: Vec<Layer>,
    /// Cues over time.
    pub tracks: Vec<Track>,
    /// Points at which it stands, in the order of their times.
    pub steps: Vec<Step>,
    /// What is shown in its place when it cannot be shown as written.
    pub fallback: Option<SceneFallback>,
    /// What it is on canvases of other shapes.
    pub variants: Vec<Variant>,
}

/// A scene for canvases of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The shape: width to height.
    pub aspect: (u32, u32),
    /// The resolution it is drawn for; the document's if absent.
    pub base: Option<(u32, u32)>,
    /// All of the scene, as it is on such a canvas; it has no variants itself.
    pub scene: Scene,
}

impl Variant {
    /// A canvas of this shape and about this width.
    pub(crate) fn canvas(&self, width: u32) -> (u32, u32) {
        let height = u64::from(width) * u64::from(self.aspect.1) / u64::from(self.aspect.0.max(1));
        (width, u32::try_from(height).unwrap_or(u32::MAX).clamp(16, 8192))
    }
}

impl Scene {
    /// Every layer, those in groups and cues too, each with its pointer below the scene's.
    pub fn every_layer(&self) -> Vec<(String, &Layer)> {
        fn walk<'s>(list: &'s [Layer], at: &str, out: &mut Vec<(String, &'s Layer)>) {
            for (i, l) in list.iter().enumerate() {
                let at = format!("{at}/layers/{i}");
                out.push((at.clone(), l));
                if let Content::Group(g) = &l.content {
                    walk(&g.layers, &at, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.layers, "", &mut out);
        for (t, track) in self.tracks.iter().enumerate() {
            for (c, cue) in track.cues.iter().enumerate() {
                let at = format!("/tracks/{t}/cues/{c}");
                let parts = [("content", Some(&cue.layer)), ("fallback", cue.fallback.as_deref())];
                for (name, layer) in parts.into_iter().filter_map(|(name, l)| Some((name, l?))) {
                    out.push((format!("{at}/{name}"), layer));
                    if let Content::Group(g) = &layer.content {
                        walk(&g.layers, &format!("{at}/{name}"), &mut out);
                    }
                }
            }
        }
        out
    }

    /// What it is on a canvas of this size, and the resolution that is drawn for: the variant whose shape is nearest, if
    /// it is nearer than that of `base`, the document's own.
    pub fn on(&self, base: (u32, u32), width: u32, height: u32) -> (&Self, (u32, u32)) {
        // how much longer one is than the other, whichever
        let far = |(w, h): (u32, u32)| {
            let ratio = f64::from(w) * f64::from(height) / (f64::from(h).max(1.0) * f64::from(width).max(1.0));
            ratio.max(1.0 / ratio.max(1e-9))
        };
        let near = self.variants.iter().min_by(|a, b| far(a.aspect).total_cmp(&far(b.aspect)));
        match near {
            Some(v) if far(v.aspect) < far(base) => (&v.scene, v.base.unwrap_or(base)),
            _ => (self, base),
        }
    }
}

impl Content {
    /// Gives it another width or height, in base pixels, if it has one.
    pub(crate) fn resize(&mut self, w: Option<f64>, h: Option<f64>) {
        match self {
            Self::Group(g) => g.size = [w.or(g.size[0]), h.or(g.size[1])],
            Self::Image { width, height, .. } => (*width, *height) = (w.or(*width), h.or(*height)),
            Self::Video(v) => (v.width, v.height) = (w.or(v.width), h.or(v.height)),
            Self::Camera(c) => (c.width, c.height) = (w.unwrap_or(c.width), h.unwrap_or(c.height)),
            Self::Rect { width, height, .. }
            | Self::Ellipse { width, height, .. }
            | Self::Progress { width, height, .. } => {
                (*width, *height) = (w.unwrap_or(*width), h.unwrap_or(*height));
            }
            Self::Text { width, .. } => *width = w.or(*width),
            Self::Ticker { width, .. } => *width = w.unwrap_or(*width),
            // squares: they have one size
            Self::Gauge(_) | Self::Qr(_) => {}
        }
    }
}

/// One thing drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name, unique in the scene.
    pub id: String,
    /// Stacking: higher covers lower; equal ones stack in the order of the document.
    pub z: i32,
    /// Where it stands.
    pub place: Placement,
    /// 0 (not there) to 1.
    pub opacity: f64,
    /// Lengths that are parts of what it stands in.
    pub relative: Relative,
    /// What is done to its picture.
    pub look: Look,
    /// Its properties over time; each replaces the fixed value.
    pub automation: Automation,
    /// How what it shows goes over to something else when a token changes; at once if absent.
    pub change: Option<Change>,
    /// What it shows.
    pub content: Content,
}

/// How a layer's content goes over to another one while it is seen: a text by a cross-fade, a bar by a glide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// How long.
    pub duration: Span,
    /// How it runs in that time.
    pub easing: Easing,
}

/// What a layer shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Layers that are composited with each other first, and then are as one picture.
    Group(Group),
    /// A filled ellipse.
    Ellipse {
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// What it is filled with.
        fill: Fill,
    },
    /// A picture from an asset, stretched to its size.
    Image {
        /// Asset id.
        asset: String,
        /// Width in base pixels; from the height and the picture's shape if absent.
        width: Option<f64>,
        /// Height in base pixels; from the width and the picture's shape if absent.
        height: Option<f64>,
        /// How it fills a box that has both.
        fit: Fit,
        /// How often a moving picture is played, 0 without end; as its file says if absent.
        plays: Option<u32>,
    },
    /// A video from an asset.
    Video(Video),
    /// What a camera of the show sees now.
    Camera(Camera),
    /// A filled rectangle.
    Rect {
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// Corner radius in base pixels.
        radius: f64,
        /// What it is filled with.
        fill: Fill,
    },
    /// A bar that is filled as far as a number says.
    Progress {
        /// The number, as a text.
        value: Template,
        /// At this number the bar is empty, and at that one full.
        range: (f64, f64),
        /// Where it is full last.
        to: Side,
        /// Base pixels.
        width: f64,
        /// Base pixels.
        height: f64,
        /// Corner radius in base pixels.
        radius: f64,
        /// The full part.
        fill: Fill,
        /// What is behind it.
        track: Color,
    },
    /// An arc that is filled as far as a number says.
    Gauge(Gauge),
    /// A QR code.
    Qr(Qr),
    /// Text, one line or several.
    Text {
        /// What it says: one part at least.
        runs: Vec<Run>,
        /// What `{{value}}` is in it; its keyframes win.
        value: Option<f64>,
        /// How it looks.
        style: TextStyle,
        /// How its lines stand to each other.
        align: Align,
        /// Width of the box in base pixels; lines are aligned in it, and end in "…" when they are longer. Without it
        /// the box is as wide as the longest line.
        width: Option<f64>,
        /// Lines longer than this end in "…", or are wrapped; base pixels.
        max_width: Option<f64>,
        /// Where lines that are too long are broken.
        wrap: Breaks,
        /// Lines beyond this are not drawn.
        max_lines: usize,
        /// The size may shrink to this, in base pixels, so that the text fits.
        min_size: Option<f64>,
        /// A box behind the text.
        background: Option<Background>,
    },
    /// Text that runs from right to left through a window, again and again.
    Ticker {
        /// What it says: one part at least.
        runs: Vec<Run>,
        /// How it looks.
        style: TextStyle,
        /// Width of the window in base pixels.
        width: f64,
        /// Space between the end of the text and its next start, in base pixels.
        gap: f64,
        /// Base pixels per second.
        speed: f64,
    },
}

impl Content {
    /// The names of the layer types.
    pub const NAMES: [&'static str; 11] =
        ["image", "video", "camera", "rect", "ellipse", "progress", "gauge", "qr", "text", "ticker", "group"];
}

/// Layers that are composited with each other first.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Width and height of its box in base pixels; as large as what it stands in if absent.
    pub size: [Option<f64>; 2],
    /// What reaches over its box is not seen.
    pub clip: bool,
    /// How its layers stand to each other; where their positions say if absent. With a layout, a side of the box without
    /// a size is as long as its layers need.
    pub layout: Option<Layout>,
    /// A box behind its layers.
    pub background: Option<Backing>,
    /// In the order of the document.
    pub layers: Vec<Layer>,
}
