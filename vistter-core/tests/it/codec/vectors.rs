//! Streams made by FFmpeg's x264 and x265, each with FFmpeg's own decode of it.

use std::path::Path;

use vistter_core::media::h264::{annex_b_units, nal, nal_type, put_avcc, video_params};
use vistter_core::media::{Codec, ColorRange, Packet, Track, VideoParams};
use vistter_core::time::MediaTime;

use super::peer::{decode, probe};
use crate::peers::{TempDir, ffmpeg_tool};

/// A stream in decode order, and what it must look like.
pub(super) struct Vector {
    pub(super) name: &'static str,
    pub(super) params: VideoParams,
    pub(super) packets: Vec<Packet>,
    /// FFmpeg's pictures in presentation order, tight I420.
    pub(super) pictures: Vec<u8>,
    /// Presentation times in order.
    pub(super) times: Vec<MediaTime>,
    /// What ffprobe says of the stream, `key=value` lines.
    pub(super) said: String,
}

impl Vector {
    pub(super) fn picture_bytes(&self) -> usize {
        let (w, h) = (self.params.width as usize, self.params.height as usize);
        w * h + 2 * w.div_ceil(2) * h.div_ceil(2)
    }
    pub(super) fn picture(&self, i: usize) -> &[u8] {
        let n = self.picture_bytes();
        &self.pictures[i * n..][..n]
    }
}

/// One line of the conformance table: a name, the picture size, and encoder options.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    size: &'static str,
    frames: u32,
    grain: u32,
    options: &'static [&'static str],
}

const fn recipe(name: &'static str, size: &'static str, options: &'static [&'static str]) -> Recipe {
    Recipe { name, size, frames: if size.len() > 7 { 20 } else { 40 }, grain: 12, options }
}

/// What the two H.264 decoders must agree with FFmpeg on, bit by bit.
pub(super) const H264: &[Recipe] = &[
    recipe("baseline", "320x240", &["-profile:v", "baseline", "-x264-params", "keyint=20:ref=1"]),
    recipe("baseline, 3 refs", "320x240", &["-profile:v", "baseline", "-x264-params", "keyint=20:ref=3"]),
    recipe("main, CAVLC, P", "320x240", &["-profile:v", "main", "-x264-params", "keyint=20:bframes=0:cabac=0:ref=2"]),
    recipe("main, CABAC, P", "320x240", &["-profile:v", "main", "-x264-params", "keyint=20:bframes=0:weightp=0"]),
    recipe(
        "main, 2 B",
        "320x240",
        &["-profile:v", "main", "-x264-params", "keyint=20:bframes=2:b-pyramid=none:b-adapt=0:weightb=0"],
    ),
    recipe(
        "main, temporal direct",
        "320x240",
        &["-profile:v", "main", "-x264-params", "keyint=20:bframes=2:b-adapt=0:direct=temporal"],
    ),
    recipe(
        "high, pyramid of 3 B",
        "320x240",
        &["-profile:v", "high", "-x264-params", "keyint=20:bframes=3:b-pyramid=normal:b-adapt=0:ref=4"],
    ),
    recipe(
        "high, strict pyramid, 5 B",
        "320x240",
        &["-profile:v", "high", "-x264-params", "keyint=40:bframes=5:b-pyramid=strict:b-adapt=0:ref=5"],
    ),
    recipe("high, 8x8dct, P", "320x240", &["-profile:v", "high", "-x264-params", "keyint=20:bframes=0:8x8dct=1"]),
    recipe("high, CAVLC, 8x8dct, B", "320x240", &["-profile:v", "high", "-x264-params", "keyint=20:bframes=2:cabac=0"]),
    recipe("high, JVT scaling lists", "320x240", &["-profile:v", "high", "-x264-params", "keyint=20:cqm=jvt"]),
    recipe(
        "high, fade, weighted P and B",
        "320x240",
        &["-profile:v", "high", "-vf", "fade=in:0:30", "-x264-params", "keyint=40:bframes=2:weightp=2:weightb=1"],
    ),
    recipe("high, 4 slices", "320x240", &["-profile:v", "high", "-x264-params", "keyint=20:slices=4:bframes=2"]),
    recipe("high, no deblocking", "320x240", &["-profile:v", "high", "-x264-params", "keyint=20:no-deblock=1"]),
    recipe("high, all intra", "320x240", &["-profile:v", "high", "-x264-params", "keyint=1"]),
    recipe("high, cropped 322x242", "322x242", &["-profile:v", "high", "-x264-params", "keyint=20"]),
    recipe("high, cropped 638x358", "638x358", &["-profile:v", "high", "-x264-params", "keyint=20:bframes=2"]),
    recipe("high, full range", "320x240", &["-profile:v", "high", "-color_range", "pc", "-x264-params", "keyint=20"]),
    recipe("high, one GOP", "320x240", &["-profile:v", "high", "-x264-params", "keyint=250:bframes=3"]),
    recipe(
        "high, fine quantiser",
        "320x240",
        &["-profile:v", "high", "-qp", "4", "-x264-params", "keyint=20:bframes=2"],
    ),
    recipe("main, 720p", "1280x720", &["-profile:v", "main", "-b:v", "3M", "-x264-params", "keyint=25:bframes=0"]),
    recipe("high, 1080p", "1920x1080", &["-profile:v", "high", "-b:v", "6M", "-x264-params", "keyint=30:bframes=2"]),
];

