//! What the platforms accept, as data, and a check of an encoding profile against it.

use vistter_core::diagnose::Diagnostic;
use vistter_core::media::{AudioParams, Bitrate, Codec};
use vistter_core::ports::EncoderConfig;
use vistter_core::time::MediaTime;

use crate::target::RtmpTarget;

/// A platform with rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Platform {
    /// YouTube Live.
    YouTube,
    /// Twitch.
    Twitch,
    /// Facebook Live.
    Facebook,
    /// Any other server: nothing is known of its rules.
    Custom,
}

/// Video bitrates for pictures up to a size and rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateRule {
    /// Pictures of at most this many rows.
    pub max_height: u32,
    /// Frames per second, at most.
    pub max_fps: u32,
    /// Recommended at least, if the platform says so.
    pub min: Option<Bitrate>,
    /// Recommended at most.
    pub max: Bitrate,
}

/// What one platform accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformRules {
    /// Recommended distance of keyframes.
    pub keyframe: MediaTime,
    /// The platform complains or refuses above this distance.
    pub keyframe_max: Option<MediaTime>,
    /// By picture size, smallest first. A picture beyond the last is not accepted.
    pub rates: &'static [RateRule],
    /// Nothing is shown without an audio track.
    pub audio_required: bool,
    /// AAC bitrate, at most.
    pub audio_max: Option<Bitrate>,
    /// Sample rates in Hz; empty when any will do.
    pub sample_rates: &'static [u32],
    /// Only RTMPS.
    pub tls_required: bool,
}

const fn row(max_height: u32, max_fps: u32, min: u32, max: u32) -> RateRule {
    let min = if min == 0 { None } else { Some(Bitrate::from_kbps(min)) };
    RateRule { max_height, max_fps, min, max: Bitrate::from_kbps(max) }
}

const TWO_SECONDS: MediaTime = MediaTime::from_secs(2);
const FOUR_SECONDS: MediaTime = MediaTime::from_secs(4);

const YOUTUBE: PlatformRules = PlatformRules {
    keyframe: TWO_SECONDS,
    keyframe_max: Some(FOUR_SECONDS),
    rates: &[
        row(720, 60, 0, 8_000),
        row(1080, 30, 3_000, 8_000),
        row(1080, 60, 3_000, 12_000),
        row(2160, 60, 0, 51_000),
    ],
    audio_required: true,
    audio_max: None,
    sample_rates: &[44_100, 48_000],
    tls_required: false,
};
const TWITCH: PlatformRules = PlatformRules {
    keyframe: TWO_SECONDS,
    keyframe_max: None,
    rates: &[row(1080, 60, 0, 6_000)],
    audio_required: false,
    audio_max: Some(Bitrate::from_kbps(320)),
    sample_rates: &[],
    tls_required: false,
};
const FACEBOOK: PlatformRules = PlatformRules {
    keyframe: TWO_SECONDS,
    keyframe_max: Some(FOUR_SECONDS),
    rates: &[row(720, 60, 0, 6_000), row(1080, 30, 3_000, 6_000), row(1080, 60, 4_500, 9_000)],
    audio_required: true,
    audio_max: Some(Bitrate::from_kbps(256)),
    sample_rates: &[],
    tls_required: true,
};

/// What the program sends, as far as platforms care.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// Size, rate, bitrate and keyframes.
    pub video: &'a EncoderConfig,
    /// The audio track, if there is one.
    pub audio: Option<&'a AudioParams>,
    /// Its bitrate, if known.
    pub audio_bitrate: Option<Bitrate>,
}

