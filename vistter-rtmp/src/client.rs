//! The publishing client without I/O: what to say in which order, and what the server's answers mean.
//!
//! The order is that of FMLE and OBS, which every platform knows: connect, chunk size, releaseStream, FCPublish,
//! createStream, publish.

use bytes::{Bytes, BytesMut};
use vistter_core::{Error, ErrorKind, Result};

use crate::amf0::Value;
use crate::chunk::{Limits, Message};
use crate::session::{self, Role, Session, kind};
use crate::target::RtmpTarget;

/// What the client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Handshake,
    Connect,
    CreateStream,
    Publish,
    /// The server takes media.
    Publishing,
    /// We said goodbye.
    Leaving,
}

impl Step {
    /// For errors: "the server closed the connection …".
    pub(crate) fn during(self) -> &'static str {
        match self {
            Self::Handshake => "in the RTMP handshake",
            Self::Connect => "when asked for the application",
            Self::CreateStream => "when asked for a stream",
            Self::Publish => "when asked to publish",
            Self::Publishing => "while publishing",
            Self::Leaving => "at the end",
        }
    }
}

const CONNECT_ID: f64 = 1.0;
const RELEASE_ID: f64 = 2.0;
const FC_PUBLISH_ID: f64 = 3.0;
const CREATE_ID: f64 = 4.0;
const PUBLISH_ID: f64 = 5.0;

/// A server has no reason to send a publisher more than this in one message.
const LIMITS: Limits = Limits { message: 256 << 10, chunk_streams: 64 };

/// One attempt to publish.
pub(crate) struct Client {
    session: Session,
    target: RtmpTarget,
    chunk_size: u32,
    step: Step,
    stream: u32,
}

impl Client {
    /// Starts the handshake.
    pub(crate) fn new(target: RtmpTarget, chunk_size: u32, out: &mut BytesMut) -> Result<Self> {
        let mut session = Session::new(Role::Client, LIMITS);
        session.greet(out)?;
        Ok(Self { session, target, chunk_size, step: Step::Handshake, stream: 0 })
    }
    /// Starts after it; see [`Session::skip_handshake`].
    pub(crate) fn without_handshake(target: RtmpTarget, chunk_size: u32, out: &mut BytesMut) -> Result<Self> {
        let mut session = Session::new(Role::Client, LIMITS);
        session.skip_handshake();
        let mut client = Self { session, target, chunk_size, step: Step::Handshake, stream: 0 };
        client.connect(out)?;
        Ok(client)
    }
    pub(crate) fn step(&self) -> Step {
        self.step
    }
    /// Takes bytes from the server and answers. An error ends the attempt.
    pub(crate) fn handle(&mut self, input: &[u8], out: &mut BytesMut) -> Result<()> {
        self.session.feed(input, out)?;
        if self.step == Step::Handshake && self.session.is_open() {
            self.connect(out)?;
        }
        while let Some(m) = self.session.next(out)? {
            self.message(&m, out)?;
        }
        Ok(())
    }
    /// One message of media or metadata.
    pub(crate) fn send(&mut self, kind: u8, time: u32, data: Bytes, out: &mut BytesMut) -> Result<()> {
        self.session.send(kind, self.stream, time, data, out)
    }
    /// Says goodbye: FCUnpublish and deleteStream (RTMP 1.0 §7.2.2.3).
    pub(crate) fn leave(&mut self, out: &mut BytesMut) -> Result<()> {
        if self.step == Step::Publishing {
            let key = Value::text(self.target.key().expose());
            self.session.command(0, &[Value::text("FCUnpublish"), Value::Number(6.0), Value::Null, key], out)?;
            let id = Value::Number(f64::from(self.stream));
            self.session.command(0, &[Value::text("deleteStream"), Value::Number(7.0), Value::Null, id], out)?;
        }
        self.step = Step::Leaving;
        Ok(())
    }

