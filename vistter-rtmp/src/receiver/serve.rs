//! The publish side of a server session, without I/O.

use bytes::{Bytes, BytesMut};
use vistter_core::{Error, ErrorKind, Result, Secret};

use crate::amf0::Value;
use crate::chunk::{Limits, Message};
use crate::flv::TagKind;
use crate::session::{self, Role, Session, kind};

/// Our window and chunk size, as nginx has them by default.
const WINDOW: u32 = 5_000_000;
const CHUNK_SIZE: u32 = 4096;
/// The only message stream we give out: one publish per connection.
const STREAM: u32 = 1;

/// What an encoder wants.
#[derive(Debug)]
pub(crate) enum Event {
    /// To publish; answer with [`Server::accept`] or [`Server::reject`].
    Publish { app: String, key: Secret<String> },
    /// To send a tag's body.
    Tag { kind: TagKind, time: u32, body: Bytes },
    /// To end the publish.
    Unpublish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Connected,
    Asked,
    Publishing,
    Over,
}

/// One encoder's connection.
pub(crate) struct Server {
    session: Session,
    phase: Phase,
    app: String,
}

impl Server {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { session: Session::new(Role::Server, limits), phase: Phase::New, app: String::new() }
    }
    /// See [`Session::skip_handshake`].
    pub(crate) fn skip_handshake(&mut self) {
        self.session.skip_handshake();
    }
    /// Whether a publish is going on.
    pub(crate) fn is_publishing(&self) -> bool {
        self.phase == Phase::Publishing
    }
    /// Takes bytes; ask [`Self::next`] for events until there are none.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut BytesMut) -> Result<()> {
        self.session.feed(input, out)
    }
    /// The next event.
    pub(crate) fn next(&mut self, out: &mut BytesMut) -> Result<Option<Event>> {
        while let Some(m) = self.session.next(out)? {
            if let Some(e) = self.message(m, out)? {
                return Ok(Some(e));
            }
        }
        Ok(None)
    }
    /// Lets the publish begin.
    pub(crate) fn accept(&mut self, out: &mut BytesMut) -> Result<()> {
        self.phase = Phase::Publishing;
        self.session.stream_begin(STREAM, out)?;
        self.status("status", "NetStream.Publish.Start", "Start publishing", out)
    }
    /// Refuses the publish with a code and words; close the connection afterwards.
    pub(crate) fn reject(&mut self, code: &str, words: &str, out: &mut BytesMut) -> Result<()> {
        self.phase = Phase::Over;
        self.status("error", code, words, out)
    }

    /// Asks for a sign of life.
    #[cfg(test)]
    pub(crate) fn ping(&mut self, out: &mut BytesMut) -> Result<()> {
        self.session.send(kind::USER_CONTROL, 0, 0, Bytes::from_static(&[0, 6, 0, 0, 0, 1]), out)
    }

    fn message(&mut self, m: Message, out: &mut BytesMut) -> Result<Option<Event>> {
        let tag = match m.kind {
            kind::AUDIO => TagKind::Audio,
            kind::VIDEO => TagKind::Video,
            kind::DATA | kind::DATA_AMF3 => TagKind::Script,
            kind::COMMAND | kind::COMMAND_AMF3 => return self.command(&m, out),
            kind::AGGREGATE => {
                return Err(Error::new(ErrorKind::Unsupported, "the encoder sends aggregate messages")
                    .next("switch them off in the encoder"));
            }
            _ => return Ok(None),
        };
        if self.phase != Phase::Publishing {
            // Encoders that do not wait for the answer to publish exist; before it nothing can be kept.
            return Ok(None);
        }
        let body = if tag == TagKind::Script { script_body(&m) } else { m.data };
        Ok(Some(Event::Tag { kind: tag, time: m.time, body }))
    }

    fn command(&mut self, m: &Message, out: &mut BytesMut) -> Result<Option<Event>> {
        let Some(values) = session::values(m)? else { return Ok(None) };
        let name = values.first().and_then(Value::as_text).unwrap_or_default();
        let id = values.get(1).and_then(Value::as_number).unwrap_or_default();
        let text = |i: usize| values.get(i).and_then(Value::as_text);
        match (name, self.phase) {
            ("connect", Phase::New) => {
                let app = values.get(2).and_then(|o| o.get("app")).and_then(Value::as_text).unwrap_or_default();
                let app = app.split('?').next().unwrap_or_default().trim_matches('/');
                self.app = app.chars().filter(|c| !c.is_control()).take(128).collect();
                self.connected(id, out)?;
                Ok(None)
            }
            ("createStream", Phase::Connected | Phase::Asked) => {
                self.result(id, Value::Number(f64::from(STREAM)), out)?;
                Ok(None)
            }
            ("releaseStream" | "FCPublish", Phase::Connected) => {
                self.result(id, Value::Null, out)?;
                Ok(None)
            }
            ("publish", Phase::Connected) => {
                let key = text(3).unwrap_or_default().to_owned();
                self.phase = Phase::Asked;
                Ok(Some(Event::Publish { app: self.app.clone(), key: Secret::new(key) }))
            }
            ("play" | "play2", _) => {
                self.status("error", "NetStream.Play.Failed", "This server takes publishers only", out)?;
                Ok(None)
            }
            ("FCUnpublish" | "deleteStream" | "closeStream", Phase::Publishing) => {
                self.phase = Phase::Over;
                self.status("status", "NetStream.Unpublish.Success", "Stream unpublished", out)?;
                Ok(Some(Event::Unpublish))
            }
            ("publish" | "createStream", Phase::New) => Err(out_of_order(name)),
            ("_checkbw", _) => {
                self.result(id, Value::Null, out)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn connected(&mut self, id: f64, out: &mut BytesMut) -> Result<()> {
        self.phase = Phase::Connected;
        self.session.tell_window(WINDOW, out)?;
        self.session.tell_bandwidth(WINDOW, out)?;
        self.session.set_chunk_size(CHUNK_SIZE, out)?;
        let server = Value::Object(vec![
            ("fmsVer".into(), Value::text("FMS/3,0,1,123")), // what encoders parse; nginx says the same
            ("capabilities".into(), Value::Number(31.0)),
        ]);
        let info = info("status", "NetConnection.Connect.Success", "Connection succeeded.");
        self.session.command(0, &[Value::text("_result"), Value::Number(id), server, info], out)
    }
    fn result(&mut self, id: f64, value: Value, out: &mut BytesMut) -> Result<()> {
        self.session.command(0, &[Value::text("_result"), Value::Number(id), Value::Null, value], out)
    }
    fn status(&mut self, level: &str, code: &str, words: &str, out: &mut BytesMut) -> Result<()> {
        let values = [Value::text("onStatus"), Value::Number(0.0), Value::Null, info(level, code, words)];
        self.session.command(STREAM, &values, out)
    }
}

fn info(level: &str, code: &str, words: &str) -> Value {
    Value::Object(vec![
        ("level".into(), Value::text(level)),
        ("code".into(), Value::text(code)),
        ("description".into(), Value::text(words)),
    ])
}

fn out_of_order(name: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the encoder sent {name} before connect"))
}

/// A script tag holds the name and the value; `@setDataFrame` before them is for the server alone.
fn script_body(m: &Message) -> Bytes {
    const PREFIX: &[u8] = b"\x02\x00\x0d@setDataFrame";
    let data = if m.kind == kind::DATA_AMF3 && m.data.first() == Some(&0) { m.data.slice(1..) } else { m.data.clone() };
    if data.starts_with(PREFIX) { data.slice(PREFIX.len()..) } else { data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Step};
    use crate::target::RtmpTarget;
    use proptest::prelude::*;

    fn target() -> RtmpTarget {
        RtmpTarget::parse("rtmp://127.0.0.1/live/secret-key").unwrap()
    }

    /// Runs client and server against each other; `answer` decides about the publish.
    fn run(step: usize, mut answer: impl FnMut(&mut Server, &mut BytesMut)) -> (Result<()>, Client, Server) {
        let (mut to_s, mut to_c) = (BytesMut::new(), BytesMut::new());
        let mut c = Client::new(target(), 4096, &mut to_s).unwrap();
        let mut s = Server::new(Limits::default());
        while !to_s.is_empty() || !to_c.is_empty() {
            for part in std::mem::take(&mut to_s).chunks(step) {
                s.feed(part, &mut to_c).unwrap();
                while let Some(e) = s.next(&mut to_c).unwrap() {
                    if let Event::Publish { app, key } = e {
                        assert_eq!((app.as_str(), key.expose().as_str()), ("live", "secret-key"));
                        answer(&mut s, &mut to_c);
                    }
                }
            }
            for part in std::mem::take(&mut to_c).chunks(step) {
                if let Err(e) = c.handle(part, &mut to_s) {
                    return (Err(e), c, s);
                }
            }
        }
        (Ok(()), c, s)
    }

    #[test]
    fn our_client_publishes_to_our_server() {
        for step in [1, 100, 5000] {
            let (r, c, s) = run(step, |s, out| s.accept(out).unwrap());
            r.unwrap();
            assert!(c.step() == Step::Publishing && s.is_publishing(), "step {step}");
        }
    }
    #[test]
    fn a_key_in_use_and_a_wrong_key_are_told_apart() {
        let (r, ..) = run(5000, |s, out| s.reject("NetStream.Publish.BadName", "Already publishing", out).unwrap());
        let e = r.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, true));
        let (r, ..) = run(5000, |s, out| s.reject("NetStream.Publish.Denied", "no such key: secret-key", out).unwrap());
        let e = r.unwrap_err();
        assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, false));
        assert!(!e.to_string().contains("secret-key"), "{e}");
    }
    proptest! {
        #[test]
        fn rubbish_after_the_handshake_never_panics(
            data in proptest::collection::vec(any::<u8>(), 0..400), kind in prop_oneof![Just(20u8), Just(18), Just(22), any::<u8>()],
        ) {
            let (_, _, mut s) = run(5000, |s, out| s.accept(out).unwrap());
            let mut out = BytesMut::new();
            let mut wire = vec![3, 0, 0, 0, 0, (data.len() >> 8) as u8, data.len() as u8, kind, 1, 0, 0, 0];
            wire.extend(&data);
            let _ = s.feed(&wire, &mut out);
            while let Ok(Some(_)) = s.next(&mut out) {}
        }
    }
}
