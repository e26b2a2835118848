//! One RTMP connection without I/O: handshake, chunks, control messages (RTMP 1.0 §5). Bytes in, messages and bytes out.
//!
//! The only file that knows rml_rtmp. From it come the handshake (plain and digest) and the chunk writer; its session
//! types, chunk reader and AMF0 reader do not serve (docs/decisions/0003-rtmp.md).

use bytes::{Bytes, BytesMut};
use rml_rtmp::chunk_io::ChunkSerializer;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;
use vistter_core::{Error, ErrorKind, Result};

use crate::amf0::{self, Value};
use crate::chunk::{ChunkReader, Limits, Message};

/// Message type ids (RTMP 1.0 §5.4, §7.1).
pub(crate) mod kind {
    pub(crate) const SET_CHUNK_SIZE: u8 = 1;
    pub(crate) const ABORT: u8 = 2;
    pub(crate) const ACKNOWLEDGEMENT: u8 = 3;
    pub(crate) const USER_CONTROL: u8 = 4;
    pub(crate) const WINDOW_ACK_SIZE: u8 = 5;
    pub(crate) const SET_PEER_BANDWIDTH: u8 = 6;
    pub(crate) const AUDIO: u8 = 8;
    pub(crate) const VIDEO: u8 = 9;
    pub(crate) const DATA_AMF3: u8 = 15;
    pub(crate) const COMMAND_AMF3: u8 = 17;
    pub(crate) const DATA: u8 = 18;
    pub(crate) const COMMAND: u8 = 20;
    pub(crate) const AGGREGATE: u8 = 22;
}

/// User control events (RTMP 1.0 §7.1.7).
const STREAM_BEGIN: u16 = 0;
const PING_REQUEST: u16 = 6;
const PING_RESPONSE: u16 = 7;

/// Acknowledge at least this often when the peer names no window; what nginx and FMS use is between this and twice it.
const DEFAULT_WINDOW: u32 = 2_500_000;

/// Which end we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// One connection.
pub(crate) struct Session {
    handshake: Option<Handshake>,
    writer: ChunkSerializer,
    reader: ChunkReader,
    /// All bytes from the peer after the handshake; the sequence number of acknowledgements (§5.4.3).
    received: u64,
    acknowledged: u64,
    window: u32,
    told_window: u32,
}

impl Session {
    pub(crate) fn new(role: Role, limits: Limits) -> Self {
        let peer = if role == Role::Client { PeerType::Client } else { PeerType::Server };
        Self {
            handshake: Some(Handshake::new(peer)),
            writer: ChunkSerializer::new(),
            reader: ChunkReader::new(limits),
            received: 0,
            acknowledged: 0,
            window: DEFAULT_WINDOW,
            told_window: 0,
        }
    }

    /// As if the handshake were done: making its keys would cost a fuzzer most of its time.
    pub(crate) fn skip_handshake(&mut self) {
        self.handshake = None;
    }

    /// A client's first words, C0 and C1 (§5.2).
    pub(crate) fn greet(&mut self, out: &mut BytesMut) -> Result<()> {
        if let Some(h) = &mut self.handshake {
            let bytes = h.generate_outbound_p0_and_p1().map_err(|e| ours(&e))?;
            out.extend_from_slice(&bytes);
        }
        Ok(())
    }

