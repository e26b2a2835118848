//! The stream's address as the device gives it, made fit for use: on the host that the user named, with the user's
//! password and without one that stands in it.

use vistter_core::config::{Address, Credentials};
use vistter_core::{Error, ErrorKind, Result};

/// The address to open, and the other host that the device named.
pub(super) fn address(uri: &str, host: &str, credentials: Option<&Credentials>) -> Result<(Address, Option<String>)> {
    let bad = |what: &str| {
        Error::new(ErrorKind::Protocol, what)
            .next("look up the stream's address in the camera's manual and onboard that")
    };
    let given = Address::parse(uri).ok_or_else(|| bad("the camera's stream address is no URL"))?;
    if !matches!(given.scheme(), "rtsp" | "rtsps") {
        return Err(bad(&format!("the camera gives its stream by {}://, not by RTSP", given.scheme())));
    }
    let parts = given.parts().ok_or_else(|| bad("the port in the camera's stream address is none"))?;
    // Devices behind NAT, or with two addresses, name another host. The password goes only to the one that the user named.
    let other = (!parts.host.eq_ignore_ascii_case(host)).then(|| parts.host.to_owned());
    let port = parts.port.map(|p| format!(":{p}")).unwrap_or_default();
    // What stands behind # is not said to a server.
    let url = format!("{}://{host}{port}{}", given.scheme(), parts.path);
    let here = Address::parse(&url).ok_or_else(|| bad("the camera's stream address is no URL"))?;
    let credentials = credentials.or(given.credentials()).cloned();
    Ok((credentials.map_or_else(|| here.clone(), |c| here.clone().with_credentials(c)), other))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_users_host_and_password_win() {
        let c = Credentials { user: "me".into(), password: "mine".into() };
        let of = |uri: &str, host: &str| {
            let (a, other) = address(uri, host, Some(&c)).unwrap();
            assert_eq!(a.credentials(), Some(&c));
            (a.url().to_owned(), other)
        };
        assert_eq!(of("rtsp://10.0.0.2:554/a?b=1", "10.0.0.2"), ("rtsp://10.0.0.2:554/a?b=1".into(), None));
        assert_eq!(of("rtsp://x:y@10.0.0.2/a", "10.0.0.2"), ("rtsp://10.0.0.2/a".into(), None));
        assert_eq!(
            of("rtsp://192.168.1.2:10554/a", "cam.lan"),
            ("rtsp://cam.lan:10554/a".into(), Some("192.168.1.2".into()))
        );
        assert_eq!(of("RTSPS://[fe80::1]:322/a", "[fe80::1]"), ("rtsps://[fe80::1]:322/a".into(), None));
        let (a, _) = address("rtsp://own:secret@10.0.0.2/a", "10.0.0.2", None).unwrap();
        assert_eq!(a.credentials().map(|c| c.user.as_str()), Some("own"));
        for bad in ["", "http://10.0.0.2/a", "rtsp://10.0.0.2:99999/a", "rtsp://", "10.0.0.2"] {
            assert_eq!(address(bad, "10.0.0.2", None).unwrap_err().kind(), ErrorKind::Protocol, "{bad}");
        }
    }
    proptest! {
        #[test]
        fn no_uri_panics_or_leaves_the_host(uri in "(rtsp|RTSPS)://[ -~]{0,40}") {
            if let Ok((a, _)) = address(&uri, "cam.lan", None) {
                let rest = a.url().split_once("://").unwrap().1.to_owned();
                prop_assert!(rest == "cam.lan" || rest.starts_with("cam.lan:") || rest.starts_with("cam.lan/")
                    || rest.starts_with("cam.lan?") || rest.starts_with("cam.lan#"), "{} {}", uri, rest);
            }
        }
    }
}
