//! H.264 decoding by rusty_h264 (pure Rust, BSD-2-Clause).

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusty_h264_decoder::{DecodeError, Decoder};

use super::gate::{Gate, Verdict};
use super::picture::Pictures;
use super::reorder::Reorder;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{Frame, Packet, VideoParams};
use crate::ports::VideoDecoder;

/// Decodes H.264 up to High profile, 4:2:0, 8 bit, progressive.
pub struct RustyH264Decoder {
    decoder: Decoder,
    gate: Gate,
    order: Reorder,
    pictures: Pictures,
}

impl Default for RustyH264Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl RustyH264Decoder {
    /// A decoder without a stream.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            // Some cameras flag field coding and never use it. The crate crops by copying, and so does this file: once
            // is enough.
            gate: Gate::new(true, true),
            order: Reorder::new(0),
            pictures: Pictures::default(),
        }
    }
}

impl VideoDecoder for RustyH264Decoder {
    fn configure(&mut self, params: &VideoParams) -> Result<()> {
        self.gate.configure(params)?;
        self.decoder = Decoder::new();
        self.order = Reorder::new(0);
        self.pictures.configure(params.range);
        Ok(())
    }

    fn decode(&mut self, packet: &Packet, out: &mut dyn FnMut(Frame)) -> Result<()> {
        let (idr, fresh) = match self.gate.judge(&packet.data) {
            Ok(Verdict::Decode { idr, fresh }) => (idr, fresh),
            Ok(Verdict::Skip) => return Ok(()),
            Err(e) => {
                self.order.flush(out);
                return Err(e);
            }
        };
        if fresh {
            self.decoder = Decoder::new();
        }
        let annex_b = self.gate.annex_b();
        let decoder = &mut self.decoder;
        // The crate promises not to panic on damaged input; it is young, and a panic here would end the program.
        let result = catch_unwind(AssertUnwindSafe(|| decoder.decode(annex_b)));
        let error = match result {
            Ok(Ok(Some(p))) => {
                let planes = [(&p.y[..], p.width), (&p.u[..], p.width / 2), (&p.v[..], p.width / 2)];
                let picture = self.pictures.copy(planes, self.gate.view(), packet.pts);
                match picture {
                    Ok(frame) => {
                        if idr {
                            self.order.set_depth(self.gate.reorder_depth(), out);
                        }
                        self.order.push(idr, self.decoder.last_poc(), frame, out);
                        return Ok(());
                    }
                    Err(e) => e,
                }
            }
            Ok(Ok(None)) => Error::new(ErrorKind::Media, "a picture is incomplete"),
            Ok(Err(DecodeError::Unsupported(what))) => {
                Error::new(ErrorKind::Unsupported, format!("the stream uses {what}"))
                    .next("choose another profile on the camera")
                    .transient(true)
            }
            Ok(Err(e)) => Error::new(ErrorKind::Media, format!("a picture does not decode: {e}")),
            Err(_) => Error::new(ErrorKind::Media, "a damaged picture broke the decoder"),
        };
        self.gate.lost();
        self.decoder = Decoder::new();
        self.order.flush(out);
        Err(error)
    }

    fn flush(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()> {
        self.order.flush(out);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "rusty_h264"
    }
}
