//! Boxes and the numbers in them, from bytes that anybody may have written.

use std::io::{self, Read};

use super::{MAX_INDEX_BYTES, ReadSeek};
use crate::error::{Error, ErrorKind, Result};

/// What a box says of itself.
pub(super) struct Head {
    pub(super) kind: [u8; 4],
    /// Where the next box stands.
    pub(super) end: u64,
    /// Bytes after the head.
    body: u64,
}

impl Head {
    /// Reads the head of a box that stands at `at` in a file of `length` bytes; none when it is none, or its end is not in
    /// the file and it is not `mdat`.
    pub(super) fn read(input: &mut dyn ReadSeek, at: u64, length: u64) -> io::Result<Option<Self>> {
        let mut head = Vec::with_capacity(16);
        input.take(16).read_to_end(&mut head)?;
        let mut r = Reader(&head);
        let (Ok(size), Ok(kind)) = (r.u32(), r.kind()) else { return Ok(None) };
        let (size, own) = match size {
            0 => (length - at, 8),
            1 => match r.u64() {
                Ok(n) => (n, 16),
                Err(_) => return Ok(None),
            },
            n => (u64::from(n), 8),
        };
        let end = at.saturating_add(size);
        if size < own || (end > length && &kind != b"mdat") {
            return Ok(None);
        }
        Ok(Some(Self { kind, end, body: size - own }))
    }

    /// Reads what is in the box; the input stands behind a head that was read.
    pub(super) fn body(&self, input: &mut dyn ReadSeek) -> Result<Vec<u8>> {
        if self.body > MAX_INDEX_BYTES {
            let what = format!("the file's index has {} bytes; at most {MAX_INDEX_BYTES} are read", self.body);
            return Err(Error::new(ErrorKind::Limit, what).next("give a shorter clip"));
        }
        let io = |e: io::Error| Error::io("read the video", &e);
        input.seek(io::SeekFrom::Start(self.end - self.body)).map_err(io)?;
        let mut out = Vec::new();
        input.take(self.body).read_to_end(&mut out).map_err(io)?;
        Ok(out)
    }
}

/// Takes numbers off the front of bytes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n).ok_or_else(damaged)?;
        self.0 = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| damaged())
    }
    pub(super) fn kind(&mut self) -> Result<[u8; 4]> {
        self.array()
    }
    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub(super) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }
    /// Version and flags of a full box.
    pub(super) fn full(&mut self) -> Result<(u8, u32)> {
        let v = self.u32()?;
        Ok(((v >> 24) as u8, v & 0x00ff_ffff))
    }
    /// Four bytes, or eight in version 1.
    pub(super) fn wide(&mut self, version: u8) -> Result<u64> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }
    /// How many entries of so many bytes follow; they are all there.
    pub(super) fn count(&mut self, bytes: usize) -> Result<usize> {
        let n = self.u32()? as usize;
        if n.checked_mul(bytes).is_none_or(|all| all > self.0.len()) {
            return Err(damaged());
        }
        Ok(n)
    }
}

/// The boxes in a box. One that is not whole ends it with an error.
pub(super) fn children(data: &[u8]) -> impl Iterator<Item = Result<([u8; 4], &[u8])>> {
    let mut rest = Reader(data);
    std::iter::from_fn(move || {
        if rest.0.is_empty() {
            return None;
        }
        let one = next(&mut rest);
        if one.is_err() {
            rest.0 = &[];
        }
        Some(one)
    })
}

fn next<'a>(rest: &mut Reader<'a>) -> Result<([u8; 4], &'a [u8])> {
    // Some writers end a box with four zeros (QuickTime's terminator).
    if rest.0 == [0; 4] {
        rest.0 = &[];
        return Ok((*b"free", &[]));
    }
    let all = rest.0.len() as u64;
    let (size, kind) = (rest.u32()?, rest.kind()?);
    let (size, own) = match size {
        0 => (all, 8),
        1 => (rest.u64()?, 16),
        n => (u64::from(n), 8),
    };
    let body = size.checked_sub(own).and_then(|n| usize::try_from(n).ok()).ok_or_else(damaged)?;
    Ok((kind, rest.bytes(body)?))
}

/// The first box of a kind.
pub(super) fn child<'a>(data: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>> {
    for c in children(data) {
        let (k, body) = c?;
        if &k == kind {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// The first box of a kind, which must be there.
pub(super) fn need<'a>(data: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8]> {
    child(data, kind)?.ok_or_else(|| {
        let name = String::from_utf8_lossy(kind).into_owned();
        Error::new(ErrorKind::Media, format!("the file's index has no \"{name}\"")).next("export the clip again")
    })
}

pub(super) fn damaged() -> Error {
    Error::new(ErrorKind::Media, "the file's index is damaged").next("copy or export the clip again")
}
