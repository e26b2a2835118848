//! FFmpeg's tools as peers and judges, beside what `peers` has.

use std::path::Path;
use std::process::{Child, Output, Stdio};

use crate::peers::tool;

/// Runs FFmpeg or ffprobe to its end.
pub(crate) fn run(name: &str, args: &[&str]) -> Output {
    tool(name, "ffmpeg").args(args).output().unwrap()
}

/// Runs it; it must succeed. Gives its stdout.
pub(crate) fn must(name: &str, args: &[&str]) -> String {
    let out = run(name, args);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{name} {args:?}: {err}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// FFmpeg in the background; killed by its handle when dropped.
pub(crate) struct Ffmpeg(Child);

impl Ffmpeg {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut c = tool("ffmpeg", "ffmpeg");
        Self(c.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
    /// Waits for its end; whether it was content.
    pub(crate) fn wait(&mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}
impl Drop for Ffmpeg {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Number of packets of one track (`v` or `a`), its start, and the codec's name, by ffprobe.
pub(crate) fn probe(file: &Path, track: &str) -> (u64, f64, String) {
    let entries = "stream=codec_name,start_time,nb_read_packets";
    let json =
        crate::peers::ffprobe_json(file, &["-count_packets", "-select_streams", track, "-show_entries", entries]);
    let s = &json["streams"][0];
    let text = |n: &str| s[n].as_str().unwrap_or_else(|| panic!("no {n} in {json}")).to_owned();
    (text("nb_read_packets").parse().unwrap(), text("start_time").parse().unwrap(), text("codec_name"))
}
