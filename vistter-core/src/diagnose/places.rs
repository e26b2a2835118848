//! Where the values of a JSON text begin.

use std::collections::HashSet;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;

/// A JSON text as a tree whose values know their places. Made only when something must be located: that is as much work as
/// reading the text.
#[derive(Debug)]
pub(super) struct Places<'t> {
    root: Option<ast::Value<'t>>,
}

impl<'t> Places<'t> {
    /// Of a text that was found to be JSON.
    pub(super) fn read(text: &'t str) -> Self {
        // its parser understands more than JSON, and nothing differently
        let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default());
        Self { root: parsed.ok().and_then(|p| p.value) }
    }

    /// The byte at which the value at a pointer begins.
    pub(super) fn start(&self, pointer: &str) -> Option<usize> {
        let mut at = self.root.as_ref()?;
        if !pointer.is_empty() {
            for step in pointer.strip_prefix('/')?.split('/') {
                at = child(at, step)?;
            }
        }
        Some(at.start())
    }

    /// The first key that stands a second time in its object, and the pointer of both.
    pub(super) fn doubled(&self) -> Option<(String, &str)> {
        doubled(self.root.as_ref()?)
    }
}

fn child<'a, 't>(v: &'a ast::Value<'t>, step: &str) -> Option<&'a ast::Value<'t>> {
    match v {
        ast::Value::Object(o) => {
            // a step without a tilde means itself: no key need be written as a step to be compared
            let is = |key: &str| if step.contains('~') { escape(key) == step } else { key == step };
            o.properties.iter().find(|p| is(p.name.as_str())).map(|p| &p.value)
        }
        // "01" and "+1" are no numbers of elements
        ast::Value::Array(a) => {
            step.parse().ok().filter(|i: &usize| i.to_string() == step).and_then(|i| a.elements.get(i))
        }
        _ => None,
    }
}

fn doubled<'a>(v: &'a ast::Value<'_>) -> Option<(String, &'a str)> {
    // pointers grow from their end: only what is found has one
    let below = |step: String, v: &'a ast::Value<'_>| doubled(v).map(|(at, key)| (format!("/{step}{at}"), key));
    match v {
        ast::Value::Object(o) => {
            let mut seen = HashSet::new();
            o.properties.iter().find_map(|p| {
                let (key, step) = (p.name.as_str(), escape(p.name.as_str()));
                if seen.insert(key) { below(step, &p.value) } else { Some((format!("/{step}"), key)) }
            })
        }
        ast::Value::Array(a) => a.elements.iter().enumerate().find_map(|(i, e)| below(i.to_string(), e)),
        _ => None,
    }
}

/// A key as a step of a pointer.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Where the string that stands at `start` says its byte `n`: escapes are longer than what they say. `None` when there is no
/// string, or when it is shorter.
pub(super) fn inside(text: &str, start: usize, n: usize) -> Option<usize> {
    let raw = text.get(start..)?.strip_prefix('"')?.as_bytes();
    let unit = |at: usize| u32::from_str_radix(std::str::from_utf8(raw.get(at + 2..at + 6)?).ok()?, 16).ok();
    let (mut at, mut said) = (0, 0);
    while said < n {
        let (long, means) = match (raw.get(at)?, raw.get(at + 1)) {
            (b'"', _) => return None,
            (b'\\', Some(b'u')) => match unit(at)? {
                // the first half of a pair: both are one character of four bytes
                0xd800..0xdc00 => (12, 4),
                u => (6, char::from_u32(u)?.len_utf8()),
            },
            (b'\\', _) => (2, 1),
            _ => (1, 1),
        };
        (at, said) = (at + long, said + means);
    }
    Some(start + 1 + at)
}
