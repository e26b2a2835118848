//! Reads a show file: syntax, names and types with their places, secrets from the environment, then the checks.

use serde_json::Value;

use super::mask::mask;
use super::show::ShowConfig;
use crate::diagnose::{Diagnostic, Severity, Source};

/// Faults of names and types reported at once.
const MAX_FAULTS: usize = 30;
/// Fields that take `{"env": "NAME"}` instead of a text: of the items of a list, or of an object in each of them.
const FROM_ENVIRONMENT: [(&str, &str, &[&str]); 3] = [
    ("cameras", "", &["url", "user", "password", "key"]),
    ("cameras", "/ptz", &["url", "user", "password"]),
    ("destinations", "", &["url", "key"]),
];

impl ShowConfig {
    /// Reads a show file (strict JSON). `{"env": "NAME"}` in place of a URL, user, password or key is replaced by
    /// that environment variable.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the file, each with line and column. No diagnostic quotes a URL,
    /// password or key. On success the warnings come along.
    pub fn from_json(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        Self::from_json_with(text, &|name| std::env::var(name).ok())
    }

    /// The same with another source of environment variables, for tests and embedders that keep secrets elsewhere.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn from_json_with(
        text: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut value, source) = Source::parse(text).map_err(|mut d| {
            mask(&mut d);
            vec![d]
        })?;
        let mut found = Vec::new();
        if let Some(o) = value.as_object_mut() {
            o.remove("$schema"); // for editors
        }
        substitute(&mut value, env, &mut found);
        let show = read_typed(value, &mut found);
        let broken = !found.is_empty();
        if let Some(show) = &show {
            // After a repair the warnings may be about what was taken out; only the errors are sure.
            found.extend(show.check().into_iter().filter(|d| !broken || d.severity == Severity::Error));
        }
        let mut found: Vec<Diagnostic> = found.into_iter().map(|d| source.locate(d)).collect();
        found.iter_mut().for_each(mask);
        found.sort_by_key(|d| d.place.map_or((0, 0), |p| (p.line, p.column)));
        match show {
            Some(show) if !found.iter().any(|d| d.severity == Severity::Error) => Ok((show, found)),
            _ => Err(found),
        }
    }
}

/// Deserialises, and on a fault takes the faulty value out (or puts a missing one in) and tries again, so that one
/// run shows all of them. No show comes back when a required value was missing: the checks would judge a made-up one.
fn read_typed(mut value: Value, found: &mut Vec<Diagnostic>) -> Option<ShowConfig> {
    let mut made_up = false;
    for _ in 0..MAX_FAULTS {
        let d = match Source::typed::<ShowConfig>(value.clone(), "SHOW-INVALID") {
            Ok(show) => return (!made_up).then_some(show),
            Err(d) => d,
        };
        let again = match missing_field(&d) {
            Some(name) => {
                made_up = true;
                let at = format!("{}/{name}", d.pointer);
                let repaired = put_placeholder(&mut value, &d.pointer, name);
                // Missing because its faulty or misspelt twin was taken out: no second fault.
                if !found.iter().any(|f| f.pointer == at || near(&f.pointer, &at)) {
                    found.push(d);
                }
                repaired
            }
            None => {
                let repaired = remove(&mut value, &d.pointer);
                found.push(d);
                repaired
            }
        };
        if !again {
            return None;
        }
    }
    None
}

fn missing_field(d: &Diagnostic) -> Option<&'static str> {
    let name = d.message.strip_prefix("missing field `")?.split('`').next()?;
    ["vistter", "id", "url", "file", "camera", "overlay", "for", "name", "pan", "tilt", "zoom"]
        .into_iter()
        .find(|n| *n == name)
}

/// Whether two pointers differ only by a slip in their last part.
fn near(a: &str, b: &str) -> bool {
    match (a.rsplit_once('/'), b.rsplit_once('/')) {
        (Some((pa, la)), Some((pb, lb))) => pa == pb && crate::diagnose::nearest(la, [lb]).is_some(),
        _ => false,
    }
}

fn put_placeholder(value: &mut Value, parent: &str, name: &str) -> bool {
    let v = match name {
        "vistter" | "for" => Value::from(1),
        "pan" | "tilt" | "zoom" => Value::from(0),
        "url" => Value::from("rtsp://unset.invalid/"),
        _ => Value::from("unset"),
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(o)) => o.insert(name.to_owned(), v).is_none(),
        _ => false,
    }
}

/// Items of a list stay: without one, the pointers of later faults would be wrong.
fn remove(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return false;
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(o)) => o.remove(&last.replace("~1", "/").replace("~0", "~")).is_some(),
        _ => false,
    }
}

fn substitute(value: &mut Value, env: &dyn Fn(&str) -> Option<String>, found: &mut Vec<Diagnostic>) {
    for (list, part, fields) in FROM_ENVIRONMENT {
        let Some(Value::Array(items)) = value.get_mut(list) else { continue };
        for (i, item) in items.iter_mut().enumerate() {
            for field in fields {
                let Some(v) = item.pointer_mut(&format!("{part}/{field}")) else { continue };
                let Some(object) = v.as_object() else { continue };
                let name = match (object.len(), object.get("env")) {
                    (1, Some(Value::String(name))) => name.clone(),
                    _ => {
                        found.push(
                            Diagnostic::error(
                                "SHOW-ENV",
                                format!("/{list}/{i}{part}/{field}"),
                                format!("\"{field}\" is a text, or {{\"env\": \"NAME\"}}"),
                            )
                            .help("give the name of one environment variable"),
                        );
                        *v = Value::String(placeholder(list, part, field).into());
                        continue;
                    }
                };
                let text = env(&name).unwrap_or_else(|| {
                    found.push(
                        Diagnostic::error(
                            "SHOW-ENV",
                            format!("/{list}/{i}{part}/{field}"),
                            format!("the environment variable {name} is not set"),
                        )
                        .help(format!("set it before the start: {name}=… vistter run …")),
                    );
                    placeholder(list, part, field).into()
                });
                *v = Value::String(text);
            }
        }
    }
}

