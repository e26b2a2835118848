//! Reading the file of an asset: it is there, it is what the document says, it can be decoded.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use vistter_core::diagnose::{Diagnostic, nearest};

use super::cache::{AssetCache, Content};
use super::{AssetSource, Assets, stands_in};
use crate::digest::Digest;
use crate::limits::{MAX_FONTS, MAX_TOTAL_IMAGE_PIXELS};
use crate::media::{self, Media};
use crate::model::{Asset, Document, MediaType};
use crate::raster::picture;
use crate::raster::text::{FontFile, FontSet};

/// What reads the files of one document.
pub(crate) struct Loader<'a> {
    pub(crate) from: &'a dyn AssetSource,
    pub(crate) cache: &'a AssetCache,
    /// Pixels decoded so far.
    pixels: u64,
}

impl Loader<'_> {
    /// Pixels that may still be decoded.
    fn room(&self) -> u64 {
        MAX_TOTAL_IMAGE_PIXELS.saturating_sub(self.pixels)
    }

    /// A file as decoded, now or before.
    ///
    /// # Errors
    /// What is wrong with it, without a place.
    fn file(&self, asset: &Asset) -> Result<Content, Diagnostic> {
        let name = asset.origin();
        let bytes = self.from.read(&asset.path).map_err(|e| match asset.url {
            Some(_) if e.kind() == io::ErrorKind::NotFound => {
                let d = fault("OCL-ASSET-FETCH", format!("the content of {name} is not in the store"));
                d.help(format!("run `vistter ocl fetch` on the document, or put the file here as \"{}\"", asset.path))
            }
            _ => unreadable(&asset.path, &e, self.from),
        })?;
        let digest = Digest::of(&bytes);
        if let Some(want) = asset.sha256.filter(|want| *want != digest) {
            let d = fault(
                "OCL-ASSET-CHECKSUM",
                format!("\"{name}\" is not the file that was meant: it has the SHA-256 {digest}"),
            );
            return Err(d.help(match asset.url {
                Some(_) => format!("remove \"{}\", and run `vistter ocl fetch` on the document", asset.path),
                None => format!(
                    "put the right file there (its SHA-256 begins with {:.12}), or correct \"sha256\"",
                    want.to_string()
                ),
            }));
        }
        of_type(asset.media_type, &bytes, name)?;
        if let Some(known) = self.cache.get((digest, false)) {
            return Ok(known);
        }
        let wrong = |what: &str, why: String, help: &str| {
            fault("OCL-ASSET-FORMAT", format!("the {what} \"{name}\" cannot be read: {why}")).help(help)
        };
        let length = bytes.len();
        let content = if FontFile::is_one(&bytes) {
            let help = "give a whole TrueType or OpenType file: .ttf, .otf or .ttc";
            FontFile::read(bytes).map(|f| Content::Font(Arc::new(f))).map_err(|why| wrong("font", why, help))
        } else {
            let help = "give a PNG, JPEG, WebP, GIF or SVG file, or an MP4 with H.264";
            Media::read(&bytes, self.room()).map(Content::Media).map_err(|why| wrong("picture", why, help))
        };
        Ok(self.cache.put((digest, false), content?, length))
    }

    /// A picture of a sequence.
    ///
    /// # Errors
    /// What is wrong with it, without a place.
    pub(crate) fn picture(&self, path: &str, kind: Option<MediaType>) -> Result<Arc<picture::Decoded>, Diagnostic> {
        let bytes = self.from.read(path).map_err(|e| unreadable(path, &e, self.from))?;
        of_type(kind, &bytes, path)?;
        let digest = Digest::of(&bytes);
        if let Some(Content::Media(Media::Still(p))) = self.cache.get((digest, true)) {
            return Ok(p);
        }
        let decoded = picture::decode(&bytes).map(Arc::new).map_err(|why| {
            let text = format!("the picture \"{path}\" cannot be read: {why}");
            fault("OCL-ASSET-FORMAT", text).help("the pictures of a sequence are PNG, JPEG or WebP")
        })?;
        match self.cache.put((digest, true), Content::Media(Media::Still(decoded.clone())), bytes.len()) {
            Content::Media(Media::Still(p)) => Ok(p),
            _ => Ok(decoded),
        }
    }
}

