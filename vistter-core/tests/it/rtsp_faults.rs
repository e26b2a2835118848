//! The RTSP source against servers that do not behave.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vistter_core::ErrorKind;
use vistter_core::ports::Source;
use vistter_core::source::RtspSource;

use crate::rtsp::config;

/// A server that answers each connection's first bytes with `answer`, and then stays silent. `None` never answers.
async fn server(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/x", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut s, _)) = listener.accept().await {
            if let Some(text) = answer {
                let mut buf = [0u8; 1024];
                let _ = s.read(&mut buf).await;
                let _ = s.write_all(text).await;
            }
            open.push(s);
        }
    });
    url
}

fn describe(sdp: &str) -> &'static [u8] {
    let head = "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length:";
    Box::leak(format!("{head} {}\r\n\r\n{sdp}", sdp.len()).into_bytes().into_boxed_slice())
}

async fn error(url: &str) -> vistter_core::Error {
    let mut c = config(url);
    c.timeouts.connect = Duration::from_secs(1);
    RtspSource::new(c).open().await.unwrap_err()
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let e = error("rtsp://127.0.0.1:1/x").await;
    assert_eq!(e.kind(), ErrorKind::Refused, "{e}");
    assert!(e.is_transient() && e.next_step().is_some() && e.place() == Some("rtsp://127.0.0.1:1/x"));
    assert_eq!(error("rtsps://127.0.0.1:1/x").await.kind(), ErrorKind::Refused);
}
#[tokio::test]
async fn a_name_that_does_not_resolve() {
    for scheme in ["rtsp", "rtsps"] {
        let e = error(&format!("{scheme}://no-such-camera.invalid/x")).await;
        // A resolver that itself hangs is a time-out; nothing else may come out.
        assert!(matches!(e.kind(), ErrorKind::NameResolution | ErrorKind::Timeout), "{e:?}");
    }
}
#[tokio::test]
async fn a_black_hole_times_out() {
    let url = server(None).await;
    let e = error(&url).await;
    assert_eq!(e.kind(), ErrorKind::Timeout, "{e}");
    assert!(e.to_string().contains("DESCRIBE"), "{e}");
    assert_eq!(error(&url.replace("rtsp:", "rtsps:")).await.kind(), ErrorKind::Timeout);
}
#[tokio::test]
async fn rubbish_is_a_protocol_error() {
    for rubbish in [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"220 mail.example ESMTP\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 99\r\nContent-Length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n",
        describe("this is no session description"),
    ] {
        let e = error(&server(Some(rubbish)).await).await;
        assert_eq!(e.kind(), ErrorKind::Protocol, "{} gave {e:?}", String::from_utf8_lossy(rubbish));
        assert_eq!(e.to_string().lines().count(), 1, "{e}");
    }
    let e = error(&server(Some(b"RTSP/1.0 200 OK\r\n")).await.replace("rtsp:", "rtsps:")).await;
    assert_eq!(e.kind(), ErrorKind::Tls, "plain RTSP where TLS is wanted: {e}");
}
#[tokio::test]
async fn a_camera_without_a_usable_picture_says_what_it_has() {
    let jpeg = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 26\r\n\
                a=rtpmap:26 JPEG/90000\r\na=control:t0\r\nm=audio 0 RTP/AVP 0\r\na=control:t1\r\n";
    let e = error(&server(Some(describe(jpeg))).await).await;
    assert_eq!(e.kind(), ErrorKind::Unsupported, "{e}");
    assert!(e.to_string().contains("JPEG"), "{e}");
    let sound = &jpeg.replace("m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:t0\r\n", "");
    let e = error(&server(Some(describe(sound))).await).await;
    assert!(e.to_string().contains("no video"), "{e}");
}
#[tokio::test]
async fn an_address_that_is_none() {
    assert_eq!(error("http://127.0.0.1/x").await.kind(), ErrorKind::Config);
}
