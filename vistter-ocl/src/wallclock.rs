//! Wall-clock time as text: a subset of strftime with a fixed offset from UTC. A pure function of the time given.

use std::fmt::Write as _;

use vistter_core::clock::WallTime;

use crate::locale::Locale;

const DAY: i64 = 86_400;
/// Seconds east of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset(i64);

impl Offset {
    /// None.
    pub(crate) const UTC: Self = Self(0);

    /// Seconds east of UTC.
    pub(crate) fn secs(self) -> i64 {
        self.0
    }

    /// Parses `UTC`, `Z`, `+01:00`, `-0330`, `+1`.
    pub(crate) fn parse(s: &str) -> Option<Self> {
        if s.eq_ignore_ascii_case("utc") || s == "Z" {
            return Some(Self(0));
        }
        let (sign, rest) = match s.as_bytes().first()? {
            b'+' => (1, &s[1..]),
            b'-' => (-1, &s[1..]),
            _ => return None,
        };
        if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
            return None;
        }
        let (h, m) = match rest.split_once(':') {
            Some((h, m)) if m.len() == 2 => (h, m),
            Some(_) => return None,
            None if rest.len() == 4 => rest.split_at(2),
            None => (rest, "0"),
        };
        let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
        (h <= 14 && m < 60).then(|| Self(sign * (h * 3600 + m * 60)))
    }
}

/// A checked format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(String);

impl Format {
    /// The letters after `%`.
    pub(crate) const LETTERS: &'static str = "HIMSpyYmdeaAbBjxX%";

    /// Checks a format; the faulty piece when there is one.
    pub(crate) fn parse(s: &str) -> Result<Self, String> {
        let mut it = s.chars();
        while let Some(c) = it.next() {
            if c == '%' {
                match it.next() {
                    Some(l) if Self::LETTERS.contains(l) => {}
                    Some(l) => return Err(format!("%{l}")),
                    None => return Err("%".to_owned()),
                }
            }
        }
        Ok(Self(s.to_owned()))
    }

    /// Seconds after which the text may differ. Offsets are whole minutes, so minutes turn over together.
    pub(crate) fn step(&self) -> i64 {
        let mut it = self.0.chars();
        while let Some(c) = it.next() {
            if c == '%' && it.next() == Some('S') {
                return 1;
            }
        }
        60
    }

    /// Appends the time, as a language says it.
    pub(crate) fn write(&self, wall: WallTime, offset: Offset, locale: Locale, out: &mut String) {
        let from = out.len();
        write(&self.0, Fields::of(wall.unix_secs().saturating_add(offset.0)), locale, out);
        locale.digits(out, from);
    }
}

/// A moment on the calendar and on the clock.
#[derive(Clone, Copy)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    /// Since 1970-01-01.
    days: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Fields {
    fn of(t: i64) -> Self {
        let (days, s) = (t.div_euclid(DAY), t.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Self { year, month, day, days, hour: s / 3600, minute: s / 60 % 60, second: s % 60 }
    }
}

/// A format, or the pattern of a language, which has letters of its own: %N the number of the month, %K and %L the hour of
/// 24 and of 12, all without a leading zero.
fn write(format: &str, t: Fields, locale: Locale, out: &mut String) {
    let h12 = (t.hour + 11) % 12 + 1;
    let weekday = (t.days + 4).rem_euclid(7) as usize;
    let month = (t.month - 1).rem_euclid(12) as usize;
    let mut it = format.chars();
    while let Some(c) = it.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        // Writing to a String cannot fail.
        let _ = match it.next() {
            Some('H') => write!(out, "{:02}", t.hour),
            Some('I') => write!(out, "{h12:02}"),
            Some('M') => write!(out, "{:02}", t.minute),
            Some('S') => write!(out, "{:02}", t.second),
            Some('p') => out.write_str(locale.half(t.hour >= 12)),
            Some('y') => write!(out, "{:02}", t.year.rem_euclid(100)),
            Some('Y') => write!(out, "{}", t.year),
            Some('m') => write!(out, "{:02}", t.month),
            Some('d') => write!(out, "{:02}", t.day),
            Some('e') => write!(out, "{}", t.day),
            Some('a') => out.write_str(locale.day(weekday, true)),
            Some('A') => out.write_str(locale.day(weekday, false)),
            Some('b') => out.write_str(locale.month(month, true)),
            Some('B') => out.write_str(locale.month(month, false)),
            Some('j') => write!(out, "{:03}", t.days - from_civil(t.year, 1, 1) + 1),
            Some('K') => write!(out, "{}", t.hour),
            Some('L') => write!(out, "{h12}"),
            Some('N') => write!(out, "{}", t.month),
            // patterns of a language have neither in them
            Some('x') => {
                write(locale.date(), t, locale, out);
                Ok(())
            }
            Some('X') => {
                write(locale.time(), t, locale, out);
                Ok(())
            }
            Some('%') => out.write_char('%'),
            _ => Ok(()),
        };
    }
}

