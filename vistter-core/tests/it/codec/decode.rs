//! Both H.264 decoders over FFmpeg's streams, against FFmpeg's own decode.

use vistter_core::codec::{Openh264Decoder, Openh264Encoder, RustyH264Decoder, decoder_for};
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
