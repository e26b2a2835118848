//! nginx with the RTMP module as a destination.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::certs::{Certificate, Certs};
use super::place::{TempDir, free_port, tool};

/// Starts nginx, says its pid, and kills it when stdin closes: no server outlives its test, frozen or not.
const KEEPER: &str =
    "nginx -p \"$1\" -c \"$1/nginx.conf\" 2>\"$1/start.log\" & echo $!; read _ || :; kill -9 $! 2>/dev/null; wait";

/// What a server offers beside its two plain applications.
#[derive(Clone, Copy, Debug, Default)]
pub struct NginxOptions {
    /// RTMPS ports, one for each [`Certificate`], with the certificates of [`Certs::shared`].
    pub tls: bool,
    /// A port that takes at most so many bytes a second from a publisher.
    pub slow_bytes_per_second: Option<u32>,
}

/// A running server. Dropping it ends it and removes what it recorded, unless the test failed.
///
/// Applications: `live` takes every key, records FLV, and can be played from; `auth` takes only [`Nginx::GOOD_KEY`].
#[derive(Debug)]
pub struct Nginx {
    dir: TempDir,
    rtmp: u16,
    http: u16,
    slow: u16,
    tls: [u16; 4],
    options: NginxOptions,
    keeper: Option<Keeper>,
}

#[derive(Debug)]
struct Keeper {
    shell: Child,
    pid: String,
}

/// One publishing stream, as the server counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// Application.
    pub application: String,
    /// Stream key.
    pub key: String,
    /// Bytes received on this stream.
    pub bytes_in: u64,
}

impl Nginx {
    /// The only key that the application `auth` takes.
    pub const GOOD_KEY: &str = "goodkey";

    /// Starts a server without TLS.
    pub fn start() -> Self {
        Self::start_with(NginxOptions::default())
    }

    /// Starts a server and waits until it accepts connections.
    pub fn start_with(options: NginxOptions) -> Self {
        let _ = tool("nginx", "nginx");
        assert!(module("rtmp").exists(), "nginx has no RTMP module: run `make setup`, or install libnginx-mod-rtmp");
        assert!(
            module("stream").exists(),
            "nginx has no stream module: run `make setup`, or install libnginx-mod-stream"
        );
        for attempt in 0.. {
            let mut server = Self {
                dir: TempDir::new("nginx"),
                rtmp: free_port(),
                http: free_port(),
                slow: free_port(),
                tls: [(); 4].map(|()| free_port()),
                options,
                keeper: None,
            };
            std::fs::create_dir(server.dir.join("rec")).unwrap();
            std::fs::write(server.dir.join("nginx.conf"), server.config()).unwrap();
            match server.launch() {
                Ok(()) => return server,
                Err(log) if log.contains("Address already in use") && attempt < 5 => {} // another test was faster
                Err(log) => panic!("nginx did not start: {log}"),
            }
        }
        unreachable!("the loop returns or panics")
    }

    /// `rtmp://127.0.0.1:port/application`, without a key.
    pub fn url(&self, application: &str) -> String {
        format!("rtmp://127.0.0.1:{}/{application}", self.rtmp)
    }

    /// The RTMP port.
    pub fn port(&self) -> u16 {
        self.rtmp
    }

    /// As [`Nginx::url`], read slowly. Needs [`NginxOptions::slow_bytes_per_second`].
    pub fn slow_url(&self, application: &str) -> String {
        assert!(self.options.slow_bytes_per_second.is_some(), "ask for it in NginxOptions");
        format!("rtmp://127.0.0.1:{}/{application}", self.slow)
    }

    /// `rtmps://` behind that certificate. Needs [`NginxOptions::tls`].
    pub fn tls_url(&self, certificate: Certificate, application: &str) -> String {
        assert!(self.options.tls, "ask for it in NginxOptions");
        format!("rtmps://localhost:{}/{application}", self.tls[certificate as usize])
    }

    /// The file recorded under a key. After a reconnection there are several: the first one.
    pub fn recording(&self, key: &str) -> PathBuf {
        let all = self.recordings(key);
        all.into_iter().next().unwrap_or_else(|| panic!("nginx recorded nothing under {key}: {}", self.log()))
    }

