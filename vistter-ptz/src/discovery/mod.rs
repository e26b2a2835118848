//! Finding cameras: WS-Discovery (OASIS, April 2005 draft, as ONVIF takes it) and mDNS (`_rtsp._tcp`) on every interface, and
//! WS-Discovery to addresses that the user names.
//!
//! - [`message`]: the Probe and what comes back. [`dns`]: the packets of mDNS, and what is made of them. [`Search`]: when to ask, whom, and what is new, sans-IO.
//! - [`Discovery`]: the sockets.

pub mod dns;
mod driver;
mod mdns;
pub mod message;
mod search;

pub use driver::{DiscoverOptions, Discovery, Interface, interfaces};
pub use message::Found;
pub use search::{Ask, MOST_ADDRESSES, Search, addresses};
