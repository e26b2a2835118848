//! What a recording must be, whoever wrote it.

use std::path::Path;

use serde_json::Value;

use crate::peers::{ffmpeg_decodes, ffprobe_json, video_hashes};

/// What was found in a file.
#[derive(Debug)]
pub struct Verdict {
    pub video_frames: usize,
    /// A hash of each video access unit's bytes, to compare two copies of a stream.
    pub hashes: Vec<String>,
}

impl Verdict {
    /// A destination gets the end of what the recording has, from one frame on, byte for byte.
    pub fn assert_is_the_end_of(&self, recorded: &Self, name: &str) {
        let (all, got) = (&recorded.hashes, &self.hashes);
        let begins = all.iter().position(|h| *h == got[0]);
        let counts = || {
            let begins = begins.map_or("is not in the recording".into(), |n| format!("is the recording's frame {n}"));
            format!("{name} has {} frames, the recording {}; the first of {name} {begins}", got.len(), all.len())
        };
        assert!(got.len() <= all.len(), "{}", counts());
        let from = all.len() - got.len();
        if let Some(n) = (0..got.len()).find(|n| got[*n] != all[from + n]) {
            panic!("{}. Counted from the end they first differ at frame {n} and {}", counts(), from + n);
        }
    }
}

/// FFmpeg decodes all of it; video comes at exactly `fps`; a keyframe stands every two seconds from the first frame on;
/// sound starts within 50 ms of the picture and both end together. Where a busy machine left out so many frames, the
/// others are still at their exact times, and the keyframe is the first one that is due.
pub fn check(path: &Path, fps: f64, skipped: u64) -> Verdict {
    ffmpeg_decodes(path);
    let probed = ffprobe_json(path, &["-show_packets", "-show_entries", "packet=codec_type,pts_time,dts_time,flags"]);
    let packets = probed["packets"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> { packets.iter().filter(|p| p["codec_type"] == kind).collect() };
    let time = |p: &Value| -> f64 { p["pts_time"].as_str().unwrap().parse().unwrap() };
    let (video, audio) = (of("video"), of("audio"));
    assert!(!video.is_empty() && !audio.is_empty(), "{}: both tracks", path.display());

    let start = time(video[0]);
    let (mut left_out, mut numbers) = (0, Vec::new());
    for (i, p) in video.iter().enumerate() {
        let at = ((time(p) - start) * fps).round() as u64;
        assert!(at >= i as u64 + left_out, "{}: frame {i} goes back", path.display());
        left_out = at - i as u64;
        numbers.push(at);
        // FLV and its milliseconds round each time by half of one.
        let want = start + at as f64 / fps;
        assert!((time(p) - want).abs() < 0.0011, "{}: frame {i} at {} and not at {want}", path.display(), time(p));
        assert_eq!(p["pts_time"], p["dts_time"], "no reordering");
    }
    assert!(left_out <= skipped, "{}: {left_out} frames are missing, {skipped} were left out", path.display());
    let keyframe = |i: usize| video[i]["flags"].as_str().unwrap().contains('K');
    let keyframes: Vec<u64> = (0..video.len()).filter(|i| keyframe(*i)).map(|i| numbers[i]).collect();
    let gop = (2.0 * fps).round() as u64;
    let mut wanted = Vec::new();
    for n in numbers {
        if wanted.last().is_none_or(|last| n >= last + gop) {
            wanted.push(n);
        }
    }
    assert_eq!(keyframes, wanted, "{}: a keyframe each {gop} frames", path.display());

    let (a, z) = (time(audio[0]), time(audio[audio.len() - 1]));
    assert!((a - start).abs() < 0.05, "{}: sound starts at {a}, picture at {start}", path.display());
    let end = time(video[video.len() - 1]);
    assert!((z - end).abs() < 0.1, "{}: sound ends at {z}, picture at {end}", path.display());
    for pair in audio.windows(2) {
        let step = time(pair[1]) - time(pair[0]);
        assert!((step - 1024.0 / 48000.0).abs() < 0.0011, "{}: a hole of {step} s in the sound", path.display());
    }
    let hashes = video_hashes(path);
    assert_eq!(hashes.len(), video.len(), "{}: a hash of each frame", path.display());
    Verdict { video_frames: video.len(), hashes }
}

/// Mean luma and its spread over a grey picture: black and grey screens have none.
pub fn spread(picture: &[u8]) -> f64 {
    let mean = picture.iter().map(|p| f64::from(*p)).sum::<f64>() / picture.len() as f64;
    (picture.iter().map(|p| (f64::from(*p) - mean).powi(2)).sum::<f64>() / picture.len() as f64).sqrt()
}
