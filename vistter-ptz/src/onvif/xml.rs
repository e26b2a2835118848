//! XML from a device, with limits: size, depth, number of elements; no DTD and so no entities but the five of XML.
//! Prefixes are dropped: devices use any, and no two ONVIF elements are told apart by them alone. What they stand for is kept,
//! for elements that have to be sent back.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Largest document, in bytes. Answers of real devices stay below 300 kB (GetProfiles of 64-channel recorders).
pub const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Deepest nesting.
pub const MOST_DEPTH: usize = 40;
/// Most elements.
pub const MOST_ELEMENTS: usize = 50_000;

/// Namespace declarations that are in force at once; more are not looked at.
const MOST_DECLARED: usize = 64;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without prefix.
    pub name: String,
    /// The namespace that its prefix stands for.
    pub namespace: Option<Arc<str>>,
    /// Attributes by name without prefix; namespace declarations are left out.
    pub attributes: Vec<(String, String)>,
    /// Text directly inside, trimmed.
    pub text: String,
    /// Elements inside, in order.
    pub children: Vec<Element>,
}

/// Why a document is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A limit was reached; which one.
    Limit(&'static str),
    /// It has a DTD, which no answer needs.
    Dtd,
    /// It is no XML.
    Malformed(String),
}

impl Element {
    /// Reads a document. Bytes that are no UTF-8 are replaced: names in a Chinese code page cost the name, not the answer.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() > MOST_BYTES {
            return Err(Fault::Limit("size"));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let malformed = |e: &dyn std::fmt::Display| Fault::Malformed(e.to_string().chars().take(120).collect());
        let mut open: Vec<Self> = vec![Self::default()];
        let mut count = 0usize;
        let mut scope = Scope::default();
        loop {
            let event = reader.read_event().map_err(|e| malformed(&e))?;
            match event {
                Event::Start(ref e) | Event::Empty(ref e) => {
                    count += 1;
                    if count > MOST_ELEMENTS {
                        return Err(Fault::Limit("number of elements"));
                    }
                    if open.len() > MOST_DEPTH {
                        return Err(Fault::Limit("depth"));
                    }
                    let element = begin(e, open.len(), &mut scope).map_err(|e| malformed(&e))?;
                    open.push(element);
                    if matches!(event, Event::Empty(_)) {
                        close(&mut open);
                        scope.leave(open.len());
                    }
                }
                Event::End(_) => {
                    close(&mut open);
                    scope.leave(open.len());
                }
                Event::Text(t) => append(&mut open, &t),
                Event::CData(t) => append(&mut open, &t),
                Event::GeneralRef(r) => {
                    let c = match r.resolve_char_ref().map_err(|e| malformed(&e))? {
                        Some(c) => c,
                        None => named(&r).ok_or(Fault::Dtd)?,
                    };
                    append(&mut open, c.encode_utf8(&mut [0; 4]));
                }
                Event::DocType(_) => return Err(Fault::Dtd),
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
        // The document itself is the bottom of the stack; its only element is the root.
        let mut document = match (open.pop(), open.is_empty()) {
            (Some(d), true) => d,
            _ => return Err(Fault::Malformed("it ends before its root element does".into())),
        };
        match (document.children.pop(), document.children.is_empty()) {
            (Some(root), true) => Ok(root),
            _ => Err(Fault::Malformed("it has not exactly one root element".into())),
        }
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }
    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }
    /// The element at a path of first children.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |e, name| e.child(name))
    }
    /// Text at a path; `None` when it is absent or empty.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|e| e.text.as_str()).filter(|t| !t.is_empty())
    }
    /// A finite number at a path.
    pub fn number_at(&self, path: &[&str]) -> Option<f64> {
        self.text_at(path)?.parse().ok().filter(|n: &f64| n.is_finite())
    }
    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// It as XML, with `more` in its outermost tag; `None` when its names cannot stand there.
    pub fn to_xml(&self, more: &str) -> Option<String> {
        let mut out = String::new();
        self.write(more, &mut out).then_some(out)
    }
    fn write(&self, more: &str, out: &mut String) -> bool {
        if !is_name(&self.name) || !self.attributes.iter().all(|(n, _)| is_name(n)) {
            return false;
        }
        let namespace = self.namespace.as_deref().unwrap_or_default();
        out.push_str(&format!("<{} xmlns=\"{}\"{more}", self.name, escape(namespace)));
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escape(value)));
        }
        out.push('>');
        out.push_str(&escape(&self.text));
        let whole = self.children.iter().all(|c| c.write("", out));
        out.push_str(&format!("</{}>", self.name));
        whole
    }
    /// A finite number in an attribute.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.attribute(name)?.trim().parse().ok().filter(|n: &f64| n.is_finite())
    }
}

/// Text for the inside of an element or an attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML 1.0 §2.2: other control characters cannot be written at all.
            c if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// As XML has them, without those beyond ASCII and without prefixes.
fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Namespace declarations: the depth of their element, prefix, namespace.
#[derive(Default)]
struct Scope(Vec<(usize, String, Arc<str>)>);

impl Scope {
    fn declare(&mut self, depth: usize, prefix: &str, namespace: &str) {
        if self.0.len() < MOST_DECLARED {
            self.0.push((depth, prefix.to_owned(), namespace.into()));
        }
    }
    fn find(&self, prefix: &str) -> Option<Arc<str>> {
        self.0.iter().rev().find(|(_, p, _)| p == prefix).map(|(.., n)| n.clone())
    }
    /// The element at this depth is over.
    fn leave(&mut self, depth: usize) {
        while self.0.last().is_some_and(|(d, ..)| *d >= depth) {
            self.0.pop();
        }
    }
}

