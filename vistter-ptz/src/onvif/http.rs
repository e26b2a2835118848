//! The little of HTTP/1.1 that SOAP needs (RFC 9112): a POST, and an answer of bounded size. Sans-IO.

use std::fmt::Write as _;

/// Largest header of an answer, in bytes.
pub const MOST_HEADER: usize = 32 * 1024;

/// An answer, or a request on the simulator's side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// First line, as it came.
    pub start: String,
    /// Header fields; names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// The status code of an answer.
    pub fn status(&self) -> Option<u16> {
        let mut words = self.start.split_ascii_whitespace();
        words.next().filter(|w| w.starts_with("HTTP/1."))?;
        words.next()?.parse().ok().filter(|s| (100..600).contains(s))
    }
    /// The first field of this name (in lower case).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// All fields of this name (in lower case).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// Whether the connection may carry another exchange (RFC 9112 §9.3).
    pub fn keeps_alive(&self) -> bool {
        let says = |word| self.all("connection").any(|v| v.to_ascii_lowercase().contains(word));
        if self.start.contains("HTTP/1.0") { says("keep-alive") } else { !says("close") }
    }
}

/// Why an answer is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no HTTP.
    NotHttp,
    /// It ends before its body does.
    Cut,
    /// Header or body are too large.
    TooLarge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    /// To the end of the connection (RFC 9112 §6.3, only in answers).
    Open,
}

/// Reads one message from whatever pieces it comes in.
#[derive(Clone, Debug)]
pub struct Parser {
    most_body: usize,
    answers: bool,
    raw: Vec<u8>,
    head: Option<(Message, Length)>,
}

impl Parser {
    /// For one answer with at most so many bytes of body.
    pub fn answer(most_body: usize) -> Self {
        Self { most_body, answers: true, raw: Vec::new(), head: None }
    }
    /// For one request.
    pub fn request(most_body: usize) -> Self {
        Self { answers: false, ..Self::answer(most_body) }
    }

    /// Whether nothing has come yet.
    pub fn is_untouched(&self) -> bool {
        self.raw.is_empty() && self.head.is_none()
    }

    /// Takes a piece; the message once it is whole. What comes after it is dropped: nothing was asked for.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Message>, Fault> {
        self.raw.extend_from_slice(bytes);
        loop {
            let Some((message, length)) = &mut self.head else {
                let Some(end) = find(&self.raw, b"\r\n\r\n") else {
                    if !b"HTTP/1.".starts_with(&self.raw[..self.raw.len().min(7)]) && self.answers {
                        return Err(Fault::NotHttp);
                    }
                    return if self.raw.len() > MOST_HEADER { Err(Fault::TooLarge) } else { Ok(None) };
                };
                let head = self.read_head(end)?;
                self.raw.drain(..end + 4);
                // 100 Continue goes before the answer proper.
                if self.answers && head.0.status().is_some_and(|s| s < 200) {
                    continue;
                }
                self.head = Some(head);
                continue;
            };
            match *length {
                Length::Known(n) if n > self.most_body => return Err(Fault::TooLarge),
                Length::Known(n) if self.raw.len() < n => return Ok(None),
                Length::Known(n) => {
                    self.raw.truncate(n);
                    message.body = std::mem::take(&mut self.raw);
                }
                Length::Open if self.raw.len() > self.most_body => return Err(Fault::TooLarge),
                Length::Open => return Ok(None),
                Length::Chunked => {
                    if !chunks(&mut self.raw, &mut message.body, self.most_body)? {
                        return Ok(None);
                    }
                }
            }
            return Ok(self.head.take().map(|(m, _)| m));
        }
    }

    /// The connection has ended.
    pub fn end(&mut self) -> Result<Message, Fault> {
        match self.head.take() {
            Some((mut message, Length::Open)) => {
                message.body = std::mem::take(&mut self.raw);
                Ok(message)
            }
            _ => Err(Fault::Cut),
        }
    }

    fn read_head(&self, end: usize) -> Result<(Message, Length), Fault> {
        if end > MOST_HEADER {
            return Err(Fault::TooLarge);
        }
        let text = String::from_utf8_lossy(&self.raw[..end]).into_owned();
        let mut lines = text.split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        // A line without a colon is some camera's mistake, and none of our business.
        let field = |l: &str| l.split_once(':').map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().to_owned()));
        let message = Message { start, fields: lines.filter_map(field).collect(), body: Vec::new() };
        if self.answers && message.status().is_none() {
            return Err(Fault::NotHttp);
        }
        let chunked = message.all("transfer-encoding").any(|v| v.to_ascii_lowercase().contains("chunked"));
        let length = match message.field("content-length") {
            _ if chunked => Length::Chunked,
            Some(n) => Length::Known(n.parse().map_err(|_| Fault::NotHttp)?),
            None if message.status() == Some(204) || !self.answers => Length::Known(0),
            None => Length::Open,
        };
        Ok((message, length))
    }
}

