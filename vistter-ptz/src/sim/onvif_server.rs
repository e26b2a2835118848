//! The ONVIF camera on a loopback socket, and what else may answer at such a port.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use vistter_core::clock::Clock;
use vistter_core::time::MediaTime;

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
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State { device, trouble: Trouble::None }));
        let timer = Timer::new();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                if connections.len() < MOST_CONNECTIONS {
                    connections.spawn(serve(shared.clone(), stream, timer, clock.clone(), address));
                }
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

async fn serve(state: Arc<Mutex<State>>, mut stream: TcpStream, timer: Timer, clock: Arc<dyn Clock>, at: SocketAddr) {
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
        if stream.write_all(&bytes).await.is_err() || trouble != Trouble::None {
            return;
        }
    }
}

async fn receive(stream: &mut TcpStream) -> io::Result<Option<Message>> {
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
