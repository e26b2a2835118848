//! The camera's side of passwords: HTTP Digest and WS-UsernameToken, with the faults that real cameras have.

use std::collections::VecDeque;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use vistter_core::Secret;
use vistter_core::clock::WallTime;
use vistter_core::time::MediaTime;

use crate::onvif::auth::{Challenge, base64, parameters};
use crate::onvif::http::Message;
use crate::onvif::time::iso8601;
use crate::onvif::xml::Element;

/// User and password, and how they are to be shown.
#[derive(Clone, Debug, Default)]
pub struct OnvifAuth {
    /// `None`: everybody may.
    pub password: Option<(String, Secret<String>)>,
    /// Takes HTTP Digest, and asks for it.
    pub http_digest: bool,
    /// Takes WS-UsernameToken with a digest.
    pub ws_digest: bool,
    /// Takes WS-UsernameToken with the password as text.
    pub ws_text: bool,
    /// Asks for the password even for GetServices and GetCapabilities.
    pub strict: bool,
    /// Requests that may use one nonce before it is stale (HTTP Digest); 0 = any number.
    pub nonce_uses: u32,
}

/// A UsernameToken is taken within so much of the camera's clock.
const FRESH: MediaTime = MediaTime::from_secs(10);
const REALM: &str = "vistter simulated camera";
/// Nonces that were seen, so that a message cannot be played again.
const MOST_SEEN: usize = 256;

/// The camera's side of a conversation about passwords, sans-IO.
#[derive(Clone, Debug)]
pub struct Guard {
    auth: OnvifAuth,
    serial: u32,
    uses: u32,
    seen: VecDeque<String>,
    wrong: u32,
}

impl Guard {
    /// A guard that has seen nothing.
    pub fn new(auth: OnvifAuth) -> Self {
        Self { auth, serial: 1, uses: 0, seen: VecDeque::new(), wrong: 0 }
    }
    /// How many wrong passwords were shown.
    pub fn wrong(&self) -> u32 {
        self.wrong
    }
    /// A restart: other nonces.
    pub fn forget(&mut self) {
        self.serial += 1;
        self.uses = 0;
        self.seen.clear();
    }

    /// Whether a request may pass. `wall` is the camera's clock, `header` the envelope's.
    ///
    /// # Errors
    /// It may not; with a `WWW-Authenticate` field, if the camera asks by HTTP.
    pub fn check(
        &mut self,
        wall: WallTime,
        request: &Message,
        path: &str,
        header: Option<&Element>,
    ) -> Result<(), Option<String>> {
        let Some((user, password)) = self.auth.password.clone() else { return Ok(()) };
        let mut stale = false;
        if let Some(field) = request.field("authorization").filter(|_| self.auth.http_digest) {
            match self.http(field, &user, password.expose(), path) {
                Verdict::Right => return Ok(()),
                Verdict::Stale => stale = true,
                Verdict::Wrong => self.wrong += 1,
            }
        } else if let Some(token) = header.and_then(|h| h.at(&["Security", "UsernameToken"])) {
            if self.token(token, &user, password.expose(), wall) {
                return Ok(());
            }
            self.wrong += 1;
            return Err(None); // asked by SOAP, refused by SOAP
        } else if request.field("authorization").is_some() {
            self.wrong += 1;
        }
        Err(self.auth.http_digest.then(|| {
            let stale = if stale { ", stale=true" } else { "" };
            format!("Digest realm=\"{REALM}\", qop=\"auth\", algorithm=MD5, nonce=\"{}\"{stale}", self.nonce())
        }))
    }

    fn nonce(&self) -> String {
        format!("n{:08x}", self.serial.wrapping_mul(0x9e37_79b1))
    }

    fn http(&mut self, field: &str, user: &str, password: &str, path: &str) -> Verdict {
        let Some(rest) = field.strip_prefix("Digest ") else { return Verdict::Wrong };
        let all = parameters(rest);
        let of = |n: &str| all.iter().find(|(k, _)| k == n).map(|(_, v)| v.as_str()).unwrap_or_default();
        if of("nonce") != self.nonce() {
            return Verdict::Stale;
        }
        let challenge =
            Challenge { realm: REALM.into(), nonce: self.nonce(), qop: !of("qop").is_empty(), ..Challenge::default() };
        let count = u32::from_str_radix(of("nc"), 16).unwrap_or(1);
        let right = challenge.answer(user, password, "POST", path, count, of("cnonce"));
        let right = parameters(right.strip_prefix("Digest ").unwrap_or_default());
        let response = right.iter().find(|(k, _)| k == "response").map(|(_, v)| v.as_str());
        if of("username") != user || of("uri") != path || response != Some(of("response")) {
            return Verdict::Wrong;
        }
        self.uses += 1;
        if self.auth.nonce_uses > 0 && self.uses >= self.auth.nonce_uses {
            self.forget();
        }
        Verdict::Right
    }

    fn token(&mut self, token: &Element, user: &str, password: &str, wall: WallTime) -> bool {
        let text = |n: &str| token.text_at(&[n]).unwrap_or_default();
        let kind = token.child("Password").and_then(|p| p.attribute("Type")).unwrap_or_default();
        if text("Username") != user {
            return false;
        }
        if !kind.ends_with("#PasswordDigest") {
            return self.auth.ws_text && text("Password") == password;
        }
        let (created, nonce) = (text("Created"), text("Nonce"));
        // The clock, without reading the calendar: the same second, or one close by.
        let secs = FRESH.nanos() / 1_000_000_000;
        let near = (-secs..=secs).any(|s| {
            let at = iso8601(wall.plus(MediaTime::from_secs(s)));
            created.get(..19) == at.get(..19)
        });
        let Some(raw) = from_base64(nonce).filter(|_| self.auth.ws_digest && near) else { return false };
        if self.seen.iter().any(|n| n == nonce) {
            return false;
        }
        self.seen.push_back(nonce.to_owned());
        if self.seen.len() > MOST_SEEN {
            self.seen.pop_front();
        }
        let all = [raw.as_slice(), created.as_bytes(), password.as_bytes()].concat();
        base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &all).as_ref()) == text("Password")
    }
}

enum Verdict {
    Right,
    Stale,
    Wrong,
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0u32, 0u32);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let v = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        word = word << 6 | u32::from(v);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    Some(out)
}
