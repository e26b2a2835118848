//! A length of show time as people write it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::{FrameRate, MediaTime};

/// A length of show time: seconds (`10`, `2.5`, `"2.5s"`) or output frames (`"75f"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Seconds, exact to the millisecond.
    Time(MediaTime),
    /// Output frames.
    Frames(u64),
}

impl Span {
    /// The longest span accepted: a week.
    pub const MAX_SECONDS: i64 = 7 * 24 * 3600;

    /// Whole seconds.
    pub const fn secs(s: i64) -> Self {
        Self::Time(MediaTime::from_secs(s))
    }
    /// Output frames, to the nearest frame.
    pub fn frames(self, fps: FrameRate) -> u64 {
        match self {
            Self::Frames(n) => n,
            Self::Time(t) => fps.frame_at(t + MediaTime::from_nanos(fps.frame_duration().nanos() / 2)),
        }
    }
    /// As time, at a frame rate.
    pub fn time(self, fps: FrameRate) -> MediaTime {
        match self {
            Self::Frames(n) => fps.time_of(n),
            Self::Time(t) => t,
        }
    }
    /// Parses `"2.5"`, `"2.5s"`, `"75f"`. `None` when it is not a span, or longer than a week.
    pub fn parse(s: &str) -> Option<Self> {
        let s = s.trim();
        if let Some(n) = s.strip_suffix('f') {
            let n: u64 = n.trim().parse().ok()?;
            return (n <= Self::MAX_SECONDS as u64 * u64::from(FrameRate::MAX_FPS)).then_some(Self::Frames(n));
        }
        let s = s.strip_suffix('s').unwrap_or(s).trim();
        let (whole, frac) = s.split_once('.').unwrap_or((s, "0"));
        if frac.is_empty() || !whole.bytes().chain(frac.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let secs: i64 = whole.parse().ok()?;
        if secs > Self::MAX_SECONDS {
            return None;
        }
        let ms = frac.bytes().chain([b'0'; 2]).take(3).fold(0, |n, digit| 10 * n + i64::from(digit - b'0'));
        Some(Self::Time(MediaTime::from_millis(secs * 1000 + ms)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(serde_json::Number),
            Text(String),
        }
        let text = match Raw::deserialize(d)? {
            Raw::Number(n) => n.to_string(),
            Raw::Text(t) => t,
        };
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "\"{text}\" is not a length of time: give seconds (10, 2.5) or frames (\"75f\"), at most a week"
            ))
        })
    }
}
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Frames(n) => s.collect_str(&format_args!("{n}f")),
            Self::Time(t) if t.millis() % 1000 == 0 => s.serialize_i64(t.millis() / 1000),
            Self::Time(t) => s.collect_str(&format_args!("{}.{:03}s", t.millis() / 1000, t.millis() % 1000)),
        }
    }
}
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Seconds (10, 2.5, \"2.5s\") or output frames (\"75f\")",
            "oneOf": [
                { "type": "number", "minimum": 0, "maximum": Self::MAX_SECONDS },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?s?$|^[0-9]+f$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_and_frames() {
        assert_eq!(Span::parse("2.5"), Some(Span::Time(MediaTime::from_millis(2500))));
        assert_eq!(Span::parse("75f"), Some(Span::Frames(75)));
        assert_eq!(Span::secs(2).frames(FrameRate::parse("29.97").unwrap()), 60);
        for bad in ["", "-1", "x", "1.", "9999999999999", "1e9", "f", "99999999999999f"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
        let s: Span = serde_json::from_str("0.04").unwrap();
        assert_eq!(s.frames(FrameRate::FPS_30), 1);
    }
}
