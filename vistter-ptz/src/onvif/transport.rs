//! One exchange on one connection, plain or over TLS.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vistter_core::{Error, ErrorKind, Result};

use super::client::OnvifOptions;
use super::endpoint::Endpoint;
use super::http::{Fault, Message, Parser};
use super::tls::handshake;
use super::xml::MOST_BYTES;

/// A connection, plain or over TLS.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

pub(super) async fn connect(options: &OnvifOptions, to: &Endpoint) -> Result<Box<dyn Connection>> {
    let late =
        || Error::new(ErrorKind::Timeout, "the camera does not take the connection").next("check the address and port");
    let opened =
        timeout(options.connect_within.to_duration(), TcpStream::connect(&to.authority)).await.map_err(|_| late())?;
    let stream = opened.map_err(|e| Error::io("connect", &e))?;
    stream.set_nodelay(true).map_err(|e| Error::io("connect", &e))?;
    if !to.tls {
        return Ok(Box::new(stream));
    }
    let tls = timeout(options.connect_within.to_duration(), handshake(&options.tls, &to.authority, stream));
    let silent = |_| {
        let e = Error::new(ErrorKind::Timeout, "the camera takes the connection and does not speak TLS in time");
        e.next("check that this port of the camera speaks TLS; http:// and onvif:// are without")
    };
    Ok(Box::new(tls.await.map_err(silent)??))
}

/// An exchange that failed.
pub(super) struct Talk {
    pub(super) error: Error,
    /// Nothing had come back: the connection was dead.
    pub(super) untouched: bool,
}

pub(super) async fn talk(stream: &mut dyn Connection, request: &[u8]) -> Result<Message, Talk> {
    let failed = |error: Error, untouched| Talk { error, untouched };
    let io = |doing, e: std::io::Error, untouched| failed(Error::io(doing, &e), untouched);
    stream.write_all(request).await.map_err(|e| io("send to the camera", e, true))?;
    stream.flush().await.map_err(|e| io("send to the camera", e, true))?;
    let mut parser = Parser::answer(MOST_BYTES);
    let mut buffer = [0u8; 8192];
    let broken = |fault| {
        failed(
            match fault {
                Fault::NotHttp => Error::new(ErrorKind::Protocol, "this port does not speak HTTP")
                    .next("it may be the camera's RTSP port; give its ONVIF port")
                    .transient(false),
                Fault::Cut => {
                    Error::new(ErrorKind::Closed, "the camera closed the connection in the middle of its answer")
                }
                Fault::TooLarge => Error::new(ErrorKind::Limit, "the camera's answer is over the limit of size"),
            },
            false,
        )
    };
    loop {
        let n = match stream.read(&mut buffer).await {
            // Over TLS: closed without a goodbye.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => 0,
            other => other.map_err(|e| io("receive from the camera", e, parser.is_untouched()))?,
        };
        if n == 0 {
            if parser.is_untouched() {
                return Err(failed(Error::new(ErrorKind::Closed, "the camera closed the connection"), true));
            }
            return parser.end().map_err(broken);
        }
        if let Some(message) = parser.push(&buffer[..n]).map_err(broken)? {
            return Ok(message);
        }
    }
}
