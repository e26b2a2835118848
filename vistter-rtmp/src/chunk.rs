//! The reading side of the RTMP chunk stream (RTMP 1.0 §5.3), bounded in everything a peer can say.
//!
//! Our own, because rml_rtmp's deserializer keeps one partial message for all chunk streams: a peer that interleaves
//! two streams (the specification's own purpose for chunks, and what hardware encoders do) corrupts both or makes a
//! subtraction overflow, and nothing bounds a message. Writing stays rml_rtmp's.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes, BytesMut};
use vistter_core::{Error, ErrorKind, Result};

/// A message as it stands between chunks and commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Message type id (§5.4, §7.1).
    pub kind: u8,
    /// Message stream id; 0 is the connection itself.
    pub stream: u32,
    /// Milliseconds, modulo 2^32.
    pub time: u32,
    /// The payload.
    pub data: Bytes,
}

/// What a peer may make us hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of all unfinished messages of the connection together.
    pub message: usize,
    /// Chunk streams in use.
    pub chunk_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 8 << 20, chunk_streams: 64 }
    }
}

/// Timestamps from here on are in the extended field (§5.3.1.3).
const EXTENDED: u32 = 0x00ff_ffff;

#[derive(Debug, Default)]
struct ChunkStream {
    time: u32,
    delta: u32,
    /// The value of the extended timestamp field, when the last header had one.
    extended: Option<u32>,
    length: usize,
    kind: u8,
    stream: u32,
    partial: BytesMut,
    mid_message: bool,
}

/// Turns bytes into messages.
#[derive(Debug)]
pub(crate) struct ChunkReader {
    limits: Limits,
    chunk_size: usize,
    buf: BytesMut,
    streams: BTreeMap<u32, ChunkStream>,
    /// The chunk whose payload is being read: its stream and how many bytes are missing.
    current: Option<(u32, usize)>,
    held: usize,
}

