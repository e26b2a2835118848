//! Both H.264 decoders over FFmpeg's streams, against FFmpeg's own decode.

use vistter_core::codec::{Openh264Decoder, Openh264Encoder, RustyH264Decoder, decoder_for};
use vistter_core::media::h264::{SpsInfo, avcc_sets, put_avcc};
use vistter_core::media::{Bitrate, ColorRange, Frame};
use vistter_core::ports::{Effort, EncoderConfig, VideoDecoder, VideoEncoder};
use vistter_core::time::FrameRate;
use vistter_core::{ErrorKind, Result};

use super::peer::{Scene, psnr, tight};
use super::vectors::{self, Vector};

pub(super) fn decoders() -> Vec<Box<dyn VideoDecoder>> {
    vec![Box::new(RustyH264Decoder::new()), Box::new(Openh264Decoder::new().unwrap())]
}

/// Everything a decoder gives for a whole stream; the first error ends it.
pub(super) fn decode_all(d: &mut dyn VideoDecoder, v: &Vector) -> Result<Vec<Frame>> {
    d.configure(&v.params)?;
    let mut got = Vec::new();
    for p in &v.packets {
        d.decode(p, &mut |f| got.push(f))?;
    }
    d.flush(&mut |f| got.push(f))?;
    Ok(got)
}

#[test]
fn the_default_decoder_is_bit_exact_and_in_order() {
    for recipe in vectors::H264 {
        let v = vectors::make(recipe);
        check_parameters(&v);
        let mut d = decoder_for(&v.params).unwrap();
        let got = decode_all(d.as_mut(), &v).unwrap_or_else(|e| panic!("{}: {e}", v.name));
        let times: Vec<_> = got.iter().map(Frame::pts).collect();
        assert_eq!(times, v.times, "{}", v.name);
        for (i, f) in got.iter().enumerate() {
            assert!(
                tight(f) == v.picture(i),
                "{}: picture {i} differs, {:.1} dB",
                v.name,
                psnr(&tight(f), v.picture(i))
            );
            let range = if v.name.contains("full range") { ColorRange::Full } else { ColorRange::Limited };
            assert_eq!(f.range(), range, "{}", v.name);
        }
    }
}

/// A known fault of rusty_h264: invisible, but when it is gone this test says so, and the note in
/// `docs/decisions/0001-h264-decoder.md` can go too.
#[test]
fn unaligned_slices_with_the_8x8_transform_are_nearly_exact() {
    let v = vectors::make(&vectors::UNALIGNED_SLICES);
    let got = decode_all(&mut RustyH264Decoder::new(), &v).unwrap();
    let worst = got.iter().enumerate().map(|(i, f)| psnr(&tight(f), v.picture(i))).fold(f64::INFINITY, f64::min);
    assert!(worst > 50.0, "{worst:.1} dB");
    assert!(worst < 99.0, "rusty_h264 is exact now: move this stream to the others");
    let got = decode_all(&mut Openh264Decoder::new().unwrap(), &v).unwrap();
    assert!(got.iter().enumerate().all(|(i, f)| tight(f) == v.picture(i)));
}

#[test]
fn h265_is_exact_and_in_order_and_ten_bits_are_rounded_down_to_eight() {
    for recipe in vectors::H265 {
        let v = vectors::make_h265(recipe);
        let mut d = decoder_for(&v.params).unwrap();
        let got = decode_all(d.as_mut(), &v).unwrap_or_else(|e| panic!("{}: {e}", v.name));
        assert_eq!(got.iter().map(Frame::pts).collect::<Vec<_>>(), v.times, "{}", v.name);
        for (i, f) in got.iter().enumerate() {
            assert!(tight(f) == v.picture(i), "{}: picture {i}: {:.1} dB", v.name, psnr(&tight(f), v.picture(i)));
        }
    }
    let v = vectors::make_h265(&vectors::H265_TEN_BIT);
    let got = decode_all(decoder_for(&v.params).unwrap().as_mut(), &v).unwrap();
    assert_eq!(got.len(), v.times.len());
    assert!(got.iter().enumerate().all(|(i, f)| psnr(&tight(f), v.picture(i)) > 45.0));
}

