//! Tracks in `moov`, with their sample tables (ISO/IEC 14496-12 §8.3 to §8.7).

use super::boxes::{Reader, child, children, damaged, need};
use super::entry::{self, Entry};
use super::esds;
use super::{MAX_PICTURES, MAX_SAMPLE_BYTES, MAX_SOUND_BYTES, MAX_SOUND_PACKETS, Sample};
use crate::error::{Error, ErrorKind, Result};
use crate::media::AudioParams;

/// What `moov` says.
pub(super) struct Movie {
    /// The first video track.
    pub(super) video: Option<Trak<Entry>>,
    /// The first sound track, or why it cannot be played: that is no fault of the video.
    pub(super) sound: Option<Result<Trak<AudioParams>>>,
    /// Ticks a second of its own clock.
    pub(super) scale: u32,
}

/// What the samples of a track are, for its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Pictures,
    Sound,
}

/// What a fragment leaves out (`trex`, §8.8.3).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Defaults {
    pub(super) duration: u32,
    pub(super) size: u32,
    pub(super) flags: u32,
}

/// A track; `E` is how it is coded.
pub(super) struct Trak<E> {
    pub(super) of: Of,
    pub(super) id: u32,
    pub(super) entry: E,
    /// Ticks a second.
    pub(super) timescale: u32,
    /// In decode order.
    pub(super) samples: Vec<Sample>,
    pub(super) defaults: Defaults,
    pub(super) edit: Edit,
}

/// Reads `stsd`.
type Entrance<E> = fn(&[u8]) -> Result<E>;

/// Which part of a track is played, and when (§8.6.6).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edit {
    /// Ticks of the file before it begins.
    pub(super) wait: u64,
    /// Where in its own time it begins, and how long it is; ticks.
    pub(super) start: Option<i64>,
    pub(super) length: Option<i64>,
}

impl Movie {
    pub(super) fn parse(moov: &[u8]) -> Result<Self> {
        let (mut video, mut sound): (Option<Trak<Entry>>, Option<Result<Trak<AudioParams>>>) = (None, None);
        let mut header = Reader(need(moov, b"mvhd")?);
        let (version, _) = header.full()?;
        header.wide(version)?;
        header.wide(version)?;
        let movie_scale = header.u32()?;
        for c in children(moov) {
            let (kind, trak) = c?;
            if &kind != b"trak" {
                continue;
            }
            let mdia = need(trak, b"mdia")?;
            let mut handler = Reader(need(mdia, b"hdlr")?);
            handler.bytes(8)?;
            match &handler.kind()? {
                b"vide" if video.is_none() => {
                    video = Some(Trak::parse(trak, mdia, movie_scale, Of::Pictures, entry::read)?);
                }
                b"soun" if sound.is_none() => {
                    sound = Some(Trak::parse(trak, mdia, movie_scale, Of::Sound, esds::read));
                }
                _ => {}
            }
        }
        if let Some(mvex) = child(moov, b"mvex")? {
            for c in children(mvex) {
                let (kind, body) = c?;
                let mut r = Reader(body);
                if &kind != b"trex" || r.full().is_err() {
                    continue;
                }
                let id = r.u32()?;
                r.u32()?;
                let d = Defaults { duration: r.u32()?, size: r.u32()?, flags: r.u32()? };
                video.iter_mut().filter(|v| v.id == id).for_each(|v| v.defaults = d);
                sound.iter_mut().flatten().filter(|s| s.id == id).for_each(|s| s.defaults = d);
            }
        }
        Ok(Self { video, sound, scale: movie_scale })
    }
}

impl<E> Trak<E> {
    /// `entry` reads how its samples are coded.
    fn parse(trak: &[u8], mdia: &[u8], movie_scale: u32, of: Of, entry: Entrance<E>) -> Result<Self> {
        let mut r = Reader(need(trak, b"tkhd")?);
        let (version, _) = r.full()?;
        r.wide(version)?;
        r.wide(version)?;
        let id = r.u32()?;
        let mut r = Reader(need(mdia, b"mdhd")?);
        let (version, _) = r.full()?;
        r.wide(version)?;
        r.wide(version)?;
        let timescale = r.u32()?;
        if timescale == 0 {
            return Err(damaged());
        }
        let stbl = need(need(mdia, b"minf")?, b"stbl")?;
        let entry = entry(need(stbl, b"stsd")?)?;
        let edit = match child(trak, b"edts")? {
            Some(edts) => edit(edts, movie_scale, timescale)?,
            None => Edit::default(),
        };
        Ok(Self { of, id, entry, timescale, samples: samples(stbl, of)?, defaults: Defaults::default(), edit })
    }
}

impl Trak<Entry> {
    /// Where in its own time it begins, in ticks.
    pub(super) fn begin(&self) -> i64 {
        let first = self.samples.iter().map(|s| s.show).min().unwrap_or(0);
        self.edit.start.filter(|b| *b >= first).unwrap_or(first)
    }

