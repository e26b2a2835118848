//! What went wrong, in our words. The RTSP library keeps the kind of its errors to itself and gives a status and a text
//! of several lines, whose first says what happened.

use crate::config::Address;
use crate::error::{Error, ErrorKind};

/// Whether the text speaks of one RTP packet, not of the connection: such a text ends in the packet's place.
pub(super) fn is_damaged_packet(text: &str) -> bool {
    text.contains("\npkt: ")
}

/// One line with kind and next step, nothing secret. `status` is the camera's answer, if it gave one.
pub(super) fn explain(address: &Address, step: &str, status: Option<u16>, text: &str) -> Error {
    let line = redact(text.lines().next().unwrap_or_default(), address);
    match status {
        Some(401 | 403) => {
            let (what, next) = if address.credentials().is_some() {
                (
                    "the camera refused the user name or password",
                    "check both; some cameras have a separate RTSP account",
                )
            } else {
                ("the camera wants a user name and password", "put them into the camera's settings here")
            };
            return Error::new(ErrorKind::Unauthorized, what).next(next);
        }
        Some(404) => {
            return Error::new(ErrorKind::NotFound, format!("the camera has no such stream ({step})"))
                .next("check the path of the address; the camera's manual or ONVIF lists its streams");
        }
        Some(453) => {
            return Error::new(ErrorKind::Limit, "the camera has no bandwidth left for another viewer")
                .next("close other viewers of this camera")
                .transient(true);
        }
        Some(461) => {
            return Error::new(ErrorKind::Unsupported, "the camera does not offer this transport")
                .next("set the camera's transport to the other one, tcp or udp");
        }
        _ => {}
    }
    if line.starts_with("Unable to connect") {
        return match os_error(&line) {
            Some(io) => Error::io("connect", &io),
            None => Error::new(ErrorKind::NameResolution, format!("the camera's name does not resolve: {line}"))
                .next("check the host name, or give the camera's IP address"),
        };
    }
    if line.starts_with("Error reading") || line.starts_with("Error writing") || line.starts_with("Error receiving") {
        let what = format!("the connection broke ({step}): {line}");
        let kind = match os_error(&line) {
            Some(io) => Error::io(step, &io).kind(),
            None if line.contains("within") => ErrorKind::Timeout, // a keep-alive without an answer
            // No end of a message in sight within retina's limits is not an I/O fault but not RTSP.
            None if line.contains("nvalid") || line.contains("RTSP message") => ErrorKind::Protocol,
            None => ErrorKind::Closed,
        };
        return Error::new(kind, what);
    }
    Error::new(ErrorKind::Protocol, format!("{step}: {line}"))
        .next("check that the address is an RTSP port; if it is, please report the camera's model")
}

/// The operating system's error that retina printed.
fn os_error(line: &str) -> Option<std::io::Error> {
    let (_, rest) = line.rsplit_once("(os error ")?;
    rest.split_once(')')?.0.parse().ok().map(std::io::Error::from_raw_os_error)
}

/// Takes out what a camera (or the library) may have quoted back at us.
fn redact(line: &str, address: &Address) -> String {
    let line = match address.credentials() {
        Some(c) if c.password.expose().len() >= 3 => line.replace(c.password.expose().as_str(), "…"),
        _ => line.to_owned(),
    };
    let short: String = line.chars().take(400).collect();
    let words = short.split(' ').map(|word| match word.find("://") {
        Some(_) => {
            let start = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
            Address::parse(&word[start..]).map_or_else(|| "…".to_owned(), |a| a.shown().to_owned())
        }
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_addresses_lose_their_secrets() {
        let a = Address::parse("rtsp://u:hunter2@h/user=a&password=hunter2").unwrap();
        let r = redact("can't join \"rtsp://h/user=a&password=hunter2/\" (hunter2)", &a);
        assert!(!r.contains("hunter2"), "{r}");
    }
    fn kind(status: Option<u16>, text: &str) -> ErrorKind {
        explain(&Address::parse("rtsp://h/x").unwrap(), "PLAY", status, text).kind()
    }

    #[test]
    fn texts_and_codes_have_their_kind() {
        assert_eq!(kind(Some(401), "x"), ErrorKind::Unauthorized);
        assert_eq!(kind(Some(404), "x"), ErrorKind::NotFound);
        assert_eq!(kind(Some(461), "x"), ErrorKind::Unsupported);
        assert_eq!(kind(Some(500), "500 response to PLAY"), ErrorKind::Protocol);
        let refused = "Unable to connect to RTSP server: Connection refused (os error 111)";
        assert_eq!(kind(None, refused), ErrorKind::Refused);
        assert_eq!(kind(None, "Unable to connect to RTSP server: failed to lookup"), ErrorKind::NameResolution);
        let reset = "Error reading from RTSP peer: Connection reset by peer (os error 104)\n\nconn: x";
        assert_eq!(kind(None, reset), ErrorKind::Closed);
        let late = "Error reading from RTSP peer: Server failed to respond to keepalive 5 within 30s";
        assert_eq!(kind(None, late), ErrorKind::Timeout);
        assert_eq!(kind(None, "RTSP framing error: x"), ErrorKind::Protocol);
    }
    proptest::proptest! {
        #[test]
        fn no_password_gets_through(before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
            let a = Address::parse("rtsp://u:Tr0ub4dor@h/x").unwrap();
            let e = explain(&a, "PLAY", None, &format!("{before}Tr0ub4dor{after}"));
            proptest::prop_assert!(!e.to_string().contains("Tr0ub4dor"), "{}", e);
        }
    }
}
