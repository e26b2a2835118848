//! The file format: header (E.2), tags with the size of the previous one (E.3, E.4.1).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use vistter_core::{Error, ErrorKind, Result};

/// TagType (E.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// 8.
    Audio,
    /// 9.
    Video,
    /// 18: onMetaData and the like.
    Script,
}

impl TagKind {
    /// The number that FLV and RTMP use.
    pub const fn id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }
    /// The kind of a number, if it is one of the three.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlvTag {
    /// What it carries.
    pub kind: TagKind,
    /// Milliseconds, modulo 2^32 (E.4.1: 24 bits and 8 bits above them).
    pub time_ms: u32,
    /// The tag's data.
    pub body: Bytes,
}

/// Writes a file into a buffer; the caller stores it.
#[derive(Debug, Default)]
pub struct FlvWriter {
    begun: bool,
}

/// E.4.1: DataSize has 24 bits.
const MAX_BODY: usize = 0xff_ffff;

impl FlvWriter {
    /// A writer at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }
    /// The header (E.2) and the first PreviousTagSize.
    pub fn header(&mut self, video: bool, audio: bool, out: &mut BytesMut) {
        let flags = u8::from(video) | u8::from(audio) << 2;
        out.put_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]);
        self.begun = true;
    }
    /// One tag and its PreviousTagSize (E.3).
    ///
    /// # Errors
    /// `Limit` for a body of 16 MiB or more, `Internal` before the header.
    pub fn tag(&mut self, tag: &FlvTag, out: &mut BytesMut) -> Result<()> {
        if !self.begun {
            return Err(Error::new(ErrorKind::Internal, "an FLV tag before the header"));
        }
        let len = tag.body.len();
        if len > MAX_BODY {
            return Err(Error::new(ErrorKind::Limit, format!("an FLV tag of {len} bytes")));
        }
        let (len, time) = (len as u32, tag.time_ms.to_be_bytes());
        out.put_u8(tag.kind.id());
        out.put_slice(&len.to_be_bytes()[1..]);
        out.put_slice(&[time[1], time[2], time[3], time[0], 0, 0, 0]);
        out.put_slice(&tag.body);
        out.put_u32(len + 11);
        Ok(())
    }
}

/// Reads a file fed in pieces of any size. Every field is checked, PreviousTagSize too.
#[derive(Debug)]
pub struct FlvReader {
    buf: BytesMut,
    stage: Stage,
    max_body: usize,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Header,
    /// Bytes of a longer header still to skip (E.2: DataOffset).
    Skip(usize),
    /// PreviousTagSize comes next, and should be this.
    Previous(u32),
    Tag,
}

impl FlvReader {
    /// A reader at the start of a file that takes tags of at most `max_body` bytes.
    pub fn new(max_body: usize) -> Self {
        Self { buf: BytesMut::new(), stage: Stage::Header, max_body }
    }
    /// Takes bytes. Call [`Self::next_tag`] until it gives `None` before feeding more.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }
    /// The next whole tag; `None` when more bytes are needed. Tags of unknown type are skipped.
    ///
    /// # Errors
    /// `Media` where the file breaks the format, `Limit` for a tag above the limit. The reader is of no use afterwards.
    pub fn next_tag(&mut self) -> Result<Option<FlvTag>> {
        loop {
            match self.stage {
                Stage::Header => {
                    let Some(h) = self.buf.first_chunk::<9>() else { return Ok(None) };
                    if h[..3] != *b"FLV" || h[3] != 1 {
                        return Err(bad("it does not start as FLV version 1"));
                    }
                    let offset = u32::from_be_bytes([h[5], h[6], h[7], h[8]]) as usize;
                    let skip = offset.checked_sub(9).filter(|n| *n <= 4096).ok_or_else(|| bad("its DataOffset"))?;
                    self.buf.advance(9);
                    self.stage = Stage::Skip(skip);
                }
                Stage::Skip(n) => {
                    if self.buf.len() < n {
                        return Ok(None);
                    }
                    self.buf.advance(n);
                    self.stage = Stage::Previous(0);
                }
                Stage::Previous(expected) => {
                    let Some(p) = self.buf.first_chunk::<4>() else { return Ok(None) };
                    let found = u32::from_be_bytes(*p);
                    if found != expected {
                        return Err(bad(&format!("PreviousTagSize is {found}, the tag before has {expected}")));
                    }
                    self.buf.advance(4);
                    self.stage = Stage::Tag;
                }
                Stage::Tag => {
                    let Some(&[kind, a, b, c, t1, t2, t3, t0, s1, s2, s3]) = self.buf.first_chunk::<11>() else {
                        return Ok(None);
                    };
                    let len = u32::from_be_bytes([0, a, b, c]);
                    if len as usize > self.max_body {
                        return Err(Error::new(ErrorKind::Limit, format!("an FLV tag of {len} bytes")));
                    }
                    if [s1, s2, s3] != [0; 3] {
                        return Err(bad("a StreamID is not 0"));
                    }
                    if self.buf.len() < 11 + len as usize {
                        return Ok(None);
                    }
                    self.buf.advance(11);
                    let body = self.buf.split_to(len as usize).freeze();
                    self.stage = Stage::Previous(len + 11);
                    if let Some(kind) = TagKind::from_id(kind & 0x1f) {
                        return Ok(Some(FlvTag { kind, time_ms: u32::from_be_bytes([t0, t1, t2, t3]), body }));
                    }
                }
            }
        }
    }
    /// Whether the file may end here: after a whole tag and its size.
    pub fn at_end(&self) -> bool {
        self.buf.is_empty() && matches!(self.stage, Stage::Tag)
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::Media, format!("the FLV file is damaged: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tags() -> impl Strategy<Value = Vec<FlvTag>> {
        let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
        let one = (kind, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(kind, time_ms, b)| FlvTag { kind, time_ms, body: b.into() });
        proptest::collection::vec(one, 0..6)
    }
    fn write(tags: &[FlvTag]) -> Vec<u8> {
        let (mut w, mut out) = (FlvWriter::new(), BytesMut::new());
        w.header(true, true, &mut out);
        tags.iter().for_each(|t| w.tag(t, &mut out).unwrap());
        out.to_vec()
    }
    fn read(r: &mut FlvReader, bytes: &[u8], out: &mut Vec<FlvTag>) -> Result<()> {
        r.feed(bytes);
        while let Some(t) = r.next_tag()? {
            out.push(t);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_at_every_split(tags in tags()) {
            let file = write(&tags);
            for split in 0..=file.len() {
                let (mut r, mut got) = (FlvReader::new(1 << 20), Vec::new());
                read(&mut r, &file[..split], &mut got).unwrap();
                read(&mut r, &file[split..], &mut got).unwrap();
                prop_assert_eq!(&got, &tags);
                prop_assert!(r.at_end());
            }
        }
        #[test]
        fn rubbish_never_panics(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut file = vec![b'F', b'L', b'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0];
            file.extend(data);
            let _ = read(&mut FlvReader::new(100), &file, &mut Vec::new());
        }
    }
    #[test]
    fn a_wrong_previous_tag_size_is_found() {
        let mut file = write(&[FlvTag { kind: TagKind::Video, time_ms: 0, body: Bytes::from_static(b"abc") }]);
        *file.last_mut().unwrap() ^= 1;
        let e = read(&mut FlvReader::new(100), &file, &mut Vec::new()).unwrap_err();
        assert!(e.what().contains("PreviousTagSize"), "{e}");
    }
}