/// Year, month 1–12 and day 1–31 of a day counted from 1970-01-01, in the proleptic Gregorian calendar: the year is
/// taken to start in March, so that the leap day is its last.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// A date of ISO 8601, `2026-11-21`, or one with a time, `2026-11-21T18:30` or `2026-11-21T18:30:05`; as if it were UTC.
pub(crate) fn parse_iso(s: &str) -> Option<WallTime> {
    let (date, time) = s.split_once('T').map_or((s, "00:00"), |(d, t)| (d, t));
    let field =
        |s: &str, len: usize| (s.len() == len && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?;
    let mut ymd = date.split('-');
    let (y, m, d): (i64, i64, i64) = (field(ymd.next()?, 4)?, field(ymd.next()?, 2)?, field(ymd.next()?, 2)?);
    let mut hms = time.split(':');
    let (h, min) = (field(hms.next()?, 2)?, field(hms.next()?, 2)?);
    let sec = hms.next().map_or(Some(0), |s| field(s, 2))?;
    if ymd.next().is_some() || hms.next().is_some() || h > 23 || min > 59 || sec > 59 || !(1..=12).contains(&m) {
        return None;
    }
    // What WallTime's 64 bits of nanoseconds hold, with room: 1700 to 2200.
    if !(1700..2200).contains(&y) {
        return None;
    }
    let days = from_civil(y, m, d);
    let real = civil(days) == (y, m, d);
    real.then(|| WallTime::from_unix_nanos((days * DAY + h * 3600 + min * 60 + sec) * 1_000_000_000))
}

/// A moment as ISO 8601 writes it, to the second, in UTC.
pub(crate) fn iso(at: WallTime) -> String {
    let mut s = String::new();
    if let Ok(f) = Format::parse("%Y-%m-%dT%H:%M:%SZ") {
        f.write(at, Offset::UTC, Locale::default(), &mut s);
    }
    s
}

/// The reverse of [`civil`].
fn from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, yoe) = (y.div_euclid(400), y.rem_euclid(400));
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(secs: i64, f: &str, zone: &str) -> String {
        let mut s = String::new();
        let wall = WallTime::from_unix_nanos(secs * 1_000_000_000);
        Format::parse(f).unwrap().write(wall, Offset::parse(zone).unwrap(), Locale::default(), &mut s);
        s
    }

    #[test]
    fn known_times() {
        // 2024-02-29 23:59:59 UTC, a Thursday and the 60th day
        let t = 1_709_251_199;
        assert_eq!(at(t, "%A %e %B %Y %H:%M:%S %j", "UTC"), "Thursday 29 February 2024 23:59:59 060");
        assert_eq!(at(t, "%a %d.%m.%y %I:%M %p", "+01:00"), "Fri 01.03.24 12:59 AM");
        assert_eq!(at(t, "%H%%", "-0330"), "20%");
        assert_eq!(at(-1, "%Y-%m-%d", "Z"), "1969-12-31");
    }
    #[test]
    fn languages() {
        // 2026-11-21 18:05 UTC, a Saturday
        let say = |tag: &str, f: &str| {
            let mut s = String::new();
            let wall = WallTime::from_unix_nanos(1_795_284_300_000_000_000);
            Format::parse(f).unwrap().write(wall, Offset::UTC, Locale::parse(tag).unwrap(), &mut s);
            s
        };
        for (tag, want) in [
            ("en", "Saturday, November 21, 2026, 6:05\u{a0}PM"),
            ("en-GB", "Saturday, 21 November 2026, 18:05"),
            ("de", "Samstag, 21. November 2026, 18:05"),
            ("fr", "samedi, 21 novembre 2026, 18:05"),
            ("es", "sábado, 21 de noviembre de 2026, 18:05"),
            ("pl", "sobota, 21 listopada 2026, 18:05"),
            ("tr", "Cumartesi, 21 Kasım 2026, 18:05"),
            ("ar-u-nu-arab", "السبت, ٢١ نوفمبر ٢٠٢٦, ٦:٠٥ م"),
            ("he", "יום שבת, 21 בנובמבר 2026, 18:05"),
            ("th", "วันเสาร์, 21 พฤศจิกายน 2026, 18:05"),
            ("ja", "土曜日, 2026年11月21日, 18:05"),
            ("ko", "토요일, 2026년 11월 21일, 오후 6:05"),
            ("zh", "星期六, 2026年11月21日, 18:05"),
        ] {
            assert_eq!(say(tag, "%A, %x, %X"), want, "{tag}");
        }
        assert_eq!(say("de", "%a %d.%b"), "Sa. 21.Nov.");
    }
    #[test]
    fn dates_of_iso_8601() {
        assert_eq!(parse_iso("1970-01-02").map(|t| t.unix_secs()), Some(86_400));
        assert_eq!(parse_iso("2024-02-29T23:59:59").map(|t| t.unix_secs()), Some(1_709_251_199));
        for bad in [
            "",
            "2026",
            "2026-1-2",
            "2026-02-30",
            "2026-13-01",
            "2026-01-01T24:00",
            "2026-01-01T1:00",
            "2026-01-01T10:00:00Z",
            "+026-01-01",
            "9999-01-01",
        ] {
            assert_eq!(parse_iso(bad), None, "{bad}");
        }
    }
    #[test]
    fn offsets() {
        for bad in
            ["", "1", "+", "+15:00", "+1:5", "+01:60", "Europe/Berlin", "+é", "+1:", "-:30", "+8888888888888888888"]
        {
            assert_eq!(Offset::parse(bad), None, "{bad}");
        }
        assert_eq!(Offset::parse("+1"), Offset::parse("+01:00"));
        assert_eq!((Format("%H:%M".into()).step(), Format("%S".into()).step()), (60, 1));
        assert_eq!(Format("%%S".into()).step(), 60);
    }
    proptest! {
        #[test]
        fn the_calendar_round_trips(d in -1_000_000i64..1_000_000) {
            let (y, m, day) = civil(d);
            prop_assert_eq!(from_civil(y, m, day), d);
        }
        #[test]
        fn any_time_prints(ns in any::<i64>()) {
            let mut s = String::new();
            let f = Format::parse("%A %B %j %Y").unwrap();
            f.write(WallTime::from_unix_nanos(ns), Offset(14 * 3600), Locale::default(), &mut s);
            prop_assert!(!s.is_empty());
        }
        #[test]
        fn parsers_never_panic(s in "\\PC{0,12}", iso in "[0-9T:-]{0,20}") {
            let _ = (Format::parse(&s), Offset::parse(&s), parse_iso(&s), parse_iso(&iso));
        }
    }
}
