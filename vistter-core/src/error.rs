//! One error type for core and everything that implements its traits.

use std::fmt;

/// What went wrong, in a form that code can match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A configuration value or file is wrong. Final until it is edited.
    Config,
    /// The host name does not resolve.
    NameResolution,
    /// Nothing listens there, or the network has no way to it.
    Refused,
    /// The peer did not answer in time.
    Timeout,
    /// The peer closed or reset the connection.
    Closed,
    /// The TLS handshake or a certificate failed.
    Tls,
    /// Wrong user or password.
    Unauthorized,
    /// The address is right and the resource is not there (RTSP 404, unknown RTMP application).
    NotFound,
    /// A destination refused the stream key, or the key is in use.
    Rejected,
    /// The peer broke its protocol.
    Protocol,
    /// The peer sent media that is not decodable.
    Media,
    /// What was asked for is outside what this build or this peer can do.
    Unsupported,
    /// A codec or encoder backend failed.
    Codec,
    /// A local file or device failed.
    Io,
    /// The disk is full.
    DiskFull,
    /// A limit was reached: size, depth, memory.
    Limit,
    /// A fault in this program; please report it.
    Internal,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The configuration or the caller.
    User,
    /// The camera, platform or network.
    Peer,
    /// The machine we run on.
    Machine,
    /// This program.
    Ours,
}

/// What happened, where, and what to do next. Never holds a secret: build it from redacted addresses only.
///
/// A struct with a kind rather than an enum of structs, because every case carries the same three sentences and the
/// sibling crates return it from the traits they implement.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    what: String,
    at: Option<String>,
    next: Option<String>,
    transient: Option<bool>,
}

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A new error: `what` says what happened, in words for the person who reads the log.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { inner: Box::new(Inner { kind, what: what.into(), at: None, next: None, transient: None }) }
    }
    /// Where it happened: a camera or destination name, a redacted URL, a file with line and column.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.inner.at = Some(place.into());
        self
    }
    /// What to do next.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.inner.next = Some(step.into());
        self
    }
    /// Overrides what the kind implies about retrying.
    #[must_use]
    pub fn transient(mut self, yes: bool) -> Self {
        self.inner.transient = Some(yes);
        self
    }
    /// From an I/O error; `doing` is what was tried, such as `"connect"` or `"write the recording"`.
    pub fn io(doing: &str, e: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let (kind, next) = match e.kind() {
            K::ConnectionRefused | K::HostUnreachable | K::NetworkUnreachable | K::AddrNotAvailable => {
                (ErrorKind::Refused, "check the address and port, and that the device is on and reachable")
            }
            K::TimedOut => (ErrorKind::Timeout, "check the network path to the device"),
            K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof | K::NotConnected => {
                (ErrorKind::Closed, "")
            }
            K::StorageFull | K::QuotaExceeded => (ErrorKind::DiskFull, "free some space or choose another folder"),
            // FAT ends at 4 GiB a file.
            K::FileTooLarge => (ErrorKind::DiskFull, "choose a folder on a file system that takes larger files"),
            K::NotFound => (ErrorKind::Io, "check the path"),
            K::PermissionDenied => (ErrorKind::Io, "check the permissions of the path"),
            _ => (ErrorKind::Io, ""),
        };
        let err = Self::new(kind, format!("{doing}: {e}"));
        if next.is_empty() { err } else { err.next(next) }
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }
    /// What happened, without place and next step.
    pub fn what(&self) -> &str {
        &self.inner.what
    }
    /// Where, if known.
    pub fn place(&self) -> Option<&str> {
        self.inner.at.as_deref()
    }
    /// What to do next, if there is something.
    pub fn next_step(&self) -> Option<&str> {
        self.inner.next.as_deref()
    }
    /// Whether trying the same thing again later can succeed.
    pub fn is_transient(&self) -> bool {
        self.inner.transient.unwrap_or(match self.inner.kind {
            ErrorKind::NameResolution
            | ErrorKind::Refused
            | ErrorKind::Timeout
            | ErrorKind::Closed
            | ErrorKind::Protocol
            | ErrorKind::Media
            | ErrorKind::NotFound
            | ErrorKind::DiskFull
            | ErrorKind::Io => true,
            ErrorKind::Config
            | ErrorKind::Tls
            | ErrorKind::Unauthorized
            | ErrorKind::Rejected
            | ErrorKind::Unsupported
            | ErrorKind::Codec
            | ErrorKind::Limit
            | ErrorKind::Internal => false,
        })
    }
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self.inner.kind {
            ErrorKind::Config | ErrorKind::Unauthorized | ErrorKind::Rejected => Fault::User,
            ErrorKind::Io | ErrorKind::DiskFull | ErrorKind::Codec => Fault::Machine,
            ErrorKind::Internal => Fault::Ours,
            _ => Fault::Peer,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.inner.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.inner.what)?;
        if let Some(next) = &self.inner.next {
            write!(f, " ({next})")?;
        }
        Ok(())
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.inner.kind)
    }
}
impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_and_next() {
        let e = Error::new(ErrorKind::Unauthorized, "the camera refused the password").at("gate").next("check it");
        assert_eq!(e.to_string(), "gate: the camera refused the password (check it)");
        assert!(!e.is_transient());
        assert_eq!(e.fault(), Fault::User);
    }
    #[test]
    fn io_kinds() {
        let e = Error::io("connect", &std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        assert_eq!(e.kind(), ErrorKind::Refused);
        assert!(e.is_transient());
        let e = Error::io("record", &std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::DiskFull, true), "a further file may fit");
        assert!(e.next_step().is_some_and(|n| n.contains("larger files")));
    }
}
