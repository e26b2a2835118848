//! RTMPS through nginx's TLS, with good and bad certificates.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vistter_core::media::Track;
use vistter_core::ports::Output;
use vistter_core::{Error, ErrorKind};
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

use crate::certs::folder;
use crate::material::{clip, count};
use crate::peers::{Nginx, decodes, probe};
use crate::publish::publish_clip;

fn trusting(ca: &str) -> RtmpOptions {
    let mut o = RtmpOptions::default();
    o.extra_ca = Some(std::fs::read(folder().join(ca)).unwrap());
    o
}

async fn fault(port: u16, options: RtmpOptions) -> Error {
    let target = RtmpTarget::parse(&format!("rtmps://localhost:{port}/live/key")).unwrap();
    let e = RtmpOutput::new(target, options).unwrap().connect(&clip().params).await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Tls, false), "{e}");
    e
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_certificate() {
    let nginx = Nginx::start(Some(folder()));
    publish_clip(&format!("rtmps://localhost:{}/live/key", nginx.rtmps[0]), trusting("ca.crt")).await;
    // An address in place of a name is checked too.
    let nginx2 = Nginx::start(Some(folder()));
    publish_clip(&format!("rtmps://127.0.0.1:{}/live/key", nginx2.rtmps[0]), trusting("ca.crt")).await;
    for n in [&nginx, &nginx2] {
        decodes(&n.recording());
        assert_eq!(probe(&n.recording(), "v").0, count(&clip().packets, Track::Video));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_certificate_is_told_apart() {
    let nginx = Nginx::start(Some(folder()));
    let [good, expired, selfsigned, wronghost] = nginx.rtmps;
    assert!(fault(good, RtmpOptions::default()).await.what().contains("unknown issuer"));
    assert!(fault(good, trusting("otherca.crt")).await.what().contains("unknown issuer"));
    assert!(fault(expired, trusting("ca.crt")).await.what().contains("expired"));
    let e = fault(wronghost, trusting("ca.crt")).await;
    assert!(e.what().contains("another host than localhost"), "{e}");
    let e = fault(selfsigned, trusting("ca.crt")).await;
    assert!(e.what().contains("unknown issuer") || e.what().contains("self-signed"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_server_behind_rtmps() {
    // nginx waits for 1,537 bytes of handshake, and a TLS greeting is shorter.
    let nginx = Nginx::start(None);
    let mut o = RtmpOptions::default();
    o.tls_timeout = Duration::from_millis(300);
    let target = RtmpTarget::parse(&format!("rtmps://localhost:{}/live/key", nginx.rtmp)).unwrap();
    let e = RtmpOutput::new(target, o).unwrap().connect(&clip().params).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Timeout, "{e}");
    assert!(e.next_step().unwrap().contains("rtmp instead of rtmps"), "{e}");
    // Others answer, in their own protocol.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut s, _) = listener.accept().await.unwrap();
        s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = s.read_to_end(&mut Vec::new()).await;
    });
    let e = fault(port, RtmpOptions::default()).await;
    assert!(e.what().contains("does not speak TLS"), "{e}");
}

#[test]
fn a_ca_file_without_certificates() {
    let mut o = RtmpOptions::default();
    o.extra_ca = Some(b"nothing here".to_vec());
    let e = RtmpOutput::new(RtmpTarget::parse("rtmps://h/live/key").unwrap(), o).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Config);
}
