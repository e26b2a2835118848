//! `vistter::fetch` against a server over TLS.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vistter::fetch::{Outcome, fetch_assets};
use vistter::ocl::{Digest, OclOverlay, STORE};

use crate::peers::{Certificate, Certs, TempDir};

const LOGO: &[u8] =
    br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path fill="red" d="M0 0H9V9H0Z"/></svg>"#;

/// A server with a few answers; gives its port, and the first lines it was asked.
async fn server(kind: Certificate) -> (u16, Arc<Mutex<Vec<String>>>) {
    let certs = Certs::shared();
    let chain = CertificateDer::pem_file_iter(certs.certificate(kind)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(certs.key(kind)).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let seen = asked.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                // a client that does not trust us is what some tests want
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                let mut question = Vec::new();
                while !question.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    question.push(byte);
                }
                let line = String::from_utf8_lossy(&question).lines().next().unwrap_or_default().to_owned();
                let _ = stream.write_all(&answer(&line, port)).await;
                let _ = stream.shutdown().await;
                seen.lock().unwrap().push(line);
            });
        }
    });
    (port, asked)
}

fn answer(line: &str, port: u16) -> Vec<u8> {
    let whole =
        |body: &[u8]| [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    let to = |place: &str| format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    match line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default() {
        "/logo.svg" => whole(LOGO),
        "/other.svg" => whole(b"something else"),
        "/moved.svg" => to("/logo.svg"),
        "/plain.svg" => to(&format!("http://127.0.0.1:{port}/logo.svg")),
        "/round.svg" => to("/round.svg"),
        "/huge.svg" => b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_vec(),
        "/cut.svg" => b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf".to_vec(),
        "/refused.svg" => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
    }
}

fn document(dir: &Path, port: u16, names: &[&str]) -> std::path::PathBuf {
    let digest = Digest::of(LOGO);
    let asset = |n: &&str| {
        format!(
            r#""{n}": {{ "url": "https://127.0.0.1:{port}/{n}.svg?sig=hunter2", "sha256": "{digest}", "mediaType": "image/svg+xml" }}"#
        )
    };
    let assets: Vec<String> = names.iter().map(asset).collect();
    let text = format!(
        r#"{{ "ocl": "1.1", "canvas": {{ "width": 64, "height": 36 }}, "assets": {{ {} }},
            "scenes": [ {{ "id": "main", "layers": [ {{ "id": "l", "type": "image", "asset": "{}" }} ] }} ] }}"#,
        assets.join(", "),
        names[0]
    );
    let file = dir.join("a.ocl.json");
    std::fs::write(&file, text).unwrap();
    file
}

fn authority() -> Vec<u8> {
    std::fs::read(Certs::shared().authority()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_right_is_stored_and_what_is_not_is_explained() {
    let (port, asked) = server(Certificate::Good).await;
    let dir = TempDir::new("fetch");
    let names = ["logo", "other", "plain", "round", "huge", "cut", "refused", "gone"];
    let file = document(dir.path(), port, &names);
    let list = fetch_assets(&file, Some(&authority())).await.unwrap();
    let said: BTreeMap<String, String> = list
        .into_iter()
        .map(|f| {
            assert!(!f.from.contains("hunter2"), "{}", f.from);
            let text = match f.outcome {
                Outcome::Stored { bytes } => format!("stored {bytes}"),
                Outcome::There => "there".to_owned(),
                Outcome::Failed(e) => e.to_string(),
            };
            assert!(!text.contains("hunter2"), "{text}");
            (f.asset, text)
        })
        .collect();
    // in the order of their names; what one has brought those after it need not fetch: all want the same content
    assert!(said["cut"].contains("cut off"), "{said:?}");
    assert!(said["gone"].contains("404") && said["huge"].contains("larger than 32 MiB"), "{said:?}");
    assert_eq!(said["logo"], format!("stored {}", LOGO.len()));
    assert_eq!((said["other"].as_str(), said["round"].as_str()), ("there", "there"));
    assert!(asked.lock().unwrap().iter().any(|l| l == "GET /logo.svg?sig=hunter2 HTTP/1.1"));
    let kept: Vec<_> = std::fs::read_dir(dir.path().join(STORE)).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(kept, [Digest::of(LOGO).to_string().as_str()], "and nothing half");
    let overlay = OclOverlay::from_file("a", &file, None, &BTreeMap::new()).unwrap();
    assert_eq!(overlay.warnings(), []);
    let again = fetch_assets(&file, Some(&authority())).await.unwrap();
    assert!(again.iter().all(|f| matches!(f.outcome, Outcome::There)), "{again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_may_send_on_but_never_to_where_it_is_not_secure() {
    let (port, _) = server(Certificate::Good).await;
    for (name, want) in [
        ("moved", None),
        ("plain", Some("not secure")),
        ("round", Some("more than 5 times")),
        ("other", Some("not the file that was meant")),
        ("refused", Some("403")),
    ] {
        let dir = TempDir::new("fetch-on");
        let list = fetch_assets(&document(dir.path(), port, &[name]), Some(&authority())).await.unwrap();
        match (&list[0].outcome, want) {
            (Outcome::Stored { .. }, None) => {}
            (Outcome::Failed(e), Some(want)) => {
                assert!(e.to_string().contains(want) && !e.to_string().contains("hunter2"), "{name}: {e}");
                assert!(!dir.path().join(STORE).join(Digest::of(LOGO).to_string()).exists());
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_trusted_is_not_asked() {
    for kind in [Certificate::SelfSigned, Certificate::Expired, Certificate::WrongHost] {
        let (port, asked) = server(kind).await;
        let dir = TempDir::new("fetch-tls");
        let list = fetch_assets(&document(dir.path(), port, &["logo"]), Some(&authority())).await.unwrap();
        assert!(matches!(&list[0].outcome, Outcome::Failed(_)), "{kind:?}");
        assert!(asked.lock().unwrap().is_empty(), "{kind:?}");
    }
    let e = fetch_assets(Path::new("none.ocl.json"), Some(b"")).await.unwrap_err();
    assert_eq!(e.kind(), vistter::ErrorKind::Config);
}
