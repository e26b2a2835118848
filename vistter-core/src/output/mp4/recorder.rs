//! The recorder as an [`Output`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::task::spawn_blocking;

use super::Mp4Muxer;
use super::file::RecordingFile;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{Packet, StreamParams};
use crate::ports::{Output, OutputStats};

/// How many file names [`Recordings`] remembers.
const REMEMBERED: usize = 100;

/// Records the program into a fragmented MP4.
///
/// Every second of media goes to the operating system as one whole fragment, so a killed process loses the second that
/// runs and no more. An existing file is never overwritten: `show.mp4` becomes `show-2.mp4`. When a write fails (a full
/// disk), the file keeps its whole fragments, and the next `connect` starts a new one.
#[derive(Debug)]
pub struct Mp4Recorder {
    wanted: PathBuf,
    open: Option<Open>,
    stats: OutputStats,
    files: Recordings,
}

#[derive(Debug)]
struct Open {
    muxer: Mp4Muxer,
    /// Away while a blocking thread writes; a call that was abandoned then does not bring it back.
    file: Option<RecordingFile>,
    /// In [`Recordings`]; only a file with media is.
    listed: bool,
}

/// The files a recorder has written so far, newest last. Clones see the same list.
#[derive(Clone, Debug, Default)]
pub struct Recordings(Arc<Mutex<Vec<PathBuf>>>);

impl Recordings {
    /// The paths, at most the newest 100. The last one may still be growing.
    pub fn paths(&self) -> Vec<PathBuf> {
        lock(&self.0).clone()
    }

    fn add(&self, path: PathBuf) {
        let mut v = lock(&self.0);
        if v.len() == REMEMBERED {
            v.remove(0);
        }
        v.push(path);
    }
}

impl Mp4Recorder {
    /// A recorder that will write `file` (or a numbered name beside it). Nothing is touched before `connect`.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { wanted: file.into(), open: None, stats: OutputStats::default(), files: Recordings::default() }
    }

    /// Where to read the names of the files that are really written.
    pub fn files(&self) -> Recordings {
        self.files.clone()
    }

    async fn write(&mut self, fragment: Vec<u8>) -> Result<()> {
        let open = self.open.as_mut().ok_or_else(not_open)?;
        let mut file = open.file.take().ok_or_else(not_open)?;
        match blocking(move || file.append(&fragment).map(|()| file)).await {
            Ok(file) => {
                if !open.listed {
                    self.files.add(file.path().to_owned());
                    open.listed = true;
                }
                open.file = Some(file);
                Ok(())
            }
            Err(e) => {
                self.open = None;
                Err(e)
            }
        }
    }
}

#[async_trait]
impl Output for Mp4Recorder {
    fn describe(&self) -> String {
        format!("recording {}", self.wanted.display())
    }

    async fn connect(&mut self, params: &StreamParams) -> Result<()> {
        if let Err(e) = self.close().await {
            tracing::warn!("{e}");
        }
        let muxer = Mp4Muxer::new(params)?;
        let (wanted, header) = (self.wanted.clone(), muxer.init().to_vec());
        let file = blocking(move || RecordingFile::create(&wanted, &header)).await?;
        tracing::info!(path = %file.path().display(), "recording");
        self.open = Some(Open { muxer, file: Some(file), listed: false });
        Ok(())
    }

    async fn send(&mut self, packet: &Packet) -> Result<()> {
        let fragment = self.open.as_mut().ok_or_else(not_open)?.muxer.push(packet)?;
        self.stats.bytes += packet.data.len() as u64;
        match fragment {
            Some(f) => self.write(f).await,
            None => Ok(()),
        }
    }

    async fn close(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let last = open.muxer.finish()?;
        let Some(mut file) = open.file else { return Ok(()) };
        blocking(move || {
            if let Some(last) = last {
                file.append(&last)?;
            }
            file.finish()
        })
        .await
    }

    fn stats(&self) -> OutputStats {
        self.stats
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(ErrorKind::Internal, format!("the recorder's thread ended: {e}"))))
}

fn not_open() -> Error {
    Error::new(ErrorKind::Closed, "the recording is not open")
}
