//! Any bytes as a video file in MP4.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_core::fuzzing::mp4(data);
});
