//! Cuts happen at exact output frames, and between them every picture of the camera is on air once.

use std::path::Path;

use vistter::Session;
use vistter::core::config::{ProgramConfig, Shot, Span, TimelineConfig};
use vistter::core::media::{Frame, FramePool};
use vistter::core::output::mp4::Mp4Recorder;
use vistter::core::sim::barcode::{Mark, read_mark};
use vistter::core::sim::{TestCamera, TestCameraConfig};
use vistter::core::source::{RtspConfig, RtspSource};

use crate::peers::{TempDir, decode_i420, ffprobe_json};

const SIZE: (u32, u32) = (640, 360);
/// The first shot is longer: by then both cameras are connected, however busy the machine is.
const FIRST: u64 = 90;
const SHOT: u64 = 20;
const CUTS: u64 = 14;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_is_on_its_frame() {
    let mut cameras = Vec::new();
    for id in [1, 2] {
        // A long GOP: no cut falls on a camera's keyframe but by chance.
        let config = TestCameraConfig {
            name: format!("CAM{id}"),
            id,
            width: SIZE.0,
            height: SIZE.1,
            gop: 150,
            ..Default::default()
        };
        cameras.push(TestCamera::start(config).await.unwrap());
    }
    let shot = |i: u64| Shot::new(format!("cam{}", 1 + i % 2), Span::Frames(if i == 0 { FIRST } else { SHOT }));
    let total = FIRST + CUTS * SHOT;
    let timeline = TimelineConfig {
        shots: (0..=CUTS).map(shot).collect(),
        stop_after: Some(Span::Frames(total)),
        ..TimelineConfig::default()
    };
    let dir = TempDir::new("cuts");
    let recorder = Mp4Recorder::new(dir.join("cuts.mp4"));
    let program = ProgramConfig { width: SIZE.0, height: SIZE.1, bitrate_kbps: 2000, ..ProgramConfig::default() };
    let mut builder = Session::builder().program(program).timeline(timeline).recording("file", Box::new(recorder));
    for c in &cameras {
        let source = RtspSource::new(RtspConfig::new(c.url()));
        builder = builder.camera(format!("cam{}", c.config().id), Box::new(source));
    }
    let session = Box::pin(builder.start()).await.unwrap();
    session.finished().await;
    let counters = session.stop().await.status.program.unwrap().counters;

    let file = dir.join("cuts.mp4");
    let marks: Vec<Option<Mark>> = decode_i420(&file, "").iter().map(|p| read_mark(&picture(p))).collect();
    let frames = output_frames(&file);
    assert_eq!(frames.len(), marks.len());
    // A machine that is too slow for real time leaves frames out; the others are still at their places.
    assert_eq!(marks.len() as u64 + counters.skipped, total);
    assert!(frames[0] == 0 && frames.iter().all(|n| *n < total), "{frames:?}");
    let mut again = 0;
    for (i, (&n, mark)) in frames.iter().zip(&marks).enumerate() {
        let shot = if n < FIRST { 0 } else { 1 + (n - FIRST) / SHOT };
        let mark = mark.unwrap_or_else(|| panic!("frame {n} shows no camera: black, or a mix of two"));
        assert_eq!(u64::from(mark.camera), 1 + shot % 2, "frame {n} is in shot {shot}");
        let Some(before) = i.checked_sub(1).and_then(|i| marks[i]).filter(|b| b.camera == mark.camera) else {
            continue;
        };
        let (step, due) = (u64::from((mark.frame + 300 - before.frame) % 300), n - frames[i - 1]);
        assert!(step < due + 9, "frame {n}: the camera's picture {} follows {}", mark.frame, before.frame);
        again += u64::from(step != due);
    }
    assert!(again <= total / 20, "{again} of {total} pictures are repeated or passed over: {counters:?}");
}

/// Which output frame each picture of the file is, by its time.
fn output_frames(file: &Path) -> Vec<u64> {
    let probed = ffprobe_json(file, &["-select_streams", "v:0", "-show_packets", "-show_entries", "packet=pts_time"]);
    let seconds = |p: &serde_json::Value| p["pts_time"].as_str().unwrap().parse::<f64>().unwrap();
    let packets = probed["packets"].as_array().unwrap();
    let frames: Vec<u64> =
        packets.iter().map(|p| ((seconds(p) - seconds(&packets[0])) * 30.0).round() as u64).collect();
    assert!(frames.windows(2).all(|w| w[0] < w[1]), "{frames:?}");
    frames
}

fn picture(i420: &[u8]) -> Frame {
    let mut frame = FramePool::new(SIZE.0, SIZE.1, 1).expect("a small pool").take();
    let mut rest = i420;
    for plane in &mut frame.planes_mut() {
        for y in 0..plane.height {
            let (row, after) = rest.split_at(plane.width);
            plane.row_mut(y).copy_from_slice(row);
            rest = after;
        }
    }
    frame.freeze()
}
