//! Any text as an OCL template, and as the value of its tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_ocl::fuzzing::text(data));
