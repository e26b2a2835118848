//! Tag bodies: AUDIODATA (E.4.2), VIDEODATA (E.4.3) and SCRIPTDATA (E.4.4). Legacy codec ids only, never enhanced RTMP:
//! every platform and every player takes them for H.264 and AAC.

use bytes::{BufMut, Bytes, BytesMut};
use vistter_core::media::{AudioParams, Bitrate, Codec, StreamParams, VideoParams};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use crate::amf0::Value;

/// CodecID 7 (E.4.3.1).
pub(crate) const AVC: u8 = 7;
/// SoundFormat 10 (E.4.2.1).
pub(crate) const AAC: u8 = 10;
/// SoundFormat AAC is always marked 44 kHz, 16 bits, stereo, whatever the AudioSpecificConfig says (E.4.2.1).
const AAC_FLAGS: u8 = AAC << 4 | 0x0f;

/// Checks that FLV can carry the tracks.
///
/// # Errors
/// `Unsupported` for another codec, `Config` when there is no track or no decoder configuration.
pub(crate) fn accept(params: &StreamParams) -> Result<()> {
    if let Some(v) = &params.video {
        if v.codec != Codec::H264 {
            return Err(Error::new(ErrorKind::Unsupported, format!("RTMP carries H.264 video here, not {}", v.codec))
                .next("let the program encode it"));
        }
        if v.config.len() < 7 {
            return Err(Error::new(ErrorKind::Config, "the video track has no avcC"));
        }
    }
    if let Some(a) = &params.audio {
        if a.codec != Codec::Aac {
            return Err(Error::new(ErrorKind::Unsupported, format!("RTMP carries AAC audio here, not {}", a.codec))
                .next("let the program encode it"));
        }
        if a.config.len() < 2 {
            return Err(Error::new(ErrorKind::Config, "the audio track has no AudioSpecificConfig"));
        }
    }
    if params.video.is_none() && params.audio.is_none() {
        return Err(Error::new(ErrorKind::Config, "there is no track to publish"));
    }
    Ok(())
}

/// AVCPacketType 0: the avcC (E.4.3.2).
pub(crate) fn video_header(p: &VideoParams) -> Bytes {
    let mut b = BytesMut::with_capacity(5 + p.config.len());
    b.put_slice(&[0x10 | AVC, 0, 0, 0, 0]);
    b.put_slice(&p.config);
    b.freeze()
}

/// AACPacketType 0: the AudioSpecificConfig (E.4.2.2).
pub(crate) fn audio_header(p: &AudioParams) -> Bytes {
    let mut b = BytesMut::with_capacity(2 + p.config.len());
    b.put_slice(&[AAC_FLAGS, 0]);
    b.put_slice(&p.config);
    b.freeze()
}

/// AVCPacketType 1: one access unit in AVCC form. `composition` is presentation minus decode time.
pub(crate) fn video(data: &[u8], keyframe: bool, composition: MediaTime) -> Bytes {
    let cts = composition.millis().clamp(0, 0x7f_ffff) as u32; // SI24
    let mut b = BytesMut::with_capacity(5 + data.len());
    b.put_slice(&[if keyframe { 0x10 } else { 0x20 } | AVC, 1]);
    b.put_slice(&cts.to_be_bytes()[1..]);
    b.put_slice(data);
    b.freeze()
}

/// AACPacketType 1: one raw AAC frame.
pub(crate) fn audio(data: &[u8]) -> Bytes {
    let mut b = BytesMut::with_capacity(2 + data.len());
    b.put_slice(&[AAC_FLAGS, 1]);
    b.put_slice(data);
    b.freeze()
}

/// onMetaData (E.5), as the values after its name. Bitrates are those announced to the platform, if known.
pub(crate) fn metadata(params: &StreamParams, video: Option<Bitrate>, audio: Option<Bitrate>) -> Value {
    let mut p: Vec<(String, Value)> = Vec::new();
    let mut put = |name: &str, v: Value| p.push((name.to_owned(), v));
    put("duration", Value::Number(0.0));
    if let Some(v) = &params.video {
        put("width", Value::Number(f64::from(v.width)));
        put("height", Value::Number(f64::from(v.height)));
        if let Some(fps) = v.declared_fps {
            put("framerate", Value::Number(fps.as_f64()));
        }
        put("videocodecid", Value::Number(f64::from(AVC)));
        if let Some(b) = video {
            put("videodatarate", Value::Number(f64::from(b.bps()) / 1000.0));
        }
    }
    if let Some(a) = &params.audio {
        put("audiocodecid", Value::Number(f64::from(AAC)));
        put("audiosamplerate", Value::Number(f64::from(a.sample_rate)));
        put("audiosamplesize", Value::Number(16.0));
        put("audiochannels", Value::Number(f64::from(a.channels)));
        put("stereo", Value::Bool(a.channels > 1));
        if let Some(b) = audio {
            put("audiodatarate", Value::Number(f64::from(b.bps()) / 1000.0));
        }
    }
    put("encoder", Value::text(concat!("VistterStream ", env!("CARGO_PKG_VERSION"))));
    Value::Ecma(p)
}

