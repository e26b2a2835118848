//! The software encoder: High profile with CABAC, constant bitrate, closed GOPs of exact length, no reordering.

use std::thread::available_parallelism;

use bytes::BytesMut;
use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CM_BT709, CONSTANT_ID, CP_BT709, HIGH_COMPLEXITY, LEVEL_UNKNOWN, LOW_COMPLEXITY, PRO_HIGH,
    RC_BITRATE_MODE, SEncParamExt, SM_FIXEDSLCNUM_SLICE, SM_SINGLE_SLICE, TRC_BT709, VF_UNDEF,
};

use super::ffi::{self, Coded, RawEncoder};
use crate::codec::sps;
use crate::error::{Error, ErrorKind, Result};
use crate::media::h264::{self, nal, nal_type, put_avcc};
use crate::media::{Bitrate, Frame, Packet, Track, VideoParams};
use crate::ports::{Effort, EncoderBackend, EncoderCaps, EncoderConfig, VideoEncoder};

/// The largest picture openh264 takes: level 5.2, 36,864 macroblocks.
const MAX_SIZE: (u32, u32) = (3840, 2160);
/// The highest frame rate its rate control knows.
const MAX_FPS: u32 = 60;
/// Its smallest picture.
const MIN_SIDE: u32 = 16;
/// Macroblocks a second that one thread is trusted with: 1080p30 is 244,800 and takes two thirds of a slow x86 core.
/// A second slice is not free: the library then sets the quantiser by picture and no longer by row, which cost 0.85 dB
/// and a fifth more in the largest second (`docs/decisions/0005-openh264-encoder.md`). So there are slices only where one
/// core would be too slow.
const PACE: u64 =
    if cfg!(all(any(target_arch = "x86_64", target_arch = "x86"), not(vistter_no_nasm))) { 250_000 } else { 110_000 };
/// Fewer macroblocks in a slice than this are not worth a thread, even where it is asked for.
const MACROBLOCKS_PER_THREAD: u32 = 400;
/// More slices cost more bits than they give speed.
const MAX_THREADS: u32 = 4;
/// A keyframe's share of bits, in percent of an average picture. The library's 400 makes pictures coarser at each
/// keyframe: visible as a pulse every GOP.
const KEYFRAME_PERCENT: i32 = 700;
/// The finest quantiser that its rate control accepts.
const MIN_QP: i32 = 12;
/// The coarsest: the bitrate holds even on noise.
const MAX_QP: i32 = 51;

/// Makes [`Openh264Encoder`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct Openh264Backend;

impl EncoderBackend for Openh264Backend {
    fn name(&self) -> &'static str {
        "openh264"
    }
    fn probe(&self) -> Result<EncoderCaps> {
        let mut notes = vec![format!("software, version {}", ffi::version())];
        notes.extend(crate::codec::build_notes());
        Ok(EncoderCaps { hardware: false, max_size: MAX_SIZE, notes })
    }
    fn create(&self, config: &EncoderConfig) -> Result<Box<dyn VideoEncoder>> {
        Ok(Box::new(Openh264Encoder::new(config)?))
    }
}

/// An openh264 encoder.
///
/// In the steady state it allocates the bytes of each packet and nothing else: the frame's own strides go to the
/// library, which copies the picture into its reference layout.
pub struct Openh264Encoder {
    raw: Option<RawEncoder>,
    config: EncoderConfig,
    params: VideoParams,
    /// Pictures since the last keyframe, that one included; 0 before the first.
    since_key: u32,
    index: u64,
}

impl Openh264Encoder {
    /// Starts an encoder.
    ///
    /// # Errors
    /// `Config` for a size, rate or bitrate it cannot do, `Codec` when the library refuses.
    pub fn new(config: &EncoderConfig) -> Result<Self> {
        check(config)?;
        let mut raw = start(config)?;
        let (sps, pps) = sets(&mut raw)?;
        let params = h264::video_params(&sps::with_timing(&sps, config.fps)?, &pps)?;
        Ok(Self { raw: Some(raw), config: config.clone(), params, since_key: 0, index: 0 })
    }

    /// Slices and threads in use.
    pub fn threads(&self) -> u32 {
        threads(&self.config)
    }

