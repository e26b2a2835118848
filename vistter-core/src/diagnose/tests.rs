//! What is read, and where it is said to stand.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Doc {
    #[allow(dead_code)]
    cameras: Vec<Cam>,
}
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Cam {
    #[allow(dead_code)]
    url: String,
}

#[test]
fn a_typo_gets_its_place_and_the_nearest_name() {
    let t = "{\n  \"cameras\": [\n    { \"ulr\": \"x\" }\n  ]\n}";
    let d = Source::read::<Doc>(t, "SHOW-INVALID").unwrap_err();
    assert_eq!(d.place.unwrap().line, 3);
    assert_eq!(d.pointer, "/cameras/0/ulr");
    assert_eq!(d.help.as_deref(), Some("did you mean \"url\"?"));
    assert!(d.to_string().contains("SHOW-INVALID"), "{d}");
}
#[test]
fn syntax_and_duplicates() {
    let d = Source::read::<Doc>("{\n \"cameras\": [,] }", "X").unwrap_err();
    assert_eq!((d.code, d.place.unwrap().line), ("JSON-SYNTAX", 2));
    let d = Source::parse("{\"a\":1,\"a\":2}").unwrap_err();
    assert_eq!(d.code, "JSON-DUPLICATE-KEY");
    assert_eq!(Source::parse(&"[".repeat(10_000)).unwrap_err().code, "JSON-DEPTH");
}
#[test]
fn places_inside_strings() {
    let text = "{ \"t\":\n \"a\\\"ä\\u00e4\\ud83d\\ude00\\nxy\" }";
    let (v, s) = Source::parse(text).unwrap();
    let said = v["t"].as_str().unwrap();
    let column = |part: &str| {
        let d = Diagnostic::error("X", "/t", "").within(said.find(part).unwrap());
        s.locate(d).place.map(|p| (p.line, p.column)).unwrap()
    };
    assert_eq!([column("a"), column("\""), column("ä")], [(2, 3), (2, 4), (2, 6)]);
    assert_eq!([column("\u{1f600}"), column("\n"), column("x"), column("y")], [(2, 13), (2, 25), (2, 27), (2, 28)]);
    // beyond its end, or in something that is no string: the value's own place
    assert_eq!(s.locate(Diagnostic::error("X", "/t", "").within(99)).place, s.place("/t"));
    assert_eq!(s.locate(Diagnostic::error("X", "", "").within(3)).place, s.place(""));
    assert_eq!(s.locate(Diagnostic::error("X", "/u/v", "").within(3)).place, s.place(""));
}
#[test]
fn wrong_type_is_located() {
    let d = Source::read::<Doc>("{\"cameras\": [{\"url\": 5}]}", "X").unwrap_err();
    assert_eq!(d.pointer, "/cameras/0/url");
    assert_eq!(d.place, Some(Place { line: 1, column: 22 }));
}

