//! The camera's side of one RTSP connection (RFC 2326): requests in, answers and decisions out. Sans-IO.

use rtsp_types::{Method, Request, Response, StatusCode, Version, headers};

use super::{CameraAuth, auth};
use crate::time::MediaTime;

/// How a track's packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Inside the RTSP connection: channels of RTP and RTCP.
    Interleaved(u8, u8),
    /// To these ports of the viewer.
    Udp(u16, u16),
}

/// What the driver has to do, besides sending the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// Start to send what was set up.
    Play,
    /// Stop sending.
    Pause,
    /// Stop sending, forget the set-up.
    Teardown,
}

/// What the conversation needs to know of the camera, and asks of the driver.
pub(super) trait Stage {
    /// The session description.
    fn sdp(&mut self) -> Vec<u8>;
    /// Number of tracks.
    fn tracks(&self) -> usize;
    /// Local RTP port for a track over UDP (the RTCP port is the next one).
    fn udp_port(&mut self, track: usize) -> Option<u16>;
    /// Fixes where playing starts; gives sequence number and RTP time of a track's first packet.
    fn start(&mut self, track: usize) -> (u16, u32);
    /// SSRC of a track.
    fn ssrc(&self, track: usize) -> u32;
}

/// One connection's state.
#[derive(Debug)]
pub(super) struct Conversation {
    auth: CameraAuth,
    path: String,
    nonce: String,
    session: String,
    timeout: MediaTime,
    ways: Vec<Option<Way>>,
    playing: bool,
    last: MediaTime,
}

impl Conversation {
    /// `id` makes nonce and session id; it must differ from connection to connection.
    pub(super) fn new(auth: CameraAuth, path: &str, id: u64, timeout: MediaTime, now: MediaTime) -> Self {
        let mixed = id.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self {
            auth,
            path: path.to_owned(),
            nonce: format!("{:016x}{id:x}", mixed.rotate_left(17)),
            session: format!("{:08X}", (mixed >> 32) as u32),
            timeout,
            ways: Vec::new(),
            playing: false,
            last: now,
        }
    }

    /// How each track was set up.
    pub(super) fn ways(&self) -> &[Option<Way>] {
        &self.ways
    }

    /// When the connection is over for want of requests: only a session can time out.
    pub(super) fn next_deadline(&self) -> Option<MediaTime> {
        self.ways.iter().any(Option::is_some).then(|| self.last + self.timeout)
    }

    /// The viewer is alive, by RTCP or any other sign.
    pub(super) fn touch(&mut self, now: MediaTime) {
        self.last = now;
    }

    /// Answers one request.
    pub(super) fn handle(
        &mut self,
        now: MediaTime,
        request: &Request<Vec<u8>>,
        stage: &mut dyn Stage,
        out: &mut Vec<u8>,
    ) -> Step {
        self.touch(now);
        let (answer, step) = self.answer(request, stage);
        // Writing into memory fails only for what cannot be expressed as a header; nothing here is.
        let _ = answer.write(out);
        step
    }

    fn answer(&mut self, r: &Request<Vec<u8>>, stage: &mut dyn Stage) -> (Response<Vec<u8>>, Step) {
        let method: &str = r.method().into();
        let uri = r.request_uri().map_or("*", rtsp_types::Url::as_str);
        if *r.method() == Method::Options {
            let methods = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER";
            return (reply(r, StatusCode::Ok, &[(headers::PUBLIC, methods.into())], Vec::new()), Step::Nothing);
        }
        let given = r.header(&headers::AUTHORIZATION).map(|h| h.as_str().to_owned());
        if !auth::allowed(&self.auth, &self.nonce, method, uri, given.as_deref()) {
            let ask = auth::challenge(&self.auth, &self.nonce).unwrap_or_default();
            let fields = [(headers::WWW_AUTHENTICATE, ask)];
            return (reply(r, StatusCode::Unauthorized, &fields, Vec::new()), Step::Nothing);
        }
        let path = r.request_uri().map_or("", |u| u.path());
        let Some(rest) = path.strip_prefix(self.path.as_str()).filter(|p| p.is_empty() || p.starts_with('/')) else {
            return (fail(r, StatusCode::NotFound), Step::Nothing);
        };
        match r.method() {
            Method::Describe => {
                let base = format!("{}/", uri.trim_end_matches('/'));
                let fields = [(headers::CONTENT_BASE, base), (headers::CONTENT_TYPE, "application/sdp".into())];
                (reply(r, StatusCode::Ok, &fields, stage.sdp()), Step::Nothing)
            }
            Method::Setup => (self.setup(r, rest, stage), Step::Nothing),
            _ if !self.in_session(r) => (fail(r, StatusCode::SessionNotFound), Step::Nothing),
            Method::Play => {
                if self.playing {
                    return (reply(r, StatusCode::Ok, &[self.session_field()], Vec::new()), Step::Nothing);
                }
                self.playing = true;
                let base = uri.trim_end_matches('/');
                let info: Vec<String> = (0..self.ways.len())
                    .filter(|i| self.ways[*i].is_some())
                    .map(|i| {
                        let (seq, time) = stage.start(i);
                        format!("url={base}/trackID={i};seq={seq};rtptime={time}")
                    })
                    .collect();
                let fields =
                    [self.session_field(), (headers::RANGE, "npt=0.000-".into()), (headers::RTP_INFO, info.join(","))];
                (reply(r, StatusCode::Ok, &fields, Vec::new()), Step::Play)
            }
            Method::Pause => {
                self.playing = false;
                (reply(r, StatusCode::Ok, &[self.session_field()], Vec::new()), Step::Pause)
            }
            Method::Teardown => {
                self.playing = false;
                self.ways.clear();
                (reply(r, StatusCode::Ok, &[self.session_field()], Vec::new()), Step::Teardown)
            }
            Method::GetParameter | Method::SetParameter => {
                (reply(r, StatusCode::Ok, &[self.session_field()], Vec::new()), Step::Nothing)
            }
            _ => (fail(r, StatusCode::NotImplemented), Step::Nothing),
        }
    }

