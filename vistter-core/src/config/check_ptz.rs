//! What types cannot say about cameras that a show moves, and about the presets of its shots.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::check::{MAX_ITEMS, check_pin, limit, scheme};
use super::show::{CameraConfig, Shot};
use super::{HealthRules, Span};
use crate::diagnose::Diagnostic;
use crate::ports::PtzPosition;
use crate::time::{FrameRate, MediaTime};

/// The longest delay between motion and picture, in milliseconds.
const MAX_LAG_MS: u32 = 5_000;
/// How often a camera may be asked whether it is there.
const HEALTH_EVERY: RangeInclusive<MediaTime> = MediaTime::from_secs(2)..=MediaTime::from_secs(3600);
/// How many unanswered questions may make it offline.
const HEALTH_MISSES: RangeInclusive<u32> = 1..=100;
/// Longest name of a preset, in characters.
const NAME_LENGTH: usize = 64;

pub(super) fn check_camera(c: &CameraConfig, fps: FrameRate, at: &str, found: &mut Vec<Diagnostic>) {
    limit(&format!("{at}/presets"), c.presets.len(), found);
    let Some(ptz) = &c.ptz else {
        if !c.presets.is_empty() {
            found.push(
                Diagnostic::error(
                    "SHOW-PTZ",
                    format!("{at}/presets"),
                    "there are presets, and nothing moves this camera",
                )
                .help(r#"add "ptz": { "url": "onvif://…" }"#),
            );
        }
        return;
    };
    let here = format!("{at}/ptz");
    scheme(&ptz.url, &["onvif", "http", "https", "visca", "visca-tcp"], &here, found);
    let user = ptz.user.is_some() || ptz.url.credentials().is_some();
    if ptz.password.is_some() && !user && c.user.is_none() && c.url.credentials().is_none() {
        found.push(
            Diagnostic::error("SHOW-USER", format!("{here}/password"), "there is a password and no user")
                .help("add \"user\""),
        );
    }
    if ptz.picture_lag_ms > MAX_LAG_MS {
        found.push(Diagnostic::error(
            "SHOW-DELAY",
            format!("{here}/picture_lag_ms"),
            format!("{} ms is more than {MAX_LAG_MS}", ptz.picture_lag_ms),
        ));
    }
    check_pin(ptz.tls_pin.as_deref(), &ptz.url, "https", &here, found);
    if ptz.url.scheme() == "https" && ptz.tls_pin.is_none() {
        found.push(
            Diagnostic::warning("SHOW-PIN", format!("{here}/url"), "whoever answers first there gets the password")
                .help(
                    "add \"tls_pin\", the SHA-256 of the camera's certificate: `vistter onboard https://…` prints it",
                ),
        );
    }
    check_health(&ptz.health, fps, &format!("{here}/health"), found);
    let by_number = ptz.url.scheme().starts_with("visca");
    let mut seen = HashSet::new();
    for (i, p) in c.presets.iter().enumerate().take(MAX_ITEMS) {
        let at = format!("{at}/presets/{i}");
        let length = p.name.chars().count();
        if !(1..=NAME_LENGTH).contains(&length) || p.name.trim() != p.name || p.name.chars().any(char::is_control) {
            found.push(
                Diagnostic::error("SHOW-ID", format!("{at}/name"), "this name cannot be used")
                    .help(format!("1 to {NAME_LENGTH} characters, without space at the ends")),
            );
        } else if !seen.insert(&p.name) {
            found.push(
                Diagnostic::error(
                    "SHOW-DUPLICATE-ID",
                    format!("{at}/name"),
                    format!("the preset \"{}\" stands twice at this camera", p.name),
                )
                .help("give each its own name"),
            );
        }
        if p.position.is_some_and(|p| !inside(&p)) {
            found.push(
                Diagnostic::error("SHOW-POSITION", format!("{at}/position"), "this position is outside the range")
                    .help("pan and tilt are from -1 to 1, zoom from 0 to 1"),
            );
        }
        if by_number && p.token.is_none() && p.position.is_none() {
            found.push(
                Diagnostic::error("SHOW-PRESET", at, "a VISCA camera has no names for its presets")
                    .help("add \"token\": the preset's number, or a position"),
            );
        }
    }
}

fn check_health(health: &HealthRules, fps: FrameRate, at: &str, found: &mut Vec<Diagnostic>) {
    let every = match health.every {
        Span::Time(t) => t,
        Span::Frames(n) => fps.time_of(n),
    };
    if !HEALTH_EVERY.contains(&every) {
        found.push(
            Diagnostic::error("SHOW-HEALTH", format!("{at}/every"), "this is not from 2 seconds to an hour")
                .help("10 suits most cameras; more often keeps small ones busy"),
        );
    }
    if !HEALTH_MISSES.contains(&health.misses) {
        let (lo, hi) = (HEALTH_MISSES.start(), HEALTH_MISSES.end());
        let text = format!("{} is outside {lo} to {hi}", health.misses);
        found.push(Diagnostic::error("SHOW-HEALTH", format!("{at}/misses"), text).help("write 3"));
    }
}

/// A shot of a camera that exists.
pub(super) fn check_shot(s: &Shot, camera: &CameraConfig, at: &str, found: &mut Vec<Diagnostic>) {
    let Some(preset) = &s.preset else {
        for (is, name) in [(s.late.is_some(), "late"), (s.same_camera.is_some(), "same_camera")] {
            if is {
                let text = format!("\"{name}\" has no effect without a preset");
                found.push(Diagnostic::warning("SHOW-PTZ", format!("{at}/{name}"), text).help("add \"preset\""));
            }
        }
        return;
    };
    let at = format!("{at}/preset");
    if camera.ptz.is_none() {
        found.push(
            Diagnostic::error("SHOW-PTZ", at, format!("nothing moves camera \"{}\"", camera.id))
                .help(r#"add "ptz" to the camera, or take "preset" out of the shot"#),
        );
    } else if !camera.presets.iter().any(|p| p.name == *preset) {
        let text = format!("camera \"{}\" has no preset \"{preset}\"", camera.id);
        let names = camera.presets.iter().map(|p| p.name.as_str());
        found.push(Diagnostic::error("SHOW-UNKNOWN-PRESET", at, text).suggest(preset, names));
    }
}

fn inside(p: &PtzPosition) -> bool {
    (-1.0..=1.0).contains(&p.pan) && (-1.0..=1.0).contains(&p.tilt) && (0.0..=1.0).contains(&p.zoom)
}

#[cfg(test)]
mod tests {
    use crate::config::ShowConfig;
    use crate::diagnose::Severity;

    #[test]
    fn everything_wrong_with_presets_at_once() {
        let text = r#"{ "vistter": 1, "cameras": [
 { "id": "a", "url": "rtsp://192.0.2.1/", "presets": [ { "name": "x" } ] },
 { "id": "b", "url": "rtsp://192.0.2.1/", "ptz": { "url": "rtsp://192.0.2.1", "password": "hunter2", "picture_lag_ms": 9000 },
   "presets": [ { "name": "pulpit" }, { "name": "pulpit" }, { "name": " " },
                { "name": "far", "position": { "pan": 2, "tilt": 0, "zoom": 0 } } ] },
 { "id": "c", "url": "rtsp://192.0.2.1/", "ptz": { "url": "visca://192.0.2.1" }, "presets": [ { "name": "one" } ] },
 { "id": "d", "url": "rtsp://192.0.2.1/" } ],
 "timeline": { "shots": [
 { "camera": "b", "preset": "pulpti", "for": 5 }, { "camera": "d", "preset": "pulpit", "for": 5 },
 { "camera": "d", "late": "cut", "for": 5 } ] },
 "recording": { "file": "a.mp4" } }"#;
        let found = ShowConfig::from_json(text).unwrap_err();
        let said: Vec<_> = found.iter().map(|d| (d.code, d.pointer.as_str(), d.place.unwrap().line)).collect();
        assert_eq!(
            said,
            [
                ("SHOW-PTZ", "/cameras/0/presets", 2),
                ("SHOW-SCHEME", "/cameras/1/ptz/url", 3),
                ("SHOW-USER", "/cameras/1/ptz/password", 3),
                ("SHOW-DELAY", "/cameras/1/ptz/picture_lag_ms", 3),
                ("SHOW-DUPLICATE-ID", "/cameras/1/presets/1/name", 4),
                ("SHOW-ID", "/cameras/1/presets/2/name", 4),
                ("SHOW-POSITION", "/cameras/1/presets/3/position", 5),
                ("SHOW-PRESET", "/cameras/2/presets/0", 6),
                ("SHOW-UNKNOWN-PRESET", "/timeline/shots/0/preset", 9),
                ("SHOW-PTZ", "/timeline/shots/1/preset", 9),
                ("SHOW-PTZ", "/timeline/shots/2/late", 10),
            ]
        );
        assert_eq!(found[8].help.as_deref(), Some("did you mean \"pulpit\"?"));
        assert_eq!(found[10].severity, Severity::Warning);
        assert!(found.iter().all(|d| !d.to_string().contains("hunter2")), "{found:?}");
    }
    #[test]
    fn health_and_pins_of_heads() {
        let show = |ptz: &str| {
            format!(r#"{{ "vistter": 1, "cameras": [ {{ "id": "a", "url": "rtsp://h/", "ptz": {{ {ptz} }} }} ] }}"#)
        };
        let pin = "0a".repeat(32);
        for (ptz, want) in [
            (
                r#""url": "onvif://h", "health": { "every": 1, "misses": 0 }"#,
                vec!["every SHOW-HEALTH", "misses SHOW-HEALTH"],
            ),
            (
                r#""url": "onvif://h", "health": { "every": "7200s", "misses": 101 }"#,
                vec!["every SHOW-HEALTH", "misses SHOW-HEALTH"],
            ),
            (r#""url": "onvif://h", "health": { "evry": 5 }"#, vec!["evry SHOW-INVALID"]),
            (r#""url": "onvif://h", "health": { "every": "60f", "misses": 100 }"#, vec![]),
            (r#""url": "https://h""#, vec!["url SHOW-PIN"]),
            (&format!(r#""url": "https://h", "tls_pin": "{pin}""#), vec![]),
            (&format!(r#""url": "onvif://h", "tls_pin": "{pin}""#), vec!["tls_pin SHOW-PIN"]),
            (r#""url": "https://h", "tls_pin": "abc""#, vec!["tls_pin SHOW-PIN"]),
        ] {
            let found = match ShowConfig::from_json(&show(ptz)) {
                Ok((_, warnings)) => warnings,
                Err(found) => found,
            };
            let about = found.iter().filter(|d| d.pointer.starts_with("/cameras"));
            let said: Vec<String> =
                about.map(|d| format!("{} {}", d.pointer.rsplit('/').next().unwrap(), d.code)).collect();
            assert_eq!(said, want, "{ptz}");
            assert!(found.iter().all(|d| d.help.is_some()), "{found:?}");
        }
    }
    #[test]
    fn slips_in_a_preset_are_found_by_name() {
        let text = r#"{ "vistter": 1, "cameras": [ { "id": "b", "url": "rtsp://h/", "ptz": { "ulr": "onvif://h" },
   "presets": [ { "nam": "pulpit" }, { "name": "x", "position": { "pan": 0 } } ] } ] }"#;
        let found = ShowConfig::from_json(text).unwrap_err();
        let said: Vec<_> =
            found.iter().map(|d| (d.pointer.as_str(), d.help.as_deref().unwrap_or(&d.message))).collect();
        assert_eq!(said[0], ("/cameras/0/ptz/ulr", "did you mean \"url\"?"));
        assert_eq!(said[1], ("/cameras/0/presets/0/nam", "did you mean \"name\"?"));
        assert!(said[2].0 == "/cameras/0/presets/1/position" && said[2].1.contains("tilt"), "{said:?}");
    }
    #[test]
    fn the_head_has_secrets_from_the_environment_too() {
        let text = r#"{"vistter":1,"cameras":[{"id":"a","url":"rtsp://h/","ptz":{"url":"onvif://h","user":"u","password":{"env":"PTZ"}}}]}"#;
        let (show, _) = ShowConfig::from_json_with(text, &|n| (n == "PTZ").then(|| "abcd".to_owned())).unwrap();
        assert_eq!(show.cameras[0].ptz.as_ref().unwrap().password.as_ref().unwrap().expose(), "abcd");
        let found = ShowConfig::from_json_with(text, &|_| None).unwrap_err();
        assert_eq!((found[0].code, found[0].pointer.as_str()), ("SHOW-ENV", "/cameras/0/ptz/password"));
    }
}