    /// Whether the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        self.handshake.is_none()
    }

    /// Takes bytes from the peer. Call [`Self::next`] until it gives `None` before feeding more.
    pub(crate) fn feed(&mut self, input: &[u8], out: &mut BytesMut) -> Result<()> {
        let Some(h) = &mut self.handshake else {
            self.count(input.len());
            self.reader.feed(input);
            return Ok(());
        };
        let result = h.process_bytes(input).map_err(|e| {
            Error::new(ErrorKind::Protocol, format!("the peer does not speak RTMP: {e}"))
                .next("check the port, and whether it wants rtmp or rtmps")
        })?;
        match result {
            HandshakeProcessResult::InProgress { response_bytes } => out.extend_from_slice(&response_bytes),
            HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                out.extend_from_slice(&response_bytes);
                self.handshake = None;
                self.count(remaining_bytes.len());
                self.reader.feed(&remaining_bytes);
            }
        }
        Ok(())
    }

    fn count(&mut self, n: usize) {
        self.received = self.received.wrapping_add(n as u64);
    }

    /// The next message that is not the connection's own business. Control messages are answered into `out`.
    pub(crate) fn next(&mut self, out: &mut BytesMut) -> Result<Option<Message>> {
        loop {
            let Some(m) = self.reader.next()? else {
                self.acknowledge(out)?;
                return Ok(None);
            };
            match m.kind {
                kind::SET_CHUNK_SIZE => self.reader.set_chunk_size(number(&m)?)?,
                kind::ABORT => self.reader.abort(number(&m)?),
                kind::ACKNOWLEDGEMENT => {}
                kind::WINDOW_ACK_SIZE => self.window = number(&m)?.max(1),
                kind::SET_PEER_BANDWIDTH => {
                    // §5.4.5: answer with our window if it is not the one we told last.
                    let size = number(&m)?;
                    if size != self.told_window {
                        self.tell_window(size, out)?;
                    }
                }
                kind::USER_CONTROL => self.user_control(&m, out)?,
                _ => return Ok(Some(m)),
            }
        }
    }

    fn user_control(&mut self, m: &Message, out: &mut BytesMut) -> Result<()> {
        // Unknown and short events are no reason to end a broadcast: servers send their own (26, 31, 32).
        let Some((event, rest)) = m.data.split_first_chunk::<2>() else { return Ok(()) };
        if u16::from_be_bytes(*event) == PING_REQUEST
            && let Some(stamp) = rest.first_chunk::<4>()
        {
            let mut body = PING_RESPONSE.to_be_bytes().to_vec();
            body.extend_from_slice(stamp);
            self.send(kind::USER_CONTROL, 0, 0, body.into(), out)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self, out: &mut BytesMut) -> Result<()> {
        // Half the window: an acknowledgement that waits for all of it stalls peers that count exactly.
        if self.received.wrapping_sub(self.acknowledged) < u64::from(self.window / 2).max(1) {
            return Ok(());
        }
        self.acknowledged = self.received;
        let total = self.received as u32; // §5.4.3: the total so far; it wraps
        self.send(kind::ACKNOWLEDGEMENT, 0, 0, Bytes::copy_from_slice(&total.to_be_bytes()), out)
    }

    /// Sends one message. `time` is milliseconds modulo 2^32.
    pub(crate) fn send(&mut self, kind: u8, stream: u32, time: u32, data: Bytes, out: &mut BytesMut) -> Result<()> {
        let payload =
            MessagePayload { timestamp: RtmpTimestamp::new(time), type_id: kind, message_stream_id: stream, data };
        let packet = self.writer.serialize(&payload, false, false).map_err(|e| ours(&e))?;
        out.extend_from_slice(&packet.bytes);
        Ok(())
    }

    /// Sends a command (§7.2).
    pub(crate) fn command(&mut self, stream: u32, values: &[Value], out: &mut BytesMut) -> Result<()> {
        self.send(kind::COMMAND, stream, 0, amf0::encode(values).into(), out)
    }

    /// Changes the size of our chunks and says so (§5.4.1).
    pub(crate) fn set_chunk_size(&mut self, size: u32, out: &mut BytesMut) -> Result<()> {
        let packet = self.writer.set_max_chunk_size(size.max(128), RtmpTimestamp::new(0)).map_err(|e| ours(&e))?;
        out.extend_from_slice(&packet.bytes);
        Ok(())
    }

    /// Tells after how many bytes we want an acknowledgement (§5.4.4).
    pub(crate) fn tell_window(&mut self, size: u32, out: &mut BytesMut) -> Result<()> {
        self.told_window = size;
        self.send(kind::WINDOW_ACK_SIZE, 0, 0, Bytes::copy_from_slice(&size.to_be_bytes()), out)
    }

    /// Limits what the peer has in flight, dynamically (§5.4.5).
    pub(crate) fn tell_bandwidth(&mut self, size: u32, out: &mut BytesMut) -> Result<()> {
        let mut body = size.to_be_bytes().to_vec();
        body.push(2);
        self.send(kind::SET_PEER_BANDWIDTH, 0, 0, body.into(), out)
    }

    /// Stream Begin (§7.1.7).
    pub(crate) fn stream_begin(&mut self, stream: u32, out: &mut BytesMut) -> Result<()> {
        let mut body = STREAM_BEGIN.to_be_bytes().to_vec();
        body.extend_from_slice(&stream.to_be_bytes());
        self.send(kind::USER_CONTROL, 0, 0, body.into(), out)
    }
}

/// The values of a command or data message; `None` when it is neither. AMF3 messages hold AMF0 values after one byte
/// (§7.1.1), and data ones sometimes without it.
pub(crate) fn values(m: &Message) -> Result<Option<Vec<Value>>> {
    let data = match m.kind {
        kind::COMMAND | kind::DATA => &m.data[..],
        kind::COMMAND_AMF3 | kind::DATA_AMF3 => m.data.strip_prefix(&[0]).unwrap_or(&m.data),
        _ => return Ok(None),
    };
    amf0::decode(data).map(Some)
}

fn number(m: &Message) -> Result<u32> {
    match m.data.first_chunk::<4>() {
        Some(b) => Ok(u32::from_be_bytes(*b)),
        None => Err(Error::new(ErrorKind::Protocol, "the peer sent a control message that is cut short")),
    }
}

