//! The sound of videos in overlays, judged by FFmpeg: the right sample at the right time, decoded now or ahead.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vistter_core::clock::{Clock, SystemClock};
use vistter_core::inset::{Insets, LiveCameras, PictureSources, SoundFeed};
use vistter_core::media::mp4::{Playback, VideoFile};
use vistter_core::time::MediaTime;

use crate::peers::{TempDir, ffmpeg_tool};

/// A tone that rises, so that no time looks like another, and another tone on the right.
const RISING: &str = "0.4*sin(2*PI*(200*t+300*t*t))|0.3*sin(2*PI*700*t)";

/// A clip of 1.6 seconds with this sound.
fn clip(dir: &TempDir, name: &str, sound: &str, options: &[&str]) -> PathBuf {
    let path = dir.join(name);
    let sound = format!("aevalsrc={sound}:d=1.6:s=48000");
    let input = ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1.6"];
    let coding = ["-f", "lavfi", "-i", &sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "1", "-bf", "2"];
    let aac = ["-c:a", "aac", "-b:a", "192k", "-aac_pns", "0"];
    ffmpeg_tool("ffmpeg", &[&input[..], &coding, &aac, options, &[path.to_str().unwrap()]].concat());
    path
}
fn open(path: &Path) -> Arc<VideoFile> {
    Arc::new(VideoFile::open(Box::new(std::fs::File::open(path).unwrap())).unwrap())
}
fn exact(file: &Arc<VideoFile>, how: Playback) -> Box<dyn SoundFeed> {
    Insets::exact().sound(file, how).unwrap().unwrap()
}
/// One channel of what a feed gives.
fn read(feed: &mut dyn SoundFeed, from: i64, count: usize, channel: usize) -> Vec<f32> {
    let mut out = vec![0.0; 2 * count];
    assert_eq!(feed.sound_at(from, &mut out), count);
    out.into_iter().skip(channel).step_by(2).collect()
}
/// When a stream of a file begins, in seconds.
fn begins(path: &Path, stream: &str) -> f64 {
    let args = ["-v", "error", "-select_streams", stream, "-show_entries", "stream=start_time", "-of", "csv=p=0"];
    let text = String::from_utf8(ffmpeg_tool("ffprobe", &[&args[..], &[path.to_str().unwrap()]].concat())).unwrap();
    text.trim().parse().unwrap()
}
/// The same as FFmpeg hears it, from the first picture on.
fn judged(path: &Path, channel: usize) -> Vec<f32> {
    let pan = format!("pan=mono|c0=c{channel},aresample=48000");
    let file = ["-v", "error", "-i", path.to_str().unwrap(), "-map", "0:a:0", "-af", &pan];
    let bytes = ffmpeg_tool("ffmpeg", &[&file[..], &["-f", "f32le", "-"]].concat());
    let before = ((begins(path, "v") - begins(path, "a")) * 48_000.0).round() as usize;
    bytes.chunks_exact(4).skip(before).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}
fn furthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_sample_is_the_one_that_ffmpeg_hears() {
    let dir = TempDir::new("sound");
    let kinds: [(&str, &[&str]); 6] = [
        ("plain.mp4", &[]),
        ("cd.mp4", &["-ar", "44100"]),
        ("mono.mp4", &["-ar", "22050", "-ac", "1"]),
        ("low.mp4", &["-ar", "32000", "-movflags", "+faststart"]),
        ("high.mp4", &["-ar", "96000"]),
        ("parts.mp4", &["-ar", "44100", "-movflags", "+frag_keyframe+empty_moov+delay_moov+default_base_moof"]),
    ];
    for (name, options) in kinds {
        let path = clip(&dir, name, RISING, options);
        let file = open(&path);
        assert!(file.sound_trouble().is_none(), "{name}: {:?}", file.sound_trouble());
        let channels = usize::from(file.sound().unwrap().params().channels);
        let mut feed = exact(&file, Playback { plays: 1, ..Playback::default() });
        for channel in 0..channels {
            let (got, want) = (read(&mut *feed, 0, 70_000, channel), judged(&path, channel));
            assert!(want.len() > 70_000, "{name}: {}", want.len());
            // A sample of these tones is 0.036 from the next.
            let apart = furthest(&got[500..], &want[500..70_000]);
            assert!(apart < 0.03, "{name}: channel {channel} is {apart} apart");
        }
        assert!(feed.trouble().is_none(), "{name}");
        assert_eq!(feed.ends(), Some(76_800 + 240));
        assert!(read(&mut *feed, 76_800 + 240, 2000, 0).iter().all(|s| *s == 0.0), "{name}: it is over");
    }
}

