//! Any bytes as a font.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // libFuzzer's own hook aborts before a panic can be caught, and what reads fonts may panic inside the text engine, which
    // catches that. What nobody catches still ends the run.
    std::panic::set_hook(Box::new(|_| {}));
    vistter_ocl::fuzzing::font(data);
});
