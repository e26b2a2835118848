//! What a publish has brought so far.

use vistter_core::media::{AudioParams, Bitrate, Packet, StreamParams, Track, VideoParams};
use vistter_core::time::MediaTime;

/// Rates are measured over windows of this length, by arrival.
const WINDOW: MediaTime = MediaTime::SECOND;

/// Counters of one publish.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Payload bytes, audio and video.
    pub bytes: u64,
    /// Video access units.
    pub video_frames: u64,
    /// Audio frames.
    pub audio_frames: u64,
    /// Of the last full second, by arrival.
    pub bitrate: Bitrate,
    /// Video frames per second of the last full second, by arrival.
    pub fps: f32,
    /// How much of the stream has come, by its own timestamps.
    pub duration: MediaTime,
    /// The most time between two keyframes, by the stream's timestamps.
    pub longest_gop: MediaTime,
    /// Tags that were damaged or of another codec.
    pub faults: u64,
    /// Video, once its configuration has come.
    pub video: Option<VideoParams>,
    /// Audio, once its configuration has come.
    pub audio: Option<AudioParams>,
}

/// Keeps [`StreamStats`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub stats: StreamStats,
    window_start: Option<MediaTime>,
    window_bytes: u64,
    window_frames: u32,
    first: Option<MediaTime>,
    last_keyframe: Option<MediaTime>,
}

impl Meter {
    pub(crate) fn params(&mut self, p: &StreamParams) {
        self.stats.video = p.video.clone();
        self.stats.audio = p.audio.clone();
    }
    pub(crate) fn fault(&mut self) {
        self.stats.faults = self.stats.faults.saturating_add(1);
    }
    pub(crate) fn packet(&mut self, now: MediaTime, p: &Packet) {
        self.roll(now);
        let n = p.data.len() as u64;
        self.stats.bytes = self.stats.bytes.saturating_add(n);
        self.window_bytes = self.window_bytes.saturating_add(n);
        let first = *self.first.get_or_insert(p.dts);
        self.stats.duration = self.stats.duration.max(p.dts - first + p.duration);
        if p.track == Track::Audio {
            self.stats.audio_frames += 1;
            return;
        }
        self.stats.video_frames += 1;
        self.window_frames = self.window_frames.saturating_add(1);
        if p.keyframe
            && let Some(k) = self.last_keyframe.replace(p.dts)
        {
            self.stats.longest_gop = self.stats.longest_gop.max(p.dts - k);
        }
    }
    /// Closes the window when it is full; call it before reading too, so that silence shows as zero.
    pub(crate) fn roll(&mut self, now: MediaTime) {
        let start = *self.window_start.get_or_insert(now);
        let length = now - start;
        if length < WINDOW {
            return;
        }
        let secs = length.as_secs_f64();
        let bps = (self.window_bytes as f64 * 8.0 / secs).min(f64::from(u32::MAX));
        self.stats.bitrate = Bitrate::from_bps(bps as u32);
        self.stats.fps = (f64::from(self.window_frames) / secs) as f32;
        (self.window_start, self.window_bytes, self.window_frames) = (Some(now), 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn rates_come_from_arrival_and_silence_shows() {
        let mut m = Meter::default();
        for i in 0..30 {
            let t = MediaTime::from_millis(i * 33);
            let data = Bytes::from(vec![0; 1000]);
            let p =
                Packet { track: Track::Video, data, pts: t, dts: t, duration: MediaTime::ZERO, keyframe: i % 15 == 0 };
            m.packet(t, &p);
        }
        m.roll(MediaTime::from_secs(1));
        assert_eq!((m.stats.fps, m.stats.bitrate.kbps()), (30.0, 240));
        assert_eq!(m.stats.longest_gop, MediaTime::from_millis(495));
        m.roll(MediaTime::from_secs(3));
        assert_eq!((m.stats.fps, m.stats.bitrate.bps()), (0.0, 0));
    }
}