impl ChunkReader {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, chunk_size: 128, buf: BytesMut::new(), streams: BTreeMap::new(), current: None, held: 0 }
    }

    /// Takes bytes from the peer. Call [`Self::next`] until it gives `None` before feeding more: then at most one
    /// header stays behind.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Follows a Set Chunk Size message (§5.4.1).
    pub(crate) fn set_chunk_size(&mut self, size: u32) -> Result<()> {
        if size == 0 || size > 0x7fff_ffff {
            return Err(bad(format!("chunk size {size}")));
        }
        // No message is longer than 2^24 − 1, so larger sizes mean the same.
        self.chunk_size = size.min(EXTENDED) as usize;
        Ok(())
    }

    /// Follows an Abort message (§5.4.2).
    pub(crate) fn abort(&mut self, csid: u32) {
        if let Some(s) = self.streams.get_mut(&csid) {
            self.held -= s.partial.len();
            s.partial = BytesMut::new();
            s.mid_message = false;
        }
    }

    /// The next whole message, or `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Message>> {
        loop {
            if self.current.is_none() && !self.header()? {
                return Ok(None);
            }
            let Some((csid, missing)) = self.current else { return Ok(None) };
            let Some(s) = self.streams.get_mut(&csid) else { return Ok(None) };
            let n = missing.min(self.buf.len());
            if n > 0 {
                self.held += n;
                if self.held > self.limits.message {
                    return Err(Error::new(
                        ErrorKind::Limit,
                        format!("the peer sent a message of more than {} bytes", self.limits.message),
                    ));
                }
                s.partial.extend_from_slice(&self.buf[..n]);
                self.buf.advance(n);
            }
            if n < missing {
                self.current = Some((csid, missing - n));
                return Ok(None);
            }
            self.current = None;
            if s.partial.len() == s.length {
                let data = std::mem::take(&mut s.partial).freeze();
                s.mid_message = false;
                self.held -= data.len();
                return Ok(Some(Message { kind: s.kind, stream: s.stream, time: s.time, data }));
            }
        }
    }

    /// Reads one chunk header (§5.3.1) if it is all there; `false` when it is not.
    fn header(&mut self) -> Result<bool> {
        let mut r = Peek { data: &self.buf, at: 0 };
        let Some([first]) = r.array() else { return Ok(false) };
        let format = first >> 6;
        let csid = match first & 0x3f {
            0 => match r.array() {
                Some([b]) => u32::from(b) + 64,
                None => return Ok(false),
            },
            1 => match r.array::<2>() {
                Some([lo, hi]) => u32::from(hi) * 256 + u32::from(lo) + 64,
                None => return Ok(false),
            },
            n => u32::from(n),
        };
        let known = self.streams.get(&csid);
        if known.is_none() && format != 0 {
            return Err(bad(format!("a chunk of stream {csid} without a first full header")));
        }
        if known.is_none() && self.streams.len() >= self.limits.chunk_streams {
            return Err(bad(format!("more than {} chunk streams", self.limits.chunk_streams)));
        }
        let mid = known.is_some_and(|s| s.mid_message);
        if mid && format != 3 {
            return Err(bad(format!("a new message on chunk stream {csid} before the old one ended")));
        }
        let before = known.map_or((0, 0, 0, 0, 0, None), |s| (s.time, s.delta, s.length, s.kind, s.stream, s.extended));
        let (mut time, mut delta, mut length, mut kind, mut stream, mut extended) = before;
        if format < 3 {
            let Some(field) = r.array::<3>().map(u24) else { return Ok(false) };
            if format < 2 {
                let Some(n) = r.array::<3>().map(u24) else { return Ok(false) };
                let Some([k]) = r.array() else { return Ok(false) };
                (length, kind) = (n as usize, k);
            }
            if format == 0 {
                let Some(id) = r.array::<4>().map(u32::from_le_bytes) else { return Ok(false) };
                stream = id;
            }
            extended = None;
            let mut value = field;
            if field == EXTENDED {
                let Some(v) = r.array::<4>().map(u32::from_be_bytes) else { return Ok(false) };
                (extended, value) = (Some(v), v);
            }
            // §5.3.1.2.4: a type 3 that starts a message after a type 0 takes its timestamp as the delta. FFmpeg and SRS
            // write and read it so; nginx reads a delta of 0.
            time = if format == 0 { value } else { time.wrapping_add(value) };
            delta = value;
        } else {
            if let Some(v) = extended {
                // The field is repeated in type 3 chunks (§5.3.1.3), but not by every encoder: take it only when it
                // says the same.
                let Some(again) = r.array::<4>().map(u32::from_be_bytes) else { return Ok(false) };
                if again != v {
                    r.at -= 4;
                }
            }
            if !mid {
                time = time.wrapping_add(delta);
            }
        }
        let header = r.at;
        if length > self.limits.message {
            return Err(Error::new(ErrorKind::Limit, format!("the peer announced a message of {length} bytes")));
        }
        self.buf.advance(header);
        let s = self.streams.entry(csid).or_default();
        (s.time, s.delta, s.length, s.kind, s.stream, s.extended) = (time, delta, length, kind, stream, extended);
        s.mid_message = true;
        self.current = Some((csid, self.chunk_size.min(length - s.partial.len())));
        Ok(true)
    }
}

fn u24(b: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, b[0], b[1], b[2]])
}

fn bad(what: String) -> Error {
    Error::new(ErrorKind::Protocol, format!("the peer broke the RTMP chunk protocol: {what}"))
}

