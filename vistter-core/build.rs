//! Says loudly when the assembler is missing: openh264's own build falls back to plain C++ without a word, and then
//! encoding costs about 2.5 times the CPU.

use std::env;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo:rustc-check-cfg=cfg(vistter_no_nasm)");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PATH");
    println!("cargo:rerun-if-env-changed=OPENH264_NO_ASM");
    if env::var_os("CARGO_FEATURE_CODECS").is_none() {
        return;
    }
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if !matches!(arch.as_str(), "x86" | "x86_64") {
        return; // other targets use the C compiler's own assembler
    }
    let quiet = |c: &mut Command| c.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if env::var_os("OPENH264_NO_ASM").is_some() || !quiet(Command::new("nasm").arg("-v")) {
        println!("cargo:rustc-cfg=vistter_no_nasm");
        println!(
            "cargo:warning=nasm was not found: H.264 encoding will cost about 2.5 times the CPU. \
             Install nasm, then run `cargo clean -p openh264-sys2` and build again."
        );
    }
}
