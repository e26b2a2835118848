//! Any bytes as an FLV file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_rtmp::fuzzing::flv(data);
});
