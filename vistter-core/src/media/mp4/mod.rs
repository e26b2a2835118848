//! Reading of MP4 files (ISO/IEC 14496-12), whole ones and fragmented ones: where the samples of the first video track and
//! of the first sound track lie, which picture is shown when, and what is heard.
//!
//! Written here and not with mp4-atom, which the recorder uses: this part is in every build, so that a document can be
//! checked by a program without codecs; and no count that a file claims makes it allocate more than the file has bytes.
//!
//! - `boxes`: boxes and numbers in them.
//! - `track`: a track in `moov`, with its sample tables.
//! - `fragment`: the samples of `moof`.
//! - `entry`: what the pictures are coded with.
//! - `esds`: what the sound is coded with. `sound`: its packets, in step with the pictures.
//! - `playback`: which picture is shown at a time, over and over or once.

mod boxes;
mod entry;
mod esds;
mod fragment;
mod playback;
mod sound;
#[cfg(test)]
mod tests;
mod track;

use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Mutex;

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{Error, ErrorKind, Result};
use crate::lock::lock;
use crate::media::{AudioParams, Packet, Track, VideoParams};
use crate::time::MediaTime;

pub use playback::{Heard, Playback, Played};
pub(crate) use sound::PACKET as SOUND_PACKET;
pub use sound::SoundTrack;

/// Bytes of `moov`, and of one `moof`.
pub const MAX_INDEX_BYTES: u64 = 32 << 20;
/// Boxes on the top level of a file: of a fragmented one, twice its fragments.
pub const MAX_BOXES: usize = 100_000;
/// Pictures in a file: an hour and a half at 60 a second.
pub const MAX_PICTURES: usize = 350_000;
/// Bytes of one coded picture.
pub const MAX_SAMPLE_BYTES: u32 = 8 << 20;

/// Seconds that a file lasts, and by which its sound begins before or after its pictures: a hundred days. A clip is short;
/// a file that claims more has a damaged index, and its times would not fit where they are counted.
pub const MAX_SECONDS: i64 = 100 * 86_400;

/// Packets of sound in a file: two hours at 48 kHz.
pub const MAX_SOUND_PACKETS: usize = 350_000;
/// Bytes of one packet of sound; AAC has at most 768 a channel (ISO/IEC 14496-3 §4.5.3.3).
pub const MAX_SOUND_BYTES: u32 = 8 << 10;

/// What a file is read from.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// One coded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    offset: u64,
    size: u32,
    /// In ticks of the track, from its beginning.
    decode: i64,
    show: i64,
    duration: u32,
    key: bool,
}

/// A video file that has been looked at: its pictures are read when they are needed.
pub struct VideoFile {
    params: VideoParams,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    length_size: usize,
    sound: Option<Result<SoundTrack>>,
    /// Ticks a second.
    timescale: u32,
    /// In decode order.
    samples: Vec<Sample>,
    /// The pictures that are shown, in their order: ticks from the beginning, and the sample.
    shown: Vec<(i64, u32)>,
    /// Ticks from the beginning at which the last one ends.
    end: i64,
    input: Mutex<Box<dyn ReadSeek>>,
}

impl fmt::Debug for VideoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (w, h) = self.size();
        write!(f, "VideoFile({w}x{h}, {} pictures, {:?})", self.pictures(), self.duration())
    }
}

