use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// A box.
fn b(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
}
fn words(list: &[u32]) -> Vec<u8> {
    list.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// 640 × 360, Constrained Baseline, from openh264.
const SPS: [u8; 16] = [0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x17, 0xfc, 0xb0, 0x0f, 0x08, 0x84, 0x6a, 0x00];

fn avcc() -> Vec<u8> {
    crate::media::h264::avcc_record(&SPS, &[0x68, 0xce, 0x3c, 0x80]).unwrap().to_vec()
}

fn stsd(kind: &[u8; 4]) -> Vec<u8> {
    let entry = [vec![0; 78], b(b"avcC", &avcc())].concat();
    b(b"stsd", &[words(&[0, 1]), b(kind, &entry)].concat())
}

fn esds(asc: &[u8]) -> Vec<u8> {
    let d = |tag: u8, body: &[u8]| [&[tag, 0x80, body.len() as u8][..], body].concat();
    let decoder = d(4, &[&[0x40, 0x15, 0, 0, 0][..], &[0; 8], &d(5, asc)].concat());
    b(b"esds", &[words(&[0]), d(3, &[&[0, 1, 0][..], &decoder].concat())].concat())
}

/// A sound track of five packets of two bytes at 48 kHz: 1024 samples each, but of the last one only 100.
fn sound_track(kind: &[u8; 4], entry: &[u8], edits: &[[u32; 3]]) -> Vec<u8> {
    let stbl = [
        b(b"stsd", &[words(&[0, 1]), b(kind, &[&[0; 28], entry].concat())].concat()),
        b(b"stts", &words(&[0, 2, 4, 1024, 1, 100])),
        b(b"stsc", &words(&[0, 1, 1, 5, 1])),
        b(b"stsz", &words(&[0, 2, 5])),
        b(b"stco", &words(&[0, 1, 30])),
    ]
    .concat();
    let mdia = [
        b(b"mdhd", &words(&[0, 0, 0, 48_000, 4196, 0])),
        b(b"hdlr", &[words(&[0, 0]), b"soun".to_vec(), words(&[0, 0, 0]), vec![0]].concat()),
        b(b"minf", &b(b"stbl", &stbl)),
    ]
    .concat();
    let list = [vec![0, edits.len() as u32], edits.concat()].concat();
    let elst = if edits.is_empty() { Vec::new() } else { b(b"edts", &b(b"elst", &words(&list))) };
    b(b"trak", &[b(b"tkhd", &words(&[0, 0, 0, 8, 0])), elst, b(b"mdia", &mdia)].concat())
}

/// [`movie`] with another track in it.
fn with_track(file: Vec<u8>, trak: &[u8]) -> Vec<u8> {
    let at = file.windows(4).position(|w| w == b"moov").unwrap() - 4;
    let moov = [&file[at + 8..], trak].concat();
    [&file[..at], &b(b"moov", &moov)].concat()
}

#[test]
fn sound_is_in_step_with_the_pictures() {
    let of = |video: Option<(u32, i32)>, edits: &[[u32; 3]]| {
        let trak = sound_track(b"mp4a", &esds(&[0x11, 0x90]), edits);
        let v = open(with_track(movie(b"avc1", video), &trak)).unwrap();
        let s = v.sound().unwrap().clone();
        assert_eq!((s.params().sample_rate, s.params().channels, s.packets()), (48_000, 2, 5));
        assert_eq!(v.sound_packet(2).unwrap().data, &[10, 11][..]);
        (s.begin_of(0).unwrap(), s.heard())
    };
    // The pictures begin a quarter of a second late, and no edit says so: what was heard before is not.
    assert_eq!(of(None, &[]), (-12_000, -12_000..-12_000 + 4196));
    assert_eq!(of(Some((0, 25)), &[]), (0, 0..4196));
    // Priming is decoded and not heard.
    let one = 0x1_0000;
    assert_eq!(of(Some((0, 25)), &[[0, 1024, one]]), (-1024, 0..3172));
    // An edit that is empty is silence; one that is short ends it, to its own coarse tick.
    assert_eq!(of(Some((0, 25)), &[[500, u32::MAX, one], [20, 1024, one]]), (24_000 - 1024, 24_000..24_000 + 960 + 48));
}

#[test]
fn sound_that_cannot_be_played_leaves_the_pictures() {
    let good = esds(&[0x11, 0x90]);
    let mut lies = good.clone();
    lies[14] = 0x7f;
    for (kind, entry, said) in [
        (b"ac-3", good.clone(), "AC-3"),
        (b"Opus", good.clone(), "Opus"),
        (b"mp4a", esds(&[0x2b, 0x11, 0x88]), "HE-AAC"),
        (b"mp4a", esds(&[]), "damaged"),
        (b"mp4a", lies, "damaged"),
        (b"mp4a", Vec::new(), "damaged"),
        (b"odd\n", good, "\"odd?\""),
    ] {
        let v = open(with_track(movie(b"avc1", None), &sound_track(kind, &entry, &[]))).unwrap();
        let e = v.sound_trouble().unwrap();
        assert!(v.sound().is_none() && e.to_string().contains(said) && e.next_step().is_some(), "{said}: {e}");
        assert!(v.sound_packet(0).is_err() && v.pictures() == 4);
    }
    let whole = with_track(movie(b"avc1", None), &sound_track(b"mp4a", &esds(&[0x11, 0x90]), &[]));
    let place =
        |kind: &[u8; 4]| whole.windows(4).enumerate().filter(|(_, w)| w == kind).map(|(i, _)| i).next_back().unwrap();
    for (kind, at, to, said) in [
        (b"stco", 12, 0x7f, "cut off"),
        (b"stsz", 8, 0x7f, "bytes"),
        (b"stsz", 15, 9, "damaged"),
        (b"stts", 16, 0x7f, "last for months"),
    ] {
        let mut bad = whole.clone();
        if kind == b"stts" {
            let scale = place(b"mdhd") + 16;
            bad[scale..scale + 4].copy_from_slice(&100u32.to_be_bytes());
        }
        bad[place(kind) + at] = to;
        let v = open(bad).unwrap();
        assert!(v.sound_trouble().is_some_and(|e| e.to_string().contains(said)), "{:?}", v.sound_trouble());
    }
    assert!(open(movie(b"avc1", None)).unwrap().sound_trouble().is_none(), "no sound is no trouble");
}

#[test]
fn what_is_heard_goes_on_from_play_to_play() {
    let v = open(movie(b"avc1", None)).unwrap();
    let how = Playback { start: ms(500), plays: 3 };
    let at = |n: i64| v.heard(n, how).map(|h| (h.from, h.left, h.again));
    assert_eq!(
        [0, 23_999, 24_000, 71_999].map(at).map(Option::unwrap),
        [(24_000, 24_000, false), (47_999, 1, false), (24_000, 24_000, true), (47_999, 1, true)]
    );
    assert_eq!((at(72_000), at(-1), v.silent_from(how)), (None, None, Some(72_000)));
    assert_eq!(v.silent_from(Playback::default()), None);
}

/// Four pictures of three bytes, 25 ticks each at 100 a second, shown in the order 0, 2, 1, 3; the first two in one chunk.
fn movie(kind: &[u8; 4], edit: Option<(u32, i32)>) -> Vec<u8> {
    let stbl = [
        stsd(kind),
        b(b"stts", &words(&[0, 1, 4, 25])),
        b(b"ctts", &words(&[0, 4, 1, 25, 1, 50, 1, 0, 1, 25])),
        b(b"stsc", &words(&[0, 1, 1, 2, 1])),
        b(b"stsz", &words(&[0, 3, 4])),
        b(b"stco", &words(&[0, 2, 24, 40])),
        b(b"stss", &words(&[0, 1, 1])),
    ]
    .concat();
    let mdia = [
        b(b"mdhd", &words(&[0, 0, 0, 100, 100, 0])),
        b(b"hdlr", &[words(&[0, 0]), b"vide".to_vec(), words(&[0, 0, 0]), vec![0]].concat()),
        b(b"minf", &b(b"stbl", &stbl)),
    ]
    .concat();
    let elst = edit.map(|(length, start)| b(b"edts", &b(b"elst", &words(&[0, 1, length, start as u32, 0x1_0000]))));
    let trak = [b(b"tkhd", &words(&[0, 0, 0, 7, 0])), elst.unwrap_or_default(), b(b"mdia", &mdia)].concat();
    let moov = [b(b"mvhd", &words(&[0, 0, 0, 1000, 1000])), b(b"trak", &trak)].concat();
    let mdat: Vec<u8> = (0..32).collect();
    [b(b"ftyp", b"isom\0\0\0\0"), b(b"mdat", &mdat), b(b"moov", &moov)].concat()
}

fn open(bytes: Vec<u8>) -> Result<VideoFile> {
    VideoFile::open(Box::new(Cursor::new(bytes)))
}
fn ms(n: i64) -> MediaTime {
    MediaTime::from_millis(n)
}

#[test]
fn samples_and_their_order() {
    let v = open(movie(b"avc1", None)).unwrap();
    assert_eq!((v.size(), v.pictures(), v.samples(), v.duration()), ((640, 360), 4, 4, ms(1000)));
    let data: Vec<Vec<u8>> = (0..4).map(|i| v.packet(i).unwrap().data.to_vec()).collect();
    assert_eq!(data, [[0, 1, 2], [3, 4, 5], [16, 17, 18], [19, 20, 21]]);
    let pictures: Vec<_> = (0..4).map(|i| v.picture_of(v.packet(i).unwrap().pts)).collect();
    assert_eq!(pictures, [Some(0), Some(2), Some(1), Some(3)]);
    assert_eq!((v.start_for(3), v.picture_of(ms(1))), (0, None));
}

#[test]
fn which_picture_is_shown() {
    let v = open(movie(b"avc1", None)).unwrap();
    let once = Playback { plays: 2, start: ms(0) };
    let at = |t, how| {
        let p = v.played(ms(t), how);
        (p.round, p.picture)
    };
    assert_eq!(
        [0, 249, 250, 999, 1000, 1999, 2000, 99_999].map(|t| at(t, once)),
        [(0, 0), (0, 0), (0, 1), (0, 3), (1, 0), (1, 3), (1, 3), (1, 3)]
    );
    let looped = Playback { plays: 0, start: ms(500) };
    assert_eq!([0, 250, 500, 750, 1_000_000].map(|t| at(t, looped)), [(0, 2), (0, 3), (1, 2), (1, 3), (2000, 2)]);
    assert_eq!(v.first_picture(looped), 2);
}

#[test]
fn edits_move_the_beginning() {
    let v = open(movie(b"avc1", Some((0, 25)))).unwrap();
    assert_eq!((v.duration(), v.pictures()), (ms(1000), 4), "the edit only takes the reordering out");
    let v = open(movie(b"avc1", Some((0, 60)))).unwrap();
    assert_eq!((v.duration(), v.pictures()), (ms(650), 3), "the picture that is on at the beginning is shown");
    assert_eq!([0, 149, 150, 400].map(|t| v.played(ms(t), Playback::default()).picture), [0, 0, 1, 2]);
    let v = open(movie(b"avc1", Some((500, 25)))).unwrap();
    assert_eq!((v.duration(), v.pictures()), (ms(500), 2), "the edit cuts the end off");
}

#[test]
fn fragments() {
    let trun = |flags: u32, list: &[u32]| b(b"trun", &[words(&[flags]), words(list)].concat());
    let traf = |start: u32, offset: u32| {
        [
            b(b"tfhd", &words(&[0x02_0000, 7])),
            b(b"tfdt", &words(&[0, start])),
            // offset, duration and size of each, flags of the first
            trun(0x305, &[2, offset, 0x0200_0000, 25, 3, 25, 4]),
        ]
        .concat()
    };
    let moof = |start, offset| b(b"moof", &[b(b"mfhd", &words(&[0, 1])), b(b"traf", &traf(start, offset))].concat());
    let empty = movie(b"avc1", None);
    let empty = {
        // the same tables, with nothing in them
        let mut m = empty[16 + 40..].to_vec();
        for (kind, zero_at) in [(&b"stsz"[..], 8), (b"stco", 4), (b"stts", 4)] {
            let at = m.windows(4).position(|w| w == kind).unwrap() + 4 + zero_at;
            m[at..at + 4].fill(0);
        }
        m
    };
    let trex = b(b"mvex", &b(b"trex", &words(&[0, 7, 1, 25, 3, 0x0101_0000])));
    let moov = [&empty[8..], &trex].concat();
    let (size, head) = (moof(0, 0).len() as u32, b(b"moov", &moov));
    let one = |start| [moof(start, size + 8), b(b"mdat", &[1, 2, 3, 4, 5, 6, 7])].concat();
    let file = [head.clone(), one(0), one(50)].concat();
    let v = open(file.clone()).unwrap();
    assert_eq!((v.pictures(), v.duration()), (4, ms(1000)));
    assert_eq!(v.packet(3).unwrap().data, &[4, 5, 6, 7][..]);
    assert_eq!((v.start_for(1), v.start_for(3)), (0, 2));
    // A recording that a crash has cut off plays up to there.
    let v = open(file[..file.len() - 3].to_vec()).unwrap();
    assert_eq!((v.pictures(), v.duration()), (2, ms(500)));
    assert!(open(head).unwrap_err().to_string().contains("no pictures"));
}

#[test]
fn what_cannot_be_played_is_said() {
    for (kind, said) in [(b"hvc1", "H.265"), (b"av01", "AV1"), (b"apcn", "ProRes"), (b"wat?", "\"wat?\"")] {
        let e = open(movie(kind, None)).unwrap_err();
        assert!(e.kind() == ErrorKind::Unsupported && e.to_string().contains(said), "{e}");
        assert!(e.next_step().is_some_and(|n| n.contains("H.264")), "{e}");
    }
    let whole = movie(b"avc1", None);
    assert!(open(whole[..40].to_vec()).unwrap_err().to_string().contains("no index"));
    assert!(open(Vec::new()).is_err());
    let mut no_video = whole.clone();
    let at = no_video.windows(4).position(|w| w == b"vide").unwrap();
    no_video[at..at + 4].copy_from_slice(b"soun");
    assert!(open(no_video).unwrap_err().to_string().contains("no video track"));
    let mut far = whole.clone();
    let at = far.windows(4).position(|w| w == b"stco").unwrap() + 12;
    far[at] = 0x7f;
    assert!(open(far).unwrap_err().to_string().contains("cut off"));
    let mut long = whole.clone();
    let at = long.windows(4).position(|w| w == b"stts").unwrap() + 16;
    long[at] = 0x7f;
    let e = open(long).unwrap_err();
    assert!(e.to_string().contains("last for months") && e.next_step().is_some(), "{e}");
    let mut big = whole;
    let at = big.windows(4).position(|w| w == b"stsz").unwrap() + 8;
    big[at] = 0x7f;
    assert_eq!(open(big).unwrap_err().kind(), ErrorKind::Limit);
}

proptest! {
    /// The picture changes exactly when it was said to change.
    #[test]
    fn next_is_kept(start in 0i64..900, plays in 0u32..4, t in 0i64..3000) {
        let v = open(movie(b"avc1", None)).unwrap();
        let how = Playback { start: ms(start), plays };
        let now = v.played(ms(t), how);
        match v.next_picture(ms(t), how) {
            Some(next) => {
                prop_assert!(next > ms(t));
                prop_assert_eq!(v.played(MediaTime::from_nanos(next.nanos() - 1), how), now);
                prop_assert_ne!(v.played(next, how), now);
            }
            None => prop_assert_eq!(v.played(ms(99_999), how), now),
        }
    }
    /// Sound follows the pictures to the sample, however often they were played.
    #[test]
    fn sound_and_pictures_are_played_alike(start in 0i64..900, plays in 0u32..4, n in 0i64..200_000) {
        let v = open(movie(b"avc1", None)).unwrap();
        let how = Playback { start: ms(start), plays };
        let t = MediaTime::from_ticks(n, 48_000);
        match v.heard(n, how) {
            Some(h) => {
                let shown = v.played(t, how);
                prop_assert_eq!(shown.round > 0, h.again);
                prop_assert_eq!(v.played(MediaTime::from_ticks(h.from, 48_000), Playback { plays: 1, start: ms(0) }).picture, shown.picture);
                prop_assert_eq!(v.heard(n + h.left, how).is_none_or(|next| next.since == 0), true);
            }
            None => prop_assert_eq!(v.next_picture(t, how), None),
        }
    }
    #[test]
    fn damaged_sound_never_panics(at in 0usize..1200, to in any::<u8>(), cut in 0usize..1200) {
        let trak = sound_track(b"mp4a", &esds(&[0x11, 0x90]), &[[0, 1024, 0x1_0000]]);
        let mut file = with_track(movie(b"avc1", Some((500, 25))), &trak);
        let at = at % file.len();
        file[at] = to;
        crate::fuzzing::mp4(&file);
        file.truncate(cut);
        crate::fuzzing::mp4(&file);
    }
    #[test]
    fn damaged_files_never_panic(at in 0usize..700, to in any::<u8>(), cut in 0usize..700) {
        let mut file = movie(b"avc1", Some((500, 25)));
        let at = at % file.len();
        file[at] = to;
        crate::fuzzing::mp4(&file);
        file.truncate(cut);
        crate::fuzzing::mp4(&file);
    }
}
