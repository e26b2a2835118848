//! Tests of the whole, against real peers.

#[path = "../peers/mod.rs"]
mod peers;

mod peers_work;
