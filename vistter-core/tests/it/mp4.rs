//! The recorder's files, judged by FFmpeg's tools.

use std::path::Path;

use vistter_core::ErrorKind;
use vistter_core::media::{Packet, StreamParams, Track};
use vistter_core::output::mp4::{Mp4Muxer, Mp4Recorder};
use vistter_core::ports::Output;
use vistter_core::time::{FrameRate, MediaTime};

use crate::mp4_media::{decode, media, packets, text};
use crate::peers::{SmallDisk, TempDir};

async fn record(file: &Path, params: &StreamParams, media: &[Packet]) -> Vec<std::path::PathBuf> {
    let mut r = Mp4Recorder::new(file);
    let files = r.files();
    r.connect(params).await.unwrap();
    for p in media {
        r.send(p).await.unwrap();
    }
    r.close().await.unwrap();
    files.paths()
}

/// Hashes of what is decoded, without timestamps.
fn md5(file: &str, stream: &str) -> Vec<String> {
    let map = format!("0:{stream}:0");
    let text = text("ffmpeg", &["-v", "error", "-i", file, "-map", &map, "-f", "framemd5", "-"]);
    text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(',').skip(4).collect()).collect()
}

fn probe(file: &str, entry: &str, stream: &str) -> String {
    text("ffprobe", &["-v", "error", "-select_streams", stream, "-show_entries", entry, "-of", "csv=p=0", file])
        .trim()
        .trim_end_matches(',')
        .to_owned()
}

#[tokio::test]
async fn a_recording_is_what_was_sent() {
    for (fps, b_frames) in [("30", 0), ("30000/1001", 0), ("25", 2), ("60", 0)] {
        let dir = TempDir::new("mp4");
        let rate = FrameRate::parse(fps).unwrap();
        let (params, sent) = media(&dir, rate, 6, 2 * rate.num() / rate.den(), b_frames);
        let path = dir.join("show.mp4");
        record(&path, &params, &sent).await;
        let file = path.to_str().unwrap();

        let frames = sent.iter().filter(|p| p.track == Track::Video).count();
        assert_eq!(decode(&path), frames, "{fps}");
        assert_eq!(md5(file, "v"), md5(dir.join("source.mp4").to_str().unwrap(), "v"), "{fps}: other pictures");
        assert_eq!(probe(file, "stream=width,height,codec_tag_string", "v"), "avc1,320,180");
        assert_eq!(probe(file, "stream=codec_name,sample_rate,channels", "a"), "aac,48000,2");
        let want = if rate.den() == 1 { format!("{fps}/1,{fps}/1") } else { format!("{fps},{fps}") };
        assert_eq!(probe(file, "stream=r_frame_rate,avg_frame_rate", "v"), want, "constant frame rate");

        let (v, a) = (packets(file, "v"), packets(file, "a"));
        let frame = rate.frame_duration().as_secs_f64();
        let first = v.iter().map(|p| p.0).fold(f64::MAX, f64::min);
        assert!((first - a[0].0).abs() < 0.05, "{fps}: A/V start {first} {}", a[0].0);
        assert!(v.windows(2).all(|w| (w[1].1 - w[0].1 - frame).abs() < 2e-5), "{fps}: decode times");
        let mut shown: Vec<_> = v.iter().map(|p| p.0).collect();
        shown.sort_by(f64::total_cmp);
        assert!(shown.windows(2).all(|w| (w[1] - w[0] - frame).abs() < 2e-5), "{fps}: presentation times");
        let keys: Vec<_> = (0..v.len()).filter(|i| v[*i].2).collect();
        let gop = (2 * rate.num() / rate.den()) as usize;
        assert_eq!(keys, (0..v.len()).step_by(gop).collect::<Vec<_>>(), "{fps}: sync samples");
        let length: f64 = probe(file, "format=duration", "v").parse().unwrap();
        // With B-frames the first picture is shown two frames after its decode time, which is the file's zero.
        assert!((length - first - 6.0).abs() < 0.1, "{fps}: {length} s");
    }
}

