//! The fuzz target of `timing`: see `crate::fuzzing`.

use super::timing::{Alignment, DecodeClock};
use crate::media::Track;
use crate::time::MediaTime;

/// The first byte is the declared reorder depth; then comes one event in each four bytes: what it is and how long it took
/// to arrive, and a step of the track's time in milliseconds, or a huge one.
pub(crate) fn fuzz_timing(data: &[u8]) {
    let Some((&depth, events)) = data.split_first() else { return };
    let (mut clock, mut align) = (DecodeClock::new(depth, MediaTime::from_millis(33)), Alignment::default());
    let mut line = [MediaTime::ZERO; 2];
    let (mut now, mut last, mut given) = (MediaTime::ZERO, None, None);
    for event in events.chunks_exact(4) {
        let &[what, a, b, c] = event else { return };
        let step = i64::from(i32::from_be_bytes([a, b, c, 0]) >> 8);
        let step = if what & 0x80 != 0 { MediaTime::from_nanos(step << 40) } else { MediaTime::from_millis(step) };
        now = now + MediaTime::from_millis(i64::from(what >> 2 & 0x1f) * 4);
        let (track, i) = if what & 1 == 0 { (Track::Video, 0) } else { (Track::Audio, 1) };
        let before = line[i];
        let pts = before + step;
        // Near the ends of 64 bits times saturate and cannot rise.
        let sane = [pts, before].iter().all(|t| t.nanos().unsigned_abs() < 1 << 61);
        if what & 2 != 0 {
            align.report(track, pts, before);
            continue;
        }
        line[i] = pts;
        match track {
            Track::Video => {
                let dts = clock.next(pts, c & 7 == 0);
                let jumped = step > MediaTime::from_secs(3) || step < MediaTime::from_millis(-700);
                assert!(!sane || jumped || last.is_none_or(|l| dts > l), "{dts:?} after {last:?}, shown at {pts:?}");
                last = Some(dts);
                align.video(pts, dts, now);
            }
            Track::Audio => {
                let Some(t) = align.audio(pts, now) else { continue };
                let back = given.filter(|g| t <= *g);
                assert!(!sane || back.is_none_or(|g: MediaTime| g - t >= MediaTime::from_secs(3)), "{t:?}, {given:?}");
                given = Some(t);
            }
        }
    }
}
