//! Any datagram to a search for cameras.
#![no_main]

use vistter_core::time::MediaTime;
use vistter_ptz::discovery::Search;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut search = Search::new(MediaTime::ZERO, MediaTime::SECOND, 1, 0);
    for found in search.answer(data) {
        assert!(!found.endpoint.is_empty() && !found.addresses.is_empty());
        assert!(found.name.iter().chain(&found.model).chain(&found.location).all(|t| !t.chars().any(char::is_control)));
    }
    assert!(search.answer(data).is_empty(), "the same answer brings nothing new");
});
