//! The fonts there are: the bundled ones and those among a document's assets, and never the system's. Which of them
//! draws a character is decided by the order here alone, so it is the same on every machine.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, ID, Language, Source, Stretch, Style, Weight};
use cosmic_text::{Fallback, FontSystem};
use swash::{FontRef, tag_from_bytes};
use unicode_script::Script;

use crate::limits::{MAX_FACES, MAX_STRIKES, MAX_SUBTABLES};

/// The family of texts that name no font.
pub(super) const FAMILY: &str = "Noto Sans";

/// The bundled fonts (`fonts/OFL.txt`): Latin, Greek and Cyrillic, and the scripts that need shaping most.
static BUNDLED: [&[u8]; 10] = [
    include_bytes!("../../../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../../../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../../../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../../../fonts/NotoSansArabic-Bold.ttf"),
    include_bytes!("../../../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../../../fonts/NotoSansHebrew-Bold.ttf"),
    include_bytes!("../../../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../../../fonts/NotoSansDevanagari-Bold.ttf"),
    include_bytes!("../../../fonts/NotoSansThai-Regular.ttf"),
    include_bytes!("../../../fonts/NotoSansThai-Bold.ttf"),
];

/// Names under which the families of a document's fonts are known inside; as many as a document may have fonts.
static FAMILIES: [&str; crate::limits::MAX_FONTS] = [
    "ocl-0", "ocl-1", "ocl-2", "ocl-3", "ocl-4", "ocl-5", "ocl-6", "ocl-7", "ocl-8", "ocl-9", "ocl-10", "ocl-11",
    "ocl-12", "ocl-13", "ocl-14", "ocl-15",
];

/// The order in which fonts are asked for a character that the text's own font lacks.
static ORDER: [&str; crate::limits::MAX_FONTS + 5] = {
    let mut all = ["Noto Sans"; crate::limits::MAX_FONTS + 5];
    let mut i = 0;
    while i < FAMILIES.len() {
        all[i] = FAMILIES[i];
        i += 1;
    }
    all[i + 1] = "Noto Sans Arabic";
    all[i + 2] = "Noto Sans Hebrew";
    all[i + 3] = "Noto Sans Devanagari";
    all[i + 4] = "Noto Sans Thai";
    all
};

/// The order above for every script: a document's own fonts first, as they stand.
struct Ours;

impl Fallback for Ours {
    fn common_fallback(&self) -> &[&'static str] {
        &ORDER
    }
    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }
    fn script_fallback(&self, _: Script, _: &str) -> &[&'static str] {
        &[]
    }
}

/// A font file of a document, checked.
pub(crate) struct FontFile {
    data: Arc<Vec<u8>>,
    faces: Vec<FaceInfo>,
}

impl std::fmt::Debug for FontFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontFile").field("family", &self.family()).field("bytes", &self.data.len()).finish()
    }
}

impl FontFile {
    /// Whether bytes say that they are a font, of a kind that is read or not.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        [&b"\0\x01\0\0"[..], b"true", b"OTTO", b"ttcf", b"wOFF", b"wOF2"].iter().any(|magic| bytes.starts_with(magic))
    }

    /// Reads a TrueType or OpenType font or a collection of them.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, String> {
        if bytes.starts_with(b"wOF") {
            return Err("it is a web font (WOFF); unpack it to TTF or OTF".to_owned());
        }
        // TTC header (OpenType §"Font collections"): tag, version, and the number of fonts, which readers believe.
        if bytes.starts_with(b"ttcf") {
            let count = bytes.get(8..12).and_then(|n| n.try_into().ok()).map_or(0, u32::from_be_bytes);
            if !(1..=MAX_FACES).contains(&count) {
                return Err(format!("it has {count} faces; from 1 to {MAX_FACES} are allowed"));
            }
        }
        // What reads fonts may panic at damaged ones.
        let read = || Self::open(Arc::new(bytes));
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("it is damaged: it cannot be read".to_owned()))
    }

    fn open(data: Arc<Vec<u8>>) -> Result<Self, String> {
        let mut db = Database::new();
        let ids = db.load_font_source(Source::Binary(data.clone()));
        if ids.is_empty() {
            return Err("it is damaged: it has no readable face".to_owned());
        }
        let faces: Vec<FaceInfo> = ids.iter().filter_map(|id| db.face(*id).cloned()).collect();
        for face in &faces {
            let Some(font) = FontRef::from_index(&data, face.index as usize) else {
                return Err("it is damaged: a face cannot be read".to_owned());
            };
            // Glyphs as PNG files of any size: what they cost is not known before they are drawn.
            if font.table(tag_from_bytes(b"sbix")).is_some() {
                return Err("its glyphs are pictures of a kind that is not supported (sbix)".to_owned());
            }
            check_strikes(&font)?;
            if is_empty(&font) {
                return Err("it has no table from characters to glyphs".to_owned());
            }
        }
        let mut system = FontSystem::new_with_locale_and_db_and_fallback("en-US".to_owned(), db, Ours);
        if ids.iter().any(|id| system.get_font(*id, Weight::NORMAL).is_none()) {
            return Err("it is damaged: it cannot be used for shaping".to_owned());
        }
        Ok(Self { data, faces })
    }

    /// The family's name as the file gives it.
    fn family(&self) -> &str {
        self.faces.first().and_then(|f| f.families.first()).map_or("", |(name, _)| name.as_str())
    }
}

