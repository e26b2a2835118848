//! The little of DNS that mDNS browsing needs (RFC 1035 §4, RFC 6762): questions out, records in. Anybody on the network may send
//! an answer: names are bounded, compression goes backwards only, and what is broken ends the reading.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Questions in one query; more would not fit into a datagram everywhere.
pub const MOST_QUESTIONS: usize = 16;
/// Records read from one datagram.
const MOST_RECORDS: usize = 256;
/// Longest name, in bytes of its text (RFC 1035 §2.3.4: 255 on the wire).
const MOST_NAME: usize = 255;
/// Labels in one name.
const MOST_LABELS: usize = 32;

/// Kinds of records.
pub mod kind {
    /// Address, IPv4.
    pub const A: u16 = 1;
    /// A name that stands for another.
    pub const PTR: u16 = 12;
    /// Texts.
    pub const TXT: u16 = 16;
    /// Address, IPv6.
    pub const AAAA: u16 = 28;
    /// Host and port of a service.
    pub const SRV: u16 = 33;
}

/// A name: its labels. The first label of a service is free text and may hold dots.
pub type Name = Vec<String>;

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Another name.
    Ptr(Name),
    /// Port and host.
    Srv(u16, Name),
    /// Texts, `key=value`.
    Txt(Vec<String>),
}

/// A query for records of these names and kinds, to be answered to whoever asks (RFC 6762 §5.4: the top bit of the class).
pub fn query(questions: &[(Name, u16)]) -> Vec<u8> {
    let questions = &questions[..questions.len().min(MOST_QUESTIONS)];
    let mut out = vec![0, 0, 0, 0, 0, questions.len() as u8, 0, 0, 0, 0, 0, 0];
    for (name, kind) in questions {
        write_name(&mut out, name);
        out.extend(kind.to_be_bytes());
        out.extend([0x80, 0x01]);
    }
    out
}

/// Appends a name, without compression. A label that is too long is cut.
pub fn write_name(out: &mut Vec<u8>, name: &[String]) {
    for label in name.iter().filter(|l| !l.is_empty()) {
        let mut end = label.len().min(63);
        while !label.is_char_boundary(end) {
            end -= 1;
        }
        out.push(end as u8);
        out.extend(&label.as_bytes()[..end]);
    }
    out.push(0);
}

/// The questions of a query: names and kinds.
pub fn questions(datagram: &[u8]) -> Vec<(Name, u16)> {
    let Some(mut r) = Reader::new(datagram).filter(|r| !r.answer) else { return Vec::new() };
    (0..r.counts[0]).take(MOST_QUESTIONS).map_while(|_| r.question()).collect()
}

/// The records of an answer, as far as it can be read.
pub fn records(datagram: &[u8]) -> Vec<Record> {
    let Some(mut r) = Reader::new(datagram).filter(|r| r.answer) else { return Vec::new() };
    let mut out = Vec::new();
    for _ in 0..r.counts[0].min(MOST_QUESTIONS) {
        if r.question().is_none() {
            return out;
        }
    }
    for _ in 0..r.counts[1..].iter().sum::<usize>().min(MOST_RECORDS) {
        match r.record() {
            Some(Some(record)) => out.push(record),
            Some(None) => {}
            None => break,
        }
    }
    out
}

struct Reader<'a> {
    all: &'a [u8],
    at: usize,
    answer: bool,
    /// Questions, answers, authorities, additional records.
    counts: [usize; 4],
}

