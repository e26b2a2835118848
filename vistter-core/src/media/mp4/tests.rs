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
