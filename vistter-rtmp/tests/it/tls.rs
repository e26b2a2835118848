//! RTMPS through nginx's TLS, with good and bad certificates.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vistter_core::media::Track;
use vistter_core::ports::Output;
use vistter_core::{Error, ErrorKind};
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

use crate::material::{clip, count};
use crate::peers::{Certificate, Certs, Nginx, NginxOptions, ffmpeg_decodes};
use crate::publish::publish_clip;
use crate::tools::probe;

fn trusting(authority: PathBuf) -> RtmpOptions {
    let mut o = RtmpOptions::default();
    o.extra_ca = Some(std::fs::read(authority).unwrap());
    o
}

fn nginx() -> Nginx {
    Nginx::start_with(NginxOptions { tls: true, ..NginxOptions::default() })
}

async fn fault(url: &str, options: RtmpOptions) -> Error {
    let target = RtmpTarget::parse(&format!("{url}/key")).unwrap();
    let e = RtmpOutput::new(target, options).unwrap().connect(&clip().params).await.unwrap_err();
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Tls, false), "{e}");
    assert!(e.next_step().is_some(), "{e}");
    e
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_certificate() {
    let (nginx, certs) = (nginx(), Certs::shared());
    let by_name = nginx.tls_url(Certificate::Good, "live");
    // An address in place of a name is checked too.
    for (url, key) in [(by_name.clone(), "name"), (by_name.replace("localhost", "127.0.0.1"), "address")] {
        publish_clip(&format!("{url}/{key}"), trusting(certs.authority())).await;
        ffmpeg_decodes(&nginx.recording(key));
        assert_eq!(probe(&nginx.recording(key), "v").0, count(&clip().packets, Track::Video));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_certificate_is_told_apart() {
    let (nginx, certs) = (nginx(), Certs::shared());
    let url = |c| nginx.tls_url(c, "live");
    let other = certs.certificate(Certificate::SelfSigned);
    assert!(fault(&url(Certificate::Good), RtmpOptions::default()).await.what().contains("unknown issuer"));
    assert!(fault(&url(Certificate::Good), trusting(other)).await.what().contains("unknown issuer"));
    assert!(fault(&url(Certificate::Expired), trusting(certs.authority())).await.what().contains("expired"));
    let e = fault(&url(Certificate::WrongHost), trusting(certs.authority())).await;
    assert!(e.what().contains("another host than localhost"), "{e}");
    let e = fault(&url(Certificate::SelfSigned), trusting(certs.authority())).await;
    assert!(e.what().contains("unknown issuer") || e.what().contains("self-signed"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_server_behind_rtmps() {
    // nginx waits for 1,537 bytes of handshake, and a TLS greeting is shorter.
    let nginx = Nginx::start();
    let mut o = RtmpOptions::default();
    o.tls_timeout = Duration::from_millis(300);
    let target = RtmpTarget::parse(&format!("rtmps://localhost:{}/live/key", nginx.port())).unwrap();
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
    let e = fault(&format!("rtmps://localhost:{port}/live"), RtmpOptions::default()).await;
    assert!(e.what().contains("does not speak TLS"), "{e}");
}

#[test]
fn a_ca_file_without_certificates() {
    let mut o = RtmpOptions::default();
    o.extra_ca = Some(b"nothing here".to_vec());
    let e = RtmpOutput::new(RtmpTarget::parse("rtmps://h/live/key").unwrap(), o).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Config);
}
