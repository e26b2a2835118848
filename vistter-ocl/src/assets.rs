//! Getting asset files, and only from where they may come from.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use vistter_core::diagnose::{Diagnostic, nearest};

use crate::limits::{MAX_ASSET_BYTES, MAX_FONTS, MAX_TOTAL_IMAGE_PIXELS};
use crate::media::{self, Media};
use crate::model::Document;
use crate::raster::picture::Decoded;
use crate::raster::text::{FontFile, FontSet};

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
        return Some(format!("\"{path}\" is a URL; this version reads files only"));
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

/// The decoded files of a document.
#[derive(Clone, Default)]
pub struct Assets {
    media: BTreeMap<String, Media>,
    fonts: Arc<FontSet>,
    /// What is not quite as written, but plays.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl std::fmt::Debug for Assets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.media.iter().map(|(k, v)| (k, v.size()))).finish()
    }
}

impl Assets {
    /// Reads and decodes every asset of a document.
    ///
    /// # Errors
    /// Every asset that cannot be had.
    pub fn load(document: &Document, from: &dyn AssetSource) -> Result<Self, Vec<Diagnostic>> {
        let (mut media, mut faults, mut warnings) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut fonts = FontSet::new();
        let mut pixels = 0u64;
        for (id, asset) in &document.assets {
            let at = format!("/assets/{id}/path");
            if let Some(s) = &asset.sequence {
                match media::sequence(&at, asset, s, from) {
                    Ok((film, list)) => {
                        pixels += film.pixels();
                        media.insert(id.clone(), film);
                        warnings.extend(list);
                    }
                    Err(d) => faults.push(d),
                }
                if pixels > MAX_TOTAL_IMAGE_PIXELS {
                    faults.push(too_many(at));
                    break;
                }
                continue;
            }
            let bytes = match from.read(&asset.path) {
                Ok(b) => b,
                Err(e) => {
                    faults.push(unreadable(&at, &asset.path, &e, from));
                    continue;
                }
            };
            if FontFile::is_one(&bytes) {
                match FontFile::read(bytes) {
                    Ok(font) if fonts.len() < MAX_FONTS => drop(fonts.insert(id.clone(), Arc::new(font))),
                    Ok(_) => {
                        let text = format!("the document has more than {MAX_FONTS} fonts");
                        faults.push(Diagnostic::error("OCL-LIMIT", at, text));
                    }
                    Err(why) => {
                        let text = format!("the font \"{}\" cannot be read: {why}", asset.path);
                        let help = "give a whole TrueType or OpenType file: .ttf, .otf or .ttc";
                        faults.push(Diagnostic::error("OCL-ASSET-FORMAT", at, text).help(help));
                    }
                }
                continue;
            }
            match Media::read(&bytes, MAX_TOTAL_IMAGE_PIXELS.saturating_sub(pixels)) {
                Ok(picture) => {
                    pixels += picture.pixels();
                    if pixels > MAX_TOTAL_IMAGE_PIXELS {
                        faults.push(too_many(at));
                        break;
                    }
                    media.insert(id.clone(), picture);
                }
                Err(why) => {
                    let text = format!("the picture \"{}\" cannot be read: {why}", asset.path);
                    faults.push(
                        Diagnostic::error("OCL-ASSET-FORMAT", at, text)
                            .help("give a PNG, JPEG, WebP, GIF or SVG file, or an MP4 with H.264"),
                    );
                }
            }
        }
        if faults.is_empty() { Ok(Self { media, fonts: Arc::new(fonts), warnings }) } else { Err(faults) }
    }

    pub(crate) fn fonts(&self) -> &Arc<FontSet> {
        &self.fonts
    }

    /// Why an asset is not what is needed there: a picture.
    pub(crate) fn unfit(&self, id: &str, at: String) -> Diagnostic {
        let kind = |what: &str| Diagnostic::error("OCL-ASSET-KIND", &at, format!("the asset \"{id}\" is {what}"));
        if self.fonts.contains_key(id) {
            return kind("a font").help("a font draws text: name it as the \"font\" of a text");
        }
        if self.media.contains_key(id) {
            return kind("not made of pixels").help("give a PNG, JPEG, WebP or GIF file");
        }
        Diagnostic::error("OCL-ASSET-MISSING", at, format!("the asset \"{id}\" is not loaded"))
    }
    /// A picture that stands: of one that moves, the first.
    pub(crate) fn image(&self, id: &str) -> Option<&Arc<Decoded>> {
        match self.media.get(id)? {
            Media::Still(p) => Some(p),
            Media::Film(f) => f.first(),
            Media::Vector(_) | Media::Video(_) => None,
        }
    }
    pub(crate) fn media(&self, id: &str) -> Option<&Media> {
        self.media.get(id)
    }
}

fn too_many(at: String) -> Diagnostic {
    let text = format!("the pictures have more than {MAX_TOTAL_IMAGE_PIXELS} pixels together");
    Diagnostic::error("OCL-LIMIT", at, text).help("make them no larger than they are shown")
}

pub(crate) fn unreadable(at: &str, path: &str, e: &io::Error, from: &dyn AssetSource) -> Diagnostic {
    if e.kind() != io::ErrorKind::NotFound {
        let text = format!("the file \"{path}\" cannot be read: {e}");
        return Diagnostic::error("OCL-ASSET-READ", at, text);
    }
    let d = Diagnostic::error("OCL-ASSET-MISSING", at, format!("the file \"{path}\" is not there"));
    let names = from.names();
    match nearest(path, names.iter().map(String::as_str)) {
        Some(n) => d.help(format!("did you mean \"{n}\"?")),
        None => d.help("paths are relative to the document"),
    }
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
