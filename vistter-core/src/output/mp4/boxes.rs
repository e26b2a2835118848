//! The boxes of a fragmented file, through mp4-atom.

use bytes::Bytes;
use mp4_atom::{
    Atom, Audio, Avc1, Avcc, Codec as SampleEntry, Dinf, Dref, DrefEntry, Encode, Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf,
    Moof, Moov, Mp4a, Mvex, Mvhd, Smhd, Stbl, Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, TrunSamples,
    Url, Visual, Vmhd, esds,
};

use crate::error::{Error, ErrorKind, Result};
use crate::media::{AudioParams, Codec, Track, VideoParams};

/// `sample_flags` of a sync sample: depends on no other (ISO/IEC 14496-12 §8.8.3.1).
const SYNC: u32 = 0x0200_0000;
/// Depends on others, and is no sync sample.
const NOT_SYNC: u32 = 0x0101_0000;
/// ObjectTypeIndication of MPEG-4 audio, and streamType of audio (ISO/IEC 14496-1 tables 5 and 6).
const MPEG4_AUDIO: u8 = 0x40;
const AUDIO_STREAM: u8 = 0x05;

/// A track of the file.
#[derive(Clone, Debug)]
pub(super) struct TrackInfo {
    pub(super) id: u32,
    pub(super) kind: TrackKind,
    /// Ticks a second.
    pub(super) timescale: u32,
    /// In ticks.
    pub(super) default_duration: u32,
}

#[derive(Clone, Debug)]
pub(super) enum TrackKind {
    Video(VideoParams),
    Audio(AudioParams),
}

impl TrackInfo {
    pub(super) fn track(&self) -> Track {
        match self.kind {
            TrackKind::Video(_) => Track::Video,
            TrackKind::Audio(_) => Track::Audio,
        }
    }
}

/// One access unit in a fragment; times in ticks of its track.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) data: Bytes,
    pub(super) duration: u32,
    pub(super) composition: i32,
    pub(super) sync: bool,
}

/// The samples of one track in a fragment.
pub(super) struct Run<'a> {
    pub(super) info: &'a TrackInfo,
    /// Decode time of the first sample, in ticks.
    pub(super) start: u64,
    pub(super) samples: &'a [Sample],
}

/// `ftyp` and `moov`.
pub(super) fn init(tracks: &[TrackInfo]) -> Result<Vec<u8>> {
    let ftyp = Ftyp {
        major_brand: b"iso6".into(),
        minor_version: 0,
        compatible_brands: vec![b"iso6".into(), b"iso5".into(), b"isom".into(), b"avc1".into(), b"mp41".into()],
    };
    let trex = |t: &TrackInfo| Trex {
        track_id: t.id,
        default_sample_description_index: 1,
        default_sample_duration: t.default_duration,
        default_sample_size: 0,
        default_sample_flags: if t.track() == Track::Video { NOT_SYNC } else { SYNC },
    };
    let moov = Moov {
        mvhd: Mvhd {
            timescale: 1000,
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: tracks.iter().map(|t| t.id).max().unwrap_or(0) + 1,
            ..Mvhd::default()
        },
        mvex: Some(Mvex { mehd: None, trex: tracks.iter().map(trex).collect() }),
        trak: tracks.iter().map(trak).collect::<Result<_>>()?,
        ..Moov::default()
    };
    let mut out = Vec::with_capacity(1024);
    ftyp.encode(&mut out).map_err(bug)?;
    moov.encode(&mut out).map_err(bug)?;
    Ok(out)
}

/// `moof` and `mdat`.
pub(super) fn fragment(sequence: u32, runs: &[Run<'_>]) -> Result<Vec<u8>> {
    let payload: usize = runs.iter().flat_map(|r| r.samples).map(|s| s.data.len()).sum();
    let mut moof = Moof { mfhd: Mfhd { sequence_number: sequence }, traf: runs.iter().map(traf).collect() };
    let mut out = Vec::with_capacity(payload + 4096);
    moof.encode(&mut out).map_err(bug)?;
    // The offsets count from the start of moof; filling them in does not change its size.
    let mut at = out.len() + 8;
    for (traf, run) in moof.traf.iter_mut().zip(runs) {
        for trun in &mut traf.trun {
            trun.data_offset = Some(i32::try_from(at).map_err(|_| too_big())?);
        }
        at += run.samples.iter().map(|s| s.data.len()).sum::<usize>();
    }
    out.clear();
    moof.encode(&mut out).map_err(bug)?;
    let mdat = u32::try_from(payload + 8).map_err(|_| too_big())?;
    out.extend_from_slice(&mdat.to_be_bytes());
    out.extend_from_slice(b"mdat");
    for s in runs.iter().flat_map(|r| r.samples) {
        out.extend_from_slice(&s.data);
    }
    Ok(out)
}

fn traf(run: &Run<'_>) -> Traf {
    let video = run.info.track() == Track::Video;
    // A field that no sample needs is left out of all of them.
    let durations = run.samples.iter().any(|s| s.duration != run.info.default_duration);
    let compositions = run.samples.iter().any(|s| s.composition != 0);
    let entry = |s: &Sample| TrunEntry {
        duration: durations.then_some(s.duration),
        size: Some(s.data.len() as u32),
        flags: video.then_some(if s.sync { SYNC } else { NOT_SYNC }),
        cts: compositions.then_some(s.composition.into()),
    };
    Traf {
        tfhd: Tfhd { track_id: run.info.id, default_base_is_moof: true, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: run.start }),
        trun: vec![Trun {
            data_offset: Some(0),
            samples: TrunSamples::Explicit(run.samples.iter().map(entry).collect()),
        }],
        ..Traf::default()
    }
}

