//! Where asset files come from, and only from where they may.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::limits::MAX_ASSET_BYTES;

/// The folder beside a document in which the content of its URLs is found: each file is named after its SHA-256, in small
/// hexadecimal digits. `vistter ocl fetch` fills it.
pub const STORE: &str = "ocl-store";

/// Where asset files come from.
pub trait AssetSource {
    /// The whole file at a path relative to the document. The path has been checked by the document's parser.
    ///
    /// # Errors
    /// Why it cannot be had; `NotFound` when it is not there.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// Paths that are there, to find a slip of the pen; may be empty.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A folder on disk. Nothing outside of it is ever read, through links neither.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder that holds the document.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

impl AssetSource for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if let Some(why) = path_fault(path) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let base = if self.0.as_os_str().is_empty() { Path::new(".") } else { &self.0 }.canonicalize()?;
        let full = base.join(path).canonicalize()?;
        if !full.starts_with(&base) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a link leads out of the document's folder"));
        }
        // asked before opening: opening a pipe would wait for its writer
        if !full.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        let file = File::open(full)?;
        let mut bytes = Vec::new();
        // one byte more than allowed, to tell a file that is too big (or still grows)
        file.take(MAX_ASSET_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_ASSET_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is larger than {} MiB", MAX_ASSET_BYTES >> 20),
            ));
        }
        Ok(bytes)
    }
    fn names(&self) -> Vec<String> {
        // One level is enough to find a slip in a file name; a bound keeps a huge folder cheap.
        let Ok(dir) = std::fs::read_dir(if self.0.as_os_str().is_empty() { Path::new(".") } else { &self.0 }) else {
            return Vec::new();
        };
        dir.take(1000).filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()
    }
}

/// Files in memory, by path.
impl AssetSource for HashMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

/// What is wrong with a path, if anything: it must stay below the document's folder on every system.
pub(crate) fn path_fault(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("the path is empty".to_owned());
    }
    if path.contains("://") {
        return Some("this is a URL and no path".to_owned());
    }
    // A backslash and a colon are separators on some systems and letters on others.
    if path.contains(['\\', ':', '\0']) {
        return Some(format!("\"{path}\" has a character that is not portable"));
    }
    let normal = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::CurDir);
    if path.starts_with('/') || !Path::new(path).components().all(normal) {
        return Some(format!("\"{path}\" leads out of the document's folder"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_folder() {
        for bad in ["", "/etc/passwd", "../a.png", "a/../../b", "C:\\a", "a\\b", "https://x/y.png", "a\0b", ".."] {
            assert!(path_fault(bad).is_some(), "{bad}");
        }
        for good in ["a.png", "./a.png", "pictures/é b.webp", "a..b/c"] {
            assert_eq!(path_fault(good), None, "{good}");
        }
    }
    #[cfg(unix)]
    #[test]
    fn a_link_cannot_lead_out() {
        let dir = std::env::temp_dir().join(format!("vistter-ocl-link-{}", std::process::id()));
        let inner = dir.join("inner");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(dir.join("secret"), b"x").unwrap();
        let _ = std::os::unix::fs::symlink(dir.join("secret"), inner.join("link"));
        let e = Folder::new(&inner).read("link").unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::PermissionDenied);
        assert!(Folder::new(&dir).read("secret").is_ok());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