/// High profile with the 8×8 transform and slices that end inside a macroblock row. rusty_h264 0.17 is off by a step
/// here and there; openh264 is exact.
pub(super) const UNALIGNED_SLICES: Recipe = recipe(
    "high, small slices",
    "320x240",
    &["-profile:v", "high", "-x264-params", "keyint=20:slice-max-size=600:bframes=0"],
);

/// For the CPU figures: a camera's kind of stream.
pub(super) const CAMERA_1080P: Recipe = Recipe {
    name: "1080p30, high, 6 Mbit/s, P",
    size: "1920x1080",
    frames: 150,
    grain: 8,
    options: &[
        "-profile:v",
        "high",
        "-b:v",
        "6M",
        "-maxrate",
        "6M",
        "-bufsize",
        "6M",
        "-x264-params",
        "keyint=60:bframes=0",
    ],
};

/// As [`CAMERA_1080P`], with B-frames.
pub(super) const CAMERA_1080P_B: Recipe = Recipe {
    name: "1080p30, high, 6 Mbit/s, 2 B",
    size: "1920x1080",
    frames: 150,
    grain: 8,
    options: &[
        "-profile:v",
        "high",
        "-b:v",
        "6M",
        "-maxrate",
        "6M",
        "-bufsize",
        "6M",
        "-x264-params",
        "keyint=60:bframes=2",
    ],
};

/// Field coding, which is refused.
pub(super) const INTERLACED: Recipe = recipe(
    "interlaced",
    "320x240",
    &["-profile:v", "high", "-flags", "+ildct+ilme", "-x264-params", "tff=1:keyint=20"],
);
/// More than 8 bits, which is refused.
pub(super) const TEN_BIT: Recipe =
    recipe("10 bit", "320x240", &["-pix_fmt", "yuv420p10le", "-x264-params", "keyint=20"]);
/// Other chroma, which is refused.
pub(super) const CHROMA_422: Recipe = recipe("4:2:2", "320x240", &["-pix_fmt", "yuv422p", "-x264-params", "keyint=20"]);

/// H.265 as cameras send it, and with what they rarely use.
pub(super) const H265: &[Recipe] = &[
    recipe("h265, P", "320x240", &["-x265-params", "keyint=20:bframes=0:log-level=error"]),
    recipe("h265, B pyramid", "320x240", &["-x265-params", "keyint=20:bframes=3:b-adapt=0:open-gop=0:log-level=error"]),
    recipe("h265, open GOP", "320x240", &["-x265-params", "keyint=20:bframes=3:open-gop=1:log-level=error"]),
    recipe("h265, cropped", "322x242", &["-x265-params", "keyint=20:log-level=error"]),
];
/// Ten bits, which are shown with eight.
pub(super) const H265_TEN_BIT: Recipe =
    recipe("h265, Main 10", "320x240", &["-pix_fmt", "yuv420p10le", "-x265-params", "keyint=20:log-level=error"]);

/// Makes an H.265 stream and its reference.
pub(super) fn make_h265(r: &Recipe) -> Vector {
    let dir = TempDir::new("codec");
    let (mp4, raw) = (dir.join("v.mp4"), dir.join("v.h265"));
    encode(r, "libx265", &mp4);
    copy_out(&mp4, &raw, "hevc_mp4toannexb,hevc_metadata=aud=insert", "hevc");
    let stream = std::fs::read(&raw).unwrap();
    let kind = |u: &[u8]| u[0] >> 1 & 0x3f;
    let (mut units, mut sets) = (Vec::<Vec<&[u8]>>::new(), [None; 3]);
    for u in annex_b_units(&stream) {
        match kind(u) {
            35 => units.push(Vec::new()),
            t @ 32..=34 => sets[usize::from(t) - 32] = Some(u),
            _ => units.last_mut().unwrap().push(u),
        }
    }
    let mut config = vec![1; 22];
    config.push(3);
    for (t, set) in sets.iter().enumerate() {
        let set = set.unwrap();
        config.extend([0xa0 | t as u8, 0, 1, 0, set.len() as u8]);
        config.extend(set);
    }
    let (width, height) = r.size.split_once('x').unwrap();
    let params = VideoParams {
        codec: Codec::H265,
        width: width.parse().unwrap(),
        height: height.parse().unwrap(),
        config: config.into(),
        declared_fps: None,
        reorder_depth: 4,
        rfc6381: "hvc1.1.6.L93.B0".into(),
        range: ColorRange::Limited,
    };
    let key = |au: &[&[u8]]| au.iter().any(|u| (16..=21).contains(&kind(u)));
    let aus = units.iter().map(|au| (framed(au), key(au))).collect();
    finish(r, params, aus, &mp4)
}