    fn setup(&mut self, r: &Request<Vec<u8>>, rest: &str, stage: &mut dyn Stage) -> Response<Vec<u8>> {
        let track = rest.strip_prefix("/trackID=").and_then(|n| n.parse::<usize>().ok());
        // A single track may be set up by the stream's own address (RFC 2326 §C.3).
        let track = track.or_else(|| (rest.trim_matches('/').is_empty() && stage.tracks() == 1).then_some(0));
        let Some(track) = track.filter(|t| *t < stage.tracks()) else { return fail(r, StatusCode::NotFound) };
        if self.playing {
            return fail(r, StatusCode::MethodNotValidInThisState);
        }
        let asked = r.header(&headers::TRANSPORT).map(|h| h.as_str().to_owned()).unwrap_or_default();
        let ssrc = stage.ssrc(track);
        let offer = asked.split(',').find_map(parse_transport);
        let (way, text) = match offer {
            Some(Way::Interleaved(a, b)) => {
                (Way::Interleaved(a, b), format!("RTP/AVP/TCP;unicast;interleaved={a}-{b};ssrc={ssrc:08X}"))
            }
            Some(Way::Udp(a, b)) => {
                let Some(port) = stage.udp_port(track) else { return fail(r, StatusCode::UnsupportedTransport) };
                let ours = format!("{port}-{}", u32::from(port) + 1);
                (Way::Udp(a, b), format!("RTP/AVP/UDP;unicast;client_port={a}-{b};server_port={ours};ssrc={ssrc:08X}"))
            }
            None => return fail(r, StatusCode::UnsupportedTransport),
        };
        self.ways.resize(stage.tracks(), None);
        self.ways[track] = Some(way);
        reply(r, StatusCode::Ok, &[self.session_field(), (headers::TRANSPORT, text)], Vec::new())
    }

    fn session_field(&self) -> (rtsp_types::HeaderName, String) {
        (headers::SESSION, format!("{};timeout={}", self.session, self.timeout.nanos() / 1_000_000_000))
    }

    fn in_session(&self, r: &Request<Vec<u8>>) -> bool {
        let given =
            r.header(&headers::SESSION).map(|h| h.as_str().split(';').next().unwrap_or_default().trim().to_owned());
        self.ways.iter().any(Option::is_some) && given.is_none_or(|s| s == self.session)
    }
}

/// One offer of a Transport header (RFC 2326 §12.39). Read by hand: the library's parser panics on some quoted values.
fn parse_transport(offer: &str) -> Option<Way> {
    let mut parts = offer.trim().split(';').map(str::trim);
    let spec = parts.next()?.to_ascii_uppercase();
    let (tcp, udp) = (spec == "RTP/AVP/TCP", matches!(spec.as_str(), "RTP/AVP" | "RTP/AVP/UDP"));
    let mut way = if tcp { Some(Way::Interleaved(0, 1)) } else { None };
    for p in parts {
        if p.eq_ignore_ascii_case("multicast") {
            return None;
        }
        match p.split_once('=') {
            Some(("interleaved", v)) if tcp => {
                let (a, b) = pair::<u8>(v)?;
                way = Some(Way::Interleaved(a, b.or_else(|| a.checked_add(1))?));
            }
            Some(("client_port", v)) if udp => {
                let (a, b) = pair::<u16>(v)?;
                way = Some(Way::Udp(a, b.or_else(|| a.checked_add(1))?));
            }
            _ => {}
        }
    }
    way
}

