use super::*;
use crate::planes::Planes;
use crate::raster::Raster;
use proptest::prelude::*;
use vistter_core::media::{FrameBuf, FramePool};

/// The formula of the module's page, in wide integers, one sample at a time.
fn reference(d: u8, s: u8, a: u8, o: u8) -> u8 {
    let round = |x: u64| (2 * x + 255) / 510;
    let a = round(u64::from(a) * u64::from(o));
    round(u64::from(s) * u64::from(o) + u64::from(d) * (255 - a)) as u8
}

/// One row, laid as a run of this kind.
fn laid(picture: &[u8], values: &[u8], alpha: &[u8], kind: Kind, opacity: u8) -> Vec<u8> {
    let (mut out, width) = (picture.to_vec(), picture.len());
    let mut patches = Patches::default();
    patches.whole(width, 1, kind);
    let mut dst = PlaneMut { data: &mut out, width, height: 1, stride: width };
    let clip = Clip { x0: 0, y0: 0, x1: width as i64, y1: 1 };
    plane(&mut dst, Top { values, alpha, width, height: 1, patches: &patches }, (0, 0), clip, opacity, None);
    out
}

#[test]
fn every_kernel_input_matches_the_reference() {
    // all alphas and pictures, with the colours at the edges and in the middle, at several opacities
    let picture: Vec<u8> = (0..=255).collect();
    for a in 0..=255u8 {
        for s in [0, a / 3, a.saturating_sub(1), a] {
            let (src, alpha) = ([s; 256], [a; 256]);
            for o in [1, 2, 127, 128, 254, 255] {
                let want: Vec<u8> = picture.iter().map(|d| reference(*d, s, a, o)).collect();
                for kind in [Kind::Mixed, Kind::Flat, Kind::Opaque] {
                    // a run that is clear is none
                    let is_one =
                        (kind, a) == (Kind::Opaque, 255) || (kind == Kind::Flat && a > 0) || kind == Kind::Mixed;
                    if is_one {
                        assert_eq!(laid(&picture, &src, &alpha, kind, o), want, "{kind:?} a={a} s={s} o={o}");
                    }
                }
                let mut d = picture.clone();
                kernels::flat(&mut d, s, a, o);
                assert_eq!(d, want, "flat a={a} s={s} o={o}");
                let mut d = picture.clone();
                kernels::veil(&mut d, &src, &alpha, &[o; 256]);
                assert_eq!(d, want, "veil a={a} s={s} o={o}");
            }
        }
    }
}
/// What is left over after whole turns of the loops.
#[test]
fn every_length_matches_the_reference() {
    let all: Vec<u8> = (0..300).map(|i| (i * 37 % 256) as u8).collect();
    let alpha: Vec<u8> = (0..300).map(|i| (i * 91 % 256) as u8).collect();
    let values: Vec<u8> = alpha.iter().map(|a| a / 2).collect();
    for n in 1..300 {
        for o in [255, 90] {
            let want: Vec<u8> = (0..n).map(|i| reference(all[i], values[i], alpha[i], o)).collect();
            assert_eq!(laid(&all[..n], &values[..n], &alpha[..n], Kind::Mixed, o), want, "{n} samples");
            let want: Vec<u8> = (0..n).map(|i| reference(all[i], 30, 99, o)).collect();
            assert_eq!(laid(&all[..n], &[30; 300][..n], &[99; 300][..n], Kind::Flat, o), want, "{n} samples");
        }
    }
}

#[test]
fn the_picture_is_pushed() {
    let pool = FramePool::new(10, 6, 1).unwrap();
    for by in [(4, 0), (-4, 0), (0, 2), (0, -2), (10, 0), (0, -6)] {
        let mut buf = pool.take();
        for p in buf.planes_mut() {
            for (i, d) in p.data.iter_mut().enumerate() {
                *d = (i % 190) as u8 + 60;
            }
        }
        let before: Vec<Vec<Vec<u8>>> =
            (0..3).map(|i| (0..buf.plane(i).height).map(|y| buf.plane(i).row(y).to_vec()).collect()).collect();
        push(&mut buf.planes_mut(), by);
        for (i, old) in before.iter().enumerate() {
            let half = u32::from(i > 0);
            for y in 0..old.len() as i64 {
                for x in 0..old[0].len() as i64 {
                    let (sx, sy) = (x - (by.0 >> half), y - (by.1 >> half));
                    let was = old.get(sy as usize).and_then(|r| r.get(sx as usize));
                    let black = if i == 0 { 16 } else { 128 };
                    let inside = sx >= 0 && sy >= 0;
                    let want = if inside { was.copied().unwrap_or(black) } else { black };
                    assert_eq!(buf.plane(i).row(y as usize)[x as usize], want, "{by:?} plane {i} at {x} {y}");
                }
            }
        }
    }
}

