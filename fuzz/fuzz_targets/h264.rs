//! Any bytes as what a camera says of its pictures.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_core::fuzzing::h264(data);
});
