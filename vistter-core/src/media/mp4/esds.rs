//! What the sound of a track is coded with (ISO/IEC 14496-12 §12.2.3, ISO/IEC 14496-14 §5.6, ISO/IEC 14496-1 §7.2.6,
//! ISO/IEC 14496-3 §1.6.2).

use bytes::Bytes;

use super::boxes::{Reader, child, children, damaged};
use super::entry::quoted;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioParams, Codec};

/// Bytes of an AudioSampleEntry before its boxes, and how many more versions 1 and 2 of QuickTime have.
const AUDIO: usize = 28;
const QUICKTIME: [usize; 3] = [0, 16, 36];
/// Sample rates by their index (ISO/IEC 14496-3 table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Reads `stsd`.
pub(super) fn read(stsd: &[u8]) -> Result<AudioParams> {
    let mut r = Reader(stsd);
    r.full()?;
    r.u32()?;
    let (kind, body) = children(r.0).next().ok_or_else(damaged)??;
    if &kind != b"mp4a" {
        return Err(other(&name(kind)));
    }
    let version = match body.get(8..10) {
        Some([0, v]) => QUICKTIME.get(usize::from(*v)).ok_or_else(damaged)?,
        _ => return Err(damaged()),
    };
    let inner = body.get(AUDIO + version..).ok_or_else(damaged)?;
    let found = match child(inner, b"esds")? {
        Some(esds) => Some(esds),
        None => child(inner, b"wave")?.map(|w| child(w, b"esds")).transpose()?.flatten(),
    };
    config(found.ok_or_else(damaged)?)
}

/// Descriptors down to the AudioSpecificConfig.
fn config(esds: &[u8]) -> Result<AudioParams> {
    let mut r = Reader(esds);
    r.full()?;
    let mut es = Reader(descriptor(&mut r, 3)?);
    es.bytes(2)?;
    let [flags] = es.bytes(1)? else { return Err(damaged()) };
    if flags & 0x80 != 0 {
        es.bytes(2)?;
    }
    if flags & 0x40 != 0 {
        let [n] = es.bytes(1)? else { return Err(damaged()) };
        es.bytes(usize::from(*n))?;
    }
    if flags & 0x20 != 0 {
        es.bytes(2)?;
    }
    let mut decoder = Reader(descriptor(&mut es, 4)?);
    let [kind] = decoder.bytes(1)? else { return Err(damaged()) };
    match kind {
        0x40 | 0x67 => {}
        0x69 | 0x6b => return Err(other("MP3")),
        0xa5 => return Err(other("AC-3")),
        n => return Err(other(&format!("MPEG-4 sound of type {n:#04x}"))),
    }
    decoder.bytes(12)?;
    specific(descriptor(&mut decoder, 5)?)
}

/// The body of a descriptor that must have this tag (ISO/IEC 14496-1 §8.3.3: seven bits of its length a byte).
fn descriptor<'a>(r: &mut Reader<'a>, tag: u8) -> Result<&'a [u8]> {
    if r.bytes(1)? != [tag] {
        return Err(damaged());
    }
    let mut length = 0usize;
    for _ in 0..4 {
        let [b] = r.bytes(1)? else { return Err(damaged()) };
        length = length << 7 | usize::from(b & 0x7f);
        if b & 0x80 == 0 {
            break;
        }
    }
    r.bytes(length)
}

/// AudioSpecificConfig: AAC-LC of one or two channels, 1024 samples a packet.
fn specific(asc: &[u8]) -> Result<AudioParams> {
    let [a, b, rest @ ..] = asc else { return Err(damaged()) };
    let (kind, rate, channels) = (a >> 3, (a & 7) << 1 | b >> 7, b >> 3 & 15);
    let sbr = matches!(rest, [0x56, 0xe5, s, ..] if s & 0x80 != 0);
    match kind {
        2 if !sbr => {}
        2 | 5 | 29 => return Err(other("HE-AAC")),
        n => return Err(other(&format!("AAC of object type {n}"))),
    }
    let Some(sample_rate) = RATES.get(usize::from(rate)).copied() else {
        return Err(other("AAC of an unusual sample rate"));
    };
    if !matches!(channels, 1 | 2) {
        return Err(other(&format!("AAC of channel configuration {channels}")));
    }
    // frameLengthFlag
    if b & 4 != 0 {
        return Err(other("AAC of 960 samples a packet"));
    }
    Ok(AudioParams {
        codec: Codec::Aac,
        sample_rate,
        channels: u16::from(channels),
        config: Bytes::copy_from_slice(asc),
    })
}

fn other(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the sound of the video is {what}"))
        .next("export it as AAC-LC, mono or stereo")
}

fn name(kind: [u8; 4]) -> String {
    match &kind {
        b"ac-3" => "AC-3".to_owned(),
        b"ec-3" => "E-AC-3".to_owned(),
        b"Opus" => "Opus".to_owned(),
        b"fLaC" => "FLAC".to_owned(),
        b"alac" => "Apple Lossless".to_owned(),
        b".mp3" => "MP3".to_owned(),
        b"sowt" | b"twos" | b"lpcm" | b"ipcm" | b"fpcm" | b"in24" | b"raw " => "uncompressed".to_owned(),
        b"enca" => "protected (enca)".to_owned(),
        _ => quoted(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations() {
        let of = |asc: &[u8]| specific(asc).map(|p| (p.sample_rate, p.channels)).map_err(|e| e.to_string());
        assert_eq!(of(&[0x11, 0x90]), Ok((48_000, 2)));
        assert_eq!(of(&[0x12, 0x08, 0x56, 0xe5, 0x00]), Ok((44_100, 1)));
        for (asc, said) in [
            (&[0x11, 0x90, 0x56, 0xe5, 0x80][..], "HE-AAC"),
            (&[0x2b, 0x11, 0x88, 0x00], "HE-AAC"),
            (&[0x11, 0xb0], "channel configuration 6"),
            (&[0x11, 0x94], "960"),
            (&[0x17, 0x90], "unusual"),
            (&[0x09, 0x90], "object type 1"),
            (&[0x11], "damaged"),
        ] {
            assert!(of(asc).is_err_and(|e| e.contains(said)), "{said}: {:?}", of(asc));
        }
    }
}
