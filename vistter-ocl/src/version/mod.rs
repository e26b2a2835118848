//! Versions of the language: which are spoken, what of it a program can, and how a document of one version becomes one
//! of another.
//!
//! Each step from one minor version to the next has a way up and a way down. Up is always possible and loses nothing; down
//! is possible as long as the document says nothing that the earlier version has no words for.
//!
//! | file | duty |
//! |---|---|
//! | `mod.rs` | what is spoken; the steps |
//! | `words.rs` | the words of 1.0, which never change again |
//! | `text.rs` | a JSON text that says another value, and else stays as it was written |

mod text;
mod words;

use serde_json::{Map, Value, json};
use vistter_core::diagnose::{Diagnostic, Source};

use crate::filter::FILTERS;
use crate::model::{Blend, Content, Style};

/// The earliest and the latest version of the language that are spoken, each as major and minor number.
pub const VERSIONS: ((u32, u32), (u32, u32)) = ((1, 0), (1, crate::read::MINOR));

/// Parts of the language that are no type of layer, no transition, no blend mode and no filter.
#[rustfmt::skip]
const PARTS: [&str; 12] = [
    "tracks", "styles", "sync", "steps", "strict", "requires", "locale", "fallbacks", "asset-rights", "asset-urls",
    "text-keyframes", "value-keyframes",
];

/// What a program that plays documents can, for those who make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supported {
    /// The earliest version it speaks, such as `1.0`.
    pub least: String,
    /// The latest one.
    pub most: String,
    /// Names of what it can: parts of the language, `layer-TYPE`, `transition-TYPE`, `blend-MODE`, `filter-NAME`. A
    /// document asks for them under `requires`.
    pub features: Vec<String>,
}

impl Supported {
    /// Whether a document of this version (`1.1`, `1.1.0`) that requires these features plays as it is written.
    ///
    /// A later minor version does not: what is new in it would be left out.
    pub fn plays<'f>(&self, version: &str, requires: impl IntoIterator<Item = &'f str>) -> bool {
        parse(version).is_some_and(|v| spoken(&v)) && requires.into_iter().all(|r| self.features.iter().any(|f| f == r))
    }

    /// As JSON: `{ "least": "1.0", "most": "1.1", "features": [ … ] }`.
    pub fn to_json(&self) -> Value {
        json!({ "least": self.least, "most": self.most, "features": self.features })
    }
}

/// What this crate can.
pub fn supported() -> Supported {
    let ((a, b), (c, d)) = VERSIONS;
    // a filter is listed with what follows it
    let bare = |n: &str| n.split(':').next().unwrap_or_default().to_owned();
    let of = |kind: &str, names: &[&str]| names.iter().map(|n| format!("{kind}-{}", bare(n))).collect::<Vec<_>>();
    let mut features: Vec<String> = PARTS.iter().map(|p| (*p).to_owned()).collect();
    features.extend(of("layer", &Content::NAMES));
    features.extend(of("transition", &Style::NAMES));
    features.extend(of("blend", &Blend::NAMES));
    features.extend(of("filter", &FILTERS));
    Supported { least: format!("{a}.{b}"), most: format!("{c}.{d}"), features }
}

fn spoken(v: &(u32, u32)) -> bool {
    (VERSIONS.0..=VERSIONS.1).contains(v)
}

/// A version as written: `1.1` or `1.1.0`. What stands behind a third number must not matter to a reader.
pub(crate) fn parse(text: &str) -> Option<(u32, u32)> {
    // no sign, no leading zeros: one version has one name
    let plain = |p: &&str| {
        !p.is_empty() && p.len() < 9 && p.bytes().all(|b| b.is_ascii_digit()) && (p.len() == 1 || !p.starts_with('0'))
    };
    let parts: Vec<&str> = text.split('.').collect();
    let number = |i: usize| parts.get(i).filter(|p| plain(p))?.parse::<u32>().ok();
    let version = (number(0)?, number(1)?);
    match parts.len() {
        2 => Some(version),
        3 => number(2).map(|_| version),
        _ => None,
    }
}

/// One step between two minor versions that follow each other.
struct Step {
    from: u32,
    up: fn(&mut Map<String, Value>),
    down: fn(&mut Map<String, Value>) -> Vec<Diagnostic>,
}

const STEPS: [Step; 1] = [Step { from: 0, up: up_1_1, down: down_1_0 }];

