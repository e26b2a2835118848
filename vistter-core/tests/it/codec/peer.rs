//! FFmpeg's tools as the peer.

use std::path::Path;

use vistter_core::media::h264::avcc_to_annex_b;
use vistter_core::media::{Frame, FramePool, Packet, VideoParams};
use vistter_core::time::MediaTime;

use crate::peers::{decode_i420, ffmpeg_tool};

/// Every picture of a file as tight I420, by FFmpeg's decoder; any decode error fails.
pub(super) fn decode(file: &Path) -> Vec<u8> {
    decode_i420(file, "").concat()
}

/// `ffprobe` of the first video stream: `key=value` lines.
pub(super) fn probe(file: &Path, entries: &str) -> String {
    let args = ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "default=nw=1"];
    let out = ffmpeg_tool("ffprobe", &[&args[..], &[file.to_str().unwrap()]].concat());
    String::from_utf8(out).unwrap()
}

/// Writes packets as Annex B, the parameter sets first.
pub(super) fn write_annex_b(file: &Path, params: &VideoParams, packets: &[Packet]) {
    let mut out = Vec::new();
    let (sps, pps) = vistter_core::media::h264::avcc_sets(&params.config).unwrap();
    for set in sps.into_iter().chain(pps) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(set);
    }
    for p in packets {
        avcc_to_annex_b(&p.data, &mut out).unwrap();
    }
    std::fs::write(file, out).unwrap();
}

/// Moving, detailed, noisy pictures, the same on every run.
pub(super) struct Scene {
    pool: FramePool,
    noise: u32,
}

impl Scene {
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { pool: FramePool::new(width, height, 4).unwrap(), noise: 1 }
    }
    /// Picture `n`; `grain` is the noise amplitude (0 = none).
    pub(super) fn frame(&mut self, n: u64, grain: u8, pts: MediaTime) -> Frame {
        let mut f = self.pool.take();
        let shift = n as usize * 3;
        for (i, mut plane) in f.planes_mut().into_iter().enumerate() {
            for y in 0..plane.height {
                for (x, v) in plane.row_mut(y).iter_mut().enumerate() {
                    self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let base = match i {
                        0 => 40 + ((x + shift) ^ (y * 2)) % 160,
                        1 => 100 + (x + shift) / 8 % 56,
                        _ => 100 + (y + shift) / 8 % 56,
                    };
                    let grain = if grain == 0 { 0 } else { (self.noise >> 24) as usize % usize::from(grain) };
                    *v = (base + grain).clamp(16, 235) as u8;
                }
            }
        }
        f.set_pts(pts);
        f.freeze()
    }
}

/// A frame's planes, tight, one after another.
pub(super) fn tight(f: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..3 {
        let p = f.plane(i);
        (0..p.height).for_each(|y| out.extend_from_slice(p.row(y)));
    }
    out
}

/// Peak signal-to-noise ratio in dB over all three planes.
pub(super) fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a.iter().zip(b).map(|(x, y)| u64::from(x.abs_diff(*y)).pow(2)).sum();
    if sum == 0 { 99.0 } else { 10.0 * (255.0 * 255.0 * a.len() as f64 / sum as f64).log10() }
}
