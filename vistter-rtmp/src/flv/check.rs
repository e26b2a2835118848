//! Our own check of an FLV recording. FFmpeg and flvmeta see a wrong PreviousTagSize and timestamps that go back; nobody
//! sees a wrong keyframe flag or a missing AAC header, so our writers are held against this.

use vistter_core::Result;
use vistter_core::media::{Packet, Track, h264};
use vistter_core::time::MediaTime;

use super::demux::{Demuxer, MediaEvent};
use super::file::{FlvReader, TagKind};

/// What a recording holds and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FlvReport {
    /// Video access units.
    pub video_frames: u64,
    /// Of them, keyframes.
    pub keyframes: u64,
    /// AAC frames.
    pub audio_frames: u64,
    /// Decode time of the first and the last video frame.
    pub video_span: Option<(MediaTime, MediaTime)>,
    /// Time of the first and the last audio frame.
    pub audio_span: Option<(MediaTime, MediaTime)>,
    /// The most time from one keyframe to the next.
    pub longest_gop: MediaTime,
    /// Whether onMetaData came before the media.
    pub metadata: bool,
    /// The first faults found, at most 32.
    pub faults: Vec<String>,
}

impl FlvReport {
    fn fault(&mut self, what: String) {
        if self.faults.len() < 32 {
            self.faults.push(what);
        }
    }
}

/// Checks a whole FLV file.
///
/// # Errors
/// `Media` where the file format itself is broken.
pub fn check(file: &[u8]) -> Result<FlvReport> {
    let (mut reader, mut demuxer, mut r) = (FlvReader::new(usize::MAX), Demuxer::new(), FlvReport::default());
    let mut last_keyframe: Option<MediaTime> = None;
    reader.feed(file);
    while let Some(tag) = reader.next_tag()? {
        if tag.kind == TagKind::Script && r.video_frames + r.audio_frames == 0 {
            r.metadata = true;
        }
        match demuxer.handle(tag.kind, tag.time_ms, &tag.body) {
            Err(e) => r.fault(format!("at {} ms: {}", tag.time_ms, e.what())),
            Ok(Some(MediaEvent::Packet(p))) => packet(&mut r, &p, &mut last_keyframe),
            Ok(_) => {}
        }
    }
    if !reader.at_end() {
        r.fault("the file ends inside a tag".into());
    }
    Ok(r)
}

fn packet(r: &mut FlvReport, p: &Packet, last_keyframe: &mut Option<MediaTime>) {
    let span = if p.track == Track::Video { &mut r.video_span } else { &mut r.audio_span };
    let back = span.filter(|(_, last)| p.dts <= *last);
    *span = Some((span.map_or(p.dts, |(first, _)| first), p.dts));
    if let Some((_, last)) = back {
        r.fault(format!("{:?} time goes from {last} to {}", p.track, p.dts));
    }
    if p.track == Track::Audio {
        r.audio_frames += 1;
        return;
    }
    if p.pts < p.dts {
        r.fault(format!("a frame is shown at {} and decoded at {}", p.pts, p.dts));
    }
    if h264::avcc_units(&p.data).any(|u| u.is_err()) {
        r.fault(format!("a frame at {} ends inside a NAL unit", p.dts));
    }
    if h264::has_idr(&p.data) != p.keyframe {
        r.fault(format!("a frame at {} is marked keyframe: {}, which it is not", p.dts, p.keyframe));
    }
    if r.video_frames == 0 && !p.keyframe {
        r.fault("the first frame is no keyframe".into());
    }
    r.video_frames += 1;
    if p.keyframe {
        r.keyframes += 1;
        if let Some(k) = last_keyframe.replace(p.dts) {
            r.longest_gop = r.longest_gop.max(p.dts - k);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::body;
    use super::super::file::{FlvTag, FlvWriter};
    use super::*;
    use bytes::{Bytes, BytesMut};

    fn file(tags: &[(TagKind, u32, Bytes)]) -> Vec<u8> {
        let (mut w, mut out) = (FlvWriter::new(), BytesMut::new());
        w.header(true, true, &mut out);
        for (kind, time_ms, body) in tags {
            w.tag(&FlvTag { kind: *kind, time_ms: *time_ms, body: body.clone() }, &mut out).unwrap();
        }
        out.to_vec()
    }
    #[test]
    fn faults_that_nobody_else_sees() {
        let header: Bytes = vec![0xaf, 0, 0x11, 0x90].into();
        let good = file(&[(TagKind::Audio, 0, header.clone()), (TagKind::Audio, 0, body::audio(&[1]))]);
        assert_eq!(check(&good).unwrap().faults, Vec::<String>::new());
        let headless = file(&[(TagKind::Audio, 0, body::audio(&[1]))]);
        assert!(check(&headless).unwrap().faults[0].contains("before the AAC"));
        let back = file(&[
            (TagKind::Audio, 0, header),
            (TagKind::Audio, 5, body::audio(&[1])),
            (TagKind::Audio, 5, body::audio(&[1])),
        ]);
        assert!(check(&back).unwrap().faults[0].contains("time goes"));
        assert!(check(&good[..good.len() - 1]).unwrap().faults[0].contains("ends inside"));
    }
}
