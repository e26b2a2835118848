//! `rtsps://`: retina speaks plain RTSP to a loopback port, and a task carries the bytes over TLS to the camera.
//!
//! The bytes are not changed. The camera sees the loopback port as host in the request line and in the Digest `uri`,
//! the two agreeing with each other: cameras look at the path only, and a rewritten request line would break the Digest
//! of strict ones (RFC 2617 §3.2.2.5). Absolute addresses in the camera's answers need no change either, because retina
//! never connects a second time while it plays.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::digest::{SHA256, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::rtsp_config::TlsPolicy;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;

/// How long the plain side may take to come; it is called at once.
const CALL: Duration = Duration::from_secs(10);

/// A running relay. Dropping it cuts both sides.
#[derive(Debug)]
pub(super) struct Relay {
    port: u16,
    task: AbortHandle,
}

impl Relay {
    /// Connects to the camera over TLS and offers the connection on a loopback port, to one caller.
    ///
    /// # Errors
    /// As for any connection; `Tls` with what to do about the certificate.
    pub(super) async fn open(host: &str, port: u16, policy: &TlsPolicy, limit: Duration) -> Result<Self> {
        let slow = |what: &str| {
            Error::new(ErrorKind::Timeout, format!("no answer within {limit:?} ({what})"))
                .next("check that the camera is on, and that this port is its RTSPS port")
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let connecting = TcpStream::connect((bare, port));
        let plain = timeout(limit, connecting).await.map_err(|_| slow("connect"))?.map_err(|e| {
            let e2 = Error::io("connect", &e);
            // A name that does not resolve has no code of the operating system.
            if e.raw_os_error().is_none() {
                return Error::new(ErrorKind::NameResolution, format!("the camera's name does not resolve: {e}"))
                    .next("check the host name, or give the camera's IP address");
            }
            e2
        })?;
        plain.set_nodelay(true).map_err(|e| Error::io("connect", &e))?;

        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::new(ErrorKind::Config, "the camera's host is neither a name nor an address"))?;
        let verifier = Arc::new(CameraVerifier::new(policy)?);
        let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::new(ErrorKind::Internal, format!("TLS: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, plain);
        let mut tls = match timeout(limit, handshake).await {
            Err(_) => return Err(slow("TLS handshake")),
            Ok(Err(e)) => return Err(verifier.explain(policy, &e)),
            Ok(Ok(t)) => t,
        };

        let io = |e: std::io::Error| Error::io("open the TLS relay", &e);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(io)?;
        let port = listener.local_addr().map_err(io)?.port();
        let task = tokio::spawn(async move {
            let Ok(Ok((mut caller, _))) = timeout(CALL, listener.accept()).await else { return };
            drop(listener); // one caller only
            let _ = caller.set_nodelay(true);
            if let Err(e) = copy_bidirectional(&mut caller, &mut tls).await {
                tracing::debug!(error = %e, "the TLS connection to a camera broke");
            }
            let _ = tls.shutdown().await;
        });
        Ok(Self { port, task: task.abort_handle() })
    }

    /// The loopback port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Judges a camera's certificate by the policy, and remembers its fingerprint for the error.
#[derive(Debug)]
struct CameraVerifier {
    web: Option<Arc<WebPkiServerVerifier>>,
    pin: Option<[u8; 32]>,
    provider: CryptoProvider,
    seen: Mutex<Option<[u8; 32]>>,
}

impl CameraVerifier {
    fn new(policy: &TlsPolicy) -> Result<Self> {
        let provider = provider::default_provider();
        let mut roots = RootCertStore::empty();
        match policy {
            TlsPolicy::Verify => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            TlsPolicy::Authorities(list) => {
                for der in list {
                    roots.add(CertificateDer::from(der.clone())).map_err(|e| {
                        Error::new(ErrorKind::Config, format!("a certificate authority does not parse: {e}"))
                            .next("give it as a DER file")
                    })?;
                }
            }
            TlsPolicy::Pin(_) | TlsPolicy::Insecure => {}
        }
        let web = match policy {
            TlsPolicy::Verify | TlsPolicy::Authorities(_) => {
                let built =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(provider.clone())).build();
                Some(built.map_err(|e| Error::new(ErrorKind::Config, format!("no certificate authority: {e}")))?)
            }
            TlsPolicy::Pin(_) | TlsPolicy::Insecure => None,
        };
        let pin = if let TlsPolicy::Pin(p) = policy { Some(*p) } else { None };
        Ok(Self { web, pin, provider, seen: Mutex::new(None) })
    }

    fn explain(&self, policy: &TlsPolicy, e: &std::io::Error) -> Error {
        let seen = *lock(&self.seen);
        let Some(seen) = seen.map(fingerprint) else {
            let kind = match Error::io("TLS", e).kind() {
                ErrorKind::Io => ErrorKind::Tls,
                other => other,
            };
            return Error::new(kind, format!("no TLS connection: {e}"))
                .next("check that this port of the camera speaks TLS; rtsp:// is without");
        };
        match policy {
            TlsPolicy::Pin(_) => {
                Error::new(ErrorKind::Tls, format!("the camera shows another certificate than the pinned one: {seen}"))
                    .next("if you changed it, pin this one; if not, somebody may stand in between")
            }
            _ => Error::new(ErrorKind::Tls, format!("the camera's certificate is not trusted: {e}"))
                .next(format!("if it is your camera's own, pin it by its SHA-256 {seen}")),
        }
    }
}

fn fingerprint(sha: [u8; 32]) -> String {
    sha.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join(":")
}

impl ServerCertVerifier for CameraVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut sha = [0u8; 32];
        sha.copy_from_slice(digest(&SHA256, end_entity).as_ref());
        *lock(&self.seen) = Some(sha);
        match (&self.web, self.pin) {
            (Some(web), _) => web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            (None, Some(pin)) if pin != sha => Err(rustls::Error::General("not the pinned certificate".into())),
            (None, _) => Ok(ServerCertVerified::assertion()),
        }
    }
    // Whoever shows a certificate must hold its key, whatever the policy.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
