//! An ONVIF PTZ camera, sans-IO: an HTTP request and the time go in, an HTTP answer comes out.

use vistter_core::clock::WallTime;
use vistter_core::ports::{PtzPosition, PtzVelocity};
use vistter_core::time::MediaTime;

use super::motors::{MotorSpec, Motors};
use super::onvif_answers as answers;
use super::onvif_guard::{Guard, OnvifAuth};
use super::onvif_media::{self as media, SimProfile};
use crate::onvif::http::Message;
use crate::onvif::space::Spaces;
use crate::onvif::xml::{Element, escape};

/// What the camera says of its motion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoveStatus {
    /// What is so.
    #[default]
    Right,
    /// Always idle (some Hikvision).
    AlwaysIdle,
    /// Always moving.
    AlwaysMoving,
    /// Nothing (some Axis).
    Absent,
}

/// What kind of camera it is.
#[derive(Clone, Debug)]
pub struct OnvifSpec {
    /// Its head.
    pub motors: MotorSpec,
    /// User and password, and how they are to be shown.
    pub auth: OnvifAuth,
    /// What it says of its motion.
    pub move_status: MoveStatus,
    /// Whether it tells its position.
    pub tells_position: bool,
    /// Counts in degrees (pan 0…360, tilt −20…90, zoom 1…30) instead of −1…1 and 0…1.
    pub degrees: bool,
    /// Its clock minus the true one.
    pub skew: MediaTime,
    /// Unknown presets are answered with success, and nothing is done.
    pub polite: bool,
    /// A fixed camera: no PTZ service.
    pub fixed: bool,
    /// No Media2 and no GetServices: a device from before 2012.
    pub old: bool,
    /// Has the services of events and imaging: it tells when a preset is reached.
    pub events: bool,
    /// Knows a subscription by a header block, and not by its address (Axis).
    pub event_references: bool,
    /// RTSP address of its stream.
    pub stream: String,
    /// Its media profiles.
    pub profiles: Vec<SimProfile>,
    /// Operations that are answered with a fault.
    pub faults: Vec<String>,
}

impl Default for OnvifSpec {
    fn default() -> Self {
        Self {
            motors: MotorSpec::default(),
            auth: OnvifAuth::default(),
            move_status: MoveStatus::default(),
            tells_position: true,
            degrees: false,
            skew: MediaTime::ZERO,
            polite: false,
            fixed: false,
            old: false,
            events: false,
            event_references: false,
            stream: "rtsp://127.0.0.1:554/main".into(),
            profiles: SimProfile::usual(),
            faults: Vec::new(),
        }
    }
}

/// A camera.
#[derive(Clone, Debug)]
pub struct OnvifDevice {
    spec: OnvifSpec,
    motors: Motors,
    guard: Guard,
    presets: Vec<StoredPreset>,
    home: PtzPosition,
    tokens: u32,
    drive_until: Option<MediaTime>,
    asked: u32,
    subscriptions: u32,
    /// The preset that it goes to, and when it is there.
    reaching: Option<(String, MediaTime)>,
}

/// A stored view.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPreset {
    /// Token.
    pub token: String,
    /// Name.
    pub name: String,
    /// Where.
    pub position: PtzPosition,
}

/// Room for presets.
const MOST_PRESETS: usize = 300;

/// An answer: the HTTP status, a `WWW-Authenticate` field, and the body.
pub(super) type Reply = (u16, Option<String>, String);