    /// What it means that the server closed the connection now.
    pub(crate) fn closed(&self) -> Error {
        match self.step {
            // No server says why here; nginx closes on an unknown application, most platforms on a wrong key.
            Step::Connect => {
                Error::new(ErrorKind::NotFound, "the server closed the connection instead of accepting the application")
                    .next("check the address: the part after the host names an application of that server")
            }
            Step::CreateStream | Step::Publish => {
                rejected("the server closed the connection instead of accepting the stream key")
                    .next("check the stream key, and that nobody else publishes with it")
                    // A key in use looks the same as a wrong one, and becomes free when a half-open connection dies.
                    .transient(true)
            }
            Step::Handshake => Error::new(ErrorKind::Closed, "the server closed the connection in the RTMP handshake")
                .next("check the port, and whether the server wants rtmp or rtmps; it may also be full"),
            step => Error::new(ErrorKind::Closed, format!("the server closed the connection {}", step.during())),
        }
        .at(self.target.shown())
    }
    fn connect(&mut self, out: &mut BytesMut) -> Result<()> {
        let text = |s: &str| Value::text(s);
        let url = self.target.tc_url();
        let object = Value::Object(vec![
            ("app".into(), text(self.target.app())),
            ("type".into(), text("nonprivate")),
            ("flashVer".into(), text(concat!("FMLE/3.0 (compatible; VistterStream ", env!("CARGO_PKG_VERSION"), ")"))),
            ("swfUrl".into(), text(&url)),
            ("tcUrl".into(), text(&url)),
        ]);
        self.session.command(0, &[text("connect"), Value::Number(CONNECT_ID), object], out)?;
        self.step = Step::Connect;
        Ok(())
    }

    fn message(&mut self, m: &Message, out: &mut BytesMut) -> Result<()> {
        if !matches!(m.kind, kind::COMMAND | kind::COMMAND_AMF3) {
            return Ok(()); // media and data from a server are not for a publisher
        }
        let Some(values) = session::values(m)? else { return Ok(()) };
        let name = values.first().and_then(Value::as_text).unwrap_or_default();
        let id = values.get(1).and_then(Value::as_number).unwrap_or_default();
        match (name, self.step) {
            ("_result", Step::Connect) if id == CONNECT_ID => self.create_stream(out),
            ("_result", Step::CreateStream) if id == CREATE_ID => match values.get(3).and_then(Value::as_number) {
                Some(n) if (1.0..=f64::from(u32::MAX)).contains(&n) => {
                    self.stream = n as u32;
                    self.publish(out)
                }
                _ => Err(Error::new(ErrorKind::Protocol, "the server gave no stream number").at(self.target.shown())),
            },
            // releaseStream and FCPublish are Adobe's own: servers without them say _error, which means nothing.
            ("_error", _) if id == RELEASE_ID || id == FC_PUBLISH_ID => Ok(()),
            ("_error", Step::Connect) => Err(self.refused_connect(&values)),
            ("_error", Step::CreateStream | Step::Publish) => Err(self.refused_publish(&values)),
            ("onStatus", _) => self.status(&values),
            ("close", _) => Err(self.closed()),
            // onBWDone, onFCPublish, _checkbw … and late results
            _ => Ok(()),
        }
    }

    fn create_stream(&mut self, out: &mut BytesMut) -> Result<()> {
        let key = || Value::text(self.target.key().expose());
        let (release, fc) = (key(), key());
        self.session.set_chunk_size(self.chunk_size, out)?;
        self.session.command(
            0,
            &[Value::text("releaseStream"), Value::Number(RELEASE_ID), Value::Null, release],
            out,
        )?;
        self.session.command(0, &[Value::text("FCPublish"), Value::Number(FC_PUBLISH_ID), Value::Null, fc], out)?;
        self.session.command(0, &[Value::text("createStream"), Value::Number(CREATE_ID), Value::Null], out)?;
        self.step = Step::CreateStream;
        Ok(())
    }

    fn publish(&mut self, out: &mut BytesMut) -> Result<()> {
        let key = Value::text(self.target.key().expose());
        let command = [Value::text("publish"), Value::Number(PUBLISH_ID), Value::Null, key, Value::text("live")];
        self.session.command(self.stream, &command, out)?;
        self.step = Step::Publish;
        Ok(())
    }

    fn status(&mut self, values: &[Value]) -> Result<()> {
        let info = Info::of(values);
        match (info.code, self.step) {
            ("NetStream.Publish.Start", Step::Publish) => {
                self.step = Step::Publishing;
                Ok(())
            }
            (c, Step::Publish) if info.level == "error" || is_failure(c) => Err(self.refused_publish(values)),
            // Servers that look at the key after they have said yes.
            (c, Step::Publishing) if ["BadName", "Denied", "Rejected"].iter().any(|r| c.ends_with(r)) => {
                Err(self.refused_publish(values))
            }
            (c, Step::Publishing) if info.level == "error" || is_failure(c) || c == "NetStream.Unpublish.Success" => {
                let e =
                    Error::new(ErrorKind::Closed, format!("the server ended the stream: {}", info.say(&self.target)));
                Err(e.at(self.target.shown()))
            }
            _ => Ok(()),
        }
    }