#[test]
fn an_edge_lifts_evenly() {
    for (soft, o) in [(1, 255u8), (77, 200), (65_536, 255), (30_000, 3)] {
        for edge in [0, 1, 500, 40_000, 65_535, 65_536, 131_072] {
            let places: Vec<u16> = (0..=1000).map(|i| (i * 65_535 / 1000) as u16).collect();
            let mut got = vec![0; places.len()];
            kernels::lift(&mut got, &places, edge, soft, o);
            for (g, p) in got.iter().zip(&places) {
                let part = f64::from((edge - i32::from(*p)).clamp(0, soft)) / f64::from(soft);
                assert!((f64::from(*g) - part * f64::from(o)).abs() < 0.51, "{g} at {p} of {edge}, {soft} soft");
            }
        }
    }
}

/// The whole blend again, sample by sample, without runs, clipping of loops or vectors.
fn slow(buf: &mut FrameBuf, planes: &mut Planes, r: &Raster, at: (i64, i64), clip: Clip, o: u8) {
    let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, r);
    let [y, u, v] = buf.planes_mut();
    let (w, h) = (y.width as i64, y.height as i64);
    let clip = clip.and(Clip { x0: 0, y0: 0, x1: w, y1: h });
    let job = [
        (y, &luma.y, &luma.alpha, luma.width, 0),
        (u, &chroma.u, &chroma.alpha, chroma.width, 1),
        (v, &chroma.v, &chroma.alpha, chroma.width, 1),
    ];
    for (mut p, s, a, width, shift) in job {
        for py in 0..p.height as i64 {
            for px in 0..p.width as i64 {
                let (lx, ly) = (px - (at.0 >> shift), py - (at.1 >> shift));
                let inside = |v: i64, lo: i64, hi: i64| v >= lo >> shift && v < (hi + shift) >> shift;
                if !inside(px, clip.x0, clip.x1) || !inside(py, clip.y0, clip.y1) || lx < 0 || ly < 0 {
                    continue;
                }
                let i = ly as usize * width + lx as usize;
                if lx as usize >= width || i >= s.len() {
                    continue;
                }
                let d = &mut p.row_mut(py as usize)[px as usize];
                *d = reference(*d, s[i], a[i], o);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_layer_anywhere_is_the_same_as_the_slow_way(
        (w, h) in (1usize..90, 1usize..9), seed in any::<u64>(), at in (-100i64..100, -12i64..12), o in any::<u8>(),
        size in (1u32..80, 1u32..12), cut in (0i64..40, 0i64..5, 40i64..90, 3i64..14),
    ) {
        let mut r = Raster::default();
        r.reset(w, h);
        // long runs of each kind and noise, from a small generator
        let mut x = seed | 1;
        let mut left = 0;
        let mut alpha = 0u8;
        for px in r.rgba.chunks_exact_mut(4) {
            x ^= x << 13; x ^= x >> 7; x ^= x << 17;
            if left == 0 { left = x % 40; alpha = match x >> 8 & 3 { 0 => 0, 1 => 255, _ => (x >> 16) as u8 }; } else { left -= 1; }
            let [a, b, c, ..] = x.to_le_bytes();
            px.copy_from_slice(&[a, b, c, alpha]);
        }
        let mut planes = Planes::default();
        planes.load(&r);
        let pool = FramePool::new(size.0, size.1, 2).unwrap();
        let (mut fast, mut want) = (pool.take(), pool.take());
        for buf in [&mut fast, &mut want] {
            for (k, p) in buf.planes_mut().into_iter().enumerate() {
                for (i, d) in p.data.iter_mut().enumerate() { *d = (i * 37 + k * 11 + seed as usize % 251) as u8; }
            }
        }
        let clip = Clip { x0: cut.0, y0: cut.1, x1: cut.2, y1: cut.3 };
        let (luma, chroma) = planes.chroma(at.0 & 1 == 1, at.1 & 1 == 1, &r);
        layer(&mut fast.planes_mut(), luma, chroma, at, clip, o, None);
        slow(&mut want, &mut planes, &r, at, clip, o);
        for i in 0..3 { prop_assert_eq!(fast.plane(i).data, want.plane(i).data); }
    }
}
