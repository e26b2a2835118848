//! Answers of a vendor's camera, from its folder in `tests/vendors`, on a loopback port and with motors behind.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use vistter_core::Secret;
use vistter_core::clock::WallTime;
use vistter_core::ports::PtzPosition;
use vistter_core::time::MediaTime;
use vistter_ptz::onvif::http::{Message, Parser};
use vistter_ptz::onvif::space::Spaces;
use vistter_ptz::onvif::xml::{Element, escape};
use vistter_ptz::sim::{Guard, MotorSpec, Motors, OnvifAuth};

use crate::onvif::{PASSWORD, USER, clock};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Auth {
    http_digest: bool,
    ws_digest: bool,
    ws_text: bool,
    /// Asks for the password even for GetServices and GetCapabilities.
    strict: bool,
}
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stored {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) at: [f32; 3],
}
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Expect {
    pub(crate) quirks: Vec<String>,
    pub(crate) presets: Vec<String>,
    pub(crate) evidence: Vec<String>,
    pub(crate) absolute: bool,
    pub(crate) relative: bool,
    pub(crate) profiles: usize,
    pub(crate) wrong_passwords: u32,
}
/// `case.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) camera: String,
    #[allow(dead_code)] // for readers
    quirks: Vec<String>,
    pub(crate) sources: Vec<String>,
    headers: Vec<String>,
    auth: Auth,
    /// Its clock minus the true one, in seconds.
    #[serde(default)]
    skew: i64,
    /// What it tells minus its clock.
    #[serde(default)]
    told_skew: i64,
    /// It tells the beginning of 1970.
    #[serde(default)]
    epoch: bool,
    #[serde(default)]
    bom: bool,
    #[serde(default)]
    closed_port: bool,
    fault_status: u16,
    refused_status: u16,
    /// Operations that it does.
    does: Vec<String>,
    pub(crate) presets: Vec<Stored>,
    new_token: String,
    first_token: u32,
    /// Elements that an operation must have.
    #[serde(default)]
    require: BTreeMap<String, Vec<String>>,
    /// Elements with which an operation is refused.
    #[serde(default)]
    refuse: BTreeMap<String, Vec<String>>,
    /// Elements (`A+B`: both) with which an operation is accepted and not done.
    #[serde(default)]
    ignore: BTreeMap<String, Vec<String>>,
    pub(crate) expect: Expect,
}

struct Camera {
    case: Case,
    answers: HashMap<String, String>,
    motors: Motors,
    moved: bool,
    guard: Guard,
    spaces: Spaces,
    next: u32,
    asked: Vec<String>,
}

/// A camera that answers. Dropping it closes its socket.
pub(crate) struct Replay {
    camera: Arc<Mutex<Camera>>,
    began: tokio::time::Instant,
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replay {
    pub(crate) async fn start(vendor: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendors").join(vendor);
        let case: Case = serde_json::from_slice(&std::fs::read(folder.join("case.json")).unwrap()).unwrap();
        let text = std::fs::read_to_string(folder.join("answers.txt")).unwrap();
        let sections = text.split("=== ").skip(1).map(|s| s.split_once('\n').unwrap());
        let answers: HashMap<_, _> = sections.map(|(n, s)| (n.to_owned(), s.trim_end().to_owned())).collect();
        let node = Element::parse(answers["GetNodes"].as_bytes()).unwrap();
        let spaces = Spaces::read(node.at(&["PTZNode", "SupportedPTZSpaces"]).unwrap());
        let Auth { http_digest, ws_digest, ws_text, .. } = case.auth;
        let password = Some((USER.to_owned(), Secret::from(PASSWORD)));
        let guard = Guard::new(OnvifAuth { password, http_digest, ws_digest, ws_text, ..OnvifAuth::default() });
        let motors = Motors::new(MotorSpec { pan_tilt: 1.0, zoom: 1.0, latency: MediaTime::from_millis(40) });
        let next = case.first_token;
        let camera = Camera { case, answers, motors, moved: false, guard, spaces, next, asked: Vec::new() };
        let camera = Arc::new(Mutex::new(camera));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, began) = (camera.clone(), tokio::time::Instant::now());
        let task = tokio::spawn(async move {
            // Held, so that nobody else listens there.
            let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
            let mut all = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                all.spawn(serve(shared.clone(), stream, began, address, closed));
            }
        });
        Self { camera, began, address, task }
    }
    fn now(&self) -> MediaTime {
        self.began.elapsed().into()
    }
    pub(crate) fn case(&self) -> Case {
        self.camera.lock().unwrap().case.clone()
    }
    pub(crate) fn moving(&self) -> bool {
        self.camera.lock().unwrap().motors.moving(self.now())
    }
    pub(crate) fn position(&self) -> PtzPosition {
        self.camera.lock().unwrap().motors.position(self.now())
    }
    pub(crate) fn wrong_passwords(&self) -> u32 {
        self.camera.lock().unwrap().guard.wrong()
    }
    pub(crate) fn asked(&self) -> Vec<String> {
        self.camera.lock().unwrap().asked.clone()
    }
    /// Other tokens, as after a restart.
    pub(crate) fn renumber(&self) {
        let mut c = self.camera.lock().unwrap();
        c.case.presets.iter_mut().for_each(|p| p.token = format!("9{}", p.token));
        c.guard.forget();
    }
}

