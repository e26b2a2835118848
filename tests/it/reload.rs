//! Overlay documents that are saved while their show is on air.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use vistter::core::config::{OverlayConfig, ProgramConfig};
use vistter::core::inset::Insets;
use vistter::core::media::Frame;
use vistter::core::session::{null_audio, null_backend};
use vistter::core::testing::until;
use vistter::{Documents, Session, SessionEvent};

/// Two squares: a rectangle, and a picture beside it; the third is as bright as a token says.
fn document(color: &str, more: &str) -> String {
    format!(
        r##"{{ "ocl": "1.1", "canvas": {{ "width": 320, "height": 180 }}, "assets": {{ "mark": {{ "path": "mark.png" }} }},
          "tokens": {{ "bar": {{ "type": "number", "default": 0 }} }},
          "scenes": [ {{ "id": "main", "layers": [
            {{ "id": "r", "type": "rect", "width": 100, "height": 180, "color": "{color}" }},
            {{ "id": "m", "type": "image", "asset": "mark", "width": 100, "height": 180, "position": {{ "x": 100 }} }},
            {{ "id": "b", "type": "progress", "value": "{{{{bar}}}}", "width": 100, "height": 180, "color": "#FFFFFF", "track": "#000000",
               "position": {{ "x": 220 }} }}{more} ] }} ] }}"##
    )
}

/// A grey PNG.
fn picture(level: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&[level; 16]).unwrap();
    out
}

struct Rig {
    folder: PathBuf,
    session: Arc<Session>,
    events: Receiver<SessionEvent>,
    keeping: tokio::task::JoinHandle<()>,
}

impl Rig {
    async fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("vistter-reload-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mark.png"), picture(60)).unwrap();
        std::fs::write(folder.join("a.ocl.json"), text).unwrap();
        let program = ProgramConfig { width: 320, height: 180, ..ProgramConfig::default() };
        let mut builder = Session::builder().program(program).encoder(null_backend()).audio_encoder(null_audio());
        let pictures = Arc::new(Insets::live(builder.live_cameras()));
        let mut documents = Documents::new(&folder, pictures, Vec::new()).every(Duration::from_millis(20));
        let config: OverlayConfig = serde_json::from_str(r#"{ "id": "bug", "file": "a.ocl.json" }"#).unwrap();
        builder = match documents.open(&config) {
            Ok(o) => builder.overlay(0, Box::new(o)),
            Err(e) => builder.missing_overlay("bug", 0, &e),
        };
        let session = Arc::new(Box::pin(builder.start()).await.unwrap());
        let events = session.events();
        let kept = session.clone();
        let keeping = tokio::spawn(async move { documents.keep_up(&kept).await });
        session.show_overlay("bug", Some(true)).unwrap();
        Self { folder, session, events, keeping }
    }
    fn save(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.join(file), bytes).unwrap();
    }
    /// Waits until a square has a luma, and all frames until then were whole.
    async fn sees(&self, column: usize, luma: impl Fn(u8) -> bool, what: &str) {
        let at = |p: &Frame| p.plane(0).row(90)[column * 100 + 50];
        until(what, || self.session.picture().is_some_and(|p| luma(at(&p)))).await;
    }
    async fn told(&mut self, what: impl Fn(&SessionEvent) -> bool) -> SessionEvent {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(60), self.events.recv());
            match next.await.expect("it is told").expect("the session goes on") {
                e if what(&e) => return e,
                _ => {}
            }
        }
    }
    async fn end(self) {
        self.keeping.abort();
        drop(self.keeping.await);
        let Ok(session) = Arc::try_unwrap(self.session) else { panic!("still held") };
        session.stop().await;
        let _ = std::fs::remove_dir_all(self.folder);
    }
}

fn replaced(e: &SessionEvent) -> bool {
    matches!(e, SessionEvent::OverlayReplaced { overlay } if overlay == "bug")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_document_takes_its_place_and_a_broken_one_does_not() {
    let mut rig = Rig::new("saved", &document("#000000", "")).await;
    rig.sees(0, |v| v < 30, "black").await;
    rig.save("a.ocl.json", document("#FFFFFF", ""));
    rig.told(replaced).await;
    rig.sees(0, |v| v > 220, "white").await;

    // a half of it, as an editor may leave it for a moment, and then all of it
    let next = document("#808080", "");
    rig.save("a.ocl.json", &next[..next.len() / 2]);
    rig.sees(0, |v| v > 220, "white stays").await;
    rig.save("a.ocl.json", &next);
    rig.told(replaced).await;
    rig.sees(0, |v| (100..160).contains(&v), "grey").await;

    rig.save("a.ocl.json", document("grey", ""));
    // the half of a document may have been told, if it stood for long enough
    let grey = |e: &SessionEvent| matches!(e, SessionEvent::Trouble { error, .. } if error.contains("\"grey\" is not a colour"));
    let SessionEvent::Trouble { part, error } = rig.told(grey).await else { panic!("no trouble") };
    assert!(part == "overlay bug" && error.contains("#RRGGBB"), "{error}");
    assert!(error.contains("a.ocl.json") && error.contains(":4:"), "its place: {error}");
    rig.sees(0, |v| (100..160).contains(&v), "what was on air stays").await;
    rig.save("a.ocl.json", document("#000000", ""));
    rig.told(replaced).await;
    rig.sees(0, |v| v < 30, "mended").await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_the_document_counts_and_live_data_stays() {
    let mut rig = Rig::new("files", &document("#000000", "")).await;
    rig.sees(1, |v| (50..90).contains(&v), "the picture").await;
    let tokens = [("bar".to_owned(), "100".to_owned())].into();
    rig.session.set_tokens("bug", tokens).unwrap();
    rig.sees(2, |v| v > 220, "the bar is full").await;
    rig.save("mark.png", picture(250));
    rig.told(replaced).await;
    rig.sees(1, |v| v > 200, "the other picture").await;
    rig.sees(2, |v| v > 220, "the bar is full as it was").await;
    // a token that the new document has no more is no reason to refuse it
    let without = document("#FFFFFF", "")
        .replace("{{bar}}", "0")
        .replace("\"bar\": { \"type\": \"number\", \"default\": 0 }", "");
    rig.save("a.ocl.json", without);
    rig.told(replaced).await;
    rig.sees(0, |v| v > 220, "the new document").await;
    rig.sees(2, |v| v < 30, "its bar").await;
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overlay_that_was_broken_comes_when_it_is_mended() {
    let mut rig = Rig::new("mended", "{").await;
    assert_eq!(rig.session.troubles().len(), 1);
    rig.save("a.ocl.json", document("#FFFFFF", ""));
    rig.told(replaced).await;
    rig.sees(0, |v| v > 220, "it is there, and shown").await;
    std::fs::remove_file(Path::new(&rig.folder).join("a.ocl.json")).unwrap();
    rig.told(|e| matches!(e, SessionEvent::Trouble { error, .. } if error.contains("cannot be read"))).await;
    rig.sees(0, |v| v > 220, "it stays").await;
    rig.end().await;
}
