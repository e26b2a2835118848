//! Where to publish: server, application and key out of what people paste.

use std::fmt;

use vistter_core::config::Address;
use vistter_core::{Error, ErrorKind, Result, Secret};

/// A destination: host, port, TLS or not, application and stream key. Its printable form never shows the key, nor any
/// query (some platforms put tokens there).
#[derive(Clone, PartialEq, Eq)]
pub struct RtmpTarget {
    host: String,
    port: u16,
    tls: bool,
    app: Secret<String>,
    key: Secret<String>,
    shown: String,
}

impl RtmpTarget {
    /// From a server address and a key. Without a key, the last part of the URL is the key.
    ///
    /// The application may have several segments and a query: `rtmps://b.rtmps.youtube.com/live2?backup=1` with a key
    /// keeps `live2?backup=1` whole. In `rtmp://live.twitch.tv/app/KEY?bandwidthtest=true` the query is the key's.
    ///
    /// # Errors
    /// `Config` when the scheme is not `rtmp` or `rtmps`, or application or key are missing; `Unsupported` for a user and
    /// password in the URL (Adobe authentication).
    pub fn new(url: &Address, key: Option<&Secret<String>>) -> Result<Self> {
        let fail = |what: &str, next: &str| {
            Err(Error::new(ErrorKind::Config, what.to_owned()).at(host_of(url)).next(next.to_owned()))
        };
        let tls = match url.scheme() {
            "rtmp" => false,
            "rtmps" => true,
            other => {
                return fail(&format!("a destination cannot be {other}://"), "give an rtmp:// or rtmps:// address");
            }
        };
        if url.credentials().is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "user and password in an RTMP address")
                .at(host_of(url))
                .next("use a stream key"));
        }
        let rest = url.url().split_once("://").map_or("", |(_, r)| r);
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let path = path.split('#').next().unwrap_or("").trim_start_matches('/');
        let Some((host, port)) = split_port(authority, if tls { 443 } else { 1935 }) else {
            return fail("the port is not a number from 1 to 65535", "check the address");
        };
        let (app, key) = match key {
            Some(k) => (path.trim_end_matches('/'), k.expose().trim()),
            None => match split_key(path) {
                Some(parts) => parts,
                None => return fail("there is no stream key", "add \"key\", or put it after the application's name"),
            },
        };
        if app.is_empty() {
            return fail("the address names no application", "add it, such as /live2 for YouTube or /app for Twitch");
        }
        if key.is_empty() {
            return fail("the stream key is empty", "copy it from the platform's page");
        }
        if key.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return fail("the stream key has white space in it", "copy it again from the platform's page");
        }
        // A key may be up to what one AMF0 string holds; real ones have 20 to 200 characters.
        if key.len() > 4096 || app.len() > 1024 {
            return fail("the application or the stream key is too long", "copy it again from the platform's page");
        }
        let scheme = if tls { "rtmps" } else { "rtmp" };
        let (name, query) = app.split_once('?').map_or((app, ""), |(n, _)| (n, "?…"));
        Ok(Self {
            shown: format!("{scheme}://{authority}/{name}{query}/…"),
            host: host.to_owned(),
            port,
            tls,
            app: Secret::new(app.to_owned()),
            key: Secret::new(key.to_owned()),
        })
    }
    /// Parses a URL with the key as its last part.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn parse(url: &str) -> Result<Self> {
        let address = Address::parse(url).ok_or_else(|| {
            Error::new(ErrorKind::Config, "not a URL").next("give rtmp://host[:port]/application/key")
        })?;
        Self::new(&address, None)
    }
    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }
    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
    /// Whether the connection is TLS from the first byte (rtmps).
    pub fn tls(&self) -> bool {
        self.tls
    }
    /// The printable form: no key, no query.
    pub fn shown(&self) -> &str {
        &self.shown
    }
    /// The application as it goes into `connect`. Its query may hold a token: not for logs.
    pub fn app(&self) -> &str {
        self.app.expose()
    }
    /// The stream key. Not for logs.
    pub fn key(&self) -> &Secret<String> {
        &self.key
    }
    /// `tcUrl` of the `connect` command: the address without the key; default ports are left out, as encoders do.
    pub(crate) fn tc_url(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (false, 1935) => format!("rtmp://{host}/{}", self.app()),
            (true, 443) => format!("rtmps://{host}/{}", self.app()),
            (false, p) => format!("rtmp://{host}:{p}/{}", self.app()),
            (true, p) => format!("rtmps://{host}:{p}/{}", self.app()),
        }
    }
}

fn host_of(url: &Address) -> String {
    let rest = url.url().split_once("://").map_or("", |(_, r)| r);
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    format!("{}://{host}/…", url.scheme())
}

