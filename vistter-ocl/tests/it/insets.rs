//! Layers whose pictures come from outside, with sources that paint what the test wants.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use vistter_core::clock::WallTime;
use vistter_core::inset::{Fed, InsetPicture, InsetSpec, PictureFeed, PictureSources};
use vistter_core::media::mp4::{Playback, VideoFile};
use vistter_core::media::{Frame, FrameBuf, FramePool};
use vistter_core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter_core::time::{FrameRate, MediaTime};
use vistter_core::{Error, ErrorKind, Result};
use vistter_ocl::OclOverlay;

use crate::picture::{background, rgb};

/// What the sources do.
#[derive(Default)]
pub(crate) struct Wish {
    gone: bool,
    late: bool,
    /// Gives a matte, clear on the left half.
    matte: bool,
    trouble: Option<Error>,
    expected: usize,
    asked: Vec<MediaTime>,
    /// Painted so far.
    painted: u8,
}

#[derive(Clone, Default)]
pub(crate) struct Painter(Arc<Mutex<Wish>>);

struct Painting(Painter, InsetSpec, Option<InsetPicture>);

impl PictureSources for Painter {
    fn video(&self, _: &Arc<VideoFile>, _: Playback, spec: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        Ok(Box::new(Painting(self.clone(), spec, None)))
    }
    fn camera(&self, id: &str, spec: InsetSpec) -> Result<Box<dyn PictureFeed>> {
        if id == "none" {
            return Err(Error::new(ErrorKind::Config, "no such camera"));
        }
        Ok(Box::new(Painting(self.clone(), spec, None)))
    }
}

fn paint(spec: InsetSpec, n: u8) -> Frame {
    let mut buf = FramePool::new(spec.width, spec.height, 1).unwrap().take();
    for (i, mut p) in buf.planes_mut().into_iter().enumerate() {
        let (w, h) = (p.width.max(2) - 1, p.height.max(2) - 1);
        for y in 0..p.height {
            for (x, v) in p.row_mut(y).iter_mut().enumerate() {
                *v = match i {
                    0 => 60 + x * 120 / w + usize::from(n % 8),
                    1 => 200 - y * 140 / h,
                    _ => 60 + x * 60 / w + y * 60 / h,
                } as u8;
            }
        }
    }
    buf.freeze()
}

impl PictureFeed for Painting {
    fn expect(&mut self) {
        self.0.0.lock().unwrap().expected += 1;
    }
    fn picture_at(&mut self, elapsed: MediaTime) -> Fed {
        let mut w = self.0.0.lock().unwrap();
        w.asked.push(elapsed);
        if w.gone {
            return Fed::default();
        }
        if !w.late || self.2.is_none() {
            w.painted = w.painted.wrapping_add(1);
            let alpha = w.matte.then(|| {
                let mut a = FramePool::new(self.1.width, self.1.height, 1).unwrap().take();
                let [mut p, ..] = a.planes_mut();
                for y in 0..p.height {
                    let half = p.width / 2;
                    let row = p.row_mut(y);
                    row[..half].fill(0);
                    row[half..].fill(255);
                }
                a.freeze()
            });
            self.2 = Some(InsetPicture { color: paint(self.1, w.painted), alpha, left: 0, top: 0 });
        }
        Fed { picture: self.2.clone(), late: w.late }
    }
    fn trouble(&mut self) -> Option<Error> {
        self.0.0.lock().unwrap().trouble.take()
    }
}

const CANVAS: Canvas = Canvas { width: 160, height: 90, fps: FrameRate::FPS_30 };

