//! Cameras that announce their stream by mDNS (`_rtsp._tcp`, RFC 6763): records in, devices and further questions out. Sans-IO.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::dns::{Data, MOST_QUESTIONS, Name, kind, query, records, same};
use super::message::{Found, clean};

/// Services, hosts and addresses kept.
const MOST_KEPT: usize = 1024;
/// Addresses of one host.
const MOST_ADDRESSES: usize = 8;

/// `_rtsp._tcp.local`.
pub(crate) fn service() -> Name {
    ["_rtsp", "_tcp", "local"].map(str::to_owned).to_vec()
}

#[derive(Clone, Debug, Default)]
struct Instance {
    server: Option<(u16, String)>,
    path: Option<String>,
    told: usize,
}

/// What was heard so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    /// By the first label, in lower case; with it as it was written.
    instances: BTreeMap<String, (String, Instance)>,
    /// By host name, in lower case.
    hosts: BTreeMap<String, Vec<IpAddr>>,
}

impl Book {
    /// The question for all services, and those for what is missing of the ones that were heard of.
    pub(super) fn query(&self) -> Vec<u8> {
        let mut asks = vec![(service(), kind::PTR)];
        asks.extend(self.open());
        query(&asks)
    }
    /// Whether something is missing.
    pub(super) fn has_questions(&self) -> bool {
        !self.open().is_empty()
    }

    fn open(&self) -> Vec<(Name, u16)> {
        let mut asks = Vec::new();
        for (name, i) in self.instances.values() {
            match &i.server {
                None => {
                    let mut whole = vec![name.clone()];
                    whole.extend(service());
                    asks.push((whole, kind::SRV));
                }
                Some((_, host)) if !self.hosts.contains_key(host) => {
                    let host: Name = host.split('.').map(str::to_owned).collect();
                    asks.extend([(host.clone(), kind::A), (host, kind::AAAA)]);
                }
                Some(_) => {}
            }
            if asks.len() >= MOST_QUESTIONS {
                break;
            }
        }
        asks
    }

    /// An answer: the devices that are whole by it, and were not told before as they are now.
    pub(super) fn answer(&mut self, datagram: &[u8]) -> Vec<Found> {
        for r in records(datagram) {
            match r.data {
                Data::Ptr(to) if same(&r.name, &service()) && to.len() == 4 && same(&to[1..], &service()) => {
                    self.instance(&to[0]);
                }
                Data::Srv(port, host) if r.name.len() == 4 && same(&r.name[1..], &service()) && port != 0 => {
                    let host = host.join(".").to_ascii_lowercase();
                    if let Some(i) = self.instance(&r.name[0]) {
                        i.server = Some((port, host));
                    }
                }
                Data::Txt(texts) if r.name.len() == 4 && same(&r.name[1..], &service()) => {
                    // The registered key of the service: the path of its stream.
                    let path = texts.iter().find_map(|t| t.strip_prefix("path="));
                    let path = path.filter(|p| p.len() <= 256 && p.bytes().all(|b| b.is_ascii_graphic()));
                    if let Some((i, path)) = self.instance(&r.name[0]).zip(path) {
                        i.path = Some(path.trim_start_matches('/').to_owned());
                    }
                }
                Data::A(a) => self.host(&r.name, a.into()),
                Data::Aaaa(a) => self.host(&r.name, a.into()),
                _ => {}
            }
        }
        let hosts = &self.hosts;
        let mut news = Vec::new();
        for (name, i) in self.instances.values_mut() {
            let Some((port, host)) = &i.server else { continue };
            let Some(all) = hosts.get(host) else { continue };
            if all.len() <= i.told {
                continue;
            }
            i.told = all.len();
            let path = i.path.as_deref().unwrap_or_default();
            let url = |a: &IpAddr| match a {
                IpAddr::V4(a) => format!("rtsp://{a}:{port}/{path}"),
                IpAddr::V6(a) => format!("rtsp://[{a}]:{port}/{path}"),
            };
            let label = clean(name);
            news.push(Found {
                endpoint: format!("mdns:{}", label.to_ascii_lowercase()),
                name: (!label.is_empty()).then_some(label),
                addresses: all.iter().map(url).collect(),
                ..Found::default()
            });
        }
        news
    }

