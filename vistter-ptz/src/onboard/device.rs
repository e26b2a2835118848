//! The steps that ask the device. One client for all of them: it shows a password that may be wrong once in each way, and
//! never again.

use tokio::time::timeout;
use vistter_core::config::Address;
use vistter_core::onboard::{Chosen, DeviceFacts, Limits, Offer, PtzFacts, Recorder, StepName, Wish, choose};
use vistter_core::ports::{Preset, PtzDriver};
use vistter_core::time::MediaTime;
use vistter_core::{Error, ErrorKind};

use super::{reach, stream};
use crate::onvif::auth::Method;
use crate::onvif::services::Profile;
use crate::onvif::{OnvifDriver, OnvifOptions};

/// A clock that is further off is told: some cameras burn it into the picture, and recordings carry it.
const CLOCK_OFF: MediaTime = MediaTime::from_secs(5);

/// Which device is asked, and for what.
#[derive(Clone, Debug)]
pub struct OnvifCheck {
    /// Host, password, limits; a port in it is asked first.
    pub options: OnvifOptions,
    /// The other ports to ask, in their order ([`PORTS`](crate::onvif::PORTS)).
    pub ports: Vec<u16>,
    /// Where to look for RTSP when ONVIF does not answer ([`RTSP_PORTS`](super::RTSP_PORTS)).
    pub rtsp_ports: Vec<u16>,
    /// What the show would like.
    pub wish: Wish,
}

/// Asks the device, up to the address of the stream to take; `None` when a step before it failed. The driver goes on with
/// what it has learned. Cancel-safe.
pub async fn ask_device(check: &OnvifCheck, rec: &mut Recorder<'_>) -> (OnvifDriver, Option<Address>) {
    let mut driver = OnvifDriver::new(check.options.clone());
    if let Some(c) = &check.options.credentials {
        rec.hide(c.password.clone());
    }
    let stream = Box::pin(steps(check, &mut driver, rec)).await;
    (driver, stream)
}

async fn steps(check: &OnvifCheck, driver: &mut OnvifDriver, rec: &mut Recorder<'_>) -> Option<Address> {
    reachable(check, driver, rec).await?;
    clock(driver, rec);
    authenticated(check, driver, rec).await?;
    let offers = profiles(driver, rec).await?;
    let token = chosen(&offers, &check.wish, rec)?;
    stream_uri(check, driver, &token, rec).await
}

async fn reachable(check: &OnvifCheck, driver: &mut OnvifDriver, rec: &mut Recorder<'_>) -> Option<()> {
    let (host, configured) = (check.options.host.clone(), check.options.port);
    let ports = reach::order(configured, &check.ports);
    rec.begin(StepName::Reachable);
    let left = rec.left();
    let found = timeout(left, async {
        reach::resolve(&host).await?;
        match driver.client().find(&ports).await {
            Ok(endpoint) => Ok(endpoint),
            Err(said) => Err(reach::explain(&host, &said, &check.rtsp_ports).await),
        }
    });
    match found.await.unwrap_or_else(|_| Err(out_of_time())) {
        Ok(endpoint) => {
            let port = endpoint.authority.rsplit(':').next().and_then(|p| p.parse::<u16>().ok());
            rec.facts().device = Some(DeviceFacts { address: endpoint.authority.clone(), ..DeviceFacts::default() });
            match (configured, port) {
                (Some(wrong), Some(right)) if wrong != right => {
                    rec.warned(format!("ONVIF answers at port {right}, not at {wrong}"), format!("use port {right}"))
                }
                _ => rec.passed(format!("ONVIF answers at {}", endpoint.authority)),
            }
            Some(())
        }
        Err(e) => {
            rec.failed(&e);
            None
        }
    }
}

fn out_of_time() -> Error {
    Error::new(ErrorKind::Timeout, "the time for the whole check is over").next("try again, with more time")
}

fn clock(driver: &mut OnvifDriver, rec: &mut Recorder<'_>) {
    rec.begin(StepName::ClockSkew);
    let Some(skew) = driver.client().skew() else {
        rec.skipped("the camera does not tell its clock");
        return;
    };
    let secs = skew.as_secs_f64();
    device(rec).clock_skew_secs = Some(secs);
    let word = if secs < 0.0 { "behind" } else { "ahead" };
    if skew.abs_diff(MediaTime::ZERO) > CLOCK_OFF {
        rec.warned(
            format!("the camera's clock is {:.0} s {word}; passwords are stamped with its time", secs.abs()),
            "set the camera's clock by NTP",
        );
    } else {
        rec.passed(format!("the camera's clock is right, within {:.0} s", secs.abs().ceil().max(1.0)));
    }
}

