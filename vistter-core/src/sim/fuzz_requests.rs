//! The fuzz target of the test camera's requests: see `crate::fuzzing`.

use bytes::BytesMut;
use rtsp_types::{HeaderValue, Message, headers};

use super::CameraAuth;
use super::conversation::{Conversation, Stage, Step};
use super::server::next_request;
use crate::config::Credentials;
use crate::time::MediaTime;

/// A camera with two tracks and without a network.
pub(super) struct Two;

impl Stage for Two {
    fn sdp(&mut self) -> Vec<u8> {
        b"v=0\r\n".to_vec()
    }
    fn tracks(&self) -> usize {
        2
    }
    fn udp_port(&mut self, track: usize) -> Option<u16> {
        u16::try_from(5000 + 2 * track).ok()
    }
    fn start(&mut self, track: usize) -> (u16, u32) {
        (u16::try_from(10 + track).unwrap_or(0), 1000)
    }
    fn ssrc(&self, _: usize) -> u32 {
        0xabcd
    }
}

/// The first byte chooses the authentication and the size of the pieces in which the rest arrives.
pub(crate) fn fuzz_requests(data: &[u8]) -> usize {
    let Some((&how, rest)) = data.split_first() else { return 0 };
    let credentials = Credentials { user: "u".into(), password: "p".into() };
    let auth = match how & 3 {
        0 | 1 => CameraAuth::Open,
        2 => CameraAuth::Basic(credentials),
        _ => CameraAuth::Digest(credentials),
    };
    let mut talk = Conversation::new(auth, "/cam", 1, MediaTime::from_secs(60), MediaTime::ZERO);
    let (mut input, mut answered, mut now) = (BytesMut::new(), 0, MediaTime::ZERO);
    for part in rest.chunks(usize::from(how >> 2) * 16 + 1) {
        input.extend_from_slice(part);
        now = now + MediaTime::SECOND;
        loop {
            let before = input.len();
            let request = match next_request(&mut input) {
                Ok(Some(r)) => r,
                Ok(None) => break,
                Err(_) => return answered,
            };
            assert!(input.len() < before, "a request takes bytes");
            let Some(request) = request else { continue };
            let mut answer = Vec::new();
            let step = talk.handle(now, &request, &mut Two, &mut answer);
            let parsed = Message::<Vec<u8>>::parse(&answer);
            let Ok((Message::Response(r), used)) = parsed else { panic!("{parsed:?} to {request:?}") };
            assert_eq!(used, answer.len(), "one answer to {request:?}");
            // The same number, or none where there was none.
            let number = |h: &HeaderValue| h.as_str().trim().parse::<u32>().ok();
            let asked = request.header(&headers::CSEQ).and_then(number);
            assert_eq!(r.header(&headers::CSEQ).and_then(number), asked);
            assert_eq!(r.header(&headers::CSEQ).is_some(), asked.is_some());
            assert!(talk.ways().len() <= 2);
            assert!(step != Step::Play || talk.ways().iter().any(Option::is_some));
            assert!(talk.next_deadline().is_none_or(|d| d > now));
            answered += 1;
        }
    }
    answered
}
