//! The only unsafe code of this crate: owned handles on an openh264 encoder and decoder.
//!
//! openh264 is C++ behind a table of function pointers. The two types here own one instance each, pass it nothing but
//! pointers to live values of the right type, and hand out its buffers only as slices that borrow the handle, because
//! the library reuses them on the next call.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{NonNull, null_mut};

use openh264_sys2::source::APILoader;
use openh264_sys2::{
    DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER, DECODER_OPTION_TRACE_CALLBACK, DECODER_OPTION_TRACE_LEVEL,
    ENCODER_OPTION_BITRATE, ENCODER_OPTION_TRACE_CALLBACK, ENCODER_OPTION_TRACE_LEVEL, ISVCDecoder, ISVCEncoder,
    OpenH264Version, SBitrateInfo, SBufferInfo, SDecodingParam, SEncParamExt, SFrameBSInfo, SPATIAL_LAYER_ALL,
    SSourcePicture, WELS_LOG_ERROR, WELS_LOG_WARNING, WelsTraceCallback, cmResultSuccess, videoFormatI420,
    videoFrameTypeIDR, videoFrameTypeSkip,
};

use crate::error::{Error, ErrorKind, Result};

/// One plane of a picture to encode: samples and bytes from row to row.
pub(super) type Rows<'a> = (&'a [u8], usize);

/// The library's version, such as `2.7.0`.
pub(super) fn version() -> String {
    let mut v = OpenH264Version::default();
    // SAFETY: the function only writes the struct it is given.
    unsafe { APILoader::WelsGetCodecVersionEx(&mut v) };
    format!("{}.{}.{}", v.uMajor, v.uMinor, v.uRevision)
}

fn failed(what: &str, code: i64) -> Error {
    Error::new(ErrorKind::Codec, format!("openh264 failed to {what} (code {code})"))
}

/// Library messages become log lines. Its warnings are about settings that are meant, so they are debug lines here.
unsafe extern "C" fn log_line(_: *mut c_void, level: c_int, text: *const c_char) {
    if text.is_null() {
        return;
    }
    // SAFETY: the library passes its own zero-terminated buffer, live for the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    if level <= WELS_LOG_ERROR {
        tracing::debug!(target: "openh264", "{}", text.trim_end());
    } else {
        tracing::trace!(target: "openh264", "{}", text.trim_end());
    }
}

/// An encoder instance.
pub(super) struct RawEncoder {
    handle: NonNull<ISVCEncoder>,
    out: Box<SFrameBSInfo>,
}

// SAFETY: an instance has no thread affinity; its worker threads are its own and idle between calls. `&mut self` on
// every method that calls into it keeps it to one thread at a time.
unsafe impl Send for RawEncoder {}

/// What one call to encode gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coded {
    Idr,
    Other,
    /// The library dropped the picture.
    Skipped,
}

impl RawEncoder {
    /// Makes an encoder. `setup` fills the library's defaults.
    pub(super) fn new(setup: impl FnOnce(&mut SEncParamExt)) -> Result<Self> {
        let mut handle: *mut ISVCEncoder = null_mut();
        // SAFETY: the function writes a pointer to a new instance, or an error code.
        let code = unsafe { APILoader::WelsCreateSVCEncoder(&mut handle) };
        let handle =
            NonNull::new(handle).filter(|_| code == 0).ok_or_else(|| failed("make an encoder", code.into()))?;
        // From here on Drop destroys the instance.
        let mut me = Self { handle, out: Box::default() };
        let mut level: c_int = WELS_LOG_WARNING;
        let mut callback: WelsTraceCallback = Some(log_line);
        me.set(ENCODER_OPTION_TRACE_LEVEL, &mut level)?;
        me.set(ENCODER_OPTION_TRACE_CALLBACK, &mut callback)?;
        let mut params = SEncParamExt::default();
        let v = me.vtable();
        let (Some(defaults), Some(init)) = (v.GetDefaultParams, v.InitializeExt) else {
            return Err(failed("find its functions", 0));
        };
        // SAFETY: a live instance and a live struct of the type the function takes; it is copied, not kept.
        let code = unsafe { defaults(me.handle.as_ptr(), &mut params) };
        if code != cmResultSuccess {
            return Err(failed("give its defaults", code.into()));
        }
        setup(&mut params);
        // SAFETY: as above.
        let code = unsafe { init(me.handle.as_ptr(), &params) };
        if code != cmResultSuccess {
            return Err(failed("start an encoder with these settings", code.into()));
        }
        Ok(me)
    }

