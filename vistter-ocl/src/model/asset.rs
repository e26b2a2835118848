//! Files that a document uses, what they may be used for, and what is shown in place of one that cannot be.

use vistter_core::clock::WallTime;

use super::{Color, Sequence};
use crate::digest::Digest;

/// A file that a document uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// Path relative to the document, with `/`; never leads out of the document's folder. Of a URL, where the store has
    /// its content ([`STORE`](crate::STORE)).
    pub path: String,
    /// Where the file comes from, when it is not simply there: an `https` URL. It may hold a signature: show
    /// [`Asset::origin`] instead.
    pub url: Option<String>,
    /// The path names many files: `#` stands for the digits of their numbers.
    pub sequence: Option<Sequence>,
    /// What the file's content must be.
    pub sha256: Option<Digest>,
    /// Of what kind the file must be.
    pub media_type: Option<MediaType>,
    /// What it may be used for, and from when till when.
    pub rights: Vec<Right>,
    /// What is shown when it cannot be.
    pub fallback: Option<Fallback>,
}

impl Asset {
    /// What the file is called in messages: its path, or its URL without the query, which may be secret.
    pub fn origin(&self) -> &str {
        match &self.url {
            Some(url) => url.split(['?', '#']).next().unwrap_or_default(),
            None => &self.path,
        }
    }
    /// From when and till when all its rights let it be shown.
    pub(crate) fn window(&self) -> Window {
        Window {
            from: self.rights.iter().filter_map(|r| r.from).max(),
            until: self.rights.iter().filter_map(|r| r.until).min(),
        }
    }
}

/// A time that may have no beginning and no end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Option<WallTime>,
    pub(crate) until: Option<WallTime>,
}

impl Window {
    pub(crate) fn is_open(self, wall: WallTime) -> bool {
        self.from.is_none_or(|f| wall >= f) && self.until.is_none_or(|u| wall < u)
    }
    /// The next time at which that changes.
    pub(crate) fn next(self, wall: WallTime) -> Option<WallTime> {
        [self.from, self.until].into_iter().flatten().filter(|t| *t > wall).min()
    }
}

/// A right to use an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// What for, in the words of whoever keeps the rights.
    pub tag: String,
    /// Who gave it; may be empty.
    pub holder: String,
    /// From when on; from ever when absent.
    pub from: Option<WallTime>,
    /// Till when, this moment not included; for ever when absent.
    pub until: Option<WallTime>,
}

/// What is shown in place of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Another asset; when that cannot be shown either, its own fallback.
    Asset(String),
    /// The layer's box, filled; of a font the bundled one.
    Color(Color),
    /// The layer's box with a cross in it; of a font the bundled one.
    Placeholder,
    /// Nothing: the layer is not there.
    Hide,
}

impl Fallback {
    /// Those that are words, as written in a document.
    pub const NAMES: [&'static str; 2] = ["placeholder", "hide"];
}

/// What is shown in place of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SceneFallback {
    /// Another scene.
    Scene(String),
    /// Nothing.
    Hide,
}

/// What is shown in place of things that have no fallback of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// Of pictures of every kind.
    pub picture: Option<Fallback>,
    /// Of fonts; the bundled one when absent.
    pub font: Option<Fallback>,
    /// Of scenes.
    pub scene: Option<SceneFallback>,
}

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType(usize);

impl MediaType {
    /// The names, as written in a document.
    pub const NAMES: [&'static str; 11] = [
        "image/png",
        "image/apng",
        "image/jpeg",
        "image/webp",
        "image/gif",
        "image/svg+xml",
        "font/ttf",
        "font/otf",
        "font/collection",
        "font/sfnt",
        "video/mp4",
    ];
    /// By name; letters may be large, and parameters (`; charset=utf-8`) count for nothing.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.split(';').next().unwrap_or_default().trim();
        Self::NAMES.iter().position(|n| n.eq_ignore_ascii_case(name)).map(Self)
    }
    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.get(self.0).copied().unwrap_or_default()
    }
    /// What a file is, from its content; the commonest name of it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let begins = |with: &[u8]| bytes.starts_with(with);
        let at = |i: usize, with: &[u8]| bytes.get(i..i + with.len()) == Some(with);
        let name = if begins(b"\x89PNG\r\n\x1a\n") {
            "image/png"
        } else if begins(b"\xff\xd8\xff") {
            "image/jpeg"
        } else if begins(b"RIFF") && at(8, b"WEBP") {
            "image/webp"
        } else if begins(b"GIF8") {
            "image/gif"
        } else if begins(b"OTTO") {
            "font/otf"
        } else if begins(b"ttcf") {
            "font/collection"
        } else if begins(&[0, 1, 0, 0]) || begins(b"true") {
            "font/ttf"
        } else if at(4, b"ftyp") {
            "video/mp4"
        } else if crate::raster::vector::Vector::is_one(bytes) {
            "image/svg+xml"
        } else {
            return None;
        };
        Self::parse(name)
    }
    /// Whether a file that is `found` may be called this.
    pub(crate) fn covers(self, found: Self) -> bool {
        match (self.name(), found.name()) {
            ("image/apng", "image/png") => true,
            // OpenType is the name of both sorts of outlines
            ("font/otf" | "font/ttf", "font/otf" | "font/ttf") => true,
            ("font/sfnt", f) => f.starts_with("font/"),
            (a, b) => a == b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        let of = |b: &[u8]| MediaType::of(b).map(MediaType::name);
        assert_eq!(of(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(of(b"RIFF\0\0\0\0WAVE"), None);
        assert_eq!(of(b"\0\0\0\x20ftypisom"), Some("video/mp4"));
        assert_eq!(of(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Some("image/svg+xml"));
        assert_eq!(of(b""), None);
        let t = |n: &str| MediaType::parse(n).unwrap();
        assert_eq!(t("Image/SVG+xml; charset=utf-8").name(), "image/svg+xml");
        assert!(t("image/apng").covers(t("image/png")) && !t("image/png").covers(t("image/jpeg")));
        assert!(t("font/sfnt").covers(t("font/collection")) && t("font/otf").covers(t("font/ttf")));
    }
    #[test]
    fn rights_hold_together() {
        let right = |from: Option<i64>, until: Option<i64>| Right {
            tag: "web".into(),
            holder: String::new(),
            from: from.map(WallTime::from_unix_nanos),
            until: until.map(WallTime::from_unix_nanos),
        };
        let rights = vec![right(Some(10), None), right(None, Some(50)), right(Some(20), Some(90))];
        let asset = Asset {
            path: "a".into(),
            url: None,
            sequence: None,
            sha256: None,
            media_type: None,
            rights,
            fallback: None,
        };
        let open = |t| asset.window().is_open(WallTime::from_unix_nanos(t));
        assert_eq!([19, 20, 49, 50].map(open), [false, true, true, false]);
        let next = |t| asset.window().next(WallTime::from_unix_nanos(t)).map(WallTime::unix_nanos);
        assert_eq!([0, 20, 50].map(next), [Some(20), Some(50), None]);
    }
}
