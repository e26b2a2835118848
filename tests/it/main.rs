//! Tests of the whole, against real peers. Those of the `vistter` program are in `vistter-appliance/tests/it`.

#[path = "../peers/mod.rs"]
mod peers;

#[cfg(feature = "sim")]
mod cuts;
mod peers_work;
