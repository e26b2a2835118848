//! Exchanges with a device: one connection, kept where the device keeps it; a time-out on each exchange.

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::task::JoinSet;
use tokio::time::timeout;
use vistter_core::clock::Clock;
use vistter_core::config::Credentials;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::auth::{Authenticator, Method, Next, base64, username_token};
use super::endpoint::Endpoint;
use super::http::{Message, post};
use super::quirks::{Change, Policy};
use super::services::DeviceInfo;
use super::soap::{Answer, envelope, read};
use super::time::date_time;
use super::tls::TlsOptions;
use super::transport::{Connection, Talk, connect, talk};
use super::xml::Element;

/// Ports on which devices were seen to speak ONVIF, in the order they are asked: Sunba 8899, Tapo 2020.
pub const PORTS: [u16; 6] = [80, 8899, 8000, 8080, 2020, 5000];

/// Which device, and how.
#[derive(Clone, Debug)]
pub struct OnvifOptions {
    /// Host name or address, without port; IPv6 in brackets.
    pub host: String,
    /// The port; `None` asks [`PORTS`] in turn.
    pub port: Option<u16>,
    /// Path of the device service.
    pub path: String,
    /// User and password; some devices have an account for ONVIF of its own.
    pub credentials: Option<Credentials>,
    /// Allow ways that show the password to the network, after all others were refused.
    pub plain: bool,
    /// Longest wait for a connection.
    pub connect_within: MediaTime,
    /// Longest wait for one exchange, the connection included.
    pub exchange_within: MediaTime,
    /// For the time in the password's digest.
    pub clock: Arc<dyn Clock>,
    /// Over TLS; the usual port is 443 then.
    pub secure: bool,
    /// Which certificates are trusted.
    pub tls: TlsOptions,
    /// What this camera needs, whatever the table of [`quirks`](super::quirks) says.
    pub quirks: Vec<Change>,
}

impl OnvifOptions {
    /// A device with the usual path and time-outs.
    pub fn new(
        host: impl Into<String>,
        port: Option<u16>,
        credentials: Option<Credentials>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            path: "/onvif/device_service".into(),
            credentials,
            plain: true,
            connect_within: MediaTime::from_secs(2),
            exchange_within: MediaTime::from_secs(5),
            clock,
            secure: false,
            tls: TlsOptions::default(),
            quirks: Vec::new(),
        }
    }
}

impl OnvifOptions {
    fn endpoint(&self, port: u16) -> Endpoint {
        Endpoint { authority: format!("{}:{port}", self.host), path: self.path.clone(), tls: self.secure }
    }
}

/// One device.
pub struct OnvifClient {
    options: OnvifOptions,
    device: Option<Endpoint>,
    connection: Option<(String, Box<dyn Connection>)>,
    /// Services answer at the device's own host and port, whatever the device says.
    all_at_device: bool,
    policy: Policy,
    /// What goes into the header of the call under way.
    header: String,
    auth: Authenticator,
    /// Camera's clock minus ours; `None` until it was asked.
    skew: Option<MediaTime>,
    random: SystemRandom,
}

impl fmt::Debug for OnvifClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnvifClient").field("device", &self.device).field("skew", &self.skew).finish_non_exhaustive()
    }
}

