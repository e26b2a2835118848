//! What is heard of a scene: when, how loud, and from where in its video. The video's own sound is one all over, so what comes
//! out is its level.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde_json::json;
use vistter_core::clock::WallTime;
use vistter_core::inset::{Fed, InsetSpec, PictureFeed, PictureSources, SoundFeed};
use vistter_core::media::mp4::{Playback, VideoFile};
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_core::{Error, Result};
use vistter_ocl::{Document, OclOverlay};

use crate::picture::background;

const CANVAS: Canvas = Canvas { width: 160, height: 90, fps: FrameRate::FPS_30 };
/// Samples in a frame.
const FRAME: usize = 1600;

/// Gives no pictures, and ones for sound; keeps where it was asked.
#[derive(Clone, Default)]
struct Ones(Arc<Mutex<Vec<i64>>>);

impl PictureSources for Ones {
    fn video(&self, _: &Arc<VideoFile>, _: Playback, _: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        Ok(Box::new(self.clone()))
    }
    fn sound(&self, _: &Arc<VideoFile>, _: Playback) -> Result<Option<Box<dyn SoundFeed>>> {
        Ok(Some(Box::new(self.clone())))
    }
    fn camera(&self, _: &str, _: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        Ok(Box::new(self.clone()))
    }
}
impl PictureFeed for Ones {
    fn expect(&mut self) {}
    fn picture_at(&mut self, _: MediaTime) -> Fed {
        Fed::default()
    }
    fn trouble(&mut self) -> Option<Error> {
        None
    }
}
impl SoundFeed for Ones {
    fn sound_at(&mut self, position: i64, out: &mut [f32]) -> usize {
        self.0.lock().unwrap().push(position);
        out.fill(1.0);
        out.len() / 2
    }
    fn trouble(&mut self) -> Option<Error> {
        None
    }
}

fn document(scene: &str) -> String {
    format!(
        r#"{{ "ocl": "1.1", "canvas": {{ "width": 160, "height": 90 }}, "assets": {{ "clip": {{ "path": "clip.mp4" }} }},
            "scenes": [ {{ "id": "main", {scene} }} ] }}"#
    )
}
fn open(scene: &str) -> (OclOverlay, Ones) {
    let clip = include_bytes!("../../../fuzz/seeds/mp4/sound.mp4").to_vec();
    let files = HashMap::from([("clip.mp4".to_owned(), clip)]);
    let o = OclOverlay::from_str("test", &document(scene), &files, None, &BTreeMap::new());
    let ones = Ones::default();
    let mut o = o.unwrap_or_else(|e| panic!("{e}")).with_pictures(Arc::new(ones.clone()));
    o.prepare(CANVAS).unwrap();
    assert!(o.has_sound());
    (o, ones)
}
fn video(more: &str) -> String {
    format!(r#""layers": [ {{ "id": "clip", "type": "video", "asset": "clip"{more} }} ]"#)
}
fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::from_unix_nanos(0) }
}
/// Plays a frame; how loud its end is.
fn play(o: &mut OclOverlay, frame: u64) -> Option<f32> {
    o.compose(tick(frame), &mut background(CANVAS.width, CANVAS.height)).unwrap();
    let mut out = vec![0.0; 2 * FRAME];
    let any = o.sound(tick(frame), frame * FRAME as u64, &mut out);
    assert_eq!(any, out.iter().any(|s| *s != 0.0), "frame {frame}");
    any.then(|| out[2 * FRAME - 1])
}
fn near(got: Option<f32>, want: f64) -> bool {
    got.is_some_and(|g| (f64::from(g) - want).abs() < 0.03)
}

