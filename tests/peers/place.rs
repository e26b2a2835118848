//! Where peers live: free ports, directories, programs.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A loopback TCP port that is free now.
///
/// Below the range that the kernel hands to outgoing connections, so that only another test's guess can take it before
/// it is used. The process id spreads the guesses of tests that run side by side.
pub fn free_port() -> u16 {
    let start = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    for _ in 0..2_000 {
        let port = 10_000 + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7)) % 20_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between 10000 and 30000 on 127.0.0.1");
}

/// A fresh directory below the target directory, removed at the end unless the test failed.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new(name: &str) -> Self {
        let path =
            tmp().join("run").join(format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir_all(&path).unwrap_or_else(|e| panic!("cannot create {}: {e}", path.display()));
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Things made once and kept between runs, such as encoded clips. Safe to delete.
pub(super) fn cache() -> PathBuf {
    tmp().join("peers-cache")
}

/// This folder, where the scripts are.
pub(super) fn here() -> PathBuf {
    let file = Path::new(file!());
    let from_root = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    // `file!()` is relative to the workspace root; the manifest is in it or one level below.
    let found = [from_root, Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("tests/peers/place.rs")];
    let file = found.iter().find(|path| path.exists()).expect("tests/peers is in the repository");
    file.parent().unwrap().canonicalize().unwrap()
}

fn tmp() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// A command for `program`; panics with the package to install when it is not there.
pub fn tool(program: &str, package: &str) -> Command {
    let there = Command::new("sh")
        .args(["-c", "command -v \"$1\" >/dev/null", "sh", program])
        .env("PATH", search_path())
        .status()
        .is_ok_and(|status| status.success());
    assert!(there, "the program `{program}` is missing: run `make setup`, or install the package {package}");
    let mut command = Command::new(program);
    command.env("PATH", search_path()).stdin(Stdio::null());
    command
}

/// PATH with the places that Debian keeps out of an ordinary user's one: nginx is in /usr/sbin.
fn search_path() -> String {
    format!("{}:/usr/local/sbin:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}
