//! Packets into RTMP messages: stream timestamps, sequence headers, metadata. No I/O.

use bytes::Bytes;
use vistter_core::media::{Bitrate, Packet, StreamParams, Track};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use crate::amf0::{self, Value};
use crate::flv::body;
use crate::session::kind;

/// A message ready for the chunk writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Out {
    pub kind: u8,
    /// Milliseconds modulo 2^32.
    pub time: u32,
    pub body: Bytes,
}

/// A step back larger than this is a fault of the sender, not jitter.
const MAX_BACK: MediaTime = MediaTime::SECOND;

/// Makes the stream's timestamps: the first packet is 0, both tracks count from it, and each track only goes up.
#[derive(Debug, Default)]
pub(crate) struct Mux {
    origin: Option<MediaTime>,
    last: [Option<i64>; 2],
}

impl Mux {
    /// What comes before the first packet.
    pub(crate) fn headers(
        &self,
        params: &StreamParams,
        video_bitrate: Option<Bitrate>,
        audio_bitrate: Option<Bitrate>,
    ) -> Vec<Out> {
        let metadata = body::metadata(params, video_bitrate, audio_bitrate);
        // @setDataFrame tells the server to keep it and give it to everyone who plays (FMS; FLV E.5 names onMetaData).
        let data = amf0::encode(&[Value::text("@setDataFrame"), Value::text("onMetaData"), metadata]);
        let mut out = vec![Out { kind: kind::DATA, time: 0, body: data.into() }];
        if let Some(v) = &params.video {
            out.push(Out { kind: kind::VIDEO, time: 0, body: body::video_header(v) });
        }
        if let Some(a) = &params.audio {
            out.push(Out { kind: kind::AUDIO, time: 0, body: body::audio_header(a) });
        }
        out
    }

    /// One packet; `None` for audio from before the first packet, which has no place on the timeline.
    ///
    /// # Errors
    /// `Internal` when decode times go back by more than a second.
    pub(crate) fn packet(&mut self, p: &Packet) -> Result<Option<Out>> {
        let origin = *self.origin.get_or_insert(p.dts);
        let mut ms = (p.dts - origin).millis();
        let track = usize::from(p.track == Track::Audio);
        match self.last[track] {
            Some(last) if ms <= last => {
                if last - ms > MAX_BACK.millis() {
                    return Err(Error::new(
                        ErrorKind::Internal,
                        format!("{:?} decode times went back by {} ms", p.track, last - ms),
                    ));
                }
                ms = last + 1;
            }
            None if ms < 0 => return Ok(None),
            _ => {}
        }
        self.last[track] = Some(ms);
        let body = match p.track {
            Track::Video => body::video(&p.data, p.keyframe, p.pts - p.dts),
            Track::Audio => body::audio(&p.data),
        };
        let kind = if p.track == Track::Video { kind::VIDEO } else { kind::AUDIO };
        Ok(Some(Out { kind, time: ms as u32, body })) // RTMP 1.0 §4: modulo 2^32, after 49.7 days
    }

    /// How much of the program has gone out since the headers.
    pub(crate) fn span(&self) -> MediaTime {
        MediaTime::from_millis(self.last.iter().flatten().copied().max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(track: Track, dts_ns: i64) -> Packet {
        let t = MediaTime::from_nanos(dts_ns);
        Packet { track, data: Bytes::from_static(&[1]), pts: t, dts: t, duration: MediaTime::ZERO, keyframe: true }
    }

    #[test]
    fn both_tracks_count_from_the_first_packet() {
        let mut m = Mux::default();
        let s = 1_000_000_000;
        assert_eq!(m.packet(&packet(Track::Video, 5 * s)).unwrap().unwrap().time, 0);
        assert_eq!(m.packet(&packet(Track::Audio, 5 * s - 10_000_000)).unwrap(), None);
        assert_eq!(m.packet(&packet(Track::Audio, 5 * s + 11_333_333)).unwrap().unwrap().time, 11);
        assert_eq!(m.packet(&packet(Track::Video, 5 * s + 33_366_667)).unwrap().unwrap().time, 33);
        assert!(m.packet(&packet(Track::Video, 0)).is_err());
    }
    #[test]
    fn after_49_days_the_time_wraps() {
        let mut m = Mux::default();
        m.packet(&packet(Track::Video, 0)).unwrap();
        let ms = (1i64 << 32) + 7;
        assert_eq!(m.packet(&packet(Track::Video, ms * 1_000_000)).unwrap().unwrap().time, 7);
    }
    proptest! {
        #[test]
        fn each_track_only_goes_up(steps in proptest::collection::vec((any::<bool>(), -400i64..2000), 1..60)) {
            let mut m = Mux::default();
            let (mut t, mut last) = (1_000_000i64, [-1i64; 2]);
            for (audio, step) in steps {
                t += step;
                let track = if audio { Track::Audio } else { Track::Video };
                let Ok(out) = m.packet(&packet(track, t * 500_000)) else { break };
                if let Some(o) = out {
                    prop_assert!(i64::from(o.time) > last[usize::from(audio)]);
                    last[usize::from(audio)] = i64::from(o.time);
                }
            }
        }
    }
}