async fn serve(
    camera: Arc<Mutex<Camera>>,
    mut stream: TcpStream,
    began: tokio::time::Instant,
    at: SocketAddr,
    closed: u16,
) {
    let mut buffer = [0u8; 8192];
    loop {
        let mut parser = Parser::request(65_536);
        let request = loop {
            let Ok(n) = stream.read(&mut buffer).await else { return };
            match parser.push(&buffer[..n]) {
                Ok(Some(m)) => break m,
                Ok(None) if n > 0 => {}
                _ => return,
            }
        };
        let (bytes, close) = {
            let mut c = camera.lock().unwrap();
            let bytes = c.answer(began.elapsed().into(), &request, at, closed);
            (bytes, c.case.headers.iter().any(|h| h == "Connection: close"))
        };
        if stream.write_all(&bytes).await.is_err() || close {
            return;
        }
    }
}

impl Camera {
    fn answer(&mut self, now: MediaTime, request: &Message, at: SocketAddr, closed: u16) -> Vec<u8> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let envelope = Element::parse(&request.body).unwrap();
        let body = envelope.child("Body").unwrap().children[0].clone();
        let op = body.name.clone();
        self.asked.push(op.clone());
        let wall = clock().wall().plus(MediaTime::from_secs(self.case.skew));
        let path = request.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let open = op == "GetSystemDateAndTime"
            || (!self.case.auth.strict && matches!(op.as_str(), "GetServices" | "GetCapabilities"));
        let passed = if open { Ok(()) } else { self.guard.check(wall, request, &path, envelope.child("Header")) };
        let (status, challenge, inner) = match passed {
            Err(challenge) => (self.case.refused_status, challenge, self.answers["refused"].clone()),
            Ok(()) => match self.act(now, &op, &body, text.contains("<tr2:")) {
                Ok(inner) => (200, None, inner),
                Err((subcode, reason)) => {
                    let f = self.answers["fault"].replace("{subcode}", subcode).replace("{reason}", reason);
                    (self.case.fault_status, None, f)
                }
            },
        };
        let page = status == 401;
        let inner = if page { inner } else { self.answers["envelope"].replace("{body}", &inner) };
        let body = self.fill(now, inner, wall, at, closed);
        let bom = if self.case.bom { "\u{feff}" } else { "" };
        let kind = if page { "text/html" } else { "application/soap+xml; charset=utf-8" };
        let challenge = challenge.map(|c| format!("WWW-Authenticate: {c}\r\n")).unwrap_or_default();
        let headers = self.case.headers.join("\r\n");
        let length = body.len() + bom.len();
        format!("HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\n{headers}\r\n{challenge}Content-Length: {length}\r\n\r\n{bom}{body}")
            .into_bytes()
    }

    fn act(
        &mut self,
        now: MediaTime,
        op: &str,
        body: &Element,
        media2: bool,
    ) -> Result<String, (&'static str, &'static str)> {
        let has = |what: &str| what.split('+').all(|w| find(body, w).is_some());
        let listed = |map: &BTreeMap<String, Vec<String>>| map.get(op).cloned().unwrap_or_default();
        if listed(&self.case.require).iter().any(|w| find(body, w).is_none_or(|e| e.text != "true")) {
            return Err(("InvalidArgVal", "Invalid argument value"));
        }
        if listed(&self.case.refuse).iter().any(|w| has(w)) {
            return Err(("SpaceNotSupported", "Not supported"));
        }
        if !self.case.does.iter().any(|d| d == op) {
            let section = if media2 { format!("{op}2") } else { op.to_owned() };
            let none = ("ActionNotSupported", "Optional Action Not Implemented");
            return self.answers.get(&section).cloned().ok_or(none);
        }
        let nothing = listed(&self.case.ignore).iter().any(|w| has(w));
        let mut inner = String::new();
        if !nothing {
            inner = self.do_it(now, op, body)?;
        }
        Ok(format!("<tptz:{op}Response>{inner}</tptz:{op}Response>"))
    }

    fn do_it(&mut self, now: MediaTime, op: &str, body: &Element) -> Result<String, (&'static str, &'static str)> {
        let token = body.text_at(&["PresetToken"]).map(str::to_owned);
        let known = token.as_ref().and_then(|t| self.case.presets.iter().position(|p| p.token == *t));
        let gone = ("NoToken", "No such preset");
        let number =
            |parent: &str, axis: &str, n: &str| body.at(&[parent, axis]).and_then(|e| e.number(n)).map(|v| v as f32);
        self.moved |= matches!(op, "GotoPreset" | "AbsoluteMove" | "ContinuousMove" | "RelativeMove");
        match op {
            "GotoPreset" => {
                let to = self.case.presets[known.ok_or(gone)?].at;
                self.motors.go_to(now, to.map(Some), 1.0);
            }
            "AbsoluteMove" => {
                let to = self.spaces.position(body.child("Position").unwrap()).ok_or(("InvalidPosition", "outside"))?;
                self.motors.go_to(now, [Some(to.pan), Some(to.tilt), Some(to.zoom)], 1.0);
            }
            "RelativeMove" => {
                let at = self.motors.position(now);
                let by = |axis, n| number("Translation", axis, n).unwrap_or(0.0) * 2.0;
                let to = [Some(at.pan + by("PanTilt", "x")), Some(at.tilt + by("PanTilt", "y")), None];
                self.motors.go_to(now, to, 1.0);
            }
            "ContinuousMove" => {
                let v = |axis, n| number("Velocity", axis, n);
                self.motors.drive(now, [v("PanTilt", "x"), v("PanTilt", "y"), v("Zoom", "x")]);
            }
            "Stop" => self.motors.stop(now),
            "GotoHomePosition" => self.motors.go_to(now, [Some(0.0); 3], 1.0),
            "SetPreset" => {
                let p = self.motors.position(now);
                let at = [p.pan, p.tilt, p.zoom];
                let name = body.text_at(&["PresetName"]).unwrap_or_default().to_owned();
                let token = match (token, known) {
                    (Some(t), Some(i)) => {
                        self.case.presets.remove(i);
                        t
                    }
                    (Some(_), None) => return Err(gone),
                    (None, _) => {
                        self.next += 1;
                        self.case.new_token.replace("{n}", &(self.next - 1).to_string())
                    }
                };
                self.case.presets.push(Stored { token: token.clone(), name, at });
                return Ok(format!("<tptz:PresetToken>{}</tptz:PresetToken>", escape(&token)));
            }
            "RemovePreset" => drop(self.case.presets.remove(known.ok_or(gone)?)),
            other => panic!("case.json: {other} cannot be done"),
        }
        Ok(String::new())
    }

    fn fill(&self, now: MediaTime, text: String, wall: WallTime, at: SocketAddr, closed: u16) -> String {
        let mut out = text;
        let piece = |name: &str| self.answers.get(name).cloned().unwrap_or_default();
        let all: String =
            self.case.presets.iter().map(|p| self.placed(&piece("preset"), p.at, &p.token, &p.name)).collect();
        out = out.replace("{presets}", &all);
        while let Some((before, rest)) = out.split_once("{slots ") {
            let (spec, after) = rest.split_once('}').unwrap();
            let words: Vec<&str> = spec.split(' ').collect();
            let range = words[0].parse::<u32>().unwrap()..=words[1].parse().unwrap();
            let slots: String = range.map(|n| piece(words[2]).replace("{n}", &n.to_string())).collect();
            out = format!("{before}{slots}{after}");
        }
        let p = self.motors.position(now);
        let [pan, tilt, zoom] = self.units([p.pan, p.tilt, p.zoom]);
        let word = |moving| if moving { "MOVING" } else { "IDLE" };
        let told = if self.case.epoch { 0 } else { wall.unix_secs() + self.case.told_skew };
        let (days, secs) = (told.div_euclid(86_400), told.rem_euclid(86_400));
        let (y, mo, d) = civil(days);
        for (name, value) in [
            ("host", at.to_string()),
            ("name", at.ip().to_string()),
            ("closed", if self.case.closed_port { closed } else { 80 }.to_string()),
            ("pan", pan),
            ("tilt", tilt),
            ("zoom", zoom),
            ("move", word(self.motors.moving(now)).to_owned()),
            ("moved", word(self.moved).to_owned()),
            ("Y", y.to_string()),
            ("M", mo.to_string()),
            ("D", d.to_string()),
            ("h", (secs / 3600).to_string()),
            ("m", (secs / 60 % 60).to_string()),
            ("s", (secs % 60).to_string()),
        ] {
            out = out.replace(&format!("{{{name}}}"), &value);
        }
        out
    }

    fn placed(&self, piece: &str, at: [f32; 3], token: &str, name: &str) -> String {
        let [pan, tilt, zoom] = self.units(at);
        let piece = piece.replace("{ppan}", &pan).replace("{ptilt}", &tilt).replace("{pzoom}", &zoom);
        piece.replace("{token}", &escape(token)).replace("{name}", &escape(name))
    }

    fn units(&self, at: [f32; 3]) -> [String; 3] {
        let [pan, tilt, zoom] = at.map(f64::from);
        let (pan, tilt) = match self.spaces.position.first() {
            Some(s) => (s.x.at((pan + 1.0) / 2.0), s.y.at((tilt + 1.0) / 2.0)),
            None => (pan, tilt),
        };
        let zoom = self.spaces.zoom.first().map_or(zoom, |s| s.x.at(zoom));
        [pan, tilt, zoom].map(|v| format!("{v:.5}"))
    }
}

/// An element of this name somewhere inside.
fn find<'a>(e: &'a Element, name: &str) -> Option<&'a Element> {
    e.children.iter().find_map(|c| if c.name == name { Some(c) } else { find(c, name) })
}

/// The date of a day since 1970-01-01, counted in years of its era.
fn civil(days: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    let mut left = days;
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    (year, month as i64 + 1, left + 1)
}
