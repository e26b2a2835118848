//! Puts a camera into the text of a show file. Everything else of the text stays as its author wrote it.

use jsonc_parser::ast::{self, ObjectProp};
use jsonc_parser::common::Ranged;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::mask::mask;
use crate::diagnose::Source;
use crate::error::{Error, ErrorKind, Result};

/// The text with `entry` as the last of its `cameras`, indented as its neighbours are.
///
/// # Errors
/// `Config`, when the text is no show file, or has a camera of this id. Nothing of the text is quoted that may be a secret.
pub fn add_camera(text: &str, entry: &Value) -> Result<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let (mut value, _) = Source::parse(body).map_err(|mut d| {
        mask(&mut d);
        wrong(format!("the show file is no JSON: {}", d.message))
            .at(d.place.map_or(String::new(), |p| format!("line {}, column {}", p.line, p.column)))
    })?;
    let cameras = value.as_object_mut().ok_or_else(|| wrong("the show file is no object".into()))?.entry("cameras");
    let Value::Array(cameras) = cameras.or_insert_with(|| Value::Array(Vec::new())) else {
        return Err(wrong("\"cameras\" is no list".into()));
    };
    let id = |c: &Value| c.get("id").and_then(Value::as_str).map(str::to_owned);
    let ids: Vec<String> = cameras.iter().filter_map(id).collect();
    if let Some(own) = id(entry).filter(|own| ids.contains(own)) {
        let free = (2..).map(|n| format!("{own}-{n}")).find(|i| !ids.contains(i)).unwrap_or_default();
        return Err(Error::new(ErrorKind::Config, format!("the show has a camera \"{own}\" already"))
            .next(format!("give this one another id (--id {free}), or take the other out of the show")));
    }
    cameras.push(entry.clone());
    let new = insert(body, entry).ok_or_else(|| wrong("the place for the camera is not found".into()))?;
    // Whatever the text looks like: what is written must mean what was meant.
    if serde_json::from_str::<Value>(&new).ok() != Some(value) {
        return Err(Error::new(ErrorKind::Internal, "the camera could not be put into this text")
            .next("copy the entry into \"cameras\" by hand"));
    }
    Ok(format!("{mark}{new}"))
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::Config, what).next("run `vistter check` on it")
}

fn insert(text: &str, entry: &Value) -> Option<String> {
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default()).ok()?;
    let Some(ast::Value::Object(root)) = &parsed.value else { return None };
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let list = root.properties.iter().find(|p| p.name.as_str() == "cameras").map(|p: &ObjectProp<'_>| &p.value);
    let Some(list) = list else {
        // Behind the last field.
        return Some(match root.properties.last() {
            Some(last) => {
                let added = match indent(text, last.start()) {
                    Some(by) => {
                        let (by, unit) = (by.to_owned(), unit(by, 1));
                        let deeper = format!("{by}{unit}");
                        let camera = pretty(entry, &deeper, &unit, eol)?;
                        format!(",{eol}{by}\"cameras\": [{eol}{deeper}{camera}{eol}{by}]")
                    }
                    None => format!(", \"cameras\": [{entry}]"),
                };
                splice(text, last.end(), last.end(), &added)
            }
            None => splice(text, root.start(), root.end(), &format!("{{ \"cameras\": [{entry}] }}")),
        });
    };
    let ast::Value::Array(list) = list else { return None };
    Some(match list.elements.last() {
        Some(last) => {
            let added = match indent(text, last.start()) {
                Some(by) => format!(",{eol}{by}{}", pretty(entry, by, &unit(by, 2), eol)?),
                None => format!(", {entry}"),
            };
            splice(text, last.end(), last.end(), &added)
        }
        None => {
            let start = text[..list.start()].rfind('\n').map_or(0, |n| n + 1);
            let line = &text[start..list.start()];
            let by = &line[..line.len() - line.trim_start().len()];
            let unit = unit(by, 1);
            let deeper = format!("{by}{unit}");
            let camera = pretty(entry, &deeper, &unit, eol)?;
            splice(text, list.start(), list.end(), &format!("[{eol}{deeper}{camera}{eol}{by}]"))
        }
    })
}

/// What stands before a value on its line, if that is nothing but space.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = &text[text[..at].rfind('\n')? + 1..at];
    before.chars().all(|c| c == ' ' || c == '\t').then_some(before)
}

/// One step of an indentation that is so many steps deep.
fn unit(by: &str, depth: usize) -> String {
    match by.len() / depth {
        _ if by.starts_with('\t') => "\t".to_owned(),
        n @ 1..=8 => " ".repeat(n),
        _ => "  ".to_owned(),
    }
}

/// The entry over several lines; all but the first begin with `by`.
fn pretty(entry: &Value, by: &str, unit: &str, eol: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut out = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(unit.as_bytes()));
    entry.serialize(&mut out).ok()?;
    // Line ends inside a text are escaped: these are the formatter's own.
    Some(String::from_utf8(bytes).ok()?.replace('\n', &format!("{eol}{by}")))
}

