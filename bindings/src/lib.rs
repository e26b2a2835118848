//! VistterStream from Python and Swift, through uniffi.
//!
//! ```python
//! import vistter
//! for d in vistter.check_show(text): print(d.line, d.message)
//! show = vistter.Program.start(text, "/srv/show")
//! print(show.status_json())
//! show.cut("gate")
//! show.stop()
//! ```
//!
//! The show file is the one of `vistter run`; status and events are its JSON too, so there is one format to learn.
//! Calls block the calling thread where they wait, and no other: the generated Python releases its lock around them.
//!
//! # Current state
//! Python is tested (`bindings/test.sh`). The Swift source is generated from the same library and packaged in
//! `bindings/swift`; it was not compiled here. No asynchronous calls, and no custom sources or overlays written in
//! Python or Swift yet.

mod error;
mod program;
mod show;

pub use error::VistterError;
pub use program::Program;
pub use show::{Diagnostic, Severity, check_show};

uniffi::setup_scaffolding!("vistter");

/// The version of this library.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
