//! Any bytes from an encoder to the RTMP receiver.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_rtmp::fuzzing::server(data);
});