/// Readers believe how many strikes and index subtables a bitmap location table (OpenType EBLC, CBLC) says it has, and look
/// through all of them for each glyph: four thousand million that are not there take a minute. They take the table's offset
/// from the directory and not its length, so this does the same.
fn check_strikes(font: &FontRef<'_>) -> Result<(), String> {
    let cut_off = || "it is damaged: its table of glyph pictures is cut off".to_owned();
    let number = |from: usize, at: usize| {
        let bytes = font.data.get(from.checked_add(at)?..)?.first_chunk()?;
        usize::try_from(u32::from_be_bytes(*bytes)).ok()
    };
    // The directory: 12 bytes, then 16 a table: tag, checksum, offset, length.
    let start = font.offset as usize;
    let tables = number(start, 4).map_or(0, |n| n >> 16);
    for record in (0..tables).map(|i| start + 12 + 16 * i) {
        if !matches!(font.data.get(record..record + 4), Some(b"EBLC" | b"CBLC")) {
            continue;
        }
        let table = number(record, 8).ok_or_else(cut_off)?;
        let strikes = number(table, 4).ok_or_else(cut_off)?;
        if strikes > MAX_STRIKES {
            return Err(format!("it has pictures of glyphs in {strikes} sizes; at most {MAX_STRIKES} are allowed"));
        }
        // BitmapSize records of 48 bytes follow the header of 8; the third number of each counts its subtables.
        for i in 0..strikes {
            let subtables = number(table, 8 + 48 * i + 8).ok_or_else(cut_off)?;
            if subtables > MAX_SUBTABLES {
                return Err(format!("it has glyph pictures in {subtables} parts; at most {MAX_SUBTABLES} are allowed"));
            }
        }
    }
    Ok(())
}

/// Nothing in it that a text could ask for.
fn is_empty(font: &FontRef<'_>) -> bool {
    let mut any = false;
    font.charmap().enumerate(|_, glyph| any |= glyph != 0);
    !any
}

/// A document's fonts by asset id.
pub(crate) type FontSet = BTreeMap<String, Arc<FontFile>>;

/// What the family of an asset is called inside. Files with one family name are one family: its weights and slants.
pub(crate) fn family(set: &FontSet, id: &str) -> Option<&'static str> {
    let want = set.get(id)?.family();
    families(set).iter().position(|name| *name == want).and_then(|i| FAMILIES.get(i)).copied()
}

fn families(set: &FontSet) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for font in set.values() {
        if !names.contains(&font.family()) {
            names.push(font.family());
        }
    }
    names
}

/// Whether any font has a glyph for a character.
pub(crate) fn covers(set: &FontSet, c: char) -> bool {
    let has = |data: &[u8], index: usize| FontRef::from_index(data, index).is_some_and(|f| f.charmap().map(c) != 0);
    BUNDLED.iter().step_by(2).any(|data| has(data, 0))
        || set.values().any(|f| f.faces.iter().any(|face| has(&f.data, face.index as usize)))
}

/// A face as the glyph renderer needs it.
pub(super) struct Face {
    pub(super) id: ID,
    data: Arc<dyn AsRef<[u8]> + Send + Sync>,
    offset: u32,
    key: swash::CacheKey,
    /// It has an axis of weights.
    pub(super) variable: bool,
    /// Bold is asked for and the family has none: strokes are widened.
    pub(super) embolden: bool,
}

impl Face {
    pub(super) fn font(&self) -> FontRef<'_> {
        FontRef { data: (*self.data).as_ref(), offset: self.offset, key: self.key }
    }
    fn new(id: ID, data: Arc<dyn AsRef<[u8]> + Send + Sync>, index: u32, embolden: bool) -> Option<Self> {
        let font = FontRef::from_index((*data).as_ref(), index as usize)?;
        let (offset, key, variable) = (font.offset, font.key, has_weights(&font));
        Some(Self { id, data, offset, key, variable, embolden })
    }
}

fn has_weights(font: &FontRef<'_>) -> bool {
    font.variations().any(|v| v.tag() == tag_from_bytes(b"wght"))
}

