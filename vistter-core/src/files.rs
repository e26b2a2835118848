//! Small files of ours: read with a bound, written whole or not at all.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes names of temporary files differ within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Reads a file of at most `most` bytes; `None` when there is none.
///
/// # Errors
/// What the system says; `FileTooLarge` beyond the bound.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes")));
    }
    Ok(Some(bytes))
}

/// The same as text.
///
/// # Errors
/// As [`read_bounded`]; `InvalidData` when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<Option<String>> {
    let text = |b| String::from_utf8(b).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"));
    read_bounded(path, most)?.map(text).transpose()
}

/// Writes a file: whoever reads it meanwhile, and whoever pulls the plug, finds the old one or the new one. Its folder is made.
/// A link is followed, and the permissions of an existing file stay; a new one is its owner's alone, where the system knows that.
///
/// # Errors
/// What the system says; then the old file is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => path.to_owned(),
        other => other?,
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&folder)?;
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    // It must lie beside the file: only within one file system is it moved at one go.
    let new = folder.join(format!(".{name}.{}.{}.new", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let written = write_new(&new, &path, bytes).and_then(|()| fs::rename(&new, &path));
    if written.is_err() {
        let _ = fs::remove_file(&new); // it may not have been made
    }
    written
}

fn write_new(new: &Path, old: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    file.write_all(bytes)?;
    match fs::metadata(old) {
        Ok(m) => file.set_permissions(m.permissions())?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("vistter-files-{}", std::process::id()));
        let path = folder.join("deep/er/a.txt");
        assert_eq!(read_bounded(&path, 10).unwrap(), None);
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(read_text(&path, 6).unwrap().as_deref(), Some("second"));
        assert_eq!(read_bounded(&path, 5).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(read_text(&path, 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(write_whole(&folder.join("deep"), b"x").is_err(), "a folder is not written over");
        assert!(write_whole(Path::new("/"), b"x").is_err());
        let inside: Vec<_> = fs::read_dir(folder.join("deep/er")).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(inside, ["a.txt"], "nothing is left behind");
        fs::remove_dir_all(folder).unwrap();
    }
    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("vistter-links-{}", std::process::id()));
        let (real, link) = (folder.join("real.json"), folder.join("link.json"));
        write_whole(&real, b"one").unwrap();
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.json", &link).unwrap();
        write_whole(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"two");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        fs::remove_dir_all(folder).unwrap();
    }
}