    fn raw(&mut self) -> Result<&mut RawEncoder> {
        if self.raw.is_none() {
            // After a failed call the library's instance is of no more use. A new one with the same settings writes
            // the same parameter sets, so the stream goes on with a keyframe.
            let mut raw = start(&self.config)?;
            let (sps, pps) = sets(&mut raw)?;
            if h264::avcc_record(&sps::with_timing(&sps, self.config.fps)?, &pps)? != self.params.config {
                return Err(Error::new(ErrorKind::Codec, "openh264 came back with other parameter sets")
                    .next("restart the encoder"));
            }
            self.since_key = 0;
            self.raw = Some(raw);
        }
        self.raw.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal, "no encoder"))
    }
}

impl VideoEncoder for Openh264Encoder {
    fn params(&self) -> &VideoParams {
        &self.params
    }

    fn encode(&mut self, frame: &Frame, force_idr: bool) -> Result<Packet> {
        let (width, height) = (self.config.width, self.config.height);
        if frame.size() != (width, height) {
            let (w, h) = frame.size();
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a picture of {w}x{h} came to an encoder for {width}x{height}"),
            ));
        }
        let ms = self.config.fps.time_of(self.index).millis();
        let gop = self.config.gop_frames.max(1);
        self.raw()?;
        let key_due = force_idr || self.since_key == 0 || self.since_key >= gop;
        let first = self.since_key == 0;
        let raw = self.raw()?;
        // A fresh instance starts with an IDR by itself.
        if key_due && !first {
            raw.force_idr()?;
        }
        let planes = [0, 1, 2].map(|i| {
            let p = frame.plane(i);
            (p.data, p.stride)
        });
        let coded = match raw.encode(planes, width, height, ms) {
            Ok(c) => c,
            Err(e) => {
                self.raw = None;
                return Err(e.next("the encoder restarts with the next picture"));
            }
        };
        if coded == Coded::Skipped {
            return Err(Error::new(ErrorKind::Codec, "openh264 dropped a picture").transient(true));
        }
        // Parameter sets are in the avcC and never change; in-band copies would only cost bits and disagree with it.
        let wanted = |u: &&[u8]| matches!(nal_type(u), 1 | nal::IDR);
        let size = raw.units().filter(wanted).map(|u| u.len() + 4).sum();
        let mut data = BytesMut::with_capacity(size);
        raw.units().filter(wanted).for_each(|u| put_avcc(&mut data, u));
        if data.is_empty() {
            return Err(Error::new(ErrorKind::Codec, "openh264 gave no picture").transient(true));
        }
        let keyframe = coded == Coded::Idr;
        self.since_key = if keyframe { 1 } else { self.since_key + 1 };
        self.index += 1;
        Ok(Packet {
            track: Track::Video,
            data: data.freeze(),
            pts: frame.pts(),
            dts: frame.pts(),
            duration: self.config.fps.frame_duration(),
            keyframe,
        })
    }

    fn set_bitrate(&mut self, bitrate: Bitrate) -> Result<()> {
        let wanted = EncoderConfig { bitrate, ..self.config.clone() };
        check(&wanted)?;
        if let Some(raw) = &mut self.raw {
            raw.set_bitrate(bitrate.bps() as i32)?;
        }
        self.config = wanted;
        Ok(())
    }

    fn name(&self) -> &'static str {
        "openh264"
    }
}

fn check(c: &EncoderConfig) -> Result<()> {
    let no = |what: String, next: &str| Err(Error::new(ErrorKind::Config, what).next(next));
    let even = c.width.is_multiple_of(2) && c.height.is_multiple_of(2);
    let fits = c.width.max(c.height) <= MAX_SIZE.0 && c.width.min(c.height) <= MAX_SIZE.1;
    if !even || !fits || c.width < MIN_SIDE || c.height < MIN_SIDE {
        let next = "choose an even size from 16x16 to 3840x2160";
        return no(format!("openh264 cannot encode pictures of {}x{}", c.width, c.height), next);
    }
    if u64::from(c.fps.num()) > u64::from(MAX_FPS) * u64::from(c.fps.den()) {
        return no(format!("openh264 cannot encode {} frames per second", c.fps), "choose 60 or less");
    }
    let range = 16_000..=240_000_000;
    if !range.contains(&c.bitrate.bps()) {
        return no(format!("a bitrate of {} bit/s", c.bitrate.bps()), "choose 16 kbit/s to 240 Mbit/s");
    }
    Ok(())
}

