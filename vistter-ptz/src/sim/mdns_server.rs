//! A simulated camera's side of mDNS, on the loopback interface: it answers questions for `_rtsp._tcp` to the group and to
//! 127.0.0.1.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::discovery::dns::{kind, questions, same, write_name};

const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);

/// A responder. Dropping it closes its sockets.
#[derive(Debug)]
pub struct MdnsSim {
    _tasks: JoinSet<()>,
    port: u16,
}

impl MdnsSim {
    /// Announces the stream of a camera: its name, where its RTSP server is, and the path. Port 5353 is the real one; 0 takes a
    /// free one. `whole` puts host and address into the same answer, as most cameras do; else they must be asked for.
    ///
    /// # Errors
    /// The sockets cannot be bound, or the group not be joined.
    pub async fn start(port: u16, name: &str, camera: SocketAddr, path: &str, whole: bool) -> io::Result<Self> {
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = own.local_addr()?.port();
        // Bound to the group itself, so that nothing from another network reaches it.
        let group = UdpSocket::bind((GROUP, port)).await?;
        group.join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST)?;
        let mut tasks = JoinSet::new();
        for socket in [own, group] {
            let camera = Camera { name: name.to_owned(), at: camera, path: path.to_owned(), whole };
            tasks.spawn(serve(socket, camera));
        }
        Ok(Self { _tasks: tasks, port })
    }
    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

struct Camera {
    name: String,
    at: SocketAddr,
    path: String,
    whole: bool,
}

async fn serve(socket: UdpSocket, camera: Camera) {
    let mut buffer = vec![0u8; 9000];
    while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
        if let Some(answer) = camera.answer(&buffer[..n]) {
            // From another socket than the group's: nobody may answer from a group's address.
            if let Ok(out) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await {
                let _ = out.send_to(&answer, from).await;
            }
        }
    }
}

impl Camera {
    fn answer(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let labels = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let service = labels(&["_rtsp", "_tcp", "local"]);
        let mut instance = vec![self.name.clone()];
        instance.extend(service.clone());
        let host = labels(&["camera", "local"]);
        let asked = questions(datagram);
        let wants = |name: &[String], of: u16| asked.iter().any(|(n, k)| *k == of && same(n, name));
        let named = |name: &[String]| {
            let mut out = Vec::new();
            write_name(&mut out, name);
            out
        };
        let mut records = Vec::new();
        if wants(&service, kind::PTR) {
            records.push((service.clone(), kind::PTR, named(&instance)));
        }
        if wants(&instance, kind::SRV) || (self.whole && !records.is_empty()) {
            let [high, low] = self.at.port().to_be_bytes();
            let srv = [vec![0, 0, 0, 0, high, low], named(&host)].concat();
            let text = format!("path=/{}", self.path);
            let txt = [vec![u8::try_from(text.len()).ok()?], text.into_bytes()].concat();
            records.extend([(instance.clone(), kind::SRV, srv), (instance, kind::TXT, txt)]);
        }
        if (wants(&host, kind::A) || (self.whole && !records.is_empty()))
            && let SocketAddr::V4(a) = self.at
        {
            records.push((host, kind::A, a.ip().octets().to_vec()));
        }
        if records.is_empty() {
            return None;
        }
        let mut out = vec![0, 0, 0x84, 0, 0, 0, 0, u8::try_from(records.len()).ok()?, 0, 0, 0, 0];
        for (name, kind, data) in records {
            out.extend(named(&name));
            out.extend(kind.to_be_bytes());
            out.extend([0x80, 1, 0, 0, 0, 10]);
            out.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            out.extend(data);
        }
        Some(out)
    }
}