/// Reads every asset of a document.
pub(super) fn load(document: &Document, from: &dyn AssetSource, cache: &AssetCache) -> Assets {
    let mut loader = Loader { from, cache, pixels: 0 };
    let mut all = Assets {
        rules: Arc::new(document.assets.iter().map(|(id, a)| (id.clone(), (a.fallback.clone(), a.window()))).collect()),
        document: Arc::new(document.fallbacks.clone()),
        ..Assets::default()
    };
    let mut fonts = FontSet::new();
    for (id, asset) in &document.assets {
        let at = format!("/assets/{id}/{}", if asset.url.is_some() { "url" } else { "path" });
        let read = match &asset.sequence {
            Some(s) => media::sequence(&at, asset, s, &loader).map(|(film, list)| {
                all.warnings.extend(list);
                Content::Media(film)
            }),
            None => loader.file(asset),
        };
        let fit = read.and_then(|content| match content {
            Content::Font(font) if fonts.len() < MAX_FONTS => {
                fonts.insert(id.clone(), font);
                Ok(())
            }
            Content::Font(_) => Err(fault("OCL-LIMIT", format!("the document has more than {MAX_FONTS} fonts"))),
            Content::Media(m) if m.pixels() > loader.room() => {
                let text = format!("the pictures have more than {MAX_TOTAL_IMAGE_PIXELS} pixels together");
                Err(fault("OCL-LIMIT", text).help("make them no larger than they are shown"))
            }
            Content::Media(m) => {
                loader.pixels += m.pixels();
                all.media.insert(id.clone(), m);
                Ok(())
            }
        });
        if let Err(d) = fit {
            let message = format!("{}{}", d.message, stands_in(asset.fallback.as_ref()));
            all.faults.insert(id.clone(), Diagnostic { pointer: at, message, ..d });
        }
    }
    all.all_fonts = Arc::new(fonts);
    all.fonts = all.all_fonts.clone();
    all.kinds(document);
    all
}

impl Assets {
    /// Records assets of one kind whose fallbacks are of the other.
    fn kinds(&mut self, document: &Document) {
        for (id, a) in &document.assets {
            let Some(crate::model::Fallback::Asset(other)) = &a.fallback else { continue };
            let crossed = |x: &str, y: &str| self.media.contains_key(x) && self.all_fonts.contains_key(y);
            if crossed(id, other) || crossed(other, id) {
                let at = format!("/assets/{id}/fallback");
                let text = format!("a font and a picture cannot stand in for each other: \"{id}\" and \"{other}\"");
                let d = Diagnostic::warning("OCL-ASSET-KIND", at, text);
                self.warnings.push(d.help("name an asset of the same kind"));
            }
        }
    }
}

/// That a file is of the kind that the document says.
fn of_type(want: Option<MediaType>, bytes: &[u8], name: &str) -> Result<(), Diagnostic> {
    let Some(want) = want else { return Ok(()) };
    let found = MediaType::of(bytes);
    if found.is_some_and(|f| want.covers(f)) {
        return Ok(());
    }
    let is = found.map_or("nothing known", MediaType::name);
    let d = fault("OCL-ASSET-TYPE", format!("\"{name}\" is {is}, and the document says {}", want.name()));
    Err(d.help("give the right file, or correct \"mediaType\""))
}

/// What is wrong with an asset: the rest of the document plays.
fn fault(code: &'static str, text: impl Into<String>) -> Diagnostic {
    Diagnostic::warning(code, "", text)
}

fn unreadable(path: &str, e: &io::Error, from: &dyn AssetSource) -> Diagnostic {
    if e.kind() != io::ErrorKind::NotFound {
        return fault("OCL-ASSET-READ", format!("the file \"{path}\" cannot be read: {e}"));
    }
    let d = fault("OCL-ASSET-MISSING", format!("the file \"{path}\" is not there"));
    let names = from.names();
    match nearest(path, names.iter().map(String::as_str)) {
        Some(n) => d.help(format!("did you mean \"{n}\"?")),
        None => d.help("paths are relative to the document"),
    }
}

/// By asset: what stands in for it, and when it may be shown.
pub(super) type Rules = BTreeMap<String, (Option<crate::model::Fallback>, crate::model::Window)>;
