//! [`RtmpOutput`]: the tokio driver around the publishing client, as a [`vistter_core::ports::Output`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;
use vistter_core::media::{Bitrate, Packet, StreamParams};
use vistter_core::ports::{Output, OutputStats};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use crate::client::{self, Client, Step};
use crate::flv::body;
use crate::mux::Mux;
use crate::net::{self, Dial, Stream};
use crate::target::RtmpTarget;

/// How to publish. The defaults fit the platforms, and are shorter than the limits of
/// [`vistter_core::output::OutputPolicy::live`], so that it is these errors, which say more, that people see.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RtmpOptions {
    /// Time for the name to resolve.
    pub resolve_timeout: Duration,
    /// Time for TCP to connect, shared between the host's addresses.
    pub connect_timeout: Duration,
    /// Time for the TLS handshake.
    pub tls_timeout: Duration,
    /// Time for each answer: RTMP handshake, connect, createStream, publish.
    pub answer_timeout: Duration,
    /// How long the server may take nothing at all before a send fails.
    pub stall_timeout: Duration,
    /// How long one packet may take, however slowly it goes.
    pub packet_timeout: Duration,
    /// Time to deliver what is left and to say goodbye.
    pub close_timeout: Duration,
    /// Certificate authorities to trust beside the public ones, in PEM form.
    pub extra_ca: Option<Vec<u8>>,
    /// Size of our chunks in bytes, 128 to 65,536.
    pub chunk_size: u32,
    /// What the kernel may hold for a server that does not read, in bytes.
    pub send_buffer: u32,
    /// Announced in onMetaData, if known.
    pub video_bitrate: Option<Bitrate>,
    /// Announced in onMetaData, if known.
    pub audio_bitrate: Option<Bitrate>,
}

impl Default for RtmpOptions {
    fn default() -> Self {
        Self {
            resolve_timeout: Duration::from_secs(4),
            connect_timeout: Duration::from_secs(5),
            tls_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(8),
            packet_timeout: Duration::from_secs(9),
            close_timeout: Duration::from_millis(2500),
            extra_ca: None,
            chunk_size: 4096,
            send_buffer: 512 << 10,
            video_bitrate: None,
            audio_bitrate: None,
        }
    }
}

/// A cut within this much of the program counts as a refusal: most platforms accept any key and look at it afterwards.
const AT_ONCE: MediaTime = MediaTime::from_secs(3);

/// One RTMP or RTMPS destination. Timestamps start at 0 with each connection, audio and video on the same origin.
pub struct RtmpOutput {
    target: RtmpTarget,
    options: RtmpOptions,
    tls: Arc<ClientConfig>,
    link: Option<Link>,
    mux: Mux,
    stats: OutputStats,
}

impl RtmpOutput {
    /// A destination that is not connected yet.
    ///
    /// # Errors
    /// `Config` when the extra authorities are not readable.
    pub fn new(target: RtmpTarget, options: RtmpOptions) -> Result<Self> {
        let tls = vistter_core::tls::public_config(options.extra_ca.as_deref()).map_err(|e| e.at(target.shown()))?;
        Ok(Self { target, options, tls, link: None, mux: Mux::default(), stats: OutputStats::default() })
    }
    /// Where it publishes to.
    pub fn target(&self) -> &RtmpTarget {
        &self.target
    }

    async fn dial(&self) -> Result<Stream> {
        let o = &self.options;
        let dial = Dial {
            resolve: o.resolve_timeout,
            connect: o.connect_timeout,
            tls: o.tls_timeout,
            send_buffer: o.send_buffer,
        };
        net::dial(&self.target, &self.tls, dial).await
    }