fn device<'r>(rec: &'r mut Recorder<'_>) -> &'r mut DeviceFacts {
    rec.facts().device.get_or_insert_default()
}

async fn authenticated(check: &OnvifCheck, driver: &mut OnvifDriver, rec: &mut Recorder<'_>) -> Option<()> {
    rec.begin(StepName::Authenticated);
    let left = rec.left();
    let told = timeout(left, driver.information()).await.unwrap_or_else(|_| Err(out_of_time()));
    let method = driver.client().method();
    if told.as_ref().is_err_and(ends_it) {
        told.inspect_err(|e| rec.failed(e)).ok();
        return None;
    }
    device(rec).method = method.map(|m| name(m).to_owned());
    match method {
        Some(Method::None) if check.options.credentials.is_some() => {
            rec.passed("the camera asks for no password here; yours was not needed");
        }
        Some(Method::None) => rec.passed("the camera asks for no password"),
        Some(m @ (Method::WsText | Method::HttpBasic)) => rec.warned(
            format!("accepted by {}, which shows the password to the network", name(m)),
            "keep the camera in a network of its own",
        ),
        Some(m) => rec.passed(format!("accepted by {}", name(m))),
        None => rec.passed("accepted"),
    }
    rec.begin(StepName::DeviceInformation);
    match told {
        Ok(info) => {
            let (manufacturer, model) = (rec.clean(&info.manufacturer), rec.clean(&info.model));
            let (firmware, serial) = (rec.clean(&info.firmware), rec.clean(&info.serial));
            rec.passed(format!("{manufacturer} {model}, firmware {firmware}"));
            let facts = device(rec);
            (facts.manufacturer, facts.model, facts.firmware, facts.serial) = (manufacturer, model, firmware, serial);
        }
        Err(e) => rec.failed(&e), // the profiles may come all the same
    }
    Some(())
}

/// What another question would not change.
fn ends_it(e: &Error) -> bool {
    use ErrorKind as K;
    matches!(e.kind(), K::Unauthorized | K::Timeout | K::Refused | K::Closed | K::NameResolution | K::Limit | K::Tls)
}

fn name(m: Method) -> &'static str {
    match m {
        Method::None => "none",
        Method::HttpDigest => "http_digest",
        Method::WsDigest => "ws_digest",
        Method::WsText => "ws_text",
        Method::HttpBasic => "http_basic",
    }
}

async fn profiles(driver: &mut OnvifDriver, rec: &mut Recorder<'_>) -> Option<Vec<Offer>> {
    rec.begin(StepName::Profiles);
    let left = rec.left();
    let told = timeout(left, driver.profiles()).await.unwrap_or_else(|_| Err(out_of_time()));
    let offers: Vec<Offer> = match told {
        Ok(all) => all.iter().map(|p| offer(p, rec)).collect(),
        Err(e) => {
            rec.failed(&e);
            return None;
        }
    };
    if offers.is_empty() {
        let e = Error::new(ErrorKind::NotFound, "the camera offers no media profile");
        rec.failed(&e.next("make one in the camera's settings, with H.264 pictures"));
        return None;
    }
    let one = |o: &Offer| {
        let size = o.size.map(|(w, h)| format!(" {w}x{h}")).unwrap_or_default();
        format!("{} ({}{size})", o.name, o.encoding.as_deref().unwrap_or("no coding named"))
    };
    rec.passed(format!("{}: {}", offers.len(), offers.iter().map(one).collect::<Vec<_>>().join(", ")));
    rec.facts().profiles = offers.clone();
    // The password may have been asked for only now.
    if let Some(m) = driver.client().method() {
        device(rec).method = Some(name(m).to_owned());
    }
    Some(offers)
}

/// The token stays as it is, for it goes back to the device.
fn offer(p: &Profile, rec: &Recorder<'_>) -> Offer {
    let o = &p.offer;
    let name = rec.clean(if o.name.is_empty() { &o.token } else { &o.name });
    Offer { name, encoding: o.encoding.as_deref().map(|e| rec.clean(e)), ..o.clone() }
}