#[test]
fn it_fades_with_the_scene_and_is_as_loud_as_its_layer_says() {
    let fade =
        r#""in": { "type": "fade", "duration": "9f" }, "out": { "type": "slide", "side": "left", "duration": "4f" }, "#;
    let (mut o, ones) = open(&format!("{fade}{}", video(r#", "volume": 0.5, "opacity": 0.1"#)));
    assert_eq!(play(&mut o, 3), None, "hidden");
    o.apply(tick(10), &OverlayAction::Show).unwrap();
    for n in 10..40u64 {
        let want = 0.5 * ((n - 9) as f64 / 10.0).min(1.0);
        let got = play(&mut o, n);
        assert!(near(got, want), "frame {n}: {got:?}, not {want}");
    }
    let asked: Vec<i64> = ones.0.lock().unwrap().clone();
    assert_eq!(
        (asked[0], asked[1] - asked[0], asked.len()),
        (0, FRAME as i64, 30),
        "from its beginning, without a gap"
    );
    o.apply(tick(40), &OverlayAction::Hide).unwrap();
    for n in 40..44u64 {
        let want = 0.5 * (44 - n) as f64 / 5.0;
        assert!(near(play(&mut o, n), want), "frame {n}");
    }
    let mut tail = vec![0.0; 2 * FRAME];
    assert!(o.sound(tick(44), 44 * FRAME as u64, &mut tail));
    assert!(tail[0] > 0.05 && tail[600..].iter().all(|s| *s == 0.0), "5 ms, and no click");
    assert_eq!(play(&mut o, 45), None);
    // Shown again it begins anew.
    o.apply(tick(60), &OverlayAction::Show).unwrap();
    play(&mut o, 60);
    assert_eq!(ones.0.lock().unwrap().last(), Some(&0));
}

#[test]
fn volume_moves_and_is_changed_live() {
    let moving = r#", "automation": { "volume": [ { "at": 0, "value": 0 }, { "at": "20f", "value": 1 } ] }"#;
    let (mut o, _) = open(&video(moving));
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    assert_eq!(play(&mut o, 0), None, "as good as muted");
    for n in 1..30u64 {
        assert!(near(play(&mut o, n), (n as f64 / 20.0).min(1.0)), "frame {n}");
    }
    let set = |value: serde_json::Value, frames: i64| OverlayAction::Set {
        layer: Some("clip".to_owned()),
        properties: BTreeMap::from([("volume".to_owned(), value)]),
        over: MediaTime::from_nanos(frames * 100_000_000 / 3),
        easing: None,
    };
    o.apply(tick(30), &set(json!(0.2), 8)).unwrap();
    for n in 30..50u64 {
        let part = ((n - 29) as f64 / 8.0).min(1.0);
        assert!(near(play(&mut o, n), 1.0 - 0.8 * part), "frame {n}");
    }
    o.apply(tick(50), &set(json!(0), 0)).unwrap();
    for n in 50..53 {
        play(&mut o, n);
    }
    assert_eq!(play(&mut o, 53), None);
    assert!(o.apply(tick(54), &set(json!(1.5), 0)).is_err(), "louder than it is in the file");
}

#[test]
fn it_goes_where_its_picture_goes() {
    let (mut o, ones) = open(&video(""));
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    for n in 0..5 {
        play(&mut o, n);
    }
    o.apply(tick(5), &OverlayAction::GoTo(MediaTime::from_secs(10))).unwrap();
    assert!(near(play(&mut o, 5), 1.0));
    assert_eq!(ones.0.lock().unwrap().last(), Some(&480_000));
    // A renderer that is asked for that moment alone hears the same.
    let (mut other, seen) = open(&video(""));
    other.apply(tick(0), &OverlayAction::Show).unwrap();
    play(&mut other, 300);
    assert_eq!(seen.0.lock().unwrap().last(), Some(&480_000));
}

#[test]
fn a_cue_begins_on_its_sample_though_it_is_foretold() {
    let cue = r#""tracks": [ { "id": "t", "type": "free", "cues": [ { "id": "c", "start": "t+40f", "duration": "30f",
        "content": { "type": "group", "width": 160, "height": 90, "layers": [ { "id": "in", "type": "video", "asset": "clip", "volume": 0.5 } ] } } ] } ]"#;
    let (mut o, _) = open(cue);
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    (0..39).for_each(|n| assert_eq!(play(&mut o, n), None, "frame {n}"));
    o.compose(tick(39), &mut background(CANVAS.width, CANVAS.height)).unwrap();
    let mut ahead = vec![0.0; 2 * FRAME];
    assert!(o.sound(tick(39), 39 * FRAME as u64 + 1000, &mut ahead));
    assert!(ahead[..1200].iter().all(|s| *s == 0.0) && ahead[1202] > 0.0 && near(Some(ahead[3199]), 0.5));
    let mut end = vec![0.0; 2 * FRAME];
    assert!(o.sound(tick(69), 69 * FRAME as u64 + 1000, &mut end));
    assert!(near(Some(end[1199]), 0.5) && end[1200 + 500..].iter().all(|s| *s == 0.0));
}

#[test]
fn only_videos_have_a_volume() {
    let bad = [
        (r#""layers": [ { "id": "x", "type": "video", "asset": "clip", "volume": 2 } ]"#, "OCL-RANGE"),
        (
            r#""layers": [ { "id": "x", "type": "camera", "camera": "a", "width": 9, "height": 9, "volume": 1 } ]"#,
            "OCL-UNKNOWN-FIELD",
        ),
        (
            r#""layers": [ { "id": "x", "type": "camera", "camera": "a", "width": 9, "height": 9,
                "automation": { "volume": [ { "at": 0, "value": 1 } ] } } ]"#,
            "OCL-CONFLICT",
        ),
        (r#""automation": { "volume": [] }, "layers": []"#, "OCL-UNKNOWN-FIELD"),
    ];
    for (scene, code) in bad {
        let text = document(scene).replace("\"ocl\"", "\"strict\": true, \"ocl\"");
        let list = Document::parse(&text).expect_err(scene);
        assert!(list.iter().any(|d| d.code == code), "{scene}: {list:?}");
    }
}

#[test]
fn sound_that_cannot_be_played_is_a_warning() {
    let mut clip = include_bytes!("../../../fuzz/seeds/mp4/sound.mp4").to_vec();
    let at = clip.windows(4).position(|w| w == b"mp4a").unwrap();
    clip[at..at + 4].copy_from_slice(b"ac-3");
    for (more, said) in [("", true), (", \"volume\": 0", false)] {
        let files = HashMap::from([("clip.mp4".to_owned(), clip.clone())]);
        let list = vistter_ocl::check(&document(&video(more)), &files);
        let found = list.iter().find(|d| d.code == "OCL-ASSET-SOUND");
        assert_eq!(found.is_some(), said, "{list:?}");
        assert!(found.is_none_or(|d| d.to_string().contains("AC-3") && d.to_string().contains("AAC-LC")));
    }
}
