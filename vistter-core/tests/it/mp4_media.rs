//! Real H.264 and AAC packets, made by FFmpeg, with its own timestamps; and FFmpeg's tools as judges.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use vistter_core::media::{AudioParams, Codec, Packet, StreamParams, Track, h264};
use vistter_core::time::{FrameRate, MediaTime};

use crate::peers::{TempDir, ffmpeg_tool};

/// What a tool of FFmpeg says, as text.
pub(crate) fn text(name: &str, args: &[&str]) -> String {
    String::from_utf8(ffmpeg_tool(name, args)).unwrap()
}

/// Decodes everything with FFmpeg, which must not complain once. The number of pictures.
pub(crate) fn decode(file: &Path) -> usize {
    let file = file.to_str().unwrap();
    let checked = ["-v", "warning", "-xerror", "-err_detect", "explode", "-i", file, "-map", "0", "-f", "null", "-"];
    ffmpeg_tool("ffmpeg", &checked);
    packets(file, "v").len()
}

/// `(pts, dts, keyframe)` of each packet in file order, in seconds.
pub(crate) fn packets(file: &str, stream: &str) -> Vec<(f64, f64, bool)> {
    let show = ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,dts_time,flags"];
    let text = text("ffprobe", &[&show[..], &["-of", "csv=p=0", file]].concat());
    text.lines()
        .map(|l| {
            let f: Vec<_> = l.split(',').collect();
            (f[0].parse().unwrap(), f[1].parse().unwrap(), f[2].starts_with('K'))
        })
        .collect()
}

/// `seconds` of a test picture and tone: the packets of both tracks in decode order.
pub(crate) fn media(
    dir: &TempDir,
    fps: FrameRate,
    seconds: u32,
    gop: u32,
    b_frames: u32,
) -> (StreamParams, Vec<Packet>) {
    let source = dir.join("source.mp4");
    let (src, raw, adts) = (source.to_str().unwrap(), dir.join("v.h264"), dir.join("a.aac"));
    let picture = format!("testsrc2=size=320x180:rate={fps}:duration={seconds}");
    let tone = format!("sine=frequency=440:sample_rate=48000:duration={seconds}");
    let x264 = format!("aud=1:keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0");
    let b = b_frames.to_string();
    let q = ["-v", "error", "-y"];
    let inputs = ["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone];
    let codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "1", "-preset", "veryfast"];
    let rest = ["-bf", &b, "-x264-params", &x264, "-c:a", "aac", "-ac", "2", src];
    ffmpeg_tool("ffmpeg", &[&q[..], &inputs, &codecs, &rest].concat());
    let copy = ["-v", "error", "-y", "-i", src, "-c", "copy"];
    ffmpeg_tool("ffmpeg", &[&copy[..], &["-an", "-f", "h264", raw.to_str().unwrap()]].concat());
    ffmpeg_tool("ffmpeg", &[&copy[..], &["-vn", "-f", "adts", adts.to_str().unwrap()]].concat());

    let (video, pictures) = access_units(&std::fs::read(raw).unwrap());
    let times = packets(src, "v");
    assert_eq!(pictures.len(), times.len());
    let mut out: Vec<Packet> = Vec::new();
    // FFmpeg's stamps are ticks of 1/90000 or finer; its first dts may be negative with B-frames.
    let at = |s: f64| MediaTime::from_nanos((s * 1e9).round() as i64);
    for (data, (pts, dts, keyframe)) in pictures.into_iter().zip(times) {
        assert_eq!(h264::has_idr(&data), keyframe);
        let duration = fps.frame_duration();
        out.push(Packet { track: Track::Video, data, pts: at(pts), dts: at(dts), duration, keyframe });
    }
    let (config, frames) = adts_frames(&std::fs::read(adts).unwrap());
    for (n, data) in frames.into_iter().enumerate() {
        let t = MediaTime::from_ticks(n as i64 * 1024, 48_000);
        let duration = MediaTime::from_ticks(1024, 48_000);
        out.push(Packet { track: Track::Audio, data, pts: t, dts: t, duration, keyframe: true });
    }
    out.sort_by_key(|p| p.dts);
    let mut video = video;
    video.declared_fps = Some(fps);
    let audio = AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config };
    (StreamParams { video: Some(video), audio: Some(audio) }, out)
}

/// Splits an Annex B stream at its access unit delimiters into AVCC access units.
fn access_units(stream: &[u8]) -> (vistter_core::media::VideoParams, Vec<Bytes>) {
    let (mut sps, mut pps) = (None, None);
    let mut units: Vec<BytesMut> = Vec::new();
    for u in h264::annex_b_units(stream) {
        match h264::nal_type(u) {
            h264::nal::AUD => units.push(BytesMut::new()),
            h264::nal::SPS => sps = Some(u),
            h264::nal::PPS => pps = Some(u),
            // x264 puts its advertisement before the first delimiter
            _ => {
                if let Some(unit) = units.last_mut() {
                    h264::put_avcc(unit, u);
                }
            }
        }
    }
    let params = h264::video_params(sps.unwrap(), pps.unwrap()).unwrap();
    (params, units.into_iter().map(BytesMut::freeze).collect())
}

/// Takes the ADTS headers away (ISO/IEC 14496-3 §1.A.2.2): the AudioSpecificConfig they imply, and the frames.
fn adts_frames(stream: &[u8]) -> (Bytes, Vec<Bytes>) {
    let (object_type, rate, channels) = (stream[2] >> 6, stream[2] >> 2 & 15, (stream[2] & 1) << 2 | stream[3] >> 6);
    let config = [(object_type + 1) << 3 | rate >> 1, (rate & 1) << 7 | channels << 3];
    let (mut rest, mut frames) = (stream, Vec::new());
    while rest.len() >= 7 {
        let len = usize::from(rest[3] & 3) << 11 | usize::from(rest[4]) << 3 | usize::from(rest[5] >> 5);
        frames.push(Bytes::copy_from_slice(&rest[7..len]));
        rest = &rest[len..];
    }
    (Bytes::copy_from_slice(&config), frames)
}
