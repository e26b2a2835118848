//! The H.264 syntax the pipeline reads: NAL units in AVCC and Annex B form, parameter sets, avcC.
//!
//! Pictures are never touched here. Parsing of the sequence parameter set is h264-reader's.

use bytes::{BufMut, Bytes, BytesMut};
use h264_reader::nal::sps::SeqParameterSet;

use crate::error::{Error, ErrorKind, Result};
use crate::media::{Codec, ColorRange, VideoParams};
use crate::time::FrameRate;

/// `nal_unit_type` values (ITU-T H.264 table 7-1).
pub mod nal {
    /// Coded slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Supplemental enhancement information.
    pub const SEI: u8 = 6;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Access unit delimiter.
    pub const AUD: u8 = 9;
    /// Filler data.
    pub const FILLER: u8 = 12;
}

/// The type of a NAL unit; 0 for an empty one.
pub fn nal_type(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |b| b & 0x1f)
}

/// The NAL units of an access unit in AVCC form (4-byte big-endian lengths, ISO/IEC 14496-15 §5.3.2).
///
/// A length that runs past the end gives one last `Err` and stops.
pub fn avcc_units(au: &[u8]) -> impl Iterator<Item = Result<&[u8]>> {
    let mut rest = au;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some((len, tail)) = rest.split_first_chunk::<4>() else {
            rest = &[];
            return Some(Err(cut_short()));
        };
        let len = u32::from_be_bytes(*len) as usize;
        if len > tail.len() {
            rest = &[];
            return Some(Err(cut_short()));
        }
        let (unit, tail) = tail.split_at(len);
        rest = tail;
        Some(Ok(unit))
    })
}

fn cut_short() -> Error {
    Error::new(ErrorKind::Media, "an access unit ends inside a NAL unit")
}

/// The NAL units of an Annex B byte stream, without start codes and trailing zeros.
pub fn annex_b_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(data);
    std::iter::from_fn(move || {
        let data = rest?;
        let (unit, next) = match find_start_code(data) {
            Some((at, len)) => (&data[..at], Some(&data[at + len..])),
            None => (data, None),
        };
        rest = next;
        let end = unit.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
        Some(&unit[..end])
    })
    .filter(|u| !u.is_empty())
}

fn after_start_code(data: &[u8]) -> Option<&[u8]> {
    find_start_code(data).map(|(at, len)| &data[at + len..])
}

fn find_start_code(data: &[u8]) -> Option<(usize, usize)> {
    let at = data.windows(3).position(|w| w == [0, 0, 1])?;
    Some((at, 3))
}

/// Appends the unit with a 4-byte length.
pub fn put_avcc(out: &mut BytesMut, unit: &[u8]) {
    out.put_u32(unit.len() as u32);
    out.extend_from_slice(unit);
}

/// Appends an AVCC access unit as Annex B with 4-byte start codes.
///
/// # Errors
/// `Media` when the access unit ends inside a NAL unit.
pub fn avcc_to_annex_b(au: &[u8], out: &mut Vec<u8>) -> Result<()> {
    for unit in avcc_units(au) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(unit?);
    }
    Ok(())
}

/// Whether an AVCC access unit holds an IDR slice.
pub fn has_idr(au: &[u8]) -> bool {
    avcc_units(au).any(|u| u.is_ok_and(|u| nal_type(u) == nal::IDR))
}

/// Builds an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1) with 4-byte lengths. Sets are NAL units with
/// their header byte.
///
/// # Errors
/// `Media` when a set is missing, too short or too long.
pub fn avcc_record(sps: &[u8], pps: &[u8]) -> Result<Bytes> {
    if sps.len() < 4 || pps.len() < 2 || sps.len() > 0xffff || pps.len() > 0xffff {
        return Err(Error::new(ErrorKind::Media, "parameter sets are missing or have an impossible size"));
    }
    let mut b = BytesMut::with_capacity(16 + sps.len() + pps.len());
    b.extend_from_slice(&[1, sps[1], sps[2], sps[3], 0xff, 0xe1]);
    b.put_u16(sps.len() as u16);
    b.extend_from_slice(sps);
    b.put_u8(1);
    b.put_u16(pps.len() as u16);
    b.extend_from_slice(pps);
    if matches!(sps[1], 100 | 110 | 122 | 144) {
        // High profiles append chroma_format and bit depths; 4:2:0 8 bit is all that this crate decodes.
        b.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
    }
    Ok(b.freeze())
}

/// NAL units inside a larger buffer.
type Units<'a> = Vec<&'a [u8]>;

/// The parameter sets of an avcC: all SPS, then all PPS, with their header bytes.
///
/// # Errors
/// `Media` when the record is malformed.
pub fn avcc_sets(record: &[u8]) -> Result<(Units<'_>, Units<'_>)> {
    let bad = || Error::new(ErrorKind::Media, "malformed avcC");
    if record.len() < 7 || record[0] != 1 {
        return Err(bad());
    }
    let mut rest = &record[5..];
    let mut take = |mask: u8| -> Result<Vec<&[u8]>> {
        let (n, tail) = rest.split_first().ok_or_else(bad)?;
        rest = tail;
        let mut sets = Vec::new();
        for _ in 0..n & mask {
            let (len, tail) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
            let len = usize::from(u16::from_be_bytes(*len));
            if len > tail.len() {
                return Err(bad());
            }
            let (set, tail) = tail.split_at(len);
            rest = tail;
            sets.push(set);
        }
        Ok(sets)
    };
    Ok((take(0x1f)?, take(0xff)?))
}

