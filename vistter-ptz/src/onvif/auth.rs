//! How a device wants the password, found out without locking the account: the first request goes without one; a method is
//! tried once with a password that may be wrong; after the last method nothing more is sent.
//!
//! Order: HTTP Digest if the device asks for it, WS-UsernameToken digest, and then (if allowed) the ones that show the
//! password to the network: WS-UsernameToken text, HTTP Basic.

use md5::{Digest as _, Md5};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use vistter_core::clock::WallTime;

use super::time::iso8601;
use super::xml::escape;

/// How a password is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Not at all.
    None,
    /// RFC 7616 and RFC 2617.
    HttpDigest,
    /// WS-Security UsernameToken profile, PasswordDigest.
    WsDigest,
    /// WS-Security UsernameToken profile, PasswordText.
    WsText,
    /// RFC 7617.
    HttpBasic,
}

/// What to do after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Say it again with [`Authenticator::method`].
    Again,
    /// No more tries.
    GiveUp,
}

/// A digest challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Protection space.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be given back.
    pub opaque: Option<String>,
    /// Whether `qop=auth` is offered.
    pub qop: bool,
    /// SHA-256 instead of MD5.
    pub sha256: bool,
    /// The nonce was too old; the password was right.
    pub stale: bool,
}

impl Challenge {
    /// From a `WWW-Authenticate` field; `None` if it has no digest challenge that can be answered.
    pub fn parse(field: &str) -> Option<Self> {
        let at = field.to_ascii_lowercase().find("digest ")?;
        let mut c = Self::default();
        let mut algorithm = String::from("md5");
        for (name, value) in parameters(field.get(at + 7..)?) {
            match name.as_str() {
                "realm" if c.realm.is_empty() => c.realm = value,
                "nonce" if c.nonce.is_empty() => c.nonce = value,
                "opaque" => c.opaque = Some(value),
                "qop" => c.qop = value.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")),
                "algorithm" => algorithm = value.to_ascii_lowercase(),
                "stale" => c.stale = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        c.sha256 = algorithm == "sha-256";
        (!c.nonce.is_empty() && (c.sha256 || algorithm == "md5")).then_some(c)
    }

    /// The `Authorization` field that answers it.
    pub fn answer(&self, user: &str, password: &str, method: &str, uri: &str, count: u32, cnonce: &str) -> String {
        let h = |s: String| {
            if self.sha256 { hex(digest(&SHA256, s.as_bytes()).as_ref()) } else { hex(&Md5::digest(s.as_bytes())) }
        };
        let ha1 = h(format!("{user}:{}:{password}", self.realm));
        let ha2 = h(format!("{method}:{uri}"));
        let response = if self.qop {
            h(format!("{ha1}:{}:{count:08x}:{cnonce}:auth:{ha2}", self.nonce))
        } else {
            h(format!("{ha1}:{}:{ha2}", self.nonce))
        };
        let q = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], "");
        let mut out = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\"",
            q(user),
            q(&self.realm),
            q(&self.nonce)
        );
        if self.sha256 {
            out.push_str(", algorithm=SHA-256");
        }
        if let Some(o) = &self.opaque {
            out.push_str(&format!(", opaque=\"{}\"", q(o)));
        }
        if self.qop {
            out.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        }
        out
    }
}

/// `name=value` and `name="quoted \" value"` pairs, separated by commas (RFC 9110 §11.2).
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '=')).collect();
        if chars.next().is_none() {
            return out;
        }
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let mut value = String::new();
        while chars.next_if(|c| *c == ' ').is_some() {}
        if chars.next_if_eq(&'"').is_some() {
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => value.extend(chars.next()),
                    c => value.push(c),
                }
            }
            while chars.next_if(|c| *c != ',').is_some() {}
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                value.push(c);
            }
            value.truncate(value.trim_end().len());
        }
        out.push((name, value));
    }
}

/// The header of a UsernameToken. `created` is the camera's time; `nonce` is random.
pub fn username_token(user: &str, password: &str, text: bool, created: WallTime, nonce: &[u8]) -> String {
    let created = iso8601(created);
    let (kind, secret) = if text {
        ("PasswordText", escape(password))
    } else {
        let all = [nonce, created.as_bytes(), password.as_bytes()].concat();
        ("PasswordDigest", base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &all).as_ref()))
    };
    let (wss, oasis) = ("http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss", "username-token-profile-1.0");
    format!(
        "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{wss}-wssecurity-secext-1.0.xsd\" \
         xmlns:wsu=\"{wss}-wssecurity-utility-1.0.xsd\"><wsse:UsernameToken><wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{wss}-{oasis}#{kind}\">{secret}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{wss}-soap-message-security-1.0#Base64Binary\">{}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        escape(user),
        base64(nonce)
    )
}

