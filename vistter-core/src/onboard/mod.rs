//! Onboarding: is this camera fit for a show, and what stream of it is best? Every step of the answer is recorded with its
//! result and duration, so that a person sees what to change, and the report is complete as far as the check came.
//!
//! - `report`: what was found, with a stable JSON form. `recorder`: writes it, step by step, and tells it while it goes on.
//! - [`choose`]: which media profile, and why.
//! - `entry`: the camera's entry for a show file.
//! - [`try_stream`] (feature `session`): connects, decodes the first picture, measures.
//!
//! The steps that ask an ONVIF device are in `vistter-ptz`; `vistter::onboard` joins all of them.

mod choose;
mod entry;
mod recorder;
mod report;
#[cfg(feature = "session")]
mod stream;

pub use choose::{Choice, Offer, Wish, choose};
pub use entry::{camera_entry, entry_with_head, entry_with_pin, push_entry};
pub use recorder::{Progress, Recorder};
pub use report::{Chosen, DeviceFacts, Limits, PtzFacts, Report, SoundFacts, Step, StepName, StepResult, StreamFacts};
#[cfg(feature = "session")]
pub use stream::{StreamTest, try_stream};
