//! FFmpeg's tools as judges of what we made, and the plain arithmetic to compare pictures.

use std::ffi::OsStr;
use std::path::Path;

use super::place::tool;

/// Output of `ffprobe -of json` with these arguments, for example `&["-show_streams", "-show_packets"]`.
pub fn ffprobe_json(path: &Path, args: &[&str]) -> serde_json::Value {
    let output = tool("ffprobe", "ffmpeg").args(["-v", "error", "-of", "json"]).args(args).arg(path).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffprobe cannot read {}: {complaints}", path.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Decodes the whole file and panics on the first thing that FFmpeg complains about.
pub fn ffmpeg_decodes(path: &Path) {
    let strict = ["-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-i", path.to_str().unwrap()];
    ffmpeg_tool("ffmpeg", &[&strict[..], &["-f", "null", "-"]].concat());
}

/// Runs a tool of FFmpeg and gives what it wrote to its output; panics with its complaints when it fails or has any.
pub fn ffmpeg_tool<S: AsRef<OsStr>>(name: &str, args: &[S]) -> Vec<u8> {
    let output = tool(name, "ffmpeg").args(args).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    let shown: Vec<_> = args.iter().map(AsRef::as_ref).collect();
    assert!(output.status.success() && complaints.trim().is_empty(), "{name} {shown:?}: {complaints}");
    output.stdout
}

/// A hash of each video access unit as it stands in the file, without its time. FLV and MP4 hold them in the same form.
pub fn video_hashes(path: &Path) -> Vec<String> {
    let file = path.to_str().unwrap();
    let args = ["-nostdin", "-v", "error", "-i", file, "-map", "0:v:0", "-c", "copy", "-f", "framehash", "-"];
    let text = String::from_utf8(ffmpeg_tool("ffmpeg", &args)).unwrap();
    // stream, dts, pts, duration, size, hash (and side data, which a hash of the bytes does not need)
    let field = |line: &str| line.split(',').nth(5).map(|hash| hash.trim().to_owned());
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| field(line).expect("framehash writes six fields"))
        .collect()
}

/// All pictures of a file as packed I420 (Y, then U, then V, no padding), each `width * height * 3 / 2` bytes, after the
/// given filter (`""` for none).
pub fn decode_i420(path: &Path, filter: &str) -> Vec<Vec<u8>> {
    let probed = ffprobe_json(path, &["-select_streams", "v:0", "-show_entries", "stream=width,height"]);
    let side = |name: &str| probed["streams"][0][name].as_u64().unwrap() as usize;
    let (width, height) = (side("width"), side("height"));
    assert!(!filter.contains("scale") && !filter.contains("crop"), "the filter must keep the size");
    let filter = if filter.is_empty() { "null" } else { filter };
    raw(path, &["-vf", filter, "-pix_fmt", "yuv420p"], width * height * 3 / 2)
}

/// The pictures as grey rows of that size: enough to recognise what is on air.
pub fn gray_frame(path: &Path, width: usize, height: usize) -> Vec<Vec<u8>> {
    let filter = format!("scale={width}:{height}:flags=area,format=gray");
    raw(path, &["-vf", &filter, "-pix_fmt", "gray"], width * height)
}

fn raw(path: &Path, args: &[&str], size: usize) -> Vec<Vec<u8>> {
    let strict = ["-nostdin", "-v", "error", "-xerror", "-err_detect", "explode", "-i", path.to_str().unwrap()];
    let all = [&strict[..], &["-map", "0:v:0", "-fps_mode", "passthrough"], args, &["-f", "rawvideo", "-"]].concat();
    let pictures = ffmpeg_tool("ffmpeg", &all);
    assert_eq!(pictures.len() % size, 0, "{}: whole pictures of {size} bytes", path.display());
    pictures.chunks_exact(size).map(<[u8]>::to_vec).collect()
}

/// A plane of 8-bit samples inside a larger buffer.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// First sample of the first row.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Peak signal-to-noise ratio of two planes of one size, in dB; infinite when they are equal.
pub fn psnr(a: Plane<'_>, b: Plane<'_>) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height), "planes of one size");
    let mut squares = 0u64;
    for y in 0..a.height {
        let (left, right) = (&a.data[y * a.stride..][..a.width], &b.data[y * b.stride..][..b.width]);
        squares += left.iter().zip(right).map(|(&l, &r)| u64::from(l.abs_diff(r)).pow(2)).sum::<u64>();
    }
    let mean = squares as f64 / (a.width * a.height) as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}
