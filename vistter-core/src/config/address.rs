//! A URL with its secrets taken out before anything can print it.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// User and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret<String>,
}

/// A camera's or server's address. User and password inside the URL are split off on construction; `Display` and
/// `Debug` show neither them nor query values that look like secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    full: Secret<String>,
    shown: String,
    scheme: String,
    credentials: Option<Credentials>,
}

/// What an address is made of, beside its scheme. Path and fragment may hold secrets: not for logs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Host name or address; IPv6 in brackets.
    pub host: &'a str,
    /// The port, if it names one.
    pub port: Option<u16>,
    /// Path and query, from the slash or question mark on; may be empty.
    pub path: &'a str,
    /// What stands behind `#`.
    pub fragment: &'a str,
}

impl Parts<'_> {
    /// Host and port, the usual one where none is named.
    pub fn authority(&self, usual: u16) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(usual))
    }
}

/// Parts of a URL (query or path, `name=value`) whose value is a secret.
const SECRET_NAMES: [&str; 11] =
    ["password", "passwd", "pass", "pwd", "token", "secret", "auth", "key", "streamkey", "signature", "sig"];

impl Address {
    /// Takes a URL apart. `None` without `scheme://host`, with white space or control characters.
    ///
    /// Passwords with unescaped `@` work: the last `@` before the first `/` ends the credentials.
    pub fn parse(url: &str) -> Option<Self> {
        let url = url.trim();
        if url.len() > 4096 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'-') {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((u, h)) => (Some(u), h),
            None => (None, authority),
        };
        if host.is_empty() || host.starts_with(':') {
            return None;
        }
        let credentials = userinfo.map(|u| {
            let (user, password) = u.split_once(':').unwrap_or((u, ""));
            Credentials { user: percent_decode(user), password: Secret::new(percent_decode(password)) }
        });
        Some(Self {
            full: Secret::new(format!("{scheme}://{host}{path}")),
            shown: format!("{scheme}://{host}{}", mask(path)),
            scheme,
            credentials,
        })
    }
    /// The URL without user and password, for the code that connects. It may hold secrets in its query: not for logs.
    pub fn url(&self) -> &str {
        self.full.expose()
    }
    /// `rtsp`, `rtsps`, `rtmp` … in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }
    /// Its parts; `None` when the port is none (1 to 65535).
    pub fn parts(&self) -> Option<Parts<'_>> {
        let rest = self.url().split_once("://").map_or("", |(_, r)| r);
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // The colon behind an IPv6 address's brackets, or the only one.
        let (host, port) = match authority.rsplit_once(':').filter(|(h, _)| !h.contains(':') || h.ends_with(']')) {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|p| *p > 0)?)),
            None => (authority, None),
        };
        Some(Parts { host, port, path, fragment })
    }
    /// User and password, if there are any.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
    /// The same address with these credentials instead.
    #[must_use]
    pub fn with_credentials(mut self, c: Credentials) -> Self {
        self.credentials = Some(c);
        self
    }
    /// The printable form.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

fn mask(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (i, piece) in path.split_inclusive(['/', '?', '&', ';', '#']).enumerate() {
        let (body, sep) = match piece.char_indices().next_back() {
            Some((at, '/' | '?' | '&' | ';' | '#')) => piece.split_at(at),
            _ => (piece, ""),
        };
        match body.split_once('=') {
            Some((name, _)) if i > 0 && SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()) => {
                out.push_str(name);
                out.push_str("=…");
            }
            // The XM clones join the parts with underscores: user=admin_password=x_channel=1_stream=0.sdp
            _ => match body.to_ascii_lowercase().find("_password=").filter(|at| body.is_char_boundary(*at)) {
                Some(at) if i > 0 => {
                    let value = at + "_password=".len();
                    let end = body[value..].find('_').map_or(body.len(), |n| value + n);
                    out.push_str(&body[..value]);
                    out.push('…');
                    out.push_str(&body[end..]);
                }
                _ => out.push_str(body),
            },
        }
        out.push_str(sep);
    }
    out
}

