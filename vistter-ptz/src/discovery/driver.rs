//! The sockets of a search: one for each interface, one for the addresses that were named.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::message::{Found, probe};
use super::search::{MOST_ADDRESSES, Search};
use crate::timer::Timer;

/// The group and port of WS-Discovery.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);
/// The port of WS-Discovery.
const PORT: u16 = 3702;
/// Answers that wait to be read; more are dropped, as the network would.
const MOST_WAITING: usize = 256;

/// What to search.
#[derive(Clone, Debug)]
pub struct DiscoverOptions {
    /// Own addresses of the interfaces on which the group is asked; see [`interfaces`].
    pub interfaces: Vec<Ipv4Addr>,
    /// Addresses that are asked one by one, for networks that carry no multicast. At most [`MOST_ADDRESSES`].
    pub addresses: Vec<Ipv4Addr>,
    /// How long.
    pub length: MediaTime,
    /// The devices' port, 3702 everywhere but in tests.
    pub port: u16,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self { interfaces: Vec::new(), addresses: Vec::new(), length: MediaTime::from_secs(4), port: PORT }
    }
}

/// The IPv4 addresses of this machine's interfaces, loopback left out.
///
/// # Errors
/// The system does not tell.
pub fn interfaces() -> Result<Vec<Ipv4Addr>> {
    let all = if_addrs::get_if_addrs().map_err(|e| Error::io("list the network interfaces", &e))?;
    let v4 = |i: if_addrs::Interface| match i.ip() {
        std::net::IpAddr::V4(a) if !a.is_loopback() => Some(a),
        _ => None,
    };
    Ok(all.into_iter().filter_map(v4).collect())
}

/// A search that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Discovery {
    search: Search,
    timer: Timer,
    sockets: Vec<Arc<UdpSocket>>,
    addresses: Vec<Ipv4Addr>,
    port: u16,
    probe: String,
    answers: mpsc::Receiver<Vec<u8>>,
    _readers: JoinSet<()>,
    news: Vec<Found>,
}

impl Discovery {
    /// Opens the sockets and begins.
    ///
    /// # Errors
    /// There is nothing to ask, or no interface can be asked.
    pub async fn start(options: DiscoverOptions) -> Result<Self> {
        if options.interfaces.is_empty() && options.addresses.is_empty() {
            let e = Error::new(ErrorKind::Config, "there is no network interface to search");
            return Err(e.next("connect the network, or name the addresses to ask"));
        }
        let (mut sockets, mut failed) = (Vec::new(), None);
        for own in &options.interfaces {
            match on_interface(*own).await {
                Ok(s) => sockets.push(Arc::new(s)),
                Err(e) => failed = Some(e), // it went down meanwhile: the others are asked
            }
        }
        let asked = sockets.len();
        if asked == 0 && options.addresses.is_empty() {
            let e = failed.unwrap_or_else(|| io::ErrorKind::NotFound.into());
            return Err(Error::io("search the network", &e));
        }
        let mut addresses = options.addresses;
        addresses.truncate(MOST_ADDRESSES);
        if !addresses.is_empty() {
            let s = UdpSocket::bind("0.0.0.0:0").await.map_err(|e| Error::io("search the network", &e))?;
            sockets.push(Arc::new(s));
        }
        let (send, answers) = mpsc::channel(MOST_WAITING);
        let mut readers = JoinSet::new();
        for s in &sockets {
            readers.spawn(read(s.clone(), send.clone()));
        }
        let timer = Timer::new();
        let search = Search::new(timer.now(), options.length, asked, addresses.len());
        let probe = probe(&uuid()?);
        let port = options.port;
        Ok(Self { search, timer, sockets, addresses, port, probe, answers, _readers: readers, news: Vec::new() })
    }

    /// The next device that is new or has a new address; `None` when the time is up.
    pub async fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(f) = self.news.pop() {
                return Some(f);
            }
            let now = self.timer.now();
            if self.search.is_over(now) {
                return None;
            }
            while let Some(target) = self.search.ask(now) {
                self.ask(target).await;
            }
            tokio::select! {
                Some(datagram) = self.answers.recv() => self.news = self.search.answer(&datagram),
                () = self.timer.until(Some(self.search.next_deadline())) => {}
            }
        }
    }

    /// A datagram that cannot be sent is one that is lost.
    async fn ask(&self, target: usize) {
        let groups = self.sockets.len() - usize::from(!self.addresses.is_empty());
        let to = match target.checked_sub(groups) {
            None => Some((target, GROUP)),
            Some(i) => self.addresses.get(i).map(|a| (groups, *a)),
        };
        let Some((socket, address)) = to.and_then(|(i, a)| Some((self.sockets.get(i)?, a))) else { return };
        let _ = socket.send_to(self.probe.as_bytes(), SocketAddr::V4(SocketAddrV4::new(address, self.port))).await;
    }
}

async fn on_interface(own: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((own, 0)).await?;
    // The address it is bound to does not say where multicast goes out.
    SockRef::from(&socket).set_multicast_if_v4(&own)?;
    socket.set_multicast_ttl_v4(1)?;
    Ok(socket)
}

async fn read(socket: Arc<UdpSocket>, answers: mpsc::Sender<Vec<u8>>) {
    let mut buffer = vec![0u8; 65_536];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((n, _)) => drop(answers.try_send(buffer[..n].to_vec())),
            // ICMP of an address where nobody listens.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => return,
        }
    }
}

fn uuid() -> Result<String> {
    let mut b = [0u8; 16];
    SystemRandom::new()
        .fill(&mut b)
        .map_err(|_| Error::new(ErrorKind::Internal, "the system gives no random numbers"))?;
    // RFC 9562 §5.4.
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}