/// Which method is in use, and which have failed.
#[derive(Clone, Debug)]
pub struct Authenticator {
    has_password: bool,
    /// Methods that show the password to the network are allowed.
    plain: bool,
    /// The one method that is allowed.
    only: Option<Method>,
    method: Method,
    /// The method has worked with this password.
    proven: bool,
    failed: Vec<Method>,
    locked: bool,
    /// Refusals in a row of a method that had worked.
    strikes: u8,
    challenge: Option<Challenge>,
    /// Requests that used the challenge's nonce.
    used: u32,
    basic: bool,
}

impl Authenticator {
    /// For a device of which nothing is known.
    pub fn new(has_password: bool, plain: bool) -> Self {
        Self {
            has_password,
            plain,
            only: None,
            method: Method::None,
            proven: false,
            failed: Vec::new(),
            locked: false,
            strikes: 0,
            challenge: None,
            used: 0,
            basic: false,
        }
    }
    /// With one method only. One that needs no challenge goes along with the first request.
    #[must_use]
    pub fn only(mut self, method: Option<Method>) -> Self {
        self.only = method;
        if let Some(m @ (Method::WsDigest | Method::WsText | Method::HttpBasic)) = method
            && self.has_password
        {
            self.method = m;
        }
        self
    }
    /// What to send with; `None` when all tries are used up.
    pub fn method(&self) -> Option<Method> {
        (!self.locked).then_some(self.method)
    }
    /// The challenge to answer, and how often its nonce is used then.
    pub fn challenge(&mut self) -> Option<(Challenge, u32)> {
        let c = self.challenge.clone()?;
        self.used += 1;
        Some((c, self.used))
    }
    /// A request was not refused.
    pub fn accepted(&mut self) {
        self.proven = self.method != Method::None;
        self.strikes = 0;
    }
    /// A request was refused; with the `WWW-Authenticate` fields of the answer.
    pub fn refused<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> Next {
        let nonce = self.challenge.as_ref().map(|c| c.nonce.clone());
        let mut renewed = false;
        for field in fields {
            self.basic |= field.trim_start().to_ascii_lowercase().starts_with("basic");
            if let Some(c) = Challenge::parse(field) {
                // The first one that can be answered; SHA-256 is listed first by devices that know it.
                if !renewed {
                    let stale = c.stale;
                    renewed = stale || nonce.as_ref() != Some(&c.nonce);
                    self.challenge = Some(c);
                }
            }
        }
        let old_nonce = self.method == Method::HttpDigest && self.used > 1;
        if renewed {
            self.used = 0;
        }
        if old_nonce && renewed {
            return Next::Again; // the nonce was too old: no word about the password
        }
        if self.proven {
            // One refusal may be about this user's rights; two in a row are about the password.
            self.strikes += 1;
            self.locked = self.strikes > 1;
            return Next::GiveUp;
        }
        self.failed.push(self.method);
        let untried = |m: &Method| !self.failed.contains(m) && self.only.is_none_or(|o| o == *m);
        let asked = |m: Method, is: bool| is.then_some(m);
        // Who names a way that shows the password has allowed it.
        let plain = self.plain || self.only.is_some();
        let next = [
            asked(Method::HttpDigest, self.challenge.is_some()),
            Some(Method::WsDigest),
            asked(Method::WsText, plain),
            asked(Method::HttpBasic, plain && (self.basic || self.only.is_some())),
        ];
        match next.into_iter().flatten().find(untried).filter(|_| self.has_password) {
            Some(m) => {
                self.method = m;
                Next::Again
            }
            None => {
                self.locked = self.has_password;
                Next::GiveUp
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// RFC 4648 §4.
pub fn base64(data: &[u8]) -> String {
    const ABC: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let word = group.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let index = (word >> (18 - 6 * i)) & 0x3f;
            out.push(if i <= group.len() { char::from(ABC[index as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_standards() {
        // RFC 7616 §3.9.1
        let ask = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let answer = |ask: &str| {
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            Challenge::parse(ask).unwrap().answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, cnonce)
        };
        assert!(answer(ask).contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""));
        let sha = ask.replace("=MD5", "=SHA-256");
        assert!(answer(&sha).contains("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
        // ONVIF Application Programmer's Guide §6.1.1.3
        let nonce = b"\x2c\xa2\x4e\x7d\xb6\x9c\x22\x88\x80\x27\xd7\x2a\x62\xb8\x2b\x4c\x4a\x0b\x76\x3d";
        let _ = nonce;
        let created = WallTime::from_unix_nanos(1_284_625_625_000_000_000);
        let t = username_token("user", "userpassword", false, created, b"12345678");
        assert!(t.contains("<wsu:Created>2010-09-16T08:27:05.000Z</wsu:Created>"), "{t}");
        let all = [&b"12345678"[..], b"2010-09-16T08:27:05.000Z", b"userpassword"].concat();
        let want = base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &all).as_ref());
        assert!(t.contains(&format!("#PasswordDigest\">{want}<")));
        assert_eq!((base64(b"f"), base64(b"fo"), base64(b"foo")), ("Zg==".into(), "Zm8=".into(), "Zm9v".into()));
    }
    #[test]
    fn challenges_of_devices() {
        let c =
            Challenge::parse("Basic realm=\"a\", Digest stale=TRUE , realm=\"b \\\" c\",nonce=x, qop=auth").unwrap();
        assert_eq!((c.realm.as_str(), c.nonce.as_str(), c.qop, c.stale), ("b \" c", "x", true, true));
        assert_eq!(Challenge::parse("Basic realm=\"a\""), None);
        assert_eq!(Challenge::parse("Digest realm=\"a\""), None);
        assert_eq!(Challenge::parse("Digest nonce=\"a\", algorithm=MD5-sess"), None);
    }

    const ASK: &str = "Digest realm=\"r\", nonce=\"1\"";
    fn again(a: &mut Authenticator, fields: &[&str]) -> (Next, Option<Method>) {
        (a.refused(fields.iter().copied()), a.method())
    }

    #[test]
    fn a_wrong_password_is_tried_once_a_method_and_never_again() {
        let mut a = Authenticator::new(true, true);
        assert_eq!(a.method(), Some(Method::None));
        assert_eq!(again(&mut a, &[ASK, "Basic realm=\"r\""]), (Next::Again, Some(Method::HttpDigest)));
        assert_eq!(a.challenge().unwrap().1, 1);
        assert_eq!(again(&mut a, &["Digest realm=\"r\", nonce=\"2\""]), (Next::Again, Some(Method::WsDigest)));
        assert_eq!(again(&mut a, &[]), (Next::Again, Some(Method::WsText)));
        assert_eq!(again(&mut a, &[]), (Next::Again, Some(Method::HttpBasic)));
        assert_eq!(again(&mut a, &[]), (Next::GiveUp, None));
        let mut a = Authenticator::new(true, false);
        assert_eq!(again(&mut a, &["Basic realm=\"r\""]), (Next::Again, Some(Method::WsDigest)));
        assert_eq!(again(&mut a, &[]), (Next::GiveUp, None));
        let mut a = Authenticator::new(false, true);
        assert_eq!(again(&mut a, &[ASK]), (Next::GiveUp, Some(Method::None)), "no password to try");
    }
    #[test]
    fn an_old_nonce_is_no_wrong_password_and_a_missing_right_is_no_lock() {
        let mut a = Authenticator::new(true, true);
        a.refused([ASK].into_iter());
        a.challenge();
        a.accepted();
        a.challenge();
        let new = "Digest realm=\"r\", nonce=\"2\"";
        assert_eq!(again(&mut a, &[new]), (Next::Again, Some(Method::HttpDigest)));
        assert_eq!(a.challenge().unwrap(), (Challenge::parse(new).unwrap(), 1));
        // Its own new nonce, and refused: this user may not.
        assert_eq!(again(&mut a, &["Digest realm=\"r\", nonce=\"3\""]), (Next::GiveUp, Some(Method::HttpDigest)));
        a.accepted();
        a.challenge();
        assert_eq!(again(&mut a, &[]).0, Next::GiveUp);
        assert_eq!(again(&mut a, &[]), (Next::GiveUp, None), "twice in a row: the password was changed");
    }
    proptest! {
        #[test]
        fn the_tries_are_bounded(answers in proptest::collection::vec((0usize..5, any::<bool>()), 0..60)) {
            // However a device answers to a wrong password, it sees few tries with it.
            let fields = ["", ASK, "Digest nonce=\"9\", stale=true", "Basic realm=x", "Digest nonce=\"7\""];
            let mut a = Authenticator::new(true, true);
            let mut tries = 0;
            for (field, _) in answers {
                let Some(m) = a.method() else { break };
                if m != Method::None {
                    tries += 1;
                }
                if m == Method::HttpDigest {
                    a.challenge();
                }
                if a.refused([fields[field]].into_iter()) == Next::GiveUp && a.method() == Some(Method::None) {
                    break;
                }
            }
            prop_assert!(tries <= 4, "{tries}");
        }
        #[test]
        fn no_field_panics(field in any::<String>(), tail in "[a-z=\", \\\\]{0,60}") {
            let _ = (Challenge::parse(&field), Challenge::parse(&format!("Digest {tail}")));
        }
    }
}
