//! VistterStream: live production on a small box. Cameras over RTSP, a timeline of shots and overlays, one H.264/AAC
//! encode, many RTMP destinations, in one process.
//!
//! This crate joins the others: [`core`], [`ocl`], [`rtmp`] and [`ptz`] are whole crates; what a show needs is at the
//! top. [`start`] builds everything from a show file's [`ShowConfig`]; [`Session::builder`] takes parts of your own.
//! [`fetch`] gets what the URLs of an overlay document name;
//! [`mod@onboard`] tries a camera before it is put into a show.
//!
//! ```no_run
//! # async fn f() -> vistter::Result<()> {
//! let text = std::fs::read_to_string("show.json").map_err(|e| vistter::Error::io("read the show", &e))?;
//! let (show, _warnings) = vistter::ShowConfig::from_json(&text).expect("every fault, with line and column");
//! let session = vistter::start(show, std::path::Path::new(".")).await?;
//! session.finished().await;
//! session.stop().await;
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod compose;
mod documents;
pub mod fetch;
pub mod onboard;
mod prints;
mod push;

/// The README's examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use compose::{
    Options, Prepared, RECORDING, Started, camera, prepare, prepare_with, start, start_with, unknown_cameras,
};
pub use documents::Documents;
pub use onboard::onboard;
pub use prints::Prints;
pub use vistter_core as core;
pub use vistter_core::config::ShowConfig;
pub use vistter_core::session::{Session, SessionEvent, SessionStatus, Summary};
pub use vistter_core::{Error, ErrorKind, Result, Secret};
pub use vistter_ocl as ocl;
pub use vistter_ptz as ptz;
pub use vistter_rtmp as rtmp;
