//! H.265 decoding by rusty_h265 (pure Rust, Apache-2.0). It costs about twice an H.264 decode of the same picture: an
//! H.264 profile of the camera is the cheaper choice.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusty_h265::nal::unescape;
use rusty_h265::ps::parse_sps;
use rusty_h265::{Decoder, Error as H265Error, Frame as Decoded};

use super::picture::{Pictures, check_size};
use crate::error::{Error, ErrorKind, Result};
use crate::media::h264::avcc_units;
use crate::media::{Codec, Frame, Packet, VideoParams};
use crate::ports::VideoDecoder;
use crate::time::MediaTime;

/// `nal_unit_type` of a sequence parameter set (H.265 table 7-1).
const SPS: u8 = 33;
const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Parameter sets in an hvcC are kept up to this many bytes; real ones are under 300.
const MAX_SETS: usize = 64 * 1024;
const ADVICE: &str = "choose the H.265 Main profile, or an H.264 profile, on the camera";

/// Decodes H.265 Main and Main 10 (shown with 8 bits), 4:2:0.
///
/// A picture comes out when the next one starts: one picture later than from an H.264 decoder.
pub struct RustyH265Decoder {
    decoder: Decoder,
    pictures: Pictures,
    /// VPS, SPS and PPS in Annex B form.
    sets: Vec<u8>,
    annex_b: Vec<u8>,
    waiting: bool,
    shown: Option<MediaTime>,
}

impl Default for RustyH265Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl RustyH265Decoder {
    /// A decoder without a stream.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            pictures: Pictures::default(),
            sets: Vec::new(),
            annex_b: Vec::new(),
            waiting: true,
            shown: None,
        }
    }

    fn restart(&mut self) {
        self.decoder = Decoder::new();
        self.waiting = true;
    }

    /// Gives out what the decoder has ready.
    fn deliver(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()> {
        while let Ok(frame) = self.decoder.next_frame() {
            let pts = MediaTime::from_nanos(frame.pts.unwrap_or_default());
            // Leading pictures of an earlier group can come after a restart; time never goes back.
            if self.shown.is_some_and(|shown| pts <= shown) {
                continue;
            }
            let picture = copy(&mut self.pictures, &frame, pts)?;
            self.shown = Some(pts);
            out(picture);
        }
        Ok(())
    }
}

impl VideoDecoder for RustyH265Decoder {
    fn configure(&mut self, params: &VideoParams) -> Result<()> {
        if params.codec != Codec::H265 {
            return Err(Error::new(ErrorKind::Internal, format!("an H.265 decoder was given {}", params.codec)));
        }
        self.sets = hvcc_sets(&params.config)?;
        self.restart();
        self.shown = None;
        self.pictures.configure(params.range);
        Ok(())
    }

    fn decode(&mut self, packet: &Packet, out: &mut dyn FnMut(Frame)) -> Result<()> {
        self.annex_b.clear();
        let mut start = false;
        if self.waiting {
            self.annex_b.extend_from_slice(&self.sets);
        }
        for unit in avcc_units(&packet.data) {
            let unit = match unit {
                Ok(u) => u,
                Err(e) => {
                    self.restart();
                    return Err(e);
                }
            };
            // nal_unit_type 16–23 are random access points (H.265 table 7-1).
            let kind = unit.first().map_or(63, |b| b >> 1 & 0x3f);
            start |= (16..=23).contains(&kind);
            if kind == SPS
                && let Err(e) = check_sps(unit)
            {
                self.restart();
                return Err(e);
            }
            self.annex_b.extend_from_slice(&START_CODE);
            self.annex_b.extend_from_slice(unit);
        }
        if self.waiting && !start {
            return Ok(());
        }
        self.waiting = false;
        let (decoder, annex_b) = (&mut self.decoder, &self.annex_b);
        let made_up = decoder.stats.generated_refs;
        let pts = packet.pts.nanos();
        // The crate is young, and a panic here would end the program.
        let result = catch_unwind(AssertUnwindSafe(|| decoder.push_annexb(annex_b, Some(pts))));
        let error = match result {
            // A reference that is missing is replaced by grey: what follows from it must not be shown.
            Ok(Ok(())) if self.decoder.stats.generated_refs > made_up && !start => {
                Error::new(ErrorKind::Media, "reference pictures are missing")
                    .next("pictures resume at the next keyframe")
            }
            Ok(Ok(())) => match self.deliver(out) {
                Ok(()) => return Ok(()),
                Err(e) => e,
            },
            Ok(Err(H265Error::Unsupported(what))) => {
                Error::new(ErrorKind::Unsupported, format!("H.265 with {what}")).next(ADVICE)
            }
            Ok(Err(e)) => Error::new(ErrorKind::Media, format!("a picture does not decode: {e}")),
            Err(_) => Error::new(ErrorKind::Media, "a damaged picture broke the decoder"),
        };
        self.restart();
        Err(error)
    }

