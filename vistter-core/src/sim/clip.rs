//! The encoded pictures of a test camera: a loop, encoded on a thread in real time a little ahead of the viewers, then
//! kept; or, of a steered camera, [live](super::live) ones.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use super::live::Live;
use super::{TestCameraConfig, picture};
use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{FramePool, VideoParams, h264};
use crate::ports::{Clock, Effort, EncoderBackend, EncoderConfig, VideoEncoder};
use crate::time::{FrameRate, MediaTime};

/// One access unit, length-prefixed, without parameter sets.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) data: Bytes,
    pub(super) keyframe: bool,
}

/// A loop of access units, or live ones.
#[derive(Debug)]
pub(super) struct Clip {
    pub(super) params: VideoParams,
    pub(super) fps: FrameRate,
    frames: u64,
    shared: Arc<Shared>,
    ready: watch::Receiver<u64>,
    live: Option<Live>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    units: Vec<Unit>,
    wanted: u64,
    closed: bool,
    failed: Option<Error>,
}

impl Clip {
    /// Starts to encode the generated picture; stream time began at `start` of `clock`.
    ///
    /// # Errors
    /// What the encoder says to this size and rate.
    pub(super) fn generate(
        config: &TestCameraConfig,
        backend: &dyn EncoderBackend,
        clock: Arc<dyn Clock>,
        start: MediaTime,
    ) -> Result<Self> {
        let encoder = backend.create(&EncoderConfig {
            width: config.width,
            height: config.height,
            fps: config.fps,
            bitrate: config.bitrate,
            gop_frames: config.gop.max(1),
            threads: 1,
            effort: Effort::Low,
        })?;
        let pool = FramePool::new(config.width, config.height, 4)?;
        let params = encoder.params().clone();
        let frames = config.loop_frames();
        let shared = Arc::new(Shared::default());
        let (progress, ready) = watch::channel(0);
        if let Some(steering) = config.steering.clone() {
            let live = Some(Live::start(config, steering, encoder, clock, start)?);
            return Ok(Self { params, fps: config.fps, frames, shared, ready, live });
        }
        let (worker, settings) = (shared.clone(), config.clone());
        std::thread::Builder::new()
            .name(format!("test-camera-{}", config.id))
            .spawn(move || {
                let now = || settings.fps.frame_at(clock.now() - start);
                worker.encode(&settings, encoder, &pool, frames, &progress, &now);
            })
            .map_err(|e| Error::io("start the test camera's encoder", &e))?;
        Ok(Self { params, fps: config.fps, frames, shared, ready, live: None })
    }

    /// A loop from an H.264 byte stream (Annex B) without B-frames.
    ///
    /// # Errors
    /// `Media` without parameter sets and a first keyframe.
    pub(super) fn from_annex_b(data: &[u8], fps: FrameRate) -> Result<Self> {
        let (mut sps, mut pps) = (None, None);
        let mut units: Vec<Unit> = Vec::new();
        let mut open: Option<(BytesMut, bool)> = None;
        let mut close = |open: &mut Option<(BytesMut, bool)>| {
            if let Some((data, keyframe)) = open.take() {
                units.push(Unit { data: data.freeze(), keyframe });
            }
        };
        for nal in h264::annex_b_units(data) {
            match h264::nal_type(nal) {
                h264::nal::SPS => sps = Some(nal),
                h264::nal::PPS => pps = Some(nal),
                h264::nal::AUD => close(&mut open),
                kind @ 1..=5 => {
                    // first_mb_in_slice is ue(v): zero is a single 1 bit (H.264 §7.3.3), and starts a picture.
                    if nal.get(1).is_some_and(|b| b & 0x80 != 0) {
                        close(&mut open);
                    }
                    let (unit, key) = open.get_or_insert_with(|| (BytesMut::new(), false));
                    *key |= kind == h264::nal::IDR;
                    h264::put_avcc(unit, nal);
                }
                _ => {}
            }
        }
        close(&mut open);
        let bad = |what: &str| Error::new(ErrorKind::Media, format!("the test camera's clip has no {what}"));
        let params = h264::video_params(sps.ok_or_else(|| bad("SPS"))?, pps.ok_or_else(|| bad("PPS"))?)?;
        if !units.first().is_some_and(|u| u.keyframe) {
            return Err(bad("keyframe at its start"));
        }
        let frames = units.len() as u64;
        let shared = Arc::new(Shared { state: Mutex::new(State { units, ..State::default() }), wake: Condvar::new() });
        Ok(Self { params, fps, frames, shared, ready: watch::channel(frames).1, live: None })
    }

