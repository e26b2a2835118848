//! The RTSP source against GStreamer's RTSP server.

use std::time::Duration;

use tokio::time::timeout;
use vistter_core::clock::SystemClock;
use vistter_core::config::{Address, Transport};
use vistter_core::media::{Codec, Packet, StreamParams, Track, h264};
use vistter_core::ports::{Source, SourceEvent};
use vistter_core::source::{RtspConfig, RtspSource, RtspTimeouts, probe};
use vistter_core::time::MediaTime;
use vistter_core::tls::{Fingerprint, TlsPolicy};
use vistter_core::{ErrorKind, Result};

use crate::peers::{Certificate, Certs, GstCamera};

/// A bound on the whole of a step on a busy machine; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn config(url: &str) -> RtspConfig {
    let patient = RtspTimeouts { connect: PATIENCE, first_frame: PATIENCE, silence: PATIENCE };
    RtspConfig::new(Address::parse(url).unwrap()).timeouts(patient)
}

/// What came until `enough` says so.
#[derive(Default)]
pub(crate) struct Seen {
    pub params: Vec<StreamParams>,
    pub video: Vec<Packet>,
    pub audio: Vec<Packet>,
    pub lost: usize,
}

pub(crate) async fn watch(source: &mut RtspSource, mut enough: impl FnMut(&Seen) -> bool) -> Result<Seen> {
    let mut seen = Seen::default();
    while !enough(&seen) {
        let next = timeout(PATIENCE, source.next()).await.expect("the source says something or fails");
        match next? {
            SourceEvent::Params(p) => seen.params.push(p),
            SourceEvent::Packet(p) if p.track == Track::Video => seen.video.push(p),
            SourceEvent::Packet(p) => seen.audio.push(p),
            SourceEvent::Lost(_) => seen.lost += 1,
            other => panic!("{other:?}"),
        }
    }
    Ok(seen)
}

async fn opened(config: RtspConfig) -> RtspSource {
    let mut s = RtspSource::new(config);
    s.open().await.unwrap();
    s
}

/// Frames per second from the presentation times, without the last few, among which B-frames are still missing.
fn measured(video: &[Packet]) -> f64 {
    let mut pts: Vec<_> = video.iter().map(|p| p.pts).collect();
    pts.sort();
    pts.truncate(pts.len() - 5);
    (pts.len() - 1) as f64 / (*pts.last().unwrap() - pts[0]).as_secs_f64()
}

struct Case<'a> {
    keys: &'a [&'a str],
    transport: Transport,
    size: (u32, u32),
    fps: f64,
    profile: &'static str,
    audio: Option<(Codec, u32)>,
    reorders: bool,
}

