//! Throw-away certificates, made by OpenSSL in a temporary directory.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::place::{TempDir, tool};

/// What is right or wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// For localhost and 127.0.0.1, signed by [`Certs::authority`].
    Good,
    /// As `Good`, but it ended in 2020.
    Expired,
    /// Signed by itself.
    SelfSigned,
    /// Signed by the authority, for another host.
    WrongHost,
}

impl Certificate {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Good, Self::Expired, Self::SelfSigned, Self::WrongHost];

    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Expired => "expired",
            Self::SelfSigned => "selfsigned",
            Self::WrongHost => "wronghost",
        }
    }
}

/// A directory with one authority and one server certificate of each kind.
#[derive(Debug)]
pub struct Certs(PathBuf);

impl Certs {
    /// The certificates of this test process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<(TempDir, Certs)> = OnceLock::new();
        &SHARED
            .get_or_init(|| {
                let dir = TempDir::new("certs");
                let certs = Self::make(dir.path());
                (dir, certs)
            })
            .1
    }

    /// Makes them in `dir`.
    pub fn make(dir: &Path) -> Self {
        let script = include_str!("certs.sh");
        let output = tool("sh", "a POSIX shell").args(["-c", script]).current_dir(dir).output().unwrap();
        let _ = tool("openssl", "openssl");
        assert!(output.status.success(), "certs.sh: {}", String::from_utf8_lossy(&output.stderr));
        Self(dir.to_owned())
    }

    /// The authority that a client must trust.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    /// Certificate as PEM.
    pub fn certificate(&self, kind: Certificate) -> PathBuf {
        self.0.join(format!("{}.crt", kind.name()))
    }

    /// Private key as PEM.
    pub fn key(&self, kind: Certificate) -> PathBuf {
        self.0.join(format!("{}.key", kind.name()))
    }

    /// SHA-256 of the certificate, in hexadecimal digits with colons, as OpenSSL prints it.
    pub fn pin(&self, kind: Certificate) -> String {
        let args = ["x509", "-noout", "-fingerprint", "-sha256", "-in"];
        let output = tool("openssl", "openssl").args(args).arg(self.certificate(kind)).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.trim().rsplit('=').next().unwrap().to_owned()
    }

    /// Certificate and private key in one PEM file, as GStreamer wants them (`cert=` of a camera).
    pub fn both(&self, kind: Certificate) -> PathBuf {
        self.0.join(format!("{}.pem", kind.name()))
    }
}
