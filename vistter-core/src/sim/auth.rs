//! The camera's side of HTTP authentication: Basic (RFC 7617) and Digest without `qop` (RFC 2617 §3.2.2.1).

use md5::{Digest, Md5};

use super::CameraAuth;
use crate::config::Credentials;

const REALM: &str = "vistter test camera";

/// The `WWW-Authenticate` header that asks for a password.
pub(super) fn challenge(auth: &CameraAuth, nonce: &str) -> Option<String> {
    match auth {
        CameraAuth::Open => None,
        CameraAuth::Basic(_) => Some(format!("Basic realm=\"{REALM}\"")),
        CameraAuth::Digest(_) => Some(format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\"")),
    }
}

/// Whether a request may pass.
pub(super) fn allowed(auth: &CameraAuth, nonce: &str, method: &str, uri: &str, header: Option<&str>) -> bool {
    match auth {
        CameraAuth::Open => true,
        CameraAuth::Basic(c) => header
            .and_then(|h| h.trim().strip_prefix("Basic "))
            .is_some_and(|h| h.trim() == base64(format!("{}:{}", c.user, c.password.expose()).as_bytes())),
        CameraAuth::Digest(c) => header.is_some_and(|h| digest_ok(c, nonce, method, uri, h)),
    }
}

fn digest_ok(c: &Credentials, nonce: &str, method: &str, uri: &str, header: &str) -> bool {
    let Some(rest) = header.trim().strip_prefix("Digest ") else { return false };
    let field = |name: &str| {
        rest.split(',')
            .filter_map(|p| p.split_once('='))
            .find(|(k, _)| k.trim() == name)
            .map(|(_, v)| v.trim().trim_matches('"'))
    };
    let (Some(user), Some(theirs), Some(at), Some(response)) =
        (field("username"), field("nonce"), field("uri"), field("response"))
    else {
        return false;
    };
    // RFC 2617 §3.2.2.5 lets a server refuse another URI than the request's; strict cameras do.
    if user != c.user || theirs != nonce || at != uri {
        return false;
    }
    let ha1 = md5(&format!("{}:{REALM}:{}", c.user, c.password.expose()));
    let ha2 = md5(&format!("{method}:{at}"));
    response.eq_ignore_ascii_case(&md5(&format!("{ha1}:{nonce}:{ha2}")))
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

pub(super) fn base64(data: &[u8]) -> String {
    const ABC: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in data.chunks(3) {
        let word = group.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let letter = ABC[(word >> (18 - 6 * i) & 63) as usize] as char;
            out.push(if i <= group.len() { letter } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic() {
        // RFC 7617 §2
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let auth = CameraAuth::Basic(Credentials { user: "a".into(), password: "b".into() });
        assert!(allowed(&auth, "", "DESCRIBE", "x", Some("Basic YTpi")));
        assert!(!allowed(&auth, "", "DESCRIBE", "x", Some("Basic YTpj")));
        assert!(!allowed(&auth, "", "DESCRIBE", "x", None));
    }
    #[test]
    fn digest() {
        let auth = CameraAuth::Digest(Credentials { user: "u".into(), password: "p".into() });
        let ha1 = md5(&format!("u:{REALM}:p"));
        let response = md5(&format!("{ha1}:n1:{}", md5("PLAY:rtsp://h/s")));
        let header = |nonce: &str, uri: &str| {
            format!(
                "Digest username=\"u\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
            )
        };
        assert!(allowed(&auth, "n1", "PLAY", "rtsp://h/s", Some(&header("n1", "rtsp://h/s"))));
        assert!(!allowed(&auth, "n2", "PLAY", "rtsp://h/s", Some(&header("n1", "rtsp://h/s"))));
        assert!(!allowed(&auth, "n1", "PLAY", "rtsp://h/t", Some(&header("n1", "rtsp://h/t"))));
        assert_eq!(md5(""), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