fn splice(text: &str, from: usize, to: usize, new: &str) -> String {
    [&text[..from], new, &text[to..]].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn camera(id: &str) -> Value {
        json!({ "id": id, "url": "rtsp://192.0.2.9/a", "password": { "env": "P" } })
    }

    #[test]
    fn the_rest_of_the_text_stays() {
        let entry = camera("new");
        let compact = entry.to_string();
        let lines = |by: &str, unit: &str| {
            let all = format!(
                "{{\n{unit}\"id\": \"new\",\n{unit}\"password\": {{\n{unit}{unit}\"env\": \"P\"\n{unit}}},\n{unit}\"url\": \"rtsp://192.0.2.9/a\"\n}}"
            );
            all.replace('\n', &format!("\n{by}"))
        };
        for (text, want) in [
            (
                "{\n  \"vistter\": 1,\n  \"cameras\": [\n    { \"id\": \"a\",   \"url\": \"rtsp://h/\" }\n  ],\n  \"name\": \"x\"\n}\n".to_owned(),
                format!(
                    "{{\n  \"vistter\": 1,\n  \"cameras\": [\n    {{ \"id\": \"a\",   \"url\": \"rtsp://h/\" }},\n    {}\n  ],\n  \"name\": \"x\"\n}}\n",
                    lines("    ", "  ")
                ),
            ),
            (
                "{\n\t\"cameras\": [],\n\t\"vistter\": 1\n}".to_owned(),
                format!("{{\n\t\"cameras\": [\n\t\t{}\n\t],\n\t\"vistter\": 1\n}}", lines("\t\t", "\t")),
            ),
            (
                "{\n    \"vistter\": 1\n}".to_owned(),
                format!("{{\n    \"vistter\": 1,\n    \"cameras\": [\n        {}\n    ]\n}}", lines("        ", "    ")),
            ),
            (
                "{\"vistter\":1,\"cameras\":[{\"id\":\"a\"}]}".to_owned(),
                format!("{{\"vistter\":1,\"cameras\":[{{\"id\":\"a\"}}, {compact}]}}"),
            ),
            ("{\"vistter\":1}".to_owned(), format!("{{\"vistter\":1, \"cameras\": [{compact}]}}")),
            ("{}".to_owned(), format!("{{ \"cameras\": [{compact}] }}")),
            (
                "\u{feff}{\r\n  \"vistter\": 1\r\n}\r\n".to_owned(),
                format!("\u{feff}{{\n  \"vistter\": 1,\n  \"cameras\": [\n    {}\n  ]\n}}\n", lines("    ", "  "))
                    .replace('\n', "\r\n"),
            ),
        ] {
            assert_eq!(add_camera(&text, &entry).unwrap(), want);
        }
    }
    #[test]
    fn what_cannot_be_amended_is_refused() {
        let taken = r#"{"cameras":[{"id":"new"},{"id":"new-2"}]}"#;
        let e = add_camera(taken, &camera("new")).unwrap_err();
        assert!(e.what().contains("\"new\" already") && e.next_step().unwrap().contains("--id new-3"), "{e}");
        for (text, word) in [
            ("", "no JSON"),
            ("[]", "no object"),
            ("{\"cameras\":5}", "no list"),
            ("{\"vistter\":1,}", "no JSON"),
            ("{\"a\":1,\"a\":2}", "twice"),
            ("{\"password\": hunter2}", "no JSON"),
        ] {
            let e = add_camera(text, &camera("new")).unwrap_err();
            assert!(e.kind() == ErrorKind::Config && e.to_string().contains(word) && e.next_step().is_some(), "{e}");
            assert!(!e.to_string().contains("hunter2"), "{e}");
        }
    }
    proptest! {
        #[test]
        fn what_comes_out_means_what_was_meant(
            ids in proptest::collection::vec("[a-z]{1,4}", 0..4), pretty in any::<bool>(), names in proptest::collection::vec(any::<String>(), 0..4),
        ) {
            let cameras: Vec<Value> = ids.iter().map(|i| camera(&i.to_uppercase())).collect();
            let mut show = json!({ "vistter": 1, "cameras": cameras });
            for n in &names {
                show["name"] = json!(n);
            }
            let text = if pretty { serde_json::to_string_pretty(&show).unwrap() } else { show.to_string() };
            let new: Value = serde_json::from_str(&add_camera(&text, &camera("new")).unwrap()).unwrap();
            show["cameras"].as_array_mut().unwrap().push(camera("new"));
            prop_assert_eq!(new, show);
        }
        #[test]
        fn no_text_panics(text in any::<String>(), tail in any::<String>()) {
            let _ = add_camera(&text, &camera("new"));
            let _ = add_camera(&format!("{{\"cameras\": [{tail}]}}"), &camera("new"));
        }
    }
}
