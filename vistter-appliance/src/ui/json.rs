//! JSON on stdout, one object a line.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

/// Prints `value` with `"type": kind` in front. `false` when nobody reads any more (a closed pipe).
pub(crate) fn line(kind: &str, value: &impl Serialize) -> bool {
    let mut all = serde_json::Map::new();
    all.insert("type".into(), kind.into());
    match serde_json::to_value(value) {
        Ok(Value::Object(o)) => all.extend(o),
        Ok(other) => {
            all.insert("value".into(), other);
        }
        Err(e) => {
            all.insert("error".into(), e.to_string().into());
        }
    }
    print(&Value::Object(all).to_string())
}

/// Prints a document, indented.
pub(crate) fn document(value: &impl Serialize) -> bool {
    serde_json::to_string_pretty(value).is_ok_and(|s| print(&s))
}

fn print(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}
