//! Texts as rasters.

use super::*;
use crate::raster::text::lines::extent;

const ROOM: usize = MAX_LAYER_PIXELS as usize;

const WHITE: RunSpec = RunSpec { rgba: [255; 4], bold: false, italic: false, scale: 1.0, font: None };

impl TextEngine {
    fn say(&mut self, out: &mut Raster, text: &str, spec: &TextSpec, room: usize) {
        self.draw(out, &Said::one(text), spec, room);
    }
}

fn spec(size: f64) -> TextSpec {
    TextSpec {
        size,
        runs: vec![WHITE],
        tracking: 0.0,
        tabular: true,
        align: Align::Left,
        width: None,
        max_width: None,
        wrap: Breaks::None,
        max_lines: MAX_LINES,
        min_size: None,
        decor: Decor::default(),
        limit: 8192,
    }
}
fn ink(r: &Raster) -> usize {
    r.rgba.chunks_exact(4).filter(|p| p[3] > 0).count()
}

#[test]
fn digits_are_as_wide_as_each_other() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    for bold in [false, true] {
        let widths: Vec<i32> = (0..10)
            .map(|d| {
                e.say(
                    &mut r,
                    &format!("{d}{d}:{d}{d}"),
                    &TextSpec { runs: vec![RunSpec { bold, ..WHITE }], ..spec(48.0) },
                    ROOM,
                );
                assert!(ink(&r) > 300);
                r.size.0
            })
            .collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{widths:?}");
    }
}
#[test]
fn a_long_line_ends_in_an_ellipsis_and_keeps_its_width() {
    let mut e = TextEngine::new(&FontSet::new());
    let (mut long, mut short) = (Raster::default(), Raster::default());
    e.say(&mut long, &"wide ".repeat(50), &TextSpec { max_width: Some(300.0), ..spec(40.0) }, ROOM);
    assert!(long.size.0 <= 300 && long.size.0 > 200, "{:?}", long.size);
    e.say(&mut short, "wide", &TextSpec { max_width: Some(300.0), ..spec(40.0) }, ROOM);
    let mut free = Raster::default();
    e.say(&mut free, "wide", &spec(40.0), ROOM);
    assert_eq!(short, free);
}
#[test]
fn wrapped_lines_are_no_wider_than_the_box_and_end_in_an_ellipsis() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    let text = "one two three four five six seven eight nine ten eleven twelve";
    for wrap in [Breaks::Word, Breaks::Glyph] {
        let spec = TextSpec { max_width: Some(200.0), wrap, ..spec(30.0) };
        let lines = |r: &Raster| r.size.1 / 41;
        e.say(&mut r, text, &spec, ROOM);
        assert!(r.size.0 <= 200 && lines(&r) >= 4, "{:?}", r.size);
        e.say(&mut r, text, &TextSpec { max_lines: 2, ..spec.clone() }, ROOM);
        assert_eq!(lines(&r), 2);
        // the ellipsis stands inside: the last line's three dots are whole
        let buffer = e.layout(&Said::one(text), &TextSpec { max_lines: 2, ..spec.clone() }, 30.0, true);
        let last = buffer.layout_runs().nth(1).unwrap();
        let end = last.glyphs.last().map(|g| g.x + g.w).unwrap();
        assert!(end <= 200.0 && (extent(&last, &spec).1 - end).abs() < 0.01, "{end}");
        // a word that is wider than the box is broken
        e.say(&mut r, "Donaudampfschifffahrtsgesellschaft", &spec, ROOM);
        assert!(r.size.0 <= 200 && lines(&r) > 1, "{:?}", r.size);
    }
}
#[test]
fn a_text_shrinks_until_it_fits_and_no_further_than_allowed() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    let fit = TextSpec { max_width: Some(300.0), min_size: Some(20.0), ..spec(60.0) };
    let height = |size: f64| (size * LINE_HEIGHT).ceil() as i32;
    e.say(&mut r, "short", &fit, ROOM);
    assert_eq!(r.size.1, height(60.0), "not at all when it fits");
    e.say(&mut r, "rather longer text", &fit, ROOM);
    assert!(r.size.1 < height(60.0) && r.size.1 > height(20.0) && r.size.0 <= 300 && r.size.0 > 280, "{:?}", r.size);
    e.say(&mut r, &"much too long ".repeat(9), &fit, ROOM);
    assert_eq!(r.size.1, height(20.0));
    let wrapped = TextSpec { wrap: Breaks::Word, max_lines: 2, ..fit.clone() };
    e.say(&mut r, "two lines of a text that would need three", &wrapped, ROOM);
    assert!(r.size.0 <= 300 && r.size.1 < 2 * height(60.0), "{:?}", r.size);
}
#[test]
fn decoration_goes_round_and_a_plate_counts() {
    let mut e = TextEngine::new(&FontSet::new());
    let (mut plain, mut r) = (Raster::default(), Raster::default());
    e.say(&mut plain, "Hg", &spec(50.0), ROOM);
    let round = Decor { outline: Some((4.0, [0, 0, 0, 255])), shadow: Some((-6, 5, [9, 9, 9, 128])), plate: None };
    e.say(&mut r, "Hg", &TextSpec { decor: round, ..spec(50.0) }, ROOM);
    assert_eq!(r.size, plain.size, "what goes round does not move the text");
    assert!(ink(&r) > 2 * ink(&plain));
    let plate = Plate { rgba: [1, 2, 3, 200], padding: (12, 8), radius: 6.0 };
    let decor = Decor { plate: Some(plate), ..Decor::default() };
    e.say(&mut r, "Hg", &TextSpec { decor, ..spec(50.0) }, ROOM);
    assert_eq!(r.size, (plain.size.0 + 24, plain.size.1 + 16));
    for decor in [round, decor] {
        for room in [0, 100, 5000] {
            e.say(&mut r, "no room\nfor all of it", &TextSpec { decor, ..spec(50.0) }, room);
            assert!(r.width * r.height <= room.max(1) * 4 || r.width * r.height <= 5000, "{} x {}", r.width, r.height);
        }
    }
}
#[test]
fn odd_text_draws_something_or_nothing_but_never_fails() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    for t in ["", "\n", "\n\n\n", " ", "\u{0}\u{7}\u{200d}\u{202e}abc", "日本語 عربى 😀", "a\u{300}\u{301}\u{302}"]
    {
        e.say(&mut r, t, &spec(20.0), ROOM);
        assert_eq!(r.rgba.len(), r.width * r.height * 4);
    }
    e.say(&mut r, &"x".repeat(8000), &TextSpec { limit: 500, ..spec(100.0) }, ROOM);
    assert!(r.width <= 500 && r.size.0 > 450, "{:?}", r.size);
    e.say(&mut r, "cut to nothing", &spec(100.0), 0);
    assert_eq!(r.size.1, 0);
    e.say(&mut r, "cut short by the room there is", &spec(100.0), 30_000);
    assert!(r.width * r.height <= 30_000 && r.size.0 > 100, "{:?}", r.size);
}

