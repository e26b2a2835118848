//! One file for each command, and what `run` and `demo` share in `play`.

pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod discover;
pub(crate) mod doctor;
mod load;
pub(crate) mod ocl;
pub(crate) mod onboard;
mod play;
pub(crate) mod probe;
pub(crate) mod ptz;
pub(crate) mod run;
pub(crate) mod schema;
