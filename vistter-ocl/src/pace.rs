//! How tickers run: evenly, in whole pixels.

/// Even motion: `pixels` further every `frames` frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) pixels: u64,
    pub(crate) frames: u64,
}

impl Pace {
    /// The even pace nearest to a speed in pixels per frame: whole pixels each frame, or one pixel each n frames. A
    /// pace between would move by different steps from frame to frame, which the eye sees as stutter.
    pub(crate) fn nearest(speed: f64) -> Self {
        if speed >= 1.0 {
            Self { pixels: speed.round() as u64, frames: 1 }
        } else {
            Self { pixels: 1, frames: (1.0 / speed.max(1e-6)).round() as u64 }
        }
    }
    /// Pixels travelled after a number of frames.
    pub(crate) fn travelled(self, frames: u64) -> u64 {
        (frames / self.frames.max(1)).saturating_mul(self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_pace() {
        assert_eq!(Pace::nearest(4.004), Pace { pixels: 4, frames: 1 });
        assert_eq!(Pace::nearest(0.34), Pace { pixels: 1, frames: 3 });
        assert_eq!(Pace::nearest(0.9).travelled(10), 10);
    }
}
