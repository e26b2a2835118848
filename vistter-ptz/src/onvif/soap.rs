//! Envelopes (SOAP 1.2) and faults.

use vistter_core::{Error, ErrorKind};

use super::http::Message;
use super::xml::{self, Element};

/// Namespaces, under the prefixes that the bodies of this crate use.
const NAMESPACES: &str = "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
    xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" xmlns:tptz=\"http://www.onvif.org/ver20/ptz/wsdl\" \
    xmlns:tt=\"http://www.onvif.org/ver10/schema\" xmlns:timg=\"http://www.onvif.org/ver20/imaging/wsdl\" \
    xmlns:tev=\"http://www.onvif.org/ver10/events/wsdl\" xmlns:wsnt=\"http://docs.oasis-open.org/wsn/b-2\" \
    xmlns:wsa=\"http://www.w3.org/2005/08/addressing\"";

/// An envelope around a body, with a header or an empty one.
pub fn envelope(header: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope {NAMESPACES}><s:Header>{header}</s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// What an answer is.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The first element of the body.
    Body(Element),
    /// The password is wanted, or was not right, or this user may not.
    Refused,
    /// The time in the password's digest was not the one that the device expects: no word about the password.
    BadTime,
    /// Anything else that went wrong.
    Failed(Error),
}

/// Reads an answer.
pub fn read(message: &Message) -> Answer {
    let status = message.status().unwrap_or(0);
    if matches!(status, 401 | 403) {
        return Answer::Refused;
    }
    let root = match Element::parse(&message.body) {
        Ok(e) if e.name == "Envelope" => e,
        Ok(_) | Err(xml::Fault::Malformed(_)) | Err(xml::Fault::Dtd) if looks_like_html(message) => {
            let e = Error::new(ErrorKind::Protocol, format!("a web page came back, not ONVIF (HTTP {status})"));
            return Answer::Failed(
                e.next("check the port, and that ONVIF is switched on in the camera").transient(false),
            );
        }
        _ if status == 404 => {
            let e = Error::new(ErrorKind::NotFound, "the camera has no ONVIF service there (HTTP 404)");
            return Answer::Failed(
                e.next("check the port, and that ONVIF is switched on in the camera").transient(false),
            );
        }
        Ok(e) => return Answer::Failed(bad(format!("the answer is <{}>, not SOAP (HTTP {status})", e.name))),
        Err(xml::Fault::Limit(what)) => {
            let e = Error::new(ErrorKind::Limit, format!("the camera's answer is over the limit of {what}"));
            return Answer::Failed(e);
        }
        Err(xml::Fault::Dtd) => return Answer::Failed(bad("the answer has a DTD or unknown entities".into())),
        Err(xml::Fault::Malformed(why)) => {
            return Answer::Failed(bad(format!("the answer is no XML (HTTP {status}): {why}")));
        }
    };
    // An empty body is the answer of operations that have nothing to say.
    let body = root.child("Body").map(|b| b.children.first().cloned().unwrap_or_default());
    match body {
        None => Answer::Failed(bad("the answer has no SOAP body".into())),
        Some(f) if f.name == "Fault" => fault(&f),
        Some(_) if status >= 400 => Answer::Failed(bad(format!("the camera answered with HTTP {status}"))),
        Some(b) => Answer::Body(b),
    }
}

fn bad(what: String) -> Error {
    Error::new(ErrorKind::Protocol, what)
}

fn looks_like_html(message: &Message) -> bool {
    let start = String::from_utf8_lossy(&message.body[..message.body.len().min(512)]).to_ascii_lowercase();
    message.field("content-type").is_some_and(|t| t.contains("html"))
        || start.contains("<html")
        || start.contains("<!doctype")
}

