//! Any sequence of times as RTP stamps of a camera.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_core::fuzzing::timing(data));
