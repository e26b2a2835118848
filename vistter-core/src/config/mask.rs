//! Keeps secrets out of diagnostics: a show file holds stream keys and passwords, and a diagnostic quotes the file.
//!
//! The rule is a white list: only the values of keys that never hold a secret are shown. So `"pasword"`, which no
//! list of secret names would catch, is hidden too.

use crate::diagnose::Diagnostic;

/// Keys whose values may be quoted.
const HARMLESS: [&str; 47] = [
    "vistter",
    "id",
    "name",
    "width",
    "height",
    "fps",
    "bitrate_kbps",
    "keyframe",
    "effort",
    "encoder",
    "delay_ms",
    "from",
    "camera",
    "transport",
    "fit",
    "file",
    "scene",
    "layer",
    "overlay",
    "at",
    "for",
    "loop",
    "backup",
    "stop_after",
    "message",
    "shots",
    "overlays",
    "timeline",
    "cameras",
    "env",
    "ca_file",
    "tls_pin",
    "presets",
    "preset",
    "position",
    "pan",
    "tilt",
    "zoom",
    "picture_lag_ms",
    "late",
    "wait",
    "same_camera",
    "operator_hold",
    "ptz",
    "health",
    "every",
    "misses",
];

/// Whether the value at this pointer may be quoted.
pub(super) fn is_harmless(pointer: &str) -> bool {
    pointer.rsplit('/').next().is_some_and(|k| HARMLESS.contains(&k))
}

/// Takes quoted values out of a diagnostic's message and source line.
pub(super) fn mask(d: &mut Diagnostic) {
    if let Some(m) = masked_message(d) {
        d.message = m;
    }
    d.message = without_addresses(&d.message);
    d.help = d.help.take().map(|h| without_addresses(&h));
    if let (Some(line), Some(place)) = (&d.source_line, d.place) {
        d.source_line = if d.code.starts_with("JSON-") {
            // The text is broken, so nobody knows where strings begin.
            only_known_words(line).then(|| line.clone())
        } else {
            masked_line(line, place.column)
        };
    }
}

/// serde quotes what it did not expect: ``invalid type: string "…", expected …``, ``integer `5` ``.
fn masked_message(d: &Diagnostic) -> Option<String> {
    let quoting = d.message.starts_with("invalid type:") || d.message.starts_with("invalid value:");
    if !quoting || is_harmless(&d.pointer) {
        return None;
    }
    let expected = d.message.rsplit_once(", expected ").map_or("something else", |(_, e)| e);
    Some(format!("this value has the wrong type: expected {expected}"))
}

/// A URL in the place of an id or a name is quoted by whoever does not know it, and it may hold a password.
fn without_addresses(text: &str) -> String {
    let words = text.split(' ').map(|w| match w.contains("://") {
        true if w.starts_with('"') => "\"…\"",
        true => "…",
        false => w,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The line with every string value hidden that may be a secret. `None` when hiding would move the caret at `column`.
fn masked_line(line: &str, column: usize) -> Option<String> {
    let mut out = String::with_capacity(line.len());
    let mut key = String::new();
    let mut rest = line;
    // A line that starts inside an array or after a key of the line above has no key of its own: hide its values.
    while let Some(start) = rest.find('"') {
        out.push_str(&rest[..start]);
        let len = string_end(&rest[start + 1..])?;
        let body = &rest[start + 1..start + 1 + len];
        rest = &rest[start + 2 + len..];
        if rest.trim_start().starts_with(':') {
            key = body.to_owned();
            out.push_str(&format!("\"{body}\""));
        } else if HARMLESS.contains(&key.as_str()) && !body.contains("://") {
            out.push_str(&format!("\"{body}\""));
        } else {
            if out.chars().count() + 1 < column {
                return None;
            }
            out.push_str("\"…\"");
        }
    }
    out.push_str(rest);
    // Numbers can be passwords too.
    let number_at_risk =
        !key.is_empty() && !HARMLESS.contains(&key.as_str()) && rest.contains(|c: char| c.is_ascii_digit());
    (!number_at_risk).then_some(out)
}

fn string_end(s: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in s.char_indices() {
        match c {
            '"' if !escaped => return Some(i),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// Whether a line has nothing but known keys, punctuation and short numbers.
fn only_known_words(line: &str) -> bool {
    line.split(|c: char| c.is_whitespace() || "{}[],:\"'".contains(c)).filter(|w| !w.is_empty()).all(|w| {
        HARMLESS.contains(&w)
            || KNOWN.contains(&w)
            || ["true", "false", "null"].contains(&w)
            || (w.len() <= 4 && w.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Keys that may hold secrets; their names are no secret.
const KNOWN: [&str; 10] =
    ["url", "user", "password", "key", "tokens", "destinations", "recording", "program", "audio", "slate"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Place;

    #[test]
    fn lines_lose_what_may_be_secret() {
        let l = r#"  { "id": "yt", "colour": 1, "key": "abcd-efgh" }"#;
        assert_eq!(masked_line(l, 17).unwrap(), r#"  { "id": "yt", "colour": 1, "key": "…" }"#);
        assert_eq!(masked_line(l, 45), None, "the caret would move");
        assert_eq!(masked_line(r#""pasword": "hunter2""#, 1).unwrap(), r#""pasword": "…""#);
        assert_eq!(masked_line(r#"   "hunter2","#, 4).unwrap(), r#"   "…","#);
        assert_eq!(masked_line(r#""password": 12345678"#, 1), None);
        assert_eq!(masked_line(r#""name": "rtsp://u:p@h/""#, 1).unwrap(), r#""name": "…""#);
    }
    #[test]
    fn broken_text_shows_no_strings() {
        let mut d = Diagnostic::error("JSON-SYNTAX", "", "expected `,`");
        d.place = Some(Place { line: 1, column: 1 });
        d.source_line = Some(r#"  "key: "hunter2""#.into());
        mask(&mut d);
        assert_eq!(d.source_line, None);
        d.source_line = Some(r#"  "cameras": [,]"#.into());
        mask(&mut d);
        assert!(d.source_line.is_some());
    }
}
