//! H.264 decoding by openh264.

use std::collections::VecDeque;

use super::ffi::{Decoded, RawDecoder};
use crate::codec::gate::{Gate, Verdict, View};
use crate::codec::picture::Pictures;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{Frame, Packet, VideoParams};
use crate::ports::VideoDecoder;
use crate::time::MediaTime;

/// Pictures in flight that may still come out; the library reorders at most 16.
const MAX_PENDING: usize = 32;

/// Decodes H.264 up to High profile, 4:2:0, 8 bit, progressive. The library puts pictures into presentation order
/// itself.
pub struct Openh264Decoder {
    raw: RawDecoder,
    gate: Gate,
    pictures: Pictures,
    /// Presentation time by token.
    pending: VecDeque<(u64, MediaTime)>,
    next_token: u64,
}

impl Openh264Decoder {
    /// A decoder without a stream.
    ///
    /// # Errors
    /// `Codec` when the library refuses.
    pub fn new() -> Result<Self> {
        Ok(Self {
            raw: RawDecoder::new()?,
            gate: Gate::new(false, false),
            pictures: Pictures::default(),
            pending: VecDeque::with_capacity(MAX_PENDING),
            next_token: 1,
        })
    }

    fn restart(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()> {
        self.drain(out);
        self.pending.clear();
        self.raw = RawDecoder::new()?;
        Ok(())
    }

    fn drain(&mut self, out: &mut dyn FnMut(Frame)) {
        for _ in 0..MAX_PENDING {
            let Some(p) = self.raw.flush_one() else { break };
            if let Ok(Some(f)) = take(&mut self.pictures, &mut self.pending, &p) {
                out(f);
            }
        }
    }
}

fn take(pictures: &mut Pictures, pending: &mut VecDeque<(u64, MediaTime)>, p: &Decoded<'_>) -> Result<Option<Frame>> {
    let Some(i) = pending.iter().position(|(t, _)| *t == p.token) else { return Ok(None) };
    let Some((_, pts)) = pending.remove(i) else { return Ok(None) };
    let view = View { left: 0, top: 0, width: p.width as usize, height: p.height as usize };
    pictures.copy(p.planes, view, pts).map(Some)
}

impl VideoDecoder for Openh264Decoder {
    fn configure(&mut self, params: &VideoParams) -> Result<()> {
        self.gate.configure(params)?;
        self.pending.clear();
        self.raw = RawDecoder::new()?;
        self.pictures.configure(params.range);
        Ok(())
    }

    fn decode(&mut self, packet: &Packet, out: &mut dyn FnMut(Frame)) -> Result<()> {
        let fresh = match self.gate.judge(&packet.data) {
            Ok(Verdict::Decode { fresh, .. }) => fresh,
            Ok(Verdict::Skip) => return Ok(()),
            Err(e) => {
                self.restart(out)?;
                return Err(e);
            }
        };
        if fresh {
            self.restart(out)?;
        }
        let token = self.next_token;
        self.next_token += 1;
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back((token, packet.pts));
        let error = match self.raw.decode(self.gate.annex_b(), token) {
            Ok(None) => return Ok(()),
            Ok(Some(p)) => match take(&mut self.pictures, &mut self.pending, &p) {
                Ok(frame) => {
                    if let Some(f) = frame {
                        out(f);
                    }
                    return Ok(());
                }
                Err(e) => e,
            },
            Err(state) => {
                Error::new(ErrorKind::Media, format!("a picture does not decode (openh264 state {state:#x})"))
            }
        };
        self.gate.lost();
        self.restart(out)?;
        Err(error)
    }

    fn flush(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()> {
        self.drain(out);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "openh264"
    }
}