    fn refused_connect(&self, values: &[Value]) -> Error {
        let info = Info::of(values);
        let said = info.say(&self.target);
        // Adobe's authentication: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ]".
        let e = if info.description.contains("authmod") || info.description.contains("AccessManager.Reject") {
            Error::new(ErrorKind::Unauthorized, format!("the server wants a user and password: {said}"))
                .next("use a destination that is protected by its stream key alone")
        } else if info.code == "NetConnection.Connect.InvalidApp" {
            Error::new(ErrorKind::NotFound, format!("the server has no such application: {said}"))
                .next("check the part of the address after the host")
        } else {
            rejected(format!("the server refused the connection: {said}")).next("check the address and the stream key")
        };
        e.at(self.target.shown())
    }

    fn refused_publish(&self, values: &[Value]) -> Error {
        let info = Info::of(values);
        let said = info.say(&self.target);
        let words = format!("{} {}", info.code, info.description).to_lowercase();
        let e = if ["already", "in use", "busy", "duplicate"].iter().any(|w| words.contains(w)) {
            // A half-open connection of our own keeps a key in use for minutes: worth another try.
            rejected(format!("the stream key is in use: {said}"))
                .next("stop the other encoder, or wait until the server drops the old connection")
                .transient(true)
        } else {
            rejected(format!("the server rejected the stream key: {said}")).next("copy the key again from the platform")
        };
        e.at(self.target.shown())
    }
}

/// What it means that the server cut us off before it can have shown anything: most platforms accept any key and look at
/// it afterwards.
pub(crate) fn closed_at_once(target: &RtmpTarget) -> Error {
    rejected("the server closed the connection right after it accepted the stream")
        .next("check the stream key, that nobody else publishes with it, and that the platform expects a stream now")
        .transient(true)
        .at(target.shown())
}

fn rejected(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Rejected, what)
}

/// Codes that mean failure even where the server forgets `level`.
fn is_failure(code: &str) -> bool {
    ["BadName", "BadConnection", "Denied", "Rejected", "Failed", "Closed", "AppShutdown", "InvalidArg"]
        .iter()
        .any(|s| code.ends_with(s))
}

/// The information object of a status or an error: the last object of the command.
struct Info<'a> {
    level: &'a str,
    code: &'a str,
    description: &'a str,
}

