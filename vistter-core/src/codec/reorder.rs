//! Pictures from decode order into presentation order, by picture order count (H.264 §8.2.1), with the least delay.

use crate::media::Frame;

/// After this many pictures in a row from before the last one shown, the count must have been reset (memory management
/// control operation 5) and the order starts over.
const MAX_LATE: u32 = 3;

/// Holds pictures back until their turn; never more than its depth.
pub(super) struct Reorder {
    held: Vec<(i32, Frame)>,
    depth: usize,
    /// Count of the last picture given out.
    last: Option<i32>,
    /// Distance of neighbours: 2 where a frame has two fields' worth of count, 1 where an encoder counts frames.
    step: i32,
    late: u32,
}

impl Reorder {
    /// `depth`: as many pictures as the stream may reorder; 0 passes everything straight through.
    pub(super) fn new(depth: u8) -> Self {
        let depth = usize::from(depth.min(16));
        Self { held: Vec::with_capacity(depth + 1), depth, last: None, step: 2, late: 0 }
    }

    /// Changes the depth, for a stream that changed at a keyframe.
    pub(super) fn set_depth(&mut self, depth: u8, out: &mut dyn FnMut(Frame)) {
        if self.depth != usize::from(depth.min(16)) {
            self.flush(out);
            *self = Self::new(depth);
        }
    }

    /// Takes the next picture in decode order. `idr`: it starts a new count.
    pub(super) fn push(&mut self, idr: bool, poc: i32, frame: Frame, out: &mut dyn FnMut(Frame)) {
        if self.depth == 0 {
            return out(frame);
        }
        if idr {
            self.flush(out);
        }
        if poc & 1 == 1 {
            self.step = 1;
        }
        if self.last.is_some_and(|last| poc <= last) {
            self.late += 1;
            if self.late <= MAX_LATE {
                // Its turn is over; time never goes back.
                return;
            }
            self.flush(out);
        }
        self.late = 0;
        let at = self.held.partition_point(|(p, _)| *p < poc);
        self.held.insert(at, (poc, frame));
        while let Some((poc, _)) = self.held.first() {
            // The next count in line is due now, however deep the stream might reorder: a stream without B-frames
            // gets no delay at all, and one with them only what it needs.
            let next_in_line = self.last.is_none_or(|last| poc.saturating_sub(last) <= self.step);
            if !next_in_line && self.held.len() <= self.depth {
                break;
            }
            let (poc, frame) = self.held.remove(0);
            self.last = Some(poc);
            out(frame);
        }
    }

    /// Gives out everything, in order; the next picture starts a new count.
    pub(super) fn flush(&mut self, out: &mut dyn FnMut(Frame)) {
        self.held.drain(..).for_each(|(_, f)| out(f));
        self.last = None;
        self.late = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;
    use crate::time::MediaTime;

    fn run(depth: u8, pocs: &[(bool, i32)]) -> Vec<Vec<i64>> {
        let pool = FramePool::new(2, 2, 1).unwrap();
        let mut r = Reorder::new(depth);
        let mut all = Vec::new();
        for (idr, poc) in pocs {
            let mut f = pool.take();
            f.set_pts(MediaTime::from_nanos(i64::from(*poc)));
            let mut now = Vec::new();
            r.push(*idr, *poc, f.freeze(), &mut |f| now.push(f.pts().nanos()));
            all.push(now);
        }
        let mut rest = Vec::new();
        r.flush(&mut |f| rest.push(f.pts().nanos()));
        all.push(rest);
        all
    }

    #[test]
    fn no_b_frames_no_delay() {
        assert_eq!(run(4, &[(true, 0), (false, 2), (false, 4)]), [vec![0], vec![2], vec![4], vec![]]);
        assert_eq!(run(0, &[(true, 0), (false, 6), (false, 2)]), [vec![0], vec![6], vec![2], vec![]]);
    }
    #[test]
    fn b_frames_come_as_soon_as_their_turn_is_known() {
        let got = run(2, &[(true, 0), (false, 6), (false, 2), (false, 4), (true, 0)]);
        assert_eq!(got, [vec![0], vec![], vec![2], vec![4, 6], vec![0], vec![]]);
        // Pyramid: 0, 8, 4, 2, 6.
        let got = run(2, &[(true, 0), (false, 8), (false, 4), (false, 2), (false, 6)]);
        assert_eq!(got, [vec![0], vec![], vec![], vec![2, 4], vec![6, 8], vec![]]);
    }
    #[test]
    fn a_lost_picture_delays_by_the_depth_only() {
        let got = run(2, &[(true, 0), (false, 8), (false, 6), (false, 14), (false, 12)]);
        assert_eq!(got, [vec![0], vec![], vec![], vec![6, 8], vec![], vec![12, 14]]);
    }
    #[test]
    fn late_pictures_are_dropped_and_a_reset_is_noticed() {
        assert_eq!(run(1, &[(true, 0), (false, 2), (false, 1)]), [vec![0], vec![2], vec![], vec![]]);
        let pocs = [(true, 0), (false, 2), (false, 0), (false, 2), (false, -4), (false, -2), (false, 0)];
        assert_eq!(run(2, &pocs).concat(), [0, 2, -2, 0]);
    }
}
