//! A simulated camera's side of WS-Discovery, on the loopback interface: it answers Probes to the group, to 127.0.0.1, and to
//! ::1 where the machine has it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use crate::onvif::xml::{Element, escape};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);

/// A responder. Dropping it closes its sockets.
#[derive(Debug)]
pub struct DiscoverySim {
    _tasks: JoinSet<()>,
    port: u16,
    has_ipv6: bool,
}

impl DiscoverySim {
    /// Answers in the name of the camera at `address` (its device service). Port 3702 is the real one; 0 takes a free one.
    ///
    /// # Errors
    /// The sockets cannot be bound, or the group not be joined.
    pub async fn start(port: u16, endpoint: &str, name: &str, address: SocketAddr) -> io::Result<Self> {
        let own = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = own.local_addr()?.port();
        // Bound to the group itself, so that nothing from another network reaches it.
        let six = UdpSocket::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        let group = UdpSocket::bind((GROUP, port)).await?;
        group.join_multicast_v4(GROUP, Ipv4Addr::LOCALHOST)?;
        let scope = |kind: &str, v: &str| format!("onvif://www.onvif.org/{kind}/{}", v.replace(' ', "%20"));
        let matches = format!(
            "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>{}</a:Address></a:EndpointReference>\
             <d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{} {} onvif://www.onvif.org/type/ptz</d:Scopes>\
             <d:XAddrs>http://{address}/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>\
             </d:ProbeMatch></d:ProbeMatches>",
            escape(endpoint),
            escape(&scope("name", name)),
            escape(&scope("hardware", "Simulated PTZ")),
        );
        let mut tasks = JoinSet::new();
        let has_ipv6 = six.is_some();
        for socket in [own, group].into_iter().chain(six) {
            tasks.spawn(serve(socket, matches.clone()));
        }
        Ok(Self { _tasks: tasks, port, has_ipv6 })
    }
    /// Whether it answers at ::1, too.
    pub fn has_ipv6(&self) -> bool {
        self.has_ipv6
    }
    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn serve(socket: UdpSocket, matches: String) {
    let mut buffer = vec![0u8; 65_536];
    while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
        if let Some(answer) = answer(&buffer[..n], &matches) {
            // From another socket than the group's: nobody may answer from a group's address.
            let own: IpAddr = if from.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
            if let Ok(out) = UdpSocket::bind((own, 0)).await {
                let _ = out.send_to(answer.as_bytes(), from).await;
            }
        }
    }
}

/// The answer to a Probe for ONVIF devices, or for all.
fn answer(datagram: &[u8], matches: &str) -> Option<String> {
    let probe = Element::parse(datagram).ok()?;
    let types = probe.at(&["Body", "Probe"])?.text_at(&["Types"]).unwrap_or_default();
    let wanted = types.is_empty() || types.contains("NetworkVideoTransmitter") || types.contains("Device");
    let id = probe.text_at(&["Header", "MessageID"]).filter(|_| wanted)?;
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header><a:MessageID>{}-answer</a:MessageID>\
         <a:RelatesTo>{0}</a:RelatesTo><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>\
         <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>\
         <s:Body>{matches}</s:Body></s:Envelope>",
        escape(id)
    ))
}