/// Makes the stream and its reference.
pub(super) fn make(r: &Recipe) -> Vector {
    let dir = TempDir::new("codec");
    let (mp4, raw) = (dir.join("v.mp4"), dir.join("v.h264"));
    encode(r, "libx264", &mp4);
    copy_out(&mp4, &raw, "h264_mp4toannexb,h264_metadata=aud=insert", "h264");
    let stream = std::fs::read(&raw).unwrap();

    let (mut units, mut sps, mut pps) = (Vec::new(), Vec::new(), Vec::new());
    for u in annex_b_units(&stream) {
        match nal_type(u) {
            nal::AUD => units.push(Vec::new()),
            nal::SPS => sps = u.to_vec(),
            nal::PPS => pps = u.to_vec(),
            _ => units.last_mut().unwrap().push(u),
        }
    }
    let params = video_params(&sps, &pps).unwrap();
    let keys = |au: &[&[u8]]| au.iter().any(|u| nal_type(u) == nal::IDR);
    let aus = units.iter().map(|au| (framed(au), keys(au))).collect();
    finish(r, params, aus, &mp4)
}

fn framed(units: &[&[u8]]) -> bytes::Bytes {
    let mut data = bytes::BytesMut::new();
    units.iter().for_each(|u| put_avcc(&mut data, u));
    data.freeze()
}

fn encode(r: &Recipe, codec: &str, to: &Path) {
    let source = format!("testsrc2=size={}:rate=30,noise=alls={}:allf=t:all_seed=7", r.size, r.grain);
    let frames = r.frames.to_string();
    let mut args = vec!["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-frames:v", &frames, "-c:v", codec];
    if !r.options.contains(&"-pix_fmt") {
        args.extend(["-pix_fmt", "yuv420p"]);
    }
    args.extend(["-threads", "2", "-preset", "fast"]);
    args.extend(r.options);
    args.push(to.to_str().unwrap());
    ffmpeg_tool("ffmpeg", &args);
}

fn copy_out(from: &Path, to: &Path, filter: &str, format: &str) {
    let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
    ffmpeg_tool("ffmpeg", &["-v", "error", "-y", "-i", from, "-c", "copy", "-bsf:v", filter, "-f", format, to]);
}

/// Adds times from the container and FFmpeg's pictures.
fn finish(r: &Recipe, params: VideoParams, aus: Vec<(bytes::Bytes, bool)>, mp4: &Path) -> Vector {
    let args = ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,dts_time", "-of", "csv=p=0"];
    let said = String::from_utf8(ffmpeg_tool("ffprobe", &[&args[..], &[mp4.to_str().unwrap()]].concat())).unwrap();
    let time = |s: &str| MediaTime::from_nanos((s.parse::<f64>().unwrap() * 1e9).round() as i64);
    let stamps: Vec<(MediaTime, MediaTime)> = said
        .lines()
        .map(|l| {
            let mut f = l.split(',');
            (time(f.next().unwrap()), time(f.next().unwrap()))
        })
        .collect();
    assert_eq!(stamps.len(), aus.len(), "{}", r.name);
    let duration = MediaTime::from_nanos(33_333_333);
    let packets: Vec<Packet> = aus
        .into_iter()
        .zip(&stamps)
        .map(|((data, keyframe), (pts, dts))| Packet {
            track: Track::Video,
            data,
            pts: *pts,
            dts: *dts,
            duration,
            keyframe,
        })
        .collect();
    let mut times: Vec<MediaTime> = stamps.iter().map(|(p, _)| *p).collect();
    times.sort_unstable();
    let said = probe(mp4, "stream=profile,width,height,r_frame_rate,has_b_frames,color_range,level");
    let mut v = Vector { name: r.name, params, packets, pictures: decode(mp4), times, said };
    if r.options.contains(&"-color_range") {
        v.pictures = decode_full_range(mp4);
    }
    v
}

/// FFmpeg would squeeze full range into limited range on its way to `yuv420p`.
fn decode_full_range(file: &Path) -> Vec<u8> {
    let common = ["-v", "error", "-xerror", "-i", file.to_str().unwrap(), "-fps_mode", "passthrough"];
    ffmpeg_tool("ffmpeg", &[&common[..], &["-f", "rawvideo", "-pix_fmt", "yuvj420p", "-"]].concat())
}