impl<'a> Info<'a> {
    fn of(values: &'a [Value]) -> Self {
        let object = values.iter().skip(2).rfind(|v| v.get("code").is_some());
        let field = |n: &str| object.and_then(|o| o.get(n)).and_then(Value::as_text).unwrap_or_default();
        Self { level: field("level"), code: field("code"), description: field("description") }
    }
    /// The server's words, safe to print: it may repeat the key, and it may say anything at any length.
    fn say(&self, target: &RtmpTarget) -> String {
        let all: String = match (self.description, self.code) {
            ("", "") => "it gave no reason".to_owned(),
            ("", c) => c.to_owned(),
            (d, "") => d.to_owned(),
            (d, c) => format!("{d} [{c}]"),
        }
        .chars()
        .filter(|c| !c.is_control()) // before the masking: a key with one of them inside is printed as the key
        .collect();
        let key = target.key().expose();
        let bare = key.split('?').next().unwrap_or(key);
        let all = all.replace(key.as_str(), "…");
        let all = if bare.is_empty() { all } else { all.replace(bare, "…") };
        all.chars().take(200).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::talk_to;
    use proptest::prelude::*;

    fn target() -> RtmpTarget {
        RtmpTarget::parse("rtmp://server.example/live/secret-key?a=1").unwrap()
    }

    /// A client that waits at `step`, and the server's end of its connection.
    fn at(step: Step) -> (Client, Session) {
        let mut out = BytesMut::new();
        let mut c = Client::new(target(), 4096, &mut out).unwrap();
        let mut s = Session::new(Role::Server, Limits::default());
        talk_to(&mut s, &mut out, |b, out| c.handle(b, out).unwrap());
        let success = |id: f64, v: Value| [Value::text("_result"), Value::Number(id), Value::Null, v];
        if step != Step::Connect {
            hear(&mut c, &mut s, &success(CONNECT_ID, Value::Null)).unwrap();
        }
        if matches!(step, Step::Publish | Step::Publishing) {
            hear(&mut c, &mut s, &success(CREATE_ID, Value::Number(1.0))).unwrap();
        }
        if step == Step::Publishing {
            hear(&mut c, &mut s, &status("status", "NetStream.Publish.Start", "")).unwrap();
        }
        assert_eq!(c.step(), step);
        (c, s)
    }
    fn hear(c: &mut Client, s: &mut Session, values: &[Value]) -> Result<()> {
        let (mut wire, mut out) = (BytesMut::new(), BytesMut::new());
        s.command(0, values, &mut wire).unwrap();
        c.handle(&wire, &mut out)
    }
    fn info(level: &str, code: &str, words: &str) -> Value {
        Value::Object(vec![
            ("level".into(), Value::text(level)),
            ("code".into(), Value::text(code)),
            ("description".into(), Value::text(words)),
        ])
    }
    fn status(level: &str, code: &str, words: &str) -> [Value; 4] {
        [Value::text("onStatus"), Value::Number(0.0), Value::Null, info(level, code, words)]
    }
    fn error(id: f64, code: &str, words: &str) -> [Value; 4] {
        [Value::text("_error"), Value::Number(id), Value::Null, info("error", code, words)]
    }

    #[test]
    fn each_refusal_has_its_kind() {
        let adobe = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ]";
        let cases: [(Step, [Value; 4], ErrorKind, bool); 9] = [
            (Step::Connect, error(1.0, "NetConnection.Connect.Rejected", adobe), ErrorKind::Unauthorized, false),
            (Step::Connect, error(1.0, "NetConnection.Connect.InvalidApp", "no app"), ErrorKind::NotFound, true),
            (Step::Connect, error(1.0, "NetConnection.Connect.Rejected", "no"), ErrorKind::Rejected, false),
            (Step::CreateStream, error(4.0, "", ""), ErrorKind::Rejected, false),
            (
                Step::Publish,
                status("error", "NetStream.Publish.BadName", "Already publishing"),
                ErrorKind::Rejected,
                true,
            ),
            (Step::Publish, status("error", "NetStream.Publish.BadName", "unknown key"), ErrorKind::Rejected, false),
            (Step::Publish, status("", "NetStream.Publish.Denied", ""), ErrorKind::Rejected, false),
            (Step::Publishing, status("error", "NetStream.Publish.Denied", "expired"), ErrorKind::Rejected, false),
            (Step::Publishing, status("status", "NetStream.Unpublish.Success", ""), ErrorKind::Closed, true),
        ];
        for (step, said, kind, transient) in cases {
            let (mut c, mut s) = at(step);
            let e = hear(&mut c, &mut s, &said).unwrap_err();
            assert_eq!((e.kind(), e.is_transient()), (kind, transient), "{said:?}: {e}");
            assert_eq!(e.place(), Some("rtmp://server.example/live/…"));
        }
    }
    #[test]
    fn a_close_means_what_was_asked_last() {
        for (step, kind) in [
            (Step::Connect, ErrorKind::NotFound),
            (Step::CreateStream, ErrorKind::Rejected),
            (Step::Publish, ErrorKind::Rejected),
            (Step::Publishing, ErrorKind::Closed),
        ] {
            assert_eq!(at(step).0.closed().kind(), kind, "{step:?}");
        }
    }
    #[test]
    fn what_servers_say_beside_the_answers_changes_nothing() {
        let (mut c, mut s) = at(Step::CreateStream);
        hear(&mut c, &mut s, &error(2.0, "NetConnection.Call.Failed", "no releaseStream")).unwrap();
        hear(&mut c, &mut s, &error(3.0, "NetConnection.Call.Failed", "no FCPublish")).unwrap();
        hear(&mut c, &mut s, &[Value::text("onBWDone"), Value::Number(0.0), Value::Null, Value::Number(8192.0)])
            .unwrap();
        hear(&mut c, &mut s, &status("status", "NetStream.Data.Start", "")).unwrap();
        assert_eq!(c.step(), Step::CreateStream);
    }
    #[test]
    fn the_key_in_the_servers_words_is_masked() {
        let (mut c, mut s) = at(Step::Publish);
        let words = "secret-key?a=1 and secret-key \u{7} are bad".repeat(50);
        let e = hear(&mut c, &mut s, &status("error", "NetStream.Publish.BadName", &words)).unwrap_err();
        assert!(!e.to_string().contains("secret-key") && e.to_string().len() < 500, "{e}");
    }
    proptest! {
        #[test]
        fn rubbish_never_panics(step in 0usize..4, data in proptest::collection::vec(any::<u8>(), 0..300), kind: u8) {
            let step = [Step::Connect, Step::CreateStream, Step::Publish, Step::Publishing][step];
            let (mut c, mut s) = at(step);
            let (mut wire, mut out) = (BytesMut::new(), BytesMut::new());
            s.send(kind, 0, 0, data.clone().into(), &mut wire).unwrap();
            wire.extend_from_slice(&data);
            let _ = c.handle(&wire, &mut out);
        }
    }
}
