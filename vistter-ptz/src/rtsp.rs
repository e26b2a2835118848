//! One RTSP OPTIONS (RFC 2326 §10.1): does RTSP answer there? It needs no password and opens no session, which matters to
//! cameras that allow one.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use vistter_core::{Error, ErrorKind, Result};

/// An answer's first line is shorter.
const MOST: usize = 1024;

/// Asks `authority` (host and port). Any RTSP answer is good, a refusal too.
///
/// # Errors
/// Nothing listens there, or it speaks no RTSP, or too late.
pub(crate) async fn options(authority: &str, within: Duration) -> Result<()> {
    let late = || Error::new(ErrorKind::Timeout, "RTSP did not answer in time").at(authority.to_owned());
    timeout(within, ask(authority)).await.map_err(|_| late())?.map_err(|e| e.at(authority.to_owned()))
}

async fn ask(authority: &str) -> Result<()> {
    let mut stream = TcpStream::connect(authority).await.map_err(|e| Error::io("connect", &e))?;
    let request = format!("OPTIONS rtsp://{authority}/ RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: vistter\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|e| Error::io("send to the camera", &e))?;
    let mut got = Vec::new();
    let mut buffer = [0u8; 256];
    while !got.contains(&b'\n') && got.len() < MOST {
        let n = stream.read(&mut buffer).await.map_err(|e| Error::io("receive from the camera", &e))?;
        if n == 0 {
            break;
        }
        got.extend_from_slice(&buffer[..n]);
    }
    if got.starts_with(b"RTSP/") {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Protocol, "this port does not speak RTSP").next("check the port; RTSP is usually at 554"))
}
