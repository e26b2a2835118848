//! Finding cameras: WS-Discovery (OASIS, April 2005 draft, as ONVIF takes it) on every IPv4 interface, and to addresses that
//! the user names.
//!
//! - [`message`]: the Probe and what comes back. [`Search`]: when to ask, whom, and what is new, sans-IO.
//! - [`Discovery`]: the sockets.

mod driver;
pub mod message;
mod search;

pub use driver::{DiscoverOptions, Discovery, interfaces};
pub use message::Found;
pub use search::{MOST_ADDRESSES, Search, addresses};