#[tokio::test]
async fn a_file_cut_anywhere_plays_up_to_the_cut() {
    let dir = TempDir::new("mp4");
    let (params, sent) = media(&dir, FrameRate::FPS_30, 5, 60, 0);
    let path = dir.join("whole.mp4");
    record(&path, &params, &sent).await;
    let whole = std::fs::read(&path).unwrap();
    let init = Mp4Muxer::new(&params).unwrap().init().len();
    let ends = fragment_ends(&whole);
    assert!(ends.len() >= 5 && ends.last() == Some(&whole.len()), "{ends:?}");

    let cut = dir.join("cut.mp4");
    let mut seed = 7u64;
    for i in 0..12 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = if i == 0 { ends[0] } else { ends[0] + (seed >> 33) as usize % (whole.len() - ends[0]) };
        assert!(at > init);
        std::fs::write(&cut, &whole[..at]).unwrap();
        let kept = ends.iter().filter(|e| **e <= at).count();
        let file = cut.to_str().unwrap();
        // No -xerror: the torn fragment may be reported, what stands before it must be there.
        let out = std::process::Command::new("ffprobe")
            .args(["-v", "quiet", "-select_streams", "v", "-count_frames", "-show_entries", "stream=nb_read_frames"])
            .args(["-of", "csv=p=0", file])
            .output()
            .unwrap();
        let frames: usize = String::from_utf8_lossy(&out.stdout).trim().trim_end_matches(',').parse().unwrap_or(0);
        assert!(frames >= kept * 30, "cut at {at} of {}: {frames} frames, {kept} fragments", whole.len());
    }
}

/// Ends of the `mdat` boxes.
fn fragment_ends(file: &[u8]) -> Vec<usize> {
    let (mut at, mut ends) = (0, Vec::new());
    while at < file.len() {
        let size = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        if &file[at + 4..at + 8] == b"mdat" {
            ends.push(at + size);
        }
        at += size;
    }
    ends
}

#[tokio::test]
async fn a_killed_process_loses_a_second_at_most() {
    let dir = TempDir::new("mp4");
    let (params, sent) = media(&dir, FrameRate::FPS_30, 5, 60, 0);
    let path = dir.join("killed.mp4");
    let mut r = Mp4Recorder::new(&path);
    r.connect(&params).await.unwrap();
    for (i, p) in sent.iter().enumerate() {
        r.send(p).await.unwrap();
        if i % 97 == 90 {
            // What another process sees now is what a kill would leave: the file is not closed.
            let seen = sent[..=i].iter().filter(|p| p.track == Track::Video).count();
            let there = if fragment_ends(&std::fs::read(&path).unwrap()).is_empty() { 0 } else { decode(&path) };
            assert!(seen - there <= 31, "sent {seen} pictures, {there} are in the file");
        }
    }
}

#[tokio::test]
async fn sound_from_before_the_first_picture_is_left_out() {
    let dir = TempDir::new("mp4");
    let (params, sent) = media(&dir, FrameRate::FPS_30, 4, 30, 0);
    // The program has run for a day, and the recording starts in the middle of a GOP.
    let late = MediaTime::from_secs(86_400);
    let shift = |p: &Packet| Packet { pts: p.pts + late, dts: p.dts + late, ..p.clone() };
    let sent: Vec<_> = sent.iter().skip(100).map(shift).collect();
    let path = dir.join("late.mp4");
    record(&path, &params, &sent).await;
    decode(&path);
    let (v, a) = (packets(path.to_str().unwrap(), "v"), packets(path.to_str().unwrap(), "a"));
    assert!(v[0].2 && v[0].0 == 0.0 && a[0].0 < 0.05, "{:?} {:?}", v[0], a[0]);
}

#[tokio::test]
async fn dropped_gops_leave_a_still_picture_and_sound_in_step() {
    let dir = TempDir::new("mp4");
    let (params, mut sent) = media(&dir, FrameRate::FPS_30, 6, 60, 0);
    let hole = MediaTime::from_secs(2)..MediaTime::from_secs(4);
    sent.retain(|p| p.track == Track::Audio || !hole.contains(&p.dts));
    let path = dir.join("hole.mp4");
    record(&path, &params, &sent).await;
    assert_eq!(decode(&path), 120);
    let v = packets(path.to_str().unwrap(), "v");
    assert!((v[60].0 - 4.0).abs() < 1e-6 && v[60].2, "{:?}", v[60]);
    assert!(fragment_ends(&std::fs::read(&path).unwrap()).len() >= 5, "sound goes on being written in the hole");
}

