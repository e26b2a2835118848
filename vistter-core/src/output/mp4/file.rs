//! Names and bytes on disk. Everything here blocks; the recorder calls it on blocking threads.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// How many numbered names are tried.
const MAX_NAMES: u32 = 99_999;

/// An open recording that ends after a whole fragment, whatever happens.
#[derive(Debug)]
pub(super) struct RecordingFile {
    file: File,
    path: PathBuf,
    /// Bytes up to the end of the last whole fragment.
    good: u64,
    /// Bytes of the file's header.
    header: u64,
}

impl RecordingFile {
    /// Creates the first free one of `show.mp4`, `show-2.mp4`, `show-3.mp4` …, and folders that are missing.
    pub(super) fn create(wanted: &Path, header: &[u8]) -> Result<Self> {
        let fail = |path: &Path, e: &io::Error| explain("create the recording", path, e);
        if let Some(dir) = wanted.parent().filter(|d| !d.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(|e| fail(dir, &e))?;
        }
        for n in 1..=MAX_NAMES {
            let path = numbered(wanted, n);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut me = Self { file, path, good: 0, header: header.len() as u64 };
                    me.append(header)?;
                    return Ok(me);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fail(&path, &e)),
            }
        }
        Err(Error::new(ErrorKind::Limit, format!("{MAX_NAMES} recordings of this name exist already"))
            .at(wanted.display().to_string())
            .next("move old recordings away or choose another name"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a whole piece. When that fails, takes the part that was written away again, and the file itself if it
    /// holds no media.
    pub(super) fn append(&mut self, piece: &[u8]) -> Result<()> {
        if let Err(e) = self.file.write_all(piece) {
            // The first error is the one to report; the file is what matters now.
            let _ = self.file.set_len(self.good);
            self.remove_if_empty();
            return Err(explain("write the recording", &self.path, &e));
        }
        self.good += piece.len() as u64;
        Ok(())
    }

    /// Brings everything to the disk. A file without media is removed.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.remove_if_empty() {
            return Ok(());
        }
        self.file.sync_all().map_err(|e| explain("finish the recording", &self.path, &e))
    }

    fn remove_if_empty(&mut self) -> bool {
        // A retry on a full disk must not leave one more empty file each time.
        self.good <= self.header && std::fs::remove_file(&self.path).is_ok()
    }
}

fn numbered(wanted: &Path, n: u32) -> PathBuf {
    if n == 1 {
        return wanted.to_owned();
    }
    let mut name = wanted.file_stem().map_or_else(|| OsString::from("recording"), OsString::from);
    name.push(format!("-{n}"));
    if let Some(ext) = wanted.extension() {
        name.push(".");
        name.push(ext);
    }
    wanted.with_file_name(name)
}

fn explain(doing: &str, path: &Path, e: &io::Error) -> Error {
    use io::ErrorKind as K;
    let err = Error::io(doing, e).at(path.display().to_string());
    match e.kind() {
        // Waiting does not mend these; a person does.
        K::PermissionDenied
        | K::ReadOnlyFilesystem
        | K::AlreadyExists
        | K::NotADirectory
        | K::IsADirectory
        | K::InvalidFilename => err.transient(false).next("choose a file in a folder that can be written"),
        _ => err,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let d = std::env::temp_dir().join(format!("vistter-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&d);
        d
    }

    #[test]
    fn names_are_numbered_and_nothing_is_overwritten() {
        let d = folder("names");
        let wanted = d.join("new/show.mp4");
        let mut paths = Vec::new();
        for _ in 0..3 {
            let mut f = RecordingFile::create(&wanted, b"head").unwrap();
            f.append(b"media").unwrap();
            paths.push(f.path().to_owned());
            f.finish().unwrap();
        }
        assert_eq!(paths, [wanted, d.join("new/show-2.mp4"), d.join("new/show-3.mp4")]);
        assert_eq!(std::fs::read(&paths[0]).unwrap(), b"headmedia");
        assert_eq!(numbered(Path::new("a.b/show"), 2), Path::new("a.b/show-2"));
        std::fs::remove_dir_all(d).unwrap();
    }

    #[test]
    fn a_recording_without_media_leaves_no_file() {
        let d = folder("empty");
        let f = RecordingFile::create(&d.join("x.mp4"), b"head").unwrap();
        f.finish().unwrap();
        assert_eq!(std::fs::read_dir(&d).unwrap().count(), 0);
        std::fs::remove_dir_all(d).unwrap();
    }

    #[test]
    fn a_folder_that_is_a_file_is_a_final_error() {
        let d = folder("notdir");
        std::fs::create_dir_all(&d).unwrap();
        std::fs::write(d.join("f"), b"").unwrap();
        let e = RecordingFile::create(&d.join("f/x.mp4"), b"head").unwrap_err();
        assert!(!e.is_transient() && e.to_string().contains("choose a file"), "{e}");
        std::fs::remove_dir_all(d).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_called_that() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = PathBuf::from("/nowhere/show.mp4");
        let mut f = RecordingFile { file, path, good: 0, header: 4 };
        let e = f.append(b"head").unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::DiskFull, true));
        assert!(e.to_string().contains("/nowhere/show.mp4") && e.to_string().contains("free some space"), "{e}");
    }
}