fn begin(e: &BytesStart<'_>, depth: usize, scope: &mut Scope) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for a in e.attributes() {
        let a = a.map_err(|e| e.to_string())?;
        let key = a.key.as_ref();
        if let Some(prefix) = key.strip_prefix("xmlns:").or((key == "xmlns").then_some("")) {
            scope.declare(depth, prefix, &unescape(&a.value));
            continue;
        }
        attributes.push((a.key.local_name().as_ref().to_owned(), unescape(&a.value)));
    }
    let name = e.name();
    let namespace = scope.find(name.as_ref().split_once(':').map_or("", |(p, _)| p));
    Ok(Element { name: e.local_name().as_ref().to_owned(), namespace, attributes, ..Element::default() })
}

/// References in an attribute; what is none of the five or a character is left as it stands.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(name, tail)| {
            let c = match name.strip_prefix('#') {
                Some(n) => {
                    let code = match n.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16).ok(),
                        None => n.parse().ok(),
                    };
                    char::from_u32(code?)
                }
                None => named(name),
            };
            Some((c?, tail))
        });
        match known {
            Some((c, tail)) => {
                out.push(c);
                rest = tail;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn append(open: &mut [Element], text: &str) {
    if let Some(e) = open.last_mut() {
        e.text.push_str(text);
    }
}

fn close(open: &mut Vec<Element>) {
    // The bottom is the document itself; the reader refuses an end without a start.
    if open.len() > 1
        && let Some(mut e) = open.pop()
    {
        let trimmed = e.text.trim();
        if trimmed.len() != e.text.len() {
            e.text = trimmed.to_owned();
        }
        if let Some(parent) = open.last_mut() {
            parent.children.push(e);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_devices_write() {
        let e = Element::parse(
            b"\xef\xbb\xbf<?xml version='1.0'?><!-- x --><s:A xmlns:s='u' xmlns='v' s:k='1 &lt; 2 &#65;'> a&amp;b\
              <b/><s:b>&#x41;<![CDATA[<c>]]></s:b> </s:A>\n",
        )
        .unwrap();
        assert_eq!((e.name.as_str(), e.text.as_str(), e.attribute("k")), ("A", "a&b", Some("1 < 2 A")));
        assert_eq!(e.attributes.len(), 1);
        assert_eq!(e.all("b").map(|b| b.text.as_str()).collect::<Vec<_>>(), ["", "A<c>"]);
    }
    #[test]
    fn what_has_to_be_sent_back_keeps_its_namespace() {
        let text =
            "<A xmlns:x='u:1' xmlns='u:0'><x:B k='&lt;'><C/></x:B><B xmlns:x='u:2'><x:D>&amp;</x:D></B><x:E/></A>";
        let e = Element::parse(text.as_bytes()).unwrap();
        let of = |i: usize| e.children[i].to_xml(" s:more='1'").unwrap();
        assert_eq!(of(0), "<B xmlns=\"u:1\" s:more='1' k=\"&lt;\"><C xmlns=\"u:0\"></C></B>");
        assert_eq!(of(1), "<B xmlns=\"u:0\" s:more='1'><D xmlns=\"u:2\">&amp;</D></B>");
        assert_eq!(of(2), "<E xmlns=\"u:1\" s:more='1'></E>");
        let none = Element::parse(b"<y:A/>").unwrap();
        assert_eq!((none.namespace.as_deref(), none.to_xml("").as_deref()), (None, Some("<A xmlns=\"\"></A>")));
        let odd = Element { name: "a onload=1".into(), ..Element::default() };
        assert_eq!(odd.to_xml(""), None);
        let many: String = (0..1000).map(|i| format!(" xmlns:n{i}='u'")).collect();
        assert!(Element::parse(format!("<n5:a{many}><n999:b/></n5:a>").as_bytes()).is_ok());
    }
    #[test]
    fn limits_hold() {
        let deep = "<a>".repeat(MOST_DEPTH + 1);
        assert_eq!(Element::parse(deep.as_bytes()), Err(Fault::Limit("depth")));
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST_ELEMENTS));
        assert_eq!(Element::parse(many.as_bytes()), Err(Fault::Limit("number of elements")));
        assert_eq!(Element::parse(&vec![b' '; MOST_BYTES + 1]), Err(Fault::Limit("size")));
        let bomb = b"<!DOCTYPE a [<!ENTITY b 'cccccccccc'>]><a>&b;</a>";
        assert_eq!(Element::parse(bomb), Err(Fault::Dtd));
        assert_eq!(Element::parse(b"<a>&b;</a>"), Err(Fault::Dtd));
    }
    #[test]
    fn what_is_no_document_is_refused() {
        for bad in ["", "hello", "<a>", "<a></b>", "<a/><b/>", "<a", "</a>", "<html><br></html>"] {
            assert!(Element::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[<>a/&;'\" =!\\[\\]-]{0,80}") {
            let _ = (Element::parse(&bytes), Element::parse(text.as_bytes()));
        }
        #[test]
        fn text_survives(text in any::<String>()) {
            let e = Element::parse(format!("<a k=\"{0}\">{0}</a>", escape(&text)).as_bytes()).unwrap();
            let clean: String = text.chars().map(|c| if (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c }).collect();
            // Line ends are normalised (XML 1.0 §2.11); everything else is kept.
            let lines = |s: &str| s.replace("\r\n", "\n").replace('\r', "\n");
            let want = lines(clean.trim());
            prop_assert_eq!(lines(&e.text), want.trim());
            prop_assert_eq!(lines(e.attribute("k").unwrap()), lines(&clean));
        }
    }
}
