//! A search, sans-IO: whom to ask when, and what is new among the answers.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

use vistter_core::time::MediaTime;

use super::message::{Found, matches};

/// Addresses that one search asks.
pub const MOST_ADDRESSES: usize = 1024;
/// Devices kept.
const MOST_FOUND: usize = 2048;
/// Addresses kept of a device that answers with a new one each time.
const MOST_OF_ONE: usize = 16;
/// Multicast datagrams are lost like others: asked three times, further apart each time (SOAP-over-UDP, appendix I).
const AGAIN: [MediaTime; 3] = [MediaTime::ZERO, MediaTime::from_millis(150), MediaTime::from_millis(500)];
/// Pause between two addresses of a list.
const PACE: MediaTime = MediaTime::from_millis(2);

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    asks: VecDeque<(MediaTime, usize)>,
    until: MediaTime,
    found: BTreeMap<String, Found>,
}

impl Search {
    /// Targets are numbers: first the interfaces, then the addresses (at most [`MOST_ADDRESSES`]).
    pub fn new(now: MediaTime, length: MediaTime, interfaces: usize, addresses: usize) -> Self {
        let addresses = addresses.min(MOST_ADDRESSES);
        let mut asks = Vec::new();
        for at in AGAIN {
            asks.extend((0..interfaces).map(|i| (now + at, i)));
        }
        for again in [MediaTime::ZERO, MediaTime::SECOND] {
            let paced = |i: usize| MediaTime::from_nanos(PACE.nanos().saturating_mul(i as i64));
            asks.extend((0..addresses).map(|i| (now + again + paced(i), interfaces + i)));
        }
        asks.sort_by_key(|a| a.0);
        Self { asks: asks.into(), until: now + length, found: BTreeMap::new() }
    }

    /// Time has passed: the target to ask now, if there is one. Call until there is none.
    pub fn ask(&mut self, now: MediaTime) -> Option<usize> {
        let (due, _) = self.asks.front()?;
        if *due > now || self.is_over(now) {
            return None;
        }
        self.asks.pop_front().map(|(_, target)| target)
    }
    /// An answer: the devices in it that are new, or have new addresses.
    pub fn answer(&mut self, datagram: &[u8]) -> Vec<Found> {
        let mut news = Vec::new();
        for f in matches(datagram) {
            let full = self.found.len() >= MOST_FOUND;
            match self.found.get_mut(&f.endpoint) {
                Some(known) => {
                    let before = known.addresses.len();
                    for a in f.addresses {
                        if !known.addresses.contains(&a) && known.addresses.len() < MOST_OF_ONE {
                            known.addresses.push(a);
                        }
                    }
                    if known.addresses.len() > before {
                        news.push(known.clone());
                    }
                }
                None if full => {}
                None => {
                    self.found.insert(f.endpoint.clone(), f.clone());
                    news.push(f);
                }
            }
        }
        news
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
}

/// The addresses that a text names: `10.0.0.7`, `10.0.0.5-20`, `10.0.0.0/24`. `None` when it is none of these, or names more
/// than [`MOST_ADDRESSES`].
pub fn addresses(text: &str) -> Option<Vec<Ipv4Addr>> {
    let text = text.trim();
    let range = |first: u32, last: u32| {
        let fits = first <= last && ((last - first) as usize) < MOST_ADDRESSES;
        fits.then(|| (first..=last).map(Ipv4Addr::from_bits).collect())
    };
    if let Some((base, bits)) = text.split_once('/') {
        let (base, bits): (Ipv4Addr, u32) = (base.parse().ok()?, bits.parse().ok().filter(|b| (1..=32).contains(b))?);
        let mask = u32::MAX << (32 - bits);
        let (first, last) = (base.to_bits() & mask, base.to_bits() | !mask);
        // The network's own address and its broadcast are nobody's.
        return if bits < 31 { range(first + 1, last - 1) } else { range(first, last) };
    }
    if let Some((first, last)) = text.split_once('-') {
        let first: Ipv4Addr = first.parse().ok()?;
        let last: u8 = last.parse().ok()?;
        return range(first.to_bits(), (first.to_bits() & !0xff) | u32::from(last));
    }
    Some(vec![text.parse().ok()?])
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
        let mut s = Search::new(ms(0), ms(3000), 2, 3);
        let mut log = Vec::new();
        let mut now = ms(0);
        while !s.is_over(now) {
            while let Some(t) = s.ask(now) {
                log.push((now.millis(), t));
            }
            now = s.next_deadline();
        }
        let want = [
            (0, 0),
            (0, 1),
            (0, 2),
            (2, 3),
            (4, 4),
            (150, 0),
            (150, 1),
            (500, 0),
            (500, 1),
            (1000, 2),
            (1002, 3),
            (1004, 4),
        ];
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
        let mut news = |a: &str| s.answer(answer(a).as_bytes()).first().map(|f| f.addresses.len());
        assert_eq!(news("http://a/onvif/d"), Some(1));
        assert_eq!(news("http://a/onvif/d"), None);
        assert_eq!(news("http://b/onvif/d http://a/onvif/d"), Some(2));
        for i in 0..100 {
            news(&format!("http://{i}/onvif/d"));
        }
        assert_eq!(s.found().next().map(|f| f.addresses.len()), Some(MOST_OF_ONE));
    }
    #[test]
    fn ranges() {
        let count = |t: &str| addresses(t).map(|a| (a.len(), a[0].to_string()));
        assert_eq!(count("10.0.0.7"), Some((1, "10.0.0.7".into())));
        assert_eq!(count("10.0.0.5-20"), Some((16, "10.0.0.5".into())));
        assert_eq!(count("10.0.0.9/24"), Some((254, "10.0.0.1".into())));
        assert_eq!(count("10.0.0.9/31"), Some((2, "10.0.0.8".into())));
        for bad in ["10.0.0.0/8", "10.0.0.0/0", "10.0.0.0/33", "10.0.0.9-3", "cam", "", "10.0.0.1-300", "/"] {
            assert_eq!(count(bad), None, "{bad}");
        }
    }
    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9./-]{0,20}") {
            prop_assert!(addresses(&text).is_none_or(|a| !a.is_empty() && a.len() <= MOST_ADDRESSES));
        }
    }
}