    /// Whether a time of it is more than nanoseconds can count.
    pub(super) fn is_out_of_time(&self) -> bool {
        let most = i64::MAX / 1_000_000_000;
        let far = |ticks: i64| ticks.unsigned_abs() / u64::from(self.timescale.max(1)) >= most.unsigned_abs();
        self.samples.iter().any(|s| far(s.decode) || far(s.show))
    }

    /// The pictures that are shown, by their times from the beginning, and the end of the last one.
    ///
    /// A file whose pictures are reordered begins later than 0 in its own time; its edit says so, or nothing does. What
    /// stands before the beginning is decoded and not shown.
    pub(super) fn timeline(&self) -> (Vec<(i64, u32)>, i64) {
        let longest = self.samples.iter().map(|s| i64::from(s.duration)).max().unwrap_or(0);
        let begin = self.begin();
        let mut shown: Vec<(i64, u32)> = (0u32..).zip(&self.samples).map(|(i, s)| (s.show, i)).collect();
        shown.sort_unstable();
        // of two at one time the later one is seen
        shown.dedup_by(|b, a| {
            let same = a.0 == b.0;
            if same {
                *a = *b;
            }
            same
        });
        let mut end = self.samples.iter().map(|s| s.show.saturating_add(i64::from(s.duration))).max().unwrap_or(0);
        // Edits count in coarse ticks: only one that cuts a picture off is meant so.
        if let Some(cut) =
            self.edit.length.map(|n| begin.saturating_add(n)).filter(|cut| cut.saturating_add(longest) <= end)
        {
            end = cut;
        }
        // the one that is on at the beginning stays in
        let from = shown.partition_point(|(show, _)| *show <= begin).saturating_sub(1);
        let shown = shown.into_iter().skip(from).filter(|(show, _)| *show < end);
        let shown = shown.map(|(show, i)| (show.saturating_sub(begin).max(0), i)).collect();
        (shown, end.saturating_sub(begin).max(1))
    }
}

/// The first edit that is not empty, and how long those before it are (§8.6.6).
fn edit(edts: &[u8], movie_scale: u32, timescale: u32) -> Result<Edit> {
    let Some(elst) = child(edts, b"elst")? else { return Ok(Edit::default()) };
    let mut r = Reader(elst);
    let (version, _) = r.full()?;
    let n = r.count(if version == 1 { 20 } else { 12 })?;
    let mut out = Edit::default();
    for _ in 0..n {
        let length = r.wide(version)?;
        let start = if version == 1 { r.u64()? as i64 } else { i64::from(r.u32()? as i32) };
        r.u32()?;
        if start < 0 {
            if out.start.is_none() {
                out.wait = out.wait.saturating_add(length);
            }
            continue;
        }
        if out.start.is_some() {
            // Several pieces in an order of their own: played straight on from the first one.
            return Ok(Edit { length: None, ..out });
        }
        let ticks = u128::from(length) * u128::from(timescale) / u128::from(movie_scale.max(1));
        out.start = Some(start);
        out.length = i64::try_from(ticks).ok().filter(|t| *t > 0);
    }
    Ok(out)
}

/// The samples that the tables list.
fn samples(stbl: &[u8], of: Of) -> Result<Vec<Sample>> {
    let mut r = Reader(need(stbl, b"stsz")?);
    r.full()?;
    let each = r.u32()?;
    let count = if each == 0 { r.count(4)? } else { r.u32()? as usize };
    if count == 0 {
        return Ok(Vec::new());
    }
    too_many(count, of)?;
    let mut sizes = r;
    let offsets = offsets(stbl)?;
    let mut times = Times::new(stbl)?;
    let keys = keys(stbl)?;
    let mut chunks = Chunks::new(need(stbl, b"stsc")?)?;
    let mut out = Vec::new();
    let mut key = keys.as_deref().unwrap_or(&[]).iter().peekable();
    for (chunk, offset) in (1u32..).zip(offsets) {
        let mut at = offset;
        for _ in 0..chunks.samples(chunk)? {
            if out.len() == count {
                return Ok(out);
            }
            let size = if each == 0 { sizes.u32()? } else { each };
            check_size(size, of)?;
            let (decode, show, duration) = times.next()?;
            let number = out.len() as u32 + 1;
            while key.next_if(|k| **k < number).is_some() {}
            let is_key = keys.is_none() || key.peek() == Some(&&number);
            out.push(Sample { offset: at, size, decode, show, duration, key: is_key });
            at = at.saturating_add(u64::from(size));
        }
    }
    if out.len() < count { Err(damaged()) } else { Ok(out) }
}