/// The SPS parser against ffprobe.
fn check_parameters(v: &Vector) {
    let (sps, _) = avcc_sets(&v.params.config).unwrap();
    let info = SpsInfo::parse(sps[0]).unwrap();
    let says = |key: &str| {
        let line = v.said.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{key} in {}", v.said)).to_owned()
    };
    assert_eq!((info.width.to_string(), info.height.to_string()), (says("width"), says("height")), "{}", v.name);
    assert_eq!(info.profile_name(), says("profile"), "{}", v.name);
    assert_eq!(info.level_idc.to_string(), says("level"), "{}", v.name);
    assert_eq!(info.reorder_depth.to_string(), says("has_b_frames"), "{}", v.name);
    assert_eq!(info.declared_fps.map(|f| format!("{}/{}", f.num(), f.den())), Some(says("r_frame_rate")));
    assert_eq!(info.range == ColorRange::Full, says("color_range") == "pc", "{}", v.name);
    assert!(!info.interlaced);
}

/// A camera that changes its picture size in the middle, as a resolution switch or a reboot does.
#[test]
fn new_parameters_in_mid_stream_take_effect_with_the_keyframe() {
    let find = |name: &str| vectors::make(vectors::H264.iter().find(|r| r.name == name).unwrap());
    let (a, b) = (find("main, CABAC, P"), find("high, cropped 638x358"));
    for mut d in decoders() {
        for in_band in [false, true] {
            d.configure(&a.params).unwrap();
            let mut got = Vec::new();
            a.packets.iter().for_each(|p| d.decode(p, &mut |f| got.push(f)).unwrap());
            if !in_band {
                d.flush(&mut |f| got.push(f)).unwrap();
                d.configure(&b.params).unwrap();
            }
            for (i, p) in b.packets.iter().enumerate() {
                let mut p = p.clone();
                if in_band && i == 0 {
                    // The sets stand in front of the keyframe, and nobody calls configure.
                    let mut data = bytes::BytesMut::new();
                    let (sps, pps) = avcc_sets(&b.params.config).unwrap();
                    sps.iter().chain(&pps).for_each(|u| put_avcc(&mut data, u));
                    data.extend_from_slice(&p.data);
                    p.data = data.freeze();
                }
                d.decode(&p, &mut |f| got.push(f)).unwrap_or_else(|e| panic!("{}: {e}", d.name()));
            }
            d.flush(&mut |f| got.push(f)).unwrap();
            assert_eq!(got.len(), 80, "{} in band: {in_band}", d.name());
            for (i, f) in got.iter().enumerate() {
                let (v, n) = if i < 40 { (&a, i) } else { (&b, i - 40) };
                assert_eq!(f.size(), (v.params.width, v.params.height));
                assert!(psnr(&tight(f), v.picture(n)) > 45.0, "{} in band: {in_band}, picture {i}", d.name());
            }
        }
    }
}

#[test]
fn what_is_not_progressive_8_bit_420_is_refused_with_advice() {
    for recipe in [&vectors::INTERLACED, &vectors::TEN_BIT, &vectors::CHROMA_422] {
        let v = vectors::make(recipe);
        for mut d in decoders() {
            let e = decode_all(d.as_mut(), &v).expect_err(v.name);
            assert_eq!(e.kind(), ErrorKind::Unsupported, "{}: {e}", v.name);
            assert!(e.next_step().is_some_and(|s| s.contains("camera")), "{}: {e}", v.name);
        }
    }
}

#[test]
fn what_we_encode_comes_back_with_its_times() {
    let c = EncoderConfig {
        width: 322,
        height: 242,
        fps: FrameRate::FPS_30,
        bitrate: Bitrate::from_kbps(1500),
        gop_frames: 10,
        threads: 1,
        effort: Effort::High,
    };
    let mut e = Openh264Encoder::new(&c).unwrap();
    let mut scene = Scene::new(c.width, c.height);
    let source: Vec<_> = (0..25).map(|n| scene.frame(n, 2, c.fps.time_of(n))).collect();
    let packets: Vec<_> = source.iter().map(|f| e.encode(f, false).unwrap()).collect();
    for mut d in decoders() {
        d.configure(e.params()).unwrap();
        let mut got = Vec::new();
        for p in &packets {
            d.decode(p, &mut |f| got.push(f)).unwrap();
        }
        d.flush(&mut |f| got.push(f)).unwrap();
        assert_eq!(got.len(), source.len(), "{}", d.name());
        for (g, s) in got.iter().zip(&source) {
            assert_eq!(g.pts(), s.pts(), "{}", d.name());
            let db = psnr(&tight(g), &tight(s));
            assert!(db > 30.0, "{}: {db:.1} dB at {:?}", d.name(), g.pts());
        }
    }
}
