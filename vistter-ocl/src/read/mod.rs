//! From JSON text to a checked [`Document`](crate::Document), with every fault at once.
//!
//! A small walker over the JSON value rather than a derived deserialiser: a derived one stops at the first fault, and
//! a person who fixes an overlay wants the list. Each fault skips only the value it is in.
//!
//! | file | duty |
//! |---|---|
//! | `walk.rs` | objects, required and optional fields, unknown names, types |
//! | `pointer.rs` | where a value stands |
//! | `scalar.rs` | ids, numbers in a range, spans, colours, templates |
//! | `document.rs` | the document and its assets |
//! | `asset.rs` | assets, fallbacks |
//! | `token.rs` | tokens |
//! | `time.rs` | points and lengths of time |
//! | `relative.rs` | percentages |
//! | `variant.rs` | what a scene is on canvases of another shape |
//! | `scene.rs` | scenes and layers |
//! | `look.rs` | scale, rotation, crop, masks, blend modes; groups |
//! | `transition.rs` | how scenes come on and go off |
//! | `style.rs` | bundles of properties |
//! | `cue.rs` | tracks, cues, steps |
//! | `sync.rs` | what cues wait for |
//! | `shape.rs` | rectangles and bars |
//! | `widget.rs` | gauges and QR codes |
//! | `sequence.rs` | sequences of pictures |
//! | `text.rs` | texts and tickers |
//! | `automation.rs` | keyframes and easings |
//! | `change.rs` | properties that are changed while the scene plays |

mod asset;
mod automation;
pub(crate) mod change;
pub(crate) mod cue;
mod document;
mod inset;
mod look;
mod pointer;
mod relative;
mod scalar;
mod scene;
mod sequence;
mod shape;
mod style;
pub(crate) mod sync;
mod text;
pub(crate) mod time;
pub(crate) mod token;
mod transition;
mod variant;
mod walk;
mod widget;

pub(crate) use document::MINOR;
use vistter_core::diagnose::{Diagnostic, Severity, Source};

use crate::limits::MAX_DOCUMENT_BYTES;
use crate::model::Document;

/// Reads and checks a document.
///
/// # Errors
/// Every fault and warning, in the order of the text.
pub(crate) fn parse(text: &str) -> Result<(Document, Vec<Diagnostic>), Vec<Diagnostic>> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let d = Diagnostic::error(
            "OCL-LIMIT",
            "",
            format!("the document has {} bytes; at most {MAX_DOCUMENT_BYTES} are allowed", text.len()),
        );
        return Err(vec![d.help("put pictures into files and name them under \"assets\"")]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (value, _) = Source::tree(text).map_err(|d| vec![d])?;
    let faults = walk::Faults::default();
    let document = document::read(&walk::Node::root(&value), &faults);
    let mut list = faults.take();
    crate::fault::locate_all(text, &mut list);
    match document {
        Some(d) if list.iter().all(|d| d.severity == Severity::Warning) => Ok((d, list)),
        _ => Err(list),
    }
}