pub(super) fn too_many(count: usize, of: Of) -> Result<()> {
    let (what, most) = match of {
        Of::Pictures => ("pictures", MAX_PICTURES),
        Of::Sound => ("packets of sound", MAX_SOUND_PACKETS),
    };
    if count > most {
        let what = format!("the video has {count} {what}; at most {most} are allowed");
        return Err(Error::new(ErrorKind::Limit, what).next("give a shorter clip"));
    }
    Ok(())
}

pub(super) fn check_size(size: u32, of: Of) -> Result<()> {
    let (what, most) = match of {
        Of::Pictures => ("a picture of the video", MAX_SAMPLE_BYTES),
        Of::Sound => ("a packet of its sound", MAX_SOUND_BYTES),
    };
    if size > most {
        let what = format!("{what} has {size} bytes; at most {most} are read");
        return Err(Error::new(ErrorKind::Limit, what).next("export the clip with a lower bitrate"));
    }
    Ok(())
}

/// Where chunks begin (§8.7.5).
fn offsets(stbl: &[u8]) -> Result<Vec<u64>> {
    if let Some(stco) = child(stbl, b"stco")? {
        let mut r = Reader(stco);
        r.full()?;
        let n = r.count(4)?;
        return (0..n).map(|_| r.u32().map(u64::from)).collect();
    }
    let mut r = Reader(need(stbl, b"co64")?);
    r.full()?;
    let n = r.count(8)?;
    (0..n).map(|_| r.u64()).collect()
}

/// Numbers of the samples a decoder can start at, rising; all when there is no table (§8.6.2).
fn keys(stbl: &[u8]) -> Result<Option<Vec<u32>>> {
    let Some(stss) = child(stbl, b"stss")? else { return Ok(None) };
    let mut r = Reader(stss);
    r.full()?;
    let n = r.count(4)?;
    let mut list = (0..n).map(|_| r.u32()).collect::<Result<Vec<u32>>>()?;
    list.sort_unstable();
    Ok(Some(list))
}

/// How many samples a chunk has (§8.7.4).
struct Chunks<'a> {
    rest: Reader<'a>,
    /// Runs that are left.
    left: usize,
    now: u32,
    /// The chunk at which the next run begins, and its samples.
    next: Option<(u32, u32)>,
}

impl<'a> Chunks<'a> {
    fn new(stsc: &'a [u8]) -> Result<Self> {
        let mut rest = Reader(stsc);
        rest.full()?;
        let left = rest.count(12)?;
        let mut me = Self { rest, left, now: 0, next: None };
        me.step()?;
        Ok(me)
    }
    fn step(&mut self) -> Result<()> {
        self.next = None;
        if self.left > 0 {
            self.left -= 1;
            let run = (self.rest.u32()?, self.rest.u32()?);
            self.rest.u32()?;
            self.next = Some(run);
        }
        Ok(())
    }
    fn samples(&mut self, chunk: u32) -> Result<u32> {
        while let Some((first, n)) = self.next.filter(|(first, _)| *first <= chunk) {
            self.now = n;
            self.step()?;
            if self.next.is_some_and(|(next, _)| next <= first) {
                return Err(damaged());
            }
        }
        Ok(self.now)
    }
}

/// Decode times, presentation times and durations (§8.6.1).
struct Times<'a> {
    durations: Counted<'a>,
    shifts: Option<Counted<'a>>,
    decode: i64,
}

impl<'a> Times<'a> {
    fn new(stbl: &'a [u8]) -> Result<Self> {
        let durations = Counted::new(need(stbl, b"stts")?)?;
        let shifts = child(stbl, b"ctts")?.map(Counted::new).transpose()?;
        Ok(Self { durations, shifts, decode: 0 })
    }
    fn next(&mut self) -> Result<(i64, i64, u32)> {
        let duration = self.durations.next()?;
        // Version 0 has no sign, and is written as if it had one: no real file reorders by 12 hours.
        let shift = match &mut self.shifts {
            Some(s) => i64::from(s.next()? as i32),
            None => 0,
        };
        let decode = self.decode;
        self.decode = decode.checked_add(i64::from(duration)).ok_or_else(damaged)?;
        Ok((decode, decode.saturating_add(shift), duration))
    }
}

/// Pairs of a count and a value, one value at a time. The last value goes on when the table is too short.
struct Counted<'a> {
    rest: Reader<'a>,
    left: usize,
    now: (u32, u32),
}

impl<'a> Counted<'a> {
    fn new(table: &'a [u8]) -> Result<Self> {
        let mut rest = Reader(table);
        rest.full()?;
        let left = rest.count(8)?;
        Ok(Self { rest, left, now: (0, 0) })
    }
    fn next(&mut self) -> Result<u32> {
        while self.now.0 == 0 && self.left > 0 {
            self.left -= 1;
            self.now = (self.rest.u32()?, self.rest.u32()?);
        }
        self.now.0 = self.now.0.saturating_sub(1);
        Ok(self.now.1)
    }
}