impl OnvifDevice {
    /// A camera in the middle, wide, without presets.
    pub fn new(spec: OnvifSpec) -> Self {
        Self {
            motors: Motors::new(spec.motors),
            guard: Guard::new(spec.auth.clone()),
            spec,
            presets: Vec::new(),
            home: PtzPosition::default(),
            tokens: 0,
            drive_until: None,
            asked: 0,
            subscriptions: 0,
            reaching: None,
        }
    }
    /// What kind of camera it is, to be changed.
    pub fn spec(&mut self) -> &mut OnvifSpec {
        &mut self.spec
    }
    /// The head, to be looked at or moved behind the controller's back.
    pub fn motors(&mut self) -> &mut Motors {
        &mut self.motors
    }
    /// Where it looks; a drive whose time is over has ended.
    pub fn look(&mut self, now: MediaTime) -> PtzPosition {
        self.expire(now);
        self.motors.position(now)
    }
    /// Stored views, to be changed.
    pub fn presets(&mut self) -> &mut Vec<StoredPreset> {
        &mut self.presets
    }
    /// Requests that came.
    pub fn asked(&self) -> u32 {
        self.asked
    }
    /// Subscriptions to its events that were not ended.
    pub fn subscriptions(&self) -> u32 {
        self.subscriptions
    }
    /// Requests that showed a wrong password.
    pub fn wrong_passwords(&self) -> u32 {
        self.guard.wrong()
    }
    /// Off and on again: it stands, nonces are forgotten, and every preset has a new token.
    pub fn restart(&mut self, now: MediaTime) {
        self.motors.stop(now);
        self.guard.forget();
        for p in &mut self.presets {
            self.tokens += 1;
            p.token = format!("PresetToken_{}", self.tokens);
        }
    }

    /// Answers one request. `authority` is what it was reached at.
    pub(super) fn answer(&mut self, now: MediaTime, wall: WallTime, authority: &str, request: &Message) -> Reply {
        self.asked = self.asked.saturating_add(1);
        let path = request.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let wall = wall.plus(self.spec.skew);
        self.expire(now);
        let Some((header, body)) = Element::parse(&request.body).ok().and_then(open) else {
            return (400, None, answers::fault("Sender", "WellFormed", "no SOAP envelope"));
        };
        // ONVIF Core: a client must learn the time before it can make a digest.
        let before_auth = matches!(body.name.as_str(), "GetSystemDateAndTime" | "GetServices" | "GetCapabilities")
            && (body.name == "GetSystemDateAndTime" || !self.spec.auth.strict);
        if !before_auth && let Err(challenge) = self.guard.check(wall, request, &path, header.as_ref()) {
            return match challenge {
                Some(c) => (401, Some(c), String::new()),
                None => (400, None, answers::fault("Sender", "NotAuthorized", "Sender not authorized")),
            };
        }
        if self.spec.faults.contains(&body.name) {
            return (500, None, answers::fault("Receiver", "Action", "internal error"));
        }
        let subscribed = path == "/onvif/events" && body.name != "CreatePullPointSubscription";
        if subscribed && self.spec.event_references && !header.as_ref().is_some_and(answers::names_subscription) {
            return (400, None, answers::fault("Sender", "InvalidArgs", "which subscription?"));
        }
        let reached = self.event(now, &body.name);
        let at = answers::Addresses {
            authority,
            stream: &self.spec.stream,
            profiles: &self.spec.profiles,
            ptz: !self.spec.fixed,
            new: !self.spec.old,
            events: self.spec.events,
            references: self.spec.event_references,
        };
        let token = body.text_at(&["ProfileToken"]);
        let said = match (path.as_str(), body.name.as_str()) {
            ("/onvif/device_service", name) => answers::device(name, &at, wall),
            ("/onvif/media", name) => media::media1(name, &at, token),
            ("/onvif/media2", name) if at.new => media::media2(name, &at, token),
            ("/onvif/ptz", name) if at.ptz => match self.ptz(now, wall, name, &body) {
                Some(Ok(inner)) => Some(inner),
                Some(Err((code, text))) => return (400, None, answers::fault("Sender", code, text)),
                None => None,
            },
            ("/onvif/imaging", name) if at.events => answers::imaging(name),
            ("/onvif/events", name) if at.events => answers::events(name, &at, reached.as_deref()),
            _ => return (404, None, String::new()),
        };
        match said {
            Some(inner) => (200, None, answers::envelope(&body.name, &inner, &path)),
            None => (500, None, answers::fault("Receiver", "ActionNotSupported", "not implemented")),
        }
    }

    fn expire(&mut self, now: MediaTime) {
        if let Some(t) = self.drive_until.take_if(|t| *t <= now) {
            self.motors.stop(t);
        }
    }

