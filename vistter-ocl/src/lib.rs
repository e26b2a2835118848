//! Overlay Composition Language: parse, validate, compile, evaluate, render.

mod assets;
mod blend;
mod compile;
mod ease;
mod fault;
pub mod limits;
mod message;
pub mod model;
mod overlay;
mod planes;
mod presence;
mod program;
mod raster;
mod read;
mod renderer;
mod template;
mod wallclock;

pub use assets::{AssetSource, Assets, Folder};
pub use compile::compile;
pub use fault::Faults;
pub use model::Document;
pub use overlay::OclOverlay;
pub use program::{LayerState, SceneProgram};
pub use template::{Template, TemplateFault};

use vistter_core::diagnose::Diagnostic;

impl Document {
    /// Reads and checks a document; with it come its warnings.
    ///
    /// # Errors
    /// Every fault (and warning) at once, in the order of the text.
    pub fn parse(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        read::parse(text)
    }
}