    async fn open(&mut self, stream: Stream, params: &StreamParams) -> Result<Link> {
        let o = &self.options;
        let mut out = BytesMut::with_capacity(64 << 10);
        let client = Client::new(self.target.clone(), o.chunk_size.clamp(128, 65_536), &mut out)?;
        let (reader, writer) = tokio::io::split(stream);
        let mut link =
            Link { reader, writer, client, out, limit: MAX_ANSWERS, unflushed: false, input: vec![0; 16 << 10] };
        loop {
            let step = link.client.step();
            if step == Step::Publishing {
                break;
            }
            let answered = async {
                while link.client.step() == step {
                    link.turn().await?;
                }
                Ok(())
            };
            match timeout(o.answer_timeout, answered).await {
                Ok(r) => r?,
                Err(_) => {
                    let what = format!("the server gave no answer in {} s {}", secs(o.answer_timeout), step.during());
                    return Err(Error::new(ErrorKind::Timeout, what).next(match step {
                        Step::Handshake => "check the port, and whether the server wants rtmp or rtmps",
                        _ => "try again; if it stays so, check the address and the key",
                    }));
                }
            }
        }
        self.mux = Mux::default();
        for m in self.mux.headers(params, o.video_bitrate, o.audio_bitrate) {
            link.client.send(m.kind, m.time, m.body, &mut link.out)?;
        }
        Ok(link)
    }

    fn placed(&self, e: Error) -> Error {
        if e.place().is_none() { e.at(self.target.shown()) } else { e }
    }

    /// Forgets the connection and makes the error say what it means.
    fn lost(&mut self, e: Error) -> Error {
        self.link = None;
        let e = self.placed(e);
        if e.kind() == ErrorKind::Closed && self.mux.span() < AT_ONCE {
            return client::closed_at_once(&self.target);
        }
        e
    }
}

#[async_trait]
impl Output for RtmpOutput {
    fn describe(&self) -> String {
        self.target.shown().to_owned()
    }

    async fn connect(&mut self, params: &StreamParams) -> Result<()> {
        self.link = None;
        body::accept(params).map_err(|e| e.at(self.target.shown()))?;
        if params.audio.is_none() {
            tracing::warn!(destination = %self.target, "publishing without audio: YouTube and Facebook show nothing then");
        }
        let stream = self.dial().await?;
        let link = self.open(stream, params).await;
        self.link = Some(link.map_err(|e| self.placed(e))?);
        Ok(())
    }

    async fn send(&mut self, packet: &Packet) -> Result<()> {
        let (stall, limit) = (self.options.stall_timeout, self.options.packet_timeout);
        let Some(link) = &mut self.link else {
            return Err(Error::new(ErrorKind::Closed, "not connected").at(self.target.shown()));
        };
        let message = match self.mux.packet(packet) {
            Ok(Some(m)) => m,
            Ok(None) => return Ok(()),
            Err(e) => return Err(self.lost(e)),
        };
        let work = async {
            // What a cancelled send has left behind goes first; so never more than one packet waits.
            link.deliver(stall).await?;
            link.client.send(message.kind, message.time, message.body, &mut link.out)?;
            link.deliver(stall).await
        };
        let sent = timeout(limit, work).await.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Timeout, format!("one packet took more than {} s", secs(limit)))
                .next("lower the bitrate: the line is too slow for it"))
        });
        match sent {
            Ok(()) => {
                self.stats.bytes = self.stats.bytes.saturating_add(packet.data.len() as u64);
                Ok(())
            }
            Err(e) => Err(self.lost(e)),
        }
    }

    async fn failed(&mut self) -> Error {
        let Some(link) = &mut self.link else { return std::future::pending().await };
        let e = loop {
            if let Err(e) = link.turn().await {
                break e;
            }
        };
        self.lost(e)
    }

    async fn close(&mut self) -> Result<()> {
        let Some(mut link) = self.link.take() else { return Ok(()) };
        let limit = self.options.close_timeout;
        link.client.leave(&mut link.out)?;
        let mut delivered = false;
        let goodbye = async {
            link.deliver(limit).await?;
            delivered = true;
            // A close with unread answers in our buffer becomes a reset, and a reset makes the server drop what it has
            // not read yet: send FIN, then read to the end.
            link.drain().await;
            Ok(())
        };
        let result = match timeout(limit, goodbye).await {
            Ok(r) => r,
            Err(_) if delivered => Ok(()), // it has everything; that it does not hang up is its own business
            Err(_) => Err(Error::new(ErrorKind::Timeout, format!("the last data was not taken in {} s", secs(limit)))),
        };
        result.map_err(|e| self.placed(e))
    }

    fn stats(&self) -> OutputStats {
        self.stats
    }
}

