//! Decoded files by content, so that a picture that several documents show is decoded once and held once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::digest::Digest;
use crate::limits::MAX_CACHE_BYTES;
use crate::media::Media;
use crate::raster::text::FontFile;

/// What a file was decoded to.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Media(Media),
    Font(Arc<FontFile>),
}

/// A file, and how it was read: of what moves, all of it or its first picture.
pub(super) type Key = (Digest, bool);

impl Content {
    /// Bytes of what was decoded from a file of a length.
    fn bytes(&self, file: u64) -> u64 {
        match self {
            // what has no pixels is as large as the text that it was read from, about
            Self::Media(m) => m.bytes().max(file),
            Self::Font(_) => file,
        }
    }
    /// Whether somebody beside the cache holds it.
    fn is_used(&self) -> bool {
        match self {
            Self::Media(m) => m.holders() > 1,
            Self::Font(f) => Arc::strong_count(f) > 1,
        }
    }
}

struct Entry {
    content: Content,
    bytes: u64,
    /// The count of requests at the last one for it.
    asked: u64,
}

#[derive(Default)]
struct Kept {
    by_content: HashMap<Key, Entry>,
    requests: u64,
    found: u64,
}

/// Decoded pictures and fonts by the SHA-256 of their files, shared by every document that is loaded with it. What is in
/// use is always shared; what nobody uses any more is kept as long as there is room for it, and goes in the order in which
/// it was last asked for. A clone is the same cache.
///
/// ```
/// # use std::collections::{BTreeMap, HashMap};
/// use vistter_ocl::{AssetCache, OclOverlay, Opening};
///
/// let cache = AssetCache::default();
/// let opening = Opening { cache: Some(&cache), ..Opening::default() };
/// # let text = r#"{ "ocl": "1.1", "canvas": { "width": 64, "height": 36 }, "scenes": [{ "id": "a", "layers": [] }] }"#;
/// # let files: HashMap<String, Vec<u8>> = HashMap::new();
/// let overlay = OclOverlay::open("title", text, &files, &opening)?;
/// println!("{} bytes of {} files", cache.bytes(), cache.len());
/// # Ok::<(), vistter_ocl::Faults>(())
/// ```
#[derive(Clone)]
pub struct AssetCache {
    room: u64,
    kept: Arc<Mutex<Kept>>,
}

impl Default for AssetCache {
    /// With room for [`MAX_CACHE_BYTES`].
    fn default() -> Self {
        Self::new(MAX_CACHE_BYTES)
    }
}

impl fmt::Debug for AssetCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetCache({} files, {} of {} bytes)", self.len(), self.bytes(), self.room)
    }
}

impl AssetCache {
    /// With room for so many bytes of decoded content. What is in use counts, and is never let go.
    pub fn new(room: u64) -> Self {
        Self { room, kept: Arc::default() }
    }
    /// Files that it has.
    pub fn len(&self) -> usize {
        self.lock().by_content.len()
    }
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Bytes of decoded content that it has.
    pub fn bytes(&self) -> u64 {
        self.lock().by_content.values().map(|e| e.bytes).sum()
    }
    /// How often a file was there already when it was asked for.
    pub fn found(&self) -> u64 {
        self.lock().found
    }

    pub(super) fn get(&self, key: Key) -> Option<Content> {
        let mut kept = self.lock();
        kept.requests += 1;
        let now = kept.requests;
        let entry = kept.by_content.get_mut(&key)?;
        entry.asked = now;
        let content = entry.content.clone();
        kept.found += 1;
        Some(content)
    }

    /// Takes what was decoded; gives back what is to be used: of two that decoded the same, both get the first one's.
    pub(super) fn put(&self, key: Key, content: Content, file: usize) -> Content {
        let mut kept = self.lock();
        let asked = kept.requests;
        let bytes = content.bytes(file as u64);
        let content = kept.by_content.entry(key).or_insert(Entry { content, bytes, asked }).content.clone();
        let mut total: u64 = kept.by_content.values().map(|e| e.bytes).sum();
        while total > self.room {
            let unused = kept.by_content.iter().filter(|(_, e)| !e.content.is_used());
            let Some((oldest, bytes)) = unused.min_by_key(|(_, e)| e.asked).map(|(d, e)| (*d, e.bytes)) else { break };
            kept.by_content.remove(&oldest);
            total -= bytes;
        }
        content
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::picture::Decoded;

    fn picture(side: u32) -> Content {
        Content::Media(Media::Still(Arc::new(Decoded::new(side, side))))
    }

    #[test]
    fn what_nobody_uses_goes_first_the_longest_unasked_before_the_others() {
        let name = |n: u8| (Digest::of(&[n]), false);
        let cache = AssetCache::new(3 * 400);
        let held = cache.put(name(0), picture(10), 9);
        for n in 1..3 {
            drop(cache.put(name(n), picture(10), 9));
        }
        assert_eq!((cache.len(), cache.bytes()), (3, 1200));
        assert!(cache.get(name(1)).is_some(), "asked for later than 2");
        drop(cache.put(name(3), picture(10), 9));
        let has = |n| cache.lock().by_content.contains_key(&name(n));
        assert_eq!([0, 1, 2, 3].map(has), [true, true, false, true]);
        let wide = cache.put(name(4), picture(100), 9);
        assert_eq!([0, 1, 3, 4].map(has), [true, false, false, true], "in use is kept, however large");
        drop((held, wide));
        drop(cache.put(name(5), picture(1), 9));
        assert!(cache.bytes() <= 1200, "{cache:?}");
    }
    #[test]
    fn the_same_is_held_once() {
        let cache = AssetCache::default();
        let key = |b: &[u8]| (Digest::of(b), false);
        let (a, b) = (cache.put(key(b"x"), picture(4), 1), cache.put(key(b"x"), picture(4), 1));
        let (Content::Media(Media::Still(a)), Content::Media(Media::Still(b))) = (a, b) else { panic!() };
        assert!(Arc::ptr_eq(&a, &b));
        assert!(cache.get(key(b"y")).is_none() && cache.get(key(b"x")).is_some());
        assert_eq!(cache.found(), 1);
    }
}
