//! What is shown for an asset in one place: the asset, or what stands in for it.

use std::sync::Arc;

use super::Assets;
use crate::limits::MAX_FALLBACKS;
use crate::media::Media;
use crate::model::{Color, Fallback};
use crate::raster::picture::Decoded;
use crate::raster::text::{FontSet, family};
use crate::standin::Ledger;

/// What is shown for an asset.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// A picture that was decoded.
    Media(&'a Media),
    /// A font, by its id.
    Font(&'a str),
    Color(Color),
    Placeholder,
    Hidden,
    /// Nothing that the document says.
    Lost,
}

/// The assets as one scene sees them.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    assets: &'a Assets,
    /// Whether a cue or a scene has a fallback, which goes before those of the document.
    pub(crate) covered: bool,
    pub(crate) ledger: &'a Ledger,
}

impl<'a> View<'a> {
    pub(crate) fn new(assets: &'a Assets, covered: bool, ledger: &'a Ledger) -> Self {
        Self { assets, covered, ledger }
    }

    /// Follows an asset and its fallbacks to the first that can be shown.
    fn follow(&self, id: &'a str, font: bool) -> Found<'a> {
        let a = self.assets;
        let mut at = id;
        let mut spare = if self.covered { None } else { a.document_fallback(font) };
        for _ in 0..=2 * MAX_FALLBACKS {
            self.ledger.asked.borrow_mut().insert(at.to_owned());
            if !a.closed.contains_key(at) {
                if let Some(m) = a.media.get(at) {
                    return Found::Media(m);
                }
                if a.all_fonts.contains_key(at) {
                    return Found::Font(at);
                }
            }
            let own = a.rules.get(at).and_then(|(f, _)| f.as_ref());
            match own.or_else(|| spare.take()) {
                Some(Fallback::Asset(next)) => at = next,
                Some(Fallback::Color(c)) => return Found::Color(*c),
                Some(Fallback::Placeholder) => return Found::Placeholder,
                Some(Fallback::Hide) => return Found::Hidden,
                None => return Found::Lost,
            }
        }
        Found::Lost
    }

    /// What is shown where a picture is.
    pub(crate) fn picture(&self, id: &'a str) -> Found<'a> {
        self.follow(id, false)
    }
    /// A picture made of pixels that stands: of one that moves, the first. Nothing else can stand in for it.
    pub(crate) fn image(&self, id: &'a str) -> Option<&'a Arc<Decoded>> {
        match self.follow(id, false) {
            Found::Media(Media::Still(p)) => Some(p),
            Found::Media(Media::Film(f)) => f.first(),
            _ => None,
        }
    }
    /// Whether a picture is there that cannot be used as one of pixels.
    pub(crate) fn is_unfit(&self, id: &'a str) -> bool {
        matches!(self.follow(id, false), Found::Media(Media::Vector(_) | Media::Video(_)) | Found::Font(_))
    }
    /// The font of a text; lost, when a cue or a scene is to say what then.
    pub(crate) fn font(&self, id: &'a str) -> Found<'a> {
        match self.follow(id, true) {
            Found::Lost if !self.covered => Found::Placeholder,
            found => found,
        }
    }
    /// What the family of a font is called inside; the bundled one's is none.
    pub(crate) fn family(&self, id: &'a str) -> Option<&'static str> {
        match self.font(id) {
            Found::Font(id) => family(self.fonts(), id),
            _ => None,
        }
    }
    pub(crate) fn fonts(&self) -> &'a Arc<FontSet> {
        self.assets.fonts()
    }
    pub(crate) fn assets(&self) -> &'a Assets {
        self.assets
    }
    /// Natural size of a picture, whether it may be shown or not.
    pub(crate) fn size(&self, id: &str) -> Option<(f64, f64)> {
        self.assets.media.get(id).map(Media::size)
    }
}

impl Assets {
    fn document_fallback(&self, font: bool) -> Option<&Fallback> {
        if font { self.document.font.as_ref() } else { self.document.picture.as_ref() }
    }
}
