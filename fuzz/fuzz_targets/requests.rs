//! Any bytes from a viewer of the RTSP test camera.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_core::fuzzing::requests(data);
});
