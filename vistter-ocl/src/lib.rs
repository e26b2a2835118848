//! Overlay Composition Language: what viewers see over the cameras, as a JSON document.
//!
//! A document is read and checked with every fault at once ([`Document::parse`]), its files are loaded ([`Assets`]), a
//! scene of it is compiled for one canvas ([`compile`]), and [`OclOverlay`] plays it behind core's
//! [`Overlay`](vistter_core::ports::Overlay). The language is specified in `docs/ocl/README.md`.
//!
//! ```
//! use std::collections::{BTreeMap, HashMap};
//! use vistter_core::{clock::WallTime, media::FramePool, time::FrameRate};
//! use vistter_core::ports::{Canvas, Overlay, OverlayAction, Tick};
//! use vistter_ocl::OclOverlay;
//!
//! let document = r##"{
//!     "ocl": "1.0",
//!     "canvas": { "width": 1920, "height": 1080 },
//!     "tokens": { "name": { "default": "North pier" } },
//!     "scenes": [{ "id": "main", "in": { "type": "fade", "duration": 0.5 }, "layers": [
//!         { "id": "box", "type": "rect", "width": 700, "height": 120, "radius": 16, "color": "#0B1220E0",
//!           "position": { "anchor": "bottom-left", "x": 96, "y": -96 } },
//!         { "id": "name", "type": "text", "text": "{{name}}, {{clock|%H:%M:%S}}", "size": 54,
//!           "position": { "anchor": "bottom-left", "x": 128, "y": -120 } }
//!     ] }]
//! }"##;
//! let files: HashMap<String, Vec<u8>> = HashMap::new(); // or a Folder
//! let mut overlay = OclOverlay::from_str("lower-third", document, &files, None, &BTreeMap::new())?;
//!
//! overlay.prepare(Canvas { width: 1280, height: 720, fps: FrameRate::FPS_30 })?;
//! let tick = |frame| Tick { frame, wall: WallTime::default() };
//! overlay.apply(tick(0), &OverlayAction::Show)?;
//!
//! let mut picture = FramePool::new(1280, 720, 4)?.take();
//! picture.fill([16, 128, 128]);
//! overlay.compose(tick(20), &mut picture)?;
//! assert!(picture.plane(0).row(620)[160..400].iter().any(|y| *y > 200), "white text");
//!
//! let tokens = BTreeMap::from([("name".to_owned(), "Lighthouse".to_owned())]);
//! overlay.apply(tick(21), &OverlayAction::SetTokens(tokens))?; // shows on the next compose
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it draws
//! Content is drawn once into a straight-alpha raster and kept as premultiplied BT.709 limited-range Y, U, V and alpha
//! planes. It is drawn again only when its text changes. A frame costs a blend of each layer's bounding box, in which
//! what is clear is skipped and what is opaque is copied; motion and fades need no drawing. Layers that stand still on one
//! another are blended as one. The blend is integer arithmetic, compiled for several instruction sets and picked at run
//! time, with the same bits from each. When no text changes, composing allocates nothing.
//!
//! # Units
//! Lengths in a document are base pixels; in a [`SceneProgram`] they are canvas pixels, and times are output frames since
//! the scene was shown. Pictures are I420, BT.709, limited range.
//!
//! # Current state
//! Images (PNG, JPEG, WebP, GIF, SVG, sequences of files), shapes, progress bars, gauges, QR codes, text, tickers, groups,
//! typed tokens, the clock and countdowns; opacity, position, scale, rotation, crop, size and colour over time, and changed
//! live; masks and blend modes; cuts, fades, wipes by any matte, slides, pushes, zooms and dips; tracks of cues, steps, and
//! cues that wait for the world. Videos and cameras, when the overlay is told where their pictures come from
//! ([`OclOverlay::with_pictures`]), and what is heard of videos. What scales or turns is resampled at each frame that it
//! moves, and what another blend mode than normal covers is converted to RGB and back.
//! Texts are drawn on the thread that composes when they change: about a millisecond for a line.

#![deny(unsafe_code)]

mod actions;
mod aim;
mod assets;
mod blend;
mod check;
pub mod codes;
mod compile;
mod composite;
mod content;
mod cost;
mod digest;
mod ease;
mod exact;
mod face;
mod fault;
mod filter;
mod flow;
#[doc(hidden)]
pub mod fuzzing;
mod glyphs;
mod inset;
mod legible;
pub mod limits;
mod locale;
mod look;
mod matte;
mod media;
mod message;
pub mod model;
mod overlay;
mod pace;
mod pairs;
mod pass;
mod pen;
mod planes;
mod presence;
mod program;
mod raster;
mod read;
mod reel;
mod renderer;
mod said;
mod schema;
mod script;
mod sheet;
mod sound;
mod stack;
mod standin;
mod template;
mod ticker;
mod timeline;
mod token;
mod track;
mod transition;
mod version;
mod wallclock;
mod watch;

pub use assets::{AssetCache, AssetSource, Assets, Folder, STORE};
pub use check::{check, check_at, check_file, check_file_at, cost_file, plays};
pub use codes::explain;
pub use compile::compile;
pub use cost::{Cost, LayerCost, PROFILES, Profile, Task, estimate, profile};
pub use digest::Digest;
pub use fault::Faults;
pub use model::Document;
pub use overlay::{OclOverlay, Opening};
pub use program::{LayerState, SceneProgram};
pub use schema::schema;
pub use template::{Now, Template, TemplateFault};
pub use version::{Supported, VERSIONS, convert, convert_text, supported};

use vistter_core::diagnose::Diagnostic;

impl Document {
    /// Reads and checks a document; with it come its warnings.
    ///
    /// # Errors
    /// Every fault (and warning) at once, in the order of the text.
    pub fn parse(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        read::parse(text)
    }

    /// [`Document::parse`] of a file; its assets are left alone.
    ///
    /// # Errors
    /// That the file cannot be read; every fault at once.
    pub fn from_file(path: &std::path::Path) -> Result<(Self, Vec<Diagnostic>), Faults> {
        let faults = |list| Faults::new(Some(path.display().to_string()), list);
        overlay::read(path).and_then(|text| Self::parse(&text)).map_err(faults)
    }
}