impl OnvifClient {
    /// A client that has not connected.
    pub fn new(options: OnvifOptions) -> Self {
        let policy = Policy::of(&DeviceInfo::default(), &options.quirks);
        let auth = Authenticator::new(options.credentials.is_some(), options.plain).only(policy.auth);
        let port = options.port.or(options.secure.then_some(443));
        let device = port.map(|p| options.endpoint(p));
        let random = SystemRandom::new();
        Self {
            options,
            device,
            connection: None,
            all_at_device: false,
            policy,
            header: String::new(),
            auth,
            skew: None,
            random,
        }
    }
    /// The device is known: what its model needs, and what the user said.
    pub fn meet(&mut self, device: &DeviceInfo) -> Policy {
        let camera_clock = self.policy.camera_clock;
        self.policy = Policy::of(device, &self.options.quirks);
        self.policy.camera_clock &= camera_clock; // found out meanwhile
        self.policy
    }
    /// The options for another client of the same device: with the port, and how it wants the password.
    pub fn options(&self) -> OnvifOptions {
        let mut options = self.options.clone();
        if let Some(port) = self.device.as_ref().and_then(|d| d.authority.rsplit_once(':')?.1.parse().ok()) {
            options.port = Some(port);
        }
        let method = match self.auth.method() {
            Some(Method::HttpDigest) => "auth=http-digest",
            Some(Method::WsDigest) => "auth=ws-digest",
            Some(Method::WsText) => "auth=ws-text",
            Some(Method::HttpBasic) => "auth=http-basic",
            Some(Method::None) | None => "",
        };
        let clock = if self.policy.camera_clock { "" } else { "clock=ours" };
        // These are names of the table: they parse.
        options.quirks.extend([method, clock].into_iter().filter_map(|q| q.parse::<Change>().ok()));
        options
    }
    /// How the device is spoken to.
    pub fn policy(&self) -> Policy {
        self.policy
    }
    /// For logs and errors.
    pub fn describe(&self) -> String {
        match &self.device {
            Some(d) => format!("ONVIF camera {}", d.authority),
            None => format!("ONVIF camera {}", self.options.host),
        }
    }
    /// How the device wants the password, as far as it is known; `None` when all tries are used up.
    pub fn method(&self) -> Option<Method> {
        self.auth.method()
    }
    /// The camera's clock minus ours; `None` when it does not tell.
    pub fn skew(&self) -> Option<MediaTime> {
        self.skew
    }

    /// The device service, once a port was found at which it answers.
    ///
    /// # Errors
    /// Nothing that speaks ONVIF is there.
    pub async fn device(&mut self) -> Result<Endpoint> {
        let known = self.device.clone();
        let device = match known {
            Some(d) => d,
            None => self.find_port().await?,
        };
        if self.skew.is_none() {
            self.device = Some(device.clone());
            let skew = ask_time(&self.options, &device).await.map_err(|e| e.at(self.describe()))?;
            self.skew = Some(skew);
        }
        Ok(device)
    }

    /// Asks for the camera's clock, on a connection of its own and without a password: the lightest sign of life. The
    /// camera's clock minus ours, zero if it does not tell.
    ///
    /// # Errors
    /// What the device or the way to it says.
    pub async fn read_clock(&mut self) -> Result<MediaTime> {
        let Some(device) = self.device.clone() else {
            self.find_port().await?;
            return Ok(self.skew.unwrap_or_default());
        };
        let told = ask_time(&self.options, &device).await.map_err(|e| e.at(self.describe()));
        match &told {
            Ok(skew) => self.skew = Some(*skew),
            // It may come back at another port, if the user named none.
            Err(e) if e.kind() == ErrorKind::Refused && self.options.port.is_none() => self.device = None,
            Err(_) => {}
        }
        told
    }

    /// Calls an operation and gives the first element of the answer's body.
    ///
    /// # Errors
    /// What the device or the way to it says; `Unauthorized` without a word on the network once all tries are used up.
    pub async fn call(&mut self, to: &Endpoint, action: &str, body: &str) -> Result<Element> {
        self.header.clear(); // of a call that was dropped half-way
        let elsewhere = self.device.clone().filter(|d| d.authority != to.authority);
        let Some(device) = elsewhere else { return self.call_at(to, action, body).await };
        let home = Endpoint { path: to.path.clone(), ..device };
        if self.all_at_device {
            return self.call_at(&home, action, body).await;
        }
        let first = self.call_at(to, action, body).await;
        let lost = |e: &Error| matches!(e.kind(), ErrorKind::Refused | ErrorKind::Timeout | ErrorKind::Protocol);
        if !first.as_ref().is_err_and(lost) {
            return first;
        }
        // Behind a router that forwards another port, the device names its own: the host is right and the port is not.
        let second = self.call_at(&home, action, body).await;
        self.all_at_device = !second.as_ref().is_err_and(lost);
        if self.all_at_device { second } else { first }
    }

