//! Both H.264 decoders over FFmpeg's streams, against FFmpeg's own decode.

use vistter_core::codec::{Openh264Decoder, Openh264Encoder, RustyH264Decoder};
use vistter_core::media::Bitrate;
use vistter_core::ports::{Effort, EncoderConfig, VideoDecoder, VideoEncoder};
use vistter_core::time::FrameRate;

use super::peer::{Scene, psnr, tight};

fn decoders() -> Vec<Box<dyn VideoDecoder>> {
    vec![Box::new(RustyH264Decoder::new()), Box::new(Openh264Decoder::new().unwrap())]
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
