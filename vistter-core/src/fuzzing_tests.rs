//! The seeds of the fuzz targets: they get deep, and mutations of them break nothing.
//! `VISTTER_SEEDS=1 cargo test -p vistter-core --all-features seeds` writes them into `fuzz/seeds`.

use proptest::prelude::*;

use super::*;

/// openh264, 1920x1080 at 30 fps, High; x264, 1280x720 at 25 fps, Main with B-frames.
const SETS: [(&[u8], &[u8]); 2] = [
    (
        &[
            0x67, 0x64, 0x0c, 0x28, 0xac, 0x18, 0xd0, 0x0f, 0x00, 0x44, 0xfc, 0xb3, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00,
            0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf2, 0x3c, 0x22, 0x11, 0xa8,
        ],
        &[0x68, 0xee, 0x38, 0x80],
    ),
    (
        &[
            0x67, 0x4d, 0x40, 0x1f, 0xec, 0xa0, 0x28, 0x02, 0xdd, 0x80, 0xb5, 0x01, 0x01, 0x01, 0x40, 0x00, 0x00, 0x03,
            0x00, 0x40, 0x00, 0x00, 0x0c, 0x83, 0xc6, 0x0c, 0x65, 0x80,
        ],
        &[0x68, 0xef, 0xbc, 0x80],
    ),
];

