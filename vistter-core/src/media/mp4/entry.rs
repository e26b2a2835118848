//! What the pictures of a track are coded with (ISO/IEC 14496-12 §8.5.2, ISO/IEC 14496-15 §5.3.3).

use bytes::Bytes;

use super::boxes::{Reader, child, children, damaged};
use crate::error::{Error, ErrorKind, Result};
use crate::media::VideoParams;
use crate::media::h264::{avcc_sets, video_params};

/// Bytes of a VisualSampleEntry before its boxes.
const VISUAL: usize = 78;

/// A sample entry of H.264.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) params: VideoParams,
    pub(super) length_size: usize,
}

/// Reads `stsd`.
pub(super) fn read(stsd: &[u8]) -> Result<Entry> {
    let mut r = Reader(stsd);
    r.full()?;
    r.u32()?;
    let (kind, body) = children(r.0).next().ok_or_else(damaged)??;
    if !matches!(&kind, b"avc1" | b"avc3") {
        return Err(Error::new(ErrorKind::Unsupported, format!("the video is coded as {}", name(kind)))
            .next("export it as H.264 (High profile, 4:2:0, 8 bit)"));
    }
    let inner = body.get(VISUAL..).ok_or_else(damaged)?;
    let record = child(inner, b"avcC")?.ok_or_else(damaged)?;
    let (sps, pps) = avcc_sets(record)?;
    let (Some(sps), Some(pps)) = (sps.first(), pps.first()) else {
        return Err(Error::new(ErrorKind::Unsupported, "the video's parameters stand between its pictures (avc3)")
            .next("export it with H.264's parameters in the header (avc1)"));
    };
    let mut params = video_params(sps, pps).map_err(|e| Error::new(e.kind(), "the video's parameters are damaged"))?;
    let profile = sps.get(1).copied().unwrap_or(0);
    if !matches!(profile, 66 | 77 | 88 | 100) {
        let what = match profile {
            110 => "H.264 with 10 bit a sample".to_owned(),
            122 | 244 => "H.264 with more colour than 4:2:0".to_owned(),
            n => format!("H.264 of profile {n}"),
        };
        return Err(Error::new(ErrorKind::Unsupported, format!("the video is {what}"))
            .next("export it as High profile, 4:2:0, 8 bit"));
    }
    // with all its sets
    params.config = Bytes::copy_from_slice(record);
    let length_size = usize::from(record.get(4).copied().unwrap_or(3) & 3) + 1;
    if length_size == 3 {
        return Err(damaged());
    }
    Ok(Entry { params, length_size })
}

fn name(kind: [u8; 4]) -> String {
    match &kind {
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "H.265".to_owned(),
        b"av01" => "AV1".to_owned(),
        b"vp08" => "VP8".to_owned(),
        b"vp09" => "VP9".to_owned(),
        b"mp4v" => "MPEG-4 part 2".to_owned(),
        b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "ProRes".to_owned(),
        b"encv" => "protected video (encv)".to_owned(),
        _ => quoted(kind),
    }
}

/// The name of a kind that is not known.
pub(super) fn quoted(kind: [u8; 4]) -> String {
    format!("\"{}\"", kind.map(|b| if b.is_ascii_graphic() { b as char } else { '?' }).iter().collect::<String>())
}
