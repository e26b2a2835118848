//! The plain structs that say what a session is: the same ones as Rust values, as a JSON show file, and over the
//! bindings.
//!
//! [`ShowConfig::from_json`] reads a show file with line, column and nearest-name errors; [`ShowConfig::check`] finds
//! what types cannot say (unknown cameras, doubled ids). The manual of the file format is `docs/show.md`.

mod address;
mod amend;
mod check;
mod check_ptz;
mod mask;
mod ptz;
mod push;
mod read;
#[cfg(feature = "schema")]
mod schema;
mod show;
mod span;

pub use address::{Address, Credentials, Parts};
pub use amend::add_camera;
pub use check::{BITRATE_KBPS, FPS_MAX, MAX_DELAY_MS, RECORDING_ID, SIDE};
pub use ptz::{HealthRules, Late, PtzConfig, PtzRules, SameCamera};
pub use push::Push;
#[cfg(feature = "schema")]
pub use schema::show_schema;
pub use show::{
    AudioConfig, CameraConfig, DestinationConfig, EffortConfig, Fit, OverlayConfig, OverlayCue, ProgramConfig,
    RecordingConfig, Shot, ShowConfig, SlateConfig, TimelineAction, TimelineConfig, TimelineDo, Transport,
};
pub use span::Span;