fn open(layer: &str) -> (OclOverlay, Painter) {
    let text = format!(
        r#"{{ "ocl": "1.1", "canvas": {{ "width": 160, "height": 90 }}, "scenes": [ {{ "id": "main", "layers": [ {layer} ] }} ] }}"#
    );
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let o = OclOverlay::from_str("test", &text, &none, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    let painter = Painter::default();
    let mut o = o.with_pictures(Arc::new(painter.clone()));
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    (o, painter)
}
fn tick(frame: u64) -> Tick {
    Tick { frame, wall: WallTime::from_unix_nanos(0) }
}
fn compose(o: &mut OclOverlay, frame: u64) -> FrameBuf {
    let mut buf = background(CANVAS.width, CANVAS.height);
    o.compose(tick(frame), &mut buf).unwrap();
    buf
}
/// What was painted last for [`camera`].
fn last_painted(painter: &Painter) -> Frame {
    let spec = InsetSpec { width: 60, height: 40, fit: Default::default(), matte: Default::default() };
    paint(spec, painter.0.lock().unwrap().painted)
}
fn camera(more: &str) -> String {
    format!(r#"{{ "id": "c", "type": "camera", "camera": "a", "width": 60, "height": 40{more} }}"#)
}

#[test]
fn a_picture_goes_in_as_it_is() {
    let (mut o, painter) = open(&camera(r#", "position": { "x": 20, "y": 10 }"#));
    let got = compose(&mut o, 5);
    let want = last_painted(&painter);
    for i in 0..3 {
        let (x, y, w, h) = if i == 0 { (20, 10, 60, 40) } else { (10, 5, 30, 20) };
        for row in 0..h {
            assert_eq!(&got.plane(i).row(y + row)[x..x + w], want.plane(i).row(row), "plane {i} row {row}");
        }
    }
    let bare = background(CANVAS.width, CANVAS.height);
    assert_eq!(got.plane(0).row(9), bare.plane(0).row(9));
}

#[test]
fn odd_places_have_their_colour_between_samples() {
    let (mut o, painter) = open(&camera(r#", "position": { "x": 21, "y": 11 }"#));
    let got = compose(&mut o, 5);
    let want = last_painted(&painter);
    for row in 0..40 {
        assert_eq!(&got.plane(0).row(11 + row)[21..81], want.plane(0).row(row));
    }
    let (a, b) = (want.plane(1).row(7)[9], want.plane(1).row(8)[9]);
    let between = (2 * (u32::from(a) + u32::from(b)) + 2) / 4;
    assert_eq!(u32::from(got.plane(1).row(5 + 8)[10 + 9]), between, "{a} {b}");
}

#[test]
fn corners_opacity_and_mattes() {
    let (mut o, _) = open(&camera(r#", "radius": 20, "position": { "x": 20, "y": 10 }"#));
    let bare = background(CANVAS.width, CANVAS.height);
    let got = compose(&mut o, 1);
    assert_eq!(got.plane(0).row(10)[20], bare.plane(0).row(10)[20], "the corner is cut");
    assert_ne!(got.plane(0).row(30)[21], bare.plane(0).row(30)[21]);
    let (mut o, painter) = open(&camera(r#", "opacity": 0.5, "position": { "x": 20, "y": 10 }"#));
    let got = compose(&mut o, 1).plane(0).row(20)[50];
    let want = last_painted(&painter);
    let mean = (u32::from(want.plane(0).row(10)[30]) + u32::from(bare.plane(0).row(20)[50])) / 2;
    assert!(u32::from(got).abs_diff(mean) <= 1, "{got} {mean}");
    let (mut o, painter) = open(&camera(r#", "position": { "x": 20, "y": 10 }"#));
    painter.0.lock().unwrap().matte = true;
    let got = compose(&mut o, 1);
    assert_eq!(got.plane(0).row(20)[20..50], bare.plane(0).row(20)[20..50], "clear");
    assert_ne!(got.plane(0).row(20)[50..80], bare.plane(0).row(20)[50..80]);
    assert_eq!(got.plane(1).row(10)[10..25], bare.plane(1).row(10)[10..25], "clear");
}

/// What is turned, scaled, cut or in a group goes through RGB: the same picture, but for rounding.
#[test]
fn other_ways_show_the_same() {
    let place = r#""position": { "x": 20, "y": 10 }"#;
    let plain = rgb(&compose(&mut open(&camera(&format!(", {place}"))).0, 0));
    let same = [
        camera(&format!(r#", "scale": 1, "rotation": 0, "masks": [ {{ "shape": "rect" }} ], {place}"#)),
        camera(&format!(r#", "crop": [0, 0, 1, 0], {place}"#)),
        format!(r#"{{ "id": "g", "type": "group", "layers": [ {} ] }}"#, camera(&format!(", {place}"))),
        format!(r#"{{ "id": "g", "type": "group", "clip": true, "layers": [ {} ] }}"#, camera(&format!(", {place}"))),
    ];
    for layer in same {
        let got = rgb(&compose(&mut open(&layer).0, 0));
        for (x, y) in [(30, 20), (50, 30), (70, 45)] {
            let (a, b) = (plain.get_pixel(x, y).0, got.get_pixel(x, y).0);
            assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 4), "{a:?} {b:?} at {x}, {y}: {layer}");
        }
    }
    let turned = rgb(&compose(
        &mut open(&camera(r#", "rotation": 180, "pivot": "center", "position": { "x": 20, "y": 10 }"#)).0,
        0,
    ));
    let (a, b) = (plain.get_pixel(30, 20).0, turned.get_pixel(99 - 30, 59 - 20).0);
    assert!(a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 6), "{a:?} {b:?}");
}

#[test]
fn a_lost_camera_goes_as_its_layer_says() {
    let bare = background(CANVAS.width, CANVAS.height);
    for (lost, want) in [("hide", Some(bare.plane(0).row(30)[50])), ("slate", Some(52)), ("hold", None)] {
        let (mut o, painter) = open(&camera(&format!(r#", "lost": "{lost}", "position": {{ "x": 20, "y": 10 }}"#)));
        let last = compose(&mut o, 3).plane(0).row(30)[50];
        painter.0.lock().unwrap().gone = true;
        assert_eq!(compose(&mut o, 4).plane(0).row(30)[50], want.unwrap_or(last), "{lost}");
        painter.0.lock().unwrap().gone = false;
        assert_ne!(compose(&mut o, 5).plane(0).row(30)[50], 52, "{lost}: it is back");
    }
}

#[test]
fn what_is_late_is_waited_for_and_what_is_wrong_is_said() {
    let (mut o, painter) = open(&camera(""));
    assert_eq!(o.is_static_until(tick(7)), Some(8), "a camera has a new picture each frame");
    compose(&mut o, 7);
    painter.0.lock().unwrap().late = true;
    let before = compose(&mut o, 8).plane(0).data.to_vec();
    assert!(compose(&mut o, 9).plane(0).data == before, "the one before stays");
    assert_eq!(o.is_static_until(tick(9)), Some(10));
    assert!(o.trouble().is_none());
    painter.0.lock().unwrap().trouble = Some(Error::new(ErrorKind::Media, "on purpose"));
    compose(&mut o, 10);
    assert!(o.trouble().unwrap().to_string().contains("on purpose") && o.trouble().is_none());
    o.expect();
    assert_eq!(painter.0.lock().unwrap().expected, 1);
    let asked = painter.0.lock().unwrap().asked.last().copied();
    assert_eq!(asked, Some(FrameRate::FPS_30.time_of(10)), "its own show time");

    let (mut o, _) = open(&camera("").replace(r#""a""#, r#""none""#));
    compose(&mut o, 0);
    assert!(o.trouble().unwrap().to_string().contains("no such camera"));
    assert_eq!(o.cameras(), [("/scenes/0/layers/0/camera".to_owned(), "none")]);
}

#[test]
fn without_sources_the_rest_plays() {
    let text = format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 160, "height": 90 }}, "scenes": [ {{ "id": "main", "layers": [ {},
            {{ "id": "r", "type": "rect", "width": 20, "height": 20, "color": "#FFFFFF" }} ] }} ] }}"##,
        camera(r#", "rotation": 3"#)
    );
    let none: HashMap<String, Vec<u8>> = HashMap::new();
    let mut o = OclOverlay::from_str("test", &text, &none, None, &BTreeMap::new()).unwrap();
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    assert_eq!(compose(&mut o, 0).plane(0).row(5)[5], 235);
    assert!(o.trouble().unwrap().to_string().contains("could come from"));
}

#[test]
fn a_video_changes_with_its_own_pictures() {
    let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clips/disc.mp4")).unwrap();
    let files = HashMap::from([("disc.mp4".to_owned(), clip)]);
    let text = r#"{ "ocl": "1.1", "canvas": { "width": 160, "height": 90 }, "assets": { "disc": { "path": "disc.mp4" } },
        "scenes": [ { "id": "main", "tracks": [ { "id": "t", "type": "free", "cues": [
            { "id": "c", "start": "10f", "duration": 60, "content": { "type": "video", "asset": "disc", "alpha": "side-by-side", "plays": 2 } } ] } ] } ] }"#;
    let o = OclOverlay::from_str("test", text, &files, None, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    let painter = Painter::default();
    let mut o = o.with_pictures(Arc::new(painter.clone()));
    o.prepare(CANVAS).unwrap();
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    compose(&mut o, 0);
    // twelve pictures a second on thirty frames: at each 2.5 frames
    let mut at = 10;
    let mut changes = Vec::new();
    compose(&mut o, at);
    while let Some(next) = o.is_static_until(tick(at)).filter(|n| *n < 200) {
        at = next;
        compose(&mut o, at);
        changes.push(at - 10);
    }
    assert_eq!(&changes[..6], [3, 5, 8, 10, 13, 15]);
    assert_eq!((changes.len(), changes.last()), (47, Some(&118)), "twice 24 pictures; the last one stays");
}
