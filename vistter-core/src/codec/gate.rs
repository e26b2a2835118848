//! What every H.264 decoder needs in front of it: the parameter sets, and a guard that lets nothing through that
//! would show a damaged picture.
//!
//! Decoders here have no error concealment by intent. A lost reference does not fail by itself: the decoder predicts
//! from the wrong picture and smears until the next keyframe. So the guard follows `frame_num` (H.264 §7.4.3) and stops
//! at the first gap; the last good picture stays on until an IDR.

use std::collections::BTreeMap;

use h264_reader::nal::sps::{FrameMbsFlags, SeqParameterSet};

use super::bits::{BitReader, to_rbsp};
use super::picture::check_size;
use super::sps;
use crate::error::{Error, ErrorKind, Result};
use crate::media::h264::{SpsInfo, avcc_sets, avcc_units, nal, nal_type};
use crate::media::{Codec, VideoParams};

/// Real parameter sets have under 100 bytes; there can be 32 SPS and 256 PPS.
const MAX_SET_BYTES: usize = 1024;
/// The part of a slice header that is read is shorter than this.
const HEADER_BYTES: usize = 24;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// What to do with an access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Decode [`Gate::annex_b`]. With `fresh`, into a decoder without history.
    Decode { idr: bool, fresh: bool },
    /// Nothing to show: no picture in it, or waiting for a keyframe.
    Skip,
}

/// The visible part of a coded picture, in luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

#[derive(Clone, Copy, Debug)]
struct SpsFacts {
    log2_max_frame_num: u32,
    frames_only: bool,
    separate_planes: bool,
    view: View,
    reorder_depth: u8,
}

/// Guard and parameter sets of one stream.
#[derive(Default)]
pub(super) struct Gate {
    sps: BTreeMap<u32, SpsFacts>,
    /// SPS id by PPS id.
    pps: BTreeMap<u32, u32>,
    /// The sets in force, as they came, by type and id.
    known: BTreeMap<(u8, u32), Vec<u8>>,
    /// The same as the decoder shall see them, in Annex B form.
    sets: Vec<u8>,
    /// The access unit to decode, in Annex B form.
    annex_b: Vec<u8>,
    scratch: Vec<u8>,
    /// `None` while waiting for a keyframe.
    last: Option<Last>,
    fresh: bool,
    fields_allowed: bool,
    uncropped: bool,
    active_sps: u32,
}

#[derive(Clone, Copy)]
struct Last {
    /// `PrevRefFrameNum`.
    ref_frame_num: u32,
    /// Whether the previous picture was a reference.
    was_ref: bool,
}

struct Slice {
    first_mb: u32,
    frame_num: u32,
    log2_max: u32,
    field: bool,
    sps: u32,
}

impl Gate {
    /// `fields_allowed`: the decoder takes progressive pictures from a stream that could also carry fields.
    /// `uncropped`: the decoder shall see whole macroblocks, and its caller crops.
    pub(super) fn new(fields_allowed: bool, uncropped: bool) -> Self {
        Self { fields_allowed, uncropped, ..Self::default() }
    }

    /// Starts over with a stream's parameters.
    ///
    /// # Errors
    /// `Media` for a malformed avcC, `Unsupported` for what is not 4:2:0, 8 bit, progressive H.264.
    pub(super) fn configure(&mut self, params: &VideoParams) -> Result<()> {
        if params.codec != Codec::H264 {
            return Err(Error::new(ErrorKind::Internal, format!("an H.264 decoder was given {}", params.codec)));
        }
        *self = Self::new(self.fields_allowed, self.uncropped);
        let (sps, pps) = avcc_sets(&params.config)?;
        for unit in sps.iter().chain(&pps) {
            self.keep(unit)?;
        }
        if self.sps.is_empty() || self.pps.is_empty() {
            return Err(Error::new(ErrorKind::Media, "the stream's parameters have no SPS or no PPS"));
        }
        self.fresh = true;
        Ok(())
    }

    /// Waits for the next keyframe, with a decoder that has no history.
    pub(super) fn lost(&mut self) {
        self.last = None;
        self.fresh = true;
    }

    /// Judges an access unit and prepares it.
    ///
    /// # Errors
    /// `Media` when it is damaged or something before it is missing: once; then [`Verdict::Skip`] until a keyframe.
    pub(super) fn judge(&mut self, au: &[u8]) -> Result<Verdict> {
        let verdict = self.judge_inner(au);
        if verdict.is_err() {
            let waiting = self.last.is_none();
            let has_key = crate::media::h264::has_idr(au);
            self.lost();
            if waiting && !has_key {
                return Ok(Verdict::Skip);
            }
        }
        verdict
    }

