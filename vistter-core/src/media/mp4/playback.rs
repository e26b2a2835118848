//! Which picture of a video is shown at a time.

use super::VideoFile;
use crate::media::PROGRAM_SAMPLE_RATE;
use crate::time::MediaTime;

/// Times of two clocks that are rounded to nanoseconds meet within this many of them.
const SLACK: i128 = 500;
const SECOND: i128 = 1_000_000_000;

/// How a video is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Playback {
    /// What is left out at its beginning. Less than its length.
    pub start: MediaTime,
    /// How often it is played; 0 is without end.
    pub plays: u32,
}

/// A picture of a video that is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Played {
    /// How often the video has been played before.
    pub round: u64,
    /// Which picture of it.
    pub picture: usize,
}

/// What is heard of a video that is played, in samples of the program (48 kHz).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Since this play began.
    pub since: i64,
    /// Counted from where the file's first picture is shown: what is left out at its beginning counts too.
    pub from: i64,
    /// Samples up to the end of this play.
    pub left: i64,
    /// It has been played before.
    pub again: bool,
}

/// Ticks as nanoseconds, rounded down.
pub(super) fn nanos(ticks: i64, timescale: u32) -> i64 {
    let n = (i128::from(ticks) * SECOND).div_euclid(i128::from(timescale.max(1)));
    i64::try_from(n).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}

impl VideoFile {
    /// The picture at a time after playing began: the last one that begins no later. After the last play its last picture
    /// stays.
    pub fn played(&self, elapsed: MediaTime, how: Playback) -> Played {
        let (start, length) = self.part(how);
        // in parts of a tick, of which a second has `timescale · 10⁹`
        let scale = i128::from(self.timescale);
        let at = (i128::from(elapsed.nanos().max(0)) + SLACK) * scale;
        let round = at / (length * SECOND);
        if how.plays > 0 && round >= i128::from(how.plays) {
            let (round, picture) = (u64::from(how.plays - 1), self.shown.len().saturating_sub(1));
            return Played { round, picture };
        }
        let inside = at % (length * SECOND) + start * SECOND;
        let before = self.shown.partition_point(|(show, _)| i128::from(*show) * SECOND <= inside);
        Played { round: u64::try_from(round).unwrap_or(u64::MAX), picture: before.saturating_sub(1) }
    }

    /// When another picture comes, after a time; none when the last one stays.
    pub fn next_picture(&self, elapsed: MediaTime, how: Playback) -> Option<MediaTime> {
        let now = self.played(elapsed, how);
        let (start, length) = self.part(how);
        let last = how.plays > 0 && now.round + 1 >= u64::from(how.plays);
        let scale = i128::from(self.timescale);
        let begins = match self.shown.get(now.picture + 1) {
            Some((show, _)) => i128::from(*show) - start,
            None if last => return None,
            None => length,
        };
        let ticks = i128::from(now.round) * length + begins;
        // rounded up: at the time that is told the picture is there
        let nanos = (ticks * SECOND + scale - 1) / scale - SLACK;
        // pictures shorter than a microsecond are passed over
        i64::try_from(nanos).ok().map(|n| MediaTime::from_nanos(n.max(elapsed.nanos().saturating_add(1))))
    }

    /// The first picture of each play.
    pub fn first_picture(&self, how: Playback) -> usize {
        self.played(MediaTime::ZERO, Playback { plays: 0, ..how }).picture
    }

    /// What is heard so many samples after playing began; none before that, and after the last play. The end of one play is
    /// the beginning of the next, to the sample.
    pub fn heard(&self, position: i64, how: Playback) -> Option<Heard> {
        let (start, length) = self.part(how);
        let (rate, scale) = (i128::from(PROGRAM_SAMPLE_RATE), i128::from(self.timescale));
        let at = i128::from(u64::try_from(position).ok()?);
        let round = at * scale / (length * rate);
        if how.plays > 0 && round >= i128::from(how.plays) {
            return None;
        }
        // the first sample that is not before it
        let begin = |round: i128| (round * length * rate + scale - 1) / scale;
        let since = at - begin(round);
        let from = start * rate / scale + since;
        let left = begin(round + 1) - at;
        let most = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
        Some(Heard { since: most(since), from: most(from), left: most(left), again: round > 0 })
    }

    /// The first sample after the last play; none when it is played without end.
    pub fn silent_from(&self, how: Playback) -> Option<i64> {
        let (_, length) = self.part(how);
        let end = i128::from(how.plays) * length * i128::from(PROGRAM_SAMPLE_RATE);
        let end = (end + i128::from(self.timescale) - 1) / i128::from(self.timescale.max(1));
        (how.plays > 0).then(|| i64::try_from(end).unwrap_or(i64::MAX))
    }

    /// Ticks at which each play begins, and how many it has.
    fn part(&self, how: Playback) -> (i128, i128) {
        let end = i128::from(self.end.max(1));
        let start = i128::from(how.start.nanos().max(0)) * i128::from(self.timescale) / SECOND;
        let start = start.min(end - 1);
        (start, end - start)
    }
}
