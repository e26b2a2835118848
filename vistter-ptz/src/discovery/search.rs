//! A search, sans-IO: whom to ask when, and what is new among the answers.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vistter_core::time::MediaTime;

use super::mdns::Book;
use super::message::{Found, matches};

/// Addresses that one search asks.
pub const MOST_ADDRESSES: usize = 1024;
/// Devices kept.
const MOST_FOUND: usize = 2048;
/// Addresses kept of a device that answers with a new one each time.
const MOST_OF_ONE: usize = 16;
/// Multicast datagrams are lost like others: asked three times, further apart each time (SOAP-over-UDP, appendix I).
const AGAIN: [MediaTime; 3] = [MediaTime::ZERO, MediaTime::from_millis(150), MediaTime::from_millis(500)];
/// What an answer of mDNS leaves open is asked soon after, this often at most.
const FURTHER: u8 = 20;
/// How soon: several answers may come at once.
const SOON: MediaTime = MediaTime::from_millis(20);
/// Pause between two addresses of a list.
const PACE: MediaTime = MediaTime::from_millis(2);

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// The group of WS-Discovery, on an interface.
    Group(usize),
    /// The group of mDNS, on an interface; with [`Search::question`].
    Mdns(usize),
    /// An address, by WS-Discovery.
    Address(usize),
}

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    asks: VecDeque<(MediaTime, Ask)>,
    until: MediaTime,
    found: BTreeMap<String, Found>,
    book: Book,
    interfaces: usize,
    /// Further questions of mDNS that may be asked.
    further: u8,
}

impl Search {
    /// On so many interfaces, and at so many addresses (at most [`MOST_ADDRESSES`]).
    pub fn new(now: MediaTime, length: MediaTime, interfaces: usize, addresses: usize) -> Self {
        let addresses = addresses.min(MOST_ADDRESSES);
        let mut asks = Vec::new();
        for at in AGAIN {
            asks.extend((0..interfaces).flat_map(|i| [(now + at, Ask::Group(i)), (now + at, Ask::Mdns(i))]));
        }
        for again in [MediaTime::ZERO, MediaTime::SECOND] {
            let paced = |i: usize| MediaTime::from_nanos(PACE.nanos().saturating_mul(i as i64));
            asks.extend((0..addresses).map(|i| (now + again + paced(i), Ask::Address(i))));
        }
        asks.sort_by_key(|a| a.0);
        Self {
            asks: asks.into(),
            until: now + length,
            found: BTreeMap::new(),
            book: Book::default(),
            interfaces,
            further: FURTHER,
        }
    }

    /// Time has passed: whom to ask now, if there is somebody. Call until there is nobody.
    pub fn ask(&mut self, now: MediaTime) -> Option<Ask> {
        let (due, _) = self.asks.front()?;
        if *due > now || self.is_over(now) {
            return None;
        }
        self.asks.pop_front().map(|(_, target)| target)
    }
    /// What to send to the group of mDNS: for all cameras, and for what is missing of those that were heard of.
    pub fn question(&self) -> Vec<u8> {
        self.book.query()
    }
    /// An answer, of WS-Discovery or mDNS: the devices in it that are new, or have new addresses.
    pub fn answer(&mut self, now: MediaTime, datagram: &[u8]) -> Vec<Found> {
        // DNS begins with a number that we chose to be zero; XML does not.
        let is_xml = datagram.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'<' | 0xef));
        let all = if is_xml { matches(datagram) } else { self.book.answer(datagram) };
        if !is_xml && self.further > 0 && self.book.has_questions() {
            self.further -= 1;
            self.asks.extend((0..self.interfaces).map(|i| (now + SOON, Ask::Mdns(i))));
            self.asks.make_contiguous().sort_by_key(|a| a.0);
        }
        all.into_iter().filter_map(|f| self.keep(f)).collect()
    }
    /// Whether the time is up.
    pub fn is_over(&self, now: MediaTime) -> bool {
        now >= self.until
    }
    /// When to call again.
    pub fn next_deadline(&self) -> MediaTime {
        self.asks.front().map_or(self.until, |(t, _)| self.until.min(*t))
    }
    /// Everything found so far.
    pub fn found(&self) -> impl Iterator<Item = &Found> {
        self.found.values()
    }

    /// Keeps a device; gives it back if that was news. A device that answers by WS-Discovery and by mDNS is one: they are known
    /// to be the same by their host.
    fn keep(&mut self, mut f: Found) -> Option<Found> {
        let known = self.found.contains_key(&f.endpoint).then(|| f.endpoint.clone());
        let twin = || {
            let other = |g: &&Found| is_mdns(g) != is_mdns(&f) && share_host(g, &f);
            self.found.values().find(other).map(|g| g.endpoint.clone())
        };
        let mut same = known.or_else(twin);
        if let Some(old) = same.take_if(|e| *e != f.endpoint && !is_mdns(&f)) {
            // WS-Discovery knows it better: model, and an identity that holds.
            let old = self.found.remove(&old)?;
            f.name = f.name.or(old.name);
            f.addresses.extend(old.addresses);
        }
        let full = self.found.len() >= MOST_FOUND;
        match same.and_then(|e| self.found.get_mut(&e)) {
            Some(known) => {
                let before = known.addresses.len();
                for a in f.addresses {
                    if !known.addresses.contains(&a) && known.addresses.len() < MOST_OF_ONE {
                        known.addresses.push(a);
                    }
                }
                (known.addresses.len() > before).then(|| known.clone())
            }
            None if full => None,
            None => {
                f.addresses.truncate(MOST_OF_ONE);
                self.found.insert(f.endpoint.clone(), f.clone());
                Some(f)
            }
        }
    }
}