async fn plays(c: Case<'_>) {
    let camera = GstCamera::start(c.keys);
    let mut s = opened(config(&camera.url_with_credentials()).transport(c.transport)).await;
    let wants_audio = c.audio.is_some();
    let first = s.next().await.unwrap();
    let SourceEvent::Params(params) = &first else { panic!("parameters come first, not {first:?}") };
    let seen = watch(&mut s, |w| w.video.len() >= 90 && (!wants_audio || w.audio.len() >= 60)).await.unwrap();
    let video = params.video.as_ref().unwrap();
    assert_eq!((video.width, video.height), c.size);
    assert!(video.rfc6381.to_lowercase().starts_with(c.profile), "{}", video.rfc6381);
    assert_eq!(params.audio.as_ref().map(|a| (a.codec, a.sample_rate)), c.audio);
    assert!(seen.video.iter().any(|p| p.keyframe), "a keyframe within 90 pictures");
    assert!((measured(&seen.video) - c.fps).abs() < 0.2, "{}", measured(&seen.video));
    assert!(seen.video.windows(2).all(|w| w[0].dts < w[1].dts), "decode times rise");
    assert!(seen.video.iter().skip(20).all(|p| p.dts <= p.pts), "nothing is decoded after it is shown");
    assert_eq!(seen.video.windows(2).any(|w| w[1].pts < w[0].pts), c.reorders);
    for p in &seen.video {
        assert!(h264::avcc_units(&p.data).all(|u| u.is_ok_and(|u| !u.is_empty())), "whole length-prefixed units");
        if video.codec == Codec::H264 {
            assert_eq!(p.keyframe, h264::has_idr(&p.data));
        }
    }
    if wants_audio {
        assert!(seen.audio.windows(2).all(|w| w[0].pts < w[1].pts));
        // The clip's sound and pictures run together: their times stay within what the network adds.
        let (v, a) = (seen.video.last().unwrap().pts, seen.audio.last().unwrap().pts);
        assert!(v.abs_diff(a).millis() < 700, "sound at {a:?}, pictures at {v:?}");
        if params.audio.as_ref().unwrap().codec == Codec::Aac {
            assert_eq!(params.audio.as_ref().unwrap().config[0] >> 3, 2, "the AudioSpecificConfig says AAC-LC");
        }
    }
    s.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baseline_over_udp() {
    plays(Case {
        keys: &["profile=baseline", "size=640x360", "gop=25", "kbps=800"],
        transport: Transport::Udp,
        size: (640, 360),
        fps: 25.0,
        profile: "avc1.42",
        audio: None,
        reorders: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn main_with_b_frames_and_aac_behind_digest() {
    plays(Case {
        keys: &["profile=main", "bframes=2", "size=1280x720", "audio=aac", "auth=digest", "headers=inband"],
        transport: Transport::Tcp,
        size: (1280, 720),
        fps: 25.0,
        profile: "avc1.4d",
        audio: Some((Codec::Aac, 48_000)),
        reorders: true,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn high_at_29_97_with_a_gop_of_ten_seconds_and_a_law_behind_basic() {
    plays(Case {
        keys: &["profile=high", "bframes=3", "size=640x360", "fps=30000/1001", "gop=300", "audio=alaw", "auth=basic"],
        transport: Transport::Tcp,
        size: (640, 360),
        fps: 29.97,
        profile: "avc1.64",
        audio: Some((Codec::Pcma, 8000)),
        reorders: true,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_hd_at_30_with_mu_law_over_udp() {
    plays(Case {
        keys: &["profile=high", "size=1920x1080", "fps=30", "gop=30", "audio=ulaw", "headers=sdp"],
        transport: Transport::Udp,
        size: (1920, 1080),
        fps: 30.0,
        profile: "avc1.64",
        audio: Some((Codec::Pcmu, 8000)),
        reorders: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h265_comes_too() {
    plays(Case {
        keys: &["codec=h265", "size=640x360", "kbps=500"],
        transport: Transport::Tcp,
        size: (640, 360),
        fps: 25.0,
        profile: "hvc1",
        audio: None,
        reorders: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_measures_what_the_camera_sends() {
    let camera = GstCamera::start(&["profile=high", "bframes=2", "size=640x360", "gop=25", "kbps=800", "audio=aac"]);
    let mut s = RtspSource::new(config(&camera.url()));
    let clock = SystemClock::new();
    let r = probe(&mut s, MediaTime::from_secs(4), &clock).await.unwrap();
    let (v, a) = (r.video.unwrap(), r.audio.unwrap());
    assert_eq!((v.profile.as_str(), v.width, v.gop_frames, v.b_frames), ("High", 640, Some(25), true));
    assert!((v.measured_fps.unwrap() - 25.0).abs() < 0.1, "{v:?}");
    assert!((400..1400).contains(&v.bitrate_kbps), "{v:?}");
    assert_eq!((a.codec, a.sample_rate, a.channels), (Codec::Aac, 48_000, 2));
    assert_eq!((r.clock.jumps, r.clock.losses), (0, 0));
    assert_eq!(r.advice.len(), 1, "only the B-frames: {:?}", r.advice);
    assert!(serde_json::to_string(&r.advice).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_watch_is_told_so_without_secrets() {
    let camera = GstCamera::start(&["auth=digest", "size=320x180", "kbps=200"]);
    let wrong = camera.url().replacen("://", "://admin:sup3rs3cret@", 1);
    for (url, says) in [(wrong, "refused the user name"), (camera.url(), "wants a user name")] {
        let e = RtspSource::new(config(&url)).open().await.unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Unauthorized);
        assert!(e.to_string().contains(says), "{e}");
        assert!(!format!("{e} {e:?}").contains("sup3rs3cret"), "{e}");
        assert!(e.next_step().is_some() && !e.is_transient());
    }
    let elsewhere = camera.url_with_credentials().replace("/cam", "/other");
    let e = RtspSource::new(config(&elsewhere)).open().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound, "{e}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_is_noticed_and_a_camera_comes_back_in_another_size() {
    let mut camera = GstCamera::start(&["size=640x360", "gop=25", "audio=ulaw", "kbps=800"]);
    let mut c = config(&camera.url());
    c.timeouts.silence = Duration::from_secs(2);
    let mut s = opened(c).await;
    watch(&mut s, |w| w.video.len() >= 10).await.unwrap();
    camera.stall();
    let e = watch(&mut s, |_| false).await.err().unwrap();
    assert_eq!(e.kind(), ErrorKind::Timeout, "{e}");
    assert!(e.to_string().contains("no picture, though the connection is up"), "{e}");
    s.close().await;

    camera.restart(&["size=320x180"]);
    s.open().await.unwrap();
    let seen = watch(&mut s, |w| w.video.len() >= 5).await.unwrap();
    assert_eq!(seen.params[0].video.as_ref().map(|v| v.width), Some(320));
    camera.kill();
    let e = watch(&mut s, |_| false).await.err().unwrap();
    assert!(matches!(e.kind(), ErrorKind::Closed | ErrorKind::Timeout), "{e:?}");
    assert!(e.is_transient());
    let e = s.open().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Refused, "{e}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loss_is_told_and_a_jump_is_passed_on() {
    let mut camera = GstCamera::start(&["size=640x360", "gop=25", "kbps=800"]);
    let mut s = opened(config(&camera.url()).transport(Transport::Udp)).await;
    watch(&mut s, |w| w.video.len() >= 10).await.unwrap();
    camera.loss(5.0);
    watch(&mut s, |w| w.lost >= 2).await.unwrap();
    camera.loss(0.0);
    let before = watch(&mut s, |w| w.video.len() >= 5).await.unwrap().video.last().unwrap().pts;
    camera.jump(100.0);
    let seen = watch(&mut s, |w| w.video.last().is_some_and(|p| (p.pts - before).millis() > 90_000)).await.unwrap();
    assert!(seen.video.last().unwrap().dts.abs_diff(seen.video.last().unwrap().pts).millis() < 1000);
}

fn der(path: &std::path::Path) -> Vec<u8> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_file(path).unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rtsps_with_a_good_certificate_and_digest() {
    let certs = Certs::shared();
    let cert = format!("cert={}", certs.both(Certificate::Good).display());
    let camera = GstCamera::start(&[&cert, "auth=digest", "size=320x180", "kbps=200", "audio=ulaw"]);
    let url = camera.url_with_credentials();
    assert!(url.starts_with("rtsps://"));
    let trust = TlsPolicy::Authorities(vec![der(&certs.authority())]);
    let mut s = opened(config(&url).tls(trust)).await;
    let seen = watch(&mut s, |w| w.video.len() >= 30 && w.audio.len() >= 10).await.unwrap();
    assert_eq!(seen.params[0].video.as_ref().map(|v| v.height), Some(180));
    s.close().await;
    let e = RtspSource::new(config(&url)).open().await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Tls, "an unknown authority: {e}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_self_signed_camera_is_pinned_by_what_the_error_says() {
    let cert = format!("cert={}", Certs::shared().both(Certificate::SelfSigned).display());
    let camera = GstCamera::start(&[&cert, "size=320x180", "kbps=200"]);
    let e = RtspSource::new(config(&camera.url())).open().await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Tls, false), "{e}");
    let shown = e.next_step().unwrap().rsplit(' ').next().unwrap().to_owned();
    let mut s = opened(config(&camera.url()).tls(TlsPolicy::pin(&shown).unwrap())).await;
    watch(&mut s, |w| w.video.len() >= 3).await.unwrap();
    s.close().await;
    let e = RtspSource::new(config(&camera.url()).tls(TlsPolicy::Pin(Fingerprint([7; 32])))).open().await.unwrap_err();
    assert!(e.kind() == ErrorKind::Tls && e.to_string().contains(&shown), "{e}");
    let mut s = opened(config(&camera.url()).tls(TlsPolicy::Insecure)).await;
    watch(&mut s, |w| w.video.len() >= 3).await.unwrap();
    s.close().await;
}
