//! The program: one worker, one tick per output frame, at constant rate.
//!
//! Each tick asks the [director](crate::timeline::Director) what is on air, picks that camera's picture by time, fits it to
//! the program, blends the overlays in place, encodes once, and hands the packets to every output. Output timestamps
//! come from the frame index and the sample count alone, so they are strictly monotonic whatever cameras do.

mod aloud;
mod audio;
mod compose;
mod mixer;
mod scale;
mod slate;
mod status;
mod worker;

pub use aloud::OverlaySound;
#[cfg(feature = "codecs")]
pub(crate) use audio::fits;
pub use audio::{AudioFrom, silence};
pub use scale::Scaler;
pub(crate) use scale::{Part, fit_rect};
pub use slate::slate_picture;
pub use status::{ProgramCounters, ProgramStatus};
pub(crate) use worker::{Control, OverlaySlot, Report, Shared, Sink, Worker, WorkerParts};