fn chosen(offers: &[Offer], wish: &Wish, rec: &mut Recorder<'_>) -> Option<String> {
    rec.begin(StepName::ProfileChosen);
    let choice = choose(offers, wish);
    let Some((best, choice)) = choice.and_then(|c| Some((offers.get(c.index)?, c))) else {
        let e = Error::new(ErrorKind::Unsupported, "no profile has H.264 or H.265 pictures");
        rec.failed(&e.next("set a profile to H.264 in the camera's video settings"));
        return None;
    };
    let said = format!("{}: {}", best.name, choice.why);
    if choice.h265 {
        let next = format!(
            "switch the profile \"{}\" to H.264 in the camera's video settings; H.265 works, and costs about twice the CPU",
            best.name
        );
        rec.warned(said, next);
    } else {
        rec.passed(said);
    }
    let facts = Chosen { token: best.token.clone(), name: best.name.clone(), why: choice.why };
    rec.facts().chosen = Some(facts);
    Some(best.token.clone())
}

async fn stream_uri(
    check: &OnvifCheck,
    driver: &mut OnvifDriver,
    token: &str,
    rec: &mut Recorder<'_>,
) -> Option<Address> {
    rec.begin(StepName::StreamUri);
    let left = rec.left();
    let uri = timeout(left, driver.stream_uri(token)).await.unwrap_or_else(|_| Err(out_of_time()));
    let options = &check.options;
    match uri.and_then(|uri| stream::address(&uri, &options.host, options.credentials.as_ref())) {
        Ok((address, other)) => {
            let note = other.map(|h| format!(" (the camera names {h})")).unwrap_or_default();
            rec.passed(format!("{address}{note}"));
            Some(address)
        }
        Err(e) => {
            rec.failed(&e);
            None
        }
    }
}

/// Asks how the head moves and what views are stored, with the driver of [`ask_device`]. Cancel-safe.
pub async fn ask_head(driver: &mut OnvifDriver, rec: &mut Recorder<'_>) {
    rec.begin(StepName::PtzNode);
    let left = rec.left();
    let asked = timeout(left, async { Ok((driver.capabilities().await?, driver.node().await?)) });
    let (caps, node) = match asked.await.unwrap_or_else(|_| Err(out_of_time())) {
        Ok(told) => told,
        Err(e) if e.kind() == ErrorKind::Unsupported => {
            return rec.skipped(format!("not moved from here: {}", e.what()));
        }
        Err(e) => return rec.failed(&e),
    };
    let range = |r: crate::onvif::space::Range| [r.min, r.max];
    let limits = Limits {
        pan: node.spaces.position.first().map(|s| range(s.x)),
        tilt: node.spaces.position.first().map(|s| range(s.y)),
        zoom: node.spaces.zoom.first().map(|s| range(s.x)),
    };
    let can: Vec<&str> = [
        (caps.absolute, "positions"),
        (caps.continuous, "drives"),
        (caps.home, "home"),
        (caps.save_presets, "presets"),
    ]
    .iter()
    .filter_map(|(yes, what)| yes.then_some(*what))
    .collect();
    let axis = |name: &str, r: Option<[f64; 2]>| r.map(|[a, b]| format!(", {name} {a} to {b}")).unwrap_or_default();
    let ranges = [axis("pan", limits.pan), axis("tilt", limits.tilt), axis("zoom", limits.zoom)].concat();
    rec.facts().ptz = Some(PtzFacts {
        absolute: caps.absolute,
        continuous: caps.continuous,
        home: caps.home,
        max_presets: caps.max_presets,
        limits: Some(limits),
        ..PtzFacts::default()
    });
    rec.passed(format!("{}{ranges}", can.join(", ")));
    rec.begin(StepName::Presets);
    let left = rec.left();
    match timeout(left, driver.presets()).await.unwrap_or_else(|_| Err(out_of_time())) {
        Ok(presets) => {
            let count = u32::try_from(presets.len()).unwrap_or(u32::MAX);
            let stored = presets.into_iter().map(|p| Preset { name: rec.clean(&p.name), token: p.token }).collect();
            if let Some(p) = &mut rec.facts().ptz {
                (p.presets, p.stored) = (Some(count), stored);
            }
            let room = caps.max_presets.map(|m| format!(", room for {m}")).unwrap_or_default();
            rec.passed(format!("{count} stored{room}"));
        }
        Err(e) => rec.failed(&e),
    }
}
