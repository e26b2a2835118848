//! What types cannot say about a show: ids that must be unique or known, sizes, rates, lengths.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::show::{AudioConfig, CameraConfig, DestinationConfig, ShowConfig};
use super::{Address, Push, Span, Transport, check_ptz};
use crate::diagnose::{Diagnostic, Severity};
use crate::time::MediaTime;

/// Width and height of the program, in pixels.
pub const SIDE: RangeInclusive<u32> = 16..=4096;
/// The highest output rate, in frames per second.
pub const FPS_MAX: u32 = 60;
/// Video bitrate, in kbit/s.
pub const BITRATE_KBPS: RangeInclusive<u32> = 100..=60_000;
/// The longest wait against network jitter, in milliseconds.
pub const MAX_DELAY_MS: u32 = 1_000;
/// The id of the recording among the outputs: no destination can have it beside a recording.
pub const RECORDING_ID: &str = "recording";
/// Longest id, in characters.
const ID_LENGTH: usize = 64;
/// Most items in one list: a limit for machines, not for people.
pub(super) const MAX_ITEMS: usize = 1_000;

impl ShowConfig {
    /// Everything that is wrong or odd in a show, at once. Errors make it unusable; warnings do not.
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.vistter != 1 {
            found.push(
                Diagnostic::error("SHOW-VERSION", "/vistter", format!("file format {} is unknown", self.vistter))
                    .help("this program reads format 1"),
            );
        }
        self.check_program(&mut found);
        ids("cameras", self.cameras.iter().map(|c| c.id.as_str()), &mut found);
        ids("overlays", self.overlays.iter().map(|o| o.id.as_str()), &mut found);
        ids("destinations", self.destinations.iter().map(|d| d.id.as_str()), &mut found);
        for (i, c) in self.cameras.iter().enumerate() {
            let at = format!("/cameras/{i}");
            check_camera(c, &at, &mut found);
            check_ptz::check_camera(c, self.program.fps, &at, &mut found);
        }
        for (i, p) in self.cameras.iter().enumerate().filter(|(_, c)| c.url.scheme() == "rtmp") {
            let of = |c: &CameraConfig| Push::new(&c.url, c.key.as_ref()).ok();
            if of(p).is_some_and(|own| self.cameras[..i].iter().filter_map(of).any(|o| o == own)) {
                found.push(
                    Diagnostic::error(
                        "SHOW-DUPLICATE",
                        format!("/cameras/{i}/url"),
                        "two encoders push to this address and key",
                    )
                    .help("give each its own key"),
                );
            }
        }
        for (i, o) in self.overlays.iter().enumerate() {
            if o.file.as_os_str().is_empty() {
                found.push(Diagnostic::error("SHOW-EMPTY", format!("/overlays/{i}/file"), "the file has no name"));
            }
        }
        self.check_timeline(&mut found);
        self.check_ends(&mut found);
        found
    }

    /// Whether [`Self::check`] finds no error.
    pub fn is_valid(&self) -> bool {
        self.check().iter().all(|d| d.severity != Severity::Error)
    }

    fn check_program(&self, found: &mut Vec<Diagnostic>) {
        let p = &self.program;
        for (name, n) in [("width", p.width), ("height", p.height)] {
            let at = format!("/program/{name}");
            if !SIDE.contains(&n) {
                let (lo, hi) = (SIDE.start(), SIDE.end());
                found.push(Diagnostic::error("SHOW-SIZE", at, format!("{name} {n} is outside {lo} to {hi} pixels")));
            } else if n % 2 != 0 {
                found.push(
                    Diagnostic::error("SHOW-SIZE", at, format!("{name} {n} is odd: colour is stored for 2x2 pixels"))
                        .help(format!("write {} or {}", n - 1, n + 1)),
                );
            }
        }
        if p.fps.as_f64() > f64::from(FPS_MAX) || p.fps.as_f64() < 1.0 {
            found.push(
                Diagnostic::error(
                    "SHOW-FPS",
                    "/program/fps",
                    format!("{} frames per second is outside 1 to 60", p.fps),
                )
                .help("platforms take 25, 30, 50 or 60"),
            );
        }
        if !BITRATE_KBPS.contains(&p.bitrate_kbps) {
            let (lo, hi) = (BITRATE_KBPS.start(), BITRATE_KBPS.end());
            found.push(
                Diagnostic::error(
                    "SHOW-BITRATE",
                    "/program/bitrate_kbps",
                    format!("{} kbit/s is outside {lo} to {hi}", p.bitrate_kbps),
                )
                .help("4500 suits 1080p30 on every platform; the unit is kbit/s"),
            );
        }
        let at = "/program/keyframe";
        match p.keyframe.frames(p.fps) {
            0 => found.push(zero(at)),
            _ if length(p.keyframe, self) > MediaTime::from_secs(10) => {
                found.push(Diagnostic::error("SHOW-KEYFRAME", at, "keyframes are more than 10 s apart").help("write 2"))
            }
            _ if length(p.keyframe, self) > MediaTime::from_secs(4) => found.push(
                Diagnostic::warning("SHOW-KEYFRAME", at, "YouTube and Facebook refuse keyframes more than 4 s apart")
                    .help("write 2"),
            ),
            _ => {}
        }
        if p.delay_ms > MAX_DELAY_MS {
            found.push(Diagnostic::error(
                "SHOW-DELAY",
                "/program/delay_ms",
                format!("{} ms is more than {MAX_DELAY_MS}", p.delay_ms),
            ));
        }
    }

    fn check_timeline(&self, found: &mut Vec<Diagnostic>) {
        let t = &self.timeline;
        let cameras = || self.cameras.iter().map(|c| c.id.as_str());
        let overlays = || self.overlays.iter().map(|o| o.id.as_str());
        let unknown_camera = |at: String, id: &str| {
            Diagnostic::error("SHOW-UNKNOWN-CAMERA", at, format!("no camera has the id \"{id}\""))
                .suggest(id, cameras())
        };
        limit("/timeline/shots", t.shots.len(), found);
        limit("/timeline/overlays", t.overlays.len(), found);
        for (i, s) in t.shots.iter().enumerate() {
            match self.cameras.iter().find(|c| c.id == s.camera) {
                Some(c) => check_ptz::check_shot(s, c, &format!("/timeline/shots/{i}"), found),
                None => found.push(unknown_camera(format!("/timeline/shots/{i}/camera"), &s.camera)),
            }
            if s.length.frames(self.program.fps) == 0 {
                found.push(zero(&format!("/timeline/shots/{i}/for")));
            }
        }
        let total = t.shots.iter().fold(0u64, |n, s| n.saturating_add(s.length.frames(self.program.fps)));
        for (i, c) in t.overlays.iter().enumerate() {
            let at = format!("/timeline/overlays/{i}");
            if !overlays().any(|o| o == c.overlay) {
                found.push(
                    Diagnostic::error(
                        "SHOW-UNKNOWN-OVERLAY",
                        format!("{at}/overlay"),
                        format!("no overlay has the id \"{}\"", c.overlay),
                    )
                    .suggest(&c.overlay, overlays()),
                );
            }
            if c.length.is_some_and(|l| l.frames(self.program.fps) == 0) {
                found.push(zero(&format!("{at}/for")));
            }
            if t.looped && total > 0 && c.at.is_some_and(|a| a.frames(self.program.fps) >= total) {
                found.push(Diagnostic::warning(
                    "SHOW-NEVER",
                    format!("{at}/at"),
                    "this overlay never comes on: the timeline starts again before",
                ));
            }
        }
        limit("/timeline/actions", t.actions.len(), found);
        let names: Vec<&str> = overlays().collect();
        crate::timeline::acts::plan(t, &names, self.program.fps, found);
        for (i, o) in self.overlays.iter().enumerate() {
            if !t.overlays.iter().any(|c| c.overlay == o.id) {
                found.push(
                    Diagnostic::warning(
                        "SHOW-UNUSED",
                        format!("/overlays/{i}/id"),
                        format!("overlay \"{}\" has no cue", o.id),
                    )
                    .help("add it to timeline.overlays, or show it by command"),
                );
            }
        }
        if let Some(b) = t.backup.as_deref().filter(|b| !cameras().any(|c| c == *b)) {
            found.push(unknown_camera("/timeline/backup".into(), b));
        }
        if t.looped && t.shots.is_empty() {
            found.push(Diagnostic::warning("SHOW-EMPTY", "/timeline/loop", "there are no shots to loop over"));
        }
        if t.stop_after.is_some_and(|s| s.frames(self.program.fps) == 0) {
            found.push(zero("/timeline/stop_after"));
        }
        if let AudioConfig::Camera { camera } = &self.audio
            && !cameras().any(|c| c == camera)
        {
            found.push(unknown_camera("/audio/camera".into(), camera));
        }
    }

    fn check_ends(&self, found: &mut Vec<Diagnostic>) {
        if self.cameras.is_empty() {
            found.push(Diagnostic::warning("SHOW-EMPTY", "/cameras", "no camera: viewers see the slate"));
        } else if self.timeline.shots.is_empty() {
            found.push(
                Diagnostic::warning("SHOW-EMPTY", "/timeline/shots", "no shots: the first camera stays on air")
                    .help(r#"write "timeline": { "shots": [ { "camera": "…", "for": 10 } ] }"#),
            );
        }
        if self.destinations.is_empty() && self.recording.is_none() {
            found.push(
                Diagnostic::warning("SHOW-EMPTY", "/destinations", "the program goes nowhere")
                    .help("add a destination or a recording"),
            );
        }
        for (i, d) in self.destinations.iter().enumerate() {
            let at = format!("/destinations/{i}");
            check_destination(d, &at, found);
            if self.recording.is_some() && d.id == RECORDING_ID {
                found.push(
                    Diagnostic::error("SHOW-DUPLICATE-ID", format!("{at}/id"), "this id is the recording's own")
                        .help("give the destination another id"),
                );
            }
            if self.destinations[..i].iter().any(|o| o.url == d.url && o.key == d.key) {
                found.push(
                    Diagnostic::error("SHOW-DUPLICATE", format!("{at}/url"), "two destinations have this URL and key")
                        .help("a server takes a key once: remove one of the two"),
                );
            }
        }
        if let Some(r) = &self.recording {
            let at = "/recording/file";
            if r.file.file_name().is_none() {
                found.push(Diagnostic::error("SHOW-EMPTY", at, "the recording has no file name"));
            } else if r.file.extension().is_none_or(|e| !e.eq_ignore_ascii_case("mp4")) {
                found.push(
                    Diagnostic::warning("SHOW-FILE", at, "the recording is MP4, the name says something else")
                        .help("end it in .mp4"),
                );
            }
        }
    }
}