    fn instance(&mut self, name: &str) -> Option<&mut Instance> {
        let key = name.to_ascii_lowercase();
        if self.instances.len() >= MOST_KEPT && !self.instances.contains_key(&key) {
            return None;
        }
        Some(&mut self.instances.entry(key).or_insert_with(|| (name.to_owned(), Instance::default())).1)
    }
    fn host(&mut self, name: &[String], address: IpAddr) {
        let key = name.join(".").to_ascii_lowercase();
        // A link-local address is of no use without its interface.
        let link_local = matches!(address, IpAddr::V6(a) if a.segments()[0] & 0xffc0 == 0xfe80);
        if link_local || address.is_unspecified() || address.is_multicast() {
            return;
        }
        if self.hosts.len() >= MOST_KEPT && !self.hosts.contains_key(&key) {
            return;
        }
        let all = self.hosts.entry(key).or_default();
        if !all.contains(&address) && all.len() < MOST_ADDRESSES {
            all.push(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dns::{questions, write_name};
    use super::*;

    fn record(name: &[&str], kind: u16, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_name(&mut out, &name.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 120]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
        out
    }
    fn answer(records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = vec![0, 0, 0x84, 0, 0, 0, 0, records.len() as u8, 0, 0, 0, 0];
        records.iter().for_each(|r| out.extend(r));
        out
    }
    fn name(labels: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        write_name(&mut out, &labels.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        out
    }
    const CAM: [&str; 4] = ["Front Door", "_rtsp", "_tcp", "local"];

    #[test]
    fn a_camera_comes_in_pieces_and_is_told_once() {
        let mut book = Book::default();
        let asked = |b: &Book| questions(&b.query()).len();
        assert_eq!(asked(&book), 1);
        let ptr = record(&["_rtsp", "_tcp", "local"], kind::PTR, &name(&CAM));
        assert_eq!(book.answer(&answer(std::slice::from_ref(&ptr))), []);
        assert_eq!(asked(&book), 2, "and where it is");
        let srv = record(&CAM, kind::SRV, &[&[0, 0, 0, 0, 2, 42][..], &name(&["cam", "local"])].concat());
        assert_eq!(book.answer(&answer(std::slice::from_ref(&srv))), []);
        assert_eq!(asked(&book), 3, "and its host's addresses");
        let txt = record(&CAM, kind::TXT, b"\x09txtvers=1\x0bpath=/main0");
        let a = record(&["CAM", "local"], kind::A, &[10, 0, 0, 5]);
        let found = book.answer(&answer(&[txt, a.clone()]));
        assert_eq!((found[0].name.as_deref(), found.len()), (Some("Front Door"), 1));
        assert_eq!(found[0].addresses, ["rtsp://10.0.0.5:554/main0"]);
        assert_eq!(book.answer(&answer(&[ptr, srv, a])), [], "nothing new");
        let aaaa = record(&["cam", "local"], kind::AAAA, &[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(book.answer(&answer(&[aaaa]))[0].addresses[1], "rtsp://[fd00::1]:554/main0");
        assert_eq!(asked(&book), 1);
    }
    #[test]
    fn what_is_no_camera_is_left_out() {
        let mut book = Book::default();
        let printer = ["P", "_ipp", "_tcp", "local"];
        let other = record(&printer, kind::SRV, &[&[0, 0, 0, 0, 2, 119][..], &name(&["p", "local"])].concat());
        let link = record(&["cam", "local"], kind::AAAA, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let srv = record(&CAM, kind::SRV, &[&[0, 0, 0, 0, 2, 42][..], &name(&["cam", "local"])].concat());
        assert_eq!(book.answer(&answer(&[other, link, srv])), []);
    }
}
