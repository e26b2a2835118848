//! Any bytes as a font.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_ocl::fuzzing::font(data));
