//! `rtsps://`: retina speaks plain RTSP to a loopback port, and a task carries the bytes over TLS to the camera.
//!
//! The bytes are not changed. The camera sees the loopback port as host in the request line and in the Digest `uri`,
//! the two agreeing with each other: cameras look at the path only, and a rewritten request line would break the Digest
//! of strict ones (RFC 2617 §3.2.2.5). Absolute addresses in the camera's answers need no change either, because retina
//! never connects a second time while it plays.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::error::{Error, ErrorKind, Result};
use crate::tls::{Fingerprint, Handshake, TlsPolicy, handshake};

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

        let shaken = timeout(limit, handshake(policy, host, plain)).await.map_err(|_| slow("TLS handshake"))??;
        let mut tls = match shaken {
            Handshake { result: Ok(stream), .. } => stream,
            Handshake { result: Err(e), shown } => return Err(explain(policy, shown, &e)),
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

/// Why there is no connection, and what to do about the certificate.
fn explain(policy: &TlsPolicy, shown: Option<Fingerprint>, e: &std::io::Error) -> Error {
    let Some(shown) = shown else {
        let kind = match Error::io("TLS", e).kind() {
            ErrorKind::Io => ErrorKind::Tls,
            other => other,
        };
        return Error::new(kind, format!("no TLS connection: {e}"))
            .next("check that this port of the camera speaks TLS; rtsp:// is without");
    };
    match policy {
        TlsPolicy::Pin(pin) if *pin != shown => Error::new(
            ErrorKind::Tls,
            format!("the camera shows another certificate than the pinned one: pinned is {pin}, shown is {shown}"),
        )
        .next("if you changed it, pin this one; if not, somebody may stand in between"),
        TlsPolicy::Pin(_) | TlsPolicy::Insecure => Error::new(ErrorKind::Tls, format!("no TLS connection: {e}"))
            .next("the certificate is the right one; restart the camera, or use its rtsp:// address"),
        _ => Error::new(ErrorKind::Tls, format!("the camera's certificate is not trusted: {e}"))
            .next(format!("if it is your camera's own, pin it (\"tls_pin\", --pin) by its SHA-256 {shown}")),
    }
}