fn pair<T: std::str::FromStr>(v: &str) -> Option<(T, Option<T>)> {
    match v.split_once('-') {
        Some((a, b)) => Some((a.parse().ok()?, Some(b.parse().ok()?))),
        None => Some((v.parse().ok()?, None)),
    }
}

fn fail(r: &Request<Vec<u8>>, status: StatusCode) -> Response<Vec<u8>> {
    reply(r, status, &[], Vec::new())
}

fn reply(
    r: &Request<Vec<u8>>,
    status: StatusCode,
    fields: &[(rtsp_types::HeaderName, String)],
    body: Vec<u8>,
) -> Response<Vec<u8>> {
    let mut b = Response::builder(Version::V1_0, status).header(headers::SERVER, "VistterStream test camera");
    // A number (RFC 2326 §12.17); anything else could bring line ends into the answer.
    if let Some(seq) = r.header(&headers::CSEQ).and_then(|seq| seq.as_str().trim().parse::<u32>().ok()) {
        b = b.header(headers::CSEQ, seq.to_string());
    }
    for (name, value) in fields {
        b = b.header(name.clone(), value.as_str());
    }
    b.build(body)
}

#[cfg(test)]
mod tests {
    use super::super::fuzz_requests::Two;
    use super::*;
    use proptest::prelude::*;
    use rtsp_types::Message;

    fn conversation() -> Conversation {
        Conversation::new(CameraAuth::Open, "/cam", 1, MediaTime::from_secs(60), MediaTime::ZERO)
    }
    fn ask(c: &mut Conversation, text: &str) -> (String, Step) {
        let (m, _) = Message::<Vec<u8>>::parse(text.as_bytes()).unwrap();
        let Message::Request(r) = m else { panic!("not a request") };
        let mut out = Vec::new();
        let step = c.handle(MediaTime::SECOND, &r, &mut Two, &mut out);
        (String::from_utf8(out).unwrap(), step)
    }
    fn request(method: &str, path: &str, fields: &str) -> String {
        format!("{method} rtsp://127.0.0.1:554{path} RTSP/1.0\r\nCSeq: 3\r\n{fields}\r\n")
    }

    #[test]
    fn a_viewer_comes_and_goes() {
        let mut c = conversation();
        assert!(c.next_deadline().is_none());
        assert!(ask(&mut c, &request("DESCRIBE", "/cam", "")).0.contains("v=0"));
        assert!(ask(&mut c, &request("DESCRIBE", "/camera", "")).0.starts_with("RTSP/1.0 404"));
        assert!(ask(&mut c, &request("PLAY", "/cam", "")).0.starts_with("RTSP/1.0 454"));
        let t = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        let (a, _) = ask(&mut c, &request("SETUP", "/cam/trackID=0", t));
        assert!(a.contains("interleaved=0-1;ssrc=0000ABCD"), "{a}");
        let t = "Transport: RTP/AVP;unicast;client_port=4000-4001\r\n";
        let (a, _) = ask(&mut c, &request("SETUP", "/cam/trackID=1", t));
        assert!(a.contains("server_port=5002-5003"), "{a}");
        assert_eq!(c.ways(), [Some(Way::Interleaved(0, 1)), Some(Way::Udp(4000, 4001))]);
        assert_eq!(c.next_deadline(), Some(MediaTime::from_secs(61)));
        let (a, step) = ask(&mut c, &request("PLAY", "/cam/", ""));
        assert_eq!(step, Step::Play);
        assert!(a.contains("rtsp://127.0.0.1:554/cam/trackID=1;seq=11;rtptime=1000"), "{a}");
        assert!(ask(&mut c, &request("GET_PARAMETER", "/cam", "Session: nope\r\n")).0.starts_with("RTSP/1.0 454"));
        assert_eq!(ask(&mut c, &request("TEARDOWN", "/cam", "")).1, Step::Teardown);
        assert!(c.next_deadline().is_none());
    }
    #[test]
    fn strange_set_ups_are_refused() {
        let mut c = conversation();
        for t in
            ["", "Transport: RTP/AVP;multicast\r\n", "Transport: RTP/AVP;client_port=70000\r\n", "Transport: x\r\n"]
        {
            assert!(ask(&mut c, &request("SETUP", "/cam/trackID=0", t)).0.starts_with("RTSP/1.0 461"), "{t}");
        }
        assert!(
            ask(&mut c, &request("SETUP", "/cam/trackID=7", "Transport: RTP/AVP/TCP\r\n"))
                .0
                .starts_with("RTSP/1.0 404")
        );
        assert!(ask(&mut c, &request("RECORD", "/cam", "")).0.starts_with("RTSP/1.0 454"));
    }
    proptest! {
        #[test]
        fn transport_never_panics(s in "[ -~]{0,80}") { let _ = parse_transport(&s); }
    }
}