/// Rewrites a document for another version of the language, up or down. The document should be one that
/// [`parse`](crate::Document::parse) accepts; of another one, what can be rewritten is.
///
/// # Errors
/// `OCL-VERSION` for a version that is not spoken; on the way down `OCL-DOWNGRADE` for each thing that the earlier
/// version has no words for.
pub fn convert(document: &Value, to: &str) -> Result<Value, Vec<Diagnostic>> {
    let fail = |text: String| {
        let s = supported();
        let help = format!("this program speaks {} to {}", s.least, s.most);
        Err(vec![Diagnostic::error("OCL-VERSION", "/ocl", text).help(help)])
    };
    let Value::Object(map) = document else {
        return Err(vec![Diagnostic::error("OCL-TYPE", "", "expected an object")]);
    };
    let written = map.get("ocl").and_then(Value::as_str).unwrap_or_default();
    let Some((_, from)) = parse(written).filter(spoken) else {
        return fail(format!("OCL version \"{written}\" is not supported"));
    };
    let Some((_, minor)) = parse(to).filter(spoken) else {
        return fail(format!("OCL version \"{to}\" is not supported"));
    };
    let mut map = map.clone();
    for step in STEPS.iter().filter(|s| (from..minor).contains(&s.from)) {
        (step.up)(&mut map);
        number(&mut map, step.from + 1);
    }
    for step in STEPS.iter().rev().filter(|s| (minor..from).contains(&s.from)) {
        let lost = (step.down)(&mut map);
        if !lost.is_empty() {
            return Err(lost);
        }
        number(&mut map, step.from);
    }
    Ok(Value::Object(map))
}

/// [`convert`] for the text of a document: what does not change stays as it is written, white space too.
///
/// # Errors
/// As [`convert`], and what is wrong with the JSON; with line and column.
pub fn convert_text(document: &str, to: &str) -> Result<String, Vec<Diagnostic>> {
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    let (value, source) = Source::parse(document).map_err(|d| vec![d])?;
    match convert(&value, to) {
        Ok(new) => Ok(text::rewrite(document, &value, &new)),
        Err(list) => Err(list.into_iter().map(|d| source.locate(d)).collect()),
    }
}

/// Writes the minor version, and leaves a third number as it is.
fn number(map: &mut Map<String, Value>, minor: u32) {
    let patch = map.get("ocl").and_then(Value::as_str).and_then(|v| v.splitn(3, '.').nth(2)).map(|p| format!(".{p}"));
    map.insert("ocl".into(), format!("1.{minor}{}", patch.unwrap_or_default()).into());
}

/// All of 1.0 is in 1.1, and means the same.
fn up_1_1(_: &mut Map<String, Value>) {}

