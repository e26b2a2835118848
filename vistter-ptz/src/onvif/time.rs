//! Calendar and Unix time, as far as ONVIF needs them.

use vistter_core::clock::WallTime;

use super::xml::Element;

/// `2026-11-21T15:11:00.000Z`.
pub(crate) fn iso8601(t: WallTime) -> String {
    let secs = t.unix_secs();
    let ms = t.unix_nanos().rem_euclid(1_000_000_000) / 1_000_000;
    let (y, m, d) = civil(secs.div_euclid(86_400));
    let s = secs.rem_euclid(86_400);
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}

/// A `tt:DateTime` (`Date/Year…`, `Time/Hour…`), read as UTC. `None` when it is no time.
pub(crate) fn date_time(e: &Element) -> Option<WallTime> {
    let part = |path: [&str; 2], lo: i64, hi: i64| -> Option<i64> {
        e.text_at(&path)?.trim().parse().ok().filter(|v| (lo..=hi).contains(v))
    };
    let days =
        days(part(["Date", "Year"], 1970, 2200)?, part(["Date", "Month"], 1, 12)?, part(["Date", "Day"], 1, 31)?);
    let time = part(["Time", "Hour"], 0, 23)? * 3600
        + part(["Time", "Minute"], 0, 59)? * 60
        + part(["Time", "Second"], 0, 60)?;
    Some(WallTime::from_unix_nanos((days * 86_400 + time) * 1_000_000_000))
}

/// The elements of a `tt:DateTime`, as a device writes them.
#[cfg(any(test, feature = "sim"))]
pub(crate) fn write_date_time(t: WallTime) -> String {
    let (secs, (y, m, d)) = (t.unix_secs().rem_euclid(86_400), civil(t.unix_secs().div_euclid(86_400)));
    format!(
        "<tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time>\
         <tt:Date><tt:Year>{y}</tt:Year><tt:Month>{m}</tt:Month><tt:Day>{d}</tt:Day></tt:Date>",
        secs / 3600,
        secs / 60 % 60,
        secs % 60
    )
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, counted from 1 March so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let (month, day) = (if m < 10 { m + 3 } else { m - 9 }, of_year - (153 * m + 2) / 5 + 1);
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_days() {
        let iso = |s: i64| iso8601(WallTime::from_unix_nanos(s * 1_000_000_000));
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso(1_795_273_860), "2026-11-21T15:11:00.000Z");
    }
    proptest! {
        #[test]
        fn a_time_survives_the_device(secs in 0i64..7_000_000_000) {
            let t = WallTime::from_unix_nanos(secs * 1_000_000_000);
            let e = Element::parse(format!("<x>{}</x>", write_date_time(t)).as_bytes()).unwrap();
            prop_assert_eq!(date_time(&e), Some(t));
        }
    }
}