impl VideoFile {
    /// Whether bytes from the beginning of a file are those of an MP4 file.
    pub fn is_one(head: &[u8]) -> bool {
        head.get(4..8).is_some_and(|k| [b"ftyp", b"moov", b"styp"].iter().any(|n| *n == k))
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// `Media` when it is damaged or has no pictures, `Unsupported` when they are not H.264 of 8 bit and 4:2:0, `Limit`
    /// when it is too large, `Io` when it cannot be read.
    pub fn open(mut input: Box<dyn ReadSeek>) -> Result<Self> {
        let found = scan(&mut *input)?;
        let track = found.track;
        if track.samples.is_empty() {
            return Err(Error::new(ErrorKind::Media, "the video has no pictures").next("export the clip again"));
        }
        let last = track.samples.iter().map(|s| s.offset.saturating_add(u64::from(s.size))).max();
        if last.is_some_and(|end| end > found.length) {
            return Err(Error::new(ErrorKind::Media, "the file is cut off: pictures that it names are not in it")
                .next("copy or export the clip again"));
        }
        if !track.samples.iter().any(|s| s.key) {
            return Err(Error::new(ErrorKind::Media, "the video has no keyframe").next("export the clip again"));
        }
        let (shown, end) = track.timeline();
        if shown.is_empty() {
            return Err(Error::new(ErrorKind::Media, "no picture of the video is shown").next("export the clip again"));
        }
        if end / i64::from(track.timescale) >= MAX_SECONDS || track.is_out_of_time() {
            return Err(Error::new(ErrorKind::Media, "the times of the video are damaged: it would last for months")
                .next("export the clip again"));
        }
        let late = track.begin().saturating_sub(track.edit.start.unwrap_or(0));
        let scales = (track.timescale, found.scale);
        let sound = found.sound.map(|s| SoundTrack::new(s?, (track.edit, late), scales, found.length));
        let entry::Entry { params, length_size } = track.entry;
        Ok(Self {
            params,
            length_size,
            sound,
            timescale: track.timescale,
            samples: track.samples,
            shown,
            end,
            input: Mutex::new(input),
        })
    }

    /// How its pictures are coded.
    pub fn params(&self) -> &VideoParams {
        &self.params
    }
    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.params.width, self.params.height)
    }
    /// How many pictures are shown.
    pub fn pictures(&self) -> usize {
        self.shown.len()
    }
    /// How long it is, rounded to the nanosecond.
    pub fn duration(&self) -> MediaTime {
        MediaTime::from_nanos(playback::nanos(self.end, self.timescale))
    }
    /// Its sound, if it has some that can be played.
    pub fn sound(&self) -> Option<&SoundTrack> {
        self.sound.as_ref()?.as_ref().ok()
    }
    /// Why its sound cannot be played, if it has some.
    pub fn sound_trouble(&self) -> Option<&Error> {
        self.sound.as_ref()?.as_ref().err()
    }

    /// How many samples there are, in decode order.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }
    /// The sample to decode from so that this picture comes out; the first picture counts as 0.
    pub fn start_for(&self, picture: usize) -> usize {
        let sample = self.shown.get(picture).map_or(0, |(_, s)| *s as usize);
        let before = self.samples.get(..=sample).unwrap_or(&[]);
        before.iter().rposition(|s| s.key).unwrap_or(0)
    }
    /// Which picture one is that was decoded from a packet with this `pts`; none for one that is not shown.
    pub fn picture_of(&self, pts: MediaTime) -> Option<usize> {
        let at = |sample: u32| {
            let show = self.samples.get(sample as usize).map_or(0, |s| s.show);
            MediaTime::from_nanos(playback::nanos(show, self.timescale))
        };
        let i = self.shown.partition_point(|(_, s)| at(*s) < pts);
        self.shown.get(i).filter(|(_, s)| at(*s) == pts).map(|_| i)
    }

    /// Reads a sample. Waits for the disk: not for a thread that must not wait.
    ///
    /// # Errors
    /// `Media` when it is damaged, `Io` when it cannot be read.
    pub fn packet(&self, sample: usize) -> Result<Packet> {
        let Some(s) = self.samples.get(sample) else {
            return Err(Error::new(ErrorKind::Internal, "a video was asked for a sample that it has not"));
        };
        let data = self.bytes(s.offset, s.size as usize)?;
        let time = |ticks: i64| MediaTime::from_nanos(playback::nanos(ticks, self.timescale));
        Ok(Packet {
            track: Track::Video,
            data: self.four_byte_lengths(data)?,
            pts: time(s.show),
            dts: time(s.decode),
            duration: time(i64::from(s.duration)),
            keyframe: s.key,
        })
    }

    /// Reads a packet of its sound. Waits for the disk, as [`Self::packet`] does.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub fn sound_packet(&self, packet: usize) -> Result<Packet> {
        let Some((track, (offset, size, at))) = self.sound().and_then(|s| Some((s, s.place(packet)?))) else {
            return Err(Error::new(ErrorKind::Internal, "a video was asked for sound that it has not"));
        };
        let pts = MediaTime::from_nanos(at);
        let duration = MediaTime::from_ticks(SOUND_PACKET, track.params().sample_rate);
        let data = self.bytes(offset, size)?.into();
        Ok(Packet { track: Track::Audio, data, pts, dts: pts, duration, keyframe: true })
    }

    fn bytes(&self, offset: u64, size: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; size];
        let mut input = lock(&self.input);
        let read = input.seek(SeekFrom::Start(offset)).and_then(|_| input.read_exact(&mut data));
        read.map_err(|e| Error::io("read the video", &e))?;
        Ok(data)
    }

    /// Packets have four bytes before each NAL unit; files may have one or two (ISO/IEC 14496-15 §5.3.3.1).
    fn four_byte_lengths(&self, data: Vec<u8>) -> Result<Bytes> {
        if self.length_size == 4 {
            return Ok(data.into());
        }
        let damaged = || Error::new(ErrorKind::Media, "a picture ends inside a NAL unit");
        let mut out = BytesMut::with_capacity(data.len() + 64);
        let mut rest = &data[..];
        while !rest.is_empty() {
            let (head, tail) = rest.split_at_checked(self.length_size).ok_or_else(damaged)?;
            let length = head.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
            let (unit, tail) = tail.split_at_checked(length).ok_or_else(damaged)?;
            out.put_u32(length as u32);
            out.extend_from_slice(unit);
            rest = tail;
        }
        Ok(out.freeze())
    }
}