/// Moves whole chunks from `raw` to `body` (RFC 9112 §7.1); whether the last one has come.
fn chunks(raw: &mut Vec<u8>, body: &mut Vec<u8>, most: usize) -> Result<bool, Fault> {
    loop {
        let Some(line) = find(raw, b"\r\n") else {
            return if raw.len() > 1024 { Err(Fault::NotHttp) } else { Ok(false) };
        };
        let size =
            String::from_utf8_lossy(&raw[..line]).split(';').next().map(|s| s.trim().to_owned()).unwrap_or_default();
        let size = usize::from_str_radix(&size, 16).map_err(|_| Fault::NotHttp)?;
        if size == 0 {
            // Trailers, up to an empty line.
            return Ok(find(&raw[line..], b"\r\n\r\n").is_some());
        }
        if size > most.saturating_sub(body.len()) {
            return Err(Fault::TooLarge);
        }
        let data = line + 2;
        if raw.len() < data + size + 2 {
            return Ok(false);
        }
        body.extend_from_slice(&raw[data..data + size]);
        raw.drain(..data + size + 2);
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

/// A POST of a SOAP 1.2 envelope.
pub fn post(authority: &str, path: &str, action: &str, authorization: Option<&str>, body: &str) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\n");
    // Writing to a String cannot fail.
    let _ = write!(head, "Content-Type: application/soap+xml; charset=utf-8; action=\"{action}\"\r\n");
    let _ = write!(head, "Content-Length: {}\r\nUser-Agent: vistter\r\nAccept: */*\r\n", body.len());
    if let Some(a) = authorization {
        let _ = write!(head, "Authorization: {a}\r\n");
    }
    head.push_str("\r\n");
    head.push_str(body);
    head.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nx: b\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n";
    const OPEN: &[u8] = b"HTTP/1.0 500 Oh\r\nbroken line\r\n\r\nhello";

    #[test]
    fn an_answer_may_be_cut_anywhere() {
        for (bytes, status, alive) in [(PLAIN, 200, true), (CHUNKED, 401, true), (OPEN, 500, false)] {
            for cut in 0..bytes.len() {
                let mut p = Parser::answer(100);
                let first = p.push(&bytes[..cut]).unwrap();
                let got = first.or_else(|| p.push(&bytes[cut..]).unwrap()).unwrap_or_else(|| p.end().unwrap());
                assert_eq!((got.status(), got.body.as_slice()), (Some(status), &b"hello"[..]), "cut at {cut}");
                assert_eq!(got.keeps_alive(), alive);
            }
        }
        let mut p = Parser::answer(100);
        let m = p.push(PLAIN).unwrap().unwrap();
        assert_eq!(m.all("x").collect::<Vec<_>>(), ["a", "b"]);
    }
    #[test]
    fn limits_hold_before_the_bytes_are_there() {
        let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
        assert_eq!(Parser::answer(100).push(huge), Err(Fault::TooLarge));
        let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\n";
        assert_eq!(Parser::answer(100).push(chunk), Err(Fault::TooLarge));
        let mut p = Parser::answer(100);
        p.push(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        assert_eq!(p.push(&[b'x'; 101]), Err(Fault::TooLarge));
        let mut p = Parser::answer(100);
        p.push(b"HTTP/1.1 200 OK\r\nX: ").unwrap();
        assert_eq!(p.push(&vec![b'x'; MOST_HEADER]), Err(Fault::TooLarge));
    }
    #[test]
    fn what_is_no_http_is_told_at_once() {
        for bad in [&b"RTSP/1.0 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0\0"] {
            assert_eq!(Parser::answer(100).push(bad), Err(Fault::NotHttp));
        }
        let mut p = Parser::answer(100);
        p.push(&PLAIN[..50]).unwrap();
        assert_eq!(p.end(), Err(Fault::Cut));
    }
    proptest! {
        #[test]
        fn nothing_panics(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8), start in 0usize..3) {
            let mut p = Parser::answer(64);
            let _ = p.push([&b""[..], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 200 OK\r\n"][start]);
            for piece in &pieces {
                if !matches!(p.push(piece), Ok(None)) {
                    break;
                }
            }
            let _ = p.end();
        }
    }
}
