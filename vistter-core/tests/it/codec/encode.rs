//! The openh264 encoder and the AAC encoder, judged by FFmpeg.

use vistter_core::codec::{AacEncoder, Openh264Backend, Openh264Encoder};
use vistter_core::media::h264::{SpsInfo, avcc_sets, avcc_units, nal_type};
use vistter_core::media::{AudioBuffer, Bitrate, Packet};
use vistter_core::ports::{AudioEncoder, Effort, EncoderBackend, EncoderConfig, VideoEncoder};
use vistter_core::program::silence;
use vistter_core::time::{FrameRate, MediaTime};

use super::peer::{Scene, decode, probe, psnr, tight, write_annex_b};
use crate::peers::{TempDir, ffmpeg_tool};

fn config(width: u32, height: u32, kbps: u32, threads: u32) -> EncoderConfig {
    EncoderConfig {
        width,
        height,
        fps: FrameRate::FPS_30,
        bitrate: Bitrate::from_kbps(kbps),
        gop_frames: 30,
        threads,
        effort: Effort::Low,
    }
}

fn encode(e: &mut Openh264Encoder, c: &EncoderConfig, frames: u64, grain: u8) -> (Vec<Packet>, Vec<u8>) {
    let mut scene = Scene::new(c.width, c.height);
    let mut source = Vec::new();
    let packets = (0..frames)
        .map(|n| {
            let f = scene.frame(n, grain, c.fps.time_of(n));
            source.extend(tight(&f));
            e.encode(&f, false).unwrap()
        })
        .collect();
    (packets, source)
}

#[test]
fn ffmpeg_decodes_what_we_encode_and_reads_the_right_parameters() {
    let dir = TempDir::new("codec");
    for (name, width, height, threads, fps) in [
        ("a", 640, 360, 1, FrameRate::FPS_30),
        ("b", 1280, 720, 2, FrameRate::new(30000, 1001).unwrap()),
        ("c", 322, 242, 1, FrameRate::new(25, 1).unwrap()),
    ] {
        let c = EncoderConfig { fps, ..config(width, height, 2500, threads) };
        let mut e = Openh264Encoder::new(&c).unwrap();
        let (packets, source) = encode(&mut e, &c, 65, 4);
        let file = dir.join(&format!("{name}.h264"));
        write_annex_b(&file, e.params(), &packets);
        let got = decode(&file);
        assert_eq!(got.len(), source.len(), "every picture is there");
        assert!(psnr(&got, &source) > 28.0, "{:.1} dB", psnr(&got, &source));

        let said = probe(&file, "stream=profile,width,height,r_frame_rate,has_b_frames,color_range,color_space");
        for want in [
            "profile=High".to_owned(),
            format!("width={width}"),
            format!("height={height}"),
            format!("r_frame_rate={}/{}", fps.num(), fps.den()),
            "has_b_frames=0".to_owned(),
            "color_range=tv".to_owned(),
            "color_space=bt709".to_owned(),
        ] {
            assert!(said.lines().any(|l| l == want), "{want} in\n{said}");
        }
        // entropy_coding_mode_flag is the third thing in the PPS, after two ue(0).
        let (sps, pps) = avcc_sets(&e.params().config).unwrap();
        assert_eq!(pps[0][1] & 0b1110_0000, 0b1110_0000, "CABAC");
        let info = SpsInfo::parse(sps[0]).unwrap();
        assert_eq!((info.declared_fps, info.reorder_depth), (Some(fps), 0));
        assert_eq!((e.params().width, e.params().height), (width, height));
        assert_eq!(e.threads(), threads);
        for p in &packets {
            let slices = avcc_units(&p.data).map(|u| nal_type(u.unwrap())).collect::<Vec<_>>();
            assert_eq!(slices, vec![if p.keyframe { 5 } else { 1 }; e.threads() as usize]);
            assert_eq!(p.pts, p.dts);
        }
    }
}

#[test]
fn keyframes_come_every_gop_and_when_forced_and_nowhere_else() {
    let c = config(320, 240, 800, 1);
    let mut e = Openh264Encoder::new(&c).unwrap();
    let mut scene = Scene::new(320, 240);
    let keys: Vec<u64> = (0..120)
        .filter(|n| {
            // A different picture at 70: no keyframe may come from a change of scene.
            let f = scene.frame(if *n >= 70 { n * 1000 } else { *n }, 4, c.fps.time_of(*n));
            e.encode(&f, *n == 41).unwrap().keyframe
        })
        .collect();
    assert_eq!(keys, [0, 30, 41, 71, 101]);
}

