//! I420 pictures in pooled, reference-counted memory.
//!
//! A pool hands out a [`FrameBuf`] (unique, writable), which is frozen into a [`Frame`] (shared, read-only). When the
//! last clone of a frame goes, its memory serves the next `take`: the steady state allocates nothing.

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::time::MediaTime;

/// Rows start at addresses that are multiples of this: a vector of AVX-512, a line of the processor's cache.
const ALIGN: usize = 64;
/// The largest width and height accepted, in pixels.
pub(crate) const MAX_DIMENSION: u32 = 8192;

/// What luma values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorRange {
    /// Luma 16–235, chroma 16–240: what broadcast and the platforms expect.
    #[default]
    Limited,
    /// 0–255, as many IP cameras send.
    Full,
}

/// One plane, read-only. Row `y` is `data[y * stride..][..width]`.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Samples, 8 bits each.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Visible samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a> Plane<'a> {
    /// One row of visible samples.
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.width]
    }
}

/// One plane, writable.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    /// Samples, 8 bits each.
    pub data: &'a mut [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Visible samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl PlaneMut<'_> {
    /// One row of visible samples.
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        &mut self.data[y * self.stride..][..self.width]
    }
}

struct Picture {
    width: u32,
    height: u32,
    pts: MediaTime,
    range: ColorRange,
    /// The planes, from `start` on. Never grows, so that what is aligned stays so.
    data: Vec<u8>,
    start: usize,
    layout: Layout,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    strides: [usize; 3],
    offsets: [usize; 3],
    total: usize,
}

impl Layout {
    fn new(width: u32, height: u32) -> Self {
        let up = |n: usize| n.div_ceil(ALIGN) * ALIGN;
        let (w, h) = (width as usize, height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let (sy, sc) = (up(w), up(cw));
        let (y, c) = (sy * h, sc * ch);
        Self { strides: [sy, sc, sc], offsets: [0, y, y + c], total: y + 2 * c }
    }
}

impl Picture {
    fn new(width: u32, height: u32) -> Self {
        let layout = Layout::new(width, height);
        let data = vec![0; layout.total + ALIGN - 1];
        // less than ALIGN, or the planes would not fit behind it
        let start = data.as_ptr().align_offset(ALIGN).min(ALIGN - 1);
        Self { width, height, pts: MediaTime::ZERO, range: ColorRange::Limited, data, start, layout }
    }
    fn samples(&self) -> &[u8] {
        &self.data[self.start..self.start + self.layout.total]
    }
    fn dims(&self, i: usize) -> (usize, usize) {
        let (w, h) = (self.width as usize, self.height as usize);
        if i == 0 { (w, h) } else { (w.div_ceil(2), h.div_ceil(2)) }
    }
    fn plane(&self, i: usize) -> Plane<'_> {
        let (width, height) = self.dims(i);
        let (stride, o) = (self.layout.strides[i], self.start + self.layout.offsets[i]);
        Plane { data: &self.data[o..o + stride * height], stride, width, height }
    }
}

/// Hands out pictures of one size and takes their memory back.
#[derive(Clone)]
pub struct FramePool {
    shared: Arc<Mutex<Vec<Arc<Picture>>>>,
    width: u32,
    height: u32,
    limit: usize,
}

impl FramePool {
    /// A pool of `width` × `height` pictures that keeps at most `limit` of them for reuse. More can be out at once;
    /// those are freed when dropped.
    ///
    /// # Errors
    /// `Limit` when a side is 0 or above 8192.
    pub fn new(width: u32, height: u32, limit: usize) -> Result<Self> {
        if width == 0 || height == 0 || width > MAX_DIMENSION || height > MAX_DIMENSION {
            return Err(Error::new(
                ErrorKind::Limit,
                format!("a picture of {width}x{height} is outside 1x1 to {MAX_DIMENSION}x{MAX_DIMENSION}"),
            ));
        }
        Ok(Self { shared: Arc::new(Mutex::new(Vec::with_capacity(limit))), width, height, limit })
    }
    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }
    /// A writable picture with undefined (old) content.
    pub fn take(&self) -> FrameBuf {
        let mut kept = lock(&self.shared);
        let free = kept.iter_mut().position(|a| Arc::get_mut(a).is_some());
        let picture = match free {
            Some(i) => kept.swap_remove(i),
            None => Arc::new(Picture::new(self.width, self.height)),
        };
        drop(kept);
        let mut buf = FrameBuf { picture, pool: self.clone() };
        buf.set_range(ColorRange::Limited);
        buf
    }
    fn keep(&self, p: &Arc<Picture>) {
        let mut kept = lock(&self.shared);
        if kept.len() < self.limit {
            kept.push(p.clone());
        }
    }
}
impl fmt::Debug for FramePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FramePool({}x{}, limit {})", self.width, self.height, self.limit)
    }
}

/// A picture that only its holder sees, and may write.
pub struct FrameBuf {
    picture: Arc<Picture>,
    pool: FramePool,
}

