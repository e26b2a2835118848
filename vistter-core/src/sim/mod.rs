//! An RTSP test camera: a moving, recognisable picture and sound over real RTSP, with faults on demand. For the demo,
//! for tests, and for trying a show without hardware.
//!
//! Each picture carries its number as digits and as a bar code that survives scaling and encoding; [`barcode::read`]
//! gives it back from the program picture. The picture is encoded once, as a loop ([`TestCameraConfig::loop_seconds`]),
//! so a running camera costs only its packets; the numbers start again at 0 with each loop.
//!
//! A camera with [`TestCameraConfig::steering`] shows the part of a painted harbour that pan, tilt and zoom select, and
//! says in the picture where it looks ([`barcode::read_view`]). Its pictures are encoded as time goes, while somebody
//! watches.
//!
//! Inside, top floor first: `camera` (the handle) → `server` (tokio) → `conversation` (RTSP, sans-IO) and `player`
//! (what is due, sans-IO) → `rtp` (packetisers) → `clip` (encoded pictures: a loop, or `live`) → `picture` and `panorama`
//! (what is seen), `brush`, `barcode`, `sound`.

mod auth;
pub mod barcode;
mod brush;
mod camera;
mod clip;
mod config;
mod conversation;
mod font;
mod fuzz_requests;
mod live;
mod panorama;
mod picture;
mod player;
mod rtp;
mod sdp;
mod server;
mod sound;
mod steering;

pub use camera::TestCamera;
pub use config::{CameraAuth, CameraSound, TestCameraConfig};
pub(crate) use fuzz_requests::fuzz_requests;
pub use panorama::Panorama;
pub use steering::Steering;
