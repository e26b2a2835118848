//! TCP and TLS to a server, each step with its own time-out and its own error.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use vistter_core::{Error, ErrorKind, Result};

use crate::target::RtmpTarget;

/// A connection, with or without TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// For tests with a paused clock, which real sockets do not mix with.
    #[cfg(test)]
    Memory(tokio::io::DuplexStream),
}

/// How long each step may take, and how much the kernel may buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial {
    pub resolve: Duration,
    pub connect: Duration,
    pub tls: Duration,
    pub send_buffer: u32,
}

/// Resolves, connects and, for rtmps, secures.
pub(crate) async fn dial(target: &RtmpTarget, tls: &Arc<ClientConfig>, dial: Dial) -> Result<Stream> {
    let tcp = connect(target, dial).await.map_err(|e| e.at(target.shown()))?;
    if !target.tls() {
        return Ok(Stream::Plain(tcp));
    }
    secure(target, tls, tcp, dial.tls).await.map_err(|e| e.at(target.shown()))
}

async fn connect(target: &RtmpTarget, dial: Dial) -> Result<TcpStream> {
    let unresolved = |why: String| {
        Error::new(ErrorKind::NameResolution, format!("the name {} does not resolve: {why}", target.host()))
            .next("check the address and this machine's DNS")
    };
    let addresses: Vec<_> = match timeout(dial.resolve, tokio::net::lookup_host((target.host(), target.port()))).await {
        Err(_) => return Err(unresolved(format!("no answer in {} s", dial.resolve.as_secs_f32()))),
        Ok(Err(e)) => return Err(unresolved(e.to_string())),
        Ok(Ok(all)) => all.take(8).collect(),
    };
    let mut last = unresolved("it has no address".into());
    // One after the other; the time is shared, so that a dead first address leaves some for the second.
    let share = dial.connect / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    for a in addresses {
        let socket = if a.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = match socket {
            Ok(s) => s,
            Err(e) => {
                last = Error::io("open a socket", &e);
                continue;
            }
        };
        // The kernel would take megabytes that a stalled server never reads, and hide the stall for as long.
        let _ = socket.set_send_buffer_size(dial.send_buffer);
        match timeout(share, socket.connect(a)).await {
            Ok(Ok(tcp)) => {
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Ok(Err(e)) => last = Error::io(&format!("connect to {a}"), &e),
            Err(_) => {
                last = Error::new(ErrorKind::Timeout, format!("{a} did not answer in {} s", share.as_secs_f32()))
                    .next("check the address, and that a firewall lets this port out");
            }
        }
    }
    Err(last)
}

async fn secure(target: &RtmpTarget, tls: &Arc<ClientConfig>, tcp: TcpStream, limit: Duration) -> Result<Stream> {
    let name = ServerName::try_from(target.host().to_owned())
        .map_err(|_| Error::new(ErrorKind::Config, format!("{} is not a host name TLS can check", target.host())))?;
    match timeout(limit, TlsConnector::from(tls.clone()).connect(name, tcp)).await {
        Ok(Ok(s)) => Ok(Stream::Tls(Box::new(s))),
        Ok(Err(e)) => Err(tls_fault(target, &e)),
        Err(_) => Err(Error::new(ErrorKind::Timeout, format!("no TLS handshake in {} s", limit.as_secs_f32()))
            .next("check the port, and whether the server wants rtmp instead of rtmps")),
    }
}

fn tls_fault(target: &RtmpTarget, e: &io::Error) -> Error {
    use CertificateError as C;
    let say = |what: String, next: &str| Error::new(ErrorKind::Tls, what).next(next.to_owned());
    let clock = "check this machine's clock; else the server's owner must renew it";
    let trust = "check the address; for a server of your own give its authority with ca_file";
    match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(c)) => match c {
            C::Expired | C::ExpiredContext { .. } => say("the server's certificate has expired".into(), clock),
            C::NotValidYet | C::NotValidYetContext { .. } => {
                say("the server's certificate is not valid yet".into(), clock)
            }
            C::NotValidForName | C::NotValidForNameContext { .. } => say(
                format!("the server's certificate is for another host than {}", target.host()),
                "check the host name in the address",
            ),
            C::UnknownIssuer => say("the server's certificate is from an unknown issuer".into(), trust),
            // webpki's word for a certificate that signed itself.
            C::Other(o) if o.to_string().contains("CaUsedAsEndEntity") => {
                say("the server's certificate is self-signed".into(), trust)
            }
            C::Revoked => say("the server's certificate is revoked".into(), "ask the server's owner"),
            other => say(format!("the server's certificate is not valid: {other}"), trust),
        },
        Some(rustls::Error::InvalidMessage(_)) => {
            say("the server does not speak TLS on this port".into(), "check the port, or try rtmp instead of rtmps")
        }
        Some(other) => say(format!("the TLS handshake failed: {other}"), "check the address and port"),
        None if e.kind() == io::ErrorKind::UnexpectedEof => {
            say("the server closed the connection in the TLS handshake".into(), "check the address and port")
                .transient(true)
        }
        None => Error::io("TLS handshake", e),
    }
}

macro_rules! each {
    ($self:expr, $s:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($s) => $call,
            Stream::Tls($s) => $call,
            #[cfg(test)]
            Stream::Memory($s) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_read(cx, buf))
    }
}
impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, s => Pin::new(s).poll_write(cx, data))
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_flush(cx))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_shutdown(cx))
    }
}
