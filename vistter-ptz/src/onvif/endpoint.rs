//! Where a service answers.

use std::fmt;

/// Where a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Over TLS.
    pub tls: bool,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

impl Endpoint {
    /// A service's address as the device gives it. The password goes only to the host that the user named, and over TLS if the
    /// user said so: devices behind NAT, or with two addresses, name another one, and then only the path is taken.
    pub fn of_xaddr(xaddr: &str, device: &Self) -> Self {
        let xaddr = xaddr.trim();
        let (scheme, rest) = xaddr.split_once("://").unwrap_or(("", xaddr));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = |a: &str| a.rsplit_once(':').and_then(|(_, p)| p.parse::<u16>().ok());
        let host = |a: &str| match port(a) {
            Some(_) => a.rsplit_once(':').map_or(a, |(h, _)| h).to_ascii_lowercase(),
            None => a.to_ascii_lowercase(),
        };
        let same = scheme.eq_ignore_ascii_case(device.scheme())
            && host(authority) == host(&device.authority)
            && !authority.contains('@');
        let authority = match same {
            true if port(authority).is_some() => authority.to_owned(),
            true => format!("{authority}:{}", if device.tls { 443 } else { 80 }),
            false => device.authority.clone(),
        };
        // What would break the request line ends the path.
        let path: String = path.chars().take_while(|c| c.is_ascii_graphic()).take(512).collect();
        Self { authority, path: format!("/{path}"), tls: device.tls }
    }

    fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_goes_only_to_the_host_that_was_named() {
        let device = Endpoint { authority: "10.0.0.9:8899".into(), path: "/onvif/device_service".into(), tls: false };
        let of = |x: &str| Endpoint::of_xaddr(x, &device).to_string();
        assert_eq!(of("http://10.0.0.9:8899/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9/onvif/ptz?x=1"), "http://10.0.0.9:80/onvif/ptz?x=1");
        assert_eq!(of("http://192.168.1.2:80/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9@evil/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("https://10.0.0.9:443/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9:8899/a\r\nX: y"), "http://10.0.0.9:8899/a");
        assert_eq!(of(""), "http://10.0.0.9:8899/");
        let six = Endpoint { authority: "[fe80::1]:8899".into(), ..device.clone() };
        assert_eq!(Endpoint::of_xaddr("http://[FE80::1]/onvif/ptz", &six).to_string(), "http://[FE80::1]:80/onvif/ptz");
        assert_eq!(Endpoint::of_xaddr("http://[fe80::2]:80/p", &six).to_string(), "http://[fe80::1]:8899/p");
        let safe = Endpoint { authority: "10.0.0.9:443".into(), tls: true, ..device.clone() };
        let of = |x: &str| Endpoint::of_xaddr(x, &safe).to_string();
        assert_eq!(of("http://10.0.0.9:80/onvif/ptz"), "https://10.0.0.9:443/onvif/ptz", "never without TLS");
        assert_eq!(of("https://10.0.0.9/onvif/ptz"), "https://10.0.0.9:443/onvif/ptz");
    }
}
