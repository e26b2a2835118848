//! One camera's mover: commands in, arrivals out, whatever driver stands behind.
//!
//! - [`preset`]: which view is meant, so that it is found again after the camera has given out new tokens.
//! - [`collection`]: rename, remove, and a file of presets.
//! - [`learned`]: how long moves took, for cameras that tell nothing; [`LearnedStore`] keeps them in a file.
//! - [`command`]: what is commanded and what comes back.
//! - [`machine`]: the rules, sans-IO: one exchange at a time, a newer go-to replaces an older one, a drive that is not
//!   renewed is stopped, a go-to ends when the camera has arrived.
//! - [`Mover`]: the tokio task that drives the machine and a [`PtzDriver`](vistter_core::ports::PtzDriver).

pub mod collection;
pub mod command;
mod driver;
mod job;
pub mod learned;
mod look;
pub mod machine;
pub mod preset;
mod store;

pub use collection::{Imported, PresetFile};
pub use command::{Arrival, Command, Note, Outcome};
pub use driver::{Mover, MoverState};
pub use learned::LearnedTimes;
pub use machine::MoverPolicy;
pub use preset::{Identity, View};
pub use store::LearnedStore;
