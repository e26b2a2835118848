//! Runs the program and reads what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What it said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Both streams, for what must not be in either.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
    /// The JSON object of that type, the last one.
    pub fn json(&self, kind: &str) -> Value {
        let mut all = self.out.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        all.rfind(|v| v["type"] == kind).unwrap_or_else(|| panic!("no {kind} in {}\n{}", self.out, self.err))
    }
    /// Output frames that a busy machine left out.
    pub fn skipped(&self) -> u64 {
        self.json("summary")["program"]["counters"]["skipped"].as_u64().unwrap()
    }
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        self
    }
    pub fn assert_says(&self, what: &str) -> &Self {
        assert!(self.all().contains(what), "{what:?} is not in\nout: {}\nerr: {}", self.out, self.err);
        self
    }
    pub fn assert_never_says(&self, secret: &str) -> &Self {
        assert!(!self.all().contains(secret), "a secret is in\nout: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// Runs it to its end, at most two minutes.
pub fn vistter(args: &[&str]) -> Said {
    Running::start(args, &[]).end(Duration::from_secs(120))
}

/// Runs it with environment variables.
pub fn vistter_with(args: &[&str], env: &[(&str, &str)]) -> Said {
    Running::start(args, env).end(Duration::from_secs(120))
}

/// A program that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    out: String,
    err: std::thread::JoinHandle<String>,
}

impl Running {
    pub fn start(args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vistter"));
        command.args(args).envs(env.iter().copied());
        Self::run(command)
    }
    /// It may write so many bytes into one file; more is an error and no signal.
    pub fn with_file_limit(args: &[&str], bytes: u64) -> Self {
        let script = "ulimit -f \"$0\" && trap '' XFSZ && exec \"$@\""; // POSIX counts blocks of 512 bytes
        let mut command = Command::new("sh");
        command.args(["-c", script, &(bytes / 512).to_string(), env!("CARGO_BIN_EXE_vistter")]).args(args);
        Self::run(command)
    }
    fn run(mut command: Command) -> Self {
        // Tests leave nothing in anybody's home.
        if !command.get_envs().any(|(name, _)| name == "XDG_STATE_HOME") {
            command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tx, lines) = sync_channel(100_000);
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|l| tx.send(l)));
        let mut stderr = child.stderr.take().unwrap();
        let err = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { child, lines, out: String::new(), err }
    }
    /// Waits for a JSON line for which `f` is true.
    pub fn wait_for(&mut self, what: &str, mut f: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.out += &format!("{line}\n");
                    if let Ok(v) = serde_json::from_str::<Value>(&line)
                        && f(&v)
                    {
                        return v;
                    }
                }
                Err(e) => panic!("no {what} within a minute ({e}): {}", self.out),
            }
        }
    }
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()));
    }
    pub fn end(mut self, limit: Duration) -> Said {
        let end = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.out += &format!("{line}\n"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    panic!("it did not end within {limit:?}: {}", self.out);
                }
            }
        }
        let code = self.child.wait().unwrap().code();
        Said { code, out: std::mem::take(&mut self.out), err: self.err.join().unwrap() }
    }
}

/// Writes a show file and gives its path.
pub fn show_file(dir: &Path, show: &Value) -> String {
    let path = dir.join("show.json");
    std::fs::write(&path, format!("{show:#}")).unwrap();
    path.display().to_string()
}

/// A small program, so that a busy test machine keeps up.
pub fn small_program() -> Value {
    serde_json::json!({ "width": 640, "height": 360, "fps": 30, "bitrate_kbps": 800 })
}