    /// The same, with more in the envelope's header, and at that place only.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_with(&mut self, to: &Endpoint, action: &str, header: &str, body: &str) -> Result<Element> {
        self.header = header.to_owned();
        let result = self.call_at(to, action, body).await;
        self.header.clear();
        result
    }

    async fn call_at(&mut self, to: &Endpoint, action: &str, body: &str) -> Result<Element> {
        let mut clock_read = false;
        loop {
            let Some(method) = self.auth.method() else { return Err(self.unauthorized()) };
            let message = self.exchange(to, action, body, method).await.map_err(|e| e.at(self.describe()))?;
            let answer = read(&message);
            match answer {
                Answer::Body(e) => {
                    self.auth.accepted();
                    return Ok(e);
                }
                Answer::Failed(e) => return Err(e.at(self.describe())),
                Answer::Refused | Answer::BadTime => {
                    // The digest holds for a moment of the camera's clock: it may have been set since.
                    if method == Method::WsDigest && !clock_read {
                        clock_read = true;
                        let moved = self.clock_has_moved().await;
                        // It tells another clock than it checks: daylight saving gone wrong, on some Dahua.
                        if !moved && answer == Answer::BadTime && self.policy.camera_clock {
                            self.policy.camera_clock = false;
                            continue;
                        }
                        if moved {
                            continue;
                        }
                    }
                    if self.auth.refused(message.all("www-authenticate")) == Next::GiveUp {
                        return Err(self.unauthorized());
                    }
                }
            }
        }
    }

    fn unauthorized(&self) -> Error {
        let e = if self.options.credentials.is_none() {
            Error::new(ErrorKind::Unauthorized, "the camera wants a user and a password")
        } else if self.auth.method().is_some() {
            Error::new(ErrorKind::Unauthorized, "this user may not do this on the camera")
                .next("use an administrator's account")
        } else {
            Error::new(ErrorKind::Unauthorized, "the camera refuses user or password").next(
                "check both; some cameras have a separate ONVIF account. Nothing more is tried, so that the account is not locked",
            )
        };
        e.at(self.describe())
    }

    async fn clock_has_moved(&mut self) -> bool {
        let Some(device) = self.device.clone() else { return false };
        let Ok(skew) = ask_time(&self.options, &device).await else { return false };
        let moved = self.skew.is_none_or(|s| s.abs_diff(skew) > MediaTime::from_secs(3));
        self.skew = Some(skew);
        moved
    }

    async fn exchange(&mut self, to: &Endpoint, action: &str, body: &str, method: Method) -> Result<Message> {
        let mut nonce = [0u8; 16];
        self.random
            .fill(&mut nonce)
            .map_err(|_| Error::new(ErrorKind::Internal, "the system gives no random numbers"))?;
        let (mut header, mut authorization) = (self.header.clone(), None);
        if let Some(c) = &self.options.credentials {
            let (user, password) = (&c.user, c.password.expose());
            match method {
                Method::None => {}
                Method::WsDigest | Method::WsText => {
                    let skew = self.skew.filter(|_| self.policy.camera_clock).unwrap_or_default();
                    let camera = self.options.clock.wall().plus(skew);
                    header.push_str(&username_token(user, password, method == Method::WsText, camera, &nonce));
                }
                Method::HttpDigest => {
                    authorization = self.auth.challenge().map(|(challenge, count)| {
                        challenge.answer(user, password, "POST", &to.path, count, &base64(&nonce))
                    });
                }
                Method::HttpBasic => {
                    authorization = Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())))
                }
            }
        }
        let request = post(&to.authority, &to.path, action, authorization.as_deref(), &envelope(&header, body));
        let within = self.options.exchange_within.to_duration();
        let late = || Error::new(ErrorKind::Timeout, "the camera did not answer in time");
        // Out of its place while it is used: a call that is dropped half-way leaves no half-read answer behind.
        let kept = self.connection.take().filter(|(a, _)| *a == to.authority).map(|(_, s)| s);
        let whole = async {
            if let Some(mut stream) = kept {
                match talk(&mut *stream, &request).await {
                    // It was closed since: say it again on a new one.
                    Err(Talk { untouched: true, .. }) => {}
                    other => return other.map(|m| (m, stream)).map_err(|t| t.error),
                }
            }
            let mut stream = connect(&self.options, to).await?;
            talk(&mut *stream, &request).await.map(|m| (m, stream)).map_err(|t| t.error)
        };
        let (message, stream) = timeout(within, whole).await.map_err(|_| late())??;
        if message.keeps_alive() {
            self.connection = Some((to.authority.clone(), stream));
        }
        Ok(message)
    }

    async fn find_port(&mut self) -> Result<Endpoint> {
        self.find(&PORTS).await.map_err(|_| {
            let e = Error::new(ErrorKind::Refused, format!("nothing speaks ONVIF at {}", self.options.host));
            e.next(
                "check the address, and that ONVIF is switched on in the camera; give its port if it is none of the usual",
            )
        })
    }

    /// Finds the first of these ports at which a device service answers, and stays with it. All are asked at once, without
    /// a password.
    ///
    /// # Errors
    /// What each port said, in the order of the ports, when none answers.
    pub async fn find(&mut self, ports: &[u16]) -> Result<Endpoint, Vec<(u16, Error)>> {
        let mut asked = JoinSet::new();
        for (i, port) in ports.iter().enumerate() {
            let options = self.options.clone();
            let to = options.endpoint(*port);
            asked.spawn(async move { (i, ask_time(&options, &to).await.map(|skew| (to, skew))) });
        }
        let mut answers: Vec<Option<Result<(Endpoint, MediaTime)>>> = ports.iter().map(|_| None).collect();
        while let Some(done) = asked.join_next().await {
            if let Ok((i, answer)) = done
                && let Some(place) = answers.get_mut(i)
            {
                *place = Some(answer);
            }
            // An answer counts once all before it have failed.
            let first = answers.iter().position(|a| !matches!(a, Some(Err(_))));
            if let Some(Some(Ok((to, skew)))) = first.and_then(|i| answers.get(i)) {
                self.skew = Some(*skew);
                self.device = Some(to.clone());
                return Ok(to.clone());
            }
        }
        let failed = |(port, answer): (&u16, Option<Result<_>>)| answer.and_then(Result::err).map(|e| (*port, e));
        Err(ports.iter().zip(answers).filter_map(failed).collect())
    }
}