/// Target, name, bytes.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let example = include_str!("../../docs/show.example.json");
    let secrets = example.replace("xxxx-xxxx-xxxx-xxxx", "Abcd1234Efgh5678").replace("live_000_example", "Zyxw9876");
    let login = secrets.replace("rtsp://192.0.2.11", "rtsp://viewer:Hunter2Hunter2@192.0.2.11");
    let env = secrets.replace(r#""Abcd1234Efgh5678""#, r#"{ "env": "YTKEY1" }"#);
    let slips = login.replace("\"shots\"", "\"shot\"").replace("\"gate\", \"name\"", "\"gate gate\", \"nam\"");
    let wrong_types = login.replace(": 20", ": \"soon\"").replace("\"Zyxw9876\"", "[\"Zyxw9876\"]");
    let broken = login.replacen("\"key\":", "\"key:", 1);
    let mut out: Vec<(&str, &str, Vec<u8>)> = vec![
        ("show", "example.json", secrets.into()),
        ("show", "login.json", login.into()),
        ("show", "environment.json", env.into()),
        ("show", "slips.json", slips.into()),
        ("show", "wrong-types.json", wrong_types.into()),
        ("show", "broken.json", broken.into()),
        (
            "show",
            "small.json",
            br#"{"vistter":1,"destinations":[{"id":"recording","url":"rtmp://h/live","key":"k"}]}"#.into(),
        ),
    ];
    for ((sps, pps), [record, stream, access_unit]) in
        SETS.iter().zip([["high.avcc", "high.h264", "high.au"], ["main.avcc", "main.h264", "main.au"]])
    {
        out.push(("h264", record, h264::avcc_record(sps, pps).unwrap().to_vec()));
        let units = [*sps, *pps, &[0x65, 0x88, 0x84, 0, 0, 3, 0, 1], &[0x41, 0x9a, 2]];
        let mut au = BytesMut::new();
        units.iter().for_each(|u| h264::put_avcc(&mut au, u));
        let mut annex_b = Vec::new();
        h264::avcc_to_annex_b(&au, &mut annex_b).unwrap();
        out.push(("h264", stream, annex_b));
        out.push(("h264", access_unit, au.to_vec()));
    }
    out.push(("mp4", "disc.mp4", include_bytes!("../../fuzz/seeds/mp4/disc.mp4").to_vec()));
    out.push(("mp4", "fragments.mp4", include_bytes!("../../fuzz/seeds/mp4/fragments.mp4").to_vec()));
    out.push(("mp4", "sound.mp4", include_bytes!("../../fuzz/seeds/mp4/sound.mp4").to_vec()));
    let parts = include_bytes!("../../fuzz/seeds/mp4/sound-fragments.mp4").to_vec();
    out.push(("mp4", "sound-fragments.mp4", parts));
    out.push(("h264", "high.sps", SETS[0].0.to_vec()));
    out.push(("h264", "main.sps", SETS[1].0.to_vec()));

    // Pictures each 40 ms with B-frames, sound each 20 ms, reports, a jump forward and one back.
    let mut times = vec![2];
    let mut event = |what: u8, step: i32| times.extend([&[what][..], &step.to_be_bytes()[1..]].concat());
    for step in [0, 120, -80, 40, 160, -80, 40] {
        event(10 << 2, step);
        event(1, 20);
        event(1, 20);
    }
    event(2, 1_000_000);
    event(3, 1_000_002);
    event(10 << 2, 3_600_000);
    event(1, 3_600_000);
    event(10 << 2, -3_600_000);
    event(1, -3_600_000);
    event(0x80, 1);
    event(0x81, 1);
    out.push(("timing", "camera", times));

    let ask = |method: &str, path: &str, fields: &str| {
        format!("{method} rtsp://127.0.0.1:554{path} RTSP/1.0\r\nCSeq: 3\r\n{fields}\r\n")
    };
    let play = [
        ask("OPTIONS", "/cam", ""),
        ask("DESCRIBE", "/cam", "Accept: application/sdp\r\n"),
        ask("SETUP", "/cam/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        ask("SETUP", "/cam/trackID=1", "Transport: RTP/AVP;unicast;client_port=4000-4001\r\n"),
        ask("PLAY", "/cam/", "Range: npt=0-\r\n"),
        "$\u{1}\u{0}\u{4}abcd".to_owned(),
        ask("GET_PARAMETER", "/cam", "Content-Length: 3\r\n") + "a\r\n",
        ask("TEARDOWN", "/cam", ""),
    ]
    .concat();
    let login = ask("DESCRIBE", "/cam", "Authorization: Basic dTpw\r\n");
    let digest = "Authorization: Digest username=\"u\", realm=\"x\", nonce=\"n\", uri=\"/\", response=\"0\"\r\n";
    out.push(("requests", "play", [&[0xfc], play.as_bytes()].concat()));
    out.push(("requests", "play-in-pieces", [&[0], play.as_bytes()].concat()));
    out.push(("requests", "basic", [&[0xfe], login.as_bytes()].concat()));
    out.push(("requests", "digest", [&[0xff], ask("PLAY", "/cam", digest).as_bytes()].concat()));
    out
}

/// How deep it got; `None` for a target that these features lack.
fn run(target: &str, data: &[u8]) -> Option<usize> {
    match target {
        "show" => Some(usize::from(show(data))),
        "h264" => Some(usize::from(super::h264(data))),
        "mp4" => Some(usize::from(mp4(data))),
        #[cfg(feature = "session")]
        "timing" => {
            timing(data);
            None
        }
        #[cfg(feature = "sim")]
        "requests" => Some(requests(data)),
        _ => None,
    }
}

#[test]
fn the_seeds_get_deep() {
    for (target, name, data) in seeds() {
        keep_seed(target, name, &data).unwrap();
        let depth = run(target, &data);
        let want = match (target, name) {
            ("show", "example.json" | "login.json" | "environment.json") => 1,
            ("mp4", _) => 1,
            ("h264", n) if !n.ends_with(".au") && !n.ends_with(".h264") => 1,
            ("requests", "play" | "play-in-pieces") => 7,
            _ => continue,
        };
        assert!(depth.is_none_or(|d| d == want), "{target}/{name}: {depth:?}");
    }
}
#[test]
fn the_committed_seeds_run() {
    for target in ["show", "h264", "mp4", "timing", "requests"] {
        for data in committed_seeds(target).unwrap() {
            run(target, &data);
        }
    }
}
proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn mutations_break_nothing(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>(), 0u8..4), 1..8),
    ) {
        for (target, _, mut data) in seeds() {
            damage(&mut data, &changes);
            run(target, &data);
        }
    }
}
