//! Integration tests of the language, one binary.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption does not know

mod assets;
mod broken;
mod changes;
mod cues;
mod demo;
mod effects;
mod fuzz;
mod golden;
mod heard;
mod insets;
mod overlay;
mod picture;
mod schema;
mod specification;
mod stacks;