fn is_mdns(f: &Found) -> bool {
    f.endpoint.starts_with("mdns:")
}

fn share_host(a: &Found, b: &Found) -> bool {
    a.addresses.iter().any(|a| b.addresses.iter().any(|b| host(a) == host(b)))
}

/// The host of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((six, _)) => six,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// The addresses that a text names: `10.0.0.7`, `10.0.0.5-20`, `10.0.0.0/24`, `fd00::7`, `[fd00::7]`, `fd00::/120`. `None` when it is
/// none of these, or names more than [`MOST_ADDRESSES`].
pub fn addresses(text: &str) -> Option<Vec<IpAddr>> {
    let text = text.trim();
    let four = |first: u32, last: u32| {
        let fits = first <= last && ((last - first) as usize) < MOST_ADDRESSES;
        fits.then(|| (first..=last).map(|a| Ipv4Addr::from_bits(a).into()).collect())
    };
    let six = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<Ipv6Addr>().ok();
    if let Some((base, bits)) = text.split_once('/') {
        let bits: u32 = bits.parse().ok()?;
        if let Some(base) = six(base) {
            let left = 128u32.checked_sub(bits).filter(|l| *l <= MOST_ADDRESSES.ilog2())?;
            let mask = u128::MAX.checked_shl(left)?;
            let first = base.to_bits() & mask;
            return Some((0..1u128 << left).map(|i| Ipv6Addr::from_bits(first | i).into()).collect());
        }
        let base: Ipv4Addr = base.parse().ok()?;
        let bits = Some(bits).filter(|b| (1..=32).contains(b))?;
        let mask = u32::MAX << (32 - bits);
        let (first, last) = (base.to_bits() & mask, base.to_bits() | !mask);
        // The network's own address and its broadcast are nobody's.
        return if bits < 31 { four(first + 1, last - 1) } else { four(first, last) };
    }
    if let Some(a) = six(text) {
        return Some(vec![a.into()]);
    }
    if let Some((first, last)) = text.split_once('-') {
        let first: Ipv4Addr = first.parse().ok()?;
        let last: u8 = last.parse().ok()?;
        return four(first.to_bits(), (first.to_bits() & !0xff) | u32::from(last));
    }
    Some(vec![text.parse::<Ipv4Addr>().ok()?.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(n: i64) -> MediaTime {
        MediaTime::from_millis(n)
    }

    #[test]
    fn asks_again_and_ends() {
        use Ask::{Address, Group, Mdns};
        let mut s = Search::new(ms(0), ms(3000), 2, 3);
        let mut log = Vec::new();
        let mut now = ms(0);
        while !s.is_over(now) {
            while let Some(t) = s.ask(now) {
                log.push((now.millis(), t));
            }
            now = s.next_deadline();
        }
        let both = |ms: i64| [Group(0), Mdns(0), Group(1), Mdns(1)].map(|a| (ms, a));
        let mut want = both(0).to_vec();
        want.extend([(0, Address(0)), (2, Address(1)), (4, Address(2))]);
        want.extend(both(150));
        want.extend(both(500));
        want.extend([(1000, Address(0)), (1002, Address(1)), (1004, Address(2))]);
        assert_eq!((log.as_slice(), now), (&want[..], ms(3000)));
    }
    #[test]
    fn a_device_is_told_once_and_again_with_a_new_address() {
        let answer = |address: &str| {
            format!(
                "<Envelope><Body><ProbeMatches><ProbeMatch><EndpointReference><Address>urn:1</Address></EndpointReference>\
                 <XAddrs>{address}</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>"
            )
        };
        let mut s = Search::new(ms(0), ms(1), 1, 0);
        let mut news = |a: &str| s.answer(ms(0), answer(a).as_bytes()).first().map(|f| f.addresses.len());
        assert_eq!(news("http://a/onvif/d"), Some(1));
        assert_eq!(news("http://a/onvif/d"), None);
        assert_eq!(news("http://b/onvif/d http://a/onvif/d"), Some(2));
        for i in 0..100 {
            news(&format!("http://{i}/onvif/d"));
        }
        assert_eq!(s.found().next().map(|f| f.addresses.len()), Some(MOST_OF_ONE));
    }
    #[test]
    fn a_device_that_answers_in_both_ways_is_one() {
        use super::super::dns::{kind, write_name};
        let name = |labels: &[&str]| {
            let mut out = Vec::new();
            write_name(&mut out, &labels.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
            out
        };
        let record = |of: &[&str], kind: u16, data: Vec<u8>| {
            [name(of), kind.to_be_bytes().to_vec(), vec![0, 1, 0, 0, 0, 9, 0, data.len() as u8], data].concat()
        };
        let srv = record(
            &["Cam", "_rtsp", "_tcp", "local"],
            kind::SRV,
            [vec![0, 0, 0, 0, 2, 42], name(&["c", "local"])].concat(),
        );
        let mdns =
            [vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0], srv, record(&["c", "local"], kind::A, vec![10, 0, 0, 5])]
                .concat();
        let soap = "<Envelope><Body><ProbeMatches><ProbeMatch><EndpointReference><Address>urn:1</Address></EndpointReference>\
            <XAddrs>http://10.0.0.5:8000/onvif/d</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>";
        for mdns_first in [true, false] {
            let mut s = Search::new(ms(0), ms(1), 1, 0);
            let two: [&[u8]; 2] = if mdns_first { [&mdns, soap.as_bytes()] } else { [soap.as_bytes(), &mdns] };
            assert_eq!(two.map(|d| s.answer(ms(0), d).len()), [1, 1], "told, and told again with what is new");
            assert_eq!(two.map(|d| s.answer(ms(0), d).len()), [0, 0]);
            let all: Vec<_> = s.found().collect();
            assert_eq!((all.len(), all[0].endpoint.as_str(), all[0].addresses.len()), (1, "urn:1", 2));
        }
    }
    #[test]
    fn ranges() {
        let count = |t: &str| addresses(t).map(|a| (a.len(), a[0].to_string()));
        assert_eq!(count("10.0.0.7"), Some((1, "10.0.0.7".into())));
        assert_eq!(count("10.0.0.5-20"), Some((16, "10.0.0.5".into())));
        assert_eq!(count("10.0.0.9/24"), Some((254, "10.0.0.1".into())));
        assert_eq!(count("10.0.0.9/31"), Some((2, "10.0.0.8".into())));
        assert_eq!(count("fd00::7"), Some((1, "fd00::7".into())));
        assert_eq!(count(" [::1] "), Some((1, "::1".into())));
        assert_eq!(count("fd00::1ff/120"), Some((256, "fd00::100".into())));
        assert_eq!(count("fd00::1/128"), Some((1, "fd00::1".into())));
        for bad in [
            "10.0.0.0/8",
            "10.0.0.0/0",
            "10.0.0.0/33",
            "10.0.0.9-3",
            "cam",
            "",
            "10.0.0.1-300",
            "/",
            "fd00::/64",
            "fd00::/129",
            "::/0",
            "fd00::1-9",
        ] {
            assert_eq!(count(bad), None, "{bad}");
        }
    }
    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9a-f:./\\[\\]-]{0,20}") {
            prop_assert!(addresses(&text).is_none_or(|a| !a.is_empty() && a.len() <= MOST_ADDRESSES));
        }
    }
}
