//! A scene's time: which cues are on at a frame, what they wait for, and how its clock runs. Pure: everything follows
//! from the compiled scene, what happened, and the frame.
//!
//! | file | duty |
//! |---|---|
//! | `index.rs` | which of many intervals hold a frame, found by binary search |
//! | `life.rs` | how far a cue's own way in or out has come |
//! | `plan.rs` | when cues that wait come, and by how much that delays the rest of their track |
//! | `events.rs` | what happened outside, as far as a scene waits for it |
//! | `clock.rs` | the scene's clock: steps at which it stands, jumps |
//! | `compile.rs` | from a scene's tracks to what the others work on |

pub(crate) mod clock;
pub(crate) mod compile;
pub(crate) mod events;
pub(crate) mod index;
pub(crate) mod life;
pub(crate) mod plan;
