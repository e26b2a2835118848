//! Onboarding: an address and a password in, a [`Report`] out that says whether the camera is fit for a show, which stream
//! of it to take, and what to change if something does not work.
//!
//! ```no_run
//! use vistter::onboard::{OnboardOptions, Progress, Target, onboard};
//! # async fn f() -> vistter::Result<()> {
//! let (camera, credentials) = Target::parse("onvif://admin:secret@192.168.1.20")?;
//! let mut tell = |p: Progress<'_>| {
//!     if let Progress::Done(step) = p {
//!         println!("{}: {}", step.step.title(), step.said);
//!     }
//! };
//! let report = onboard(&camera, credentials, &OnboardOptions::default(), &mut tell).await;
//! if report.ok {
//!     println!("{}", report.camera.unwrap_or_default()); // for the show file
//! }
//! # Ok(()) }
//! ```

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::timeout;
use vistter_core::clock::{Clock, SystemClock};
use vistter_core::codec::decoder_for;
use vistter_core::config::{Address, Credentials, Push, Transport};
use vistter_core::source::{RtspConfig, RtspSource, RtspTimeouts};
use vistter_core::time::MediaTime;
use vistter_core::tls::TlsPolicy;
use vistter_core::{Error, ErrorKind, Result, Secret};
use vistter_ptz::onboard::{OnvifCheck, RTSP_PORTS, ask_device, ask_head};
use vistter_ptz::onvif::quirks::Change;
use vistter_ptz::onvif::tls::TlsOptions;
use vistter_ptz::onvif::{OnvifOptions, PORTS};
use vistter_rtmp::{Access, Receiver, ReceiverOptions};

pub use vistter_core::onboard::*;

/// What is to be onboarded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// An ONVIF device.
    Onvif {
        /// Host name or address; IPv6 in brackets.
        host: String,
        /// Its port, asked before the usual ones.
        port: Option<u16>,
        /// Path of its device service, if it is not the usual one.
        path: Option<String>,
        /// Over TLS.
        secure: bool,
        /// What this camera needs ([`quirks`](vistter_ptz::onvif::quirks)).
        quirks: Vec<Change>,
    },
    /// A stream, entered by hand.
    Rtsp(Address),
    /// An encoder that will push to us.
    Rtmp {
        /// Where to listen.
        listen: SocketAddr,
        /// The application it publishes to.
        app: String,
        /// Its stream key.
        key: Secret<String>,
    },
}

impl Target {
    /// From what a person writes: `HOST[:PORT]`, `onvif://[USER:PASSWORD@]HOST[:PORT][#QUIRK,…]`, the `http://` or `https://`
    /// address that discovery prints, `rtsp://…` or `rtsps://…`, or `rtmp://OWN-ADDRESS[:PORT]/APP/KEY` to wait for an encoder there. The
    /// credentials are those in the address.
    ///
    /// # Errors
    /// `Config`, when it is none of these. The text is not quoted: it may hold a password.
    pub fn parse(text: &str) -> Result<(Self, Option<Credentials>)> {
        let text = text.trim();
        // An IPv6 address without brackets has no port.
        let full = match text.parse::<Ipv6Addr>() {
            Ok(ip) => format!("onvif://[{ip}]"),
            Err(_) if text.contains("://") => text.to_owned(),
            Err(_) => format!("onvif://{text}"),
        };
        let address = Address::parse(&full).ok_or_else(|| bad("this is no address"))?;
        let credentials = address.credentials().cloned();
        let at = address.parts().ok_or_else(|| bad("the port is no number from 1 to 65535"))?;
        let target = match address.scheme() {
            scheme @ ("onvif" | "http" | "https") => {
                // An address of the web means its port.
                let usual = match scheme {
                    "http" => Some(80),
                    "https" => Some(443),
                    _ => None,
                };
                Self::Onvif {
                    host: at.host.to_owned(),
                    port: at.port.or(usual),
                    path: (at.path.len() > 1).then(|| at.path.to_owned()),
                    secure: scheme == "https",
                    quirks: Change::list(at.fragment)?,
                }
            }
            "rtsp" | "rtsps" => Self::Rtsp(address),
            "rtmp" => {
                let Push { listen, app, key } = Push::new(&address, None).map_err(|e| bad(e.what()))?;
                Self::Rtmp { listen, app, key }
            }
            _ => return Err(bad("this is no camera's address")),
        };
        Ok((target, credentials))
    }
    /// For people, without secrets.
    pub fn shown(&self) -> String {
        match self {
            Self::Onvif { host, port: Some(p), .. } => format!("{host}:{p}"),
            Self::Onvif { host, .. } => host.clone(),
            Self::Rtsp(a) => a.shown().to_owned(),
            Self::Rtmp { listen, app, .. } => format!("rtmp://{listen}/{app}/…"),
        }
    }
    fn host(&self) -> String {
        match self {
            Self::Onvif { host, .. } => host.clone(),
            Self::Rtsp(a) => a.parts().map_or_else(String::new, |p| p.host.to_owned()),
            Self::Rtmp { app, .. } => app.clone(),
        }
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::Config, what)
        .next("give HOST[:PORT], onvif://USER:PASSWORD@HOST, rtsp://USER:PASSWORD@HOST/PATH or rtmp://OWN-ADDRESS:1935/APP/KEY")
}