#[test]
fn doubled_keys_at_any_depth() {
    let doubled = |text| Source::parse(text).map_err(|d| (d.pointer, d.place.map(|p| p.column))).err();
    assert_eq!(doubled(r#"{"a":1,"b":2,"a":1}"#), Some(("/a".to_owned(), Some(6))));
    assert_eq!(doubled(r#"[{"x":{"a":[],"a":{}}}]"#), Some(("/0/x/a".to_owned(), Some(12))));
    assert_eq!(
        doubled(r#"{"a":1,"\u0061":2}"#),
        Some(("/a".to_owned(), Some(6))),
        "the same key, written in another way"
    );
    assert_eq!(doubled(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#), None);
}

/// A JSON text in pieces, white space between them.
#[derive(Clone, Debug)]
enum Piece {
    Leaf(String),
    List(Vec<(String, Piece)>),
    Map(Vec<(String, String, Piece)>),
}

/// What is known of a text because it was put together by hand.
#[derive(Default)]
struct Known {
    text: String,
    /// Where each value begins, by its pointer; of a doubled key the first.
    places: Vec<(String, usize)>,
    doubled: Option<String>,
}

impl Known {
    fn of(piece: &Piece) -> Self {
        let mut me = Self::default();
        me.write(piece, "");
        me
    }
    fn write(&mut self, piece: &Piece, at: &str) {
        self.places.push((at.to_owned(), self.text.len()));
        match piece {
            Piece::Leaf(s) => self.text += s,
            Piece::List(list) => {
                self.text.push('[');
                for (i, (space, p)) in list.iter().enumerate() {
                    self.text += if i > 0 { "," } else { "" };
                    self.text += space;
                    self.write(p, &format!("{at}/{i}"));
                }
                self.text.push(']');
            }
            Piece::Map(list) => {
                self.text.push('{');
                let mut seen: Vec<String> = Vec::new();
                for (i, (space, key, p)) in list.iter().enumerate() {
                    let name: String = serde_json::from_str(key).unwrap();
                    let below = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                    if seen.contains(&name) {
                        self.doubled.get_or_insert(below.clone());
                    }
                    seen.push(name);
                    self.text += &format!("{}{space}{key}{space}:{space}", if i > 0 { "," } else { "" });
                    self.write(p, &below);
                }
                self.text.push('}');
            }
        }
    }
    fn place(&self, pointer: &str) -> Place {
        let before = &self.text[..self.places.iter().find(|(p, _)| p == pointer).unwrap().1];
        let last = before.split('\n').next_back().unwrap();
        Place { line: before.split('\n').count(), column: last.chars().count() + 1 }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let string = r#""([a-z0-9é😀/~ ']|\\[nt"\\/]|\\u00e4|\\ud83d\\ude00){0,5}""#;
    let key = prop_oneof![
        string,
        prop::sample::select(&[r#""""#, r#""a""#, r#""\u0061""#, r#""a/~1""#, r#""0""#, r#""01""#][..])
            .prop_map(str::to_owned)
    ];
    let leaf = prop_oneof![string, "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?", "null|true|false"];
    let space = "[ \t\r\n]{0,3}";
    leaf.prop_map(Piece::Leaf).prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec((space, inner.clone()), 0..5).prop_map(Piece::List),
            prop::collection::vec((space, key.clone(), inner), 0..5).prop_map(Piece::Map),
        ]
    })
}

proptest! {
    /// Every value is found where it was written, and what is not there where its parent stands.
    #[test]
    fn places_of_values(piece in piece()) {
        let known = Known::of(&piece);
        match (Source::parse(&known.text), &known.doubled) {
            (Ok((value, source)), None) => {
                for (pointer, _) in &known.places {
                    let place = Some(known.place(pointer));
                    prop_assert_eq!(source.place(pointer), place, "{}", pointer);
                    prop_assert!(value.pointer(pointer).is_some(), "{}", pointer);
                    for beyond in ["/no/such", "/~2", "/+0", "/00", "/"] {
                        let beyond = format!("{pointer}{beyond}");
                        if known.places.iter().all(|(p, _)| *p != beyond) {
                            prop_assert_eq!(source.place(&beyond), place, "{}", beyond);
                        }
                    }
                }
            }
            (Err(d), Some(pointer)) => {
                prop_assert_eq!((d.code, &d.pointer, d.place), ("JSON-DUPLICATE-KEY", pointer, Some(known.place(pointer))));
            }
            (Err(d), None) => prop_assert_eq!((d.code, &*d.message), ("JSON-SYNTAX", "number out of range")),
            (Ok(_), Some(pointer)) => prop_assert!(false, "{} stands twice", pointer),
        }
    }
    /// What is read, and what is refused in which words, is what `serde_json` reads and refuses.
    #[test]
    fn read_as_serde_json_reads(piece in piece(), cut in 0usize..200, odd in "[\\[{\",:0-9eE.+-]{0,3}") {
        let text = Known::of(&piece).text;
        let cut = (0..=cut.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap();
        let (a, b) = text.split_at(cut);
        for text in [text.clone(), format!("{a}{odd}"), format!("{a}{odd}{b}")] {
            let said = |r: serde_json::Result<Value>| r.map_err(|e| e.to_string());
            let ours = once::read(&text).map(|(json, _)| {
                assert_eq!(json.to_value(), Value::from(json.clone()));
                assert_eq!(Json::from(&json.to_value()), json);
                json.into()
            });
            prop_assert_eq!(said(ours), said(serde_json::from_str(&text)), "{}", text);
        }
    }
}