    fn spaces(&self) -> Spaces {
        let xml = format!("<S>{}</S>", answers::spaces(self.spec.degrees)).replace("tt:", "");
        Element::parse(xml.as_bytes()).map(|e| Spaces::read(&e)).unwrap_or_default()
    }

    /// Counts subscriptions; gives the preset that was reached, to who pulls events.
    fn event(&mut self, now: MediaTime, name: &str) -> Option<String> {
        match name {
            "CreatePullPointSubscription" => self.subscriptions += 1,
            "Unsubscribe" => self.subscriptions = self.subscriptions.saturating_sub(1),
            _ => {}
        }
        self.reaching.take_if(|(_, t)| name == "PullMessages" && now >= *t).map(|(token, _)| token)
    }

    #[allow(clippy::type_complexity)]
    fn ptz(
        &mut self,
        now: MediaTime,
        wall: WallTime,
        name: &str,
        body: &Element,
    ) -> Option<Result<String, (&'static str, &'static str)>> {
        let spaces = self.spaces();
        let full = |p: PtzPosition| [Some(p.pan), Some(p.tilt), Some(p.zoom)];
        if let Some(fixed) = answers::ptz(name, self.spec.degrees, MOST_PRESETS) {
            return Some(Ok(fixed));
        }
        if body.text_at(&["ProfileToken"]).is_none_or(|t| !self.spec.profiles.iter().any(|p| p.token == t)) {
            return Some(Err(("NoProfile", "no such profile")));
        }
        let preset = body.text_at(&["PresetToken"]).map(str::to_owned);
        let known = |all: &[StoredPreset]| preset.as_ref().and_then(|t| all.iter().position(|p| p.token == *t));
        Some(Ok(match name {
            "GetStatus" => self.status(now, wall, &spaces),
            "AbsoluteMove" => {
                let Some(vector) = body.child("Position") else { return Some(Err(("InvalidArgVal", "no position"))) };
                if out_of_range(vector, &spaces) {
                    return Some(Err(("InvalidPosition", "outside the range")));
                }
                let to = spaces.position(vector).unwrap_or_default();
                let (plane, zoom) = (vector.child("PanTilt").is_some(), vector.child("Zoom").is_some());
                let to = [plane.then_some(to.pan), plane.then_some(to.tilt), zoom.then_some(to.zoom)];
                self.drive_until = None;
                self.motors.go_to(now, to, 1.0);
                String::new()
            }
            "RelativeMove" => {
                let by = |axis: &str, n: &str| {
                    body.at(&["Translation", axis]).and_then(|e| e.number(n)).unwrap_or(0.0) as f32
                };
                let at = self.motors.position(now);
                let scale = if self.spec.degrees { 180.0 } else { 1.0 };
                let to = PtzPosition {
                    pan: at.pan + by("PanTilt", "x") / scale,
                    tilt: at.tilt + by("PanTilt", "y") / scale,
                    zoom: at.zoom + by("Zoom", "x"),
                };
                self.drive_until = None;
                self.motors.go_to(now, full(to), 1.0);
                String::new()
            }
            "ContinuousMove" => {
                let v =
                    |axis: &str, n: &str| body.at(&["Velocity", axis]).and_then(|e| e.number(n)).unwrap_or(0.0) as f32;
                let v = PtzVelocity { pan: v("PanTilt", "x"), tilt: v("PanTilt", "y"), zoom: v("Zoom", "x") };
                self.motors.drive_all(now, v);
                // The default of its PTZ configuration.
                let within = body.text_at(&["Timeout"]).and_then(seconds).unwrap_or(MediaTime::from_secs(10));
                self.drive_until = Some(now + within);
                String::new()
            }
            "Stop" => {
                self.drive_until = None;
                self.reaching = None;
                self.motors.stop(now);
                String::new()
            }
            "GetPresets" => {
                let one = |p: &StoredPreset| {
                    let (token, name) = (escape(&p.token), escape(&p.name));
                    format!(
                        "<tptz:Preset token=\"{token}\"><tt:Name>{name}</tt:Name><tt:PTZPosition>{}</tt:PTZPosition></tptz:Preset>",
                        spaces.write(p.position)
                    )
                };
                self.presets.iter().map(one).collect()
            }
            "SetPreset" => {
                let position = self.motors.position(now);
                let name = body.text_at(&["PresetName"]).unwrap_or("Preset").to_owned();
                let token = match (known(&self.presets), preset) {
                    (Some(i), _) => self.presets.remove(i).token,
                    (None, Some(_)) => return Some(Err(("NoToken", "no such preset"))),
                    (None, None) if self.presets.len() >= MOST_PRESETS => return Some(Err(("TooManyPresets", "full"))),
                    (None, None) => {
                        self.tokens += 1;
                        format!("PresetToken_{}", self.tokens)
                    }
                };
                self.presets.push(StoredPreset { token: token.clone(), name, position });
                format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&token))
            }
            "RemovePreset" => match known(&self.presets) {
                Some(i) => {
                    self.presets.remove(i);
                    String::new()
                }
                None => return Some(Err(("NoToken", "no such preset"))),
            },
            "GotoPreset" => match known(&self.presets) {
                Some(i) => {
                    self.drive_until = None;
                    self.motors.go_to(now, full(self.presets[i].position), 1.0);
                    self.reaching = Some((self.presets[i].token.clone(), self.motors.arrives(now).unwrap_or(now)));
                    String::new()
                }
                None if self.spec.polite => String::new(),
                None => return Some(Err(("NoToken", "no such preset"))),
            },
            "GotoHomePosition" => {
                self.drive_until = None;
                self.motors.go_to(now, full(self.home), 1.0);
                String::new()
            }
            "SetHomePosition" => {
                self.home = self.motors.position(now);
                String::new()
            }
            _ => return None,
        }))
    }

    fn status(&self, now: MediaTime, wall: WallTime, spaces: &Spaces) -> String {
        let mut out = String::from("<tptz:PTZStatus>");
        if self.spec.tells_position {
            out.push_str(&format!("<tt:Position>{}</tt:Position>", spaces.write(self.motors.position(now))));
        }
        let moving = match self.spec.move_status {
            MoveStatus::Right => Some(self.motors.moving(now)),
            MoveStatus::AlwaysIdle => Some(false),
            MoveStatus::AlwaysMoving => Some(true),
            MoveStatus::Absent => None,
        };
        if let Some(m) = moving {
            let word = if m { "MOVING" } else { "IDLE" };
            out.push_str(&format!(
                "<tt:MoveStatus><tt:PanTilt>{word}</tt:PanTilt><tt:Zoom>{word}</tt:Zoom></tt:MoveStatus>"
            ));
        }
        out.push_str(&format!("<tt:UtcTime>{}</tt:UtcTime></tptz:PTZStatus>", crate::onvif::time::iso8601(wall)));
        out
    }
}

/// Header and the first element of the body.
fn open(envelope: Element) -> Option<(Option<Element>, Element)> {
    let body = envelope.child("Body")?.children.first()?.clone();
    (envelope.name == "Envelope").then(|| (envelope.child("Header").cloned(), body))
}

fn out_of_range(vector: &Element, spaces: &Spaces) -> bool {
    let outside = |axis: &str, n: &str, r: Option<crate::onvif::space::Range>| {
        let v = vector.child(axis).and_then(|e| e.number(n));
        v.zip(r).is_some_and(|(v, r)| v < r.min - 1e-4 || v > r.max + 1e-4)
    };
    let plane = spaces.position.first();
    outside("PanTilt", "x", plane.map(|s| s.x))
        || outside("PanTilt", "y", plane.map(|s| s.y))
        || outside("Zoom", "x", spaces.zoom.first().map(|s| s.x))
}

/// `PT1.5S`; what has other parts is not understood.
fn seconds(duration: &str) -> Option<MediaTime> {
    let s: f64 = duration.trim().strip_prefix("PT")?.strip_suffix('S')?.parse().ok()?;
    (0.0..=3600.0).contains(&s).then(|| MediaTime::from_nanos((s * 1e9) as i64))
}
