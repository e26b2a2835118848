//! A drawn layer as the blender wants it: premultiplied BT.709 limited-range Y, U, V and alpha, with the runs of each
//! row that are worth touching.
//!
//! Chroma of 4:2:0 covers two by two luma samples of the *picture*, so a layer has one set of chroma planes for each
//! parity of its position. They are made when first needed and kept: a layer that moves by whole pixels meets at most
//! four of them. Alpha is averaged with the colour, so an edge pixel is weighed by how much of it is there.

use crate::raster::Raster;
use crate::sheet::Sheet;

/// Rows are cut into runs only where that skips at least this many samples: below it the vector loop is faster than
/// the branch.
const MIN_RUN: usize = 16;

/// One run of a row that has something to blend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Every sample has full alpha.
    pub(crate) opaque: bool,
}

/// The runs of all rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    list: Vec<Run>,
    /// `rows[y]..rows[y + 1]` are the runs of row `y`.
    rows: Vec<usize>,
}

impl Runs {
    fn build(&mut self, alpha: &[u8], width: usize) {
        self.list.clear();
        self.rows.clear();
        self.rows.push(0);
        if width == 0 {
            return;
        }
        for row in alpha.chunks_exact(width) {
            let first = self.list.len();
            let mut x = 0;
            while x < width {
                let class = class_of(row[x]);
                let end = row[x..].iter().position(|a| class_of(*a) != class).map_or(width, |n| x + n);
                let (start, len) = (x, end - x);
                x = end;
                let open = self.list.len() > first;
                match class {
                    Class::Clear if len >= MIN_RUN || !open || end == width => {}
                    // a short gap joins what is before it
                    Class::Clear => self.grow(first, start, end),
                    Class::Full if len >= MIN_RUN => self.list.push(Run { start, end, opaque: true }),
                    Class::Full | Class::Part => self.grow(first, start, end),
                }
            }
            self.rows.push(self.list.len());
        }
    }
    /// Extends the last run of this row if it is a mixed one that ends at `start`, and else opens one.
    fn grow(&mut self, first: usize, start: usize, end: usize) {
        match self.list[first..].last_mut() {
            Some(r) if !r.opaque && r.end == start => r.end = end,
            _ => self.list.push(Run { start, end, opaque: false }),
        }
    }
    /// The runs of a row.
    pub(crate) fn row(&self, y: usize) -> &[Run] {
        &self.list[self.rows[y]..self.rows[y + 1]]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Clear,
    Part,
    Full,
}

fn class_of(a: u8) -> Class {
    match a {
        0 => Class::Clear,
        255 => Class::Full,
        _ => Class::Part,
    }
}

/// Luma of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Luma {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) y: Vec<u8>,
    pub(crate) alpha: Vec<u8>,
    pub(crate) runs: Runs,
}

/// Chroma of a layer for one parity of its position.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chroma {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) u: Vec<u8>,
    pub(crate) v: Vec<u8>,
    pub(crate) alpha: Vec<u8>,
    pub(crate) runs: Runs,
    fresh: bool,
}

/// A layer's planes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planes {
    pub(crate) luma: Luma,
    chroma: [Chroma; 4],
}

// BT.709 (ITU-R BT.709-6 §3, items 3.2 to 3.4) to 8-bit limited range, in 1/65536.
pub(crate) const Y: [u32; 3] = [11_966, 40_254, 4_064];
pub(crate) const U: [i64; 3] = [-6_596, -22_188, 28_784];
pub(crate) const V: [i64; 3] = [28_784, -26_145, -2_639];

/// One opaque colour.
pub(crate) fn color(rgba: [u8; 4]) -> [u8; 3] {
    let mut planes = Planes::default();
    let block = Raster { width: 2, height: 2, rgba: [rgba[0], rgba[1], rgba[2], 255].repeat(4), ..Raster::default() };
    planes.load(&block);
    let (l, c) = planes.chroma(false, false, &block);
    [l.y.first().copied().unwrap_or(16), c.u.first().copied().unwrap_or(128), c.v.first().copied().unwrap_or(128)]
}

