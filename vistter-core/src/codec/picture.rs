//! Pictures out of decoder memory into pooled frames.

use super::gate::View;
use crate::error::{Error, ErrorKind, Result};
use crate::media::{ColorRange, Frame, FrameBuf, FramePool};
use crate::time::MediaTime;

/// Pictures kept for reuse: what reordering, the newest-frame slot and a transition hold, with room to spare.
const KEEP: usize = 24;

/// The largest coded picture that is decoded, twice 2160p. A damaged parameter set
/// must not make a decoder allocate gigabytes.
const MAX_SAMPLES: u64 = 1 << 24;

/// Refuses pictures that are too large to decode.
pub(super) fn check_size(width: u64, height: u64) -> Result<()> {
    if width.saturating_mul(height) > MAX_SAMPLES || width > 8192 || height > 8192 {
        return Err(Error::new(ErrorKind::Unsupported, format!("a picture of {width}x{height} pixels"))
            .next("choose a smaller profile on the camera"));
    }
    Ok(())
}

/// The pool of one decoder; follows the picture size.
#[derive(Default)]
pub(super) struct Pictures {
    pool: Option<FramePool>,
    range: ColorRange,
}

impl Pictures {
    pub(super) fn configure(&mut self, range: ColorRange) {
        self.range = range;
    }

    /// A writable picture of this size, its range set.
    pub(super) fn take(&mut self, width: usize, height: usize) -> Result<FrameBuf> {
        let size = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
        if self.pool.as_ref().is_none_or(|p| p.size() != size) {
            self.pool = Some(FramePool::new(size.0, size.1, KEEP)?);
        }
        let pool = self.pool.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "no pool"))?;
        let mut buf = pool.take();
        buf.set_range(self.range);
        Ok(buf)
    }

    /// Copies the visible part of a 4:2:0 picture.
    pub(super) fn copy(&mut self, planes: [(&[u8], usize); 3], view: View, pts: MediaTime) -> Result<Frame> {
        let mut buf = self.take(view.width, view.height)?;
        for (i, (mut to, (data, stride))) in buf.planes_mut().into_iter().zip(planes).enumerate() {
            let (left, top) = if i == 0 { (view.left, view.top) } else { (view.left / 2, view.top / 2) };
            for y in 0..to.height {
                let from = (y + top).saturating_mul(stride).saturating_add(left);
                let row = to.row_mut(y);
                let src = data
                    .get(from..from + row.len())
                    .ok_or_else(|| Error::new(ErrorKind::Media, "a decoded picture is smaller than it says"))?;
                row.copy_from_slice(src);
            }
        }
        buf.set_pts(pts);
        Ok(buf.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_and_refuses_short_planes() {
        let mut p = Pictures::default();
        p.configure(ColorRange::Full);
        let y: Vec<u8> = (0..48).collect();
        let c = [7u8; 12];
        let f = p
            .copy([(&y, 8), (&c, 4), (&c, 4)], View { left: 2, top: 2, width: 6, height: 4 }, MediaTime::SECOND)
            .unwrap();
        assert_eq!((f.size(), f.range(), f.pts()), ((6, 4), ColorRange::Full, MediaTime::SECOND));
        assert_eq!(f.plane(0).row(0), [18, 19, 20, 21, 22, 23]);
        let short =
            p.copy([(&y[..40], 8), (&c, 4), (&c, 4)], View { left: 0, top: 0, width: 8, height: 6 }, MediaTime::ZERO);
        assert_eq!(short.unwrap_err().kind(), ErrorKind::Media);
    }
}
