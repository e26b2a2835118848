//! Tag bodies into packets: the reading side of a file and of a publish.

use bytes::Bytes;
use vistter_core::media::{AudioParams, Packet, StreamParams, Track, VideoParams, h264};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::body::{self, AudioBody, VideoBody};
use super::file::TagKind;

/// What a tag says about the media.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The tracks so far; comes with each new decoder configuration.
    Params(StreamParams),
    /// A packet in decode order.
    Packet(Packet),
}

/// Turns tag bodies into parameters and packets. Timestamps become a 64-bit timeline that survives the wrap of the
/// 32-bit milliseconds after 49.7 days.
#[derive(Debug, Default)]
pub struct Demuxer {
    params: StreamParams,
    video_time: Unwrap,
    audio_time: Unwrap,
    origin: Option<u32>,
}

/// Follows a counter of milliseconds modulo 2^32.
#[derive(Debug, Default)]
pub(crate) struct Unwrap {
    last: Option<(u32, i64)>,
}

impl Unwrap {
    pub(crate) fn next(&mut self, t: u32, origin: u32) -> i64 {
        let full = match self.last {
            // Nearest of the times that have these low bits: small steps back stay steps back.
            Some((low, full)) => full + i64::from(t.wrapping_sub(low) as i32),
            None => i64::from(origin) + i64::from(t.wrapping_sub(origin) as i32),
        };
        self.last = Some((t, full));
        full
    }
}

impl Demuxer {
    /// A demuxer that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }
    /// The tracks so far.
    pub fn params(&self) -> &StreamParams {
        &self.params
    }
    /// Takes one tag body. `None` for what carries no media.
    ///
    /// # Errors
    /// `Unsupported` for another codec, `Media` for a damaged body or a frame before its configuration. The next tag
    /// can be fed all the same.
    pub fn handle(&mut self, kind: TagKind, time_ms: u32, data: &Bytes) -> Result<Option<MediaEvent>> {
        match kind {
            TagKind::Script => Ok(None),
            TagKind::Video => self.video(time_ms, data),
            TagKind::Audio => self.audio(time_ms, data),
        }
    }

    fn video(&mut self, time_ms: u32, data: &Bytes) -> Result<Option<MediaEvent>> {
        if data.is_empty() {
            return Ok(None); // some encoders send empty tags as a keep-alive
        }
        match body::parse_video(data)? {
            VideoBody::End => Ok(None),
            VideoBody::Header(record) => {
                let p = video_params(record)?;
                if self.params.video.as_ref() == Some(&p) {
                    return Ok(None);
                }
                self.params.video = Some(p);
                Ok(Some(MediaEvent::Params(self.params.clone())))
            }
            VideoBody::Frame { keyframe, composition_ms, data: unit } => {
                if self.params.video.is_none() {
                    return Err(Error::new(ErrorKind::Media, "a video frame before the AVC sequence header"));
                }
                let origin = *self.origin.get_or_insert(time_ms);
                let dts = self.video_time.next(time_ms, origin);
                Ok(Some(MediaEvent::Packet(Packet {
                    track: Track::Video,
                    data: data.slice_ref(unit),
                    pts: MediaTime::from_millis(dts.saturating_add(i64::from(composition_ms))),
                    dts: MediaTime::from_millis(dts),
                    duration: MediaTime::ZERO,
                    keyframe,
                })))
            }
        }
    }

    fn audio(&mut self, time_ms: u32, data: &Bytes) -> Result<Option<MediaEvent>> {
        if data.is_empty() {
            return Ok(None);
        }
        match body::parse_audio(data)? {
            AudioBody::Header(config) => {
                let p: AudioParams = body::audio_params(config)?;
                if self.params.audio.as_ref() == Some(&p) {
                    return Ok(None);
                }
                self.params.audio = Some(p);
                Ok(Some(MediaEvent::Params(self.params.clone())))
            }
            AudioBody::Frame(unit) => {
                let Some(p) = &self.params.audio else {
                    return Err(Error::new(ErrorKind::Media, "an audio frame before the AAC sequence header"));
                };
                let origin = *self.origin.get_or_insert(time_ms);
                let t = MediaTime::from_millis(self.audio_time.next(time_ms, origin));
                Ok(Some(MediaEvent::Packet(Packet {
                    track: Track::Audio,
                    data: data.slice_ref(unit),
                    pts: t,
                    dts: t,
                    duration: MediaTime::from_ticks(1024, p.sample_rate),
                    keyframe: true,
                })))
            }
        }
    }
}

/// Parameters from an avcC; its first SPS and PPS. The record itself is kept as it came.
fn video_params(record: &[u8]) -> Result<VideoParams> {
    // AVCDecoderConfigurationRecord: lengthSizeMinusOne is in the low bits of byte 4. Packets are promised with four
    // bytes, which is what every encoder sends.
    if record.get(4).is_some_and(|b| b & 3 != 3) {
        return Err(Error::new(ErrorKind::Unsupported, "the encoder sends NAL unit lengths of other than four bytes"));
    }
    let (sps, pps) = h264::avcc_sets(record)?;
    let (Some(sps), Some(pps)) = (sps.first(), pps.first()) else {
        return Err(Error::new(ErrorKind::Media, "the avcC has no parameter sets"));
    };
    let mut p = h264::video_params(sps, pps)?;
    p.config = Bytes::copy_from_slice(record);
    Ok(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn time_survives_the_wrap_and_small_steps_back() {
        let mut u = Unwrap::default();
        let start = u32::MAX - 50;
        let got: Vec<i64> = [start, u32::MAX, 10, 5, 100].into_iter().map(|t| u.next(t, start)).collect();
        let base = i64::from(start);
        assert_eq!(got, [base, base + 50, base + 61, base + 56, base + 151]);
    }
    #[test]
    fn a_frame_before_its_header_is_an_error_and_nothing_breaks() {
        let mut d = Demuxer::new();
        let e = d.handle(TagKind::Video, 0, &body::video(&[1], true, MediaTime::ZERO)).unwrap_err();
        assert!(e.what().contains("before the AVC"), "{e}");
        let header: Bytes = vec![0xaf, 0, 0x11, 0x90].into();
        assert!(matches!(d.handle(TagKind::Audio, 0, &header), Ok(Some(MediaEvent::Params(_)))));
        assert_eq!(d.handle(TagKind::Audio, 0, &header).unwrap(), None, "the same again says nothing new");
        let Ok(Some(MediaEvent::Packet(p))) = d.handle(TagKind::Audio, 7, &body::audio(&[1, 2])) else { panic!() };
        assert_eq!(
            (&p.data[..], p.dts, p.duration),
            (&[1u8, 2][..], MediaTime::from_millis(7), MediaTime::from_nanos(21_333_333))
        );
    }
    proptest! {
        #[test]
        fn rubbish_never_panics(kind in 0u8..2, t: u32, data in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut d = Demuxer::new();
            let mut b = vec![if kind == 0 { 0x17 } else { 0xaf }, 0];
            b.extend(data);
            let k = if kind == 0 { TagKind::Video } else { TagKind::Audio };
            let _ = d.handle(k, t, &b.into());
        }
    }
}
