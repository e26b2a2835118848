//! The samples of a fragment (ISO/IEC 14496-12 §8.8).

use super::Sample;
use super::boxes::{Reader, children, damaged};
use super::track::{Defaults, Movie, Trak, check_size, too_many};
use crate::error::Result;

/// `sample_is_non_sync_sample` (§8.8.3.1).
const NOT_SYNC: u32 = 0x0001_0000;

/// Adds the samples of a `moof` that stands at `at`. False when what it names ends behind the file, which is `length` long:
/// nothing of it counts.
pub(super) fn read(moof: &[u8], at: u64, length: u64, movie: &mut Movie) -> Result<bool> {
    if let Some(sound) = &mut movie.sound {
        // Sound that is damaged is silent; the pictures are shown.
        let added = match sound {
            Ok(s) => add(moof, at, length, s).map(|_| ()),
            Err(_) => Ok(()),
        };
        if let Err(e) = added {
            *sound = Err(e);
        }
    }
    movie.video.as_mut().map_or(Ok(true), |v| add(moof, at, length, v))
}

/// The same for one track.
fn add<E>(moof: &[u8], at: u64, length: u64, to: &mut Trak<E>) -> Result<bool> {
    for c in children(moof) {
        let (kind, traf) = c?;
        if &kind != b"traf" {
            continue;
        }
        let before = to.samples.len();
        track(traf, at, to)?;
        let ends = |s: &Sample| s.offset.saturating_add(u64::from(s.size)) > length;
        if to.samples.get(before..).unwrap_or(&[]).iter().any(ends) {
            to.samples.truncate(before);
            return Ok(false);
        }
    }
    Ok(true)
}

fn track<E>(traf: &[u8], moof_at: u64, to: &mut Trak<E>) -> Result<()> {
    let (mut base, mut defaults) = (moof_at, None);
    let mut decode = to.samples.last().map_or(0, |s| s.decode.saturating_add(i64::from(s.duration)));
    let mut at = base;
    for c in children(traf) {
        let (kind, body) = c?;
        let mut r = Reader(body);
        match &kind {
            b"tfhd" => {
                let (_, flags) = r.full()?;
                if r.u32()? != to.id {
                    return Ok(());
                }
                if flags & 1 != 0 {
                    base = r.u64()?;
                }
                if flags & 2 != 0 {
                    r.u32()?;
                }
                let mut field = |bit: u32, other: u32| if flags & bit != 0 { r.u32() } else { Ok(other) };
                let d = to.defaults;
                let duration = field(8, d.duration)?;
                let size = field(16, d.size)?;
                defaults = Some(Defaults { duration, size, flags: field(32, d.flags)? });
                at = base;
            }
            b"tfdt" => {
                let (version, _) = r.full()?;
                decode = i64::try_from(r.wide(version)?).map_err(|_| damaged())?;
            }
            b"trun" => {
                let d = defaults.ok_or_else(damaged)?;
                (at, decode) = run(r, d, base, at, decode, to)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Adds the samples of one run; gives where the next one goes on.
fn run<E>(mut r: Reader<'_>, d: Defaults, base: u64, at: u64, decode: i64, to: &mut Trak<E>) -> Result<(u64, i64)> {
    let (mut at, mut decode) = (at, decode);
    let (_, flags) = r.full()?;
    let n = r.u32()? as usize;
    too_many(to.samples.len().saturating_add(n), to.of)?;
    if flags & 1 != 0 {
        at = base.checked_add_signed(i64::from(r.u32()? as i32)).ok_or_else(damaged)?;
    }
    let mut first = if flags & 4 != 0 { Some(r.u32()?) } else { None };
    for _ in 0..n {
        let mut field = |bit: u32, other: u32| if flags & bit != 0 { r.u32() } else { Ok(other) };
        let duration = field(0x100, d.duration)?;
        let size = field(0x200, d.size)?;
        let own = field(0x400, first.take().unwrap_or(d.flags))?;
        let shift = field(0x800, 0)? as i32;
        check_size(size, to.of)?;
        let show = decode.saturating_add(i64::from(shift));
        to.samples.push(Sample { offset: at, size, decode, show, duration, key: own & NOT_SYNC == 0 });
        at = at.checked_add(u64::from(size)).ok_or_else(damaged)?;
        decode = decode.checked_add(i64::from(duration)).ok_or_else(damaged)?;
    }
    Ok((at, decode))
}