/// GetSystemDateAndTime, without a password (ONVIF Core: access class PRE_AUTH): the camera's clock minus ours, zero if it does
/// not tell. A refusal is an ONVIF answer, too.
async fn ask_time(options: &OnvifOptions, to: &Endpoint) -> Result<MediaTime> {
    const ACTION: &str = "http://www.onvif.org/ver10/device/wsdl/GetSystemDateAndTime";
    let request = post(&to.authority, &to.path, ACTION, None, &envelope("", "<tds:GetSystemDateAndTime/>"));
    let whole = async {
        let mut stream = connect(options, to).await?;
        talk(&mut *stream, &request).await.map_err(|t| t.error)
    };
    let late = || Error::new(ErrorKind::Timeout, "the camera did not answer in time");
    let message = timeout(options.exchange_within.to_duration(), whole).await.map_err(|_| late())??;
    match read(&message) {
        Answer::Body(e) => {
            let utc = e.at(&["SystemDateAndTime", "UTCDateTime"]).and_then(date_time);
            let ours = options.clock.wall();
            let skew = utc.map(|t| MediaTime::from_nanos(t.unix_nanos().saturating_sub(ours.unix_nanos())));
            Ok(skew.unwrap_or_default())
        }
        Answer::Refused | Answer::BadTime => Ok(MediaTime::ZERO),
        Answer::Failed(e) if matches!(e.kind(), ErrorKind::Rejected | ErrorKind::Unsupported) => Ok(MediaTime::ZERO),
        Answer::Failed(e) => Err(e),
    }
}