    fn vtable(&self) -> openh264_sys2::ISVCEncoderVtbl {
        // SAFETY: a live instance starts with a pointer to its constant function table.
        unsafe { **self.handle.as_ptr() }
    }

    /// Sets an option; `T` must be the type that the option's documentation names.
    fn set<T>(&mut self, option: c_int, value: &mut T) -> Result<()> {
        let Some(f) = self.vtable().SetOption else { return Err(failed("find its functions", 0)) };
        // SAFETY: a live instance; the callers in this file pass the type that belongs to the option, and the library
        // copies the value.
        let code = unsafe { f(self.handle.as_ptr(), option, (value as *mut T).cast()) };
        if code == cmResultSuccess { Ok(()) } else { Err(failed("change a setting", code.into())) }
    }

    /// Changes the target bitrate from the next picture on.
    pub(super) fn set_bitrate(&mut self, bps: i32) -> Result<()> {
        self.set(ENCODER_OPTION_BITRATE, &mut SBitrateInfo { iLayer: SPATIAL_LAYER_ALL, iBitrate: bps })
    }

    /// Makes the next picture an IDR.
    pub(super) fn force_idr(&mut self) -> Result<()> {
        let Some(f) = self.vtable().ForceIntraFrame else { return Err(failed("find its functions", 0)) };
        // SAFETY: a live instance. (The C++ method has one more argument, a layer number, which it ignores unless
        // simulcast is on.)
        let code = unsafe { f(self.handle.as_ptr(), true) };
        if code == cmResultSuccess { Ok(()) } else { Err(failed("force a keyframe", code.into())) }
    }

    /// Writes SPS and PPS; they are then in [`Self::units`].
    pub(super) fn parameter_sets(&mut self) -> Result<()> {
        let Some(f) = self.vtable().EncodeParameterSets else { return Err(failed("find its functions", 0)) };
        *self.out = SFrameBSInfo::default();
        // SAFETY: a live instance and a live output struct, whose pointers into library memory stay valid until the
        // next call.
        let code = unsafe { f(self.handle.as_ptr(), &mut *self.out) };
        if code == cmResultSuccess { Ok(()) } else { Err(failed("write parameter sets", code.into())) }
    }

