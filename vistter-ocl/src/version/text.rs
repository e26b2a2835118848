//! A JSON text that says another value: only what differs is written anew, the rest stays as a person wrote it.

use std::ops::Range;

use serde_json::Value;

/// A value and where it stands.
struct Tree {
    span: Range<usize>,
    parts: Parts,
}

enum Parts {
    Object(Vec<Member>),
    Array(Vec<Tree>),
    None,
}

struct Member {
    key: String,
    /// Where its key begins.
    start: usize,
    value: Tree,
}

/// Changes `text`, which says `old`, so that it says `new`.
pub(super) fn rewrite(text: &str, old: &Value, new: &Value) -> String {
    if old == new {
        return text.to_owned();
    }
    let mut scan = Scan { text, at: 0 };
    scan.space();
    let Some(tree) = scan.value() else { return format!("{new:#}\n") };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    patch(&tree, old, new, text, &mut edits);
    // from the end on, so that places stay true; what is put in stands before what is taken out behind it
    edits.sort_by_key(|(r, _)| (r.start, r.end));
    let mut out = text.to_owned();
    for (range, by) in edits.into_iter().rev() {
        out.replace_range(range, &by);
    }
    out
}

fn patch(tree: &Tree, old: &Value, new: &Value, text: &str, edits: &mut Vec<(Range<usize>, String)>) {
    if old == new {
        return;
    }
    match (&tree.parts, old, new) {
        (Parts::Object(members), Value::Object(o), Value::Object(n))
            if members.iter().any(|m| n.contains_key(&m.key)) =>
        {
            let mut kept = false;
            for (i, m) in members.iter().enumerate() {
                if let (Some(a), Some(b)) = (o.get(&m.key), n.get(&m.key)) {
                    patch(&m.value, a, b, text, edits);
                    kept = true;
                } else if kept {
                    let from = i.checked_sub(1).and_then(|p| members.get(p)).map_or(m.start, |p| p.value.span.end);
                    edits.push((from..m.value.span.end, String::new()));
                } else {
                    let to = members.get(i + 1).map_or(m.value.span.end, |next| next.start);
                    edits.push((m.start..to, String::new()));
                }
            }
            let first = members.first().map_or(tree.span.start, |m| m.start);
            let space = text.get(tree.span.start + 1..first).unwrap_or(" ");
            let stays = || members.iter().filter(|m| n.contains_key(&m.key));
            let behind = stays().find(|m| m.key == "ocl").or_else(|| stays().next_back());
            let Some(end) = behind.map(|m| m.value.span.end) else { return };
            let fresh: String = n
                .iter()
                .filter(|(k, _)| !o.contains_key(*k))
                .map(|(k, v)| format!(",{space}{}: {}", Value::from(k.as_str()), spaced(v)))
                .collect();
            if !fresh.is_empty() {
                edits.push((end..end, fresh));
            }
        }
        (Parts::Array(list), Value::Array(o), Value::Array(n)) if o.len() == n.len() => {
            for ((t, a), b) in list.iter().zip(o).zip(n) {
                patch(t, a, b, text, edits);
            }
        }
        _ => edits.push((tree.span.clone(), spaced(new))),
    }
}

/// On one line, with spaces where people set them.
fn spaced(v: &Value) -> String {
    let list = |parts: Vec<String>, open: &str, close: &str| match parts.is_empty() {
        true => format!("{open}{close}"),
        false => format!("{open} {} {close}", parts.join(", ")),
    };
    match v {
        Value::Object(map) => {
            let one = |(k, v): (&String, &Value)| format!("{}: {}", Value::from(k.as_str()), spaced(v));
            list(map.iter().map(one).collect(), "{", "}")
        }
        Value::Array(a) => list(a.iter().map(spaced).collect(), "[", "]"),
        other => other.to_string(),
    }
}

/// Reads text that is known to be JSON, no deeper than serde_json takes it; `None` if it is not.
struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
    /// Takes one character and the space round it.
    fn take(&mut self, b: u8) -> bool {
        self.space();
        let there = self.peek() == Some(b);
        self.at += usize::from(there);
        self.space();
        there
    }
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return None;
        }
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at)
    }
    fn value(&mut self) -> Option<Tree> {
        let start = self.at;
        let parts = match self.peek()? {
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                self.space();
                while self.peek()? != b'}' {
                    let key = self.string()?;
                    let (start, key) = (key.start, serde_json::from_str(self.text.get(key)?).ok()?);
                    if !self.take(b':') {
                        return None;
                    }
                    let value = self.value()?;
                    members.push(Member { key, start, value });
                    self.take(b',');
                }
                self.at += 1;
                Parts::Object(members)
            }
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                self.space();
                while self.peek()? != b']' {
                    list.push(self.value()?);
                    self.take(b',');
                }
                self.at += 1;
                Parts::Array(list)
            }
            b'"' => {
                self.string()?;
                Parts::None
            }
            _ => {
                while self.peek().is_some_and(|b| !matches!(b, b',' | b']' | b'}') && !b.is_ascii_whitespace()) {
                    self.at += 1;
                }
                // a value has at least one character: reading always goes on
                if self.at == start {
                    return None;
                }
                Parts::None
            }
        };
        Some(Tree { span: start..self.at, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-99i64..99).prop_map(Value::from),
            "[a\"\\\\{}\\[\\],:ä\n]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("(ocl|[a-d]|\"/~)", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn the_rest_stays() {
        let text = "{ \"b\" : [1,\n 2 ], \"ocl\":\"x\",\"gone\": {} }";
        let old = serde_json::from_str(text).unwrap();
        let new = json!({ "b": [1, 3], "ocl": "x", "new": { "y": true } });
        assert_eq!(rewrite(text, &old, &new), "{ \"b\" : [1,\n 3 ], \"ocl\":\"x\", \"new\": { \"y\": true } }");
    }
    proptest! {
        #[test]
        fn any_text_comes_to_say_any_value(old in any_json(), new in any_json(), form in 0..3u8) {
            let text = match form {
                0 => old.to_string(),
                1 => format!("{old:#}"),
                _ => format!(" \n{}\t", spaced(&old)),
            };
            let got = rewrite(&text, &old, &new);
            prop_assert_eq!(serde_json::from_str::<Value>(&got).unwrap(), new, "{} became {}", text, got);
        }
    }
}
