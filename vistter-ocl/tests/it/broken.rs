//! Broken documents and their exact diagnostics: `tests/broken/NAME.ocl.json` and `NAME.txt`.
//!
//! `OCL_BLESS=1` writes the texts anew: read every one that changed as the person would who has to fix the document.

use std::collections::BTreeSet;
use std::path::Path;

use vistter_core::clock::WallTime;
use vistter_ocl::{check_file_at, explain, plays};

/// When the documents are checked: 2026-11-21 20:00 UTC.
const NOW: WallTime = WallTime::from_unix_nanos(1_795_291_200_000_000_000);

#[test]
fn broken_documents_say_what_is_wrong() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut names: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(".ocl.json").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 30, "{names:?}");
    let (mut wrong, mut codes, mut broken) = (Vec::new(), BTreeSet::new(), 0);
    for name in names {
        let path = dir.join(format!("{name}.ocl.json"));
        let faults = check_file_at(&path, NOW);
        assert!(!faults.is_empty(), "{name} is no broken document");
        broken += usize::from(!plays(&faults));
        codes.extend(faults.iter().map(|d| d.code));
        let got: String = faults.iter().map(|d| format!("{d}\n")).collect();
        let expected = dir.join(format!("{name}.txt"));
        if std::env::var_os("OCL_BLESS").is_some() {
            std::fs::write(&expected, &got).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != got || got.is_empty() {
            wrong.push(format!("--- {name}\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "diagnostics differ from the fixtures:\n{}", wrong.join("\n"));
    assert!(broken >= 30, "{broken} do not play at all");
    // A code that no broken document gets is a code nobody has read as its reader would.
    let elsewhere = ["OCL-COST", "OCL-DOWNGRADE", "OCL-FILE", "OCL-PREPARE", "OCL-UNKNOWN-CAMERA", "OCL-UNKNOWN-SCENE"];
    let unseen: Vec<&str> = vistter_ocl::codes::CODES
        .iter()
        .map(|c| c.code)
        .filter(|c| !codes.contains(c) && !elsewhere.contains(c))
        .collect();
    assert!(unseen.is_empty(), "no broken document gets {unseen:?}");
}

/// Every code in the source has its explanation and its line in the specification.
#[test]
fn every_code_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let specification = crate::specification::pages();
    let mut folders = vec![root.join("src")];
    let mut found = BTreeSet::new();
    while let Some(dir) = folders.pop() {
        for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if e.is_dir() {
                folders.push(e);
            } else {
                let text = std::fs::read_to_string(e).unwrap();
                let quoted = text.split('"').filter(|s| s.starts_with("OCL-") && s.len() > 4);
                found.extend(quoted.map(str::to_owned));
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    for code in &found {
        assert!(explain(code).is_some(), "{code} is not in codes.rs");
    }
    for code in vistter_ocl::codes::CODES {
        assert!(specification.contains(&format!("`{}`", code.code)), "{} is not in the specification", code.code);
    }
}