    /// Encodes one picture; its NAL units are then in [`Self::units`].
    ///
    /// # Errors
    /// `Codec`; after one the instance is of no more use.
    pub(super) fn encode(&mut self, planes: [Rows<'_>; 3], width: u32, height: u32, ms: i64) -> Result<Coded> {
        let (w, h) = (width as usize, height as usize);
        for (i, (data, stride)) in planes.iter().enumerate() {
            let (pw, ph) = if i == 0 { (w, h) } else { (w / 2, h / 2) };
            if *stride < pw || ph == 0 || data.len() < stride * (ph - 1) + pw || c_int::try_from(*stride).is_err() {
                return Err(Error::new(ErrorKind::Internal, "a picture's planes are smaller than its size"));
            }
        }
        let Some(f) = self.vtable().EncodeFrame else { return Err(failed("find its functions", 0)) };
        let p = planes.map(|(data, _)| data.as_ptr().cast_mut());
        let s = planes.map(|(_, stride)| stride as c_int);
        let picture = SSourcePicture {
            iColorFormat: videoFormatI420,
            iStride: [s[0], s[1], s[2], 0],
            pData: [p[0], p[1], p[2], null_mut()],
            iPicWidth: width as c_int,
            iPicHeight: height as c_int,
            uiTimeStamp: ms,
            ..Default::default()
        };
        *self.out = SFrameBSInfo::default();
        // SAFETY: a live instance; the planes were checked above to hold width × height samples at their strides (odd
        // sizes never get here: the encoder config is even), the library copies them before it returns and never
        // writes through the pointers; the output struct is live.
        let code = unsafe { f(self.handle.as_ptr(), &picture, &mut *self.out) };
        if code != cmResultSuccess {
            *self.out = SFrameBSInfo::default();
            return Err(failed("encode a picture", code.into()));
        }
        Ok(match self.out.eFrameType {
            t if t == videoFrameTypeIDR => Coded::Idr,
            t if t == videoFrameTypeSkip => Coded::Skipped,
            _ => Coded::Other,
        })
    }

    /// The NAL units of the last call, without start codes.
    pub(super) fn units(&self) -> impl Iterator<Item = &[u8]> {
        let layers = (self.out.iLayerNum.max(0) as usize).min(self.out.sLayerInfo.len());
        self.out.sLayerInfo[..layers].iter().flat_map(|layer| {
            let count = layer.iNalCount.max(0) as usize;
            let lengths: &[c_int] = if layer.pNalLengthInByte.is_null() {
                &[]
            } else {
                // SAFETY: the library fills `iNalCount` lengths; the memory lives until the next call, and `self` is
                // borrowed for as long as the slice.
                unsafe { std::slice::from_raw_parts(layer.pNalLengthInByte, count) }
            };
            let total: usize = lengths.iter().map(|n| (*n).max(0) as usize).sum();
            let bytes: &[u8] = if layer.pBsBuf.is_null() {
                &[]
            } else {
                // SAFETY: the units stand one after another in this buffer; life as above.
                unsafe { std::slice::from_raw_parts(layer.pBsBuf, total) }
            };
            let mut rest = bytes;
            lengths.iter().filter_map(move |n| {
                let (unit, tail) = rest.split_at_checked((*n).max(0) as usize)?;
                rest = tail;
                let unit = unit.strip_prefix(&[0, 0, 0, 1]).or_else(|| unit.strip_prefix(&[0, 0, 1])).unwrap_or(unit);
                (!unit.is_empty()).then_some(unit)
            })
        })
    }
}

impl Drop for RawEncoder {
    fn drop(&mut self) {
        if let Some(f) = self.vtable().Uninitialize {
            // SAFETY: a live instance, used no more after this.
            unsafe { f(self.handle.as_ptr()) };
        }
        // SAFETY: the pointer came from WelsCreateSVCEncoder and is destroyed once.
        unsafe { APILoader::WelsDestroySVCEncoder(self.handle.as_ptr()) };
    }
}

/// A decoder instance.
pub(super) struct RawDecoder {
    handle: NonNull<ISVCDecoder>,
}

// SAFETY: as for RawEncoder; no decoder threads are started.
unsafe impl Send for RawDecoder {}

/// A decoded picture in library memory, cropped. Valid until the next call.
pub(super) struct Decoded<'a> {
    pub(super) planes: [Rows<'a>; 3],
    pub(super) width: u32,
    pub(super) height: u32,
    /// The token given with its access unit.
    pub(super) token: u64,
}

impl RawDecoder {
    pub(super) fn new() -> Result<Self> {
        let mut handle: *mut ISVCDecoder = null_mut();
        // SAFETY: the function writes a pointer to a new instance, or an error code.
        let code = unsafe { APILoader::WelsCreateDecoder(&mut handle) };
        let handle = NonNull::new(handle).filter(|_| code == 0).ok_or_else(|| failed("make a decoder", code as i64))?;
        let me = Self { handle };
        let mut params = SDecodingParam { uiTargetDqLayer: u8::MAX, ..Default::default() };
        // No error concealment (a damaged picture is never shown) and plain AVC.
        params.sVideoProperty.size = size_of_val(&params.sVideoProperty) as u32;
        params.sVideoProperty.eVideoBsType = openh264_sys2::VIDEO_BITSTREAM_AVC;
        let v = me.vtable();
        let (Some(init), Some(set)) = (v.Initialize, v.SetOption) else { return Err(failed("find its functions", 0)) };
        let mut level: c_int = WELS_LOG_ERROR;
        let mut callback: WelsTraceCallback = Some(log_line);
        // SAFETY: a live instance; each option gets a live value of its documented type, which is copied.
        let code = unsafe {
            set(me.handle.as_ptr(), DECODER_OPTION_TRACE_LEVEL, (&raw mut level).cast());
            set(me.handle.as_ptr(), DECODER_OPTION_TRACE_CALLBACK, (&raw mut callback).cast());
            init(me.handle.as_ptr(), &params)
        };
        if code == 0 { Ok(me) } else { Err(failed("start a decoder", code as i64)) }
    }