fn check_camera(c: &CameraConfig, at: &str, found: &mut Vec<Diagnostic>) {
    scheme(&c.url, &["rtsp", "rtsps", "rtmp"], at, found);
    if c.url.scheme() == "rtmp" {
        return check_push(c, at, found);
    }
    if c.key.is_some() {
        found.push(
            Diagnostic::warning("SHOW-KEY", format!("{at}/key"), "the key has no effect: the address is not rtmp://")
                .help("take it out; an RTSP camera has \"user\" and \"password\""),
        );
    }
    if c.password.is_some() && c.user.is_none() && c.url.credentials().is_none() {
        found.push(
            Diagnostic::error("SHOW-USER", format!("{at}/password"), "there is a password and no user")
                .help("add \"user\""),
        );
    }
    if c.user.is_some() && c.url.credentials().is_some() {
        found.push(
            Diagnostic::warning("SHOW-USER", format!("{at}/user"), "user and password stand in the URL too")
                .help("the fields win; take them out of the URL"),
        );
    }
    check_pin(c.tls_pin.as_deref(), &c.url, "rtsps", at, found);
}

/// A camera that pushes.
fn check_push(c: &CameraConfig, at: &str, found: &mut Vec<Diagnostic>) {
    if let Err(e) = Push::new(&c.url, c.key.as_ref()) {
        let d = Diagnostic::error("SHOW-URL", format!("{at}/url"), e.what().to_owned());
        found.push(d.help(e.next_step().unwrap_or_default().to_owned()));
    }
    let unused = [
        (c.tls_pin.is_some(), "tls_pin"),
        (c.transport == Transport::Udp, "transport"),
        (c.ptz.is_none() && (c.user.is_some() || c.password.is_some()), "user and password"),
    ];
    for name in unused.iter().filter_map(|(is, name)| is.then_some(*name)) {
        found.push(
            Diagnostic::warning("SHOW-USER", at, format!("{name} has no effect: this encoder pushes"))
                .help("it is known by application and key"),
        );
    }
}