    fn judge_inner(&mut self, au: &[u8]) -> Result<Verdict> {
        self.annex_b.clear();
        let (mut first, mut ref_idc, mut idr) = (None, 0, false);
        let (mut new_sps, mut new_sets) = (false, false);
        for unit in avcc_units(au) {
            let unit = unit?;
            match nal_type(unit) {
                t @ (nal::SPS | nal::PPS) => {
                    let new = self.keep(unit)?;
                    new_sets |= new;
                    new_sps |= new && t == nal::SPS;
                    continue;
                }
                t @ (1 | nal::IDR) => {
                    if first.is_none() {
                        first = Some(self.slice(unit)?);
                        idr = t == nal::IDR;
                        ref_idc = unit[0] >> 5 & 3;
                    }
                }
                2..=4 => {
                    return Err(Error::new(ErrorKind::Unsupported, "H.264 data partitioning")
                        .next("choose Baseline, Main or High on the camera"));
                }
                _ => continue,
            }
            self.annex_b.extend_from_slice(&START_CODE);
            self.annex_b.extend_from_slice(unit);
        }
        let Some(slice) = first else { return Ok(Verdict::Skip) };
        if slice.field {
            return Err(interlaced());
        }
        if slice.first_mb != 0 {
            return Err(Error::new(ErrorKind::Media, "the first slice of a picture is missing"));
        }
        if idr {
            self.last = Some(Last { ref_frame_num: slice.frame_num, was_ref: true });
        } else {
            let Some(last) = &mut self.last else { return Ok(Verdict::Skip) };
            let next = (last.ref_frame_num + 1) & ((1 << slice.log2_max) - 1);
            // A picture after a reference has the next frame_num; after a non-reference it may repeat it (§7.4.3).
            let in_order = slice.frame_num == next || (slice.frame_num == last.ref_frame_num && !last.was_ref);
            let in_order = in_order || (slice.frame_num == last.ref_frame_num && ref_idc == 0);
            if !in_order {
                return Err(Error::new(
                    ErrorKind::Media,
                    format!(
                        "reference pictures are missing (frame_num {} after {})",
                        slice.frame_num, last.ref_frame_num
                    ),
                )
                .next("pictures resume at the next keyframe"));
            }
            if ref_idc != 0 {
                last.ref_frame_num = slice.frame_num;
            }
            last.was_ref = ref_idc != 0;
        }
        self.active_sps = slice.sps;
        // New parameters begin a new stream: what the decoder holds back must come out before it sees them.
        let fresh = std::mem::take(&mut self.fresh) || (idr && new_sps);
        if fresh || new_sets {
            self.scratch.clear();
            self.scratch.extend_from_slice(&self.sets);
            self.scratch.extend_from_slice(&self.annex_b);
            std::mem::swap(&mut self.scratch, &mut self.annex_b);
        }
        Ok(Verdict::Decode { idr, fresh })
    }

    /// The access unit of the last [`Verdict::Decode`].
    pub(super) fn annex_b(&self) -> &[u8] {
        &self.annex_b
    }

    /// The visible part of the picture by the active SPS.
    pub(super) fn view(&self) -> View {
        self.sps.get(&self.active_sps).map(|s| s.view).unwrap_or_default()
    }

    /// Takes a parameter set; `false` when it is in force already, as most cameras repeat theirs with each keyframe.
    fn keep(&mut self, unit: &[u8]) -> Result<bool> {
        if self.known.values().any(|u| u == unit) {
            return Ok(false);
        }
        if unit.len() > MAX_SET_BYTES {
            return Err(Error::new(ErrorKind::Media, "a parameter set of an impossible size"));
        }
        let id = self.learn(unit)?;
        self.known.insert((nal_type(unit), id), unit.to_vec());
        self.sets.clear();
        for ((kind, _), unit) in &self.known {
            self.sets.extend_from_slice(&START_CODE);
            match sps::without_crop(unit) {
                Ok(whole) if self.uncropped && *kind == nal::SPS => self.sets.extend_from_slice(&whole),
                _ => self.sets.extend_from_slice(unit),
            }
        }
        Ok(true)
    }

    /// Pictures that the active SPS may hold back.
    pub(super) fn reorder_depth(&self) -> u8 {
        self.sps.get(&self.active_sps).map_or(0, |s| s.reorder_depth)
    }

