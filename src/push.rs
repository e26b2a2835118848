//! Encoders that push into a show: one listener for each address, opened with the first camera that comes in there.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use vistter_core::config::Push;
use vistter_core::ports::{Source, SourceEvent};
use vistter_core::{Error, ErrorKind, Result, Secret};
use vistter_rtmp::{Access, Receiver, ReceiverOptions, RtmpIngest};

/// The listeners of one show. Nothing is bound before a camera opens.
#[derive(Default)]
pub(crate) struct Doors(Vec<Arc<Door>>);

struct Door {
    listen: SocketAddr,
    /// Whoever may come in: application and key.
    known: Mutex<Vec<(String, Secret<String>)>>,
    receiver: tokio::sync::Mutex<Option<Receiver>>,
}

impl Doors {
    /// A camera that pushes; those of one address share its listener.
    pub(crate) fn camera(&mut self, push: Push) -> PushedCamera {
        let Push { listen, app, key } = push;
        let door = match self.0.iter().find(|d| d.listen == listen) {
            Some(d) => d.clone(),
            None => {
                let (known, receiver) = (Mutex::default(), tokio::sync::Mutex::default());
                let door = Arc::new(Door { listen, known, receiver });
                self.0.push(door.clone());
                door
            }
        };
        door.known.lock().unwrap_or_else(PoisonError::into_inner).push((app.clone(), key.clone()));
        PushedCamera { door, app, key, ingest: None }
    }
}

impl Door {
    async fn ingest(&self, app: &str, key: &Secret<String>) -> Result<RtmpIngest> {
        let mut receiver = self.receiver.lock().await;
        let open = match &mut *receiver {
            Some(r) => r,
            none => {
                let mut options = ReceiverOptions::default();
                options.access = Access::Keys(self.known.lock().unwrap_or_else(PoisonError::into_inner).clone());
                none.insert(Receiver::bind(self.listen, options).await?)
            }
        };
        Ok(open.ingest(app, key.clone()))
    }
}

/// An encoder that pushes, as a camera. It waits for the encoder as long as it takes.
pub(crate) struct PushedCamera {
    door: Arc<Door>,
    app: String,
    key: Secret<String>,
    ingest: Option<RtmpIngest>,
}

impl fmt::Debug for PushedCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

#[async_trait]
impl Source for PushedCamera {
    fn describe(&self) -> String {
        format!("RTMP push to rtmp://{}/{}", self.door.listen, self.app)
    }
    fn waits_for_peer(&self) -> bool {
        true
    }
    async fn open(&mut self) -> Result<()> {
        let mut ingest = self.door.ingest(&self.app, &self.key).await?;
        ingest.open().await?;
        self.ingest = Some(ingest);
        Ok(())
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        let ingest = self.ingest.as_mut();
        let ingest = ingest.ok_or_else(|| Error::new(ErrorKind::Internal, "the source was not opened"))?;
        ingest.next().await
    }
    async fn close(&mut self) {
        self.ingest = None;
    }
}
