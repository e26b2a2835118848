//! Broken documents and their exact diagnostics: `tests/broken/NAME.ocl.json` and `NAME.txt`.
//!
//! `OCL_BLESS=1` writes the texts anew: read every one that changed as the person would who has to fix the document.

use std::collections::BTreeMap;
use std::path::Path;

use vistter_ocl::OclOverlay;

#[test]
fn broken_documents_say_what_is_wrong() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut names: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(".ocl.json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let path = dir.join(format!("{name}.ocl.json"));
        let faults = OclOverlay::from_file("x", &path, None, &BTreeMap::new()).err().map(|f| f.into_diagnostics());
        let got: String = faults.unwrap_or_default().iter().map(|d| format!("{d}\n")).collect();
        let expected = dir.join(format!("{name}.txt"));
        if std::env::var_os("OCL_BLESS").is_some() {
            std::fs::write(&expected, &got).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != got || got.is_empty() {
            wrong.push(format!("--- {name}\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "diagnostics differ from the fixtures:\n{}", wrong.join("\n"));
}