#[test]
fn the_bitrate_is_constant_and_follows_a_change() {
    let c = EncoderConfig { gop_frames: 60, ..config(1280, 720, 3000, 0) };
    let mut e = Openh264Encoder::new(&c).unwrap();
    let mut scene = Scene::new(c.width, c.height);
    let mut kbps = Vec::new();
    let mut packets = Vec::new();
    let before = e.params().clone();
    for second in 0..14u64 {
        if second == 8 {
            e.set_bitrate(Bitrate::from_kbps(1500)).unwrap();
        }
        let mut bytes = 0;
        for n in second * 30..second * 30 + 30 {
            let p = e.encode(&scene.frame(n, 10, c.fps.time_of(n)), false).unwrap();
            assert_eq!(p.keyframe, n % 60 == 0);
            bytes += p.data.len();
            packets.push(p);
        }
        kbps.push(bytes as f64 * 8.0 / 1000.0);
    }
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    assert!((mean(&kbps[..8]) / 3000.0 - 1.0).abs() < 0.1, "{kbps:.0?}");
    assert!(kbps[..8].iter().all(|k| *k < 3000.0 * 1.4), "{kbps:.0?}");
    assert!((mean(&kbps[10..]) / 1500.0 - 1.0).abs() < 0.1, "{kbps:.0?}");
    assert_eq!(before, *e.params());
    let dir = TempDir::new("codec");
    let file = dir.join("rate.h264");
    write_annex_b(&file, e.params(), &packets);
    assert_eq!(decode(&file).len(), 14 * 30 * 1280 * 720 * 3 / 2);
}

#[test]
fn impossible_settings_are_refused_with_advice() {
    for bad in [
        config(641, 360, 1000, 1),
        config(14, 16, 1000, 1),
        config(3840, 2162, 1000, 1),
        config(640, 360, 1, 1),
        EncoderConfig { fps: FrameRate::new(61, 1).unwrap(), ..config(640, 360, 1000, 1) },
    ] {
        let e = Openh264Backend.create(&bad).err().unwrap();
        assert_eq!(e.kind(), vistter_core::ErrorKind::Config);
        assert!(e.next_step().is_some(), "{e}");
    }
    let mut e = Openh264Encoder::new(&config(640, 360, 1000, 1)).unwrap();
    assert!(e.set_bitrate(Bitrate::from_bps(0)).is_err());
    let small = Scene::new(320, 240).frame(0, 0, MediaTime::ZERO);
    assert!(e.encode(&small, false).is_err());
    let caps = Openh264Backend.probe().unwrap();
    assert!(!caps.hardware && caps.notes[0].contains("2."), "{caps:?}");
}

/// ADTS (ISO/IEC 14496-3 §1.A.2.2) around raw access units, for FFmpeg.
fn adts(units: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for u in units {
        let n = u.len() + 7;
        out.extend([0xff, 0xf1, 0x4c, 0x80 | (n >> 11) as u8, (n >> 3) as u8, (n << 5) as u8 | 0x1f, 0xfc]);
        out.extend(u);
    }
    out
}

#[test]
fn ffmpeg_decodes_our_silence_and_our_tone() {
    let dir = TempDir::new("codec");
    let mut e = AacEncoder::new(48_000, 2, 128_000).unwrap();
    let quiet = AudioBuffer { samples: vec![0.0; 2048], sample_rate: 48_000, channels: 2, pts: MediaTime::ZERO };
    let unit = silence(&mut e).unwrap();
    assert!(unit.len() < 64, "{} bytes", unit.len());
    assert!((0..12).all(|_| e.encode(&quiet).unwrap().data == unit), "settled: it can be repeated");
    let file = dir.join("silence.aac");
    std::fs::write(&file, adts((0..200).map(|_| unit.to_vec()))).unwrap();
    let f = file.to_str().unwrap();
    let pcm = ffmpeg_tool("ffmpeg", &["-v", "error", "-xerror", "-i", f, "-f", "s16le", "-"]);
    assert_eq!(pcm.len(), 200 * 1024 * 4);
    assert!(pcm.iter().all(|b| *b == 0), "silence is silent");

    let mut e = AacEncoder::new(48_000, 2, 128_000).unwrap();
    let mut bytes = 0;
    let units: Vec<Vec<u8>> = (0..100)
        .map(|n| {
            let samples = (0..1024)
                .flat_map(|i| {
                    let t = f64::from(n * 1024 + i) / 48_000.0;
                    let v = (t * 1000.0 * std::f64::consts::TAU).sin() as f32 * 0.5;
                    [v, v]
                })
                .collect();
            let sound = AudioBuffer { samples, sample_rate: 48_000, channels: 2, pts: MediaTime::ZERO };
            let data = e.encode(&sound).unwrap().data.to_vec();
            bytes += data.len();
            data
        })
        .collect();
    let file = dir.join("tone.aac");
    std::fs::write(&file, adts(units.into_iter())).unwrap();
    let f = file.to_str().unwrap();
    let pcm = ffmpeg_tool("ffmpeg", &["-v", "error", "-xerror", "-i", f, "-f", "s16le", "-ac", "1", "-"]);
    let samples: Vec<f64> =
        pcm.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect();
    let middle = &samples[20_000..68_000];
    let rms = (middle.iter().map(|s| s * s).sum::<f64>() / middle.len() as f64).sqrt();
    assert!((rms - 0.3535).abs() < 0.01, "a sine of 0.5 has 0.354 RMS, got {rms:.4}");
    let crossings = middle.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
    assert!((995..=1005).contains(&crossings), "1 kHz, got {crossings}");
}
