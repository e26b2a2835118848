//! Reads show files for `run` and `check`, and knows where the program keeps files of its own.

use std::io::Read;
use std::path::{Path, PathBuf};

use vistter_core::config::ShowConfig;
use vistter_core::diagnose::{Diagnostic, nearest};

/// The largest show file, in bytes.
pub(super) const MAX_BYTES: u64 = 4 << 20;

/// Reads and checks a show file. An unreadable one is one diagnostic.
pub(super) fn load(path: &Path) -> Result<(ShowConfig, Vec<Diagnostic>), Vec<Diagnostic>> {
    let text = text(path).map_err(|d| vec![d])?;
    ShowConfig::from_json(&text)
}

fn text(path: &Path) -> Result<String, Diagnostic> {
    let fail = |e: std::io::Error| {
        let d = Diagnostic::error("SHOW-FILE", "", format!("the show file cannot be read: {e}"));
        match near(path) {
            Some(n) if e.kind() == std::io::ErrorKind::NotFound => d.help(format!("did you mean \"{n}\"?")),
            _ => d.help("check the path; docs/show.md has an example to begin with"),
        }
    };
    if path.is_dir() {
        return Err(fail(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|f| f.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(fail)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Diagnostic::error("SHOW-LIMIT", "", "the show file is larger than 4 MiB"));
    }
    String::from_utf8(bytes)
        .map_err(|_| Diagnostic::error("JSON-SYNTAX", "", "the show file is not UTF-8 text").help("save it as UTF-8"))
}

/// The JSON file in the same folder with the nearest name.
fn near(path: &Path) -> Option<String> {
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(dir)
        .ok()?
        .take(1000)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.ends_with(".json"))
        .collect();
    nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str)).map(str::to_owned)
}

/// The folder that the show's files are relative to.
pub(super) fn base_dir(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The file that the user names, or one of this name in the user's state folder; `None` for a user without a home.
pub(super) fn state_file(named: Option<&Path>, name: &str) -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let state = || of("XDG_STATE_HOME").or_else(|| of("HOME").map(|h| h.join(".local/state")));
    named.map(Path::to_owned).or_else(|| state().map(|s| s.join("vistter").join(name)))
}