impl FrameBuf {
    fn get(&mut self) -> &mut Picture {
        // A FrameBuf's picture is in no pool and has no other holder, by construction of `take` and `freeze`.
        #[allow(clippy::expect_used)]
        Arc::get_mut(&mut self.picture).expect("a FrameBuf is unique")
    }
    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.picture.width, self.picture.height)
    }
    /// Presentation time.
    pub fn pts(&self) -> MediaTime {
        self.picture.pts
    }
    /// Sets the presentation time.
    pub fn set_pts(&mut self, pts: MediaTime) {
        self.get().pts = pts;
    }
    /// Sets what luma values mean.
    pub fn set_range(&mut self, range: ColorRange) {
        self.get().range = range;
    }
    /// Plane 0 (Y), 1 (U) or 2 (V), read-only.
    pub fn plane(&self, i: usize) -> Plane<'_> {
        self.picture.plane(i)
    }
    /// All three planes, writable: Y, U, V.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 3] {
        let p = self.get();
        let dims = [p.dims(0), p.dims(1), p.dims(2)];
        let l = p.layout;
        let (y, rest) = p.data[p.start..p.start + l.total].split_at_mut(l.offsets[1]);
        let (u, v) = rest.split_at_mut(l.offsets[2] - l.offsets[1]);
        let mk = |i: usize, data| PlaneMut { data, stride: l.strides[i], width: dims[i].0, height: dims[i].1 };
        [mk(0, y), mk(1, u), mk(2, v)]
    }
    /// Fills the whole picture with one colour (limited range Y, U, V).
    pub fn fill(&mut self, yuv: [u8; 3]) {
        for (p, v) in self.planes_mut().into_iter().zip(yuv) {
            p.data.fill(v);
        }
    }
    /// Copies the pixels and time of a frame of the same size; rows are copied whole.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn copy_from(&mut self, src: &Frame) {
        assert_eq!(self.size(), src.size(), "copy_from between sizes");
        let p = self.get();
        let at = p.start..p.start + p.layout.total;
        p.data[at].copy_from_slice(src.0.samples());
        p.pts = src.0.pts;
        p.range = src.0.range;
    }
    /// Makes it shared and read-only.
    pub fn freeze(self) -> Frame {
        self.pool.keep(&self.picture);
        Frame(self.picture)
    }
}
impl fmt::Debug for FrameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameBuf({}x{} at {:?})", self.picture.width, self.picture.height, self.picture.pts)
    }
}

/// A shared, read-only I420 picture. Cloning is cheap.
#[derive(Clone)]
pub struct Frame(Arc<Picture>);

impl Frame {
    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.0.width, self.0.height)
    }
    /// Presentation time.
    pub fn pts(&self) -> MediaTime {
        self.0.pts
    }
    /// What luma values mean.
    pub fn range(&self) -> ColorRange {
        self.0.range
    }
    /// Plane 0 (Y), 1 (U) or 2 (V). Chroma planes are half as wide and high, rounded up.
    pub fn plane(&self, i: usize) -> Plane<'_> {
        self.0.plane(i)
    }
    /// Whether two handles show the same memory.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}x{} at {:?})", self.0.width, self.0.height, self.0.pts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_returns_to_the_pool() {
        let pool = FramePool::new(33, 17, 4).unwrap();
        let a = pool.take().freeze();
        let first = a.plane(0).data.as_ptr();
        let b = pool.take().freeze();
        assert_ne!(b.plane(0).data.as_ptr(), first, "a frame in use is never handed out again");
        drop(a);
        assert_eq!(pool.take().freeze().plane(0).data.as_ptr(), first);
        drop(b);
    }
    #[test]
    fn every_row_is_aligned() {
        for (w, h) in [(5, 3), (1920, 8), (33, 17)] {
            let pool = FramePool::new(w, h, 2).unwrap();
            let (mut a, mut b) = (pool.take(), pool.take());
            for (i, p) in a.planes_mut().into_iter().enumerate() {
                p.data.fill(i as u8 + 7);
            }
            let a = a.freeze();
            b.copy_from(&a);
            for (i, p) in b.planes_mut().into_iter().enumerate() {
                assert!((0..p.height).all(|y| p.data[y * p.stride..].as_ptr().align_offset(ALIGN) == 0));
                assert!(p.data.len() >= p.stride * p.height && p.data.iter().all(|v| *v == i as u8 + 7));
                assert_eq!(a.plane(i).data.as_ptr().align_offset(ALIGN), 0);
            }
        }
    }
    #[test]
    fn odd_sizes_have_whole_chroma() {
        let pool = FramePool::new(5, 3, 1).unwrap();
        let mut f = pool.take();
        f.fill([1, 2, 3]);
        let f = f.freeze();
        assert_eq!((f.plane(1).width, f.plane(1).height), (3, 2));
        assert_eq!(f.plane(2).row(1), [3, 3, 3]);
        assert!(FramePool::new(0, 3, 1).is_err());
        assert!(FramePool::new(9000, 3, 1).is_err());
    }
}