    fn vtable(&self) -> openh264_sys2::ISVCDecoderVtbl {
        // SAFETY: a live instance starts with a pointer to its constant function table.
        unsafe { **self.handle.as_ptr() }
    }

    /// Decodes one access unit in Annex B form. `Err` has the library's state bits.
    pub(super) fn decode(&mut self, annex_b: &[u8], token: u64) -> Result<Option<Decoded<'_>>, i32> {
        let Some(f) = self.vtable().DecodeFrameNoDelay else { return Err(0) };
        let Ok(len) = c_int::try_from(annex_b.len()) else { return Err(0) };
        let mut planes: [*mut u8; 3] = [null_mut(); 3];
        let mut info = SBufferInfo { uiInBsTimeStamp: token, ..Default::default() };
        // SAFETY: a live instance, `len` readable bytes, three plane pointers and an info struct to fill.
        let state = unsafe { f(self.handle.as_ptr(), annex_b.as_ptr(), len, planes.as_mut_ptr(), &mut info) };
        if state != 0 {
            return Err(state);
        }
        Ok(self.picture(planes, &info))
    }

    /// Gives one picture that was held back for reordering.
    pub(super) fn flush_one(&mut self) -> Option<Decoded<'_>> {
        let v = self.vtable();
        let (get, flush) = (v.GetOption?, v.FlushFrame?);
        let mut left: c_int = 0;
        let option = DECODER_OPTION_NUM_OF_FRAMES_REMAINING_IN_BUFFER;
        // SAFETY: a live instance; the option writes an int.
        let code = unsafe { get(self.handle.as_ptr(), option, (&raw mut left).cast()) };
        if code != 0 || left <= 0 {
            return None;
        }
        let mut planes: [*mut u8; 3] = [null_mut(); 3];
        let mut info = SBufferInfo::default();
        // SAFETY: as in decode.
        unsafe { flush(self.handle.as_ptr(), planes.as_mut_ptr(), &mut info) };
        self.picture(planes, &info)
    }

    fn picture(&self, planes: [*mut u8; 3], info: &SBufferInfo) -> Option<Decoded<'_>> {
        if info.iBufferStatus != 1 || planes.iter().any(|p| p.is_null()) {
            return None;
        }
        // SAFETY: with iBufferStatus 1 the library has filled this only member of the union.
        let m = unsafe { info.UsrData.sSystemBuffer };
        let (w, h) = (usize::try_from(m.iWidth).ok()?, usize::try_from(m.iHeight).ok()?);
        let strides = [usize::try_from(m.iStride[0]).ok()?, usize::try_from(m.iStride[1]).ok()?];
        let rows = |i: usize| {
            let (pw, ph) = if i == 0 { (w, h) } else { (w.div_ceil(2), h.div_ceil(2)) };
            let stride = strides[i.min(1)];
            if ph == 0 || stride < pw {
                return None;
            }
            let p: *const u8 = planes[i];
            // SAFETY: the plane holds `ph` rows of `pw` samples, `stride` apart, from this (cropped) start on; the
            // library keeps it until the next call, which needs `&mut self`.
            Some((unsafe { std::slice::from_raw_parts(p, stride * (ph - 1) + pw) }, stride))
        };
        Some(Decoded {
            planes: [rows(0)?, rows(1)?, rows(2)?],
            width: w as u32,
            height: h as u32,
            token: info.uiOutYuvTimeStamp,
        })
    }
}

impl Drop for RawDecoder {
    fn drop(&mut self) {
        if let Some(f) = self.vtable().Uninitialize {
            // SAFETY: a live instance, used no more after this.
            unsafe { f(self.handle.as_ptr()) };
        }
        // SAFETY: the pointer came from WelsCreateDecoder and is destroyed once.
        unsafe { APILoader::WelsDestroyDecoder(self.handle.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_setting_is_an_error_and_frees_the_instance() {
        // Width 0 is refused by the library.
        assert_eq!(RawEncoder::new(|_| ()).err().map(|e| e.kind()), Some(ErrorKind::Codec));
        assert!(version().starts_with("2."));
    }
}
