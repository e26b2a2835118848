//! Fills the store of a document: gets what its URLs name, over HTTPS only, and keeps what is right.
//!
//! A show never does this by itself: nothing is fetched while it plays ([`ocl::Folder`](vistter_ocl::Folder) reads the store).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;
use vistter_core::{Error, ErrorKind, Result};
use vistter_ocl::limits::MAX_ASSET_BYTES;
use vistter_ocl::model::Asset;
use vistter_ocl::{Digest, Document, STORE};
use vistter_ptz::onvif::http::{Fault, Message, Parser};

/// How long a server may take to be connected and to agree on TLS.
const CONNECT: Duration = Duration::from_secs(15);
/// How long a server may send nothing.
const IDLE: Duration = Duration::from_secs(30);
/// How long one file may take.
const WHOLE: Duration = Duration::from_secs(600);
/// Other addresses that servers may send on to.
const MAX_REDIRECTS: usize = 5;

/// What became of an asset.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its id.
    pub asset: String,
    /// Where it comes from: the URL without what may be secret.
    pub from: String,
    /// What happened.
    pub outcome: Outcome,
}

/// What happened to an asset.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in the store now.
    Stored {
        /// Its size in bytes.
        bytes: u64,
    },
    /// It was there already, and right.
    There,
    /// It could not be had.
    Failed(Error),
}

/// Gets what the URLs of a document name into the store beside it. What is there and right is not fetched again.
/// `extra_ca` are certificates in PEM form that are trusted beside the public authorities.
///
/// # Errors
/// `Config` when the document cannot be read or `extra_ca` holds no certificate. That one of the files cannot be had is
/// no error: see [`Fetched`].
pub async fn fetch_assets(document: &Path, extra_ca: Option<&[u8]>) -> Result<Vec<Fetched>> {
    let (read, _) = Document::from_file(document)?;
    let tls = TlsConnector::from(vistter_core::tls::public_config(extra_ca)?);
    let store = document.parent().unwrap_or(Path::new("")).join(STORE);
    let mut list = Vec::new();
    for (id, asset) in &read.assets {
        let (Some(url), Some(digest)) = (&asset.url, asset.sha256) else { continue };
        let place = store.join(digest.to_string());
        let outcome = match fetch(url, asset, digest, place, &tls).await {
            Ok(outcome) => outcome,
            Err(e) => Outcome::Failed(e),
        };
        list.push(Fetched { asset: id.clone(), from: asset.origin().to_owned(), outcome });
    }
    Ok(list)
}

async fn fetch(url: &str, asset: &Asset, digest: Digest, place: PathBuf, tls: &TlsConnector) -> Result<Outcome> {
    if is_right(&place, digest).await {
        return Ok(Outcome::There);
    }
    let body = timeout(WHOLE, get(url, tls)).await.unwrap_or_else(|_| Err(slow("it took too long to come")))?;
    let got = Digest::of(&body);
    if got != digest {
        let e = Error::new(ErrorKind::Protocol, format!("it is not the file that was meant: it has the SHA-256 {got}"));
        return Err(e.at(asset.origin()).next("ask whoever made the document, or correct \"sha256\""));
    }
    let bytes = body.len() as u64;
    keep(place, body).await?;
    Ok(Outcome::Stored { bytes })
}

async fn is_right(place: &Path, digest: Digest) -> bool {
    let place = place.to_owned();
    let read = move || {
        let length = std::fs::metadata(&place).ok().filter(std::fs::Metadata::is_file)?.len();
        (length <= MAX_ASSET_BYTES).then(|| std::fs::read(&place).ok())?
    };
    let bytes = tokio::task::spawn_blocking(read).await.ok().flatten();
    bytes.is_some_and(|b| Digest::of(&b) == digest)
}

/// Writes a file whole or not at all: who reads the store meanwhile finds no half of it.
async fn keep(place: PathBuf, body: Vec<u8>) -> Result<()> {
    let write = move || {
        let folder = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let half = folder.join(format!(".{name}.{}", std::process::id()));
        std::fs::write(&half, body).and_then(|()| std::fs::rename(&half, &place)).inspect_err(|_| {
            let _ = std::fs::remove_file(&half);
        })
    };
    let done = tokio::task::spawn_blocking(write).await;
    let done = done.map_err(|e| Error::new(ErrorKind::Internal, format!("the file could not be written: {e}")))?;
    done.map_err(|e| Error::io("write into the store", &e).at(STORE))
}

