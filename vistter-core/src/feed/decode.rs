//! The worker that decodes a wanted camera, from the ring into the slot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::driver::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{Frame, Packet, VideoParams};
use crate::ports::VideoDecoder;
use crate::time::MediaTime;

/// Makes a decoder for a stream.
pub type DecoderFactory = Arc<dyn Fn(&VideoParams) -> Result<Box<dyn VideoDecoder>> + Send + Sync>;

/// A decoder this far behind with a newer keyframe at hand starts over there.
const TOO_LATE: MediaTime = MediaTime::from_millis(400);

/// An epoch that no ring has: the decoder is gone and a new one has to be configured.
const PANICKED: u64 = u64::MAX;

/// Where the worker stands in the ring.
struct Position {
    epoch: u64,
    next: u64,
    decoder: Option<Box<dyn VideoDecoder>>,
    refused: Option<Refused>,
}

/// No decoder could be made for this epoch; said once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The stream is none that it can decode.
    Final,
    /// A device was busy, say: tried again at the next keyframe.
    Transient,
}

/// What to do next, decided under the ring's lock.
enum Step {
    Stop,
    Rest,
    Configure(VideoParams, u64, u64),
    Decode(Packet),
}

pub(super) fn run(shared: &Shared, decoders: &DecoderFactory) {
    let mut at: Option<Position> = None;
    loop {
        match next_step(shared, &mut at) {
            Step::Stop => return,
            Step::Rest => {
                at = None;
                lock(&shared.status).status.decoding = false;
                lock(&shared.slot).clear();
            }
            Step::Configure(params, epoch, next) => {
                // Foreign code on a peer's parameters, like decoding itself.
                let made = catch_unwind(AssertUnwindSafe(|| {
                    decoders(&params).and_then(|mut d| d.configure(&params).map(|()| d))
                }))
                .unwrap_or_else(|_| Err(panicked()));
                lock(&shared.status).status.decoding = made.is_ok();
                let said = at.as_ref().is_some_and(|p| p.epoch == epoch && p.refused.is_some());
                let (decoder, refused) = match made {
                    Ok(d) => {
                        lock(&shared.status).undecodable = None;
                        (Some(d), None)
                    }
                    Err(e) => {
                        let refused = if e.is_transient() { Refused::Transient } else { Refused::Final };
                        report(shared, &e);
                        if !said {
                            shared.refuse(e);
                        }
                        (None, Some(refused))
                    }
                };
                at = Some(Position { epoch, next, decoder, refused });
            }
            Step::Decode(packet) => {
                if let Some(p) = &mut at {
                    p.next += 1;
                    decode_one(shared, p, &packet);
                }
            }
        }
    }
}

/// Waits under the ring's lock until there is something to do.
fn next_step(shared: &Shared, at: &mut Option<Position>) -> Step {
    let mut r = lock(&shared.ring);
    loop {
        if shared.stopped.load(Ordering::Acquire) {
            return Step::Stop;
        }
        if !shared.is_wanted() {
            if at.is_some() {
                return Step::Rest;
            }
        } else if let Some(params) = &r.params {
            match at.as_mut() {
                Some(p) if p.epoch == r.epoch => {
                    if p.refused == Some(Refused::Transient)
                        && let Some(k) = r.ring.last_keyframe()
                        && k > p.next
                    {
                        return Step::Configure(params.clone(), r.epoch, k);
                    }
                    if r.ring.packet(p.next).is_none() && p.next < r.ring.end() {
                        // Overtaken by the ring.
                        if let Some(k) = r.ring.last_keyframe() {
                            p.next = k;
                        }
                    }
                    if let Some(k) = r.ring.last_keyframe()
                        && k > p.next
                        && r.ring.packet(p.next).is_some_and(|x| shared.clock.now() - x.dts > TOO_LATE)
                    {
                        p.next = k;
                    }
                    if p.refused.is_none()
                        && let Some(x) = r.ring.packet(p.next)
                    {
                        return Step::Decode(x.clone());
                    }
                }
                other => {
                    // After a panic only a keyframe beyond the packet that caused it is safe.
                    let from = other.filter(|p| p.epoch == PANICKED).map_or(0, |p| p.next);
                    if let Some(k) = r.ring.last_keyframe()
                        && k >= from
                    {
                        return Step::Configure(params.clone(), r.epoch, k);
                    }
                }
            }
        }
        r = shared.ring_grew.wait(r).unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

fn decode_one(shared: &Shared, p: &mut Position, packet: &Packet) {
    let Some(decoder) = &mut p.decoder else { return };
    let started = shared.clock.now();
    let mut show = |f: Frame| lock(&shared.slot).push(f.pts(), f);
    // A decoder is foreign code on a peer's data: a panic in it costs this decoder, not the process.
    let result = catch_unwind(AssertUnwindSafe(|| decoder.decode(packet, &mut show)));
    let took = shared.clock.now() - started;
    match result {
        Ok(Ok(())) => {
            let mut i = lock(&shared.status);
            let mean = i.decode_time.nanos();
            let step = if mean == 0 { took.nanos() } else { (took.nanos() - mean) / 16 };
            i.decode_time = MediaTime::from_nanos(mean + step);
        }
        Ok(Err(e)) => report(shared, &e),
        Err(_) => {
            p.decoder = None;
            p.epoch = PANICKED;
            report(shared, &panicked());
        }
    }
}

fn panicked() -> Error {
    Error::new(ErrorKind::Codec, "the decoder panicked on this stream")
        .next("choose another H.264 profile on the camera, and report this")
}

fn report(shared: &Shared, e: &Error) {
    lock(&shared.status).status.decode_errors += 1;
    tracing::debug!(camera = %shared.id, "decode: {e}");
}