/// Something valid, so that the other checks go on.
fn placeholder(list: &str, part: &str, field: &str) -> &'static str {
    match (list, part, field) {
        ("cameras", "", "url") => "rtsp://unset.invalid/",
        ("cameras", _, "url") => "onvif://unset.invalid",
        (_, _, "url") => "rtmp://unset.invalid/app/key",
        _ => "unset",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(text: &str) -> Vec<Diagnostic> {
        ShowConfig::from_json_with(text, &|_| None).unwrap_err()
    }

    #[test]
    fn one_run_shows_every_slip() {
        let text = r#"{
  "vistter": 1,
  "program": { "widht": 1280, "fps": "fast" },
  "cameras": [
    { "id": "a", "ulr": "rtsp://admin:hunter2@192.0.2.1/" },
    { "id": "b", "url": "rtsp://192.0.2.2/", "transport": "upd" }
  ]
}"#;
        let found = errors(text);
        let at: Vec<_> = found.iter().map(|d| (d.pointer.as_str(), d.place.unwrap().line, d.help.as_deref())).collect();
        assert_eq!(
            at,
            [
                ("/program/widht", 3, Some("did you mean \"width\"?")),
                ("/program/fps", 3, None),
                ("/cameras/0/ulr", 5, Some("did you mean \"url\"?")),
                ("/cameras/1/transport", 6, Some("did you mean \"udp\"?")),
            ]
        );
        assert!(found.iter().all(|d| !d.to_string().contains("hunter2")), "{found:?}");
    }
    #[test]
    fn no_fault_quotes_a_secret() {
        for text in [
            r#"{"vistter":1,"cameras":[{"id":"a","url":"rtsp://x/","password":12345678}]}"#,
            r#"{"vistter":1,"destinations":["rtmp://h/live/12345678"]}"#,
            r#"{"vistter":1,"destinations":[{"id":"d","url":"rtmp://h/live/","keyy":"12345678"}]}"#,
            r#"{"vistter":1,"destinations":[{"id":"d","url":"12345678"}]}"#,
            r#"{"vistter":1,"destinations":[{"id":"d","url":"rtmp://h/live/","key":["12345678"]}]}"#,
            r#"{"vistter":1,"cameras":[{"id":"a","url":"rtsp://x/","user":"u","password":"12345678","fit":"x"}]}"#,
            "{\"vistter\":1,\"destinations\":[{\"id\":\"d\",\n\"key: \"12345678\"}]}",
            "{\"vistter\":1,\"destinations\":[{\"id\":\"d\",\n\"key\":\n12345678x}]}",
            r#"{"vistter":1,"key":"12345678"}"#,
            r#"{"vistter":1,"timeline":{"shots":[{"camera":"rtsp://u:12345678@h/","for":1}],"backup":"rtsp://u:12345678@h/"}}"#,
            r#"{"vistter":1,"cameras":[{"id":"rtsp://u:12345678@h/","url":"rtsp://h/"}],"timeline":{"backup":"x"}}"#,
            r#"{"vistter":1,"cameras":[{"id":"a","url":"rtsp://h/","transport":"rtsp://u:12345678@h/"}]}"#,
            r#"{"vistter":1,"vistter":1,"destinations":[{"key":"12345678"}]}"#,
        ] {
            let all = errors(text).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert!(!all.contains("12345678"), "{all}");
            let json = serde_json::to_string(&errors(text)).unwrap();
            assert!(!json.contains("12345678"), "{json}");
        }
    }
    #[test]
    fn secrets_come_from_the_environment() {
        let text = r#"{"vistter":1,"destinations":[{"id":"yt","url":"rtmp://127.0.0.1/live","key":{"env":"YT_KEY"}}]}"#;
        let (show, _) = ShowConfig::from_json_with(text, &|n| (n == "YT_KEY").then(|| "abcd".to_owned())).unwrap();
        assert_eq!(show.destinations[0].key.as_ref().unwrap().expose(), "abcd");
        let found = errors(text);
        assert_eq!((found.len(), found[0].code, found[0].place.unwrap().column), (1, "SHOW-ENV", 77));
        assert!(found[0].message.contains("YT_KEY is not set"));
    }
    #[test]
    fn byte_order_mark_and_rubbish() {
        assert!(ShowConfig::from_json("\u{feff}{\"vistter\":1}").is_ok());
        for bad in ["", "[]", "null", "{", "5", "\u{0}"] {
            assert!(!errors(bad).is_empty(), "{bad:?}");
        }
        assert_eq!(errors("{}")[0].message, "missing field `vistter`");
    }
    proptest! {
        #[test]
        fn never_panics(cut in 0usize..600, junk in "\\PC{0,8}") {
            let text = include_str!("../../../docs/show.example.json");
            let cut = (0..=cut.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            let _ = ShowConfig::from_json_with(&format!("{}{junk}{}", &text[..cut], &text[cut..]), &|_| None);
            let _ = ShowConfig::from_json_with(&format!("{}{junk}", &text[..cut]), &|_| None);
        }
    }
}