#[test]
fn a_loop_has_no_click_and_seek_equals_play() {
    let dir = TempDir::new("sound");
    // 800 whole waves: the end meets the beginning.
    let whole = open(&clip(&dir, "whole.mp4", "0.5*sin(2*PI*500*t)", &[]));
    let mut feed = exact(&whole, Playback::default());
    let played = read(&mut *feed, 0, 4 * 76_800, 0);
    let wave = |i: usize| 0.5 * (std::f32::consts::TAU * 500.0 * i as f32 / 48_000.0).sin();
    for round in 1..4 {
        let begin = round * 76_800 - 600;
        for (i, got) in (begin..).zip(&played[begin..begin + 1200]) {
            let apart = (got - wave(i % 76_800)).abs();
            assert!(apart < 0.06, "round {round}, sample {i}: {apart}");
        }
    }
    // A wave that does not: what jumps is smoothed.
    let broken = open(&clip(&dir, "broken.mp4", "0.5*cos(2*PI*500.3*t)", &["-ar", "44100"]));
    for how in [Playback { start: MediaTime::from_millis(333), plays: 3 }, Playback::default()] {
        let mut feed = exact(&broken, how);
        let played = read(&mut *feed, 0, 250_000, 0);
        let steepest = played.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 0.06, "{steepest}: half a unit would be a click");
        for from in [0, 76_799, 12_345, 200_000, 60_000, 199_000, 61_000] {
            let piece = read(&mut *exact(&broken, how), from, 3000, 0);
            let from = from as usize;
            assert!(furthest(&piece, &played[from..from + 3000]) < 1e-5, "from {from}");
        }
    }
}

#[test]
fn ahead_of_time_it_is_the_same() {
    let dir = TempDir::new("sound");
    let file = open(&clip(&dir, "clip.mp4", RISING, &["-ar", "44100"]));
    let how = Playback { start: MediaTime::from_millis(100), plays: 0 };
    let mut now = exact(&file, how);
    let mut live = Insets::live(LiveCameras::default()).sound(&file, how).unwrap().unwrap();
    let clock = SystemClock::new();
    // Played on, back, far ahead, to the beginning.
    let places = (0..60).map(|n| n * 1024).chain([500, 1500, 400_000, 401_000, 70_000]).chain((0..9).map(|n| n * 800));
    for at in places {
        let mut out = vec![0.0; 2 * 1000];
        // It never waits, so the test does.
        while live.sound_at(at, &mut out) < 1000 {
            assert!(clock.now() < MediaTime::from_secs(60), "the sound at {at} never comes");
            std::thread::sleep(Duration::from_millis(1));
        }
        let left: Vec<f32> = out.into_iter().step_by(2).collect();
        assert!(furthest(&left, &read(&mut *now, at, 1000, 0)) < 1e-5, "at {at}");
    }
    assert!(live.trouble().is_none());
}

#[test]
fn damage_is_silent_told_once_and_over() {
    let dir = TempDir::new("sound");
    let path = clip(&dir, "clip.mp4", RISING, &[]);
    let whole = open(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    let packet = whole.sound_packet(30).unwrap().data;
    let at = bytes.windows(packet.len()).position(|w| w == packet).unwrap();
    bytes[at..at + packet.len()].fill(0xff);
    let broken = Arc::new(VideoFile::open(Box::new(std::io::Cursor::new(bytes))).unwrap());
    let (mut good, mut bad) = (exact(&whole, Playback::default()), exact(&broken, Playback::default()));
    let (good, got) = (read(&mut *good, 0, 150_000, 0), read(&mut *bad, 0, 150_000, 0));
    assert_eq!(bad.trouble().map(|e| e.to_string().contains("has damage")), Some(true));
    assert!(bad.trouble().is_none(), "once, though it is played twice");
    assert!(got.iter().all(|s| s.abs() < 1.5));
    assert!(furthest(&good[..28 * 1024], &got[..28 * 1024]) < 1e-5);
    assert!(furthest(&good[33 * 1024..70_000], &got[33 * 1024..70_000]) < 1e-5, "it recovers");
}

#[test]
fn other_codecs_are_said() {
    let dir = TempDir::new("sound");
    for (coder, said) in [("ac3", "AC-3"), ("libmp3lame", "MP3"), ("libopus", "Opus")] {
        let file = open(&clip(&dir, "other.mp4", RISING, &["-c:a", coder]));
        let e = file.sound_trouble().expect(said);
        assert!(e.to_string().contains(said) && e.to_string().contains("AAC-LC"), "{e}");
        assert!(Insets::exact().sound(&file, Playback::default()).is_err());
    }
}