struct Peek<'a> {
    data: &'a [u8],
    at: usize,
}
impl Peek<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let a = *self.data.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk0(csid: u8, time: u32, kind: u8, len: usize, body: &[u8]) -> Vec<u8> {
        let mut b = vec![csid];
        b.extend(&time.min(EXTENDED).to_be_bytes()[1..]);
        b.extend(&(len as u32).to_be_bytes()[1..]);
        b.push(kind);
        b.extend(1u32.to_le_bytes());
        if time >= EXTENDED {
            b.extend(time.to_be_bytes());
        }
        b.extend(body);
        b
    }
    fn all(r: &mut ChunkReader, bytes: &[u8]) -> Result<Vec<Message>> {
        r.feed(bytes);
        let mut out = Vec::new();
        while let Some(m) = r.next()? {
            out.push(m);
        }
        Ok(out)
    }

    #[test]
    fn interleaved_messages_come_whole() {
        let (video, audio) = (vec![9u8; 200], vec![8u8; 50]);
        let mut b = chunk0(4, 10, 9, 200, &video[..128]);
        b.extend(chunk0(5, 11, 8, 50, &audio));
        b.push(0xc4);
        b.extend(&video[128..]);
        for split in 0..b.len() {
            let mut r = ChunkReader::new(Limits::default());
            let mut got = all(&mut r, &b[..split]).unwrap();
            got.extend(all(&mut r, &b[split..]).unwrap());
            assert_eq!(got.len(), 2, "split at {split}");
            assert_eq!((got[0].kind, &got[0].data[..]), (8, &audio[..]));
            assert_eq!((got[1].kind, got[1].time, &got[1].data[..]), (9, 10, &video[..]));
        }
    }
    #[test]
    fn extended_time_with_and_without_repetition() {
        let body = [7u8; 200];
        for repeated in [true, false] {
            let mut b = chunk0(4, 0x0100_0005, 9, 200, &body[..128]);
            b.push(0xc4);
            if repeated {
                b.extend(0x0100_0005u32.to_be_bytes());
            }
            b.extend(&body[128..]);
            let got = all(&mut ChunkReader::new(Limits::default()), &b).unwrap();
            assert_eq!((got[0].time, &got[0].data[..]), (0x0100_0005, &body[..]), "repeated: {repeated}");
        }
    }
    #[test]
    fn deltas_wrap() {
        let mut b = chunk0(4, u32::MAX - 10, 9, 1, &[1]);
        b.extend([0x44, 0, 0, 30, 0, 0, 1, 9, 2]); // type 1: delta 30
        b.extend([0xc4, 3]); // type 3: the same again
        let t: Vec<u32> = all(&mut ChunkReader::new(Limits::default()), &b).unwrap().iter().map(|m| m.time).collect();
        assert_eq!(t, [u32::MAX - 10, 19, 49]);
    }
    #[test]
    fn what_is_refused() {
        let fresh = || ChunkReader::new(Limits { message: 1000, chunk_streams: 2 });
        assert_eq!(all(&mut fresh(), &chunk0(4, 0, 9, 1001, &[])).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(all(&mut fresh(), &[0xc4]).unwrap_err().kind(), ErrorKind::Protocol);
        let mut three = Vec::new();
        (3..6).for_each(|c| three.extend(chunk0(c, 0, 9, 1, &[0])));
        assert_eq!(all(&mut fresh(), &three).unwrap_err().kind(), ErrorKind::Protocol);
        assert!(fresh().set_chunk_size(0).is_err() && fresh().set_chunk_size(0x8000_0000).is_err());
        // Two unfinished messages together stay under the limit too.
        let mut r = fresh();
        r.set_chunk_size(900).unwrap();
        assert!(all(&mut r, &chunk0(4, 0, 9, 950, &[0; 900])).unwrap().is_empty());
        assert_eq!(all(&mut r, &chunk0(5, 0, 8, 950, &[0; 900])).unwrap_err().kind(), ErrorKind::Limit);
    }
    #[test]
    fn abort_forgets_the_partial_message() {
        let mut r = ChunkReader::new(Limits::default());
        assert!(all(&mut r, &chunk0(4, 0, 9, 200, &[1; 128])).unwrap().is_empty());
        r.abort(4);
        let got = all(&mut r, &chunk0(4, 5, 9, 3, &[1, 2, 3])).unwrap();
        assert_eq!((got.len(), got[0].time), (1, 5));
    }
    proptest! {
        #[test]
        fn rubbish_never_panics(data in proptest::collection::vec(any::<u8>(), 0..600), step in 1usize..50) {
            let mut r = ChunkReader::new(Limits { message: 10_000, chunk_streams: 8 });
            'all: for part in data.chunks(step) {
                r.feed(part);
                loop {
                    match r.next() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'all,
                    }
                }
                prop_assert!(r.buf.len() < 32, "only a header may wait");
            }
        }
    }
}
