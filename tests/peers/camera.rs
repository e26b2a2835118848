//! A camera on GStreamer's RTSP server. The work is in `cam_gst.py`, which explains all keys and commands.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::place::{cache, here, tool};

const PACKAGES: &str = "gir1.2-gst-rtsp-server-1.0, python3-gi and the GStreamer plugins";
/// Long enough to encode a clip on a busy machine; it happens once, later runs take it from the cache.
const READY: Duration = Duration::from_secs(120);
const ANSWER: Duration = Duration::from_secs(30);

/// A running camera. Dropping it ends it.
#[derive(Debug)]
pub struct GstCamera {
    child: Child,
    orders: Option<ChildStdin>,
    said: Arc<Said>,
    user: String,
    password: String,
}

/// Lines from the script, and whether more can come.
#[derive(Debug, Default)]
struct Said {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl GstCamera {
    /// Starts a camera with `key=value` settings, for example `&["profile=high", "bframes=2", "audio=aac"]`, and waits
    /// until it can be reached.
    pub fn start(keys: &[&str]) -> Self {
        let _ = tool("ffmpeg", "ffmpeg");
        let value = |name: &str, or: &str| {
            let found = keys.iter().find_map(|key| key.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or(or).to_owned()
        };
        let mut child = python()
            .arg(here().join("cam_gst.py"))
            .arg("--cache")
            .arg(cache())
            .args(keys)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let said = Arc::new(Said::default());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn({
            let said = said.clone();
            move || {
                for line in stdout.lines().map_while(Result::ok) {
                    said.state.lock().unwrap().0.push(line);
                    said.changed.notify_all();
                }
                said.state.lock().unwrap().1 = true;
                said.changed.notify_all();
            }
        });
        let orders = child.stdin.take();
        let camera = Self { child, orders, said, user: value("user", "admin"), password: value("password", "secret") };
        camera.wait_for(0, "\"event\": \"ready\"", READY);
        camera
    }

    /// Its address without credentials.
    pub fn url(&self) -> String {
        let state = self.said.state.lock().unwrap();
        let ready = state.0.iter().rev().find(|line| line.contains("\"url\"")).unwrap();
        let from = ready.find("rtsp").unwrap();
        ready[from..].split('"').next().unwrap().to_owned()
    }

    /// Its address with the right user and password in it.
    pub fn url_with_credentials(&self) -> String {
        self.url().replacen("://", &format!("://{}:{}@", self.user, self.password), 1)
    }

    /// How many RTSP connections are open.
    pub fn clients(&self) -> usize {
        let state = self.said.state.lock().unwrap();
        let last = state.0.iter().rev().find_map(|line| line.split("\"now\": ").nth(1));
        last.map_or(0, |rest| rest.trim_end_matches('}').parse().unwrap())
    }

    /// How many RTSP connections were ever opened.
    pub fn connections(&self) -> usize {
        self.said.state.lock().unwrap().0.iter().filter(|line| line.contains("\"event\": \"client\"")).count()
    }

    /// RTSP still answers, but no RTP comes.
    pub fn stall(&mut self) {
        self.order("stall");
    }

    /// Ends `stall`.
    pub fn resume(&mut self) {
        self.order("resume");
    }

    /// The process stands still; sockets stay open and nothing answers.
    pub fn freeze(&mut self) {
        self.order("freeze");
    }

    /// Ends `freeze`.
    pub fn thaw(&mut self) {
        self.order("thaw");
    }

    /// Closes all connections and goes on listening.
    pub fn drop_clients(&mut self) {
        self.order("drop");
    }

    /// Ends the server at once: the port refuses connections.
    pub fn kill(&mut self) {
        self.order("kill");
    }

    /// Starts again after `kill`, on the same port.
    pub fn start_again(&mut self) {
        self.order("start");
    }

    /// Starts again on the same port with changed keys, for example another size.
    pub fn restart(&mut self, keys: &[&str]) {
        self.order(&format!("restart {}", keys.join(" ")));
    }

    /// That share of the RTP packets is not sent; 0 ends it.
    pub fn loss(&mut self, percent: f64) {
        self.order(&format!("loss {percent}"));
    }

    /// RTP timestamps jump by so many seconds, forwards or backwards.
    pub fn jump(&mut self, seconds: f64) {
        self.order(&format!("jump {seconds}"));
    }

    fn order(&mut self, order: &str) {
        let heard = self.said.state.lock().unwrap().0.len();
        let orders = self.orders.as_mut().unwrap();
        writeln!(orders, "{order}").and_then(|()| orders.flush()).expect("the camera script takes orders");
        let name = order.split(' ').next().unwrap();
        self.wait_for(heard, &format!("\"ok\": \"{name}\""), READY.max(ANSWER));
    }

    fn wait_for(&self, from: usize, what: &str, limit: Duration) {
        let end = Instant::now() + limit;
        let mut state = self.said.state.lock().unwrap();
        loop {
            if state.0.iter().skip(from).any(|line| line.contains(what)) {
                return;
            }
            if let Some(error) = state.0.iter().skip(from).find(|line| line.contains("\"error\"")) {
                panic!("the camera script says {error}");
            }
            assert!(
                !state.1,
                "the camera script ended: if its message above speaks of gi, install {PACKAGES} (make setup)"
            );
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the camera script did not say {what} within {limit:?}; so far: {:?}", state.0);
            state = self.said.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for GstCamera {
    fn drop(&mut self) {
        self.orders = None; // the script ends with its stdin, and takes the server with it
        let _ = self.child.wait();
    }
}

/// The system's own Python: Debian's bindings are not visible to one from elsewhere.
fn python() -> Command {
    match std::env::var("PEERS_PYTHON") {
        Ok(python) => tool(&python, "python3"),
        Err(_) if cfg!(target_os = "linux") => tool("/usr/bin/python3", "python3"),
        Err(_) => tool("python3", "python3"),
    }
}