fn trak(t: &TrackInfo) -> Result<Trak> {
    let (entry, handler, name) = match &t.kind {
        TrackKind::Video(v) => (avc1(v)?, b"vide", "video"),
        TrackKind::Audio(a) => (mp4a(a)?, b"soun", "audio"),
    };
    let (width, height, volume) = match &t.kind {
        TrackKind::Video(v) => (size(v.width)?, size(v.height)?, 0),
        TrackKind::Audio(_) => (0, 0, 1),
    };
    let video = t.track() == Track::Video;
    Ok(Trak {
        tkhd: Tkhd {
            track_id: t.id,
            enabled: true,
            in_movie: true,
            alternate_group: u16::from(!video),
            volume: volume.into(),
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd { timescale: t.timescale, language: "und".into(), ..Mdhd::default() },
            hdlr: Hdlr { handler: handler.into(), name: name.into() },
            minf: Minf {
                vmhd: video.then(Vmhd::default),
                smhd: (!video).then(Smhd::default),
                dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
                stbl: Stbl { stsd: Stsd { codecs: vec![entry] }, ..Stbl::default() },
                ..Minf::default()
            },
        },
        ..Trak::default()
    })
}

fn avc1(v: &VideoParams) -> Result<SampleEntry> {
    if v.codec != Codec::H264 {
        return Err(unsupported(v.codec));
    }
    let mut record = &v.config[..];
    let avcc = Avcc::decode_body(&mut record)
        .map_err(|e| Error::new(ErrorKind::Media, format!("the video's avcC does not parse: {e}")))?;
    let visual =
        Visual { data_reference_index: 1, width: size(v.width)?, height: size(v.height)?, ..Visual::default() };
    Ok(SampleEntry::Avc1(Avc1 { visual, avcc, ..Avc1::default() }))
}

fn mp4a(a: &AudioParams) -> Result<SampleEntry> {
    if a.codec != Codec::Aac {
        return Err(unsupported(a.codec));
    }
    if a.config.len() < 2 {
        return Err(Error::new(ErrorKind::Media, "the sound has no AudioSpecificConfig"));
    }
    let dec_specific = esds::DecoderSpecific { raw: a.config.to_vec(), ..esds::DecoderSpecific::default() };
    let dec_config = esds::DecoderConfig {
        object_type_indication: MPEG4_AUDIO,
        stream_type: AUDIO_STREAM,
        dec_specific: Some(dec_specific),
        ..esds::DecoderConfig::default()
    };
    Ok(SampleEntry::Mp4a(Mp4a {
        audio: Audio {
            data_reference_index: 1,
            channel_count: a.channels,
            sample_size: 16,
            // Above 65535 Hz the field can't say it, and the AudioSpecificConfig does.
            sample_rate: u16::try_from(a.sample_rate).unwrap_or(0).into(),
        },
        esds: mp4_atom::Esds { es_desc: esds::EsDescriptor { es_id: 0, dec_config, ..esds::EsDescriptor::default() } },
        btrt: None,
        taic: None,
    }))
}

fn size(pixels: u32) -> Result<u16> {
    u16::try_from(pixels).map_err(|_| Error::new(ErrorKind::Unsupported, format!("{pixels} pixels are too many")))
}

fn unsupported(codec: Codec) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the recorder does not write {codec}")).next("record H.264 with AAC")
}

fn too_big() -> Error {
    Error::new(ErrorKind::Limit, "a fragment is larger than 2 GiB")
}

fn bug(e: mp4_atom::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("the recording's header does not encode: {e}"))
}
