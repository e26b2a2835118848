//! `vistter ocl`: a good document, broken ones, and pictures.

use std::path::Path;

use serde_json::Value;

use crate::peers::{TempDir, decode_i420, ffmpeg_decodes, ffmpeg_tool, ffprobe_json, gray_frame};
use crate::vistter::vistter;

fn beside(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

#[test]
fn check() {
    vistter(&["ocl", "check", &beside("assets/demo/lower-third.ocl.json")]).assert_code(0).assert_says(": good");
    let broken = beside("../vistter-ocl/tests/broken/unknown-names.ocl.json");
    vistter(&["ocl", "check", &broken])
        .assert_code(3)
        .assert_says("did you mean")
        .assert_says("vistter ocl explain OCL-");
    let said = vistter(&["ocl", "check", &broken, "--json"]);
    said.assert_code(3);
    let v: Value = serde_json::from_str(&said.out).unwrap();
    let count = |key: &str| v[key].as_u64().unwrap() as usize;
    assert!(v["ok"] == false && count("errors") > 0, "{v:#}");
    assert_eq!(v["findings"].as_array().unwrap().len(), count("errors") + count("warnings"));
    let first = &v["findings"][0];
    for key in ["code", "pointer", "message", "help", "source_line"] {
        assert!(first[key].is_string(), "{key} in {first:#}");
    }
    assert!(first["place"]["line"].as_u64() > Some(1) && first["place"]["column"].is_u64());
    vistter(&["ocl", "check", "not-there.ocl.json"]).assert_code(3).assert_says("OCL-FILE");
}

#[test]
fn explain() {
    vistter(&["ocl", "explain", "ocl-range"]).assert_code(0).assert_says("right:").assert_says("0.8");
    vistter(&["ocl", "explain"]).assert_code(0).assert_says("OCL-UNKNOWN-TOKEN");
    vistter(&["ocl", "explain", "OCL-RNGE"]).assert_code(2).assert_says("did you mean OCL-RANGE");
    let all: Value = serde_json::from_str(&vistter(&["ocl", "explain", "--json"]).out).unwrap();
    assert!(all["codes"].as_array().is_some_and(|c| c.len() > 25));
}

#[test]
fn render() {
    let dir = TempDir::new("ocl");
    let file = beside("assets/demo/lower-third.ocl.json");
    let out = dir.path().join("one.png").display().to_string();
    let size = |path: &Path| {
        let png = std::fs::read(path).unwrap();
        (u32::from_be_bytes(png[16..20].try_into().unwrap()), u32::from_be_bytes(png[20..24].try_into().unwrap()))
    };
    let args = ["ocl", "render", &file, "--at", "2s", "--size", "320x180", "-o", &out, "--wall", "0"];
    vistter(&args).assert_code(0).assert_says("one.png");
    assert_eq!(size(Path::new(&out)), (320, 180));
    let plain = std::fs::read(&out).unwrap();
    vistter(&args).assert_code(0);
    assert_eq!(std::fs::read(&out).unwrap(), plain, "the same picture each time");
    vistter(&[&args[..], &["--safe-areas"]].concat()).assert_code(0);
    assert_ne!(std::fs::read(&out).unwrap(), plain);

    let folder = dir.path().join("frames").display().to_string();
    let range = ["ocl", "render", &file, "--at", "1s", "--to", "32f", "--size", "64x36", "-o", &folder, "--json"];
    let said = vistter(&range);
    said.assert_code(0);
    let v: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(v["written"].as_array().map(Vec::len), Some(3), "{v:#}");
    assert_eq!(size(&Path::new(&folder).join("frame-000031.png")), (64, 36));

    vistter(&["ocl", "render", &file, "-o", &out, "--token", "nosuch=x"])
        .assert_code(3)
        .assert_says("OCL-UNKNOWN-TOKEN");
    vistter(&["ocl", "render", &file, "-o", &out, "--scene", "nosuch"]).assert_code(3).assert_says("OCL-UNKNOWN-SCENE");
    vistter(&["ocl", "render", &file, "-o", "/nonexistent/x.png"]).assert_code(1).assert_says("/nonexistent");
    vistter(&["ocl", "render", &file, "-o", &out, "--at", "2s", "--to", "1s"]).assert_code(1).assert_says("--to");
}

#[test]
fn schema() {
    let language: Value = serde_json::from_str(&vistter(&["ocl", "schema"]).assert_code(0).out).unwrap();
    assert!(language["$defs"]["layer"]["oneOf"].is_array());
    let file = beside("assets/demo/lower-third.ocl.json");
    let form: Value = serde_json::from_str(&vistter(&["ocl", "schema", &file]).assert_code(0).out).unwrap();
    assert!(form["properties"].as_object().is_some_and(|p| !p.is_empty()), "{form:#}");
    vistter(&["ocl", "schema", "not-there.ocl.json"]).assert_code(3).assert_says("OCL-FILE");
}

/// A video in a document, as pictures and as a video; and what stands in its place when its file is not what it was.
#[test]
fn render_a_document_with_a_video() {
    let dir = TempDir::new("ocl-video");
    let at = |name: &str| dir.path().join(name);
    let name = |name: &str| at(name).display().to_string();
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clips");
    std::fs::copy(clips.join("disc.mp4"), at("disc.mp4")).unwrap();
    let text = std::fs::read_to_string(clips.join("disc.ocl.json")).unwrap();
    let fallback = r##""path": "disc.mp4", "fallback": { "color": "#00FF00" }"##;
    std::fs::write(at("disc.ocl.json"), text.replace(r#""path": "disc.mp4""#, fallback)).unwrap();
    let file = name("disc.ocl.json");
    let render = |more: &[&str]| vistter(&[&["ocl", "render", &file, "--wall", "0"], more].concat());
    let one = |when: &str| {
        render(&["--at", when, "-o", &name("one.png")]).assert_code(0);
        std::fs::read(at("one.png")).unwrap()
    };

    render(&["--at", "18f", "--to", "21f", "-o", &name("frames")]).assert_code(0);
    let frames: Vec<Vec<u8>> =
        (18..22).map(|n| std::fs::read(at("frames").join(format!("frame-{n:06}.png"))).unwrap()).collect();
    assert!(frames[0] != frames[3], "the video goes on");
    assert!(one("20f") == frames[2], "a picture is the same in a range and alone");

    render(&["--at", "0", "--to", "29f", "-o", &name("out.mp4")]).assert_code(0);
    ffmpeg_decodes(&at("out.mp4"));
    let probed = ffprobe_json(&at("out.mp4"), &["-count_frames", "-show_streams"]);
    assert_eq!(probed["streams"].as_array().unwrap().len(), 1, "nothing can be heard: {probed:#}");
    let stream = &probed["streams"][0];
    assert_eq!(
        (stream["codec_name"].as_str(), stream["nb_read_frames"].as_str()),
        (Some("h264"), Some("30")),
        "{probed:#}"
    );
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(320), Some(180)));
    // the disc turns red, and it moves
    let pictures = decode_i420(&at("out.mp4"), "null");
    let red = |p: &[u8]| p[320 * 180 + 160 * 90..].iter().filter(|v| **v > 170).count();
    assert!(pictures.iter().all(|p| red(p) > 100), "{:?}", pictures.iter().map(|p| red(p)).collect::<Vec<_>>());
    assert!(pictures.windows(2).filter(|w| w[0] != w[1]).count() > 10);

    let whole = std::fs::read(at("disc.mp4")).unwrap();
    std::fs::write(at("disc.mp4"), &whole[..3000]).unwrap();
    let damaged = one("20f");
    std::fs::remove_file(at("disc.mp4")).unwrap();
    let gone = one("20f");
    assert!(gone != frames[2] && gone == damaged, "the colour in its place, whatever it lacks");
    vistter(&["ocl", "check", &file]).assert_code(0).assert_says("OCL-ASSET-MISSING");
}

/// A video that a cue brings half a second into the picture: its tone begins with it, its beep comes with its flash, and
/// before it there is silence. Judged by FFmpeg.
#[test]
fn render_what_is_heard() {
    let dir = TempDir::new("ocl-sound");
    let name = |name: &str| dir.path().join(name).display().to_string();
    let white = "color=c=black:size=320x180:rate=30:duration=1.2,drawbox=c=white:t=fill:enable='between(t,0.49,0.59)'";
    let tones = "0.25*sin(2*PI*1500*t)+0.3*sin(2*PI*3000*t)*between(t\\,0.5\\,0.6)";
    let sound = format!("aevalsrc={tones}|{tones}:d=1.2:s=44100");
    let input = ["-v", "error", "-y", "-f", "lavfi", "-i", white, "-f", "lavfi", "-i", &sound, "-pix_fmt", "yuv420p"];
    let coding = ["-c:v", "libx264", "-threads", "1", "-c:a", "aac", "-b:a", "160k"];
    ffmpeg_tool("ffmpeg", &[&input[..], &coding, &[&name("clip.mp4")]].concat());
    let document = r#"{ "ocl": "1.1", "canvas": { "width": 320, "height": 180 }, "assets": { "clip": { "path": "clip.mp4" } },
        "scenes": [ { "id": "main", "layers": [], "tracks": [ { "id": "t", "cues": [ { "id": "c", "start": 1, "duration": 1.2,
            "content": { "type": "video", "asset": "clip", "plays": 1 } } ] } ] } ] }"#;
    std::fs::write(dir.path().join("clip.ocl.json"), document).unwrap();
    let (file, out) = (name("clip.ocl.json"), name("out.mp4"));
    let range = ["--at", "0.5s", "--to", "2.5s", "--fps", "30", "--wall", "0", "--background", "#404040"];
    vistter(&[&["ocl", "render", &file, "-o", &out], &range[..]].concat()).assert_code(0);

    let out = Path::new(&out);
    ffmpeg_decodes(out);
    let probed = ffprobe_json(out, &["-show_streams"]);
    let of = |kind: &str, key: &str| {
        let streams = probed["streams"].as_array().unwrap();
        streams.iter().find(|s| s["codec_type"] == kind).map(|s| s[key].as_str().unwrap().to_owned()).unwrap()
    };
    assert_eq!((of("audio", "codec_name"), of("audio", "sample_rate")), ("aac".into(), "48000".into()), "{probed:#}");
    let flash = gray_frame(out, 2, 2).iter().position(|p| p[0] > 200).unwrap();
    assert_eq!(flash, 30, "half a second after the cue, which comes half a second in");

    let args = ["-v", "error", "-i", out.to_str().unwrap(), "-map", "0:a", "-af", "pan=mono|c0=c0", "-f", "f32le", "-"];
    let heard: Vec<f32> = ffmpeg_tool("ffmpeg", &args).as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    assert!((heard.len() as i64 - 61 * 1600).abs() <= 1024, "{} samples of 61 frames", heard.len());
    let level = |from: f64, hz: f64| {
        let part = &heard[(from * 48_000.0) as usize..][..2400];
        let turn = |i: usize| std::f64::consts::TAU * hz * i as f64 / 48_000.0;
        let sum = |f: fn(f64) -> f64| part.iter().enumerate().map(|(i, v)| f64::from(*v) * f(turn(i))).sum::<f64>();
        2.0 * f64::hypot(sum(f64::sin), sum(f64::cos)) / part.len() as f64
    };
    assert!(level(0.4, 1500.0) < 0.002, "silence before it: {}", level(0.4, 1500.0));
    assert!((level(0.6, 1500.0) - 0.25).abs() < 0.02, "its tone: {}", level(0.6, 1500.0));
    let beeps = [0.94, 1.02, 1.12].map(|t| level(t, 3000.0));
    assert!(beeps[0] < 0.01 && (beeps[1] - 0.3).abs() < 0.03 && beeps[2] < 0.01, "{beeps:?}");
    assert!(level(1.8, 1500.0) < 0.002, "silence after it: {}", level(1.8, 1500.0));
}
