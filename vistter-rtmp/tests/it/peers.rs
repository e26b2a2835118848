//! Starting and stopping other programs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A folder that goes when dropped.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(name: &str) -> Self {
        static N: AtomicU32 = AtomicU32::new(0);
        let n = N.fetch_add(1, Ordering::Relaxed);
        let d = std::env::temp_dir().join(format!("vistter-rtmp-{}-{n}-{name}", std::process::id()));
        std::fs::create_dir_all(&d).unwrap();
        Self(d)
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
    /// The only file with this extension.
    pub(crate) fn only(&self, ext: &str) -> PathBuf {
        let all = self.all(ext);
        assert_eq!(all.len(), 1, "files: {all:?}");
        all[0].clone()
    }
    pub(crate) fn all(&self, ext: &str) -> Vec<PathBuf> {
        let mut all: Vec<_> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == ext))
            .collect();
        all.sort();
        all
    }
}
impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that is killed by its handle when dropped.
pub(crate) struct Peer(Child);

impl Peer {
    pub(crate) fn start(tool: &str, args: &[&str]) -> Self {
        let child = Command::new(tool)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{tool} does not start ({e}): install it with the project's set-up"));
        Self(child)
    }
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
    pub(crate) fn wait(&mut self) -> bool {
        self.0.wait().unwrap().success()
    }
    fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}
impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a tool to its end.
pub(crate) fn tool(name: &str, args: &[&str]) -> Output {
    Command::new(name)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{name} does not start ({e}): install it with the project's set-up"))
}

/// Runs a tool that must succeed and be silent on stderr; gives its stdout.
pub(crate) fn must(name: &str, args: &[&str]) -> String {
    let out = tool(name, args);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{name} {args:?}: {err}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn connects(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_millis(200)).is_ok()
}

/// Waits until something listens; a real program gives no other sign.
pub(crate) fn wait_for_port(port: u16, peer: &mut Peer) -> bool {
    for _ in 0..600 {
        if connects(port) {
            return true;
        }
        if peer.is_over() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// nginx with the RTMP module. `/live` takes any key, `/auth` only `goodkey`; both record to the folder.
pub(crate) struct Nginx {
    peer: Peer,
    dir: Dir,
    pub(crate) rtmp: u16,
    http: u16,
    /// RTMPS with the certificates of [`crate::certs`]: good, expired, self-signed, wrong host.
    pub(crate) rtmps: [u16; 4],
}

impl Nginx {
    pub(crate) fn start(certs: Option<&Path>) -> Self {
        // Another process may take a free port between our look and nginx's bind.
        for _ in 0..5 {
            let dir = Dir::new("nginx");
            let (rtmp, http) = (free_port(), free_port());
            let rtmps = [free_port(), free_port(), free_port(), free_port()];
            let conf = dir.path().join("nginx.conf");
            std::fs::write(&conf, config(dir.path(), rtmp, http, rtmps, certs)).unwrap();
            let log = dir.path().join("error.log");
            let args = ["-p", dir.path().to_str().unwrap(), "-c", conf.to_str().unwrap(), "-e", log.to_str().unwrap()];
            let mut peer = Peer::start("nginx", &args);
            if wait_for_port(rtmp, &mut peer) {
                return Self { peer, dir, rtmp, http, rtmps };
            }
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(
                text.contains("Address already in use"),
                "nginx does not run (is libnginx-mod-rtmp installed?): {text}"
            );
        }
        panic!("nginx found no free port in five tries");
    }
    pub(crate) fn recording(&self) -> PathBuf {
        self.dir.only("flv")
    }
    /// What `rtmp_stat` says, as XML.
    pub(crate) fn stat(&self) -> String {
        let mut s = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        s.write_all(b"GET /stat HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        s.read_to_string(&mut text).unwrap();
        text
    }
    /// Stops it without closing its sockets; they accept and nobody reads.
    pub(crate) fn freeze(&self) {
        must("kill", &["-STOP", &self.peer.id().to_string()]);
    }
    /// Kills it; its sockets close.
    pub(crate) fn kill(self) {
        drop(self.peer);
    }
}

fn config(dir: &Path, rtmp: u16, http: u16, rtmps: [u16; 4], certs: Option<&Path>) -> String {
    let d = dir.display();
    let stream = certs.map_or(String::new(), |c| {
        let servers: String = crate::certs::NAMES
            .iter()
            .zip(rtmps)
            .map(|(name, port)| {
                let c = c.display();
                format!(
                    "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {c}/{name}.crt; \
                     ssl_certificate_key {c}/{name}.key; proxy_pass 127.0.0.1:{rtmp}; }}\n"
                )
            })
            .collect();
        format!("stream {{ access_log off; {servers} }}")
    });
    // One process in the foreground: killing the handle kills all of it.
    format!(
        "load_module modules/ngx_rtmp_module.so;
load_module modules/ngx_stream_module.so;
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log info;
events {{ worker_connections 128; }}
rtmp {{ server {{ listen 127.0.0.1:{rtmp}; chunk_size 4096; ping 30s; notify_method get; access_log off;
  application live {{ live on; record all; record_path {d}; record_suffix .flv; }}
  application auth {{ live on; on_publish http://127.0.0.1:{http}/auth; }}
}} }}
{stream}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
  uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  server {{ listen 127.0.0.1:{http}; location /stat {{ rtmp_stat all; }}
    location /auth {{ if ($arg_name = goodkey) {{ return 200; }} return 403; }} }} }}
"
    )
    .replace("load_module modules/", &format!("load_module {}/", modules().display()))
}

/// Where this system keeps nginx's modules.
fn modules() -> &'static Path {
    ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/libexec/nginx"]
        .into_iter()
        .map(Path::new)
        .find(|p| p.join("ngx_rtmp_module.so").exists())
        .expect("nginx's RTMP module is not installed (Debian and Ubuntu: libnginx-mod-rtmp libnginx-mod-stream)")
}

/// Decodes a whole file with FFmpeg; any complaint fails the test.
pub(crate) fn decodes(file: &Path) {
    let f = file.to_str().unwrap();
    let out = tool("ffmpeg", &["-v", "error", "-xerror", "-i", f, "-f", "null", "-"]);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && err.is_empty(), "ffmpeg on {f}: {err}");
}

/// Number of packets of one track (`v` or `a`), its start, and the codec's name, by ffprobe.
pub(crate) fn probe(file: &Path, track: &str) -> (u64, f64, String) {
    let out = must(
        "ffprobe",
        &[
            "-v",
            "error",
            "-count_packets",
            "-select_streams",
            track,
            "-show_entries",
            "stream=codec_name,start_time,nb_read_packets",
            "-of",
            "default=nw=1",
            file.to_str().unwrap(),
        ],
    );
    let field = |n: &str| out.lines().find_map(|l| l.strip_prefix(n)).unwrap_or_else(|| panic!("no {n} in {out}"));
    let count = field("nb_read_packets=").parse().unwrap();
    (count, field("start_time=").parse().unwrap(), field("codec_name=").to_owned())
}
