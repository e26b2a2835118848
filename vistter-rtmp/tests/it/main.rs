//! Real peers: nginx with its RTMP module, FFmpeg's tools, OpenSSL. They are installed by the project's set-up; without
//! them these tests fail and say so.

#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

mod certs;
mod material;
mod peers;

mod publish;
mod receive;
mod refuse;
mod tls;
