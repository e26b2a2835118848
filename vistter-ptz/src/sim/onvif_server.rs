//! The ONVIF camera on a loopback socket, and what else may answer at such a port.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use vistter_core::clock::Clock;
use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::onvif_device::OnvifDevice;
use crate::onvif::http::{Message, Parser};
use crate::timer::Timer;

/// What answers at the port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// The camera.
    #[default]
    None,
    /// A web page.
    Html,
    /// XML without end, until so many bytes were sent.
    Huge(usize),
    /// Nothing: the connection is taken, and no word said.
    Silent,
    /// An RTSP server.
    Rtsp,
    /// The connection is closed in the middle of the answer.
    Cut,
}

#[derive(Debug)]
struct State {
    device: OnvifDevice,
    trouble: Trouble,
}

/// A certificate and its private key.
#[derive(Clone, Debug)]
pub struct TlsIdentity(Arc<ServerConfig>);

impl TlsIdentity {
    /// From PEM text.
    ///
    /// # Errors
    /// It is none, or the two do not belong together.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self> {
        let bad = |e: &dyn std::fmt::Display| Error::new(ErrorKind::Config, format!("certificate or key: {e}"));
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().map_err(|e| bad(&e))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| bad(&e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|e| bad(&e))?.with_no_client_auth().with_single_cert(chain, key);
        Ok(Self(Arc::new(config.map_err(|e| bad(&e))?)))
    }
}

/// A simulated camera that answers on `127.0.0.1`. Dropping it closes its socket.
#[derive(Debug)]
pub struct OnvifSim {
    state: Arc<Mutex<State>>,
    timer: Timer,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Connections served at once.
const MOST_CONNECTIONS: usize = 64;
/// Largest request.
const MOST_REQUEST: usize = 64 * 1024;

impl OnvifSim {
    /// Starts a camera on a loopback port; 0 for a free one. `clock` is the true wall-clock.
    ///
    /// # Errors
    /// The socket cannot be bound.
    pub async fn start(device: OnvifDevice, port: u16, clock: Arc<dyn Clock>) -> io::Result<Self> {
        Self::start_with(device, port, clock, None).await
    }
    /// The same, over TLS.
    ///
    /// # Errors
    /// The socket cannot be bound.
    pub async fn start_tls(
        device: OnvifDevice,
        port: u16,
        clock: Arc<dyn Clock>,
        identity: TlsIdentity,
    ) -> io::Result<Self> {
        Self::start_with(device, port, clock, Some(TlsAcceptor::from(identity.0))).await
    }

    async fn start_with(
        device: OnvifDevice,
        port: u16,
        clock: Arc<dyn Clock>,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { device, trouble: Trouble::None }));
        let timer = Timer::new();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                if connections.len() >= MOST_CONNECTIONS {
                    continue;
                }
                let (shared, clock, tls) = (shared.clone(), clock.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(shared, stream, timer, clock, address).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(shared, stream, timer, clock, address).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { state, timer, address, task })
    }
    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// What answers at the port from now on.
    pub fn trouble(&self, trouble: Trouble) {
        lock(&self.state).trouble = trouble;
    }
    /// Tells where the camera looks at the moment of each call; for the picture of a simulated camera.
    pub fn eye(&self) -> impl Fn() -> PtzPosition + Send + Sync + 'static {
        let (state, timer) = (self.state.clone(), self.timer);
        move || lock(&state).device.look(timer.now())
    }
    /// Looks at the camera or changes it behind the controller's back.
    pub fn with<T>(&self, f: impl FnOnce(&mut OnvifDevice, MediaTime) -> T) -> T {
        f(&mut lock(&self.state).device, self.timer.now())
    }
}

impl Drop for OnvifSim {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    state: Arc<Mutex<State>>,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    timer: Timer,
    clock: Arc<dyn Clock>,
    at: SocketAddr,
) {
    // A broken connection is the end of it, whatever broke it.
    while let Ok(Some(request)) = receive(&mut stream).await {
        let (trouble, reply) = {
            let mut s = lock(&state);
            (s.trouble, s.device.answer(timer.now(), clock.wall(), &at.to_string(), &request))
        };
        let (head, body) = match trouble {
            Trouble::None | Trouble::Cut => {
                let (status, challenge, body) = reply;
                let challenge = challenge.map(|c| format!("WWW-Authenticate: {c}\r\n")).unwrap_or_default();
                let kind = "application/soap+xml; charset=utf-8";
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n{challenge}Content-Length: {}\r\n\r\n",
                    body.len()
                );
                (head, body)
            }
            Trouble::Html => {
                let body = "<!DOCTYPE html><html><body>Welcome<br></body></html>".to_owned();
                (format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", body.len()), body)
            }
            Trouble::Huge(n) => ("HTTP/1.1 200 OK\r\n\r\n<a>".to_owned(), "<b>x</b>".repeat(n / 8)),
            Trouble::Rtsp => ("RTSP/1.0 400 Bad Request\r\n\r\n".to_owned(), String::new()),
            Trouble::Silent => return std::future::pending().await,
        };
        let mut bytes = (head + &body).into_bytes();
        if trouble == Trouble::Cut {
            bytes.truncate(bytes.len() / 2);
        }
        let sent = async { stream.write_all(&bytes).await.and(stream.flush().await) };
        if sent.await.is_err() || trouble != Trouble::None {
            return;
        }
    }
}

async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
    let mut parser = Parser::request(MOST_REQUEST);
    let mut buffer = [0u8; 4096];
    loop {
        let n = stream.read(&mut buffer).await?;
        match parser.push(&buffer[..n]) {
            Ok(Some(m)) => return Ok(Some(m)),
            Ok(None) if n > 0 => {}
            _ => return Ok(None),
        }
    }
}
