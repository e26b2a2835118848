//! What a decoder makes of lost, cut and flipped access units.

use bytes::Bytes;

use vistter_core::ErrorKind;
use vistter_core::media::Packet;
use vistter_core::ports::VideoDecoder;

use super::decode::decoders;
use super::peer::{psnr, tight};
use super::vectors::{self, Vector};

/// What came of a damaged stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Errors reported.
    pub(super) errors: usize,
    /// Pictures as they should be (B-frames of openh264 differ by a step here and there: 45 dB counts as right).
    pub(super) right: usize,
    /// Pictures that show damage.
    pub(super) wrong: usize,
    /// Pictures out of order.
    pub(super) backwards: usize,
    /// Wrong pictures in the last GOP, which is never damaged.
    pub(super) wrong_at_the_end: usize,
}

/// Decodes packets and compares each picture with the undamaged stream's picture of the same time.
pub(super) fn outcome(d: &mut dyn VideoDecoder, v: &Vector, packets: &[Packet]) -> Outcome {
    d.configure(&v.params).unwrap();
    let (mut got, mut o) = (Vec::new(), Outcome::default());
    for p in packets {
        if let Err(e) = d.decode(p, &mut |f| got.push(f)) {
            assert!(matches!(e.kind(), ErrorKind::Media | ErrorKind::Unsupported), "{}: {e}", d.name());
            o.errors += 1;
        }
    }
    d.flush(&mut |f| got.push(f)).unwrap();
    let last_gop = v.packets.iter().rev().find(|p| p.keyframe).unwrap().pts;
    for (i, f) in got.iter().enumerate() {
        if i > 0 && got[i - 1].pts() >= f.pts() {
            o.backwards += 1;
        }
        let n = v.times.iter().position(|t| *t == f.pts()).unwrap();
        if psnr(&tight(f), v.picture(n)) > 45.0 {
            o.right += 1;
        } else {
            o.wrong += 1;
            o.wrong_at_the_end += usize::from(f.pts() >= last_gop);
        }
    }
    o
}

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Makes something else of an access unit, or nothing.
pub(super) type Damage = fn(&mut u64, &[u8]) -> Option<Vec<u8>>;

/// Damages packets outside the last GOP.
pub(super) fn damage(v: &Vector, seed: u64, one_in: usize, how: Damage) -> Vec<Packet> {
    let mut seed = seed;
    let last_gop = v.packets.iter().rposition(|p| p.keyframe).unwrap();
    let mut out = Vec::new();
    for (i, p) in v.packets.iter().enumerate() {
        if i >= last_gop || !random(&mut seed).is_multiple_of(one_in) {
            out.push(p.clone());
        } else if let Some(data) = how(&mut seed, &p.data) {
            out.push(Packet { data: Bytes::from(data), ..p.clone() });
        }
    }
    out
}

pub(super) fn drop_it(_: &mut u64, _: &[u8]) -> Option<Vec<u8>> {
    None
}
pub(super) fn cut(seed: &mut u64, data: &[u8]) -> Option<Vec<u8>> {
    // The length of the last unit is made right, as a depacketizer would.
    let keep = 5 + random(seed) % (data.len() - 5);
    let mut data = data[..keep].to_vec();
    let mut at = 0;
    while let Some(head) = data.get(at..at + 4) {
        let n = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        if at + 4 + n >= data.len() {
            let left = (data.len() - at - 4) as u32;
            data[at..at + 4].copy_from_slice(&left.to_be_bytes());
            break;
        }
        at += 4 + n;
    }
    Some(data)
}
pub(super) fn flip(seed: &mut u64, data: &[u8]) -> Option<Vec<u8>> {
    let mut data = data.to_vec();
    for _ in 0..3 {
        let at = 5 + random(seed) % (data.len() - 5);
        data[at] ^= 1 << (random(seed) % 8);
    }
    Some(data)
}

/// Pictures in the last GOP.
fn last_gop(v: &Vector) -> usize {
    v.packets.len() - v.packets.iter().rposition(|p| p.keyframe).unwrap()
}

const STREAMS: [&str; 3] = ["main, CABAC, P", "high, pyramid of 3 B", "baseline, 3 refs"];

pub(super) fn streams() -> Vec<Vector> {
    vectors::H264.iter().filter(|r| STREAMS.contains(&r.name)).map(vectors::make).collect()
}

#[test]
fn a_lost_access_unit_costs_pictures_and_shows_no_damage() {
    for v in streams() {
        for mut d in decoders() {
            for seed in 0..12 {
                let packets = damage(&v, seed, 8, drop_it);
                let o = outcome(d.as_mut(), &v, &packets);
                assert_eq!((o.wrong, o.backwards), (0, 0), "{} {} seed {seed}: {o:?}", d.name(), v.name);
                assert!(o.right >= last_gop(&v), "{} {} seed {seed}: the last GOP is whole: {o:?}", d.name(), v.name);
            }
        }
    }
}

#[test]
fn damage_inside_an_access_unit_is_over_at_the_next_keyframe() {
    for v in streams() {
        for mut d in decoders() {
            for seed in 0..12 {
                for how in [cut as Damage, flip] {
                    let packets = damage(&v, seed, 6, how);
                    let o = outcome(d.as_mut(), &v, &packets);
                    assert_eq!((o.wrong_at_the_end, o.backwards), (0, 0), "{} {} seed {seed}: {o:?}", d.name(), v.name);
                    assert!(o.right >= last_gop(&v), "{} {} seed {seed}: {o:?}", d.name(), v.name);
                }
            }
        }
    }
}
