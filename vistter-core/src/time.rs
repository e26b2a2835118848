//! Stream time and frame rates. Wall-clock lives in [`crate::clock`]; show time is an output frame index.

use std::fmt;
use std::ops::{Add, Neg, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point or a span on a media timeline, in signed nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaTime(i64);

impl MediaTime {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// The latest time there is.
    pub const MAX: Self = Self(i64::MAX);
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);

    /// From nanoseconds.
    pub const fn from_nanos(ns: i64) -> Self {
        Self(ns)
    }
    /// From milliseconds; saturates.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }
    /// From whole seconds; saturates.
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1_000_000_000))
    }
    /// `ticks` of a clock that runs at `hz` ticks a second, rounded to nearest; saturates. `hz` of 0 gives zero.
    pub fn from_ticks(ticks: i64, hz: u32) -> Self {
        Self(scale(ticks, 1_000_000_000, i128::from(hz)))
    }
    /// In ticks of a clock that runs at `hz` ticks a second, rounded to nearest.
    pub fn ticks(self, hz: u32) -> i64 {
        scale(self.0, i128::from(hz), 1_000_000_000)
    }
    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// Milliseconds, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Seconds, for printing and statistics only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// As a `Duration`; negative becomes zero.
    pub const fn to_duration(self) -> Duration {
        if self.0 <= 0 { Duration::ZERO } else { Duration::from_nanos(self.0 as u64) }
    }
    /// Distance to another time, never negative; saturates.
    pub const fn abs_diff(self, other: Self) -> Self {
        let d = self.0.saturating_sub(other.0);
        Self(d.saturating_abs())
    }
    /// Sum, or `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

fn scale(v: i64, num: i128, den: i128) -> i64 {
    if den == 0 {
        return 0;
    }
    let n = i128::from(v) * num;
    let half = den / 2;
    let r = if n >= 0 { (n + half) / den } else { (n - half) / den };
    r.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

impl From<Duration> for MediaTime {
    fn from(d: Duration) -> Self {
        Self(i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
    }
}
impl Add for MediaTime {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self(self.0.saturating_add(o.0))
    }
}
impl Sub for MediaTime {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self(self.0.saturating_sub(o.0))
    }
}
impl Neg for MediaTime {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}
impl fmt::Debug for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.as_secs_f64())
    }
}
impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.as_secs_f64())
    }
}

/// Frames per second as an exact fraction, such as 30000/1001. Never zero.
///
/// As JSON: a whole number (`30`), or a string (`"30000/1001"`, `"29.97"` for the NTSC rates).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameRate {
    num: u32,
    den: u32,
}

impl FrameRate {
    /// 30 frames per second.
    pub const FPS_30: Self = Self { num: 30, den: 1 };
    /// The highest rate accepted, in frames per second.
    pub const MAX_FPS: u32 = 240;

    /// `num`/`den` frames per second. `None` when either is zero or the rate is above [`Self::MAX_FPS`].
    pub fn new(num: u32, den: u32) -> Option<Self> {
        if num == 0 || den == 0 || u64::from(num) > u64::from(den) * u64::from(Self::MAX_FPS) {
            return None;
        }
        let g = gcd(num, den);
        Some(Self { num: num / g, den: den / g })
    }
    /// Numerator.
    pub const fn num(self) -> u32 {
        self.num
    }
    /// Denominator.
    pub const fn den(self) -> u32 {
        self.den
    }
    /// For printing and statistics only.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
    /// Start of frame `index` on the output timeline, exact to the nanosecond (no accumulated rounding).
    pub fn time_of(self, index: u64) -> MediaTime {
        let n = u128::from(index) * u128::from(self.den) * 1_000_000_000 / u128::from(self.num);
        MediaTime(i64::try_from(n).unwrap_or(i64::MAX))
    }
    /// The frame that is on at `t`: the last one whose start is not after `t`. Negative times give 0.
    pub fn frame_at(self, t: MediaTime) -> u64 {
        if t.0 <= 0 {
            return 0;
        }
        // time_of rounds down, so the frame that starts within this nanosecond counts as started.
        let n = ((t.0 as u128 + 1) * u128::from(self.num) - 1) / (u128::from(self.den) * 1_000_000_000);
        u64::try_from(n).unwrap_or(u64::MAX)
    }
    /// Time per frame, rounded to the nanosecond.
    pub fn frame_duration(self) -> MediaTime {
        MediaTime((1_000_000_000 * u64::from(self.den) / u64::from(self.num)) as i64)
    }
    /// Parses `"30"`, `"30000/1001"`, `"29.97"`, `"59.94"`, `"23.976"`.
    pub fn parse(s: &str) -> Option<Self> {
        let s = s.trim();
        match s {
            "29.97" => return Self::new(30000, 1001),
            "59.94" => return Self::new(60000, 1001),
            "23.976" | "23.98" => return Self::new(24000, 1001),
            _ => {}
        }
        if let Some((n, d)) = s.split_once('/') {
            return Self::new(n.trim().parse().ok()?, d.trim().parse().ok()?);
        }
        if let Some((i, f)) = s.split_once('.') {
            if f.is_empty() || f.len() > 4 || !f.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let den = 10u32.pow(f.len() as u32);
            let whole: u32 = i.parse().ok()?;
            return Self::new(whole.checked_mul(den)?.checked_add(f.parse().ok()?)?, den);
        }
        Self::new(s.parse().ok()?, 1)
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl fmt::Debug for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}
impl Serialize for FrameRate {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.den == 1 { s.serialize_u32(self.num) } else { s.collect_str(self) }
    }
}
impl<'de> Deserialize<'de> for FrameRate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Whole(u32),
            Real(f64),
            Text(String),
        }
        let r = match Raw::deserialize(d)? {
            Raw::Whole(n) => Self::new(n, 1),
            Raw::Real(x) => Self::parse(&x.to_string()),
            Raw::Text(t) => Self::parse(&t),
        };
        r.ok_or_else(|| {
            serde::de::Error::custom(format!(
                "not a frame rate: give frames per second up to {}, such as 30, 29.97 or \"30000/1001\"",
                Self::MAX_FPS
            ))
        })
    }
}
#[cfg(feature = "schema")]
impl schemars::JsonSchema for FrameRate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FrameRate".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Frames per second: 30, 29.97 or \"30000/1001\"",
            "oneOf": [
                { "type": "number", "exclusiveMinimum": 0, "maximum": Self::MAX_FPS },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,4})?$|^[0-9]+/[0-9]+$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ntsc_does_not_drift() {
        let r = FrameRate::new(30000, 1001).unwrap();
        assert_eq!(r.time_of(30000), MediaTime::from_secs(1001));
        assert_eq!(FrameRate::parse("29.97"), Some(r));
        assert_eq!(r.time_of(1).ticks(90_000), 3003);
    }

    proptest! {
        #[test]
        fn frame_at_inverts_time_of(n in 0u64..10_000_000, num in 1u32..240_000, den in 1u32..1002) {
            if let Some(r) = FrameRate::new(num, den) {
                prop_assert_eq!(r.frame_at(r.time_of(n)), n);
            }
        }
        #[test]
        fn ticks_round_trip(t in -(1i64 << 46)..(1i64 << 46)) {
            prop_assert_eq!(MediaTime::from_ticks(t, 90_000).ticks(90_000), t);
        }
        #[test]
        fn parse_never_panics(s in "\\PC{0,20}") { let _ = FrameRate::parse(&s); }
    }
}