/// `tls_pin`, beside an address that uses it with one scheme.
pub(super) fn check_pin(pin: Option<&str>, url: &Address, scheme: &str, at: &str, found: &mut Vec<Diagnostic>) {
    let Some(pin) = pin else { return };
    let at = format!("{at}/tls_pin");
    let digits = pin.chars().filter(|c| *c != ':' && !c.is_whitespace());
    if digits.clone().count() != 64 || !digits.clone().all(|c| c.is_ascii_hexdigit()) {
        found.push(Diagnostic::error("SHOW-PIN", at, "the pin is not a SHA-256").help(
            "write 64 hexadecimal digits, as `vistter onboard` and the error of a connection without a pin print them",
        ));
    } else if url.scheme() != scheme {
        found.push(
            Diagnostic::warning("SHOW-PIN", at, format!("the pin has no effect: the address is not {scheme}://"))
                .help(format!("use the camera's {scheme}:// address")),
        );
    }
}

fn check_destination(d: &DestinationConfig, at: &str, found: &mut Vec<Diagnostic>) {
    scheme(&d.url, &["rtmp", "rtmps"], at, found);
    if d.key.as_ref().is_some_and(|k| k.expose().trim().is_empty()) {
        found.push(
            Diagnostic::error("SHOW-KEY", format!("{at}/key"), "the stream key is empty")
                .help("copy it from the platform's live page"),
        );
    }
    // rtmp://host/application/key: without "key" the last part of the path is the key.
    let path = d.url.url().splitn(4, '/').nth(3).unwrap_or("");
    let parts = path.split('?').next().unwrap_or("").split('/').filter(|p| !p.is_empty()).count();
    let needed = if d.key.is_some() { 1 } else { 2 };
    if parts < needed && matches!(d.url.scheme(), "rtmp" | "rtmps") {
        let (what, help) = if parts == 0 {
            ("the URL names no application", "write it as the platform shows it, such as rtmp://live.twitch.tv/app")
        } else {
            ("there is no stream key", "add \"key\", or end the URL in it")
        };
        let code = if parts == 0 { "SHOW-URL" } else { "SHOW-KEY" };
        found.push(Diagnostic::error(code, format!("{at}/url"), what).help(help));
    }
}

