//! Points and lengths of time: `2.5`, `t+2s500ms`, `75f`, `00:01:23.500`, `00:01:23:15`, `00:01:23;15`.
//!
//! Everything is whole numbers: milliseconds, frames of the output, or frames of the document's own rate, which become
//! nanoseconds by one division that is rounded once (the error of half a nanosecond is far below half a frame, so a
//! frame number comes out as the same frame number at the same rate).

use vistter_core::config::Span;
use vistter_core::time::{FrameRate, MediaTime};

/// Reads a time. `rate` is what the document's timecodes count in.
///
/// # Errors
/// What is wrong, and what to write.
pub(crate) fn parse(text: &str, rate: Option<FrameRate>) -> Result<Span, (String, String)> {
    let s = text.trim();
    let s = s.strip_prefix("t+").unwrap_or(s).trim();
    if s.contains(':') {
        return clock(s, rate);
    }
    Span::parse(s).or_else(|| units(s)).ok_or_else(|| {
        let help = "give seconds (2, 0.5, \"0.5s\", \"2s500ms\"), frames (\"15f\") or a time (\"00:01:23.500\"), from 0 to a week";
        (format!("\"{text}\" is not a time"), help.to_owned())
    })
}

/// `1h2m3s500ms`: each unit once at most, the greater ones first.
fn units(s: &str) -> Option<Span> {
    const UNITS: [(&str, i64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
    let (mut rest, mut left, mut total) = (s, &UNITS[..], 0i64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let n: i64 = rest[..digits].parse().ok()?;
        let tail = &rest[digits..];
        let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
        let i = left.iter().position(|(name, _)| *name == &tail[..letters])?;
        total = total.checked_add(n.checked_mul(left[i].1)?)?;
        left = &left[i + 1..];
        rest = &tail[letters..];
    }
    (!s.is_empty() && total <= Span::MAX_SECONDS * 1000).then(|| Span::Time(MediaTime::from_millis(total)))
}

/// `hh:mm:ss`, with a fraction of a second, or with a frame after `:` or, in drop-frame, `;`.
fn clock(s: &str, rate: Option<FrameRate>) -> Result<Span, (String, String)> {
    let wrong = |what: String, help: &str| Err((what, help.to_owned()));
    let shape = || {
        let help = "write hours, minutes and seconds with two digits each: 00:01:23.500, or with a frame 00:01:23:15";
        wrong(format!("\"{s}\" is not a time"), help)
    };
    let two = |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u64>().ok())?;
    let (body, drop_frame, frame) = match (s.split_once(';'), s.matches(':').count()) {
        (Some((body, f)), _) => (body, true, Some(f)),
        (None, 3) => s.rsplit_once(':').map_or((s, false, None), |(body, f)| (body, false, Some(f))),
        _ => (s, false, None),
    };
    let (body, fraction) = match (body.split_once('.'), frame) {
        (Some((b, f)), None) => (b, f),
        (Some(_), Some(_)) => return shape(),
        (None, _) => (body, "0"),
    };
    let mut fields = body.split(':');
    let (h, m, sec) = (fields.next().and_then(two), fields.next().and_then(two), fields.next().and_then(two));
    let (Some(h), Some(m), Some(sec), None) = (h, m, sec, fields.next()) else { return shape() };
    if m > 59 || sec > 59 {
        return wrong(format!("\"{s}\" has no such minute or second"), "minutes and seconds go from 00 to 59");
    }
    let seconds = h * 3600 + m * 60 + sec;
    let Some(frame) = frame else {
        let millis = (!fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit()))
            .then(|| format!("{fraction:0<3}").get(..3)?.parse::<u64>().ok());
        let Some(Some(millis)) = millis else { return shape() };
        let total = i64::try_from(seconds * 1000 + millis).unwrap_or(i64::MAX);
        return Ok(Span::Time(MediaTime::from_millis(total)));
    };
    let Some(frame) = two(frame) else { return shape() };
    let Some(rate) = rate else {
        return wrong(
            format!("the timecode \"{s}\" counts frames, and the document does not say how many there are in a second"),
            "write \"timeline\": { \"frameRate\": \"30000/1001\" }",
        );
    };
    // The number of frames a timecode counts in a second: 30 for 30000/1001.
    let nominal = u64::from(rate.num().div_ceil(rate.den()));
    if frame >= nominal {
        return wrong(format!("\"{s}\" has no such frame"), &format!("frames go from 00 to {:02}", nominal - 1));
    }
    let mut index = seconds * nominal + frame;
    if drop_frame {
        // SMPTE ST 12-1 §5.2: at 30000/1001 the numbers 00 and 01 are left out each minute but every tenth (four
        // numbers at 60000/1001), so that timecode keeps up with the clock.
        let dropped = match (rate.num(), rate.den()) {
            (30_000, 1001) => 2,
            (60_000, 1001) => 4,
            _ => {
                let help = "write \":\" before the frame; only 30000/1001 and 60000/1001 have drop-frame timecode";
                return wrong(format!("\"{s}\" is drop-frame timecode"), help);
            }
        };
        if sec == 0 && m % 10 != 0 && frame < dropped {
            return wrong(
                format!("\"{s}\" is left out in drop-frame timecode"),
                &format!("the first frame of that minute is {dropped:02}"),
            );
        }
        let minutes = h * 60 + m;
        index -= dropped * (minutes - minutes / 10);
    }
    Ok(Span::Time(rate.time_of(index)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ntsc() -> FrameRate {
        FrameRate::new(30_000, 1001).unwrap()
    }
    fn pal() -> FrameRate {
        FrameRate::new(25, 1).unwrap()
    }

    fn ms(s: &str) -> i64 {
        match parse(s, Some(pal())) {
            Ok(Span::Time(t)) => t.millis(),
            other => panic!("{s}: {other:?}"),
        }
    }

    #[test]
    fn every_form() {
        for (s, want) in [
            ("2.5", 2500),
            ("t+2.5", 2500),
            ("t+2s500ms", 2500),
            ("2s500ms", 2500),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1h1ms", 3_600_001),
            ("00:01:23.500", 83_500),
            ("t+00:01:23", 83_000),
            ("00:01:23:15", 83_600),
            ("00:00:00.25", 250),
        ] {
            assert_eq!(ms(s), want, "{s}");
        }
        assert_eq!(parse("t+75f", None), Ok(Span::Frames(75)));
        for bad in [
            "",
            "t+",
            "-1",
            "1.5.2",
            "5s2m",
            "2s2s",
            "1x",
            "1:2:3",
            "00:60:00",
            "00:00:61",
            "00:00:00:25",
            "00:00:00.",
            "00:00:00;01",
            "00:00:00.5:01",
            "00:00:00:00:00",
            "9999999999999999h",
            "t+t+1",
        ] {
            assert!(parse(bad, Some(pal())).is_err(), "{bad}");
        }
        assert!(parse("00:00:01:02", None).unwrap_err().1.contains("frameRate"));
    }
    /// The frame that a timecode names is that frame of an output at the same rate.
    #[test]
    fn drop_frame() {
        let frame = |s: &str| parse(s, Some(ntsc())).map(|span| span.frames(ntsc()));
        for (s, want) in [
            ("00:00:59;29", 1799),
            ("00:01:00;02", 1800),
            ("00:09:59;29", 17_981),
            ("00:10:00;00", 17_982),
            ("01:00:00;00", 107_892),
            ("01:00:00:00", 108_000),
        ] {
            assert_eq!(frame(s), Ok(want), "{s}");
        }
        assert!(frame("00:01:00;01").unwrap_err().1.contains("02"));
        // an hour of drop-frame timecode is an hour of the clock but for less than four milliseconds
        let Ok(Span::Time(t)) = parse("01:00:00;00", Some(ntsc())) else { panic!() };
        assert!((t.millis() - 3_600_000).abs() <= 4);
    }
    proptest! {
        #[test]
        fn any_text(s in "[0-9tfhms+:;. -]{0,16}") { let _ = (parse(&s, None), parse(&s, Some(ntsc()))); }
        /// Drop-frame timecode counts up without a gap or a step back.
        #[test]
        fn drop_frame_counts_every_frame(minute in 0u64..120) {
            let name = |m: u64, s: u64, f: u64| format!("{:02}:{:02}:{s:02};{f:02}", m / 60, m % 60);
            let at = |s: String| parse(&s, Some(ntsc())).map(|span| span.frames(ntsc()));
            let next = minute + 1;
            let first = if next % 10 == 0 { 0 } else { 2 };
            prop_assert_eq!(at(name(next, 0, first)), at(name(minute, 59, 29)).map(|f| f + 1));
        }
    }
}
