//! What the program's end means to a script. Documented in `docs/cli.md` and in `vistter --help`.

use std::process::ExitCode;

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done as asked.
    Ok,
    /// It could not be done: the camera or the machine said no.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The show file or an overlay is wrong.
    Invalid,
    /// The show ran, and a part of it never worked: a destination, the recording, an overlay or a camera.
    Incomplete,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Incomplete => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(e: Exit) -> Self {
        e.code().into()
    }
}