    fn flush(&mut self, out: &mut dyn FnMut(Frame)) -> Result<()> {
        let decoder = &mut self.decoder;
        if catch_unwind(AssertUnwindSafe(|| decoder.flush())).is_err() {
            self.restart();
            return Err(Error::new(ErrorKind::Media, "a damaged picture broke the decoder"));
        }
        let result = self.deliver(out);
        self.restart();
        result
    }

    fn name(&self) -> &'static str {
        "rusty_h265"
    }
}

/// Refuses what cannot be shown, before anything is allocated for it.
fn check_sps(unit: &[u8]) -> Result<()> {
    let payload = unit.get(2..).unwrap_or(&[]);
    let sps = catch_unwind(|| parse_sps(&unescape(payload).data))
        .map_err(|_| Error::new(ErrorKind::Media, "a damaged SPS broke the parser"))?
        .map_err(|e| match e {
            H265Error::Unsupported(what) => {
                Error::new(ErrorKind::Unsupported, format!("H.265 with {what}")).next(ADVICE)
            }
            e => Error::new(ErrorKind::Media, format!("the camera's SPS does not parse: {e}")),
        })?;
    if sps.chroma_format_idc > 1 {
        return Err(Error::new(ErrorKind::Unsupported, "H.265 with 4:2:2 or 4:4:4 chroma").next(ADVICE));
    }
    check_size(u64::from(sps.width), u64::from(sps.height))
}

fn copy(pictures: &mut Pictures, frame: &Decoded, pts: MediaTime) -> Result<Frame> {
    let p = &frame.picture;
    let (left, top, width, height) = p.crop;
    let short = || Error::new(ErrorKind::Media, "a decoded picture is smaller than it says");
    let mut buf = pictures.take(width, height)?;
    for (i, mut to) in buf.planes_mut().into_iter().enumerate() {
        let from = &p.planes[i];
        if i > 0 && p.chroma_format_idc == 0 {
            to.data.fill(128);
            continue;
        }
        let (x, y) = if i == 0 { (left, top) } else { (left / 2, top / 2) };
        let shift = if i == 0 { p.bit_depth_luma } else { p.bit_depth_chroma }.saturating_sub(8).min(8);
        for row in 0..to.height {
            let at = (y + row).saturating_mul(from.stride).saturating_add(x);
            let src = from.data.get(at..at + to.width).ok_or_else(short)?;
            for (d, s) in to.row_mut(row).iter_mut().zip(src) {
                *d = (s >> shift) as u8;
            }
        }
    }
    buf.set_pts(pts);
    Ok(buf.freeze())
}

/// The parameter sets of an hvcC (ISO/IEC 14496-15 §8.3.3.1), in Annex B form.
fn hvcc_sets(record: &[u8]) -> Result<Vec<u8>> {
    let bad = || Error::new(ErrorKind::Media, "malformed hvcC");
    if record.first() != Some(&1) || record.len() < 23 {
        return Err(bad());
    }
    let (arrays, mut rest) = record[22..].split_first().ok_or_else(bad)?;
    let mut out = Vec::new();
    for _ in 0..*arrays {
        let (head, tail) = rest.split_first_chunk::<3>().ok_or_else(bad)?;
        rest = tail;
        for _ in 0..u16::from_be_bytes([head[1], head[2]]) {
            let (len, tail) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
            let (unit, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or_else(bad)?;
            rest = tail;
            // VPS, SPS, PPS; the record may carry SEI too.
            if head[0] & 0x3f == SPS {
                check_sps(unit)?;
            }
            if matches!(head[0] & 0x3f, 32..=34) && out.len() + unit.len() < MAX_SETS {
                out.extend_from_slice(&START_CODE);
                out.extend_from_slice(unit);
            }
        }
    }
    if out.is_empty() {
        return Err(Error::new(ErrorKind::Media, "the stream's parameters have no parameter sets"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sets_come_out_of_an_hvcc() {
        let mut r = vec![1u8; 22];
        r.extend([2, 0xa0, 0, 1, 0, 2, 0x40, 1, 0x27, 0, 1, 0, 3, 0x4e, 1, 9]);
        assert_eq!(hvcc_sets(&r).unwrap(), [0, 0, 0, 1, 0x40, 1]);
        assert!(hvcc_sets(&r[..r.len() - 1]).is_err());
        assert!(hvcc_sets(&[]).is_err());
    }
    proptest! {
        #[test]
        fn hvcc_never_panics(data in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut r = vec![1u8; 22];
            r.extend(&data);
            let _ = hvcc_sets(&data);
            let _ = hvcc_sets(&r);
        }
    }
}
