//! The VISCA camera on a loopback socket.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::visca_device::{Peer, ViscaDevice};
use crate::timer::Timer;
use crate::visca::connection::Framing;
use crate::visca::frame::Splitter;

/// TCP connections served at once; one more is closed on arrival.
const MOST_CONNECTIONS: u32 = 8;

const MOST_MAIL: usize = 64;

#[derive(Debug)]
struct Shared {
    device: Mutex<ViscaDevice>,
    timer: Timer,
    /// What a TCP connection has to send, by peer. Bounded by what one poll can give (a reply per socket).
    mail: Mutex<Vec<(Peer, Vec<u8>)>>,
    changed: Notify,
    hang_up: Notify,
}

/// A simulated camera that answers on `127.0.0.1`. Dropping it closes its socket.
#[derive(Debug)]
pub struct ViscaSim {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl ViscaSim {
    /// Starts a camera on a free loopback port.
    ///
    /// # Errors
    /// The socket cannot be bound.
    pub async fn start(framing: Framing, device: ViscaDevice) -> io::Result<Self> {
        let (timer, mail) = (Timer::new(), Mutex::default());
        let (changed, hang_up) = (Notify::new(), Notify::new());
        let shared = Arc::new(Shared { device: Mutex::new(device), timer, mail, changed, hang_up });
        let (address, task) = match framing {
            Framing::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").await?;
                (socket.local_addr()?, tokio::spawn(udp(shared.clone(), socket)))
            }
            Framing::Tcp => {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                (listener.local_addr()?, tokio::spawn(tcp(shared.clone(), listener)))
            }
        };
        Ok(Self { shared, address, task })
    }
    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Closes every TCP connection.
    pub fn hang_up(&self) {
        self.shared.hang_up.notify_waiters();
    }
    /// Looks at the camera or changes it behind the controller's back.
    pub fn with<T>(&self, f: impl FnOnce(&mut ViscaDevice, vistter_core::time::MediaTime) -> T) -> T {
        let t = f(&mut lock(&self.shared.device), self.shared.timer.now());
        self.shared.changed.notify_waiters();
        t
    }
}

impl Drop for ViscaSim {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn udp(shared: Arc<Shared>, socket: UdpSocket) {
    let mut peers: Vec<SocketAddr> = Vec::new();
    let mut buffer = [0u8; 64];
    loop {
        let deadline = lock(&shared.device).next_deadline();
        let mut sends = Vec::new();
        tokio::select! {
            got = socket.recv_from(&mut buffer) => {
                let Ok((n, from)) = got else { continue };
                let peer = peers.iter().position(|p| *p == from).unwrap_or_else(|| {
                    if peers.len() >= MOST_CONNECTIONS as usize {
                        peers.clear();
                    }
                    peers.push(from);
                    peers.len() - 1
                });
                lock(&shared.device).datagram(shared.timer.now(), peer as Peer, &buffer[..n], &mut |p, b| sends.push((p, b)));
            }
            () = shared.timer.until(deadline) => {
                lock(&shared.device).poll(shared.timer.now(), &mut |p, b| sends.push((p, b)));
            }
            () = shared.changed.notified() => {}
        }
        for (peer, bytes) in sends {
            if let Some(to) = peers.get(peer as usize) {
                let _ = socket.send_to(&bytes, to).await;
            }
        }
    }
}

async fn tcp(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections: tokio::task::JoinSet<()> = tokio::task::JoinSet::new();
    let mut next: Peer = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        while connections.try_join_next().is_some() {}
        if connections.len() < MOST_CONNECTIONS as usize {
            next += 1;
            connections.spawn(connection(shared.clone(), stream, next));
        }
    }
}

async fn connection(shared: Arc<Shared>, mut stream: TcpStream, me: Peer) {
    let mut splitter = Splitter::default();
    let mut buffer = [0u8; 256];
    loop {
        let changed = shared.changed.notified();
        let mine: Vec<u8> = {
            let mut mail = lock(&shared.mail);
            if mail.len() > MOST_MAIL {
                mail.clear(); // completions for connections that are gone
            }
            let (mine, rest) = mail.drain(..).partition(|(p, _)| *p == me);
            *mail = rest;
            Vec::into_iter(mine).flat_map(|(_, b): (Peer, Vec<u8>)| b).collect()
        };
        if !mine.is_empty() && stream.write_all(&mine).await.is_err() {
            break;
        }
        let deadline = lock(&shared.device).next_deadline();
        tokio::select! {
            ready = stream.readable() => {
                let n = match ready.and_then(|()| stream.try_read(&mut buffer)) {
                    Ok(0) => break,
                    Ok(n) => n,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_) => break,
                };
                let now = shared.timer.now();
                let (mut device, mut mail) = (lock(&shared.device), lock(&shared.mail));
                splitter.push(&buffer[..n], &mut |m| device.message(now, me, m, &mut |p, b| mail.push((p, b))));
            }
            () = shared.timer.until(deadline) => {
                let (mut device, mut mail) = (lock(&shared.device), lock(&shared.mail));
                device.poll(shared.timer.now(), &mut |p, b| mail.push((p, b)));
            }
            () = changed => continue,
            () = shared.hang_up.notified() => break,
        }
        shared.changed.notify_waiters();
    }
    // What is left for a connection that is gone would stay for ever.
    lock(&shared.mail).retain(|(p, _)| *p != me);
}