    /// Reads what the guard needs of a set; gives its id.
    fn learn(&mut self, unit: &[u8]) -> Result<u32> {
        if nal_type(unit) == nal::PPS {
            to_rbsp(unit.get(1..).unwrap_or(&[]), HEADER_BYTES, &mut self.scratch);
            let mut r = BitReader::new(&self.scratch);
            let (pps, sps) = (r.ue()?, r.ue()?);
            if pps > 255 || sps > 31 {
                return Err(Error::new(ErrorKind::Media, "a PPS with an impossible id"));
            }
            self.pps.insert(pps, sps);
            return Ok(pps);
        }
        let bad = |e: String| Error::new(ErrorKind::Media, format!("the camera's SPS does not parse: {e}"));
        let rbsp = h264_reader::rbsp::decode_nal(unit).map_err(|e| bad(e.to_string()))?;
        let sps = SeqParameterSet::from_bits(h264_reader::rbsp::BitReader::new(&rbsp[..]))
            .map_err(|e| bad(format!("{e:?}")))?;
        let c = &sps.chroma_info;
        if c.bit_depth_luma_minus8 != 0 || c.bit_depth_chroma_minus8 != 0 {
            return Err(Error::new(ErrorKind::Unsupported, "H.264 with more than 8 bits a sample")
                .next("choose Baseline, Main or High on the camera"));
        }
        if c.chroma_format != h264_reader::nal::sps::ChromaFormat::YUV420 {
            return Err(Error::new(ErrorKind::Unsupported, format!("H.264 with {:?} chroma", c.chroma_format))
                .next("choose Baseline, Main or High on the camera"));
        }
        let info = SpsInfo::parse(unit)?;
        check_size(u64::from(info.width), u64::from(info.height))?;
        let frames_only = matches!(sps.frame_mbs_flags, FrameMbsFlags::Frames);
        let mbaff = matches!(sps.frame_mbs_flags, FrameMbsFlags::Fields { mb_adaptive_frame_field_flag: true });
        if mbaff || (!frames_only && !self.fields_allowed) {
            return Err(interlaced());
        }
        let unit_y = if frames_only { 2 } else { 4 };
        let (left, top) = sps
            .frame_cropping
            .as_ref()
            .map_or((0, 0), |f| (f.left_offset as usize * 2, f.top_offset as usize * unit_y));
        let view = View { left, top, width: info.width as usize, height: info.height as usize };
        let facts = SpsFacts {
            log2_max_frame_num: u32::from(sps.log2_max_frame_num_minus4) + 4,
            frames_only,
            separate_planes: c.separate_colour_plane_flag,
            view,
            reorder_depth: info.reorder_depth,
        };
        let id = u32::from(sps.seq_parameter_set_id.id());
        self.sps.insert(id, facts);
        Ok(id)
    }

    /// The start of a slice header (§7.3.3).
    fn slice(&mut self, unit: &[u8]) -> Result<Slice> {
        to_rbsp(unit.get(1..).unwrap_or(&[]), HEADER_BYTES, &mut self.scratch);
        let mut r = BitReader::new(&self.scratch);
        let first_mb = r.ue()?;
        r.ue()?; // slice_type
        let pps = r.ue()?;
        let sps_id = *self
            .pps
            .get(&pps)
            .ok_or_else(|| Error::new(ErrorKind::Media, format!("a slice names PPS {pps}, which never came")))?;
        let sps = *self
            .sps
            .get(&sps_id)
            .ok_or_else(|| Error::new(ErrorKind::Media, format!("a slice names SPS {sps_id}, which never came")))?;
        if sps.separate_planes {
            r.bits(2)?;
        }
        let frame_num = r.bits(sps.log2_max_frame_num)?;
        let field = !sps.frames_only && r.bit()?;
        Ok(Slice { first_mb, frame_num, log2_max: sps.log2_max_frame_num, field, sps: sps_id })
    }
}

fn interlaced() -> Error {
    Error::new(ErrorKind::Unsupported, "interlaced H.264").next("set the camera to progressive")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two sets that take turns under one id: the one that came last is in force.
    #[test]
    fn sets_that_alternate_are_sent_again() {
        let mut g = Gate::new(false, false);
        // pps 0, sps 0; then anything.
        let (a, b) = ([0x68, 0b1110_0000], [0x68, 0b1101_0000]);
        assert!(g.keep(&a).unwrap());
        assert!(!g.keep(&a).unwrap());
        assert!(g.keep(&b).unwrap());
        assert!(g.keep(&a).unwrap());
        assert_eq!(g.sets, [0, 0, 0, 1, 0x68, 0b1110_0000]);
        assert!(g.keep(&[0x68; 2000]).is_err());
    }
    proptest! {
        #[test]
        fn never_panics(aus in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let mut g = Gate::new(true, true);
            for au in &aus {
                let mut framed = (au.len() as u32).to_be_bytes().to_vec();
                framed.extend(au);
                let _ = g.judge(au);
                let _ = g.judge(&framed);
            }
        }
    }
}
