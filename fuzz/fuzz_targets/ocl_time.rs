//! Any text as a time of an OCL document.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_ocl::fuzzing::time(data));
