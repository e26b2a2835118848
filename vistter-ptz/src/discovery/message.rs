//! The Probe, and the ProbeMatches that answer it. Anybody on the network may send one: nothing in it is believed further than
//! an address to try.

use serde::Serialize;

use crate::onvif::xml::{Element, escape};

/// A device that answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its identity: the same on every interface and after a change of address.
    pub endpoint: String,
    /// Name, as it was given in the camera.
    pub name: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Where it was mounted, if somebody said so.
    pub location: Option<String>,
    /// Addresses of its device service.
    pub addresses: Vec<String>,
}

/// Addresses kept of one device.
const MOST_ADDRESSES: usize = 8;
/// Devices read from one datagram.
const MOST_MATCHES: usize = 32;
/// Longest text kept.
const MOST_TEXT: usize = 256;

/// A Probe for ONVIF devices. `id` is a UUID, without its `urn:uuid:`.
pub fn probe(id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" \
         xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><s:Header><a:MessageID>urn:uuid:{}</a:MessageID>\
         <a:To s:mustUnderstand=\"true\">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>\
         <a:Action s:mustUnderstand=\"true\">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>\
         <s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>",
        escape(id)
    )
}

/// The ONVIF devices of an answer; none when it is something else. Printers and computers answer, too.
pub fn matches(datagram: &[u8]) -> Vec<Found> {
    let Ok(root) = Element::parse(datagram) else { return Vec::new() };
    let Some(all) = root.at(&["Body", "ProbeMatches"]).filter(|_| root.name == "Envelope") else { return Vec::new() };
    all.all("ProbeMatch").take(MOST_MATCHES).filter_map(read).collect()
}

fn read(e: &Element) -> Option<Found> {
    let words = |name: &str| {
        e.text_at(&[name]).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let (types, scopes) = (words("Types"), words("Scopes"));
    let mut addresses = words("XAddrs");
    let is_url = |a: &String| a.starts_with("http://") || a.starts_with("https://");
    addresses.retain(|a| is_url(a) && a.len() <= MOST_TEXT && a.bytes().all(|b| b.is_ascii_graphic()));
    addresses.truncate(MOST_ADDRESSES);
    let onvif = types.iter().any(|t| t.ends_with("NetworkVideoTransmitter"))
        || scopes.iter().any(|s| s.starts_with("onvif://"))
        || addresses.iter().any(|a| a.contains("/onvif/"));
    if !onvif || addresses.is_empty() {
        return None;
    }
    let scope = |kind: &str| {
        let prefix = format!("onvif://www.onvif.org/{kind}/");
        let value = scopes.iter().find_map(|s| s.strip_prefix(&prefix))?;
        let text = clean(&percent_decode(value));
        (!text.is_empty()).then_some(text)
    };
    let endpoint = e.text_at(&["EndpointReference", "Address"]).map(|t| clean(t).to_ascii_lowercase());
    let endpoint = endpoint.filter(|t| !t.is_empty()).unwrap_or_else(|| addresses[0].clone());
    Some(Found { endpoint, name: scope("name"), model: scope("hardware"), location: scope("location"), addresses })
}

/// What may go to a terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_TEXT).collect::<String>().trim().to_owned()
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes().iter();
    while let Some(&b) = bytes.next() {
        let digits = (b == b'%').then(|| bytes.as_slice().get(..2)).flatten();
        let code = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        match code {
            Some(c) => {
                out.push(c);
                bytes.nth(1);
            }
            None => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(inner: &str) -> String {
        format!(
            "<e:Envelope xmlns:e='x'><e:Body><d:ProbeMatches xmlns:d='y'>{inner}</d:ProbeMatches></e:Body></e:Envelope>"
        )
    }

    #[test]
    fn a_camera_is_read() {
        let one = "<d:ProbeMatch><a:EndpointReference xmlns:a='z'><a:Address> urn:uuid:4DAA </a:Address></a:EndpointReference>\
            <d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>onvif://www.onvif.org/name/Front%20Door%0a \
            onvif://www.onvif.org/hardware/X%2 onvif://www.onvif.org/location/</d:Scopes>\
            <d:XAddrs>http://10.0.0.5/onvif/device_service ftp://x http://[fe80::1]/onvif/device_service</d:XAddrs></d:ProbeMatch>";
        let f = &matches(answer(one).as_bytes())[0];
        assert_eq!(
            (f.endpoint.as_str(), f.name.as_deref(), f.model.as_deref()),
            ("urn:uuid:4daa", Some("Front Door"), Some("X%2"))
        );
        assert_eq!((f.addresses.len(), &f.location), (2, &None));
    }
    #[test]
    fn what_is_no_camera_is_left_out() {
        let printer = "<d:ProbeMatch><d:Types>wsdp:Device pri:Printer</d:Types><d:XAddrs>http://10.0.0.6:80/wsd</d:XAddrs></d:ProbeMatch>";
        let homeless = "<d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types></d:ProbeMatch>";
        for inner in [printer, homeless, ""] {
            assert_eq!(matches(answer(inner).as_bytes()), []);
        }
        assert_eq!(matches(probe("x").as_bytes()), [], "our own question");
        assert_eq!(matches(b"\0\xff"), []);
    }
    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[%0-9a-f é]{0,20}") {
            let _ = matches(&bytes);
            let clean = percent_decode(&text);
            prop_assert!(clean.len() <= text.len() * 3);
        }
    }
}