/// 1.0 has the base resolution in `canvas` alone.
fn down_1_0(map: &mut Map<String, Value>) -> Vec<Diagnostic> {
    let base = map.get_mut("timeline").and_then(Value::as_object_mut).and_then(|t| t.remove("baseResolution"));
    if let Some(base) = base {
        map.entry("canvas").or_insert(base);
    }
    words::beyond(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions() {
        for (text, want) in [
            ("1.0", Some((1, 0))),
            ("1.1.7", Some((1, 1))),
            ("2.10", Some((2, 10))),
            ("1", None),
            ("1.", None),
            ("1.01", None),
            ("1.1.1.1", None),
            ("1.1.x", None),
            ("+1.1", None),
            ("1.99999999999", None),
            ("", None),
        ] {
            assert_eq!(parse(text), want, "{text}");
        }
    }
    #[test]
    fn what_is_supported() {
        let s = supported();
        assert_eq!((s.least.as_str(), s.most.as_str()), ("1.0", "1.1"));
        for f in ["layer-text", "sync", "transition-zoom", "blend-screen", "filter-pad"] {
            assert!(s.features.iter().any(|has| has == f), "{f}");
        }
        assert!(s.plays("1.0", []) && s.plays("1.1.3", ["layer-qr", "steps"]));
        assert!(!s.plays("1.2", []) && !s.plays("2.0", []) && !s.plays("1.1", ["layer-hologram"]) && !s.plays("x", []));
        assert_eq!(s.to_json()["most"], "1.1");
    }
    #[test]
    fn what_the_earlier_version_cannot_say_is_all_named() {
        let d = json!({ "ocl": "1.1", "strict": true, "canvas": {}, "timeline": { "id": "x" }, "scenes": [
            { "id": "m", "tracks": [], "in": { "type": "iris" }, "layers": [
                { "type": "group", "style": "a", "layers": [ { "type": "hologram", "x-a": 1 } ] },
                { "type": "text", "text": "{{a|upper}} {{a|number:2:pl}} {{clock@de}} {{clock|%%X %H}} {{a|date:%x}}", "automation": { "pitch": [] } } ],
              "variants": { "9:16": { "layers": { "a": { "style": "b", "width": 9 } } } } } ] });
        let lost = convert(&d, "1.0").unwrap_err();
        let at: Vec<&str> = lost.iter().map(|d| d.pointer.as_str()).collect();
        #[rustfmt::skip]
        assert_eq!(at, [
            "/scenes/0/in/type", "/scenes/0/layers/0/layers/0/type", "/scenes/0/layers/0/style",
            "/scenes/0/layers/1/automation/pitch", "/scenes/0/layers/1/text", "/scenes/0/layers/1/text", "/scenes/0/layers/1/text",
            "/scenes/0/tracks", "/scenes/0/variants/9:16/layers/a/style", "/strict", "/timeline/id"
        ]);
        assert!(lost.iter().all(|d| d.code == "OCL-DOWNGRADE" && d.help.is_some()));
        for (bad, to) in
            [(json!({ "ocl": "3.0" }), "1.0"), (json!({ "ocl": "1.0" }), "9"), (json!([]), "1.0"), (json!({}), "1.1")]
        {
            assert!(convert(&bad, to).is_err(), "{bad}");
        }
    }
    #[test]
    fn texts_keep_their_form() {
        let old = "{\n  \"ocl\": \"1.1\",\n  \"timeline\": { \"frameRate\": 25, \"baseResolution\": { \"width\": 640, \"height\": 360 } },\n  \"scenes\": [ ]\n}\n";
        let down = convert_text(old, "1.0").unwrap();
        let want = "{\n  \"ocl\": \"1.0\",\n  \"canvas\": { \"height\": 360, \"width\": 640 },\n  \"timeline\": { \"frameRate\": 25 },\n  \"scenes\": [ ]\n}\n";
        assert_eq!(down, want);
        assert_eq!(convert_text(&down, "1.1").unwrap(), want.replace("1.0", "1.1"));
        let lost = convert_text("{ \"ocl\": \"1.1\",\n \"strict\": true }", "1.0").unwrap_err();
        assert_eq!(lost[0].place.map(|p| (p.line, p.column)), Some((2, 12)));
        assert_eq!(convert_text("{", "1.0").unwrap_err()[0].code, "JSON-SYNTAX");
    }

    const SAMPLE: &str = include_str!("../../tests/every-object.ocl.json");

    /// Every member of every object, as pointers; those within others after them.
    fn members(v: &Value, at: &str, out: &mut Vec<String>) {
        let mut go = |key: String, v: &Value, member: bool| {
            let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            if member {
                out.push(at.clone());
            }
            members(v, &at, out);
        };
        match v {
            Value::Object(map) => map.iter().for_each(|(k, v)| go(k.clone(), v, true)),
            Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| go(i.to_string(), v, false)),
            _ => {}
        }
    }
    fn remove(v: &mut Value, at: &str) {
        let (parent, key) = at.rsplit_once('/').unwrap();
        match v.pointer_mut(parent) {
            Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(list)) => drop(list.remove(key.parse().unwrap())),
            _ => {}
        }
    }
    /// The sample without what 1.0 has no words for.
    fn sample_1_0() -> Value {
        let mut d: Value = serde_json::from_str(SAMPLE).unwrap();
        while let Err(lost) = convert(&d, "1.0") {
            for l in lost.iter().rev() {
                remove(&mut d, l.pointer.strip_suffix("/type").unwrap_or(&l.pointer));
            }
        }
        convert(&d, "1.0").unwrap()
    }
    /// A document with some of its members taken out, and vendors' fields put in.
    fn some_of(whole: Value) -> impl Strategy<Value = Value> {
        let mut all = Vec::new();
        members(&whole, "", &mut all);
        all.retain(|p| p != "/ocl");
        let count = all.len();
        let at = proptest::collection::vec(0..count, 0..12);
        (at.clone(), at, any::<bool>()).prop_map(move |(out, own, patch)| {
            let mut d = whole.clone();
            out.iter().for_each(|i| remove(&mut d, &all[*i]));
            for i in own {
                if let Some(o) = d.pointer_mut(&all[i]).and_then(Value::as_object_mut) {
                    o.insert("x-own/~ä".into(), json!([1, null]));
                }
            }
            if patch {
                d["ocl"] = format!("{}.4", d["ocl"].as_str().unwrap()).into();
            }
            d
        })
    }

    proptest! {
        #[test]
        fn up_then_down_loses_nothing(document in some_of(sample_1_0())) {
            let up = convert(&document, "1.1").unwrap();
            prop_assert!(up["ocl"].as_str().unwrap().starts_with("1.1"));
            prop_assert_eq!(&convert(&up, "1.0").unwrap(), &document);
            prop_assert_eq!(&convert(&document, "1.0").unwrap(), &document);
            // and it means the same
            if let Ok((old, _)) = crate::Document::parse(&document.to_string()) {
                let (new, _) = crate::Document::parse(&up.to_string()).unwrap();
                prop_assert_eq!(crate::Document { minor: 0, ..new }, old);
            }
            let text = format!("{document:#}");
            let there = convert_text(&text, "1.1").unwrap();
            prop_assert_eq!(convert_text(&there, "1.0").unwrap(), text);
        }
        #[test]
        fn down_means_the_same_or_says_what_is_lost(document in some_of(serde_json::from_str(SAMPLE).unwrap())) {
            match convert(&document, "1.0") {
                Ok(down) => {
                    let up = convert(&down, "1.1").unwrap();
                    if let Ok((old, _)) = crate::Document::parse(&document.to_string()) {
                        prop_assert_eq!(crate::Document::parse(&up.to_string()).unwrap().0, old);
                    }
                }
                Err(lost) => {
                    prop_assert!(!lost.is_empty());
                    for d in lost {
                        prop_assert!(document.pointer(&d.pointer).is_some(), "{} is no place in {}", d.pointer, document);
                    }
                }
            }
        }
    }
}
