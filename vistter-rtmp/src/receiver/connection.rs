//! One encoder's socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use vistter_core::{Error, ErrorKind, Result, Secret};

use super::record::Recorder;
use super::serve::{Event, Server};
use super::{Publish, ReceiverOptions, Registry};
use crate::chunk::Limits;
use crate::flv::{Demuxer, MediaEvent, TagKind};

/// Our answers are a few hundred bytes: an encoder that does not take them in this time is gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves one connection to its end.
pub(super) async fn run(
    socket: TcpStream,
    peer: SocketAddr,
    options: Arc<ReceiverOptions>,
    registry: Arc<Registry>,
    stopped: watch::Receiver<bool>,
) {
    let limits = Limits { message: options.max_message, ..Limits::default() };
    let mut c =
        Connection { socket, server: Server::new(limits), out: BytesMut::new(), options, registry, media: None, peer };
    let result = c.serve(stopped).await;
    if let Some(m) = c.media.take() {
        m.finish(peer).await;
    }
    match result {
        Ok(()) => tracing::debug!(%peer, "RTMP connection over"),
        Err(e) => tracing::info!(%peer, "RTMP connection ended: {e}"),
    }
    // A refusal must reach the encoder: send FIN and let it close, instead of a reset that eats the reason.
    let _ = timeout(Duration::from_secs(1), async {
        if c.socket.shutdown().await.is_ok() {
            let mut rest = vec![0; 4096];
            while matches!(c.socket.read(&mut rest).await, Ok(n) if n > 0) {}
        }
    })
    .await;
}

struct Connection {
    socket: TcpStream,
    server: Server,
    out: BytesMut,
    options: Arc<ReceiverOptions>,
    registry: Arc<Registry>,
    media: Option<Media>,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(&mut self, mut stopped: watch::Receiver<bool>) -> Result<()> {
        let _ = self.socket.set_nodelay(true);
        let mut input = vec![0; 64 << 10];
        let to_publish = sleep(self.options.publish_timeout);
        tokio::pin!(to_publish);
        loop {
            let n = tokio::select! {
                _ = stopped.changed() => return Ok(()),
                () = &mut to_publish, if !self.server.is_publishing() => {
                    let what = format!("no publish in {} s", self.options.publish_timeout.as_secs_f32());
                    return Err(Error::new(ErrorKind::Timeout, what));
                }
                r = timeout(self.options.idle_timeout, self.socket.read(&mut input)) => match r {
                    Ok(Ok(0)) => return Ok(()),
                    Ok(Ok(n)) => n,
                    Ok(Err(e)) => return Err(Error::io("read from the encoder", &e)),
                    Err(_) => {
                        let what = format!("no data for {} s", self.options.idle_timeout.as_secs_f32());
                        return Err(Error::new(ErrorKind::Timeout, what));
                    }
                },
            };
            let go_on = self.take(&input[..n]).await;
            // Answers go out even when it is over: they say why.
            self.answer().await?;
            if !go_on? {
                return Ok(());
            }
        }
    }

    async fn answer(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        match timeout(ANSWER_TIMEOUT, self.socket.write_all(&self.out)).await {
            Ok(Ok(())) => self.out.clear(),
            Ok(Err(e)) => return Err(Error::io("answer the encoder", &e)),
            Err(_) => return Err(Error::new(ErrorKind::Timeout, "the encoder does not read our answers")),
        }
        Ok(())
    }

    /// Gives whether the connection goes on.
    async fn take(&mut self, input: &[u8]) -> Result<bool> {
        self.server.feed(input, &mut self.out)?;
        while let Some(e) = self.server.next(&mut self.out)? {
            match e {
                Event::Publish { app, key } => {
                    if !self.publish(&app, &key).await? {
                        return Ok(false);
                    }
                }
                Event::Tag { kind, time, body } => {
                    if let Some(m) = &mut self.media {
                        m.tag(kind, time, body).await;
                    }
                }
                Event::Unpublish => {
                    if let Some(m) = self.media.take() {
                        m.finish(self.peer).await;
                    }
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn publish(&mut self, app: &str, key: &Secret<String>) -> Result<bool> {
        if key.expose().is_empty() || key.expose().len() > 4096 || !self.options.access.allows(app, key) {
            tracing::info!(peer = %self.peer, app, "RTMP publish refused: wrong application or key");
            self.server.reject("NetStream.Publish.Denied", "Wrong application or stream key", &mut self.out)?;
            return Ok(false);
        }
        let Some(publish) = self.registry.begin(app, key) else {
            tracing::info!(peer = %self.peer, app, "RTMP publish refused: the key is in use");
            self.server.reject("NetStream.Publish.BadName", "Already publishing", &mut self.out)?;
            return Ok(false);
        };
        let recorder = match &self.options.record_dir {
            None => None,
            Some(dir) => match Recorder::create(dir, app).await {
                Ok(r) => {
                    publish.recording(r.path().to_owned());
                    Some(r)
                }
                Err(e) => {
                    tracing::error!("{e}");
                    publish.record_error(e.to_string());
                    None
                }
            },
        };
        tracing::info!(peer = %self.peer, app, id = publish.id(), "RTMP publish begins");
        self.media = Some(Media { publish, recorder, demuxer: Demuxer::new() });
        self.server.accept(&mut self.out)?;
        Ok(true)
    }
}

/// What happens to the media of one publish.
struct Media {
    publish: Publish,
    recorder: Option<Recorder>,
    demuxer: Demuxer,
}

impl Media {
    async fn tag(&mut self, kind: TagKind, time: u32, body: Bytes) {
        match self.demuxer.handle(kind, time, &body) {
            Ok(Some(MediaEvent::Params(p))) => self.publish.params(&p),
            Ok(Some(MediaEvent::Packet(p))) => self.publish.packet(&p),
            Ok(None) => {}
            Err(e) => {
                tracing::debug!(id = self.publish.id(), "{e}");
                self.publish.fault();
            }
        }
        if let Some(r) = &mut self.recorder
            && let Err(e) = r.tag(kind, time, body).await
        {
            // The stream goes on without its file.
            tracing::error!("{e}");
            self.publish.record_error(e.to_string());
            self.recorder = None;
        }
    }
    async fn finish(self, peer: SocketAddr) {
        if let Some(r) = self.recorder
            && let Err(e) = r.finish().await
        {
            tracing::error!("{e}");
            self.publish.record_error(e.to_string());
        }
        tracing::info!(%peer, id = self.publish.id(), "RTMP publish over");
    }
}
