//! What the fuzz targets call (`fuzz/fuzz_targets/{show,h264,mp4,timing}.rs`), as plain functions, so that a test on a stable
//! compiler runs them over the seeds and over mutations of them too. Not part of the public interface.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use bytes::BytesMut;

use crate::config::ShowConfig;
use crate::diagnose::Severity;
use crate::media::h264;

/// What every environment variable holds.
const FROM_ENVIRONMENT: &str = "S3cretOfTheHouse";

/// Seeds are written anew when this environment variable is set.
const KEEP: &str = "VISTTER_SEEDS";

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target)
}

/// Writes a seed of a target into `fuzz/seeds`, if `VISTTER_SEEDS` asks for it.
///
/// # Errors
/// It cannot be written.
pub fn keep_seed(target: &str, name: &str, data: &[u8]) -> io::Result<()> {
    if std::env::var_os(KEEP).is_none() {
        return Ok(());
    }
    std::fs::create_dir_all(folder(target))?;
    std::fs::write(folder(target).join(name), data)
}

/// The committed seeds of a target.
///
/// # Errors
/// They cannot be read.
pub fn committed_seeds(target: &str) -> io::Result<Vec<Vec<u8>>> {
    std::fs::read_dir(folder(target))?.map(|file| std::fs::read(file?.path())).collect()
}

/// Damages a seed: at a place (wrapped to its length) the rest is cut off, a byte is put in, a piece goes, or a byte differs.
pub fn damage(data: &mut Vec<u8>, changes: &[(usize, u8, u8)]) {
    for (at, byte, how) in changes {
        let i = at % data.len().max(1);
        match how {
            0 => data.truncate(i),
            1 => data.insert(i, *byte),
            2 => drop(data.drain(i..(i + usize::from(*byte)).min(data.len()))),
            _ => data.get_mut(i).into_iter().for_each(|b| *b = *byte),
        }
    }
}

/// Any bytes as a show file: it reads, or every reason not to is given, and no diagnostic quotes a key, a password or the
/// password of a URL. Gives whether it was accepted.
pub fn show(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let env = |name: &str| name.len().is_multiple_of(2).then(|| FROM_ENVIRONMENT.to_owned());
    let read = ShowConfig::from_json_with(&text, &env);
    let mut said = String::new();
    let found = match &read {
        Ok((show, warnings)) => {
            assert!(show.is_valid() && warnings.iter().all(|d| d.severity == Severity::Warning));
            let _ = write!(said, "{:?} {:?}", show.cameras, show.destinations);
            warnings
        }
        Err(found) => {
            assert!(found.iter().any(|d| d.severity == Severity::Error));
            found
        }
    };
    for d in found {
        let _ = write!(said, "\n{d}\n{}", serde_json::to_string(d).unwrap_or_default());
    }
    for secret in planted(&text) {
        assert!(!said.contains(secret), "{secret} of\n{text}\nis in\n{said}");
    }
    assert!(text.contains(FROM_ENVIRONMENT) || !said.contains(FROM_ENVIRONMENT), "{said}");
    read.is_ok()
}

/// Texts that are surely secret, whatever the rest of the file looks like, and that stand nowhere else in it.
fn planted(text: &str) -> Vec<&str> {
    let word = |s: &'_ str| s.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let mut out = Vec::new();
    for name in ["\"key\"", "\"password\""] {
        for (at, _) in text.match_indices(name) {
            let rest = text[at + name.len()..].trim_start().strip_prefix(':').map(str::trim_start);
            if let Some(value) = rest.and_then(|r| r.strip_prefix('"'))
                && value[word(value)..].starts_with('"')
                && !text[..at].ends_with('\\')
            {
                out.push(&value[..word(value)]);
            }
        }
    }
    // "scheme://user:password@…" as a value.
    for (at, _) in text.match_indices("://") {
        let user = &text[at + 3..];
        if let Some(password) = user[word(user)..].strip_prefix(':')
            && let Some(rest) = password[word(password)..].strip_prefix('@')
            && let Some(end) = rest.find(['"', '\\'])
            && rest[end..].starts_with('"')
            && !rest[end + 1..].trim_start().starts_with(':')
        {
            out.push(&password[..word(password)]);
        }
    }
    out.retain(|s| s.len() >= 8 && text.matches(s).count() == 1);
    out
}

