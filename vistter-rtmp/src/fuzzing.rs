//! What the fuzz targets call (`fuzz/fuzz_targets/rtmp_*.rs`, `flv.rs`), as plain functions, so that a test on a stable
//! compiler runs them over the seeds and over mutations of them too. Not part of the public interface.
//!
//! The first two bytes of an RTMP input say how it is fed: bit 0 of the first, after a finished handshake; bit 1, the
//! publish is accepted; the second, in pieces of how many bytes (0: all at once).

use bytes::{Bytes, BytesMut};
use vistter_core::Result;

use crate::amf0;
use crate::chunk::{Limits, Message};
use crate::client::{Client, Step};
use crate::flv::{self, Demuxer, FlvReader, FlvTag, FlvWriter, MediaEvent};
use crate::receiver::serve::{Event, Server};
use crate::session::{self, Role, Session};
use crate::target::RtmpTarget;

/// As a listening receiver has them, but for a size that a fuzzer reaches.
const LIMITS: Limits = Limits { message: 64 << 10, chunk_streams: 8 };
/// No error may say it.
const KEY: &str = "S3cretKey";

struct Way {
    open: bool,
    accept: bool,
    step: usize,
}

fn way(data: &[u8]) -> Option<(Way, &[u8])> {
    let (&[how, step], rest) = data.split_first_chunk::<2>()?;
    let step = if step == 0 { rest.len() } else { usize::from(step) };
    Some((Way { open: how & 1 != 0, accept: how & 2 != 0, step: step.max(1) }, rest))
}

/// Any bytes from an encoder: handshake, chunks, commands, media. Gives the number of packets that came out.
pub fn server(data: &[u8]) -> usize {
    let Some((way, rest)) = way(data) else { return 0 };
    let mut s = Server::new(LIMITS);
    if way.open {
        s.skip_handshake();
        chunks(rest, way.step);
    }
    let (mut demuxer, mut packets) = (Demuxer::new(), 0);
    for part in rest.chunks(way.step) {
        let mut out = BytesMut::new();
        if s.feed(part, &mut out).is_err() {
            return packets;
        }
        loop {
            match s.next(&mut out) {
                Ok(Some(Event::Publish { .. })) if way.accept => assert!(s.accept(&mut out).is_ok()),
                Ok(Some(Event::Publish { .. })) => {
                    assert!(s.reject("NetStream.Publish.Denied", "no", &mut out).is_ok());
                }
                Ok(Some(Event::Tag { kind, time, body })) => {
                    assert!(s.is_publishing());
                    packets +=
                        usize::from(matches!(demuxer.handle(kind, time, &body), Ok(Some(MediaEvent::Packet(_)))));
                }
                Ok(Some(Event::Unpublish)) => assert!(!s.is_publishing()),
                Ok(None) => break,
                Err(_) => return packets,
            }
        }
    }
    packets
}

/// The messages do not depend on how the network cuts the bytes, and what AMF0 reads it writes back.
fn chunks(data: &[u8], step: usize) {
    let read = |step: usize| {
        let mut s = Session::new(Role::Server, LIMITS);
        s.skip_handshake();
        let (mut out, mut all) = (BytesMut::new(), Vec::<Message>::new());
        let fault = data.chunks(step).find_map(|part| {
            s.feed(part, &mut out).err().or_else(|| {
                loop {
                    match s.next(&mut out) {
                        Ok(Some(m)) => all.push(m),
                        Ok(None) => break None,
                        Err(e) => break Some(e),
                    }
                }
            })
        });
        (all, fault.map(|e| e.to_string()))
    };
    let whole = read(data.len().max(1));
    if step < data.len() {
        assert_eq!(whole, read(step));
    }
    for m in whole.0 {
        if let Ok(Some(values)) = session::values(&m) {
            let once = amf0::encode(&values);
            // By their bytes: NaN is not equal to itself.
            let again = amf0::decode(&once).map(|v| amf0::encode(&v));
            assert!(again.is_ok_and(|again| again == once), "{values:?}");
        }
    }
}

/// Any bytes from a server to a publishing client. Gives whether it publishes at the end. No error may quote the key.
pub fn client(data: &[u8]) -> bool {
    let Some((way, rest)) = way(data) else { return false };
    let Ok(target) = RtmpTarget::parse(&format!("rtmp://server.example/live/{KEY}?a=1")) else { return false };
    let mut out = BytesMut::new();
    let start = if way.open { Client::without_handshake } else { Client::new };
    let Ok(mut c) = start(target, 4096, &mut out) else { return false };
    let fault = rest.chunks(way.step).find_map(|part| c.handle(part, &mut out).err());
    let publishing = c.step() == Step::Publishing && fault.is_none();
    for e in [fault, Some(c.closed())].into_iter().flatten() {
        assert!(!e.to_string().contains(KEY) && !format!("{e:?}").contains(KEY), "{e:?}");
    }
    assert!(c.send(9, 7, Bytes::from_static(&[1]), &mut out).is_ok() && c.leave(&mut out).is_ok());
    publishing
}

/// Any bytes as an FLV file, whole and in pieces of the first byte's number. Gives the number of tags.
pub fn flv(data: &[u8]) -> usize {
    let Some((step, file)) = data.split_first() else { return 0 };
    let read = |file: &[u8], step: usize| -> (Vec<FlvTag>, Result<()>) {
        let (mut r, mut tags) = (FlvReader::new(1 << 20), Vec::new());
        for part in file.chunks(step.max(1)) {
            r.feed(part);
            loop {
                match r.next_tag() {
                    Ok(Some(t)) => tags.push(t),
                    Ok(None) => break,
                    Err(e) => return (tags, Err(e)),
                }
            }
        }
        (tags, Ok(()))
    };
    let (tags, end) = read(file, file.len());
    assert_eq!(read(file, usize::from(*step)).0, tags);
    let report = flv::check(file);
    assert!(end.is_err() || report.is_ok());
    if let Ok(r) = report {
        assert!(r.keyframes <= r.video_frames && r.video_frames + r.audio_frames <= tags.len() as u64);
    }
    // What was read can be written, and reads the same.
    let (mut w, mut again) = (FlvWriter::new(), BytesMut::new());
    w.header(true, true, &mut again);
    assert!(tags.iter().all(|t| w.tag(t, &mut again).is_ok()));
    assert_eq!(read(&again, again.len()).0, tags);
    tags.len()
}

#[cfg(test)]
#[path = "fuzzing_tests.rs"]
mod tests;
