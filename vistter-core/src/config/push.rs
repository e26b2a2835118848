//! Encoders that push: the address at which a camera's stream comes in by RTMP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// RTMP's registered port.
const RTMP_PORT: u16 = 1935;
/// Longest application and key; real ones have 20 to 200 characters.
const MOST: usize = 1024;

/// Where an encoder pushes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The application that it publishes to.
    pub app: String,
    /// Its stream key.
    pub key: Secret<String>,
}

impl Push {
    /// From `rtmp://OWN-ADDRESS[:PORT]/APP` and a key, or from `rtmp://OWN-ADDRESS[:PORT]/APP/KEY`. The address is a number,
    /// `localhost`, or `*` for all of this machine's.
    ///
    /// # Errors
    /// `Config`, when it is none of these. Nothing of it is quoted.
    pub fn new(address: &Address, key: Option<&Secret<String>>) -> Result<Self> {
        let bad = |what: &str| {
            Error::new(ErrorKind::Config, what)
                .next("give rtmp://OWN-ADDRESS:1935/APP and a key; 0.0.0.0 is all addresses")
        };
        if address.scheme() != "rtmp" {
            return Err(bad("encoders push by rtmp://"));
        }
        let at = address.parts().ok_or_else(|| bad("the port is no number from 1 to 65535"))?;
        let ip: IpAddr = match at.host {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            "*" => Ipv4Addr::UNSPECIFIED.into(),
            h => h.trim_matches(['[', ']']).parse().map_err(|_| {
                bad("an encoder pushes to an address of this machine, as a number (0.0.0.0 for all of them)")
            })?,
        };
        let path = at.path.trim_matches('/');
        let (app, key) = match key {
            Some(k) => (path, k.expose().trim()),
            None => path.rsplit_once('/').unwrap_or((path, "")),
        };
        if app.is_empty() {
            return Err(bad("the address names no application"));
        }
        if key.is_empty() {
            return Err(bad("there is no stream key"));
        }
        let odd = |s: &str| s.len() > MOST || s.chars().any(|c| c.is_whitespace() || c.is_control() || c == '?');
        if odd(app) || odd(key) {
            return Err(bad("application or key has white space or a question mark in it, or is too long"));
        }
        let listen = SocketAddr::new(ip, at.port.unwrap_or(RTMP_PORT));
        Ok(Self { listen, app: app.to_owned(), key: Secret::from(key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ShowConfig;

    #[test]
    fn a_show_has_encoders_as_cameras() {
        let show = |cameras: &str| {
            let text = format!(r#"{{ "vistter": 1, "cameras": [ {cameras} ] }}"#);
            let found = match ShowConfig::from_json_with(&text, &|n| (n == "K").then(|| "hunter2".to_owned())) {
                Ok((_, warnings)) => warnings,
                Err(found) => found,
            };
            assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
            let about = found.into_iter().filter(|d| d.pointer.starts_with("/cameras/"));
            about.map(|d| format!("{} {}", d.pointer, d.code)).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        assert_eq!(show(r#"{ "id": "a", "url": "rtmp://0.0.0.0/live", "key": { "env": "K" } }"#), none);
        assert_eq!(show(r#"{ "id": "a", "url": "rtmp://0.0.0.0/live/hunter2" }"#), none);
        assert_eq!(show(r#"{ "id": "a", "url": "rtmp://0.0.0.0/live" }"#), ["/cameras/0/url SHOW-URL"]);
        assert_eq!(
            show(r#"{ "id": "a", "url": "rtmp://cam.lan/live", "key": "hunter2" }"#),
            ["/cameras/0/url SHOW-URL"]
        );
        assert_eq!(show(r#"{ "id": "a", "url": "rtsp://h/", "key": "hunter2" }"#), ["/cameras/0/key SHOW-KEY"]);
        let two = r#"{ "id": "a", "url": "rtmp://0.0.0.0/live/k" }, { "id": "b", "url": "rtmp://0.0.0.0:1935/live", "key": "k" }"#;
        assert_eq!(show(two), ["/cameras/1/url SHOW-DUPLICATE"]);
        let odd = r#"{ "id": "a", "url": "rtmp://0.0.0.0/live/k", "transport": "udp", "tls_pin": "x", "user": "u" }"#;
        assert_eq!(show(odd), ["/cameras/0 SHOW-USER"; 3]);
    }
    #[test]
    fn where_encoders_push_to() {
        let of =
            |url: &str, key: Option<&str>| Push::new(&Address::parse(url).unwrap(), key.map(Secret::from).as_ref());
        for (url, key, listen, app) in [
            ("rtmp://0.0.0.0/live", Some("k1"), "0.0.0.0:1935", "live"),
            ("rtmp://127.0.0.1:1936/live/k1", None, "127.0.0.1:1936", "live"),
            ("rtmp://[::1]:9/a/b/k1", None, "[::1]:9", "a/b"),
            ("rtmp://localhost/live/", Some(" k1\n"), "127.0.0.1:1935", "live"),
            ("rtmp://*/live", Some("k1"), "0.0.0.0:1935", "live"),
        ] {
            let p = of(url, key).unwrap();
            assert_eq!((p.listen.to_string().as_str(), p.app.as_str(), p.key.expose().as_str()), (listen, app, "k1"));
        }
        for (url, key) in [
            ("rtmps://0.0.0.0/live", Some("hunter2")),
            ("rtmp://cam.lan/live", Some("hunter2")),
            ("rtmp://0.0.0.0:0/live", Some("hunter2")),
            ("rtmp://0.0.0.0/hunter2", None),
            ("rtmp://0.0.0.0/", Some("hunter2")),
            ("rtmp://0.0.0.0/live", Some(" ")),
            ("rtmp://0.0.0.0/live", Some("hunter2 hunter2")),
            ("rtmp://0.0.0.0/live/hunter2?x=1", None),
        ] {
            let e = of(url, key).unwrap_err();
            assert!(e.next_step().is_some() && !format!("{e:?}").contains("hunter2"), "{url}: {e}");
        }
    }
}
