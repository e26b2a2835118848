//! The files of a document, decoded, and which of them may be shown.
//!
//! | file | duty |
//! |---|---|
//! | `source.rs` | where files come from |
//! | `load.rs` | reads and checks one after the other |
//! | `cache.rs` | decoded files by content |
//! | `view.rs` | what is shown for an asset in one place |

mod cache;
mod load;
mod source;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use vistter_core::clock::WallTime;
use vistter_core::diagnose::Diagnostic;

pub use cache::AssetCache;
pub(crate) use load::Loader;
use load::Rules;
pub(crate) use source::path_fault;
pub use source::{AssetSource, Folder, STORE};
pub(crate) use view::{Found, View};

use crate::media::Media;
use crate::model::{Document, Fallback, Fallbacks};
use crate::raster::text::FontSet;
use crate::wallclock;

/// The decoded files of a document, and which of them may be shown at a moment.
///
/// A file that cannot be had is no error: something stands in for it, or what shows it is left out. [`Assets::findings`]
/// says so.
#[derive(Clone, Default)]
pub struct Assets {
    /// All that could be read.
    media: BTreeMap<String, Media>,
    all_fonts: Arc<FontSet>,
    /// The fonts that may be shown.
    fonts: Arc<FontSet>,
    rules: Arc<Rules>,
    document: Arc<Fallbacks>,
    /// Those whose rights do not let them be shown, and why.
    closed: BTreeMap<String, Diagnostic>,
    /// Those that could not be read, and why.
    faults: BTreeMap<String, Diagnostic>,
    /// What else is wrong with files.
    warnings: Vec<Diagnostic>,
}

impl std::fmt::Debug for Assets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.media.iter().map(|(k, v)| (k, v.size()))).finish()
    }
}

impl Assets {
    /// Reads and decodes every asset of a document. Rights are not looked at: see [`Assets::at`].
    pub fn load(document: &Document, from: &dyn AssetSource) -> Self {
        Self::load_with(document, from, &AssetCache::new(0))
    }
    /// The same; what is in the cache is not decoded again.
    pub fn load_with(document: &Document, from: &dyn AssetSource, cache: &AssetCache) -> Self {
        load::load(document, from, cache)
    }

    /// The same files at a moment of wall-clock time: what may not be shown then is as if it were not there.
    #[must_use]
    pub fn at(&self, wall: WallTime) -> Self {
        let mut now = self.clone();
        let closed = |(id, (fallback, window)): (&String, &(Option<Fallback>, crate::model::Window))| {
            let (at, text) = match (window.from, window.until) {
                _ if window.is_open(wall) => return None,
                (_, Some(until)) if wall >= until => ("until", format!("ended at {}", wallclock::iso(until))),
                (Some(from), _) => ("from", format!("begin at {}", wallclock::iso(from))),
                _ => return None,
            };
            let text = format!("the rights to show \"{id}\" {text}{}", stands_in(fallback.as_ref()));
            let help = match at {
                "until" => "renew them and change \"until\", or take the asset out",
                _ => "wait, or change \"from\"",
            };
            let d = Diagnostic::warning("OCL-RIGHTS", format!("/assets/{id}/rights"), text).help(help);
            Some((id.clone(), d))
        };
        now.closed = self.rules.iter().filter_map(closed).collect();
        if self.all_fonts.keys().any(|id| now.closed.contains_key(id)) {
            let usable = self.all_fonts.iter().filter(|(id, _)| !now.closed.contains_key(*id));
            now.fonts = Arc::new(usable.map(|(id, f)| (id.clone(), f.clone())).collect());
        } else {
            now.fonts = self.all_fonts.clone();
        }
        now
    }

    /// What is wrong with files, and what may not be shown; all of it plays, with something else in its place.
    pub fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        let closed = self.closed.iter().filter(|(id, _)| !self.faults.contains_key(*id)).map(|(_, d)| d);
        self.warnings.iter().chain(self.faults.values()).chain(closed)
    }

    /// The next moment after one at which some of these assets may be shown that may not before, or the other way round.
    pub(crate) fn next_change<'a>(&self, wall: WallTime, of: impl IntoIterator<Item = &'a String>) -> Option<WallTime> {
        of.into_iter().filter_map(|id| self.rules.get(id)?.1.next(wall)).min()
    }

    pub(crate) fn fonts(&self) -> &Arc<FontSet> {
        &self.fonts
    }
    /// Why an asset cannot be shown now.
    pub(crate) fn finding(&self, id: &str) -> Option<&Diagnostic> {
        self.faults.get(id).or_else(|| self.closed.get(id))
    }
    /// Whether an asset's rights let it be shown now.
    pub(crate) fn is_open(&self, id: &str) -> bool {
        !self.closed.contains_key(id)
    }

    /// Why an asset is not what is needed there: a picture.
    pub(crate) fn unfit(&self, id: &str, at: String) -> Diagnostic {
        let kind = |what: &str| Diagnostic::error("OCL-ASSET-KIND", &at, format!("the asset \"{id}\" is {what}"));
        if self.all_fonts.contains_key(id) {
            return kind("a font").help("a font draws text: name it as the \"font\" of a text");
        }
        kind("not made of pixels").help("give a PNG, JPEG, WebP or GIF file")
    }
}

/// What stands in for an asset, as the end of a sentence.
fn stands_in(fallback: Option<&Fallback>) -> String {
    match fallback {
        Some(Fallback::Asset(id)) => format!("; \"{id}\" stands in for it"),
        Some(Fallback::Color(_)) => "; a colour stands in for it".to_owned(),
        Some(Fallback::Placeholder) => "; a placeholder stands in for it".to_owned(),
        Some(Fallback::Hide) => "; what shows it is hidden".to_owned(),
        None => String::new(),
    }
}