/// A picture whose planes are made: its pixels with their colours times alpha, and alpha, all times 255.
pub(crate) trait Pixels {
    /// Pixels.
    fn size(&self) -> (usize, usize);
    /// Four bytes a pixel, row by row.
    fn bytes(&self) -> &[u8];
    /// What of a pixel's four bytes counts: red, green and blue up to 255·255, alpha up to 255.
    fn weighed(px: &[u8]) -> [u32; 4];
}

impl Pixels for Raster {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn bytes(&self) -> &[u8] {
        &self.rgba
    }
    #[inline(always)]
    fn weighed(px: &[u8]) -> [u32; 4] {
        let a = u32::from(px[3]);
        [u32::from(px[0]) * a, u32::from(px[1]) * a, u32::from(px[2]) * a, a]
    }
}

impl Pixels for Sheet {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }
    fn bytes(&self) -> &[u8] {
        &self.rgba
    }
    #[inline(always)]
    fn weighed(px: &[u8]) -> [u32; 4] {
        [u32::from(px[0]) * 255, u32::from(px[1]) * 255, u32::from(px[2]) * 255, u32::from(px[3])]
    }
}

impl Planes {
    /// Takes a new picture over; chroma is made when it is asked for.
    pub(crate) fn load<P: Pixels>(&mut self, r: &P) {
        let l = &mut self.luma;
        (l.width, l.height) = r.size();
        let bytes = r.bytes();
        l.y.resize(bytes.len() / 4, 0);
        l.alpha.resize(bytes.len() / 4, 0);
        for ((px, y), alpha) in bytes.chunks_exact(4).zip(&mut l.y).zip(&mut l.alpha) {
            let [r, g, b, a] = P::weighed(px);
            // at most 235·65536·255 + half < 2³²
            let y16 = (16 << 16) * a + Y[0] * r + Y[1] * g + Y[2] * b;
            *y = ((y16 + (255 << 15)) / (255 << 16)) as u8;
            *alpha = px[3];
        }
        l.runs.build(&l.alpha, l.width);
        for c in &mut self.chroma {
            c.fresh = false;
        }
    }

    /// The chroma planes for a layer whose left and top edges have these parities.
    pub(crate) fn chroma<P: Pixels>(&mut self, odd_x: bool, odd_y: bool, picture: &P) -> (&Luma, &Chroma) {
        let c = &mut self.chroma[usize::from(odd_x) + 2 * usize::from(odd_y)];
        if !c.fresh {
            c.build(usize::from(odd_x), usize::from(odd_y), picture);
        }
        (&self.luma, c)
    }
}

