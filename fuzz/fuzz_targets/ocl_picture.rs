//! Any bytes as the file of a picture: PNG, JPEG, WebP, GIF or SVG.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_ocl::fuzzing::picture(data));