fn split_port(authority: &str, default: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.rsplit_once(':') {
            Some((h, p)) => (h, Some(p)),
            None => (authority, None),
        },
    };
    let port = match port {
        None | Some("") => default,
        Some(p) => p.parse().ok().filter(|p| *p != 0)?,
    };
    Some((host, port))
}

/// Splits `app/…/key?query`. A query belongs to the key, but in `live2?backup=1/KEY` it is the application's.
fn split_key(path: &str) -> Option<(&str, &str)> {
    let end_of_path = path.find('?').unwrap_or(path.len());
    let at = match path[..end_of_path].trim_end_matches('/').rfind('/') {
        Some(at) => at,
        None => path.rfind('/')?,
    };
    let (app, key) = (&path[..at], path[at + 1..].trim_end_matches('/'));
    (!app.is_empty() && !key.is_empty()).then_some((app, key))
}

impl fmt::Display for RtmpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
impl fmt::Debug for RtmpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with_key(url: &str, key: &str) -> RtmpTarget {
        RtmpTarget::new(&Address::parse(url).unwrap(), Some(&Secret::from(key))).unwrap()
    }
    fn parts(t: &RtmpTarget) -> (&str, u16, bool, &str, &str) {
        (t.host(), t.port(), t.tls(), t.app(), t.key().expose())
    }

    #[test]
    fn what_platforms_give() {
        let t = with_key("rtmps://b.rtmps.youtube.com:443/live2?backup=1", "abcd-efgh");
        assert_eq!(parts(&t), ("b.rtmps.youtube.com", 443, true, "live2?backup=1", "abcd-efgh"));
        assert_eq!(t.tc_url(), "rtmps://b.rtmps.youtube.com/live2?backup=1");
        assert_eq!(
            format!("{t} {t:?}"),
            "rtmps://b.rtmps.youtube.com:443/live2?…/… rtmps://b.rtmps.youtube.com:443/live2?…/…"
        );
        let t = with_key("rtmps://live-api-s.facebook.com:443/rtmp/", "FB-1-0-Ab?s_bl=1&s_sw=0");
        assert_eq!(parts(&t), ("live-api-s.facebook.com", 443, true, "rtmp", "FB-1-0-Ab?s_bl=1&s_sw=0"));
        let t = RtmpTarget::parse("rtmp://live.twitch.tv/app/live_1_x?bandwidthtest=true").unwrap();
        assert_eq!(parts(&t), ("live.twitch.tv", 1935, false, "app", "live_1_x?bandwidthtest=true"));
        let t = RtmpTarget::parse("rtmp://a.rtmp.youtube.com/live2?backup=1/KEY").unwrap();
        assert_eq!((t.app(), t.key().expose().as_str()), ("live2?backup=1", "KEY"));
        let t = RtmpTarget::parse("rtmp://[::1]:1936/a/b/c/key").unwrap();
        assert_eq!(parts(&t), ("::1", 1936, false, "a/b/c", "key"));
        assert_eq!(t.tc_url(), "rtmp://[::1]:1936/a/b/c");
        let t = RtmpTarget::parse("rtmp://h/live/key?token=a/b").unwrap();
        assert_eq!((t.app(), t.key().expose().as_str()), ("live", "key?token=a/b"));
    }
    #[test]
    fn what_is_wrong_is_said() {
        for (url, word) in [
            ("http://h/live/key", "http://"),
            ("rtmp://h", "no stream key"),
            ("rtmp://h/live", "no stream key"),
            ("rtmp://h/live/", "no stream key"),
            ("rtmp://h:0/live/key", "port"),
            ("rtmp://h:99999/live/key", "port"),
            ("rtmp://u:pass-word@h/live/key", "password"),
        ] {
            let e = RtmpTarget::parse(url).unwrap_err();
            assert!(e.what().contains(word) && e.next_step().is_some(), "{url}: {e}");
            assert!(!e.to_string().contains("pass-word"));
        }
        let a = Address::parse("rtmp://h/").unwrap();
        assert!(RtmpTarget::new(&a, Some(&"k".into())).unwrap_err().what().contains("application"));
        let a = Address::parse("rtmp://h/live").unwrap();
        assert!(RtmpTarget::new(&a, Some(&" ".into())).unwrap_err().what().contains("empty"));
    }
    proptest! {
        #[test]
        fn the_key_is_never_shown(key in "[A-Z]{9,20}", query in "[A-Z]{9,20}") {
            let t = RtmpTarget::parse(&format!("rtmp://host.example/live?t={query}/{key}")).unwrap();
            let shown = format!("{t} {t:?}");
            prop_assert!(!shown.contains(&key) && !shown.contains(&query), "{}", shown);
        }
        #[test]
        fn never_panics(s in "rtmps?://\\PC{0,40}") { let _ = RtmpTarget::parse(&s); }
    }
}
