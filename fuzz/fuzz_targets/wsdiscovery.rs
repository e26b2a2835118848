//! Any datagram to a search for cameras: WS-Discovery or mDNS.
#![no_main]

use vistter_core::time::MediaTime;
use vistter_ptz::discovery::Search;
use vistter_ptz::discovery::dns::{MOST_QUESTIONS, questions};

fn whole(data: &[u8]) -> Vec<u8> {
    // The header of an answer with many records before the bytes: most of them are no DNS by themselves.
    [&[0, 0, 0x84, 0, 0, 0, 0, 9, 0, 0, 0, 0], data].concat()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut search = Search::new(MediaTime::ZERO, MediaTime::SECOND, 1, 0);
    for found in search.answer(MediaTime::ZERO, data) {
        assert!(!found.endpoint.is_empty() && !found.addresses.is_empty());
        assert!(found.name.iter().chain(&found.model).chain(&found.location).all(|t| !t.chars().any(char::is_control)));
    }
    assert!(search.answer(MediaTime::ZERO, data).is_empty(), "the same answer brings nothing new");
    let dns = whole(data);
    for found in search.answer(MediaTime::ZERO, &dns) {
        assert!(found.addresses.iter().all(|a| !a.chars().any(char::is_control)));
    }
    assert!(search.answer(MediaTime::ZERO, &dns).is_empty());
    assert!(search.question().len() < 9000 && questions(&search.question()).len() <= MOST_QUESTIONS);
    let _ = questions(data);
});