/// What the pipeline wants from a sequence parameter set.
#[derive(Clone, Debug, PartialEq)]
pub struct SpsInfo {
    /// Visible pixels.
    pub width: u32,
    /// Visible pixels.
    pub height: u32,
    /// `profile_idc`.
    pub profile_idc: u8,
    /// Constraint flags byte.
    pub constraints: u8,
    /// `level_idc`, ten times the level.
    pub level_idc: u8,
    /// From VUI timing, when it is there and sane.
    pub declared_fps: Option<FrameRate>,
    /// Pictures a decoder may hold back. From VUI; without it 0 for Baseline and for POC type 2, and else the
    /// most the level allows (H.264 §E.2.1), capped at 4 as real cameras never go higher.
    pub reorder_depth: u8,
    /// Luma range.
    pub range: ColorRange,
    /// Coded as fields; decoders here take progressive pictures only.
    pub interlaced: bool,
}

impl SpsInfo {
    /// Parses an SPS NAL unit with its header byte.
    ///
    /// # Errors
    /// `Media` when it does not parse, `Unsupported` when it is larger than 8192 pixels a side.
    pub fn parse(unit: &[u8]) -> Result<Self> {
        let bad = |e: String| Error::new(ErrorKind::Media, format!("the camera's SPS does not parse: {e}"));
        if unit.len() < 4 || nal_type(unit) != nal::SPS {
            return Err(bad("not an SPS".into()));
        }
        let rbsp = h264_reader::rbsp::decode_nal(unit).map_err(|e| bad(e.to_string()))?;
        let sps = SeqParameterSet::from_bits(h264_reader::rbsp::BitReader::new(&rbsp[..]))
            .map_err(|e| bad(format!("{e:?}")))?;
        let (width, height) = sps.pixel_dimensions().map_err(|e| bad(format!("{e:?}")))?;
        if width == 0 || height == 0 || width > 8192 || height > 8192 {
            return Err(Error::new(ErrorKind::Unsupported, format!("a picture of {width}x{height} pixels"))
                .next("choose a smaller profile on the camera"));
        }
        let vui = sps.vui_parameters.as_ref();
        let declared_fps = vui.and_then(|v| v.timing_info.as_ref()).and_then(|t| {
            // A frame is two ticks (§E.2.1).
            FrameRate::new(t.time_scale, t.num_units_in_tick.checked_mul(2)?)
        });
        let restricted = vui.and_then(|v| v.bitstream_restrictions.as_ref());
        let never_reorders =
            unit[1] == 66 || matches!(sps.pic_order_cnt, h264_reader::nal::sps::PicOrderCntType::TypeTwo);
        let reorder_depth = match restricted {
            Some(r) => r.max_num_reorder_frames.min(16) as u8,
            None if never_reorders => 0,
            None => sps.max_num_ref_frames.clamp(1, 4) as u8,
        };
        let full = vui.and_then(|v| v.video_signal_type.as_ref()).is_some_and(|s| s.video_full_range_flag);
        Ok(Self {
            width,
            height,
            profile_idc: unit[1],
            constraints: unit[2],
            level_idc: unit[3],
            declared_fps,
            reorder_depth,
            range: if full { ColorRange::Full } else { ColorRange::Limited },
            interlaced: !matches!(sps.frame_mbs_flags, h264_reader::nal::sps::FrameMbsFlags::Frames),
        })
    }

    /// `Baseline`, `Main`, `High` …
    pub fn profile_name(&self) -> &'static str {
        match self.profile_idc {
            66 if self.constraints & 0x40 != 0 => "Constrained Baseline",
            66 => "Baseline",
            77 => "Main",
            88 => "Extended",
            100 => "High",
            110 => "High 10",
            122 => "High 4:2:2",
            244 => "High 4:4:4",
            _ => "unknown",
        }
    }
}

/// Stream parameters from one SPS and one PPS.
///
/// # Errors
/// As [`SpsInfo::parse`] and [`avcc_record`].
pub fn video_params(sps: &[u8], pps: &[u8]) -> Result<VideoParams> {
    let info = SpsInfo::parse(sps)?;
    Ok(VideoParams {
        codec: Codec::H264,
        width: info.width,
        height: info.height,
        config: avcc_record(sps, pps)?,
        declared_fps: info.declared_fps,
        reorder_depth: info.reorder_depth,
        rfc6381: format!("avc1.{:02x}{:02x}{:02x}", sps[1], sps[2], sps[3]),
        range: info.range,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn annex_b_and_avcc_are_the_same_units() {
        let b = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 4];
        let units: Vec<_> = annex_b_units(&b).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4]]);
        let mut avcc = BytesMut::new();
        units.iter().for_each(|u| put_avcc(&mut avcc, u));
        assert!(has_idr(&avcc));
        let mut back = Vec::new();
        avcc_to_annex_b(&avcc, &mut back).unwrap();
        assert_eq!(annex_b_units(&back).collect::<Vec<_>>(), units);
        assert!(avcc_units(&avcc[..avcc.len() - 1]).last().unwrap().is_err());
    }
    #[test]
    fn avcc_record_round_trip() {
        let (sps, pps) = ([0x67, 100, 0, 40, 1, 2], [0x68, 0xee]);
        let r = avcc_record(&sps, &pps).unwrap();
        assert_eq!(avcc_sets(&r).unwrap(), (vec![&sps[..]], vec![&pps[..]]));
    }
    proptest! {
        #[test]
        fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = avcc_units(&data).count();
            let _ = annex_b_units(&data).count();
            let _ = avcc_sets(&data);
            let mut sps = vec![0x67];
            sps.extend(&data);
            let _ = SpsInfo::parse(&sps);
        }
    }
}
