//! The public handle of a running show: start it, command it, watch it, stop it.
//!
//! ```
//! use vistter_core::session::Session;
//! use vistter_core::{NullOutput, NullSource};
//!
//! # tokio_test(async {
//! let session = Session::builder()
//!     .camera("gate", Box::new(NullSource))
//!     .output("platform", Box::new(NullOutput::default()))
//!     .encoder(vistter_core::session::null_backend())
//!     .audio_encoder(vistter_core::session::null_audio())
//!     .start()
//!     .await?;
//! println!("{:?}", session.status().on_air);
//! session.stop().await;
//! # Ok::<(), vistter_core::Error>(())
//! # });
//! # fn tokio_test<F: std::future::Future<Output = Result<(), vistter_core::Error>>>(f: F) {
//! #     tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(f).unwrap();
//! # }
//! ```

mod builder;
mod event;
mod handle;
mod parts;

pub use builder::SessionBuilder;
pub use event::{OverlayStatus, SessionEvent, SessionStatus, Summary, ViewName};
pub use handle::Session;
pub use parts::{null_audio, null_backend};

#[cfg(test)]
mod tests;
