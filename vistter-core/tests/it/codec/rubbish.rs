//! Anything at all into every decoder: no panic, no hang, and a good stream still decodes afterwards.

use std::sync::OnceLock;

use bytes::Bytes;
use proptest::prelude::*;

use vistter_core::codec::{AacEncoder, RustyH265Decoder, audio_decoder_for};
use vistter_core::media::h264::put_avcc;
use vistter_core::media::{AudioParams, Codec, Packet, Track, VideoParams};
use vistter_core::ports::{AudioEncoder, VideoDecoder};
use vistter_core::time::MediaTime;

use super::decode::{decode_all, decoders};
use super::vectors::{self, Vector};

fn good() -> &'static [Vector; 2] {
    static GOOD: OnceLock<[Vector; 2]> = OnceLock::new();
    GOOD.get_or_init(|| [vectors::make(&vectors::H264[6]), vectors::make_h265(&vectors::H265[1])])
}

fn packet(data: Vec<u8>, n: usize) -> Packet {
    let pts = MediaTime::from_millis(n as i64 * 40);
    Packet { track: Track::Video, data: data.into(), pts, dts: pts, duration: MediaTime::ZERO, keyframe: n == 0 }
}

/// An access unit of NAL units with plausible headers and random bodies.
fn access_unit() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        4 => Just(vec![0x65]), 4 => Just(vec![0x41]), 1 => Just(vec![0x67]), 1 => Just(vec![0x68]),
        2 => Just(vec![0x26, 1]), 2 => Just(vec![0x02, 1]), 1 => Just(vec![0x42, 1]), 1 => Just(vec![0x44, 1]),
        1 => any::<[u8; 2]>().prop_map(Vec::from),
    ];
    let unit = (header, proptest::collection::vec(any::<u8>(), 0..200));
    proptest::collection::vec(unit, 0..4).prop_map(|units| {
        let mut out = bytes::BytesMut::new();
        for (mut head, body) in units {
            head.extend(body);
            put_avcc(&mut out, &head);
        }
        out.to_vec()
    })
}

fn all() -> Vec<Box<dyn VideoDecoder>> {
    let mut all = decoders();
    all.push(Box::new(RustyH265Decoder::new()));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn rubbish_access_units(
        units in proptest::collection::vec(prop_oneof![4 => access_unit(), 1 => proptest::collection::vec(any::<u8>(), 0..60)], 1..12),
        start in any::<bool>(),
    ) {
        for mut d in all() {
            let v = &good()[usize::from(d.name() == "rusty_h265")];
            d.configure(&v.params).unwrap();
            if start {
                // With a picture to refer to, slices get further.
                let _ = d.decode(&v.packets[0], &mut drop);
            }
            for (n, u) in units.iter().enumerate() {
                let _ = d.decode(&packet(u.clone(), n), &mut drop);
            }
            let _ = d.flush(&mut drop);
        }
    }

    #[test]
    fn damaged_parameters(at in 0usize..60, bit in 0u8..8, cut in 0usize..120) {
        for mut d in all() {
            let v = &good()[usize::from(d.name() == "rusty_h265")];
            let mut config = v.params.config.to_vec();
            if let Some(b) = config.get_mut(at) {
                *b ^= 1 << bit;
            }
            for config in [config.clone(), config[..cut.min(config.len())].to_vec()] {
                let params = VideoParams { config: Bytes::from(config), ..v.params.clone() };
                if d.configure(&params).is_ok() {
                    for p in &v.packets[..4] {
                        let _ = d.decode(p, &mut drop);
                    }
                    let _ = d.flush(&mut drop);
                }
            }
        }
    }

    #[test]
    fn rubbish_sound(data in proptest::collection::vec(any::<u8>(), 0..300), config in proptest::collection::vec(any::<u8>(), 0..8)) {
        let encoder = AacEncoder::new(48_000, 2, 128_000).unwrap();
        let good = encoder.params();
        for params in [
            good.clone(),
            AudioParams { config: Bytes::from(config), ..good.clone() },
            AudioParams { codec: Codec::Pcma, ..good.clone() },
        ] {
            if let Ok(mut d) = audio_decoder_for(&params) {
                let _ = d.decode(&packet(data.clone(), 0));
            }
        }
    }
}

#[test]
fn a_decoder_that_was_fed_rubbish_decodes_the_next_stream() {
    for mut d in all() {
        let v = &good()[usize::from(d.name() == "rusty_h265")];
        d.configure(&v.params).unwrap();
        for n in 0..40usize {
            let mut data = v.packets[n % v.packets.len()].data.to_vec();
            let at = 4 + (n * 7919) % (data.len() - 4);
            data[at..].fill(n as u8);
            let _ = d.decode(&packet(data, n), &mut drop);
        }
        let got = decode_all(d.as_mut(), v).unwrap();
        assert_eq!(got.len(), v.times.len(), "{}", d.name());
    }
}
