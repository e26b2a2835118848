//! Real peers for the integration tests of every crate: GStreamer's RTSP server as cameras, nginx with the RTMP module
//! as destinations, OpenSSL for certificates, FFmpeg's tools as judges.
//!
//! A crate's `tests/it/main.rs` takes it in with `#[path = "../../../tests/peers/mod.rs"] mod peers;`. Everything
//! listens on loopback, on ports that were free a moment ago, writes below the target directory, and ends with the
//! value that started it, also when the test process is killed. A missing program is a failed test that names the
//! package, never a skipped one.
#![allow(dead_code)] // each crate uses its own part
#![allow(unreachable_pub, unused_imports, missing_docs)]
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // test code: real time, and a panic is the verdict

mod camera;
mod certs;
mod disk;
mod judge;
mod nginx;
mod place;

pub use camera::GstCamera;
pub use certs::{Certificate, Certs};
pub use disk::SmallDisk;
pub use judge::{Plane, decode_i420, ffmpeg_decodes, ffmpeg_tool, ffprobe_json, gray_frame, psnr, video_hashes};
pub use nginx::{Nginx, NginxOptions, Publisher};
pub use place::{TempDir, free_port, tool};
