//! ONVIF over TLS. Cameras sign their certificates themselves, so there is nothing to verify at first: the certificate that a
//! camera shows at first use is pinned by its SHA-256, and from then on no other is taken.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use vistter_core::tls::{self, Handshake, TlsPolicy, TlsStream};
use vistter_core::{Error, ErrorKind, Result};

pub use vistter_core::tls::Fingerprint;

/// Where pinned certificates are kept. `camera` is host and port. Called on the task that connects: it must not take long.
pub trait PinStore: fmt::Debug + Send + Sync {
    /// What is pinned for a camera.
    ///
    /// # Errors
    /// It cannot be read. Then nothing is connected: an unreadable store must not become a new first use.
    fn pinned(&self, camera: &str) -> Result<Option<Fingerprint>>;
    /// Pins a certificate, in place of an older one.
    ///
    /// # Errors
    /// It cannot be kept.
    fn pin(&self, camera: &str, fingerprint: Fingerprint) -> Result<()>;
}

/// Pins for the life of the program.
#[derive(Debug, Default)]
pub struct MemoryPins(Mutex<BTreeMap<String, Fingerprint>>);

impl PinStore for MemoryPins {
    fn pinned(&self, camera: &str) -> Result<Option<Fingerprint>> {
        Ok(lock(&self.0).get(camera).copied())
    }
    fn pin(&self, camera: &str, fingerprint: Fingerprint) -> Result<()> {
        lock(&self.0).insert(camera.to_owned(), fingerprint);
        Ok(())
    }
}

/// Pins in a text file: a line each, camera and fingerprint. Read anew each time, written whole or not at all.
#[derive(Debug)]
pub struct FilePins {
    path: PathBuf,
    writing: Mutex<()>,
}

/// Larger than any list of cameras.
const MOST_FILE: u64 = 1024 * 1024;

impl FilePins {
    /// Pins in a file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), writing: Mutex::new(()) }
    }

    fn read(&self) -> Result<BTreeMap<String, Fingerprint>> {
        let failed =
            |e: &std::io::Error| Error::io("read the pinned certificates", e).at(self.path.display().to_string());
        match std::fs::metadata(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(e) => return Err(failed(&e)),
            Ok(m) if m.len() > MOST_FILE => {
                let e = Error::new(ErrorKind::Limit, "the file of pinned certificates is too large");
                return Err(e
                    .at(self.path.display().to_string())
                    .next("move it away; each camera is then pinned anew"));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&self.path).map_err(|e| failed(&e))?;
        let mut pins = BTreeMap::new();
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            let pair = line.trim().split_once(' ').and_then(|(camera, pin)| Some((camera, pin.parse().ok()?)));
            let Some((camera, pin)) = pair else {
                let e =
                    Error::new(ErrorKind::Config, "a line of the pinned certificates is neither camera nor SHA-256");
                let place = format!("{}:{}", self.path.display(), i + 1);
                return Err(e.at(place).next("mend the line, or remove it: its camera is then pinned anew"));
            };
            pins.insert(camera.to_owned(), pin);
        }
        Ok(pins)
    }
}

impl PinStore for FilePins {
    fn pinned(&self, camera: &str) -> Result<Option<Fingerprint>> {
        Ok(self.read()?.get(camera).copied())
    }
    fn pin(&self, camera: &str, fingerprint: Fingerprint) -> Result<()> {
        let _one = lock(&self.writing);
        let mut pins = self.read()?;
        pins.insert(camera.to_owned(), fingerprint);
        let text: String = pins.iter().map(|(c, p)| format!("{c} {p}\n")).collect();
        let failed = |e: &std::io::Error| Error::io("keep a pinned certificate", e).at(self.path.display().to_string());
        if let Some(folder) = self.path.parent().filter(|p| *p != Path::new("")) {
            std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        let mut new = self.path.as_os_str().to_owned();
        new.push(format!(".{}.new", std::process::id()));
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.path)).map_err(|e| failed(&e))
    }
}

/// How a camera is spoken to over TLS.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// Where pins are kept.
    pub pins: Arc<dyn PinStore>,
    /// Whatever certificate the camera shows is pinned, in place of an older one.
    pub accept_new: bool,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { pins: Arc::new(MemoryPins::default()), accept_new: false }
    }
}

/// The handshake. `authority` is the camera's host and port.
pub(super) async fn handshake(options: &TlsOptions, authority: &str, plain: TcpStream) -> Result<TlsStream> {
    let host = authority.rsplit_once(':').map_or(authority, |(h, _)| h);
    let pinned = options.pins.pinned(authority)?.filter(|_| !options.accept_new);
    let policy = pinned.map_or(TlsPolicy::Insecure, TlsPolicy::Pin);
    let Handshake { result, shown } = tls::handshake(&policy, host, plain).await?;
    match (result, shown, pinned) {
        (Ok(stream), Some(shown), None) => {
            options.pins.pin(authority, shown)?;
            Ok(stream)
        }
        (Ok(stream), _, _) => Ok(stream),
        (Err(_), Some(shown), Some(pinned)) if shown != pinned => {
            let what = format!(
                "the camera shows another certificate than the pinned one: pinned is {pinned}, shown is {shown}"
            );
            Err(Error::new(ErrorKind::Tls, what).transient(false).next(
                "if you have changed it or reset the camera, accept the new one (--new-certificate); if not, somebody may stand in between",
            ))
        }
        (Err(e), _, _) => {
            let e = Error::new(ErrorKind::Tls, format!("no TLS connection: {e}")).transient(false);
            Err(e.next("check that this port of the camera speaks TLS; http:// and onvif:// are without"))
        }
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_survive_in_their_file_and_a_broken_one_is_no_first_use() {
        let folder = std::env::temp_dir().join(format!("vistter-pins-{}", std::process::id()));
        let path = folder.join("deep/pins.txt");
        let (a, b) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let pins = FilePins::new(&path);
        assert_eq!(pins.pinned("10.0.0.1:443").unwrap(), None);
        pins.pin("10.0.0.1:443", a).unwrap();
        pins.pin("[fe80::1]:443", b).unwrap();
        pins.pin("10.0.0.1:443", b).unwrap();
        let again = FilePins::new(&path);
        assert_eq!((again.pinned("10.0.0.1:443").unwrap(), again.pinned("[fe80::1]:443").unwrap()), (Some(b), Some(b)));
        std::fs::write(&path, "10.0.0.1:443 AA:BB\n").unwrap();
        let e = again.pinned("10.0.0.1:443").unwrap_err();
        assert!(e.place().unwrap().ends_with("pins.txt:1") && e.next_step().is_some(), "{e}");
        assert!(again.pin("x:1", a).is_err(), "nothing is written over it");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
