//! Any bytes as an OCL document; what is accepted is compiled, played and drawn.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vistter_ocl::fuzzing::compile(data));
