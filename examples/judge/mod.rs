//! Reads from the program's pixels which preset of which camera is on air, and whether the camera stood there. The pictures
//! come from steered test cameras, which write into them where they look.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // the example and the tests use their own parts

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vistter::Result;
use vistter::core::NullEncoder;
use vistter::core::media::{Bitrate, Frame, Packet, VideoParams};
use vistter::core::ports::{EncoderBackend, EncoderCaps, EncoderConfig, PtzPosition, VideoEncoder};
use vistter::core::sim::barcode::{read_mark, read_view};

/// A picture of the program: which camera, and where it looked. `None`: neither could be read.
pub type Seen = Option<(u8, PtzPosition)>;

/// An encoder that reads every picture of the program, and gives empty packets.
#[derive(Clone, Default)]
pub struct Judge(Arc<Mutex<Vec<Seen>>>);

impl Judge {
    pub fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EncoderBackend for Judge {
    fn name(&self) -> &'static str {
        "judge"
    }
    fn probe(&self) -> Result<EncoderCaps> {
        Ok(EncoderCaps { hardware: false, max_size: (4096, 4096), notes: Vec::new() })
    }
    fn create(&self, config: &EncoderConfig) -> Result<Box<dyn VideoEncoder>> {
        Ok(Box::new(Reader { inner: NullEncoder::new(config), judge: self.clone() }))
    }
}

struct Reader {
    inner: NullEncoder,
    judge: Judge,
}

impl VideoEncoder for Reader {
    fn params(&self) -> &VideoParams {
        self.inner.params()
    }
    fn encode(&mut self, frame: &Frame, force_idr: bool) -> Result<Packet> {
        self.judge.seen().push(read_mark(frame).zip(read_view(frame)).map(|(m, at)| (m.camera, at)));
        self.inner.encode(frame, force_idr)
    }
    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<()> {
        self.inner.set_bitrate(bitrate)
    }
    fn name(&self) -> &'static str {
        "judge"
    }
}

/// One camera on air, from a cut to the next.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The picture after the cut, counted from the first of the show.
    pub at: usize,
    pub pictures: usize,
    pub camera: u8,
    /// Where it looked at the cut.
    pub view: PtzPosition,
    /// It looked elsewhere later in the shot.
    pub moved: bool,
}

/// Whether two places are the same: the pictures tell them in steps of about 0.002.
pub fn same(a: &PtzPosition, b: &PtzPosition) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() < 0.005;
    near(a.pan, b.pan) && near(a.tilt, b.tilt) && near(a.zoom, b.zoom)
}

/// The shots of a program, by its pixels. A shot begins where the camera changes.
pub fn shots(seen: &[Seen]) -> Vec<Shown> {
    let mut shots: Vec<Shown> = Vec::new();
    let mut last = None;
    for (at, seen) in seen.iter().enumerate() {
        match (seen, shots.last_mut()) {
            (Some((camera, view)), Some(shot)) if last == Some(*camera) => {
                shot.pictures += 1;
                shot.moved |= !same(&shot.view, view);
            }
            (Some((camera, view)), _) => {
                shots.push(Shown { at, pictures: 1, camera: *camera, view: *view, moved: false });
            }
            (None, _) => {}
        }
        last = seen.map(|(camera, _)| camera);
    }
    shots
}
