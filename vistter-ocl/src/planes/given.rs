//! Planes that come as planes: of a video, of a camera. There is no picture that they could be made from.

use vistter_core::inset::InsetPicture;

use super::{Chroma, Kind, Luma};

impl Luma {
    pub(super) fn take(&mut self, (width, height): (usize, usize), picture: Option<&InsetPicture>, cover: &[u8]) {
        (self.width, self.height) = (width, height);
        for p in [&mut self.y, &mut self.alpha] {
            p.clear();
            p.resize(width * height, 0);
        }
        let Some(p) = picture.filter(|_| width > 0) else {
            return self.patches.build(&self.alpha, [&self.y; 2], width);
        };
        let color = p.color.plane(0);
        let (left, top) = (p.left as usize, p.top as usize);
        let rows = self.y.chunks_exact_mut(width).zip(self.alpha.chunks_exact_mut(width)).enumerate().skip(top);
        for (n, (row, (out, alpha))) in rows.take(color.height).enumerate() {
            let end = (left + color.width).min(width);
            let (Some(out), Some(alpha)) = (out.get_mut(left..end), alpha.get_mut(left..end)) else { continue };
            let covered = cover.get(row * width + left..row * width + end);
            match (p.alpha.as_ref().map(|a| a.plane(0).row(n)), covered) {
                (None, None) => alpha.fill(255),
                (None, Some(c)) => alpha.copy_from_slice(c),
                (Some(m), c) => {
                    for (i, (a, m)) in alpha.iter_mut().zip(m).enumerate() {
                        let c = c.and_then(|c| c.get(i)).copied().unwrap_or(255);
                        *a = part(*m, c);
                    }
                }
            }
            for ((out, a), y) in out.iter_mut().zip(alpha.iter()).zip(color.row(n)) {
                *out = part(*y, *a);
            }
        }
        if p.alpha.is_none() && cover.is_empty() && (color.width, color.height) == (width, height) {
            self.patches.whole(width, height, Kind::Opaque);
        } else {
            self.patches.build(&self.alpha, [&self.y; 2], width);
        }
    }
}

/// A value, as much of it as its alpha says.
fn part(v: u8, a: u8) -> u8 {
    ((u32::from(v) * u32::from(a) + 127) / 255) as u8
}

impl Chroma {
    /// Takes planes over that cover two by two samples of this luma.
    pub(super) fn take(&mut self, l: &Luma, picture: Option<&InsetPicture>) {
        (self.width, self.height) = (l.width.div_ceil(2), l.height.div_ceil(2));
        for p in [&mut self.u, &mut self.v, &mut self.alpha] {
            p.clear();
            p.resize(self.width * self.height, 0);
        }
        self.fresh = true;
        let width = self.width;
        let Some(p) = picture.filter(|_| width > 0) else {
            return self.patches.build(&self.alpha, [&self.u; 2], width);
        };
        let planes = [p.color.plane(1), p.color.plane(2)];
        let (left, top) = (p.left as usize / 2, p.top as usize / 2);
        let out = self.u.chunks_exact_mut(width).zip(self.v.chunks_exact_mut(width));
        let out = out.zip(self.alpha.chunks_exact_mut(width)).zip(l.alpha.chunks_exact(2 * l.width));
        for (n, (((u, v), alpha), four)) in out.skip(top).take(planes[0].height).enumerate() {
            let (above, below) = four.split_at(l.width);
            for (a, (x, y)) in alpha.iter_mut().zip(above.chunks_exact(2).zip(below.chunks_exact(2))) {
                let sum: u32 = x.iter().chain(y).map(|a| u32::from(*a)).sum();
                *a = ((sum + 2) / 4) as u8;
            }
            for (out, plane) in [u, v].into_iter().zip(planes) {
                let samples = plane.row(n).iter().zip(alpha.iter().skip(left));
                for (out, (c, a)) in out.iter_mut().skip(left).zip(samples) {
                    *out = part(*c, *a);
                }
            }
        }
        self.build_patches();
    }

    /// What planes are at an odd place: each sample lies between those of the even one, and is their mean.
    pub(super) fn shift(&mut self, from: &Self, ox: usize, oy: usize) {
        (self.width, self.height) = (from.width + ox, from.height + oy);
        let n = (1 + ox) * (1 + oy);
        let planes = [(&mut self.u, &from.u), (&mut self.v, &from.v), (&mut self.alpha, &from.alpha)];
        for (out, plane) in planes {
            out.clear();
            for y in 0..self.height {
                let row = |y: usize| plane.get(y * from.width..(y + 1) * from.width).unwrap_or(&[]);
                let before = if oy == 1 && y > 0 { row(y - 1) } else { &[] };
                let here = row(y);
                out.extend((0..self.width).map(|x| {
                    let mut sum = n / 2;
                    for line in [here, before] {
                        sum += line.get(x).map_or(0, |v| usize::from(*v));
                        if ox == 1 && x > 0 {
                            sum += line.get(x - 1).map_or(0, |v| usize::from(*v));
                        }
                    }
                    (sum / n) as u8
                }));
            }
        }
        self.build_patches();
        self.fresh = true;
    }

    fn build_patches(&mut self) {
        if self.alpha.iter().all(|a| *a == 255) {
            self.patches.whole(self.width, self.height, Kind::Opaque);
        } else {
            self.patches.build(&self.alpha, [&self.u, &self.v], self.width);
        }
    }
}