impl Platform {
    /// Guesses from the host name.
    pub fn of(target: &RtmpTarget) -> Self {
        Self::of_host(target.host())
    }
    /// Guesses from a host name.
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let under = |d: &str| host == d || host.strip_suffix(d).is_some_and(|h| h.ends_with('.'));
        if under("youtube.com") {
            Self::YouTube
        } else if under("twitch.tv") || under("contribute.live-video.net") {
            Self::Twitch
        } else if under("facebook.com") {
            Self::Facebook
        } else {
            Self::Custom
        }
    }
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::YouTube => "YouTube",
            Self::Twitch => "Twitch",
            Self::Facebook => "Facebook",
            Self::Custom => "this server",
        }
    }
    /// Its rules; `None` for a server of one's own.
    pub const fn rules(self) -> Option<&'static PlatformRules> {
        match self {
            Self::YouTube => Some(&YOUTUBE),
            Self::Twitch => Some(&TWITCH),
            Self::Facebook => Some(&FACEBOOK),
            Self::Custom => None,
        }
    }
    /// What this platform will not like about a profile. Warnings only: platforms change their rules, and say no
    /// themselves when they mean it.
    pub fn check(self, target: &RtmpTarget, profile: &Profile<'_>) -> Vec<Diagnostic> {
        let Some(rules) = self.rules() else { return Vec::new() };
        let (name, v) = (self.name(), profile.video);
        let mut found = Vec::new();
        let mut warn = |code, message: String, help: String| {
            found.push(Diagnostic::warning(code, "", message).help(help));
        };
        if rules.tls_required && !target.tls() {
            warn("PLATFORM-TLS", format!("{name} takes RTMPS only"), "write rtmps:// and port 443".into());
        }
        let gop = v.fps.time_of(u64::from(v.gop_frames));
        match rules.keyframe_max {
            Some(max) if gop > max => warn(
                "PLATFORM-KEYFRAME",
                format!("a keyframe every {gop}: {name} refuses more than {max}"),
                format!("set it to {}", rules.keyframe),
            ),
            // A frame more or less is rounding of NTSC rates.
            _ if gop > rules.keyframe + v.fps.frame_duration() => warn(
                "PLATFORM-KEYFRAME",
                format!("a keyframe every {gop}: {name} wants one every {}", rules.keyframe),
                format!("set it to {}", rules.keyframe),
            ),
            _ => {}
        }
        // An upright picture counts by its shorter side.
        let height = v.height.min(v.width);
        match rules.rates.iter().find(|r| height <= r.max_height && v.fps.as_f64() <= f64::from(r.max_fps) + 0.01) {
            None => warn(
                "PLATFORM-SIZE",
                format!("{name} does not take {}x{} at {} fps", v.width, v.height, v.fps),
                rules
                    .rates
                    .last()
                    .map_or(String::new(), |r| format!("at most {} rows at {} fps", r.max_height, r.max_fps)),
            ),
            Some(r) if v.bitrate > r.max => warn(
                "PLATFORM-BITRATE",
                format!("{} is more than {name} takes at this size", v.bitrate),
                format!("at most {}", r.max),
            ),
            Some(RateRule { min: Some(min), .. }) if v.bitrate < *min => warn(
                "PLATFORM-BITRATE",
                format!("{} is less than {name} wants at this size", v.bitrate),
                format!("at least {min}"),
            ),
            Some(_) => {}
        }
        match profile.audio {
            None if rules.audio_required => {
                warn("PLATFORM-AUDIO", format!("{name} shows nothing without audio"), "send a silent track".into());
            }
            Some(a) if a.codec != Codec::Aac || a.channels > 2 => warn(
                "PLATFORM-AUDIO",
                format!("{name} wants AAC in stereo, not {} with {} channels", a.codec, a.channels),
                "let the program encode it".into(),
            ),
            Some(a) if !rules.sample_rates.is_empty() && !rules.sample_rates.contains(&a.sample_rate) => warn(
                "PLATFORM-AUDIO",
                format!("{name} does not take audio at {} Hz", a.sample_rate),
                "48000 Hz suits all platforms".into(),
            ),
            _ => {}
        }
        if let (Some(b), Some(max)) = (profile.audio_bitrate, rules.audio_max)
            && b > max
        {
            warn("PLATFORM-AUDIO", format!("{b} of audio is more than {name} takes"), format!("at most {max}"));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vistter_core::ports::Effort;
    use vistter_core::time::FrameRate;

    fn video(height: u32, fps: &str, kbps: u32, gop_frames: u32) -> EncoderConfig {
        EncoderConfig {
            width: height * 16 / 9,
            height,
            fps: FrameRate::parse(fps).unwrap(),
            bitrate: Bitrate::from_kbps(kbps),
            gop_frames,
            threads: 0,
            effort: Effort::Low,
        }
    }
    fn stereo() -> AudioParams {
        AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config: bytes::Bytes::new() }
    }
    fn codes(p: Platform, scheme: &str, v: &EncoderConfig, a: Option<&AudioParams>) -> Vec<&'static str> {
        let target = RtmpTarget::parse(&format!("{scheme}://h/app/key")).unwrap();
        let profile = Profile { video: v, audio: a, audio_bitrate: Some(Bitrate::from_kbps(128)) };
        p.check(&target, &profile).iter().map(|d| d.code).collect()
    }
    const ALL: [Platform; 3] = [Platform::YouTube, Platform::Twitch, Platform::Facebook];

    #[test]
    fn hosts() {
        for (host, p) in [
            ("a.rtmps.youtube.com", Platform::YouTube),
            ("live.twitch.tv", Platform::Twitch),
            ("fra05.contribute.live-video.net", Platform::Twitch),
            ("live-api-s.facebook.com.", Platform::Facebook),
            ("notyoutube.com", Platform::Custom),
            ("youtube.com.evil.example", Platform::Custom),
            ("127.0.0.1", Platform::Custom),
        ] {
            assert_eq!(Platform::of_host(host), p, "{host}");
        }
    }
    #[test]
    fn one_encode_fits_all_three() {
        for fps in ["30", "29.97", "25"] {
            let v = video(1080, fps, 4500, if fps == "25" { 50 } else { 60 });
            for p in ALL {
                assert_eq!(codes(p, "rtmps", &v, Some(&stereo())), Vec::<&str>::new(), "{p:?} at {fps}");
            }
        }
    }
    #[test]
    fn what_is_wrong_is_found() {
        let good = video(1080, "30", 4500, 60);
        assert_eq!(codes(Platform::Facebook, "rtmp", &good, Some(&stereo())), ["PLATFORM-TLS"]);
        assert_eq!(codes(Platform::YouTube, "rtmp", &good, None), ["PLATFORM-AUDIO"]);
        assert_eq!(codes(Platform::Twitch, "rtmp", &video(1080, "60", 9000, 120), None), ["PLATFORM-BITRATE"]);
        assert_eq!(
            codes(Platform::YouTube, "rtmp", &video(1080, "30", 1000, 60), Some(&stereo())),
            ["PLATFORM-BITRATE"]
        );
        assert_eq!(codes(Platform::Twitch, "rtmp", &video(2160, "30", 6000, 60), None), ["PLATFORM-SIZE"]);
        for gop in [75, 300] {
            for p in ALL {
                assert_eq!(codes(p, "rtmps", &video(1080, "30", 4500, gop), Some(&stereo())), ["PLATFORM-KEYFRAME"]);
            }
        }
        let surround = AudioParams { channels: 6, ..stereo() };
        assert_eq!(codes(Platform::Twitch, "rtmp", &good, Some(&surround)), ["PLATFORM-AUDIO"]);
        assert!(codes(Platform::Custom, "rtmp", &video(2160, "60", 99_000, 999), None).is_empty());
    }
}
