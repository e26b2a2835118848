//! Real peers: nginx with its RTMP module, FFmpeg's tools, OpenSSL. They are installed by the project's set-up; without
//! them these tests fail and say so.

#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

#[path = "../../../tests/peers/mod.rs"]
mod peers;

mod material;
mod publish;
mod receive;
mod refuse;
mod tls;
mod tools;