impl std::fmt::Debug for RtmpOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RtmpOutput({}, connected: {})", self.target, self.link.is_some())
    }
}

/// Bytes of answers (pings, acknowledgements) that may wait while the server does not read.
const MAX_ANSWERS: usize = 64 << 10;

/// One connection: a client and its two directions.
struct Link {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    client: Client,
    /// Waits to be written.
    out: BytesMut,
    /// What may wait: one packet, and answers to the server's own messages.
    limit: usize,
    unflushed: bool,
    input: Vec<u8>,
}

impl Link {
    /// Waits for the next thing that moves, either way. Cancel-safe: what is half written stays in `out`.
    /// Gives whether bytes went out.
    async fn turn(&mut self) -> Result<bool> {
        enum Did {
            Read(io::Result<usize>),
            Wrote(io::Result<()>),
        }
        let did = {
            let Self { reader, writer, out, unflushed, input, .. } = self;
            let write = async {
                if !out.is_empty() {
                    *unflushed = true;
                    match writer.write_buf(out).await? {
                        0 => Err(io::ErrorKind::WriteZero.into()),
                        _ => Ok(()),
                    }
                } else if *unflushed {
                    writer.flush().await?;
                    *unflushed = false;
                    Ok(())
                } else {
                    std::future::pending().await
                }
            };
            // What can go out goes first: a server that hangs up on our goodbye has still had all of it.
            tokio::select! {
                biased;
                w = write => Did::Wrote(w),
                r = reader.read(input) => Did::Read(r),
            }
        };
        match did {
            Did::Wrote(Ok(())) => Ok(true),
            // The reason may wait to be read: a refusal, then a reset.
            Did::Wrote(Err(e)) => Err(self.last_words(&e).await),
            Did::Read(r) => {
                self.take(r)?;
                Ok(false)
            }
        }
    }

    fn take(&mut self, r: io::Result<usize>) -> Result<()> {
        match r {
            Ok(0) => Err(self.client.closed()),
            Ok(n) => {
                self.client.handle(&self.input[..n], &mut self.out)?;
                if self.out.len() > self.limit {
                    return Err(Error::new(
                        ErrorKind::Limit,
                        "the server sends requests and does not read the answers",
                    ));
                }
                Ok(())
            }
            Err(e) => Err(self.broken(&e)),
        }
    }

    /// A reset or an EOF without close_notify means what a close means at this step.
    fn broken(&self, e: &io::Error) -> Error {
        let plain = Error::io("talk to the server", e);
        if plain.kind() == ErrorKind::Closed { self.client.closed() } else { plain }
    }

    async fn last_words(&mut self, e: &io::Error) -> Error {
        let said = async {
            loop {
                let r = self.reader.read(&mut self.input).await;
                if let Err(e) = self.take(r) {
                    return e;
                }
            }
        };
        match timeout(Duration::from_millis(500), said).await {
            Ok(said) => said,
            Err(_) => self.broken(e),
        }
    }

    /// Writes all that waits, and reads meanwhile: a server whose answers nobody reads stops reading too.
    async fn deliver(&mut self, stall: Duration) -> Result<()> {
        self.limit = self.out.len() + MAX_ANSWERS;
        while !self.out.is_empty() || self.unflushed {
            let moved = async {
                while !self.turn().await? {}
                Ok(())
            };
            match timeout(stall, moved).await {
                Ok(r) => r?,
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!("the server has taken no data for {} s", secs(stall)),
                    )
                    .next("check the network to it; the stream starts anew"));
                }
            }
        }
        Ok(())
    }

    async fn drain(&mut self) {
        if self.writer.shutdown().await.is_ok() {
            while matches!(self.reader.read(&mut self.input).await, Ok(n) if n > 0) {}
        }
    }
}

fn secs(d: Duration) -> f32 {
    d.as_secs_f32()
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