pub(super) fn scheme(url: &Address, known: &[&'static str], at: &str, found: &mut Vec<Diagnostic>) {
    let s = url.scheme();
    if !known.contains(&s) {
        let d = Diagnostic::error("SHOW-SCHEME", format!("{at}/url"), format!("{s}:// is not supported here"));
        found.push(d.suggest(s, known.iter().copied()));
    }
}

fn ids<'a>(list: &str, all: impl Iterator<Item = &'a str>, found: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    let mut n = 0;
    for (i, id) in all.enumerate() {
        let at = format!("/{list}/{i}/id");
        if !seen.insert(id) {
            found.push(
                Diagnostic::error("SHOW-DUPLICATE-ID", at, format!("the id \"{id}\" stands twice in {list}"))
                    .help("give each its own id"),
            );
        } else if !is_id(id) {
            found.push(
                Diagnostic::error("SHOW-ID", at, "this id cannot be used")
                    .help(format!("1 to {ID_LENGTH} letters, digits, '-', '_' or '.'")),
            );
        }
        n += 1;
    }
    limit(&format!("/{list}"), n, found);
}

fn is_id(id: &str) -> bool {
    let n = id.chars().count();
    (1..=ID_LENGTH).contains(&n) && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

pub(super) fn limit(at: &str, n: usize, found: &mut Vec<Diagnostic>) {
    if n > MAX_ITEMS {
        found.push(Diagnostic::error("SHOW-LIMIT", at, format!("{n} items are more than {MAX_ITEMS}")));
    }
}

fn zero(at: &str) -> Diagnostic {
    Diagnostic::error("SHOW-ZERO", at, "this is shorter than one frame").help("give seconds (10) or frames (\"75f\")")
}

fn length(span: Span, show: &ShowConfig) -> MediaTime {
    match span {
        Span::Time(t) => t,
        Span::Frames(n) => show.program.fps.time_of(n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Severity, &'static str, String)> {
        let found = match ShowConfig::from_json_with(text, &|_| None) {
            Ok((_, warnings)) => warnings,
            Err(found) => found,
        };
        found.into_iter().map(|d| (d.severity, d.code, d.pointer)).collect()
    }
    fn errors(text: &str) -> Vec<(&'static str, String)> {
        read(text).into_iter().filter(|(s, ..)| *s == Severity::Error).map(|(_, c, p)| (c, p)).collect()
    }

    #[test]
    fn everything_wrong_at_once() {
        let text = r#"{
            "vistter": 2,
            "program": { "width": 1281, "height": 8, "fps": 120, "bitrate_kbps": 4500000, "keyframe": 0, "delay_ms": 9000 },
            "cameras": [
                { "id": "a", "url": "http://192.0.2.1/" },
                { "id": "a", "url": "rtsp://192.0.2.1/", "password": "x" },
                { "id": "c c", "url": "rtsp://192.0.2.1/" }
            ],
            "overlays": [ { "id": "logo", "file": "" } ],
            "timeline": {
                "shots": [ { "camera": "b", "for": 5 }, { "camera": "a", "for": "0f" } ],
                "overlays": [ { "overlay": "lgo" }, { "overlay": "logo", "for": 0 } ],
                "backup": "x", "stop_after": 0
            },
            "audio": { "from": "camera", "camera": "z" },
            "destinations": [
                { "id": "d", "url": "rtmp://h/" },
                { "id": "e", "url": "rtmp://h/live" },
                { "id": "f", "url": "srt://h:9/x/y" },
                { "id": "g", "url": "rtmp://h/live", "key": " " },
                { "id": "h", "url": "rtmp://h/live", "key": "k" },
                { "id": "i", "url": "rtmp://h/live", "key": "k" },
                { "id": "recording", "url": "rtmp://h/live", "key": "l" }
            ],
            "recording": { "file": ".." }
        }"#;
        let want = [
            ("SHOW-VERSION", "/vistter"),
            ("SHOW-SIZE", "/program/width"),
            ("SHOW-SIZE", "/program/height"),
            ("SHOW-FPS", "/program/fps"),
            ("SHOW-BITRATE", "/program/bitrate_kbps"),
            ("SHOW-ZERO", "/program/keyframe"),
            ("SHOW-DELAY", "/program/delay_ms"),
            ("SHOW-SCHEME", "/cameras/0/url"),
            ("SHOW-DUPLICATE-ID", "/cameras/1/id"),
            ("SHOW-USER", "/cameras/1/password"),
            ("SHOW-ID", "/cameras/2/id"),
            ("SHOW-EMPTY", "/overlays/0/file"),
            ("SHOW-UNKNOWN-CAMERA", "/timeline/shots/0/camera"),
            ("SHOW-ZERO", "/timeline/shots/1/for"),
            ("SHOW-UNKNOWN-OVERLAY", "/timeline/overlays/0/overlay"),
            ("SHOW-ZERO", "/timeline/overlays/1/for"),
            ("SHOW-UNKNOWN-CAMERA", "/timeline/backup"),
            ("SHOW-ZERO", "/timeline/stop_after"),
            ("SHOW-UNKNOWN-CAMERA", "/audio/camera"),
            ("SHOW-URL", "/destinations/0/url"),
            ("SHOW-KEY", "/destinations/1/url"),
            ("SHOW-SCHEME", "/destinations/2/url"),
            ("SHOW-KEY", "/destinations/3/key"),
            ("SHOW-DUPLICATE", "/destinations/5/url"),
            ("SHOW-DUPLICATE-ID", "/destinations/6/id"),
            ("SHOW-EMPTY", "/recording/file"),
        ];
        let got = errors(text);
        let got: Vec<_> = got.iter().map(|(c, p)| (*c, p.as_str())).collect();
        assert_eq!(got, want);
    }
    #[test]
    fn odd_but_usable() {
        let got = read(
            r#"{"vistter":1,"program":{"keyframe":5},"cameras":[{"id":"a","url":"rtsp://u:p@h/","user":"u"}],
               "overlays":[{"id":"o","file":"o.json"}],"recording":{"file":"x.mkv"}}"#,
        );
        let got: Vec<_> = got.iter().map(|(s, c, p)| (*s, *c, p.as_str())).collect();
        use Severity::Warning as W;
        assert_eq!(
            got,
            [
                (W, "SHOW-EMPTY", "/timeline/shots"),
                (W, "SHOW-KEYFRAME", "/program/keyframe"),
                (W, "SHOW-USER", "/cameras/0/user"),
                (W, "SHOW-UNUSED", "/overlays/0/id"),
                (W, "SHOW-FILE", "/recording/file"),
            ]
        );
    }
    #[test]
    fn only_a_recording_takes_its_id_away_from_a_destination() {
        let show = |more: &str| {
            let text = format!(
                "{{\"vistter\":1,\n\"destinations\":[\n  {{\"id\":\"recording\",\"url\":\"rtmp://h/live\",\"key\":\"k\"}}]{more}}}"
            );
            ShowConfig::from_json(&text)
        };
        assert!(show("").is_ok());
        let found = show(",\n\"recording\":{\"file\":\"a.mp4\"}").unwrap_err();
        let d = found.iter().find(|d| d.severity == Severity::Error).unwrap();
        let place = d.place.unwrap();
        assert_eq!((d.code, place.line, place.column), ("SHOW-DUPLICATE-ID", 3, 9));
        assert_eq!(d.help.as_deref(), Some("give the destination another id"));
    }
    #[test]
    fn the_nearest_name_is_offered() {
        let text = r#"{"vistter":1,"cameras":[{"id":"garden","url":"rtsp://h/"}],"timeline":{"shots":[{"camera":"gardne","for":1}]},
            "recording":{"file":"a.mp4"}}"#;
        let found = ShowConfig::from_json(text).unwrap_err();
        assert_eq!(found[0].help.as_deref(), Some("did you mean \"garden\"?"));
    }
    #[test]
    fn the_examples_of_the_manual_are_right() {
        let manual = include_str!("../../../docs/show.md");
        let blocks = manual.split("```json\n").skip(1).map(|b| b.split("```").next().unwrap());
        for text in blocks.chain([include_str!("../../../docs/show.example.json")]) {
            if let Err(found) = ShowConfig::from_json_with(text, &|_| Some("x".into())) {
                panic!("{text}\n{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
            }
        }
        let (_, warnings) = ShowConfig::from_json(include_str!("../../../docs/show.example.json")).unwrap();
        assert_eq!(warnings, []);
    }
    #[test]
    fn the_manual_names_every_code() {
        let manual = include_str!("../../../docs/show.md");
        for code in [include_str!("check.rs"), include_str!("check_ptz.rs"), include_str!("read.rs")]
            .iter()
            .flat_map(|t| t.split('"').filter(|s| s.starts_with("SHOW-") && !s.contains(' ') && s.len() < 30))
        {
            assert!(manual.contains(&format!("`{code}`")) || code == "SHOW-", "{code} is not in docs/show.md");
        }
    }

    #[test]
    fn a_pin_is_a_sha_256_of_a_camera_with_tls() {
        let show = |url: &str, pin: &str| {
            let text = format!(
                r#"{{"vistter":1,"cameras":[{{"id":"a","url":"{url}","tls_pin":"{pin}"}}],"timeline":{{"shots":[{{"camera":"a","for":1}}]}},"recording":{{"file":"a.mp4"}}}}"#
            );
            match ShowConfig::from_json(&text) {
                Ok((_, found)) | Err(found) => found.into_iter().map(|d| d.pointer).collect::<Vec<_>>(),
            }
        };
        let good = "0A:".repeat(31) + "ff";
        assert_eq!(show("rtsps://192.0.2.1/", &good), [""; 0]);
        assert_eq!(show("rtsps://192.0.2.1/", "12"), ["/cameras/0/tls_pin"]);
        assert_eq!(show("rtsp://192.0.2.1/", &good), ["/cameras/0/tls_pin"]);
    }
}
