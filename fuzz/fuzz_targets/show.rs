//! Any bytes as a show file; no diagnostic quotes a secret.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    vistter_core::fuzzing::show(data);
});