#[tokio::test]
async fn an_existing_file_is_kept_and_a_reconnect_starts_a_new_one() {
    let dir = TempDir::new("mp4");
    let (params, sent) = media(&dir, FrameRate::FPS_30, 2, 30, 0);
    let path = dir.join("deep/er/show.mp4");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let mut r = Mp4Recorder::new(&path);
    for _ in 0..2 {
        r.connect(&params).await.unwrap();
        for p in &sent {
            r.send(p).await.unwrap();
        }
        r.close().await.unwrap();
        r.close().await.unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    let files = r.files().paths();
    assert_eq!(files, [dir.join("deep/er/show-2.mp4"), dir.join("deep/er/show-3.mp4")]);
    for f in files {
        assert_eq!(decode(&f), 60);
    }
    assert_eq!(r.send(&sent[0]).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_with_the_reason() {
    let dir = TempDir::new("mp4");
    let (params, _) = media(&dir, FrameRate::FPS_30, 1, 30, 0);
    let mut hevc = params.clone();
    hevc.video.as_mut().unwrap().codec = vistter_core::media::Codec::H265;
    let mut torn = params.clone();
    torn.video.as_mut().unwrap().config = params.video.as_ref().unwrap().config.slice(..9);
    for (p, kind) in
        [(hevc, ErrorKind::Unsupported), (torn, ErrorKind::Media), (StreamParams::default(), ErrorKind::Unsupported)]
    {
        let e = Mp4Recorder::new(dir.join("no.mp4")).connect(&p).await.unwrap_err();
        assert_eq!(e.kind(), kind, "{e}");
    }
    assert!(!dir.join("no.mp4").exists());
}

#[tokio::test]
async fn a_full_disk_is_told_and_recording_resumes_in_a_new_file() {
    let Some(disk) = SmallDisk::mount() else {
        return; // it has said so; file.rs tests the error itself against /dev/full
    };
    let source = TempDir::new("mp4");
    let (params, sent) = media(&source, FrameRate::FPS_30, 6, 30, 0);
    assert!(sent.iter().map(|p| p.data.len()).sum::<usize>() > 250_000, "too small to fill the disk");
    let filler = (1 << 20) - (160 << 10);
    std::fs::write(disk.join("filler"), vec![0; filler]).unwrap();
    let mut r = Mp4Recorder::new(disk.join("show.mp4"));
    r.connect(&params).await.unwrap();
    let mut told = None;
    for p in &sent {
        if let Err(e) = r.send(p).await {
            told = Some(e);
            break;
        }
    }
    let e = told.expect("the disk must fill up");
    assert_eq!(e.kind(), ErrorKind::DiskFull);
    assert!(e.is_transient() && e.next_step().is_some() && e.to_string().contains("show.mp4"), "{e}");
    r.close().await.unwrap();
    assert!(decode(&disk.join("show.mp4")) >= 30, "what was written before stays playable");

    // Still full: no heap of empty files, whether the header or the first fragment is what fails.
    let size = std::fs::metadata(disk.join("show.mp4")).unwrap().len() as usize;
    for rest in [0, 8192] {
        let _ = std::fs::remove_file(disk.join("more"));
        std::fs::write(disk.join("more"), vec![0; (160 << 10) - size.next_multiple_of(4096) - rest]).ok();
        let mut failed = r.connect(&params).await.err();
        for p in &sent {
            match failed {
                None => failed = r.send(p).await.err(),
                Some(_) => break,
            }
        }
        assert_eq!(failed.map(|e| e.kind()), Some(ErrorKind::DiskFull));
        r.close().await.unwrap();
        assert!(!disk.join("show-2.mp4").exists());
    }

    std::fs::remove_file(disk.join("filler")).unwrap();
    r.connect(&params).await.unwrap();
    for p in sent.iter().take_while(|p| p.dts < MediaTime::from_secs(3)) {
        r.send(p).await.unwrap();
    }
    r.close().await.unwrap();
    assert_eq!(decode(&disk.join("show-2.mp4")), 90);
    assert_eq!(r.files().paths(), [disk.join("show.mp4"), disk.join("show-2.mp4")]);
}
