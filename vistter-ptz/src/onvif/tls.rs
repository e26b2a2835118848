//! ONVIF over TLS. Cameras sign their certificates themselves, so there is nothing to verify at first: the certificate that a
//! camera shows at first use is pinned by its SHA-256, and from then on no other is taken.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use vistter_core::files::{read_text, write_whole};
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
    /// What to do when a camera shows another certificate than the pinned one.
    fn next_step(&self) -> &'static str {
        "if you have changed it or reset the camera, accept the new one (--new-certificate); if not, somebody may stand in between"
    }
}

/// One certificate and no other: the pin of a show file.
#[derive(Clone, Copy, Debug)]
struct FixedPin(Fingerprint);

impl PinStore for FixedPin {
    fn pinned(&self, _: &str) -> Result<Option<Fingerprint>> {
        Ok(Some(self.0))
    }
    fn pin(&self, _: &str, _: Fingerprint) -> Result<()> {
        Ok(())
    }
    fn next_step(&self) -> &'static str {
        "if you have changed it or reset the camera, write the new one as its \"tls_pin\"; if not, somebody may stand in between"
    }
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

    fn failed(&self, doing: &'static str, e: &std::io::Error) -> Error {
        let next = match e.kind() {
            std::io::ErrorKind::FileTooLarge | std::io::ErrorKind::InvalidData => {
                "move the file away; each camera is then pinned anew"
            }
            _ => "check the file and its folder, or name another file",
        };
        Error::io(doing, e).at(self.path.display().to_string()).next(next)
    }
    fn read(&self) -> Result<BTreeMap<String, Fingerprint>> {
        let Some(text) =
            read_text(&self.path, MOST_FILE).map_err(|e| self.failed("read the pinned certificates", &e))?
        else {
            return Ok(BTreeMap::new());
        };
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
        write_whole(&self.path, text.as_bytes()).map_err(|e| self.failed("keep a pinned certificate", &e))
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

impl TlsOptions {
    /// This certificate and no other.
    pub fn pinned(fingerprint: Fingerprint) -> Self {
        Self { pins: Arc::new(FixedPin(fingerprint)), accept_new: false }
    }
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
            Err(Error::new(ErrorKind::Tls, what).transient(false).next(options.pins.next_step()))
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
