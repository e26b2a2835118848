//! Learned times in a file, from one show to the next.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use vistter_core::files::{read_text, write_whole};
use vistter_core::{Error, ErrorKind, Result};

use super::learned::LearnedTimes;

/// Largest file, in bytes.
const MOST_FILE: u64 = 16 * 1024 * 1024;
/// Cameras kept; the one that learned longest ago goes.
const MOST_CAMERAS: usize = 256;

/// A file that keeps what cameras have taught. It can be shared by many of them; cameras are told apart by their addresses.
///
/// A file that cannot be read as such is set aside, with `.damaged` behind its name, before it is written anew: what is lost are
/// times that the cameras teach again.
#[derive(Debug)]
pub struct LearnedStore {
    path: PathBuf,
    one: Mutex<()>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    /// Version of the form: 1.
    vistter_learned: u32,
    /// The one that learned last stands first.
    cameras: Vec<Camera>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Camera {
    camera: String,
    times: LearnedTimes,
}

enum Fault {
    Damaged(Error),
    Other(Error),
}

impl Fault {
    fn into_error(self) -> Error {
        match self {
            Self::Damaged(e) | Self::Other(e) => e,
        }
    }
}

impl LearnedStore {
    /// Times in a file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), one: Mutex::new(()) }
    }
    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// What a camera has taught; nothing, if the file does not know it.
    ///
    /// # Errors
    /// The file cannot be read, or is none of these. A show goes on without.
    pub fn load(&self, camera: &str) -> Result<LearnedTimes> {
        let file = self.read().map_err(Fault::into_error)?.unwrap_or_default();
        Ok(file.cameras.into_iter().find(|c| c.camera == camera).map(|c| c.times).unwrap_or_default())
    }
    /// Keeps what a camera has taught, in place of what was kept of it.
    ///
    /// # Errors
    /// The file cannot be written, or belongs to a later version of this program.
    pub fn keep(&self, camera: &str, times: &LearnedTimes) -> Result<()> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match self.read() {
            Ok(f) => f.unwrap_or_default(),
            Err(Fault::Damaged(_)) => {
                let mut aside = self.path.clone().into_os_string();
                aside.push(".damaged");
                std::fs::rename(&self.path, aside)
                    .map_err(|e| self.failed("set the damaged learned times aside", &e))?;
                File::default()
            }
            Err(Fault::Other(e)) => return Err(e),
        };
        file.vistter_learned = 1;
        file.cameras.retain(|c| c.camera != camera);
        file.cameras.insert(0, Camera { camera: camera.to_owned(), times: times.clone() });
        file.cameras.truncate(MOST_CAMERAS);
        let write = |file: &File| {
            serde_json::to_string(file)
                .map_err(|e| Error::new(ErrorKind::Internal, format!("learned times are no JSON: {e}")))
        };
        let mut text = write(&file)?;
        while text.len() as u64 > MOST_FILE {
            file.cameras.pop(); // better without the oldest than not at all
            text = write(&file)?;
        }
        write_whole(&self.path, text.as_bytes()).map_err(|e| self.failed("keep the learned times", &e))
    }

    fn read(&self) -> Result<Option<File>, Fault> {
        let text = match read_text(&self.path, MOST_FILE) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::FileTooLarge) => {
                return Err(self.damaged(&e));
            }
            Err(e) => return Err(Fault::Other(self.failed("read the learned times", &e))),
        };
        // Another version may differ in everything else.
        #[derive(Deserialize)]
        struct Version {
            vistter_learned: u32,
        }
        let version: Version = serde_json::from_str(&text).map_err(|e| self.damaged(&e))?;
        if version.vistter_learned != 1 {
            let what = format!("the form of the learned times is {}, not 1", version.vistter_learned);
            let e = Error::new(ErrorKind::Config, what).at(self.path.display().to_string());
            return Err(Fault::Other(e.next("use the version of vistter that wrote it, or name another file")));
        }
        serde_json::from_str(&text).map(Some).map_err(|e| self.damaged(&e))
    }
    fn failed(&self, doing: &'static str, e: &std::io::Error) -> Error {
        Error::io(doing, e).at(self.path.display().to_string())
    }
    fn damaged(&self, e: &dyn std::fmt::Display) -> Fault {
        let e = Error::new(ErrorKind::Config, format!("the file of learned times is damaged: {e}"));
        let e = e.at(self.path.display().to_string());
        Fault::Damaged(e.next("nothing: the cameras teach them again, and the file is set aside then"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vistter_core::ports::PtzPosition;
    use vistter_core::time::MediaTime;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("vistter-learned-{name}-{}", std::process::id()))
    }
    fn times(secs: i64) -> LearnedTimes {
        let mut t = LearnedTimes::default();
        let target = PtzPosition { pan: -0.25, tilt: 0.5, zoom: 0.125 };
        t.keep("door", "stage", MediaTime::from_secs(secs), Some(target));
        t
    }

    #[test]
    fn cameras_are_kept_apart_and_the_last_ones() {
        let path = folder("kept").join("learned.json");
        let store = LearnedStore::new(&path);
        assert_eq!(store.load("onvif://10.0.0.1").unwrap(), LearnedTimes::default());
        store.keep("onvif://10.0.0.1", &times(1)).unwrap();
        store.keep("onvif://10.0.0.2", &times(2)).unwrap();
        store.keep("onvif://10.0.0.1", &times(3)).unwrap();
        let again = LearnedStore::new(&path);
        assert_eq!(again.load("onvif://10.0.0.1").unwrap(), times(3));
        assert_eq!(again.load("onvif://10.0.0.2").unwrap(), times(2));
        for i in 0..MOST_CAMERAS {
            again.keep(&format!("visca://{i}"), &times(4)).unwrap();
        }
        assert_eq!(again.load("onvif://10.0.0.1").unwrap(), LearnedTimes::default(), "longest ago");
        assert_eq!(again.load("visca://0").unwrap(), times(4));
        std::fs::remove_dir_all(folder("kept")).unwrap();
    }
    #[test]
    fn a_damaged_file_is_said_and_set_aside_and_a_later_one_is_left_alone() {
        let path = folder("damaged").join("learned.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        for bad in ["", "{", "{\"vistter_learned\":1}", "{\"vistter_learned\":1,\"cameras\":[{\"camera\":5}]}", "[1]"] {
            std::fs::write(&path, bad).unwrap();
            let store = LearnedStore::new(&path);
            let e = store.load("a").unwrap_err();
            assert!(e.what().contains("damaged") && e.place().unwrap().contains("learned.json"), "{e}");
            assert!(e.next_step().is_some());
            store.keep("a", &times(1)).unwrap();
            assert_eq!(store.load("a").unwrap(), times(1), "{bad}");
            assert_eq!(std::fs::read_to_string(path.with_extension("json.damaged")).unwrap(), bad);
        }
        let later = "{\"vistter_learned\":2,\"robots\":[]}";
        std::fs::write(&path, later).unwrap();
        let store = LearnedStore::new(&path);
        assert_eq!(store.load("a").unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(store.keep("a", &times(1)).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), later);
        std::fs::remove_dir_all(folder("damaged")).unwrap();
    }
    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_text_panics(text in any::<String>(), tail in any::<String>()) {
            let place = folder("any");
            let path = place.join("learned.json");
            std::fs::create_dir_all(&place).unwrap();
            for t in [text, format!("{{\"vistter_learned\":1,\"cameras\":[{tail}")] {
                std::fs::write(&path, t).unwrap();
                let _ = LearnedStore::new(&path).load("a");
            }
            std::fs::remove_dir_all(&place).unwrap();
        }
    }
}