/// All fonts, ready to shape with.
pub(super) fn load(set: &FontSet) -> (FontSystem, Vec<Face>) {
    let mut db = Database::new();
    let mut faces = Vec::new();
    for bytes in BUNDLED {
        let data: Arc<dyn AsRef<[u8]> + Send + Sync> = Arc::new(bytes);
        let ids = db.load_font_source(Source::Binary(data.clone()));
        faces.extend(ids.first().and_then(|id| Face::new(*id, data, 0, false)));
    }
    for (name, inside) in families(set).iter().zip(FAMILIES) {
        let files = set.values().filter(|f| f.family() == *name);
        let all: Vec<(&FontFile, &FaceInfo)> =
            files.flat_map(|f| f.faces.iter().map(move |face| (&**f, face))).collect();
        for (bold, italic) in [(false, false), (true, false), (false, true), (true, true)] {
            let Some((file, face, embolden)) = best(&all, bold, italic) else { continue };
            let data: Arc<dyn AsRef<[u8]> + Send + Sync> = file.data.clone();
            let info = FaceInfo {
                source: Source::Binary(data.clone()),
                families: vec![(inside.to_owned(), Language::English_UnitedStates)],
                post_script_name: inside.to_owned(),
                // As it is asked for, not as the file says: a family of one light face is found as regular and bold.
                weight: if bold { Weight::BOLD } else { Weight::NORMAL },
                style: if italic { Style::Italic } else { Style::Normal },
                stretch: Stretch::Normal,
                monospaced: false,
                ..face.clone()
            };
            let id = db.push_face_info(info);
            faces.extend(Face::new(id, data, face.index, embolden));
        }
    }
    db.set_sans_serif_family(FAMILY);
    (FontSystem::new_with_locale_and_db_and_fallback("en-US".to_owned(), db, Ours), faces)
}

/// The face of a family that comes nearest, and whether its strokes must be widened. None when a slanted one is asked
/// for and there is none: the upright one is slanted then.
fn best<'f>(
    all: &[(&'f FontFile, &'f FaceInfo)],
    bold: bool,
    italic: bool,
) -> Option<(&'f FontFile, &'f FaceInfo, bool)> {
    let upright = |f: &FaceInfo| f.style == Style::Normal;
    if italic && all.iter().all(|(_, f)| upright(f)) {
        return None;
    }
    let want = if bold { Weight::BOLD.0 } else { Weight::NORMAL.0 };
    let variable = |(file, f): &(&FontFile, &FaceInfo)| {
        FontRef::from_index(&file.data, f.index as usize).is_some_and(|f| has_weights(&f))
    };
    let (file, face) = all.iter().min_by_key(|c| {
        let off = if variable(c) { 0 } else { c.1.weight.0.abs_diff(want) };
        (upright(c.1) == italic, off)
    })?;
    Some((*file, *face, bold && face.weight < Weight::SEMIBOLD && !variable(&(*file, *face))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_font_is_refused() {
        for (bytes, why) in [
            (&b"wOF2rest"[..], "unpack"),
            (b"\0\x01\0\0rubbish", "damaged"),
            (b"OTTO", "damaged"),
            (b"ttcf\0\0\0\0\xff\xff\xff\xff", "faces"),
        ] {
            assert!(FontFile::is_one(bytes));
            assert!(FontFile::read(bytes.to_vec()).unwrap_err().contains(why), "{bytes:?}");
        }
        assert!(!FontFile::is_one(b"\x89PNG") && !FontFile::is_one(b""));
        let cut = &BUNDLED[4][..9000];
        assert!(FontFile::read(cut.to_vec()).is_err());
    }
    #[test]
    fn bundled_fonts_cover_their_scripts() {
        let none = FontSet::new();
        for c in "Aßœжλאعकไ\u{301}€".chars() {
            assert!(covers(&none, c), "{c}");
        }
        assert!(!covers(&none, '日') && !covers(&none, '😀'));
        let mut set = FontSet::new();
        set.insert("ar".into(), Arc::new(FontFile::read(BUNDLED[2].to_vec()).unwrap()));
        assert_eq!(family(&set, "ar"), Some("ocl-0"));
        assert_eq!(family(&set, "he"), None);
    }
    #[test]
    fn a_family_without_bold_is_widened() {
        let mut set = FontSet::new();
        set.insert("one".into(), Arc::new(FontFile::read(BUNDLED[4].to_vec()).unwrap()));
        let widened = |set: &FontSet| load(set).1.iter().filter(|f| f.embolden).count();
        assert_eq!(widened(&set), 1);
        set.insert("two".into(), Arc::new(FontFile::read(BUNDLED[5].to_vec()).unwrap()));
        assert_eq!(family(&set, "one"), family(&set, "two"), "one family of two files");
        assert_eq!(widened(&set), 0);
    }
}
