//! Servers that do not take it: each fault has its own error.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vistter_core::ports::Output;
use vistter_core::{Error, ErrorKind};
use vistter_rtmp::{RtmpOptions, RtmpOutput, RtmpTarget};

use crate::material::{clip, endless};
use crate::peers::{Nginx, free_port};

fn output(url: &str, options: RtmpOptions) -> RtmpOutput {
    RtmpOutput::new(RtmpTarget::parse(url).unwrap(), options).unwrap()
}

fn quick() -> RtmpOptions {
    let mut o = RtmpOptions::default();
    o.answer_timeout = Duration::from_millis(300);
    o.stall_timeout = Duration::from_millis(300);
    o
}

async fn refusal(url: &str, options: RtmpOptions) -> Error {
    let e = output(url, options).connect(&clip().params).await.unwrap_err();
    assert!(!e.to_string().contains("badkey"), "the key is shown: {e}");
    assert!(e.place().is_some() && e.next_step().is_some(), "where and what next: {e}");
    e
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_refuses_a_key() {
    let nginx = Nginx::start();
    let e = refusal(&format!("{}/badkey", nginx.url("auth")), RtmpOptions::default()).await;
    assert_eq!(e.kind(), ErrorKind::Rejected, "{e}");
    let mut good = output(&format!("{}/goodkey", nginx.url("auth")), RtmpOptions::default());
    good.connect(&clip().params).await.unwrap();
    good.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_has_the_key_in_use() {
    let nginx = Nginx::start();
    let url = format!("{}/badkey", nginx.url("live"));
    let mut first = output(&url, RtmpOptions::default());
    first.connect(&clip().params).await.unwrap();
    let e = refusal(&url, RtmpOptions::default()).await;
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, true), "{e}");
    assert!(e.what().contains("in use"), "{e}");
    first.close().await.unwrap();
    output(&url, RtmpOptions::default()).connect(&clip().params).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_has_no_such_application() {
    let nginx = Nginx::start();
    let e = refusal(&format!("{}/badkey", nginx.url("nothere")), RtmpOptions::default()).await;
    assert_eq!(e.kind(), ErrorKind::NotFound, "{e}");
}

#[tokio::test]
async fn nothing_listens() {
    let e = refusal(&format!("rtmp://127.0.0.1:{}/live/badkey", free_port()), RtmpOptions::default()).await;
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Refused, true), "{e}");
}

#[tokio::test]
async fn the_name_does_not_resolve() {
    // RFC 6761 §6.4: .invalid never resolves, and resolvers answer it themselves.
    let e = refusal("rtmp://no-such-host.invalid/live/badkey", RtmpOptions::default()).await;
    assert_eq!(e.kind(), ErrorKind::NameResolution, "{e}");
}

#[tokio::test]
async fn a_black_hole_accepts_and_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtmp://{}/live/badkey", listener.local_addr().unwrap());
    let e = refusal(&url, quick()).await;
    assert_eq!(e.kind(), ErrorKind::Timeout, "{e}");
    assert!(e.what().contains("handshake"), "{e}");
}

#[tokio::test]
async fn a_server_that_speaks_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtmp://{}/live/badkey", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut s, _) = listener.accept().await.unwrap();
        s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = s.read_to_end(&mut Vec::new()).await;
    });
    let e = refusal(&url, RtmpOptions::default()).await;
    assert_eq!(e.kind(), ErrorKind::Protocol, "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_after_publish_times_out_the_send() {
    let nginx = Nginx::start();
    let mut o = quick();
    o.answer_timeout = Duration::from_secs(10);
    o.send_buffer = 16 << 10;
    let mut out = output(&format!("{}/badkey", nginx.url("live")), o);
    out.connect(&clip().params).await.unwrap();
    nginx.freeze();
    let sent = async {
        for p in endless() {
            out.send(&p).await?;
        }
        Ok::<(), Error>(())
    };
    let e = tokio::time::timeout(Duration::from_secs(60), sent).await.expect("bounded").unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Timeout, "{e}");
    assert!(e.what().contains("taken no data"), "{e}");
    // It is over for this connection, and closing is quick and quiet.
    assert_eq!(out.send(&clip().packets[0]).await.unwrap_err().kind(), ErrorKind::Closed);
    out.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_tells_that_the_server_is_gone() {
    let nginx = Nginx::start();
    let mut out = output(&format!("{}/badkey", nginx.url("live")), RtmpOptions::default());
    out.connect(&clip().params).await.unwrap();
    for p in endless().take_while(|p| p.dts.millis() < 10_000) {
        out.send(&p).await.unwrap();
    }
    drop(nginx);
    let e = tokio::time::timeout(Duration::from_secs(60), out.failed()).await.expect("failed() returns");
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Closed, true), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cuts_right_after_publish_looks_like_a_refusal() {
    let nginx = Nginx::start();
    let mut out = output(&format!("{}/badkey", nginx.url("live")), RtmpOptions::default());
    out.connect(&clip().params).await.unwrap();
    drop(nginx);
    let e = tokio::time::timeout(Duration::from_secs(60), out.failed()).await.expect("failed() returns");
    assert_eq!((e.kind(), e.is_transient()), (ErrorKind::Rejected, true), "{e}");
    assert!(!e.to_string().contains("badkey"), "{e}");
}