    /// All files recorded under a key, oldest first.
    pub fn recordings(&self, key: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.dir.join("rec")).unwrap().map(|entry| entry.unwrap().path());
        let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        // record_unique appends a dash and the Unix time.
        let mut found: Vec<_> =
            files.filter(|path| stem(path).rsplit_once('-').is_some_and(|(name, _)| name == key)).collect();
        found.sort();
        found
    }

    /// What the RTMP module says of itself and its streams, as XML.
    pub fn stat(&self) -> String {
        self.http("/stat")
    }

    /// Who is publishing now.
    pub fn publishers(&self) -> Vec<Publisher> {
        let xml = self.stat();
        let mut found = Vec::new();
        for application in xml.split("<application>").skip(1) {
            for stream in application.split("<stream>").skip(1).filter(|stream| stream.contains("<publishing/>")) {
                found.push(Publisher {
                    application: element(application, "name").to_owned(),
                    key: element(stream, "name").to_owned(),
                    bytes_in: element(stream, "bytes_in").parse().unwrap_or(0),
                });
            }
        }
        found
    }

    /// Waits until somebody publishes under that key, up to 30 s.
    pub fn wait_for_publisher(&self, key: &str) -> Publisher {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(found) = self.publishers().into_iter().find(|publisher| publisher.key == key) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody published under {key} within 30 s: {}", self.log());
    }

    /// Throws a publisher out; it may come back.
    pub fn drop_publisher(&self, application: &str, key: &str) {
        self.http(&format!("/control/drop/publisher?app={application}&name={key}"));
    }

    /// Stops reading; connections stay open.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Ends `freeze`.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends the server at once; its ports refuse connections.
    pub fn kill(&mut self) {
        self.keeper = None;
    }

    /// Starts it again after `kill`, on the same ports.
    pub fn start_again(&mut self) {
        self.kill();
        self.launch().unwrap_or_else(|log| panic!("nginx did not start again: {log}"));
    }

    /// What nginx logged, for messages.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("error.log")).unwrap_or_default()
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut shell = tool("sh", "a POSIX shell")
            .args(["-c", KEEPER, "sh"])
            .arg(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        self.keeper = Some(Keeper { shell, pid: pid.trim().to_owned() });
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if TcpStream::connect(("127.0.0.1", self.http)).is_ok() && self.http("/alive").contains("alive") {
                return Ok(());
            }
            let log = std::fs::read_to_string(self.dir.join("start.log")).unwrap_or_default();
            if log.contains("[emerg]") {
                self.keeper = None;
                return Err(log);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("no answer within 20 s: {}", self.log()))
    }

    fn signal(&self, name: &str) {
        let pid = &self.keeper.as_ref().expect("nginx runs").pid;
        let sent = Command::new("kill").args([&format!("-{name}"), pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send {name} to nginx");
    }

    fn http(&self, path: &str) -> String {
        let mut answer = Vec::new();
        let asked = TcpStream::connect(("127.0.0.1", self.http)).and_then(|mut socket| {
            socket.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(socket, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            socket.read_to_end(&mut answer)
        });
        asked.unwrap_or_else(|e| panic!("nginx does not answer {path}: {e}"));
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn config(&self) -> String {
        let Self { rtmp, http, slow, tls, options, .. } = self;
        let dir = self.dir.path().display();
        let (rtmp_module, stream_module) = (module("rtmp"), module("stream"));
        let (rtmp_module, stream_module) = (rtmp_module.display(), stream_module.display());
        let record = format!("record all; record_path {dir}/rec; record_unique on; record_suffix .flv;");
        let mut relays = String::new();
        if let Some(rate) = options.slow_bytes_per_second {
            let _ = writeln!(
                relays,
                "server {{ listen 127.0.0.1:{slow} rcvbuf=32k; proxy_pass 127.0.0.1:{rtmp}; \
                 proxy_upload_rate {rate}; proxy_buffer_size 4k; }}"
            );
        }
        if options.tls {
            let certs = Certs::shared();
            for kind in Certificate::ALL {
                let (certificate, key) = (certs.certificate(kind), certs.key(kind));
                let _ = writeln!(
                    relays,
                    "server {{ listen 127.0.0.1:{} ssl; ssl_certificate {}; ssl_certificate_key {}; \
                     proxy_pass 127.0.0.1:{rtmp}; }}",
                    tls[kind as usize],
                    certificate.display(),
                    key.display()
                );
            }
        }
        let good = Self::GOOD_KEY;
        format!(
            "load_module {rtmp_module};\nload_module {stream_module};\n\
             daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log info;\n\
             events {{ worker_connections 256; }}\n\
             rtmp {{ server {{ listen 127.0.0.1:{rtmp}; chunk_size 4096; notify_method get; access_log {dir}/rtmp.log;\n\
               application live {{ live on; {record} }}\n\
               application auth {{ live on; {record} on_publish http://127.0.0.1:{http}/auth; }} }} }}\n\
             stream {{ {relays} }}\n\
             http {{ access_log off; client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; \
               uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;\n\
               server {{ listen 127.0.0.1:{http};\n\
                 location /alive {{ return 200 alive; }}\n\
                 location /stat {{ rtmp_stat all; }}\n\
                 location /control {{ rtmp_control all; }}\n\
                 location /auth {{ if ($arg_name = {good}) {{ return 200; }} return 403; }} }} }}\n"
        )
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take()); // the shell kills nginx when its stdin closes
        let _ = self.shell.wait();
    }
}

/// Where Debian, then Homebrew, puts a dynamic module.
fn module(name: &str) -> PathBuf {
    let file = format!("ngx_{name}_module.so");
    let places = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules", "/opt/homebrew/lib/nginx/modules"];
    let found = places.iter().map(|place| Path::new(place).join(&file)).find(|path| path.exists());
    found.unwrap_or_else(|| Path::new(places[0]).join(&file))
}

/// Text of the first element of that name.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let after = xml.split(&format!("<{name}>")).nth(1).unwrap_or_default();
    after.split(&format!("</{name}>")).next().unwrap_or_default()
}