/// Any bytes as what a camera says of its pictures: access units of both forms, an avcC, a sequence parameter set. Gives
/// whether there was a parameter set.
pub fn h264(data: &[u8]) -> bool {
    let units: Vec<&[u8]> = h264::annex_b_units(data).collect();
    let (mut avcc, mut again) = (BytesMut::new(), Vec::new());
    units.iter().for_each(|u| h264::put_avcc(&mut avcc, u));
    assert!(h264::avcc_to_annex_b(&avcc, &mut again).is_ok());
    assert!(h264::annex_b_units(&again).eq(units.iter().copied()), "{units:02x?}");
    assert_eq!(h264::has_idr(&avcc), units.iter().any(|u| h264::nal_type(u) == h264::nal::IDR));

    let (fine, faults): (Vec<_>, Vec<_>) = h264::avcc_units(data).partition(Result::is_ok);
    assert!(faults.len() <= 1 && fine.len() * 4 <= data.len());
    let _ = h264::has_idr(data);

    let mut found = sps(data);
    if let Ok((all, others)) = h264::avcc_sets(data) {
        for set in &all {
            found |= sps(set);
        }
        if let (Some(s), Some(p)) = (all.first(), others.first())
            && let Ok(v) = h264::video_params(s, p)
        {
            assert!(h264::avcc_sets(&v.config).is_ok_and(|(a, b)| a == [*s] && b == [*p]));
        }
    }
    found
}

fn sps(unit: &[u8]) -> bool {
    let Ok(info) = h264::SpsInfo::parse(unit) else { return false };
    assert!((1..=8192).contains(&info.width) && (1..=8192).contains(&info.height) && info.reorder_depth <= 16);
    assert!(!info.profile_name().is_empty());
    true
}

/// Any bytes as a video file: what is accepted has pictures in order, and each can be asked for. Gives whether it was.
pub fn mp4(data: &[u8]) -> bool {
    use crate::media::mp4::{Playback, VideoFile};
    use crate::time::MediaTime;
    let _ = VideoFile::is_one(data);
    let Ok(v) = VideoFile::open(Box::new(std::io::Cursor::new(data.to_vec()))) else { return false };
    let (pictures, samples) = (v.pictures(), v.samples());
    assert!(pictures > 0 && pictures <= samples && v.duration() >= MediaTime::ZERO);
    for i in (0..samples).step_by(1 + samples / 64) {
        assert!(v.packet(i).map_or(true, |p| v.picture_of(p.pts).is_none_or(|p| p < pictures)));
    }
    for i in (0..pictures).step_by(1 + pictures / 64) {
        assert!(v.start_for(i) < samples);
    }
    if let Some(s) = v.sound() {
        let begins: Vec<i64> = (0..s.packets()).filter_map(|i| s.begin_of(i)).collect();
        assert!(begins.len() == s.packets() && begins.windows(2).all(|w| w[0] < w[1]));
        assert!(!s.heard().is_empty() && v.sound_trouble().is_none());
        for i in (0..begins.len()).step_by(1 + begins.len() / 64) {
            assert!(s.packet_at(begins[i]) == i && s.packet_at(begins[i] - 1) == i.saturating_sub(1));
            let _ = v.sound_packet(i);
        }
    }
    for how in [Playback::default(), Playback { start: MediaTime::from_millis(40), plays: 2 }] {
        assert!(v.first_picture(how) < pictures);
        let mut at = 0;
        for _ in 0..64 {
            let Some(h) = v.heard(at, how) else {
                assert!(v.silent_from(how).is_some_and(|end| at >= end));
                break;
            };
            assert!(h.left > 0 && h.since >= 0 && h.from >= h.since && h.again == (h.since < at));
            // nothing lies between two plays
            let last = at.saturating_add(h.left - 1);
            assert!(v.heard(last, how).is_none_or(|l| l.left == 1 && l.from - h.from == last - at));
            at = at.saturating_add(h.left);
        }
        let mut t = MediaTime::ZERO;
        for _ in 0..64 {
            assert!(v.played(t, how).picture < pictures);
            match v.next_picture(t, how) {
                Some(next) => {
                    assert!(next > t);
                    t = next;
                }
                None => break,
            }
        }
    }
    true
}

/// Any sequence of times as RTP stamps of a camera: decode times rise and sound does not go back, jumps apart.
#[cfg(feature = "session")]
pub fn timing(data: &[u8]) {
    crate::source::fuzz_timing(data);
}

/// Any bytes from a viewer of the test camera. Gives how many requests were answered.
#[cfg(feature = "sim")]
pub fn requests(data: &[u8]) -> usize {
    crate::sim::fuzz_requests(data)
}

#[cfg(test)]
#[path = "fuzzing_tests.rs"]
mod tests;
