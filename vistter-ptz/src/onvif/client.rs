//! Exchanges with a device: one connection, kept where the device keeps it; a time-out on each exchange.

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vistter_core::clock::Clock;
use vistter_core::config::Credentials;
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind, Result};

use super::auth::{Authenticator, Method, Next, base64, username_token};
use super::http::{Fault, Message, Parser, post};
use super::soap::{Answer, envelope, read};
use super::time::date_time;
use super::xml::{Element, MOST_BYTES};

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
        }
    }
}

/// Where a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

impl Endpoint {
    /// A service's address as the device gives it. The password goes only to the host that the user named: devices behind
    /// NAT, or with two addresses, name another one, and then only the path is taken.
    pub fn of_xaddr(xaddr: &str, device: &Self) -> Self {
        let rest = xaddr.trim().split_once("://").map_or(xaddr, |(_, r)| r);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = |a: &str| {
            a.rsplit_once(':').filter(|(_, p)| p.parse::<u16>().is_ok()).map_or(a, |(h, _)| h).to_ascii_lowercase()
        };
        let same =
            xaddr.starts_with("http://") && host(authority) == host(&device.authority) && !authority.contains('@');
        let authority = match same {
            true if authority.rsplit_once(':').is_some_and(|(_, p)| p.parse::<u16>().is_ok()) => authority.to_owned(),
            true => format!("{authority}:80"),
            false => device.authority.clone(),
        };
        // What would break the request line ends the path.
        let path: String = path.chars().take_while(|c| c.is_ascii_graphic()).take(512).collect();
        Self { authority, path: format!("/{path}") }
    }
}

/// One device.
pub struct OnvifClient {
    options: OnvifOptions,
    device: Option<Endpoint>,
    connection: Option<(String, TcpStream)>,
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
        let auth = Authenticator::new(options.credentials.is_some(), options.plain);
        let device =
            options.port.map(|p| Endpoint { authority: format!("{}:{p}", options.host), path: options.path.clone() });
        Self { options, device, connection: None, auth, skew: None, random: SystemRandom::new() }
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
        let mut clock_read = false;
        loop {
            let Some(method) = self.auth.method() else { return Err(self.unauthorized()) };
            let message = self.exchange(to, action, body, method).await.map_err(|e| e.at(self.describe()))?;
            match read(&message) {
                Answer::Body(e) => {
                    self.auth.accepted();
                    return Ok(e);
                }
                Answer::Failed(e) => return Err(e.at(self.describe())),
                Answer::Refused => {
                    // The digest holds for a moment of the camera's clock: it may have been set since.
                    if method == Method::WsDigest && !clock_read {
                        clock_read = true;
                        if self.clock_has_moved().await {
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
        let (mut header, mut authorization) = (String::new(), None);
        if let Some(c) = &self.options.credentials {
            let (user, password) = (&c.user, c.password.expose());
            match method {
                Method::None => {}
                Method::WsDigest | Method::WsText => {
                    let camera = self.options.clock.wall().plus(self.skew.unwrap_or_default());
                    header = username_token(user, password, method == Method::WsText, camera, &nonce);
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
                match talk(&mut stream, &request).await {
                    // It was closed since: say it again on a new one.
                    Err(Talk { untouched: true, .. }) => {}
                    other => return other.map(|m| (m, stream)).map_err(|t| t.error),
                }
            }
            let mut stream = connect(&self.options, &to.authority).await?;
            talk(&mut stream, &request).await.map(|m| (m, stream)).map_err(|t| t.error)
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
            let to = Endpoint { authority: format!("{}:{port}", options.host), path: options.path.clone() };
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
        let mut stream = connect(options, &to.authority).await?;
        talk(&mut stream, &request).await.map_err(|t| t.error)
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
        Answer::Refused => Ok(MediaTime::ZERO),
        Answer::Failed(e) if matches!(e.kind(), ErrorKind::Rejected | ErrorKind::Unsupported) => Ok(MediaTime::ZERO),
        Answer::Failed(e) => Err(e),
    }
}

async fn connect(options: &OnvifOptions, authority: &str) -> Result<TcpStream> {
    let late =
        || Error::new(ErrorKind::Timeout, "the camera does not take the connection").next("check the address and port");
    let opened =
        timeout(options.connect_within.to_duration(), TcpStream::connect(authority)).await.map_err(|_| late())?;
    let stream = opened.map_err(|e| Error::io("connect", &e))?;
    stream.set_nodelay(true).map_err(|e| Error::io("connect", &e))?;
    Ok(stream)
}

struct Talk {
    error: Error,
    /// Nothing had come back: the connection was dead.
    untouched: bool,
}

async fn talk(stream: &mut TcpStream, request: &[u8]) -> Result<Message, Talk> {
    let failed = |error: Error, untouched| Talk { error, untouched };
    let io = |doing, e: std::io::Error, untouched| failed(Error::io(doing, &e), untouched);
    stream.write_all(request).await.map_err(|e| io("send to the camera", e, true))?;
    let mut parser = Parser::answer(MOST_BYTES);
    let mut buffer = [0u8; 8192];
    let broken = |fault| {
        failed(
            match fault {
                Fault::NotHttp => Error::new(ErrorKind::Protocol, "this port does not speak HTTP")
                    .next("it may be the camera's RTSP port; give its ONVIF port")
                    .transient(false),
                Fault::Cut => {
                    Error::new(ErrorKind::Closed, "the camera closed the connection in the middle of its answer")
                }
                Fault::TooLarge => Error::new(ErrorKind::Limit, "the camera's answer is over the limit of size"),
            },
            false,
        )
    };
    loop {
        let n = stream.read(&mut buffer).await.map_err(|e| io("receive from the camera", e, parser.is_untouched()))?;
        if n == 0 {
            if parser.is_untouched() {
                return Err(failed(Error::new(ErrorKind::Closed, "the camera closed the connection"), true));
            }
            return parser.end().map_err(broken);
        }
        if let Some(message) = parser.push(&buffer[..n]).map_err(broken)? {
            return Ok(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_goes_only_to_the_host_that_was_named() {
        let device = Endpoint { authority: "10.0.0.9:8899".into(), path: "/onvif/device_service".into() };
        let of = |x: &str| Endpoint::of_xaddr(x, &device).to_string();
        assert_eq!(of("http://10.0.0.9:8899/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9/onvif/ptz?x=1"), "http://10.0.0.9:80/onvif/ptz?x=1");
        assert_eq!(of("http://192.168.1.2:80/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9@evil/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("https://10.0.0.9:443/onvif/ptz"), "http://10.0.0.9:8899/onvif/ptz");
        assert_eq!(of("http://10.0.0.9:8899/a\r\nX: y"), "http://10.0.0.9:8899/a");
        assert_eq!(of(""), "http://10.0.0.9:8899/");
    }
}