/// SOAP 1.2 faults; also the 1.1 shape, which some devices send.
fn fault(f: &Element) -> Answer {
    let mut codes = Vec::new();
    let mut at = f.child("Code");
    while let Some(c) = at {
        codes.extend(c.text_at(&["Value"]).map(str::to_owned));
        at = c.child("Subcode");
    }
    codes.extend(f.text_at(&["faultcode"]).map(str::to_owned));
    let reason = f.text_at(&["Reason", "Text"]).or_else(|| f.text_at(&["faultstring"])).unwrap_or_default();
    let has = |names: &[&str]| codes.iter().any(|c| names.iter().any(|n| c.rsplit(':').next() == Some(*n)));
    let words = reason.to_ascii_lowercase();
    // Dahua: "Wsse authorized time check failed."; crate soap-server: "WS-Security timestamp expired".
    if words.contains("time check") || words.contains("security timestamp") {
        return Answer::BadTime;
    }
    if has(&[
        "NotAuthorized",
        "FailedAuthentication",
        "OperationProhibited",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
    ]) || ["not authorized", "authority failure", "ws-security", "authentication"].iter().any(|w| words.contains(w))
    {
        return Answer::Refused;
    }
    let kind = if has(&[
        "ActionNotSupported",
        "OptionalActionNotImplemented",
        "ActionNotImplemented",
        "PTZNotSupported",
        "SpaceNotSupported",
        "NoPTZProfile",
    ]) {
        ErrorKind::Unsupported
    } else if has(&["NoToken", "NoEntity", "NoPreset", "NoProfile", "NoHomePosition", "NoConfig"]) {
        ErrorKind::NotFound
    } else {
        ErrorKind::Rejected
    };
    let code = codes.last().map_or("no code", String::as_str);
    let clip = |s: &str| s.chars().filter(|c| !c.is_control()).take(160).collect::<String>();
    let e = Error::new(kind, format!("the camera refused: {} ({})", clip(reason), clip(code)));
    Answer::Failed(e.transient(has(&["Receiver", "Action"]) && kind == ErrorKind::Rejected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        read(&Message { start: format!("HTTP/1.1 {status} x"), fields: Vec::new(), body: body.as_bytes().to_vec() })
    }
    fn soap(body: &str) -> String {
        format!("<E:Envelope xmlns:E='http://www.w3.org/2003/05/soap-envelope'><E:Body>{body}</E:Body></E:Envelope>")
            .replace("E:Envelope", "Envelope")
    }
    fn kind(a: &Answer) -> Option<ErrorKind> {
        match a {
            Answer::Failed(e) => Some(e.kind()),
            _ => None,
        }
    }

    #[test]
    fn faults_have_kinds() {
        let f = |code: &str, text: &str| {
            soap(&format!(
                "<s:Fault xmlns:s='x'><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:InvalidArgVal</s:Value>\
                 <s:Subcode><s:Value>ter:{code}</s:Value></s:Subcode></s:Subcode></s:Code>\
                 <s:Reason><s:Text xml:lang='en'>{text}</s:Text></s:Reason></s:Fault>"
            ))
        };
        assert_eq!(answer(400, &f("NotAuthorized", "")), Answer::Refused);
        assert_eq!(answer(200, &f("X", "Sender not authorized")), Answer::Refused);
        assert_eq!(answer(500, &f("X", "Authority failure")), Answer::Refused, "some Tapo");
        assert_eq!(answer(500, &f("X", "WS-Security header required but not provided")), Answer::Refused);
        assert_eq!(answer(400, &f("NotAuthorized", "Wsse authorized time check failed.")), Answer::BadTime);
        assert_eq!(answer(401, ""), Answer::Refused);
        assert_eq!(kind(&answer(500, &f("NoToken", "no such preset"))), Some(ErrorKind::NotFound));
        assert_eq!(kind(&answer(500, &f("ActionNotSupported", ""))), Some(ErrorKind::Unsupported));
        assert_eq!(kind(&answer(500, &f("InvalidPosition", ""))), Some(ErrorKind::Rejected));
        let old = soap("<Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring></Fault>");
        assert_eq!(answer(500, &old), Answer::Refused);
    }
    #[test]
    fn what_is_no_answer_is_explained() {
        for (status, body, want, word) in [
            (200, "<!DOCTYPE html><html><br></html>", ErrorKind::Protocol, "web page"),
            (200, "<html><body/></html>", ErrorKind::Protocol, "web page"),
            (404, "", ErrorKind::NotFound, "404"),
            (200, "", ErrorKind::Protocol, "no XML"),
            (200, "<a/>", ErrorKind::Protocol, "not SOAP"),
            (200, "<Envelope/>", ErrorKind::Protocol, "body"),
            (503, &soap("<x/>"), ErrorKind::Protocol, "503"),
            (200, &"<a>".repeat(100), ErrorKind::Limit, "depth"),
        ] {
            let a = answer(status, body);
            assert_eq!(kind(&a), Some(want), "{body}: {a:?}");
            assert!(format!("{a:?}").contains(word), "{a:?}");
        }
        assert_eq!(answer(200, &soap("")), Answer::Body(Element::default()));
        assert!(matches!(answer(200, &soap("<a:R xmlns:a='x'/>")), Answer::Body(e) if e.name == "R"));
    }
}
