//! `uniffi-bindgen generate --library … --language python --out-dir …`

fn main() {
    uniffi::uniffi_bindgen_main();
}