/// How to onboard. The defaults suit a camera in the same network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OnboardOptions {
    /// What the show would like: size, rate, main or sub stream.
    pub wish: Wish,
    /// How long the stream is watched from the first picture on, at most: two keyframes end it. Of keyframes further apart
    /// it is only known that they are.
    pub watch: MediaTime,
    /// The whole check ends within this time; waiting for an encoder (RTMP) comes on top.
    pub within: MediaTime,
    /// How long to wait for an encoder (RTMP).
    pub publish_within: MediaTime,
    /// How RTP comes.
    pub transport: Transport,
    /// Whom to trust behind `rtsps://`.
    pub tls: TlsPolicy,
    /// Limits of the RTSP steps.
    pub rtsp: RtspTimeouts,
    /// Which certificates are trusted behind `https://`; as it is, the first one that the camera shows.
    pub onvif_tls: TlsOptions,
    /// Longest wait for one ONVIF exchange.
    pub exchange_within: MediaTime,
    /// Ports to ask for ONVIF, after the one in the address.
    pub onvif_ports: Vec<u16>,
    /// Ports at which to look for RTSP, when ONVIF does not answer.
    pub rtsp_ports: Vec<u16>,
    /// The camera's id in the entry for the show file; made from its address if absent.
    pub id: Option<String>,
    /// What durations are measured with.
    pub clock: Arc<dyn Clock>,
}

impl Default for OnboardOptions {
    /// A 1080p30 program, three seconds of watching at most, half a minute in all.
    fn default() -> Self {
        let seconds = std::time::Duration::from_secs;
        Self {
            wish: Wish::default(),
            watch: MediaTime::from_secs(3),
            within: MediaTime::from_secs(30),
            publish_within: MediaTime::from_secs(60),
            transport: Transport::Tcp,
            tls: TlsPolicy::default(),
            rtsp: RtspTimeouts { connect: seconds(5), first_frame: seconds(10), silence: seconds(5) },
            onvif_tls: TlsOptions::default(),
            exchange_within: MediaTime::from_secs(5),
            onvif_ports: PORTS.to_vec(),
            rtsp_ports: RTSP_PORTS.to_vec(),
            id: None,
            clock: SystemClock::shared(),
        }
    }
}

