//! A file system that is soon full.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::place::TempDir;

/// A file system of one mebibyte, as long as the value lives.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one. `None`, and loud words, where this user may not.
    pub fn mount() -> Option<Self> {
        let dir = TempDir::new("small-disk");
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(dir.path()).stdin(Stdio::null()).output();
        let why = match done {
            Ok(out) if out.status.success() => return Some(Self(dir)),
            Ok(out) => String::from_utf8_lossy(&out.stderr).trim().to_owned(),
            Err(e) => e.to_string(),
        };
        eprintln!("NOT TESTED: a full disk. Mounting a small file system needs root on Linux; here: {why}");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).stdin(Stdio::null()).output();
    }
}
