//! Any bytes from a server to the publishing RTMP client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_rtmp::fuzzing::client(data);
});
