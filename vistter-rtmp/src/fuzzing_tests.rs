//! The seeds of the fuzz targets, made by our own writers: they get deep, and mutations of them break nothing.
//! `VISTTER_SEEDS=1 cargo test -p vistter-rtmp seeds` writes them into `fuzz/seeds`.

use proptest::prelude::*;
use vistter_core::media::{AudioParams, Codec, StreamParams, h264};
use vistter_core::time::MediaTime;

use super::*;
use crate::amf0::Value;
use crate::flv::{TagKind, body};
use crate::session::kind;

/// openh264, 1920x1080 at 30 fps.
const SPS: &[u8] = &[
    0x67, 0x64, 0x0c, 0x28, 0xac, 0x18, 0xd0, 0x0f, 0x00, 0x44, 0xfc, 0xb3, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00, 0x03,
    0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf2, 0x3c, 0x22, 0x11, 0xa8,
];
const PPS: &[u8] = &[0x68, 0xee, 0x38, 0x80];

/// `(kind, milliseconds, body)` of a short publish.
fn media() -> Vec<(TagKind, u32, Bytes)> {
    let video = h264::video_params(SPS, PPS).unwrap();
    let audio =
        AudioParams { codec: Codec::Aac, sample_rate: 48_000, channels: 2, config: Bytes::from_static(&[0x11, 0x90]) };
    let unit = |header: u8| {
        let mut au = BytesMut::new();
        h264::put_avcc(&mut au, &[header, 1, 2, 3, 4, 5]);
        au
    };
    let params = StreamParams { video: Some(video.clone()), audio: Some(audio.clone()) };
    let script = amf0::encode(&[Value::text("onMetaData"), body::metadata(&params, None, None)]);
    vec![
        (TagKind::Script, 0, script.into()),
        (TagKind::Video, 0, body::video_header(&video)),
        (TagKind::Audio, 0, body::audio_header(&audio)),
        (TagKind::Video, 0, body::video(&unit(0x65), true, MediaTime::ZERO)),
        (TagKind::Audio, 11, body::audio(&[0x21, 0x10, 4])),
        (TagKind::Video, 33, body::video(&unit(0x41), false, MediaTime::from_millis(33))),
        (TagKind::Video, 0x0100_0000, body::video(&unit(0x41), false, MediaTime::ZERO)),
    ]
}

/// What client and server say in a publish: the handshake's bytes and those behind it, of each.
fn conversation(accept: bool) -> [(Vec<u8>, Vec<u8>); 2] {
    let (mut to_s, mut to_c) = (BytesMut::new(), BytesMut::new());
    let target = RtmpTarget::parse(&format!("rtmp://server.example/live/{KEY}?a=1")).unwrap();
    let mut c = Client::new(target, 4096, &mut to_s).unwrap();
    let mut s = Server::new(LIMITS);
    let (mut from_c, mut from_s, mut sent) = (Vec::new(), Vec::new(), false);
    while !to_s.is_empty() {
        from_c.extend_from_slice(&to_s);
        s.feed(&std::mem::take(&mut to_s), &mut to_c).unwrap();
        while let Some(e) = s.next(&mut to_c).unwrap() {
            match e {
                Event::Publish { .. } if accept => s.accept(&mut to_c).unwrap(),
                Event::Publish { .. } => {
                    s.reject("NetStream.Publish.Denied", &format!("no {KEY} here"), &mut to_c).unwrap();
                }
                _ => {}
            }
        }
        if !sent {
            from_s.extend_from_slice(&to_c); // behind our goodbye there is only the server's
        }
        let said = c.handle(&std::mem::take(&mut to_c), &mut to_s);
        assert!(said.is_ok() || !accept);
        if c.step() == Step::Publishing && !std::mem::replace(&mut sent, true) {
            for (kind, time, body) in media() {
                c.send(kind.id(), time, body, &mut to_s).unwrap();
            }
            c.leave(&mut to_s).unwrap();
        }
    }
    assert_eq!(sent, accept);
    // C0, C1 and C2, and as much of the server (RTMP 1.0 §5.2).
    let cut = |mut b: Vec<u8>| {
        let rest = b.split_off(3073);
        (b, rest)
    };
    [cut(from_c), cut(from_s)]
}

fn seed(head: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    [head, &parts.concat()].concat()
}