    /// Frames in the loop; of a live camera, of its sound.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether frame `n` (of an endless count) is a keyframe. Known only for frames that are encoded; the GOP's first
    /// frame is one by construction.
    pub(super) fn keyframe_at_or_after(&self, n: u64, gop: u64) -> u64 {
        let state = self.shared.lock();
        if state.units.len() as u64 == self.frames {
            let len = self.frames;
            return (0..len).map(|k| n + k).find(|k| state.units[(k % len) as usize].keyframe).unwrap_or(n);
        }
        n.div_ceil(gop.max(1)) * gop.max(1)
    }

    /// Waits until frame `n` is encoded; `None` when a live camera left it out.
    ///
    /// # Errors
    /// What the encoder said when it failed.
    pub(super) async fn unit(&self, n: u64) -> Result<Option<Unit>> {
        if let Some(live) = &self.live {
            return live.unit(n).await;
        }
        let index = n % self.frames;
        self.shared.want(index);
        let mut ready = self.ready.clone();
        // A dropped sender means that the thread ended; the state then says what is there.
        let _ = ready.wait_for(|have| *have > index).await;
        let state = self.shared.lock();
        match (state.units.get(index as usize), &state.failed) {
            (Some(u), _) => Ok(Some(u.clone())),
            (None, Some(e)) => Err(e.clone()),
            (None, None) => Err(Error::new(ErrorKind::Internal, "the test camera's encoder ended early")),
        }
    }
}

impl Drop for Clip {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn want(&self, index: u64) {
        let mut state = self.lock();
        if index > state.wanted {
            state.wanted = index;
            self.wake.notify_all();
        }
    }

    fn encode(
        &self,
        config: &TestCameraConfig,
        mut encoder: Box<dyn VideoEncoder>,
        pool: &FramePool,
        frames: u64,
        progress: &watch::Sender<u64>,
        now: &dyn Fn() -> u64,
    ) {
        // Half a second ahead of real time: the first second of a demo is not spent on encoding ten, and a viewer who
        // comes later finds his frame done.
        let lead = (u64::from(config.fps.num()) / u64::from(config.fps.den()) / 2).max(2);
        for n in 0..frames {
            {
                let mut state = self.lock();
                while !state.closed && n > state.wanted.max(now()).saturating_add(lead) {
                    let frame = config.fps.frame_duration().to_duration();
                    state = self.wake.wait_timeout(state, frame).unwrap_or_else(PoisonError::into_inner).0;
                }
                if state.closed {
                    return;
                }
            }
            let frame = picture::paint(config, pool, n);
            let key = n.is_multiple_of(u64::from(config.gop.max(1)));
            let result = encoder.encode(&frame, key);
            let mut state = self.lock();
            match result {
                Ok(p) => state.units.push(Unit { data: strip(&p.data), keyframe: p.keyframe }),
                Err(e) => {
                    state.failed = Some(e);
                    return;
                }
            }
            drop(state);
            progress.send_replace(n + 1);
        }
    }
}

/// Leaves out what goes beside the slices on the wire.
pub(super) fn strip(unit: &Bytes) -> Bytes {
    use h264::nal::{AUD, PPS, SPS};
    let beside = |u: &[u8]| matches!(h264::nal_type(u), SPS | PPS | AUD);
    if !h264::avcc_units(unit).flatten().any(beside) {
        return unit.clone();
    }
    let mut out = BytesMut::with_capacity(unit.len());
    h264::avcc_units(unit).flatten().filter(|u| !beside(u)).for_each(|u| h264::put_avcc(&mut out, u));
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annex_b_is_cut_into_pictures() {
        let sps = hex("6742c01fda014016e8400000fa40003a9823c60ca8");
        let mut data = vec![0, 0, 0, 1];
        data.extend(&sps);
        for nal in [
            &[0x68, 0xce, 0x0f, 0xc8][..],
            &[0x65, 0x88, 1],
            &[0x65, 0x08, 2],
            &[0x41, 0x9a, 3],
            &[9, 0x10],
            &[0x41, 0x80, 4],
        ] {
            data.extend([0, 0, 1]);
            data.extend(nal);
        }
        let c = Clip::from_annex_b(&data, FrameRate::FPS_30).unwrap();
        assert_eq!(c.frames(), 3);
        assert_eq!(c.keyframe_at_or_after(1, 1), 3);
        assert!(Clip::from_annex_b(&data[..20], FrameRate::FPS_30).is_err());
    }
    fn hex(s: &str) -> Vec<u8> {
        (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).unwrap()).collect()
    }
}