/// The body at a URL, wherever its server sends on to.
async fn get(url: &str, tls: &TlsConnector) -> Result<Vec<u8>> {
    let mut at = secure(Url::parse(url).ok())?;
    for _ in 0..=MAX_REDIRECTS {
        let answer = exchange(&at, tls).await.map_err(|e| e.at(shown(&at)))?;
        match answer.status() {
            Some(200) => return Ok(answer.body),
            Some(301 | 302 | 303 | 307 | 308) => {
                let to = answer.field("location").and_then(|l| at.join(l).ok());
                at = secure(to).map_err(|e| e.at(shown(&at)))?;
            }
            Some(status @ (401 | 403)) => {
                let e = Error::new(ErrorKind::Unauthorized, format!("the server refuses it: status {status}"))
                    .at(shown(&at));
                return Err(e.next("a signed URL may have run out: ask for a new one"));
            }
            status => {
                let status = status.unwrap_or_default();
                let e = Error::new(ErrorKind::Protocol, format!("the server answers with status {status}"));
                return Err(e.at(shown(&at)).next("open the URL in a browser"));
            }
        }
    }
    let e = Error::new(ErrorKind::Limit, format!("its servers sent on to each other more than {MAX_REDIRECTS} times"));
    Err(e.at(shown(&at)).next("use the last address itself"))
}

/// An address that may be asked: HTTPS, without a password.
fn secure(url: Option<Url>) -> Result<Url> {
    let bad = |what: &str| Error::new(ErrorKind::Config, what.to_owned()).next("use an https URL");
    let url = url.ok_or_else(|| bad("this is no URL"))?;
    if url.scheme() != "https" {
        return Err(bad(&format!("it leads to {}, which is not secure", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none() {
        return Err(bad("it leads to an address with a password"));
    }
    Ok(url)
}

/// An address without what may be secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn slow(what: &str) -> Error {
    Error::new(ErrorKind::Timeout, what).transient(true).next("try it again later")
}

/// One question and its answer.
async fn exchange(url: &Url, tls: &TlsConnector) -> Result<Message> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned())
        .map_err(|_| Error::new(ErrorKind::Config, format!("\"{host}\" is not the name of a server")))?;
    let connect = async {
        let tcp = TcpStream::connect((bare, port)).await.map_err(|e| Error::io("connect to the server", &e))?;
        tls.connect(name, tcp).await.map_err(|e| Error::io("agree on TLS with the server", &e))
    };
    let mut stream = timeout(CONNECT, connect).await.map_err(|_| slow("the server does not answer"))??;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
    let agent = concat!("vistter/", env!("CARGO_PKG_VERSION"));
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\n\r\n"
    );
    let write = stream.write_all(question.as_bytes());
    let written = timeout(IDLE, write).await.map_err(|_| slow("the server takes nothing"))?;
    written.map_err(|e| Error::io("ask the server", &e))?;
    let mut parser = Parser::answer(usize::try_from(MAX_ASSET_BYTES).unwrap_or(usize::MAX));
    let mut piece = vec![0; 64 << 10];
    let fault = |f: Fault| match f {
        Fault::TooLarge => Error::new(ErrorKind::Limit, format!("it is larger than {} MiB", MAX_ASSET_BYTES >> 20))
            .next("make it smaller"),
        Fault::Cut => Error::new(ErrorKind::Protocol, "it was cut off on its way").transient(true).next("try it again"),
        Fault::NotHttp => Error::new(ErrorKind::Protocol, "the server does not speak HTTP").next("check the URL"),
    };
    loop {
        let n = timeout(IDLE, stream.read(&mut piece)).await.map_err(|_| slow("the server sends nothing more"))?;
        let n = match n {
            Ok(n) => n,
            // a server that closes without saying so; what is missing then the checksum finds
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            Err(e) => return Err(Error::io("read from the server", &e)),
        };
        if n == 0 {
            return parser.end().map_err(fault);
        }
        if let Some(answer) = parser.push(&piece[..n]).map_err(fault)? {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_addresses_are_asked() {
        let ok = |s: &str| secure(Url::parse(s).ok());
        assert!(ok("https://x.example/a?b").is_ok());
        for bad in ["http://x.example/a", "https://user:pw@x.example/", "ftp://x.example/", "file:///etc/passwd", "x"] {
            let e = ok(bad).unwrap_err();
            assert!(!e.to_string().contains("pw"), "{e}");
        }
        assert_eq!(shown(&ok("https://x.example:8443/a/b?sig=secret#c").unwrap()), "https://x.example:8443/a/b");
    }
}