/// What rml_rtmp refuses on the sending side is our own fault.
fn ours(e: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, format!("RTMP: {e}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs a server session against what a client says until both are silent; the client's messages are thrown away.
    pub(crate) fn talk_to(s: &mut Session, to_s: &mut BytesMut, mut client: impl FnMut(&[u8], &mut BytesMut)) {
        let mut to_c = BytesMut::new();
        while !to_s.is_empty() {
            s.feed(&std::mem::take(to_s), &mut to_c).unwrap();
            while s.next(&mut to_c).unwrap().is_some() {}
            if !to_c.is_empty() {
                client(&std::mem::take(&mut to_c), to_s);
            }
        }
    }

    /// Hands what each side says to the other until both are silent, `step` bytes at a time.
    fn talk(a: &mut Session, b: &mut Session, step: usize) -> (Vec<Message>, Vec<Message>) {
        let (mut to_a, mut to_b) = (BytesMut::new(), BytesMut::new());
        a.greet(&mut to_b).unwrap();
        let (mut from_a, mut from_b) = (Vec::new(), Vec::new());
        while !to_a.is_empty() || !to_b.is_empty() {
            for part in std::mem::take(&mut to_b).chunks(step) {
                b.feed(part, &mut to_a).unwrap();
                while let Some(m) = b.next(&mut to_a).unwrap() {
                    from_a.push(m);
                }
            }
            for part in std::mem::take(&mut to_a).chunks(step) {
                a.feed(part, &mut to_b).unwrap();
                while let Some(m) = a.next(&mut to_b).unwrap() {
                    from_b.push(m);
                }
            }
        }
        (from_a, from_b)
    }

    #[test]
    fn handshake_in_pieces_of_every_size() {
        for step in [1, 7, 1536, 1537, 5000] {
            let (mut a, mut b) =
                (Session::new(Role::Client, Limits::default()), Session::new(Role::Server, Limits::default()));
            talk(&mut a, &mut b, step);
            assert!(a.is_open() && b.is_open(), "step {step}");
        }
    }
    #[test]
    fn a_ping_is_answered_and_an_unknown_event_is_not_fatal() {
        let (mut a, mut b) = open();
        let (mut wire, mut reply) = (BytesMut::new(), BytesMut::new());
        b.send(kind::USER_CONTROL, 0, 0, Bytes::from_static(&[0, 26, 0, 0, 0, 0]), &mut wire).unwrap();
        b.send(kind::USER_CONTROL, 0, 0, Bytes::from_static(&[0, 6, 1, 2, 3, 4]), &mut wire).unwrap();
        a.feed(&wire, &mut reply).unwrap();
        assert_eq!(a.next(&mut reply).unwrap(), None);
        // The answer ends with event 7 and the peer's stamp.
        assert_eq!(&reply[reply.len() - 6..], [0, 7, 1, 2, 3, 4]);
    }
    #[test]
    fn acknowledgements_count_all_bytes() {
        let (mut a, mut b) = open();
        let (mut wire, mut reply) = (BytesMut::new(), BytesMut::new());
        b.tell_window(1000, &mut wire).unwrap();
        b.send(kind::VIDEO, 1, 0, vec![0; 700].into(), &mut wire).unwrap();
        a.feed(&wire, &mut reply).unwrap();
        while a.next(&mut reply).unwrap().is_some() {}
        assert_eq!(reply[reply.len() - 4..], (wire.len() as u32).to_be_bytes());
        let first = wire.len();
        wire.clear();
        reply.clear();
        b.send(kind::VIDEO, 1, 5, vec![0; 700].into(), &mut wire).unwrap();
        a.feed(&wire, &mut reply).unwrap();
        while a.next(&mut reply).unwrap().is_some() {}
        assert_eq!(reply[reply.len() - 4..], ((first + wire.len()) as u32).to_be_bytes(), "a total, not a difference");
    }
    #[test]
    fn http_is_not_rtmp() {
        let mut a = Session::new(Role::Client, Limits::default());
        a.greet(&mut BytesMut::new()).unwrap();
        let e = a.feed(b"HTTP/1.1 400 Bad Request\r\n", &mut BytesMut::new()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Protocol);
    }
    /// rml_rtmp's writer against our reader over both timestamp edges, in chunks of several sizes.
    #[test]
    fn times_cross_the_24_and_32_bit_edges() {
        let (mut a, mut b) = open();
        let mut wire = BytesMut::new();
        a.set_chunk_size(200, &mut wire).unwrap();
        let times = [0u32, 40, 0x00ff_fffe, 0x00ff_ffff, 0x0100_0000, 0x0100_0028, u32::MAX - 39, 0, 40];
        for (i, t) in times.into_iter().enumerate() {
            a.send(kind::VIDEO, 1, t, vec![i as u8; 500 + i % 2].into(), &mut wire).unwrap();
            a.send(kind::AUDIO, 1, t, vec![i as u8; 30].into(), &mut wire).unwrap();
        }
        let mut out = BytesMut::new();
        let mut got = Vec::new();
        for part in wire.chunks(33) {
            b.feed(part, &mut out).unwrap();
            while let Some(m) = b.next(&mut out).unwrap() {
                got.push((m.kind, m.time, m.data.len(), m.data[0]));
            }
        }
        let expected: Vec<_> = times
            .into_iter()
            .enumerate()
            .flat_map(|(i, t)| [(kind::VIDEO, t, 500 + i % 2, i as u8), (kind::AUDIO, t, 30, i as u8)])
            .collect();
        assert_eq!(got, expected);
    }

    fn open() -> (Session, Session) {
        let (mut a, mut b) =
            (Session::new(Role::Client, Limits::default()), Session::new(Role::Server, Limits::default()));
        talk(&mut a, &mut b, 4096);
        (a, b)
    }
}
