//! Any bytes from a VISCA camera, in pieces, over UDP and TCP: every message ends, and nothing grows.
#![no_main]

use vistter_core::time::MediaTime;
use vistter_ptz::visca::connection::{Connection, Framing, Policy};
use vistter_ptz::visca::message::Request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for framing in [Framing::Udp, Framing::Tcp] {
        let mut c = Connection::new(framing, Policy::default());
        let mut now = MediaTime::ZERO;
        // 0xfe separates the pieces; between them something may be said.
        for (i, piece) in data.split(|b| *b == 0xfe).enumerate() {
            let request = [Request::Zoom, Request::Home, Request::PanTilt, Request::Cancel(1)][i % 4];
            let _ = c.submit(now, request, &mut |_| {});
            c.receive(now, piece, &mut |_| {});
            now = now + MediaTime::from_millis(10);
            c.poll(now, &mut |_| {});
        }
        let last = now + MediaTime::from_secs(60);
        while let Some(t) = c.next_deadline() {
            assert!(t <= last, "it waits for ever");
            now = now.max(t);
            c.poll(now, &mut |_| {});
        }
    }
});
