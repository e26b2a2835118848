//! What files look like, to tell whether one has changed: by content what is small and matters most, a document; by length and
//! time of change what may be large. Nothing of the system is needed for it, and it works over every file system.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use vistter_ocl::limits::MAX_DOCUMENT_BYTES;

/// What a document and the files beside it look like at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints {
    document: Option<Vec<u8>>,
    beside: BTreeMap<PathBuf, Option<Stamp>>,
}

/// The length and the time of change of a file.
type Stamp = (u64, Option<SystemTime>);

impl Prints {
    /// Looks at a document and at other files. What is not there counts, too: it may come.
    pub fn take(document: &Path, beside: impl IntoIterator<Item = PathBuf>) -> Self {
        let stamp = |path: &PathBuf| {
            let m = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
            Some((m.len(), m.modified().ok()))
        };
        let stamps = beside.into_iter().filter(|p| p != document).map(|p| (stamp(&p), p));
        Self { document: content(document), beside: stamps.map(|(s, p)| (p, s)).collect() }
    }

    /// The document's text, if it can be read as one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.document.as_deref()?).ok()
    }
}

/// No more of a file than a document may have.
fn content(path: &Path) -> Option<Vec<u8>> {
    // asked before opening: opening a pipe would wait for its writer
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
