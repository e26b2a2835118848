//! Rewrites sequence parameter sets, bit by bit: VUI timing into an encoder's, cropping out of a camera's.

use super::bits::{BitReader, BitWriter, push_escaped, to_rbsp};
use crate::error::{Error, ErrorKind, Result};
use crate::media::h264::{nal, nal_type};
use crate::time::FrameRate;

/// The same SPS with a fixed frame rate in its VUI (H.264 §E.1.1). Takes a NAL unit with its header byte.
///
/// openh264 writes colour and bitstream restriction but no timing, and without it players and platforms guess the
/// frame rate.
///
/// # Errors
/// `Codec` when the SPS has no VUI, or syntax that the software encoder never writes (scaling lists).
pub(super) fn with_timing(sps: &[u8], fps: FrameRate) -> Result<Vec<u8>> {
    let edit = Edit::new(sps)?;
    let (at, present) = edit.places.timing.ok_or_else(|| odd("no VUI"))?;
    edit.replace(at, at + if present { 1 + 65 } else { 1 }, |w| {
        w.bit(true);
        // A frame is two ticks.
        w.bits(fps.den(), 32);
        w.bits(fps.num().saturating_mul(2), 32);
        w.bit(true); // fixed_frame_rate_flag
    })
}

/// The same SPS for whole macroblocks. A decoder that crops by copying is spared that copy; the caller crops.
///
/// # Errors
/// `Codec` for syntax that is not followed here (scaling lists).
pub(super) fn without_crop(sps: &[u8]) -> Result<Vec<u8>> {
    let edit = Edit::new(sps)?;
    let (at, end) = edit.places.crop;
    edit.replace(at, end, |w| w.bit(false))
}

fn odd(what: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("the SPS cannot be rewritten: {what}"))
}

/// Bit positions in an SPS.
struct Places {
    /// From `frame_cropping_flag` to behind the offsets.
    crop: (usize, usize),
    /// `timing_info_present_flag` and its value, when there is a VUI.
    timing: Option<(usize, bool)>,
}

struct Edit {
    header: u8,
    rbsp: Vec<u8>,
    /// Where the trailing bits begin.
    end: usize,
    places: Places,
}

impl Edit {
    fn new(sps: &[u8]) -> Result<Self> {
        if sps.len() < 4 || nal_type(sps) != nal::SPS {
            return Err(odd("not an SPS"));
        }
        let mut rbsp = Vec::with_capacity(sps.len());
        to_rbsp(&sps[1..], usize::MAX, &mut rbsp);
        let places = find(&rbsp)?;
        // The last set bit is the stop bit of the trailing bits.
        let last = rbsp.iter().rposition(|b| *b != 0).ok_or_else(|| odd("empty"))?;
        let end = last * 8 + 7 - rbsp[last].trailing_zeros() as usize;
        Ok(Self { header: sps[0], rbsp, end, places })
    }

    /// The NAL unit with bits `from..to` replaced.
    fn replace(&self, from: usize, to: usize, write: impl FnOnce(&mut BitWriter)) -> Result<Vec<u8>> {
        let mut w = BitWriter::default();
        let mut r = BitReader::new(&self.rbsp);
        while r.position() < from {
            w.bit(r.bit()?);
        }
        write(&mut w);
        while r.position() < to {
            r.bit()?;
        }
        while r.position() < self.end {
            w.bit(r.bit()?);
        }
        let mut out = vec![self.header];
        push_escaped(&w.finish(), &mut out);
        Ok(out)
    }
}

/// Walks seq_parameter_set_data (§7.3.2.1.1) and the start of the VUI (§E.1.1).
fn find(rbsp: &[u8]) -> Result<Places> {
    let mut r = BitReader::new(rbsp);
    let profile = r.bits(8)?;
    r.bits(16)?; // constraint flags, level
    r.ue()?; // seq_parameter_set_id
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128) {
        if r.ue()? == 3 {
            r.bit()?;
        }
        r.ue()?;
        r.ue()?;
        r.bit()?;
        if r.bit()? {
            return Err(odd("scaling lists"));
        }
    }
    r.ue()?; // log2_max_frame_num_minus4
    match r.ue()? {
        0 => drop(r.ue()?),
        1 => return Err(odd("picture order count type 1")),
        _ => {}
    }
    r.ue()?; // max_num_ref_frames
    r.bit()?;
    r.ue()?;
    r.ue()?;
    if !r.bit()? {
        r.bit()?; // mb_adaptive_frame_field_flag
    }
    r.bit()?; // direct_8x8_inference_flag
    let crop_at = r.position();
    if r.bit()? {
        for _ in 0..4 {
            r.ue()?;
        }
    }
    let crop = (crop_at, r.position());
    if !r.bit()? {
        return Ok(Places { crop, timing: None });
    }
    if r.bit()? && r.bits(8)? == 255 {
        r.bits(32)?; // Extended_SAR
    }
    if r.bit()? {
        r.bit()?; // overscan
    }
    if r.bit()? {
        r.bits(4)?; // video_format, full range
        if r.bit()? {
            r.bits(24)?;
        }
    }
    if r.bit()? {
        r.ue()?;
        r.ue()?; // chroma location
    }
    let at = r.position();
    Ok(Places { crop, timing: Some((at, r.bit()?)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::h264::SpsInfo;
    use proptest::prelude::*;

    /// openh264 2.7, 1920x1080 at 30 fps, 4.5 Mbit/s, High, BT.709 limited; with timing already.
    const SPS: &[u8] = &[
        0x67, 0x64, 0x0c, 0x28, 0xac, 0x18, 0xd0, 0x0f, 0x00, 0x44, 0xfc, 0xb3, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00,
        0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf2, 0x3c, 0x22, 0x11, 0xa8,
    ];

    #[test]
    fn no_vui_is_an_error() {
        assert_eq!(with_timing(&[0x67], FrameRate::FPS_30).unwrap_err().kind(), ErrorKind::Codec);
        assert_eq!(with_timing(&[0x68, 1, 2, 3], FrameRate::FPS_30).unwrap_err().kind(), ErrorKind::Codec);
    }
    #[test]
    fn cropping_goes_and_all_else_stays() {
        let (was, is) = (SpsInfo::parse(SPS).unwrap(), SpsInfo::parse(&without_crop(SPS).unwrap()).unwrap());
        assert_eq!((was.height, is.height), (1080, 1088));
        assert_eq!(SpsInfo { height: 1080, ..is }, was);
    }
    proptest! {
        #[test]
        fn never_panics(data in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut sps = vec![0x67];
            sps.extend(data);
            let _ = with_timing(&sps, FrameRate::FPS_30);
            let _ = without_crop(&sps);
        }
        /// The encoder is asked again for the same SPS after a restart: patching twice changes nothing more.
        #[test]
        fn is_idempotent(num in 1u32..60_000, den in 1u32..1002) {
            if let Some(fps) = FrameRate::new(num, den) {
                let once = with_timing(SPS, fps).unwrap();
                let (was, is) = (SpsInfo::parse(SPS).unwrap(), SpsInfo::parse(&once).unwrap());
                prop_assert_eq!(&is, &SpsInfo { declared_fps: Some(fps), ..was });
                prop_assert_eq!(with_timing(&once, fps).unwrap(), once);
            }
        }
    }
}
