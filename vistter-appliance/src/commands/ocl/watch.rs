//! `vistter ocl watch`: a scene in the browser, drawn anew whenever its files are saved.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vistter::Prints;
use vistter::ocl::check_file_at;
use vistter_core::{Result, picture};

use super::page::{State, answer};
use super::scene::{Shown, open, wall};
use crate::cli::ocl::{OclSceneArgs, OclWatchArgs};
use crate::exit::Exit;
use crate::ui::fail;

/// How often files are looked at.
const POLL: Duration = Duration::from_millis(250);
/// Connections at once; a page has one or two.
const MAX_CONNECTIONS: usize = 16;
/// Bytes of a request's head.
const MAX_HEAD: usize = 8 << 10;
/// How long a browser may take for its request.
const PATIENCE: Duration = Duration::from_secs(5);

type Shared = Arc<Mutex<State>>;

pub(super) fn watch(args: &OclWatchArgs) -> Exit {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)) {
        Ok(l) => l,
        Err(e) => {
            fail(&format!("port {} on 127.0.0.1 cannot be used: {e}; choose another --port", args.port));
            return Exit::Failed;
        }
    };
    let state = Shared::default();
    let mut watcher = Watcher::new(args.scene.clone(), state.clone());
    watcher.look();
    match listener.local_addr() {
        Ok(at) => println!("Watching {}: http://{at}/   (Ctrl-C ends it)", args.scene.file.display()),
        Err(e) => {
            fail(&e.to_string());
            return Exit::Failed;
        }
    }
    std::thread::spawn(move || serve(&listener, &state));
    loop {
        std::thread::sleep(POLL);
        watcher.look();
    }
}

/// Draws when something has changed.
struct Watcher {
    args: OclSceneArgs,
    /// What the files looked like when they were last drawn.
    seen: Option<Prints>,
    state: Shared,
}

impl Watcher {
    fn new(args: OclSceneArgs, state: Shared) -> Self {
        Self { args, seen: None, state }
    }

    /// Draws anew if a file has changed; whether it has.
    fn look(&mut self) -> bool {
        let now = self.prints();
        if self.seen.as_ref() == Some(&now) {
            return false;
        }
        let name = self.args.file.display().to_string();
        // A document that cannot be drawn leaves the picture that was; its faults are shown.
        let (png, findings) = match self.draw() {
            Ok(png) => {
                let warnings = check_file_at(&self.args.file, wall(&self.args));
                (Some(png), warnings.iter().map(|d| format!("{name}:{d}\n")).collect())
            }
            Err(what) => (None, what),
        };
        if !findings.is_empty() {
            println!("{}", findings.trim_end());
        }
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.version += 1;
            state.findings = findings;
            if let Some(png) = png {
                state.png = png;
            }
        }
        // Not how they are now: what was saved while it was drawn is drawn the next time.
        self.seen = Some(now);
        true
    }

    fn draw(&self) -> std::result::Result<Vec<u8>, String> {
        let overlay = open(&self.args).map_err(|faults| faults.to_string())?;
        let said = |e: vistter_core::Error| format!("{}: error[OCL-PREPARE]: {e}\n", self.args.file.display());
        let drawn = || -> Result<_> {
            let mut scene = Shown::new(overlay, &self.args)?;
            scene.draw(self.args.at.frames(self.args.fps))
        };
        let frame = drawn().map_err(said)?.freeze();
        let mut png = Vec::new();
        picture::encode_png(&frame, &mut png).map(|()| png).map_err(|e| e.to_string())
    }

    /// The document and everything in its folder, two levels deep: pictures come and go under the names it gives.
    fn prints(&self) -> Prints {
        let folder = self.args.file.parent().filter(|p| !p.as_os_str().is_empty()).map_or(".".into(), PathBuf::from);
        let list = |dir: &PathBuf| -> Vec<PathBuf> {
            std::fs::read_dir(dir).into_iter().flatten().take(1000).filter_map(|e| Some(e.ok()?.path())).collect()
        };
        let mut files = list(&folder);
        let inner: Vec<PathBuf> = files.iter().filter(|p| p.is_dir()).flat_map(list).collect();
        files.extend(inner);
        Prints::take(&self.args.file, files)
    }
}

/// Answers requests, one thread each; a browser may hold connections open that it does not use.
fn serve(listener: &TcpListener, state: &Shared) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (state, open) = (state.clone(), open.clone());
        std::thread::spawn(move || {
            // a browser that leaves is no fault of ours
            let _ = talk(stream, &state);
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn talk(mut stream: TcpStream, state: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let n = stream.read(&mut piece)?;
        if n == 0 || head.len() > MAX_HEAD {
            return Ok(());
        }
        head.extend_from_slice(&piece[..n]);
    }
    let state = state.lock().unwrap_or_else(PoisonError::into_inner).clone();
    stream.write_all(&answer(&String::from_utf8_lossy(&head), &state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        scene: OclSceneArgs,
    }

    fn get(port: u16, path: &str) -> Vec<u8> {
        let mut s = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        s.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        s.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes()).unwrap();
        let mut all = Vec::new();
        s.read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn a_saved_file_is_drawn_anew_and_a_broken_one_is_explained() {
        let dir = std::env::temp_dir().join(format!("vistter-watch-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("a.ocl.json");
        let document = |color: &str| {
            format!(
                r##"{{ "ocl": "1.0", "canvas": {{ "width": 64, "height": 36 }}, "scenes": [ {{ "id": "main", "layers": [
                    {{ "id": "r", "type": "rect", "width": 64, "height": 36, "color": "{color}" }} ] }} ] }}"##
            )
        };
        std::fs::write(&file, document("#FF0000")).unwrap();
        let typed = Typed::try_parse_from(["watch", file.to_str().unwrap()]).unwrap();
        let state = Shared::default();
        let mut watcher = Watcher::new(typed.scene, state.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = state.clone();
        std::thread::spawn(move || serve(&listener, &shared));

        assert!(watcher.look() && !watcher.look(), "nothing has changed");
        let red = get(port, "/picture.png?1");
        assert!(red.windows(4).any(|w| w == b"\x89PNG"));
        std::fs::write(&file, document("#00FF00")).unwrap();
        assert!(watcher.look());
        let green = get(port, "/picture.png?2");
        assert_ne!(red, green);
        std::fs::write(&file, document("green")).unwrap();
        assert!(watcher.look());
        let said = String::from_utf8(get(port, "/state")).unwrap();
        assert!(said.contains("OCL-COLOR") && said.contains("\"broken\":true"), "{said}");
        assert_eq!(get(port, "/picture.png?3"), green, "the last good picture stays");
        std::fs::write(dir.join("new.png"), b"x").unwrap();
        assert!(watcher.look(), "a file beside it may be what was missing");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
