//! Videos and cameras inside overlays: a picture that a render makes, and a session with two cameras.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vistter::Session;
use vistter::core::clock::WallTime;
use vistter::core::config::{ProgramConfig, Shot, Span, TimelineConfig};
use vistter::core::inset::Insets;
use vistter::core::media::{Frame, FramePool};
use vistter::core::picture::encode_png;
use vistter::core::ports::{Canvas, Overlay as _, OverlayAction, Tick};
use vistter::core::session::{null_audio, null_backend};
use vistter::core::sim::barcode::read_mark_in;
use vistter::core::sim::{TestCamera, TestCameraConfig};
use vistter::core::source::{RtspConfig, RtspSource};
use vistter::core::testing::until;
use vistter::core::time::FrameRate;
use vistter::ocl::OclOverlay;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips").join(name)
}

fn open(file: &str) -> OclOverlay {
    OclOverlay::from_file("overlay", &folder(file), None, &Default::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn shown(canvas: Canvas) -> impl FnMut(u64) -> Vec<u8> {
    let mut o = open("disc.ocl.json").with_pictures(Arc::new(Insets::exact()));
    o.prepare(canvas).unwrap();
    let tick = |frame| Tick { frame, wall: WallTime::from_unix_nanos(0) };
    o.apply(tick(0), &OverlayAction::Show).unwrap();
    let pool = FramePool::new(canvas.width, canvas.height, 2).unwrap();
    move |frame| {
        let mut buf = pool.take();
        buf.fill([70, 118, 134]);
        o.compose(tick(frame), &mut buf).unwrap();
        assert!(o.trouble().is_none());
        let mut png = Vec::new();
        encode_png(&buf.freeze(), &mut png).unwrap();
        png
    }
}

/// Width, height and RGB of a PNG.
fn pixels(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut out = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut out).unwrap();
    (info.width, info.height, out)
}

/// `OCL_BLESS=1` writes the picture anew: look at it. H.264 is decoded to the same bits by every decoder, the video is shown
/// at its own size, and blending is integer arithmetic: nothing may differ.
#[test]
fn a_video_with_a_matte_is_the_same_picture_everywhere() {
    let canvas = Canvas { width: 320, height: 180, fps: FrameRate::FPS_30 };
    let mut frame = shown(canvas);
    let got = frame(20);
    let expected = folder("disc.expected.png");
    if std::env::var_os("OCL_BLESS").is_some() {
        std::fs::write(&expected, &got).unwrap();
    }
    assert!(pixels(&got) == pixels(&std::fs::read(&expected).unwrap()), "see tests/clips");
    // Seek equals play, over the end of the file too.
    let played: Vec<Vec<u8>> = (21..90).map(&mut frame).collect();
    assert!(played[60 + 20 - 21] == got, "after two seconds it is at the same place");
    for n in [80, 22, 47, 21, 62] {
        assert!(shown(canvas)(n) == played[n as usize - 21] && frame(n) == played[n as usize - 21], "frame {n}");
    }
}

const SIZE: (u32, u32) = (640, 360);
/// Where the second camera is.
const INSET: (u32, u32, u32, u32) = (300, 160, 320, 180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_in_the_picture_of_another() {
    let mut cameras = Vec::new();
    for id in [1, 2] {
        let config =
            TestCameraConfig { name: format!("CAM{id}"), id, width: SIZE.0, height: SIZE.1, ..Default::default() };
        cameras.push(TestCamera::start(config).await.unwrap());
    }
    let program = ProgramConfig { width: SIZE.0, height: SIZE.1, ..ProgramConfig::default() };
    let timeline = TimelineConfig { shots: vec![Shot::new("cam1", Span::secs(3600))], ..TimelineConfig::default() };
    let mut builder =
        Session::builder().program(program).timeline(timeline).encoder(null_backend()).audio_encoder(null_audio());
    let pictures = Arc::new(Insets::live(builder.live_cameras()));
    for c in &cameras {
        let source = RtspSource::new(RtspConfig::new(c.url()));
        builder = builder.camera(format!("cam{}", c.config().id), Box::new(source));
    }
    let overlay = open("inset.ocl.json").with_pictures(pictures.clone());
    assert_eq!(overlay.cameras(), [("/scenes/0/layers/0/camera".to_owned(), "cam2")]);
    let session = Box::pin(builder.overlay(1, Box::new(overlay)).start()).await.unwrap();
    let picture = || session.picture();
    let camera_in = |p: &Frame, area| read_mark_in(p, area).map(|m| m.camera);
    let whole = (0, 0, SIZE.0, SIZE.1);
    until("the first camera is on air", || picture().is_some_and(|p| camera_in(&p, whole) == Some(1))).await;
    assert!(!session.status().cameras[1].decoding, "nobody shows the second camera");

    session.show_overlay("overlay", Some(true)).unwrap();
    let both = |p: Frame| camera_in(&p, whole) == Some(1) && camera_in(&p, INSET) == Some(2);
    until("the second camera is in its box", || picture().is_some_and(both)).await;
    // It moves on, and the video beside it is there: its disc is red.
    let number = |p: Frame| read_mark_in(&p, INSET).map(|m| m.frame);
    let before = picture().and_then(number).unwrap();
    until("its picture moves on", || picture().and_then(number).is_some_and(|n| n != before)).await;
    until("the video plays", || picture().is_some_and(|p| p.plane(2).row(124)[5..53].iter().any(|v| *v > 165))).await;

    // A camera that goes away leaves its last picture, and then what its layer says.
    cameras[1].switch_off();
    until("the box is grey", || {
        picture()
            .is_some_and(|p| p.plane(0).row(250)[310..610].iter().all(|v| *v == 52) && camera_in(&p, whole) == Some(1))
    })
    .await;
    cameras[1].switch_on(|_| ()).await.unwrap();
    session.restart_camera("cam2").unwrap();
    until("it is back", || picture().is_some_and(both)).await;

    session.show_overlay("overlay", Some(false)).unwrap();
    until("it is not decoded any more", || !session.status().cameras[1].decoding).await;
    assert!(session.status().cameras[0].decoding);
    session.stop().await;
}
