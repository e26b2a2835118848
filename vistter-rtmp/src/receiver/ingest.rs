//! A publish as a [`Source`]: an encoder that pushes is a camera like any other.

use std::sync::Arc;

use async_trait::async_trait;
use vistter_core::ports::{Source, SourceEvent};
use vistter_core::{Error, ErrorKind, Result, Secret};

use super::registry::Registry;
use super::tap::{IngestEvent, Tap};

/// What is published to one application with one key.
pub struct RtmpIngest {
    registry: Arc<Registry>,
    app: String,
    key: Secret<String>,
    tap: Option<Tap>,
}

impl RtmpIngest {
    pub(crate) fn new(registry: Arc<Registry>, app: &str, key: Secret<String>) -> Self {
        Self { registry, app: app.to_owned(), key, tap: None }
    }
}

#[async_trait]
impl Source for RtmpIngest {
    fn describe(&self) -> String {
        format!("RTMP push to /{}", self.app)
    }
    fn waits_for_peer(&self) -> bool {
        true
    }
    /// Always succeeds: the encoder may come whenever it likes, and [`Source::next`] waits for it.
    async fn open(&mut self) -> Result<()> {
        self.tap = None;
        Ok(())
    }
    async fn next(&mut self) -> Result<SourceEvent> {
        let tap = match &mut self.tap {
            Some(t) => t,
            empty => empty.insert(self.registry.subscribe(&self.app, &self.key).await),
        };
        match tap.next().await {
            IngestEvent::Params(p) => Ok(SourceEvent::Params(p)),
            IngestEvent::Packet(p) => Ok(SourceEvent::Packet(p)),
            IngestEvent::Lost => Ok(SourceEvent::Lost("packets were not read in time".into())),
            IngestEvent::End => {
                self.tap = None;
                Err(Error::new(ErrorKind::Closed, "the encoder stopped publishing").at(self.describe()))
            }
        }
    }
}

impl std::fmt::Debug for RtmpIngest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}