fn threads(c: &EncoderConfig) -> u32 {
    let macroblocks = c.width.div_ceil(16) * c.height.div_ceil(16);
    let useful = (macroblocks / MACROBLOCKS_PER_THREAD).clamp(1, MAX_THREADS);
    if c.threads > 0 {
        return c.threads.min(useful);
    }
    let pace = u64::from(macroblocks) * u64::from(c.fps.num()) / u64::from(c.fps.den());
    let needed = u32::try_from(pace.div_ceil(PACE)).unwrap_or(MAX_THREADS);
    let cores = available_parallelism().map_or(1, |n| n.get() as u32);
    needed.min(cores).min(useful)
}

fn start(c: &EncoderConfig) -> Result<RawEncoder> {
    RawEncoder::new(|p| fill(p, c))
}

fn fill(p: &mut SEncParamExt, c: &EncoderConfig) {
    let (fps, bps, threads) = (c.fps.as_f64() as f32, c.bitrate.bps() as i32, threads(c));
    p.iUsageType = CAMERA_VIDEO_REAL_TIME;
    p.iPicWidth = c.width as i32;
    p.iPicHeight = c.height as i32;
    p.fMaxFrameRate = fps;
    let high = c.effort == Effort::High;
    p.iComplexityMode = if high { HIGH_COMPLEXITY } else { LOW_COMPLEXITY };
    // Skips what seems not to move: a sixth less CPU, a quarter of a decibel.
    p.bEnableBackgroundDetection = !high;
    p.iEntropyCodingModeFlag = 1;

    p.iRCMode = RC_BITRATE_MODE;
    p.iTargetBitrate = bps;
    p.iMinQp = MIN_QP;
    p.iMaxQp = MAX_QP;
    // A constant frame rate needs every picture; the quantiser alone holds the bitrate.
    p.bEnableFrameSkip = false;
    p.iIdrBitrateRatio = KEYFRAME_PERCENT;

    // Keyframes are asked for one by one, which makes their cadence exact whatever was forced in between.
    p.uiIntraPeriod = 0;
    p.bEnableSceneChangeDetect = false;
    p.iTemporalLayerNum = 1;
    p.iNumRefFrame = 1;
    p.eSpsPpsIdStrategy = CONSTANT_ID;

    p.iMultipleThreadIdc = threads as u16;
    // Load balancing moves slice borders by measured time: the same input would give other bytes on each run.
    p.bUseLoadBalancing = false;

    let layer = &mut p.sSpatialLayers[0];
    layer.iVideoWidth = c.width as i32;
    layer.iVideoHeight = c.height as i32;
    layer.fFrameRate = fps;
    layer.iSpatialBitrate = bps;
    layer.uiProfileIdc = PRO_HIGH;
    // The library takes the lowest level that allows the size, rate and bitrate.
    layer.uiLevelIdc = LEVEL_UNKNOWN;
    layer.sSliceArgument.uiSliceMode = if threads > 1 { SM_FIXEDSLCNUM_SLICE } else { SM_SINGLE_SLICE };
    layer.sSliceArgument.uiSliceNum = threads;
    layer.bVideoSignalTypePresent = true;
    layer.uiVideoFormat = VF_UNDEF as u8;
    layer.bFullRange = false;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = CP_BT709 as u8;
    layer.uiTransferCharacteristics = TRC_BT709 as u8;
    layer.uiColorMatrix = CM_BT709 as u8;
}

fn sets(raw: &mut RawEncoder) -> Result<(Vec<u8>, Vec<u8>)> {
    raw.parameter_sets()?;
    let find = |t| raw.units().find(|u| nal_type(u) == t).map(<[u8]>::to_vec);
    match (find(nal::SPS), find(nal::PPS)) {
        (Some(s), Some(p)) => Ok((s, p)),
        _ => Err(Error::new(ErrorKind::Codec, "openh264 wrote no parameter sets")),
    }
}
