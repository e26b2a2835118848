//! The sockets of a search: one for each interface, and one for the addresses that were named.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::message::{Found, probe};
use super::search::{Ask, MOST_ADDRESSES, Search};
use crate::timer::Timer;

/// The groups of WS-Discovery.
const GROUPS: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(239, 255, 255, 250), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xc));
/// The groups of mDNS (RFC 6762 §3).
const MDNS_GROUPS: (Ipv4Addr, Ipv6Addr) =
    (Ipv4Addr::new(224, 0, 0, 251), Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb));
/// The port of WS-Discovery.
const PORT: u16 = 3702;
/// The port of mDNS.
const MDNS_PORT: u16 = 5353;
/// Answers that wait to be read; more are dropped, as the network would.
const MOST_WAITING: usize = 256;

/// An interface of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The one that has this address.
    V4(Ipv4Addr),
    /// The one of this index, for IPv6.
    V6(u32),
}

/// What to search.
#[derive(Clone, Debug)]
pub struct DiscoverOptions {
    /// Interfaces on which the groups are asked; see [`interfaces`].
    pub interfaces: Vec<Interface>,
    /// Addresses that are asked one by one, for networks that carry no multicast. At most [`MOST_ADDRESSES`].
    pub addresses: Vec<IpAddr>,
    /// How long.
    pub length: MediaTime,
    /// The devices' port, 3702 everywhere but in tests.
    pub port: u16,
    /// Their port of mDNS, 5353 everywhere but in tests.
    pub mdns_port: u16,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        let length = MediaTime::from_secs(4);
        Self { interfaces: Vec::new(), addresses: Vec::new(), length, port: PORT, mdns_port: MDNS_PORT }
    }
}

/// This machine's interfaces, loopback left out: each of its IPv4 addresses, and each interface with an IPv6 one.
///
/// # Errors
/// The system does not tell.
pub fn interfaces() -> Result<Vec<Interface>> {
    let all = if_addrs::get_if_addrs().map_err(|e| Error::io("list the network interfaces", &e))?;
    let mut out = Vec::new();
    for i in all.into_iter().filter(|i| !i.is_loopback()) {
        let one = match i.ip() {
            IpAddr::V4(a) => Some(Interface::V4(a)),
            IpAddr::V6(_) => i.index.map(Interface::V6),
        };
        out.extend(one.filter(|o| !out.contains(o)));
    }
    Ok(out)
}

/// A search that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Discovery {
    search: Search,
    timer: Timer,
    groups: Vec<(Interface, Arc<UdpSocket>)>,
    /// For addresses: IPv4, IPv6.
    direct: (Option<Arc<UdpSocket>>, Option<Arc<UdpSocket>>),
    options: DiscoverOptions,
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
    pub async fn start(mut options: DiscoverOptions) -> Result<Self> {
        if options.interfaces.is_empty() && options.addresses.is_empty() {
            let e = Error::new(ErrorKind::Config, "there is no network interface to search");
            return Err(e.next("connect the network, or name the addresses to ask"));
        }
        let (mut groups, mut failed) = (Vec::new(), None);
        for own in &options.interfaces {
            match on_interface(*own).await {
                Ok(s) => groups.push((*own, Arc::new(s))),
                Err(e) => failed = Some(e), // it went down meanwhile: the others are asked
            }
        }
        if groups.is_empty() && options.addresses.is_empty() {
            let e = failed.unwrap_or_else(|| io::ErrorKind::NotFound.into());
            return Err(Error::io("search the network", &e));
        }
        options.addresses.truncate(MOST_ADDRESSES);
        let open = async |wanted: bool, any: &str| match wanted {
            true => UdpSocket::bind(any).await.map(|s| Some(Arc::new(s))),
            false => Ok(None),
        };
        let fail = |e: io::Error| Error::io("search the network", &e);
        let four = open(options.addresses.iter().any(IpAddr::is_ipv4), "0.0.0.0:0").await.map_err(fail)?;
        let six = open(options.addresses.iter().any(IpAddr::is_ipv6), "[::]:0").await.map_err(fail)?;
        let (send, answers) = mpsc::channel(MOST_WAITING);
        let mut readers = JoinSet::new();
        for s in groups.iter().map(|(_, s)| s).chain(&four).chain(&six) {
            readers.spawn(read(s.clone(), send.clone()));
        }
        let timer = Timer::new();
        let search = Search::new(timer.now(), options.length, groups.len(), options.addresses.len());
        let probe = probe(&uuid()?);
        let direct = (four, six);
        Ok(Self { search, timer, groups, direct, options, probe, answers, _readers: readers, news: Vec::new() })
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
                Some(datagram) = self.answers.recv() => self.news = self.search.answer(self.timer.now(), &datagram),
                () = self.timer.until(Some(self.search.next_deadline())) => {}
            }
        }
    }
    /// Every device found so far, each once.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        self.search.found()
    }

    /// A datagram that cannot be sent is one that is lost.
    async fn ask(&self, target: Ask) {
        let DiscoverOptions { port, mdns_port, addresses, .. } = &self.options;
        let probe = self.probe.as_bytes();
        let _ = match target {
            Ask::Group(i) => match self.groups.get(i) {
                Some((on, socket)) => socket.send_to(probe, of_group(*on, GROUPS, *port)).await,
                None => return,
            },
            Ask::Mdns(i) => match self.groups.get(i) {
                Some((on, socket)) => {
                    socket.send_to(&self.search.question(), of_group(*on, MDNS_GROUPS, *mdns_port)).await
                }
                None => return,
            },
            Ask::Address(i) => {
                let Some(to) = addresses.get(i) else { return };
                let socket = if to.is_ipv4() { &self.direct.0 } else { &self.direct.1 };
                match socket {
                    Some(socket) => socket.send_to(probe, (*to, *port)).await,
                    None => return,
                }
            }
        };
    }
}

fn of_group(on: Interface, (four, six): (Ipv4Addr, Ipv6Addr), port: u16) -> SocketAddr {
    match on {
        Interface::V4(_) => (four, port).into(),
        Interface::V6(index) => SocketAddrV6::new(six, port, 0, index).into(),
    }
}

async fn on_interface(own: Interface) -> io::Result<UdpSocket> {
    match own {
        Interface::V4(own) => {
            let socket = UdpSocket::bind((own, 0)).await?;
            // The address it is bound to does not say where multicast goes out.
            SockRef::from(&socket).set_multicast_if_v4(&own)?;
            socket.set_multicast_ttl_v4(1)?;
            Ok(socket)
        }
        Interface::V6(index) => {
            let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).await?;
            let raw = SockRef::from(&socket);
            raw.set_multicast_if_v6(index)?;
            raw.set_multicast_hops_v6(1)?;
            Ok(socket)
        }
    }
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
