//! Which port answers; if none does, the most telling reason.

use std::time::Duration;

use tokio::net::lookup_host;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vistter_core::{Error, ErrorKind, Result};

use crate::rtsp;

/// Where RTSP usually answers.
pub const RTSP_PORTS: [u16; 2] = [554, 8554];
/// Longest wait for the resolver, and for RTSP to answer.
const WITHIN: Duration = Duration::from_secs(3);

/// The ports to ask: the configured one first, none twice.
pub(super) fn order(configured: Option<u16>, usual: &[u16]) -> Vec<u16> {
    let rest = usual.iter().copied().filter(|p| Some(*p) != configured);
    configured.into_iter().chain(rest).collect()
}

/// Whether the name resolves: asked once, instead of six times the same error.
pub(super) async fn resolve(host: &str) -> Result<()> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let wrong = |what: String| {
        Error::new(ErrorKind::NameResolution, what).next("check the host name, or give the camera's IP address")
    };
    match timeout(WITHIN, lookup_host((bare, 0))).await {
        Ok(Ok(mut found)) => match found.next() {
            Some(_) => Ok(()),
            None => Err(wrong(format!("the name {host} has no address"))),
        },
        Ok(Err(e)) => Err(wrong(format!("the name {host} does not resolve: {e}"))),
        Err(_) => Err(wrong(format!("nobody resolved the name {host} in time"))),
    }
}

/// Why no port speaks ONVIF.
pub(super) async fn explain(host: &str, said: &[(u16, Error)], rtsp_ports: &[u16]) -> Error {
    // ONVIF spoken to an RTSP port is answered with silence, or with RTSP.
    let perhaps = said.iter().filter(|(_, e)| weight(e) == 2 || e.kind() == ErrorKind::Protocol).map(|(p, _)| *p);
    let mut asked = rtsp_ports.to_vec();
    asked.extend(perhaps.filter(|p| !rtsp_ports.contains(p)));
    let rtsp = first_rtsp(host, &asked).await;
    let telling = said.iter().rev().filter(|(p, _)| Some(*p) != rtsp).max_by_key(|(_, e)| weight(e));
    let rest: Vec<String> = said.iter().map(|(p, e)| format!("{p}: {}", short(e))).collect();
    let rest = rest.join(", ");
    let stream = rtsp.map(|port| format!("onboard the stream itself: rtsp://{host}:{port}/PATH"));
    if let Some((port, e)) = telling.filter(|(_, e)| weight(e) > if stream.is_some() { 2 } else { 1 }) {
        let next = e.next_step().unwrap_or("check the port, and that ONVIF is switched on in the camera");
        let next = stream.map_or(next.to_owned(), |s| format!("{next}; RTSP answers, so you can also {s}"));
        return Error::new(e.kind(), format!("no ONVIF at {host}; at port {port}: {} ({rest})", e.what())).next(next);
    }
    if let Some((port, stream)) = rtsp.zip(stream) {
        let what = format!("ONVIF is off, or at an unusual port; RTSP answers at port {port}");
        return Error::new(ErrorKind::Refused, what).next(format!(
            "switch ONVIF on in the camera (some want an ONVIF user of its own), give its port, or {stream}"
        ));
    }
    let kind = telling.map_or(ErrorKind::Refused, |(_, e)| e.kind());
    Error::new(kind, format!("nothing answers at {host} ({rest})"))
        .next("check the address, and that the camera is on and in this network")
}

/// How much a reason tells: somebody who says the wrong thing is more than silence, and silence more than a closed port.
fn weight(e: &Error) -> u8 {
    match e.kind() {
        ErrorKind::Refused => 0,
        ErrorKind::Timeout if e.what().contains("take the connection") => 1,
        ErrorKind::Timeout | ErrorKind::Closed | ErrorKind::Io => 2,
        ErrorKind::NotFound => 3,
        _ => 4,
    }
}

fn short(e: &Error) -> &'static str {
    match e.kind() {
        ErrorKind::Refused => "closed",
        ErrorKind::Timeout => "no answer",
        ErrorKind::Closed => "hung up",
        ErrorKind::NotFound => "no such page",
        ErrorKind::Limit => "too much",
        _ => "something else",
    }
}

async fn first_rtsp(host: &str, ports: &[u16]) -> Option<u16> {
    let mut asked = JoinSet::new();
    for port in ports.iter().copied() {
        let at = format!("{host}:{port}");
        asked.spawn(async move { rtsp::options(&at, WITHIN).await.ok().map(|()| port) });
    }
    let mut found = Vec::new();
    while let Some(answer) = asked.join_next().await {
        found.extend(answer.ok().flatten());
    }
    ports.iter().copied().find(|p| found.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_port_is_first_and_none_is_asked_twice() {
        assert_eq!(order(Some(8000), &[80, 8000]), [8000, 80]);
        assert_eq!(order(None, &[80, 8000]), [80, 8000]);
        assert_eq!(order(Some(1), &[]), [1]);
    }
    #[tokio::test]
    async fn the_most_telling_reason_wins() {
        let host = "127.0.0.1";
        let said = [
            (1, Error::new(ErrorKind::Protocol, "a web page came back").next("look elsewhere")),
            (2, Error::new(ErrorKind::Refused, "refused")),
            (3, Error::new(ErrorKind::Timeout, "the camera did not answer in time")),
        ];
        let e = explain(host, &said, &[]).await;
        let want =
            "no ONVIF at 127.0.0.1; at port 1: a web page came back (1: something else, 2: closed, 3: no answer)";
        assert_eq!((e.what(), e.next_step()), (want, Some("look elsewhere")));
        let e = explain(host, &said[1..2], &[]).await;
        assert!(e.what().starts_with("nothing answers at 127.0.0.1"), "{e}");
        let e = explain(host, &said[1..], &[]).await;
        assert!(e.kind() == ErrorKind::Timeout && e.what().contains("at port 3"), "{e}");
    }
}