impl Chroma {
    fn build<P: Pixels>(&mut self, ox: usize, oy: usize, r: &P) {
        let ((width, height), bytes) = (r.size(), r.bytes());
        self.width = (width + ox).div_ceil(2);
        self.height = (height + oy).div_ceil(2);
        for p in [&mut self.u, &mut self.v, &mut self.alpha] {
            p.clear();
        }
        for cy in 0..self.height {
            for cx in 0..self.width {
                // What lies outside the layer counts as transparent.
                let mut sum = [0i64; 4];
                for y in (2 * cy).saturating_sub(oy)..(2 * cy + 2 - oy).min(height) {
                    for x in (2 * cx).saturating_sub(ox)..(2 * cx + 2 - ox).min(width) {
                        for (s, v) in sum.iter_mut().zip(P::weighed(&bytes[(y * width + x) * 4..][..4])) {
                            *s += i64::from(v);
                        }
                    }
                }
                let part = |k: [i64; 3]| {
                    let v = (sum[3] * (128 << 16)) + k[0] * sum[0] + k[1] * sum[1] + k[2] * sum[2];
                    ((v + (510 << 16)) / (1020 << 16)).clamp(0, 255) as u8
                };
                self.u.push(part(U));
                self.v.push(part(V));
                self.alpha.push(((sum[3] + 2) / 4) as u8);
            }
        }
        self.runs.build(&self.alpha, self.width);
        self.fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raster(width: usize, height: usize, f: impl Fn(usize, usize) -> [u8; 4]) -> Raster {
        let mut r = Raster::default();
        r.reset(width, height);
        for (i, px) in r.rgba.chunks_exact_mut(4).enumerate() {
            px.copy_from_slice(&f(i % width, i / width));
        }
        r
    }

    #[test]
    fn the_colours_of_bt709() {
        // Reference values of 8-bit limited-range BT.709 colour bars (100 %).
        let bars = [
            ([255, 255, 255], [235, 128, 128]),
            ([255, 255, 0], [219, 16, 138]),
            ([0, 255, 255], [188, 154, 16]),
            ([0, 255, 0], [173, 42, 26]),
            ([255, 0, 255], [78, 214, 230]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 0, 255], [32, 240, 118]),
            ([0, 0, 0], [16, 128, 128]),
        ];
        for ([r, g, b], want) in bars {
            let p = raster(2, 2, |_, _| [r, g, b, 255]);
            let mut planes = Planes::default();
            planes.load(&p);
            let (l, c) = planes.chroma(false, false, &p);
            assert_eq!([l.y[0], c.u[0], c.v[0]], want, "{r} {g} {b}");
        }
    }
    #[test]
    fn an_edge_weighs_chroma_by_alpha() {
        // one red pixel of four: chroma is a quarter red, and pure red when weighed by its alpha
        let p = raster(2, 2, |x, y| if (x, y) == (0, 0) { [255, 0, 0, 255] } else { [0, 255, 0, 0] });
        let mut planes = Planes::default();
        planes.load(&p);
        let (_, c) = planes.chroma(false, false, &p);
        assert_eq!((c.alpha[0], c.u[0], c.v[0]), (64, 26, 60));
        // at an odd position the same pixel lies in a sample of its own
        let (_, c) = planes.chroma(true, true, &p);
        assert_eq!((c.width, c.height), (2, 2));
        assert_eq!(c.alpha, [64, 0, 0, 0]);
    }
    proptest! {
        #[test]
        fn runs_cover_exactly_what_is_there(alpha in proptest::collection::vec(prop_oneof![Just(0u8), Just(255u8), any::<u8>()], 1..400),
                                            rep in 1usize..40) {
            let row: Vec<u8> = alpha.iter().flat_map(|a| std::iter::repeat_n(*a, rep)).collect();
            let mut runs = Runs::default();
            runs.build(&row, row.len());
            let mut covered = vec![false; row.len()];
            for r in runs.row(0) {
                prop_assert!(r.start < r.end);
                for x in r.start..r.end {
                    prop_assert!(!covered[x]);
                    covered[x] = true;
                    prop_assert!(!r.opaque || row[x] == 255);
                }
            }
            for (x, a) in row.iter().enumerate() { prop_assert!(covered[x] || *a == 0); }
        }
        #[test]
        fn colour_never_exceeds_alpha(px in any::<[u8; 16]>(), odd in any::<(bool, bool)>()) {
            let p = raster(2, 2, |x, y| { let i = (y * 2 + x) * 4; [px[i], px[i + 1], px[i + 2], px[i + 3]] });
            let mut planes = Planes::default();
            planes.load(&p);
            let (l, c) = planes.chroma(odd.0, odd.1, &p);
            prop_assert!(l.y.iter().zip(&l.alpha).all(|(v, a)| v <= a));
            prop_assert!(c.u.iter().chain(&c.v).zip(c.alpha.iter().chain(&c.alpha)).all(|(v, a)| v <= a));
        }
    }
}