/// Target, name, bytes.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let [(c_hands, c_words), (s_hands, s_words)] = conversation(true);
    let [_, (_, refusal)] = conversation(false);
    let mut more = Vec::new();
    {
        // What neither of ours sends: control messages of all kinds, an AMF3 command, an aggregate.
        let mut s = Session::new(Role::Server, LIMITS);
        let mut out = BytesMut::new();
        for (kind, data) in [
            (kind::ABORT, vec![0, 0, 0, 4]),
            (kind::ACKNOWLEDGEMENT, vec![0, 0, 1, 0]),
            (kind::WINDOW_ACK_SIZE, vec![0, 0, 0, 9]),
            (kind::SET_PEER_BANDWIDTH, vec![0, 0, 0, 9, 2]),
            (kind::USER_CONTROL, vec![0, 6, 1, 2, 3, 4]),
            (kind::COMMAND_AMF3, [&[0][..], &amf0::encode(&[Value::text("_checkbw"), Value::Number(9.0)])].concat()),
            (kind::SET_CHUNK_SIZE, vec![0, 0, 0, 200]),
            (kind::VIDEO, vec![0x17; 300]),
            (kind::AGGREGATE, vec![9; 20]),
        ] {
            s.send(kind, 1, 0x00ff_ffff, data.into(), &mut out).unwrap();
        }
        more.extend_from_slice(&out);
    }
    let values =
        [Value::Array(vec![Value::Bool(true)]), Value::Date(1.0), Value::Ecma(vec![("a".into(), Value::Null)])];
    let data = amf0::encode(&values);
    let mut odd = vec![3, 0, 0, 0, 0, 0, data.len() as u8, kind::DATA, 1, 0, 0, 0];
    odd.extend_from_slice(&data);

    let (mut w, mut file) = (FlvWriter::new(), BytesMut::new());
    w.header(true, true, &mut file);
    for (kind, time_ms, body) in media() {
        w.tag(&FlvTag { kind, time_ms, body }, &mut file).unwrap();
    }
    vec![
        ("rtmp_server", "publish", seed(&[3, 0], &[&c_words])),
        ("rtmp_server", "publish-in-pieces", seed(&[3, 7], &[&c_words])),
        ("rtmp_server", "refused", seed(&[1, 0], &[&c_words])),
        ("rtmp_server", "handshake", seed(&[2, 0], &[&c_hands, &c_words[..40]])),
        ("rtmp_server", "control", seed(&[1, 50], &[&more])),
        ("rtmp_server", "values", seed(&[1, 0], &[&odd])),
        ("rtmp_client", "publish", seed(&[1, 0], &[&s_words])),
        ("rtmp_client", "publish-in-pieces", seed(&[1, 11], &[&s_words])),
        ("rtmp_client", "refused", seed(&[1, 0], &[&refusal])),
        ("rtmp_client", "handshake", seed(&[0, 0], &[&s_hands, &s_words[..40]])),
        ("rtmp_client", "control", seed(&[1, 50], &[&more])),
        ("flv", "file", seed(&[5], &[&file])),
        ("flv", "cut-short", seed(&[0], &[&file[..file.len() - 9]])),
        ("flv", "wrong-size", seed(&[0], &[&file[..file.len() - 1], &[1]])),
    ]
}

fn run(target: &str, data: &[u8]) -> usize {
    match target {
        "rtmp_server" => server(data),
        "rtmp_client" => usize::from(client(data)),
        _ => flv(data),
    }
}

#[test]
fn the_seeds_get_deep() {
    for (target, name, data) in seeds() {
        vistter_core::fuzzing::keep_seed(target, name, &data).unwrap();
        let depth = run(target, &data);
        match (target, name) {
            ("rtmp_server", "publish" | "publish-in-pieces") => assert_eq!(depth, 4, "{name}"),
            ("rtmp_client", "publish" | "publish-in-pieces") => assert_eq!(depth, 1, "{name}"),
            ("flv", "file") => assert_eq!(depth, 7),
            _ => {}
        }
        assert!(data.len() < 8192, "{target}/{name} is too long to be mutated well");
    }
}
#[test]
fn the_committed_seeds_run() {
    for target in ["rtmp_server", "rtmp_client", "flv"] {
        for data in vistter_core::fuzzing::committed_seeds(target).unwrap() {
            run(target, &data);
        }
    }
}
#[test]
fn a_key_with_control_characters_in_between_is_masked_too() {
    let [_, (_, words)] = conversation(false);
    let at = words.windows(KEY.len()).position(|w| w == KEY.as_bytes()).unwrap();
    let mut data = seed(&[1, 0], &[&words]);
    // "no S3cretKey here" becomes "no \u{1}S3c\u{1}etKey…": the same length, so that the message stays whole.
    data[2 + at..2 + at + KEY.len() + 3].copy_from_slice(b"S3\x01cr\x02etKey ");
    assert!(!client(&data));
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn mutations_break_nothing(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), 0u8..4), 1..8),
    ) {
        for (target, _, mut data) in seeds() {
            vistter_core::fuzzing::damage(&mut data, &changes);
            run(target, &data);
        }
    }
}
