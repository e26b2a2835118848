//! Videos in overlays, judged by FFmpeg: the right picture at the right time, decoded now or ahead.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vistter_core::inset::{
    Fed, InsetFit, InsetPicture, InsetSpec, Insets, LiveCameras, Matte, PictureFeed, PictureSources,
};
use vistter_core::media::mp4::{Playback, VideoFile};
use vistter_core::time::{FrameRate, MediaTime};

use crate::peers::{TempDir, decode_i420, ffmpeg_tool};

const SIZE: (u32, u32) = (64, 48);

/// A clip of 40 pictures at 25 a second, a keyframe each second.
fn clip(dir: &TempDir, name: &str, options: &[&str]) -> std::path::PathBuf {
    let path = dir.join(name);
    let input = ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1.6"];
    let coding = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "1", "-g", "25", "-crf", "20"];
    ffmpeg_tool("ffmpeg", &[&input[..], &coding, options, &[path.to_str().unwrap()]].concat());
    path
}
fn open(path: &Path) -> Arc<VideoFile> {
    Arc::new(VideoFile::open(Box::new(std::fs::File::open(path).unwrap())).unwrap())
}
fn spec(width: u32, height: u32) -> InsetSpec {
    InsetSpec { width, height, fit: InsetFit::Stretch, matte: Matte::None }
}
fn exact(file: &Arc<VideoFile>, how: Playback) -> Box<dyn PictureFeed> {
    Insets::exact().video(file, how, spec(SIZE.0, SIZE.1)).unwrap()
}
/// The time in the middle of a picture.
fn middle(picture: u64) -> MediaTime {
    FrameRate::new(25, 1).unwrap().time_of(picture) + MediaTime::from_millis(20)
}
fn tight(fed: &Fed) -> Vec<u8> {
    let p: &InsetPicture = fed.picture.as_ref().expect("a picture");
    (0..3)
        .flat_map(|i| {
            let plane = p.color.plane(i);
            (0..plane.height).flat_map(move |y| plane.row(y).to_vec()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_picture_is_the_one_that_ffmpeg_decodes() {
    let dir = TempDir::new("video");
    let kinds: [(&str, &[&str]); 4] = [
        ("baseline.mp4", &["-profile:v", "baseline"]),
        ("high.mp4", &["-profile:v", "high", "-bf", "3"]),
        ("front.mp4", &["-bf", "2", "-movflags", "+faststart"]),
        ("parts.mp4", &["-bf", "2", "-movflags", "+frag_keyframe+empty_moov+default_base_moof"]),
    ];
    for (name, options) in kinds {
        let path = clip(&dir, name, options);
        let (want, file) = (decode_i420(&path, ""), open(&path));
        assert_eq!((want.len(), file.pictures(), file.size()), (40, 40, SIZE), "{name}");
        assert_eq!(file.duration().millis(), 1600, "{name}");
        let mut feed = exact(&file, Playback::default());
        for (n, want) in want.iter().enumerate() {
            assert!(tight(&feed.picture_at(middle(n as u64))) == *want, "{name}: picture {n}");
        }
        // In another order: seek equals play; over the end: it loops without a gap.
        for n in [39u64, 3, 27, 26, 28, 0, 40, 79, 41, 119] {
            assert!(tight(&feed.picture_at(middle(n))) == want[n as usize % 40], "{name}: picture {n} by itself");
        }
        let mut late = exact(&file, Playback { start: MediaTime::from_millis(1000), plays: 2 });
        for (n, k) in [(0, 25), (14, 39), (15, 25), (29, 39), (30, 39), (500, 39)] {
            assert!(tight(&late.picture_at(middle(n))) == want[k], "{name}: picture {n} of its second part");
        }
        assert!(feed.trouble().is_none() && late.trouble().is_none());
    }
}

/// Waits for the right picture; the one before stays meanwhile.
fn wait(feed: &mut dyn PictureFeed, at: MediaTime) -> Fed {
    for _ in 0..6000 {
        let fed = feed.picture_at(at);
        if !fed.late {
            return fed;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no picture for {at}: {:?}", feed.trouble());
}

#[test]
fn a_player_gives_the_same_pictures_ahead_of_time() {
    let dir = TempDir::new("video");
    let path = clip(&dir, "clip.mp4", &["-bf", "3"]);
    let (want, file) = (decode_i420(&path, ""), open(&path));
    let live = Insets::live(LiveCameras::default());
    let mut feed = live.video(&file, Playback::default(), spec(SIZE.0, SIZE.1)).unwrap();
    for n in 0..100u64 {
        assert!(tight(&wait(&mut *feed, middle(n))) == want[n as usize % 40], "picture {n}");
    }
    // What was shown first is there at once when it comes on again.
    let again = feed.picture_at(middle(0));
    assert!(!again.late && tight(&again) == want[0]);
    for n in [5u64, 6, 39, 20, 85, 7, 1000] {
        assert!(tight(&wait(&mut *feed, middle(n))) == want[n as usize % 40], "picture {n} by itself");
    }
    let mut once = live.video(&file, Playback { plays: 1, start: MediaTime::ZERO }, spec(SIZE.0, SIZE.1)).unwrap();
    for n in [0u64, 38, 39, 40, 4000, 2] {
        assert!(tight(&wait(&mut *once, middle(n))) == want[(n as usize).min(39)], "picture {n} once");
    }
}

#[test]
fn a_damaged_picture_costs_pictures_and_is_said() {
    let dir = TempDir::new("video");
    let path = clip(&dir, "clip.mp4", &["-profile:v", "baseline"]);
    let want = decode_i420(&path, "");
    let file = open(&path);
    // the first half of a picture in the middle of the first GOP
    let hurt = file.packet(12).unwrap().data;
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(hurt.len()).position(|w| w == &hurt[..]).unwrap();
    bytes[at..at + 4].fill(0xff);
    let file = Arc::new(VideoFile::open(Box::new(std::io::Cursor::new(bytes))).unwrap());
    for live in [false, true] {
        let sources = if live { Insets::live(LiveCameras::default()) } else { Insets::exact() };
        let mut feed = sources.video(&file, Playback::default(), spec(SIZE.0, SIZE.1)).unwrap();
        let mut said = None;
        for n in 0..60u64 {
            let got = tight(&wait(&mut *feed, middle(n)));
            said = said.or_else(|| feed.trouble());
            // up to the next keyframe the last good one stays
            let k = n as usize % 40;
            let k = if (12..25).contains(&k) { 11 } else { k };
            assert!(got == want[k], "picture {n}, live {live}");
        }
        assert!(said.is_some(), "nothing was said, live {live}");
    }
}

#[test]
fn mattes_and_sizes() {
    let dir = TempDir::new("video");
    // Left: a colour; right: clear on the left, opaque on the right.
    let path = dir.join("matte.mp4");
    let draw = "color=c=red:size=128x48:rate=25:duration=0.2,drawbox=x=64:w=32:h=48:c=black:t=fill,drawbox=x=96:w=32:h=48:c=white:t=fill";
    let args = ["-v", "error", "-y", "-f", "lavfi", "-i", draw, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10"];
    ffmpeg_tool("ffmpeg", &[&args[..], &[path.to_str().unwrap()]].concat());
    let file = open(&path);
    for (w, h) in [(64, 48), (32, 24), (96, 50)] {
        let spec = InsetSpec { matte: Matte::SideBySide, ..spec(w, h) };
        let fed = Insets::exact().video(&file, Playback::default(), spec).unwrap().picture_at(MediaTime::ZERO);
        let p = fed.picture.unwrap();
        let alpha = p.alpha.unwrap();
        assert_eq!((p.color.size(), alpha.size()), ((w, h), (w, h)));
        let row = alpha.plane(0).row(h as usize / 2);
        assert!(row[2] < 6 && row[w as usize - 3] > 250, "{row:?}");
        let v = p.color.plane(2).row(h as usize / 4);
        assert!(v.iter().all(|v| *v > 200), "red all over: {v:?}");
    }
}