/// Tries a camera, from the first connection to the first picture and on to its presets. Never fails: what does not work
/// is in the report, with its cause and the next step, and the report is complete as far as the check came.
///
/// A password is shown to the camera once in each way that it may want it, and never again, so that no account is locked;
/// it is in no report, event, log or error. `progress` is called as steps begin and end. Cancel-safe: dropped, it closes
/// its connections.
pub async fn onboard(
    target: &Target,
    credentials: Option<Credentials>,
    options: &OnboardOptions,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Report {
    let more = if matches!(target, Target::Rtmp { .. }) { options.publish_within } else { MediaTime::ZERO };
    let mut rec = Recorder::new(&target.shown(), options.within + more, &*options.clock, progress);
    if let Some(c) = &credentials {
        rec.hide(c.password.clone());
    }
    match target {
        Target::Onvif { host, port, path, secure, quirks } => {
            let mut onvif = OnvifOptions::new(host.clone(), *port, credentials, options.clock.clone());
            onvif.exchange_within = options.exchange_within;
            (onvif.secure, onvif.tls, onvif.quirks) = (*secure, options.onvif_tls.clone(), quirks.clone());
            if let Some(p) = path {
                onvif.path.clone_from(p);
            }
            // The usual ports speak without TLS: a password that was to go through it does not go there.
            let ports = if *secure { Vec::new() } else { options.onvif_ports.clone() };
            let rtsp_ports = options.rtsp_ports.clone();
            let check = OnvifCheck { options: onvif, ports, rtsp_ports, wish: options.wish };
            let (mut driver, stream) = Box::pin(ask_device(&check, &mut rec)).await;
            // Shown, and pinned by the store, with the first exchange.
            let shown = rec.facts().device.as_ref().filter(|_| *secure).map(|d| d.address.clone());
            let shown = shown.and_then(|at| options.onvif_tls.pins.pinned(&at).ok()?);
            if let (Some(shown), Some(device)) = (shown, &mut rec.facts().device) {
                device.certificate = Some(shown.to_string());
            }
            if let Some(address) = stream {
                // A camera has mostly one certificate for everything.
                let policy = match (&options.tls, shown) {
                    (TlsPolicy::Verify, Some(shown)) => TlsPolicy::Pin(shown),
                    (policy, _) => policy.clone(),
                };
                Box::pin(try_rtsp(target, address, policy, options, &mut rec)).await;
            }
            // A device that was not reached, or refused the password, is not asked again.
            if rec.facts().device.as_ref().is_some_and(|d| d.method.is_some()) {
                Box::pin(ask_head(&mut driver, &mut rec)).await;
                add_head(rec.facts(), if *secure { "https" } else { "onvif" }, path.as_deref(), quirks);
            }
        }
        Target::Rtsp(address) => {
            let address = credentials.map_or_else(|| address.clone(), |c| address.clone().with_credentials(c));
            if let Some(c) = address.credentials() {
                rec.hide(c.password.clone());
            }
            Box::pin(try_rtsp(target, address, options.tls.clone(), options, &mut rec)).await;
        }
        Target::Rtmp { listen, app, key } => {
            rec.hide(key.clone());
            Box::pin(try_rtmp(*listen, app, key, options, &mut rec)).await;
        }
    }
    rec.finish()
}

/// What moves the camera, and its stored views, into the entry for the show file.
fn add_head(report: &mut Report, scheme: &str, path: Option<&str>, quirks: &[Change]) {
    if let (Some(entry), Some(ptz), Some(device)) = (&mut report.camera, &report.ptz, &report.device) {
        let quirks: Vec<String> = quirks.iter().map(ToString::to_string).collect();
        let quirks = if quirks.is_empty() { String::new() } else { format!("#{}", quirks.join(",")) };
        let control = format!("{scheme}://{}{}{quirks}", device.address, path.unwrap_or_default());
        entry_with_head(entry, &control, device.certificate.as_deref(), &ptz.stored);
    }
}

fn test(options: &OnboardOptions) -> StreamTest {
    StreamTest {
        decoders: Arc::new(decoder_for),
        watch: options.watch,
        first_frame_within: options.rtsp.first_frame.into(),
    }
}

async fn try_rtsp(
    target: &Target,
    address: Address,
    policy: TlsPolicy,
    options: &OnboardOptions,
    rec: &mut Recorder<'_>,
) {
    let mut config = RtspConfig::new(address.clone()).transport(options.transport).timeouts(options.rtsp);
    config = config.tls(policy.clone());
    let mut source = RtspSource::new(config);
    let handshake = Some(StepName::RtspHandshake);
    try_stream(&mut source, handshake, &test(options), &*options.clock, rec).await;
    let facts = rec.facts();
    if facts.ok {
        let id = options.id.clone().unwrap_or_else(|| id(&target.host()));
        let name = facts.device.as_ref().map(|d| d.model.clone()).unwrap_or_default();
        let mut entry = camera_entry(&id, &name, &address, options.transport);
        if let (TlsPolicy::Pin(pin), "rtsps") = (policy, address.scheme()) {
            entry_with_pin(&mut entry, &pin.to_string());
        }
        facts.camera = Some(entry);
    }
}

/// `cam-` and the host, with what an id may hold.
fn id(host: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = host.chars().map(plain).take(40).collect();
    format!("cam-{}", text.trim_matches('-'))
}

async fn try_rtmp(
    listen: SocketAddr,
    app: &str,
    key: &Secret<String>,
    options: &OnboardOptions,
    rec: &mut Recorder<'_>,
) {
    rec.begin(StepName::Publish);
    let refused = Arc::new(AtomicU32::new(0));
    let mut receive = ReceiverOptions::default();
    receive.access = {
        let (refused, app, key) = (refused.clone(), app.to_owned(), key.clone());
        Access::Check(Arc::new(move |a, k| {
            // Encoders put options behind a question mark.
            let right = a == app && k.expose().split('?').next() == Some(key.expose());
            refused.fetch_add(u32::from(!right), Ordering::Relaxed);
            right
        }))
    };
    let receiver = match Receiver::bind(listen, receive).await {
        Ok(r) => r,
        Err(e) => return rec.failed(&e),
    };
    let at = receiver.local_addr();
    if timeout(options.publish_within.to_duration(), receiver.subscribe(app, key)).await.is_ok() {
        rec.passed(format!("an encoder publishes to rtmp://{at}/{app}"));
        let mut source = receiver.ingest(app, key.clone());
        try_stream(&mut source, None, &test(options), &*options.clock, rec).await;
        let facts = rec.facts();
        if facts.ok {
            let id = options.id.clone().unwrap_or_else(|| id(app));
            facts.camera = Some(push_entry(&id, &format!("rtmp://{listen}/{app}")));
        }
    } else {
        let within = options.publish_within.as_secs_f64();
        rec.failed(&match refused.load(Ordering::Relaxed) {
            0 => Error::new(
                ErrorKind::Timeout,
                format!("no encoder published to rtmp://{at}/{app} within {within:.0} s"),
            )
            .next(format!("start the encoder with the server rtmp://THIS-MACHINE:{}/{app} and the key", at.port())),
            n => {
                Error::new(ErrorKind::Rejected, format!("an encoder came with another application or key ({n} times)"))
                    .next(format!("set the encoder's application to \"{app}\", and its key to the one given here"))
            }
        });
    }
    receiver.stop().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_write_them() {
        let onvif = |h: &str, p: Option<u16>, path: Option<&str>| Target::Onvif {
            host: h.into(),
            port: p,
            path: path.map(str::to_owned),
            secure: false,
            quirks: Vec::new(),
        };
        for (text, want, shown) in [
            ("10.0.0.2", onvif("10.0.0.2", None, None), "10.0.0.2"),
            ("stage.local:8899", onvif("stage.local", Some(8899), None), "stage.local:8899"),
            ("fe80::1", onvif("[fe80::1]", None, None), "[fe80::1]"),
            ("[fe80::1]:80", onvif("[fe80::1]", Some(80), None), "[fe80::1]:80"),
            ("admin:pw@10.0.0.2", onvif("10.0.0.2", None, None), "10.0.0.2"),
            ("onvif://u:pw@10.0.0.2:2020/x", onvif("10.0.0.2", Some(2020), Some("/x")), "10.0.0.2:2020"),
            (
                "http://10.0.0.2/onvif/device_service",
                onvif("10.0.0.2", Some(80), Some("/onvif/device_service")),
                "10.0.0.2:80",
            ),
        ] {
            let (target, credentials) = Target::parse(text).unwrap();
            assert_eq!((&target, target.shown().as_str()), (&want, shown), "{text}");
            assert_eq!(credentials.map(|c| c.password.expose().clone()), text.contains('@').then(|| "pw".to_owned()));
        }
        let (secure, _) = Target::parse("https://10.0.0.2/onvif/device_service#stop=zero").unwrap();
        let Target::Onvif { port: Some(443), path: Some(path), secure: true, quirks, .. } = secure else {
            panic!("{secure:?}")
        };
        assert_eq!((path.as_str(), quirks.len()), ("/onvif/device_service", 1));
        let (push, _) = Target::parse("rtmp://127.0.0.1:9/live/extra/topsecret").unwrap();
        assert_eq!(push.shown(), "rtmp://127.0.0.1:9/live/extra/…");
        assert!(!format!("{push:?}").contains("topsecret"));
        let rtsp = Target::parse("rtsp://u:hunter2@10.0.0.2:554/x?password=hunter2").unwrap().0;
        assert!(!format!("{rtsp:?}{}", rtsp.shown()).contains("hunter2"));
        assert_eq!(id(&rtsp.host()), "cam-10-0-0-2");
        for wrong in [
            "",
            "http://",
            "10.0.0.2:99999",
            "ftp://u:hunter2@h/x",
            "rtmp://10.0.0.1/hunter2",
            "rtmp://cam.lan/live/hunter2",
            "a b",
        ] {
            let e = Target::parse(wrong).unwrap_err();
            assert!(e.kind() == ErrorKind::Config && e.next_step().is_some() && !format!("{e:?}").contains("hunter2"));
        }
    }
}