impl<'a> Reader<'a> {
    fn new(all: &'a [u8]) -> Option<Self> {
        let mut r = Self { all, at: 2, answer: false, counts: [0; 4] };
        let flags = r.u16()?;
        r.answer = flags & 0x8000 != 0;
        // Another operation, or an error.
        if flags & 0x780f != 0 {
            return None;
        }
        for i in 0..4 {
            r.counts[i] = usize::from(r.u16()?);
        }
        Some(r)
    }
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let piece = self.all.get(self.at..self.at.checked_add(n)?)?;
        self.at += n;
        Some(piece)
    }
    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|b| u16::from_be_bytes([b[0], b[1]]))
    }
    fn question(&mut self) -> Option<(Name, u16)> {
        let name = self.name()?;
        let kind = self.u16()?;
        self.u16()?;
        Some((name, kind))
    }
    /// `None` at what cannot be read; `Some(None)` for a record that is of no use.
    fn record(&mut self) -> Option<Option<Record>> {
        let name = self.name()?;
        let kind = self.u16()?;
        let class = self.u16()? & 0x7fff; // the top bit says that it replaces what was known (RFC 6762 §10.2)
        self.take(4)?; // how long it holds: longer than any search
        let length = usize::from(self.u16()?);
        let end = self.at.checked_add(length).filter(|e| *e <= self.all.len())?;
        let data = if class == 1 { self.data(kind, length) } else { None };
        self.at = end;
        Some(data.map(|data| Record { name, data }))
    }
    fn data(&mut self, kind: u16, length: usize) -> Option<Data> {
        match kind {
            kind::A => self.take(4).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(|b| Data::A(b.into())),
            kind::AAAA => self.take(16).and_then(|b| <[u8; 16]>::try_from(b).ok()).map(|b| Data::Aaaa(b.into())),
            kind::PTR => self.name().map(Data::Ptr),
            kind::SRV => {
                self.take(4)?; // priority and weight
                let port = self.u16()?;
                Some(Data::Srv(port, self.name()?))
            }
            kind::TXT => {
                let mut rest = self.take(length)?;
                let mut texts = Vec::new();
                while let Some((n, more)) = rest.split_first() {
                    let text = more.get(..usize::from(*n))?;
                    texts.push(String::from_utf8_lossy(text).into_owned());
                    rest = more.get(usize::from(*n)..)?;
                }
                Some(Data::Txt(texts))
            }
            _ => None,
        }
    }
    /// A name, which may end in a pointer to an earlier one (RFC 1035 §4.1.4).
    fn name(&mut self) -> Option<Name> {
        let mut labels = Name::new();
        let (mut at, mut length) = (self.at, 0usize);
        let mut after = None;
        loop {
            let n = usize::from(*self.all.get(at)?);
            match n >> 6 {
                0 if n == 0 => {
                    self.at = after.unwrap_or(at + 1);
                    return Some(labels);
                }
                0 => {
                    let label = self.all.get(at + 1..at + 1 + n)?;
                    length += n + 1;
                    if length > MOST_NAME || labels.len() >= MOST_LABELS {
                        return None;
                    }
                    labels.push(String::from_utf8_lossy(label).into_owned());
                    at += 1 + n;
                }
                3 => {
                    let to = (n & 0x3f) << 8 | usize::from(*self.all.get(at + 1)?);
                    after = after.or(Some(at + 2));
                    // Backwards only: so it ends.
                    if to >= at {
                        return None;
                    }
                    at = to;
                }
                _ => return None,
            }
        }
    }
}

/// Whether two names are the same (RFC 6762 §16: ASCII letters, upper and lower case the same).
pub fn same(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_query_is_read_back() {
        let asked = vec![(name("_rtsp._tcp.local"), kind::PTR), (name("cam.local"), kind::A)];
        let bytes = query(&asked);
        assert_eq!(&bytes[..18], b"\0\0\0\0\0\x02\0\0\0\0\0\0\x05_rtsp"[..].get(..18).unwrap());
        assert_eq!(questions(&bytes), asked);
        assert_eq!(records(&bytes), []);
    }
    #[test]
    fn an_answer_with_compression() {
        // PTR of _rtsp._tcp.local to "Front.Door", and an A record of its host; names point back.
        let mut b = b"\0\0\x84\0\0\0\0\x01\0\0\0\x01".to_vec();
        write_name(&mut b, &name("_rtsp._tcp.local"));
        b.extend(b"\0\x0c\0\x01\0\0\0\x78\0\x0d\x0aFront.Door\xc0\x0c");
        b.extend(b"\x03cam\xc0\x17\0\x01\x80\x01\0\0\0\x78\0\x04\x0a\0\0\x05");
        let want = [
            Record {
                name: name("_rtsp._tcp.local"),
                data: Data::Ptr(vec!["Front.Door".into(), "_rtsp".into(), "_tcp".into(), "local".into()]),
            },
            Record { name: name("cam.local"), data: Data::A(Ipv4Addr::new(10, 0, 0, 5)) },
        ];
        assert_eq!(records(&b), want);
        assert_eq!(records(&b[..b.len() - 1]), want[..1], "what is whole counts");
        b[2] |= 0x78;
        assert_eq!(records(&b), []);
    }
    #[test]
    fn loops_and_long_names_end() {
        let header = b"\0\0\x84\0\0\0\0\x01\0\0\0\0";
        for tail in [&b"\xc0\x0c\0\x0c\0\x01"[..], b"\xc0\x0d", b"\x01a\xc0\x0c", b"\x40", b"\x80\0"] {
            assert_eq!(records(&[header, tail].concat()), []);
        }
        let mut long = header.to_vec();
        (0..200).for_each(|_| long.extend(b"\x01a"));
        long.push(0);
        assert_eq!(records(&long), []);
    }
    proptest! {
        #[test]
        fn nothing_panics(head in any::<[u8; 12]>(), bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = records(&bytes);
            let _ = questions(&bytes);
            let mut whole = head.to_vec();
            (whole[2], whole[3]) = (0x84, 0);
            whole.extend(bytes);
            let _ = records(&whole);
        }
        #[test]
        fn names_survive(labels in proptest::collection::vec("[a-zA-Z0-9 .é-]{1,20}", 1..5)) {
            let bytes = query(&[(labels.clone(), kind::TXT)]);
            prop_assert_eq!(questions(&bytes), vec![(labels, kind::TXT)]);
        }
    }
}