/// What a video tag body is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum VideoBody<'a> {
    /// An avcC.
    Header(&'a [u8]),
    /// An access unit.
    Frame { keyframe: bool, composition_ms: i32, data: &'a [u8] },
    /// The end of a sequence; says nothing new.
    End,
}

/// Takes a video tag body apart.
///
/// # Errors
/// `Unsupported` for another codec, `Media` for a body that is cut short.
pub(crate) fn parse_video(body: &[u8]) -> Result<VideoBody<'_>> {
    let Some((&first, rest)) = body.split_first() else { return Err(short("video")) };
    if first & 0x80 != 0 {
        return Err(Error::new(ErrorKind::Unsupported, "the encoder sends enhanced RTMP video (HEVC, AV1 or VP9)")
            .next("set the encoder to H.264"));
    }
    if first & 0x0f != AVC {
        return Err(Error::new(ErrorKind::Unsupported, format!("the encoder sends FLV video codec {}", first & 0x0f))
            .next("set the encoder to H.264"));
    }
    let Some((&[packet, a, b, c], data)) = rest.split_first_chunk::<4>() else { return Err(short("video")) };
    // SI24: sign-extend from the top byte.
    let composition_ms = i32::from_be_bytes([a, b, c, 0]) >> 8;
    Ok(match packet {
        0 => VideoBody::Header(data),
        1 => VideoBody::Frame { keyframe: first >> 4 == 1, composition_ms, data },
        2 => VideoBody::End,
        n => return Err(Error::new(ErrorKind::Media, format!("unknown AVCPacketType {n}"))),
    })
}

/// What an audio tag body is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AudioBody<'a> {
    /// An AudioSpecificConfig.
    Header(&'a [u8]),
    /// A raw AAC frame.
    Frame(&'a [u8]),
}

/// Takes an audio tag body apart.
///
/// # Errors
/// As [`parse_video`].
pub(crate) fn parse_audio(body: &[u8]) -> Result<AudioBody<'_>> {
    let Some((&first, rest)) = body.split_first() else { return Err(short("audio")) };
    if first >> 4 != AAC {
        return Err(Error::new(ErrorKind::Unsupported, format!("the encoder sends FLV sound format {}", first >> 4))
            .next("set the encoder to AAC"));
    }
    let Some((&packet, data)) = rest.split_first() else { return Err(short("audio")) };
    Ok(match packet {
        0 => AudioBody::Header(data),
        1 => AudioBody::Frame(data),
        n => return Err(Error::new(ErrorKind::Media, format!("unknown AACPacketType {n}"))),
    })
}

fn short(what: &str) -> Error {
    Error::new(ErrorKind::Media, format!("the {what} tag is cut short"))
}

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) as far as FLV needs it.
///
/// # Errors
/// `Media` when it is cut short or names impossible values, `Unsupported` for another object type than AAC-LC or the
/// HE-AAC ones built on it.
pub(crate) fn audio_params(config: &[u8]) -> Result<AudioParams> {
    const RATES: [u32; 13] = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
    let bad = || Error::new(ErrorKind::Media, "malformed AudioSpecificConfig");
    let [a, b] = *config.first_chunk::<2>().ok_or_else(bad)?;
    let object = a >> 3;
    if !matches!(object, 2 | 5 | 29) {
        return Err(Error::new(ErrorKind::Unsupported, format!("AAC object type {object}")).next("set it to AAC-LC"));
    }
    let index = (a & 7) << 1 | b >> 7;
    let (sample_rate, channels) = if index == 15 {
        let w = config.get(1..6).ok_or_else(bad)?;
        let rate = (u32::from(w[0] & 0x7f) << 17) | u32::from(w[1]) << 9 | u32::from(w[2]) << 1 | u32::from(w[3]) >> 7;
        (rate, (w[3] >> 3) & 0x0f)
    } else {
        (*RATES.get(usize::from(index)).ok_or_else(bad)?, (b >> 3) & 0x0f)
    };
    if sample_rate == 0 || sample_rate > 192_000 {
        return Err(bad());
    }
    let channels = match channels {
        7 => 8,
        n @ 1..=6 => u16::from(n),
        _ => 2, // 0: the layout is in a program_config_element, which no live encoder sends but for stereo
    };
    Ok(AudioParams { codec: Codec::Aac, sample_rate, channels, config: Bytes::copy_from_slice(config) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn audio_specific_config() {
        let p = audio_params(&[0x11, 0x90]).unwrap();
        assert_eq!((p.sample_rate, p.channels), (48_000, 2));
        let p = audio_params(&[0x12, 0x08]).unwrap();
        assert_eq!((p.sample_rate, p.channels), (44_100, 1));
        // An explicit rate of 48,000 in 24 bits, two channels.
        let bits = (2u64 << 43) | (15 << 39) | (48_000 << 15) | (2 << 11);
        let p = audio_params(&bits.to_be_bytes()[2..]).unwrap();
        assert_eq!((p.sample_rate, p.channels), (48_000, 2));
        assert_eq!(audio_params(&[0x20, 0]).unwrap_err().kind(), ErrorKind::Unsupported);
    }
    #[test]
    fn other_codecs_are_named() {
        assert!(parse_video(&[0x12, 0, 0, 0, 0]).unwrap_err().what().contains("codec 2"));
        assert!(parse_video(&[0x90, b'h', b'v', b'c', b'1']).unwrap_err().what().contains("enhanced"));
        assert!(parse_audio(&[0x2f, 0]).unwrap_err().what().contains("format 2"));
    }
    proptest! {
        #[test]
        fn video_round_trip(data in proptest::collection::vec(any::<u8>(), 0..50), keyframe: bool, cts in 0i32..0x7f_ffff) {
            let b = video(&data, keyframe, MediaTime::from_millis(i64::from(cts)));
            prop_assert_eq!(parse_video(&b).unwrap(), VideoBody::Frame { keyframe, composition_ms: cts, data: &data });
        }
        #[test]
        fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = (parse_video(&data), parse_audio(&data), audio_params(&data));
        }
    }
}
