//! A feed's small pictures, for whoever has to see whether the camera moves. The camera is decoded only while an eye is open.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::driver::Shared;
use crate::lock::lock;
use crate::media::Plane;
use crate::ports::{Eye, Glimpse};
use crate::time::MediaTime;

/// Pixels of a glimpse.
const SIZE: (usize, usize) = (64, 36);
/// Samples per side of each of them: enough against noise, and few enough to cost nothing.
const SAMPLES: usize = 4;

/// The eye of a feed.
pub(super) struct FeedEye(pub(super) Arc<Shared>);

impl Eye for FeedEye {
    fn open(&self, yes: bool) {
        let step = |n: usize| if yes { n.checked_add(1) } else { n.checked_sub(1) };
        let _ = self.0.watchers.fetch_update(Ordering::AcqRel, Ordering::Acquire, step); // closed more often than opened
        self.0.wake_decoder();
    }
    fn look(&self, after: Option<MediaTime>) -> Option<Glimpse> {
        let (at, frame) = lock(&self.0.slot).newest_picture()?;
        if after.is_some_and(|t| at <= t) {
            return None;
        }
        Some(Glimpse { at, width: SIZE.0, luma: shrink(&frame.plane(0)) })
    }
}

/// Mean luma of each part of the picture.
fn shrink(p: &Plane<'_>) -> Vec<u8> {
    let place = |i: usize, parts: usize, k: usize, size: usize| (i * SAMPLES + k) * size / (parts * SAMPLES);
    let mut out = Vec::with_capacity(SIZE.0 * SIZE.1);
    for y in 0..SIZE.1 {
        for x in 0..SIZE.0 {
            let mut sum = 0;
            for j in 0..SAMPLES {
                let row = p.row(place(y, SIZE.1, j, p.height));
                sum += (0..SAMPLES).map(|i| usize::from(row[place(x, SIZE.0, i, p.width)])).sum::<usize>();
            }
            out.push((sum / (SAMPLES * SAMPLES)) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FramePool;

    #[test]
    fn a_glimpse_is_the_picture_in_small() {
        for size in [(1280, 720), (64, 36), (32, 18), (352, 288)] {
            let mut f = FramePool::new(size.0, size.1, 1).unwrap().take();
            f.fill([100, 128, 128]);
            let p = &mut f.planes_mut()[0];
            for y in 0..p.height / 2 {
                p.row_mut(y).fill(20);
            }
            let small = shrink(&f.freeze().plane(0));
            assert_eq!(small.len(), 64 * 36);
            assert!(
                small[..64 * 17].iter().all(|v| *v == 20) && small[64 * 19..].iter().all(|v| *v == 100),
                "{size:?}"
            );
        }
    }
}
