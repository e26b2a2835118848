//! The files of a document.

use super::{Document, Missing};
use crate::media::numbered;

impl Document {
    /// The paths of all files that it may read, relative to the document: of a sequence each one, of a URL the one in the
    /// store.
    pub fn files(&self) -> Vec<String> {
        let mut out = Vec::new();
        for asset in self.assets.values() {
            let Some(s) = &asset.sequence else {
                out.push(asset.path.clone());
                continue;
            };
            out.extend((s.first..=s.last).map(|n| numbered(&asset.path, n)));
            if let Missing::Fallback(path) = &s.missing {
                out.push(path.clone());
            }
        }
        out
    }
}