/// What a file has.
struct Found {
    track: track::Trak<entry::Entry>,
    sound: Option<Result<track::Trak<AudioParams>>>,
    /// Ticks a second of the file.
    scale: u32,
    /// Bytes.
    length: u64,
}

/// Goes through the boxes of the top level (§4.2).
fn scan(input: &mut dyn ReadSeek) -> Result<Found> {
    let io = |e: std::io::Error| Error::io("read the video", &e);
    let length = input.seek(SeekFrom::End(0)).map_err(io)?;
    let (mut at, mut count) = (0u64, 0usize);
    let mut movie: Option<track::Movie> = None;
    while at < length {
        count += 1;
        if count > MAX_BOXES {
            return Err(Error::new(ErrorKind::Limit, format!("the file has more than {MAX_BOXES} boxes")));
        }
        input.seek(SeekFrom::Start(at)).map_err(io)?;
        let Some(head) = boxes::Head::read(input, at, length).map_err(io)? else {
            // What is left after a crash; what stands before it counts.
            break;
        };
        match &head.kind {
            b"moov" if movie.is_none() => movie = Some(track::Movie::parse(&head.body(input)?)?),
            b"moof" => {
                let Some(movie) = &mut movie else {
                    return Err(Error::new(ErrorKind::Media, "a fragment stands before the file's index"));
                };
                // One whose media are not there any more is the end of a file that was cut off.
                if !fragment::read(&head.body(input)?, at, length, movie)? {
                    break;
                }
            }
            _ => {}
        }
        at = head.end;
    }
    let movie = movie.ok_or_else(|| {
        Error::new(ErrorKind::Media, "the file has no index (moov): it is no MP4 file, or its end is missing")
            .next("export the clip again, as MP4 with H.264")
    })?;
    let track = movie.video.ok_or_else(|| {
        Error::new(ErrorKind::Unsupported, "the file has no video track").next("give a clip with pictures")
    })?;
    Ok(Found { track, sound: movie.sound, scale: movie.scale, length })
}
