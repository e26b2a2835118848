//! One publish into one FLV file.

use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use vistter_core::{Error, ErrorKind, Result};

use crate::flv::{FlvTag, FlvWriter, TagKind};

/// Written to the file in pieces of about this size.
const PIECE: usize = 64 << 10;

/// A file being written.
pub(crate) struct Recorder {
    file: File,
    path: PathBuf,
    writer: FlvWriter,
    pending: BytesMut,
}

impl Recorder {
    /// Makes `APP-0001.flv`, or the next number that is free. The key is not in the name: names get around.
    pub(crate) async fn create(dir: &Path, app: &str) -> Result<Self> {
        let clean: String =
            app.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
        let stem = if clean.is_empty() { "stream".to_owned() } else { clean };
        for n in 1..100_000u32 {
            let path = dir.join(format!("{stem}-{n:04}.flv"));
            match OpenOptions::new().write(true).create_new(true).open(&path).await {
                Ok(file) => {
                    let (mut writer, mut pending) = (FlvWriter::new(), BytesMut::with_capacity(2 * PIECE));
                    writer.header(true, true, &mut pending);
                    return Ok(Self { file, path, writer, pending });
                }
                Err(e) if e.kind() == IoKind::AlreadyExists => {}
                Err(e) => return Err(Error::io("make a recording", &e).at(path.display().to_string())),
            }
        }
        Err(Error::new(ErrorKind::Limit, "the recording folder is full of files")
            .at(dir.display().to_string())
            .next("move some away"))
    }
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
    pub(crate) async fn tag(&mut self, kind: TagKind, time_ms: u32, body: Bytes) -> Result<()> {
        self.writer.tag(&FlvTag { kind, time_ms, body }, &mut self.pending)?;
        if self.pending.len() >= PIECE { self.write().await } else { Ok(()) }
    }
    /// Writes what is left.
    pub(crate) async fn finish(mut self) -> Result<()> {
        self.write().await
    }
    async fn write(&mut self) -> Result<()> {
        let at = |e: std::io::Error| Error::io("write the recording", &e).at(self.path.display().to_string());
        self.file.write_all(&self.pending).await.map_err(at)?;
        self.file.flush().await.map_err(at)?; // tokio's file writes behind: only a flush tells of a full disk
        self.pending.clear();
        Ok(())
    }
}
