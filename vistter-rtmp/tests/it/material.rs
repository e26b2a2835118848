//! Real H.264 and AAC by FFmpeg, read through our own FLV reader.

use std::path::PathBuf;
use std::sync::OnceLock;

use vistter_core::media::{Packet, StreamParams, Track};
use vistter_core::time::MediaTime;
use vistter_rtmp::flv::{Demuxer, FlvReader, MediaEvent};

use crate::peers::TempDir;
use crate::tools::must;

/// A clip of 4 s, 320x180 at 30 fps, GOP of 2 s with B-frames, AAC 48 kHz stereo.
pub(crate) struct Clip {
    pub(crate) file: PathBuf,
    pub(crate) params: StreamParams,
    pub(crate) packets: Vec<Packet>,
}

pub(crate) fn clip() -> &'static Clip {
    static CLIP: OnceLock<(Clip, TempDir)> = OnceLock::new();
    &CLIP
        .get_or_init(|| {
            let dir = TempDir::new("clip");
            let file = dir.path().join("clip.flv");
            must(
                "ffmpeg",
                &[
                    "-v",
                    "error",
                    "-f",
                    "lavfi",
                    "-i",
                    "testsrc2=size=320x180:rate=30",
                    "-f",
                    "lavfi",
                    "-i",
                    "sine=frequency=440:sample_rate=48000",
                    "-t",
                    "4",
                    "-c:v",
                    "libx264",
                    "-preset",
                    "ultrafast",
                    "-bf",
                    "2",
                    "-g",
                    "60",
                    "-sc_threshold",
                    "0",
                    "-pix_fmt",
                    "yuv420p",
                    "-c:a",
                    "aac",
                    "-ac",
                    "2",
                    "-b:a",
                    "96k",
                    file.to_str().unwrap(),
                ],
            );
            let (params, packets) = read(&std::fs::read(&file).unwrap());
            (Clip { file, params, packets }, dir)
        })
        .0
}

/// All packets of an FLV file, and its tracks.
pub(crate) fn read(file: &[u8]) -> (StreamParams, Vec<Packet>) {
    let (mut reader, mut demuxer, mut packets) = (FlvReader::new(8 << 20), Demuxer::new(), Vec::new());
    reader.feed(file);
    while let Some(t) = reader.next_tag().unwrap() {
        if let Some(MediaEvent::Packet(p)) = demuxer.handle(t.kind, t.time_ms, &t.body).unwrap() {
            packets.push(p);
        }
    }
    (demuxer.params().clone(), packets)
}

/// The clip's packets from the first keyframe on, over and over, with times that go on.
pub(crate) fn endless() -> impl Iterator<Item = Packet> {
    let c = clip();
    let first = c.packets.iter().position(|p| p.track == Track::Video).unwrap();
    (0..).flat_map(move |round| {
        let shift = MediaTime::from_secs(4 * round);
        c.packets[first..].iter().map(move |p| Packet { pts: p.pts + shift, dts: p.dts + shift, ..p.clone() })
    })
}

/// How many packets of a track.
pub(crate) fn count(packets: &[Packet], track: Track) -> u64 {
    packets.iter().filter(|p| p.track == track).count() as u64
}