fn percent_decode(s: &str) -> String {
    let b = s.as_bytes();
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        let hex = (b[i] == b'%')
            .then(|| b.get(i + 1..i + 3))
            .flatten()
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(v) => {
                out.push(v);
                i += 3;
            }
            None => {
                out.push(b[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| s.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // The text is not quoted in the error: it may hold a password.
        Self::parse(&String::deserialize(d)?).ok_or_else(|| {
            serde::de::Error::custom("not a URL: expected scheme://host[:port]/path, such as rtsp://192.0.2.10/stream1")
        })
    }
}
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Address {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uri" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credentials_leave_the_url() {
        let a = Address::parse("RTSP://admin:p%40ss@w0rd@10.0.0.5:554/live?channel=1&password=xyz").unwrap();
        assert_eq!(a.credentials().unwrap().user, "admin");
        assert_eq!(a.credentials().unwrap().password.expose(), "p@ss@w0rd");
        assert_eq!(a.url(), "rtsp://10.0.0.5:554/live?channel=1&password=xyz");
        assert_eq!(
            format!("{a} {a:?}"),
            "rtsp://10.0.0.5:554/live?channel=1&password=… rtsp://10.0.0.5:554/live?channel=1&password=…"
        );
        // The XM and Dahua clones put them into the path.
        assert_eq!(
            Address::parse("rtsp://h/user=a&password=b&channel=1").unwrap().shown(),
            "rtsp://h/user=a&password=…&channel=1"
        );
        assert_eq!(
            Address::parse("rtsp://h/user=a_password=tlJwpbo6_channel=1_stream=0.sdp?real_stream").unwrap().shown(),
            "rtsp://h/user=a_password=…_channel=1_stream=0.sdp?real_stream"
        );
        for bad in ["", "rtsp:/x", "rtsp://", "rtsp:// h", "://h", "rtsp://:554/", "rtsp://u:p@/x"] {
            assert!(Address::parse(bad).is_none(), "{bad}");
        }
    }
    #[test]
    fn parts() {
        let of = |url: &str| {
            let a = Address::parse(url).unwrap();
            let p = a.parts()?;
            Some((p.host.to_owned(), p.port, p.path.to_owned(), p.fragment.to_owned(), p.authority(9)))
        };
        for (url, host, port, path, fragment, authority) in [
            ("rtsp://u:p@10.0.0.5:554/live?a=1#b=2", "10.0.0.5", Some(554), "/live?a=1", "b=2", "10.0.0.5:554"),
            ("onvif://[fe80::1]", "[fe80::1]", None, "", "", "[fe80::1]:9"),
            ("onvif://[fe80::1]:80#x", "[fe80::1]", Some(80), "", "x", "[fe80::1]:80"),
            ("onvif://fe80::1/x", "fe80::1", None, "/x", "", "fe80::1:9"),
            ("http://cam?x#", "cam", None, "?x", "", "cam:9"),
            ("http://cam#a/b:c", "cam", None, "", "a/b:c", "cam:9"),
        ] {
            let want = (host.to_owned(), port, path.to_owned(), fragment.to_owned(), authority.to_owned());
            assert_eq!(of(url), Some(want), "{url}");
        }
        for url in ["rtsp://h:0/", "rtsp://h:65536", "rtsp://h:/x", "rtsp://h:x", "rtsp://[::1]:-1/"] {
            assert_eq!(of(url), None, "{url}");
        }
    }
    proptest! {
        #[test]
        fn a_password_is_never_shown(p in "[a-zA-Z0-9!$&*]{8,20}") {
            if let Some(a) = Address::parse(&format!("rtsp://u:{p}@h.example/stream")) {
                let shown = format!("{a}{a:?}");
                prop_assert!(!shown.contains(&p), "{}", shown);
            }
        }
        #[test]
        fn never_panics(s in "\\PC{0,60}") { let _ = Address::parse(&s).map(|a| a.parts().map(|p| p.authority(1))); }
    }
}
