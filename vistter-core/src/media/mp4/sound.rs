//! The sound track of a video file: which packets there are, and what of them is heard when.

use std::ops::Range;

use super::track::{Edit, Trak};
use super::{MAX_SECONDS, Sample, playback};
use crate::error::{Error, ErrorKind, Result};
use crate::media::AudioParams;

/// Samples in a packet of AAC-LC (ISO/IEC 14496-3 §4.5.2).
pub(crate) const PACKET: i64 = 1024;

/// The sound of a video file. Its times are samples of its own rate, counted from where its first picture is shown; those
/// before it are negative.
#[derive(Clone, Debug)]
pub struct SoundTrack {
    params: AudioParams,
    packets: Vec<SoundPacket>,
    heard: Range<i64>,
}

#[derive(Clone, Copy, Debug)]
struct SoundPacket {
    offset: u64,
    size: u32,
    begin: i64,
}

impl SoundTrack {
    /// `video`: its edit, and ticks between the edit's start and where it begins; ticks a second of it and of the file.
    pub(super) fn new(t: Trak<AudioParams>, video: (Edit, i64), scales: (u32, u32), length: u64) -> Result<Self> {
        let rate = t.entry.sample_rate;
        let samples = |ticks: i128, scale: u32| {
            let n = ticks.saturating_mul(i128::from(rate)) + i128::from(scale / 2);
            i64::try_from(n.div_euclid(i128::from(scale.max(1)))).unwrap_or(i64::MAX)
        };
        let (wait, late) = (i128::from(t.edit.wait), video.1);
        let apart = samples(wait - i128::from(video.0.wait), scales.1).saturating_sub(samples(late.into(), scales.0));
        let start = samples(t.edit.start.unwrap_or(0).into(), t.timescale);
        // what of the track's own time is at the first picture
        let zero = start.saturating_sub(apart);
        let mut packets: Vec<SoundPacket> = Vec::with_capacity(t.samples.len());
        let mut end = 0;
        for Sample { offset, size, decode, duration, .. } in &t.samples {
            if offset.saturating_add(u64::from(*size)) > length {
                return Err(Error::new(ErrorKind::Media, "the file is cut off: sound that it names is not in it")
                    .next("copy or export the clip again"));
            }
            let told = samples((*decode).into(), t.timescale).saturating_sub(zero);
            if told.unsigned_abs() / u64::from(rate.max(1)) >= MAX_SECONDS.unsigned_abs() {
                return Err(Error::new(
                    ErrorKind::Media,
                    "the times of the sound are damaged: it would last for months",
                )
                .next("export the clip again"));
            }
            // Times are rounded; only what is further off is meant so.
            let begin = match packets.last().map(|p| p.begin.saturating_add(PACKET)) {
                Some(next) if told < next.saturating_add(PACKET / 2) => next,
                _ => told,
            };
            end = begin.saturating_add(samples((*duration).into(), t.timescale).clamp(0, PACKET));
            packets.push(SoundPacket { offset: *offset, size: *size, begin });
        }
        let from = start.saturating_sub(zero);
        // Edits count in coarse ticks.
        let coarse = samples(1, scales.1);
        let cut = t.edit.length.map(|n| from.saturating_add(samples(n.into(), t.timescale)).saturating_add(coarse));
        let heard = from..cut.map_or(end, |cut| cut.min(end));
        if packets.is_empty() || heard.is_empty() {
            return Err(Error::new(ErrorKind::Media, "the sound track of the video is empty")
                .next("export the clip without it, or again"));
        }
        Ok(Self { params: t.entry, packets, heard })
    }

    /// How it is coded: AAC-LC, one or two channels.
    pub fn params(&self) -> &AudioParams {
        &self.params
    }
    /// How many packets there are. All have 1024 samples.
    pub fn packets(&self) -> usize {
        self.packets.len()
    }
    /// What is heard of it; beyond is silence.
    pub fn heard(&self) -> Range<i64> {
        self.heard.clone()
    }
    /// The first sample of a packet, once it is decoded.
    pub fn begin_of(&self, packet: usize) -> Option<i64> {
        self.packets.get(packet).map(|p| p.begin)
    }
    /// The last packet that begins no later than a sample; the first one for those before it.
    pub fn packet_at(&self, sample: i64) -> usize {
        self.packets.partition_point(|p| p.begin <= sample).saturating_sub(1)
    }
    /// Where a packet lies in the file, its length, its time.
    pub(super) fn place(&self, packet: usize) -> Option<(u64, usize, i64)> {
        let p = self.packets.get(packet)?;
        Some((p.offset, p.size as usize, playback::nanos(p.begin, self.params.sample_rate)))
    }
}