fn engine(fonts: &[&str]) -> TextEngine {
    let read = |name: &&str| {
        let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
        ((*name).to_owned(), std::sync::Arc::new(FontFile::read(std::fs::read(path).unwrap()).unwrap()))
    };
    TextEngine::new(&fonts.iter().map(read).collect())
}
#[test]
fn every_script_has_ink_and_its_own_width() {
    let mut e = engine(&["text-japanese/japanese.ttf", "text-emoji/emoji.ttf"]);
    let mut r = Raster::default();
    for (text, widest) in [
        ("سلام دنیا", 5.0),
        ("שלום עולם", 6.0),
        ("नमस्ते दुनिया", 7.0),
        ("สวัสดีชาวโลก", 7.0),
        ("世界東京", 4.1),
        ("e\u{301}n\u{303}", 1.5),
    ] {
        e.say(&mut r, text, &spec(40.0), ROOM);
        assert!(ink(&r) > 150 && f64::from(r.size.0) < widest * 40.0, "{text}: {:?}", r.size);
    }
    // shaped: an Arabic word is narrower than its letters apart, and a joined emoji is one
    let mut width = |text: &str| {
        e.say(&mut r, text, &spec(40.0), ROOM);
        r.size.0
    };
    assert!(width("سلام") < width("س ل ا م") - 20);
    assert_eq!(width("👩\u{200d}🚀"), width("😀"));
    assert_eq!(width("👍🏽"), width("😀"));
}
#[test]
fn colours_of_emoji_are_kept() {
    let mut e = engine(&["text-emoji/emoji.ttf"]);
    let mut r = Raster::default();
    let yellow =
        |r: &Raster| r.rgba.chunks_exact(4).filter(|p| p[0] > 200 && p[1] > 150 && p[2] < 120 && p[3] == 255).count();
    let black = TextSpec { runs: vec![RunSpec { rgba: [0, 0, 0, 255], ..WHITE }], ..spec(60.0) };
    e.say(&mut r, "a😀", &black, ROOM);
    assert!(yellow(&r) > 800, "{}", yellow(&r));
    let decor = Decor { outline: Some((4.0, [0, 0, 255, 255])), ..Decor::default() };
    e.say(&mut r, "a😀", &TextSpec { decor, ..black }, ROOM);
    assert!(yellow(&r) > 800, "over its outline");
}
#[test]
fn right_to_left_begins_at_the_right() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    let mut first = |text: &str, align| {
        e.say(&mut r, text, &TextSpec { width: Some(400), max_width: Some(400.0), align, ..spec(40.0) }, ROOM);
        let inked = |x: usize| (0..r.height).any(|y| r.rgba[(y * r.width + x) * 4 + 3] > 0);
        (0..r.width).find(|x| inked(*x)).unwrap() as i32 - r.origin.0
    };
    let (start, left, end) = (first("שלום", Align::Start), first("שלום", Align::Left), first("שלום", Align::End));
    assert!(start > 250 && left < 10 && end < 10, "{start} {left} {end}");
    assert!(first("abc", Align::Start) < 10 && first("abc", Align::End) > 250);
}
#[test]
fn runs_look_as_they_say() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut r = Raster::default();
    let mut said = Said::default();
    let parts = ["Big ", "red"].map(crate::Template::literal);
    said.fill(parts.iter(), &std::collections::BTreeMap::new(), crate::Now::default());
    let red = RunSpec { rgba: [255, 0, 0, 255], scale: 0.5, ..WHITE };
    for decor in [Decor::default(), Decor { shadow: Some((3, 3, [0, 0, 0, 255])), ..Decor::default() }] {
        e.draw(&mut r, &said, &TextSpec { runs: vec![WHITE, red], decor, ..spec(60.0) }, ROOM);
        let count = |rgb: [u8; 3]| r.rgba.chunks_exact(4).filter(|p| p[..3] == rgb && p[3] > 250).count();
        let (white, red) = (count([255; 3]), count([255, 0, 0]));
        assert!(white > 500 && red > 100 && white > 3 * red, "{white} {red}");
        assert_eq!(r.size.1, (60.0f64 * LINE_HEIGHT).ceil() as i32);
    }
    // slanted and widened letters are others
    let mut pixels = |run: RunSpec| {
        e.say(&mut r, "Hill", &TextSpec { runs: vec![run], ..spec(50.0) }, ROOM);
        r.rgba.clone()
    };
    assert_ne!(pixels(WHITE), pixels(RunSpec { italic: true, ..WHITE }));
}
#[test]
fn what_there_is_no_line_for_leaves_an_ellipsis() {
    let mut e = TextEngine::new(&FontSet::new());
    let mut last = |text: &str, spec: TextSpec| {
        let buffer = e.cut(&Said::one(text), &spec, spec.size);
        let lines: Vec<String> = buffer
            .layout_runs()
            .take(spec.max_lines)
            .map(|r| r.glyphs.iter().map(|g| if g.start == g.end { "…" } else { &r.text[g.start..g.end] }).collect())
            .collect();
        lines.last().cloned().unwrap_or_default()
    };
    let two = TextSpec { max_lines: 2, ..spec(30.0) };
    assert_eq!(last("one\ntwo\nthree", two.clone()), "two…");
    assert_eq!(last("one\ntwo", two.clone()), "two");
    let wrapped = TextSpec { max_width: Some(200.0), wrap: Breaks::Word, ..two };
    assert_eq!(last("one\ntwo\nthree", wrapped.clone()), "two…");
    assert!(last("one two three four five\nsix\nseven", wrapped.clone()).ends_with('…'));
    assert!(last("one\nnearly as wide as\nit can be", wrapped).ends_with('…'));
}

/// The numbers that readers of glyph pictures believe without looking whether so many are there.
#[test]
fn a_forged_table_of_glyph_pictures_is_refused() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/text-emoji/emoji.ttf");
    let good = std::fs::read(path).unwrap();
    let number = |d: &[u8], at: usize| u32::from_be_bytes(d[at..at + 4].try_into().unwrap());
    // OpenType's table directory: 12 bytes, then tag, checksum, offset and length of each table.
    let tables = usize::from(u16::from_be_bytes([good[4], good[5]]));
    let record = (0..tables).map(|i| 12 + 16 * i).find(|at| &good[*at..at + 4] == b"CBLC").unwrap();
    let table = number(&good, record + 8) as usize;
    let forged = |at: usize, n: u32| {
        let mut d = good.clone();
        d[at..at + 4].copy_from_slice(&n.to_be_bytes());
        FontFile::read(d).map(|_| ()).unwrap_err()
    };
    assert!(forged(table + 4, u32::MAX).contains("4294967295 sizes"));
    assert!(forged(table + 8 + 8, u32::MAX).contains("4294967295 parts"));
    assert!(forged(record + 8, good.len() as u32 - 5).contains("cut off"));
    assert!(FontFile::read(good.clone()).is_ok());
}
