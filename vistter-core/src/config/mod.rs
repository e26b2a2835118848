//! The plain structs that say what a session is: the same ones as Rust values, as a JSON show file, and over the
//! bindings.
//!
//! [`ShowConfig::from_json`] reads a show file with line, column and nearest-name errors; [`ShowConfig::check`] finds
//! what types cannot say (unknown cameras, doubled ids).

mod address;
mod show;
mod span;

pub use address::{Address, Credentials};
pub use show::{
    AudioConfig, CameraConfig, DestinationConfig, EffortConfig, Fit, OverlayConfig, OverlayCue, ProgramConfig,
    RecordingConfig, Shot, ShowConfig, SlateConfig, TimelineConfig, Transport,
};
pub use span::Span;
